// Facts §2.2: headers that functions do not see, may not add, or may not change.

import assert from "node:assert/strict";
import { test } from "node:test";

import { PROGRAMMABLE, assertInvalid, harness, program } from "./support.mjs";

const DISALLOWED = [
  "Connection",
  "Expect",
  "Keep-Alive",
  "Proxy-Authenticate",
  "Proxy-Authorization",
  "Proxy-Connection",
  "Trailer",
  "Upgrade",
  "X-Accel-Buffering",
  "X-Accel-Charset",
  "X-Accel-Limit-Rate",
  "X-Accel-Redirect",
  "X-Amz-Cf-Id",
  "X-Amz-Cf-Anything",
  "X-Amzn-Auth",
  "X-Amzn-Cf-Billing",
  "X-Amzn-Cf-Id",
  "X-Amzn-Cf-Xff",
  "X-Amzn-Errortype",
  "X-Amzn-Fle-Profile",
  "X-Amzn-Header-Count",
  "X-Amzn-Header-Order",
  "X-Amzn-Lambda-Integration-Tag",
  "X-Amzn-RequestId",
  "X-Cache",
  "X-Edge-Location",
  "X-Forwarded-Proto",
  "X-Real-IP",
];
const READ_ONLY = {
  "viewer-request": ["Content-Length", "Host", "Transfer-Encoding", "Via"],
  "origin-request": [
    "Accept-Encoding",
    "Content-Length",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Transfer-Encoding",
    "Via",
  ],
  "origin-response": ["Transfer-Encoding", "Via"],
  "viewer-response": ["Warning", "Via"],
};
const GIVEN_BACK = {
  "viewer-request": "request",
  "origin-request": "delete request.origin.s3.customHeaders['x-causeway-handler']; return request",
  "origin-response": "response",
  "viewer-response": "response",
};

for (const [type, back] of Object.entries(GIVEN_BACK)) {
  const subject = back === "response" ? "response" : "request";
  const giveBack = back.startsWith("delete") ? back : `return ${back}`;

  test(`${type}: a function that changes nothing is no reason for an error`, async (t) => {
    const h = await harness(t, { functions: { [type]: PROGRAMMABLE } });
    const answer = await h.ask({ headers: program(giveBack) });
    assert.equal(answer.status, 200, JSON.stringify(h.logged));
  });

  test(`${type}: a disallowed header that is added is a 502, whichever it is`, async (t) => {
    const h = await harness(t, { functions: { [type]: PROGRAMMABLE } });
    for (const name of DISALLOWED) {
      const add = `${subject}.headers["${name.toLowerCase()}"] = [{ key: "${name}", value: "1" }]; ${giveBack}`;
      assertInvalid(await h.ask({ headers: program(add) }), h, new RegExp(`${name.toLowerCase()} is not allowed`));
    }
  });

  test(`${type}: a read-only header that is added, changed or taken away is a 502`, async (t) => {
    const origin = (_, outgoing) => {
      outgoing.setHeader("Warning", "199 - old");
      outgoing.end("answer");
    };
    const h = await harness(t, { functions: { [type]: PROGRAMMABLE }, origin });
    const sent = {
      "Accept-Encoding": "br",
      "If-Modified-Since": "x",
      "If-None-Match": '"e"',
      "If-Range": '"e"',
      "If-Unmodified-Since": "x",
      Via: "1.1 proxy",
    };
    for (const name of READ_ONLY[type]) {
      const lower = name.toLowerCase();
      const readOnly = new RegExp(`${lower} is read-only at ${type}`);
      const add = `${subject}.headers["${lower}"] = [{ key: "${name}", value: "7" }]; ${giveBack}`;
      assertInvalid(
        await h.ask({ method: "POST", path: "/k?uploads", body: "abc", headers: program(add) }),
        h,
        readOnly,
      );
      const change = `if (!${subject}.headers["${lower}"]) return "not there"; ${subject}.headers["${lower}"][0].value += "1"; ${giveBack}`;
      const remove = `if (!${subject}.headers["${lower}"]) return "not there"; delete ${subject}.headers["${lower}"]; ${giveBack}`;
      // Never in an answer that a function sees: CloudFront takes it out before.
      if (type.endsWith("-response") && name !== "Warning") continue;
      const more = name === "Transfer-Encoding" ? { "Transfer-Encoding": "chunked" } : sent;
      for (const code of [change, remove]) {
        const answer = await h.ask({
          method: "POST",
          path: "/k?uploads",
          body: "abc",
          headers: { ...more, ...program(code) },
        });
        assertInvalid(answer, h, readOnly);
      }
    }
  });
}

