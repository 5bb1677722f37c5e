// What S3 has nothing like, as ali-oss is told of it; the twin of test_no_counterpart.py.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { device, refused, run, seenDuring, withKey } = require('./device.cjs');

const client = device('virtual-host', withKey(run.keys.data_layer));
const key = `${run.folder}/no-counterpart`;
const callback = { url: 'http://example.com', body: 'a=b' };
const channel = { Description: 'd', Status: 'enabled', Target: { Type: 'HLS', FragDuration: 5, FragCount: 3, PlaylistName: 'a.m3u8' } };

const calls = {
  AppendObject: () => client.append(key, Buffer.from('x')),
  PutSymlink: () => client.putSymlink(key, 'target', {}),
  GetSymlink: () => client.getSymlink(key),
  'x-oss-process': () => client.get(key, undefined, { process: 'image/resize,w_100' }),
  callback: () => client.put(key, Buffer.from('x'), { callback }),
  'live channels': () => client.putChannel('channel', channel),
};

for (const [name, call] of Object.entries(calls)) {
  test(`is not implemented [${name}]`, async () => {
    const seen = await seenDuring(() => refused(call(), 501, 'NotImplemented'));
    assert.deepEqual(seen, []);
  });
}

test('a process that is to be saved is not implemented [x-oss-process]', async () => {
  const seen = await seenDuring(async () => {
    // The SDK throws nothing here, whatever the answer.
    const { status } = await client.processObjectSave(key, 'target', 'image/resize,w_100', run.bucket);
    assert.equal(status, 501);
  });
  assert.deepEqual(seen, []);
});
