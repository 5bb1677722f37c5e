// Facts §2.3 and §2.8: what CloudFront answers before any function runs, and how it writes answers.

import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";

import { PROGRAMMABLE, harness, program } from "./support.mjs";

/** Sends these bytes and gives what comes back until the connection ends, or as soon as `until` is in it. */
function raw(url, bytes, until) {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    let text = "";
    socket.on("data", (data) => {
      text += data.toString("latin1");
      if (until !== undefined && text.includes(until)) socket.destroy();
    });
    socket.on("close", () => resolve(text));
    socket.on("error", (error) => (text === "" ? reject(error) : resolve(text)));
    socket.write(Buffer.from(bytes, "latin1"));
  });
}

const never = { "viewer-request": "exports.handler = () => { throw new Error('a function ran'); };" };

test("a URL of more than 8,192 bytes is a 413", async (t) => {
  const h = await harness(t);
  const prefix = "https://127.0.0.1/".length;
  assert.equal((await h.ask({ path: `/${"a".repeat(8192 - prefix)}` })).status, 200, JSON.stringify(h.logged));
  const answer = await h.ask({ path: `/${"a".repeat(8193 - prefix)}` });
  assert.deepEqual(
    [answer.status, answer.headers["x-cache"], answer.headers.server],
    [413, "Error from cloudfront", "CloudFront"],
  );
  assert.match(answer.text, /The request could not be satisfied/);
});

