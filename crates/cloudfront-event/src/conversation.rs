//! The conversation of a function with the Node handler around it: the one protocol of all three.
//!
//! The functions do no IO. What they say is JSON. `{"send": {"method", "url", "headers", "body",
//! "most_bytes", "timeout_ms"}}`: fetch this, with `body` decoded from base64 (`null`: none), follow no
//! redirect, and read at most `most_bytes` of the answer and one byte more. `{"together": [{"send": …}, …]}`:
//! all of these, as many at once as is good; with `"sources": [{"url", "headers"}, …]` and `"bytes"` beside
//! the rest, the body is what GETs of the sources are answered with, one behind the other and of this length
//! in all, else it is broken off before its end. Or how it ends, `{"request": …, "log": …}` or
//! `{"response": …, "log": …}`, where `log` is one line for the log.
//!
//! What Node says is `{"status", "headers", "body"}`, with lower-case header names and the body in base64,
//! `{"source": 404}`, the status of a source that is not what was to be sent, or `{"failed": "why"}`; to a
//! `together` it says `{"answers": […]}`, one for each in their order. Anything else counts as a failure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gateway::document::{Field, Fields, Holds, Node};
use gateway::response_handler::Outcome;
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
    /// The body.
    pub body: Body,
    /// The most bytes of the answer's body that are read.
    pub most_bytes: usize,
    /// How long to wait for the whole answer, in milliseconds.
    pub timeout_ms: u32,
}

/// What a [`Send`] has as its body.
pub enum Body {
    /// Nothing.
    None,
    /// These bytes.
    Bytes(Vec<u8>),
    /// The bodies of other answers.
    Joined {
        /// What to fetch, one behind the other.
        sources: Vec<Source>,
        /// How many bytes they are together.
        bytes: u64,
    },
}

/// What to fetch with GET for a body that is joined.
pub struct Source {
    /// The whole URL.
    pub url: String,
    /// Lower-case names and values; bearer secrets among them.
    pub headers: Vec<(String, String)>,
}

impl From<Question> for Send {
    fn from(question: Question) -> Self {
        let headers = question.headers.into_iter();
        Self {
            method: "POST",
            url: question.url,
            headers: headers.map(|(name, value)| (name.to_owned(), value)).collect(),
            body: Body::Bytes(question.body.into_bytes()),
            most_bytes: secrets::MAX_ANSWER_BYTES,
            timeout_ms: secrets::TIMEOUT_MILLISECONDS,
        }
    }
}

/// What came back.
pub enum Fetched {
    /// To a [`Step::Send`]: the answer, or why there is none.
    One(Result<OriginAnswer, String>),
    /// To a [`Step::Together`]: what became of each, in their order.
    Each(Vec<Outcome>),
}

impl Fetched {
    /// What came of the one request.
    ///
    /// # Errors
    /// Why there is no answer to it.
    pub fn one(self) -> Result<OriginAnswer, String> {
        match self {
            Self::One(fetched) => fetched,
            Self::Each(_) => Err(ODD.to_owned()),
        }
    }
}

