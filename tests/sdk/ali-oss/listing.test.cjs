// ListObjects, ListObjectsV2 and ListMultipartUploads; the twin of test_listing.py.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { V4, device: uploader, originId, run, refused, withKey } = require('./device.cjs');

const { folder, names } = run.listed;
const device = (key, options = {}) => uploader('virtual-host', { ...withKey(run.listed[key]), ...options });

const namesOf = objects => objects.map(object => object.name);

/** Every page of a list, with the marker of the one before. */
async function list(client, query = {}) {
  const found = { keys: [], prefixes: [] };
  for (let marker; ; ) {
    const page = await client.list(marker ? { ...query, marker } : query);
    found.keys.push(...namesOf(page.objects));
    found.prefixes.push(...(page.prefixes ?? []));
    if (!page.isTruncated) return found;
    marker = page.nextMarker;
  }
}

/** The same by token. */
async function listV2(client, query = {}) {
  const found = { keys: [], prefixes: [] };
  for (let token; ; ) {
    const page = await client.listV2({ ...query, 'continuation-token': token });
    found.keys.push(...namesOf(page.objects));
    found.prefixes.push(...(page.prefixes ?? []));
    assert.equal(page.keyCount, page.objects.length + (page.prefixes ?? []).length);
    if (!page.isTruncated) return found;
    token = page.nextContinuationToken;
  }
}

for (const [operation, listOf] of Object.entries({ ListObjects: list, ListObjectsV2: listV2 })) {
  for (const [signature, options] of Object.entries({ V1: {}, V4 })) {
    test(`2,500 keys are listed page by page, signed by ${signature} [${operation}]`, async () => {
      const found = await listOf(device('whole', options), { prefix: folder });
      assert.deepEqual(found, { keys: names.map(name => folder + name), prefixes: [] });
    });
  }

  test(`a delimiter makes folders [${operation}]`, async () => {
    const found = await listOf(device('whole'), { prefix: folder, delimiter: '/' });
    assert.deepEqual(found, { keys: [], prefixes: [0, 1, 2, 3, 4].map(number => `${folder}${number}/`) });
  });

  test(`a mount is not seen [${operation}]`, async () => {
    assert.deepEqual(await listOf(device('mounted'), { 'max-keys': 1000 }), { keys: names, prefixes: [] });
  });

  test(`b05 a list is confined to the granted prefix [${operation}]`, async () => {
    const keys = names.filter(name => name.startsWith('2/'));
    assert.deepEqual(await listOf(device('bound'), { prefix: '' }), { keys, prefixes: [] });
    assert.deepEqual(await listOf(device('bound'), { delimiter: '/' }), { keys: [], prefixes: ['2/'] });
    await refused(listOf(device('bound'), { prefix: '3/' }), 403, 'AccessDenied');
  });

  test(`too long a page is refused [${operation}]`, async () => {
    await refused(listOf(device('whole'), { 'max-keys': 1001 }), 400, 'InvalidArgument');
  });

  for (const name of ['a b  c .txt', 'a+b c+.txt', '100%/%41%2F%zz.txt', '<Key>&amp;"\'{}]]>.txt', '设备/照片 一.jpg', '🚀/🛰️.bin']) {
    test(`a key named ${name} is listed as it is and read back [${operation}]`, async () => {
      const [client, prefix] = [device('whole'), `${run.folder}/listing-${operation}/`];
      await client.put(prefix + name, Buffer.from(name));
      const { keys } = await listOf(client, { prefix: prefix + name });
      assert.deepEqual(keys, [prefix + name]);
      assert.equal((await client.get(keys[0])).content.toString(), name);
    });
  }
}

test('an object of a list has what the SDK shows of it [ListObjects, ListObjectsV2]', async () => {
  for (const page of [
    await device('mounted').list({ 'max-keys': 1 }),
    await device('mounted').listV2({ 'max-keys': 1, 'fetch-owner': 'true' }),
  ]) {
    const [object] = page.objects;
    assert.deepEqual([object.name, object.type, object.size, object.storageClass], [names[0], 'Normal', 1, 'Standard']);
    assert.deepEqual(object.owner, { id: 'causeway', displayName: 'causeway' });
    assert.match(object.lastModified, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
  }
});

test('uploads under way are listed, and no others [ListMultipartUploads]', async () => {
  const [client, name] = [device('whole'), `${run.folder}/listing/a b/上`];
  const { uploadId } = await client.initMultipartUpload(name);
  const { uploads, isTruncated } = await client.listUploads({ prefix: name, 'max-uploads': 1000 });
  assert.deepEqual([uploads.map(one => [one.name, originId(one.uploadId)]), isTruncated], [[[name, originId(uploadId)]], false]);
  await client.abortMultipartUpload(name, uploadId);
  assert.deepEqual((await client.listUploads({ prefix: name })).uploads, []);
});
