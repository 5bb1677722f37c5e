//! The gateway's secrets at AWS Secrets Manager: what to send for one, what the answer says, and how
//! long what it said counts.
//!
//! Lambda@Edge has no environment variables, so keys of devices and of passports are read from there,
//! each secret whole, with a signature of our own. A copy is fresh for a while and then kept for an
//! outage only. An outage is anything but a clear answer: no answer, a refusal, a document that can't
//! be read. That there is no such secret is a clear answer, and a fault of the deployment.
//!
//! Names of secrets come from the configuration alone, so nothing that a client sends can make more of
//! them. What a client claims, a key id or a passport's, can make a fresh copy that lacks it be asked for
//! again, because it may have been added a moment ago; but only as often as the times allow.

use std::rc::Rc;

use oss_s3::error::{Fault, Refusal};
use oss_s3::response::OriginAnswer;
use request_auth::UnixSeconds;
use request_auth::aws_v4::{self, OriginCredentials, Payload, Scope, SigningRequest};
use zeroize::Zeroizing;

use crate::config::cloudfront::CloudFront;
use crate::document::Node;
use crate::keys::cache::CacheTimes;
use crate::log::Line;

/// The name of the passports' secret behind the prefix.
pub const PASSPORT_SECRET: &str = "passport";
/// How long to wait for Secrets Manager, in milliseconds: a viewer-request function has 5 s in all and
/// may need two secrets.
pub const TIMEOUT_MILLISECONDS: u32 = 1500;
/// The most bytes of an answer that are read: a secret has at most 65,536, before JSON escapes it.
pub const MAX_ANSWER_BYTES: usize = 512 * 1024;
/// How long nothing is asked again, in seconds, where there is a copy: a store that is down would cost
/// every request [`TIMEOUT_MILLISECONDS`], and a passport's key id may be made up.
pub const PAUSE_SECONDS: u64 = 5;
/// The same where there is none. Short, because nobody is served meanwhile; and not nothing, because
/// who makes up key ids could otherwise keep a store busy that is throttled, or lacks a shard.
pub const PAUSE_WITHOUT_COPY_SECONDS: u64 = 1;

/// A GetSecretValue request, signed: a POST of `body`.
pub struct Question {
    /// Where to send it.
    pub url: String,
    /// Lower-case names and values; bearer secrets among them.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

/// Asks for the secret `name` (see [`CloudFront::secret_name`]) from a function that runs in `region`.
pub fn question(
    cloudfront: &CloudFront,
    name: &str,
    region: &str,
    credentials: &OriginCredentials,
    now: UnixSeconds,
) -> Question {
    let region = cloudfront.secrets_region(region);
    let host = ["secretsmanager.", region, ".amazonaws.com"].concat();
    // A name is of [A-Za-z0-9/_-]: JSON has nothing to escape in it.
    let body = [r#"{"SecretId":""#, name, r#""}"#].concat();
    let own = [
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-target", "secretsmanager.GetSecretValue"),
    ];
    let signing = SigningRequest {
        method: "POST",
        host: &host,
        path: "/",
        query: "",
        headers: &own.map(|(name, value)| (name, value.as_bytes())),
        payload: Payload::Bytes(body.as_bytes()),
    };
    let scope = Scope {
        region,
        service: "secretsmanager",
    };
    let mut headers = aws_v4::sign(signing, credentials, scope, now);
    headers.extend(own.map(|(name, value)| (name, value.to_owned())));
    Question {
        url: ["https://", &host, "/"].concat(),
        headers,
        body,
    }
}

/// What is kept of one secret, read as a `T`.
pub struct Kept<T> {
    copy: Option<(Rc<T>, UnixSeconds)>,
    asked_at: Option<UnixSeconds>,
    /// Why the last question had no answer that counts.
    in_vain: Option<String>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self {
            copy: None,
            asked_at: None,
            in_vain: None,
        }
    }
}

impl<T> Kept<T> {
    /// The copy that counts without asking: a fresh one, or the last good one where the store gave no
    /// answer a moment ago, which the log line then says.
    pub fn at_hand(&self, times: CacheTimes, now: UnixSeconds, line: &mut Line) -> Option<Rc<T>> {
        let (copy, read_at) = self.copy.as_ref()?;
        if times.is_fresh(*read_at, now) {
            return Some(Rc::clone(copy));
        }
        if !self.asked_in_vain() || self.may_ask(now) {
            return None;
        }
        let copy = self.last_good(times, now)?;
        line.alarm("Secrets Manager did not answer a moment ago; the last good copy of a secret is used.");
        Some(copy)
    }

    /// Where no copy counts, why the store is not asked for one: it was, less than
    /// [`PAUSE_WITHOUT_COPY_SECONDS`] ago.
    pub fn refused_a_moment_ago(&self, now: UnixSeconds) -> Option<&str> {
        let why = self.in_vain.as_deref()?;
        (!self.is_over(PAUSE_WITHOUT_COPY_SECONDS, now)).then_some(why)
    }

