// S3's endpoint for the template's bucket: it decides as S3 would, then sends the request on to the origin, a
// plain S3 server on the loopback interface, path-style and signed with that server's own credentials.
//
// Bodies stream both ways with their Content-Length, whatever their size.

import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { pipeline } from "node:stream/promises";

import { framed } from "./aws-chunked.mjs";
import { send } from "./forward.mjs";
import { decide } from "./iam.mjs";
import { actionsOf, deletesMany } from "./s3-actions.mjs";
import { SignatureRefused, UNSIGNED_PAYLOAD, signForS3, verify } from "./sigv4.mjs";
import { flat, percentDecoded, readHead, target, values, without } from "./wire.mjs";

export const S3_NAMES = "^[a-z0-9][a-z0-9.-]*\\.s3\\.[a-z0-9-]+\\.amazonaws\\.com$";
const UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
const EMPTY_DIGEST = createHash("sha256").digest("hex");
/** The most user metadata, names without their prefix and values, in bytes. */
const METADATA_BYTES = 2048;
/** The most that one PUT may have, in bytes. */
const SINGLE_PUT_BYTES = 5 * 1024 ** 3;
const STATUSES = {
  AccessControlListNotSupported: 400,
  AccessDenied: 403,
  AuthorizationHeaderMalformed: 400,
  EntityTooLarge: 400,
  IncompleteBody: 400,
  InternalError: 500,
  InvalidAccessKeyId: 403,
  InvalidRequest: 400,
  InvalidToken: 400,
  MalformedXML: 400,
  MetadataTooLarge: 400,
  MissingContentLength: 411,
  MissingAuthenticationToken: 403,
  NoSuchBucket: 404,
  NotImplemented: 501,
  PermanentRedirect: 301,
  RequestTimeTooSkewed: 403,
  SignatureDoesNotMatch: 403,
  XAmzContentSHA256Mismatch: 400,
};

class Refused extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * The HTTP server of the front. `origin` is the configuration's; `log` takes reasons of refusals; `secure` says whether
 * it stands for S3's port with TLS.
 */
export function s3Front({ callers, buckets, origin, log, secure }) {
  return createServer({ maxHeaderSize: 65_536, requestTimeout: 0 }, async (incoming, outgoing) => {
    const front = new Front({ callers, buckets, origin, log, secure, incoming, outgoing });
    try {
      await front.serve();
    } catch (error) {
      await front.fail(error).catch(() => outgoing.destroy());
    }
  });
}

class Front {
  constructor(parts) {
    Object.assign(this, parts);
    this.body = this.incoming;
    this.requestId = randomBytes(8).toString("hex").toUpperCase();
  }

  async serve() {
    const head = readHead(this.incoming);
    const host = values(head.lines, "host").join();
    const [, name, region] = /^(.+)\.s3\.([a-z0-9-]+)\.amazonaws\.com$/.exec(host) ?? [];
    if (name === undefined) throw new Refused("InvalidRequest", `${host} is no host of a bucket`);
    const bucket = this.buckets.find((one) => one.name === name);
    if (bucket !== undefined && bucket.region !== region) {
      throw new Refused("PermanentRedirect", `The bucket is in ${bucket.region}, and was asked for in ${region}`);
    }
    const { caller, digest } = await this.#caller(head, region);
    if (bucket === undefined) throw new Refused("NoSuchBucket", "The specified bucket does not exist");
    const key = Buffer.from(percentDecoded(head.path.slice(1)), "latin1").toString();
    const named = deletesMany(head, key) ? await this.#namedKeys() : [];
    this.#authorise(head, bucket, key, named, caller, digest);
    this.#checkFraming(head, digest);
    this.#checkMetadata(head);
    this.#checkAcl(head, bucket);
    const hidesMissing = key !== "" && !this.#may(caller, "s3:ListBucket", `arn:aws:s3:::${bucket.name}`, bucket, {});
    await this.#forward(head, bucket.name, digest, hidesMissing);
  }

