// Uploads in parts that S3 refuses, as ali-oss makes them; the twin of test_small_parts.py.
'use strict';

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { device, run, seenDuring, sha256, stored, withKey } = require('./device.cjs');

const MIB = 1 << 20;
// ali-oss refuses smaller ones itself, but for the last.
const SMALLEST = 100 * 1024;

const folder = `${run.folder}/small-parts`;
const lister = () => device('virtual-host', withKey(run.keys.data_layer));

/** The object is `data`, has the ETag that the SDK told, and was uploaded in parts of which none is left at the origin. */
async function ended(key, data, seen, { etag }) {
  const object = await stored(key);
  assert.deepEqual([object.status, object.size, object.sha256], [200, data.length, sha256(data)]);
  if (etag !== undefined) assert.equal(object.headers.etag, etag);
  const staged = seen.filter(({ method, path }) => method === 'PUT' && path.includes('/.causeway/'));
  assert.ok(staged.length > 0, 'no part was staged');
  for (const place of new Set(staged.map(({ path }) => path.split('/').slice(2).join('/')))) {
    assert.equal((await stored(place)).status, 404, `${place} is left at the origin`);
  }
  return object;
}

/** Runs an upload and gives what the SDK told and what the origin saw. */
async function uploaded(upload) {
  let told;
  const seen = await seenDuring(async () => {
    told = await upload();
  });
  return [seen.map(request => ({ ...request, path: decodeURIComponent(request.target.split('?')[0]) })), told];
}

for (const [kind, options] of Object.entries({
  'its default options': {},
  'its smallest part size': { partSize: SMALLEST },
  'one part at a time': { partSize: 1 * MIB, parallel: 1 },
  'five parts at a time': { partSize: SMALLEST, parallel: 5 },
  'parts that begin to be large enough': { partSize: 5 * MIB },
})) {
  test(`multipartUpload stores a buffer with ${kind}`, async () => {
    const data = crypto.randomBytes(13 * MIB + 1);
    const key = `${folder}/buffer ${kind}`;
    const [seen, told] = await uploaded(() => device().multipartUpload(key, data, options));
    await ended(key, data, seen, told);
  });
}

test('multipartUpload stores a file with its type and metadata', async t => {
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'causeway-')), 'recording.json');
  t.after(() => fs.rmSync(path.dirname(file), { recursive: true }));
  const data = crypto.randomBytes(7 * MIB);
  fs.writeFileSync(file, data);
  const key = `${folder}/file`;
  const options = { meta: { serial: 'A-0017' }, headers: { 'Cache-Control': 'max-age=60' } };
  const [seen, told] = await uploaded(() => device().multipartUpload(key, file, options));
  const { headers } = await ended(key, data, seen, told);
  assert.equal(headers['content-type'], 'application/json');
  assert.equal(headers['cache-control'], 'max-age=60');
  assert.equal(headers['x-amz-meta-serial'], 'A-0017');
  const { meta } = await device('virtual-host', withKey(run.keys.reader)).head(key);
  assert.deepEqual(meta, { serial: 'A-0017' });
});

test('an upload whose only part is small is stored', async () => {
  const data = crypto.randomBytes(SMALLEST);
  const key = `${folder}/one part`;
  const [seen, told] = await uploaded(() => device().multipartUpload(key, data));
  await ended(key, data, seen, told);
});

test('parts of both kinds are listed alike, page by page [ListParts]', async () => {
  const client = lister();
  const key = `${folder}/listed`;
  const sizes = [SMALLEST, 5 * MIB, SMALLEST + 1, SMALLEST + 2, 5 * MIB + 1, 1];
  const { uploadId } = await client.initMultipartUpload(key);
  const etags = [];
  for (const [index, size] of sizes.entries()) {
    const part = crypto.randomBytes(size);
    etags.push((await client.uploadPart(key, uploadId, index + 1, part, 0, size)).etag);
  }
  const listed = [];
  let page = { nextPartNumberMarker: 0 };
  do {
    page = await client.listParts(key, uploadId, { 'max-parts': 2, 'part-number-marker': page.nextPartNumberMarker });
    listed.push(...page.parts);
  } while (page.isTruncated === 'true' || page.isTruncated === true);
  assert.deepEqual(
    listed.map(({ PartNumber, ETag, Size }) => [Number(PartNumber), ETag, Number(Size)]),
    sizes.map((size, index) => [index + 1, etags[index], size]),
  );
  await client.abortMultipartUpload(key, uploadId);
});

test('a part that is sent again replaces itself whichever way either is stored', async () => {
  const client = device();
  const sizes = [SMALLEST, 5 * MIB, SMALLEST, SMALLEST];
  const key = `${folder}/replaced`;
  const { uploadId } = await client.initMultipartUpload(key);
  let data, etag;
  for (const size of sizes) {
    data = crypto.randomBytes(size);
    ({ etag } = await client.uploadPart(key, uploadId, 1, data, 0, size));
  }
  await client.completeMultipartUpload(key, uploadId, [{ number: 1, etag }]);
  assert.equal((await stored(key)).sha256, sha256(data));
});

test('an interrupted multipartUpload with small parts goes on from its checkpoint', async () => {
  const data = crypto.randomBytes(13 * MIB);
  const key = `${folder}/resumed`;
  let checkpoint;
  const client = device();
  const progress = (_done, reached) => {
    checkpoint = reached;
    if (reached.doneParts.length === 7) client.cancel();
  };
  const [before] = await uploaded(() =>
    assert.rejects(client.multipartUpload(key, data, { parallel: 1, progress }), { name: 'cancel' }),
  );
  // As another process would: from what was written down.
  const saved = { ...JSON.parse(JSON.stringify({ ...checkpoint, file: undefined })), file: data };
  const [seen, told] = await uploaded(() => device().multipartUpload(key, data, { checkpoint: saved }));
  const parts = requests => requests.filter(({ method, target }) => method === 'PUT' && /\/\.causeway\/[^/]+\/\d{5}$/.test(target));
  assert.deepEqual([parts(before).length, parts(seen).length], [7, 6]);
  await ended(key, data, [...before, ...seen], told);
});
