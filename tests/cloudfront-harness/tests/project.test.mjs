// The project's own templates, with functions of the test's own: they deploy, and let through what they should.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { start } from "../harness.mjs";
import { PROGRAMMABLE, SIGNER, ask, program, zipped } from "./support.mjs";

const infra = (name) => fileURLToPath(new URL(`../../../infra/cloudfront/${name}.yaml`, import.meta.url));

/** Starts the real templates; every function is PROGRAMMABLE, and the handler tells its event. */
async function deployed(t, { storage = {}, edge = {}, listen = {}, handler, originResponse } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "causeway-project-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const giveBack = originResponse ?? "exports.originResponse = async (event) => event.Records[0].cf.response;";
  const tell = "exports.handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event) });";
  const sources = { function: SIGNER + PROGRAMMABLE + giveBack, handler: handler ?? tell };
  const code = {};
  const sha256 = {};
  for (const [name, source] of Object.entries(sources)) {
    code[name] = join(folder, `${name}.zip`);
    const zip = zipped(source);
    writeFileSync(code[name], zip);
    sha256[name] = createHash("sha256").update(zip).digest("base64");
  }
  const keys = join(folder, "keys");
  mkdirSync(keys);
  const received = [];
  const s3 = createServer(async (incoming, outgoing) => {
    received.push({ target: incoming.url, headers: incoming.headers });
    incoming.resume();
    outgoing.end();
  });
  await new Promise((resolve) => s3.listen(0, "127.0.0.1", resolve));
  t.after(() => s3.close());
  const logged = [];
  const running = await start(
    {
      listen: { host: "127.0.0.1", port: 0, ...listen },
      templates: { storage: infra("storage"), edge: infra("edge") },
      parameters: {
        storage: {
          BucketName: "acme-ingest",
          CodeBucket: "code",
          HandlerCodeKey: "handler",
          HandlerCodeSha256: sha256.handler,
          ...storage,
        },
        edge: {
          CodeBucket: "code",
          AuthorizerCodeKey: "function",
          AuthorizerCodeSha256: sha256.function,
          RouterCodeKey: "function",
          RouterCodeSha256: sha256.function,
          ResponseCodeKey: "function",
          ResponseCodeSha256: sha256.function,
          ...edge,
        },
      },
      code,
      bucket_region: "eu-west-1",
      origin: {
        url: `http://127.0.0.1:${s3.address().port}`,
        region: "us-east-1",
        bucket: "data",
        access_key_id: "K",
        secret_access_key: "s",
      },
      secrets: { prefix: "causeway", shards: 1, keys_folder: keys, passport: { id: "p1", secret: "s".repeat(40) } },
    },
    { log: (record) => logged.push(record), print: () => {} },
  );
  t.after(running.close);
  return { ...running, logged, received, ask: (options) => ask(running.url, options) };
}

/** One program for both request functions. */
const onlyAtOrigin = (code) => program(`if (cf.config.eventType === "viewer-request") return request; ${code}`);
const HANDED_ON = onlyAtOrigin("delete request.origin.s3.customHeaders['x-causeway-handler']; return request");

/** The router's program that sends a PUT to S3 in its own name, with `headers`. */
const signedByRouter = (headers) =>
  onlyAtOrigin(`const host = "acme-ingest.s3.eu-west-1.amazonaws.com";
    const headers = signed({ method: "PUT", host, path: request.uri, query: request.querystring, service: "s3",
      region: "eu-west-1", digest: "UNSIGNED-PAYLOAD", headers: ${JSON.stringify(headers)} });
    for (const [name, value] of Object.entries(headers)) request.headers[name] = [{ key: name, value }];
    request.origin = { custom: { customHeaders: {}, domainName: host, keepaliveTimeout: 5, path: "", port: 443, protocol: "https", readTimeout: 60, sslProtocols: ["TLSv1.2"] } };
    return request;`);

