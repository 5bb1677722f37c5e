// What of a viewer's request reaches the origin, and is seen by origin-request functions:
// the cache policy and the origin request policy of the behaviour [CFD:controlling-origin-requests,
// RequestAndResponseBehaviorCustomOrigin].

import { isDisallowed } from "./rules.mjs";
import { values } from "./wire.mjs";

/** Removed whatever the policies say. */
const REMOVED = new Set(["te", "x-http-method-override"]);
/** Written by CloudFront itself, or part of how the body is framed. */
const OWN = new Set([
  "accept-encoding",
  "authorization",
  "content-length",
  "cookie",
  "host",
  "transfer-encoding",
  "user-agent",
  "via",
  "x-forwarded-for",
]);
const READING_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

/** The request that CloudFront makes of `head` for the origin of `behaviour`. `via` is the server's name in Via. */
export function originHead(head, behaviour, { clientIp, via }) {
  const { cachePolicy: cache, originRequestPolicy: forward, origin } = behaviour;
  const isSelected = (name) =>
    selects(cache.headers, name) || (forward !== undefined && selects(forward.headers, name));
  const lines = head.lines.filter(({ name }) => {
    const lower = name.toLowerCase();
    return !REMOVED.has(lower) && !OWN.has(lower) && !isDisallowed(lower) && isSelected(lower);
  });
  const keep = (name) => lines.push(...head.lines.filter((line) => line.name.toLowerCase() === name));
  keep("content-length");
  keep("transfer-encoding");
  if (forwardsAuthorization(head.method, cache, forward)) keep("authorization");
  if (isSelected("host")) keep("host");
  else lines.push({ name: "Host", value: origin.domainName });
  if (isSelected("user-agent") && values(head.lines, "user-agent").length > 0) keep("user-agent");
  else lines.push({ name: "User-Agent", value: "Amazon CloudFront" });
  lines.push(...acceptEncoding(head, cache, isSelected("accept-encoding")));
  lines.push(...cookies(head, cache, forward));
  lines.push({ name: "X-Forwarded-For", value: [...values(head.lines, "x-forwarded-for"), clientIp].join(", ") });
  lines.push({ name: "Via", value: [...values(head.lines, "via"), `1.1 ${via} (CloudFront)`].join(", ") });
  return { ...head, query: query(head.query, cache, forward), lines };
}

function selects({ kind, names }, name) {
  switch (kind) {
    case "none":
      return false;
    case "whitelist":
      return names.includes(name);
    case "allExcept":
      return !names.includes(name);
    default:
      return true;
  }
}

/**
 * GET and HEAD lose Authorization, unless it is in the cache key, or all headers are forwarded and nothing is cached.
 * OPTIONS counts as they do: the stricter reading. Other methods keep it.
 */
function forwardsAuthorization(method, cache, forward) {
  if (cache.headers.names.includes("authorization")) return true;
  if (!READING_METHODS.has(method)) return true;
  return (
    cache.maxTtl === 0 &&
    forward !== undefined &&
    forward.headers.kind !== "whitelist" &&
    selects(forward.headers, "authorization")
  );
}

/** Normalised where the cache policy asks for it, otherwise a header like any other [CFD:controlling-the-cache-key]. */
function acceptEncoding(head, cache, isSelected) {
  const sent = values(head.lines, "accept-encoding");
  if (!cache.gzip && !cache.brotli) {
    return isSelected ? head.lines.filter(({ name }) => name.toLowerCase() === "accept-encoding") : [];
  }
  const codings = sent
    .join(",")
    .split(",")
    .map((coding) => coding.split(";")[0].trim().toLowerCase());
  const kept = [
    cache.brotli && codings.includes("br") && "br",
    cache.gzip && codings.includes("gzip") && "gzip",
  ].filter(Boolean);
  return kept.length === 0 ? [] : [{ name: "Accept-Encoding", value: kept.join(",") }];
}