test("functions do not see disallowed headers of a viewer", async (t) => {
  for (const type of ["viewer-request", "origin-request"]) {
    const h = await harness(t, { functions: { [type]: PROGRAMMABLE } });
    // Node's client writes Connection itself; Upgrade and Trailer would change what the request is.
    const names = DISALLOWED.filter((name) => !["Connection", "Upgrade", "Trailer", "Expect"].includes(name));
    const answer = await h.ask({
      headers: {
        ...Object.fromEntries(names.map((name) => [name, "1"])),
        ...program("return { status: '200', body: JSON.stringify(request.headers) }"),
      },
    });
    const seen = Object.keys(JSON.parse(answer.text));
    for (const name of DISALLOWED) assert.ok(!seen.includes(name.toLowerCase()), `${type} sees ${name}`);
  }
});

test("functions see a viewer's x-causeway headers: CloudFront takes nothing out that is not in its list", async (t) => {
  const h = await harness(t, { functions: { "viewer-request": PROGRAMMABLE } });
  const code = "return { status: '200', body: JSON.stringify(request.headers['x-causeway-passport']) }";
  const answer = await h.ask({ headers: { "X-Causeway-Passport": ["forged", "twice"], ...program(code) } });
  assert.deepEqual(JSON.parse(answer.text), [
    { key: "X-Causeway-Passport", value: "forged" },
    { key: "X-Causeway-Passport", value: "twice" },
  ]);
});

test("If-None-Match can be added at viewer-request, and arrives at S3 on a PUT", async (t) => {
  const h = await harness(t, { functions: { "viewer-request": PROGRAMMABLE } });
  const code = "request.headers['if-none-match'] = [{ value: '*' }]; return request";
  assert.equal((await h.ask({ method: "PUT", body: "x", headers: program(code) })).status, 200);
  assert.equal(h.received[0].headers["if-none-match"], "*");
});

test("headers that are in no list can be set, Authorization, Range and x-amz ones among them", async (t) => {
  const h = await harness(t, { functions: { "origin-request": PROGRAMMABLE } });
  const code = `for (const name of ["x-amz-meta-a", "x-amz-storage-class", "range", "if-match", "content-type"]) request.headers[name] = [{ value: "1" }];
    ${GIVEN_BACK["origin-request"]}`;
  assert.equal(
    (await h.ask({ method: "PUT", body: "x", headers: program(code) })).status,
    200,
    JSON.stringify(h.logged),
  );
  for (const name of ["x-amz-meta-a", "x-amz-storage-class", "range", "if-match", "content-type"])
    assert.equal(h.received[0].headers[name], "1");
});

test("CloudFront-Viewer-Country can't be added at viewer-request", async (t) => {
  const h = await harness(t, { functions: { "viewer-request": PROGRAMMABLE } });
  const code = "request.headers['cloudfront-viewer-country'] = [{ value: 'DE' }]; return request";
  assertInvalid(await h.ask({ headers: program(code) }), h, /Viewer-Country/);
});

test("headers of another shape than documented are a 502", async (t) => {
  const h = await harness(t, { functions: { "viewer-request": PROGRAMMABLE } });
  const rows = [
    ["request.headers = undefined", /is no object/],
    ["request.headers = []", /is no object/],
    ["request.headers['X-A'] = [{ value: '1' }]", /not in lower case/],
    ["request.headers['x a'] = [{ value: '1' }]", /no header name/],
    ["request.headers['x-a'] = '1'", /no list of values/],
    ["request.headers['x-a'] = []", /no list of values/],
    ["request.headers['x-a'] = [{}]", /is not text/],
    ["request.headers['x-a'] = [{ value: 1 }]", /is not text/],
    ["request.headers['x-a'] = [{ key: 'X-B', value: '1' }]", /another name/],
    ["request.headers['x-a'] = [{ value: 'a\\r\\nx-b: 1' }]", /no header may have/],
    ["request.headers['x-a'] = [{ value: 'a\\0' }]", /no header may have/],
    ["request.headers['x-a'] = [{ value: '1', more: 1 }]", /unknown field more/],
  ];
  for (const [code, reason] of rows)
    assertInvalid(await h.ask({ headers: program(`${code}; return request`) }), h, reason);
});

test("a header without a key gets its name in capitals, and repeated lines stay lines", async (t) => {
  const h = await harness(t, { functions: { "viewer-request": PROGRAMMABLE } });
  const code =
    "request.headers['x-amz-meta-a'] = [{ value: '1' }, { key: 'x-AMZ-meta-A', value: '2' }]; return request";
  await h.ask({ method: "PUT", body: "", headers: program(code) });
  const { lines } = h.received[0];
  assert.equal(lines[lines.indexOf("X-Amz-Meta-A") + 1], "1");
  assert.equal(lines[lines.indexOf("x-AMZ-meta-A") + 1], "2");
});

test("request line and headers that a function makes larger than 20,480 bytes are a 502", async (t) => {
  const h = await harness(t, { functions: { "viewer-request": PROGRAMMABLE } });
  const code = (size) => program(`request.headers["x-a"] = [{ value: "a".repeat(${size}) }]; return request`);
  assertInvalid(await h.ask({ headers: code(20_480) }), h, /more than 20480 bytes/);
  assert.equal((await h.ask({ headers: code(19_000) })).status, 200, JSON.stringify(h.logged));
});