/// What comes next.
pub enum Step {
    /// Send this.
    Send(Send),
    /// Send all of these; none waits for another.
    Together(Vec<Send>),
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
    /// How many requests the step is that were to be sent together; `None` for one alone.
    several: Option<usize>,
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
            self.go_on(work, Some(fetched(answer, self.several)), seconds(now));
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
            several: None,
        };
        conversation.go_on(work, None, now);
        conversation
    }

    /// One that has nothing to say but its end.
    pub const fn ended(end: String) -> Self {
        Self {
            work: None,
            step: end,
            several: None,
        }
    }

    fn go_on(&mut self, mut work: Box<dyn Work>, fetched: Option<Fetched>, now: UnixSeconds) {
        let visit = work.visit();
        visit.now = now;
        visit.fetched = fetched;
        match work.go_on() {
            Ok(Step::Send(send)) => {
                self.step = written(send).to_json();
                self.several = None;
                self.work = Some(work);
            }
            Ok(Step::Together(sends)) => {
                self.several = Some(sends.len());
                let sends = sends.into_iter().map(written).collect();
                self.step = Node::table([("together", Node::List(sends))]).to_json();
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

const ODD: &str = "the function fetched something else than an answer";

fn written(send: Send) -> Node<'static> {
    let mut node = Node::table([
        ("method", send.method.into()),
        ("url", send.url.into()),
        ("headers", headers(send.headers)),
        ("body", Node::Null),
        ("most_bytes", whole(send.most_bytes)),
        ("timeout_ms", Node::Whole(send.timeout_ms.into())),
    ]);
    match send.body {
        Body::None => {}
        Body::Bytes(bytes) => node.set("body", STANDARD.encode(bytes).into()),
        Body::Joined { sources, bytes } => {
            let source = |source: Source| {
                Node::table([("url", source.url.into()), ("headers", headers(source.headers))])
            };
            node.set("sources", Node::List(sources.into_iter().map(source).collect()));
            node.set("bytes", whole(bytes));
        }
    }
    Node::table([("send", node)])
}

fn headers(headers: Vec<(String, String)>) -> Node<'static> {
    let headers = headers.into_iter();
    Node::Table(headers.map(|(name, value)| (name.into(), value.into())).collect())
}

fn whole(number: impl TryInto<i64>) -> Node<'static> {
    Node::Whole(number.try_into().unwrap_or(i64::MAX))
}

/// Reads what Node says to one request, or to `several`.
fn fetched(answer: &str, several: Option<usize>) -> Fetched {
    let outcomes = Node::from_json(answer).and_then(|answer| {
        answer.read(Holds::Secrets, |answer| {
            answer.table(|fields| match several {
                None => vec![outcome(fields)],
                Some(_) => fields.take("answers").list(|answer| answer.table(outcome)),
            })
        })
    });
    let mut outcomes = outcomes.unwrap_or_default();
    match several {
        None => Fetched::One(match outcomes.pop() {
            Some(Outcome::Answered(answer)) => Ok(answer),
            Some(Outcome::Failed(why)) => Err(why),
            Some(Outcome::Source(_)) | None => Err(ODD.to_owned()),
        }),
        Some(count) if count == outcomes.len() => Fetched::Each(outcomes),
        Some(count) => Fetched::Each((0..count).map(|_| Outcome::Failed(ODD.to_owned())).collect()),
    }
}

