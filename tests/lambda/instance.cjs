// An instance of a function, as Lambda has one: a process of its own, with the folder of argv as task root. It
// takes `{entry, event}` and gives what the entry returned, with the most memory that it ever had, in bytes;
// `{count: true}` asks how many of the fake's instances are still in memory.
"use strict";

const entries = require(`${process.argv[2]}/index.js`);

process.on("message", async ({ entry, event, count }) => {
  if (count) {
    for (let round = 0; round < 5; round += 1) {
      global.gc();
      await new Promise(setImmediate);
    }
    process.send({ alive: globalThis.seen.instances.filter((instance) => instance.deref()).length });
  } else {
    const result = await entries[entry](event);
    process.send({ result, memory: process.resourceUsage().maxRSS * 1024 });
  }
});
process.send("ready");
