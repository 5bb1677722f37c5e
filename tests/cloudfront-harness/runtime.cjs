// Lambda's Node.js runtime, in the process of one instance.
//
// The parent sends {start}, then one {id, event, deadline} at a time; events and results are JSON text, as
// between Lambda and its runtime. Errors are told by type and message, as Lambda logs them.

const { existsSync } = require("node:fs");
const path = require("node:path");
const { pathToFileURL } = require("node:url");

const isolate = require("./network.cjs");

let handler;

process.on("message", (message) => {
  if (message.start) start(message.start).then(tell, (error) => tell({ failed: described(error) }));
  else run(message);
});
process.on("disconnect", () => process.exit());
// What a handler uses is looked at while it runs as well; one that never yields is only looked at behind it.
setInterval(() => tell({ watched: true }), 100).unref();

function tell(message) {
  process.send({ ...message, memory: process.memoryUsage.rss() });
}

async function start({ taskRoot, handler: name, names }) {
  isolate(names);
  const dot = name.lastIndexOf(".");
  const file = ["js", "mjs", "cjs"].map((end) => path.join(taskRoot, `${name.slice(0, dot)}.${end}`)).find(existsSync);
  if (file === undefined) throw new Error(`Cannot find the module of the handler ${name}`);
  const exported = file.endsWith(".mjs") ? await import(pathToFileURL(file)) : require(file);
  handler = exported[name.slice(dot + 1)];
  if (typeof handler !== "function") throw new Error(`${name} is undefined or not exported`);
  return { started: true };
}

async function run({ id, event, deadline }) {
  const context = {
    awsRequestId: id,
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
  try {
    const result = await new Promise((resolve, reject) => {
      const returned = handler(JSON.parse(event), context, (error, value) => (error ? reject(error) : resolve(value)));
      if (typeof returned?.then === "function") returned.then(resolve, reject);
    });
    tell({ id, result: JSON.stringify(result) ?? "null" });
  } catch (error) {
    tell({ id, failed: described(error) });
  }
}

function described(error) {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
