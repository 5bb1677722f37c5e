// Versions as ali-oss reads, copies and deletes them; the twin of test_versions.py, which starts it.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { device, refused, run } = require('../ali-oss/device.cjs');

const client = device();
const put = async (key, text) => (await client.put(key, Buffer.from(text))).res.headers['x-oss-version-id'];
const read = async (key, versionId) => (await client.get(key, undefined, versionId && { versionId })).content.toString();

test('every version is read by its id', async () => {
  const key = `${run.folder}/read`;
  const [first, second] = [await put(key, 'first'), await put(key, 'the second')];
  assert.deepEqual([await read(key, first), await read(key, second), await read(key)], ['first', 'the second', 'the second']);
  const { res } = await client.head(key, { versionId: first });
  assert.deepEqual([res.headers['x-oss-version-id'], res.headers['content-length']], [first, '5']);
});

test('an older version is copied', async () => {
  const key = `${run.folder}/copied`;
  const first = await put(key, 'first');
  await put(key, 'the second');
  await client.copy(`${key}-copy`, key, { versionId: first });
  assert.equal(await read(`${key}-copy`), 'first');
});

test('a deletion is a marker that can itself be deleted', async () => {
  const key = `${run.folder}/marker`;
  await put(key, 'first');
  const { res } = await client.delete(key);
  assert.equal(res.headers['x-oss-delete-marker'], 'true');
  await refused(client.get(key), 404, 'NoSuchKey');
  await client.delete(key, { versionId: res.headers['x-oss-version-id'] });
  assert.equal(await read(key), 'first');
});
