// Each signature x each addressing style x each operation; the twin of test_matrix.py.
// A test's name is "OPERATION in STYLE style, signed by V1": results are kept by that name.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { V4, device, run, md5, sha256, stored, uploadStatus, withKey } = require('./device.cjs');

const BODY = Buffer.from('the bytes of a device'.repeat(1000));
const PARTS = [Buffer.alloc(5 << 20, 'a'), Buffer.from('the last part may be small')];

const uploadPart = (client, key, id, number, data) => client.uploadPart(key, id, number, data, 0, data.length);

const operations = {
  async PutObject(client, key) {
    const { res } = await client.put(key, BODY);
    assert.equal(res.headers.etag, `"${md5(BODY)}"`);
    assert.equal((await stored(key)).sha256, sha256(BODY));
  },

  async InitiateMultipartUpload(client, key) {
    const { uploadId } = await client.initMultipartUpload(key);
    assert.equal(await uploadStatus(key, uploadId), 200);
  },

  async UploadPart(client, key) {
    const { uploadId } = await client.initMultipartUpload(key);
    const { etag } = await uploadPart(client, key, uploadId, 1, BODY);
    assert.equal(etag, `"${md5(BODY)}"`);
  },

  async CompleteMultipartUpload(client, key) {
    const { uploadId } = await client.initMultipartUpload(key);
    const parts = [];
    for (const [index, data] of PARTS.entries()) {
      const { etag } = await uploadPart(client, key, uploadId, index + 1, data);
      parts.push({ number: index + 1, etag });
    }
    const { etag } = await client.completeMultipartUpload(key, uploadId, parts);
    const digests = Buffer.concat(PARTS.map(part => Buffer.from(md5(part), 'hex')));
    assert.equal(etag, `"${md5(digests)}-2"`);
    assert.equal((await stored(key)).sha256, sha256(Buffer.concat(PARTS)));
  },

  async AbortMultipartUpload(client, key) {
    const { uploadId } = await client.initMultipartUpload(key);
    await uploadPart(client, key, uploadId, 1, BODY);
    await client.abortMultipartUpload(key, uploadId);
    assert.equal(await uploadStatus(key, uploadId), 404);
    assert.equal((await stored(key)).status, 404);
  },

  async GetObject(client, key) {
    await client.put(key, BODY);
    const { res, content } = await client.get(key);
    assert.deepEqual(content, BODY);
    assert.equal(res.headers['content-length'], String(BODY.length));
    assert.equal(res.headers['x-oss-object-type'], 'Normal');
  },

  async HeadObject(client, key) {
    await client.put(key, BODY);
    const { res } = await client.head(key);
    assert.equal(res.headers['content-length'], String(BODY.length));
    assert.equal(res.headers.etag, `"${md5(BODY)}"`);
  },
};

const signatures = { V1: {}, V4 };
const reader = withKey(run.keys.reader);

for (const [signature, options] of Object.entries(signatures)) {
  for (const style of Object.keys(run.endpoints)) {
    // With V4, ali-oss itself throws without a bucket.
    if (signature === 'V4' && style === 'cname-without-bucket') continue;
    for (const [operation, perform] of Object.entries(operations)) {
      const key = `${run.folder}/${signature}/${style}/${operation}`;
      test(`${operation} in ${style} style, signed by ${signature}`, () => perform(device(style, { ...options, ...reader }), key));
    }
  }
}
