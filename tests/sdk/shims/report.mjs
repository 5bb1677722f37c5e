// A reporter of node:test for node_tests.py: one JSON line per finished test.
export default async function* report(source) {
  for await (const { type, data } of source) {
    // A file is reported as a test too, by its path: only what stands in it counts.
    if ((type === 'test:pass' || type === 'test:fail') && !data.name.endsWith('.cjs')) {
      const error = data.details?.error;
      const reason = error ? String(error.cause?.stack ?? error.cause ?? error.stack ?? error) : null;
      yield `${JSON.stringify({ name: data.name, passed: type === 'test:pass', reason })}\n`;
    }
  }
}
