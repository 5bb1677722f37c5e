// Sends a request whose body is made of the bodies of other requests' answers, one behind the other. The bytes go from
// stream to stream inside the platform; nothing is decided here but that a body that is not whole is not sent on.

/**
 * Gives the answer to `request`, or the status of the first of the `sources` that was not answered 200 or 206. Rejects where
 * one of them breaks off, where they are not `length` bytes together, and after `milliseconds`. In each of these cases
 * the request ends before its body does. At most `ahead` sources wait for an answer at once. Without sources the
 * request goes as it is.
 */
export async function join(request, length, sources, ahead, milliseconds) {
  const due = AbortSignal.timeout(milliseconds);
  if (sources.length === 0) return fetch(request, { signal: due });
  const { readable, writable } = new FixedLengthStream(length);
  const stop = new AbortController();
  let wrong;
  const poured = pour(writable, Number(length), sources, ahead, AbortSignal.any([due, stop.signal])).catch((error) => {
    wrong ??= error;
    // Where it is the request that broke, the stream is broken already.
    return writable.abort(error).catch(() => {});
  });
  try {
    const answer = await fetch(request, { body: readable, signal: due });
    // Whoever refuses a body reads no more of it.
    if (!answer.ok) return answer;
    await poured;
    if (wrong === undefined) return answer;
  } catch (error) {
    wrong ??= error;
  } finally {
    stop.abort();
    await poured;
  }
  if (typeof wrong === "number") return wrong;
  throw wrong;
}

async function pour(writable, length, sources, ahead, signal) {
  const asked = [];
  const ask = () => {
    for (const source of sources.splice(0, ahead - asked.length)) {
      // Nothing is decoded: the bytes go on as they are stored, whatever they are labelled as.
      const answer = fetch(source, { signal, encodeResponseBody: "manual" });
      // Whoever waits for it hears of it; behind an earlier failure nobody does.
      answer.catch(() => {});
      asked.push(answer);
    }
  };
  let bytes = 0;
  for (ask(); asked.length > 0;) {
    const { status, headers, body } = await asked.shift();
    ask();
    // A source may be a range.
    if (status !== 200 && status !== 206) throw status;
    bytes += Number(headers.get("content-length"));
    if (asked.length > 0 ? bytes > length : bytes !== length) throw `The sources are not ${length} bytes.`;
    await body.pipeTo(writable, { preventClose: true, signal });
  }
  await writable.close();
}
