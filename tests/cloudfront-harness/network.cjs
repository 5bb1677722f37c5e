// The network of an instance: the endpoints of AWS that the harness plays, and nothing else.
//
// Loaded before the handler, underneath fetch and node:https: the handler's code is the shipped one. A name that the
// harness does not play fails as in a network without a way out. Whatever does not come through either
// fails too, so no test can reach the outside by accident.

const { Agent: HttpsAgent } = require("node:https");
const net = require("node:net");
const { Agent, setGlobalDispatcher } = require("undici");

/** `names` is the table of names.mjs: `[{pattern, port}]`. */
module.exports = function isolate(names) {
  const table = names.map(({ pattern, port }) => ({ pattern: new RegExp(pattern), port }));
  const ports = new Set(table.map(({ port }) => port));
  const failure = (code, message) => Object.assign(new Error(message), { code });

  const connect = net.Socket.prototype.connect;
  net.Socket.prototype.connect = function (...args) {
    const [options] = Array.isArray(args[0]) ? args[0] : args;
    if (options?.host === "127.0.0.1" && ports.has(options.port)) return connect.apply(this, args);
    process.nextTick(() => this.destroy(failure("ENETUNREACH", "this network has no way out")));
    return this;
  };

  /** A connection to a name, over TLS as far as its user knows. */
  const connected = (hostname, port) => {
    const found = table.find(({ pattern }) => pattern.test(hostname));
    if (found === undefined) throw failure("ENOTFOUND", `getaddrinfo ENOTFOUND ${hostname}`);
    if (port !== 443) throw failure("ECONNREFUSED", `${hostname} answers over TLS on port 443 only`);
    return net.connect({ host: "127.0.0.1", port: found.port, noDelay: true });
  };

  HttpsAgent.prototype.createConnection = function ({ host, port }) {
    try {
      return connected(host, Number(port));
    } catch (error) {
      const socket = new net.Socket();
      process.nextTick(() => socket.destroy(error));
      return socket;
    }
  };

  setGlobalDispatcher(
    new Agent({
      connect({ hostname, protocol, port }, callback) {
        try {
          const socket = connected(hostname, protocol === "https:" ? Number(port || 443) : undefined);
          const failed = (error) => callback(error);
          socket.once("error", failed);
          socket.once("connect", () => {
            socket.off("error", failed);
            callback(null, socket);
          });
        } catch (error) {
          callback(error);
        }
      },
    }),
  );
};
