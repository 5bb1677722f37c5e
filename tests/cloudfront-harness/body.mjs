// A viewer's body: the first bytes can be looked at, and all of it still streams on.

const NOTHING = Buffer.alloc(0);

export class ViewerBody {
  #chunks = [];
  #buffered = 0;
  #ended = false;
  #iterator;

  constructor(incoming) {
    this.incoming = incoming;
    // Ending early must not close the connection: an answer is still to be written to it.
    this.#iterator = incoming.iterator({ destroyOnReturn: false });
  }

  /** At most `limit` bytes from the start, and whether there are more. */
  async peek(limit) {
    while (!this.#ended && this.#buffered <= limit) {
      const { value, done } = await this.#iterator.next();
      if (done) this.#ended = true;
      else {
        this.#chunks.push(value);
        this.#buffered += value.length;
      }
    }
    const start = this.#chunks.length === 0 ? NOTHING : Buffer.concat(this.#chunks);
    return { bytes: start.subarray(0, limit), truncated: this.#buffered > limit };
  }

  /** Puts `bytes` in the place of the whole body. */
  async replace(bytes) {
    await this.drain();
    this.#chunks = [bytes];
    this.#buffered = bytes.length;
  }

  /** The body from its first byte. Can be read once. */
  async *stream() {
    const chunks = this.#chunks;
    this.#chunks = [];
    for (const chunk of chunks) if (chunk.length > 0) yield chunk;
    if (this.#ended) return;
    for (;;) {
      const { value, done } = await this.#iterator.next();
      if (done) break;
      yield value;
    }
    this.#ended = true;
  }

  /** Reads and forgets the rest, so that the viewer can read its answer. */
  async drain() {
    this.#chunks = [];
    while (!this.#ended) {
      const { done } = await this.#iterator.next();
      if (done) this.#ended = true;
    }
  }
}
