// What a Lambda@Edge function may hand back. Everything else is a 502 to the viewer.
//
// The tables are those of the developer guide: "Restrictions on edge functions", "Lambda@Edge event
// structure" and "Generating HTTP responses in request triggers". Where they leave room, the stricter
// reading counts; such rules say so.

import { isIP } from "node:net";

/** Sizes that the guide gives in KB and MB: the smaller reading. */
export const KB = 1000;
export const MB = 1000 * KB;

/** The most of a request body that an event shows, in bytes. */
export const SHOWN_BODY_BYTES = { "viewer-request": 40 * KB, "origin-request": 1 * MB };
/** The most that a function's own answer may have, headers and body, in bytes. */
const ANSWER_BYTES = { "viewer-request": 40 * KB, "origin-request": 1 * MB, "origin-response": 1 * MB };
/** URI and query together have to be shorter, in characters. */
const URI_CHARACTERS = 8192;
/**
 * The most that a request's line and headers may have, in bytes. Documented for what viewers send; that it
 * holds for what functions hand back is the stricter assumption.
 */
export const HEAD_BYTES = 20_480;

const DISALLOWED = new Set([
  "connection",
  "expect",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "trailer",
  "upgrade",
  "x-accel-buffering",
  "x-accel-charset",
  "x-accel-limit-rate",
  "x-accel-redirect",
  "x-amzn-auth",
  "x-amzn-cf-billing",
  "x-amzn-cf-id",
  "x-amzn-cf-xff",
  "x-amzn-errortype",
  "x-amzn-fle-profile",
  "x-amzn-header-count",
  "x-amzn-header-order",
  "x-amzn-lambda-integration-tag",
  "x-amzn-requestid",
  "x-cache",
  "x-forwarded-proto",
  "x-real-ip",
]);
const DISALLOWED_PREFIXES = ["x-amz-cf-", "x-edge-"];

/** Headers that a function has to hand back as they came, by event. */
export const READ_ONLY = {
  "viewer-request": ["content-length", "host", "transfer-encoding", "via"],
  "origin-request": [
    "accept-encoding",
    "content-length",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "transfer-encoding",
    "via",
  ],
  "origin-response": ["transfer-encoding", "via"],
  "viewer-response": ["warning", "via"],
};

const NOT_CUSTOM = new Set([
  "cache-control",
  "connection",
  "content-length",
  "cookie",
  "host",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "max-forwards",
  "pragma",
  "proxy-authorization",
  "proxy-connection",
  "range",
  "request-range",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "via",
  "x-real-ip",
]);

/** Whether functions neither see nor may add the header. */
export function isDisallowed(name) {
  const lower = name.toLowerCase();
  return DISALLOWED.has(lower) || DISALLOWED_PREFIXES.some((prefix) => lower.startsWith(prefix));
}

/** Whether CloudFront refuses the header among an origin's custom headers. */
export function isRefusedAsCustom(name) {
  const lower = name.toLowerCase();
  return NOT_CUSTOM.has(lower) || lower.startsWith("x-amz-") || lower.startsWith("x-edge-");
}

/** A result that CloudFront does not take; the message says why. */
export class InvalidResult extends Error {}

