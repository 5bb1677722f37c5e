// A harness with functions of the test's own, and a plain server in the place of S3.
//
// Templates are plain objects here (JSON is YAML), so that a test can change exactly one thing.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { strToU8, zipSync } from "fflate";

import { start } from "../harness.mjs";

const sub = (text) => ({ "Fn::Sub": text });
const statement = (Action, Resource, more = {}) => ({ Effect: "Allow", Action, Resource, ...more });
const trust = (...services) => ({
  Statement: [{ Effect: "Allow", Principal: { Service: services }, Action: "sts:AssumeRole" }],
});

/** An alias of the handler, which stands for this version. */
export const alias = (FunctionVersion, more = {}) => ({
  Type: "AWS::Lambda::Alias",
  Properties: { Name: "live", FunctionName: { Ref: "Handler" }, FunctionVersion, ...more },
});

/** The two templates, as small as they can be. `edit` may change them. */
export function templates() {
  const role = (services, ...statements) => ({
    Type: "AWS::IAM::Role",
    Properties: {
      AssumeRolePolicyDocument: trust(...services),
      Policies: [{ PolicyName: "p", PolicyDocument: { Statement: statements } }],
    },
  });
  const edgeRole = (...statements) => role(["lambda.amazonaws.com", "edgelambda.amazonaws.com"], ...statements);
  const lambda = (key, Role, more = {}) => ({
    Type: "AWS::Lambda::Function",
    Properties: {
      Runtime: "nodejs24.x",
      Handler: "index.handler",
      MemorySize: 128,
      Timeout: 5,
      Role: { "Fn::GetAtt": [Role, "Arn"] },
      Code: { S3Bucket: "code", S3Key: key },
      ...more,
    },
  });
  const version = (name) => ({ Type: "AWS::Lambda::Version", Properties: { FunctionName: { Ref: name } } });
  const storage = {
    Parameters: { DistributionArn: { Type: "String", Default: "" } },
    Conditions: { HasDistribution: { "Fn::Not": [{ "Fn::Equals": [{ Ref: "DistributionArn" }, ""] }] } },
    Resources: {
      Bucket: { Type: "AWS::S3::Bucket", Properties: { BucketName: "acme-ingest" } },
      BucketPolicy: {
        Type: "AWS::S3::BucketPolicy",
        Condition: "HasDistribution",
        Properties: {
          Bucket: { Ref: "Bucket" },
          PolicyDocument: {
            Statement: [
              statement(["s3:PutObject", "s3:GetObject"], "arn:aws:s3:::acme-ingest/*", {
                Principal: { Service: "cloudfront.amazonaws.com" },
                Condition: { StringEquals: { "AWS:SourceArn": { Ref: "DistributionArn" } } },
              }),
            ],
          },
        },
      },
      HandlerRole: role(["lambda.amazonaws.com"], statement("s3:PutObject", "arn:aws:s3:::acme-ingest/*")),
      Handler: lambda("handler", "HandlerRole", { Timeout: 3 }),
      HandlerUrl: {
        Type: "AWS::Lambda::Url",
        Properties: { TargetFunctionArn: { "Fn::GetAtt": ["Handler", "Arn"] }, AuthType: "AWS_IAM" },
      },
    },
    Outputs: {
      BucketDomain: { Value: { "Fn::GetAtt": ["Bucket", "RegionalDomainName"] } },
      HandlerDomain: {
        Value: { "Fn::Select": [2, { "Fn::Split": ["/", { "Fn::GetAtt": ["HandlerUrl", "FunctionUrl"] }] }] },
      },
      HandlerFunctionArn: { Value: { "Fn::GetAtt": ["Handler", "Arn"] } },
    },
  };
  const edge = {
    Parameters: {
      BucketDomain: { Type: "String" },
      HandlerDomain: { Type: "String" },
      HandlerFunctionArn: { Type: "String" },
    },
    Resources: {
      Passport: { Type: "AWS::SecretsManager::Secret", Properties: { Name: "causeway/passport" } },
      EdgeRole: edgeRole(
        statement("secretsmanager:GetSecretValue", sub("arn:aws:secretsmanager:*:${AWS::AccountId}:secret:causeway/*")),
        statement(["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"], { Ref: "HandlerFunctionArn" }),
      ),
      ...Object.fromEntries(
        ["ViewerRequest", "OriginRequest", "OriginResponse", "ViewerResponse"].flatMap((name) => [
          [name, lambda(name, "EdgeRole")],
          [`${name}Version`, version(name)],
        ]),
      ),
      AccessControl: {
        Type: "AWS::CloudFront::OriginAccessControl",
        Properties: {
          OriginAccessControlConfig: {
            Name: "a",
            OriginAccessControlOriginType: "s3",
            SigningBehavior: "always",
            SigningProtocol: "sigv4",
          },
        },
      },
      CachePolicy: {
        Type: "AWS::CloudFront::CachePolicy",
        Properties: {
          CachePolicyConfig: {
            Name: "c",
            MinTTL: 0,
            DefaultTTL: 0,
            MaxTTL: 0,
            ParametersInCacheKeyAndForwardedToOrigin: {
              EnableAcceptEncodingGzip: false,
              HeadersConfig: { HeaderBehavior: "none" },
              CookiesConfig: { CookieBehavior: "none" },
              QueryStringsConfig: { QueryStringBehavior: "none" },
            },
          },
        },
      },
      OriginRequestPolicy: {
        Type: "AWS::CloudFront::OriginRequestPolicy",
        Properties: {
          OriginRequestPolicyConfig: {
            Name: "o",
            HeadersConfig: { HeaderBehavior: "allExcept", Headers: ["Host"] },
            CookiesConfig: { CookieBehavior: "none" },
            QueryStringsConfig: { QueryStringBehavior: "all" },
          },
        },
      },
      Distribution: {
        Type: "AWS::CloudFront::Distribution",
        Properties: {
          DistributionConfig: {
            Enabled: true,
            Origins: [
              {
                Id: "bucket",
                DomainName: { Ref: "BucketDomain" },
                OriginAccessControlId: { Ref: "AccessControl" },
                S3OriginConfig: { OriginAccessIdentity: "" },
                OriginCustomHeaders: [{ HeaderName: "x-causeway-handler", HeaderValue: { Ref: "HandlerDomain" } }],
              },
            ],
            DefaultCacheBehavior: {
              TargetOriginId: "bucket",
              ViewerProtocolPolicy: "allow-all",
              AllowedMethods: ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"],
              CachePolicyId: { Ref: "CachePolicy" },
              OriginRequestPolicyId: { Ref: "OriginRequestPolicy" },
              LambdaFunctionAssociations: [],
            },
          },
        },
      },
    },
    Outputs: {
      DistributionArn: { Value: sub("arn:aws:cloudfront::${AWS::AccountId}:distribution/${Distribution}") },
    },
  };
  return { storage, edge };
}

