// Keys, sizes, metadata and resumed uploads; the twin of test_content.py and test_multipart.py.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Readable } = require('node:stream');
const { test } = require('node:test');
const { device, run, header, md5, refused, seenDuring, sha256, stored } = require('./device.cjs');

const PART = 5 << 20;

const keys = {
  spaces: 'a b  c .txt',
  plus: 'a+b c+.txt',
  percent: '100%/%41%2F%zz.txt',
  'sub-delimiters': "~!*'().txt",
  reserved: 'a?b=c&d#e;f:g@h,i$j.txt',
  markup: '<Key>&amp;"\'{}|^`[].txt',
  Chinese: '设备/照片 一.jpg',
  emoji: '🚀/🛰️.bin',
};

for (const [kind, name] of Object.entries(keys)) {
  test(`a key with ${kind} is stored under the same bytes`, async () => {
    const key = `${run.folder}/keys/${name}`;
    await device().put(key, Buffer.from(name));
    assert.equal((await stored(key)).sha256, sha256(name));
  });

  test(`a multipart upload keeps a key with ${kind}`, async () => {
    const key = `${run.folder}/multipart-keys/${name}`;
    await device().multipartUpload(key, Buffer.alloc(PART + 1, kind), { partSize: PART });
    assert.equal((await stored(key)).sha256, sha256(Buffer.alloc(PART + 1, kind)));
  });
}

for (const [kind, key] of Object.entries({
  'double slashes': 'a//b///c',
  'a trailing slash': 'folder/',
  'a long segment': `long/${'s'.repeat(300)}`,
})) {
  test(`a key with ${kind} is asked of the origin exactly`, async () => {
    const seen = await seenDuring(() => device().put(key, Buffer.from('x')).catch(() => {}));
    assert.equal(seen.length, 1);
    assert.ok(seen[0].target.endsWith(`/${key}`), seen[0].target);
  });
}

for (const size of [0, 1, PART + 1]) {
  test(`an object of ${size} bytes is stored whole with its length announced`, async () => {
    const key = `${run.folder}/size-${size}`;
    const data = Buffer.alloc(size, 'device');
    const [seen] = await seenDuring(() => device().put(key, data));
    assert.equal(header(seen, 'content-length'), String(size));
    assert.equal(header(seen, 'content-md5'), md5(data, 'base64'));
    assert.deepEqual(await stored(key).then(({ size, sha256 }) => ({ size, sha256 })), { size, sha256: sha256(data) });
  });
}

test('a file is streamed with its length', async t => {
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'causeway-')), 'recording.bin');
  t.after(() => fs.rmSync(path.dirname(file), { recursive: true }));
  fs.writeFileSync(file, Buffer.alloc(500_000, 'frame'));
  const [seen] = await seenDuring(() => device().put(`${run.folder}/file`, file));
  assert.equal(header(seen, 'content-length'), '500000');
  assert.equal((await stored(`${run.folder}/file`)).sha256, sha256(fs.readFileSync(file)));
});

test('a stream of no stated length is stored whole', async () => {
  const block = 8 << 20;
  for (const size of [0, 1, block - 1, block, block + 1, 20 << 20]) {
    const key = `${run.folder}/unsized-${size}`;
    const data = Buffer.alloc(size, 'a frame of a recording');
    const pieces = Array.from({ length: Math.ceil(size / 65_537) }, (_, at) => data.subarray(at * 65_537, (at + 1) * 65_537));
    const { res } = await device().putStream(key, Readable.from(pieces), { meta: { serial: 'A-0017' } });
    const { headers, ...is } = await stored(key);
    assert.deepEqual([is.size, is.sha256], [size, sha256(data)]);
    assert.deepEqual([headers['x-amz-meta-serial'], headers.etag], ['A-0017', res.headers.etag]);
  }
});

test('a stream with a length is stored', async () => {
  const stream = Readable.from([Buffer.from('abc'), Buffer.from('def')]);
  await device().putStream(`${run.folder}/sized`, stream, { contentLength: 6 });
  assert.equal((await stored(`${run.folder}/sized`)).sha256, sha256('abcdef'));
});

test('metadata is stored under the same names', async () => {
  await device().put(`${run.folder}/meta`, Buffer.from('x'), { meta: { serial: 'A-0017', year: 2026 } });
  const { headers } = await stored(`${run.folder}/meta`);
  assert.equal(headers['x-amz-meta-serial'], 'A-0017');
  assert.equal(headers['x-amz-meta-year'], '2026');
});

test('metadata that is not ASCII is stored as an encoded word', async () => {
  const client = device('virtual-host', { headerEncoding: 'latin1' });
  const [seen] = await seenDuring(() => client.put(`${run.folder}/meta-utf8`, Buffer.from('x'), { meta: { place: '北京 é' } }));
  assert.equal(header(seen, 'x-amz-meta-place'), '=?UTF-8?B?5YyX5LqsIMOp?=');
});

test('multipartUpload stores parallel parts', async () => {
  const data = Buffer.alloc(2 * PART + 1000, 'parallel');
  const client = device();
  const seen = await seenDuring(() => client.multipartUpload(`${run.folder}/parallel`, data, { partSize: PART, parallel: 3 }));
  assert.equal(seen.filter(({ target }) => target.includes('partNumber')).length, 3);
  assert.equal((await stored(`${run.folder}/parallel`)).sha256, sha256(data));
});

test('an interrupted multipartUpload goes on from its checkpoint', async () => {
  const data = Buffer.alloc(2 * PART + 1000, 'resumed');
  let checkpoint;
  const client = device();
  const progress = (_done, reached) => {
    checkpoint = reached;
    if (reached.doneParts.length === 2) client.cancel();
  };
  await assert.rejects(client.multipartUpload(`${run.folder}/resumed`, data, { partSize: PART, parallel: 1, progress }), {
    name: 'cancel',
  });
  const seen = await seenDuring(() => device().multipartUpload(`${run.folder}/resumed`, data, { checkpoint }));
  assert.equal(seen.filter(({ target }) => target.includes('partNumber')).length, 1);
  assert.equal((await stored(`${run.folder}/resumed`)).sha256, sha256(data));
});

test('the answer to initiate names bucket and key', async () => {
  const answer = await device().initMultipartUpload(`${run.folder}/设备 <1>&.txt`);
  assert.deepEqual([answer.bucket, answer.name], [run.bucket, `${run.folder}/设备 <1>&.txt`]);
});
