// Facts §2.7 and §5: who may do what at S3, and what S3 refuses.

import assert from "node:assert/strict";
import { test } from "node:test";

import { PROGRAMMABLE, SIGNER, harness, program, sha256 } from "./support.mjs";

const HANDED_ON = "delete request.origin.s3.customHeaders['x-causeway-handler']";
const denied = /<Code>AccessDenied<\/Code><Message>Access Denied<\/Message>/;

test("origin access control signs: a viewer's Authorization does not reach S3, and neither do function headers that it replaces", async (t) => {
  const h = await harness(t, { functions: { "origin-request": PROGRAMMABLE } });
  const code = `${HANDED_ON}; for (const name of ["authorization", "x-amz-date", "x-amz-content-sha256"]) request.headers[name] = [{ value: "mine" }]; return request`;
  const answer = await h.ask({ method: "PUT", body: "abc", headers: { Authorization: "OSS a:b", ...program(code) } });
  assert.equal(answer.status, 200, JSON.stringify(h.logged));
  const [{ headers }] = h.received;
  assert.match(headers.authorization, /^AWS4-HMAC-SHA256 Credential=ORIGINKEY\/\d{8}\/us-east-1\/s3\/aws4_request/);
  assert.deepEqual([headers["x-amz-content-sha256"], headers["x-amz-security-token"]], ["UNSIGNED-PAYLOAD", undefined]);
});

test("without origin access control a request is anonymous, and refused", async (t) => {
  const h = await harness(t, {
    edit: ({ edge }) =>
      delete edge.Resources.Distribution.Properties.DistributionConfig.Origins[0].OriginAccessControlId,
  });
  assert.equal((await h.ask({ method: "PUT", body: "abc" })).status, 403);
  assert.equal(h.received.length, 0);
});

test("access control that is off, or leaves a viewer's signature alone, does not sign", async (t) => {
  const behaviour =
    (signing) =>
    ({ edge }) =>
      (edge.Resources.AccessControl.Properties.OriginAccessControlConfig.SigningBehavior = signing);
  const never = await harness(t, { edit: behaviour("never") });
  assert.equal((await never.ask({ method: "PUT", body: "abc" })).status, 403);
  const noOverride = await harness(t, { edit: behaviour("no-override") });
  assert.equal((await noOverride.ask({ method: "PUT", body: "abc" })).status, 200);
  assert.equal(
    (await noOverride.ask({ method: "PUT", body: "abc", headers: { Authorization: "OSS a:b" } })).status,
    400,
  );
});

test("a bucket policy without s3:PutObject, or for another distribution, is a 403", async (t) => {
  const policies = [
    (statement) => (statement.Action = ["s3:GetObject"]),
    (statement) =>
      (statement.Condition.StringEquals["AWS:SourceArn"] = "arn:aws:cloudfront::111122223333:distribution/OTHER"),
    (statement) => (statement.Resource = "arn:aws:s3:::acme-ingest/fleet/*"),
    (statement) => (statement.Principal = { Service: "logging.s3.amazonaws.com" }),
    (statement) => (statement.Effect = "Deny"),
  ];
  for (const change of policies) {
    const h = await harness(t, {
      edit: ({ storage }) => change(storage.Resources.BucketPolicy.Properties.PolicyDocument.Statement[0]),
    });
    const answer = await h.ask({ method: "PUT", body: "abc" });
    assert.equal(answer.status, 403, change.toString());
    assert.match(answer.text, denied);
    assert.match(h.logged[0].reason, /s3:PutObject/);
    assert.equal(h.received.length, 0);
  }
});

test("a condition Null asks that a request names a source of a copy, or that it does not", async (t) => {
  for (const [wanted, plain, copy] of [
    ["true", 200, 403],
    ["false", 403, 200],
  ]) {
    const edit = ({ storage }) => {
      const [statement] = storage.Resources.BucketPolicy.Properties.PolicyDocument.Statement;
      statement.Condition.Null = { "s3:x-amz-copy-source": wanted };
      // Reading the source is no matter of the condition.
      const { Null: _, ...Condition } = statement.Condition;
      const reading = { ...statement, Action: "s3:GetObject", Condition };
      storage.Resources.BucketPolicy.Properties.PolicyDocument.Statement.push(reading);
    };
    const h = await harness(t, { edit });
    const put = async (headers) => (await h.ask({ method: "PUT", body: "", headers })).status;
    assert.equal(await put({}), plain, wanted);
    assert.equal(await put({ "x-amz-copy-source": "/acme-ingest/source" }), copy, wanted);
  }
});

