// What pages do with ali-oss' browser build, in headless Chromium: one of an origin that the bucket's rules list, and one
// of another. Prints what they saw as JSON. test_browser_cors.py starts it, with the run in CAUSEWAY_BROWSER.
//
// Both pages come from a server of this script's own, under names that the browser finds there. No request is
// intercepted: the browser's own network stack asks the gateway.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const run = JSON.parse(process.env.CAUSEWAY_BROWSER);
const sdk = readFileSync(createRequire(import.meta.url).resolve('ali-oss/dist/aliyun-oss-sdk.min.js'));

const server = createServer((request, response) => {
  const isScript = request.url === '/sdk.js';
  response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html; charset=utf-8' });
  response.end(isScript ? sdk : '<!doctype html><title>App</title><script src="/sdk.js"></script>');
});
await new Promise(listening => server.listen(0, '127.0.0.1', listening));

/** What the listed page does. */
const use = async ({ options, key, size, partSize, note }) => {
  const bytes = count => new Uint8Array(count).map((_, at) => at % 251);
  const client = new OSS(options);
  const file = count => new File([bytes(count)], 'photo.bin', { type: 'application/octet-stream' });
  const answer = ({ res }) => ({ status: res.status, etag: res.headers.etag, id: res.headers['x-oss-request-id'] });
  const put = await client.put(`${key}/put`, file(1000), { meta: { note } });
  const got = await client.get(`${key}/put`);
  const parts = await client.multipartUpload(`${key}/parts`, file(size), { partSize, parallel: 2 });
  const missing = await client.get(`${key}/missing`).catch(({ status, code, requestId }) => ({ status, code, id: requestId }));
  const url = client.signatureUrl(`${key}/put`, { expires: 600 });
  // A browser hides an answer to a request with cookies unless the answer allows them.
  const read = credentials => fetch(url, { credentials }).then(
    async answer => ({ type: answer.type, size: (await answer.arrayBuffer()).byteLength, note: answer.headers.get('x-oss-meta-note') }),
    error => ({ error: error.name }),
  );
  return {
    put: answer(put),
    got: { ...answer(got), size: got.content.length, isSame: bytes(1000).every((byte, at) => got.content[at] === byte) },
    parts: answer(parts),
    missing,
    url,
    omitted: await read('omit'),
    included: await read('include'),
  };
};

/** What the other page tries. */
const intrude = async ({ options, key, url }) => {
  const client = new OSS({ ...options, retryMax: 0 });
  const seen = ({ name, code, status, requestId }) => ({ name, code, status, id: requestId });
  const put = await client.put(`${key}/intruder`, new Blob(['x'])).then(() => ({ name: 'none' }), seen);
  const read = await fetch(url).then(answer => ({ type: answer.type }), error => ({ error: error.name }));
  return { put, read };
};

const browser = await chromium.launch({
  executablePath: run.chromium,
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests',
    `--host-resolver-rules=${run.sites.map(site => `MAP ${new URL(site).host} 127.0.0.1:${server.address().port}`)}, MAP * ~NOTFOUND, EXCLUDE localhost`,
  ],
});
try {
  const seen = {};
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${run.sites[0]}/`);
  seen.listed = await page.evaluate(use, run);
  await page.goto(`${run.sites[1]}/`);
  seen.other = await page.evaluate(intrude, { ...run, url: seen.listed.url });
  console.log(JSON.stringify(seen));
} finally {
  await browser.close();
  server.close();
}
