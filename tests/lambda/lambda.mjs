// Starts functions for the tests beside this file.

import { fork } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** What Lambda@Edge gives a function, and all that it gives. */
export const environment = {
  AWS_ACCESS_KEY_ID: "ASIAEXAMPLEROLE",
  AWS_SECRET_ACCESS_KEY: "role-secret-0123456789",
  AWS_SESSION_TOKEN: "role-token-0123456789",
  AWS_REGION: "eu-central-1",
};

/** A task root with the shipped JavaScript of `name` around the fake. */
export function folderOf(name, configuration = "{}") {
  const folder = mkdtempSync(join(tmpdir(), "causeway-lambda-"));
  copyFileSync(here("../../edge-functions/lambda.js"), join(folder, "lambda.js"));
  copyFileSync(here(`../../edge-functions/${name}/index.js`), join(folder, "index.js"));
  copyFileSync(here("fake.js"), join(folder, `${name}.js`));
  if (configuration !== null) writeFileSync(join(folder, "causeway.json"), configuration);
  return folder;
}

/** Starts an instance of the function in `folder`, on the Node.js of $LAMBDA_NODE where that is set. */
export async function start(folder) {
  const child = fork(here("instance.cjs"), [folder], {
    env: environment,
    execArgv: ["--expose-gc"],
    execPath: process.env.LAMBDA_NODE || process.execPath,
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  const lines = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  await once(child, "message");

  async function ask(message) {
    child.send(message);
    const [answer] = await once(child, "message");
    return answer;
  }

  return {
    /** Everything that it wrote to its log. */
    lines,
    /** What `entry` returns for an event, the log line that it wrote meanwhile, and the most memory that it ever had. */
    async invoke(event, entry = "handler") {
      const before = lines.length;
      const { result, memory } = await ask({ entry, event });
      // The line and the result come by different ways.
      for (const deadline = Date.now() + 2000; lines.length === before && Date.now() < deadline;) await setTimeout(5);
      return { result, memory, log: lines.length === before ? undefined : JSON.parse(lines[before]) };
    },
    alive: async () => (await ask({ count: true })).alive,
    stop() {
      child.kill("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
