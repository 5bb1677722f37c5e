//! What a policy permits.

use super::*;
use crate::verified::{Coverage, Hint};

fn unmet(name: &str) -> FormDenial {
    FormDenial::Unmet(name.to_owned())
}

#[test]
fn g01_s3_asks_that_every_field_be_covered() {
    let client = Client::new(Scheme::S3PostV4);
    for name in [
        "x-amz-meta-a",
        "acl",
        "Content-Type",
        "submit",
        "tagging",
        "success_action_status",
    ] {
        assert_eq!(
            client.clone().field(name, "x").denial(),
            uncovered(&name.to_ascii_lowercase())
        );
        client
            .clone()
            .covered(name, "x")
            .post(|outcome| assert!(outcome.is_ok(), "{name}"));
    }
    client
        .clone()
        .field("x-ignore-a", "x")
        .post(|outcome| assert!(outcome.is_ok()));
    let mut bare = client.clone();
    bare.policy = "starts key \n".to_owned();
    assert_eq!(bare.denial(), uncovered("bucket"));
    bare.policy = "eq bucket b\n".to_owned();
    assert_eq!(bare.denial(), uncovered("key"));
}

#[test]
fn g01_oss_enforces_the_conditions_that_are_there_and_v4_its_own_fields() {
    for scheme in [Scheme::OssPostV1, Scheme::OssPostV2, Scheme::OssPostV4] {
        let mut client = Client::new(scheme)
            .field("x-oss-meta-a", "x")
            .field("submit", "x");
        client.policy = format!("expires {}\n", NOW.0);
        client.post(|outcome| {
            let verified = outcome.unwrap();
            assert_eq!(verified.signed("x-oss-meta-a"), Some(b"x".as_slice()));
            let submit = verified.parameters().first().unwrap();
            assert_eq!(
                (submit.name.as_slice(), submit.coverage),
                (b"submit".as_slice(), Coverage::Unsigned)
            );
        });
    }
    let client = Client::new(Scheme::OssPostV4);
    let secret = secret();
    let signer = FormSigner::oss_v4("AK", &secret, "cn-hangzhou", NOW);
    let own = signer.fields().to_vec();
    for left_out in ["x-oss-credential", "x-oss-date", "x-oss-signature-version"] {
        let lines = own.iter().filter(|(name, _)| *name != left_out);
        let policy: String = lines
            .map(|(name, value)| format!("eq {name} {value}\n"))
            .collect();
        let signed = signer.sign(&STANDARD.encode(policy)).unwrap();
        let mut fields = vec![("key".to_owned(), "u/k".to_owned())];
        fields.extend(signed.into_iter().map(|(name, value)| (name.to_owned(), value)));
        client.send(&fields, |outcome| {
            assert_eq!(outcome.unwrap_err(), uncovered(left_out))
        });
    }
}

#[test]
fn g01_what_an_object_costs_and_who_reads_it_only_the_policy_s_author_chooses() {
    for scheme in [Scheme::OssPostV1, Scheme::OssPostV2, Scheme::OssPostV4] {
        for name in [
            "x-oss-object-acl",
            "x-oss-tagging",
            "x-oss-storage-class",
            "x-oss-server-side-encryption",
            "x-oss-server-side-encryption-key-id",
        ] {
            let mut client = Client::new(scheme).field(name, "x");
            client.policy = format!("expires {}\n", NOW.0);
            assert_eq!(client.denial(), uncovered(name));
            client.policy.push_str(&format!("eq {name} x\n"));
            client.post(|outcome| assert!(outcome.is_ok()));
        }
    }
}

#[test]
fn g02_every_kind_of_condition_is_enforced() {
    for client in every() {
        for (line, name, good, bad) in [
            (
                "eq content-type image/png",
                "Content-Type",
                "image/png",
                "image/PNG",
            ),
            (
                "starts content-type image/",
                "content-type",
                "image/png",
                "text/html",
            ),
            ("in content-type a/b c/d", "Content-Type", "c/d", "a/bc/d"),
            ("not content-type a/b", "Content-Type", "c/d", "a/b"),
        ] {
            let client = client.clone().policy(line);
            client
                .clone()
                .field(name, good)
                .post(|outcome| assert!(outcome.is_ok(), "{line}"));
            assert_eq!(
                client.clone().field(name, bad).denial(),
                unmet("content-type"),
                "{line}"
            );
            assert_eq!(client.denial(), unmet("content-type"), "{line}");
        }
        let other_key = client.clone().field("key", "v/k");
        assert_eq!(other_key.denial(), unmet("key"));
        let client = client.policy("range 2 4");
        for (bytes, denial) in [
            (1, Some(FormDenial::TooSmall)),
            (2, None),
            (4, None),
            (5, Some(FormDenial::TooLarge)),
        ] {
            client
                .clone()
                .file("a", bytes)
                .post(|outcome| assert_eq!(outcome.err(), denial));
        }
    }
}

#[test]
fn g02_s3_takes_a_content_type_with_commas_for_a_list() {
    let client = Client::new(Scheme::S3PostV4).policy("starts content-type image/");
    let list = |list: &str| client.clone().field("Content-Type", list);
    list("image/png,image/jpeg, image/gif").post(|outcome| assert!(outcome.is_ok()));
    assert_eq!(list("image/png,text/html").denial(), unmet("content-type"));
}

#[test]
fn g04_the_addressed_bucket_is_matched_and_no_field_says_another_one() {
    for client in every() {
        let mut other = client.clone();
        other.policy = "eq bucket c\nstarts key \n".to_owned();
        assert_eq!(other.denial(), unmet("bucket"));
        assert_eq!(other.field("bucket", "c").denial(), unmet("bucket"));
        assert_eq!(client.clone().field("bucket", "c").denial(), unmet("bucket"));
        client
            .field("bucket", "b")
            .post(|outcome| assert!(outcome.is_ok()));
    }
}

