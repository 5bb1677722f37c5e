// The events that CloudFront passes to functions [CFD:lambda-event-structure].

import { encoded, eventHeaders, shown, wireLines } from "./wire.mjs";

/** Methods whose body CloudFront shows to functions [CFD:lambda-include-body-access]. */
export const WRITING_METHODS = new Set(["PUT", "POST", "PATCH", "DELETE"]);

/**
 * The event of one function.
 *
 * `request` is what `eventRequest` gave; `response`, where there is one, what `eventResponse` gave.
 */
export function event({ type, distribution, requestId, request, response }) {
  const cf = {
    config: {
      distributionDomainName: distribution.domain,
      distributionId: distribution.id,
      eventType: type,
      requestId,
    },
    request,
  };
  if (response !== undefined) cf.response = response;
  return { Records: [{ cf }] };
}

/** `head` as a function sees it. `body` is `{bytes, truncated}`, with IncludeBody; `origin` is there in origin events. */
export function eventRequest({ clientIp, head, body, origin }) {
  const request = {
    clientIp,
    headers: eventHeaders(head.lines),
    method: head.method,
    querystring: shown(head.query),
    uri: shown(head.path),
  };
  if (body !== undefined) {
    request.body = {
      inputTruncated: body.truncated,
      action: "read-only",
      encoding: "base64",
      data: body.bytes.toString("base64"),
    };
  }
  if (origin !== undefined) request.origin = origin;
  return request;
}

/** The origin as origin events show it. */
export function eventOrigin(origin) {
  const customHeaders = {};
  for (const { name, value } of origin.customHeaders) customHeaders[name.toLowerCase()] = [{ key: name, value }];
  if (origin.kind === "s3") {
    return {
      s3: {
        authMethod: "none",
        customHeaders,
        domainName: origin.domainName,
        path: origin.path,
        region: origin.region,
      },
    };
  }
  const { domainName, keepaliveTimeout, path, port, protocol, readTimeout, sslProtocols } = origin;
  return {
    custom: { customHeaders, domainName, keepaliveTimeout, path, port, protocol, readTimeout, sslProtocols },
  };
}

export function eventResponse({ status, statusText, lines }) {
  return { headers: eventHeaders(lines), status: String(status), statusDescription: statusText };
}

/** The head that goes on: unchanged parts as the bytes that came, changed ones in UTF-8. */
export function changedHead(head, request, result) {
  return {
    method: head.method,
    path: result.uri === request.uri ? head.path : encoded(result.uri),
    query: result.querystring === request.querystring ? head.query : encoded(result.querystring),
    lines: wireLines(result.headers, head.lines),
  };
}
