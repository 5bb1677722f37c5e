// Each S3 client for Node x http and https x each addressing style x each operation; the twin of test_matrix.py.
// A test's name is "CLIENT: OPERATION in STYLE style over SCHEME": results are kept by that name.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} = require('@aws-sdk/client-s3');
const { client, fetcher, md5, run, sha256, stored, uploadStatus, urlOf } = require('./client.cjs');

const BODY = Buffer.from('the bytes of a client'.repeat(1000));
const PARTS = [Buffer.alloc(5 << 20, 'a'), Buffer.from('the last part may be small')];

/** The operations of @aws-sdk/client-s3. */
function sdk(style, scheme) {
  const s3 = client(style, scheme, run.keys.reader);
  const { bucket: Bucket } = run.endpoints[scheme][style];
  return {
    put: async (Key, Body) => (await s3.send(new PutObjectCommand({ Bucket, Key, Body }))).ETag,
    initiate: async Key => (await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }))).UploadId,
    part: async (Key, UploadId, PartNumber, Body) =>
      (await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }))).ETag,
    complete: async (Key, UploadId, etags) => {
      const Parts = etags.map((ETag, index) => ({ ETag, PartNumber: index + 1 }));
      return (await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }))).ETag;
    },
    abort: (Key, UploadId) => s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })),
    get: async Key => (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body.transformToString(),
    head: async Key => {
      const { ETag, ContentLength } = await s3.send(new HeadObjectCommand({ Bucket, Key }));
      return { etag: ETag, length: ContentLength };
    },
  };
}

/** The same of aws4fetch, which has no operations: URLs and documents are the caller's. */
function fetched(style, scheme) {
  const aws = fetcher(run.keys.reader);
  const ask = async (method, key, query, body) => {
    const answer = await aws.fetch(`${urlOf(key, style, scheme)}${query}`, { method, body });
    const text = await answer.text();
    assert.ok(answer.ok, `${answer.status}: ${text}`);
    return { text, etag: answer.headers.get('etag'), length: Number(answer.headers.get('content-length')) };
  };
  const element = (text, name) => new RegExp(`<${name}>(.*?)</${name}>`).exec(text)[1].replaceAll('&quot;', '"').replaceAll('&#34;', '"');
  const upload = id => `uploadId=${encodeURIComponent(id)}`;
  return {
    put: async (key, body) => (await ask('PUT', key, '', body)).etag,
    initiate: async key => element((await ask('POST', key, '?uploads')).text, 'UploadId'),
    part: async (key, id, number, body) => (await ask('PUT', key, `?partNumber=${number}&${upload(id)}`, body)).etag,
    complete: async (key, id, etags) => {
      const parts = etags.map((etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`);
      const document = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`;
      return element((await ask('POST', key, `?${upload(id)}`, document)).text, 'ETag');
    },
    abort: (key, id) => ask('DELETE', key, `?${upload(id)}`),
    get: async key => (await ask('GET', key, '')).text,
    head: key => ask('HEAD', key, ''),
  };
}

const operations = {
  async PutObject(of, key) {
    assert.equal(await of.put(key, BODY), `"${md5(BODY)}"`);
    assert.equal((await stored(key)).sha256, sha256(BODY));
  },

  async InitiateMultipartUpload(of, key) {
    assert.equal(await uploadStatus(key, await of.initiate(key)), 200);
  },

  async UploadPart(of, key) {
    assert.equal(await of.part(key, await of.initiate(key), 1, BODY), `"${md5(BODY)}"`);
  },

  async CompleteMultipartUpload(of, key) {
    const id = await of.initiate(key);
    const etags = [];
    for (const [index, data] of PARTS.entries()) etags.push(await of.part(key, id, index + 1, data));
    const digests = Buffer.concat(PARTS.map(part => Buffer.from(md5(part), 'hex')));
    assert.equal(await of.complete(key, id, etags), `"${md5(digests)}-2"`);
    assert.equal((await stored(key)).sha256, sha256(Buffer.concat(PARTS)));
  },

  async AbortMultipartUpload(of, key) {
    const id = await of.initiate(key);
    await of.part(key, id, 1, BODY);
    await of.abort(key, id);
    assert.equal(await uploadStatus(key, id), 404);
    assert.equal((await stored(key)).status, 404);
  },

  async GetObject(of, key) {
    await of.put(key, BODY);
    assert.equal(await of.get(key), BODY.toString());
  },

  async HeadObject(of, key) {
    await of.put(key, BODY);
    const { etag, length } = await of.head(key);
    assert.deepEqual([etag, length], [`"${md5(BODY)}"`, BODY.length]);
  },
};

// aws4fetch alone can be told of a host that stands for a bucket.
const clients = {
  '@aws-sdk/client-s3': [sdk, ['path', 'virtual-host', 'distribution-label']],
  aws4fetch: [fetched, ['path', 'virtual-host', 'cname', 'distribution-label']],
};

for (const [name, [make, styles]] of Object.entries(clients)) {
  for (const scheme of ['http', 'https']) {
    for (const style of styles) {
      for (const [operation, perform] of Object.entries(operations)) {
        const key = `${run.folder}/${name}/${scheme}/${style}/${operation}`;
        test(`${name}: ${operation} in ${style} style over ${scheme}`, () => perform(make(style, scheme), key));
      }
    }
  }
}
