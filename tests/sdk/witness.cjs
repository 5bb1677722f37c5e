// What came of a request, for the Node tests: witness.py answers. pytest hands over the session in CAUSEWAY_SDK.
'use strict';

const assert = require('node:assert/strict');
const crypto = require('node:crypto');

const run = JSON.parse(process.env.CAUSEWAY_SDK);

async function ask(path, parameters) {
  const answer = await fetch(`${run.witness}${path}?${new URLSearchParams(parameters)}`);
  assert.equal(answer.status, 200);
  return answer.json();
}

/** What the origin holds under a key: `{ status, size, sha256, headers }`. */
const stored = key => ask('/object', { key });

/** The origin's id of an upload, of what a client is told. */
const originId = uploadId => uploadId.slice(0, uploadId.lastIndexOf('.'));

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

const sha256 = data => crypto.createHash('sha256').update(data).digest('hex');
const md5 = (data, encoding = 'hex') => crypto.createHash('md5').update(data).digest(encoding);

module.exports = { run, stored, originId, uploadStatus, seenDuring, header, sha256, md5 };