const EVENTS = {
  "viewer-request": "ViewerRequest",
  "origin-request": "OriginRequest",
  "origin-response": "OriginResponse",
  "viewer-response": "ViewerResponse",
};
const UNUSED = "exports.handler = async () => { throw new Error('not for this test'); };";

/** A zip with one index.js. */
export function zipped(source, more = {}) {
  return zipSync({ "index.js": strToU8(source), ...more });
}

/**
 * Starts a harness. `functions` has sources of index.js (or zips) by event type, and `handler` behind the function
 * URL; `includeBody` event types that see the body; `edit` changes the templates; `origin` answers as S3
 * (`(incoming, outgoing, body) => …`), 200 by default; `secrets` and `config` are added to the configuration.
 * Everything ends with the test `t`.
 */
export async function harness(
  t,
  { functions = {}, includeBody = [], edit = () => {}, origin, secrets = {}, config = {} } = {},
) {
  const folder = mkdtempSync(join(tmpdir(), "causeway-harness-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const made = templates();
  const behaviour = made.edge.Resources.Distribution.Properties.DistributionConfig.DefaultCacheBehavior;
  for (const [EventType, name] of Object.entries(EVENTS)) {
    if (!(EventType in functions)) continue;
    behaviour.LambdaFunctionAssociations.push({
      EventType,
      LambdaFunctionARN: { Ref: `${name}Version` },
      IncludeBody: includeBody.includes(EventType),
    });
  }
  edit(made);
  const code = {};
  for (const key of [...Object.values(EVENTS), "handler"]) {
    const given = functions[Object.entries(EVENTS).find(([, name]) => name === key)?.[0] ?? key] ?? UNUSED;
    code[key] = join(folder, `${key}.zip`);
    writeFileSync(code[key], typeof given === "string" ? zipped(given) : given);
  }
  for (const name of ["storage", "edge"]) writeFileSync(join(folder, `${name}.yaml`), JSON.stringify(made[name]));
  const keys = join(folder, "keys");
  mkdirSync(keys);
  const s3 = await fakeS3(t, origin);
  const logged = [];
  const printed = [];
  const running = await start(
    {
      listen: { host: "127.0.0.1", port: 0 },
      templates: { storage: join(folder, "storage.yaml"), edge: join(folder, "edge.yaml") },
      code,
      bucket_region: "eu-west-1",
      origin: {
        url: s3.url,
        region: "us-east-1",
        bucket: "data",
        access_key_id: "ORIGINKEY",
        secret_access_key: "originsecret",
      },
      secrets: {
        prefix: "causeway",
        shards: 2,
        keys_folder: keys,
        passport: { id: "p1", secret: "s".repeat(40) },
        ...secrets,
      },
      ...config,
    },
    { log: (record) => logged.push(record), print: (name, line) => printed.push({ name, line }) },
  );
  t.after(running.close);
  return { ...running, keys, logged, printed, received: s3.received, ask: (options) => ask(running.url, options) };
}

async function fakeS3(t, answer = (_, outgoing) => outgoing.end()) {
  const received = [];
  const server = createServer({ requestTimeout: 0, maxHeaderSize: 65_536 }, async (incoming, outgoing) => {
    const seen = {
      method: incoming.method,
      target: incoming.url,
      lines: incoming.rawHeaders,
      headers: incoming.headers,
      body: "",
    };
    received.push(seen);
    if (answer.length < 3) {
      const chunks = [];
      try {
        for await (const chunk of incoming) chunks.push(chunk);
      } catch {
        return; // the other side gave up
      }
      seen.body = Buffer.concat(chunks).toString("latin1");
    }
    answer(incoming, outgoing, incoming);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}`, received };
}

/** One request with exactly these bytes in its head; gives status, headers (lower case) and the body's text. */
export function ask(url, { method = "GET", path = "/k", headers = {}, body, host = "127.0.0.1" } = {}) {
  const { port } = new URL(url);
  const lines = [
    "Host",
    host,
    ...Object.entries(headers).flatMap(([name, value]) => [value].flat().flatMap((one) => [name, one])),
  ];
  if (body !== undefined && !lines.some((text) => /^(content-length|transfer-encoding)$/i.test(text))) {
    lines.push("Content-Length", String(body.length));
  }
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: "127.0.0.1", port, method, path, headers: lines, agent: false },
      async (incoming) => {
        const chunks = [];
        try {
          for await (const chunk of incoming) chunks.push(chunk);
        } catch (error) {
          return reject(error);
        }
        const bytes = Buffer.concat(chunks);
        resolve({
          status: incoming.statusCode,
          statusText: incoming.statusMessage,
          headers: incoming.headers,
          bytes,
          text: bytes.toString(),
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** A function whose whole body is `statements`, with `event`, `cf` (the record), `request` and `response` at hand. */
export function edgeFunction(statements) {
  return `exports.handler = async (event) => {
    const { cf } = event.Records[0]; const { request, response } = cf;
    ${statements}
  };`;
}

export const random = (bytes) => randomBytes(bytes);
export const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** A function that does what the request's x-do header says: JavaScript, with `request`, `response` and `cf` at hand. */
export const PROGRAMMABLE = edgeFunction(`
  const code = Buffer.from(request.headers["x-do"][0].value, "base64").toString();
  return new (async () => {}).constructor("request", "response", "cf", "require", code)(request, response, cf, require);
`);

/** The header that tells a PROGRAMMABLE function what to do. */
export function program(code) {
  return { "x-do": Buffer.from(code).toString("base64") };
}

/** Asserts that CloudFront answered 502 for what a function handed back, and that the log says why. */
export function assertInvalid(answer, h, reason) {
  const { status, reason: logged } = h.logged.at(-1) ?? {};
  assert.deepEqual(
    [answer.status, answer.headers["x-cache"], status],
    [502, "LambdaValidationError from cloudfront", 502],
    `${JSON.stringify(h.logged)} ${answer.text}`,
  );
  assert.match(logged, reason);
  h.logged.length = 0;
}

/**
 * For functions: `signed(request)` gives the headers of a request with the function's own signature, version 4.
 * Written out, because nothing is installed where functions run.
 */
export const SIGNER = `
  const { createHash, createHmac } = require("node:crypto");
  const hex = (data) => createHash("sha256").update(data).digest("hex");
  const mac = (key, data) => createHmac("sha256", key).update(data).digest();
  global.signed = ({ method = "POST", host, path = "/", query = "", service, region, headers = {}, body = "", digest = hex(body),
      unsigned = {}, now = new Date(), accessKeyId = process.env.AWS_ACCESS_KEY_ID, token = process.env.AWS_SESSION_TOKEN }) => {
    const time = now.toISOString().replace(/[-:]|\\.\\d+/g, "");
    const all = { ...headers, host, "x-amz-content-sha256": digest, "x-amz-date": time, "x-amz-security-token": token };
    const names = Object.keys(all).sort();
    const canonical = [method, path, query, ...names.map((name) => name + ":" + all[name]), "", names.join(";"), digest].join("\\n");
    const scope = [time.slice(0, 8), region, service, "aws4_request"];
    let key = "AWS4" + process.env.AWS_SECRET_ACCESS_KEY;
    for (const part of scope) key = mac(key, part);
    const signature = createHmac("sha256", key).update(["AWS4-HMAC-SHA256", time, scope.join("/"), hex(canonical)].join("\\n")).digest("hex");
    const credential = accessKeyId + "/" + scope.join("/");
    return { ...all, ...unsigned, authorization: "AWS4-HMAC-SHA256 Credential=" + credential + ", SignedHeaders=" + names.join(";") + ", Signature=" + signature };
  };
`;
