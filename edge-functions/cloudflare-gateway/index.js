// The Worker's entry module. It holds one instance of the wasm and lends it to every request.
//
// A wasm trap leaves its instance in an unknown state and its request without an answer. Here the trapping
// request is answered 500, requests in flight finish on the old instance, and new ones get a new instance.
// `cargo xtask build` writes glue.js (a function that makes instances) and index_bg.wasm beside this file.

import { AsyncLocalStorage } from "node:async_hooks";
import { instantiate } from "./glue.js";
import wasm from "./index_bg.wasm";

let instance = instantiate(wasm);

// Which request an uncaught error belongs to: futures are polled in microtasks, so a trap inside one reaches
// nobody's `catch`, only the global error event.
const request = new AsyncLocalStorage();

addEventListener("error", (event) => {
  instance = undefined;
  request.getStore()?.(event.error);
});

export default {
  fetch(incoming, env, context) {
    const answered = new Promise((resolve) => {
      const failed = (what, error) => resolve(internalError(incoming, `${what}: ${error}`));
      const trapped = (error) => {
        instance = undefined;
        failed("the wasm instance was lost", error);
      };
      request.run(trapped, () => {
        try {
          instance ??= instantiate(wasm);
          // Only what does not trap can reject a promise: the instance is as good as before.
          instance.fetch(incoming, env, context).then(resolve, (error) => failed("no answer could be made", error));
        } catch (error) {
          trapped(error);
        }
      });
    });
    // A client that hangs up ends its request, but not before what was begun at the origin is undone.
    context.waitUntil(answered);
    return answered;
  },
};

// OSS's InternalError, which SDKs retry, and the log line of a request that the gateway could not log itself.
function internalError(incoming, reason) {
  const id = crypto.randomUUID().replaceAll("-", "").slice(0, 24).toUpperCase();
  const host = incoming.headers.get("host") ?? "";
  const now = new Date();
  const { method } = incoming;
  console.log(JSON.stringify({
    time: now.toISOString(), request_id: id, method, host, operation: null, bucket: null, key: null,
    access_key_id: null, status: 500, code: "InternalError", reason,
    origin_status: null, origin_request_id: null, milliseconds: null, level: "error",
  }));
  const text = (value) => value.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`);
  const document = `<?xml version="1.0" encoding="UTF-8"?>
<Error>
  <Code>InternalError</Code>
  <Message>We encountered an internal error. Please try again.</Message>
  <RequestId>${id}</RequestId>
  <HostId>${text(host)}</HostId>
</Error>
`;
  const headers = { "content-type": "application/xml", "x-oss-request-id": id, date: now.toUTCString() };
  if (method === "HEAD") headers["x-oss-err"] = btoa(document);
  return new Response(method === "HEAD" ? null : document, { status: 500, headers });
}
