// Versions as @aws-sdk/client-s3 reads, copies and deletes them; the twin of test_versions.py, which starts it.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const s3 = require('@aws-sdk/client-s3');
const { client, refused, run } = require('../aws-sdk/client.cjs');

const Bucket = run.bucket;
const sdk = client();
const put = async (Key, Body) => (await sdk.send(new s3.PutObjectCommand({ Bucket, Key, Body }))).VersionId;
const get = (Key, VersionId) => sdk.send(new s3.GetObjectCommand({ Bucket, Key, VersionId }));
const read = async (Key, VersionId) => (await get(Key, VersionId)).Body.transformToString();

test('every version is read by its id', async () => {
  const key = `${run.folder}/read`;
  const [first, second] = [await put(key, 'first'), await put(key, 'the second')];
  assert.deepEqual([await read(key, first), await read(key, second), await read(key)], ['first', 'the second', 'the second']);
  const head = await sdk.send(new s3.HeadObjectCommand({ Bucket, Key: key, VersionId: first }));
  assert.deepEqual([head.VersionId, head.ContentLength], [first, 5]);
});

test('an older version is copied', async () => {
  const key = `${run.folder}/copied`;
  const first = await put(key, 'first');
  await put(key, 'the second');
  const CopySource = `${Bucket}/${key}?versionId=${first}`;
  await sdk.send(new s3.CopyObjectCommand({ Bucket, Key: `${key}-copy`, CopySource }));
  assert.equal(await read(`${key}-copy`), 'first');
});

test('a deletion is a marker that can itself be deleted', async () => {
  const key = `${run.folder}/marker`;
  await put(key, 'first');
  const deleted = await sdk.send(new s3.DeleteObjectCommand({ Bucket, Key: key }));
  assert.equal(deleted.DeleteMarker, true);
  await refused(get(key), 404, 'NoSuchKey');
  await sdk.send(new s3.DeleteObjectCommand({ Bucket, Key: key, VersionId: deleted.VersionId }));
  assert.equal(await read(key), 'first');
});
