// Facts §2.5: how functions run.

import assert from "node:assert/strict";
import { test } from "node:test";

import { PROGRAMMABLE, edgeFunction, harness, program, zipped } from "./support.mjs";

const answering = (expression) => edgeFunction(`return { status: "200", body: JSON.stringify(${expression}) };`);

async function assertFailed(h, options, reason) {
  const answer = await h.ask(options);
  assert.deepEqual(
    [answer.status, answer.headers["x-cache"]],
    [503, "LambdaExecutionError from cloudfront"],
    answer.text,
  );
  assert.match(h.logged.at(-1).reason, reason);
}

test("a function has exactly the reserved environment variables, with its role's credentials", async (t) => {
  const h = await harness(t, { functions: { "viewer-request": answering("process.env") } });
  const environment = JSON.parse((await h.ask({})).text);
  assert.deepEqual(Object.keys(environment).sort(), [
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "LANG",
    "PATH",
    "TZ",
    "_HANDLER",
  ]);
  assert.match(environment.AWS_ACCESS_KEY_ID, /^ASIA[A-Z2-7]{16}$/);
  assert.ok(environment.AWS_SESSION_TOKEN.length > 100);
  assert.deepEqual(
    [environment.AWS_REGION, environment.AWS_LAMBDA_FUNCTION_NAME.slice(0, 15), environment.AWS_EXECUTION_ENV],
    ["eu-central-1", "us-east-1.edge-", "AWS_Lambda_nodejs24.x"],
  );
});

test("the zip is the task root, and files beside the handler can be read", async (t) => {
  const source = `const content = require("node:fs").readFileSync(__dirname + "/sub/data.bin");
    exports.handler = async () => ({ status: "200", body: String(process.cwd() === __dirname && content) });`;
  const h = await harness(t, {
    functions: { "viewer-request": zipped(source, { sub: { "data.bin": Buffer.from("there") } }) },
  });
  assert.equal((await h.ask({})).text, "there", JSON.stringify(h.logged));
});

test("an instance takes one event at a time and lives on, and more events get more instances", async (t) => {
  const source = `let at = 0, most = 0, calls = 0;
    exports.handler = async () => {
      calls += 1; at += 1; most = Math.max(most, at);
      await new Promise((resolve) => setTimeout(resolve, 200));
      at -= 1;
      return { status: "200", body: JSON.stringify([process.pid, most, calls]) };
    };`;
  const h = await harness(t, { functions: { "viewer-request": source } });
  const first = await Promise.all([1, 2, 3].map(async () => JSON.parse((await h.ask({})).text)));
  assert.equal(new Set(first.map(([pid]) => pid)).size, 3);
  const [pid, most, calls] = JSON.parse((await h.ask({})).text);
  assert.deepEqual([first.some(([known]) => known === pid), most, calls], [true, 1, 2]);
});

test("handlers with a callback work as those that give a promise, and errors of either are a 503", async (t) => {
  const source = `exports.handler = (event, context, callback) => {
    const { uri } = event.Records[0].cf.request;
    if (uri === "/call") callback(null, { status: "200", body: typeof context.getRemainingTimeInMillis() + context.memoryLimitInMB });
    if (uri === "/error") callback(new Error("called back"));
    if (uri === "/throw") throw new TypeError("thrown");
    if (uri === "/reject") return Promise.reject("a text");
  };`;
  const h = await harness(t, { functions: { "viewer-request": source } });
  assert.equal((await h.ask({ path: "/call" })).text, "number128");
  await assertFailed(h, { path: "/error" }, /Error: called back/);
  await assertFailed(h, { path: "/throw" }, /TypeError: thrown/);
  await assertFailed(h, { path: "/reject" }, /a text/);
});

test("a crash is a 503, and the next event gets a new instance", async (t) => {
  const h = await harness(t, { functions: { "viewer-request": PROGRAMMABLE } });
  const pid = program("return { status: '200', body: String(process.pid) }");
  const before = await h.ask({ headers: pid });
  await assertFailed(h, { headers: program("process.exit(3)") }, /Runtime exited with error: exit status 3/);
  await assertFailed(h, { headers: program("process.abort()") }, /Runtime exited with SIGABRT/);
  const later =
    "setImmediate(() => { throw new Error('nobody catches it') }); await new Promise((r) => setTimeout(r, 1000))";
  await assertFailed(h, { headers: program(later) }, /exit status 1/);
  const after = await h.ask({ headers: pid });
  assert.equal(after.status, 200);
  assert.notEqual(after.text, before.text);
});