    /// Whether the store may be asked, although there may be a copy: not again within
    /// [`PAUSE_SECONDS`].
    pub fn may_ask(&self, now: UnixSeconds) -> bool {
        self.is_over(PAUSE_SECONDS, now)
    }

    /// Whether the last question is so many seconds ago. A clock that steps back ends every pause.
    fn is_over(&self, pause: u64, now: UnixSeconds) -> bool {
        self.asked_at
            .is_none_or(|asked_at| asked_at > now || asked_at.distance(now) >= pause)
    }

    /// Whether a copy that lacks what is wanted may be asked for anew, because that may be there by now:
    /// an absence counts for as long as the times say, after a question in vain for [`PAUSE_SECONDS`].
    pub fn may_ask_for_more(&self, times: CacheTimes, now: UnixSeconds) -> bool {
        if self.asked_in_vain() {
            return self.may_ask(now);
        }
        self.asked_at
            .is_none_or(|asked_at| !times.is_absence_young(asked_at, now))
    }

    /// Whether the last question had no answer.
    pub const fn asked_in_vain(&self) -> bool {
        self.in_vain.is_some()
    }

    /// Takes what came of a question for the secret `name`: gives the new copy, or the last good one
    /// where the store gave no answer, which the log line then says.
    ///
    /// # Errors
    /// `ServiceUnavailable` where there is no such secret, or no copy that counts.
    pub fn answered(
        &mut self,
        name: &str,
        answer: Result<&OriginAnswer, &str>,
        read: fn(&str) -> Result<T, String>,
        (times, now): (CacheTimes, UnixSeconds),
        line: &mut Line,
    ) -> Result<Rc<T>, Refusal> {
        self.asked_at = Some(now);
        let why = match value(name, answer).and_then(|text| read(&text).map_err(NoValue::Unavailable)) {
            Ok(copy) => {
                let copy = Rc::new(copy);
                self.copy = Some((Rc::clone(&copy), now));
                self.in_vain = None;
                return Ok(copy);
            }
            Err(NoValue::Absent) => {
                self.copy = None;
                "Secrets Manager has no such secret".to_owned()
            }
            Err(NoValue::Unavailable(why)) => why,
        };
        let why = self.in_vain.insert(why).clone();
        let copy = self
            .last_good(times, now)
            .ok_or_else(|| unavailable(name, &why))?;
        line.alarm(&["the last good copy of the secret `", name, "` is used: ", &why].concat());
        Ok(copy)
    }

    fn last_good(&self, times: CacheTimes, now: UnixSeconds) -> Option<Rc<T>> {
        let (copy, read_at) = self.copy.as_ref()?;
        times.is_usable(*read_at, now).then(|| Rc::clone(copy))
    }
}

/// The refusal for a secret that can't be read: the store of keys is down for whoever asks.
pub fn unavailable(name: &str, why: &str) -> Refusal {
    let reason = ["the secret `", name, "` can't be read: ", why].concat();
    Refusal::new(Fault::StoreUnavailable).because(reason)
}

enum NoValue {
    /// There is no such secret.
    Absent,
    /// There was no clear answer, for this reason.
    Unavailable(String),
}

/// The text of the secret `name`. What was answered is never quoted, but for the name of an error.
fn value(name: &str, answer: Result<&OriginAnswer, &str>) -> Result<Zeroizing<String>, NoValue> {
    let unclear = |why: &str| NoValue::Unavailable(why.to_owned());
    let answer = answer.map_err(|why| unclear(&["Secrets Manager does not answer: ", why].concat()))?;
    let document = core::str::from_utf8(&answer.body).ok();
    let document = document.and_then(|text| Node::from_json(text).ok());
    let document = document.ok_or_else(|| unclear("the answer of Secrets Manager is no JSON"))?;
    if answer.status != 200 {
        return Err(match error_name(&document) {
            "ResourceNotFoundException" => NoValue::Absent,
            error => {
                let status = answer.status.to_string();
                unclear(&["Secrets Manager answers ", &status, " ", error].concat())
            }
        });
    }
    let text = |name: &str| document.get(name).and_then(Node::as_text);
    if text("Name") != Some(name) {
        return Err(unclear("the answer of Secrets Manager is about another secret"));
    }
    let secret = text("SecretString").ok_or_else(|| unclear("the secret is not text"))?;
    Ok(Zeroizing::new(secret.to_owned()))
}

/// The name of an error as the service's protocol has it, `vendor#Name:url`, or nothing that is odd.
fn error_name<'n>(document: &'n Node<'_>) -> &'n str {
    let text = document.get("__type").and_then(Node::as_text).unwrap_or_default();
    let text = text.split_once(':').map_or(text, |(name, _)| name);
    let name = text.rsplit_once('#').map_or(text, |(_, name)| name);
    let is_name = name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_name { name } else { "" }
}

#[cfg(test)]
mod tests;
