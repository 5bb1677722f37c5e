// What edge-functions/lambda.js does for a `together`: several requests at once, and bodies that are joined from
// several sources.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";

import { folderOf, start } from "./lambda.mjs";

const KIB = 1024;
const MIB = 1024 * KIB;

let instance;
let server;
let origin;
/** The writes that arrived: their framing, and `stored`, the digest of a body that came as long as announced. */
const writes = [];
const connections = [];
const at = { writes: 0, reads: 0, mostWrites: 0, mostReads: 0 };

before(async () => {
  instance = await start(folderOf("xmlns-response-handler"));
  server = createServer(serve).on("checkContinue", serve).listen(0, "127.0.0.1");
  server.on("connection", (socket) => connections.push(socket));
  await once(server, "listening");
  origin = `http://127.0.0.1:${server.address().port}`;
});

after(() => {
  instance.stop();
  server.closeAllConnections();
  server.close();
});

/** The body of the source `number`, which no other has. */
const bytesOf = (number, length) => Buffer.alloc(length, createHash("sha256").update(String(number)).digest());

async function serve(request, response) {
  const kind = request.method === "GET" ? "reads" : "writes";
  const most = kind === "reads" ? "mostReads" : "mostWrites";
  at[kind] += 1;
  at[most] = Math.max(at[most], at[kind]);
  response.on("close", () => (at[kind] -= 1));
  await (kind === "reads" ? give(request, response) : store(request, response));
}

/** `/NUMBER/LENGTH`: the source, or `?` what else. */
async function give(request, response) {
  const { pathname, search } = new URL(request.url, origin);
  const [number, length] = pathname.slice(1).split("/").map(Number);
  if (search === "?missing") return response.writeHead(404).end("<Error/>");
  if (search === "?changed") return response.writeHead(412).end("<Error/>");
  if (search === "?silent") return;
  if (search === "?late") await setTimeout(150);
  response.writeHead(200, { "content-length": length });
  if (search !== "?broken") return response.end(bytesOf(number, length));
  response.write(bytesOf(number, length).subarray(0, length / 2));
  await setTimeout(50);
  response.destroy();
}

async function store(request, response) {
  const { url, headers } = request;
  const write = { url, length: headers["content-length"], encoding: headers["transfer-encoding"], bytes: 0 };
  writes.push(write);
  if (url === "/refused") return response.writeHead(404, { connection: "close" }).end("<NoSuchUpload/>");
  if (url === "/silent") return;
  if (url === "/at-once") {
    write.stored = digestOf([]);
    return response.writeHead(200, { etag: '"e"', connection: "close" }).end();
  }
  if (url !== "/unasked" && headers.expect === "100-continue") response.writeContinue();
  const hash = createHash("sha256");
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      hash.update(chunk);
      write.bytes += chunk.length;
      // Whoever hangs up as well may not be heard at all: that is a failure.
      if (url === "/stops" && write.bytes > MIB) {
        response.writeHead(503, { "content-length": 11 }).write("<SlowDown/>");
        break;
      }
      if (url === "/slow" && write.bytes % 17 === 0) await setTimeout(5);
    }
    if (response.headersSent) return request.on("data", () => {});
  } catch {
    // As S3: what does not come whole is not stored.
    write.cut = true;
    return;
  }
  await setTimeout(url === "/slow" ? 100 : 0);
  write.stored = hash.digest("hex");
  response.writeHead(200, { etag: '"e"' }).end();
}

/** An entry that joins sources: `[number, length, what else]`. */
const joined = (path, sources, more) => ({
  send: {
    method: "PUT", url: origin + path, headers: { authorization: "a" }, body: null, most_bytes: 1000,
    timeout_ms: 20_000,
    sources: sources.map(([number, length, search = ""]) => ({
      url: `${origin}/${number}/${length}${search}`, headers: { "if-match": '"e"' },
    })),
    bytes: sources.reduce((sum, [, length]) => sum + length, 0),
    ...more,
  },
});
const plain = (method, path, more) => ({
  send: { method, url: origin + path, headers: {}, body: null, most_bytes: 1000, timeout_ms: 20_000, ...more },
});
const digestOf = (sources) => {
  const hash = createHash("sha256");
  for (const [number, length] of sources) hash.update(bytesOf(number, length));
  return hash.digest("hex");
};

