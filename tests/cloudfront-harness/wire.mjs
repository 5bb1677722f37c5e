// Requests as bytes and as functions see them.
//
// On the wire heads are bytes, kept here as text in which each character is one byte (latin1, what Node
// hands out and takes). Functions see UTF-8: what is valid UTF-8 as it is, anything else read as
// ISO-8859-1 [CFD:edge-functions-restrictions, documented for URI and query; headers likewise, an assumption].
// What a function leaves unchanged goes on as the bytes that came.

import { isUtf8 } from "node:buffer";

/** What a function sees of `bytes`. */
export function shown(bytes) {
  const buffer = Buffer.from(bytes, "latin1");
  return isUtf8(buffer) ? buffer.toString("utf8") : bytes;
}

/** What a function's text is on the wire. */
export function encoded(text) {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** A request's head: `path` and `query` (without `?`) and header lines `{name, value}`, all as bytes. */
export function readHead(incoming) {
  const mark = incoming.url.indexOf("?");
  const lines = [];
  for (let index = 0; index < incoming.rawHeaders.length; index += 2) {
    lines.push({ name: incoming.rawHeaders[index], value: incoming.rawHeaders[index + 1] });
  }
  return {
    method: incoming.method,
    path: mark < 0 ? incoming.url : incoming.url.slice(0, mark),
    query: mark < 0 ? "" : incoming.url.slice(mark + 1),
    lines,
  };
}

/** Bytes with each percent escape resolved. */
export function percentDecoded(text) {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}

export function target({ path, query }) {
  return query === "" ? path : `${path}?${query}`;
}

/** The values of a header, one for each line. */
export function values(lines, name) {
  return lines.filter((line) => line.name.toLowerCase() === name).map(({ value }) => value);
}

export function without(lines, ...names) {
  return lines.filter((line) => !names.includes(line.name.toLowerCase()));
}

/** Header lines as an event has them: by lower-case name, one element for each line. */
export function eventHeaders(lines) {
  // Without a prototype: `constructor` and `__proto__` are names of headers like others.
  const headers = Object.create(null);
  for (const { name, value } of lines) {
    (headers[name.toLowerCase()] ??= []).push({ key: name, value: shown(value) });
  }
  return headers;
}

/** Header lines of what a function handed back; `before` are those that its event was made from. */
export function wireLines(headers, before) {
  const lines = [];
  for (const [name, list] of Object.entries(headers)) {
    const known = new Map(values(before, name).map((value) => [shown(value), value]));
    for (const { key, value } of list) {
      lines.push({ name: key ?? capitalised(name), value: known.get(value) ?? encoded(value) });
    }
  }
  return lines;
}

/** The name that Lambda@Edge inserts where a function gives no key. */
function capitalised(name) {
  return name.replace(/(^|-)([a-z])/g, (_, dash, letter) => dash + letter.toUpperCase());
}

/** Header lines in the form that Node's HTTP takes: name, value, name, value. */
export function flat(lines) {
  return lines.flatMap(({ name, value }) => [name, value]);
}
