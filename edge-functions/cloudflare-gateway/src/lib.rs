//! The gateway as a Cloudflare Worker.
//!
//! The roles are not connected yet: every request is answered 503 and nothing reaches an origin.

use worker::{Context, Env, Headers, Request, Response, Result, event};

const UNAVAILABLE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>\n  <Code>ServiceUnavailable</Code>\n  \
    <Message>This gateway is not ready to serve requests.</Message>\n</Error>\n";

#[event(fetch)]
async fn answer(_request: Request, _env: Env, _context: Context) -> Result<Response> {
    let headers = Headers::new();
    headers.set("content-type", "application/xml")?;
    Ok(Response::error(UNAVAILABLE, 503)?.with_headers(headers))
}
