// An archived object is restored by ali-oss; the twin of test_operations.py, which starts it.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { device } = require('../ali-oss/device.cjs');

test('an archived object is restored [RestoreObject]', async () => {
  const { res } = await device().restore('archived.txt');
  assert.equal(res.status, 202);
});
