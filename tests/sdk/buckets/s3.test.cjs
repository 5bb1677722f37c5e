// A bucket is made, tagged and deleted by @aws-sdk/client-s3; the twin of test_operations.py, which starts it.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const s3 = require('@aws-sdk/client-s3');
const { client, run, stored } = require('../aws-sdk/client.cjs');

const TAGS = [
  { Key: 'site', Value: 'Berlin Nord' },
  { Key: 'kind', Value: 'log+1' },
];
const Bucket = run.bucket;

test('a bucket is made, tagged and deleted [CreateBucket, PutBucketTagging, GetBucketTagging, DeleteBucketTagging, DeleteBucket]', async () => {
  const sdk = client();
  const send = (name, input) => sdk.send(new s3[`${name}Command`]({ Bucket, ...input }));
  assert.equal((await stored('')).status, 404);
  // Else the SDK names the region that it signs for.
  await send('CreateBucket', { CreateBucketConfiguration: { LocationConstraint: run.region } });
  assert.equal((await stored('')).status, 200);
  await send('PutBucketTagging', { Tagging: { TagSet: TAGS } });
  const { TagSet } = await send('GetBucketTagging');
  assert.deepEqual(new Map(TagSet.map(({ Key, Value }) => [Key, Value])), new Map(TAGS.map(({ Key, Value }) => [Key, Value])));
  await send('DeleteBucketTagging');
  await send('DeleteBucket');
  assert.equal((await stored('')).status, 404);
});