test("object bytes go to S3, tagged ones too unless the template forbids it, and nothing is deleted or read", async (t) => {
  const h = await deployed(t);
  const put = (headers) => h.ask({ method: "PUT", body: "abc", headers: { ...HANDED_ON, ...headers } });
  assert.equal((await put({})).status, 200, JSON.stringify(h.logged));
  assert.equal((await put({ "x-amz-tagging": "a=b" })).status, 200, JSON.stringify(h.logged));
  for (const method of ["DELETE", "GET", "HEAD"])
    assert.equal((await h.ask({ method, headers: HANDED_ON })).status, 403, method);
  const untagged = await deployed(t, { storage: { AllowTagging: "false" } });
  assert.equal(
    (await untagged.ask({ method: "PUT", body: "abc", headers: { ...HANDED_ON, "x-amz-tagging": "a=b" } })).status,
    403,
  );
});

test("whoever signs object bytes copies nothing, even where the handler may", async (t) => {
  const copy = { "x-amz-copy-source": "/acme-ingest/source" };
  const targets = ["/k", "/k?partNumber=1&uploadId=u"];
  const h = await deployed(t, { storage: { Access: "read-write" } });
  for (const path of targets) {
    const ask = (headers) => h.ask({ method: "PUT", path, body: "", headers: { ...HANDED_ON, ...headers } });
    assert.equal((await ask({})).status, 200, JSON.stringify(h.logged));
    assert.equal((await ask(copy)).status, 403, path);
  }
  const mode = { DirectPath: "router-signed" };
  const router = await deployed(t, { storage: { ...mode, Access: "read-write" }, edge: mode });
  for (const path of targets) {
    const ask = (headers) => router.ask({ method: "PUT", path, body: "", headers: signedByRouter(headers) });
    assert.equal((await ask({})).status, 200, JSON.stringify(router.logged));
    assert.equal((await ask(copy)).status, 403, path);
  }
  assert.equal(h.received.length + router.received.length, 2 * targets.length);
});

test("the policies of the template let headers and query through as they are, but not Host and cookies", async (t) => {
  const h = await deployed(t);
  const sent = {
    Authorization: "OSS a:b",
    Date: "d",
    "Content-MD5": "m",
    "x-oss-meta-a": "1",
    "User-Agent": "sdk",
    "Accept-Encoding": "identity",
    Cookie: "a=b",
  };
  const code = onlyAtOrigin("return { status: '200', body: JSON.stringify([request.headers, request.querystring]) }");
  for (const method of ["GET", "PUT"]) {
    const answer = await h.ask({
      method,
      path: "/k?uploadId=%41&Expires=1&Signature=a%2Bb&response-content-type=t",
      headers: { ...sent, ...code },
    });
    const [headers, query] = JSON.parse(answer.text);
    for (const name of Object.keys(sent).filter((one) => one !== "Cookie"))
      assert.equal(headers[name.toLowerCase()]?.[0].value, sent[name], `${method} ${name}`);
    assert.equal(headers.cookie, undefined);
    assert.equal(headers.host[0].value, "acme-ingest.s3.eu-west-1.amazonaws.com");
    assert.equal(query, "uploadId=%41&Expires=1&Signature=a%2Bb&response-content-type=t");
  }
});

/** The router's program that asks the handler. */
const CALL = `const host = request.origin.s3.customHeaders["x-causeway-handler"][0].value;
    const body = Buffer.from(request.body.data, "base64");
    Object.assign(request.headers, { host: [{ value: host }] });
    for (const [name, value] of Object.entries(signed({ host, service: "lambda", region: "eu-west-1", body }))) request.headers[name] = [{ key: name, value }];
    request.origin = { custom: { customHeaders: {}, domainName: host, keepaliveTimeout: 5, path: "", port: 443, protocol: "https", readTimeout: 60, sslProtocols: ["TLSv1.2"] } };
    request.uri = "/"; request.querystring = ""; return request;`;

/** A handler that asks S3 what it is told to, and tells the statuses. */
const ASKS_S3 = `${SIGNER}
  exports.handler = async (event) => {
    const host = "acme-ingest.s3.eu-west-1.amazonaws.com";
    const asked = JSON.parse(Buffer.from(event.body, "base64")).map(async ([method, path, query, headers, body]) => {
      const sent = signed({ method, host, path, query, headers, body, service: "s3", region: "eu-west-1" });
      return (await fetch("https://" + host + path + "?" + query, { method, headers: sent, body })).status;
    });
    return { statusCode: 200, body: JSON.stringify(await Promise.all(asked)) };
  };`;

