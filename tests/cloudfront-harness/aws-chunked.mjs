// Bodies framed as aws-chunked with an unsigned trailer, as S3 reads them [AWS:sigv4-streaming-trailers]: hexadecimal
// size, CRLF, bytes, CRLF, …, a chunk of size 0, and behind it header lines up to an empty one.

const LINE_BYTES = 16 * 1024;

/**
 * Passes a framed body on as it is, and keeps its last piece back until the whole is known to be one: its content has
 * `length` bytes and its trailer names `trailer`. Throws what is wrong with it, which a server behind then never gets
 * whole.
 */
export async function* framed(body, length, trailer) {
  const reader = new Reader(length, trailer);
  let held, wrong;
  for await (const piece of body) {
    // What is broken is still read to its end, so that the sender comes to read why.
    if (wrong !== undefined) continue;
    try {
      reader.read(piece);
    } catch (error) {
      wrong = error;
      continue;
    }
    if (held !== undefined) yield held;
    held = piece;
  }
  if (wrong !== undefined) throw wrong;
  reader.end();
  if (held !== undefined) yield held;
}

class Reader {
  #line = "";
  #left = 0;
  #total = 0;
  #trailers = [];
  /** What comes next: a size, content, the end of a chunk, a trailer, or nothing. */
  #state = "size";

  constructor(length, trailer) {
    Object.assign(this, { length, trailer });
  }

  read(piece) {
    for (let at = 0; at < piece.length; ) {
      if (this.#state === "nothing") throw new Error("something comes behind the trailer");
      if (this.#state === "content") {
        const taken = Math.min(this.#left, piece.length - at);
        at += taken;
        this.#left -= taken;
        if (this.#left === 0) this.#state = "chunk end";
        continue;
      }
      const newline = piece.indexOf(10, at);
      const end = newline < 0 ? piece.length : newline + 1;
      this.#line += piece.toString("latin1", at, end);
      at = end;
      if (this.#line.length > LINE_BYTES) throw new Error("a line is too long");
      if (newline >= 0) this.#take(this.#line.replace(/\r?\n$/, ""));
    }
  }

  #take(line) {
    this.#line = "";
    if (this.#state === "size") {
      if (!/^[0-9A-Fa-f]{1,12}$/.test(line)) throw new Error(`a chunk has the size ${JSON.stringify(line)}`);
      this.#left = Number.parseInt(line, 16);
      this.#total += this.#left;
      this.#state = this.#left === 0 ? "trailer" : "content";
    } else if (this.#state === "chunk end") {
      if (line !== "") throw new Error("a chunk is longer than its size");
      this.#state = "size";
    } else if (line === "") this.#state = "nothing";
    else this.#trailers.push(line.split(":")[0].trim().toLowerCase());
  }

  end() {
    if (this.#state !== "nothing") throw new Error("it ends too early");
    if (this.#total !== this.length) throw new Error(`it has ${this.#total} bytes, and says ${this.length}`);
    if (this.#trailers.join() !== this.trailer) throw new Error(`its trailers are ${this.#trailers.join()}`);
  }
}
