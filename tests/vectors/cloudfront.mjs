// Makes cloudfront.json: signed URLs and cookies by AWS's own signer (RSA) and by OpenSSL (ECDSA, which that signer
// does not know), under the key pairs in keys/, and requests that differ from them in one place.
// Run after `npm ci` in tests/sdk: node tests/vectors/cloudfront.mjs. ECDSA signatures differ from run to run.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const here = new URL('./', import.meta.url);
const require = createRequire(new URL('../sdk/package.json', here));
const { getSignedUrl, getSignedCookies } = require('@aws-sdk/cloudfront-signer');
const { version } = require('@aws-sdk/cloudfront-signer/package.json');
const pem = (name) => readFileSync(new URL(`keys/${name}.pem`, here), 'utf8');

const NOW = 1714566896;
const END = NOW + 3600;
const HOST = 'd111111abcdef8.cloudfront.net';
const SITE = `https://${HOST}`;
const PEER = '192.0.2.7';
const date = (seconds) => new Date(seconds * 1000).toISOString();

const vectors = [];
function add(id, sdk, key, url, cookies, change = {}) {
  const { scheme = 'https', host = HOST, peer = PEER, now = NOW, method = 'GET', valid = true, notes } = change;
  const headers = [['Host', host]];
  if (cookies) headers.push(['Cookie', Object.entries(cookies).map(([name, value]) => `${name}=${value}`).join('; ')]);
  vectors.push({
    id,
    sdk,
    auth: cookies ? 'CLOUDFRONT-COOKIE' : 'CLOUDFRONT-URL',
    op: 'GetObject',
    now: date(now),
    now_unix: now,
    credentials: { access_key_id: `K-${key}`, access_key_secret: '', public_key: pem(`${key}.pub`) },
    config: { bucket: 'examplebucket', endpoint: HOST, is_cname: true },
    request: { method, scheme, host, peer, target: change.target ?? url.slice(SITE.length), headers, body_b64: '' },
    expect: valid ? { valid, signed_bucket: 'examplebucket' } : { valid, status: change.status ?? 403 },
    ...(notes && { notes }),
  });
}

const url = `${SITE}/images/a%20b/horizon.jpg`;
const withQuery = `${SITE}/images/horizon.jpg?response-content-type=image%2Fpng&versionId=1%2B2`;
const custom = (resource, conditions = {}) =>
  JSON.stringify({ Statement: [{ Resource: resource, Condition: { DateLessThan: { 'AWS:EpochTime': END }, ...conditions } }] });

/** Adds the requests that differ from a good one in one place. */
function addNear(id, sdk, key, good, cookies, isPattern) {
  const near = (what, change) => add(`${id}: ${what}`, sdk, key, good, cookies, { valid: false, ...change });
  const target = good.slice(SITE.length);
  near('at its end', { now: END });
  near('over plain HTTP', { scheme: 'http' });
  near('for another host', { host: 'd222222abcdef8.cloudfront.net' });
  near('for another path', { target: target.replace('/images/', '/image/') });
  near('for another case', { target: target.replace('/images/', '/Images/') });
  near('with dot segments', { target: target.replace('/images/', '/images/../') });
  if (!isPattern) near('with a parameter more', { target: `${target}${target.includes('?') ? '&' : '?'}acl` });
}

for (const algorithm of ['SHA1', 'SHA256']) {
  const key = 'rsa-2048';
  const sdk = `@aws-sdk/cloudfront-signer ${version}`;
  const signer = { keyPairId: `K-${key}`, privateKey: pem(key), ...(algorithm === 'SHA256' && { algorithm }) };
  const canned = { ...signer, dateLessThan: date(END) };
  const id = (what) => `${key} ${algorithm} ${what}`;
  const signed = (what, options, change) => {
    const good = getSignedUrl(options);
    add(id(what), sdk, key, good, undefined, change);
    return good;
  };
  addNear(id('canned'), sdk, key, signed('canned', { ...canned, url }));
  signed('canned, HEAD', { ...canned, url }, { method: 'HEAD' });
  signed('canned with a query', { ...canned, url: withQuery });
  signed('from a moment on', { ...canned, url, dateGreaterThan: date(NOW) });
  const early = getSignedUrl({ ...canned, url, dateGreaterThan: date(NOW) });
  add(id('before its moment'), sdk, key, early, undefined, { now: NOW - 1, valid: false });
  const local = signed('from a network', { ...canned, url: withQuery, ipAddress: '192.0.2.0/24' });
  for (const peer of ['192.0.3.7', '2001:db8::1', '']) {
    add(id(`from a network: by ${peer || 'nobody knows whom'}`), sdk, key, local, undefined, { peer, valid: false });
  }
  add(id('from a network: by a mapped address'), sdk, key, local, undefined, { peer: '::ffff:192.0.2.9' });
  const pattern = { ...signer, url, policy: custom(`${SITE}/images/*`) };
  addNear(id('pattern'), sdk, key, signed('pattern', pattern), undefined, true);
  signed('pattern of any scheme', { ...signer, url, policy: custom(`*://${HOST}/*.jpg`) });
  signed('pattern of one byte each', { ...signer, url, policy: custom(`${SITE}/images/?????/*.???`) });
  add(id('cookies, canned'), sdk, key, url, getSignedCookies({ ...canned, url }));
  const cookies = getSignedCookies({ ...signer, policy: custom(`${SITE}/images/*`) });
  add(id('cookies, pattern'), sdk, key, url, cookies);
  addNear(id('cookies, pattern'), sdk, key, url, cookies, true);
}

const urlSafe = (bytes) => bytes.toString('base64').replace(/[+=/]/g, (sign) => ({ '+': '-', '=': '_', '/': '~' })[sign]);
const openssl = execFileSync('openssl', ['version'], { encoding: 'utf8' }).split(' ').slice(0, 2).join(' ');
for (const hash of ['SHA1', 'SHA256']) {
  const key = 'p-256';
  const sign = (text) =>
    urlSafe(execFileSync('openssl', ['dgst', `-${hash.toLowerCase()}`, '-sign', new URL(`keys/${key}.pem`, here).pathname], { input: text }));
  const id = (what) => `${key} ${hash} ${what}`;
  const end = hash === 'SHA256' ? '&Hash-Algorithm=SHA256' : '';
  const own = (text) => `Signature=${sign(text)}&Key-Pair-Id=K-${key}${end}`;
  const canned = `${url}?Expires=${END}&${own(custom(url))}`;
  add(id('canned'), openssl, key, canned);
  addNear(id('canned'), openssl, key, canned);
  const text = custom(`${SITE}/images/*`, { IpAddress: { 'AWS:SourceIp': '192.0.2.0/24' } });
  const pattern = `${url}?Policy=${urlSafe(Buffer.from(text))}&${own(text)}`;
  add(id('pattern from a network'), openssl, key, pattern);
  addNear(id('pattern from a network'), openssl, key, pattern, undefined, true);
  const cookies = { 'CloudFront-Policy': urlSafe(Buffer.from(text)), 'CloudFront-Signature': sign(text), 'CloudFront-Key-Pair-Id': `K-${key}` };
  if (hash === 'SHA256') cookies['CloudFront-Hash-Algorithm'] = hash;
  add(id('cookies, pattern from a network'), openssl, key, url, cookies);
}

writeFileSync(new URL('cloudfront.json', here), `${JSON.stringify(vectors, null, 1)}\n`);
