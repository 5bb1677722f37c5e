// join.js on workerd, in front of an origin that fails in every way: what is sent on is whole or broken off.
// `cargo xtask test worker` runs this with the workerd program in $WORKERD.

import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { gzipSync } from "node:zlib";

import { compatibility, serve } from "./workerd.mjs";

// Passes tasks on to join.js, several at once, and logs what nobody caught.
const WORKER = `
import { join } from "./join.js";
for (const type of ["error", "unhandledrejection"]) {
  addEventListener(type, (event) => console.log(JSON.stringify({ uncaught: String(event.error ?? event.reason) })));
}
async function done({ url, length, sources, ahead = 1, milliseconds = 20_000 }) {
  try {
    const request = new Request(url, { method: "PUT", redirect: "manual" });
    const asked = sources.map((source) => new Request(source, { redirect: "manual", cache: "no-store" }));
    const answer = await join(request, BigInt(length), asked, ahead, milliseconds);
    return typeof answer === "number" ? { source: answer } : { status: answer.status, body: await answer.text() };
  } catch (error) {
    return { failed: String(error) };
  }
}
export default {
  async fetch(request) {
    return Response.json(await Promise.all((await request.json()).map(done)));
  },
};
`;

const CONFIG = `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "worker", worker = .worker), (name = "internet", network = (allow = ["private"]))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "worker")],
);
const worker :Workerd.Worker = (${compatibility}
  modules = [(name = "index.js", esModule = embed "index.js"), (name = "join.js", esModule = embed "join.js")],
);
`;

/** What the origin stored whole, by path. */
const stored = new Map();
/** Requests whose connection ended before they did, by path. */
const broken = [];
/** Sources that are being answered, and the most that were at once. */
let waiting = 0;
let most = 0;

/** Each byte of a source is its number. */
const content = (number, bytes) => Buffer.alloc(Number(bytes), Number(number));
const compressed = gzipSync(content(1, 70_000));

const origin = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, "http://origin");
  const [, kind, number, bytes] = pathname.split("/");
  response.on("close", () => response.writableFinished || broken.push(pathname));
  if (request.method === "PUT") {
    if (kind === "refuses" || kind === "hangs-up") {
      // In the middle of its body.
      await setTimeout(100);
      if (kind === "hangs-up") return request.destroy();
      return response.writeHead(403, { "content-length": 8 }).write("<Error/>");
    }
    let body;
    try {
      body = Buffer.concat(await request.toArray());
    } catch {
      return undefined;
    }
    if (kind === "never-answers") return undefined;
    assert.equal(Number(request.headers["content-length"]), body.length);
    stored.set(pathname, body);
    return response.end("<ok/>");
  }
  most = Math.max(most, ++waiting);
  await setTimeout(20);
  waiting -= 1;
  if (kind === "gone") return response.writeHead(404).end("<Error/>");
  const body = kind === "gzip" ? compressed : content(number, bytes);
  const labels = kind === "gzip" || kind === "labelled" ? { "content-encoding": "gzip" } : {};
  response.writeHead(kind === "range" ? 206 : 200, { "content-length": body.length, ...labels });
  if (["part", "range", "gzip", "labelled"].includes(kind)) return response.end(body);
  response.write(body.subarray(1));
  // "stalls" stays like that.
  return kind === "breaks" && setTimeout(20).then(() => response.destroy());
});

let folder;
let workerd;
let base;