test("a head of more than 20,480 bytes is a 413, however much more", async (t) => {
  const h = await harness(t, { functions: never });
  for (const size of [20_480, 60_000, 200_000]) {
    const answer = await raw(
      h.url,
      `GET /k HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nX-A: ${"a".repeat(size)}\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1.1 413 /, answer.slice(0, 100));
  }
  assert.equal((await (await harness(t)).ask({ headers: { "X-A": "a".repeat(20_000) } })).status, 200);
});

test("a method that the behaviour does not allow is a 403, and so is one that HTTP does not know", async (t) => {
  const h = await harness(t, {
    edit: ({ edge }) => {
      edge.Resources.Distribution.Properties.DistributionConfig.DefaultCacheBehavior.AllowedMethods = ["GET", "HEAD"];
    },
    functions: never,
  });
  assert.equal((await h.ask({ method: "PUT", body: "a" })).status, 403);
  assert.equal((await h.ask({ method: "PROPFIND" })).status, 403);
  assert.match(await raw(h.url, "FOO / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"), /^HTTP\/1.1 403 /);
});

test("a GET or HEAD with a body is a 403, with Content-Length: 0 it is not", async (t) => {
  const h = await harness(t);
  assert.equal((await h.ask({ body: "a" })).status, 403);
  assert.equal((await h.ask({ method: "HEAD", body: "a" })).status, 403);
  assert.equal((await h.ask({ headers: { "Transfer-Encoding": "chunked" }, body: "" })).status, 403);
  assert.equal((await h.ask({ headers: { "Content-Length": "0" } })).status, 200);
});

test("http is a 403 where the policy is https-only", async (t) => {
  const edit = ({ edge }) => {
    edge.Resources.Distribution.Properties.DistributionConfig.DefaultCacheBehavior.ViewerProtocolPolicy = "https-only";
  };
  const start = (scheme) =>
    harness(t, { edit, functions: { "viewer-request": PROGRAMMABLE }, config: listening(scheme) });
  const plain = await start("http");
  assert.equal((await plain.ask({ headers: program("return request") })).status, 403);
  assert.match(plain.logged[0].reason, /https-only/);
  assert.equal((await (await start("https")).ask({ headers: program("return request") })).status, 200);
});

test("over plain http CloudFront speaks plain http to the bucket, which does not take an unsigned payload there", async (t) => {
  const h = await harness(t, { config: listening("http") });
  const answer = await h.ask({ method: "PUT", body: "abc" });
  assert.deepEqual([answer.status, h.received.length], [400, 0]);
  assert.match(answer.text, /UNSIGNED-PAYLOAD needs TLS/);
});

function listening(scheme) {
  return { listen: { host: "127.0.0.1", port: 0, scheme } };
}

test("a Host that is neither the distribution's domain nor an alias is a 403", async (t) => {
  const h = await harness(t, {
    edit: ({ edge }) => {
      Object.assign(edge.Resources.Distribution.Properties.DistributionConfig, {
        Aliases: ["upload.example.com", "*.edge.example.com"],
        ViewerCertificate: { AcmCertificateArn: "arn:aws:acm:us-east-1:111122223333:certificate/a" },
      });
    },
  });
  for (const host of [
    h.distribution.domain,
    "Upload.Example.com:8080",
    "a.edge.example.com",
    "localhost:1",
    "127.0.0.1",
    "[::1]:1",
  ]) {
    assert.equal((await h.ask({ host })).status, 200, host);
  }
  for (const host of ["example.com", "edge.example.com", "a.b.edge.example.com", "other.cloudfront.net"]) {
    assert.equal((await h.ask({ host })).status, 403, host);
  }
});

test("requests that are ambiguous or no HTTP are a 400", async (t) => {
  const h = await harness(t, { functions: never });
  for (const bytes of [
    "GET / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: 127.0.0.1\r\n\r\n",
    "GET http://127.0.0.1/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "GET /a b HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "PUT / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "PUT / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "PUT / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
  ]) {
    assert.match(await raw(h.url, bytes, "</HTML>"), /^HTTP\/1.1 400 /, bytes);
  }
  assert.equal(h.received.length, 0);
});

test("Expect: 100-continue is answered by CloudFront, and goes no further", async (t) => {
  const h = await harness(t, { functions: { "viewer-request": PROGRAMMABLE } });
  const code = program("return request");
  const answer = await raw(
    h.url,
    `PUT /k HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nExpect: 100-continue\r\nx-do: ${code["x-do"]}\r\nContent-Length: 3\r\n\r\nabc`,
  );
  assert.match(answer, /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK/);
  assert.deepEqual([h.received[0].headers.expect, h.received[0].body], [undefined, "abc"]);
});

test("a chunked body goes on chunked, and S3 does not take it", async (t) => {
  const h = await harness(t);
  const answer = await h.ask({ method: "PUT", body: "abc", headers: { "Transfer-Encoding": "chunked" } });
  assert.equal(answer.status, 501);
  assert.match(answer.text, /<Code>NotImplemented<\/Code>/);
});

test("header bytes that nobody changes arrive at S3 as they came, UTF-8 or not; the target too", async (t) => {
  const h = await harness(t, { functions: { "viewer-request": PROGRAMMABLE } });
  const { "x-do": code } = program(
    "request.headers['x-amz-meta-seen'] = [{ value: encodeURIComponent(request.headers['x-b'][0].value) }]; return request",
  );
  for (const [bytes, seen] of [
    ["\xc3\xbc", "ü"],
    ["\xfc", "ü"],
    ["a  b", "a  b"],
  ]) {
    h.received.length = 0;
    const head = `PUT /%C3%bc//../.%41!*'() HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nx-b: ${bytes}\r\nx-do: ${code}\r\n`;
    assert.match(await raw(h.url, `${head}Content-Length: 0\r\n\r\n`), /^HTTP\/1.1 200 /, JSON.stringify(h.logged));
    const [{ target, headers }] = h.received;
    assert.deepEqual(
      [target, headers["x-b"], decodeURIComponent(headers["x-amz-meta-seen"])],
      ["/data/%C3%bc//../.%41!*'()", bytes, seen],
    );
  }
});

test("answers have CloudFront's headers, and not the origin's hop-by-hop ones or cookies", async (t) => {
  const origin = (_, outgoing) => {
    outgoing.writeHead(200, {
      Via: "1.1 s3",
      "Set-Cookie": "a=b",
      "X-Cache": "Hit",
      Trailer: "x",
      ETag: '"e"',
      Server: "AmazonS3",
    });
    outgoing.end("abc");
  };
  const h = await harness(t, { origin });
  const { headers, text } = await h.ask({});
  assert.deepEqual(
    [headers.etag, headers.server, headers["set-cookie"], headers.trailer, text],
    ['"e"', "AmazonS3", undefined, undefined, "abc"],
  );
  assert.match(headers.via, /^1\.1 [0-9a-f]{32}\.cloudfront\.net \(CloudFront\)$/);
  assert.equal(headers["x-cache"], "Miss from cloudfront");
  assert.match(headers["x-amz-cf-id"], /^[\w-]{54}==$/);
  assert.ok(headers.date);
});

test("an answer that CloudFront would keep is refused: the gateway's answers are for one device", async (t) => {
  const origin = (_, outgoing) => {
    outgoing.writeHead(404, { "Content-Length": "0" });
    outgoing.end();
  };
  const tenSeconds = await harness(t, { origin, edit: grantListing });
  assert.equal((await tenSeconds.ask({})).status, 502);
  assert.match(tenSeconds.logged.at(-1).reason, /would keep this answer \(404\) for 10 s/);
  const none = await harness(t, {
    origin,
    edit: (made) => {
      grantListing(made);
      made.edge.Resources.Distribution.Properties.DistributionConfig.CustomErrorResponses = [
        { ErrorCode: 404, ErrorCachingMinTTL: 0 },
      ];
    },
  });
  assert.equal((await none.ask({})).status, 404);
  assert.equal((await tenSeconds.ask({ method: "PUT", body: "" })).status, 404);
});

function grantListing({ storage }) {
  storage.Resources.BucketPolicy.Properties.PolicyDocument.Statement.push({
    Effect: "Allow",
    Principal: { Service: "cloudfront.amazonaws.com" },
    Action: "s3:ListBucket",
    Resource: "arn:aws:s3:::acme-ingest",
  });
}
