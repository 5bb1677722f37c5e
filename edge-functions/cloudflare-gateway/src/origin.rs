//! Sending to the S3 origin.

use gateway::origin_signature;
use gateway::response_handler::Exchange;
use js_sys::{Uint8Array, global};
use oss_s3::addressing::OriginBucket;
use oss_s3::error::{Fault, Refusal};
use oss_s3::request::{OriginBody, OriginRequest};
use oss_s3::response::OriginAnswer;
use request_auth::UnixSeconds;
use request_auth::aws_v4::OriginCredentials;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, RequestCache, RequestInit, RequestRedirect, Response, WorkerGlobalScope};

use crate::body::{self, Body};
use crate::platform::{self, lines, said};

/// Signs and sends a request; reads of the answer what the exchange wants to read. Where that is nothing,
/// the answer's own stream comes beside it.
///
/// # Errors
/// `ServiceUnavailable` where the origin does not answer.
pub(crate) async fn send(
    request: &OriginRequest,
    body: &Body,
    exchange: &Exchange<'_>,
    origin: &OriginBucket,
    credentials: &OriginCredentials,
) -> Result<(OriginAnswer, Option<web_sys::ReadableStream>), Refusal> {
    let down = |what: &str, error: String| {
        Refusal::new(Fault::OriginUnavailable)
            .because(["the origin ", &request.host, " ", what, ": ", &error].concat())
    };
    // One failure of fetch for both: the platform does not say whose side broke.
    let no_answer = match request.body {
        OriginBody::Device => "does not answer, or the device broke off its upload",
        _ => "does not answer",
    };
    let response =
        fetch(request, body, origin, credentials)
            .await
            .map_err(|error| match body.verdict.get() {
                Some(fault) => fault.into(),
                None => down(no_answer, said(&error)),
            })?;
    let status = response.status();
    let headers = lines(&response.headers())
        .into_iter()
        .map(|(name, value)| (name, value.into_bytes()))
        .collect();
    let most = exchange.document_bytes(status);
    let (body, stream) = match response.body() {
        Some(stream) if most > 0 => {
            let read = body::read(&stream, most).await;
            let read = read.map_err(|error| down("broke off its answer", said(&error)))?;
            (read.into_bytes(), None)
        }
        stream => (Vec::new(), stream),
    };
    let answer = OriginAnswer {
        status,
        headers,
        body,
    };
    Ok((answer, stream))
}

async fn fetch(
    request: &OriginRequest,
    body: &Body,
    origin: &OriginBucket,
    credentials: &OriginCredentials,
) -> Result<Response, JsValue> {
    // The time of sending, not of the device's request: a part list may take its time to arrive, and
    // S3 refuses a signature that is 15 minutes old.
    let now = UnixSeconds(i64::try_from(platform::now() / 1000).unwrap_or_default());
    let headers = Headers::new()?;
    for (name, value) in &request.headers {
        // The table sends text only; bytes that are none would be changed on the way.
        let value = core::str::from_utf8(value).map_err(|_| JsValue::from_str("a header is not text"))?;
        headers.set(name, value)?;
    }
    for (name, value) in origin_signature::headers(request, origin, credentials, now) {
        headers.set(name, &value)?;
    }
    let content: Option<JsValue> = match &request.body {
        OriginBody::Device => match &body.stream {
            Some(stream) => Some(stream.into()),
            None => body.bytes.as_ref().map(JsValue::from),
        },
        OriginBody::Document(bytes) => Some(Uint8Array::from(bytes.as_slice()).into()),
        OriginBody::Empty | OriginBody::AwaitsParts | OriginBody::Joined(_) => None,
    };
    let init = RequestInit::new();
    init.set_method(request.method);
    init.set_headers(&headers);
    // A redirect would carry the signature to an address that it was not made for.
    init.set_redirect(RequestRedirect::Manual);
    if let Some(content) = content {
        init.set_body(&content);
    }
    // What is asked of the origin is about to be relied on: the CDN's cache has no say in it. Writes
    // are never cached, and S3 would store the Cache-Control header that this adds to a request.
    if matches!(request.method, "GET" | "HEAD") {
        init.set_cache(RequestCache::NoStore);
    }
    let worker: WorkerGlobalScope = global().unchecked_into();
    let answer = JsFuture::from(worker.fetch_with_str_and_init(&request.url(), &init)).await?;
    answer.dyn_into()
}