/** What the conversation is told of these entries. */
async function together(...entries) {
  writes.length = 0;
  const { result } = await instance.invoke({ play: [{ together: entries }] });
  return result.answers.at(-1).answers;
}

/** What became of the one write, once the origin knows. */
async function write() {
  for (const deadline = Date.now() + 5000; Date.now() < deadline; await setTimeout(5)) {
    if (writes[0].stored !== undefined || writes[0].cut) break;
  }
  return writes[0];
}

test("an origin that asks for no empty body, answers at once and hangs up has stored it", async () => {
  for (let time = 0; time < 20; time += 1) {
    const [answer] = await together(joined("/at-once", [[1, 0], [2, 0]]));
    assert.equal(answer.status, 200, JSON.stringify(answer));
    const { length, encoding } = await write();
    assert.deepEqual([length, encoding], ["0", undefined]);
  }
});

test("a source of an empty body that is not empty is not sent", async () => {
  const entry = joined("/part", [[1, 0]]);
  entry.send.sources[0].url = `${origin}/1/5`;
  assert.deepEqual(await together(entry), [{ source: 200 }]);
  assert.deepEqual(writes, []);
});

test("the bodies of the sources become one body of a known length, in their order", async () => {
  for (const sources of [
    [[1, 5 * MIB]],
    [[1, 100 * KIB], [2, 1], [3, 0], [4, 3 * MIB + 7], [5, 100 * KIB]],
    [[2, 100], [1, 100], [3, 100], [1, 100]],
    [[1, 0], [2, 10], [3, 0]],
    // The first are the last to answer.
    [[1, 1000, "?late"], [2, 1000], [3, 1000, "?late"], [4, 1000], [5, 1000], [6, 1000], [7, 1000]],
  ]) {
    const [answer] = await together(joined("/part", sources));
    assert.deepEqual([answer.status, answer.headers.etag], [200, '"e"']);
    const { length, encoding, stored } = writes[0];
    assert.deepEqual(
      [length, encoding, stored],
      [String(sources.reduce((sum, [, size]) => sum + size, 0)), undefined, digestOf(sources)],
    );
  }
});

test("answers come in the order of the entries, and one without sources is an ordinary request", async () => {
  const body = Buffer.from("record").toString("base64");
  const answers = await together(
    joined("/a", [[1, 1000, "?late"]]), plain("GET", "/7/10"), plain("PUT", "/record", { body }),
    plain("GET", "/8/10?missing"), plain("GET", "", { url: "http://" }),
  );
  assert.deepEqual(answers.map(({ status, failed }) => status ?? failed), [200, 200, 200, 404, "ERR_INVALID_URL"]);
  assert.deepEqual(Buffer.from(answers[1].body, "base64"), bytesOf(7, 10));
  assert.deepEqual(writes.map(({ url }) => url).sort(), ["/a", "/record"]);
});

test("a source that is not there, or no longer the same, leaves nothing stored and is told by its status", async () => {
  for (const [search, status] of [["?missing", 404], ["?changed", 412]]) {
    for (const place of [0, 3, 9]) {
      const sources = Array.from({ length: 10 }, (_, number) => [number, 600 * KIB, number === place ? search : ""]);
      assert.deepEqual(await together(joined("/part", sources)), [{ source: status }], `${search} ${place}`);
      const { stored, bytes } = await write();
      assert.equal(stored, undefined);
      assert.ok(bytes <= place * 600 * KIB);
    }
  }
});

test("sources that are together longer or shorter than stated leave nothing stored", async () => {
  const sources = [[1, 2 * MIB], [2, 2 * MIB], [3, 2 * MIB]];
  for (const wrong of [6 * MIB - 1, 6 * MIB + 1, 4 * MIB, 4 * MIB - 1, 2 * MIB, 1]) {
    const [answer] = await together(joined("/part", sources, { bytes: wrong }));
    assert.deepEqual(answer, { source: 200 }, String(wrong));
    const { stored, bytes, length } = await write();
    assert.deepEqual([stored, length], [undefined, String(wrong)]);
    assert.ok(bytes < wrong, `${bytes} of ${wrong}`);
  }
});

