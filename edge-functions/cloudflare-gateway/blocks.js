// A body of no stated length, read block by block. Its bytes stay in JavaScript's memory, and no more of them than
// one block; wasm is told how many there are. The buffer grows as the body comes: most bodies are short.

const FIRST_BYTES = 64 * 1024;

export class Blocks {
  /** What was read last: a Uint8Array. The next one takes the place of a whole block. */
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
  #have = 0;
  /** How many blocks of `size` bytes were read. */
  #whole = 0;
  #isWhole = false;

  constructor(stream, size, digested) {
    this.#size = size;
    this.#reader = stream.getReader({ mode: "byob" });
    if (digested) {
      this.#digest = new crypto.DigestStream("MD5");
      this.#writer = this.#digest.getWriter();
    }
  }

  /** Reads on until the block has `size` bytes, or the body ends. A block that has all of them gives way to the next. */
  async next(size) {
    // One byte more than a block shows that another one follows, of which it is the first.
    const most = size + 1;
    if (this.#isWhole) {
      const bytes = new Uint8Array(this.#buffer);
      bytes[0] = bytes[this.#size];
      this.#have = 1;
    }
    while (!this.ended && this.#have < most) {
      if (this.#have === this.#buffer.byteLength) this.#buffer = this.#buffer.transfer(Math.min(most, this.#have * 8));
      const room = Math.min(most, this.#buffer.byteLength) - this.#have;
      const { value } = await this.#reader.readAtLeast(room, new Uint8Array(this.#buffer, this.#have, room));
      this.#buffer = value.buffer;
      this.#have += value.byteLength;
      this.ended = value.byteLength < room;
    }
    this.block = new Uint8Array(this.#buffer, 0, Math.min(this.#have, size));
    this.#isWhole = !this.ended && size === this.#size;
    if (this.#isWhole) this.#whole += 1;
    // A body of one block is compared by whoever stores it.
    if (!this.#writer || this.#whole === 0 || !(this.#isWhole || this.ended)) return;
    await this.#writer.write(this.block);
    if (!this.ended) return;
    await this.#writer.close();
    this.md5 = btoa(String.fromCharCode(...new Uint8Array(await this.#digest.digest)));
  }
}
