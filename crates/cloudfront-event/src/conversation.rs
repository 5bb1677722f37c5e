//! The conversation of a function with the Node handler around it: the one protocol of all three.
//!
//! The functions do no IO. What they say is JSON: `{"send": {"method", "url", "headers", "body",
//! "most_bytes", "timeout_ms"}}`, fetch this, with `body` decoded from base64 (`null`: none), follow no
//! redirect, and read at most `most_bytes` of the answer and one byte more; or how it ends,
//! `{"request": …, "log": …}` or `{"response": …, "log": …}`, where `log` is one line for the log. What
//! Node says is `{"status", "headers", "body"}`, with lower-case header names and the body in base64, or
//! `{"failed": "why"}`. Anything else counts as a failure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gateway::document::{Field, Holds, Node};
use gateway::secrets::{self, Question};
use oss_s3::error::Refusal;
use oss_s3::response::OriginAnswer;
use request_auth::UnixSeconds;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::visit::Visit;

/// A request for Node to send.
pub struct Send {
    /// The method.
    pub method: &'static str,
    /// The whole URL.
    pub url: String,
    /// Lower-case names and values; bearer secrets among them.
    pub headers: Vec<(String, String)>,
    /// The body, where there is one.
    pub body: Option<Vec<u8>>,
    /// The most bytes of the answer's body that are read.
    pub most_bytes: usize,
    /// How long to wait for the whole answer, in milliseconds.
    pub timeout_ms: u32,
}

impl From<Question> for Send {
    fn from(question: Question) -> Self {
        let headers = question.headers.into_iter();
        Self {
            method: "POST",
            url: question.url,
            headers: headers.map(|(name, value)| (name.to_owned(), value)).collect(),
            body: Some(question.body.into_bytes()),
            most_bytes: secrets::MAX_ANSWER_BYTES,
            timeout_ms: secrets::TIMEOUT_MILLISECONDS,
        }
    }
}

/// What came of a [`Send`]: the answer, or why there is none.
pub type Fetched = Result<OriginAnswer, String>;

/// What comes next.
pub enum Step {
    /// Send this.
    Send(Send),
    /// The end, as [`answers`](crate::answers) write it.
    End(String),
}

/// One event being served by one of the functions.
pub trait Work {
    /// What is known of it so far.
    fn visit(&mut self) -> &mut Visit;

    /// Goes on until something has to be fetched, or to the end.
    ///
    /// # Errors
    /// The refusal that ends it.
    fn go_on(&mut self) -> Result<Step, Refusal>;

    /// The end of a request that is refused.
    fn refuse(&mut self, refusal: &Refusal) -> String;
}

/// The conversation about one event.
#[wasm_bindgen]
pub struct Conversation {
    /// `None` once it has ended.
    work: Option<Box<dyn Work>>,
    step: String,
}

#[wasm_bindgen]
impl Conversation {
    /// What to do now.
    pub fn step(&self) -> String {
        self.step.clone()
    }

    /// Takes what was fetched, and says what to do next. `now` is in seconds since 1970.
    pub fn advance(&mut self, answer: &str, now: f64) -> String {
        if let Some(work) = self.work.take() {
            self.go_on(work, Some(fetched(answer)), seconds(now));
        }
        self.step()
    }
}

impl Conversation {
    /// Begins with an event.
    pub fn begin(work: Box<dyn Work>, now: UnixSeconds) -> Self {
        let mut conversation = Self {
            work: None,
            step: String::new(),
        };
        conversation.go_on(work, None, now);
        conversation
    }

    /// One that has nothing to say but its end.
    pub const fn ended(end: String) -> Self {
        Self {
            work: None,
            step: end,
        }
    }

    fn go_on(&mut self, mut work: Box<dyn Work>, fetched: Option<Fetched>, now: UnixSeconds) {
        let visit = work.visit();
        visit.now = now;
        visit.fetched = fetched;
        match work.go_on() {
            Ok(Step::Send(send)) => {
                self.step = written(send);
                self.work = Some(work);
            }
            Ok(Step::End(end)) => self.step = end,
            Err(refusal) => self.step = work.refuse(&refusal),
        }
    }
}

/// JavaScript's numbers to whole seconds; what is no number is 1970, which no signature and no passport
/// survives.
pub fn seconds(now: f64) -> UnixSeconds {
    UnixSeconds(now as i64)
}

fn written(send: Send) -> String {
    let headers = send.headers.into_iter();
    let headers = headers.map(|(name, value)| (name.into(), value.into()));
    let send = Node::table([
        ("method", send.method.into()),
        ("url", send.url.into()),
        ("headers", Node::Table(headers.collect())),
        (
            "body",
            send.body
                .map_or(Node::Null, |bytes| STANDARD.encode(bytes).into()),
        ),
        (
            "most_bytes",
            Node::Whole(i64::try_from(send.most_bytes).unwrap_or(i64::MAX)),
        ),
        ("timeout_ms", Node::Whole(send.timeout_ms.into())),
    ]);
    Node::table([("send", send)]).to_json()
}

fn fetched(answer: &str) -> Fetched {
    let answer = Node::from_json(answer).and_then(|answer| {
        answer.read(Holds::Secrets, |answer| {
            answer.table(|fields| {
                if let Some(why) = fields.take("failed").optional(Field::string) {
                    return Err(why);
                }
                let status = fields.take("status").whole();
                let headers = fields
                    .take("headers")
                    .map(|name, value| (name.into_owned(), value.string().into_bytes()));
                let body = STANDARD.decode(fields.take("body").text().as_bytes());
                Ok((status, headers, body))
            })
        })
    });
    let odd = "the function fetched something else than an answer";
    let (status, headers, body) = answer.map_err(|_| odd)??;
    Ok(OriginAnswer {
        status,
        headers,
        body: body.map_err(|_| odd)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_whole_or_counts_as_a_failure() {
        let whole = r#"{"status": 200, "headers": {"etag": "e"}, "body": "YQ=="}"#;
        let answer = fetched(whole).unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (200, b"a".as_slice()));
        assert_eq!(answer.headers, [("etag".to_owned(), b"e".to_vec())]);
        assert_eq!(fetched(r#"{"failed": "timed out"}"#).unwrap_err(), "timed out");
        for (from, to) in [
            (whole, ""),
            (whole, "null"),
            (whole, "{}"),
            (whole, r#"{"failed": 1}"#),
            ("200", "99999"),
            ("200", "-1"),
            ("200", "\"200\""),
            (r#"{"etag": "e"}"#, "[]"),
            (r#""e""#, "1"),
            ("YQ==", "YQ="),
            (r#""YQ==""#, "null"),
        ] {
            let bad = whole.replace(from, to);
            assert!(fetched(&bad).unwrap_err().contains("something else"), "{bad}");
        }
    }
}
