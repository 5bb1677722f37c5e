// Facts §2.3: what the cache policy and the origin request policy let through to origin-request functions and S3.

import assert from "node:assert/strict";
import { test } from "node:test";

import { keptSeconds, matchesPath, originHead } from "../policies.mjs";

const NONE = { kind: "none", names: [] };
const ALL = { kind: "all", names: [] };
const CACHE = {
  minTtl: 0,
  defaultTtl: 0,
  maxTtl: 0,
  gzip: false,
  brotli: false,
  headers: NONE,
  cookies: NONE,
  queries: NONE,
};
const FORWARD = { headers: { kind: "allExcept", names: ["host"] }, cookies: NONE, queries: ALL };
const ORIGIN = { domainName: "b.s3.eu-west-1.amazonaws.com" };

/** What arrives of a request, as an object of lower-case names. */
function forwarded(headers, options = {}) {
  const { method, query, cache, forward } = { method: "PUT", query: "", cache: {}, forward: FORWARD, ...options };
  const lines = Object.entries(headers).map(([name, value]) => ({ name, value }));
  const behaviour = { origin: ORIGIN, cachePolicy: { ...CACHE, ...cache }, originRequestPolicy: forward };
  const head = originHead({ method, path: "/", query, lines }, behaviour, {
    clientIp: "192.0.2.2",
    via: "x.cloudfront.net",
  });
  return { query: head.query, ...Object.fromEntries(head.lines.map(({ name, value }) => [name.toLowerCase(), value])) };
}

test("a policy that forwards all but Host lets every other header through", () => {
  const sent = {
    Host: "edge.example.com",
    Date: "d",
    "Content-MD5": "m",
    "Content-Type": "t",
    "Content-Length": "1",
    "If-None-Match": "*",
    Range: "r",
    "User-Agent": "sdk",
    "Accept-Encoding": "identity",
    "x-oss-meta-a": "1",
    "x-amz-meta-a": "1",
    Authorization: "OSS a:b",
  };
  const { host, via, "x-forwarded-for": address, query: _, ...rest } = forwarded(sent);
  assert.equal(host, ORIGIN.domainName);
  assert.equal(via, "1.1 x.cloudfront.net (CloudFront)");
  assert.equal(address, "192.0.2.2");
  const { Host: __, ...others } = sent;
  assert.deepEqual(
    rest,
    Object.fromEntries(Object.entries(others).map(([name, value]) => [name.toLowerCase(), value])),
  );
});

test("without an origin request policy nothing goes on but what CloudFront itself writes and the body's framing", () => {
  const sent = { "X-A": "1", "Content-Type": "t", "Content-Length": "3", "User-Agent": "sdk", "x-amz-meta-a": "1" };
  assert.deepEqual(Object.keys(forwarded(sent, { forward: undefined })).sort(), [
    "content-length",
    "host",
    "query",
    "user-agent",
    "via",
    "x-forwarded-for",
  ]);
  assert.equal(forwarded(sent, { forward: undefined })["user-agent"], "Amazon CloudFront");
});

test("a whitelist lets its names through, whatever their case", () => {
  const forward = { ...FORWARD, headers: { kind: "whitelist", names: ["x-a"] } };
  const seen = forwarded(
    { "X-A": "1", "X-B": "2", "X-C": "3" },
    { forward, cache: { headers: { kind: "whitelist", names: ["x-c"] } } },
  );
  assert.deepEqual([seen["x-a"], seen["x-b"], seen["x-c"]], ["1", undefined, "3"]);
});

test("GET and HEAD lose Authorization unless it is in the cache policy, or all is forwarded and nothing cached", () => {
  const sent = { Authorization: "a" };
  const whitelist = { ...FORWARD, headers: { kind: "whitelist", names: ["x-a"] } };
  for (const method of ["GET", "HEAD", "OPTIONS"]) {
    assert.equal(forwarded(sent, { method, forward: undefined }).authorization, undefined);
    assert.equal(forwarded(sent, { method, forward: whitelist }).authorization, undefined);
    assert.equal(forwarded(sent, { method, cache: { maxTtl: 1 } }).authorization, undefined);
    assert.equal(forwarded(sent, { method }).authorization, "a");
    const keyed = { maxTtl: 1, headers: { kind: "whitelist", names: ["authorization"] } };
    assert.equal(forwarded(sent, { method, cache: keyed, forward: undefined }).authorization, "a");
    const except = { ...FORWARD, headers: { kind: "allExcept", names: ["authorization"] } };
    assert.equal(forwarded(sent, { method, forward: except }).authorization, undefined);
  }
  for (const method of ["PUT", "POST", "PATCH", "DELETE"])
    assert.equal(forwarded(sent, { method, forward: undefined }).authorization, "a");
});

test("the viewer's Host goes on only where the policy says so, which S3 does not survive", () => {
  const all = { ...FORWARD, headers: { kind: "allViewer", names: [] } };
  assert.equal(forwarded({ Host: "edge.example.com" }, { forward: all }).host, "edge.example.com");
  assert.equal(forwarded({ Host: "edge.example.com" }).host, ORIGIN.domainName);
});

