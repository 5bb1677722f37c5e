// Facts §2.1 and §2.4: what request functions may hand back, besides headers.

import assert from "node:assert/strict";
import { test } from "node:test";

import { PROGRAMMABLE, assertInvalid, harness, program } from "./support.mjs";

const DONE = "delete request.origin?.s3.customHeaders['x-causeway-handler']; return request";

async function atEvent(t, type, more) {
  return harness(t, { functions: { [type]: PROGRAMMABLE }, ...more });
}

for (const type of ["viewer-request", "origin-request"]) {
  test(`${type}: what is no request and no response is a 502`, async (t) => {
    const h = await atEvent(t, type);
    const rows = [
      ["return undefined", /neither a request nor a response/],
      ["return null", /neither a request nor a response/],
      ["return 'text'", /neither a request nor a response/],
      ["return [request]", /neither a request nor a response/],
      ["return {}", /method is read-only/],
      ["request.more = 1; return request", /unknown field more/],
    ];
    for (const [code, reason] of rows) assertInvalid(await h.ask({ headers: program(code) }), h, reason);
  });

  test(`${type}: the method and the client's address are read-only`, async (t) => {
    const h = await atEvent(t, type);
    assertInvalid(
      await h.ask({ method: "POST", body: "a", headers: program(`request.method = "PUT"; ${DONE}`) }),
      h,
      /method is read-only/,
    );
    assertInvalid(await h.ask({ headers: program(`delete request.method; ${DONE}`) }), h, /method is read-only/);
    assertInvalid(
      await h.ask({ headers: program(`request.clientIp = "1.2.3.4"; ${DONE}`) }),
      h,
      /clientIp is read-only/,
    );
  });

  test(`${type}: URIs and query strings that can't be sent are a 502`, async (t) => {
    const h = await atEvent(t, type);
    const rows = [
      ["request.uri = 'k'", /does not begin with/],
      ["request.uri = 1", /does not begin with/],
      ["request.uri = '/a b'", /uri has a space/],
      ["request.uri = '/a#b'", /uri has a space/],
      ["request.uri = '/a?b'", /uri has a space/],
      ["request.uri = '/a\\n'", /uri has a space/],
      ["request.querystring = undefined", /querystring is not text/],
      ["request.querystring = 'a b'", /querystring has a space/],
      ["request.querystring = 'a#b'", /querystring has a space/],
      ["request.querystring = 'a\\x01'", /querystring has a space/],
      ["request.uri = '/\\ud800'", /not UTF-8/],
      ["request.uri = '/' + 'a'.repeat(8191)", /8192 characters or more/],
      ["request.uri = '/' + 'a'.repeat(4000); request.querystring = 'b'.repeat(4190)", /8192 characters or more/],
    ];
    for (const [code, reason] of rows) assertInvalid(await h.ask({ headers: program(`${code}; ${DONE}`) }), h, reason);
    const fits = await h.ask({ headers: program(`request.uri = '/' + 'a'.repeat(8189); ${DONE}`) });
    assert.equal(fits.status, 200, JSON.stringify(h.logged));
  });

  const most = type === "viewer-request" ? 40_000 : 1_000_000;
  test(`${type}: a generated response of more than ${most} bytes, headers and body, is a 502`, async (t) => {
    const h = await atEvent(t, type);
    const of = (size, more = "") => program(`return { status: "200", body: "a".repeat(${size}) ${more} }`);
    assert.equal((await h.ask({ headers: of(most) })).bytes.length, most);
    assertInvalid(await h.ask({ headers: of(most + 1) }), h, new RegExp(`at most ${most}`));
    assertInvalid(
      await h.ask({ headers: of(most - 10, ", headers: { 'x-a': [{ value: 'bbbb' }] }") }),
      h,
      new RegExp(`at most ${most}`),
    );
  });

  test(`${type}: generated responses that break a rule are a 502`, async (t) => {
    const h = await atEvent(t, type);
    const rows = [
      ["{ status: 200 }", /status is not a text/],
      ["{ status: '199' }", /status is not a text/],
      ["{ status: '600' }", /status is not a text/],
      ["{ status: 'OK' }", /status is not a text/],
      ["{ status: '200', statusDescription: 'a\\nb' }", /statusDescription/],
      ["{ status: '200', body: 1 }", /body is not text/],
      ["{ status: '200', body: 'a', bodyEncoding: 'gzip' }", /bodyEncoding/],
      ["{ status: '200', body: '%%%', bodyEncoding: 'base64' }", /not base64/],
      ["{ status: '204', body: 'a' }", /a 204 has no body/],
      ["{ status: '200', headers: { 'content-length': [{ value: '0' }] } }", /can't have content-length/],
      ["{ status: '200', headers: { 'transfer-encoding': [{ value: 'chunked' }] } }", /can't have transfer-encoding/],
      ["{ status: '200', headers: { via: [{ value: '1.1 x' }] } }", /can't have via/],
      ["{ status: '200', headers: { 'x-cache': [{ value: 'Hit' }] } }", /not allowed/],
      ["{ status: '200', headers: { 'X-A': [{ value: '1' }] } }", /not in lower case/],
      ["{ statusCode: 200, status: '200' }", /unknown field statusCode/],
    ];
    for (const [response, reason] of rows)
      assertInvalid(await h.ask({ headers: program(`return ${response}`) }), h, reason);
  });

  test(`${type}: a generated response arrives with its status, reason, headers and bytes, and S3 sees nothing`, async (t) => {
    const h = await atEvent(t, type);
    const code = `return { status: "403", statusDescription: "No", bodyEncoding: "base64", body: "AP8=",
      headers: { "x-oss-request-id": [{ key: "x-oss-request-id", value: "1" }], date: [{ value: "now" }] } }`;
    const answer = await h.ask({ method: "PUT", body: "abc", headers: program(code) });
    assert.deepEqual([answer.status, answer.statusText, [...answer.bytes]], [403, "No", [0, 255]]);
    assert.equal(answer.headers["x-cache"], "LambdaGeneratedResponse from cloudfront");
    assert.deepEqual(
      [answer.headers["x-oss-request-id"], answer.headers.date, answer.headers["content-length"]],
      ["1", "now", "2"],
    );
    assert.equal(h.received.length, 0);
  });

  test(`${type}: a generated response to HEAD comes without its body`, async (t) => {
    const h = await atEvent(t, type);
    const answer = await h.ask({
      method: "HEAD",
      headers: program("return { status: '404', headers: { 'cache-control': [{ value: 'no-store' }] }, body: 'abc' }"),
    });
    assert.deepEqual([answer.status, answer.headers["content-length"], answer.text], [404, "3", ""]);
  });

  const shown = type === "viewer-request" ? 40_000 : 1_000_000;
  test(`${type}: a body is shown up to ${shown} bytes, in base64, and goes on whole`, async (t) => {
    const code = program(
      `request.headers["x-body"] = [{ value: JSON.stringify({ ...request.body, data: request.body.data.length }) }]; ${DONE}`,
    );
    const h = await atEvent(t, type, { includeBody: [type] });
    for (const [size, truncated, visible] of [
      [0, false, 0],
      [3, false, 3],
      [shown, false, shown],
      [shown + 1, true, shown],
    ]) {
      h.received.length = 0;
      const answer = await h.ask({ method: "PUT", body: Buffer.alloc(size, "b"), headers: code });
      assert.equal(answer.status, 200, JSON.stringify(h.logged));
      const [seen] = h.received;
      assert.deepEqual(JSON.parse(seen.headers["x-body"]), {
        inputTruncated: truncated,
        action: "read-only",
        encoding: "base64",
        data: Math.ceil(visible / 3) * 4,
      });
      assert.equal(seen.body, "b".repeat(size));
      assert.equal(seen.headers["content-length"], String(size));
    }
  });

  test(`${type}: without IncludeBody there is no body in the event, and none may be handed back`, async (t) => {
    const h = await atEvent(t, type);
    const code = program("return { status: '200', body: String(request.body) }");
    assert.equal((await h.ask({ method: "PUT", body: "abc", headers: code })).text, "undefined");
    const replace = program(`request.body = { action: "replace", encoding: "text", data: "x" }; ${DONE}`);
    assertInvalid(await h.ask({ method: "PUT", body: "abc", headers: replace }), h, /IncludeBody is off/);
  });

  test(`${type}: a body can be replaced within the limit, and a broken replacement is a 502`, async (t) => {
    const h = await atEvent(t, type, { includeBody: [type] });
    const replace = (body, before = "") => program(`${before} request.body = ${body}; ${DONE}`);
    for (const [body, arrives] of [
      ["{ action: 'replace', encoding: 'text', data: 'ü' }", Buffer.from("ü").toString("latin1")],
      ["{ ...request.body, action: 'replace', encoding: 'base64', data: 'AP8=' }", "\0\xff"],
      ["{ ...request.body, encoding: 'text', data: 'ignored' }", "abc"],
    ]) {
      h.received.length = 0;
      assert.equal(
        (await h.ask({ method: "PUT", body: "abc", headers: replace(body) })).status,
        200,
        JSON.stringify(h.logged),
      );
      assert.deepEqual(
        [h.received[0].body, h.received[0].headers["content-length"]],
        [arrives, String(arrives.length)],
      );
    }
    const rows = [
      ["1", /body is no object/],
      ["{ action: 'remove' }", /neither read-only nor replace/],
      ["{ action: 'replace', encoding: 'hex', data: '' }", /neither base64 nor text/],
      ["{ action: 'replace', encoding: 'base64', data: '%' }", /not base64/],
      ["{ action: 'replace', data: 1 }", /data is not text/],
      ["{ ...request.body, inputTruncated: true }", /inputTruncated is read-only/],
      [`{ action: 'replace', encoding: 'text', data: 'a'.repeat(${shown + 1}) }`, new RegExp(`at most ${shown}`)],
      [
        `{ action: 'replace', encoding: 'base64', data: Buffer.alloc(${shown + 1}).toString('base64') }`,
        new RegExp(`at most ${shown}`),
      ],
    ];
    for (const [body, reason] of rows)
      assertInvalid(await h.ask({ method: "PUT", body: "abc", headers: replace(body) }), h, reason);
  });
}

test("viewer-request: a function has no say in the origin", async (t) => {
  const h = await atEvent(t, "viewer-request");
  assertInvalid(
    await h.ask({ headers: program("request.origin = {}; return request") }),
    h,
    /no origin at viewer-request/,
  );
});

test("origin-request: origins that CloudFront does not take are a 502", async (t) => {
  const h = await atEvent(t, "origin-request");
  const custom = (more) =>
    `request.origin = { custom: { customHeaders: {}, domainName: "a.example", keepaliveTimeout: 5, path: "", port: 443,
      protocol: "https", readTimeout: 30, sslProtocols: ["TLSv1.2"], ${more} } }`;
  const s3 = (more) => `Object.assign(request.origin.s3, { customHeaders: {}, ${more} })`;
  const rows = [
    ["delete request.origin", /there is no origin/],
    ["request.origin = {}", /exactly one of s3 and custom/],
    ["request.origin.custom = request.origin.s3", /exactly one of s3 and custom/],
    [s3("domainName: ''"), /1 to 128 characters/],
    [s3("domainName: 'a'.repeat(129)"), /1 to 128 characters/],
    [s3("domainName: 'Bucket.s3.eu-west-1.amazonaws.com'"), /not in lower case/],
    [s3("domainName: 'a_b/c'"), /no name of a bucket/],
    [s3("authMethod: 'oac'"), /authMethod is/],
    [s3("authMethod: 'origin-access-identity'"), /no origin access identity/],
    [s3("path: 'a'"), /path begins with/],
    [s3("path: '/a/'"), /path begins with/],
    [s3("more: 1"), /unknown field more/],
    [custom("domainName: '127.0.0.1'"), /address or has a colon/],
    [custom("domainName: '::1'"), /address or has a colon/],
    [custom("domainName: 'a.example:443'"), /address or has a colon/],
    [custom("domainName: ''"), /1 to 253 characters/],
    [custom("domainName: 'a'.repeat(254)"), /1 to 253 characters/],
    [custom("domainName: 'a/b'"), /no DNS name/],
    [custom("port: '443'"), /port is/],
    [custom("port: 22"), /port is/],
    [custom("port: 65536"), /port is/],
    [custom("protocol: 'ftp'"), /protocol is/],
    [custom("readTimeout: 3"), /readTimeout is 4 to 60/],
    [custom("readTimeout: 61"), /readTimeout is 4 to 60/],
    [custom("readTimeout: undefined"), /readTimeout is 4 to 60/],
    [custom("keepaliveTimeout: 0"), /keepaliveTimeout is 1 to 60/],
    [custom("sslProtocols: []"), /sslProtocols are/],
    [custom("sslProtocols: ['TLSv1.3']"), /sslProtocols are/],
    [custom("path: '/ü'"), /URL-encoded/],
    [custom("customHeaders: undefined"), /customHeaders is no object/],
    [custom("customHeaders: { 'x-amz-a': [{ value: '1' }] }"), /x-amz-a can't be a custom header/],
    [custom("customHeaders: { host: [{ value: '1' }] }"), /host can't be a custom header/],
    [custom("customHeaders: { 'x-edge-a': [{ value: '1' }] }"), /not allowed/],
    [custom("customHeaders: { 'x-do': [{ value: '1' }] }"), /both in headers and in customHeaders/],
  ];
  for (const [code, reason] of rows)
    assertInvalid(await h.ask({ headers: program(`${code}; return request`) }), h, reason);
});

test("origin-response: answers that break a rule are a 502", async (t) => {
  const h = await atEvent(t, "origin-response", { origin: (_, outgoing) => outgoing.end("abc") });
  const rows = [
    ["return request", /no response/],
    ["return undefined", /no response/],
    ["response.status = 200; return response", /status is not a text/],
    ["response.status = '100'; return response", /status is not a text/],
    [
      "response.body = 'a'.repeat(1000001); delete response.headers['content-length']; return response",
      /at most 1000000/,
    ],
    ["response.headers['content-length'] = [{ value: '2' }]; return response", /Content-Length was changed/],
    ["response.body = 'four'; return response", /Content-Length is not that of the new body/],
    ["response.headers.via = [{ value: '1.1 x' }]; return response", /via is read-only/],
  ];
  for (const [code, reason] of rows) assertInvalid(await h.ask({ headers: program(code) }), h, reason);
});

test("origin-response: status, headers and body can be changed; the origin's body stays if nothing is said", async (t) => {
  const origin = (_, outgoing) => {
    outgoing.writeHead(404, { "x-amz-request-id": "1" });
    outgoing.end("from S3");
  };
  const h = await atEvent(t, "origin-response", { origin });
  const put = async (code) => h.ask({ method: "PUT", body: "x", headers: program(`${code}; return response`) });
  const kept = await put("response.headers['x-a'] = [{ value: response.body === undefined ? 'unseen' : 'seen' }]");
  assert.deepEqual([kept.status, kept.text, kept.headers["x-a"]], [404, "from S3", "unseen"]);
  const replaced = await put(
    "response.status = '200'; response.statusDescription = 'Fine'; response.body = 'new'; delete response.headers['content-length']",
  );
  assert.deepEqual(
    [replaced.status, replaced.statusText, replaced.text, replaced.headers["content-length"]],
    [200, "Fine", "new", "3"],
  );
  const emptied = await put("response.body = ''; delete response.headers['content-length']");
  assert.deepEqual([emptied.status, emptied.text, emptied.headers["content-length"]], [404, "", "0"]);
});

test("viewer-response: status and body can't be changed, and errors of the origin do not come by", async (t) => {
  const h = await atEvent(t, "viewer-response", {
    origin: (incoming, outgoing) => {
      outgoing.statusCode = incoming.method === "PUT" ? 400 : 200;
      outgoing.end("abc");
    },
  });
  assertInvalid(
    await h.ask({ headers: program("response.status = '201'; return response") }),
    h,
    /can't change the status/,
  );
  assertInvalid(await h.ask({ headers: program("response.body = 'x'; return response") }), h, /unknown field body/);
  const code = program("response.headers['x-a'] = [{ value: '1' }]; return response");
  assert.equal((await h.ask({ headers: code })).headers["x-a"], "1");
  const failed = await h.ask({ method: "PUT", body: "x", headers: code });
  assert.deepEqual([failed.status, failed.headers["x-a"]], [400, undefined]);
});