test("tags, ACLs, deletions and bucket operations need their own actions", async (t) => {
  const h = await harness(t);
  for (const [method, path, headers] of [
    ["PUT", "/k", { "x-amz-tagging": "a=b" }],
    ["PUT", "/k", { "x-amz-acl": "private" }],
    ["PUT", "/k", { "x-amz-copy-source": "/other/key" }],
    ["DELETE", "/k", {}],
    ["DELETE", "/k?uploadId=u", {}],
    ["GET", "/k?uploadId=u", {}],
    ["GET", "/k?versionId=v", {}],
    ["HEAD", "/k?versionId=v&response-expires=never", {}],
    ["GET", "/", {}],
    ["GET", "/?uploads", {}],
    ["GET", "/?tagging", {}],
    ["PUT", "/", {}],
    ["DELETE", "/", {}],
    ["DELETE", "/k?versionId=v", {}],
  ]) {
    const answer = await h.ask({ method, path, headers, ...(method === "PUT" ? { body: "a" } : {}) });
    assert.equal(answer.status, 403, `${method} ${path} ${JSON.stringify(headers)}`);
  }
  for (const [method, path] of [
    ["PUT", "/k?partNumber=1&uploadId=u"],
    ["POST", "/k?uploads"],
    ["POST", "/k?uploadId=u"],
    ["GET", "/k"],
    ["HEAD", "/k"],
  ]) {
    assert.equal(
      (await h.ask({ method, path, ...(method.startsWith("P") ? { body: "a" } : {}) })).status,
      200,
      `${method} ${path}`,
    );
  }
  assert.equal((await h.ask({ method: "PUT", path: "/k?legal-hold", body: "a" })).status, 501);
});

test("a missing object is a 403 for who may not list the bucket", async (t) => {
  const origin = (_, outgoing) => {
    outgoing.statusCode = 404;
    outgoing.end();
  };
  const h = await harness(t, { origin });
  assert.equal((await h.ask({})).status, 403);
  assert.equal((await h.ask({ method: "HEAD" })).status, 403);
  assert.equal((await h.ask({ path: "/k?response-expires=never" })).status, 403);
});

test("where the bucket's owner is enforced ACLs are refused, and metadata has a limit", async (t) => {
  const edit = ({ storage }) => {
    storage.Resources.Bucket.Properties.OwnershipControls = { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] };
    storage.Resources.BucketPolicy.Properties.PolicyDocument.Statement[0].Action.push("s3:PutObjectAcl");
  };
  const h = await harness(t, { edit });
  const put = (headers) => h.ask({ method: "PUT", body: "", headers });
  assert.match((await put({ "x-amz-acl": "private" })).text, /AccessControlListNotSupported/);
  assert.equal((await put({ "x-amz-acl": "bucket-owner-full-control" })).status, 200);
  assert.equal((await put({ "x-amz-meta-a": "b".repeat(2047) })).status, 200);
  assert.match((await put({ "x-amz-meta-a": "b".repeat(2048) })).text, /MetadataTooLarge/);
});

test("a Host that is not the origin's breaks the signature that CloudFront made for it", async (t) => {
  const h = await harness(t, { functions: { "origin-request": PROGRAMMABLE } });
  const code = `${HANDED_ON}; request.headers.host = [{ value: "other.s3.eu-west-1.amazonaws.com" }]; return request`;
  const answer = await h.ask({ method: "PUT", body: "a", headers: program(code) });
  assert.match(answer.text, /SignatureDoesNotMatch/);
});

test("a bucket that a function chose is not signed for: access control is for the configured one", async (t) => {
  const h = await harness(t, { functions: { "origin-request": PROGRAMMABLE } });
  const code = `${HANDED_ON}; request.origin.s3.domainName = "other.s3.eu-west-1.amazonaws.com"; return request`;
  assert.equal((await h.ask({ method: "PUT", body: "a", headers: program(code) })).status, 403);
});

/** A router that signs for S3 itself, as a custom origin; `change` may alter what is signed or sent. */
const routerSigned = (change = "") =>
  program(`
  const host = "acme-ingest.s3.eu-west-1.amazonaws.com";
  let options = { method: request.method, host, path: request.uri, service: "s3", region: "eu-west-1", digest: "UNSIGNED-PAYLOAD", headers: {}, unsigned: {} };
  ${change}
  for (const [name, value] of Object.entries(signed(options))) request.headers[name] = [{ key: name, value }];
  request.origin = { custom: { customHeaders: {}, domainName: host, keepaliveTimeout: 5, path: "", port: 443, protocol: "https", readTimeout: 30, sslProtocols: ["TLSv1.2"] } };
  return request`);

test("a router that signs with its own role is let through by its role or by the bucket policy, and by nothing else", async (t) => {
  const functions = { "origin-request": SIGNER + PROGRAMMABLE };
  const none = await harness(t, { functions });
  assert.match((await none.ask({ method: "PUT", path: "/a%20b", body: "abc", headers: routerSigned() })).text, denied);
  const statement = { Effect: "Allow", Action: "s3:PutObject", Resource: "arn:aws:s3:::acme-ingest/*" };
  const byRole = await harness(t, {
    functions,
    edit: ({ edge }) => edge.Resources.EdgeRole.Properties.Policies[0].PolicyDocument.Statement.push(statement),
  });
  const answer = await byRole.ask({ method: "PUT", path: "/a%20b", body: "abc", headers: routerSigned() });
  assert.equal(answer.status, 200, JSON.stringify(byRole.logged));
  assert.equal(byRole.received[0].target, "/data/a%20b");
});

