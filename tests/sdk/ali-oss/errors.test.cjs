// What ali-oss throws when a device is refused; the twin of test_errors.py and test_refused_operations.py.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { V4, device, md5, refused, run, seenDuring, stored, withKey } = require('./device.cjs');

const put = (client, options) => client.put(`${run.folder}/refused`, Buffer.from('x'), options);

/** Expects a refusal that the origin never heard of. */
async function refusedUntouched(attempt, status, code) {
  const seen = await seenDuring(() => refused(attempt(), status, code));
  assert.deepEqual(seen, []);
}

test('a wrong secret is a signature mismatch', () =>
  refusedUntouched(() => put(device('cname', { accessKeySecret: 'not-the-secret' })), 403, 'SignatureDoesNotMatch'));

test('an unknown key id is an invalid one', () =>
  refusedUntouched(() => put(device('path', { accessKeyId: 'LTAI5tUnknownKeyOfNode' })), 403, 'InvalidAccessKeyId'));

test('a disabled key is an invalid one', () =>
  refusedUntouched(() => put(device('virtual-host', withKey(run.keys.disabled))), 403, 'InvalidAccessKeyId'));

for (const minutes of [-16, 16]) {
  test(`a clock that is ${minutes} minutes off is skewed`, () =>
    refusedUntouched(
      () => put(device('virtual-host', { amendTimeSkewed: minutes * 60_000 })),
      403,
      'RequestTimeTooSkewed',
    ));
}

test('a clock that is 14 minutes off is accepted', () => put(device('virtual-host', { amendTimeSkewed: -14 * 60_000 })));

for (const [only, other, options] of [['v4', 'v1', {}], ['v1', 'v4', V4]]) {
  test(`a key for ${only} only refuses ${other} by its name`, () =>
    seenDuring(async () => {
      const error = await refused(put(device('virtual-host', { ...withKey(run.keys[`${only}_only`]), ...options })), 403, 'AccessDenied');
      assert.match(error.message, new RegExp(`^oss-${other}: `));
    }).then(seen => assert.deepEqual(seen, [])));
}

test('an STS token is accepted with its key', async () => {
  await device('virtual-host', withKey(run.keys.sts)).put(`${run.folder}/sts`, Buffer.from('x'));
  assert.equal((await stored(`${run.folder}/sts`)).size, 1);
});

test('an STS token is accepted with its key and V4', async () => {
  await device('virtual-host', { ...withKey(run.keys.sts), ...V4 }).put(`${run.folder}/sts-v4`, Buffer.from('x'));
  assert.equal((await stored(`${run.folder}/sts-v4`)).size, 1);
});

test('a key with a token is refused without it', async () => {
  const error = await put(device('virtual-host', withKey({ ...run.keys.sts, security_token: null }))).catch(e => e);
  assert.equal(error.status, 403);
});

test('a presigned URL stores an object', async () => {
  const url = device().signatureUrl(`${run.folder}/presigned`, { method: 'PUT', expires: 60 });
  const { status } = await fetchFromEdge(url, 'PUT', 'x');
  assert.equal(status, 200);
  assert.equal((await stored(`${run.folder}/presigned`)).size, 1);
});

for (const [what, key] of Object.entries({ 'a key': run.credentials, 'a key with a token': run.keys.sts })) {
  test(`a URL presigned by V4 for ${what} stores an object and covers the additional header`, async () => {
    const object = `${run.folder}/presigned-v4 ${what}`;
    const headers = { 'Cache-Control': 'no-cache' };
    const client = device('virtual-host', { ...withKey(key), ...V4 });
    const url = await client.signatureUrlV4('PUT', 60, { headers }, object, ['Cache-Control']);
    const refusal = await fetchFromEdge(url, 'PUT', 'x');
    assert.equal(refusal.status, 403);
    assert.match(refusal.body, /<Code>SignatureDoesNotMatch<\/Code>/);
    const { status } = await fetchFromEdge(url, 'PUT', 'x', headers);
    assert.equal(status, 200);
    assert.equal((await stored(object)).headers['cache-control'], 'no-cache');
  });
}

test('an expired presigned URL is denied', async () => {
  const url = device().signatureUrl(`${run.folder}/presigned`, { method: 'PUT', expires: -5 });
  const { status, body } = await fetchFromEdge(url, 'PUT', 'x');
  assert.equal(status, 403);
  assert.match(body, /<Code>AccessDenied<\/Code>/);
});

test('a wrong Content-MD5 is refused and stores nothing', async () => {
  const headers = { 'Content-MD5': md5('as sent', 'base64') };
  await refused(device().put(`${run.folder}/digest`, Buffer.from('as received'), { headers }), 400, 'InvalidDigest');
  assert.equal((await stored(`${run.folder}/digest`)).status, 404);
});

test('forbid-overwrite keeps the older object', async () => {
  const key = `${run.folder}/forbid`;
  await device().put(key, Buffer.from('first'));
  const headers = { 'x-oss-forbid-overwrite': 'true' };
  await refused(device().put(key, Buffer.from('second'), { headers }), 409, 'FileAlreadyExists');
  assert.equal((await stored(key)).size, 'first'.length);
});

test('completing with a wrong ETag is refused', async () => {
  const key = `${run.folder}/wrong-etag`;
  const { uploadId } = await device().initMultipartUpload(key);
  await device().uploadPart(key, uploadId, 1, Buffer.from('x'), 0, 1);
  const parts = [{ number: 1, etag: '"0123456789abcdef0123456789abcdef"' }];
  await refused(device().completeMultipartUpload(key, uploadId, parts), 400, 'InvalidPart');
});

const KEY = `${run.folder}/refused`;
const denied = {
  GetObject: client => client.get(KEY),
  HeadObject: client => client.head(KEY),
  DeleteObject: client => client.delete(KEY),
  DeleteMultipleObjects: client => client.deleteMulti([KEY]),
  ListObjects: client => client.list({}),
  ListObjectsV2: client => client.listV2({}),
  ListMultipartUploads: client => client.listUploads({}),
  ListParts: client => client.listParts(KEY, 'an-upload-id'),
  CopyObject: client => client.copy(`${KEY}.copy`, KEY),
  AppendObject: client => client.append(KEY, Buffer.from('x')),
  PutObjectACL: client => client.putACL(KEY, 'public-read'),
  GetObjectACL: client => client.getACL(KEY),
  PutObjectTagging: client => client.putObjectTagging(KEY, { a: 'b' }),
  PutSymlink: client => client.putSymlink(`${KEY}.link`, KEY),
  RestoreObject: client => client.restore(KEY),
  GetBucketInfo: client => client.getBucketInfo(run.bucket),
};

for (const [operation, call] of Object.entries(denied)) {
  test(`${operation} is denied under the upload-only preset`, () =>
    refusedUntouched(() => call(device()), 403, 'AccessDenied'));
}

/** Sends a request to a URL whose host only the resolver shim knows. */
function fetchFromEdge(url, method, body, headers = {}) {
  const http = require('node:http');
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers }, answer => {
      const pieces = [];
      answer.on('data', piece => pieces.push(piece));
      answer.on('end', () => resolve({ status: answer.statusCode, body: Buffer.concat(pieces).toString() }));
    });
    request.on('error', reject);
    request.end(body);
  });
}
