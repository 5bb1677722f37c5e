// CloudFront's side of the origin: timeouts, attempts, names, streaming.

import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { test } from "node:test";

import { PROGRAMMABLE, harness, program } from "./support.mjs";

const HANDED_ON = "delete request.origin.s3.customHeaders['x-causeway-handler']; return request";
const originOf = ({ edge }) => edge.Resources.Distribution.Properties.DistributionConfig.Origins[0];
const readTimeout = (seconds) => (made) => (originOf(made).S3OriginConfig.OriginReadTimeout = seconds);
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

test("an origin that does not answer in time is a 504; a PUT is not tried again", async (t) => {
  const h = await harness(t, { origin: () => {}, edit: readTimeout(1) });
  const answer = await h.ask({ method: "PUT", body: "abc" });
  assert.deepEqual([answer.status, answer.headers["x-cache"], h.received.length], [504, "Error from cloudfront", 1]);
});

test("a GET is tried as often as the template says", async (t) => {
  const edit = (made) => {
    readTimeout(1)(made);
    originOf(made).ConnectionAttempts = 2;
  };
  const h = await harness(t, { origin: () => {}, edit });
  assert.equal((await h.ask({})).status, 504);
  assert.equal(h.received.length, 2);
});

test("the time counts anew with every piece of an answer, and an answer that stops is cut off", async (t) => {
  const origin = async (incoming, outgoing) => {
    outgoing.writeHead(200, { "Content-Length": "6" });
    for (const piece of incoming.url.endsWith("stops") ? ["a", "b"] : ["a", "b", "c", "d", "e", "f"]) {
      outgoing.write(piece);
      await sleep(400);
    }
  };
  const h = await harness(t, { origin, edit: readTimeout(1) });
  assert.equal((await h.ask({ path: "/goes-on" })).text, "abcdef");
  await assert.rejects(h.ask({ path: "/stops" }), /aborted/);
});

test("a viewer that is slow to send does not use up the origin's time", async (t) => {
  const h = await harness(t, { edit: readTimeout(1) });
  const outgoing = request(`${h.url}/k`, { method: "PUT", headers: { "Content-Length": "2" } });
  outgoing.write("a");
  await sleep(1500);
  outgoing.end("b");
  const [incoming] = await once(outgoing, "response");
  assert.equal(incoming.statusCode, 200);
  incoming.resume();
});

test("a custom origin has the read timeout that the function gives it", async (t) => {
  const source = PROGRAMMABLE;
  const h = await harness(t, {
    functions: { "origin-request": source, handler: "exports.handler = () => new Promise(() => {})" },
    edit: slowHandler,
  });
  const code = `const domainName = request.origin.s3.customHeaders["x-causeway-handler"][0].value;
    request.headers.host = [{ value: domainName }];
    request.origin = { custom: { customHeaders: {}, domainName, keepaliveTimeout: 5, path: "", port: 443, protocol: "https", readTimeout: 4, sslProtocols: ["TLSv1.2"] } };
    return request`;
  const began = Date.now();
  assert.equal((await h.ask({ method: "POST", body: "a", headers: program(code) })).status, 504);
  assert.ok(Date.now() - began >= 4000 && Date.now() - began < 9000);
});

function slowHandler({ storage }) {
  storage.Resources.HandlerUrl.Properties.AuthType = "NONE";
  storage.Resources.Handler.Properties.Timeout = 10;
}

test("a name that does not resolve, another port and plain http to a function URL are a 502", async (t) => {
  const h = await harness(t, { functions: { "origin-request": PROGRAMMABLE } });
  const to = (
    more,
  ) => `request.origin = { custom: { customHeaders: {}, domainName: "acme-ingest.s3.eu-west-1.amazonaws.com", keepaliveTimeout: 5,
    path: "", port: 443, protocol: "https", readTimeout: 30, sslProtocols: ["TLSv1.2"], ${more} } }; return request`;
  for (const [more, reason] of [
    ["domainName: 'example.com'", /resolve/],
    ["port: 8443", /nothing answers https on port 8443/],
    ["protocol: 'http', port: 80, domainName: 'a.lambda-url.eu-west-1.on.aws'", /nothing answers http on port 80/],
  ]) {
    const answer = await h.ask({ method: "PUT", body: "a", headers: program(to(more)) });
    assert.equal(answer.status, 502, more);
    assert.match(h.logged.at(-1).reason, reason);
  }
});