#[test]
fn g05_a_path_with_a_key_is_no_bucket_to_post_to() {
    let client = Client::new(Scheme::OssPostV1);
    let fields = client
        .signed()
        .into_iter()
        .map(|(name, value)| (name, value.into_bytes()));
    let fields = FormFields::new(fields.collect()).unwrap();
    let secret = secret();
    let material = KeyMaterial {
        key_id: "AK",
        secrets: vec![&secret],
        public_key: None,
        security_token: None,
        schemes: &SCHEMES,
    };
    let form = Form {
        fields: &fields,
        file_name: b"",
        file_bytes: 0,
    };
    let claim = FormClaim::of(&fields).unwrap();
    let outcome = |bucket, key: &[u8]| {
        let resource = Resource {
            signed_bucket: bucket,
            key: key.to_vec(),
            bucket: (),
        };
        claim
            .verify(&form, &material, vec![resource], &Rules::new(WINDOW), NOW, read)
            .err()
    };
    assert_eq!(outcome(Some("b"), b""), None);
    assert_eq!(outcome(Some("b"), b"u/k"), Some(unmet("bucket")));
    assert_eq!(outcome(None, b""), Some(unmet("bucket")));
}

#[test]
fn names_of_fields_and_of_conditions_are_the_same_in_every_case() {
    for client in every() {
        let upper = |(name, value): (String, String)| (name.to_ascii_uppercase(), value);
        let fields: Vec<_> = client.signed().into_iter().map(upper).collect();
        client.send(&fields, |outcome| assert!(outcome.is_ok()));
    }
}

#[test]
fn g08_only_the_last_part_of_a_file_s_name_becomes_part_of_the_key() {
    for client in every() {
        for (template, name, key) in [
            ("u/${filename}", "a b.txt", "u/a b.txt"),
            ("u/${filename}", "C:\\dir\\a.txt", "u/a.txt"),
            ("u/${filename}", "../../etc/passwd", "u/passwd"),
            ("u/${filename}", "..", "u/.."),
            ("u/${filename}", "", "u/"),
            ("u/${filename}", "${filename}", "u/${filename}"),
            ("u/${filename}-${filename}$", "a", "u/a-a$"),
            ("u/${Filename}", "a", "u/${Filename}"),
            ("u/k", "a", "u/k"),
        ] {
            assert_eq!(client.clone().field("key", template).file(name, 1).key(), key);
        }
        // What the name makes of the key is what the policy is asked about.
        let client = client.field("key", "${filename}");
        assert_eq!(client.file("v/k", 1).denial(), unmet("key"));
    }
}

#[test]
fn g11_a_redirect_has_to_be_in_the_policy() {
    for client in every() {
        let to = "https://example.com/done";
        assert_eq!(
            client.clone().field("success_action_redirect", to).denial(),
            uncovered("success_action_redirect")
        );
        client.covered("success_action_redirect", to).post(|outcome| {
            let verified = outcome.unwrap();
            let redirect = verified.parameters().first().unwrap();
            assert_eq!(
                (redirect.value.as_slice(), redirect.coverage),
                (to.as_bytes(), Coverage::Signed)
            );
        });
    }
}

#[test]
fn unsigned_headers_of_an_oss_form_are_hints_and_the_other_vendor_s_are_none() {
    let client = Client::new(Scheme::OssPostV1)
        .field("x-amz-meta-a", "1")
        .field("acl", "private");
    client.clone().field("Cache-Control", "no-cache").post(|outcome| {
        let verified = outcome.unwrap();
        assert_eq!(verified.hint(Hint::CacheControl), Some(b"no-cache".as_slice()));
        assert_eq!(verified.signed_headers().count(), 0);
    });
    client.covered("Cache-Control", "no-cache").post(|outcome| {
        let verified = outcome.unwrap();
        assert_eq!(verified.hint(Hint::CacheControl), None);
        assert_eq!(verified.signed("cache-control"), Some(b"no-cache".as_slice()));
    });
    let client = Client::new(Scheme::S3PostV4)
        .covered("acl", "private")
        .covered("x-oss-meta-a", "1");
    client.post(|outcome| {
        let names: Vec<_> = outcome
            .unwrap()
            .signed_headers()
            .map(|(name, _)| name.to_owned())
            .collect();
        assert_eq!(names, ["x-amz-acl"]);
    });
}

#[test]
fn x05_a_field_that_could_not_be_a_header_is_refused() {
    for client in every() {
        let meta = if client.scheme == Scheme::S3PostV4 {
            "x-amz-meta-"
        } else {
            "x-oss-meta-"
        };
        for (name, value, error) in [
            ("a", "1\r\nx-amz-acl: public-read", HeadError::HeaderValue),
            ("a", "\0", HeadError::HeaderValue),
            ("a:b", "1", HeadError::HeaderName),
            ("a b", "1", HeadError::HeaderName),
        ] {
            let mut client = client.clone();
            let name = [meta, name].concat();
            client.fields.push((name.clone(), value.to_owned()));
            if client.scheme != Scheme::S3PostV4 {
                assert_eq!(client.denial(), Denial::Head(error).into());
            } else if !name.contains(' ') {
                // The lines of this test's policies have no blanks in names.
                client = client.policy(&format!("starts {name} "));
                assert_eq!(client.denial(), Denial::Head(error).into());
            }
        }
    }
}

#[test]
fn a_form_without_a_key_is_refused_as_such() {
    for mut client in every() {
        client.fields.clear();
        assert_eq!(client.denial(), FormDenial::KeyMissing);
    }
}
