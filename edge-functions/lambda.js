// What the three functions share: the loop that runs a wasm instance on Lambda's Node.js. It decides nothing.
//
// The wasm says what to fetch and what to answer (the crates beside this file tell in which words); here is
// the fetching, the log, and what becomes of a wasm trap: it leaves its instance in an unknown state, so that
// event is answered 500 and the next one gets a new instance. Lambda hands over one event at a time.
// `cargo xtask build` puts this file into each function's folder, `causeway bundle` adds causeway.json.
"use strict";

const { createHash } = require("node:crypto");
const { once } = require("node:events");
const { readFileSync } = require("node:fs");
const http = require("node:http");
const https = require("node:https");
const { createRequire } = require("node:module");
const { pipeline } = require("node:stream/promises");

/** How many requests of a `together` are under way at once. */
const TOGETHER = 8;
/** How many sources of one request are open at once: the one that is passed on, and the next ones. */
const SOURCES = 4;
/** How long a request with sources waits to be asked for its body, in milliseconds, before it sends it unasked. */
const CONTINUE_MS = 1000;
/** How long a connection is kept for the next read, in milliseconds: less than an origin keeps it. */
const KEPT_MS = 3000;

/** The handlers of the function `name`, whose wasm module exports the class `type`. */
module.exports = (name, type) => {
  const glue = require.resolve(`./${name}.js`);
  let instance;

  function lend() {
    if (instance === undefined) {
      const configuration = readFileSync(`${__dirname}/causeway.json`, "utf8");
      // A `require` of its own: this file's would keep every instance that it ever loaded.
      instance = new (createRequire(__filename)(glue)[type])(configuration);
    }
    return instance;
  }

  async function serve(event, work, logged = name) {
    const started = performance.now();
    let outcome;
    try {
      outcome = await work(lend(), JSON.stringify(event));
    } catch (error) {
      instance = undefined;
      delete require.cache[glue];
      outcome = lost(logged, event, error);
    }
    const time = new Date().toISOString();
    const milliseconds = Math.round((performance.now() - started) * 10) / 10;
    // Not console.log: Lambda would put words before the JSON.
    process.stdout.write(`${JSON.stringify({ time, ...outcome.log, milliseconds })}\n`);
    return outcome.request ?? outcome.response;
  }

  try {
    lend();
  } catch {
    // The first event tells it, in its answer and in the log.
  }

  return {
    handler: (event) => serve(event, (gateway, text) => converse(gateway.begin(text, environment(), now()))),
    originResponse: (event) => serve(
      event,
      (gateway, text) => converse(gateway.beginOriginResponse(text, environment(), now())),
      `${name}/origin-response`,
    ),
  };
};

/** Does the fetching that a conversation asks for; gives its end. */
async function converse(conversation) {
  const network = new Network();
  try {
    let step = JSON.parse(conversation.step());
    for (;;) {
      let answer;
      if (step.send) answer = await network.send(step.send);
      else if (step.together) answer = { answers: await network.together(step.together) };
      else break;
      step = JSON.parse(conversation.advance(JSON.stringify(answer), now()));
    }
    conversation.free();
    return step;
  } finally {
    network.close();
  }
}

const now = () => Date.now() / 1000;

// The function's role, and where it runs: the only variables that Lambda@Edge has.
const environment = () => JSON.stringify({
  access_key_id: process.env.AWS_ACCESS_KEY_ID,
  secret_access_key: process.env.AWS_SECRET_ACCESS_KEY,
  session_token: process.env.AWS_SESSION_TOKEN,
  region: process.env.AWS_REGION,
});

const MODULES = { "http:": http, "https:": https };
// A write that meets a connection which its other side is closing may have been done or not: each has its own.
const writing = { "http:": new http.Agent(), "https:": new https.Agent() };

/** A source that is not what its request was to send. */
class OtherSource extends Error {
  constructor(status) {
    super();
    this.status = status;
  }
}

/** What is sent for one event. Its reads keep their connections, but only as long as the event: Lambda freezes
 * instances, and a connection may be dead when its instance wakes up. */
