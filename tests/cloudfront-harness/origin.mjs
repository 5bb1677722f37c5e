// CloudFront's side of the origin: signing by origin access control, timeouts, attempts, streaming.

import { EdgeError } from "./error-page.mjs";
import { send } from "./forward.mjs";
import { UNSIGNED_PAYLOAD, signForS3 } from "./sigv4.mjs";
import { target, values, without } from "./wire.mjs";

/** Methods that CloudFront tries again [CFD:RequestAndResponseBehaviorS3Origin]. */
const TRIED_AGAIN = new Set(["GET", "HEAD"]);

/**
 * Sends a request to an origin and gives the head of its answer, with `stream` for the body, or `discard()` if nobody
 * wants it.
 *
 * `origin` is `{kind, domainName, path, port, protocol, readTimeout, customHeaders, connectionAttempts, accessControl}`;
 * `accessControl` is there only if the origin is the one that the distribution gives it for. `body` is a ViewerBody.
 */
export async function askOrigin({ origin, head, body, requestId, names, credentials }) {
  if (!names.has(origin.domainName))
    throw new EdgeError(502, `CloudFront wasn't able to resolve the origin domain name ${origin.domainName}`);
  const port = names.port(origin.domainName, origin.protocol, origin.port);
  if (port === undefined)
    throw new EdgeError(502, `nothing answers ${origin.protocol} on port ${origin.port} of ${origin.domainName}`);
  const request = await originRequest(origin, head, requestId, credentials);
  const attempts = TRIED_AGAIN.has(head.method) ? origin.connectionAttempts : 1;
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask(request, { port, body, milliseconds: origin.readTimeout * 1000 });
    } catch (error) {
      if (attempt >= attempts) throw error;
    }
  }
}

async function originRequest(origin, head, requestId, credentials) {
  const names = new Set(origin.customHeaders.map(({ name }) => name.toLowerCase()));
  const request = {
    method: head.method,
    path: `${origin.path}${head.path}`,
    query: head.query,
    lines: [...without(head.lines, ...names), ...origin.customHeaders, { name: "X-Amz-Cf-Id", value: requestId }],
  };
  const { signing } = origin.accessControl ?? { signing: "never" };
  const isSigned = values(head.lines, "authorization").length > 0;
  if (signing === "always" || (signing === "no-override" && !isSigned)) {
    const { region, domainName: host } = origin;
    // What a viewer or a function wrote as Authorization does not get there. The digest is not documented for S3;
    // that it is UNSIGNED-PAYLOAD is widely seen, and bodies of any size could not be signed otherwise.
    request.lines = await signForS3(request, credentials, { region, host, digest: UNSIGNED_PAYLOAD });
  }
  return request;
}

async function ask(request, { port, body, milliseconds }) {
  const clock = new Clock(milliseconds);
  try {
    const answer = await send({
      port,
      method: request.method,
      target: target(request),
      lines: request.lines,
      body: body === undefined ? undefined : clock.passing(body.stream()),
      signal: clock.signal,
    });
    clock.answered();
    const discard = () => answer.stream.destroy();
    return { ...answer, stream: clock.reading(answer.stream), discard };
  } catch (error) {
    clock.stop();
    if (clock.ranOut) throw new EdgeError(504, `the origin did not answer within ${milliseconds / 1000} s`);
    throw new EdgeError(502, `the connection to the origin failed: ${error.message}`);
  }
}

/**
 * The origin's response timeout: it counts while CloudFront waits for the origin, for an answer or between two pieces
 * of one, and not while a viewer is slow to send or to read.
 */
class Clock {
  ranOut = false;
  #timer;
  #isAnswered = false;
  #abort = new AbortController();
  #milliseconds;

  constructor(milliseconds) {
    this.#milliseconds = milliseconds;
    this.signal = this.#abort.signal;
    this.start();
  }

  start() {
    this.stop();
    this.#timer = setTimeout(() => {
      this.ranOut = true;
      this.#abort.abort();
    }, this.#milliseconds);
  }

  stop() {
    clearTimeout(this.#timer);
  }

  /** The answer's head is there: what is still sent of the body is not waited for. */
  answered() {
    this.stop();
    this.#isAnswered = true;
  }

  /** A body on its way to the origin. */
  async *passing(chunks) {
    const waits = () => !this.#isAnswered && this.start();
    const goesOn = () => !this.#isAnswered && this.stop();
    goesOn();
    for await (const chunk of chunks) {
      waits();
      yield chunk;
      goesOn();
    }
    waits();
  }

  /** An answer on its way from the origin. */
  async *reading(stream) {
    const iterator = stream[Symbol.asyncIterator]();
    try {
      for (;;) {
        this.start();
        const { value, done } = await iterator.next();
        this.stop();
        if (done) return;
        yield value;
      }
    } finally {
      this.stop();
      stream.destroy();
    }
  }
}
