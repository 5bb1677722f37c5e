// The S3 clients that the Node tests drive: @aws-sdk/client-s3 and aws4fetch with their defaults.
// pytest starts these files (test_aws_sdk.py) and hands over the running gateway in CAUSEWAY_SDK.
'use strict';

const assert = require('node:assert/strict');
const { S3Client, S3ServiceException } = require('@aws-sdk/client-s3');
const { AwsClient } = require('aws4fetch');
const witness = require('../witness.cjs');

const { run } = witness;
const REGION = 'eu-central-1';

/** Where a client is told that S3 is: `{ url, bucket }`. */
const endpointOf = (style, scheme) => run.endpoints[scheme][style];

/** @aws-sdk/client-s3 in an addressing style over `http` or `https`. Nothing else is configured. */
function client(style = 'path', scheme = 'http', { access_key_id, secret_access_key, security_token } = run.credentials) {
  return new S3Client({
    endpoint: endpointOf(style, scheme).url,
    region: REGION,
    forcePathStyle: style === 'path',
    credentials: { accessKeyId: access_key_id, secretAccessKey: secret_access_key, sessionToken: security_token ?? undefined },
  });
}

/** aws4fetch, which signs whatever URL it is given. */
function fetcher({ access_key_id, secret_access_key, security_token } = run.credentials) {
  return new AwsClient({
    accessKeyId: access_key_id,
    secretAccessKey: secret_access_key,
    sessionToken: security_token ?? undefined,
    service: 's3',
    region: REGION,
  });
}

/** The URL of a key in an addressing style. */
function urlOf(key, style = 'path', scheme = 'http') {
  const { url, bucket } = endpointOf(style, scheme);
  const base = new URL(url);
  if (style === 'virtual-host' || style === 'distribution-label') base.hostname = `${bucket}.${base.hostname}`;
  const folder = style === 'path' ? `/${bucket}` : '';
  return `${base.origin}${folder}/${key.split('/').map(encodeURIComponent).join('/')}`;
}

/** Expects the SDK itself to throw this status and name, with a request id, and gives the error. */
async function refused(promise, status, name) {
  const error = await promise.then(
    () => assert.fail('the gateway accepted what it must refuse'),
    thrown => thrown,
  );
  assert.ok(error instanceof S3ServiceException, String(error.stack));
  assert.deepEqual([error.$metadata.httpStatusCode, error.name], [status, name], error.message);
  assert.match(error.$metadata.requestId, /^[0-9A-F]{24}$/);
  return error;
}

module.exports = { ...witness, client, fetcher, urlOf, refused };
