//! One event while a function serves it, and the secrets that it may need on the way.
//!
//! All three functions need the keys of passports, and the authorizer shards of key records. They are
//! asked for in the midst of a conversation, and kept for the next ones.

use std::cell::RefCell;
use std::rc::Rc;

use gateway::config::cloudfront::CloudFront;
use gateway::document::{Field, Holds, Node};
use gateway::keys::shards::Shard;
use gateway::log::Line;
use gateway::origin_signature;
use gateway::passport::{self, PassportKeys};
use gateway::secrets::{self, Kept, PASSPORT_SECRET};
use oss_s3::addressing::OriginBucket;
use oss_s3::answer::RequestId;
use oss_s3::error::Refusal;
use oss_s3::request::OriginRequest;
use request_auth::aws_v4::OriginCredentials;
use request_auth::{Dialect, SecretKey, SecurityToken, UnixSeconds};

use crate::EventError;
use crate::conversation::{Fetched, Send};

/// What Lambda tells a function of itself: the credentials of its role, and where it runs.
pub struct Environment {
    credentials: OriginCredentials,
    region: String,
}

impl Environment {
    /// Reads `{"access_key_id", "secret_access_key", "session_token", "region"}`.
    ///
    /// # Errors
    /// JSON of another shape. It holds no secret.
    pub fn from_json(json: &str) -> Result<Self, EventError> {
        let read = Node::from_json(json).and_then(|environment| {
            environment.read(Holds::Secrets, |environment| {
                environment.table(|fields| {
                    (
                        fields.take("access_key_id").string(),
                        fields.take("secret_access_key").string(),
                        fields.take("session_token").optional(Field::string),
                        fields.take("region").string(),
                    )
                })
            })
        });
        let fail = |what: &str| EventError(["the function's environment: ", what].concat());
        let (access_key_id, secret, token, region) = read.map_err(|mistake| fail(&mistake.to_string()))?;
        let secret = SecretKey::new(secret).ok_or_else(|| fail("there are no credentials to sign with"))?;
        Ok(Self {
            credentials: OriginCredentials {
                access_key_id,
                secret,
                session_token: token.and_then(SecurityToken::new),
            },
            region,
        })
    }

    /// The credentials of the function's role.
    pub const fn credentials(&self) -> &OriginCredentials {
        &self.credentials
    }
}

/// One event while it is served.
pub struct Visit {
    /// Where the function runs, and as whom.
    pub environment: Environment,
    /// The id that the device is answered with.
    pub request_id: RequestId,
    /// The dialect that the device is answered in.
    pub dialect: Dialect,
    /// The log line.
    pub line: Line,
    /// The time of the step that is being taken.
    pub now: UnixSeconds,
    /// What was fetched for this step.
    pub fetched: Option<Fetched>,
}

impl Visit {
    /// A visit of `function` for the request with the platform's id `event_request_id`, of a device that
    /// speaks `dialect`.
    pub fn new(
        dialect: Dialect,
        function: &'static str,
        environment: Environment,
        event_request_id: &str,
        method: &str,
    ) -> Self {
        let request_id = passport::request_id(event_request_id);
        Self {
            environment,
            request_id,
            dialect,
            line: Line::new(function, request_id.as_str(), method),
            now: UnixSeconds(0),
            fetched: None,
        }
    }

    /// The headers of a request for the bucket `origin`, with the signature of the function's own role.
    pub fn signed(&self, request: &OriginRequest, origin: &OriginBucket) -> Vec<(String, String)> {
        let own = request.headers.iter().map(|(name, value)| {
            (
                name.clone().into_owned(),
                String::from_utf8_lossy(value).into_owned(),
            )
        });
        let signature = origin_signature::headers(request, origin, self.environment.credentials(), self.now);
        let signature = signature
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        own.chain(signature).collect()
    }
}

/// A secret, or what has to be fetched before.
pub enum Obtained<T> {
    /// The copy to use.
    Copy(Rc<T>),
    /// Send this, and ask again with what came of it.
    Ask(Send),
}

/// What every function of a deployment has: where the secrets are, and the keys of passports.
pub struct Deployment {
    cloudfront: CloudFront,
    passport_keys: RefCell<Kept<PassportKeys>>,
}

impl Deployment {
    /// A deployment of which nothing is known yet but the configuration.
    pub fn new(cloudfront: CloudFront) -> Self {
        Self {
            cloudfront,
            passport_keys: RefCell::default(),
        }
    }

    /// The configuration's part for CloudFront.
    pub const fn cloudfront(&self) -> &CloudFront {
        &self.cloudfront
    }

