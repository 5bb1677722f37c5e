// Forms that a back end signs with ali-oss, posted with FormData as browsers do.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { V4, device, md5, run, stored, withKey } = require('./device.cjs');

/** Posts a form with these fields to the bucket, path style. */
async function post(fields, content) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('file', new Blob([content]), 'a.txt');
  const { url, bucket } = run.endpoints.path;
  return fetch(`${url}/${bucket}`, { method: 'POST', body: form });
}

const policy = (...conditions) => ({
  expiration: new Date(Date.now() + 3600_000).toISOString(),
  conditions: [{ bucket: run.bucket }, ['content-length-range', 1, 100], ['starts-with', '$key', run.folder], ...conditions],
});

async function isStored(fields) {
  const content = Buffer.from('from a form');
  const answer = await post({ key: `${run.folder}/\${filename}`, ...fields }, content);
  assert.equal(answer.status, 204, await answer.text());
  assert.equal(answer.headers.get('etag'), `"${md5(content)}"`);
  assert.equal((await stored(`${run.folder}/a.txt`)).size, content.length);
}

test('a form that calculatePostSignature signed is stored', () => {
  const client = device('path', withKey(run.keys.forms));
  return isStored(client.calculatePostSignature(policy()));
});

test('a form that signPostObjectPolicyV4 signed is stored', () => {
  const client = device('path', { ...withKey(run.keys.forms), ...V4 });
  const now = new Date();
  const date = now.toISOString().replace(/[-:]|\.\d+/g, '');
  const fields = {
    'x-oss-signature-version': 'OSS4-HMAC-SHA256',
    'x-oss-credential': `${run.keys.forms.access_key_id}/${date.slice(0, 8)}/cn-hangzhou/oss/aliyun_v4_request`,
    'x-oss-date': date,
  };
  const signed = policy(...Object.entries(fields).map(([name, value]) => ({ [name]: value })));
  return isStored({
    ...fields,
    policy: Buffer.from(JSON.stringify(signed)).toString('base64'),
    'x-oss-signature': client.signPostObjectPolicyV4(signed, now),
  });
});