before(async () => {
  await new Promise((resolve) => origin.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${origin.address().port}`;
  folder = mkdtempSync(join(tmpdir(), "causeway-join-"));
  copyFileSync(new URL("../join.js", import.meta.url), join(folder, "join.js"));
  writeFileSync(join(folder, "index.js"), WORKER);
  writeFileSync(join(folder, "config.capnp"), CONFIG);
  workerd = await serve(folder);
});

after(() => {
  workerd?.stop();
  origin.close();
  origin.closeAllConnections();
  rmSync(folder, { recursive: true });
});

beforeEach(() => {
  stored.clear();
  broken.length = 0;
  most = 0;
});

async function joinAll(...tasks) {
  const wanted = tasks.map(({ url, sources, ...rest }) => {
    return { url: base + url, sources: sources.map((source) => base + source), ...rest };
  });
  const response = await fetch(workerd.url, { method: "POST", body: JSON.stringify(wanted) });
  return response.json();
}

/** Does one task, and looks that nothing of it is left behind. */
async function joined(task) {
  const [outcome] = await joinAll(task);
  await setTimeout(100);
  assert.deepEqual(workerd.logged, []);
  return outcome;
}

test("the bodies of the sources are stored one behind the other", async () => {
  const sources = ["/part/1/70000", "/part/2/1", "/part/3/0", "/part/4/300000"];
  const outcome = await joined({ url: "/whole", length: 370_001, sources });
  assert.deepEqual(outcome, { status: 200, body: "<ok/>" });
  const expected = [content(1, 70_000), content(2, 1), content(4, 300_000)];
  assert.ok(stored.get("/whole").equals(Buffer.concat(expected)));
});

test("a source may be a range of what is there", async () => {
  const outcome = await joined({ url: "/whole", length: 70_000, sources: ["/range/1/70000"] });
  assert.deepEqual(outcome, { status: 200, body: "<ok/>" });
  assert.ok(stored.get("/whole").equals(content(1, 70_000)));
});

test("what a source is labelled as changes none of its bytes", async () => {
  const length = compressed.length + 10;
  const outcome = await joined({ url: "/whole", length, sources: ["/gzip", "/labelled/2/10"] });
  assert.deepEqual(outcome, { status: 200, body: "<ok/>" });
  assert.ok(stored.get("/whole").equals(Buffer.concat([compressed, content(2, 10)])));
});

for (const sources of [
  ["/gone", "/part/1/10"],
  ["/part/1/70000", "/gone", "/part/2/10"],
  ["/part/1/70000", "/gone"],
]) {
  test(`a source that is not there is told, and nothing stored: ${sources}`, async () => {
    assert.deepEqual(await joined({ url: "/whole", length: 70_010, sources }), { source: 404 });
    assert.deepEqual([...stored.keys()], []);
  });
}

for (const [why, sources] of Object.entries({
  "one of them breaks off": ["/part/1/70000", "/breaks/2/10"],
  "they are too short together": ["/part/1/70000", "/part/2/9"],
  "they are too long together": ["/part/1/70000", "/part/2/11"],
  "the first is too long already": ["/part/1/70011", "/part/2/10"],
})) {
  test(`nothing is stored where ${why}`, async () => {
    const { failed } = await joined({ url: "/whole", length: 70_010, sources });
    assert.match(failed, /./);
    assert.deepEqual([...stored.keys()], []);
  });
}

test("a request that is refused in the middle of its body is answered, and its sources are let go", async () => {
  const sources = ["/part/1/100000", "/stalls/2/10", "/part/3/10"];
  const outcome = await joined({ url: "/refuses", length: 100_020, sources });
  assert.deepEqual(outcome, { status: 403, body: "<Error/>" });
  assert.ok(broken.includes("/stalls/2/10"), broken.join());
});

test("a request whose connection breaks has failed, and its sources are let go", async () => {
  const { failed } = await joined({ url: "/hangs-up", length: 70_010, sources: ["/stalls/1/70000", "/part/2/10"] });
  assert.match(failed, /connection/i);
  assert.ok(broken.includes("/stalls/1/70000"), broken.join());
});

for (const [who, url, last] of [["a source", "/whole", "/stalls/2/10"], ["the answer", "/never-answers", "/part/2/10"]]) {
  test(`${who} is not waited for longer than there is time`, async () => {
    const task = { url, length: 70_010, sources: ["/part/1/70000", last], milliseconds: 300 };
    const { failed } = await joined(task);
    assert.match(failed, /timeout/i);
    assert.ok(broken.includes(url), broken.join());
    assert.deepEqual([...stored.keys()], []);
  });
}

test("no more sources wait for their answers at once than may", async () => {
  const sources = Array.from({ length: 40 }, (_, at) => `/part/${at}/1000`);
  for (const ahead of [1, 5]) {
    most = 0;
    const { status } = await joined({ url: `/${ahead}`, length: 40_000, sources, ahead });
    assert.deepEqual([status, most], [200, ahead]);
  }
});

test("three at once use all connections that the platform has, and come to their ends", async () => {
  const sources = Array.from({ length: 20 }, (_, at) => `/part/${at}/100000`);
  const tasks = [1, 2, 3].map((at) => ({ url: `/${at}`, length: 2_000_000, sources }));
  const outcomes = await joinAll(...tasks);
  assert.deepEqual(outcomes.map(({ status }) => status), [200, 200, 200]);
  assert.equal(stored.size, 3);
});
