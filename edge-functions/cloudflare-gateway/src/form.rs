//! Forms: their fields are read, and the file streams on.
//!
//! The client's stream can't be handed over as it is, since the file is a piece of it. So it is read chunk
//! by chunk, each is looked at for a boundary, and the same chunk is written to a stream of the file's
//! length, whose other end is the body of the origin's request. One chunk is held back: it is written once
//! the form has ended as it has to, and an upload that is broken off before is never whole.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use gateway::form::{self, Boundary, FileScan, FormReader, MAX_BUFFERED_BYTES, Opened};
use gateway::router::content_length;
use js_sys::{Reflect, Uint8Array};
use oss_s3::answer::Asked;
use oss_s3::error::{Fault, Refusal};
use request_auth::RequestHead;
use request_auth::post_policy::{Form, FormClaim};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::arrival::Arrival;
use crate::body::Body;
use crate::log::Entry;
use crate::platform::{pipe, said};
use crate::reply::Reply;
use crate::settings::Settings;
use crate::{exchange, store};

/// The pipeline of a form: fields, claim, key, signature, policy, permission, origin, answer. From its
/// fields on, the form says which dialect it is answered in.
pub(crate) async fn serve(
    arrival: &Arrival,
    env: &JsValue,
    settings: &Settings,
    (head, boundary): (&RequestHead<'_>, Boundary),
    asked: &mut Asked<'_>,
    entry: &mut Entry,
) -> Result<Reply, Refusal> {
    let source = Source::of(arrival)?;
    let mut reader = FormReader::new(boundary, content_length(head));
    let opened = loop {
        let Some(chunk) = source.next().await? else {
            return Err(reader.ended());
        };
        if let Some(opened) = reader.push(&chunk.to_vec())? {
            break opened;
        }
    };
    asked.dialect = opened.fields.dialect();
    let claim = FormClaim::of(&opened.fields)?;
    entry.line.access_key_id = Some(claim.key_id().to_owned());
    let config = &settings.config;
    let times = config.key_cache;
    let record = store::find(env, claim.record_id(), times, asked.now, &mut entry.line).await?;
    form::authenticate(config, &claim, &opened.fields, &record, asked.now)?;

    let Opened {
        fields,
        file_name,
        shape,
        begun,
    } = opened;
    let form = |file_bytes| Form {
        fields: &fields,
        file_name: &file_name,
        file_bytes,
    };
    match shape.streamed_bytes() {
        None => {
            let rest = source.rest(begun).await?;
            let file = shape.file(&rest)?;
            let form = form(u64::try_from(file.len()).unwrap_or(u64::MAX));
            let authorized = form::authorize(config, head, &claim, &form, &record, asked.now)?;
            entry.authorized(&authorized);
            let body = Body {
                bytes: Some(Uint8Array::from(file)),
                ..Body::default()
            };
            exchange(authorized.errand(&settings.seals)?, &body, settings, asked, entry).await
        }
        Some(file_bytes) => {
            let form = form(file_bytes);
            let authorized = form::authorize(config, head, &claim, &form, &record, asked.now)?;
            entry.authorized(&authorized);
            let (stream, sink) = pipe(file_bytes).map_err(|error| {
                Refusal::new(Fault::GatewayFailed)
                    .because(["a stream could not be made: ", &said(&error)].concat())
            })?;
            let body = Body {
                stream: Some(stream),
                ..Body::default()
            };
            let sending = exchange(authorized.errand(&settings.seals)?, &body, settings, asked, entry);
            let feeding = feed(&source, begun, shape.scan(file_bytes), &sink);
            fed(feeding, sending).await
        }
    }
}

/// Runs both at once. What is wrong with the form is told before what the origin says of the upload that
/// was broken off for it.
async fn fed(
    feeding: impl Future<Output = Result<(), Refusal>>,
    sending: impl Future<Output = Result<Reply, Refusal>>,
) -> Result<Reply, Refusal> {
    let (mut feeding, mut sending) = (pin!(feeding), pin!(sending));
    let mut has_fed = false;
    poll_fn(|context| {
        if !has_fed && let Poll::Ready(outcome) = feeding.as_mut().poll(context) {
            has_fed = true;
            if let Err(refusal) = outcome {
                return Poll::Ready(Err(refusal));
            }
        }
        sending.as_mut().poll(context)
    })
    .await
}

/// Writes the file to the sink while it arrives, the last chunk only once the form has ended as it has
/// to; else the sink is broken, and with it the origin's request.
async fn feed(
    source: &Source,
    begun: Vec<u8>,
    mut scan: FileScan<'_>,
    sink: &web_sys::WritableStreamDefaultWriter,
) -> Result<(), Refusal> {
    let outcome = feed_whole(source, begun, &mut scan, sink).await;
    if outcome.is_err() {
        // The result of breaking off is of no interest to anybody.
        let _aborted = sink.abort();
    }
    outcome
}

async fn feed_whole(
    source: &Source,
    begun: Vec<u8>,
    scan: &mut FileScan<'_>,
    sink: &web_sys::WritableStreamDefaultWriter,
) -> Result<(), Refusal> {
    let mut looked_at = Vec::new();
    let mut held: Option<Uint8Array> = None;
    let mut next = Some(Uint8Array::from(begun.as_slice()));
    while let Some(chunk) = next {
        looked_at.resize(usize::try_from(chunk.length()).unwrap_or_default(), 0);
        chunk.copy_to(&mut looked_at);
        let of_file = u32::try_from(scan.push(&looked_at)?).unwrap_or(u32::MAX);
        if of_file > 0
            && let Some(earlier) = held.replace(chunk.subarray(0, of_file))
            && JsFuture::from(sink.write_with_chunk(&earlier)).await.is_err()
        {
            // The origin takes no more: its answer says why.
            return Ok(());
        }
        next = source.next().await?;
    }
    scan.finish()?;
    if let Some(last) = held {
        let _written = JsFuture::from(sink.write_with_chunk(&last)).await;
    }
    let _closed = JsFuture::from(sink.close()).await;
    Ok(())
}

/// The client's body, chunk by chunk.
struct Source(web_sys::ReadableStreamDefaultReader);

impl Source {
    fn of(arrival: &Arrival) -> Result<Self, Refusal> {
        let stream = arrival.body.as_ref().ok_or(Fault::FormWithoutFile)?;
        let reader = stream.get_reader().dyn_into();
        reader
            .map(Self)
            .map_err(|_| Refusal::new(Fault::GatewayFailed).because("the body's stream has no reader"))
    }

    /// The next chunk; `None` behind the last one.
    async fn next(&self) -> Result<Option<Uint8Array>, Refusal> {
        let read = async {
            let result = JsFuture::from(self.0.read()).await?;
            if Reflect::get(&result, &"done".into())?.is_truthy() {
                return Ok(None);
            }
            Reflect::get(&result, &"value".into())?.dyn_into().map(Some)
        };
        read.await.map_err(|_: JsValue| Fault::BodyIncomplete.into())
    }

    /// What is left of a form that is read whole, behind what was read already.
    async fn rest(&self, begun: Vec<u8>) -> Result<Vec<u8>, Refusal> {
        let mut bytes = begun;
        while let Some(chunk) = self.next().await? {
            bytes.extend(chunk.to_vec());
            if bytes.len() > MAX_BUFFERED_BYTES {
                let _cancelled = self.0.cancel();
                return Err(Refusal::new(Fault::FormUnstreamable).because("The form has no Content-Length."));
            }
        }
        Ok(bytes)
    }
}
