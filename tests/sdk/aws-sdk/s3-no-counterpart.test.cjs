// What this gateway has of no S3 operation; the twin of test_no_counterpart.py.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { SelectObjectContentCommand } = require('@aws-sdk/client-s3');
const { client, refused, run, seenDuring } = require('./client.cjs');

test('is not implemented [SelectObjectContent]', async () => {
  const command = new SelectObjectContentCommand({
    Bucket: run.bucket,
    Key: `${run.folder}/select`,
    Expression: 'select * from s3object',
    ExpressionType: 'SQL',
    InputSerialization: { CSV: {} },
    OutputSerialization: { CSV: {} },
  });
  const sdk = client('path', 'http', run.keys.data_layer);
  const seen = await seenDuring(() => refused(sdk.send(command), 501, 'NotImplemented'));
  assert.deepEqual(seen, []);
});
