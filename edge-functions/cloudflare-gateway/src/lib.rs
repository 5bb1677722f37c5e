//! The gateway as a Cloudflare Worker: the three roles in one isolate, with the platform's own fetch,
//! KV and streams around them.
//!
//! Nothing is decided here. The client's own stream is handed to the origin's request, and the origin's own
//! to the client's answer, which keeps their Content-Length and the memory flat. An object's bytes are
//! looked at in wasm in two cases only: signed chunks are verified, and a form's file is watched for its end.

mod arrival;
mod body;
#[cfg(feature = "post-object")]
mod form;
mod log;
mod origin;
mod reply;
mod settings;
mod store;
mod unframed;

use gateway::response_handler::{Exchange, Step};
use gateway::{authorizer, cors, router};
use oss_s3::answer::{Asked, Scheme};
use oss_s3::errand::Errand;
use oss_s3::error::Refusal;
use request_auth::{Denial, Dialect, RequestHead, UnixSeconds};
use worker::web_sys::{Request, Response};
use worker::{Context, Date, Env, Result, event};

use crate::arrival::Arrival;
use crate::body::Body;
use crate::log::Entry;
use crate::reply::Reply;
use crate::settings::Settings;

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    let began = Date::now().as_millis();
    let now = UnixSeconds(i64::try_from(began / 1000).unwrap_or_default());
    let arrival = Arrival::read(&request);
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
    let received = Settings::of(&env).and_then(|settings| {
        let head = arrival.head().map_err(Denial::from)?;
        Ok((settings, head))
    });
    let outcome = match &received {
        Ok((settings, head)) => match cors::preflight(&settings.config, head, &asked) {
            Some(answer) => answer.map(Reply::from),
            None => serve(&arrival, head, &env, settings, &mut asked, &mut entry).await,
        },
        Err(refusal) => Err(refusal.clone()),
    };
    let mut reply = outcome.unwrap_or_else(|refusal| {
        entry.line.refused(&refusal, asked.dialect);
        refusal.answer(&asked).into()
    });
    if let Ok((settings, head)) = &received
        && let Some(shared) = cors::shared(
            &settings.config,
            head,
            entry.line.bucket.as_deref(),
            asked.dialect,
        )
    {
        shared.mark(&mut reply.answer);
    }
    entry.write(reply.answer.status);
    reply.response()
}

/// The pipeline: claim, key, permission, route, origin, answer.
async fn serve(
    arrival: &Arrival,
    head: &RequestHead<'_>,
    env: &Env,
    settings: &Settings,
    asked: &mut Asked<'_>,
    entry: &mut Entry,
) -> std::result::Result<Reply, Refusal> {
    #[cfg(feature = "post-object")]
    if let Some(boundary) = gateway::form::arriving(&settings.config, head)? {
        return form::serve(arrival, env, settings, (head, boundary), asked, entry).await;
    }
    let claim = authorizer::claim(&settings.config, head)?;
    entry.line.access_key_id = Some(claim.key_id().to_owned());
    let record = store::find(
        env,
        claim.record_id(),
        settings.config.key_cache,
        asked.now,
        &mut entry.line,
    )
    .await?;
    let authorized = authorizer::authorize(&settings.config, head, &claim, &record, asked.now)?;
    entry.authorized(&authorized);
    let errand = authorized.errand()?;
    let rule = router::body_rule_of(&authorized, router::content_length(head))?;
    let body = match authorized.unframer()? {
        Some((length, unframer)) => Body::unframed(arrival, length, unframer).await?,
        None => Body::take(arrival, rule).await?,
    };
    exchange(errand, &body, settings, asked, entry).await
}

/// The conversation with the origin about what was permitted, and its answer.
async fn exchange(
    errand: Errand<'_>,
    body: &Body,
    settings: &Settings,
    asked: &Asked<'_>,
    entry: &mut Entry,
) -> std::result::Result<Reply, Refusal> {
    let origin = &errand.bucket().origin;
    let (mut exchange, mut step) = Exchange::begin(errand, &body.document, asked)?;
    let mut stream = None;
    loop {
        let request = match step {
            Step::Send(request) => request,
            Step::Answer(answer) => return Ok(answer.into()),
            Step::Stream(answer) => return Ok(Reply { answer, stream }),
        };
        let (answer, bytes) = origin::send(&request, body, &exchange, origin, &settings.credentials).await?;
        stream = bytes;
        entry.answered(&answer);
        step = exchange.advance(&answer, asked)?;
    }
}
