//! What workerd has beside the Web's own interfaces, and the few of its globals that are called here.
//!
//! Bound directly, and so are the Web's interfaces, with the crates that Cloudflare's `worker` is made of. From `worker`
//! itself come the environment and what logs a panic; its other types stand for every error and stream that a Worker
//! could meet, and the build leaves out those that it exports to JavaScript.

use js_sys::{Array, Date, JsString, Promise, Reflect};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use web_sys::{Headers, ReadableStream, TransformStream, WritableStreamDefaultWriter};

#[wasm_bindgen]
extern "C" {
    /// A namespace of Workers KV.
    pub(crate) type Namespace;

    /// Asks for a value: a string, or null where the key has none.
    #[wasm_bindgen(method, catch)]
    pub(crate) fn get(this: &Namespace, key: &str) -> Result<Promise, JsValue>;

    /// What the platform gives beside a request.
    pub type Context;

    /// Keeps the request's instance at work until the promise is settled, for 30 s behind the answer at most.
    #[wasm_bindgen(method, js_name = waitUntil)]
    pub(crate) fn wait_until(this: &Context, promise: &Promise);

    #[wasm_bindgen(extends = TransformStream)]
    type FixedLengthStream;

    #[wasm_bindgen(constructor, catch)]
    fn new(length: u64) -> Result<FixedLengthStream, JsValue>;

    /// Writes a line of the log.
    #[wasm_bindgen(js_namespace = console, js_name = log)]
    pub(crate) fn console_log(line: &str);

    #[wasm_bindgen(catch, js_name = String)]
    fn string(value: &JsValue) -> Result<JsString, JsValue>;
}

/// The time, in milliseconds since 1970.
pub(crate) fn now() -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number of milliseconds, far below 2^53"
    )]
    let milliseconds = Date::now() as u64;
    milliseconds
}

/// A binding of this deployment; undefined where there is none.
pub(crate) fn binding(env: &JsValue, name: &str) -> JsValue {
    Reflect::get(env, &name.into()).unwrap_or_default()
}

/// A binding that is a text and not empty.
pub(crate) fn text_binding(env: &JsValue, name: &str) -> Option<String> {
    binding(env, name).as_string().filter(|text| !text.is_empty())
}

/// A stream that states its length, and what is written to it.
///
/// # Errors
/// A failure of the platform's.
pub(crate) fn pipe(length: u64) -> Result<(ReadableStream, WritableStreamDefaultWriter), JsValue> {
    let pipe = FixedLengthStream::new(length)?;
    let writer = pipe.writable().get_writer()?;
    Ok((pipe.readable(), writer))
}

/// The names and values of headers, each name once.
pub(crate) fn lines(headers: &Headers) -> Vec<(String, String)> {
    let text = |line: &Array, at| line.get(at).as_string().unwrap_or_default();
    Array::from(headers)
        .iter()
        .map(|line| {
            let line = Array::from(&line);
            (text(&line, 0), text(&line, 1))
        })
        .collect()
}

/// What an error of the platform's says.
pub(crate) fn said(error: &JsValue) -> String {
    string(error).map(String::from).unwrap_or_default()
}
