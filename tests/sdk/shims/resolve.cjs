// Resolves the host names of CAUSEWAY_RESOLVE ("host=address,host=address") inside a Node process: `node --require`.
// The Node twin of sitecustomize.py; every other name goes to the system's resolver.
'use strict';

const dns = require('node:dns');

const systemLookup = dns.lookup;
const addresses = new Map(
  (process.env.CAUSEWAY_RESOLVE || '').split(',').filter(Boolean).map(entry => entry.split('=', 2)),
);

dns.lookup = function lookup(host, ...rest) {
  return systemLookup.call(dns, addresses.get(host) ?? host, ...rest);
};
