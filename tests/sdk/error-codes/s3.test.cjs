// Each error of S3's as @aws-sdk/client-s3 throws it; the twin of test_error_codes.py, which starts it.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const s3 = require('@aws-sdk/client-s3');
const { client, refused, run } = require('../aws-sdk/client.cjs');

for (const { name, key, told } of run.rows) {
  test(name, async () => {
    const [status, code] = told;
    const object = { Bucket: run.bucket, Key: key };
    const { UploadId } = await client().send(new s3.CreateMultipartUploadCommand(object));
    const command = new s3.ListPartsCommand({ ...object, UploadId });
    const error = await refused(client().send(command), status, code);
    // The SDK has classes for the errors that S3's service model names.
    const modelled = s3[code];
    if (modelled) assert.ok(error instanceof modelled, error.constructor.name);
  });
}
