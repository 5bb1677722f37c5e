// Every operation of the object API as @aws-sdk/client-s3 calls it; the twin of test_operations.py.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const s3 = require('@aws-sdk/client-s3');
const { client, md5, originId, run, sha256, stored } = require('./client.cjs');

const BODY = Buffer.from('the bytes of an object'.repeat(1000));
const TAGS = [
  { Key: 'site', Value: 'Berlin Nord' },
  { Key: 'kind', Value: 'log+1' },
];
const ETAG = `"${md5(BODY)}"`;

const Bucket = run.bucket;
const sdk = client('path', 'http', run.keys.data_layer);

/** Sends a command by its name without `Command`. */
const send = (name, input) => sdk.send(new s3[`${name}Command`]({ Bucket, ...input }));
const put = Key => send('PutObject', { Key, Body: BODY });

/** Asserts that keys below a folder are listed. */
async function listed(folder, name) {
  const keys = ['a', 'b c', 'd+e'].map(name => `${folder}/${name}`);
  for (const key of keys) await put(key);
  const { Contents } = await send(name, { Prefix: `${folder}/` });
  assert.deepEqual(Contents.map(({ Key }) => Key), keys);
}

const operations = {
  async DeleteObject(Key) {
    await put(Key);
    await send('DeleteObject', { Key });
    assert.equal((await stored(Key)).status, 404);
  },

  async DeleteObjects(key) {
    const keys = ['a', 'b c', '<d>&'].map(name => `${key}/${name}`);
    for (const one of [...keys, `${key}/kept`]) await put(one);
    const { Deleted } = await send('DeleteObjects', { Delete: { Objects: keys.map(Key => ({ Key })) } });
    assert.deepEqual(Deleted.map(({ Key }) => Key).sort(), [...keys].sort());
    for (const one of keys) assert.equal((await stored(one)).status, 404);
    assert.equal((await stored(`${key}/kept`)).status, 200);
  },

  async CopyObject(key) {
    await put(`${key}/source one+1`);
    const CopySource = encodeURIComponent(`${Bucket}/${key}/source one+1`);
    const { CopyObjectResult } = await send('CopyObject', { Key: `${key}/copy`, CopySource });
    assert.equal(CopyObjectResult.ETag, ETAG);
    assert.equal((await stored(`${key}/copy`)).sha256, sha256(BODY));
  },

  async UploadPartCopy(Key) {
    await put(`${Key}-source`);
    const { UploadId } = await send('CreateMultipartUpload', { Key });
    const source = { CopySource: `${Bucket}/${Key}-source`, CopySourceRange: 'bytes=5-1004' };
    const { CopyPartResult } = await send('UploadPartCopy', { Key, UploadId, PartNumber: 1, ...source });
    const piece = BODY.subarray(5, 1005);
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag: CopyPartResult.ETag }] };
    await send('CompleteMultipartUpload', { Key, UploadId, MultipartUpload });
    assert.equal((await stored(Key)).sha256, sha256(piece));
  },

  async ListParts(Key) {
    const { UploadId } = await send('CreateMultipartUpload', { Key });
    await send('UploadPart', { Key, UploadId, PartNumber: 1, Body: BODY });
    const { Parts } = await send('ListParts', { Key, UploadId });
    assert.deepEqual(Parts.map(({ PartNumber, ETag, Size }) => [PartNumber, ETag, Size]), [[1, ETAG, BODY.length]]);
  },

  async ListMultipartUploads(key) {
    const { UploadId } = await send('CreateMultipartUpload', { Key: `${key}/one` });
    const { Uploads } = await send('ListMultipartUploads', { Prefix: `${key}/` });
    assert.deepEqual(Uploads.map(({ Key, UploadId }) => [Key, originId(UploadId)]), [[`${key}/one`, originId(UploadId)]]);
  },

  ListObjects: key => listed(key, 'ListObjects'),
  ListObjectsV2: key => listed(key, 'ListObjectsV2'),

  async ListBuckets() {
    const { Buckets } = await send('ListBuckets', { Bucket: undefined });
    assert.deepEqual(Buckets.map(({ Name }) => Name), [Bucket]);
  },

  async HeadBucket() {
    assert.equal((await send('HeadBucket')).$metadata.httpStatusCode, 200);
  },

  async GetBucketLocation() {
    assert.ok((await send('GetBucketLocation')).LocationConstraint);
  },

  async 'PutObjectTagging, GetObjectTagging, DeleteObjectTagging'(Key) {
    await put(Key);
    await send('PutObjectTagging', { Key, Tagging: { TagSet: TAGS } });
    const { TagSet } = await send('GetObjectTagging', { Key });
    assert.deepEqual(new Map(TagSet.map(({ Key, Value }) => [Key, Value])), new Map(TAGS.map(({ Key, Value }) => [Key, Value])));
    await send('DeleteObjectTagging', { Key });
    assert.deepEqual((await send('GetObjectTagging', { Key })).TagSet ?? [], []);
  },

  async 'PutObjectAcl, GetObjectAcl'(Key) {
    await put(Key);
    await send('PutObjectAcl', { Key, ACL: 'private' });
    const { Grants } = await send('GetObjectAcl', { Key });
    assert.deepEqual(Grants.map(({ Grantee, Permission }) => [Grantee.Type, Permission]), [['CanonicalUser', 'FULL_CONTROL']]);
    const error = await send('PutObjectAcl', { Key, ACL: 'public-read' }).catch(thrown => thrown);
    assert.ok([400, 403].includes(error.$metadata.httpStatusCode), String(error));
  },
};

for (const [names, perform] of Object.entries(operations)) {
  test(`performs [${names}]`, () => perform(`${run.folder}/operations/${names.split(',')[0]}`));
}