test("a source that breaks off leaves nothing stored", async () => {
  for (const place of [0, 2]) {
    const sources = [1, 2, 3].map((number) => [number, MIB, number === place + 1 ? "?broken" : ""]);
    assert.deepEqual(await together(joined("/part", sources)), [{ failed: "ECONNRESET" }]);
    assert.equal((await write()).stored, undefined);
  }
});

test("what takes longer than its time has failed, whichever side is silent, and nothing is stored", async () => {
  const sources = [[1, MIB], [2, MIB, "?silent"]];
  assert.deepEqual(await together(joined("/part", sources, { timeout_ms: 300 })), [{ failed: "TimeoutError" }]);
  assert.equal((await write()).stored, undefined);
  assert.deepEqual(await together(joined("/silent", [[1, 10]], { timeout_ms: 300 })), [{ failed: "TimeoutError" }]);
  assert.equal(at.writes + at.reads <= 3, true, JSON.stringify(at));
});

test("the time of an entry counts from the step on, also while it waits for its turn", async () => {
  const begun = Date.now();
  const silent = Array.from({ length: 20 }, () => plain("GET", "/1/1?silent", { timeout_ms: 400 }));
  const answers = await together(...silent);
  assert.deepEqual(new Set(answers.map(({ failed }) => failed)), new Set(["TimeoutError"]));
  assert.ok(Date.now() - begun < 1500, `${Date.now() - begun} ms`);
});

test("an origin that refuses a join is heard before a byte of it is sent", async () => {
  const [answer] = await together(joined("/refused", [[1, 5 * MIB], [2, 5 * MIB]]));
  assert.equal(answer.status, 404);
  assert.equal(Buffer.from(answer.body, "base64").toString(), "<NoSuchUpload/>");
  assert.equal(writes[0].bytes, 0);
});

test("an origin that asks for no body is given it all the same", async () => {
  const sources = [[1, MIB], [2, MIB]];
  assert.equal((await together(joined("/unasked", sources)))[0].status, 200);
  assert.equal(writes[0].stored, digestOf(sources));
});

test("an origin's answer in the middle of a body is the answer, and the rest is not sent", async () => {
  const [answer] = await together(joined("/stops", Array.from({ length: 20 }, (_, number) => [number, MIB])));
  assert.equal(answer.status, 503, JSON.stringify(answer));
  assert.ok(writes[0].bytes < 10 * MIB, `${writes[0].bytes}`);
});

test("eight are under way at once, and four sources of each", async () => {
  Object.assign(at, { mostWrites: 0, mostReads: 0 });
  const sources = Array.from({ length: 12 }, (_, number) => [number, 10 * KIB, "?late"]);
  const answers = await together(...Array.from({ length: 20 }, () => joined("/slow", sources)));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  assert.deepEqual([at.mostWrites, at.mostReads <= 32 && at.mostReads > 8], [8, true], JSON.stringify(at));
});

test("the connections to the sources are used again, and closed behind the event", async () => {
  const before = connections.length;
  const sources = Array.from({ length: 1000 }, (_, number) => [number, 5 * KIB + number]);
  assert.equal((await together(joined("/part", sources)))[0].status, 200);
  assert.equal(writes[0].stored, digestOf(sources));
  assert.ok(connections.length - before <= 10, `${connections.length - before} connections`);
  for (const deadline = Date.now() + 2000; Date.now() < deadline; await setTimeout(5)) {
    if (connections.every(({ destroyed }) => destroyed)) break;
  }
  assert.equal(connections.filter(({ destroyed }) => !destroyed).length, 0);
});

test("memory stays flat: for an origin that is slow, for many sources and for many joins", async () => {
  const small = Array.from({ length: 1000 }, (_, number) => [number, 100 * KIB]);
  const large = Array.from({ length: 8 }, (_, number) => [number, 5 * MIB - 1]);
  const entries = [joined("/part", small), ...Array.from({ length: 7 }, () => joined("/slow", large))];
  const { memory: first } = await instance.invoke({ play: [{ together: entries.slice(0, 1) }] });
  writes.length = 0;
  const { memory, result } = await instance.invoke({ play: [{ together: [...entries, ...entries] }] });
  assert.deepEqual(new Set(result.answers.at(-1).answers.map(({ status }) => status)), new Set([200]));
  // 760 MiB went through.
  assert.ok(memory - first < 48 * MIB, `${(memory - first) / MIB} MiB more than ${first / MIB}`);
});
