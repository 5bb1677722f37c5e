// Stands where wasm-bindgen's output stands: a function whose conversation is written in the event, under `play`.
// A part of it is a step to give, or "trap". `globalThis` outlives the instances.
"use strict";

// (module (func (export "trap") unreachable))
const wasm = Buffer.from("0061736d0100000001040160000003020100070801047472617000000a05010300000b", "hex");
const loaded = new WebAssembly.Instance(new WebAssembly.Module(wasm));
const { trap } = loaded.exports;

const seen = (globalThis.seen ??= { instances: [], open: 0 });
const number = seen.instances.push(new WeakRef(loaded));

class Fake {
  constructor(configuration) {
    if (JSON.parse(configuration).refused) throw "`hosts` is empty";
  }

  begin(event, environment, now) {
    return new Conversation(number, JSON.parse(event).play, { environment: JSON.parse(environment), now });
  }

  beginOriginResponse(event, environment, now) {
    const known = { environment: JSON.parse(environment), now, at: "origin-response" };
    return new Conversation(number, JSON.parse(event).play, known);
  }
}

class Conversation {
  constructor(instance, play, known) {
    this.play = [...play];
    this.result = { instance, answers: [], ...known };
    seen.open += 1;
  }

  step() {
    const part = this.play.shift();
    if (part === "trap") trap();
    return JSON.stringify(part ?? { response: { ...this.result, open: seen.open }, log: { level: "info" } });
  }

  advance(answer, now) {
    this.result.answers.push(JSON.parse(answer));
    this.result.now = now;
    return this.step();
  }

  free() {
    seen.open -= 1;
  }
}

module.exports = { Authorizer: Fake, Router: Fake, ResponseHandler: Fake };
