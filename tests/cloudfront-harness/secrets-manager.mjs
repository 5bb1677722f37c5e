// Secrets Manager: GetSecretValue, and nothing else.
//
// `{prefix}/passport` is the secret of the edge template, with the value of the configuration. `{prefix}/{n}` are
// the shards, made anew for each call from a folder with one key record per file, named by the key id: tests
// write there while the harness runs. Both exist in the regions that the passport's secret has.
//
// While the file `play_file` of the configuration exists, it has by the secrets' names (`*`: every other) what is
// played instead: `{"error": TYPE}`, `{"absent": true}`, `{"value": TEXT}` or `{"hang": true}`.

import { createHash, randomUUID } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";

import { ACCOUNT } from "./deployment.mjs";
import { decide } from "./iam.mjs";
import { secretSuffix } from "./resources.mjs";
import { SignatureRefused, verify } from "./sigv4.mjs";
import { readHead, values } from "./wire.mjs";

export const SECRETS_NAMES = "^secretsmanager\\.[a-z0-9-]+\\.amazonaws\\.com$";
/** The most that a secret may have [Secrets Manager quotas], and that a request may have here, in bytes. */
const SECRET_BYTES = 65_536;
const REQUEST_BYTES = 65_536;

class Refused extends Error {
  constructor(type, message, status = 400) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

export function secretsManager({ callers, secrets, templateSecrets, log }) {
  return createServer(async (incoming, outgoing) => {
    const answer = (status, document) => {
      const body = JSON.stringify(document);
      outgoing.writeHead(status, {
        "Content-Type": "application/x-amz-json-1.1",
        "Content-Length": Buffer.byteLength(body),
        "x-amzn-RequestId": randomUUID(),
      });
      outgoing.end(body);
    };
    try {
      answer(200, await serve(incoming, { callers, secrets, templateSecrets }));
    } catch (error) {
      const { type, status } = error instanceof Refused ? error : { type: "InternalServiceError", status: 500 };
      log({ level: "error", function: "secretsmanager", status, reason: `${type}: ${error.message}` });
      answer(status, { __type: type, message: error.message });
    }
  });
}

async function serve(incoming, { callers, secrets, templateSecrets }) {
  const head = readHead(incoming);
  const body = await readAll(incoming);
  const host = values(head.lines, "host").join();
  const region = /^secretsmanager\.([a-z0-9-]+)\.amazonaws\.com$/.exec(host)?.[1];
  if (region === undefined) throw new Refused("UnknownOperationException", `${host} is no endpoint of Secrets Manager`);
  if (head.method !== "POST" || head.path !== "/" || head.query !== "")
    throw new Refused("UnknownOperationException", "it takes POST / only");
  const [operation] = values(head.lines, "x-amz-target");
  if (operation !== "secretsmanager.GetSecretValue")
    throw new Refused("UnknownOperationException", `the harness does not know ${operation}`);
  if (values(head.lines, "content-type").join() !== "application/x-amz-json-1.1") {
    throw new Refused("SerializationException", "Content-Type is application/x-amz-json-1.1");
  }
  const { caller } = await signed(head, region, callers, body);
  const { SecretId: id } = JSON.parse(body.toString("utf8"));
  if (typeof id !== "string" || id === "") throw new Refused("ValidationException", "SecretId is missing");
  const name = id.startsWith("arn:")
    ? id
        .split(":")
        .slice(6)
        .join(":")
        .replace(/-[A-Za-z0-9]{6}$/, "")
    : id;

  const { prefix } = secrets;
  const passport = templateSecrets.find((one) => one.name === `${prefix}/passport`);
  const played = playedFor(name, secrets.play_file);
  if (played.hang) await new Promise(() => {});
  if (played.error) throw new Refused(played.error, "played", played.error === "InternalServiceError" ? 500 : 400);
  const kept = played.value ?? valueOf(name, secrets);
  const value = passport?.regions.includes(region) && !played.absent ? kept : undefined;
  const base = `arn:aws:secretsmanager:${region}:${ACCOUNT}:secret:${name}`;
  // Of a secret that does not exist there is only the name, so statements that end in -?????? do not allow it.
  const arn = value === undefined ? base : `${base}-${secretSuffix(name)}`;
  const context = { ...caller.context, "aws:securetransport": "true" };
  const { allowed, reason } = decide({ caller, action: "secretsmanager:GetSecretValue", resource: arn, context });
  if (!allowed) throw new Refused("AccessDeniedException", reason);
  if (value === undefined)
    throw new Refused("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");
  if (Buffer.byteLength(value) > SECRET_BYTES)
    throw new Error(`${name} has more than ${SECRET_BYTES} bytes, which no secret can have`);
  return {
    ARN: arn,
    CreatedDate: 1_700_000_000.123,
    Name: name,
    SecretString: value,
    VersionId: randomUUID(),
    VersionStages: ["AWSCURRENT"],
  };
}

async function signed(head, region, callers, body) {
  let verified;
  try {
    // The body's digest is part of the signature whether the header states it or not.
    verified = await verify(head, { service: "secretsmanager", region, callers, doubleEncode: true, body });
    const digest = createHash("sha256").update(body).digest("hex");
    if (verified.digest !== undefined && verified.digest !== digest)
      throw new SignatureRefused("InvalidSignatureException", "the body has another digest");
  } catch (error) {
    if (error instanceof SignatureRefused) throw new Refused(jsonError(error.code), error.message);
    throw error;
  }
  return verified;
}

function jsonError(code) {
  switch (code) {
    case "MissingAuthenticationToken":
      return "MissingAuthenticationTokenException";
    case "InvalidAccessKeyId":
    case "InvalidToken":
      return "UnrecognizedClientException";
    default:
      return "InvalidSignatureException";
  }
}

function playedFor(name, file) {
  if (file === undefined || !existsSync(file)) return {};
  const plays = JSON.parse(readFileSync(file, "utf8"));
  return plays[name] ?? plays["*"] ?? {};
}

function valueOf(name, { prefix, shards, keys_folder, passport }) {
  if (name === `${prefix}/passport`) return JSON.stringify(passport);
  const number = name.startsWith(`${prefix}/`) ? name.slice(prefix.length + 1) : "";
  if (!/^(0|[1-9]\d*)$/.test(number) || Number(number) >= shards) return undefined;
  const records = {};
  for (const id of readdirSync(keys_folder)) {
    if (id.startsWith(".") || id.endsWith(".tmp")) continue;
    if (createHash("sha256").update(id).digest()[0] % shards !== Number(number)) continue;
    const text = readFileSync(join(keys_folder, id), "utf8");
    try {
      records[id] = JSON.parse(text);
    } catch {
      // Not JSON: a record that is broken by itself, in a shard that is not.
      records[id] = text;
    }
  }
  return JSON.stringify(records);
}

async function readAll(incoming) {
  const chunks = [];
  let size = 0;
  for await (const chunk of incoming) {
    size += chunk.length;
    if (size > REQUEST_BYTES) throw new Refused("ValidationException", "the request is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
