// The device that the Node tests drive: ali-oss as firmware would set it up, and the witness to ask what came of it.
// pytest starts these files (test_ali_oss.py) and hands over the running gateway in CAUSEWAY_SDK.
'use strict';

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const OSS = require('ali-oss');

const run = JSON.parse(process.env.CAUSEWAY_SDK);

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

async function ask(path, parameters) {
  const answer = await fetch(`${run.witness}${path}?${new URLSearchParams(parameters)}`);
  assert.equal(answer.status, 200);
  return answer.json();
}

/** What the origin holds under a key: `{ status, size, sha256, headers }`. */
const stored = key => ask('/object', { key });

/** The status of ListParts at the origin: 200 while the upload is open, 404 after it ended. */
const uploadStatus = async (key, id) => (await ask('/upload', { key, id })).status;

/** Runs `action` and gives the requests that reached the origin's side meanwhile. */
async function seenDuring(action) {
  const { count } = await ask('/requests', { since: 1e9 });
  await action();
  return (await ask('/requests', { since: count })).requests;
}

/** The value of a header of a seen request, if it was there. */
const header = (request, name) => request.headers.find(([key]) => key.toLowerCase() === name)?.[1];

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

const sha256 = data => crypto.createHash('sha256').update(data).digest('hex');
const md5 = (data, encoding = 'hex') => crypto.createHash('md5').update(data).digest(encoding);

module.exports = { V4, run, device, tlsDevice, withKey, stored, uploadStatus, seenDuring, header, refused, sha256, md5 };
