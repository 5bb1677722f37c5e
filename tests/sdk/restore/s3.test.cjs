// An archived object is restored by @aws-sdk/client-s3; the twin of test_operations.py, which starts it.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { RestoreObjectCommand } = require('@aws-sdk/client-s3');
const { client, run } = require('../aws-sdk/client.cjs');

test('an archived object is restored [RestoreObject]', async () => {
  const command = new RestoreObjectCommand({ Bucket: run.bucket, Key: 'archived.txt', RestoreRequest: { Days: 1 } });
  assert.equal((await client().send(command)).$metadata.httpStatusCode, 202);
});
