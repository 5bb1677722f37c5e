// A body of no stated length, read block by block. Its bytes stay in JavaScript's memory, and no more of them than
// one block; wasm is told how many there are. The buffer grows as the body comes: most bodies are short.

const FIRST_BYTES = 64 * 1024;

export class Blocks {
  /** What was read last: a Uint8Array of at most `size` bytes, which the next one takes the place of. */
  block;
  /** Whether it was the last. */
  ended = false;
  /** Behind the last: the MD5 of all of them in base64, where it was asked for and there is more than one. */
  md5 = "";
  #size;
  #reader;
  #digest;
  #writer;
  #buffer = new ArrayBuffer(FIRST_BYTES);

  constructor(stream, size, digested) {
    this.#size = size;
    this.#reader = stream.getReader({ mode: "byob" });
    if (digested) {
      this.#digest = new crypto.DigestStream("MD5");
      this.#writer = this.#digest.getWriter();
    }
  }

  async next() {
    // One byte more than a block shows that another one follows, of which it is the first.
    const most = this.#size + 1;
    let have = 0;
    if (this.block) {
      const bytes = new Uint8Array(this.#buffer);
      bytes[0] = bytes[this.#size];
      have = 1;
    }
    for (;;) {
      const room = this.#buffer.byteLength - have;
      const { value } = await this.#reader.readAtLeast(room, new Uint8Array(this.#buffer, have));
      this.#buffer = value.buffer;
      have += value.byteLength;
      this.ended = value.byteLength < room;
      if (this.ended || have === most) break;
      this.#buffer = this.#buffer.transfer(Math.min(most, have * 8));
    }
    const isFirst = !this.block;
    this.block = new Uint8Array(this.#buffer, 0, Math.min(have, this.#size));
    if (!this.#writer || (isFirst && this.ended)) return;
    await this.#writer.write(this.block);
    if (!this.ended) return;
    await this.#writer.close();
    this.md5 = btoa(String.fromCharCode(...new Uint8Array(await this.#digest.digest)));
  }
}
