//! Vectors of an implementation that shares no code with this one:
//!
//! ```python
//! import base64, hashlib, hmac
//! def sign(purpose, file_id, timestamp, nonce, key):
//!     text = f"{purpose}|{file_id}|{timestamp}|{nonce}"
//!     return base64.urlsafe_b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()
//! ```

use super::*;
use crate::claim::{Claim, Rules};
use crate::client::{NOW, WINDOW, head};
use crate::head::HeadError;
use crate::verified::Resource;

const SECRET: &str = "a-secret-key-of-the-app-42-bytes-or-so";
const ID: &str = "6f1c2d3e-4b5a-4697-8897-a6b5c4d3e2f1";
const NONCE: &str = "00112233445566778899aabbccddeeff";
const FILE_SIGN: &str = "giYtWlY5D8pHPlaA6Xg3JvEybFf2EkSx8PUDBTUdYg8=";
const IMAGE_SIGN: &str = "_2aXYC6b9dfcLtL7ZpcE5DOxRaWnscVYqoIUWbP6cEs=";

fn secret(text: &str) -> SecretKey {
    SecretKey::new(text.to_owned()).unwrap()
}

/// The target of a link with these parts, whatever they are.
fn target(file_id: &str, purpose: &str, timestamp: &str, nonce: &str, sign: &str) -> String {
    format!("/files/{file_id}/{purpose}?timestamp={timestamp}&nonce={nonce}&sign={sign}")
}

fn good() -> String {
    target(ID, "file-preview", "1714566896", NONCE, FILE_SIGN)
}

/// The claim of a request that a configuration has links served for.
fn claim(head: &RequestHead<'_>) -> Result<Claim, Denial> {
    let Some((purpose, file_id)) = of_path(head.path()) else {
        return Claim::of(head);
    };
    Claim::at(
        head,
        Place {
            purpose,
            file_id,
            key_id: "links",
            lifetime_seconds: 3600,
        },
    )
}

/// What verified requests cover: the query that is left, with what is signed of it.
type Left = Vec<(String, String, Coverage)>;

fn verify_under(
    secrets: &[&str],
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    now: UnixSeconds,
) -> Result<Left, Denial> {
    let head = head(method, target, headers);
    let secrets: Vec<_> = secrets.iter().map(|text| secret(text)).collect();
    let material = KeyMaterial {
        key_id: "links",
        secrets: secrets.iter().collect(),
        public_key: None,
        security_token: None,
        schemes: &[Scheme::Preview],
    };
    let resource = Resource {
        signed_bucket: None,
        key: b"of the configuration".to_vec(),
        bucket: (),
    };
    let verified = claim(&head)?.verify(&head, &material, vec![resource], &Rules::new(WINDOW), now)?;
    assert_eq!((verified.scheme(), verified.key_id()), (Scheme::Preview, "links"));
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let left = verified.parameters().iter();
    Ok(left
        .map(|one| (text(&one.name), text(&one.value), one.coverage))
        .collect())
}

fn verify(target: &str) -> Result<Left, Denial> {
    verify_under(&[SECRET], "GET", target, &[], NOW)
}

#[test]
fn links_are_those_of_an_independent_implementation() {
    for (purpose, id, timestamp, nonce, key, sign) in [
        (Purpose::File, ID, 1_714_566_896, NONCE, SECRET, FILE_SIGN),
        (Purpose::Image, ID, 1_714_566_896, NONCE, SECRET, IMAGE_SIGN),
        (
            Purpose::File,
            ID,
            1_714_566_896,
            "00000000000000000000000000000000",
            SECRET,
            "Dyu4_B3nMweQ3EKH-oAjgwUFYZswEXD9I-bLSq1G7eo=",
        ),
        (
            Purpose::File,
            "00000000-0000-0000-0000-000000000000",
            1,
            "ffffffffffffffffffffffffffffffff",
            SECRET,
            "U2-YW6VcQhMdpD8r_GUmH9OHzpxn49Sn7xkBhJWTI7M=",
        ),
        (
            Purpose::Image,
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
            999_999_999_999,
            "00000000000000000000000000000000",
            "密密密密密密密密密密密密密密密密",
            "Z0qMnnf0jGrh-DlA-0kmPEpaeJA_5axw4o6kUD_OFXc=",
        ),
    ] {
        let seconds = UnixSeconds(timestamp);
        let link = super::sign(purpose, id, seconds, nonce, &secret(key)).unwrap();
        let (name, escaped) = (purpose.name(), sign.replace('=', "%3D"));
        assert_eq!(link, target(id, name, &timestamp.to_string(), nonce, &escaped));
        for link in [link, target(id, name, &timestamp.to_string(), nonce, sign)] {
            assert_eq!(
                verify_under(&[key], "GET", &link, &[], seconds),
                Ok(Vec::new()),
                "{link}"
            );
            assert_eq!(verify_under(&[key], "HEAD", &link, &[], seconds), Ok(Vec::new()));
            assert_eq!(
                verify_under(&["another-secret"], "GET", &link, &[], seconds),
                Err(Denial::SignatureMismatch)
            );
        }
    }
}

