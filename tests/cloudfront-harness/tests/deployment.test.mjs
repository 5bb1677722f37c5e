// What AWS refuses to deploy: facts §2.1 (quotas), §2.2 (custom headers), §2.3 (policies), §2.5, §2.7.
// And what the harness does not play, which it has to say instead of leaving it out.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

import { PROGRAMMABLE, alias, harness, program, random, zipped } from "./support.mjs";

const RETURN = "exports.handler = async (event) => event.Records[0].cf.request;";
const properties = (stack, id) => stack.Resources[id].Properties;
const distribution = (edge) => properties(edge, "Distribution").DistributionConfig;
const behaviour = (edge) => distribution(edge).DefaultCacheBehavior;
const origin = (edge) => distribution(edge).Origins[0];
const cacheConfig = (edge) => properties(edge, "CachePolicy").CachePolicyConfig;
const cacheKey = (edge) => cacheConfig(edge).ParametersInCacheKeyAndForwardedToOrigin;
const requestConfig = (edge) => properties(edge, "OriginRequestPolicy").OriginRequestPolicyConfig;

async function assertRefused(t, reason, edit, functions = { "viewer-request": RETURN, "origin-request": RETURN }) {
  await assert.rejects(harness(t, { functions, edit }), reason, String(edit));
}

test("zips above 1 MB at viewer events and 50 MB at origin events are refused", async (t) => {
  const of = (megabytes) => zipped(RETURN, { "pad.bin": [random(megabytes * 1_000_000), { level: 0 }] });
  await assertRefused(t, /ViewerRequest at viewer-request: the zip has \d+ bytes; at most 1000000/, () => {}, {
    "viewer-request": of(1),
  });
  await assertRefused(t, /ViewerResponse at viewer-response: the zip has/, () => {}, { "viewer-response": of(1) });
  await assertRefused(t, /OriginRequest at origin-request: the zip has \d+ bytes; at most 50000000/, () => {}, {
    "origin-request": of(50),
  });
  const h = await harness(t, { functions: { "origin-request": of(2) } });
  assert.ok(h.url);
});

