// Each error of S3's as ali-oss throws it; the twin of test_error_codes.py, which starts it.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { device, refused, run } = require('../ali-oss/device.cjs');

for (const { name, key, told } of run.rows) {
  test(name, async () => {
    const [status, code] = told;
    const { uploadId } = await device().initMultipartUpload(key);
    const error = await refused(device().listParts(key, uploadId), status, code);
    assert.equal(error.name, `${code}Error`);
  });
}