#[test]
fn only_what_a_gateway_takes_is_signed() {
    let refused = |id: &str, seconds, nonce: &str| {
        sign(Purpose::File, id, UnixSeconds(seconds), nonce, &secret(SECRET)).err()
    };
    assert_eq!(refused(ID, 1, NONCE), None);
    assert_eq!(refused("a|1", 1, NONCE), Some(Denial::LinkMalformed("file_id")));
    assert_eq!(refused(ID, 0, NONCE), Some(Denial::LinkMalformed("timestamp")));
    assert_eq!(refused(ID, -1, NONCE), Some(Denial::LinkMalformed("timestamp")));
    assert_eq!(refused(ID, 1, ""), Some(Denial::LinkMalformed("nonce")));
}

#[test]
fn df01_a_file_id_is_a_uuid_before_anything_is_computed() {
    for id in [
        "",
        "a%7C1",
        "tenant%7Cx",
        "6f1c2d3e-4b5a-4697-8897-a6b5c4d3e2f",
        "6f1c2d3e-4b5a-4697-8897-a6b5c4d3e2f11",
        "6F1C2D3E-4B5A-4697-8897-A6B5C4D3E2F1",
        "6f1c2d3e4b5a46978897a6b5c4d3e2f1",
        "6f1c2d3e-4b5a-4697-8897_a6b5c4d3e2f1",
        "6f1c2d3e-4b5a-4697-8897-a6b5c4d3e2fg",
        "{6f1c2d3e-4b5a-4697-8897-a6b5c4d3e2f1",
        "..",
        "6f1c2d3e-4b5a-4697-8897-a6b5c4d3e2%C3%A9",
    ] {
        assert_eq!(
            verify(&target(id, "file-preview", "1714566896", NONCE, FILE_SIGN)),
            Err(Denial::LinkMalformed("file_id")),
            "{id}"
        );
    }
}

#[test]
fn df03_a_link_of_the_future_is_none_beyond_the_skew() {
    let at = |now| verify_under(&[SECRET], "GET", &good(), &[], UnixSeconds(now));
    assert_eq!(at(NOW.0 - 900), Ok(Vec::new()));
    assert_eq!(
        at(NOW.0 - 901),
        Err(Denial::NotYetValid {
            begins: UnixSeconds(NOW.0 - 900),
            now: UnixSeconds(NOW.0 - 901)
        })
    );
}

#[test]
fn df04_a_timestamp_has_one_way_to_be_written() {
    for timestamp in [
        "",
        "0",
        "1e9",
        "%201714566896",
        "1714566896%20",
        "+1714566896",
        "%2B1714566896",
        "-1714566896",
        "01714566896",
        "1_714_566_896",
        "1714566896.0",
        "0x66323af0",
        "%D9%A3",
        "%D9%A1%D9%A7",
        "1714566896%00",
        "9223372036854775807",
        "9223372036854775808",
        "1000000000000",
    ] {
        assert_eq!(
            verify(&target(ID, "file-preview", timestamp, NONCE, FILE_SIGN)),
            Err(Denial::LinkMalformed("timestamp")),
            "{timestamp}"
        );
    }
}

