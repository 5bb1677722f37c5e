// Runs the probe: the gateway compiled to a WebAssembly module that imports nothing.
//
//   node run.mjs PROBE.wasm imports          fails, naming each, if the module imports anything
//   node run.mjs PROBE.wasm vectors FILE…    runs vector files; prints a report as JSON
//   node run.mjs PROBE.wasm corpus SEED FIRST COUNT
//                                            runs cases of the mutation corpus; prints a run as JSON
//
// Every command checks the imports first: a module with an import would not be instantiated.

import { readFileSync } from "node:fs";

const [wasm, command, ...rest] = process.argv.slice(2);
const commands = { imports, vectors, corpus };

if (wasm === undefined || commands[command] === undefined) {
  fail(`usage: node run.mjs PROBE.wasm ${Object.keys(commands).join("|")} …`);
}
const module = new WebAssembly.Module(readFileSync(wasm));
const imported = WebAssembly.Module.imports(module);
if (imported.length !== 0) {
  const names = imported.map(({ module, name }) => `${module}.${name}`).join(", ");
  fail(`The gateway's wasm must import nothing, and it imports ${names}.`);
}
commands[command](rest);

function imports() {
  console.log("The gateway's wasm imports nothing.");
}

function vectors(files) {
  const total = { passed: 0, failed: 0, skipped: 0, skipped_schemes: {}, failures: [] };
  for (const file of files) {
    add(total, runFile(file));
  }
  console.log(JSON.stringify(total));
}

/** The report on one file; a trap is a failure of that file, and the next one gets a new instance. */
function runFile(file) {
  const name = Buffer.from(file);
  const text = readFileSync(file);
  const probe = new WebAssembly.Instance(module).exports;
  try {
    write(probe, Buffer.concat([name, text]));
    return read(probe, probe.run_vectors(name.length));
  } catch (trap) {
    const reason = `The wasm trapped: ${trap.message}.`;
    return { passed: 0, failed: 1, skipped: 0, skipped_schemes: {}, failures: [{ file, vector: "(trap)", reason }] };
  }
}

/** A trap is a failure of the case it happened in; the cases behind it run in a new instance. */
function corpus([seed, first, count]) {
  const total = { passed: 0, failed: 0, reached: {}, failures: [], digest: "" };
  const end = BigInt(first) + BigInt(count);
  for (let next = BigInt(first); next < end; ) {
    const probe = new WebAssembly.Instance(module).exports;
    try {
      const length = probe.run_corpus(BigInt(seed), next, end - next);
      if (length === 0) {
        fail("The probe cannot read the vectors that it was built with.");
      }
      addRun(total, read(probe, length));
      break;
    } catch (trap) {
      const at = BigInt.asUintN(64, probe.current_case());
      if (at > next) {
        const before = new WebAssembly.Instance(module).exports;
        addRun(total, read(before, before.run_corpus(BigInt(seed), next, at - next)));
      }
      const reason = `The wasm trapped: ${trap.message}.`;
      addRun(total, { passed: 0, failed: 1, reached: {}, failures: [[Number(at), reason]], digest: "trap" });
      next = at + 1n;
    }
  }
  console.log(JSON.stringify(total));
}

function addRun(total, run) {
  total.passed += run.passed;
  total.failed += run.failed;
  for (const [stage, count] of Object.entries(run.reached)) {
    total.reached[stage] = (total.reached[stage] ?? 0) + count;
  }
  total.failures.push(...run.failures);
  total.digest += run.digest;
}

function write(probe, bytes) {
  const address = probe.input(bytes.length);
  new Uint8Array(probe.memory.buffer, address, bytes.length).set(bytes);
}

function read(probe, length) {
  return JSON.parse(Buffer.from(probe.memory.buffer, probe.output(), length).toString());
}

function add(total, report) {
  for (const count of ["passed", "failed", "skipped"]) {
    total[count] += report[count];
  }
  for (const [scheme, count] of Object.entries(report.skipped_schemes)) {
    total.skipped_schemes[scheme] = (total.skipped_schemes[scheme] ?? 0) + count;
  }
  total.failures.push(...report.failures);
}

function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}
