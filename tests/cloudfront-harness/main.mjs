// node main.mjs CONFIG.json — the local CloudFront. README.md says what CONFIG has.
//
// Standard output has one JSON document per line: {"ready": …} once it listens, then what the functions log
// and the reasons of errors. SIGINT and SIGTERM end it.

import { readFileSync } from "node:fs";

import { start } from "./harness.mjs";

function log(record) {
  process.stdout.write(`${JSON.stringify(record)}\n`);
}

/** Lines of functions as they are, if they are JSON documents. */
function print(name, line) {
  if (line.startsWith("{")) process.stdout.write(`${line}\n`);
  else log({ level: "info", function: name, line });
}

const [path] = process.argv.slice(2);
if (path === undefined) {
  process.stderr.write("usage: node main.mjs CONFIG.json\n");
  process.exit(2);
}
let harness;
try {
  harness = await start(JSON.parse(readFileSync(path, "utf8")), { log, print });
} catch (error) {
  process.stderr.write(`The local CloudFront does not start: ${error.message}\n`);
  process.exit(1);
}
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, async () => {
    await harness.close();
    process.exit();
  });
}
log({ ready: { url: harness.url, tls_url: harness.tlsUrl, distribution_domain: harness.distribution.domain } });
