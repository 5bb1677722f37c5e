// A bucket is made, tagged and deleted by ali-oss; the twin of test_operations.py, which starts it.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { device, run, stored } = require('../ali-oss/device.cjs');

const TAGS = { site: 'Berlin Nord', kind: 'log+1' };

test('a bucket is made, tagged and deleted [PutBucket, PutBucketTags, GetBucketTags, DeleteBucketTags, DeleteBucket]', async () => {
  const client = device();
  assert.equal((await stored('')).status, 404);
  await client.putBucket(run.bucket);
  assert.equal((await stored('')).status, 200);
  await client.putBucketTags(run.bucket, TAGS);
  assert.deepEqual((await client.getBucketTags(run.bucket)).tag, TAGS);
  await client.deleteBucketTags(run.bucket);
  await client.deleteBucket(run.bucket);
  assert.equal((await stored('')).status, 404);
});