  async #caller(head, region) {
    try {
      const verified = await verify(head, { service: "s3", region, callers: this.callers, doubleEncode: false });
      const { digest } = verified;
      if (digest === undefined)
        throw new Refused("InvalidRequest", "Missing required header for this request: x-amz-content-sha256");
      // Documented for HTTPS only.
      if ([UNSIGNED_PAYLOAD, UNSIGNED_TRAILER].includes(digest) && !this.secure)
        throw new Refused("InvalidRequest", `${digest} needs TLS`);
      if (digest === UNSIGNED_TRAILER) return verified;
      if (digest.startsWith("STREAMING-")) throw new Refused("NotImplemented", `The harness does not read ${digest}`);
      if (digest !== UNSIGNED_PAYLOAD && !/^[0-9a-f]{64}$/.test(digest)) {
        throw new Refused("InvalidRequest", "x-amz-content-sha256 must be UNSIGNED-PAYLOAD or a valid sha256 value");
      }
      return verified;
    } catch (error) {
      if (error instanceof SignatureRefused)
        throw new Refused(error.code in STATUSES ? error.code : "AccessDenied", error.message);
      throw error;
    }
  }

  /** The keys in the document of a DeleteObjects, which is kept for the origin. */
  async #namedKeys() {
    const pieces = [];
    for await (const piece of this.incoming.iterator({ destroyOnReturn: false })) pieces.push(piece);
    this.body = pieces;
    const document = Buffer.concat(pieces).toString();
    const keys = Array.from(document.matchAll(/<Key>([^<]*)<\/Key>/g), ([, key]) => unescaped(key));
    if (keys.length === 0) throw new Refused("MalformedXML", "The XML you provided was not well-formed");
    return keys;
  }

  #authorise(head, bucket, key, named, caller, digest) {
    const actions = actionsOf(head, bucket.name, key, named);
    if (actions === undefined)
      throw new Refused("NotImplemented", `The harness does not know this operation: ${head.method} ${head.query}`);
    const context = { "s3:signatureversion": "AWS4-HMAC-SHA256", "s3:x-amz-content-sha256": digest };
    const prefix = key === "" && head.method === "GET" ? parameter(head.query, "prefix") : undefined;
    if (prefix !== undefined) context["s3:prefix"] = prefix;
    for (const name of [
      "x-amz-acl",
      "x-amz-copy-source",
      "x-amz-server-side-encryption",
      "x-amz-server-side-encryption-aws-kms-key-id",
    ]) {
      const [value] = values(head.lines, name);
      if (value !== undefined) context[`s3:${name}`] = value;
    }
    for (const { action, resource } of actions) {
      const { allowed, reason } = this.#decision(caller, action, resource, bucket, context);
      if (!allowed) throw new Refused("AccessDenied", reason);
    }
  }

  #decision(caller, action, resource, bucket, context) {
    return decide({
      caller,
      action,
      resource,
      context: { ...caller.context, ...context, "aws:securetransport": String(this.secure) },
      resourceStatements: bucket.statements,
    });
  }

  #may(...question) {
    return this.#decision(...question).allowed;
  }

  #checkFraming(head, digest) {
    if (digest === UNSIGNED_TRAILER) {
      // Framed as aws-chunked, a body may also be chunked as HTTP has it; then nothing else says how long it is.
      const [length] = values(head.lines, "x-amz-decoded-content-length");
      if (!/^\d{1,13}$/.test(length ?? ""))
        throw new Refused("MissingContentLength", "You must provide the x-amz-decoded-content-length HTTP header.");
      if (Number(length) > SINGLE_PUT_BYTES)
        throw new Refused("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size");
      return;
    }
    if (values(head.lines, "transfer-encoding").length > 0) {
      throw new Refused(
        "NotImplemented",
        "A header you provided implies functionality that is not implemented: Transfer-Encoding",
      );
    }
    const [length] = values(head.lines, "content-length");
    if (length === undefined && ["PUT", "POST"].includes(head.method)) {
      throw new Refused("MissingContentLength", "You must provide the Content-Length HTTP header.");
    }
    if (length === undefined && digest !== UNSIGNED_PAYLOAD && digest !== EMPTY_DIGEST) {
      throw new Refused("XAmzContentSHA256Mismatch", "The provided x-amz-content-sha256 is not that of an empty body.");
    }
    if (Number(length ?? 0) > SINGLE_PUT_BYTES)
      throw new Refused("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size");
  }

  #checkMetadata(head) {
    const prefix = "x-amz-meta-";
    const metadata = head.lines.filter(({ name }) => name.toLowerCase().startsWith(prefix));
    const size = metadata.reduce((sum, { name, value }) => sum + name.length - prefix.length + value.length, 0);
    if (size > METADATA_BYTES)
      throw new Refused("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size");
  }

  #checkAcl(head, bucket) {
    const [acl] = values(head.lines, "x-amz-acl");
    if (bucket.ownerEnforced && acl !== undefined && acl !== "bucket-owner-full-control") {
      throw new Refused("AccessControlListNotSupported", "The bucket does not allow ACLs");
    }
  }

  async #forward(head, name, digest, hidesMissing) {
    const { url, bucket, region, access_key_id, secret_access_key } = this.origin;
    const { host, port } = new URL(url);
    const forwarded = {
      method: head.method,
      path: `/${bucket}${head.path}`,
      query: head.query,
      // SeaweedFS takes no x-amz-* header that is not signed, not even the one that CloudFront adds.
      lines: [
        // Whoever expects to be asked for a body was asked here.
        ...without(head.lines, "expect", "host", "x-amz-cf-id", "x-amz-copy-source"),
        // The origin's bucket stands for the template's, which a copy names once more.
        ...values(head.lines, "x-amz-copy-source").map((value) => ({
          name: "x-amz-copy-source",
          value: value.startsWith(`/${name}/`) ? `/${bucket}${value.slice(name.length + 1)}` : value,
        })),
        { name: "Host", value: host },
      ],
    };
    const credentials = { accessKeyId: access_key_id, secretAccessKey: secret_access_key };
    const lines = await signForS3(forwarded, credentials, { region, host, digest });
    const aborted = new AbortController();
    this.outgoing.on("close", () => aborted.abort());
    let wrong;
    const body = noticing(this.#body(head, digest), (refused) => (wrong = refused));
    let answer;
    try {
      answer = await send({
        port: Number(port),
        method: head.method,
        target: target(forwarded),
        lines,
        body,
        signal: aborted.signal,
      });
    } catch (error) {
      if (wrong !== undefined) throw wrong;
      // S3 is as reachable as its origin: who plays an S3 that is down or hangs up means S3's own endpoint.
      this.log({ level: "error", function: "s3", reason: `the origin at ${url} does not answer: ${error.message}` });
      this.incoming.socket.destroy();
      return;
    }
    // An upload that is missing is told as one.
    const isOfObject = ["GET", "HEAD"].includes(head.method) && !head.query.includes("uploadId=");
    if (answer.status === 404 && hidesMissing && isOfObject) {
      answer.stream.resume();
      throw new Refused("AccessDenied", "The object does not exist, and without s3:ListBucket S3 does not say so");
    }
    this.outgoing.writeHead(answer.status, answer.statusText, flat(answer.lines));
    await pipeline(answer.stream, this.outgoing);
  }

  /** The body, which ends early with what S3 says of it if it is not the one that was announced. */
  #body(head, digest) {
    if (digest === UNSIGNED_PAYLOAD) return this.body;
    if (digest !== UNSIGNED_TRAILER) return checked(this.body, digest);
    const [length] = values(head.lines, "x-amz-decoded-content-length");
    return framed(this.body, Number(length), values(head.lines, "x-amz-trailer").join().toLowerCase());
  }

  /** Answers with S3's error document. The reason is for the log; callers are told as much as S3 tells them. */
  async fail(error) {
    const code = error instanceof Refused ? error.code : "InternalError";
    const status = STATUSES[code];
    const { outgoing, incoming } = this;
    if (outgoing.destroyed || outgoing.headersSent) {
      outgoing.destroy();
      return;
    }
    this.log({ level: "error", function: "s3", status, reason: `${code}: ${error.message}` });
    // Read to its end first: a connection that is closed on a sender loses the answer.
    for await (const _ of incoming.iterator({ destroyOnReturn: false })) continue;
    const message = code === "AccessDenied" ? "Access Denied" : error.message;
    const document =
      `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${escaped(message)}</Message>` +
      `<RequestId>${this.requestId}</RequestId><HostId>${this.requestId}</HostId></Error>`;
    outgoing.writeHead(status, {
      "x-amz-request-id": this.requestId,
      "x-amz-id-2": this.requestId,
      "Content-Type": "application/xml",
      "Content-Length": Buffer.byteLength(document),
      Server: "AmazonS3",
      Connection: "close",
    });
    outgoing.end(incoming.method === "HEAD" ? undefined : document);
  }
}

