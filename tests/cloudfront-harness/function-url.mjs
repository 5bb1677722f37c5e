// Lambda function URLs: who may call one, the event of payload format 2.0, and what becomes of the answer.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html

import { createHash, randomBytes, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { isUtf8 } from "node:buffer";

import { ACCOUNT } from "./deployment.mjs";
import { decide } from "./iam.mjs";
import { FunctionFailed } from "./lambda.mjs";
import { MB } from "./rules.mjs";
import { SignatureRefused, UNSIGNED_PAYLOAD, verify } from "./sigv4.mjs";
import { readHead, shown, values } from "./wire.mjs";

export const FUNCTION_URL_NAMES = "^[a-z0-9]+\\.lambda-url\\.[a-z0-9-]+\\.on\\.aws$";
/** The most that a request may have; base64 and the rest of the event have to fit into Lambda's 6 MB as well. */
const BODY_BYTES = 6 * MB;
/**
 * Headers of an answer that Lambda does not hand on under their own name. The list is API Gateway's, which the
 * same front end follows; that function URLs rename each of them is an assumption, the stricter one.
 */
const REMAPPED = new Set([
  "authorization",
  "connection",
  "content-length",
  "content-md5",
  "date",
  "expect",
  "host",
  "max-forwards",
  "server",
  "te",
  "trailer",
  "upgrade",
  "user-agent",
  "www-authenticate",
]);
const REMOVED = new Set(["keep-alive", "proxy-authenticate", "proxy-authorization", "transfer-encoding", "via"]);
const TEXT = /^(text\/|application\/(json|javascript|xml|[a-z0-9.+-]+\+(json|xml))\b)/i;

class Refused extends Error {
  constructor(status, message, reason = message) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

/** The HTTP server behind all function URLs; `functionUrls` are of deployment.mjs, `functions` LambdaFunctions by ARN. */
export function functionUrlFront({ callers, functionUrls, functions, log }) {
  return createServer({ maxHeaderSize: 65_536, requestTimeout: 0 }, async (incoming, outgoing) => {
    const requestId = randomUUID();
    const answer = (status, headers, body) => {
      outgoing.writeHead(status, {
        ...headers,
        "x-amzn-RequestId": requestId,
        "Content-Length": body.length,
        Connection: "close",
      });
      outgoing.end(incoming.method === "HEAD" ? undefined : body);
      incoming.resume();
    };
    try {
      const head = readHead(incoming);
      const url = functionUrls.find(({ domain }) => domain === values(head.lines, "host").join());
      if (url === undefined) throw new Refused(403, "Forbidden", "Host is not the domain of a function URL");
      const body = await readAll(incoming);
      const caller = await authorise(url, head, body, callers);
      const result = await functions.get(url.function.arn).invoke(event({ url, head, body, caller, requestId }));
      const { status, headers, bytes } = response(result);
      answer(status, headers, bytes);
    } catch (error) {
      const failed = error instanceof FunctionFailed ? new Refused(502, "Internal Server Error", error.message) : error;
      const { status = 500, reason = failed.message } = failed;
      log({ level: "error", function: "function-url", status, reason });
      const message = status === 500 || status === 502 ? "Internal Server Error" : failed.message;
      answer(status, { "Content-Type": "application/json" }, Buffer.from(JSON.stringify({ Message: message })));
    }
  });
}

async function readAll(incoming) {
  const chunks = [];
  let size = 0;
  for await (const chunk of incoming) {
    size += chunk.length;
    if (size > BODY_BYTES) throw new Refused(413, "Request Too Long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function authorise(url, head, body, callers) {
  if (url.authType === "NONE") return undefined;
  let verified;
  try {
    verified = await verify(head, {
      service: "lambda",
      region: url.function.region,
      callers,
      doubleEncode: true,
      body,
    });
  } catch (error) {
    if (error instanceof SignatureRefused) throw new Refused(403, "Forbidden", `${error.code}: ${error.message}`);
    throw error;
  }
  const { caller, digest } = verified;
  if (digest === UNSIGNED_PAYLOAD) throw new Refused(403, "Forbidden", "Lambda does not take unsigned payloads");
  if (digest !== undefined && digest !== createHash("sha256").update(body).digest("hex")) {
    throw new Refused(403, "Forbidden", "x-amz-content-sha256 is not the digest of the body");
  }
  const context = {
    ...caller.context,
    "lambda:functionurlauthtype": url.authType,
    "lambda:invokedviafunctionurl": "true",
  };
  // Lambda asks for both since October 2025.
  for (const action of ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"]) {
    const { allowed, reason } = decide({
      caller,
      action,
      resource: url.arn,
      context,
      resourceStatements: url.statements,
    });
    if (!allowed) throw new Refused(403, "Forbidden", reason);
  }
  return caller;
}

/** The event. What signs the call is Lambda's own business: the handler does not get it. */
function event({ url, head, body, caller, requestId }) {
  const headers = Object.create(null);
  for (const { name, value } of head.lines) {
    const lower = name.toLowerCase();
    if (["authorization", "connection", "x-amz-security-token"].includes(lower)) continue;
    headers[lower] = headers[lower] === undefined ? shown(value) : `${headers[lower]},${shown(value)}`;
  }
  headers["x-amzn-trace-id"] =
    `Root=1-${Math.floor(Date.now() / 1000).toString(16)}-${randomBytes(12).toString("hex")}`;
  headers["x-forwarded-port"] = "443";
  headers["x-forwarded-proto"] = "https";
  const isText = TEXT.test(headers["content-type"] ?? "") && isUtf8(body);
  const now = new Date();
  const made = {
    version: "2.0",
    routeKey: "$default",
    rawPath: shown(head.path),
    rawQueryString: shown(head.query),
    headers,
    requestContext: {
      accountId: caller === undefined ? "anonymous" : ACCOUNT,
      apiId: url.domain.split(".")[0],
      authentication: null,
      domainName: url.domain,
      domainPrefix: url.domain.split(".")[0],
      http: {
        method: head.method,
        path: shown(head.path),
        protocol: "HTTP/1.1",
        sourceIp: "130.176.0.1",
        userAgent: headers["user-agent"] ?? "",
      },
      requestId,
      routeKey: "$default",
      stage: "$default",
      time: logTime(now),
      timeEpoch: now.getTime(),
    },
    isBase64Encoded: body.length > 0 && !isText,
  };
  if (head.query !== "") made.queryStringParameters = Object.fromEntries(new URLSearchParams(head.query));
  if (caller?.roleArn !== undefined) made.requestContext.authorizer = { iam: identity(caller) };
  if (body.length > 0) made.body = body.toString(isText ? "utf8" : "base64");
  return made;
}

function identity({ credentials, roleName }) {
  const session = `AROA${roleName}:session`;
  return {
    accessKey: credentials.accessKeyId,
    accountId: ACCOUNT,
    callerId: session,
    cognitoIdentity: null,
    principalOrgId: null,
    userArn: `arn:aws:sts::${ACCOUNT}:assumed-role/${roleName}/session`,
    userId: session,
  };
}

function logTime(date) {
  const [, day, month, year, time] = /^\w+, (\d+) (\w+) (\d+) (\S+) GMT$/.exec(date.toUTCString());
  return `${day}/${month}/${year}:${time} +0000`;
}

/** The HTTP answer that Lambda makes of a result. Without a statusCode it is all body. */
function response(result) {
  if (typeof result !== "object" || result === null || result.statusCode === undefined) {
    return { status: 200, headers: { "Content-Type": "application/json" }, bytes: Buffer.from(JSON.stringify(result)) };
  }
  const { statusCode, headers: given = {}, cookies = [], body = "", isBase64Encoded = false } = result;
  const malformed = (reason) => new Refused(502, "Internal Server Error", `the function's answer has ${reason}`);
  if (!Number.isInteger(Number(statusCode)) || Number(statusCode) < 100 || Number(statusCode) > 599)
    throw malformed("no status");
  if (typeof body !== "string") throw malformed("a body that is not text");
  const headers = {};
  for (const [name, value] of Object.entries(given)) {
    const lower = name.toLowerCase();
    if (!["string", "number", "boolean"].includes(typeof value)) throw malformed(`a header ${name} that is not text`);
    if (REMOVED.has(lower)) continue;
    headers[REMAPPED.has(lower) ? `x-amzn-remapped-${lower}` : lower] = Buffer.from(String(value), "utf8").toString(
      "latin1",
    );
  }
  if (cookies.length > 0) headers["set-cookie"] = cookies;
  headers["content-type"] ??= "application/json";
  return { status: Number(statusCode), headers, bytes: Buffer.from(body, isBase64Encoded ? "base64" : "utf8") };
}
