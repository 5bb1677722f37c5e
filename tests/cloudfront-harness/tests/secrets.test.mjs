// Secrets Manager: what can be read, by whom, and where.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { PROGRAMMABLE, SIGNER, harness, program } from "./support.mjs";

/** Asks for a secret from a viewer-request function; gives status and document. */
async function read(h, secret, { region = "us-east-1", change = "" } = {}) {
  const code = program(`
    const host = "secretsmanager.${region}.amazonaws.com";
    const body = JSON.stringify({ SecretId: ${JSON.stringify(secret)} });
    const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": "secretsmanager.GetSecretValue" };
    let options = { host, service: "secretsmanager", region: "${region}", headers, body };
    ${change}
    const answer = await fetch("https://" + host + "/", { method: "POST", headers: signed(options), body });
    return { status: "200", body: JSON.stringify({ status: answer.status, document: await answer.json() }) };`);
  const answer = await h.ask({ headers: code });
  assert.equal(answer.status, 200, JSON.stringify(h.logged));
  return JSON.parse(answer.text);
}

const started = (t, more) => harness(t, { functions: { "viewer-request": SIGNER + PROGRAMMABLE }, ...more });

test("the passport is the configuration's, by name and by ARN", async (t) => {
  const h = await started(t);
  const { status, document } = await read(h, "causeway/passport");
  assert.deepEqual([status, JSON.parse(document.SecretString)], [200, { id: "p1", secret: "s".repeat(40) }]);
  assert.match(document.ARN, /^arn:aws:secretsmanager:us-east-1:111122223333:secret:causeway\/passport-[a-z0-9]{6}$/);
  assert.equal((await read(h, document.ARN)).document.SecretString, document.SecretString);
});

test("a shard has the records whose key id hashes to it, as they are in the folder at that moment", async (t) => {
  const h = await started(t);
  const ids = Array.from({ length: 10 }, (_, index) => `LTAI${index}`);
  const shard = (id) => createHash("sha256").update(id).digest()[0] % 2;
  for (const id of ids) writeFileSync(join(h.keys, id), JSON.stringify({ id }));
  writeFileSync(join(h.keys, ".hidden"), "{}");
  for (const n of [0, 1]) {
    const records = JSON.parse((await read(h, `causeway/${n}`)).document.SecretString);
    assert.deepEqual(
      Object.keys(records).sort(),
      ids.filter((id) => shard(id) === n),
    );
    assert.deepEqual(Object.values(records)[0], { id: Object.keys(records)[0] });
  }
  writeFileSync(join(h.keys, "LTAI0"), "broken {");
  const records = JSON.parse((await read(h, `causeway/${shard("LTAI0")}`)).document.SecretString);
  assert.equal(records.LTAI0, "broken {");
});

test("what does not exist is ResourceNotFoundException, also in a region without a replica", async (t) => {
  const h = await started(t);
  for (const [secret, region] of [
    ["causeway/2", "us-east-1"],
    ["causeway/01", "us-east-1"],
    ["causeway/x", "us-east-1"],
    ["causeway/passport", "eu-west-1"],
  ]) {
    const { status, document } = await read(h, secret, { region });
    assert.deepEqual([status, document.__type], [400, "ResourceNotFoundException"], secret);
  }
  const edit = ({ edge }) => (edge.Resources.Passport.Properties.ReplicaRegions = [{ Region: "eu-west-1" }]);
  const replicated = await started(t, { edit });
  for (const secret of ["causeway/passport", "causeway/0"]) {
    assert.equal((await read(replicated, secret, { region: "eu-west-1" })).status, 200);
  }
});

test("without the template's passport secret there is none", async (t) => {
  const h = await started(t, { edit: ({ edge }) => delete edge.Resources.Passport });
  assert.equal((await read(h, "causeway/passport")).document.__type, "ResourceNotFoundException");
});

test("a role that is not allowed is told so before it is told what exists", async (t) => {
  const resource =
    (Resource) =>
    ({ edge }) =>
      (edge.Resources.EdgeRole.Properties.Policies[0].PolicyDocument.Statement[0].Resource = Resource);
  const h = await started(t, {
    edit: resource("arn:aws:secretsmanager:us-east-1:111122223333:secret:causeway/passport-??????"),
  });
  assert.equal((await read(h, "causeway/passport")).status, 200);
  for (const secret of ["causeway/0", "causeway/99", "other"]) {
    assert.equal((await read(h, secret)).document.__type, "AccessDeniedException", secret);
  }
});

test("requests that are signed wrongly are refused", async (t) => {
  const h = await started(t);
  for (const [change, type] of [
    ["options.body = 'other'", "InvalidSignatureException"],
    ["options.region = 'eu-west-1'", "InvalidSignatureException"],
    ["options.service = 's3'", "InvalidSignatureException"],
    ["options.now = new Date(0)", "InvalidSignatureException"],
    ["options.accessKeyId = 'ASIAUNKNOWN'", "UnrecognizedClientException"],
    ["options.token = 'x'", "UnrecognizedClientException"],
    ["options.headers['x-amz-target'] = 'secretsmanager.ListSecrets'", "UnknownOperationException"],
    ["options.headers['content-type'] = 'application/json'", "SerializationException"],
  ]) {
    const { status, document } = await read(h, "causeway/passport", { change });
    assert.deepEqual([status, document.__type], [400, type], change);
  }
});

test("a shard that no secret could hold is an error of the test's, and a loud one", async (t) => {
  const h = await started(t);
  for (let index = 0; index < 300; index++)
    writeFileSync(join(h.keys, `K${index}`), JSON.stringify({ pad: "a".repeat(500) }));
  assert.equal((await read(h, "causeway/0")).status, 500);
  assert.match(h.logged.at(-1).reason, /more than 65536 bytes/);
});
