// What @aws-sdk/client-s3 throws when a client is refused; the twin of test_s3_errors.py.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const s3 = require('@aws-sdk/client-s3');
const { getSignedUrl } = require('@aws-sdk/s3-request-presigner');
const { client, fetcher, refused, run, seenDuring, stored, urlOf } = require('./client.cjs');

const Bucket = run.bucket;
const Key = `${run.folder}/refused`;
const put = (of, options) => of.send(new s3.PutObjectCommand({ Bucket, Key, Body: 'x', ...options }));

/** Expects a refusal that the origin never heard of. */
async function refusedUntouched(attempt, status, name) {
  const seen = await seenDuring(() => refused(attempt(), status, name));
  assert.deepEqual(seen, []);
}

const withSecret = secret_access_key => ({ ...run.credentials, secret_access_key });
const withToken = (key, security_token) => ({ ...key, security_token });

test('a wrong secret is a signature mismatch', () =>
  refusedUntouched(() => put(client('path', 'http', withSecret('not-the-secret'))), 403, 'SignatureDoesNotMatch'));

test('an unknown key id is an invalid one', () =>
  refusedUntouched(
    () => put(client('path', 'http', { ...run.credentials, access_key_id: 'AKIAUNKNOWNTOTHEGATE' })),
    403,
    'InvalidAccessKeyId',
  ));

test('a disabled key is an invalid one', () =>
  refusedUntouched(() => put(client('path', 'http', run.keys.disabled)), 403, 'InvalidAccessKeyId'));

test('a key for OSS only refuses S3 by its name', async () => {
  const error = await refused(put(client('path', 'https', run.keys.oss_only)), 403, 'AccessDenied');
  assert.match(error.message, /^s3-v4: /);
});

test('a session token is accepted with its key', async () => {
  await put(client('path', 'https', run.keys.sts), { Key: `${run.folder}/sts` });
  assert.equal((await stored(`${run.folder}/sts`)).size, 1);
});

for (const [what, key] of Object.entries({
  'without its token': withToken(run.keys.sts, null),
  'with another token': withToken(run.keys.sts, 'another'),
  'that has none with a token': withToken(run.credentials, 'another'),
})) {
  test(`a key ${what} is refused`, () => refusedUntouched(() => put(client('path', 'http', key)), 400, 'InvalidToken'));

  test(`a URL for a key ${what} is refused`, async () => {
    const url = await getSignedUrl(client('path', 'http', key), new s3.PutObjectCommand({ Bucket, Key }), { expiresIn: 60 });
    const answer = await fetch(url, { method: 'PUT', body: 'x' });
    assert.equal(answer.status, 400);
    assert.match(await answer.text(), /<Code>InvalidToken<\/Code>/);
  });
}

test('a checksum of other bytes is refused and stores nothing', async () => {
  const key = `${run.folder}/checksum`;
  const error = await put(client(), { Key: key, ChecksumCRC32: 'AAAAAA==' }).catch(thrown => thrown);
  assert.ok(error instanceof s3.S3ServiceException);
  assert.equal(error.$metadata.httpStatusCode, 400);
  assert.equal((await stored(key)).status, 404);
});

test('IfNoneMatch keeps the older object', async () => {
  const key = `${run.folder}/if-none-match`;
  await put(client(), { Key: key, Body: 'first', IfNoneMatch: '*' });
  await refused(put(client(), { Key: key, Body: 'second', IfNoneMatch: '*' }), 412, 'PreconditionFailed');
  assert.equal((await stored(key)).size, 'first'.length);
});

test('completing with a wrong ETag is refused', async () => {
  const key = `${run.folder}/wrong-etag`;
  const { UploadId } = await client().send(new s3.CreateMultipartUploadCommand({ Bucket, Key: key }));
  await client().send(new s3.UploadPartCommand({ Bucket, Key: key, UploadId, PartNumber: 1, Body: 'x' }));
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag: '"0123456789abcdef0123456789abcdef"' }] };
  const complete = new s3.CompleteMultipartUploadCommand({ Bucket, Key: key, UploadId, MultipartUpload });
  await refused(client().send(complete), 400, 'InvalidPart');
});

test('an upload that does not exist is refused', () =>
  refused(client().send(new s3.AbortMultipartUploadCommand({ Bucket, Key, UploadId: 'none' })), 404, 'NoSuchUpload'));

test('aws4fetch is told in an S3 document', async () => {
  const answer = await fetcher(withSecret('not-the-secret')).fetch(urlOf(Key), { method: 'PUT', body: 'x' });
  assert.equal(answer.status, 403);
  assert.match(await answer.text(), /<Error><Code>SignatureDoesNotMatch<\/Code>/);
});

const denied = {
  GetObject: new s3.GetObjectCommand({ Bucket, Key }),
  DeleteObject: new s3.DeleteObjectCommand({ Bucket, Key }),
  DeleteObjects: new s3.DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key }] } }),
  ListObjectsV2: new s3.ListObjectsV2Command({ Bucket }),
  ListParts: new s3.ListPartsCommand({ Bucket, Key, UploadId: 'an-upload-id' }),
  ListBuckets: new s3.ListBucketsCommand({}),
  CopyObject: new s3.CopyObjectCommand({ Bucket, Key, CopySource: `/${Bucket}/${Key}` }),
  PutObjectTagging: new s3.PutObjectTaggingCommand({ Bucket, Key, Tagging: { TagSet: [{ Key: 'a', Value: 'b' }] } }),
  PutObjectAcl: new s3.PutObjectAclCommand({ Bucket, Key, ACL: 'public-read' }),
};

for (const [operation, command] of Object.entries(denied)) {
  test(`${operation} is denied under the upload-only preset`, async () => {
    const seen = await seenDuring(async () => {
      const error = await client().send(command).catch(thrown => thrown);
      assert.ok(error instanceof s3.S3ServiceException, String(error));
      assert.ok([400, 403, 501].includes(error.$metadata.httpStatusCode), String(error));
    });
    assert.deepEqual(seen, []);
  });
}
