// Every operation of the object API as ali-oss calls it; the twin of test_operations.py.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { device, md5, originId, run, sha256, stored, uploadStatus, withKey } = require('./device.cjs');

const BODY = Buffer.from('the bytes of an object'.repeat(1000));
const TAGS = { site: 'Berlin Nord', kind: 'log+1' };
const ETAG = `"${md5(BODY)}"`;

const client = device('virtual-host', withKey(run.keys.data_layer));
const put = key => client.put(key, BODY);

/** Asserts that keys below a folder are listed. */
async function listed(folder, list) {
  const keys = ['a', 'b c', 'd+e'].map(name => `${folder}/${name}`);
  for (const key of keys) await put(key);
  const { objects } = await list({ prefix: `${folder}/` });
  assert.deepEqual(objects.map(({ name }) => name), keys);
}

const operations = {
  async DeleteObject(key) {
    await put(key);
    await client.delete(key);
    assert.equal((await stored(key)).status, 404);
  },

  async DeleteMultipleObjects(key) {
    const keys = ['a', 'b c', '<d>&'].map(name => `${key}/${name}`);
    for (const one of [...keys, `${key}/kept`]) await put(one);
    const { deleted } = await client.deleteMulti(keys);
    assert.deepEqual(deleted.map(({ Key }) => Key).sort(), [...keys].sort());
    for (const one of keys) assert.equal((await stored(one)).status, 404);
    assert.equal((await stored(`${key}/kept`)).status, 200);
  },

  async CopyObject(key) {
    await put(`${key}/source one+1`);
    const { data } = await client.copy(`${key}/copy`, `${key}/source one+1`);
    assert.equal(data.etag, ETAG);
    assert.equal((await stored(`${key}/copy`)).sha256, sha256(BODY));
  },

  async UploadPartCopy(key) {
    await put(`${key}-source`);
    const { uploadId } = await client.initMultipartUpload(key);
    const source = { sourceKey: `${key}-source`, sourceBucketName: run.bucket };
    const { etag } = await client.uploadPartCopy(key, uploadId, 1, '5-1004', source);
    const piece = BODY.subarray(5, 1005);
    await client.completeMultipartUpload(key, uploadId, [{ number: 1, etag }]);
    assert.equal((await stored(key)).sha256, sha256(piece));
  },

  async ListParts(key) {
    const { uploadId } = await client.initMultipartUpload(key);
    await client.uploadPart(key, uploadId, 1, BODY, 0, BODY.length);
    const { parts } = await client.listParts(key, uploadId);
    assert.deepEqual([parts].flat().map(part => [part.PartNumber, part.ETag, part.Size]), [['1', ETAG, String(BODY.length)]]);
    assert.equal(await uploadStatus(key, uploadId), 200);
  },

  async ListMultipartUploads(key) {
    const { uploadId } = await client.initMultipartUpload(`${key}/one`);
    const { uploads } = await client.listUploads({ prefix: `${key}/` });
    assert.deepEqual(uploads.map(({ name, uploadId }) => [name, originId(uploadId)]), [[`${key}/one`, originId(uploadId)]]);
  },

  ListObjects: key => listed(key, query => client.list(query)),
  ListObjectsV2: key => listed(key, query => client.listV2(query)),

  async ListBuckets() {
    const { buckets } = await client.listBuckets();
    assert.deepEqual(buckets.map(({ name }) => name), [run.bucket]);
  },

  async GetBucketLocation() {
    assert.ok((await client.getBucketLocation(run.bucket)).location);
  },

  async GetBucketInfo() {
    const { bucket } = await client.getBucketInfo(run.bucket);
    assert.equal(bucket.Name, run.bucket);
    assert.ok(bucket.Location);
  },

  async 'PutObjectTagging, GetObjectTagging, DeleteObjectTagging'(key) {
    await put(key);
    await client.putObjectTagging(key, TAGS);
    assert.deepEqual((await client.getObjectTagging(key)).tag, TAGS);
    await client.deleteObjectTagging(key);
    assert.deepEqual((await client.getObjectTagging(key)).tag, {});
  },

  async 'PutObjectAcl, GetObjectAcl'(key) {
    await put(key);
    await client.putACL(key, 'private');
    assert.equal((await client.getACL(key)).acl, 'private');
    const error = await client.putACL(key, 'public-read').catch(thrown => thrown);
    assert.ok([400, 403].includes(error.status), String(error));
  },
};

for (const [names, perform] of Object.entries(operations)) {
  test(`performs [${names}]`, () => perform(`${run.folder}/operations/${names.split(',')[0]}`));
}
