mod conditions;

use super::*;
use crate::client::{NOW, WINDOW, secret};
use crate::head::HeadError;
use crate::secret::{SecretKey, SecurityToken};

const HOUR: i64 = 3600;
const SCHEMES: [Scheme; 4] = [
    Scheme::OssPostV1,
    Scheme::OssPostV2,
    Scheme::OssPostV4,
    Scheme::S3PostV4,
];

/// A reader that takes its policy from a few lines in the place of JSON: `expires 1`, `eq field value`, ….
fn read(text: &str) -> Result<Policy, PolicyFault> {
    let mut policy = Policy {
        expires: UnixSeconds(NOW.0 + HOUR),
        conditions: Vec::new(),
    };
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let list = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        let bytes = |word: &str| word.parse().unwrap();
        match words.as_slice() {
            ["expires", seconds] => policy.expires = UnixSeconds(seconds.parse().unwrap()),
            ["range", least, most] => policy.conditions.push(Condition::FileBytes {
                least: bytes(least),
                most: bytes(most),
            }),
            [kind, field, values @ ..] => {
                let (field, value) = ((*field).to_owned(), values.concat());
                policy.conditions.push(match *kind {
                    "eq" => Condition::Equals(field, value),
                    "starts" => Condition::StartsWith(field, value),
                    "in" => Condition::In(field, list(values)),
                    _ => Condition::NotIn(field, list(values)),
                });
            }
            _ => return Err(PolicyFault::Unreadable),
        }
    }
    Ok(policy)
}

/// A client that posts forms of one scheme.
#[derive(Clone)]
struct Client {
    scheme: Scheme,
    /// Lines of the policy beside those that the scheme asks for.
    policy: String,
    /// Fields beside those of the signature.
    fields: Vec<(String, String)>,
    file_name: &'static str,
    file_bytes: u64,
    token: Option<&'static str>,
    now: UnixSeconds,
    schemes: Vec<Scheme>,
}

impl Client {
    fn new(scheme: Scheme) -> Self {
        Self {
            scheme,
            policy: "eq bucket b\nstarts key u/\n".to_owned(),
            fields: vec![("key".to_owned(), "u/k".to_owned())],
            file_name: "a.txt",
            file_bytes: 3,
            token: None,
            now: NOW,
            schemes: SCHEMES.to_vec(),
        }
    }

    fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(field, _)| field != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    fn covered(self, name: &str, value: &str) -> Self {
        let lower = name.to_ascii_lowercase();
        self.policy(&format!("starts {lower} ")).field(name, value)
    }

    fn policy(mut self, line: &str) -> Self {
        self.policy.push_str(line);
        self.policy.push('\n');
        self
    }

    fn file(mut self, name: &'static str, bytes: u64) -> Self {
        (self.file_name, self.file_bytes) = (name, bytes);
        self
    }

    /// Every field as it is sent.
    fn signed(&self) -> Vec<(String, String)> {
        let secret = secret();
        let signer = match self.scheme {
            Scheme::OssPostV1 => FormSigner::oss_v1("AK", &secret),
            Scheme::OssPostV2 => FormSigner::oss_v2("AK", &secret),
            Scheme::OssPostV4 => FormSigner::oss_v4("AK", &secret, "cn-hangzhou", NOW),
            _ => FormSigner::s3_v4("AK", &secret, "eu-west-1", NOW),
        };
        let mut policy = self.policy.clone();
        if matches!(self.scheme, Scheme::OssPostV4 | Scheme::S3PostV4) {
            for (name, value) in signer.fields() {
                policy.push_str(&format!("eq {name} {value}\n"));
            }
        }
        let signed = signer.sign(&STANDARD.encode(policy)).unwrap();
        let own = signed.into_iter().map(|(name, value)| (name.to_owned(), value));
        self.fields.iter().cloned().chain(own).collect()
    }