/** The document of a DeleteObjects. */
const deletions = (...keys) =>
  `<Delete>${keys.map((key) => `<Object><Key>${key}</Key></Object>`).join("")}</Delete>`;

/** What the handler asks S3, and from which access on it may. */
const ASKED = [
  ["uploads", "POST", "/k", "uploads="],
  ["uploads", "POST", "/k", "uploadId=u"],
  ["uploads", "DELETE", "/k", "uploadId=u"],
  ["uploads", "GET", "/k", "max-parts=1000&uploadId=u"],
  ["both", "HEAD", "/k", ""],
  ["reads", "HEAD", "/k", "versionId=v"],
  ["reads", "GET", "/k", "tagging="],
  ["reads", "GET", "/", "list-type=2&prefix=a"],
  ["reads", "HEAD", "/", ""],
  ["changes", "DELETE", "/k", ""],
  ["changes", "DELETE", "/k", "versionId=v"],
  ["changes", "POST", "/", "delete=", {}, deletions("k")],
  // Parts that wait for their upload, beside the objects.
  ["uploads", "PUT", "/.causeway/folder/00001", ""],
  ["both", "GET", "/.causeway/folder/00001", ""],
  ["uploads", "DELETE", "/.causeway/folder/00001", ""],
  ["changes", "DELETE", "/.causeway/folder/00001", "versionId=v"],
  ["uploads", "PUT", "/k", "partNumber=1&uploadId=u", { "x-amz-copy-source": "/acme-ingest/.causeway/folder/00001" }],
  ["changes", "PUT", "/k", "partNumber=1&uploadId=u", { "x-amz-copy-source": "/acme-ingest/a/.causeway/folder/00001" }],
  ["never", "PUT", "/k", "partNumber=1&uploadId=u", { "x-amz-copy-source": "/another-bucket/.causeway/folder/00001" }],
  ["uploads", "POST", "/", "delete=", {}, deletions(".causeway/folder/00001", ".causeway/folder/00002")],
  ["changes", "POST", "/", "delete=", {}, deletions(".causeway/folder/00001", "k")],
  ["changes", "POST", "/", "delete=", {}, deletions("k&#47;.causeway/a")],
  ["both", "GET", "/", "max-keys=1000&prefix=.causeway%2Ffolder%2F"],
  ["reads", "GET", "/", "prefix=.causeway"],
  ["reads", "GET", "/", "prefix="],
  ["reads", "GET", "/", "prefix=a%2F.causeway%2F"],
  ["changes", "DELETE", "/k", "tagging="],
  ["changes", "PUT", "/k", "tagging=&versionId=v"],
  ["changes", "GET", "/", "max-uploads=9&uploads="],
  ["uploads", "PUT", "/k", ""],
  ["uploads", "PUT", "/k", "partNumber=1&uploadId=u"],
  // What tags of an upload need is enough for this: IAM does not tell them apart.
  ["uploads", "PUT", "/k", "tagging="],
  ["changes", "PUT", "/k", "", { "x-amz-copy-source": "/acme-ingest/source" }],
  ["changes", "PUT", "/k", "partNumber=1&uploadId=u", { "x-amz-copy-source": "/acme-ingest/source" }],
  ["changes", "PUT", "/k", "", { "x-amz-copy-source": "/acme-ingest/source?versionId=v" }],
  ["never", "PUT", "/k", "", { "x-amz-copy-source": "/another-bucket/source" }],
  ["buckets", "POST", "/k", "restore="],
  ["buckets", "PUT", "/", ""],
  ["buckets", "DELETE", "/", ""],
  ["buckets", "GET", "/", "tagging="],
  ["buckets", "PUT", "/", "tagging="],
  ["buckets", "DELETE", "/", "tagging="],
  ["never", "PUT", "/", "policy="],
  ["never", "PUT", "/k", "acl="],
];

const LEVELS = {
  "upload-only": ["uploads", "both"],
  "read-only": ["reads", "both"],
  "read-write": ["uploads", "both", "reads", "changes"],
  "data-layer": ["uploads", "both", "reads", "changes", "buckets"],
};

