// edge-functions/lambda.js and the entries around it, with a fake in the place of the wasm.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";

import { environment, folderOf, start } from "./lambda.mjs";

let instance;
let server;
let origin;
const requests = [];
const connections = [];

before(async () => {
  instance = await start(folderOf("xmlns-response-handler"));
  server = createServer(async (request, response) => {
    const { method, url, headers } = request;
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    requests.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
    if (url === "/redirect") return response.writeHead(307, { Location: "/elsewhere" }).end("moved");
    if (url === "/empty") return response.writeHead(204, { "X-Amz-Request-Id": "EXAMPLE" }).end();
    if (url === "/silent") return;
    if (url === "/late") await setTimeout(3500);
    if (url === "/hangs-up") return request.socket.destroy();
    if (url === "/once" && request.socket.used) return request.socket.destroy();
    request.socket.used = true;
    if (url === "/repeated") response.setHeader("x-amz-meta-a", ["1", "2"]).setHeader("set-cookie", ["a", "b"]);
    if (url === "/slow") return response.write("begun");
    if (url === "/endless") return endless(response);
    response.writeHead(200, { "X-Amz-Request-Id": "EXAMPLE" }).end("<Ok/>");
  }).listen(0, "127.0.0.1");
  server.on("connection", (socket) => connections.push(socket));
  await once(server, "listening");
  origin = `http://127.0.0.1:${server.address().port}`;
});

after(() => {
  instance.stop();
  server.closeAllConnections();
  server.close();
});

async function endless(response) {
  for (response.on("close", () => (response.gone = true)); !response.gone; await setTimeout(1)) {
    response.write(Buffer.alloc(64 * 1024));
  }
  requests.at(-1).cutOff = true;
}

const to = (path, more) => ({
  send: { method: "GET", url: origin + path, headers: {}, body: null, most_bytes: 1000, timeout_ms: 5000, ...more },
});

/** The answer that the conversation is given for one fetch. */
async function answerTo(...play) {
  const { result } = await instance.invoke({ play });
  return result.answers.at(-1);
}

test("what the conversation ends with is returned, and its log line is written once", async () => {
  const before = instance.lines.length;
  const request = { method: "PUT", uri: "/a" };
  const { result, log } = await instance.invoke({ play: [{ request, log: { level: "info", key: "a" } }] });
  assert.deepEqual(result, request);
  const { time, milliseconds, ...rest } = log;
  assert.ok(Math.abs(Date.now() - Date.parse(time)) < 60_000 && /Z$/.test(time), time);
  assert.ok(milliseconds >= 0 && milliseconds < 60_000, String(milliseconds));
  assert.deepEqual(rest, { level: "info", key: "a" });
  await setTimeout(100);
  assert.equal(instance.lines.length, before + 1);
});

test("the conversation is told the role's credentials, the region and the time, and is freed", async () => {
  for (const _ of [1, 2, 3]) {
    const { result } = await instance.invoke({ play: [] });
    assert.deepEqual(result.environment, {
      access_key_id: environment.AWS_ACCESS_KEY_ID,
      secret_access_key: environment.AWS_SECRET_ACCESS_KEY,
      session_token: environment.AWS_SESSION_TOKEN,
      region: "eu-central-1",
    });
    assert.ok(Math.abs(Date.now() / 1000 - result.now) < 60);
    assert.equal(result.open, 1);
  }
});

test("a fetch sends what it is told, and gives status, lower-case header names and the body", async () => {
  const body = Buffer.from("<Part/>").toString("base64");
  const headers = { authorization: "AWS4-HMAC-SHA256 Credential=AKIA", "x-amz-date": "20240501T123456Z" };
  const answer = await answerTo(to("/bucket/a%20b?uploads=", { method: "POST", headers, body }));
  assert.equal(answer.status, 200);
  assert.equal(answer.headers["x-amz-request-id"], "EXAMPLE");
  assert.equal(Buffer.from(answer.body, "base64").toString(), "<Ok/>");
  const sent = requests.at(-1);
  assert.deepEqual([sent.method, sent.url, sent.body], ["POST", "/bucket/a%20b?uploads=", "<Part/>"]);
  assert.equal(sent.headers.authorization, headers.authorization);
  assert.equal(sent.headers["x-amz-date"], headers["x-amz-date"]);
  assert.equal(sent.headers["content-length"], "7");
});

test("the reads of one event share a connection, and none is kept for an instance that may be frozen next", async () => {
  const before = connections.length;
  const { result } = await instance.invoke({ play: [to("/"), to("/"), to("/")] });
  assert.deepEqual(result.answers.map(({ status }) => status), [200, 200, 200]);
  assert.equal(connections.length, before + 1);
  for (const deadline = Date.now() + 2000; !connections.at(-1).destroyed && Date.now() < deadline;) await setTimeout(5);
  assert.ok(connections.at(-1).destroyed);
});

