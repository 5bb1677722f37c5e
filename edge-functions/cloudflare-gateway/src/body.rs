//! Bodies: the client's stream on its way to the origin, and small documents that are read.

use gateway::router::BodyRule;
use js_sys::{Reflect, Uint8Array};
use oss_s3::error::{Fault, Refusal};
use request_auth::aws_v4::Unframer;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::arrival::Arrival;
use crate::platform::said;
use crate::unframed::{self, Verdict};

/// What became of the device's body by the router's rule.
#[derive(Default)]
pub(crate) struct Body {
    /// Object bytes, untouched.
    pub(crate) stream: Option<web_sys::ReadableStream>,
    /// Object bytes that had to be read: a short form's.
    pub(crate) bytes: Option<Uint8Array>,
    /// A document that was read; else empty.
    pub(crate) document: Vec<u8>,
    /// What was found wrong with object bytes that are verified on their way.
    pub(crate) verdict: Verdict,
}

impl Body {
    /// Takes a framed body whose content has this length, and whose chunks are signed.
    ///
    /// # Errors
    /// What is wrong with one without content; one with content is verified on its way.
    pub(crate) async fn unframed(
        arrival: &Arrival,
        length: u64,
        unframer: Unframer,
    ) -> Result<Self, Refusal> {
        let framed = arrival.body.as_ref().ok_or(Fault::BodyIncomplete)?;
        let verdict = Verdict::default();
        let stream = if length == 0 {
            // The origin would store an empty object before the end of the body is verified.
            unframed::nothing(framed, unframer).await?;
            None
        } else {
            let stream = unframed::stream(framed, length, unframer, &verdict);
            Some(stream.map_err(|error| {
                Refusal::new(Fault::GatewayFailed).because(["no stream: ", &said(&error)].concat())
            })?)
        };
        Ok(Self {
            stream,
            verdict,
            ..Self::default()
        })
    }

    /// Takes the body of a request.
    ///
    /// # Errors
    /// `EntityTooLarge` for a document above the rule's limit, `IncompleteBody` for one that breaks off,
    /// `MissingContentLength` for object bytes of unstated length.
    pub(crate) async fn take(arrival: &Arrival, rule: BodyRule) -> Result<Self, Refusal> {
        let stream = arrival.body.clone();
        match rule {
            BodyRule::Stream | BodyRule::Blocks => Ok(Self {
                stream,
                ..Self::default()
            }),
            BodyRule::Ignore => Ok(Self::default()),
            BodyRule::Empty => match stream {
                Some(stream) if read_document(&stream, 0).await?.is_some() => Ok(Self::default()),
                _ => Err(Fault::LengthMissing.into()),
            },
            BodyRule::Read { most } => {
                let document = match stream {
                    Some(stream) => read_document(&stream, most).await?.ok_or(Fault::EntityTooLarge)?,
                    None => Vec::new(),
                };
                Ok(Self {
                    document,
                    ..Self::default()
                })
            }
        }
    }
}

/// The whole body, or `None` where it is longer than `most` bytes.
async fn read_document(stream: &web_sys::ReadableStream, most: usize) -> Result<Option<Vec<u8>>, Refusal> {
    match read(stream, most).await {
        Ok(Bounded::Whole(bytes)) => Ok(Some(bytes)),
        Ok(Bounded::Cut(_)) => Ok(None),
        Err(_) => Err(Fault::BodyIncomplete.into()),
    }
}

/// What was read of a stream.
pub(crate) enum Bounded {
    /// All of it.
    Whole(Vec<u8>),
    /// The limit's worth and something more; the rest was cancelled.
    Cut(Vec<u8>),
}

impl Bounded {
    /// What was read.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Whole(bytes) | Self::Cut(bytes) => bytes,
        }
    }
}

/// Reads a stream of bytes up to `most` of them, and one chunk beyond.
pub(crate) async fn read(stream: &web_sys::ReadableStream, most: usize) -> Result<Bounded, JsValue> {
    let reader: web_sys::ReadableStreamDefaultReader = stream.get_reader().dyn_into()?;
    let mut bytes = Vec::new();
    loop {
        let result = JsFuture::from(reader.read()).await?;
        if Reflect::get(&result, &"done".into())?.is_truthy() {
            return Ok(Bounded::Whole(bytes));
        }
        let chunk: Uint8Array = Reflect::get(&result, &"value".into())?.dyn_into()?;
        bytes.extend(chunk.to_vec());
        if bytes.len() > most {
            // The result of a cancellation is of no interest to anybody.
            let _cancelled = reader.cancel();
            return Ok(Bounded::Cut(bytes));
        }
    }
}
