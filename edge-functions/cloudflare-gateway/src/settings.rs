//! What the Worker is configured with, parsed once per instance.

use std::cell::OnceCell;
use std::rc::Rc;

use gateway::config::Config;
use gateway::passport::PassportKeys;
use oss_s3::error::{Fault, Refusal};
use oss_s3::upload::SealKeys;
use request_auth::aws_v4::OriginCredentials;
use request_auth::{SecretKey, SecurityToken};
use wasm_bindgen::JsValue;

use crate::allowance::{FEWEST_REQUESTS, MOST_REQUESTS};
use crate::platform::{binding, said, text_binding};

thread_local! {
    static SETTINGS: OnceCell<Rc<Settings>> = const { OnceCell::new() };
}

/// Configuration and the credentials that sign requests to the origin.
pub(crate) struct Settings {
    pub(crate) config: Config,
    pub(crate) credentials: OriginCredentials,
    /// What upload ids are sealed under.
    pub(crate) seals: SealKeys,
    /// How many requests the platform lets the Worker send for one of a client's.
    pub(crate) most_requests: u32,
}

impl Settings {
    /// The settings of this deployment. A change of bindings comes with new instances.
    ///
    /// # Errors
    /// `InternalError`, with a reason that names the binding.
    pub(crate) fn of(env: &JsValue) -> Result<Rc<Self>, Refusal> {
        SETTINGS.with(|cell| match cell.get() {
            Some(settings) => Ok(Rc::clone(settings)),
            None => {
                let settings = Rc::new(Self::read(env)?);
                Ok(Rc::clone(cell.get_or_init(|| settings)))
            }
        })
    }

    fn read(env: &JsValue) -> Result<Self, Refusal> {
        let fail = |what: String| Refusal::new(Fault::GatewayFailed).because(what);
        let missing = |name: &str| fail(["the binding ", name, " is missing or empty"].concat());
        let required = |name: &str| text_binding(env, name).ok_or_else(|| missing(name));
        let json = required("CAUSEWAY_CONFIG")?;
        let config = Config::from_json(&json)
            .map_err(|error| fail(["CAUSEWAY_CONFIG: ", &error.to_string()].concat()))?;
        let seal = PassportKeys::from_json(&required("UPLOAD_SEAL")?).map_err(|error| {
            fail(["UPLOAD_SEAL has to be {\"id\": ..., \"secret\": ...}: ", &error].concat())
        })?;
        let most_requests = match binding(env, "MAX_SUBREQUESTS") {
            limit if limit.is_undefined() => MOST_REQUESTS,
            limit => said(&limit)
                .parse()
                .ok()
                .filter(|limit| (FEWEST_REQUESTS..=MOST_REQUESTS).contains(limit))
                .ok_or_else(|| fail("MAX_SUBREQUESTS is no whole number from 50 to 10000".to_owned()))?,
        };
        Ok(Self {
            config,
            most_requests,
            seals: seal.seals(),
            credentials: OriginCredentials {
                access_key_id: required("ORIGIN_ACCESS_KEY_ID")?,
                secret: SecretKey::new(required("ORIGIN_SECRET_ACCESS_KEY")?)
                    .ok_or_else(|| missing("ORIGIN_SECRET_ACCESS_KEY"))?,
                session_token: text_binding(env, "ORIGIN_SESSION_TOKEN").and_then(SecurityToken::new),
            },
        })
    }
}
