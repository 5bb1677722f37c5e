// index.js on workerd: a wasm trap costs the request that it happened in and no other.
//
// The wasm is one function that traps; a glue.js of the test's own says when. `cargo xtask test worker` runs this
// with the workerd program in $WORKERD.

import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";

import { compatibility, serve, wrangler } from "./workerd.mjs";

// (module (func (export "trap") unreachable))
const WASM = Buffer.from("0061736d0100000001040160000003020100070801047472617000000a05010300000b", "hex");

// Answers with the number of the instance, after a trap or an error, or after a while.
const GLUE = `
let instances = 0;
export function instantiate(module) {
  const number = ++instances;
  const { trap } = new WebAssembly.Instance(module).exports;
  return {
    fetch(request) {
      if (new URL(request.url).pathname === "/trap-at-once") trap();
      return this.answer(request);
    },
    async answer(request) {
      const path = new URL(request.url).pathname;
      if (path === "/refused") throw new TypeError("Invalid header value.");
      if (path === "/trap-in-a-future") return new Promise(() => queueMicrotask(trap));
      if (path === "/slow") await scheduler.wait(500);
      return new Response(String(number));
    },
  };
}
`;

const CONFIG = `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "worker", worker = .worker)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "worker")],
);
const worker :Workerd.Worker = (${compatibility}
  modules = [
    (name = "index.js", esModule = embed "index.js"),
    (name = "glue.js", esModule = embed "glue.js"),
    (name = "index_bg.wasm", wasm = embed "index_bg.wasm"),
  ],
);
`;

let folder;
let workerd;
let url;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "causeway-entry-"));
  copyFileSync(new URL("../index.js", import.meta.url), join(folder, "index.js"));
  writeFileSync(join(folder, "glue.js"), GLUE);
  writeFileSync(join(folder, "index_bg.wasm"), WASM);
  writeFileSync(join(folder, "config.capnp"), CONFIG);
  workerd = await serve(folder);
  url = workerd.url;
});

after(() => {
  workerd?.stop();
  rmSync(folder, { recursive: true });
});

const instance = async () => Number(await (await fetch(`${url}/`)).text());

for (const path of ["/trap-at-once", "/trap-in-a-future"]) {
  test(`${path.slice(1)} is answered with OSS's InternalError, and logged`, async () => {
    const response = await fetch(url + path, { method: "PUT", body: "x" });
    const body = await response.text();
    const id = response.headers.get("x-oss-request-id");
    assert.equal(response.status, 500);
    assert.match(id, /^[0-9A-F]{24}$/);
    assert.ok(!Number.isNaN(Date.parse(response.headers.get("date"))));
    assert.match(body, /<Code>InternalError<\/Code>/);
    assert.ok(body.includes(`<RequestId>${id}</RequestId>`) && body.includes("<HostId>127.0.0.1:"));
    const entry = await workerd.logLine((line) => line.request_id === id);
    assert.deepEqual([entry.status, entry.level, entry.method], [500, "error", "PUT"]);
    assert.match(entry.reason, /RuntimeError: unreachable/);
  });
}

test("a HEAD has the error document in x-oss-err", async () => {
  const response = await fetch(`${url}/trap-at-once`, { method: "HEAD" });
  assert.equal(response.status, 500);
  assert.match(atob(response.headers.get("x-oss-err")), /<Code>InternalError<\/Code>/);
});

test("an answer that the platform refuses is InternalError, and costs no instance", async () => {
  const old = await instance();
  const response = await fetch(`${url}/refused`);
  const id = response.headers.get("x-oss-request-id");
  assert.equal(response.status, 500);
  assert.match(await response.text(), /<Code>InternalError<\/Code>/);
  const entry = await workerd.logLine((line) => line.request_id === id);
  assert.equal(entry.reason, "no answer could be made: TypeError: Invalid header value.");
  assert.equal(await instance(), old);
});

test("requests after a trap get a new instance, and keep it", async () => {
  const old = await instance();
  await fetch(`${url}/trap-in-a-future`);
  const fresh = await instance();
  assert.equal(fresh, old + 1);
  assert.equal(await instance(), fresh);
});

test("a request in flight finishes on its instance while another one traps", async () => {
  const old = await instance();
  const slow = fetch(`${url}/slow`);
  await setTimeout(100);
  assert.equal((await fetch(`${url}/trap-in-a-future`)).status, 500);
  const response = await slow;
  assert.deepEqual([response.status, Number(await response.text())], [200, old]);
});

test("a Host with markup cannot write into the error document", async () => {
  const { request } = await import("node:http");
  const body = await new Promise((resolve, reject) => {
    const options = { headers: { host: "a<b>&c" } };
    request(`${url}/trap-at-once`, options, async (response) => {
      resolve(Buffer.concat(await response.toArray()).toString());
    }).on("error", reject).end();
  });
  assert.ok(!body.includes("<b>"), body);
});

test("l02: the platform keeps no URLs of presigned requests beside the gateway's own log lines", () => {
  const [, observability] = /^\[observability[^\]]*\]\n([^[]*)/m.exec(wrangler);
  assert.match(observability, /^invocation_logs = false$/m);
  assert.equal(wrangler.match(/^\[observability/gm).length, 1);
});
