//! Secrets Manager as far as the functions ask it, and Node as far as it fetches for them.

use cloudfront_event::conversation::Conversation;
use serde_json::{Value, json};

use crate::{KEY_ID, PASSPORT, RECORD, base64, from_base64};

/// Where the secrets of [`CONFIG`](crate::CONFIG) are.
const URL: &str = "https://secretsmanager.us-east-1.amazonaws.com/";

/// A store of secrets that remembers what it was asked.
pub struct Store {
    /// The passports' secret; `None`: there is none.
    pub passport: Option<String>,
    /// The shards; `None`: there is none of that number.
    pub shards: Vec<Option<String>>,
    /// Why Node gets no answer, where it gets none.
    pub down: Option<&'static str>,
    /// The names of the secrets that were asked for.
    pub asked: Vec<String>,
}

impl Default for Store {
    /// One shard with the device's key.
    fn default() -> Self {
        Self {
            passport: Some(PASSPORT.to_owned()),
            shards: vec![Some(format!(r#"{{"{KEY_ID}": {RECORD}}}"#))],
            down: None,
            asked: Vec::new(),
        }
    }
}

impl Store {
    /// A store whose passports' secret is this.
    pub fn with_passport(secret: &str) -> Self {
        Self {
            passport: Some(secret.to_owned()),
            ..Self::default()
        }
    }

    /// A store whose one shard has this for the device's key.
    pub fn with_record(record: &str) -> Self {
        Self {
            shards: vec![Some(format!(r#"{{"{KEY_ID}": {record}}}"#))],
            ..Self::default()
        }
    }

    /// Answers a conversation for as long as it wants secrets, and gives its next step.
    pub fn serve(&mut self, conversation: &mut Conversation, now: f64) -> Value {
        let mut step: Value = serde_json::from_str(&conversation.step()).unwrap();
        while step["send"]["url"] == URL {
            let answer = self.answer(&step["send"]);
            step = serde_json::from_str(&conversation.advance(&answer.to_string(), now)).unwrap();
        }
        step
    }

    /// What Node hands over for a GetSecretValue request.
    fn answer(&mut self, send: &Value) -> Value {
        assert_eq!(send["method"], "POST");
        assert_eq!(
            send["timeout_ms"], 1500,
            "a viewer-request function has 5 s for two"
        );
        let headers = &send["headers"];
        assert_eq!(headers["content-type"], "application/x-amz-json-1.1");
        assert_eq!(headers["x-amz-target"], "secretsmanager.GetSecretValue");
        assert_eq!(headers["x-amz-security-token"], "role-token-0123456789");
        assert!(
            headers["authorization"]
                .as_str()
                .unwrap()
                .contains("/us-east-1/secretsmanager/aws4_request, ")
        );
        let body: Value = serde_json::from_slice(&from_base64(send["body"].as_str().unwrap())).unwrap();
        let name = body["SecretId"].as_str().unwrap().to_owned();
        self.asked.push(name.clone());
        if let Some(why) = self.down {
            return json!({ "failed": why });
        }
        let secret = match name.strip_prefix("causeway/").unwrap() {
            "passport" => self.passport.as_ref(),
            shard => self.shards[shard.parse::<usize>().unwrap()].as_ref(),
        };
        let (status, document) = match secret {
            Some(secret) => (
                200,
                json!({
                    "ARN": format!("arn:aws:secretsmanager:us-east-1:123456789012:secret:{name}-a1b2c3"),
                    "CreatedDate": 1_714_560_000.123,
                    "Name": name,
                    "SecretString": secret,
                    "VersionId": "5048d00b-9a2f-4c64-8a0d-4a3f6c6f2f0e",
                    "VersionStages": ["AWSCURRENT"],
                }),
            ),
            None => (
                400,
                json!({
                    "__type": "ResourceNotFoundException",
                    "Message": "Secrets Manager can't find the specified secret.",
                }),
            ),
        };
        json!({
            "status": status,
            "headers": {"content-type": "application/x-amz-json-1.1"},
            "body": base64(document.to_string().as_bytes()),
        })
    }
}