    /// The keys of passports. With `claimed`, the key id of a passport that came: an id that the copy
    /// lacks may be the one of a rotation a moment ago, so the secret is asked for once more; not for
    /// every such passport, because an id may be made up.
    ///
    /// # Errors
    /// `ServiceUnavailable` where no copy counts.
    pub fn passport_keys(
        &self,
        visit: &mut Visit,
        claimed: Option<&str>,
    ) -> Result<Obtained<PassportKeys>, Refusal> {
        let asked_now = visit.fetched.is_some();
        let kept = &self.passport_keys;
        let obtained = self.obtain(visit, kept, PASSPORT_SECRET, PassportKeys::from_json)?;
        let (Obtained::Copy(keys), Some(id)) = (&obtained, claimed) else {
            return Ok(obtained);
        };
        if keys.has(id) {
            return Ok(obtained);
        }
        let may_ask = !asked_now && kept.borrow().may_ask(visit.now);
        Ok(self
            .once_more(visit, kept, PASSPORT_SECRET, may_ask)?
            .unwrap_or(obtained))
    }

    /// The shard of key records of this number, kept in `kept`, where the record of `id` should be. A
    /// copy that lacks it is asked for once more, if it is older than an absence counts: the key may have
    /// been added a moment ago.
    ///
    /// # Errors
    /// `ServiceUnavailable` where no copy counts.
    pub fn shard(
        &self,
        visit: &mut Visit,
        kept: &RefCell<Kept<Shard>>,
        number: u16,
        id: &str,
    ) -> Result<Obtained<Shard>, Refusal> {
        let asked_now = visit.fetched.is_some();
        let secret = number.to_string();
        let obtained = self.obtain(visit, kept, &secret, Shard::from_json)?;
        match &obtained {
            Obtained::Copy(shard) if !shard.has(id) => {}
            _ => return Ok(obtained),
        }
        let may_ask = !asked_now && kept.borrow().may_ask_for_more(self.cloudfront.times, visit.now);
        Ok(self.once_more(visit, kept, &secret, may_ask)?.unwrap_or(obtained))
    }

    /// For a copy that lacks what a client claims: what to send, if the store may be asked.
    ///
    /// # Errors
    /// `ServiceUnavailable` for the last good copy of a store that gave no answer: it can't say.
    fn once_more<T>(
        &self,
        visit: &Visit,
        kept: &RefCell<Kept<T>>,
        secret: &str,
        may_ask: bool,
    ) -> Result<Option<Obtained<T>>, Refusal> {
        let name = self.cloudfront.secret_name(secret);
        if may_ask {
            return Ok(Some(Obtained::Ask(self.question(visit, &name))));
        }
        if kept.borrow().asked_in_vain() {
            let why = "its last good copy lacks the key that a request claims";
            return Err(secrets::unavailable(&name, why));
        }
        Ok(None)
    }

    /// The secret `secret` of this deployment, kept in `kept`. What was fetched for this step is taken
    /// for the answer to the last question about it.
    ///
    /// # Errors
    /// `ServiceUnavailable` where no copy counts.
    fn obtain<T>(
        &self,
        visit: &mut Visit,
        kept: &RefCell<Kept<T>>,
        secret: &str,
        read: fn(&str) -> Result<T, String>,
    ) -> Result<Obtained<T>, Refusal> {
        let (times, now) = (self.cloudfront.times, visit.now);
        let name = self.cloudfront.secret_name(secret);
        if let Some(fetched) = visit.fetched.take() {
            let fetched = fetched.one();
            let answer = fetched.as_ref().map_err(String::as_str);
            let mut kept = kept.borrow_mut();
            let copy = kept.answered(&name, answer, read, (times, now), &mut visit.line)?;
            return Ok(Obtained::Copy(copy));
        }
        let kept = kept.borrow();
        if let Some(copy) = kept.at_hand(times, now, &mut visit.line) {
            return Ok(Obtained::Copy(copy));
        }
        match kept.refused_a_moment_ago(now) {
            Some(why) => Err(secrets::unavailable(&name, why)),
            None => Ok(Obtained::Ask(self.question(visit, &name))),
        }
    }

    fn question(&self, visit: &Visit, name: &str) -> Send {
        let Environment { credentials, region } = &visit.environment;
        secrets::question(&self.cloudfront, name, region, credentials, visit.now).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l02_an_environment_is_read_whole_or_refused_without_showing_it() {
        let whole = r#"{"access_key_id":"AK","secret_access_key":"SECRET","session_token":"TOKEN","region":"eu-west-1"}"#;
        let environment = Environment::from_json(whole).unwrap();
        assert_eq!(environment.credentials().access_key_id, "AK");
        assert!(environment.credentials().session_token.is_some());
        for (from, to) in [
            (whole, ""),
            (whole, "{}"),
            ("\"SECRET\"", "\"\""),
            ("\"SECRET\"", "[\"SECRET\"]"),
            ("access_key_id", "id"),
            ("region", "place"),
        ] {
            let error = Environment::from_json(&whole.replace(from, to)).err().unwrap();
            let error = error.to_string();
            assert!(!error.contains("SECRET") && !error.contains("TOKEN"), "{error}");
        }
    }
}