test("the paths of the distribution and of the function's origin stand before the viewer's", async (t) => {
  const h = await harness(t, {
    functions: { "origin-request": PROGRAMMABLE },
    edit: (made) => (originOf(made).OriginPath = "/fleet"),
  });
  assert.equal((await h.ask({ method: "PUT", path: "/k", body: "", headers: program(HANDED_ON) })).status, 200);
  assert.equal(
    (
      await h.ask({
        method: "PUT",
        path: "/k",
        body: "",
        headers: program(`request.origin.s3.path = "/other"; ${HANDED_ON}`),
      })
    ).status,
    200,
  );
  assert.deepEqual(
    h.received.map(({ target }) => target),
    ["/data/fleet/k", "/data/other/k"],
  );
});

test("custom headers that a function leaves go to the origin, in the place of the viewer's", async (t) => {
  const h = await harness(t);
  await h.ask({ method: "PUT", body: "", headers: { "X-Causeway-Handler": "forged" } });
  assert.match(h.received[0].headers["x-causeway-handler"], /lambda-url/);
});

test("an answer that S3 gives before it has read the body arrives", async (t) => {
  // Three parameters: this origin does not read the body before it answers.
  const origin = (_, outgoing, body) => {
    outgoing.writeHead(403, { "Content-Length": "2" });
    outgoing.end("no");
    // Whoever has the whole answer need not send the rest.
    body.on("error", () => {}).resume();
  };
  const h = await harness(t, { origin });
  const outgoing = request(`${h.url}/k`, { method: "PUT", headers: { "Content-Length": "3000000" } });
  outgoing.write(Buffer.alloc(1_000_000));
  const [incoming] = await once(outgoing, "response");
  assert.equal(incoming.statusCode, 403);
  outgoing.end(Buffer.alloc(2_000_000));
  assert.equal((await incoming.toArray()).join(), "no");
});

test("a viewer that goes away in the middle of its body leaves no request at S3 that looks complete", async (t) => {
  let ended;
  const gone = new Promise((resolve) => (ended = resolve));
  const origin = (incoming, _, body) => {
    body.resume();
    incoming.on("close", () => ended(incoming.complete));
  };
  const h = await harness(t, { origin });
  const outgoing = request(`${h.url}/k`, { method: "PUT", headers: { "Content-Length": "1000000" } });
  outgoing.on("error", () => {});
  outgoing.write(Buffer.alloc(100_000));
  await sleep(300);
  outgoing.destroy();
  assert.equal(await gone, false);
});

const GIB = process.env.CAUSEWAY_TEST_LONG ? 1 : 0.0625;
test(`a body of ${GIB} GiB goes to S3 and back with its length, in flat memory`, async (t) => {
  const piece = Buffer.alloc(1 << 20, "x");
  const total = GIB * 1024 * piece.length;
  let stored = 0;
  const origin = async (incoming, outgoing, body) => {
    if (incoming.method === "GET") {
      outgoing.writeHead(200, { "Content-Length": String(total) });
      for (let sent = 0; sent < total; sent += piece.length) if (!outgoing.write(piece)) await once(outgoing, "drain");
      outgoing.end();
      return;
    }
    assert.equal(incoming.headers["content-length"], String(total));
    for await (const chunk of body) stored += chunk.length;
    outgoing.end();
  };
  const h = await harness(t, {
    origin,
    functions: { "origin-request": PROGRAMMABLE },
    includeBody: ["origin-request"],
  });
  let most = 0;
  const watching = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 50);
  t.after(() => clearInterval(watching));
  const before = process.memoryUsage.rss();

  const outgoing = request(`${h.url}/k`, {
    method: "PUT",
    headers: { "Content-Length": String(total), ...program(HANDED_ON) },
  });
  const answered = once(outgoing, "response");
  for (let sent = 0; sent < total; sent += piece.length) if (!outgoing.write(piece)) await once(outgoing, "drain");
  outgoing.end();
  const [put] = await answered;
  put.resume();
  assert.deepEqual([put.statusCode, stored], [200, total]);

  const get = request(`${h.url}/k`, { headers: program(HANDED_ON) });
  get.end();
  const [incoming] = await once(get, "response");
  assert.equal(incoming.headers["content-length"], String(total));
  let read = 0;
  for await (const chunk of incoming) read += chunk.length;
  assert.equal(read, total);
  // The viewer, CloudFront, S3's front and the origin are all in this process.
  assert.ok(most - before < 200 << 20, `${Math.round((most - before) / 2 ** 20)} MiB more`);
});
