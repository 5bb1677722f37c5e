// Functions as Lambda runs them: an instance is a process of its own with the unpacked zip, the reserved
// environment variables and its role's credentials; it takes one event at a time, and is thrown away when it
// crashes, is late or uses too much memory.
//
// What Lambda does and this does not: it freezes an instance between events, and runs it on the Node.js of
// the template's Runtime; here it is the Node.js that runs the harness.

import { fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { unzipSync } from "fflate";

import { MB } from "./rules.mjs";

const RUNTIME = fileURLToPath(new URL("runtime.cjs", import.meta.url));
/** How long an instance may take until its handler is there, in milliseconds: Lambda's limit for the init phase. */
const INIT_MS = 10_000;
/** Instances of one function at a time. Lambda has a thousand; a developer's machine has not. */
const MOST_INSTANCES = 12;
/** Lambda's quotas for a synchronous call, in bytes of JSON. */
const PAYLOAD_BYTES = 6 * MB;
const UNZIPPED_BYTES = 250 * MB;

/** A call that gave no result: `kind` is error, timeout, crash or memory. */
export class FunctionFailed extends Error {
  constructor(kind, message) {
    super(message);
    this.kind = kind;
  }
}

export class LambdaFunction {
  #settings;
  #folder;
  #instances = new Set();
  #waiting = [];
  #closed = false;

  /**
   * `settings` are of functions.mjs, with `credentials` of the role, `runsIn` (the region in AWS_REGION) and
   * `shownName` (a replica at the edge is called us-east-1.NAME). `print` takes a log line.
   */
  constructor(settings, { names, print }) {
    this.#settings = settings;
    this.names = names;
    this.print = print;
    this.#folder = mkdtempSync(join(tmpdir(), "causeway-lambda-"));
    unpack(settings, this.#folder);
  }

  get name() {
    return this.#settings.name;
  }

  /** Calls the function with an event (plain data). Gives its result, after a round trip through JSON. */
  async invoke(event) {
    const json = JSON.stringify(event);
    if (Buffer.byteLength(json) > PAYLOAD_BYTES) throw new FunctionFailed("error", "the event is larger than 6 MB");
    const instance = await this.#free();
    try {
      const result = await instance.call(json);
      if (Buffer.byteLength(result) > PAYLOAD_BYTES) {
        throw new FunctionFailed(
          "error",
          "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
        );
      }
      return JSON.parse(result);
    } finally {
      if (!instance.usable) this.#instances.delete(instance);
      instance.busy = false;
      this.#waiting.shift()?.();
    }
  }

  /** Ends every instance. */
  close() {
    this.#closed = true;
    for (const instance of this.#instances) instance.end();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #free() {
    for (;;) {
      if (this.#closed) throw new FunctionFailed("crash", "the harness is ending");
      for (const instance of this.#instances) {
        if (!instance.usable) this.#instances.delete(instance);
        else if (!instance.busy) {
          instance.busy = true;
          return instance;
        }
      }
      if (this.#instances.size < MOST_INSTANCES) {
        const instance = new Instance(this, this.#settings, this.#folder);
        instance.busy = true;
        this.#instances.add(instance);
        return instance;
      }
      await new Promise((resolve) => this.#waiting.push(resolve));
    }
  }
}

class Instance {
  usable = true;
  busy = false;
  #child;
  #settings;
  #started;
  #answer;
  #late;

  constructor(owner, settings, folder) {
    this.#settings = settings;
    this.#child = fork(RUNTIME, [], {
      cwd: folder,
      env: environment(settings, folder),
      execArgv: [`--max-old-space-size=${settings.memoryMb}`],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      createInterface({ input: stream, crlfDelay: Infinity }).on("line", (line) => owner.print(line));
    }
    this.#child.on("message", (message) => this.#heard(message));
    this.#child.on("exit", (code, signal) =>
      this.#lost("crash", `Runtime exited with ${signal ?? `error: exit status ${code}`}`),
    );
    this.#child.on("error", (error) => this.#lost("crash", error.message));
    this.#started = this.#exchange(
      { start: { taskRoot: folder, handler: settings.handler, names: owner.names } },
      INIT_MS,
    );
    // Somebody waits for it in `call`; until then a failure is not unhandled.
    this.#started.catch(() => {});
  }

  async call(event) {
    await this.#started;
    const { timeoutSeconds } = this.#settings;
    const milliseconds = timeoutSeconds * 1000;
    const { result } = await this.#exchange(
      { id: randomUUID(), event, deadline: Date.now() + milliseconds },
      milliseconds,
    );
    return result;
  }

  end() {
    this.usable = false;
    this.#child.kill("SIGKILL");
  }

  #exchange(message, milliseconds) {
    return new Promise((resolve, reject) => {
      this.#answer = { resolve, reject };
      const seconds = (milliseconds / 1000).toFixed(2);
      this.#late = setTimeout(() => this.#lost("timeout", `Task timed out after ${seconds} seconds`), milliseconds);
      if (this.usable) this.#child.send(message, (error) => error && this.#lost("crash", error.message));
      else this.#lost("crash", "the instance has ended");
    });
  }

  #heard(message) {
    const { memoryMb } = this.#settings;
    if (message.memory > memoryMb * 1024 * 1024) {
      const used = Math.round(message.memory / 1024 / 1024);
      return this.#lost("memory", `Runtime.OutOfMemory: ${used} MB of ${memoryMb} MB used`);
    }
    if (message.watched) return;
    clearTimeout(this.#late);
    const answer = this.#answer;
    this.#answer = undefined;
    if (message.failed !== undefined) {
      if (message.id === undefined) this.end();
      answer?.reject(new FunctionFailed("error", message.failed));
    } else answer?.resolve(message);
  }

  #lost(kind, reason) {
    clearTimeout(this.#late);
    this.end();
    const answer = this.#answer;
    this.#answer = undefined;
    answer?.reject(new FunctionFailed(kind, reason));
  }
}

/** The variables that Lambda reserves and sets, and no others. */
function environment(settings, folder) {
  const { credentials, runsIn, shownName, memoryMb, handler, runtime, version = "$LATEST" } = settings;
  return {
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    AWS_DEFAULT_REGION: runsIn,
    AWS_EXECUTION_ENV: `AWS_Lambda_${runtime}`,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
    AWS_LAMBDA_FUNCTION_NAME: shownName,
    AWS_LAMBDA_FUNCTION_VERSION: version,
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${shownName}`,
    AWS_LAMBDA_LOG_STREAM_NAME: `1970/01/01/[${version}]${randomUUID().replaceAll("-", "")}`,
    AWS_REGION: runsIn,
    LAMBDA_RUNTIME_DIR: "/var/runtime",
    LAMBDA_TASK_ROOT: folder,
    LANG: "en_US.UTF-8",
    PATH: "/usr/local/bin:/usr/bin:/bin",
    TZ: ":UTC",
    _HANDLER: handler,
  };
}

/** Writes the files of a zip, which Lambda would have refused if they were too many bytes or outside of the folder. */
function unpack({ id, zip, zipPath }, folder) {
  let total = 0;
  let files;
  try {
    files = unzipSync(zip, {
      filter({ originalSize }) {
        total += originalSize;
        if (total > UNZIPPED_BYTES) throw new Error("unzipped it has more than 250 MB");
        return true;
      },
    });
  } catch (error) {
    throw new Error(`${id}: ${zipPath} can't be unpacked: ${error.message}`);
  }
  for (const [name, bytes] of Object.entries(files)) {
    const path = join(folder, normalize(`/${name}`));
    if (name.includes("..") || name.startsWith("/"))
      throw new Error(`${id}: ${zipPath} has a file outside of it: ${name}`);
    if (name.endsWith("/")) mkdirSync(path, { recursive: true });
    else {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, bytes);
    }
  }
}
