// Who may do what: IAM's evaluation of the statements in the templates.
//
// Within one account a request is allowed if a statement of the caller's role or of the resource allows
// it and none denies it. Elements, condition operators and condition keys that this evaluation does not
// know are errors when the harness starts: a condition that is skipped would allow too much.

const ELEMENTS = new Set(["Sid", "Effect", "Principal", "Action", "Resource", "Condition"]);
const OPERATORS = {
  StringEquals: { matches: (value, wanted) => value === wanted },
  StringNotEquals: { matches: (value, wanted) => value === wanted, negated: true },
  StringLike: { matches: like },
  StringNotLike: { matches: like, negated: true },
  ArnEquals: { matches: like },
  ArnLike: { matches: like },
  ArnNotEquals: { matches: like, negated: true },
  ArnNotLike: { matches: like, negated: true },
  Bool: { matches: (value, wanted) => value.toLowerCase() === wanted.toLowerCase() },
  // "true" asks that the key is not in the request, "false" that it is, whatever its value.
  Null: { matches: (value, wanted) => String(value === undefined) === wanted, asksForPresence: true },
};
/** Keys that the services here put into a request's context. */
const KEYS = new Set([
  "aws:principalarn",
  "aws:securetransport",
  "aws:sourceaccount",
  "aws:sourcearn",
  "kms:viaservice",
  "lambda:functionurlauthtype",
  "lambda:invokedviafunctionurl",
  "s3:prefix",
  "s3:signatureversion",
  "s3:x-amz-acl",
  "s3:x-amz-content-sha256",
  "s3:x-amz-copy-source",
  "s3:x-amz-server-side-encryption",
  "s3:x-amz-server-side-encryption-aws-kms-key-id",
]);

/** The statements of a policy document. */
export function statementsOf(document) {
  return [document.Statement].flat();
}

/** Refuses statements that `decide` could not evaluate faithfully; `where` names the policy in the error. */
export function checkStatements(statements, where) {
  for (const statement of statements) {
    const refuse = (what) => {
      throw new Error(`${where}${statement.Sid ? `, statement ${statement.Sid}` : ""}: ${what}`);
    };
    for (const element of Object.keys(statement)) {
      if (!ELEMENTS.has(element)) refuse(`the harness does not know the element ${element}`);
    }
    if (statement.Effect !== "Allow" && statement.Effect !== "Deny") refuse("Effect is Allow or Deny");
    if ([statement.Action ?? []].flat().length === 0) refuse("there is no Action");
    for (const [operator, keys] of Object.entries(statement.Condition ?? {})) {
      if (!(operator in OPERATORS)) refuse(`the harness does not know the condition operator ${operator}`);
      for (const [key, wanted] of Object.entries(keys)) {
        if (!KEYS.has(key.toLowerCase())) refuse(`the harness does not know the condition key ${key}`);
        if (operator === "Null" && !["true", "false"].includes(String(wanted)))
          refuse(`Null of ${key} is "true" or "false"`);
      }
    }
  }
  return statements;
}

/**
 * Decides one action of one caller on one resource.
 *
 * `caller` is `{service}` or `{roleArn, account, statements}`; `resourceStatements` are those of the resource's
 * own policy; `context` has the condition keys of the request, in lower case.
 */
export function decide({ caller, action, resource, context, resourceStatements = [] }) {
  const keys = { ...context };
  if (caller.roleArn !== undefined) keys["aws:principalarn"] = caller.roleArn;
  const applies = (statement) =>
    [statement.Action].flat().some((pattern) => like(action.toLowerCase(), pattern.toLowerCase())) &&
    [statement.Resource ?? []].flat().some((pattern) => like(resource, pattern)) &&
    conditionsHold(statement.Condition, keys);
  const matching = [
    ...(caller.statements ?? []).filter(applies),
    ...resourceStatements.filter((statement) => isMeant(statement.Principal, caller) && applies(statement)),
  ];
  if (matching.some((statement) => statement.Effect === "Deny")) {
    return { allowed: false, reason: `${name(caller)} is denied ${action} on ${resource}` };
  }
  if (!matching.some((statement) => statement.Effect === "Allow")) {
    return { allowed: false, reason: `no statement allows ${name(caller)} ${action} on ${resource}` };
  }
  return { allowed: true };
}

function name(caller) {
  return caller.service ?? caller.roleArn;
}

function isMeant(principal, caller) {
  if (principal === undefined) return false;
  if (principal === "*") return true;
  for (const [kind, values] of Object.entries(principal)) {
    for (const value of [values].flat()) {
      if (kind === "Service" && value === caller.service) return true;
      // The account as principal only delegates to the roles' own statements, which are asked anyway.
      if (kind === "AWS" && caller.roleArn !== undefined && (value === "*" || value === caller.roleArn)) return true;
    }
  }
  return false;
}

function conditionsHold(condition, context) {
  return Object.entries(condition ?? {}).every(([operator, keys]) => {
    const { matches, negated = false, asksForPresence = false } = OPERATORS[operator];
    return Object.entries(keys).every(([key, wanted]) => {
      const value = context[key.toLowerCase()];
      if (asksForPresence) return matches(value, String(wanted));
      // A key that is not in the request: false, and true for the negated operators.
      if (value === undefined) return negated;
      return [wanted].flat().some((one) => matches(String(value), String(one))) !== negated;
    });
  });
}

/** `*` is any run of characters, `?` exactly one. */
function like(value, pattern) {
  const expression = String(pattern)
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", "[^]*")
    .replaceAll("?", "[^]");
  return new RegExp(`^${expression}$`).test(value);
}
