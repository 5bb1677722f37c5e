// What AWS would call the resources of a stack: the value of Ref and of each Fn::GetAtt.
//
// Names are derived from the stack and the logical id, so that the same template has the same names in
// every run. A type that is not listed is an error: the harness would not do what the resource does.

import { createHash } from "node:crypto";

/** Types that have no part in a request, and are therefore only named. */
const BESIDE_REQUESTS = new Set([
  "AWS::CloudWatch::Alarm",
  "AWS::CloudWatch::Dashboard",
  "AWS::IAM::ManagedPolicy",
  "AWS::IAM::Policy",
  "AWS::IAM::RolePolicy",
  "AWS::Lambda::Permission",
  "AWS::Logs::MetricFilter",
  "AWS::S3::BucketPolicy",
  "AWS::SecretsManager::ResourcePolicy",
]);

/** `{ref, attributes}` of one resource; `properties()` gives its evaluated properties. */
export function physical(stack, id, type, properties) {
  const { region, account } = stack;
  const unique = token(`${stack.name}/${id}`);
  const named = (name) => name ?? `${stack.name}-${id}-${unique.slice(0, 12).toUpperCase()}`;
  switch (type) {
    case "AWS::S3::Bucket": {
      const name = properties().BucketName ?? named().toLowerCase();
      return {
        ref: name,
        attributes: {
          Arn: `arn:aws:s3:::${name}`,
          DomainName: `${name}.s3.amazonaws.com`,
          RegionalDomainName: `${name}.s3.${region}.amazonaws.com`,
        },
      };
    }
    case "AWS::IAM::Role": {
      const name = named(properties().RoleName);
      return {
        ref: name,
        attributes: {
          Arn: `arn:aws:iam::${account}:role${properties().Path ?? "/"}${name}`,
          RoleId: `AROA${unique.slice(0, 17).toUpperCase()}`,
        },
      };
    }
    case "AWS::Lambda::Function": {
      const name = named(properties().FunctionName);
      return { ref: name, attributes: { Arn: `arn:aws:lambda:${region}:${account}:function:${name}` } };
    }
    case "AWS::Lambda::Version": {
      const name = properties().FunctionName;
      const functionArn = name.startsWith("arn:") ? name : `arn:aws:lambda:${region}:${account}:function:${name}`;
      return { ref: `${functionArn}:1`, attributes: { FunctionArn: `${functionArn}:1`, Version: "1" } };
    }
    case "AWS::Lambda::Alias": {
      const { FunctionName: name, Name: alias } = properties();
      const functionArn = name.startsWith("arn:") ? name : `arn:aws:lambda:${region}:${account}:function:${name}`;
      return { ref: `${functionArn}:${alias}`, attributes: { AliasArn: `${functionArn}:${alias}` } };
    }
    case "AWS::Lambda::Url": {
      const domain = `${unique.slice(0, 32)}.lambda-url.${region}.on.aws`;
      const functionArn = properties().TargetFunctionArn;
      return { ref: functionArn, attributes: { FunctionArn: functionArn, FunctionUrl: `https://${domain}/` } };
    }
    case "AWS::SecretsManager::Secret": {
      const arn = `arn:aws:secretsmanager:${region}:${account}:secret:${named(properties().Name)}-${secretSuffix(named(properties().Name))}`;
      return { ref: arn, attributes: { Id: arn } };
    }
    case "AWS::CloudFront::Distribution": {
      const name = `E${unique.slice(0, 13).toUpperCase()}`;
      return {
        ref: name,
        attributes: { Id: name, DomainName: `d${token(`${stack.name}/${id}/domain`).slice(0, 13)}.cloudfront.net` },
      };
    }
    case "AWS::CloudFront::OriginAccessControl":
      return {
        ref: `E${unique.slice(0, 13).toUpperCase()}`,
        attributes: { Id: `E${unique.slice(0, 13).toUpperCase()}` },
      };
    case "AWS::CloudFront::CachePolicy":
    case "AWS::CloudFront::OriginRequestPolicy":
      return { ref: uuid(unique), attributes: { Id: uuid(unique) } };
    case "AWS::Logs::LogGroup": {
      const name = named(properties().LogGroupName);
      return { ref: name, attributes: { Arn: `arn:aws:logs:${region}:${account}:log-group:${name}:*` } };
    }
    default:
      if (BESIDE_REQUESTS.has(type)) return { ref: named(), attributes: {} };
      throw new Error(`${stack.name}: the harness does not know what ${id}, an ${type}, does`);
  }
}

/** The six characters that Secrets Manager puts behind a secret's name in its ARN. */
export function secretSuffix(name) {
  return token(`secret/${name}`).slice(0, 6);
}

/** Lower-case letters and digits that depend on nothing but `text`. */
function token(text) {
  const digest = createHash("sha256").update(text).digest();
  return Array.from({ length: 32 }, (_, index) => "abcdefghijklmnopqrstuvwxyz012345"[digest[index] % 32]).join("");
}

function uuid(text) {
  const hex = createHash("sha256").update(text).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}