test("a write has a connection of its own", async () => {
  for (const method of ["PUT", "POST", "DELETE"]) {
    const before = connections.length;
    await instance.invoke({ play: [to("/"), to("/", { method })] });
    assert.equal(connections.length, before + 2, method);
    assert.deepEqual([requests.at(-1).method, requests.at(-1).headers.connection], [method, "close"]);
  }
});

test("a read that meets a connection which is just being closed is sent again, a write is not", async () => {
  const { result } = await instance.invoke({ play: [to("/"), to("/once"), to("/once"), to("/")] });
  assert.deepEqual(result.answers.map(({ status }) => status), [200, 200, 200, 200]);
  assert.deepEqual(await answerTo(to("/hangs-up")), { failed: "ECONNRESET" });
  const before = requests.length;
  assert.deepEqual(await answerTo(to("/"), to("/hangs-up", { method: "POST" })), { failed: "ECONNRESET" });
  assert.equal(requests.length, before + 2);
});

test("an answer may take longer than a connection is kept for the next one", async () => {
  assert.equal((await answerTo(to("/late"))).status, 200);
});

test("a write without a body says so", async () => {
  for (const method of ["PUT", "POST"]) {
    await answerTo(to("/", { method }));
    const { headers } = requests.at(-1);
    assert.deepEqual([headers["content-length"], headers["transfer-encoding"]], ["0", undefined], method);
  }
});

test("of the headers of an answer each is one text", async () => {
  const { headers } = await answerTo(to("/repeated"));
  assert.equal(headers["x-amz-meta-a"], "1, 2");
  assert.equal(headers["set-cookie"], "a,b");
});

test("an answer without a body is an empty one", async () => {
  const { status, body } = await answerTo(to("/empty"));
  assert.deepEqual([status, body], [204, ""]);
});

test("several fetches follow one another", async () => {
  const { result } = await instance.invoke({ play: [to("/empty"), to("/")] });
  assert.deepEqual(result.answers.map(({ status }) => status), [204, 200]);
});

test("a redirect is given and not followed", async () => {
  const count = requests.length;
  const answer = await answerTo(to("/redirect"));
  assert.deepEqual([answer.status, answer.headers.location], [307, "/elsewhere"]);
  assert.equal(requests.length, count + 1);
});

test("a body is read up to its bound and one byte more", async () => {
  const length = ({ body }) => Buffer.from(body, "base64").length;
  assert.equal(length(await answerTo(to("/", { most_bytes: 5 }))), 5);
  assert.equal(length(await answerTo(to("/", { most_bytes: 4 }))), 5);
  assert.equal(length(await answerTo(to("/", { most_bytes: 3 }))), 4);
  assert.equal(length(await answerTo(to("/endless", { most_bytes: 100_000 }))), 100_001);
  for (const deadline = Date.now() + 5000; !requests.at(-1).cutOff && Date.now() < deadline;) await setTimeout(10);
  assert.ok(requests.at(-1).cutOff, "the rest was still read");
});

test("what does not answer in time has failed, before its head as well as in its body", async () => {
  for (const path of ["/silent", "/slow"]) {
    assert.deepEqual(await answerTo(to(path, { timeout_ms: 200 })), { failed: "TimeoutError" });
  }
});

test("what cannot be fetched has failed", async () => {
  const closed = createServer().listen(0, "127.0.0.1");
  await once(closed, "listening");
  const { port } = closed.address();
  await new Promise((resolve) => closed.close(resolve));
  assert.deepEqual(await answerTo(to("", { url: `http://127.0.0.1:${port}/` })), { failed: "ECONNREFUSED" });
  assert.deepEqual(await answerTo(to("", { url: "http://" })), { failed: "ERR_INVALID_URL" });
  assert.deepEqual(await answerTo(to("/", { headers: { authorization: "a\nb" } })), { failed: "ERR_INVALID_CHAR" });
});

const edgeEvent = (play, request = { method: "PUT" }, response) => ({
  play, Records: [{ cf: { config: { requestId: "EXAMPLE" }, request, response } }],
});
// The first 12 bytes of SHA-256("EXAMPLE"), as the gateway derives the request's id.
const ID = "F2E8378C30D317ABFCDDF9E6";