for (const [access, may] of Object.entries(LEVELS)) {
  test(`h01: with the access ${access} the handler may do what the guide lists, whatever a grant says`, async (t) => {
    const h = await deployed(t, { handler: ASKS_S3, storage: access === "upload-only" ? {} : { Access: access } });
    const body = JSON.stringify(ASKED.map(([, ...request]) => request));
    const answer = await h.ask({ method: "POST", path: "/k?uploads", body, headers: onlyAtOrigin(CALL) });
    const statuses = JSON.parse(answer.text);
    const found = ASKED.map(([, method, path, query], at) => [method, path, query, statuses[at]]);
    // What the harness does not know as an operation of S3's is refused, too, in words of its own.
    const refused = (query) => (query === "policy=" ? 501 : 403);
    const expected = ASKED.map(([from, method, path, query]) => [
      method,
      path,
      query,
      may.includes(from) ? 200 : refused(query),
    ]);
    assert.deepEqual(found, expected, JSON.stringify(h.logged));
  });
}

test("the router may call the handler's URL, and the authorizer may not", async (t) => {
  const h = await deployed(t);
  const answer = await h.ask({ method: "POST", path: "/k?uploads", body: "abc", headers: onlyAtOrigin(CALL) });
  assert.equal(answer.status, 200, JSON.stringify(h.logged));
  assert.equal(Buffer.from(JSON.parse(answer.text).body, "base64").toString(), "abc");
  const domain = JSON.parse(answer.text).requestContext.domainName;
  const other = program(`const answer = await fetch("https://${domain}/", { method: "POST", body: "abc",
    headers: signed({ host: "${domain}", service: "lambda", region: "eu-west-1", body: "abc" }) });
    return { status: "200", body: String(answer.status) }`);
  assert.equal((await h.ask({ headers: other })).text, "403");
});

test("router-signed: the router's role may write objects, and origin access control is gone", async (t) => {
  const h = await deployed(t, { storage: { DirectPath: "router-signed" }, edge: { DirectPath: "router-signed" } });
  assert.equal((await h.ask({ method: "PUT", body: "abc", headers: HANDED_ON })).status, 403);
  const answer = await h.ask({ method: "PUT", body: "abc", headers: signedByRouter({}) });
  assert.equal(answer.status, 200, JSON.stringify(h.logged));
  assert.equal(h.received.length, 1);
});

test("over plain http nothing is served, and where the operator allows it the bucket refuses what CloudFront signs", async (t) => {
  const listen = { scheme: "http" };
  const closed = await deployed(t, { listen });
  assert.equal((await closed.ask({ method: "PUT", body: "abc", headers: HANDED_ON })).status, 403);
  assert.match(closed.logged[0].reason, /https-only/);
  const open = await deployed(t, { listen, edge: { ViewerProtocolPolicy: "allow-all" } });
  assert.notEqual((await open.ask({ method: "PUT", body: "abc", headers: HANDED_ON })).status, 200);
  assert.equal(open.received.length, 0);
});

/** Deletes what the device's request names, and answers with S3's status of each. */
const DELETES = `exports.originResponse = async (event) => {
    const { request, response } = event.Records[0].cf;
    const host = "acme-ingest.s3.eu-west-1.amazonaws.com";
    const statuses = [];
    for (const path of JSON.parse(request.headers["x-delete"][0].value)) {
      const headers = signed({ method: "DELETE", host, path, service: "s3", region: "eu-west-1" });
      statuses.push((await fetch("https://" + host + path, { method: "DELETE", headers })).status);
    }
    return { ...response, headers: { "x-statuses": [{ key: "x-statuses", value: statuses.join() }] } };
  };`;

test("h01: the origin-response function deletes parts that wait for their upload, and nothing else", async (t) => {
  const h = await deployed(t, { originResponse: DELETES, storage: { Access: "data-layer" } });
  const paths = ["/.causeway/folder/00001", "/k", "/a/.causeway/k", "/.causeway2/k", "/.causeway"];
  const headers = { ...HANDED_ON, "x-delete": JSON.stringify(paths) };
  const answer = await h.ask({ method: "PUT", body: "abc", headers });
  assert.equal(answer.headers["x-statuses"], "200,403,403,403,403", JSON.stringify(h.logged));
});
