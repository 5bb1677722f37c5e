// The way of one viewer request through the distribution: viewer-request function, policies, origin-request
// function, origin, origin-response function, viewer-response function.

import { EdgeError } from "./error-page.mjs";
import { WRITING_METHODS, changedHead, event, eventOrigin, eventRequest, eventResponse } from "./event.mjs";
import { FunctionFailed } from "./lambda.mjs";
import { askOrigin } from "./origin.mjs";
import { keptSeconds, originHead, returnsCookies } from "./policies.mjs";
import {
  InvalidResult,
  SHOWN_BODY_BYTES,
  answerBody,
  checkOriginResponse,
  checkRequestResult,
  checkViewerResponse,
  isDisallowed,
} from "./rules.mjs";
import { values, wireLines, without } from "./wire.mjs";

/** Headers of an origin's answer that CloudFront does not hand on [CFD:RequestAndResponseBehaviorCustomOrigin]. */
const REMOVED_FROM_ANSWERS = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "via",
  "x-cache",
];

export class Visit {
  #discard;

  /**
   * `edge` is the harness's own: `{distribution, functions, names, accessControl, via, scheme}`; `functions` are
   * LambdaFunctions by ARN. `body` is a ViewerBody, undefined for GET and HEAD.
   */
  constructor(edge, { behaviour, head, body, clientIp, requestId }) {
    Object.assign(this, { edge, behaviour, head, body, clientIp, requestId });
  }

  /** The answer for the viewer: `{status, statusText, lines, cache, body | stream, discard}`. */
  async answer() {
    try {
      return await this.#answer();
    } catch (error) {
      this.#discard?.();
      throw error;
    }
  }

