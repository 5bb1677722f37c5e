// What a browser does with a form: headless Chromium posts it, and this prints what the page saw as JSON.
// test_cloudflare_browser.py starts it, with the run in CAUSEWAY_BROWSER.
//
// Pages are served from the browser's own memory: one under the gateway's origin, so that its scripts may read the
// gateway's answers, and some under another, as web sites are.
import { chromium } from 'playwright-core';

const run = JSON.parse(process.env.CAUSEWAY_BROWSER);
const SITE = 'http://site.causeway.test';
const DONE = `${SITE}/done`;

const escaped = text => text.replace(/[&<>"]/g, c => `&#${c.charCodeAt(0)};`);

/** An HTML form, with the button behind the file as people write them. */
const form = fields => `<!doctype html><html lang="en"><meta charset="utf-8"><title>Upload</title>
<h1>Upload to ${escaped(new URL(run.url).host)}</h1>
<form action="${escaped(run.url)}" method="post" enctype="multipart/form-data">
${Object.entries(fields).map(([name, value]) => `<input type="hidden" name="${name}" value="${escaped(value)}">`).join('\n')}
<input type="file" name="file" id="file"> <input type="submit" name="submit" value="Upload">
</form></html>`;

const blank = '<!doctype html><title>Blank</title>';
const pages = {
  [new URL('/page.html', run.url).href]: blank,
  [`${SITE}/`]: blank,
  [`${SITE}/form.html`]: form(run.navigation),
};

/** Posts FormData from the page's own script. */
const post = ({ url, fields, size, mode }) => {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  const bytes = new Uint8Array(size).map((_, at) => at % 251);
  data.append('file', new File([bytes], 'photo \u4e2d.bin', { type: 'application/octet-stream' }));
  return fetch(url, { method: 'POST', body: data, mode }).then(async answer => ({
    type: answer.type,
    status: answer.status,
    etag: answer.headers.get('etag'),
    body: await answer.text(),
  }));
};

const browser = await chromium.launch({
  executablePath: run.chromium,
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost',
    // The site is on the web and the gateway on this machine: in a deployment both are on the web.
    '--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests',
  ],
});
try {
  const context = await browser.newContext();
  await context.route('**/*', route => {
    const url = route.request().url();
    if (url in pages) return route.fulfill({ contentType: 'text/html', body: pages[url] });
    if (url.startsWith(`${DONE}?`)) return route.fulfill({ contentType: 'text/html', body: '<title>Done</title>' });
    return url.startsWith(new URL('/', run.url).href) ? route.continue() : route.abort();
  });
  const page = await context.newPage();

  const same = [];
  await page.goto(new URL('/page.html', run.url).href);
  for (const fields of run.same) same.push(await page.evaluate(post, { url: run.url, ...fields, mode: 'same-origin' }));

  await page.goto(`${SITE}/`);
  const other = await page.evaluate(post, { url: run.url, ...run.other, mode: 'no-cors' });

  await page.goto(`${SITE}/form.html`);
  await page.setInputFiles('#file', { name: 'letter.txt', mimeType: 'text/plain', buffer: Buffer.from('Dear gateway') });
  if (run.screenshot) await page.screenshot({ path: run.screenshot });
  await page.click('input[type=submit]');
  await page.waitForURL(`${DONE}?*`, { timeout: 20_000 });
  console.log(JSON.stringify({ same, other, landed: page.url() }));
} finally {
  await browser.close();
}
