//! The Worker's log, one JSON object per request, as one line that a person can read.

use serde::Deserialize;

/// What the Worker logs of a request.
#[derive(Deserialize)]
struct Line {
    time: String,
    request_id: String,
    method: String,
    host: String,
    operation: Option<String>,
    bucket: Option<String>,
    key: Option<String>,
    access_key_id: Option<String>,
    status: u16,
    code: Option<String>,
    reason: Option<String>,
    origin_status: Option<u16>,
    milliseconds: Option<f64>,
}

/// The line to print for a line that workerd wrote; what is no request's line stays as it is, less its
/// control characters.
pub(crate) fn readable(line: &str) -> String {
    match serde_json::from_str::<Line>(line) {
        Ok(line) => printable(&describe(&line)),
        Err(_) => printable(line),
    }
}

fn describe(line: &Line) -> String {
    // 2026-03-01T12:34:56.789Z
    let time = line.time.get(11..19).unwrap_or(&line.time);
    let operation = line.operation.as_deref().unwrap_or("-");
    let target = match (&line.bucket, &line.key) {
        (Some(bucket), Some(key)) => format!("{bucket}/{key}"),
        (Some(bucket), None) => bucket.clone(),
        _ => line.host.clone(),
    };
    let mut text = format!(
        "{time}  {}  {:<6} {operation:<23} {target}",
        line.status, line.method
    );
    if let Some(code) = &line.code {
        text.push_str(&format!("  {code}"));
    }
    if let Some(reason) = &line.reason {
        text.push_str(&format!(": {reason}"));
    }
    let mut details = Vec::new();
    details.extend(line.access_key_id.as_ref().map(|id| format!("key {id}")));
    details.extend(line.origin_status.map(|status| format!("origin {status}")));
    details.extend(line.milliseconds.map(|ms| format!("{ms:.0} ms")));
    details.push(line.request_id.clone());
    format!("{text}  ({})", details.join(", "))
}

/// Control characters would let a key write to the terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() && c != '\t' {
                '\u{FFFD}'
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSED: &str = r#"{"time":"2026-03-01T12:34:56.789Z","request_id":"65A0","method":"PUT","host":"127.0.0.1",
        "operation":"PutObject","bucket":"devices","key":"a/b\u001b[2J","access_key_id":"LTAI1","status":403,
        "code":"SignatureDoesNotMatch","reason":"no candidate matched","origin_status":null,
        "origin_request_id":null,"milliseconds":1.6,"level":"warn"}"#;

    #[test]
    fn a_refused_request_shows_why() {
        assert_eq!(
            readable(&REFUSED.replace('\n', "")),
            "12:34:56  403  PUT    PutObject               devices/a/b\u{FFFD}[2J  SignatureDoesNotMatch: \
             no candidate matched  (key LTAI1, 2 ms, 65A0)"
        );
    }

    #[test]
    fn a_line_that_is_no_requests_passes_through() {
        assert_eq!(readable("{\"half\": "), "{\"half\": ");
    }
}
