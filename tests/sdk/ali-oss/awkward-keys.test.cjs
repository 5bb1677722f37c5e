// Keys with every awkward character, written, listed and read back; the twin of test_awkward_keys.py.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const keys = require('../awkward_keys.json');
const { device, run, withKey } = require('./device.cjs');

const client = device('virtual-host', withKey(run.keys.data_layer));
const folder = `${run.folder}/awkward`;
const inOrder = names => [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
const namesOf = ({ objects }) => (objects ?? []).map(({ name }) => name);

test('keys with every awkward character are listed and read back', async () => {
  const names = inOrder(Object.values(keys).map(name => `${folder}/listed/${name}`));
  for (const name of names) await client.put(name, Buffer.from(name));
  assert.deepEqual(namesOf(await client.list({ prefix: `${folder}/listed/`, 'max-keys': 1000 })), names);
  assert.deepEqual(namesOf(await client.listV2({ prefix: `${folder}/listed/`, 'max-keys': 1000 })), names);
  for (const name of names) assert.equal((await client.get(name)).content.toString(), name);
});

for (const [kind, name] of Object.entries(keys)) {
  test(`a key with ${kind} is copied from and to, and deleted with others`, async () => {
    const [from, to] = [`${folder}/${kind}/from ${name}`, `${folder}/${kind}/to ${name}`];
    await client.put(from, Buffer.from(name));
    await client.copy(to, from);
    assert.equal((await client.get(to)).content.toString(), name);
    const { deleted } = await client.deleteMulti([from, to]);
    assert.deepEqual(inOrder(deleted.map(({ Key }) => Key)), inOrder([from, to]));
    assert.deepEqual(namesOf(await client.list({ prefix: `${folder}/${kind}/` })), []);
  });
}
