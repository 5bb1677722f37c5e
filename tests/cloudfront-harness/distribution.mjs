// The distribution of the edge stack: what CloudFront would deploy, or the sentence with which it refuses.
//
// Settings that the harness does not play are refused as well, by name: a template that uses one would
// behave differently on AWS.

import { isIP } from "node:net";

import { requireTrust } from "./functions.mjs";
import { isRefusedAsCustom, MB, isDisallowed } from "./rules.mjs";

const EVENTS = ["viewer-request", "origin-request", "origin-response", "viewer-response"];
const METHOD_SETS = ["GET,HEAD", "GET,HEAD,OPTIONS", "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT"];
/** Quotas of Lambda@Edge [CFD:cloudfront-limits]. */
const EDGE_QUOTAS = {
  viewer: { timeoutSeconds: 5, memoryMb: 128, zipBytes: 1 * MB },
  origin: { timeoutSeconds: 30, memoryMb: 10_240, zipBytes: 50 * MB },
};

/** Reads the one distribution of a stack. `functions` are those of all stacks, by ARN. */
export function readDistribution(stack, functions) {
  const distributions = stack.resources("AWS::CloudFront::Distribution");
  if (distributions.length !== 1) throw new Error("the edge template has exactly one distribution");
  const [{ id, ref, attributes, properties }] = distributions;
  const config = only(`${id}.DistributionConfig`, properties.DistributionConfig, [
    "Aliases",
    "CacheBehaviors",
    "Comment",
    "CustomErrorResponses",
    "DefaultCacheBehavior",
    "Enabled",
    "HttpVersion",
    "IPV6Enabled",
    "Logging",
    "Origins",
    "PriceClass",
    "Staging",
    "ViewerCertificate",
    "WebACLId",
  ]);
  if (config.Enabled !== true) throw new Error(`${id}: the distribution is not enabled`);
  const policies = { cache: readCachePolicies(stack), originRequest: readOriginRequestPolicies(stack) };
  const origins = new Map(config.Origins.map((origin) => [origin.Id, readOrigin(origin, stack)]));
  const behaviour = (raw, pattern) => readBehaviour(raw, pattern, { origins, policies, functions });
  return {
    id: ref,
    arn: `arn:aws:cloudfront::${stack.account}:distribution/${ref}`,
    domain: attributes.DomainName,
    aliases: readAliases(id, config),
    behaviours: [
      ...(config.CacheBehaviors ?? []).map((raw) => behaviour(raw, raw.PathPattern)),
      behaviour(config.DefaultCacheBehavior, undefined),
    ],
    errorCaching: readErrorCaching(config.CustomErrorResponses ?? []),
  };
}

function only(what, object, known) {
  for (const key of Object.keys(object)) {
    if (!known.includes(key)) throw new Error(`${what}: the harness does not know ${key}`);
  }
  return object;
}

function readAliases(id, { Aliases = [], ViewerCertificate = {} }) {
  const aliases = Aliases.filter((alias) => alias !== "");
  if (aliases.length > 0 && !ViewerCertificate.AcmCertificateArn) {
    throw new Error(`${id}: Aliases need a certificate that covers them`);
  }
  return aliases.map((alias) => alias.toLowerCase());
}

/** For how many seconds each status is kept at least; 10 where nothing is said [CFD:HTTPStatusCodes]. */
function readErrorCaching(responses) {
  const seconds = new Map();
  for (const response of responses) {
    only("CustomErrorResponses", response, ["ErrorCode", "ErrorCachingMinTTL"]);
    seconds.set(Number(response.ErrorCode), Number(response.ErrorCachingMinTTL ?? 10));
  }
  return seconds;
}