/** Passes a body on and tells `notice` of the refusal that it ends with; any other error is an incomplete body. */
async function* noticing(body, notice) {
  try {
    yield* body;
  } catch (error) {
    const refused = error instanceof Refused ? error : new Refused("IncompleteBody", `The body is broken: ${error.message}`);
    notice(refused);
    throw refused;
  }
}

/** Passes a body on and keeps its last piece back until the whole is known to have the digest. */
async function* checked(body, digest) {
  const hash = createHash("sha256");
  let held;
  for await (const chunk of body) {
    hash.update(chunk);
    if (held !== undefined) yield held;
    held = chunk;
  }
  if (hash.digest("hex") !== digest) {
    throw new Refused(
      "XAmzContentSHA256Mismatch",
      "The provided x-amz-content-sha256 does not match what was computed.",
    );
  }
  if (held !== undefined) yield held;
}

/** A parameter of a query, decoded; undefined where it is not there. */
function parameter(query, name) {
  const found = query.split("&").find((pair) => pair.split("=")[0] === name);
  return found === undefined ? undefined : decodeURIComponent(found.slice(name.length + 1));
}

/** Text of a document that a program wrote: the five entities of XML, and characters by their numbers. */
function unescaped(text) {
  const named = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
  return text.replace(/&(?:#x([0-9A-Fa-f]+)|#(\d+)|(\w+));/g, (whole, hex, number, name) => {
    if (name !== undefined) return named[name] ?? whole;
    return String.fromCodePoint(hex === undefined ? Number(number) : Number.parseInt(hex, 16));
  });
}

function escaped(text) {
  return text.replace(/[<>&]/g, (character) => ({ "<": "&lt;", ">": "&gt;", "&": "&amp;" })[character]);
}
