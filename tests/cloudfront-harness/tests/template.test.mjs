// CloudFormation's language, as far as the templates use it.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { Stack, readTemplate } from "../template.mjs";

function stack(t, text, parameters = {}) {
  const folder = mkdtempSync(join(tmpdir(), "causeway-template-test-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "t.yaml"), text);
  return new Stack(readTemplate(join(folder, "t.yaml")), {
    name: "s",
    region: "eu-west-1",
    account: "111122223333",
    parameters,
  });
}

/** The value of an expression in a property. */
function value(t, expression, parameters) {
  const text = `
Parameters:
  Name: { Type: String, Default: n }
  List: { Type: CommaDelimitedList, Default: "a, b" }
Conditions:
  Yes: !Equals [!Ref Name, n]
  No: !Not [!Condition Yes]
  Both: !And [!Condition Yes, !Condition No]
  Either: !Or [!Condition Yes, !Condition No]
Mappings: { M: { eu-west-1: { K: mapped } } }
Resources:
  Bucket: { Type: AWS::S3::Bucket, Properties: { BucketName: !Ref Name } }
  Off: { Type: AWS::S3::Bucket, Condition: No }
  Subject: { Type: AWS::CloudWatch::Alarm, Properties: { P: ${expression} } }
`;
  return stack(t, text, parameters).properties("Subject").P;
}

test("intrinsic functions are evaluated, in short and in long form", (t) => {
  const rows = [
    ["!Ref Name", "n"],
    ["{ Ref: Name }", "n"],
    ["!Ref List", ["a", "b"]],
    ["!Ref AWS::Region", "eu-west-1"],
    ["!Ref Bucket", "n"],
    ["!GetAtt Bucket.Arn", "arn:aws:s3:::n"],
    ["!GetAtt [Bucket, RegionalDomainName]", "n.s3.eu-west-1.amazonaws.com"],
    ["!Sub '${Name}-${Bucket.Arn}-${AWS::AccountId}-${!Literal}'", "n-arn:aws:s3:::n-111122223333-${Literal}"],
    ["!Sub ['${A}/${Name}', { A: !Ref AWS::Partition }]", "aws/n"],
    ["!Join ['-', [a, !Ref Name]]", "a-n"],
    ["!Select [1, !Split [',', 'x,y']]", "y"],
    ["!FindInMap [M, !Ref AWS::Region, K]", "mapped"],
    ["!If [Yes, 1, !GetAtt Off.Arn]", 1],
    ["!If [No, 1, 2]", 2],
    ["!If [Both, 1, 2]", 2],
    ["!If [Either, 1, 2]", 1],
    ["[a, !Ref AWS::NoValue, { b: !Ref AWS::NoValue, c: 1 }]", ["a", { c: 1 }]],
    ["{ Condition: { StringEquals: { a: b } } }", { Condition: { StringEquals: { a: "b" } } }],
  ];
  for (const [expression, expected] of rows) assert.deepEqual(value(t, expression), expected, expression);
});

test("what is not understood or does not exist is an error", (t) => {
  const rows = [
    ["!Ref Nothing", /there is no Nothing/],
    ["!Ref Off", /switched off by its condition/],
    ["!GetAtt Bucket.Colour", /knows no attribute Bucket.Colour/],
    ["!Sub '${Nothing}'", /there is no Nothing/],
    ["!Sub '${List}'", /is no text/],
    ["!If [Maybe, 1, 2]", /there is no condition Maybe/],
    ["!Select [2, [a, b]]", /has no item 2/],
    ["!FindInMap [M, x, K]", /no M.x.K/],
    ["!Cidr [a, b]", /does not know !Cidr/],
    ["{ 'Fn::ImportValue': x }", /does not know Fn::ImportValue/],
    ["!Join [a]", /wrong arguments/],
    ["&anchor a\n  B: *anchor", /aliases|YAML|Resources/i],
  ];
  for (const [expression, reason] of rows) assert.throws(() => value(t, expression), reason, expression);
});

test("resources that refer to each other in a circle are an error", (t) => {
  const text = `
Resources:
  A: { Type: AWS::S3::Bucket, Properties: { BucketName: !Ref B } }
  B: { Type: AWS::S3::Bucket, Properties: { BucketName: !Ref A } }
`;
  assert.throws(() => stack(t, text), /refers to itself/);
});

test("parameters are held to what they declare", (t) => {
  const declared = (declaration, given) =>
    stack(t, `Parameters: { P: ${declaration} }\nResources: {}`, given).parameters.P;
  assert.equal(declared("{ Type: String, Default: 7 }", {}), "7");
  assert.deepEqual(declared("{ Type: CommaDelimitedList }", { P: "" }), [""]);
  const rows = [
    ["{ Type: String }", {}, /has no value/],
    ["{ Type: String, AllowedValues: [a] }", { P: "b" }, /does not take «b»/],
    [
      "{ Type: String, AllowedPattern: '[a-z]+', ConstraintDescription: small letters }",
      { P: "a1" },
      /«a1» \(small letters\)/,
    ],
    ["{ Type: String, MinLength: 2 }", { P: "a" }, /does not take/],
    ["{ Type: String, MaxLength: 2 }", { P: "abc" }, /does not take/],
    ["{ Type: Number }", { P: "x" }, /does not take/],
    ["{ Type: Number, MinValue: 2 }", { P: "1" }, /does not take/],
    ["{ Type: Number, MaxValue: 2 }", { P: "3" }, /does not take/],
    ["{ Type: 'AWS::SSM::Parameter::Value<String>' }", { P: "a" }, /does not know the type/],
    ["{ Type: String }", { P: "a", Q: "b" }, /has no parameter Q/],
  ];
  for (const [declaration, given, reason] of rows)
    assert.throws(() => declared(declaration, given), reason, declaration);
});

test("rules that do not hold stop the deployment with their own words", (t) => {
  const rule = (condition, assertion) => `
Parameters:
  List: { Type: CommaDelimitedList, Default: "a,a" }
Rules:
  R:
    RuleCondition: ${condition}
    Assertions: [{ Assert: ${assertion}, AssertDescription: it has to be }]
Resources: {}
`;
  assert.throws(() => stack(t, rule("!Equals [1, 1]", "!EachMemberEquals [!Ref List, b]")), /it has to be/);
  stack(t, rule("!Equals [1, 2]", "!EachMemberEquals [!Ref List, b]"));
  stack(t, rule("!Equals [1, 1]", "!EachMemberEquals [!Ref List, a]"));
  stack(t, rule("!Equals [1, 1]", "!EachMemberIn [!Ref List, [a, b]]"));
  stack(t, rule("!Equals [1, 1]", "!Contains [!Ref List, a]"));
});

test("outputs, and resources by their condition", (t) => {
  const made = stack(
    t,
    `
Conditions: { No: !Equals [1, 2] }
Resources:
  A: { Type: AWS::S3::Bucket, Properties: { BucketName: a } }
  B: { Type: AWS::S3::Bucket, Condition: No, Properties: { BucketName: b } }
Outputs:
  Name: { Value: !Ref A }
  Other: { Value: !Ref B, Condition: No }
`,
  );
  assert.deepEqual(made.outputs(), { Name: "a" });
  assert.deepEqual(
    made.resources("AWS::S3::Bucket").map(({ ref }) => ref),
    ["a"],
  );
});

test("sections and resource attributes that the reader does not know are an error", (t) => {
  assert.throws(() => stack(t, "Transform: AWS::Serverless-2016-10-31\nResources: {}"), /the section Transform/);
  assert.throws(() => stack(t, "Resources: { A: { Type: AWS::S3::Bucket, CreationPolicy: {} } }"), /CreationPolicy/);
  assert.throws(() => stack(t, "Resources: { A: { Type: AWS::SQS::Queue } }"), /AWS::SQS::Queue/);
});