test("a handler that is not there is a 503", async (t) => {
  const h = await harness(t, { functions: { "viewer-request": "exports.other = 1" } });
  await assertFailed(h, {}, /undefined or not exported/);
  const broken = await harness(t, { functions: { "viewer-request": "this is no JavaScript" } });
  await assertFailed(broken, {}, /SyntaxError/);
});

test("a function that takes longer than its timeout is a 503, also one that never yields", async (t) => {
  const edit = ({ edge }) => (edge.Resources.ViewerRequest.Properties.Timeout = 1);
  const h = await harness(t, { functions: { "viewer-request": PROGRAMMABLE }, edit });
  await assertFailed(h, { headers: program("await new Promise(() => {})") }, /Task timed out after 1.00 seconds/);
  await assertFailed(h, { headers: program("for (;;);") }, /Task timed out after 1.00 seconds/);
  assert.equal((await h.ask({ headers: program("return { status: '200' }") })).status, 200);
});

test("a function that uses more memory than it has is a 503", async (t) => {
  const h = await harness(t, { functions: { "viewer-request": PROGRAMMABLE } });
  const code = "global.kept = Buffer.alloc(200_000_000, 1); return { status: '200' }";
  await assertFailed(h, { headers: program(code) }, /OutOfMemory/);
  assert.equal((await h.ask({ headers: program("return { status: '200' }") })).status, 200);
});

test("results make a round trip through JSON", async (t) => {
  const h = await harness(t, { functions: { "viewer-request": PROGRAMMABLE } });
  const code = "return { status: '200', toJSON() { return { status: '201', body: 'as JSON', headers: undefined } } }";
  const answer = await h.ask({ headers: program(code) });
  assert.deepEqual([answer.status, answer.text], [201, "as JSON"]);
  await assertFailed(h, { headers: program("return { status: 1n }") }, /BigInt/);
});

const GET =
  "return new Promise((told, failed) => require('node:https').get('URL', (answer) => told(answer.statusCode)).on('error', failed))";

test("there is no network but AWS's endpoints, over TLS", async (t) => {
  const h = await harness(t, { functions: { "viewer-request": PROGRAMMABLE } });
  const tell = (code) =>
    program(
      `const why = await (async () => { ${code} })().catch((error) => String(error.cause?.message ?? error.message)); return { status: "200", body: String(why) }`,
    );
  const rows = [
    ["await fetch('https://example.com/')", /ENOTFOUND example.com/],
    ["await fetch('https://127.0.0.1:4430/')", /ENOTFOUND 127.0.0.1/],
    ["await fetch('http://secretsmanager.us-east-1.amazonaws.com/')", /over TLS on port 443 only/],
    ["await fetch('https://secretsmanager.us-east-1.amazonaws.com:444/')", /over TLS on port 443 only/],
    [
      "await new Promise((_, reject) => require('node:net').connect(80, '127.0.0.1').on('error', reject))",
      /no way out/,
    ],
    [
      "await new Promise((_, reject) => require('node:http').get('http://sts.amazonaws.com/').on('error', reject))",
      /no way out/,
    ],
    [GET.replace("URL", "https://sts.amazonaws.com/"), /ENOTFOUND sts.amazonaws.com/],
    [GET.replace("URL", "https://secretsmanager.us-east-1.amazonaws.com:444/"), /over TLS on port 443 only/],
    [GET.replace("URL", "https://acme-ingest.s3.eu-west-1.amazonaws.com/k"), /^403$/],
    ["return (await fetch('https://secretsmanager.us-east-1.amazonaws.com/')).status", /^400$/],
    ["return (await fetch('https://acme-ingest.s3.eu-west-1.amazonaws.com/k')).status", /^403$/],
  ];
  for (const [code, expected] of rows) assert.match((await h.ask({ headers: tell(code) })).text, expected, code);
});

test("what a function prints is handed on line by line", async (t) => {
  const h = await harness(t, {
    functions: {
      "viewer-request": edgeFunction(
        "console.log(JSON.stringify({ a: 1 })); console.error('plain'); return { status: '200' };",
      ),
    },
  });
  await h.ask({});
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual(h.printed.map(({ line }) => line).sort(), ["plain", '{"a":1}']);
  assert.match(h.printed[0].name, /ViewerRequest/);
});
