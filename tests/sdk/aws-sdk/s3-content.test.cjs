// Bodies of every kind, keys, checksums and uploads in parts, with the SDK's defaults; the twin of test_s3_content.py.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Readable } = require('node:stream');
const { test } = require('node:test');
const { GetObjectCommand, PutObjectCommand } = require('@aws-sdk/client-s3');
const { Upload } = require('@aws-sdk/lib-storage');
const { getSignedUrl } = require('@aws-sdk/s3-request-presigner');
const { client, fetcher, header, run, seenDuring, sha256, stored, urlOf } = require('./client.cjs');

const PART = 5 << 20;
const Bucket = run.bucket;

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

for (const scheme of ['http', 'https']) {
  for (const [kind, name] of Object.entries(keys)) {
    test(`a key with ${kind} is stored under the same bytes over ${scheme}`, async () => {
      const Key = `${run.folder}/keys-${scheme}/${name}`;
      await client('path', scheme).send(new PutObjectCommand({ Bucket, Key, Body: name }));
      assert.equal((await stored(Key)).sha256, sha256(name));
    });
  }

  for (const size of [0, 1, PART + 1]) {
    test(`an object of ${size} bytes is stored whole over ${scheme}`, async () => {
      const [Key, Body] = [`${run.folder}/size-${size}-${scheme}`, Buffer.alloc(size, 'client')];
      await client('path', scheme).send(new PutObjectCommand({ Bucket, Key, Body }));
      assert.equal((await stored(Key)).sha256, sha256(Body));
    });
  }

  test(`a file is streamed, framed with its checksum behind it, over ${scheme}`, async t => {
    const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'causeway-')), 'recording.bin');
    t.after(() => fs.rmSync(path.dirname(file), { recursive: true }));
    fs.writeFileSync(file, Buffer.alloc(500_000, 'frame'));
    const Key = `${run.folder}/file-${scheme}`;
    const put = new PutObjectCommand({ Bucket, Key, Body: fs.createReadStream(file) });
    const [seen] = await seenDuring(() => client('path', scheme).send(put));
    assert.equal(header(seen, 'x-amz-content-sha256'), 'STREAMING-UNSIGNED-PAYLOAD-TRAILER');
    assert.equal(header(seen, 'x-amz-decoded-content-length'), '500000');
    assert.equal(header(seen, 'x-amz-trailer'), 'x-amz-checksum-crc32');
    assert.equal((await stored(Key)).sha256, sha256(fs.readFileSync(file)));
  });

  test(`lib-storage uploads a stream of unknown length in parts over ${scheme}`, async () => {
    const data = Buffer.alloc(2 * PART + 1000, 'parallel');
    const Key = `${run.folder}/upload-${scheme}`;
    const upload = new Upload({
      client: client('path', scheme),
      params: { Bucket, Key, Body: Readable.from([data.subarray(0, 3_000_000), data.subarray(3_000_000)]) },
    });
    const seen = await seenDuring(() => upload.done());
    assert.equal(seen.filter(({ target }) => target.includes('partNumber')).length, 3);
    assert.equal((await stored(Key)).sha256, sha256(data));
  });

  test(`lib-storage that is aborted leaves no object over ${scheme}`, async () => {
    const Key = `${run.folder}/aborted-${scheme}`;
    const upload = new Upload({
      client: client('path', scheme),
      params: { Bucket, Key, Body: Readable.from([Buffer.alloc(2 * PART, 'x')]) },
    });
    upload.on('httpUploadProgress', () => upload.abort());
    await assert.rejects(upload.done(), { name: 'AbortError' });
    assert.equal((await stored(Key)).status, 404);
  });

  test(`metadata and content headers are stored over ${scheme}`, async () => {
    const Key = `${run.folder}/meta-${scheme}`;
    const Metadata = { serial: 'A-0017', year: '2026' };
    await client('path', scheme).send(
      new PutObjectCommand({ Bucket, Key, Body: 'x', Metadata, ContentType: 'text/plain', CacheControl: 'max-age=1' }),
    );
    const { headers } = await stored(Key);
    assert.equal(headers['x-amz-meta-serial'], 'A-0017');
    assert.equal(headers['content-type'], 'text/plain');
    assert.equal(headers['cache-control'], 'max-age=1');
  });

  for (const [what, key] of Object.entries({ 'a key': run.credentials, 'a key with a token': run.keys.sts })) {
    test(`a URL that the presigner makes for ${what} stores an object over ${scheme}`, async () => {
      const Key = `${run.folder}/presigned ${what} ${scheme}`;
      const url = await getSignedUrl(client('path', scheme, key), new PutObjectCommand({ Bucket, Key }), { expiresIn: 60 });
      const answer = await fetch(url, { method: 'PUT', body: 'presigned' });
      assert.equal(answer.status, 200, await answer.text());
      assert.equal((await stored(Key)).sha256, sha256('presigned'));
    });
  }

  test(`a URL that aws4fetch signs stores an object over ${scheme}`, async () => {
    const key = `${run.folder}/aws4fetch presigned ${scheme}`;
    const request = await fetcher().sign(`${urlOf(key, 'path', scheme)}?X-Amz-Expires=60`, { method: 'PUT', aws: { signQuery: true } });
    const answer = await fetch(request.url, { method: 'PUT', body: 'presigned' });
    assert.equal(answer.status, 200, await answer.text());
    assert.equal((await stored(key)).sha256, sha256('presigned'));
  });

  test(`what was stored is read with a grant that names it over ${scheme}`, async () => {
    const Key = `${run.folder}/read-${scheme}`;
    const reader = client('path', scheme, run.keys.reader);
    await reader.send(new PutObjectCommand({ Bucket, Key, Body: 'to be read' }));
    const answer = await reader.send(new GetObjectCommand({ Bucket, Key }));
    assert.equal(await answer.Body.transformToString(), 'to be read');
    const part = await reader.send(new GetObjectCommand({ Bucket, Key, Range: 'bytes=3-4' }));
    assert.deepEqual([await part.Body.transformToString(), part.ContentRange], ['be', 'bytes 3-4/10']);
    const url = await getSignedUrl(reader, new GetObjectCommand({ Bucket, Key }), { expiresIn: 60 });
    assert.equal(await (await fetch(url)).text(), 'to be read');
  });
}
