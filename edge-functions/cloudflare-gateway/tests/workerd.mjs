// workerd for the tests beside this file: the program of $WORKERD on a folder with a config.capnp.

import { spawn } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";

/** What is deployed: the tests run with its date and flags. */
export const wrangler = readFileSync(new URL("../../../infra/cloudflare/wrangler.toml", import.meta.url), "utf8");

/** The lines of a Worker's configuration that wrangler.toml decides. */
export const compatibility = `
  compatibilityDate = ${/^compatibility_date = (.*)$/m.exec(wrangler)[1]},
  compatibilityFlags = ${/^compatibility_flags = (.*)$/m.exec(wrangler)[1]},`;

/** Copies the modules of the built Worker, whose folder is $WORKER, into a folder; gives their part of the configuration. */
export function embedded(folder) {
  const modules = readdirSync(process.env.WORKER, { recursive: true }).filter((name) => /\.(js|wasm)$/.test(name));
  // The entry module is the first.
  modules.sort((a, b) => (b === "index.js") - (a === "index.js"));
  const lines = modules.map((name, index) => {
    writeFileSync(join(folder, `module${index}`), readFileSync(join(process.env.WORKER, name)));
    return `(name = ${JSON.stringify(name)}, ${name.endsWith(".wasm") ? "wasm" : "esModule"} = embed "module${index}")`;
  });
  return lines.join(", ");
}

/** Starts workerd and waits until it listens. `logged` fills with the Worker's log lines, parsed. */
export async function serve(folder) {
  const logged = [];
  const workerd = spawn(process.env.WORKERD, ["serve", "--control-fd=1", join(folder, "config.capnp")], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const url = await new Promise((resolve, reject) => {
    workerd.on("error", reject);
    workerd.on("exit", (code) => reject(new Error(`workerd ended with ${code}`)));
    createInterface({ input: workerd.stdout }).on("line", (line) => {
      const entry = JSON.parse(line);
      if (entry.event === "listen") resolve(`http://127.0.0.1:${entry.port}`);
      else logged.push(entry);
    });
  });

  /** The first line that matches; it may come after the answer that it is about. */
  async function logLine(matches) {
    for (const deadline = Date.now() + 5000; Date.now() < deadline; await setTimeout(10)) {
      const entry = logged.find(matches);
      if (entry !== undefined) return entry;
    }
    throw new Error(`no such line among ${JSON.stringify(logged)}`);
  }

  return { url, logged, logLine, stop: () => workerd.kill("SIGKILL") };
}
