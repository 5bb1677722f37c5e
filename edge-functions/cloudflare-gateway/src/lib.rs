//! The gateway as a Cloudflare Worker: the three roles in one isolate, with the platform's own fetch,
//! KV and streams around them.
//!
//! Nothing is decided here. The client's own stream is handed to the origin's request, and the origin's own
//! to the client's answer, which keeps their Content-Length and the memory flat. An object's bytes are
//! looked at in wasm in two cases only: signed chunks are verified, and a form's file is watched for its end.

mod allowance;
mod arrival;
mod blocks;
mod body;
mod early;
#[cfg(feature = "post-object")]
mod form;
mod join;
mod log;
mod origin;
mod platform;
mod reply;
mod settings;
mod store;
mod unframed;

use gateway::cors::{self, ORIGIN};
use gateway::response_handler::{Exchange, Step};
use gateway::router::BodyRule;
use gateway::{authorizer, router};
use oss_s3::answer::{Asked, Scheme};
use oss_s3::errand::Errand;
use oss_s3::error::Refusal;
use request_auth::{Denial, Dialect, UnixSeconds};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};
use wasm_bindgen_futures::future_to_promise;
use web_sys::{Request, Response};
use worker::Env;

use crate::arrival::Arrival;
use crate::body::Body;
use crate::early::Early;
use crate::log::Entry;
use crate::origin::Origin;
use crate::platform::Context;
use crate::reply::Reply;
use crate::settings::Settings;

/// Answers a request. Not by the macro of `worker`, which makes 10 KB of answers and errors of its own reachable.
///
/// # Errors
/// What the platform refuses to make of an answer.
#[wasm_bindgen]
pub async fn fetch(request: Request, env: Env, context: Context) -> Result<Response, JsValue> {
    answer(&request, &env, &context).await
}

async fn answer(request: &Request, env: &JsValue, context: &Context) -> Result<Response, JsValue> {
    let began = platform::now();
    let now = UnixSeconds(i64::try_from(began / 1000).unwrap_or_default());
    let arrival = Arrival::read(request);
    let request_id = reply::request_id();
    let path = arrival.path();
    let mut asked = Asked {
        dialect: Dialect::spoken(
            arrival.target(),
            arrival.header("authorization").as_bytes(),
            arrival.header("cookie").as_bytes(),
        ),
        request_id: &request_id,
        now,
        method: &arrival.method,
        scheme: if arrival.secure {
            Scheme::Https
        } else {
            Scheme::Http
        },
        host: arrival.header("host"),
        path: &path,
    };
    let mut entry = Entry::new(&request_id, &arrival.method, asked.host, began);
    let mut reply = match serve(&arrival, env, &mut asked, &mut entry).await {
        Ok(reply) => reply,
        Err(refusal) => {
            entry.line.refused(&refusal, asked.dialect);
            refusal.answer(&asked).into()
        }
    };
    let bucket = entry.line.bucket.as_deref();
    if !arrival.header(ORIGIN).is_empty()
        && let (Ok(settings), Ok(head)) = (Settings::of(env), arrival.head())
        && let Some(shared) = cors::shared(&settings.config, &head, bucket, asked.dialect)
    {
        shared.mark(&mut reply.answer);
    }
    entry.write(Some(reply.answer.status));
    if let Some(early) = reply.early.take() {
        let settings = Settings::of(env);
        context.wait_until(&future_to_promise(async {
            if let Ok(settings) = settings {
                early.run(settings).await;
            }
            Ok(JsValue::UNDEFINED)
        }));
    }
    reply.response()
}

/// The pipeline: head, claim, key, permission, route, origin, answer.
async fn serve(
    arrival: &Arrival,
    env: &JsValue,
    asked: &mut Asked<'_>,
    entry: &mut Entry,
) -> Result<Reply, Refusal> {
    let settings = Settings::of(env)?;
    let head = arrival.head().map_err(Denial::from)?;
    if let Some(answer) = cors::preflight(&settings.config, &head, asked) {
        return answer.map(Reply::from);
    }
    #[cfg(feature = "post-object")]
    if let Some(boundary) = gateway::form::arriving(&settings.config, &head)? {
        return form::serve(arrival, env, &settings, (&head, boundary), asked, entry).await;
    }
    let claim = authorizer::claim(&settings.config, &head)?;
    entry.line.access_key_id = Some(claim.key_id().to_owned());
    let record = store::find(
        env,
        claim.record_id(),
        settings.config.key_cache,
        asked.now,
        &mut entry.line,
    )
    .await?;
    let authorized = authorizer::authorize(&settings.config, &head, &claim, &record, asked.now)?;
    entry.authorized(&authorized);
    let length = router::content_length(&head);
    let errand = authorized.errand(&settings.seals)?.of_length(length);
    let rule = router::body_rule_of(&authorized, length)?;
    if rule == BodyRule::Blocks {
        router::check_chunked(&head)?;
        return blocks::serve(arrival, &authorized, errand, &settings, asked, entry).await;
    }
    let body = match authorized.unframer()? {
        Some((length, unframer)) => Body::unframed(arrival, length, unframer).await?,
        None => Body::take(arrival, rule).await?,
    };
    exchange(errand, &body, &settings, asked, entry).await
}

/// The conversation with the origin about what was permitted, and its answer.
async fn exchange(
    errand: Errand<'_>,
    body: &Body,
    settings: &Settings,
    asked: &Asked<'_>,
    entry: &mut Entry,
) -> Result<Reply, Refusal> {
    let origin = Origin::new(&errand.bucket().origin, settings, entry.began);
    let (mut exchange, mut step) = Exchange::begin(errand, &body.document, asked)?;
    let mut stream = None;
    loop {
        step = match step {
            Step::Send(request) => {
                let most = |status| exchange.document_bytes(status);
                match origin.send(&request, body, &most).await {
                    Ok((answer, bytes)) => {
                        stream = bytes;
                        entry.answered(&answer);
                        exchange.advance(&answer, asked, origin.meter.left())?
                    }
                    Err(refusal) => exchange.unanswered(refusal)?,
                }
            }
            Step::Together(tasks) => {
                let most = |status| exchange.document_bytes(status);
                let outcomes = join::together(&tasks, &origin, &most).await;
                exchange.advance_together(outcomes, asked, origin.meter.left())?
            }
            Step::Answer(answer) => {
                if let Some(warning) = exchange.warning() {
                    entry.line.alarm(warning);
                }
                let early = Early::after(&exchange, origin.meter, entry);
                return Ok(Reply {
                    answer,
                    stream: None,
                    early,
                });
            }
            Step::Stream(answer) => {
                return Ok(Reply {
                    answer,
                    stream,
                    early: None,
                });
            }
        };
    }
}
