use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use request_auth::post_policy::{FormFields, FormSigner};
use request_auth::{Delivery, SecretKey};

use super::*;
use crate::device::{NOW, seals};

const SECRET: &str = "0123456789abcdef0123456789abcd";
const CONFIG: &str = r#"{
  "buckets": [
    {"name": "devices", "origin": {"bucket": "acme-ingest", "region": "eu-west-1", "endpoint": "https://s3.example"}},
    {"name": "firmware", "origin": {"bucket": "acme-firmware", "region": "eu-west-1", "endpoint": "https://s3.example"}}],
  "hosts": [{"host": "edge.example", "styles": ["path", "virtual-host"]}]
}"#;

/// A form for a bucket, posted to a host and path under a key with these operations.
struct Post<'p> {
    operations: &'p str,
    bucket: &'p str,
    host: &'p str,
    path: &'p str,
    key: &'p str,
    secret: &'p str,
    expiration: &'p str,
    file_bytes: u64,
}

const GOOD: Post<'_> = Post {
    operations: r#"["PostObject"]"#,
    bucket: "devices",
    host: "edge.example",
    path: "/devices/",
    key: "u/k",
    secret: SECRET,
    expiration: "2024-05-01T13:00:00Z",
    file_bytes: 1,
};

impl Post<'_> {
    fn outcome<T>(&self, and: impl FnOnce(Result<Authorized<'_>, Refusal>) -> T) -> T {
        self.arrived(|config, head, form, record| {
            and(arriving(config, head).and_then(|boundary| {
                assert!(boundary.is_some());
                let claim = FormClaim::of(form.fields)?;
                authenticate(config, &claim, form.fields, record, NOW)?;
                authorize(config, head, &claim, form, record, NOW)
            }))
        })
    }

    fn arrived<T>(&self, and: impl FnOnce(&Config, &RequestHead<'_>, &Form<'_>, &KeyRecord) -> T) -> T {
        let config = Config::from_json(CONFIG).unwrap();
        let record = format!(
            r#"{{"id": "AK-1", "secrets": [{{"secret": "{SECRET}"}}], "schemes": ["oss-post-v1"],
                "grants": [{{"bucket": "devices", "operations": {}, "prefix": "u/", "mount": "m/{{key_id}}/"}}]}}"#,
            self.operations
        );
        let record = KeyRecord::from_json("AK-1", &record).unwrap();
        let lines = [
            ("host", self.host),
            ("content-type", "multipart/form-data; boundary=abc"),
        ];
        let lines = lines.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let head = RequestHead::new("POST", self.path.as_bytes(), lines, Delivery::Lines).unwrap();
        let policy = format!(
            r#"{{"expiration": "{}", "conditions": [{{"bucket": "{}"}}, ["starts-with", "$key", ""]]}}"#,
            self.expiration, self.bucket
        );
        let secret = SecretKey::new(self.secret.into()).unwrap();
        let signed = FormSigner::oss_v1("AK-1", &secret)
            .sign(&STANDARD.encode(policy))
            .unwrap();
        let mut parts: Vec<_> = signed
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into_bytes()))
            .collect();
        parts.push(("key".to_owned(), self.key.as_bytes().to_vec()));
        let fields = FormFields::new(parts).unwrap();
        let form = Form {
            fields: &fields,
            file_name: b"a.txt",
            file_bytes: self.file_bytes,
        };
        and(&config, &head, &form, &record)
    }

    fn fault(&self) -> Fault {
        self.outcome(|outcome| outcome.unwrap_err().fault())
    }
}

#[test]
fn g05_a_form_is_put_under_the_mount_of_its_grant_whichever_way_the_bucket_is_named() {
    for (host, path) in [
        ("edge.example", "/devices/"),
        ("edge.example", "/devices"),
        ("devices.edge.example", "/"),
    ] {
        Post { host, path, ..GOOD }.outcome(|authorized| {
            let errand = authorized.unwrap().errand(&seals()).unwrap();
            assert_eq!(errand.target().key(), "u/k");
            let request = oss_s3::request::OriginRequest::new(&errand);
            assert_eq!(request.method, "PUT");
            assert_eq!(request.url(), "https://acme-ingest.s3.example/m/AK-1/u/k");
        });
    }
}

#[test]
fn h01_a_grant_has_to_name_forms_and_to_cover_the_key() {
    for operations in [
        r#"["upload-only"]"#,
        r#"["read-only"]"#,
        r#"["PutObject", "ListParts"]"#,
    ] {
        assert_eq!(
            Post { operations, ..GOOD }.fault(),
            Fault::Forbidden,
            "{operations}"
        );
    }
    assert_eq!(Post { key: "v/k", ..GOOD }.fault(), Fault::Forbidden);
    for key in [
        "u/../k",
        "u\\k",
        "",
        "u/\u{1}",
        ".causeway/k",
        ".causeway/${filename}",
        "/.causeway/k",
    ] {
        assert_eq!(Post { key, ..GOOD }.fault(), Fault::ObjectNameInvalid, "{key:?}");
    }
}

#[test]
fn h01_a_form_s_file_has_as_many_bytes_as_granted_and_at_most_5_gib() {
    const GIB_5: u64 = 5 << 30;
    for (limit, most) in [("", GIB_5), (r#", "max_object_bytes": 7"#, 7)] {
        let operations = &[r#"["PostObject"]"#, limit].concat();
        let fault = |file_bytes| {
            let post = Post {
                operations,
                file_bytes,
                ..GOOD
            };
            post.outcome(|outcome| outcome.err().map(|refusal| refusal.fault()))
        };
        assert_eq!(fault(most), None, "{most}");
        assert_eq!(fault(most + 1), Some(Fault::EntityTooLarge), "{most}");
    }
}

#[test]
fn n10_a_form_whose_time_is_over_is_refused_before_its_file_is_read() {
    for (expiration, expected) in [
        ("2024-05-01T13:00:00Z", None),
        ("2024-05-01T12:00:00Z", Some(Fault::PolicyExpired)),
    ] {
        Post { expiration, ..GOOD }.arrived(|config, _, form, record| {
            let claim = FormClaim::of(form.fields).unwrap();
            let outcome = authenticate(config, &claim, form.fields, record, NOW);
            assert_eq!(outcome.err().map(|refusal| refusal.fault()), expected);
        });
    }
}

#[test]
fn l05_a_form_cannot_tell_a_bucket_without_a_grant_from_one_that_does_not_exist() {
    let wrong = "another-secret-of-a-device";
    for secret in [SECRET, wrong] {
        let faults = ["firmware", "nobody"].map(|bucket| {
            let path = &["/", bucket, "/"].concat();
            let deep = &[path, "k"].concat();
            let host = &[bucket, ".edge.example"].concat();
            let to = |host, path, signed| {
                Post {
                    bucket: signed,
                    host,
                    path,
                    secret,
                    ..GOOD
                }
                .fault()
            };
            [
                to("edge.example", path, bucket),
                to(host, "/", bucket),
                to("edge.example", path, "devices"),
                to("edge.example", deep, bucket),
            ]
        });
        assert_eq!(faults[0], faults[1]);
        let first = if secret == SECRET {
            Fault::Forbidden
        } else {
            Fault::SignatureMismatch
        };
        assert_eq!(faults[0][..2], [first; 2]);
    }
}

#[test]
fn n10_a_form_without_a_key_s_signature_is_refused_before_its_file_is_read() {
    let secret = "another-secret-of-a-device";
    assert_eq!(Post { secret, ..GOOD }.fault(), Fault::SignatureMismatch);
}
