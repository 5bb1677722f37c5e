//! Object bytes in signed chunks, verified and taken apart on their way to the origin.
//!
//! Here alone do object bytes enter wasm: nothing else can compare the signatures of chunks. The origin is
//! told the length of the content. What came last is kept back until the whole body was verified, so a
//! body that is not what was signed stays short of that length, and nothing is stored.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{Reflect, Uint8Array};
use oss_s3::error::Fault;
use request_auth::aws_v4::Unframer;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{ReadableStream, ReadableStreamDefaultReader, WritableStreamDefaultWriter};

use crate::platform::pipe;

/// What was found wrong with a body on its way, once something was.
pub(crate) type Verdict = Rc<Cell<Option<Fault>>>;

/// The content of a framed body of signed chunks, as a stream of `length` bytes.
///
/// # Errors
/// A failure of the platform's.
pub(crate) fn stream(
    framed: &ReadableStream,
    length: u64,
    unframer: Unframer,
    verdict: &Verdict,
) -> Result<ReadableStream, JsValue> {
    let reader: ReadableStreamDefaultReader = framed.get_reader().dyn_into()?;
    let (stream, writer) = pipe(length)?;
    let verdict = Rc::clone(verdict);
    spawn_local(async move {
        match pump(&reader, unframer, &writer).await {
            Ok(()) => {}
            Err(Broken::Body(fault)) => {
                verdict.set(Some(fault));
                // Neither answer is of interest to anybody: the upload is over.
                let _aborted = writer.abort();
                let _cancelled = reader.cancel();
            }
            // The origin hung up, and says why itself.
            Err(Broken::Origin) => {
                let _cancelled = reader.cancel();
            }
        }
    });
    Ok(stream)
}

/// Verifies a framed body without content to its end.
///
/// # Errors
/// What is wrong with it.
pub(crate) async fn nothing(framed: &ReadableStream, mut unframer: Unframer) -> Result<(), Fault> {
    let reader: ReadableStreamDefaultReader =
        framed.get_reader().dyn_into().map_err(|_| Fault::GatewayFailed)?;
    let mut content = Vec::new();
    while let Some(piece) = next(&reader).await? {
        if let Err(denial) = unframer.take(&piece, &mut content) {
            let _cancelled = reader.cancel();
            return Err(denial.into());
        }
    }
    Ok(unframer.finish()?)
}

/// On which side an upload broke.
enum Broken {
    Body(Fault),
    Origin,
}

impl<E: Into<Fault>> From<E> for Broken {
    fn from(fault: E) -> Self {
        Self::Body(fault.into())
    }
}

async fn pump(
    reader: &ReadableStreamDefaultReader,
    mut unframer: Unframer,
    writer: &WritableStreamDefaultWriter,
) -> Result<(), Broken> {
    let mut kept_back = Vec::new();
    while let Some(piece) = next(reader).await? {
        let mut content = Vec::new();
        unframer.take(&piece, &mut content)?;
        if !content.is_empty() {
            write(writer, &core::mem::replace(&mut kept_back, content)).await?;
        }
    }
    unframer.finish()?;
    write(writer, &kept_back).await?;
    let closed = JsFuture::from(writer.close()).await;
    closed.map(drop).map_err(|_| Broken::Origin)
}

async fn write(writer: &WritableStreamDefaultWriter, content: &[u8]) -> Result<(), Broken> {
    if content.is_empty() {
        return Ok(());
    }
    let written = writer.write_with_chunk(&Uint8Array::from(content));
    JsFuture::from(written)
        .await
        .map(drop)
        .map_err(|_| Broken::Origin)
}

/// The next piece of a body; `None` at its end.
async fn next(reader: &ReadableStreamDefaultReader) -> Result<Option<Vec<u8>>, Fault> {
    let read = async {
        let result = JsFuture::from(reader.read()).await?;
        if Reflect::get(&result, &"done".into())?.is_truthy() {
            return Ok(None);
        }
        let piece: Uint8Array = Reflect::get(&result, &"value".into())?.dyn_into()?;
        Ok::<_, JsValue>(Some(piece.to_vec()))
    };
    read.await.map_err(|_| Fault::BodyIncomplete)
}
