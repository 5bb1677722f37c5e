// The Lambda functions that the templates make.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

import { statementsOf } from "./iam.mjs";

/** The Lambda functions of a stack, with the bytes of their zips. `code` has a file for each S3 key. */
export function readFunctions(stack, roles, code) {
  return stack.resources("AWS::Lambda::Function").map(({ id, ref, attributes, properties }) => {
    const { Code, Role, Layers, VpcConfig, PackageType = "Zip" } = properties;
    if (PackageType !== "Zip" || Layers?.length || VpcConfig)
      throw new Error(`${id}: the harness runs zips without layers or VPC`);
    const role = roles.get(Role);
    if (!role) throw new Error(`${id}: there is no role ${Role}`);
    requireTrust(role, "lambda.amazonaws.com", id);
    const path = code[Code.S3Key];
    if (path === undefined)
      throw new Error(`${id}: "code" of the harness's configuration has no file for ${Code.S3Key}`);
    const zip = readFileSync(path);
    return {
      id,
      name: ref,
      arn: attributes.Arn,
      region: stack.region,
      role,
      zip,
      zipPath: path,
      codeSha256: createHash("sha256").update(zip).digest("base64"),
      handler: properties.Handler,
      runtime: properties.Runtime,
      architectures: properties.Architectures ?? ["x86_64"],
      environment: properties.Environment?.Variables ?? {},
      deadLetters: properties.DeadLetterConfig !== undefined,
      ephemeralStorage: properties.EphemeralStorage?.Size ?? 512,
      reservedConcurrency: properties.ReservedConcurrentExecutions,
      tracing: properties.TracingConfig?.Mode === "Active",
      timeoutSeconds: Number(properties.Timeout ?? 3),
      memoryMb: Number(properties.MemorySize ?? 128),
      logGroup: `/aws/lambda/${ref}`,
    };
  });
}

/** Refuses a role that `service` can't assume. */
export function requireTrust(role, service, user) {
  const trusted = statementsOf(role.trust).some(
    ({ Effect, Action, Principal }) =>
      Effect === "Allow" &&
      [Action].flat().includes("sts:AssumeRole") &&
      [Principal?.Service ?? []].flat().includes(service),
  );
  if (!trusted)
    throw new Error(`${user}: ${service} can't assume the role ${role.id}; name it in AssumeRolePolicyDocument`);
}

/** Lambda publishes a version only of the code that its CodeSha256 names. */
export function checkVersions(stack, functions) {
  for (const { id, ref, properties } of stack.resources("AWS::Lambda::Version")) {
    const read = functions.get(ref.replace(/:1$/, ""));
    if (!read) throw new Error(`${id}: there is no function ${properties.FunctionName}`);
    read.version = "1";
    if (properties.ProvisionedConcurrencyConfig) read.reservedConcurrency = 1;
    if (properties.CodeSha256 !== undefined && properties.CodeSha256 !== read.codeSha256) {
      throw new Error(`${id}: CodeSha256 is ${properties.CodeSha256}, and ${read.zipPath} has ${read.codeSha256}`);
    }
  }
}
