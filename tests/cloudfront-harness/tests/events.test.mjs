// Facts §2.4: the shape of the events, field by field.

import assert from "node:assert/strict";
import { test } from "node:test";

import { changedHead, eventRequest } from "../event.mjs";
import { edgeFunction, harness } from "./support.mjs";

const TELL = edgeFunction("return { status: '200', body: JSON.stringify(event) };");

test("a viewer-request event is the documented one", async (t) => {
  const h = await harness(t, { functions: { "viewer-request": TELL } });
  const answer = await h.ask({
    method: "PUT",
    path: "/a%2fb/../c?x=%20&&y",
    body: "abc",
    headers: { "X-A": ["1", "2"], "x-forwarded-for": "1.1.1.1" },
  });
  assert.deepEqual(JSON.parse(answer.text), {
    Records: [
      {
        cf: {
          config: {
            distributionDomainName: h.distribution.domain,
            distributionId: h.distribution.id,
            eventType: "viewer-request",
            requestId: answer.headers["x-amz-cf-id"],
          },
          request: {
            clientIp: "127.0.0.1",
            headers: {
              host: [{ key: "Host", value: "127.0.0.1" }],
              "x-a": [
                { key: "X-A", value: "1" },
                { key: "X-A", value: "2" },
              ],
              "x-forwarded-for": [{ key: "x-forwarded-for", value: "1.1.1.1" }],
              "content-length": [{ key: "Content-Length", value: "3" }],
            },
            method: "PUT",
            querystring: "x=%20&&y",
            uri: "/a%2fb/../c",
          },
        },
      },
    ],
  });
});

test("a header may be called like a property that every object of JavaScript has", async (t) => {
  const h = await harness(t, { functions: { "viewer-request": TELL } });
  const headers = { constructor: "1", ["__proto__"]: "2", hasOwnProperty: "3" };
  const { headers: shown } = JSON.parse((await h.ask({ headers })).text).Records[0].cf.request;
  const values = ["constructor", "__proto__", "hasownproperty"].map((name) => shown[name][0].value);
  assert.deepEqual(values, ["1", "2", "3"]);
});

test("an origin-request event has the origin, its custom headers, and what the policies let through", async (t) => {
  const h = await harness(t, { functions: { "origin-request": TELL }, includeBody: ["origin-request"] });
  const answer = await h.ask({ method: "POST", path: "/k?uploads", body: "abc", headers: { "X-A": "1" } });
  const { cf } = JSON.parse(answer.text).Records[0];
  const [{ value: handler }] = cf.request.origin.s3.customHeaders["x-causeway-handler"];
  assert.match(handler, /^[a-z0-9]+\.lambda-url\.eu-west-1\.on\.aws$/);
  assert.equal(cf.config.eventType, "origin-request");
  assert.equal(cf.config.requestId, answer.headers["x-amz-cf-id"]);
  const via = `1.1 ${/[0-9a-f]{32}\.cloudfront\.net/.exec(answer.headers.via)[0]} (CloudFront)`;
  assert.deepEqual(cf.request, {
    clientIp: "127.0.0.1",
    headers: {
      "x-a": [{ key: "X-A", value: "1" }],
      "content-length": [{ key: "Content-Length", value: "3" }],
      host: [{ key: "Host", value: "acme-ingest.s3.eu-west-1.amazonaws.com" }],
      "user-agent": [{ key: "User-Agent", value: "Amazon CloudFront" }],
      "x-forwarded-for": [{ key: "X-Forwarded-For", value: "127.0.0.1" }],
      via: [{ key: "Via", value: via }],
    },
    method: "POST",
    querystring: "uploads",
    uri: "/k",
    body: { inputTruncated: false, action: "read-only", encoding: "base64", data: "YWJj" },
    origin: {
      s3: {
        authMethod: "none",
        customHeaders: { "x-causeway-handler": [{ key: "x-causeway-handler", value: handler }] },
        domainName: "acme-ingest.s3.eu-west-1.amazonaws.com",
        path: "",
        region: "eu-west-1",
      },
    },
  });
});

