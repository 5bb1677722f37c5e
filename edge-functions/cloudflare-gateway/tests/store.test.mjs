// The built Worker on workerd with a key store that can be stopped: what is cached, and what is answered while the
// store is down. `cargo xtask test worker` runs this with workerd in $WORKERD and the Worker's folder in $WORKER.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";

import { compatibility, embedded, serve } from "./workerd.mjs";

const SECRET = "0123456789abcdef0123456789abcd";
const record = (id) => JSON.stringify({ id, secrets: [{ secret: SECRET }], grants: [{ bucket: "devices" }] });

const asked = [];
const store = createServer((request, response) => {
  const id = new URL(request.url, "http://store").pathname.slice(1);
  asked.push(id);
  if (id.startsWith("known")) response.end(record(id));
  else if (id === "garbage") response.end(`{"id": "garbage", "secrets": [{"secret": "${SECRET}"}], "grants": 1}`);
  else response.writeHead(404).end();
});
const origin = createServer((request, response) => {
  request.resume().on("end", () => response.writeHead(200, { etag: '"e"' }).end());
});

let folder;
let workerd;
let url;

async function listen(server) {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `127.0.0.1:${server.address().port}`;
}

before(async () => {
  const keys = await listen(store);
  const config = {
    key_cache: { fresh_seconds: 1, stale_seconds: 3600, negative_seconds: 10 },
    buckets: [{
      name: "devices",
      origin: { bucket: "acme-ingest", region: "eu-west-1", endpoint: `http://${await listen(origin)}`, addressing: "path" },
    }],
    hosts: [{ host: "127.0.0.1", styles: ["path"] }],
  };
  const text = (value) => JSON.stringify(value);
  folder = mkdtempSync(join(tmpdir(), "causeway-store-"));
  writeFileSync(join(folder, "config.capnp"), `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "worker", worker = .worker),
    (name = "keys", external = (address = ${text(keys)}, http = ())),
    (name = "internet", network = (allow = ["private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "worker")],
);
const worker :Workerd.Worker = (${compatibility}
  modules = [${embedded(folder)}],
  bindings = [
    (name = "KEYS", kvNamespace = "keys"),
    (name = "CAUSEWAY_CONFIG", text = ${text(JSON.stringify(config))}),
    (name = "ORIGIN_ACCESS_KEY_ID", text = "AKIATEST"),
    (name = "ORIGIN_SECRET_ACCESS_KEY", text = "a secret of the origin for tests"),
    (name = "UPLOAD_SEAL", text = ${text(JSON.stringify({ id: "u1", secret: "a secret of the gateway's for tests" }))}),
  ],
);
`);
  workerd = await serve(folder);
  url = workerd.url;
});

after(() => {
  workerd?.stop();
  for (const server of [store, origin]) {
    server.close();
    server.closeAllConnections();
  }
  rmSync(folder, { recursive: true });
});

/** Puts an object as the device with this access key id. */
async function put(id) {
  const date = new Date().toUTCString();
  const text = `PUT\n\ntext/plain\n${date}\n/devices/k`;
  const signature = createHmac("sha1", SECRET).update(text).digest("base64");
  const headers = { date, "content-type": "text/plain", authorization: `OSS ${id}:${signature}` };
  const response = await fetch(`${url}/devices/k`, { method: "PUT", headers, body: "x" });
  return { status: response.status, id: response.headers.get("x-oss-request-id"), body: await response.text() };
}

const timesAsked = (id) => asked.filter((other) => other === id).length;

test("a record is asked for once while it is fresh", async () => {
  assert.deepEqual([(await put("known-1")).status, (await put("known-1")).status], [200, 200]);
  assert.equal(timesAsked("known-1"), 1);
});

test("k02: an absent key is asked for once in ten seconds", async () => {
  for (let n = 0; n < 3; n += 1) {
    const { status, body } = await put("made-up");
    assert.equal(status, 403);
    assert.match(body, /<Code>InvalidAccessKeyId<\/Code>/);
  }
  assert.equal(timesAsked("made-up"), 1);
});

test("d13: a record that cannot be read is a 503 and a loud line without its text", async () => {
  const { status, id } = await put("garbage");
  assert.equal(status, 503);
  const entry = await workerd.logLine((line) => line.request_id === id);
  assert.deepEqual([entry.level, entry.code], ["error", "ServiceUnavailable"]);
  assert.match(entry.reason, /`garbage`/);
  assert.ok(!JSON.stringify(workerd.logged).includes(SECRET));
});

test("while the store is down known devices go on, others get a 503, and both are logged", async () => {
  assert.equal((await put("known-2")).status, 200);
  store.close();
  store.closeAllConnections();
  await setTimeout(2100);
  assert.equal((await put("known-2")).status, 200);
  await workerd.logLine((line) => line.level === "error" && /last good record/.test(line.reason));
  const { status, id, body } = await put("known-3");
  assert.equal(status, 503);
  assert.match(body, /<Code>ServiceUnavailable<\/Code>/);
  const entry = await workerd.logLine((line) => line.request_id === id);
  assert.deepEqual([entry.level, entry.status], ["error", 503]);
});
