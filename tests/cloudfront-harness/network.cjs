// The network of an instance: the endpoints of AWS that the harness plays, and nothing else.
//
// Loaded before the handler, underneath fetch: the handler's code is the shipped one. A name that the
// harness does not play fails as in a network without a way out. Whatever does not come through fetch
// fails too, so no test can reach the outside by accident.

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

  setGlobalDispatcher(
    new Agent({
      connect({ hostname, protocol, port }, callback) {
        const found = table.find(({ pattern }) => pattern.test(hostname));
        if (found === undefined) return callback(failure("ENOTFOUND", `getaddrinfo ENOTFOUND ${hostname}`));
        if (protocol !== "https:" || (port && Number(port) !== 443)) {
          return callback(failure("ECONNREFUSED", `${hostname} answers over TLS on port 443 only`));
        }
        const socket = net.connect({ host: "127.0.0.1", port: found.port, noDelay: true });
        const failed = (error) => callback(error);
        socket.once("error", failed);
        socket.once("connect", () => {
          socket.off("error", failed);
          callback(null, socket);
        });
      },
    }),
  );
};