test("signatures that S3 does not take are refused, each for its reason", async (t) => {
  const functions = { "origin-request": SIGNER + PROGRAMMABLE };
  const statement = { Effect: "Allow", Action: "s3:PutObject", Resource: "arn:aws:s3:::acme-ingest/*" };
  const h = await harness(t, {
    functions,
    edit: ({ edge }) => edge.Resources.EdgeRole.Properties.Policies[0].PolicyDocument.Statement.push(statement),
  });
  const put = (change) => h.ask({ method: "PUT", path: "/k", body: "abc", headers: routerSigned(change) });
  const rows = [
    ["options.path = '/other'", 403, "SignatureDoesNotMatch"],
    ["options.region = 'us-east-1'", 400, "AuthorizationHeaderMalformed"],
    ["options.service = 'lambda'", 400, "AuthorizationHeaderMalformed"],
    ["options.accessKeyId = 'ASIAUNKNOWN'", 403, "InvalidAccessKeyId"],
    ["options.token = 'another'", 400, "InvalidToken"],
    ["options.now = new Date(Date.now() - 16 * 60 * 1000)", 403, "RequestTimeTooSkewed"],
    ["options.now = new Date(Date.now() + 16 * 60 * 1000)", 403, "RequestTimeTooSkewed"],
    ["options.unsigned = { 'x-amz-meta-a': 'not signed' }", 403, "AccessDenied"],
    ["options.digest = 'no digest'", 400, "InvalidRequest"],
    ["options.digest = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'", 501, "NotImplemented"],
    [`options.digest = '${sha256("other")}'`, 400, "XAmzContentSHA256Mismatch"],
  ];
  for (const [change, status, code] of rows) {
    const answer = await put(change);
    assert.deepEqual(
      [answer.status, /<Code>(.*)<\/Code>/.exec(answer.text)?.[1]],
      [status, code],
      `${change} ${answer.text}`,
    );
  }
  assert.ok(h.received.every(({ body }) => body !== "abc"));
  assert.equal((await put(`options.digest = '${sha256("abc")}'`)).status, 200, JSON.stringify(h.logged));
});

test("a body framed as aws-chunked is taken when it is whole, and stores nothing when it is not", async (t) => {
  const statement = { Effect: "Allow", Action: "s3:PutObject", Resource: "arn:aws:s3:::acme-ingest/*" };
  const h = await harness(t, {
    functions: { "origin-request": SIGNER + PROGRAMMABLE },
    edit: ({ edge }) => edge.Resources.EdgeRole.Properties.Policies[0].PolicyDocument.Statement.push(statement),
  });
  const put = (body, length, headers) =>
    h.ask({
      method: "PUT",
      body,
      headers: {
        ...headers,
        ...routerSigned(
          `Object.assign(options, { digest: "STREAMING-UNSIGNED-PAYLOAD-TRAILER", headers: { "x-amz-trailer": "x-amz-checksum-crc32" } });
          if (${length} !== undefined) options.headers["x-amz-decoded-content-length"] = "${length}";`,
        ),
      },
    });
  const trailer = "x-amz-checksum-crc32:y/Q5Jg==\r\n\r\n";
  const whole = `4\r\n1234\r\n5\r\n56789\r\n0\r\n${trailer}`;
  for (const framing of [{}, { "Transfer-Encoding": "chunked" }]) {
    const answer = await put(whole, 9, framing);
    assert.equal(answer.status, 200, JSON.stringify(h.logged));
    assert.equal(h.received.at(-1).body, whole);
    assert.equal(h.received.at(-1).headers["x-amz-content-sha256"], "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
  }
  assert.equal((await put(whole)).status, 411);
  for (const [body, length] of [
    [whole, 8],
    [whole, 10],
    [`9;a=b\r\n123456789\r\n0\r\n${trailer}`, 9],
    [`z\r\n123456789\r\n0\r\n${trailer}`, 9],
    [`-9\r\n123456789\r\n0\r\n${trailer}`, 9],
    [`8\r\n123456789\r\n0\r\n${trailer}`, 9],
    [`9\r\n123456789\r\n0\r\nx-amz-copy-source:/b/k\r\n\r\n`, 9],
    [`9\r\n123456789\r\n0\r\n\r\n`, 9],
    [`9\r\n123456789\r\n`, 9],
    [`${whole}more`, 9],
    ["123456789", 9],
    [`${"1".repeat(20_000)}\r\n`, 9],
  ]) {
    const answer = await put(body, length);
    assert.deepEqual([answer.status, /<Code>(.*)<\/Code>/.exec(answer.text)?.[1]], [400, "IncompleteBody"], body);
    assert.ok(h.received.every((seen) => seen.body === whole || seen.body === ""));
  }
});

test("header names and values are signed as they are: bytes that are not ASCII, blanks in a row, repeated lines", async (t) => {
  const h = await harness(t);
  const answer = await h.ask({
    method: "PUT",
    path: "/%E4%BD%A0+!*'()",
    body: "",
    headers: { "x-amz-meta-a": ["1  2", "3"], "x-amz-meta-b": "\xc3\xbc" },
  });
  assert.equal(answer.status, 200, JSON.stringify(h.logged));
});
