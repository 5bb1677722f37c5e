// ali-oss over TLS; the twin of test_tls.py.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { V4, run, sha256, stored, tlsDevice } = require('./device.cjs');

for (const [signature, options] of Object.entries({ V1: {}, V4 })) {
  for (const style of Object.keys(run.tls_endpoints)) {
    test(`an object is stored over TLS in ${style} style, signed by ${signature}`, async () => {
      const key = `${run.folder}/tls/${style}/${signature}`;
      const { res } = await tlsDevice(style, options).put(key, Buffer.from('over TLS'));
      assert.match(res.requestUrls[0], /^https:/);
      assert.equal((await stored(key)).sha256, sha256('over TLS'));
    });
  }
}

test('multipartUpload stores its parts over TLS', async () => {
  const data = Buffer.alloc((5 << 20) + 1, 'parts');
  await tlsDevice('virtual-host').multipartUpload(`${run.folder}/tls/parts`, data, { partSize: 5 << 20 });
  assert.equal((await stored(`${run.folder}/tls/parts`)).sha256, sha256(data));
});