function readOrigin(raw, stack) {
  const what = `origin ${raw.Id}`;
  only(what, raw, [
    "ConnectionAttempts",
    "ConnectionTimeout",
    "CustomOriginConfig",
    "DomainName",
    "Id",
    "OriginAccessControlId",
    "OriginCustomHeaders",
    "OriginPath",
    "S3OriginConfig",
  ]);
  const { S3OriginConfig: s3, CustomOriginConfig: custom, DomainName: domainName } = raw;
  if ((s3 === undefined) === (custom === undefined)) throw new Error(`${what}: it is either an S3 or a custom origin`);
  const customHeaders = readCustomHeaders(what, raw.OriginCustomHeaders ?? []);
  const common = {
    id: raw.Id,
    domainName,
    path: raw.OriginPath ?? "",
    customHeaders,
    connectionAttempts: Number(raw.ConnectionAttempts ?? 3),
    accessControl: readAccessControl(what, raw.OriginAccessControlId, stack),
  };
  if (s3) {
    only(what, s3, ["OriginAccessIdentity", "OriginReadTimeout"]);
    if (s3.OriginAccessIdentity) throw new Error(`${what}: the harness does not know origin access identities`);
    const region = /^[^.]+(?:\.[^.]+)*\.s3\.([a-z0-9-]+)\.amazonaws\.com$/.exec(domainName)?.[1];
    if (region === undefined) throw new Error(`${what}: ${domainName} is no regional domain of a bucket`);
    return {
      ...common,
      kind: "s3",
      region,
      readTimeout: within(what, "OriginReadTimeout", s3.OriginReadTimeout ?? 30, 1, 120),
    };
  }
  only(what, custom, [
    "HTTPPort",
    "HTTPSPort",
    "OriginKeepaliveTimeout",
    "OriginProtocolPolicy",
    "OriginReadTimeout",
    "OriginSSLProtocols",
  ]);
  if (common.accessControl) throw new Error(`${what}: the harness plays origin access control for S3 origins only`);
  if (isIP(domainName)) throw new Error(`${what}: an origin is a name, not an address`);
  if (custom.OriginProtocolPolicy !== "https-only")
    throw new Error(`${what}: the harness speaks to origins as https-only`);
  return {
    ...common,
    kind: "custom",
    port: Number(custom.HTTPSPort ?? 443),
    protocol: "https",
    readTimeout: within(what, "OriginReadTimeout", custom.OriginReadTimeout ?? 30, 1, 120),
    keepaliveTimeout: within(what, "OriginKeepaliveTimeout", custom.OriginKeepaliveTimeout ?? 5, 1, 120),
    sslProtocols: custom.OriginSSLProtocols ?? ["TLSv1", "SSLv3"],
  };
}

function within(what, name, value, least, most) {
  const number = Number(value);
  if (!Number.isInteger(number) || number < least || number > most)
    throw new Error(`${what}: ${name} is ${least} to ${most}`);
  return number;
}

function readCustomHeaders(what, headers) {
  if (headers.length > 10) throw new Error(`${what}: at most 10 custom headers`);
  for (const { HeaderName: name, HeaderValue: value } of headers) {
    if (isRefusedAsCustom(name) || isDisallowed(name)) throw new Error(`${what}: ${name} can't be a custom header`);
    if (name.length > 256 || value.length > 1783) throw new Error(`${what}: the custom header ${name} is too long`);
  }
  return headers.map(({ HeaderName: name, HeaderValue: value }) => ({ name, value }));
}

function readAccessControl(what, id, stack) {
  if (!id) return undefined;
  const found = stack.resources("AWS::CloudFront::OriginAccessControl").find(({ ref }) => ref === id);
  if (!found) throw new Error(`${what}: there is no origin access control ${id}`);
  const {
    OriginAccessControlOriginType: type,
    SigningBehavior,
    SigningProtocol,
  } = found.properties.OriginAccessControlConfig;
  if (type !== "s3" || SigningProtocol !== "sigv4") throw new Error(`${what}: the harness signs for S3, with sigv4`);
  if (!["always", "never", "no-override"].includes(SigningBehavior)) {
    throw new Error(`${what}: SigningBehavior ${SigningBehavior} is not for S3`);
  }
  return { signing: SigningBehavior };
}