function cookies(head, cache, forward) {
  const pairs = values(head.lines, "cookie")
    .flatMap((line) => line.split(/;\s*/))
    .filter((pair) => pair !== "");
  const kept = pairs.filter((pair) => {
    const name = pair.split("=")[0];
    return selects(cache.cookies, name) || (forward !== undefined && selects(forward.cookies, name));
  });
  return kept.length === 0 ? [] : [{ name: "Cookie", value: kept.join("; ") }];
}

function query(text, cache, forward) {
  const kinds = [cache.queries, ...(forward === undefined ? [] : [forward.queries])];
  if (text === "" || kinds.some(({ kind }) => kind === "all")) return text;
  const kept = text.split("&").filter((pair) => {
    const name = pair.split("=")[0];
    return kinds.some((kind) => selects(kind, name));
  });
  return kept.join("&");
}

/** Whether the policies let Set-Cookie back to the viewer. */
export function returnsCookies({ cachePolicy, originRequestPolicy }) {
  return cachePolicy.cookies.kind !== "none" || (originRequestPolicy?.cookies.kind ?? "none") !== "none";
}

/** Errors that CloudFront keeps whatever the origin says, and those it keeps for as long as the origin says. */
const ALWAYS_KEPT = new Set([404, 414, 500, 501, 502, 503, 504]);
const KEPT_WHEN_TOLD = new Set([400, 403, 405, 412, 415]);

/**
 * For how many seconds CloudFront would keep an answer. `lines` are the answer's headers.
 *
 * A 404 that forbids it is not kept; of 5xx the guide says no such thing, so they are.
 */
export function keptSeconds({ method, status, lines, behaviour, errorCaching }) {
  if (method !== "GET" && method !== "HEAD") return 0;
  const { minTtl, defaultTtl, maxTtl } = behaviour.cachePolicy;
  const control = values(lines, "cache-control").join(",").toLowerCase();
  const forbids = /\b(no-store|no-cache|private)\b/.test(control);
  const age = Number(/\bs-maxage=(\d+)/.exec(control)?.[1] ?? /\bmax-age=(\d+)/.exec(control)?.[1] ?? Number.NaN);
  if (status >= 400) {
    const least = errorCaching.get(status) ?? 10;
    if (ALWAYS_KEPT.has(status)) {
      if (status < 500 && forbids) return 0;
      return Math.max(least, Number.isNaN(age) ? 0 : age);
    }
    return KEPT_WHEN_TOLD.has(status) && age > 0 ? Math.max(least, age) : 0;
  }
  if (maxTtl === 0) return 0;
  if (forbids) return minTtl;
  const [expires] = values(lines, "expires");
  if (Number.isNaN(age) && expires !== undefined) {
    return Math.min(maxTtl, Math.max(minTtl, Math.floor((Date.parse(expires) - Date.now()) / 1000) || 0));
  }
  return Number.isNaN(age) ? defaultTtl : Math.min(maxTtl, Math.max(minTtl, age));
}

/** Whether `pattern` of a behaviour matches a path: `*` is any run of characters, `?` exactly one, case counts. */
export function matchesPath(pattern, path) {
  const absolute = pattern.startsWith("/") ? pattern : `/${pattern}`;
  const expression = absolute
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", "[^]*")
    .replaceAll("?", "[^]");
  return new RegExp(`^${expression}$`).test(normalised(path));
}

/** RFC 3986, for the choice of a behaviour only: functions and origins get the path as sent. */
function normalised(path) {
  const decoded = path.replace(/%([0-9A-Fa-f]{2})/g, (escape, hex) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return /[A-Za-z0-9._~-]/.test(character) ? character : escape.toUpperCase();
  });
  const segments = [];
  for (const segment of decoded.split("/").slice(1)) {
    if (segment === "..") segments.pop();
    else if (segment !== ".") segments.push(segment);
  }
  return `/${segments.join("/")}`;
}
