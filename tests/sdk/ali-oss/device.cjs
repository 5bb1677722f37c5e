// The device that the Node tests drive: ali-oss as firmware would set it up, and the witness to ask what came of it.
// pytest starts these files (test_ali_oss.py) and hands over the running gateway in CAUSEWAY_SDK.
'use strict';

const assert = require('node:assert/strict');
const OSS = require('ali-oss');
const witness = require('../witness.cjs');

const { run } = witness;

/** ali-oss in an addressing style; `options` replaces any of its own options. */
function device(style = 'virtual-host', options = {}, { url, bucket } = run.endpoints[style]) {
  return new OSS({
    endpoint: url,
    bucket: bucket || undefined,
    cname: style.startsWith('cname'),
    sldEnable: style === 'path',
    accessKeyId: run.credentials.access_key_id,
    accessKeySecret: run.credentials.access_key_secret,
    ...options,
  });
}

/** The same over TLS. */
const tlsDevice = (style, options) => device(style, options, run.tls_endpoints[style]);

/** The options that make a device sign by V4. */
const V4 = { authorizationV4: true, region: 'cn-hangzhou' };

/** The options that make a device use another key. */
function withKey({ access_key_id, access_key_secret, security_token }) {
  const token = security_token
    ? { stsToken: security_token, refreshSTSToken: async () => assert.fail('the token is fresh') }
    : {};
  return { accessKeyId: access_key_id, accessKeySecret: access_key_secret, ...token };
}

/** Expects the SDK itself to throw this status and code, with a request id, and gives the error. */
async function refused(promise, status, code) {
  const error = await promise.then(
    () => assert.fail('the gateway accepted what it must refuse'),
    thrown => thrown,
  );
  assert.deepEqual([error.status, error.code], [status, code], error.message);
  assert.match(error.requestId, /^[0-9A-F]{24}$/);
  return error;
}

module.exports = { ...witness, V4, device, tlsDevice, withKey, refused };