test("a zip that is none, or reaches out of its folder, is refused", async (t) => {
  await assertRefused(t, /can't be unpacked/, () => {}, { "viewer-request": Buffer.from("no zip") });
  await assertRefused(t, /a file outside of it/, () => {}, {
    "viewer-request": zipped(RETURN, { "../out.js": Buffer.from("x") }),
  });
});

test("functions that Lambda@Edge does not take are refused", async (t) => {
  const rows = [
    [/timeout is larger than 5 s/, ({ edge }) => (properties(edge, "ViewerRequest").Timeout = 6)],
    [/timeout is larger than 30 s/, ({ edge }) => (properties(edge, "OriginRequest").Timeout = 31)],
    [/memory is larger than 128 MB/, ({ edge }) => (properties(edge, "ViewerRequest").MemorySize = 256)],
    [/memory is larger than 10240 MB/, ({ edge }) => (properties(edge, "OriginRequest").MemorySize = 10_241)],
    [
      /no environment variables/,
      ({ edge }) => (properties(edge, "ViewerRequest").Environment = { Variables: { A: "1" } }),
    ],
    [/x86_64 only/, ({ edge }) => (properties(edge, "ViewerRequest").Architectures = ["arm64"])],
    [/not Node.js/, ({ edge }) => (properties(edge, "ViewerRequest").Runtime = "java21")],
    [/without layers or VPC/, ({ edge }) => (properties(edge, "ViewerRequest").Layers = ["arn"])],
    [/without layers or VPC/, ({ edge }) => (properties(edge, "ViewerRequest").VpcConfig = {})],
    [/no dead letter queues/, ({ edge }) => (properties(edge, "ViewerRequest").DeadLetterConfig = {})],
    [/no X-Ray/, ({ edge }) => (properties(edge, "ViewerRequest").TracingConfig = { Mode: "Active" })],
    [/no reserved concurrency/, ({ edge }) => (properties(edge, "ViewerRequest").ReservedConcurrentExecutions = 5)],
    [/512 MB of \/tmp/, ({ edge }) => (properties(edge, "ViewerRequest").EphemeralStorage = { Size: 1024 })],
    [
      /edgelambda.amazonaws.com can't assume/,
      ({ edge }) =>
        (properties(edge, "EdgeRole").AssumeRolePolicyDocument.Statement[0].Principal.Service = "lambda.amazonaws.com"),
    ],
    [
      /lambda.amazonaws.com can't assume/,
      ({ storage }) =>
        (properties(storage, "HandlerRole").AssumeRolePolicyDocument.Statement[0].Principal.Service =
          "s3.amazonaws.com"),
    ],
    [
      /needs a numbered version/,
      ({ edge }) =>
        (behaviour(edge).LambdaFunctionAssociations[0].LambdaFunctionARN = { "Fn::GetAtt": ["ViewerRequest", "Arn"] }),
    ],
    [
      /from us-east-1/,
      ({ storage, edge }) => {
        storage.Resources.V = { Type: "AWS::Lambda::Version", Properties: { FunctionName: { Ref: "Handler" } } };
        behaviour(edge).LambdaFunctionAssociations[0].LambdaFunctionARN = { "Fn::Sub": "${HandlerFunctionArn}:1" };
      },
    ],
    [
      /CodeSha256 is/,
      ({ edge }) =>
        (properties(edge, "ViewerRequestVersion").CodeSha256 = createHash("sha256").update("other").digest("base64")),
    ],
    [/there is no alias .*:live$/, ({ storage }) => (properties(storage, "HandlerUrl").Qualifier = "live")],
    [/there is no version 1 of Handler/, ({ storage }) => (storage.Resources.Live = alias("1"))],
    [/has no file for elsewhere/, ({ edge }) => (properties(edge, "ViewerRequest").Code.S3Key = "elsewhere")],
  ];
  for (const [reason, edit] of rows) await assertRefused(t, reason, edit);
});

test("associations that CloudFront does not take are refused", async (t) => {
  const first = (edge) => behaviour(edge).LambdaFunctionAssociations[0];
  await assertRefused(t, /one function per event/, ({ edge }) => (first(edge).EventType = "origin-request"));
  await assertRefused(t, /there is no event viewer/, ({ edge }) => (first(edge).EventType = "viewer"));
  await assertRefused(t, /IncludeBody is for request events/, ({ edge }) =>
    Object.assign(first(edge), { EventType: "origin-response", IncludeBody: true }),
  );
});

test("policies that CloudFront does not take are refused", async (t) => {
  const rows = [
    [
      /with all TTLs 0/,
      ({ edge }) => (cacheKey(edge).HeadersConfig = { HeaderBehavior: "whitelist", Headers: ["Authorization"] }),
    ],
    [/with all TTLs 0/, ({ edge }) => (cacheKey(edge).EnableAcceptEncodingGzip = true)],
    [/must not fall/, ({ edge }) => (cacheConfig(edge).MinTTL = 1)],
    [
      /at most 10 headers/,
      ({ edge }) => {
        cacheConfig(edge).MaxTTL = 1;
        cacheKey(edge).HeadersConfig = {
          HeaderBehavior: "whitelist",
          Headers: Array.from({ length: 11 }, (_, index) => `x-${index}`),
        };
      },
    ],
    [
      /S3 can't be sent the viewer's Host/,
      ({ edge }) => {
        cacheConfig(edge).MaxTTL = 1;
        cacheKey(edge).HeadersConfig = { HeaderBehavior: "whitelist", Headers: ["Host"] };
      },
    ],
    [
      /Authorization can't be named here/,
      ({ edge }) => (requestConfig(edge).HeadersConfig = { HeaderBehavior: "whitelist", Headers: ["Authorization"] }),
    ],
    [/needs Headers/, ({ edge }) => (requestConfig(edge).HeadersConfig = { HeaderBehavior: "allExcept" })],
    [
      /takes no Headers/,
      ({ edge }) => (requestConfig(edge).HeadersConfig = { HeaderBehavior: "none", Headers: ["x"] }),
    ],
    [/is one of/, ({ edge }) => (requestConfig(edge).HeadersConfig = { HeaderBehavior: "some" })],
    [
      /only cache policies of the template/,
      ({ edge }) => (behaviour(edge).CachePolicyId = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"),
    ],
  ];
  for (const [reason, edit] of rows) await assertRefused(t, reason, edit);
});

test("origins that CloudFront does not take are refused", async (t) => {
  const custom = (edge, HeaderName) => (origin(edge).OriginCustomHeaders[0].HeaderName = HeaderName);
  for (const name of [
    "Cache-Control",
    "Connection",
    "Content-Length",
    "Cookie",
    "Host",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Max-Forwards",
    "Pragma",
    "Proxy-Authorization",
    "Proxy-Connection",
    "Range",
    "Request-Range",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "Via",
    "X-Amz-Anything",
    "X-Edge-Anything",
    "X-Real-Ip",
  ]) {
    await assertRefused(t, /can't be a custom header/, ({ edge }) => custom(edge, name));
  }
  const rows = [
    [
      /at most 10 custom headers/,
      ({ edge }) =>
        (origin(edge).OriginCustomHeaders = Array.from({ length: 11 }, (_, index) => ({
          HeaderName: `x-${index}`,
          HeaderValue: "1",
        }))),
    ],
    [/is too long/, ({ edge }) => (origin(edge).OriginCustomHeaders[0].HeaderValue = "a".repeat(1784))],
    [/OriginReadTimeout is 1 to 120/, ({ edge }) => (origin(edge).S3OriginConfig.OriginReadTimeout = 121)],
    [/either an S3 or a custom origin/, ({ edge }) => delete origin(edge).S3OriginConfig],
    [/no origin access control/, ({ edge }) => (origin(edge).OriginAccessControlId = "ENONE")],
    [
      /for S3, with sigv4/,
      ({ edge }) =>
        (properties(edge, "AccessControl").OriginAccessControlConfig.OriginAccessControlOriginType = "lambda"),
    ],
    [
      /is not for S3/,
      ({ edge }) => (properties(edge, "AccessControl").OriginAccessControlConfig.SigningBehavior = "always-amz-auth"),
    ],
    [/no regional domain of a bucket/, ({ edge }) => (origin(edge).DomainName = "example.com")],
  ];
  for (const [reason, edit] of rows) await assertRefused(t, reason, edit);
});

test("what the harness does not play is refused by its name", async (t) => {
  const rows = [
    [/does not know DefaultRootObject/, ({ edge }) => (distribution(edge).DefaultRootObject = "index.html")],
    [/does not know OriginGroups/, ({ edge }) => (distribution(edge).OriginGroups = {})],
    [
      /does not know ResponsePagePath/,
      ({ edge }) => (distribution(edge).CustomErrorResponses = [{ ErrorCode: 404, ResponsePagePath: "/e" }]),
    ],
    [/does not know TrustedKeyGroups/, ({ edge }) => (behaviour(edge).TrustedKeyGroups = ["k"])],
    [/does not know FunctionAssociations/, ({ edge }) => (behaviour(edge).FunctionAssociations = [])],
    [/does not compress/, ({ edge }) => (behaviour(edge).Compress = true)],
    [/allow-all and https-only/, ({ edge }) => (behaviour(edge).ViewerProtocolPolicy = "redirect-to-https")],
    [/no such set of AllowedMethods/, ({ edge }) => (behaviour(edge).AllowedMethods = ["GET", "HEAD", "PUT"])],
    [/Aliases need a certificate/, ({ edge }) => (distribution(edge).Aliases = ["a.example.com"])],
    [/not enabled/, ({ edge }) => (distribution(edge).Enabled = false)],
    [
      /does not know what F, an AWS::CloudFront::Function/,
      ({ edge }) => (edge.Resources.F = { Type: "AWS::CloudFront::Function" }),
    ],
    [
      /does not spread calls/,
      ({ storage }) => (storage.Resources.Live = alias("1", { RoutingConfig: {} })),
    ],
    [/does not stream answers/, ({ storage }) => (properties(storage, "HandlerUrl").InvokeMode = "RESPONSE_STREAM")],
    [/permissions boundaries/, ({ edge }) => (properties(edge, "EdgeRole").PermissionsBoundary = "arn")],
    [
      /does not know the policy/,
      ({ edge }) => (properties(edge, "EdgeRole").ManagedPolicyArns = ["arn:aws:iam::aws:policy/AdministratorAccess"]),
    ],
  ];
  for (const [reason, edit] of rows) await assertRefused(t, reason, edit);
});

test("policy statements that would be read wrongly are refused", async (t) => {
  const statement =
    (change) =>
    ({ edge }) =>
      Object.assign(properties(edge, "EdgeRole").Policies[0].PolicyDocument.Statement[0], change);
  for (const [reason, change] of [
    [/does not know the element NotAction/, { NotAction: "s3:*" }],
    [/Effect is Allow or Deny/, { Effect: "allow" }],
    [/does not know the condition operator IpAddress/, { Condition: { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } } }],
    [/Null of s3:x-amz-copy-source is "true" or "false"/, { Condition: { Null: { "s3:x-amz-copy-source": "/b/k" } } }],
    [/does not know the condition key aws:RequestTag/, { Condition: { StringEquals: { "aws:RequestTag/a": "b" } } }],
  ]) {
    await assertRefused(t, reason, statement(change));
  }
});

test("a behaviour for a path takes that path, and the default takes the rest", async (t) => {
  const edit = ({ edge }) => {
    const special = structuredClone(behaviour(edge));
    distribution(edge).CacheBehaviors = [{ ...special, PathPattern: "/special/*", AllowedMethods: ["GET", "HEAD"] }];
  };
  const h = await harness(t, { functions: { "viewer-request": PROGRAMMABLE }, edit });
  const headers = program("return { status: '200' }");
  assert.equal((await h.ask({ method: "PUT", path: "/other/k", body: "", headers })).status, 200);
  assert.equal((await h.ask({ method: "PUT", path: "/special/k", body: "", headers })).status, 403);
  // A function that changes the uri does not change the behaviour.
  const moved = program("request.uri = '/special/k'; return request");
  assert.equal(
    (await h.ask({ method: "PUT", path: "/other/k", body: "", headers: moved })).status,
    200,
    JSON.stringify(h.logged),
  );
});
