// One HTTP request on to a loopback port, its body streamed both ways.
//
// Header lines go as they are: order, case, repetition and bytes. Each request has a connection of its own, so
// that none meets one which the other side is just closing.

import { request as httpRequest } from "node:http";
import { pipeline } from "node:stream/promises";

import { flat, values, without } from "./wire.mjs";

const HOP_BY_HOP = ["connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade"];
const METHODS_WITH_BODY = new Set(["PUT", "POST", "PATCH"]);

/**
 * Sends a head and then `body` (an async iterable of bytes, or undefined). Gives the answer's head with `stream`,
 * and in `sent` the end of sending, which may come later and may fail: an answer can come before the body was read.
 */
export function send({ port, method, target, lines, body, signal }) {
  const kept = without(lines, ...HOP_BY_HOP);
  const framed = values(kept, "content-length").length + values(kept, "transfer-encoding").length > 0;
  if (!framed && METHODS_WITH_BODY.has(method)) kept.push({ name: "Content-Length", value: "0" });
  kept.push({ name: "Connection", value: "Keep-Alive" });
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({
      host: "127.0.0.1",
      port,
      method,
      path: target,
      headers: flat(kept),
      agent: false,
      signal,
    });
    outgoing.on("error", reject);
    outgoing.on("response", (incoming) => {
      const answer = [];
      for (let index = 0; index < incoming.rawHeaders.length; index += 2) {
        answer.push({ name: incoming.rawHeaders[index], value: incoming.rawHeaders[index + 1] });
      }
      resolve({
        status: incoming.statusCode,
        statusText: incoming.statusMessage,
        lines: without(answer, ...HOP_BY_HOP),
        stream: incoming,
        sent,
      });
    });
    // What goes wrong while sending shows as the request's own error, unless there is an answer already.
    const sent =
      framed && body !== undefined ? pipeline(body, outgoing).catch(() => {}) : Promise.resolve(outgoing.end());
  });
}