function readCachePolicies(stack) {
  const policies = new Map();
  for (const { id, ref, properties } of stack.resources("AWS::CloudFront::CachePolicy")) {
    const config = properties.CachePolicyConfig;
    const key = config.ParametersInCacheKeyAndForwardedToOrigin;
    const policy = {
      minTtl: Number(config.MinTTL),
      defaultTtl: Number(config.DefaultTTL),
      maxTtl: Number(config.MaxTTL),
      gzip: key.EnableAcceptEncodingGzip === true,
      brotli: key.EnableAcceptEncodingBrotli === true,
      headers: selection(key.HeadersConfig, "Header", ["none", "whitelist"], id),
      cookies: selection(key.CookiesConfig, "Cookie", ["none", "whitelist", "allExcept", "all"], id),
      queries: selection(key.QueryStringsConfig, "QueryString", ["none", "whitelist", "allExcept", "all"], id),
    };
    if (policy.minTtl > policy.defaultTtl || policy.defaultTtl > policy.maxTtl) {
      throw new Error(`${id}: MinTTL, DefaultTTL and MaxTTL must not fall`);
    }
    const keyed =
      [policy.headers, policy.cookies, policy.queries].some(({ kind }) => kind !== "none") ||
      policy.gzip ||
      policy.brotli;
    if (policy.maxTtl === 0 && keyed)
      throw new Error(`${id}: with all TTLs 0 there is no cache key to put anything into`);
    if (policy.headers.names.length > 10) throw new Error(`${id}: at most 10 headers`);
    if (policy.headers.names.includes("host")) throw new Error(`${id}: S3 can't be sent the viewer's Host`);
    policies.set(ref, policy);
  }
  return policies;
}

function readOriginRequestPolicies(stack) {
  const policies = new Map();
  for (const { id, ref, properties } of stack.resources("AWS::CloudFront::OriginRequestPolicy")) {
    const config = properties.OriginRequestPolicyConfig;
    const kinds = ["none", "whitelist", "allViewer", "allViewerAndWhitelistCloudFront", "allExcept"];
    const headers = selection(config.HeadersConfig, "Header", kinds, id);
    if (headers.kind === "whitelist" && headers.names.includes("authorization")) {
      throw new Error(`${id}: Authorization can't be named here; name it in the cache policy, or forward all headers`);
    }
    if (headers.names.length > 10) throw new Error(`${id}: at most 10 headers`);
    if (headers.kind === "allViewerAndWhitelistCloudFront")
      throw new Error(`${id}: the harness makes no CloudFront-* headers`);
    policies.set(ref, {
      headers,
      cookies: selection(config.CookiesConfig, "Cookie", ["none", "whitelist", "allExcept", "all"], id),
      queries: selection(config.QueryStringsConfig, "QueryString", ["none", "whitelist", "allExcept", "all"], id),
    });
  }
  return policies;
}

/** `{kind, names}`; names of headers in lower case, those of cookies and queries as they are. */
function selection(config, noun, kinds, id) {
  const kind = config[`${noun}Behavior`];
  const names = config[`${noun}s`] ?? [];
  if (!kinds.includes(kind)) throw new Error(`${id}: ${noun}Behavior is one of ${kinds.join(", ")}`);
  if ((kind === "whitelist" || kind === "allExcept") !== names.length > 0) {
    throw new Error(`${id}: ${noun}Behavior ${kind} ${names.length > 0 ? "takes no" : "needs"} ${noun}s`);
  }
  return { kind, names: noun === "Header" ? names.map((name) => name.toLowerCase()) : names };
}

