// GetObject and HeadObject; the twin of test_reads.py.
'use strict';

const assert = require('node:assert/strict');
const { PassThrough } = require('node:stream');
const { test } = require('node:test');
const { V4, device: uploader, run, header, md5, refused, seenDuring, withKey } = require('./device.cjs');

const BODY = Buffer.from(Array.from({ length: 25600 }, (_, index) => index % 256));
const ETAG = `"${md5(BODY)}"`;

const reader = withKey(run.keys.reader);
const device = (options = {}) => uploader('virtual-host', { ...reader, ...options });
const signatures = { V1: {}, V4 };

async function written(name, options) {
  const key = `${run.folder}/reads/${name}`;
  await device().put(key, BODY, options);
  return key;
}

for (const name of ['a b  c .txt', 'a+b c+.txt', '100%/%41%2F%zz.txt', "~!*'().txt", '设备/照片 一.jpg', '🚀/🛰️.bin']) {
  test(`an object named ${name} is read back`, async () => {
    const key = await written(name);
    assert.deepEqual((await device().get(key)).content, BODY);
  });
}

test('headers and metadata come back as they were stored', async () => {
  const headers = { 'Cache-Control': 'max-age=60', 'Content-Type': 'text/plain' };
  const key = await written('headers', { headers, meta: { serial: 'A-0017' } });
  const head = await device().head(key);
  assert.deepEqual(head.meta, { serial: 'A-0017' });
  for (const { res } of [head, await device().get(key)]) {
    assert.equal(res.headers['cache-control'], 'max-age=60');
    assert.equal(res.headers['content-type'], 'text/plain');
    assert.equal(res.headers['x-oss-storage-class'], 'Standard');
  }
});

test('an object is streamed', async () => {
  const key = await written('stream');
  const { stream } = await device().getStream(key);
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  assert.deepEqual(Buffer.concat(pieces), BODY);
  const into = new PassThrough();
  const [piped] = await Promise.all([into.toArray(), device().get(key, into)]);
  assert.deepEqual(Buffer.concat(piped), BODY);
});

test('a range is read alone', async () => {
  const key = await written('range');
  const { res, content } = await device().get(key, { headers: { Range: 'bytes=2-4' } });
  assert.deepEqual([res.status, content], [206, BODY.subarray(2, 5)]);
  await refused(device().get(key, { headers: { Range: 'bytes=99999-' } }), 416, 'InvalidRange');
});

test('conditions are kept', async () => {
  const key = await written('conditions');
  const [seen] = await seenDuring(() => device().get(key, { headers: { 'If-Match': ETAG } }));
  assert.equal(header(seen, 'if-match'), ETAG);
  for (const read of ['get', 'head']) {
    const { res } = await device()[read](key, { headers: { 'If-None-Match': ETAG } });
    assert.equal(res.status, 304);
    const failing = device()[read](key, { headers: { 'If-Match': '"another"' } });
    await refused(failing, 412, 'PreconditionFailed');
  }
});

test('a missing object is no such key', async () => {
  const key = `${run.folder}/reads/missing`;
  await refused(device().get(key), 404, 'NoSuchKey');
  await refused(device().head(key), 404, 'NoSuchKey');
  await refused(device().getObjectMeta(key), 404, 'NoSuchKey');
});

test('the meta of an object is its length and ETag [GetObjectMeta]', async () => {
  const { res } = await device().getObjectMeta(await written('meta'));
  assert.deepEqual([res.headers['content-length'], res.headers.etag], [String(BODY.length), ETAG]);
});

test('a process is refused before anything is fetched', async () => {
  const key = await written('process');
  const seen = await seenDuring(() => refused(device().get(key, { process: 'image/resize,w_1' }), 501, 'NotImplemented'));
  assert.deepEqual(seen, []);
});

test('a URL that was signed by V1 reads the object with the headers that were signed', async () => {
  const key = await written('url-v1');
  const response = { 'content-disposition': 'attachment; filename="a b.txt"' };
  const answer = await fetch(device().signatureUrl(key, { expires: 60, response }));
  assert.equal(answer.status, 200);
  assert.deepEqual(Buffer.from(await answer.arrayBuffer()), BODY);
  assert.equal(answer.headers.get('content-disposition'), response['content-disposition']);
});

test('a URL that was signed by V4 reads the object with the headers that were signed', async () => {
  const key = await written('url-v4');
  const queries = { 'response-content-disposition': 'attachment; filename="a b.txt"' };
  const url = await device(V4).signatureUrlV4('GET', 60, { queries }, key);
  const answer = await fetch(url);
  assert.equal(answer.status, 200);
  assert.deepEqual(Buffer.from(await answer.arrayBuffer()), BODY);
  assert.equal(answer.headers.get('content-disposition'), queries['response-content-disposition']);
  assert.equal((await fetch(`${url}&response-content-type=text%2Fhtml`)).status, 403);
});

for (const [signature, options] of Object.entries(signatures)) {
  test(`H01 a key that may only upload reads nothing, signed by ${signature}`, async () => {
    const key = await written(`upload-only-${signature}`);
    const seen = await seenDuring(async () => {
      await refused(uploader('virtual-host', options).get(key), 403, 'AccessDenied');
      await refused(uploader('virtual-host', options).head(key), 403, 'AccessDenied');
    });
    assert.deepEqual(seen, []);
  });
}
