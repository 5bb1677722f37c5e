// The built Worker on workerd with bindings of every kind: which deployments serve, and what is said of the others.
// `cargo xtask test worker` runs this with workerd in $WORKERD and the Worker's folder in $WORKER.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { compatibility, embedded, serve } from "./workerd.mjs";

const text = (value) => `text = ${JSON.stringify(value)}`;

const BINDINGS = {
  CAUSEWAY_CONFIG: text(JSON.stringify({
    buckets: [{
      name: "devices",
      origin: { bucket: "acme-ingest", region: "eu-west-1", endpoint: "http://127.0.0.1:9", addressing: "path" },
    }],
    hosts: [{ host: "127.0.0.1", styles: ["path"] }],
  })),
  ORIGIN_ACCESS_KEY_ID: text("AKIATEST"),
  ORIGIN_SECRET_ACCESS_KEY: text("a secret of the origin for tests"),
  UPLOAD_SEAL: text(JSON.stringify({ id: "u1", secret: "a secret of the gateway's for tests" })),
};

/** What a request is told that is signed by nobody, and the line that is logged of it. */
async function told(changed) {
  const bindings = Object.entries({ ...BINDINGS, ...changed }).filter(([, value]) => value !== undefined);
  const folder = mkdtempSync(join(tmpdir(), "causeway-settings-"));
  let workerd;
  try {
    writeFileSync(join(folder, "config.capnp"), `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "worker", worker = .worker)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "worker")],
);
const worker :Workerd.Worker = (${compatibility}
  modules = [${embedded(folder)}],
  bindings = [${bindings.map(([name, value]) => `(name = "${name}", ${value})`).join(", ")}],
);
`);
    workerd = await serve(folder);
    const response = await fetch(`${workerd.url}/devices/k`, { method: "PUT", body: "x" });
    await response.text();
    return { status: response.status, line: await workerd.logLine(() => true) };
  } finally {
    workerd?.stop();
    rmSync(folder, { recursive: true });
  }
}

for (const limit of [undefined, text("50"), text("10000"), 'json = "1000"']) {
  test(`a deployment with MAX_SUBREQUESTS ${limit ?? "not set"} serves`, async () => {
    const { status } = await told({ MAX_SUBREQUESTS: limit });
    assert.equal(status, 403);
  });
}

for (const limit of [text("49"), text("10001"), text("100.5"), text("1e3"), text("-100"), text("many"), text(""), 'json = "null"']) {
  test(`a deployment with MAX_SUBREQUESTS ${limit} serves nobody, and says why`, async () => {
    const { status, line } = await told({ MAX_SUBREQUESTS: limit });
    assert.deepEqual([status, line.level], [500, "error"]);
    assert.match(line.reason, /MAX_SUBREQUESTS/);
  });
}

for (const name of ["UPLOAD_SEAL", "ORIGIN_SECRET_ACCESS_KEY"]) {
  test(`a deployment without ${name} serves nobody, and says why`, async () => {
    const { status, line } = await told({ [name]: undefined });
    assert.equal(status, 500);
    assert.match(line.reason, new RegExp(`${name} is missing`));
  });
}

test("a short secret for upload ids is refused without being repeated", async () => {
  const { status, line } = await told({ UPLOAD_SEAL: text(JSON.stringify({ id: "u1", secret: "hunter2" })) });
  assert.equal(status, 500);
  assert.match(line.reason, /UPLOAD_SEAL/);
  assert.ok(!JSON.stringify(line).includes("hunter2"));
});