function readBehaviour(raw, pattern, { origins, policies, functions }) {
  const what = pattern === undefined ? "DefaultCacheBehavior" : `CacheBehavior ${pattern}`;
  only(what, raw, [
    "AllowedMethods",
    "CachePolicyId",
    "CachedMethods",
    "Compress",
    "LambdaFunctionAssociations",
    "OriginRequestPolicyId",
    "PathPattern",
    "SmoothStreaming",
    "TargetOriginId",
    "ViewerProtocolPolicy",
  ]);
  if (raw.Compress === true || raw.SmoothStreaming === true)
    throw new Error(`${what}: the harness does not compress or stream`);
  const origin = origins.get(raw.TargetOriginId);
  if (!origin) throw new Error(`${what}: there is no origin ${raw.TargetOriginId}`);
  const allowedMethods = raw.AllowedMethods ?? ["GET", "HEAD"];
  if (!METHOD_SETS.includes([...allowedMethods].sort().join(","))) {
    throw new Error(`${what}: CloudFront takes no such set of AllowedMethods`);
  }
  if ((raw.CachedMethods ?? []).includes("OPTIONS")) throw new Error(`${what}: the harness does not cache OPTIONS`);
  if (!["allow-all", "https-only"].includes(raw.ViewerProtocolPolicy)) {
    throw new Error(`${what}: the harness knows the ViewerProtocolPolicy allow-all and https-only`);
  }
  const cachePolicy = policies.cache.get(raw.CachePolicyId);
  if (!cachePolicy) throw new Error(`${what}: the harness knows only cache policies of the template`);
  const originRequestPolicy = raw.OriginRequestPolicyId && policies.originRequest.get(raw.OriginRequestPolicyId);
  if (raw.OriginRequestPolicyId && !originRequestPolicy) {
    throw new Error(`${what}: the harness knows only origin request policies of the template`);
  }
  return {
    pattern,
    origin,
    allowedMethods: new Set(allowedMethods),
    viewerProtocolPolicy: raw.ViewerProtocolPolicy,
    cachePolicy,
    originRequestPolicy,
    functions: readAssociations(what, raw.LambdaFunctionAssociations ?? [], functions),
  };
}

function readAssociations(what, associations, functions) {
  const byEvent = {};
  for (const { EventType: event, LambdaFunctionARN: arn, IncludeBody: includeBody = false } of associations) {
    if (!EVENTS.includes(event)) throw new Error(`${what}: there is no event ${event}`);
    if (event in byEvent) throw new Error(`${what}: one function per event; ${event} has two`);
    if (!/:\d+$/.test(arn)) throw new Error(`${what}: ${event} needs a numbered version of a function, not ${arn}`);
    if (includeBody && !event.endsWith("-request")) throw new Error(`${what}: IncludeBody is for request events`);
    const found = functions.get(arn.replace(/:\d+$/, ""));
    if (!found) throw new Error(`${what}: there is no function ${arn}`);
    checkEdgeFunction(found, event);
    byEvent[event] = { function: found, includeBody };
  }
  return byEvent;
}

/** What Lambda@Edge refuses to associate [CFD:edge-functions-restrictions, cloudfront-limits]. */
function checkEdgeFunction(found, event) {
  const refuse = (reason) => {
    throw new Error(`${found.id} at ${event}: ${reason}`);
  };
  const quotas = event.startsWith("viewer-") ? EDGE_QUOTAS.viewer : EDGE_QUOTAS.origin;
  if (found.region !== "us-east-1") refuse("Lambda@Edge takes functions from us-east-1");
  if (found.version === undefined) refuse("it has no numbered version");
  requireTrust(found.role, "edgelambda.amazonaws.com", found.id);
  if (!/^nodejs\d+\.x$/.test(found.runtime)) refuse(`the runtime ${found.runtime} is not Node.js`);
  if (found.architectures.join() !== "x86_64") refuse("Lambda@Edge runs on x86_64 only");
  if (Object.keys(found.environment).length > 0) refuse("Lambda@Edge has no environment variables");
  if (found.deadLetters || found.tracing) refuse("Lambda@Edge has no dead letter queues and no X-Ray");
  if (found.reservedConcurrency !== undefined) refuse("Lambda@Edge has no reserved concurrency");
  if (found.ephemeralStorage > 512) refuse("Lambda@Edge has at most 512 MB of /tmp");
  if (found.timeoutSeconds > quotas.timeoutSeconds) refuse(`the timeout is larger than ${quotas.timeoutSeconds} s`);
  if (found.memoryMb > quotas.memoryMb) refuse(`the memory is larger than ${quotas.memoryMb} MB`);
  if (found.zip.length > quotas.zipBytes) refuse(`the zip has ${found.zip.length} bytes; at most ${quotas.zipBytes}`);
}
