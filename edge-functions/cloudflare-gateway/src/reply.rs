//! The answer as workerd takes it.

use js_sys::{Math, Uint8Array};
use oss_s3::answer::{Answer, RequestId};
use wasm_bindgen::JsValue;
use web_sys::{Headers, Response, ResponseInit};

use crate::early::Early;

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

/// An answer, and the origin's stream where that is its body.
pub(crate) struct Reply {
    pub(crate) answer: Answer,
    /// An object's bytes, untouched; only where the answer has no body of its own.
    pub(crate) stream: Option<web_sys::ReadableStream>,
    /// What is done once the client has the answer.
    pub(crate) early: Option<Early>,
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self {
            answer,
            stream: None,
            early: None,
        }
    }
}

impl Reply {
    /// Hands the answer over.
    pub(crate) fn response(self) -> Result<Response, JsValue> {
        let Self { answer, stream, .. } = self;
        let headers = Headers::new()?;
        for (name, value) in &answer.headers {
            headers.set(name, &String::from_utf8_lossy(value))?;
        }
        let init = ResponseInit::new();
        init.set_status(answer.status);
        init.set_headers(&headers);
        match stream {
            Some(stream) => Response::new_with_opt_readable_stream_and_init(Some(&stream), &init),
            None if answer.body.is_empty() => Response::new_with_opt_str_and_init(None, &init),
            None => {
                let body = Uint8Array::from(answer.body.as_slice());
                Response::new_with_opt_buffer_source_and_init(Some(&body), &init)
            }
        }
    }
}