    fn post<T>(&self, and: impl FnOnce(Result<Verified<'_, ()>, FormDenial>) -> T) -> T {
        let fields = self.signed();
        self.send(&fields, and)
    }

    fn send<T>(
        &self,
        fields: &[(String, String)],
        and: impl FnOnce(Result<Verified<'_, ()>, FormDenial>) -> T,
    ) -> T {
        let parts = fields
            .iter()
            .map(|(name, value)| (name.clone(), value.clone().into_bytes()));
        and(FormFields::new(parts.collect()).and_then(|fields| {
            let secret = secret();
            let token = self.token.and_then(|token| SecurityToken::new(token.into()));
            let material = KeyMaterial {
                key_id: "AK",
                secrets: vec![&secret],
                public_key: None,
                security_token: token.as_ref(),
                schemes: &self.schemes,
            };
            let form = Form {
                fields: &fields,
                file_name: self.file_name.as_bytes(),
                file_bytes: self.file_bytes,
            };
            let resource = Resource {
                signed_bucket: Some("b"),
                key: Vec::new(),
                bucket: (),
            };
            FormClaim::of(&fields)?.verify(
                &form,
                &material,
                vec![resource],
                &Rules::new(WINDOW),
                self.now,
                read,
            )
        }))
    }

    fn denial(&self) -> FormDenial {
        self.post(|outcome| outcome.unwrap_err())
    }

    fn key(&self) -> String {
        self.post(|outcome| String::from_utf8(outcome.unwrap().key().to_vec()).unwrap())
    }
}

fn every() -> impl Iterator<Item = Client> {
    SCHEMES.into_iter().map(Client::new)
}

fn uncovered(name: &str) -> FormDenial {
    FormDenial::Uncovered(name.to_owned())
}

#[test]
fn what_is_signed_verifies_in_every_scheme() {
    for client in every() {
        client.post(|outcome| {
            let verified = outcome.unwrap();
            assert_eq!(verified.scheme(), client.scheme);
            assert_eq!((verified.key_id(), verified.method()), ("AK", "POST"));
            assert_eq!(
                (verified.signed_bucket(), verified.key()),
                (Some("b"), b"u/k".as_slice())
            );
            assert_eq!(verified.signed_headers().count(), 0);
            assert!(verified.parameters().is_empty());
        });
    }
}

#[test]
fn g13_the_signature_is_over_the_field_s_bytes_and_one_of_them_changed_is_refused() {
    for client in every() {
        let signed = client.signed();
        let place = signed.iter().position(|(name, _)| name == "policy").unwrap();
        for index in 0..signed[place].1.len() {
            let mut tampered = signed.clone();
            let mut bytes = tampered[place].1.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            tampered[place].1 = String::from_utf8(bytes).unwrap();
            client.send(&tampered, |outcome| {
                assert_eq!(outcome.unwrap_err(), Denial::SignatureMismatch.into());
            });
        }
        for (from, to) in [("", "\n"), ("=", "")] {
            let mut tampered = signed.clone();
            tampered[place].1 = [tampered[place].1.trim_end_matches(from), to].concat();
            if tampered != signed {
                client.send(&tampered, |outcome| {
                    assert_eq!(outcome.unwrap_err(), Denial::SignatureMismatch.into());
                });
            }
        }
    }
}

#[test]
fn g13_line_breaks_that_were_signed_are_part_of_the_text_and_not_of_the_policy() {
    let secret = secret();
    let broken = "ZXEgYnVja2V0IGIK\r\nZXEga2V5IHUvawo=\n";
    let fields = FormSigner::oss_v1("AK", &secret).sign(broken).unwrap();
    let mut fields: Vec<(String, String)> = fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    fields.push(("key".to_owned(), "u/k".to_owned()));
    let client = Client::new(Scheme::OssPostV1);
    client.send(&fields, |outcome| assert_eq!(outcome.unwrap().key(), b"u/k"));
}

#[test]
fn g03_without_a_policy_a_form_is_refused() {
    for client in every() {
        let signed = client.signed();
        for value in [None, Some("")] {
            let mut fields = signed.clone();
            fields.retain(|(name, _)| name != "policy");
            fields.extend(value.map(|value| ("policy".to_owned(), value.to_owned())));
            client.send(&fields, |outcome| {
                assert_eq!(outcome.unwrap_err(), FormDenial::SignatureIncomplete("policy"));
            });
        }
    }
}

#[test]
fn g07_a_field_that_stands_twice_is_refused_in_whatever_case() {
    for client in every() {
        for (first, second) in [("key", "Key"), ("policy", "POLICY"), ("x-a", "x-a")] {
            let client = client.clone().field(first, "u/k");
            let mut fields = client.signed();
            fields.push((second.to_owned(), "u/k".to_owned()));
            let repeated = FormDenial::FieldRepeated(first.to_owned());
            client.send(&fields, |outcome| assert_eq!(outcome.unwrap_err(), repeated));
        }
    }
}

#[test]
fn g10_credential_and_date_belong_together_and_to_the_rules() {
    for scheme in [Scheme::OssPostV4, Scheme::S3PostV4] {
        let client = Client::new(scheme);
        let signed = client.signed();
        let replaced = |name: &str, from: &str, to: &str| {
            let mut fields = signed.clone();
            for (field, value) in &mut fields {
                if field.ends_with(name) {
                    *value = value.replace(from, to);
                }
            }
            client.send(&fields, |outcome| outcome.unwrap_err())
        };
        let denied = FormDenial::Denial;
        assert_eq!(
            replaced("-date", "20240501T", "20240502T"),
            denied(Denial::ScopeDayMismatch)
        );
        assert_eq!(
            replaced("-credential", "20240501", "20240502"),
            denied(Denial::ScopeDayMismatch)
        );
        assert_eq!(
            replaced("-credential", "_request", "_req"),
            denied(Denial::MalformedCredential)
        );
        assert_eq!(
            replaced("-credential", "AK/", ""),
            denied(Denial::MalformedCredential)
        );
        assert_eq!(
            replaced("-credential", "AK/", "A K/"),
            denied(Denial::MalformedKeyId)
        );
        assert_eq!(replaced("-date", "T1", "T9"), denied(Denial::DateUnreadable));
        let region = if scheme == Scheme::S3PostV4 {
            "eu-west-1"
        } else {
            "cn-hangzhou"
        };
        assert_eq!(
            replaced("-credential", region, "elsewhere"),
            denied(Denial::SignatureMismatch)
        );
        let service = if scheme == Scheme::S3PostV4 {
            "/s3/"
        } else {
            "/oss/"
        };
        let forbidden = denied(Denial::ScopeNotAllowed(crate::ScopePart::Product));
        assert_eq!(replaced("-credential", service, "/sts/"), forbidden);
        // A date on the same day that the policy does not know.
        assert!(matches!(replaced("-date", "T12", "T11"), FormDenial::Unmet(_)));
    }
}

#[test]
fn c02_a_policy_is_good_between_its_date_and_its_expiration_alone() {
    for mut client in every() {
        client.now = UnixSeconds(NOW.0 + HOUR);
        client.post(|outcome| assert!(outcome.is_ok()));
        client.now = UnixSeconds(NOW.0 + HOUR + 1);
        assert!(matches!(client.denial(), FormDenial::PolicyExpired { .. }));
        client.now = UnixSeconds(NOW.0 - 900);
        client.post(|outcome| assert!(outcome.is_ok()));
        client.now = UnixSeconds(NOW.0 - 901);
        let has_date = matches!(client.scheme, Scheme::OssPostV4 | Scheme::S3PostV4);
        client.post(|outcome| assert_eq!(outcome.is_ok(), !has_date));
    }
}

#[test]
fn d05_a_form_has_one_signature_of_a_known_scheme() {
    for client in every() {
        let others = [
            ("OSSAccessKeyId", "AK"),
            ("x-oss-signature-version", "OSS2"),
            ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
            ("AWSAccessKeyId", "AK"),
        ];
        let signed = client.signed();
        for (name, value) in others {
            if signed.iter().any(|(field, _)| field == name) {
                continue;
            }
            let mut fields = signed.clone();
            fields.push((name.to_owned(), value.to_owned()));
            client.send(&fields, |outcome| {
                assert_eq!(outcome.unwrap_err(), Denial::SeveralCredentials.into(), "{name}");
            });
        }
        client.send(&client.fields, |outcome| {
            assert_eq!(outcome.unwrap_err(), Denial::Anonymous.into());
        });
    }
    let client = Client::new(Scheme::S3PostV4);
    for (name, value, denial) in [
        (
            "x-oss-signature-version",
            "OSS5",
            FormDenial::Denial(Denial::UnknownScheme),
        ),
        (
            "x-amz-algorithm",
            "aws4-hmac-sha256",
            FormDenial::Denial(Denial::UnknownScheme),
        ),
        (
            "AWSAccessKeyId",
            "AK",
            FormDenial::Denial(Denial::SchemeNotOffered("AWS")),
        ),
        (
            "x-amz-signature",
            "00",
            FormDenial::SignatureIncomplete("x-amz-algorithm"),
        ),
    ] {
        let fields = [("key", "k"), (name, value)].map(|(name, value)| (name.to_owned(), value.to_owned()));
        client.send(&fields, |outcome| assert_eq!(outcome.unwrap_err(), denial));
    }
}

#[test]
fn d10_a_key_is_used_with_the_schemes_that_it_lists_alone() {
    for mut client in every() {
        client.schemes.retain(|scheme| *scheme != client.scheme);
        assert_eq!(client.denial(), Denial::SchemeNotAllowed(client.scheme).into());
    }
}

#[test]
fn o13_the_session_token_is_bound_to_the_key() {
    for client in every() {
        let name = if client.scheme == Scheme::S3PostV4 {
            "x-amz-security-token"
        } else {
            "x-oss-security-token"
        };
        let mut bound = client.clone();
        bound.token = Some("TOKEN");
        assert_eq!(bound.denial(), Denial::TokenMissing.into());
        assert_eq!(
            bound.clone().covered(name, "OTHER").denial(),
            Denial::TokenMismatch.into()
        );
        bound.clone().covered(name, "TOKEN").post(|outcome| {
            let verified = outcome.unwrap();
            assert_eq!((verified.signed(name), verified.parameters().len()), (None, 0));
        });
        assert_eq!(
            client.covered(name, "TOKEN").denial(),
            Denial::TokenUnexpected.into()
        );
        if matches!(bound.scheme, Scheme::OssPostV4 | Scheme::S3PostV4) {
            assert_eq!(bound.field(name, "TOKEN").denial(), uncovered(name));
        }
    }
}

#[test]
fn d12_a_wrong_secret_or_signature_is_a_mismatch() {
    for client in every() {
        for signature in ["", "AAAA", "00", "=", &"0".repeat(64), &"a".repeat(10_000)] {
            let mut fields = client.signed();
            fields.last_mut().unwrap().1 = signature.to_owned();
            let name = match client.scheme {
                Scheme::OssPostV1 => "Signature",
                Scheme::S3PostV4 => "x-amz-signature",
                _ => "x-oss-signature",
            };
            let expected = if signature.is_empty() {
                FormDenial::SignatureIncomplete(name)
            } else {
                Denial::SignatureMismatch.into()
            };
            client.send(&fields, |outcome| assert_eq!(outcome.unwrap_err(), expected));
        }
    }
    assert!(SecretKey::new(String::new()).is_none());
}

#[test]
fn l02_no_debug_shows_a_field() {
    let fields = FormFields::new(vec![("x-oss-security-token".into(), b"TOKEN".to_vec())]).unwrap();
    let form = Form {
        fields: &fields,
        file_name: b"",
        file_bytes: 0,
    };
    assert!(!format!("{form:?}").contains("TOKEN"));
}
