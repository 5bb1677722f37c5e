// Lambda function URLs: who may call, what the function gets, what becomes of its answer.

import assert from "node:assert/strict";
import { test } from "node:test";

import { PROGRAMMABLE, SIGNER, alias, harness, program, random } from "./support.mjs";

/** A router that sends the request to the handler's URL; `change` may alter what is signed or sent. */
const toHandler = (change = "") =>
  program(`
  const host = request.origin.s3.customHeaders["x-causeway-handler"][0].value;
  let body = Buffer.from(request.body?.data ?? "", "base64");
  let options = { method: request.method, host, service: "lambda", region: host.split(".")[2], body, headers: {} };
  ${change}
  request.headers.host = [{ value: host }];
  for (const [name, value] of Object.entries(signed(options))) request.headers[name] = [{ key: name, value }];
  request.origin = { custom: { customHeaders: {}, domainName: host, keepaliveTimeout: 5, path: "", port: 443, protocol: "https", readTimeout: 30, sslProtocols: ["TLSv1.2"] } };
  request.uri = "/"; request.querystring = "";
  return request`);

async function withHandler(t, handler, more = {}) {
  const functions = { "origin-request": SIGNER + PROGRAMMABLE, handler };
  return harness(t, { functions, includeBody: ["origin-request"], ...more });
}

const TELL = "exports.handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event) });";
const SAY = "exports.handler = async (event) => JSON.parse(event.headers['x-say']);";
const say = (result) => ({ "x-say": JSON.stringify(result) });

test("the handler gets the event of payload format 2.0", async (t) => {
  const h = await withHandler(t, TELL);
  const bytes = random(20);
  const answer = await h.ask({
    method: "POST",
    path: "/k?uploads",
    body: bytes,
    headers: { "X-A": ["1", "2"], ...toHandler() },
  });
  assert.equal(answer.status, 200, JSON.stringify(h.logged));
  const event = JSON.parse(answer.text);
  assert.deepEqual([event.version, event.rawPath, event.rawQueryString, event.isBase64Encoded], ["2.0", "/", "", true]);
  assert.equal(event.body, bytes.toString("base64"));
  assert.equal(event.headers["x-a"], "1,2");
  assert.equal(event.headers["x-forwarded-for"], "127.0.0.1");
  assert.ok(event.headers["x-amz-cf-id"]);
  for (const name of ["authorization", "x-amz-security-token"]) assert.equal(event.headers[name], undefined);
  assert.equal(event.requestContext.http.method, "POST");
  assert.equal(event.requestContext.domainName, event.headers.host);
  assert.match(event.requestContext.authorizer.iam.userArn, /:assumed-role\/edge-EdgeRole/);
});

test("a body is text where its type says so, and absent where there is none", async (t) => {
  const h = await withHandler(t, TELL);
  const of = async (options) => JSON.parse((await h.ask({ method: "POST", ...options })).text);
  const xml = await of({ body: "<a/>", headers: { "Content-Type": "application/xml", ...toHandler() } });
  assert.deepEqual([xml.body, xml.isBase64Encoded], ["<a/>", false]);
  const none = await of({ body: "", headers: toHandler() });
  assert.deepEqual([none.body, none.isBase64Encoded], [undefined, false]);
});

test("the URL of an alias is a resource of its own", async (t) => {
  const onAlias = ({ storage }) => {
    const FunctionName = { Ref: "Handler" };
    storage.Resources.HandlerVersion = { Type: "AWS::Lambda::Version", Properties: { FunctionName } };
    storage.Resources.Live = alias({ "Fn::GetAtt": ["HandlerVersion", "Version"] });
    storage.Resources.HandlerUrl.Properties.Qualifier = "live";
  };
  const allowing = (resource) => (given) => {
    onAlias(given);
    const [{ PolicyDocument }] = given.edge.Resources.EdgeRole.Properties.Policies;
    PolicyDocument.Statement.at(-1).Resource = { "Fn::Sub": resource };
  };
  for (const [edit, status] of [[onAlias, 403], [allowing("${HandlerFunctionArn}:live"), 200]]) {
    const h = await withHandler(t, TELL, { edit });
    const answer = await h.ask({ method: "POST", body: "abc", headers: toHandler() });
    assert.equal(answer.status, status, JSON.stringify(h.logged));
  }
});

test("a call that is not signed, or signed wrongly, is a 403", async (t) => {
  const h = await withHandler(t, TELL);
  const rows = [
    ["global.signed = () => ({})", /Missing Authentication Token/],
    ["options.digest = 'UNSIGNED-PAYLOAD'", /unsigned payloads/],
    ["options.body = 'other'", /not the digest of the body/],
    ["options.path = '/other'", /SignatureDoesNotMatch/],
    ["options.service = 's3'", /scoped to eu-west-1\/lambda/],
    ["options.region = 'us-east-1'", /scoped to eu-west-1\/lambda/],
    ["options.token = 'x'", /InvalidToken/],
  ];
  // The first row puts something in the place of `signed`, so it goes last.
  for (const [change, reason] of rows.reverse()) {
    const answer = await h.ask({ method: "POST", body: "abc", headers: toHandler(change) });
    assert.equal(answer.status, 403, change);
    assert.deepEqual(JSON.parse(answer.text), { Message: "Forbidden" });
    assert.match(h.logged.at(-1).reason, reason);
  }
});

