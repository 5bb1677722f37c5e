// A whole AWS for one deployment, on loopback ports: CloudFront, its functions, S3's front, Secrets Manager and
// function URLs.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";

import { Callers } from "./credentials.mjs";
import { deploy } from "./deployment.mjs";
import { FUNCTION_URL_NAMES, functionUrlFront } from "./function-url.mjs";
import { LambdaFunction } from "./lambda.mjs";
import { listener } from "./listener.mjs";
import { Names } from "./names.mjs";
import { S3_NAMES, s3Front } from "./s3-front.mjs";
import { SECRETS_NAMES, secretsManager } from "./secrets-manager.mjs";

/** Where replicas of edge functions run unless the configuration says otherwise: not where they were deployed. */
const EDGE_REGION = "eu-central-1";

/**
 * Deploys a configuration (the README has its shape) and listens.
 *
 * `log` takes records of the harness, `print` lines of the functions. Gives `{url, tlsUrl, distribution, close}`,
 * `tlsUrl` where the configuration has a certificate.
 */
export async function start(config, { log, print }) {
  const deployment = deploy(config);
  const { distribution, roles } = deployment;
  const callers = new Callers(roles.values(), distribution);
  const names = new Names();
  const functions = new Map();
  const servers = [];
  const close = async () => {
    for (const lambda of functions.values()) lambda.close();
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  };
  const listen = async (server, host = "127.0.0.1", port = 0) => {
    servers.push(server);
    server.listen(port, host);
    await once(server, "listening");
    return server.address().port;
  };
  try {
    const s3 = { callers, buckets: deployment.buckets, origin: config.origin, log };
    names.add(S3_NAMES, await listen(s3Front({ ...s3, secure: true })));
    names.addPlain(S3_NAMES, await listen(s3Front({ ...s3, secure: false })));
    const secrets = secretsManager({ callers, secrets: config.secrets, templateSecrets: deployment.secrets, log });
    names.add(SECRETS_NAMES, await listen(secrets));
    const urls = functionUrlFront({ callers, functionUrls: deployment.functionUrls, functions, log });
    names.add(FUNCTION_URL_NAMES, await listen(urls));
    const atEdge = new Set(
      distribution.behaviours.flatMap(({ functions: byEvent }) =>
        Object.values(byEvent).map((one) => one.function.arn),
      ),
    );
    for (const settings of deployment.functions.values()) {
      const isEdge = atEdge.has(settings.arn);
      const placed = {
        ...settings,
        credentials: callers.ofRole(settings.role.arn),
        runsIn: isEdge ? (config.edge_region ?? EDGE_REGION) : settings.region,
        shownName: isEdge ? `us-east-1.${settings.name}` : settings.name,
      };
      functions.set(settings.arn, new LambdaFunction(placed, { names, print: (line) => print(settings.name, line) }));
    }
    const via = `${createHash("md5").update(distribution.id).digest("hex")}.cloudfront.net`;
    // The plain port stands for one of CloudFront's two: by default the one with TLS, which ends in front of it.
    const { host, port, scheme = "https", tls } = config.listen;
    if (!["http", "https"].includes(scheme)) throw new Error(`listen.scheme is http or https, not ${scheme}`);
    const edge = { distribution, functions, names, accessControl: callers.accessControl, via };
    const listening = await listen(listener({ ...edge, scheme }, log), host, port);
    const running = { url: `http://${host}:${listening}`, distribution, close };
    if (tls === undefined) return running;
    const certificate = { cert: readFileSync(tls.certificate_file), key: readFileSync(tls.key_file) };
    const secure = await listen(listener({ ...edge, scheme: "https" }, log, certificate), host, tls.port);
    return { ...running, tlsUrl: `https://${host}:${secure}` };
  } catch (error) {
    await close();
    throw error;
  }
}