  async #answer() {
    const viewer = await this.#viewerRequest();
    if (viewer.generated) return viewer.generated;
    const answer = await this.#withoutViewer(viewer.head);
    this.#refuseCaching(answer);
    return this.#viewerResponse(answer, viewer.request);
  }

  async #viewerRequest() {
    const request = eventRequest({
      clientIp: this.clientIp,
      head: visible(this.head),
      body: await this.#shownBody("viewer-request"),
    });
    const result = await this.#call("viewer-request", { request });
    if (result === undefined) return { head: this.head, request };
    return this.#requestResult("viewer-request", this.head, request, result);
  }

  /** From the cache miss on: everything that does not know the viewer. */
  async #withoutViewer(viewerHead) {
    const { origin } = this.behaviour;
    const head = originHead(viewerHead, this.behaviour, { clientIp: this.clientIp, via: this.edge.via });
    const request = eventRequest({
      clientIp: this.clientIp,
      head: visible(head),
      body: await this.#shownBody("origin-request"),
      origin: eventOrigin(origin),
    });
    const result = await this.#call("origin-request", { request });
    let decided = { head, request };
    if (result !== undefined) decided = await this.#requestResult("origin-request", head, request, result);
    if (decided.generated) return decided.generated;
    const answer = await askOrigin({
      origin: chosenOrigin(origin, decided.request.origin, this.edge.scheme),
      head: decided.head,
      body: this.body,
      requestId: this.requestId,
      names: this.edge.names,
      credentials: this.edge.accessControl,
    });
    this.#discard = answer.discard;
    return this.#originResponse(answer, decided.request);
  }

  async #originResponse(answer, request) {
    const lines = withoutRemoved(answer.lines, this.behaviour);
    const response = eventResponse({ ...answer, lines: visible({ lines }).lines });
    const { body: _, ...asked } = request;
    const result = await this.#call("origin-response", { request: asked, response });
    if (result === undefined) return { ...answer, lines, cache: cacheWord(answer.status) };
    const checked = this.#validated("origin-response", () => checkOriginResponse(response, result, this.head.method));
    const changed = {
      status: Number(checked.status),
      statusText: checked.statusDescription,
      lines: wireLines(checked.headers ?? {}, lines),
      cache: cacheWord(Number(checked.status)),
    };
    if (checked.body === undefined) return { ...changed, stream: answer.stream, discard: answer.discard };
    answer.discard();
    return { ...changed, body: answerBody(checked) };
  }

  async #viewerResponse(answer, request) {
    if (answer.status >= 400) return answer;
    const lines = without(answer.lines, "x-cache");
    const response = eventResponse({ ...answer, lines: visible({ lines }).lines });
    const { body: _, ...asked } = request;
    const result = await this.#call("viewer-response", { request: asked, response });
    if (result === undefined) return answer;
    const checked = this.#validated("viewer-response", () => checkViewerResponse(response, result));
    return { ...answer, statusText: checked.statusDescription, lines: wireLines(checked.headers ?? {}, lines) };
  }

  /** Calls the function of an event type; undefined where the behaviour has none. */
  async #call(type, { request, response }) {
    const association = this.behaviour.functions[type];
    if (association === undefined) return undefined;
    const { distribution, functions } = this.edge;
    const lambda = functions.get(association.function.arn);
    try {
      return await lambda.invoke(event({ type, distribution, requestId: this.requestId, request, response }));
    } catch (error) {
      if (!(error instanceof FunctionFailed)) throw error;
      // The guide says 500 for errors and 503 for time-outs; answers that were seen had 503 for either
      // [ISS:serverless-next.js#181, #2014, cognito-at-edge#86].
      throw new EdgeError(503, `${lambda.name} at ${type}: ${error.message}`, "LambdaExecutionError from cloudfront");
    }
  }

  async #shownBody(type) {
    const { includeBody = false } = this.behaviour.functions[type] ?? {};
    if (!includeBody || !WRITING_METHODS.has(this.head.method)) return undefined;
    if (this.body === undefined) return { bytes: Buffer.alloc(0), truncated: false };
    return this.body.peek(SHOWN_BODY_BYTES[type]);
  }

  async #requestResult(type, head, request, result) {
    const { includeBody } = this.behaviour.functions[type];
    const checked = this.#validated(type, () => checkRequestResult(type, request, result, { includeBody }));
    if (checked.response) {
      const { response } = checked;
      const body = answerBody(response);
      const status = Number(response.status);
      const lines = wireLines(response.headers ?? {}, []);
      if (values(lines, "server").length === 0) lines.push({ name: "Server", value: "CloudFront" });
      if (status !== 204 && status !== 304) lines.push({ name: "Content-Length", value: String(body.length) });
      return {
        generated: {
          status,
          statusText: response.statusDescription,
          lines,
          body,
          cache: "LambdaGeneratedResponse from cloudfront",
        },
      };
    }
    const changed = changedHead(head, request, checked.request);
    if (checked.body !== undefined) {
      await this.body.replace(checked.body);
      const length = { name: "Content-Length", value: String(checked.body.length) };
      changed.lines = [...without(changed.lines, "content-length", "transfer-encoding"), length];
    }
    return { head: changed, request: checked.request };
  }

  #validated(type, check) {
    try {
      return check();
    } catch (error) {
      if (!(error instanceof InvalidResult)) throw error;
      const { name } = this.behaviour.functions[type].function;
      throw new EdgeError(502, `${name} at ${type}: ${error.message}`, "LambdaValidationError from cloudfront");
    }
  }

  /** The harness has no cache, and nothing that a gateway answers may be in one. */
  #refuseCaching({ status, lines }) {
    const { behaviour, head, edge } = this;
    const seconds = keptSeconds({
      method: head.method,
      status,
      lines,
      behaviour,
      errorCaching: edge.distribution.errorCaching,
    });
    if (seconds > 0)
      throw new EdgeError(502, `CloudFront would keep this answer (${status}) for ${seconds} s and give it to others`);
  }
}

/** A head without the lines that functions do not see. */
function visible(head) {
  return { ...head, lines: head.lines.filter(({ name }) => !isDisallowed(name)) };
}

function withoutRemoved(lines, behaviour) {
  const kept = without(lines, ...REMOVED_FROM_ANSWERS);
  return returnsCookies(behaviour) ? kept : without(kept, "set-cookie");
}

function cacheWord(status) {
  return status >= 400 ? "Error from cloudfront" : "Miss from cloudfront";
}

/** The origin that the request goes to. Access control is the distribution's, for the origin that it names. */
function chosenOrigin(configured, { s3, custom }, scheme) {
  const chosen = s3 ?? custom;
  const customHeaders = Object.entries(chosen.customHeaders).flatMap(([name, lines]) =>
    wireLines({ [name]: lines }, []),
  );
  const common = {
    domainName: chosen.domainName,
    path: chosen.path,
    customHeaders,
    connectionAttempts: configured.connectionAttempts,
  };
  if (custom) return { ...common, port: custom.port, protocol: custom.protocol, readTimeout: custom.readTimeout };
  // That CloudFront does not sign for a bucket that a function chose is not documented: the stricter assumption.
  const isSame = configured.kind === "s3" && s3.domainName === configured.domainName;
  return {
    ...common,
    // To a bucket CloudFront speaks the protocol that the viewer spoke.
    port: scheme === "https" ? 443 : 80,
    protocol: scheme,
    readTimeout: configured.kind === "s3" ? configured.readTimeout : 30,
    region: configured.region,
    accessControl: isSame ? configured.accessControl : undefined,
  };
}