class Network {
  #reading = {
    "http:": new http.Agent({ keepAlive: true, timeout: KEPT_MS }),
    "https:": new https.Agent({ keepAlive: true, timeout: KEPT_MS }),
  };

  close() {
    for (const agent of Object.values(this.#reading)) agent.destroy();
  }

  /** Sends several, each within its time from now on; gives what came of each, in their order. */
  async together(entries) {
    const waiting = entries.map(({ send }, index) => [index, send, AbortSignal.timeout(send.timeout_ms)]).values();
    const answers = [];
    const work = async () => {
      for (const [index, send, signal] of waiting) answers[index] = await this.send(send, signal);
    };
    await Promise.all(Array.from({ length: TOGETHER }, work));
    return answers;
  }

  async send(send, signal = AbortSignal.timeout(send.timeout_ms)) {
    // What is still open when the answer is there, or none will be, is ended.
    const end = new AbortController();
    const within = AbortSignal.any([signal, end.signal]);
    try {
      const answer = await (send.sources ? this.#join(send, within) : this.#ask(send, within));
      const body = await read(answer, send.most_bytes);
      const headers = Object.entries(answer.headers).map(([name, value]) => [name, String(value)]);
      return { status: answer.statusCode, headers: Object.fromEntries(headers), body: body.toString("base64") };
    } catch (error) {
      if (signal.aborted) return { failed: signal.reason.name };
      if (error instanceof OtherSource) return { source: error.status };
      // Messages can quote what was sent, secrets among it.
      return { failed: error.code ?? error.name };
    } finally {
      end.abort();
    }
  }

  /** The head of the answer, with its body to be read. */
  async #ask(send, signal) {
    for (;;) {
      const request = this.#open(send, signal);
      request.end(send.body ? Buffer.from(send.body, "base64") : undefined);
      try {
        const [answer] = await once(request, "response");
        return answer;
      } catch (error) {
        // A kept connection may be one that is just being closed. Only reads have such.
        if (!request.reusedSocket || signal.aborted) throw error;
      }
    }
  }

  /** The same for a body that is those of the sources, one behind the other. */
  async #join(send, signal) {
    // No origin asks for an empty body: it answers at once, and may hang up.
    if (send.bytes === 0) {
      for await (const _ of this.#bodies(send, signal));
      return this.#ask(send, signal);
    }
    const headers = { ...send.headers, "content-length": send.bytes, expect: "100-continue" };
    const request = this.#open({ ...send, headers }, signal);
    const answered = once(request, "response");
    // An origin that refuses a request may hang up on its body, and its answer would be lost.
    const asked = once(request, "continue", { signal: AbortSignal.any([signal, AbortSignal.timeout(CONTINUE_MS)]) });
    const sent = asked.catch(() => {}).then(() => pipeline(this.#bodies(send, signal), request));
    sent.catch(() => {});
    request.flushHeaders();
    const [answer] = await Promise.race([answered, sent.then(() => answered)]);
    if (answer.statusCode < 300) await sent;
    return answer;
  }

  /** The bytes of the sources, one piece late: the last is given when all are known to be the right ones. */
  async *#bodies({ sources, bytes }, signal) {
    const waiting = [...sources];
    const open = [];
    const next = () => {
      const [source] = waiting.splice(0, 1);
      if (source === undefined) return;
      open.push(this.#ask({ method: "GET", ...source }, signal));
      // Until it is its turn.
      open.at(-1).catch(() => {});
    };
    for (let count = 0; count < SOURCES; count += 1) next();
    let left = bytes;
    let held;
    while (open.length > 0) {
      const answer = await open.shift();
      // A source may be a range.
      if (![200, 206].includes(answer.statusCode)) throw new OtherSource(answer.statusCode);
      for await (const chunk of answer) {
        left -= chunk.length;
        if (left < 0) throw new OtherSource(200);
        if (held) yield held;
        held = chunk;
      }
      next();
    }
    if (left > 0) throw new OtherSource(200);
    if (held) yield held;
  }

  #open({ method, url, headers }, signal) {
    const place = new URL(url);
    const agents = ["GET", "HEAD"].includes(method) ? this.#reading : writing;
    const agent = agents[place.protocol];
    const request = MODULES[place.protocol].request(place, { method, headers, agent, signal });
    // Told to whoever waits; not to nobody.
    return request.on("error", () => {});
  }
}

/** The bytes of an answer, at most `most` and one more. */
async function read(answer, most) {
  const chunks = [];
  let length = 0;
  for await (const chunk of answer) {
    length += chunk.length;
    chunks.push(chunk);
    if (length > most) break;
  }
  return Buffer.concat(chunks).subarray(0, most + 1);
}

// OSS's InternalError, which SDKs retry, and the log line of an event that the gateway could not log itself.
function lost(name, event, error) {
  const cf = event?.Records?.[0]?.cf;
  const context = event?.requestContext;
  const method = cf?.request?.method ?? context?.http?.method ?? "";
  const id = createHash("sha256").update(cf?.config?.requestId ?? context?.requestId ?? "").digest("hex")
    .slice(0, 24).toUpperCase();
  const log = {
    level: "error", function: name, request_id: id, method, host: null, operation: null, bucket: null, key: null,
    access_key_id: null, status: 500, code: "InternalError", reason: `the wasm instance was lost: ${error}`,
    origin_status: null, origin_request_id: null,
  };
  const document = `<?xml version="1.0" encoding="UTF-8"?>
<Error>
  <Code>InternalError</Code>
  <Message>We encountered an internal error. Please try again.</Message>
  <RequestId>${id}</RequestId>
</Error>
`;
  const headers = { "content-type": "application/xml", "x-oss-request-id": id, date: new Date().toUTCString() };
  if (method === "HEAD") headers["x-oss-err"] = Buffer.from(document).toString("base64");
  const body = method === "HEAD" ? "" : document;
  if (cf === undefined) return { log, response: { statusCode: 500, headers, body, isBase64Encoded: false } };
  // CloudFront lets no function change these.
  const { via, "transfer-encoding": transferEncoding } = cf.response?.headers ?? {};
  const lines = Object.entries(headers).map(([key, value]) => [key, [{ key, value }]]);
  const kept = Object.entries({ via, "transfer-encoding": transferEncoding }).filter(([, value]) => value);
  return {
    log,
    response: {
      status: "500", statusDescription: "Internal Server Error", headers: Object.fromEntries([...lines, ...kept]),
      body, bodyEncoding: "text",
    },
  };
}