#[test]
fn df05_a_nonce_is_32_hexadecimal_digits() {
    let huge = "0".repeat(4000);
    for nonce in [
        "",
        "0",
        "00112233445566778899aabbccddeef",
        "00112233445566778899aabbccddeeff0",
        "00112233445566778899AABBCCDDEEFF",
        "00112233445566778899aabbccddeefg",
        "00112233445566778899aabbccddee%7C",
        &huge,
    ] {
        assert_eq!(
            verify(&target(ID, "file-preview", "1714566896", nonce, FILE_SIGN)),
            Err(Denial::LinkMalformed("nonce")),
            "{nonce}"
        );
    }
    // A link may be used more than once while it lives, as in Dify.
    assert_eq!(verify(&good()), Ok(Vec::new()));
    assert_eq!(verify(&good()), Ok(Vec::new()));
}

#[test]
fn df07_as_attachment_can_ask_for_a_disposition_and_nothing_else() {
    let disposition = (
        "response-content-disposition".to_owned(),
        "attachment".to_owned(),
        Coverage::Signed,
    );
    for (more, left) in [
        ("&as_attachment=true", Ok(vec![disposition])),
        ("&as_attachment=false", Ok(Vec::new())),
        ("&as_attachment=", Err(Denial::LinkMalformed("as_attachment"))),
        ("&as_attachment=1", Err(Denial::LinkMalformed("as_attachment"))),
        ("&as_attachment=True", Err(Denial::LinkMalformed("as_attachment"))),
        (
            "&as_attachment=true%0D%0AX-A:b",
            Err(Denial::LinkMalformed("as_attachment")),
        ),
    ] {
        assert_eq!(verify(&format!("{}{more}", good())), left, "{more}");
    }
    // Whatever else is added stays unsigned, and no read takes that.
    let left = verify(&format!("{}&response-content-type=text/html&versionId=1", good())).unwrap();
    assert_eq!(left.len(), 2);
    assert!(
        left.iter()
            .all(|(_, _, coverage)| *coverage == Coverage::Unsigned)
    );
}

#[test]
fn df08_no_part_of_a_link_is_there_twice_or_missing() {
    for part in ["timestamp", "nonce", "sign", "as_attachment"] {
        for value in ["", "1", "1714566896", NONCE, FILE_SIGN] {
            let twice = format!("{}&as_attachment=true&{part}={value}", good());
            assert_eq!(
                verify(&twice),
                Err(Denial::Head(HeadError::RepeatedParameter)),
                "{twice}"
            );
        }
    }
    for part in ["timestamp", "nonce", "sign"] {
        let missing = good().replace(part, "other");
        assert_eq!(
            verify(&missing),
            Err(Denial::PresignedIncomplete(part)),
            "{missing}"
        );
    }
}

#[test]
fn df09_there_is_no_empty_secret_and_none_means_no_link() {
    assert!(SecretKey::new(String::new()).is_none());
    assert_eq!(
        verify_under(&[], "GET", &good(), &[], NOW),
        Err(Denial::InactiveKey)
    );
}

#[test]
fn df10_a_link_lives_for_exactly_its_lifetime() {
    let at = |age| verify_under(&[SECRET], "GET", &good(), &[], UnixSeconds(NOW.0 + age));
    for age in [0, 1, 3599, 3600] {
        assert_eq!(at(age), Ok(Vec::new()), "{age}");
    }
    for age in [3601, 86_400, i64::MAX - NOW.0] {
        let (expires, now) = (UnixSeconds(NOW.0 + 3600), UnixSeconds(NOW.0 + age));
        assert_eq!(at(age), Err(Denial::Expired { expires, now }), "{age}");
    }
}

#[test]
fn a_link_for_one_purpose_file_time_or_nonce_is_none_for_another() {
    for changed in [
        good().replace("file-preview", "image-preview"),
        good().replace("6f1c2d3e", "6f1c2d3f"),
        good().replace("1714566896", "1714566897"),
        good().replace(NONCE, "00112233445566778899aabbccddeefe"),
        good().replace(FILE_SIGN, IMAGE_SIGN),
    ] {
        assert_eq!(verify(&changed), Err(Denial::SignatureMismatch), "{changed}");
    }
}

