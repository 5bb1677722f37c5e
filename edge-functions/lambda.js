// What the three functions share: the loop that runs a wasm instance on Lambda's Node.js. It decides nothing.
//
// The wasm says what to fetch and what to answer (the crates beside this file tell in which words); here is
// the fetching, the log, and what becomes of a wasm trap: it leaves its instance in an unknown state, so that
// event is answered 500 and the next one gets a new instance. Lambda hands over one event at a time.
// `cargo xtask build` puts this file into each function's folder, `causeway bundle` adds causeway.json.
"use strict";

const { createHash } = require("node:crypto");
const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");

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
    handler: (event) => serve(event, async (gateway, text) => {
      const conversation = gateway.begin(text, environment(), now());
      let step = JSON.parse(conversation.step());
      while (step.send) step = JSON.parse(conversation.advance(JSON.stringify(await send(step.send)), now()));
      conversation.free();
      return step;
    }),
    originResponse: (event) => serve(
      event, (gateway, text) => JSON.parse(gateway.originResponse(text, now())), `${name}/origin-response`),
  };
};

const now = () => Date.now() / 1000;

// The function's role, and where it runs: the only variables that Lambda@Edge has.
const environment = () => JSON.stringify({
  access_key_id: process.env.AWS_ACCESS_KEY_ID,
  secret_access_key: process.env.AWS_SECRET_ACCESS_KEY,
  session_token: process.env.AWS_SESSION_TOKEN,
  region: process.env.AWS_REGION,
});

async function send({ method, url, headers, body, most_bytes, timeout_ms }) {
  try {
    const answer = await fetch(url, {
      method,
      // Lambda freezes instances, and a connection that is kept may be dead when its instance wakes up.
      headers: { ...headers, connection: "close" },
      body: body === null ? null : Buffer.from(body, "base64"),
      redirect: "manual",
      signal: AbortSignal.timeout(timeout_ms),
    });
    const chunks = [];
    let length = 0;
    for await (const chunk of answer.body ?? []) {
      length += chunk.length;
      chunks.push(chunk);
      if (length > most_bytes) break;
    }
    return {
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
      body: Buffer.concat(chunks).subarray(0, most_bytes + 1).toString("base64"),
    };
  } catch (error) {
    // Messages of fetch can quote header values, which are secrets.
    return { failed: error.cause?.code ?? error.name };
  }
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
