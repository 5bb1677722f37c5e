// Keys with every awkward character, written, listed and read back; the twin of test_awkward_keys.py.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const s3 = require('@aws-sdk/client-s3');
const keys = require('../awkward_keys.json');
const { client, run } = require('./client.cjs');

const Bucket = run.bucket;
const sdk = client('path', 'http', run.keys.data_layer);
const folder = `${run.folder}/awkward`;
const send = (name, input) => sdk.send(new s3[`${name}Command`]({ Bucket, ...input }));
const read = async Key => (await send('GetObject', { Key })).Body.transformToString();
const inOrder = names => [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
const namesOf = ({ Contents }) => (Contents ?? []).map(({ Key }) => Key);

test('keys with every awkward character are listed and read back', async () => {
  const names = inOrder(Object.values(keys).map(name => `${folder}/listed/${name}`));
  for (const Key of names) await send('PutObject', { Key, Body: Key });
  for (const list of ['ListObjects', 'ListObjectsV2']) {
    assert.deepEqual(namesOf(await send(list, { Prefix: `${folder}/listed/` })), names);
    const spelt = namesOf(await send(list, { Prefix: `${folder}/listed/`, EncodingType: 'url' }));
    assert.deepEqual(spelt.map(name => decodeURIComponent(name.replaceAll('+', ' '))), names);
  }
  for (const Key of names) assert.equal(await read(Key), Key);
});

for (const [kind, name] of Object.entries(keys)) {
  test(`a key with ${kind} is copied from and to, and deleted with others`, async () => {
    const [from, to] = [`${folder}/${kind}/from ${name}`, `${folder}/${kind}/to ${name}`];
    await send('PutObject', { Key: from, Body: name });
    await send('CopyObject', { Key: to, CopySource: `${Bucket}/${encodeURIComponent(from)}` });
    assert.equal(await read(to), name);
    const { Deleted } = await send('DeleteObjects', { Delete: { Objects: [{ Key: from }, { Key: to }] } });
    assert.deepEqual(inOrder(Deleted.map(({ Key }) => Key)), inOrder([from, to]));
    assert.deepEqual(namesOf(await send('ListObjectsV2', { Prefix: `${folder}/${kind}/` })), []);
  });
}