test("some headers never go on", () => {
  const gone = [
    "Expect",
    "TE",
    "Trailer",
    "Upgrade",
    "X-Forwarded-Proto",
    "X-Real-IP",
    "X-HTTP-Method-Override",
    "Proxy-Authorization",
    "Connection",
    "Keep-Alive",
    "X-Edge-A",
    "X-Amz-Cf-Id",
  ];
  const seen = forwarded(Object.fromEntries(gone.map((name) => [name, "1"])));
  for (const name of gone) assert.equal(seen[name.toLowerCase()], undefined, name);
});

test("Accept-Encoding is normalised where the cache policy compresses, otherwise a header like any other", () => {
  const of = (value, cache) => forwarded({ "Accept-Encoding": value }, { cache })["accept-encoding"];
  assert.equal(of("deflate, gzip;q=0.5, br", { gzip: true, brotli: true }), "br,gzip");
  assert.equal(of("deflate, gzip, br", { gzip: true }), "gzip");
  assert.equal(of("identity", { gzip: true, brotli: true }), undefined);
  assert.equal(of("identity", {}), "identity");
  assert.equal(forwarded({ "Accept-Encoding": "gzip" }, { forward: undefined })["accept-encoding"], undefined);
});

test("the client's address is appended to X-Forwarded-For, and CloudFront to Via", () => {
  const seen = forwarded({ "X-Forwarded-For": "192.0.2.4", Via: "1.1 proxy" });
  assert.equal(seen["x-forwarded-for"], "192.0.2.4, 192.0.2.2");
  assert.equal(seen.via, "1.1 proxy, 1.1 x.cloudfront.net (CloudFront)");
});

test("query strings are let through by name, in the order and form that they came", () => {
  const of = (queries, cache = {}) =>
    forwarded({}, { query: "b=%41&a&c=1", cache, forward: { ...FORWARD, queries } }).query;
  assert.equal(of(ALL), "b=%41&a&c=1");
  assert.equal(of(NONE), "");
  assert.equal(of({ kind: "whitelist", names: ["a", "b"] }), "b=%41&a");
  assert.equal(of({ kind: "allExcept", names: ["a"] }), "b=%41&c=1");
  assert.equal(of(NONE, { queries: { kind: "whitelist", names: ["c"] } }), "c=1");
});

test("cookies go on by name only", () => {
  const of = (cookies) => forwarded({ Cookie: "a=1; b=2" }, { forward: { ...FORWARD, cookies } }).cookie;
  assert.equal(of(NONE), undefined);
  assert.equal(of(ALL), "a=1; b=2");
  assert.equal(of({ kind: "whitelist", names: ["b"] }), "b=2");
  assert.equal(of({ kind: "allExcept", names: ["b"] }), "a=1");
});

test("answers are kept for as long as the guide says", () => {
  const kept = (status, control, { cache = {}, errors = [], method = "GET" } = {}) =>
    keptSeconds({
      method,
      status,
      lines: control === undefined ? [] : [{ name: "Cache-Control", value: control }],
      behaviour: { cachePolicy: { ...CACHE, ...cache } },
      errorCaching: new Map(errors),
    });
  const cached = { defaultTtl: 60, maxTtl: 100 };
  assert.equal(kept(200, "max-age=60"), 0);
  assert.equal(kept(200, undefined, { cache: cached }), 60);
  assert.equal(kept(200, "max-age=7", { cache: cached }), 7);
  assert.equal(kept(200, "max-age=7, s-maxage=8", { cache: cached }), 8);
  assert.equal(kept(200, "max-age=1000", { cache: cached }), 100);
  assert.equal(kept(200, "no-store", { cache: cached }), 0);
  assert.equal(kept(200, "private", { cache: { ...cached, minTtl: 5 } }), 5);
  assert.equal(kept(200, undefined, { cache: cached, method: "PUT" }), 0);
  assert.equal(kept(404, undefined), 10);
  assert.equal(kept(404, "no-store"), 0);
  assert.equal(kept(503, "no-store"), 10);
  assert.equal(kept(503, "no-store", { errors: [[503, 0]] }), 0);
  assert.equal(kept(403, "no-store"), 0);
  assert.equal(kept(403, "max-age=5"), 10);
  assert.equal(kept(416, undefined), 0);
});

test("behaviours are chosen by the normalised path", () => {
  for (const [pattern, path, matches] of [
    ["images/*.jpg", "/images/a.jpg", true],
    ["/images/*.jpg", "/images/b/a.jpg", true],
    ["/a?c", "/abc", true],
    ["/a?c", "/ac", false],
    ["/A", "/a", false],
    ["/private/*", "/x/../private/a", true],
    ["/private/*", "/x/%2e%2E/%70rivate/a", true],
    ["/a.c", "/abc", false],
  ]) {
    assert.equal(matchesPath(pattern, path), matches, `${pattern} ${path}`);
  }
});
