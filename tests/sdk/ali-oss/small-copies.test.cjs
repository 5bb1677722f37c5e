// Uploads whose parts are copied from another object in pieces that S3 refuses, as ali-oss makes them; the twin of
// test_small_copies.py.
'use strict';

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { test } = require('node:test');
const { device, refused, run, seenDuring, sha256, stored, withKey } = require('./device.cjs');

const MIB = 1 << 20;
// ali-oss refuses smaller ones itself, but for the last.
const SMALLEST = 100 * 1024;

const folder = `${run.folder}/small-copies`;
const client = () => device('virtual-host', withKey(run.keys.data_layer));
const staged = requests => requests.filter(({ method, target }) => method === 'PUT' && /\/\.causeway\/[^/]+\/\d{5}$/.test(target));

/** Stores the source of a copy. */
async function source(name, size) {
  const data = crypto.randomBytes(size);
  await client().put(name, data);
  return { data, from: { sourceKey: name, sourceBucketName: run.bucket } };
}

/** The object is `data`, and of its parts none is left at the origin. */
async function ended(key, data, seen) {
  const object = await stored(key);
  assert.deepEqual([object.status, object.size, object.sha256], [200, data.length, sha256(data)]);
  for (const { target } of staged(seen)) {
    const place = target.split('/').slice(2).join('/');
    assert.equal((await stored(place)).status, 404, `${place} is left at the origin`);
  }
}

for (const [kind, options, count] of [
  ['its default options', {}, 14],
  ['its smallest part size', { partSize: SMALLEST }, 134],
  ['one part at a time', { partSize: 2 * MIB, parallel: 1 }, 7],
  ['parts that S3 copies by itself but the last', { partSize: 6 * MIB }, 1],
]) {
  test(`multipartUploadCopy copies an object with ${kind} [UploadPartCopy]`, async () => {
    const key = `${folder}/copy with ${kind}`;
    const { data, from } = await source(`${folder}/source of ${kind}`, 13 * MIB + 1);
    const seen = await seenDuring(() => client().multipartUploadCopy(key, from, options));
    assert.equal(staged(seen).length, count);
    await ended(key, data, seen);
  });
}

test('multipartUploadCopy copies a stretch of an object', async () => {
  const key = `${folder}/stretch`;
  const { data, from } = await source(`${folder}/source of a stretch`, 9 * MIB);
  const seen = await seenDuring(() =>
    client().multipartUploadCopy(key, { ...from, startOffset: 17, endOffset: 7 * MIB + 3 }),
  );
  await ended(key, data.subarray(17, 7 * MIB + 3), seen);
});

test('an interrupted multipartUploadCopy goes on from its checkpoint', async () => {
  const key = `${folder}/resumed`;
  const { data, from } = await source(`${folder}/source of a resumed copy`, 9 * MIB);
  let checkpoint;
  const first = client();
  const progress = (_done, reached) => {
    checkpoint = reached;
    if (reached.doneParts.length === 4) first.cancel();
  };
  const before = await seenDuring(() =>
    assert.rejects(first.multipartUploadCopy(key, from, { parallel: 1, progress }), { name: 'cancel' }),
  );
  const saved = JSON.parse(JSON.stringify(checkpoint));
  const seen = await seenDuring(() => client().multipartUploadCopy(key, from, { checkpoint: saved }));
  assert.deepEqual([staged(before).length, staged(seen).length], [4, 5]);
  await ended(key, data, [...before, ...seen]);
});

test('a copy of an object that is not there is refused', async () => {
  const { uploadId } = await client().initMultipartUpload(`${folder}/missing`);
  const from = { sourceKey: `${folder}/no source`, sourceBucketName: run.bucket };
  await refused(client().uploadPartCopy(`${folder}/missing`, uploadId, 1, `0-${MIB - 1}`, from), 404, 'NoSuchKey');
  await client().abortMultipartUpload(`${folder}/missing`, uploadId);
});