fn outcome(fields: &mut Fields<'_, '_>) -> Outcome {
    if let Some(why) = fields.take("failed").optional(Field::string) {
        return Outcome::Failed(why);
    }
    if let Some(status) = fields.take("source").optional(Field::whole) {
        return Outcome::Source(status);
    }
    let status = fields.take("status").whole();
    let headers = fields
        .take("headers")
        .map(|name, value| (name.into_owned(), value.string().into_bytes()));
    match STANDARD.decode(fields.take("body").text().as_bytes()) {
        Ok(body) => Outcome::Answered(OriginAnswer {
            status,
            headers,
            body,
        }),
        Err(_) => Outcome::Failed(ODD.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const WHOLE: &str = r#"{"status": 200, "headers": {"etag": "e"}, "body": "YQ=="}"#;
    /// What to put in the place of what, so that it is no answer any more.
    const DAMAGE: [(&str, &str); 13] = [
        (WHOLE, ""),
        (WHOLE, "null"),
        (WHOLE, "{}"),
        (WHOLE, r#"{"failed": 1}"#),
        (WHOLE, r#"{"source": "404"}"#),
        (WHOLE, r#"{"source": 404, "status": 200}"#),
        ("200", "99999"),
        ("200", "-1"),
        ("200", "\"200\""),
        (r#"{"etag": "e"}"#, "[]"),
        (r#""e""#, "1"),
        ("YQ==", "YQ="),
        (r#""YQ==""#, "null"),
    ];

    fn one(answer: &str) -> Result<OriginAnswer, String> {
        fetched(answer, None).one()
    }

    fn each(answers: &str, count: usize) -> Vec<Outcome> {
        match fetched(answers, Some(count)) {
            Fetched::Each(outcomes) => outcomes,
            Fetched::One(_) => panic!("one answer"),
        }
    }

    #[test]
    fn an_answer_is_read_whole_or_counts_as_a_failure() {
        let answer = one(WHOLE).unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (200, b"a".as_slice()));
        assert_eq!(answer.headers, [("etag".to_owned(), b"e".to_vec())]);
        assert_eq!(one(r#"{"failed": "timed out"}"#).unwrap_err(), "timed out");
        assert!(one(r#"{"source": 404}"#).unwrap_err().contains("something else"));
        for (from, to) in DAMAGE {
            let bad = WHOLE.replace(from, to);
            assert!(one(&bad).unwrap_err().contains("something else"), "{bad}");
        }
        let each = [WHOLE, "{\"answers\": [", "]}"];
        let several = [each[1], each[0], each[2]].concat();
        assert!(one(&several).unwrap_err().contains("something else"));
        assert!(fetched(&several, Some(1)).one().is_err());
    }

    #[test]
    fn several_answers_are_as_many_as_were_asked_for_and_each_whole() {
        let answers = |list: &[&str]| ["{\"answers\": [", &list.join(","), "]}"].concat();
        let (source, failed) = (r#"{"source": 412}"#, r#"{"failed": "reset"}"#);
        let outcomes = each(&answers(&[source, WHOLE, failed]), 3);
        assert!(
            matches!(
                outcomes.as_slice(),
                [Outcome::Source(412), Outcome::Answered(answer), Outcome::Failed(why)]
                    if answer.body == b"a" && why == "reset"
            ),
            "{outcomes:?}"
        );
        assert_eq!(each(&answers(&[]), 0).len(), 0);
        let mut bad = vec![
            answers(&[WHOLE]),
            answers(&[WHOLE, WHOLE, WHOLE]),
            WHOLE.to_owned(),
            failed.to_owned(),
            "{\"answers\": {}}".to_owned(),
            answers(&[WHOLE, WHOLE]).replace("]}", "], \"more\": 1}"),
        ];
        let damaged = |(from, to)| answers(&[source, &WHOLE.replace(from, to)]);
        // A body that can't be decoded is a failure of its own.
        bad.extend(
            DAMAGE
                .into_iter()
                .filter(|(from, _)| *from != "YQ==")
                .map(damaged),
        );
        for bad in bad {
            let outcomes = each(&bad, 2);
            let is_odd = |outcome: &Outcome| matches!(outcome, Outcome::Failed(why) if why == ODD);
            assert!(
                outcomes.len() == 2 && outcomes.iter().all(is_odd),
                "{bad}: {outcomes:?}"
            );
        }
        assert!(matches!(
            each(&answers(&[WHOLE, &WHOLE.replace("YQ==", "YQ=")]), 2).as_slice(),
            [Outcome::Answered(_), Outcome::Failed(why)] if why == ODD
        ));
    }

    #[test]
    fn a_body_is_written_as_what_it_is() {
        let send = |body| Send {
            method: "PUT",
            url: "https://s3/k".to_owned(),
            headers: vec![("a".to_owned(), "b".to_owned())],
            body,
            most_bytes: 7,
            timeout_ms: 8,
        };
        let sources = vec![Source {
            url: "https://s3/s".to_owned(),
            headers: vec![("if-match".to_owned(), "e".to_owned())],
        }];
        let plain = json!({"method": "PUT", "url": "https://s3/k", "headers": {"a": "b"}, "body": null,
            "most_bytes": 7, "timeout_ms": 8});
        for (body, more) in [
            (Body::None, json!({})),
            (Body::Bytes(b"a".to_vec()), json!({"body": "YQ=="})),
            (
                Body::Joined { sources, bytes: 9 },
                json!({"sources": [{"url": "https://s3/s", "headers": {"if-match": "e"}}], "bytes": 9}),
            ),
        ] {
            let mut expected = plain.clone();
            for (name, value) in more.as_object().unwrap() {
                expected[name] = value.clone();
            }
            let written: Value = serde_json::from_str(&written(send(body)).to_json()).unwrap();
            assert_eq!(written["send"], expected);
        }
    }
}
