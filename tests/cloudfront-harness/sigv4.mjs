// AWS Signature Version 4, as the services check it and as origin access control makes it.
// The mathematics are @smithy/signature-v4's; here is what each service insists on.

import { createHash, createHmac, timingSafeEqual } from "node:crypto";

import { SignatureV4 } from "@smithy/signature-v4";

import { percentDecoded, values } from "./wire.mjs";

export const UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD";
/** How far a signature's time may be away, in milliseconds. */
const WINDOW_MS = 15 * 60 * 1000;
/** Written by CloudFront behind whoever signs; S3 and Lambda do not insist on it. */
const NEED_NOT_BE_SIGNED = new Set(["x-amz-cf-id"]);

/** Why a signature does not count: the service's error code and its sentence. */
export class SignatureRefused extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

class Sha256 {
  #hash;
  constructor(secret) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", secret);
  }
  update(data) {
    this.#hash.update(data);
  }
  async digest() {
    return new Uint8Array(this.#hash.digest());
  }
}

/**
 * The caller that signed a request and the digest that it states for the body.
 *
 * `head` is of wire.mjs; `callers` gives `{credentials, …}` by access key id; `doubleEncode` says whether the
 * service encodes the path a second time (all but S3); `body` is the
 * body's bytes, where x-amz-content-sha256 need not state their digest.
 */
export async function verify(head, { service, region, callers, doubleEncode, body }) {
  const authorizations = values(head.lines, "authorization");
  if (authorizations.length === 0)
    throw new SignatureRefused("MissingAuthenticationToken", "Missing Authentication Token");
  if (authorizations.length > 1)
    throw new SignatureRefused("InvalidRequest", "There are several Authorization headers");
  const parsed =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      authorizations[0],
    );
  if (parsed === null) throw new SignatureRefused("InvalidRequest", "Authorization is no signature of version 4");
  const [, accessKeyId, day, scopeRegion, scopeService, signedHeaders, signature] = parsed;
  const caller = callers.get(accessKeyId);
  if (caller === undefined) throw new SignatureRefused("InvalidAccessKeyId", "The access key id does not exist");
  if (scopeRegion !== region || scopeService !== service) {
    throw new SignatureRefused(
      "AuthorizationHeaderMalformed",
      `Credential should be scoped to ${region}/${service}, not ${scopeRegion}/${scopeService}`,
    );
  }
  const date = requestTime(head, day);
  const signed = new Set(signedHeaders.split(";"));
  for (const name of new Set(head.lines.map((line) => line.name.toLowerCase()))) {
    const must = name === "host" || (name.startsWith("x-amz-") && !NEED_NOT_BE_SIGNED.has(name));
    if (must && !signed.has(name))
      throw new SignatureRefused("AccessDenied", `There is a header that is not signed: ${name}`);
  }
  if (!signed.has("host")) throw new SignatureRefused("SignatureDoesNotMatch", "Host is not signed");
  const { sessionToken } = caller.credentials;
  if (values(head.lines, "x-amz-security-token").join() !== (sessionToken ?? "")) {
    throw new SignatureRefused("InvalidToken", "The security token is not the one of the access key");
  }
  const lines = head.lines.filter(({ name }) => signed.has(name.toLowerCase()));
  const computed = await signature4({ ...head, lines }, caller.credentials, {
    service,
    region,
    date,
    doubleEncode,
    body,
  });
  const [, computedHeaders, computedSignature] = /SignedHeaders=([^,]+), Signature=([0-9a-f]{64})/.exec(
    computed.authorization,
  );
  const same = timingSafeEqual(Buffer.from(computedSignature), Buffer.from(signature));
  if (!same || computedHeaders !== signedHeaders) {
    throw new SignatureRefused("SignatureDoesNotMatch", "The signature does not match the request");
  }
  return { caller, digest: values(head.lines, "x-amz-content-sha256")[0] };
}

function requestTime(head, day) {
  const [text] = values(head.lines, "x-amz-date");
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text ?? "");
  if (parts === null) throw new SignatureRefused("AccessDenied", "There is no valid X-Amz-Date");
  if (!text.startsWith(day))
    throw new SignatureRefused("SignatureDoesNotMatch", "Credential and X-Amz-Date have different days");
  const [, year, month, date, hour, minute, second] = parts;
  const time = new Date(`${year}-${month}-${date}T${hour}:${minute}:${second}Z`);
  if (!(Math.abs(time.getTime() - Date.now()) <= WINDOW_MS)) {
    throw new SignatureRefused(
      "RequestTimeTooSkewed",
      "The difference between the request time and the current time is too large",
    );
  }
  return time;
}

/**
 * Signs a head for S3 and gives its lines with the signature: Host and every x-amz-* line are covered.
 * `host` is the one that is signed.
 */
export async function signForS3(head, credentials, { region, host, digest }) {
  const replaced = ["authorization", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"];
  const kept = head.lines.filter(({ name }) => !replaced.includes(name.toLowerCase()));
  const covered = kept.filter(
    ({ name }) => name.toLowerCase().startsWith("x-amz-") && !NEED_NOT_BE_SIGNED.has(name.toLowerCase()),
  );
  const lines = [...covered, { name: "host", value: host }, { name: "x-amz-content-sha256", value: digest }];
  const date = new Date();
  const headers = await signature4({ ...head, lines }, credentials, {
    service: "s3",
    region,
    date,
    doubleEncode: false,
  });
  const added = ["x-amz-date", "x-amz-security-token", "x-amz-content-sha256", "authorization"];
  return [
    ...kept,
    ...added.filter((name) => headers[name] !== undefined).map((name) => ({ name, value: headers[name] })),
  ];
}

/** The headers of a request that is signed over exactly `head.lines`. */
async function signature4(head, credentials, { service, region, date, doubleEncode, body }) {
  const headers = {};
  for (const { name, value } of head.lines) {
    const lower = name.toLowerCase();
    const text = Buffer.from(value, "latin1").toString("utf8");
    headers[lower] = headers[lower] === undefined ? text : `${headers[lower]},${text}`;
  }
  const signer = new SignatureV4({
    credentials,
    service,
    region,
    sha256: Sha256,
    uriEscapePath: doubleEncode,
    applyChecksum: false,
  });
  const request = {
    method: head.method,
    protocol: "https:",
    hostname: headers.host ?? "",
    path: doubleEncode ? head.path : canonicalPath(head.path),
    query: queryOf(head.query),
    headers,
    body,
  };
  const signed = await signer.sign(request, { signingDate: date, signableHeaders: new Set(Object.keys(headers)) });
  return signed.headers;
}

/** S3 signs each byte of the path encoded once, however the path was written. */
function canonicalPath(path) {
  return percentDecoded(path).replace(
    /[^A-Za-z0-9\-._~/]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

function queryOf(text) {
  const query = {};
  for (const pair of text === "" ? [] : text.split("&")) {
    const equals = pair.indexOf("=");
    const part = (from, to) => Buffer.from(percentDecoded(pair.slice(from, to)), "latin1").toString("utf8");
    const name = equals < 0 ? part(0) : part(0, equals);
    (query[name] ??= []).push(equals < 0 ? "" : part(equals + 1));
  }
  return query;
}
