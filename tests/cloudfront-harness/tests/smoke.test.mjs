import assert from "node:assert/strict";
import { test } from "node:test";

import { CALL_HANDLER, edgeFunction, harness } from "./support.mjs";

test("an object goes through all functions to S3, signed by origin access control", async (t) => {
  const h = await harness(t, {
    functions: {
      "viewer-request": edgeFunction("request.headers['x-a'] = [{ value: 'b' }]; return request;"),
      "origin-request": edgeFunction("delete request.origin.s3.customHeaders['x-causeway-handler']; return request;"),
      "origin-response": edgeFunction("response.headers['x-seen'] = [{ value: request.method }]; return response;"),
    },
    includeBody: ["origin-request"],
  });
  const answer = await h.ask({ method: "PUT", path: "/a/b%20c?partNumber=1&uploadId=u", body: Buffer.from("hello") });
  assert.equal(answer.status, 200, JSON.stringify(h.logged));
  assert.equal(answer.headers["x-seen"], "PUT");
  const [seen] = h.received;
  assert.equal(seen.target, "/data/a/b%20c?partNumber=1&uploadId=u");
  assert.equal(seen.body, "hello");
  assert.equal(seen.headers["x-a"], "b");
  assert.match(seen.headers.authorization, /ORIGINKEY/);
});

test("the router can call the handler, and both can read secrets", async (t) => {
  const secret = `
    const body = JSON.stringify({ SecretId: "causeway/passport" });
    const at = "secretsmanager.us-east-1.amazonaws.com";
    const signedForSecret = exports.signed({ method: "POST", host: at, service: "secretsmanager", region: "us-east-1", body,
      headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": "secretsmanager.GetSecretValue" } });
    const answer = await fetch("https://" + at + "/", { method: "POST", headers: signedForSecret, body });
    const got = await answer.json();
  `;
  const h = await harness(t, {
    functions: {
      "origin-request": CALL_HANDLER + edgeFunction(`
        ${secret}
        const host = request.origin.s3.customHeaders["x-causeway-handler"][0].value;
        const region = host.split(".")[2];
        const sent = Buffer.from(request.body.data, "base64");
        const headers = exports.signed({ method: "POST", host, service: "lambda", region, body: sent });
        request.headers.host = [{ value: host }];
        request.headers["x-secret"] = [{ value: got.SecretString }];
        for (const name of Object.keys(headers)) request.headers[name] = [{ key: name, value: headers[name] }];
        request.origin = { custom: { customHeaders: {}, domainName: host, keepaliveTimeout: 5, path: "", port: 443, protocol: "https", readTimeout: 30, sslProtocols: ["TLSv1.2"] } };
        request.uri = "/"; request.querystring = "";
        return request;`),
      handler: "exports.handler = async (event) => ({ statusCode: 201, headers: { date: 'never', 'x-b': 'ü' }, body: JSON.stringify(event) });",
    },
    includeBody: ["origin-request"],
  });
  const answer = await h.ask({ method: "POST", path: "/a?uploads", body: Buffer.from("hello") });
  assert.equal(answer.status, 201, JSON.stringify([h.logged, answer.text]));
  const event = JSON.parse(answer.text);
  assert.equal(Buffer.from(event.body, "base64").toString(), "hello");
  assert.equal(JSON.parse(event.headers["x-secret"]).id, "p1");
  assert.equal(answer.headers["x-amzn-remapped-date"], "never");
});