test("a role needs lambda:InvokeFunctionUrl and lambda:InvokeFunction", async (t) => {
  const actions =
    (Action, more = {}) =>
    ({ edge }) => {
      Object.assign(edge.Resources.EdgeRole.Properties.Policies[0].PolicyDocument.Statement[1], { Action, ...more });
    };
  for (const [edit, status] of [
    [actions(["lambda:InvokeFunctionUrl"]), 403],
    [actions(["lambda:InvokeFunction"]), 403],
    [actions("lambda:*", { Condition: { StringEquals: { "lambda:FunctionUrlAuthType": "NONE" } } }), 403],
    [actions("lambda:*", { Condition: { Bool: { "lambda:InvokedViaFunctionUrl": "true" } } }), 200],
    [actions("lambda:*", { Resource: "arn:aws:lambda:eu-west-1:111122223333:function:other" }), 403],
  ]) {
    const h = await withHandler(t, TELL, { edit });
    assert.equal((await h.ask({ method: "POST", body: "abc", headers: toHandler() })).status, status, edit.toString());
  }
});

test("AuthType NONE lets everybody in", async (t) => {
  const h = await withHandler(t, TELL, {
    edit: ({ storage }) => (storage.Resources.HandlerUrl.Properties.AuthType = "NONE"),
  });
  const code = toHandler("global.signed = () => ({})");
  const answer = await h.ask({ method: "POST", body: "abc", headers: code });
  assert.equal(answer.status, 200);
  assert.equal(JSON.parse(answer.text).requestContext.authorizer, undefined);
});

test("headers that Lambda keeps for itself come back renamed, and none is lost unseen", async (t) => {
  const h = await withHandler(t, SAY);
  const headers = {
    Date: "d",
    Server: "s",
    "Content-MD5": "m",
    "WWW-Authenticate": "w",
    "X-Oss-Request-Id": "1",
    ETag: '"e"',
    Via: "v",
    "x-n": 1,
  };
  const answer = await h.ask({
    method: "POST",
    body: "abc",
    headers: { ...say({ statusCode: 409, headers, body: "<a/>" }), ...toHandler() },
  });
  assert.equal(answer.status, 409);
  for (const name of ["date", "server", "content-md5", "www-authenticate"]) {
    assert.equal(
      answer.headers[`x-amzn-remapped-${name}`],
      headers[Object.keys(headers).find((one) => one.toLowerCase() === name)],
    );
  }
  assert.deepEqual(
    [
      answer.headers["x-oss-request-id"],
      answer.headers.etag,
      answer.headers["x-n"],
      answer.headers["content-type"],
      answer.text,
    ],
    ["1", '"e"', "1", "application/json", "<a/>"],
  );
  assert.notEqual(answer.headers.date, "d");
  assert.ok(answer.headers["x-amzn-requestid"]);
});

test("answers that are no HTTP answers: a 502, or all body", async (t) => {
  const h = await withHandler(t, SAY);
  const of = (result) => h.ask({ method: "POST", body: "abc", headers: { ...say(result), ...toHandler() } });
  for (const result of [
    { statusCode: "x" },
    { statusCode: 99 },
    { statusCode: 200, body: 1 },
    { statusCode: 200, headers: { a: {} } },
  ]) {
    assert.equal((await of(result)).status, 502, JSON.stringify(result));
  }
  const plain = await of({ ok: true });
  assert.deepEqual([plain.status, plain.text, plain.headers["content-type"]], [200, '{"ok":true}', "application/json"]);
  const binary = await of({ statusCode: 200, body: "AP8=", isBase64Encoded: true });
  assert.deepEqual([...binary.bytes], [0, 255]);
});

test("a handler that throws, is late or answers with more than 6 MB is a 502", async (t) => {
  const source = `exports.handler = async (event) => {
    if (event.headers["x-how"] === "throw") throw new Error("not today");
    if (event.headers["x-how"] === "late") await new Promise(() => {});
    return { statusCode: 200, body: "a".repeat(6_000_001) };
  };`;
  const edit = ({ storage }) => (storage.Resources.Handler.Properties.Timeout = 1);
  const h = await withHandler(t, source, { edit });
  for (const [how, reason] of [
    ["throw", /not today/],
    ["late", /timed out/],
    ["large", /payload size exceeded/],
  ]) {
    const answer = await h.ask({ method: "POST", body: "abc", headers: { "x-how": how, ...toHandler() } });
    assert.deepEqual([answer.status, JSON.parse(answer.text)], [502, { Message: "Internal Server Error" }]);
    assert.match(h.logged.at(-1).reason, reason);
  }
});

test("the handler runs in its own region under its own name, with its own role", async (t) => {
  const h = await withHandler(
    t,
    "exports.handler = async () => ({ statusCode: 200, body: JSON.stringify(process.env) })",
  );
  const environment = JSON.parse((await h.ask({ method: "POST", body: "abc", headers: toHandler() })).text);
  assert.equal(environment.AWS_REGION, "eu-west-1");
  assert.match(environment.AWS_LAMBDA_FUNCTION_NAME, /^storage-Handler/);
});