#[test]
fn a_sign_has_one_form_and_everything_else_is_a_wrong_one() {
    for sign in [
        "",
        "=",
        FILE_SIGN.trim_end_matches('='),
        "giYtWlY5D8pHPlaA6Xg3JvEybFf2EkSx8PUDBTUdYg9=",
        "giYtWlY5D8pHPlaA6Xg3JvEybFf2EkSx8PUDBTUdYg8%3D%3D",
        "82262d5a56390fca473e5680e9783726f1326c57f61244b1f0f50305351d620f",
    ] {
        let link = target(ID, "file-preview", "1714566896", NONCE, sign);
        assert_eq!(verify(&link), Err(Denial::SignatureMismatch), "{sign}");
    }
    // The standard alphabet, of a link that has letters of both.
    let nonce = "00000000000000000000000000000000";
    for (sign, outcome) in [
        ("Dyu4_B3nMweQ3EKH-oAjgwUFYZswEXD9I-bLSq1G7eo=", Ok(Vec::new())),
        (
            "Dyu4/B3nMweQ3EKH%2BoAjgwUFYZswEXD9I%2BbLSq1G7eo=",
            Err(Denial::SignatureMismatch),
        ),
    ] {
        let link = target(ID, "file-preview", "1714566896", nonce, sign);
        assert_eq!(verify(&link), outcome, "{sign}");
    }
}

#[test]
fn each_of_several_secrets_counts() {
    for secrets in [[SECRET, "the-next-one"], ["the-last-one", SECRET]] {
        assert_eq!(verify_under(&secrets, "GET", &good(), &[], NOW), Ok(Vec::new()));
    }
}

#[test]
fn a_link_reads_and_does_nothing_else() {
    for method in ["PUT", "POST", "DELETE", "PATCH", "OPTIONS"] {
        let outcome = verify_under(&[SECRET], method, &good(), &[], NOW);
        assert_eq!(outcome, Err(Denial::LinkMethod), "{method}");
    }
}

#[test]
fn d05_a_link_beside_another_credential_is_refused() {
    for headers in [
        [("authorization", "OSS AK:c2ln")],
        [("authorization", "Bearer token")],
    ] {
        assert_eq!(
            verify_under(&[SECRET], "GET", &good(), &headers, NOW),
            Err(Denial::SeveralCredentials)
        );
    }
    for more in [
        "OSSAccessKeyId=AK&Expires=1&Signature=s",
        "x-oss-signature-version=OSS2",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256",
    ] {
        assert_eq!(
            verify(&format!("{}&{more}", good())),
            Err(Denial::SeveralCredentials),
            "{more}"
        );
    }
}

#[test]
fn other_paths_and_other_queries_have_no_link() {
    let query = good();
    let (_, query) = query.split_once('?').unwrap();
    for path in [
        "/files/",
        "/files/a/b/file-preview",
        "/files//file-preview/",
        "/file/a/file-preview",
        "/Files/a/file-preview",
        "/files/a/File-preview",
        "/files/a/file-preview/",
        "/files/a/audio-preview",
        "/x/files/a/file-preview",
        "/",
    ] {
        assert_eq!(of_path(path.as_bytes()), None, "{path}");
        assert_eq!(
            verify(&format!("{path}?{query}")),
            Err(Denial::Anonymous),
            "{path}"
        );
    }
    assert_eq!(
        verify(&format!("/files/{ID}/file-preview")),
        Err(Denial::Anonymous)
    );
    let signed = head(
        "PUT",
        "/files/x/file-preview",
        &[("authorization", "OSS AK:c2ln")],
    );
    assert_eq!(claim(&signed).unwrap().scheme(), Scheme::OssV1);
}

#[test]
fn a_key_with_a_token_is_none_for_links() {
    let token = crate::secret::SecurityToken::new("token".into()).unwrap();
    let request = head("GET", &good(), &[]);
    let secret = secret(SECRET);
    let material = KeyMaterial {
        key_id: "links",
        secrets: vec![&secret],
        public_key: None,
        security_token: Some(&token),
        schemes: &[Scheme::Preview],
    };
    let resource = Resource {
        signed_bucket: None,
        key: b"k".to_vec(),
        bucket: (),
    };
    let outcome =
        claim(&request)
            .unwrap()
            .verify(&request, &material, vec![resource], &Rules::new(WINDOW), NOW);
    assert_eq!(outcome.err(), Some(Denial::TokenMissing));
}
