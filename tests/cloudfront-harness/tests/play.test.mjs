// What the harness plays on request: Secrets Manager's bad days, and an S3 that hangs up.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { SIGNER, edgeFunction, harness } from "./support.mjs";

const READ_SECRET = `${SIGNER}${edgeFunction(`
  const name = decodeURIComponent(request.uri.slice(1));
  const body = JSON.stringify({ SecretId: name });
  const host = "secretsmanager.us-east-1.amazonaws.com";
  const headers = signed({ method: "POST", host, service: "secretsmanager", region: "us-east-1", body,
    headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": "secretsmanager.GetSecretValue" } });
  try {
    const answer = await fetch("https://" + host + "/", { method: "POST", headers, body, signal: AbortSignal.timeout(500) });
    const read = await answer.json();
    return { status: "200", body: answer.status + " " + (read.SecretString ?? read.__type) };
  } catch (error) {
    return { status: "200", body: error.name };
  }`)}`;

test("Secrets Manager plays what its file says, for one secret or for all, until the file says otherwise", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "causeway-play-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "play.json");
  const h = await harness(t, {
    functions: { "viewer-request": READ_SECRET },
    secrets: { play_file: file },
  });
  const read = async (name) => (await h.ask({ path: `/${encodeURIComponent(name)}` })).text;
  const play = (what) => writeFileSync(file, JSON.stringify(what));
  assert.match(await read("causeway/passport"), /^200 .*"p1"/);
  for (const [what, expected] of [
    [{ "causeway/0": { error: "InternalServiceError" } }, "500 InternalServiceError"],
    [{ "*": { error: "ThrottlingException" } }, "400 ThrottlingException"],
    [{ "causeway/0": { value: "not JSON" } }, "200 not JSON"],
    [{ "causeway/0": { absent: true } }, "400 ResourceNotFoundException"],
    [{ "causeway/0": { hang: true } }, "TimeoutError"],
    [{ "causeway/1": { absent: true } }, "200 {}"],
    [{}, "200 {}"],
  ]) {
    play(what);
    assert.equal(await read("causeway/0"), expected, JSON.stringify(what));
  }
});

test("an origin that hangs up is an S3 that hangs up", async (t) => {
  const h = await harness(t, {
    functions: {
      "origin-request": edgeFunction("delete request.origin.s3.customHeaders['x-causeway-handler']; return request;"),
    },
    origin: (incoming) => incoming.socket.destroy(),
  });
  const answer = await h.ask({ method: "PUT", path: "/k", body: Buffer.from("x") });
  assert.equal(answer.status, 502, JSON.stringify(h.logged));
  assert.equal(h.received.length, 1);
  assert.deepEqual(
    h.logged.map((line) => line.function),
    ["s3", "cloudfront"],
  );
});
