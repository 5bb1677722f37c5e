// Both stacks as deployed: which functions, roles, bucket, secrets and distribution there are.
//
// The stacks depend on each other, so they are deployed as the guide says: storage, edge, and storage again
// with the distribution's ARN. Outputs become the parameters of the same name, unless those are given.

import { readDistribution } from "./distribution.mjs";
import { checkVersions, readFunctions } from "./functions.mjs";
import { checkStatements, statementsOf } from "./iam.mjs";
import { Stack, readTemplate } from "./template.mjs";

export const ACCOUNT = "111122223333";
const EDGE_REGION = "us-east-1";

/** Statements of the managed policies that a template may name. */
const MANAGED_POLICIES = {
  "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole": [
    { Effect: "Allow", Action: ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], Resource: "*" },
  ],
};

/** Evaluates the templates of CONFIG and reads what requests meet. Throws one sentence on what AWS would refuse. */
export function deploy({ templates, parameters = {}, code, bucket_region }) {
  const storageTemplate = readTemplate(templates.storage);
  const edgeTemplate = readTemplate(templates.edge);
  const stack = (name, template, region, outputs) => {
    const given = { ...parameters[name] };
    for (const key of Object.keys(template.Parameters ?? {})) {
      if (given[key] === undefined && outputs[key] !== undefined) given[key] = outputs[key];
    }
    return new Stack(template, { name, region, account: ACCOUNT, parameters: given });
  };
  const first = stack("storage", storageTemplate, bucket_region, {});
  const edge = stack("edge", edgeTemplate, EDGE_REGION, first.outputs());
  const storage = stack("storage", storageTemplate, bucket_region, edge.outputs());

  const roles = new Map([...readRoles(storage), ...readRoles(edge)].map((role) => [role.arn, role]));
  const functions = new Map();
  for (const read of [...readFunctions(storage, roles, code), ...readFunctions(edge, roles, code)]) {
    functions.set(read.arn, read);
  }
  checkVersions(storage, functions);
  checkVersions(edge, functions);
  const distribution = readDistribution(edge, functions);
  return {
    storage,
    edge,
    roles,
    functions,
    distribution,
    buckets: readBuckets(storage),
    functionUrls: readFunctionUrls(storage, functions),
    secrets: [...readSecrets(storage), ...readSecrets(edge)],
  };
}

function readRoles(stack) {
  const roles = stack.resources("AWS::IAM::Role").map(({ id, ref, attributes, properties }) => {
    if (properties.PermissionsBoundary) throw new Error(`${id}: the harness does not know permissions boundaries`);
    const statements = [];
    for (const { PolicyDocument } of properties.Policies ?? []) statements.push(...statementsOf(PolicyDocument));
    for (const arn of properties.ManagedPolicyArns ?? []) {
      if (!(arn in MANAGED_POLICIES)) throw new Error(`${id}: the harness does not know the policy ${arn}`);
      statements.push(...MANAGED_POLICIES[arn]);
    }
    return {
      id,
      name: ref,
      arn: attributes.Arn,
      account: ACCOUNT,
      trust: properties.AssumeRolePolicyDocument,
      statements,
    };
  });
  for (const type of ["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"]) {
    for (const { id, properties } of stack.resources(type)) {
      const names = properties.Roles ?? [properties.RoleName];
      for (const name of names) {
        const role = roles.find((one) => one.name === name);
        if (!role) throw new Error(`${id}: there is no role ${name}`);
        role.statements.push(...statementsOf(properties.PolicyDocument));
      }
    }
  }
  for (const role of roles) checkStatements(role.statements, `role ${role.id}`);
  return roles;
}

function readBuckets(stack) {
  const policies = new Map();
  for (const { id, properties } of stack.resources("AWS::S3::BucketPolicy")) {
    policies.set(properties.Bucket, checkStatements(statementsOf(properties.PolicyDocument), `bucket policy ${id}`));
  }
  return stack.resources("AWS::S3::Bucket").map(({ ref, properties }) => ({
    name: ref,
    region: stack.region,
    statements: policies.get(ref) ?? [],
    ownerEnforced: (properties.OwnershipControls?.Rules ?? []).some(
      (rule) => rule.ObjectOwnership === "BucketOwnerEnforced",
    ),
  }));
}

function readFunctionUrls(stack, functions) {
  const permissions = stack.resources("AWS::Lambda::Permission").map(({ properties }) => properties);
  const aliases = new Set(stack.resources("AWS::Lambda::Alias").map((alias) => readAlias(alias, functions)));
  return stack.resources("AWS::Lambda::Url").map(({ id, attributes, properties }) => {
    const target = functions.get(properties.TargetFunctionArn);
    if (!target) throw new Error(`${id}: there is no function ${properties.TargetFunctionArn}`);
    const arn = properties.Qualifier === undefined ? target.arn : `${target.arn}:${properties.Qualifier}`;
    if (arn !== target.arn && !aliases.has(arn)) throw new Error(`${id}: there is no alias ${arn}`);
    if ((properties.InvokeMode ?? "BUFFERED") !== "BUFFERED")
      throw new Error(`${id}: the harness does not stream answers`);
    if (!["AWS_IAM", "NONE"].includes(properties.AuthType)) throw new Error(`${id}: AuthType is AWS_IAM or NONE`);
    const statements = permissions
      .filter(({ FunctionName }) => FunctionName === arn || (arn === target.arn && FunctionName === target.name))
      .map((permission) => resourceStatement(permission, arn));
    return {
      domain: new URL(attributes.FunctionUrl).hostname,
      authType: properties.AuthType,
      arn,
      function: target,
      statements: checkStatements(statements, `permissions of ${target.id}`),
    };
  });
}

/** The ARN of an alias, which stands for one version. */
function readAlias({ id, ref, properties }, functions) {
  if (properties.RoutingConfig) throw new Error(`${id}: the harness does not spread calls over versions`);
  const target = functions.get(ref.replace(/:[^:]*$/, ""));
  if (!target) throw new Error(`${id}: there is no function ${properties.FunctionName}`);
  if (target.version === undefined || properties.FunctionVersion !== target.version)
    throw new Error(`${id}: there is no version ${properties.FunctionVersion} of ${target.id}`);
  return ref;
}

/** What an AWS::Lambda::Permission writes into the function's policy. */
function resourceStatement(permission, arn) {
  const { Action, Principal, SourceArn, SourceAccount, FunctionUrlAuthType, InvokedViaFunctionUrl } = permission;
  const Condition = {};
  if (SourceArn) Condition.ArnLike = { "aws:SourceArn": SourceArn };
  const equals = {};
  if (SourceAccount) equals["aws:SourceAccount"] = SourceAccount;
  if (FunctionUrlAuthType) equals["lambda:FunctionUrlAuthType"] = FunctionUrlAuthType;
  if (Object.keys(equals).length > 0) Condition.StringEquals = equals;
  if (InvokedViaFunctionUrl !== undefined) Condition.Bool = { "lambda:InvokedViaFunctionUrl": InvokedViaFunctionUrl };
  let principal = { AWS: Principal };
  if (Principal === "*") principal = "*";
  else if (/\.amazonaws\.com$/.test(Principal)) principal = { Service: Principal };
  return { Effect: "Allow", Principal: principal, Action, Resource: arn, Condition };
}

function readSecrets(stack) {
  return stack.resources("AWS::SecretsManager::Secret").map(({ ref, properties }) => ({
    name: properties.Name,
    arn: ref,
    regions: [stack.region, ...(properties.ReplicaRegions ?? []).map(({ Region }) => Region)],
  }));
}
