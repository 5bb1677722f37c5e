//! The answer as workerd takes it.

use oss_s3::answer::{Answer, RequestId};
use worker::js_sys::Math;
use worker::{Headers, Response, ResponseBody, ResponseBuilder, Result};

/// A new request id. It names a request in logs and answers; nothing is secured by it.
pub(crate) fn request_id() -> RequestId {
    let mut bytes = [0; 12];
    for byte in &mut bytes {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "Math.random is in 0..1"
        )]
        let random = (Math::random() * 256.0) as u8;
        *byte = random;
    }
    RequestId::from_bytes(bytes)
}

/// Hands an answer over.
pub(crate) fn response(answer: Answer) -> Result<Response> {
    let headers = Headers::new();
    for (name, value) in &answer.headers {
        headers.set(name, &String::from_utf8_lossy(value))?;
    }
    let body = if answer.body.is_empty() {
        ResponseBody::Empty
    } else {
        ResponseBody::Body(answer.body)
    };
    Ok(ResponseBuilder::new()
        .with_status(answer.status)
        .with_headers(headers)
        .body(body))
}