function refuse(reason) {
  throw new InvalidResult(`The Lambda function result failed validation: ${reason}`);
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function onlyKeys(object, known, what) {
  for (const key of Object.keys(object)) {
    // An object of another shape than documented; that unknown fields count is the stricter reading.
    if (!known.includes(key)) refuse(`${what} has the unknown field ${key}`);
  }
}

/**
 * Checks what a viewer-request or origin-request function returned.
 *
 * `shown` is the request of its event, `limits.includeBody` whether the event had the body. Gives
 * `{request, body}` (the body's bytes if it was replaced) or `{response}`.
 */
export function checkRequestResult(event, shown, result, { includeBody }) {
  if (!isObject(result)) refuse("it is neither a request nor a response");
  if ("status" in result) return { response: checkAnswer(event, result, shown.method) };
  onlyKeys(result, ["clientIp", "method", "uri", "querystring", "headers", "body", "origin"], "the request");
  if (result.method !== shown.method) refuse("the method is read-only");
  if (result.clientIp !== shown.clientIp) refuse("clientIp is read-only");
  checkTarget(result);
  checkHeaders(result.headers, "headers");
  checkReadOnly(event, shown.headers, result.headers);
  if (
    event === "viewer-request" &&
    "cloudfront-viewer-country" in result.headers &&
    !("cloudfront-viewer-country" in shown.headers)
  ) {
    refuse("a viewer-request function can't add CloudFront-Viewer-Country");
  }
  if (event === "viewer-request" && "origin" in result) refuse("there is no origin at viewer-request");
  if (event === "origin-request") checkOrigin(result.origin, shown.origin, result.headers);
  if (headBytes(result) > HEAD_BYTES) refuse(`request line and headers have more than ${HEAD_BYTES} bytes`);
  return { request: result, body: checkBody(event, shown, result.body, includeBody) };
}

/** Checks what an origin-response function returned; the result is the answer to send on. */
export function checkOriginResponse(shown, result, method) {
  if (!isObject(result) || !("status" in result)) refuse("it is no response");
  checkAnswerFields("origin-response", result, method);
  checkReadOnly("origin-response", shown.headers, result.headers ?? {});
  const lengths = (headers) => (headers?.["content-length"] ?? []).map(({ value }) => value).join();
  if (result.body === undefined) {
    // Not in the tables: a length that is not the body's would break the connection. Stricter than documented.
    if ("content-length" in (result.headers ?? {}) && lengths(result.headers) !== lengths(shown.headers)) {
      refuse("Content-Length was changed and the body was not");
    }
  } else if (
    "content-length" in (result.headers ?? {}) &&
    lengths(result.headers) !== String(answerBody(result).length)
  ) {
    refuse("Content-Length is not that of the new body");
  }
  return result;
}

/** Checks what a viewer-response function returned: headers only, never status or body. */
export function checkViewerResponse(shown, result) {
  if (!isObject(result)) refuse("it is no response");
  onlyKeys(result, ["status", "statusDescription", "headers"], "the response");
  if (result.status !== shown.status) refuse("a viewer-response function can't change the status");
  checkHeaders(result.headers ?? {}, "headers");
  checkReadOnly("viewer-response", shown.headers, result.headers ?? {});
  return result;
}

/** The bytes of an answer's body. */
export function answerBody({ body = "", bodyEncoding = "text" }) {
  return Buffer.from(body, bodyEncoding === "base64" ? "base64" : "utf8");
}

function checkAnswer(event, answer, method) {
  checkAnswerFields(event, answer, method);
  const headers = answer.headers ?? {};
  for (const name of READ_ONLY[event]) {
    if (name in headers) refuse(`a generated response can't have ${name}`);
  }
  for (const name of ["content-length", "transfer-encoding"]) {
    if (name in headers) refuse(`a generated response can't have ${name}`);
  }
  return answer;
}

function checkAnswerFields(event, answer, method) {
  onlyKeys(answer, ["status", "statusDescription", "headers", "body", "bodyEncoding"], "the response");
  if (typeof answer.status !== "string" || !/^[2-5]\d\d$/.test(answer.status)) {
    refuse("status is not a text between 200 and 599");
  }
  if (answer.statusDescription !== undefined) {
    if (typeof answer.statusDescription !== "string" || /[^\t\x20-\x7e]/.test(answer.statusDescription)) {
      refuse("statusDescription is not plain text");
    }
  }
  if (answer.headers !== undefined) checkHeaders(answer.headers, "headers");
  if (answer.body !== undefined && typeof answer.body !== "string") refuse("the body is not text");
  if (answer.bodyEncoding !== undefined && !["text", "base64"].includes(answer.bodyEncoding)) {
    refuse("bodyEncoding is neither text nor base64");
  }
  if (answer.bodyEncoding === "base64" && !isBase64(answer.body ?? "")) refuse("the body is not base64");
  // The guide says so of 204 at viewer-request; 304 and the other events are the stricter reading.
  if (["204", "304"].includes(answer.status) && answer.body) refuse(`a ${answer.status} has no body`);
  const size = headerBytes(answer.headers ?? {}) + Buffer.byteLength(answer.body ?? "");
  if (size > ANSWER_BYTES[event]) refuse(`the response has ${size} bytes; at most ${ANSWER_BYTES[event]} at ${event}`);
}

function checkTarget({ uri, querystring }) {
  if (typeof uri !== "string" || !uri.startsWith("/")) refuse("uri does not begin with /");
  if (typeof querystring !== "string") refuse("querystring is not text");
  // The guide names these for query strings; in a uri they are no URI either.
  if (/[\s\x00-\x1f\x7f#?]/u.test(uri)) refuse("uri has a space, a control character, ? or #");
  if (/[\s\x00-\x1f\x7f#]/u.test(querystring)) refuse("querystring has a space, a control character or #");
  if (!uri.isWellFormed() || !querystring.isWellFormed()) refuse("uri or querystring is not UTF-8");
  if (uri.length + 1 + querystring.length >= URI_CHARACTERS)
    refuse(`URI and query string have ${URI_CHARACTERS} characters or more`);
}

function checkHeaders(headers, what) {
  if (!isObject(headers)) refuse(`${what} is no object`);
  for (const [name, lines] of Object.entries(headers)) {
    if (name !== name.toLowerCase()) refuse(`${what}: the name ${name} is not in lower case`);
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) refuse(`${what}: «${name}» is no header name`);
    if (isDisallowed(name)) refuse(`${what}: ${name} is not allowed in edge functions`);
    if (!Array.isArray(lines) || lines.length === 0) refuse(`${what}: ${name} has no list of values`);
    for (const line of lines) {
      if (!isObject(line) || typeof line.value !== "string") refuse(`${what}: a value of ${name} is not text`);
      onlyKeys(line, ["key", "value"], `${what}: ${name}`);
      if (line.key !== undefined && (typeof line.key !== "string" || line.key.toLowerCase() !== name)) {
        refuse(`${what}: the key of ${name} is another name`);
      }
      if (/[\x00-\x08\x0a-\x1f\x7f]/.test(line.value) || !line.value.isWellFormed()) {
        refuse(`${what}: the value of ${name} has a character that no header may have`);
      }
    }
  }
}

/** Adding, changing and, in the stricter reading, removing a read-only header. */
function checkReadOnly(event, before, after) {
  const values = (headers, name) => JSON.stringify((headers[name] ?? []).map(({ value }) => value));
  for (const name of READ_ONLY[event]) {
    if (values(before, name) !== values(after, name)) refuse(`${name} is read-only at ${event}`);
  }
}

/** The bytes that replace the request's body, if the function gives any. */
function checkBody(event, shown, body, includeBody) {
  if (body === undefined) return undefined;
  if (!isObject(body)) refuse("body is no object");
  if (!includeBody) refuse("there is a body, and IncludeBody is off");
  onlyKeys(body, ["inputTruncated", "action", "encoding", "data"], "body");
  const { action = "read-only", encoding = "base64", data = "" } = body;
  if (body.inputTruncated !== undefined && body.inputTruncated !== shown.body?.inputTruncated)
    refuse("inputTruncated is read-only");
  if (action === "read-only") return undefined;
  if (action !== "replace") refuse("the body's action is neither read-only nor replace");
  if (!["base64", "text"].includes(encoding)) refuse("the body's encoding is neither base64 nor text");
  if (typeof data !== "string") refuse("the body's data is not text");
  if (encoding === "base64" && !isBase64(data)) refuse("the body is not base64");
  if (["GET", "HEAD"].includes(shown.method)) refuse(`a ${shown.method} has no body`);
  const bytes = Buffer.from(data, encoding === "text" ? "utf8" : "base64");
  // The guide says that more is cut; an upload that is cut unnoticed would be worse than a 502.
  if (bytes.length > SHOWN_BODY_BYTES[event])
    refuse(`the new body has ${bytes.length} bytes; at most ${SHOWN_BODY_BYTES[event]}`);
  return bytes;
}

function isBase64(text) {
  return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text);
}

function checkOrigin(origin, shown, headers) {
  if (!isObject(origin)) refuse("there is no origin");
  const kinds = Object.keys(origin);
  if (kinds.length !== 1 || !["s3", "custom"].includes(kinds[0])) refuse("origin is not exactly one of s3 and custom");
  const [kind] = kinds;
  const one = origin[kind];
  if (!isObject(one)) refuse("origin is no object");
  const before = shown[kind];
  if (kind === "s3") checkS3Origin(one, before);
  else checkCustomOrigin(one, before);
  checkHeaders(one.customHeaders, "customHeaders");
  for (const name of Object.keys(one.customHeaders)) {
    if (isRefusedAsCustom(name)) refuse(`${name} can't be a custom header`);
    if (name in headers) refuse(`${name} is both in headers and in customHeaders`);
  }
  if (typeof one.path !== "string" || (one.path !== "" && (!one.path.startsWith("/") || one.path.endsWith("/")))) {
    refuse("the origin's path begins with / and does not end with it");
  }
}

function checkS3Origin(s3, before) {
  onlyKeys(s3, ["authMethod", "customHeaders", "domainName", "path", "region"], "the origin");
  if (!["none", "origin-access-identity"].includes(s3.authMethod))
    refuse("authMethod is none or origin-access-identity");
  // The distribution has no origin access identity, so there is none that a function could keep.
  if (s3.authMethod === "origin-access-identity") refuse("the distribution has no origin access identity");
  if (s3.region !== undefined && typeof s3.region !== "string") refuse("region is not text");
  const { domainName } = s3;
  if (typeof domainName !== "string" || domainName === "" || domainName.length > 128) {
    refuse("domainName has 1 to 128 characters");
  }
  if (domainName !== domainName.toLowerCase()) refuse("domainName is not in lower case");
  if (domainName !== before?.domainName && !/^[a-z0-9.-]+$/.test(domainName))
    refuse("domainName is no name of a bucket");
}

function checkCustomOrigin(custom, before) {
  onlyKeys(
    custom,
    ["customHeaders", "domainName", "keepaliveTimeout", "path", "port", "protocol", "readTimeout", "sslProtocols"],
    "the origin",
  );
  const { domainName, keepaliveTimeout, path, port, protocol, readTimeout, sslProtocols } = custom;
  if (typeof domainName !== "string" || domainName === "" || domainName.length > 253) {
    refuse("domainName has 1 to 253 characters");
  }
  if (domainName.includes(":") || isIP(domainName)) refuse("domainName is an address or has a colon");
  if (!/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(domainName)) refuse("domainName is no DNS name");
  if (!Number.isInteger(port) || !(port === 80 || port === 443 || (port >= 1024 && port <= 65_535))) {
    refuse("port is 80, 443 or 1024 to 65535");
  }
  if (!["http", "https"].includes(protocol)) refuse("protocol is http or https");
  // A distribution may be given longer ones; what the template set may stay.
  const isTime = (value, least, most, set) =>
    Number.isInteger(value) && ((value >= least && value <= most) || value === set);
  if (!isTime(readTimeout, 4, 60, before?.readTimeout)) refuse("readTimeout is 4 to 60");
  if (!isTime(keepaliveTimeout, 1, 60, before?.keepaliveTimeout)) refuse("keepaliveTimeout is 1 to 60");
  const known = ["TLSv1.2", "TLSv1.1", "TLSv1", "SSLv3"];
  if (!Array.isArray(sslProtocols) || sslProtocols.length === 0 || !sslProtocols.every((one) => known.includes(one))) {
    refuse(`sslProtocols are some of ${known.join(", ")}`);
  }
  if (typeof path === "string" && (path.length > 255 || /[^\x21-\x7e]/.test(path)))
    refuse("path is URL-encoded and has at most 255 characters");
}

function headBytes({ method, uri, querystring, headers }) {
  const line = `${method} ${uri}${querystring === "" ? "" : `?${querystring}`} HTTP/1.1\r\n`;
  return Buffer.byteLength(line) + headerBytes(headers) + 2;
}

/** The size of headers as they are sent: name, colon, blank, value, line end. */
function headerBytes(headers) {
  let size = 0;
  for (const [name, lines] of Object.entries(headers)) {
    for (const { value } of lines) size += Buffer.byteLength(name) + Buffer.byteLength(value) + 4;
  }
  return size;
}
