// The functions as they were built, on Lambda's terms: $ARTEFACTS is the folder that `cargo xtask build` fills.
//
// Only what needs no network is asked here; the whole way of a request is tested in the local CloudFront.

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { start } from "./lambda.mjs";

const CONFIGURATION = {
  buckets: [
    {
      name: "devices",
      origin: { bucket: "acme-ingest", region: "eu-west-1", endpoint: "https://s3.eu-west-1.amazonaws.com" },
    },
  ],
  hosts: [{ host: "d111111abcdef8.cloudfront.net", styles: ["path"] }],
};

/** Starts a built function with this configuration, until the test `t` ends. */
async function built(t, name, configuration = CONFIGURATION) {
  const folder = mkdtempSync(join(tmpdir(), "causeway-artefact-"));
  cpSync(join(process.env.ARTEFACTS, name), folder, { recursive: true });
  writeFileSync(join(folder, "causeway.json"), JSON.stringify(configuration));
  const instance = await start(folder);
  t.after(() => instance.stop());
  return instance;
}

/** An event that CloudFront's documentation shows. */
function recorded(name) {
  const path = `../../crates/cloudfront-event/tests/events/${name}.json`;
  return JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
}

test("the authorizer answers a request without a signature in OSS's words", async (t) => {
  const authorizer = await built(t, "viewer-request-authorizer");
  const event = recorded("viewer-request");
  delete event.Records[0].cf.request.headers.authorization;
  for (const _ of [1, 2]) {
    const { result, log } = await authorizer.invoke(event);
    assert.equal(result.status, "403");
    assert.equal(result.headers["x-oss-request-id"][0].value, log.request_id);
    assert.match(body(result), /<Code>AccessDenied<\/Code>/);
    assert.deepEqual([log.function, log.level, log.code], ["viewer-request-authorizer", "warn", "AccessDenied"]);
  }
});

test("the origin-response entry answers without a network", async (t) => {
  const handler = await built(t, "xmlns-response-handler");
  const { result, log } = await handler.invoke(recorded("origin-response"), "originResponse");
  assert.equal(log.function, "xmlns-response-handler/origin-response");
  assert.ok(/^[2-5]\d\d$/.test(result.status), JSON.stringify(result));
  assert.ok(!/was lost/.test(log.reason ?? ""), log.reason);
});

for (const name of ["viewer-request-authorizer", "multipart-initiation-router", "xmlns-response-handler"]) {
  test(`${name} answers an event that is none by itself, without a trap`, async (t) => {
    const instance = await built(t, name);
    const { log } = await instance.invoke({ Records: [] });
    assert.deepEqual([log.function, log.code, log.level], [name, "InternalError", "error"]);
    assert.ok(!/was lost/.test(log.reason), log.reason);
  });

  test(`${name} says what names the mistake of its configuration`, async (t) => {
    const instance = await built(t, name, { ...CONFIGURATION, cloudfront: { key_shards: 0 } });
    const { log } = await instance.invoke(recorded("viewer-request"));
    assert.match(log.reason, /there is a mistake: `causeway check` says which/);
  });
}

function body({ body, bodyEncoding }) {
  return Buffer.from(body, bodyEncoding === "base64" ? "base64" : "utf8").toString();
}