test("a custom origin is shown with its ports, protocols and timeouts", async (t) => {
  const edit = ({ edge }) => {
    const [origin] = edge.Resources.Distribution.Properties.DistributionConfig.Origins;
    delete origin.S3OriginConfig;
    delete origin.OriginAccessControlId;
    Object.assign(origin, {
      OriginPath: "/p",
      CustomOriginConfig: {
        OriginProtocolPolicy: "https-only",
        OriginReadTimeout: 90,
        OriginSSLProtocols: ["TLSv1.2"],
      },
    });
  };
  const h = await harness(t, { functions: { "origin-request": TELL }, edit });
  const { origin } = JSON.parse((await h.ask({})).text).Records[0].cf.request;
  delete origin.custom.customHeaders;
  assert.deepEqual(origin, {
    custom: {
      domainName: "acme-ingest.s3.eu-west-1.amazonaws.com",
      keepaliveTimeout: 5,
      path: "/p",
      port: 443,
      protocol: "https",
      readTimeout: 90,
      sslProtocols: ["TLSv1.2"],
    },
  });
});

test("an origin-response event has S3's status and headers, never its body, and the request as it was sent", async (t) => {
  const origin = (_, outgoing) => {
    outgoing.writeHead(404, "Nothing", { ETag: '"e"', "x-amz-meta-a": ["1", "2"], "Content-Length": "3", Date: "d" });
    outgoing.end("abc");
  };
  const told = "response.body = JSON.stringify(event); delete response.headers['content-length']; return response;";
  const functions = {
    "viewer-request": edgeFunction("request.uri = '/other'; return request;"),
    "origin-request": edgeFunction("delete request.origin.s3.customHeaders['x-causeway-handler']; return request;"),
    "origin-response": edgeFunction(told),
  };
  const h = await harness(t, { functions, origin });
  const answer = await h.ask({ method: "PUT", body: "x" });
  const { cf } = JSON.parse(answer.text).Records[0];
  assert.deepEqual([cf.config.eventType, cf.config.requestId], ["origin-response", answer.headers["x-amz-cf-id"]]);
  assert.deepEqual(cf.response, {
    headers: {
      etag: [{ key: "ETag", value: '"e"' }],
      "x-amz-meta-a": [
        { key: "x-amz-meta-a", value: "1" },
        { key: "x-amz-meta-a", value: "2" },
      ],
      "content-length": [{ key: "Content-Length", value: "3" }],
      date: [{ key: "Date", value: "d" }],
    },
    status: "404",
    statusDescription: "Nothing",
  });
  assert.deepEqual(
    [cf.request.uri, cf.request.method, cf.request.origin.s3.customHeaders, cf.request.body],
    ["/other", "PUT", {}, undefined],
  );
});

test("what an origin-request function answers is not shown to origin-response", async (t) => {
  const h = await harness(t, {
    functions: { "origin-request": TELL, "origin-response": "exports.handler = () => { throw new Error(); };" },
  });
  assert.equal((await h.ask({})).status, 200, JSON.stringify(h.logged));
});

test("the parts of a head that a function leaves alone go on as their bytes, the others in UTF-8", () => {
  const head = { method: "PUT", path: "/\xfc", query: "q=\xc3\xbc", lines: [{ name: "X-A", value: "\xfc" }] };
  const request = eventRequest({ clientIp: "192.0.2.1", head });
  assert.deepEqual([request.uri, request.querystring, request.headers["x-a"][0].value], ["/ü", "q=ü", "ü"]);
  assert.deepEqual(changedHead(head, request, request), head);
  const changed = { ...request, uri: "/ö", headers: { "x-a": [{ key: "X-A", value: "ü" }, { value: "ö" }] } };
  assert.deepEqual(changedHead(head, request, changed), {
    ...head,
    path: "/\xc3\xb6",
    lines: [
      { name: "X-A", value: "\xfc" },
      { name: "X-A", value: "\xc3\xb6" },
    ],
  });
});
