// ali-oss as a device of a fleet, whose key no store lists; the twin of test_fleets.py.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { V4, device, refused, run, seenDuring, sha256, stored, withKey } = require('./device.cjs');

const { first, second, rotated, ended, revoked } = run.fleet;

for (const [version, options] of [['V1', {}], ['V4', V4]]) {
  const as = ({ credentials }) => device('virtual-host', { ...withKey(credentials), ...options });

  test(`${version}: each device stores into its own mount`, async () => {
    for (const one of [first, second, rotated]) {
      const content = Buffer.from(`${one.credentials.access_key_id} ${version}`);
      await as(one).put('node.txt', content);
      assert.equal((await stored(`${one.mount}node.txt`)).sha256, sha256(content));
    }
  });

  for (const [what, one, code] of [
    ['a revoked device', revoked, 'InvalidAccessKeyId'],
    ['a device with the key of a master that ended', ended, 'SignatureDoesNotMatch'],
  ]) {
    test(`${version}: ${what} is refused`, async () => {
      const seen = await seenDuring(() => refused(as(one).put('node.txt', Buffer.from('x')), 403, code));
      assert.deepEqual(seen, []);
    });
  }
}
