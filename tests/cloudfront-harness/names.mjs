// The names that resolve inside the harness, and the loopback ports behind them.
//
// Names stand for AWS's own endpoints over TLS on port 443; there is no TLS on the loopback interface. S3 answers
// CloudFront on port 80 as well. Everything else is a name that does not exist.

/** Patterns and ports, as plain data: instances are given it too (network.cjs reads it the same way). */
export class Names {
  #table = [];
  #plain = [];

  /** Makes every name that `pattern` (a regular expression's source) matches answer on `port`. */
  add(pattern, port) {
    this.#table.push({ pattern, port });
  }

  /** The same for plain http on port 80, which functions can't use. */
  addPlain(pattern, port) {
    this.#plain.push({ pattern, port });
  }

  /** Whether a name exists. */
  has(name) {
    return this.#table.some(({ pattern }) => new RegExp(pattern).test(name));
  }

  /** The loopback port behind a protocol and port of a name, undefined if nothing listens there. */
  port(name, protocol, port) {
    const table = { "https 443": this.#table, "http 80": this.#plain }[`${protocol} ${port}`] ?? [];
    return table.find(({ pattern }) => new RegExp(pattern).test(name))?.port;
  }

  toJSON() {
    return this.#table;
  }
}
