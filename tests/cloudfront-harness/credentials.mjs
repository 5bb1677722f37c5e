// Who can sign requests inside the harness: each role with temporary credentials, and origin access control.

import { randomBytes } from "node:crypto";

import { ACCOUNT } from "./deployment.mjs";

/** Makes credentials of a role, as sts:AssumeRole would: they have a session token. */
function temporary() {
  return {
    accessKeyId: `ASIA${letters(16)}`,
    secretAccessKey: randomBytes(30).toString("base64"),
    sessionToken: randomBytes(180).toString("base64"),
  };
}

function letters(count) {
  return Array.from(randomBytes(count), (byte) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[byte % 32]).join("");
}

/** Callers by access key id, as the services look them up. */
export class Callers {
  #byKey = new Map();
  #byRole = new Map();

  constructor(roles, distribution) {
    for (const role of roles) {
      const credentials = temporary();
      this.#byRole.set(role.arn, credentials);
      this.#byKey.set(credentials.accessKeyId, {
        credentials,
        roleArn: role.arn,
        roleName: role.name,
        roleId: role.roleId,
        account: ACCOUNT,
        statements: role.statements,
        context: {},
      });
    }
    // CloudFront signs as its service, and says for which distribution.
    const { sessionToken: _, ...credentials } = temporary();
    this.accessControl = credentials;
    this.#byKey.set(credentials.accessKeyId, {
      credentials,
      service: "cloudfront.amazonaws.com",
      context: { "aws:sourcearn": distribution.arn, "aws:sourceaccount": ACCOUNT },
    });
  }

  get(accessKeyId) {
    return this.#byKey.get(accessKeyId);
  }

  /** The credentials that instances with a role have in their environment. */
  ofRole(arn) {
    return this.#byRole.get(arn);
  }
}
