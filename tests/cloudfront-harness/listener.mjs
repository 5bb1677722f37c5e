// CloudFront's HTTP front: what it refuses before any function runs, and how answers are written.

import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { isIP } from "node:net";
import { pipeline } from "node:stream/promises";

import { ViewerBody } from "./body.mjs";
import { EdgeError, errorPage } from "./error-page.mjs";
import { matchesPath } from "./policies.mjs";
import { HEAD_BYTES } from "./rules.mjs";
import { Visit } from "./visit.mjs";
import { flat, readHead, target, values, without } from "./wire.mjs";

/** [CFD:RequestAndResponseBehaviorCustomOrigin]: the URL that CloudFront makes of a request, scheme and host included. */
const URL_BYTES = 8192;

/**
 * The server that viewers talk to; `edge` as in visit.mjs, `log` takes the reasons of CloudFront's own errors. With a
 * `certificate` of `{cert, key}` it speaks TLS.
 */
export function listener(edge, log, certificate) {
  const options = { maxHeaderSize: 4 * HEAD_BYTES, requestTimeout: 0, requireHostHeader: false };
  const server =
    certificate === undefined ? createServer(options) : createSecureServer({ ...options, ...certificate });
  server.on("request", (incoming, outgoing) => new Exchange(edge, log, incoming, outgoing).run());
  server.on("clientError", (error, socket) => {
    // What Node's parser does not take never becomes a request. Methods that HTTP does not know are among it.
    if (!socket.writable) return socket.destroy();
    const status = { HPE_HEADER_OVERFLOW: 413, HPE_INVALID_METHOD: 403 }[error.code] ?? 400;
    log({ level: "error", function: "cloudfront", status, reason: `the request can't be read: ${error.message}` });
    const page = errorPage(new EdgeError(status, ""), newRequestId());
    const head = flat(page.lines)
      .map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`))
      .join("");
    socket.end(`HTTP/1.1 ${status} ${page.statusText}\r\n${head}Connection: close\r\n\r\n${page.body}`);
  });
  return server;
}

class Exchange {
  constructor(edge, log, incoming, outgoing) {
    Object.assign(this, { edge, log, incoming, outgoing });
    this.requestId = newRequestId();
  }

  async run() {
    const { incoming, outgoing } = this;
    let body;
    try {
      const head = readHead(incoming);
      const behaviour = this.#admit(head);
      if (!["GET", "HEAD"].includes(head.method)) body = new ViewerBody(incoming);
      const clientIp = incoming.socket.remoteAddress.replace(/^::ffff:/, "");
      const visit = new Visit(this.edge, { behaviour, head, body, clientIp, requestId: this.requestId });
      await this.#write(await visit.answer());
    } catch (error) {
      const failed = error instanceof EdgeError ? error : new EdgeError(502, error.stack);
      if (!incoming.destroyed || !outgoing.destroyed) this.#log(failed);
      // An answer that has begun can't become another one: the viewer sees it end too early.
      if (outgoing.headersSent || outgoing.destroyed) outgoing.destroy();
      else await this.#write(errorPage(failed, this.requestId)).catch(() => outgoing.destroy());
    }
    // What the viewer still sends is read, so that it comes to read its answer.
    if (body === undefined) incoming.resume();
    else await body.drain().catch(() => {});
  }

  /** The behaviour for a request; throws what CloudFront answers without asking anybody. */
  #admit(head) {
    const { distribution, scheme } = this.edge;
    const hosts = values(head.lines, "host");
    if (hosts.length !== 1) throw new EdgeError(400, `the request has ${hosts.length} Host headers`);
    if (!head.path.startsWith("/")) throw new EdgeError(400, "the request's target does not begin with /");
    const [host] = hosts;
    if (`https://${host}${target(head)}`.length > URL_BYTES)
      throw new EdgeError(413, `the URL has more than ${URL_BYTES} bytes`);
    if (headBytes(head) > HEAD_BYTES) throw new EdgeError(413, `the request's head has more than ${HEAD_BYTES} bytes`);
    if (!isServed(distribution, host)) {
      throw new EdgeError(403, `${host} is neither the distribution's own name nor one of its Aliases`);
    }
    const behaviour = distribution.behaviours.find(
      ({ pattern }) => pattern === undefined || matchesPath(pattern, head.path),
    );
    if (behaviour.viewerProtocolPolicy === "https-only" && scheme !== "https") {
      throw new EdgeError(403, "ViewerProtocolPolicy is https-only, and the request came over http");
    }
    if (!behaviour.allowedMethods.has(head.method))
      throw new EdgeError(403, `the behaviour does not allow ${head.method}`);
    // The guide says so of GET; that HEAD is refused as well is the stricter assumption.
    if (["GET", "HEAD"].includes(head.method) && hasBody(head)) throw new EdgeError(403, `a ${head.method} has a body`);
    const codings = values(head.lines, "transfer-encoding");
    if (codings.length > 0 && codings.join().toLowerCase() !== "chunked")
      throw new EdgeError(400, "CloudFront reads chunked only");
    return behaviour;
  }

  async #write({ status, statusText, lines, cache, body, stream, discard }) {
    const { incoming, outgoing, edge } = this;
    const kept = without(lines, "x-cache", "via", "x-amz-cf-id", "x-amz-cf-pop", "connection", "transfer-encoding");
    if (values(kept, "date").length === 0) kept.push({ name: "Date", value: new Date().toUTCString() });
    if (body !== undefined && status !== 204 && status !== 304) {
      const length = { name: "Content-Length", value: String(body.length) };
      // The length of what a GET would have got stays with a HEAD.
      if (incoming.method !== "HEAD" || values(kept, "content-length").length === 0)
        kept.splice(0, kept.length, ...without(kept, "content-length"), length);
    }
    kept.push(
      { name: "X-Cache", value: cache },
      { name: "Via", value: `1.1 ${edge.via} (CloudFront)` },
      { name: "X-Amz-Cf-Pop", value: "FRA56-P1" },
      { name: "X-Amz-Cf-Id", value: this.requestId },
    );
    if (statusText === undefined) outgoing.writeHead(status, flat(kept));
    else outgoing.writeHead(status, statusText, flat(kept));
    if (stream !== undefined && incoming.method !== "HEAD") await pipeline(stream, outgoing);
    else {
      discard?.();
      outgoing.end(incoming.method === "HEAD" ? undefined : body);
    }
  }

  #log({ status, message }) {
    this.log({ level: "error", function: "cloudfront", status, reason: message, request_id: this.requestId });
  }
}

function hasBody({ lines }) {
  return (
    values(lines, "transfer-encoding").length > 0 || values(lines, "content-length").some((length) => length !== "0")
  );
}

function headBytes(head) {
  const line = `${head.method} ${target(head)} HTTP/1.1\r\n`.length;
  return head.lines.reduce((size, { name, value }) => size + name.length + value.length + 4, line + 2);
}

/**
 * Whether the distribution answers to a Host: its own domain and its aliases. Addresses and localhost stand for its
 * own domain, which does not resolve here.
 */
function isServed({ domain, aliases }, host) {
  const name = host.replace(/:\d+$/, "").toLowerCase();
  if (name === domain || name === "localhost" || isIP(name) || name === "[::1]") return true;
  return aliases.some((alias) =>
    alias.startsWith("*.") ? name.slice(name.indexOf(".")) === alias.slice(1) : name === alias,
  );
}

function newRequestId() {
  return randomBytes(40).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}
