//! Sending to the S3 origin.

use gateway::origin_signature;
use js_sys::{Promise, Uint8Array, global};
use oss_s3::addressing::OriginBucket;
use oss_s3::error::{Fault, Refusal};
use oss_s3::request::{OriginBody, OriginRequest};
use oss_s3::response::OriginAnswer;
use request_auth::UnixSeconds;
use request_auth::aws_v4::OriginCredentials;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, Request, RequestCache, RequestInit, RequestRedirect, Response, WorkerGlobalScope};

use crate::allowance::Meter;
use crate::body::{self, Body};
use crate::platform::{self, lines, said};
use crate::settings::Settings;

/// The origin as one of a client's requests sees it.
pub(crate) struct Origin<'a> {
    bucket: &'a OriginBucket,
    credentials: &'a OriginCredentials,
    /// What may still be asked of it.
    pub(crate) meter: Meter,
}

impl<'a> Origin<'a> {
    /// That of a request for the bucket, which began at `began`, in milliseconds since 1970.
    pub(crate) fn new(bucket: &'a OriginBucket, settings: &'a Settings, began: u64) -> Self {
        Self {
            bucket,
            credentials: &settings.credentials,
            meter: Meter::new(began, settings.most_requests),
        }
    }

    /// That of what follows an answer, with what its request has left.
    pub(crate) fn behind(bucket: &'a OriginBucket, settings: &'a Settings, meter: Meter) -> Self {
        Self {
            bucket,
            credentials: &settings.credentials,
            meter: meter.behind(),
        }
    }

    /// Signs and sends a request; reads so many bytes of an answer as `most` says for its status. Where that is
    /// nothing, the answer's own stream comes beside it.
    ///
    /// # Errors
    /// `ServiceUnavailable` where the origin does not answer.
    pub(crate) async fn send(
        &self,
        request: &OriginRequest,
        body: &Body,
        most: &dyn Fn(u16) -> usize,
    ) -> Result<(OriginAnswer, Option<web_sys::ReadableStream>), Refusal> {
        let down = |what: &str, error: &JsValue| {
            Refusal::new(Fault::OriginUnavailable)
                .because(["the origin ", &request.host, " ", what, ": ", &said(error)].concat())
        };
        // One failure of fetch for both: the platform does not say whose side broke.
        let no_answer = match request.body {
            OriginBody::Device => "does not answer, or the device broke off its upload",
            _ => "does not answer",
        };
        let answer = match self.signed(request, body) {
            Ok(signed) => JsFuture::from(fetch_with(&signed, request, body)).await,
            Err(error) => Err(error),
        };
        let answer = answer.map_err(|error| match body.verdict.get() {
            Some(fault) => fault.into(),
            None => down(no_answer, &error),
        })?;
        let answer = received(answer.unchecked_into(), most).await;
        answer.map_err(|error| down("broke off its answer", &error))
    }

    /// A request as it is sent now. It is counted as sent.
    ///
    /// # Errors
    /// What the platform does not take.
    pub(crate) fn signed(&self, request: &OriginRequest, body: &Body) -> Result<Request, JsValue> {
        self.meter.count();
        // The time of sending, not of the device's request: a part list may take its time to arrive, and
        // S3 refuses a signature that is 15 minutes old.
        let now = UnixSeconds(i64::try_from(platform::now() / 1000).unwrap_or_default());
        let headers = Headers::new()?;
        for (name, value) in &request.headers {
            // The table sends text only; bytes that are none would be changed on the way.
            let value = core::str::from_utf8(value).map_err(|_| JsValue::from_str("a header is not text"))?;
            headers.set(name, value)?;
        }
        for (name, value) in origin_signature::headers(request, self.bucket, self.credentials, now) {
            headers.set(name, &value)?;
        }
        let content: Option<JsValue> = match &request.body {
            // Bytes are given when it is sent, see `fetch_with`.
            OriginBody::Device => body.stream.as_ref().map(JsValue::from),
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
        Request::new_with_str_and_init(&request.url(), &init)
    }
}

/// Sends a signed request, with the device's bytes where they are its body. A Request of the platform's would hold a copy
/// of them until the garbage is collected: one of each block of a body.
fn fetch_with(signed: &Request, request: &OriginRequest, body: &Body) -> Promise {
    match (&request.body, &body.bytes) {
        (OriginBody::Device, Some(bytes)) => {
            let init = RequestInit::new();
            init.set_body(bytes);
            let worker: WorkerGlobalScope = global().unchecked_into();
            worker.fetch_with_request_and_init(signed, &init)
        }
        _ => fetch(signed),
    }
}

/// Sends a signed request.
pub(crate) fn fetch(request: &Request) -> Promise {
    let worker: WorkerGlobalScope = global().unchecked_into();
    worker.fetch_with_request(request)
}

/// Reads so many bytes of an answer as `most` says for its status, or gives its stream where that is nothing.
///
/// # Errors
/// What broke the answer off.
pub(crate) async fn received(
    response: Response,
    most: &dyn Fn(u16) -> usize,
) -> Result<(OriginAnswer, Option<web_sys::ReadableStream>), JsValue> {
    let status = response.status();
    let headers = lines(&response.headers())
        .into_iter()
        .map(|(name, value)| (name, value.into_bytes()))
        .collect();
    let most = most(status);
    let (body, stream) = match response.body() {
        Some(stream) if most > 0 => (body::read(&stream, most).await?.into_bytes(), None),
        stream => (Vec::new(), stream),
    };
    let answer = OriginAnswer {
        status,
        headers,
        body,
    };
    Ok((answer, stream))
}