test("a trap is answered with OSS's InternalError, and the next event has a new instance", async () => {
  const { instance: first } = (await instance.invoke({ play: [] })).result;
  for (const play of [["trap"], [to("/"), "trap"]]) {
    const { result, log } = await instance.invoke(edgeEvent(play));
    assert.deepEqual([result.status, result.statusDescription], ["500", "Internal Server Error"]);
    assert.equal(result.headers["x-oss-request-id"][0].value, log.request_id);
    assert.equal(result.headers["content-type"][0].value, "application/xml");
    assert.ok(Date.parse(result.headers.date[0].value));
    assert.match(result.body, /^<\?xml .*<Code>InternalError<\/Code>.*<RequestId>[0-9A-F]{24}<\/RequestId>/s);
    assert.equal(log.request_id, ID);
    assert.deepEqual([log.level, log.function, log.status], ["error", "xmlns-response-handler", 500]);
    assert.match(log.reason, /unreachable/);
  }
  const { result } = await instance.invoke({ play: [] });
  assert.equal(result.instance, first + 2);
});

test("a trap's answer to HEAD has its document in x-oss-err", async () => {
  const { result } = await instance.invoke(edgeEvent(["trap"], { method: "HEAD" }));
  assert.equal(result.body, "");
  assert.match(Buffer.from(result.headers["x-oss-err"][0].value, "base64").toString(), /<Code>InternalError</);
});

test("a trap behind the function URL is answered as a function URL answers", async () => {
  const event = { play: ["trap"], requestContext: { requestId: "EXAMPLE", http: { method: "POST" } } };
  const { result, log } = await instance.invoke(event);
  assert.equal(result.statusCode, 500);
  assert.equal(result.headers["x-oss-request-id"], ID);
  assert.match(result.body, /<Code>InternalError</);
  assert.deepEqual([log.method, log.request_id], ["POST", ID]);
});

test("a trap at origin-response leaves the headers that no function may change", async () => {
  const via = [{ key: "Via", value: "1.1 s3" }];
  const response = { status: "200", headers: { via, etag: [{ key: "ETag", value: '"e"' }] } };
  const { result, log } = await instance.invoke(edgeEvent(["trap"], { method: "GET" }, response), "originResponse");
  assert.deepEqual([result.status, log.function], ["500", "xmlns-response-handler/origin-response"]);
  assert.deepEqual([result.headers.via, result.headers.etag], [via, undefined]);
});

test("originResponse has a conversation of its own, with the role's credentials", async () => {
  const { result } = await instance.invoke(edgeEvent([to("/", { method: "DELETE" })]), "originResponse");
  assert.equal(result.at, "origin-response");
  assert.equal(result.environment.session_token, environment.AWS_SESSION_TOKEN);
  assert.equal(result.answers[0].status, 200);
  assert.equal(requests.at(-1).method, "DELETE");
});

test("lost instances do not stay in memory", async () => {
  for (let trap = 0; trap < 20; trap += 1) await instance.invoke({ play: ["trap"] });
  await instance.invoke({ play: [] });
  assert.ok((await instance.alive()) <= 2, `${await instance.alive()} instances are alive`);
});

test("an event of no known shape is answered 500", async () => {
  for (const event of [null, [], "text", { Records: [] }]) {
    const { result, log } = await instance.invoke(event);
    assert.equal(result.statusCode, 500, JSON.stringify(event));
    assert.equal(log.level, "error");
  }
});

test("each function's entry loads its own module", async () => {
  for (const name of ["viewer-request-authorizer", "multipart-initiation-router"]) {
    const one = await start(folderOf(name));
    assert.equal((await one.invoke({ play: [] })).result.instance, 1);
    const { log } = await one.invoke({ play: ["trap"] });
    assert.equal(log.function, name);
    one.stop();
  }
});

test("a configuration that is refused is told with each event, and so is a missing one", async () => {
  for (const [configuration, reason] of [['{"refused":true}', /`hosts` is empty/], [null, /ENOENT/]]) {
    const one = await start(folderOf("viewer-request-authorizer", configuration));
    for (const _ of [1, 2]) {
      const { result, log } = await one.invoke(edgeEvent([]));
      assert.equal(result.status, "500");
      assert.match(log.reason, reason);
    }
    one.stop();
  }
});

test("no secret is written, nor told as the reason of a failure", async () => {
  const headers = { authorization: "secret-of-a-request\nX" };
  const body = Buffer.from("secret-of-a-body").toString("base64");
  let told = "";
  for (const more of [{ headers }, { method: "POST", body }, { method: "GET", body }, { method: "a b", headers, body }]) {
    told += JSON.stringify(await answerTo(to("/", more)));
    await instance.invoke({ play: [to("/", more), "trap"] });
  }
  assert.match(told, /failed/);
  told += instance.lines.join("\n");
  for (const secret of ["secret-of", environment.AWS_SECRET_ACCESS_KEY, environment.AWS_SESSION_TOKEN]) {
    assert.ok(!told.includes(secret), secret);
  }
});
