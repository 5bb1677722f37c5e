// The names that resolve inside the harness, and the loopback ports behind them.
//
// Names stand for AWS's own endpoints over TLS, so they answer on port 443 only; there is no TLS on the
// loopback interface. Everything else is a name that does not exist.

/** Patterns and ports, as plain data: instances are given it too (network.cjs reads it the same way). */
export class Names {
  #table = [];

  /** Makes every name that `pattern` (a regular expression's source) matches answer on `port`. */
  add(pattern, port) {
    this.#table.push({ pattern, port });
  }

  /** The loopback port of a name, undefined if it does not exist. */
  port(name) {
    return this.#table.find(({ pattern }) => new RegExp(pattern).test(name))?.port;
  }

  toJSON() {
    return this.#table;
  }
}
