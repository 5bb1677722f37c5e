// ListObjects, ListObjectsV2 and ListMultipartUploads of @aws-sdk/client-s3; the twin of test_listing.py.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  PutObjectCommand,
  paginateListObjectsV2,
} = require('@aws-sdk/client-s3');
const { client, originId, refused, run } = require('./client.cjs');

const { folder, names } = run.listed;
const Bucket = run.bucket;
const device = key => client('path', 'http', run.listed[key]);

function gather(found, page) {
  found.keys.push(...(page.Contents ?? []).map(entry => entry.Key));
  found.prefixes.push(...(page.CommonPrefixes ?? []).map(entry => entry.Prefix));
}

/** The SDK has no paginator for the first version. */
async function list(s3, query = {}) {
  const found = { keys: [], prefixes: [] };
  for (let Marker; ; ) {
    const page = await s3.send(new ListObjectsCommand({ Bucket, ...query, Marker }));
    gather(found, page);
    if (!page.IsTruncated) return found;
    Marker = page.NextMarker;
  }
}

async function listV2(s3, query = {}) {
  const found = { keys: [], prefixes: [] };
  for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket, ...query })) {
    gather(found, page);
    assert.equal(page.KeyCount, (page.Contents ?? []).length + (page.CommonPrefixes ?? []).length);
  }
  return found;
}

for (const [operation, listOf] of Object.entries({ ListObjects: list, ListObjectsV2: listV2 })) {
  test(`2,500 keys are listed page by page [${operation}]`, async () => {
    const found = await listOf(device('whole'), { Prefix: folder });
    assert.deepEqual(found, { keys: names.map(name => folder + name), prefixes: [] });
    // S3 shortens what is too long a page.
    assert.deepEqual(await listOf(device('mounted'), { MaxKeys: 5000 }), { keys: names, prefixes: [] });
  });

  test(`a delimiter makes folders [${operation}]`, async () => {
    const found = await listOf(device('mounted'), { Delimiter: '/', MaxKeys: 2 });
    assert.deepEqual(found, { keys: [], prefixes: ['0/', '1/', '2/', '3/', '4/'] });
  });

  test(`b05 a list is confined to the granted prefix [${operation}]`, async () => {
    const keys = names.filter(name => name.startsWith('2/'));
    assert.deepEqual(await listOf(device('bound')), { keys, prefixes: [] });
    assert.deepEqual(await listOf(device('bound'), { Delimiter: '/' }), { keys: [], prefixes: ['2/'] });
    await refused(listOf(device('bound'), { Prefix: '3/' }), 403, 'AccessDenied');
  });

  for (const name of ['a b  c .txt', 'a+b c+.txt', '100%/%41%2F%zz.txt', '<Key>&amp;"\'{}]]>.txt', '设备/照片 一.jpg', '🚀/🛰️.bin']) {
    test(`a key named ${name} is listed as it is and read back [${operation}]`, async () => {
      const [s3, prefix] = [device('whole'), `${run.folder}/listing-${operation}/`];
      await s3.send(new PutObjectCommand({ Bucket, Key: prefix + name, Body: name }));
      const { keys } = await listOf(s3, { Prefix: prefix + name });
      assert.deepEqual(keys, [prefix + name]);
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: keys[0] }));
      assert.equal(await Body.transformToString(), name);
    });
  }
}

test('an object of a list is described in S3s words [ListObjects]', async () => {
  const page = await device('mounted').send(new ListObjectsCommand({ Bucket, MaxKeys: 1, EncodingType: 'url', Prefix: '0/' }));
  const [object] = page.Contents;
  assert.deepEqual([object.Key, object.Size, object.StorageClass, object.Owner.ID], [names[0], 1, 'STANDARD', 'causeway']);
  assert.ok(object.LastModified instanceof Date);
  assert.deepEqual([page.Name, page.EncodingType, page.MaxKeys, page.Prefix], [Bucket, 'url', 1, '0/']);
});

test('uploads under way are listed, and no others [ListMultipartUploads]', async () => {
  const [s3, Key] = [device('whole'), `${run.folder}/listing/a b/上`];
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
  const page = await s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: Key }));
  assert.deepEqual(page.Uploads.map(upload => [upload.Key, originId(upload.UploadId)]), [[Key, originId(UploadId)]]);
  assert.deepEqual([page.IsTruncated, page.Bucket], [false, Bucket]);
  await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  assert.equal((await s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: Key }))).Uploads, undefined);
});
