//! The record of a key pair: the public key that verifies CloudFront's signed URLs and cookies, in the place
//! of secrets. The record's id is that of the key pair. A rotation is a second record with an id of its own,
//! for as long as URLs of the first one live.
//!
//! Key pairs and secrets are kept apart: a record of one kind may list no scheme of the other.

use request_auth::{PublicKey, Scheme};

use super::KeyRecordSource;

/// Reads the public key of a record, if it has one. Its schemes are `schemes`.
///
/// # Errors
/// What is wrong with the record, as a sentence.
pub(super) fn public_key(
    source: &KeyRecordSource,
    schemes: &[Scheme],
) -> Result<Option<PublicKey>, &'static str> {
    let is_of_pairs = |scheme: &Scheme| !Scheme::WITH_SECRETS.contains(scheme);
    let Some(pem) = &source.public_key else {
        return if schemes.iter().any(is_of_pairs) {
            Err("`cloudfront` in `schemes` is for a record with a `public_key`")
        } else {
            Ok(None)
        };
    };
    let has_secrets = !source.secrets.is_empty() || !source.masters.is_empty();
    if has_secrets || !source.revoked.is_empty() || source.security_token.is_some() {
        return Err(
            "a record with a `public_key` has no `secrets`, `masters`, `revoked` and `security_token`",
        );
    }
    if !schemes.iter().all(is_of_pairs) {
        return Err("a record with a `public_key` can be used with no scheme but `cloudfront`");
    }
    PublicKey::from_pem(pem).map(Some).ok_or(
        "`public_key` has to be PEM that begins with -----BEGIN PUBLIC KEY-----, of RSA with 2048 bits and the exponent 65537, or of ECDSA on P-256",
    )
}

#[cfg(test)]
mod tests {
    use request_auth::{Denial, UnixSeconds};

    use super::super::KeyRecord;
    use super::*;

    const RSA: &str = include_str!("../../../../tests/vectors/keys/rsa-2048.pub.pem");
    const P256: &str = include_str!("../../../../tests/vectors/keys/p-256.pub.pem");

    fn record(fields: &str) -> Result<KeyRecord, String> {
        let json = format!(r#"{{"id":"K2JCJMDEHXQW5F","grants":[{{"bucket":"devices"}}],{fields}}}"#);
        KeyRecord::from_json("K2JCJMDEHXQW5F", &json).map_err(|error| error.to_string())
    }

    fn field(pem: &str) -> String {
        format!(r#""public_key":"{}""#, pem.replace('\n', "\\n"))
    }

    #[test]
    fn a_record_with_a_public_key_is_for_signed_urls_and_has_no_secret() {
        for pem in [RSA, P256] {
            let record = record(&field(pem)).unwrap();
            let key = record.key("K2JCJMDEHXQW5F", UnixSeconds(0)).unwrap();
            let material = key.material();
            assert_eq!(material.schemes, [Scheme::CloudFront]);
            assert_eq!(material.public_key, PublicKey::from_pem(pem).as_ref());
            assert!(material.secrets.is_empty());
            assert!(matches!(
                record.key("K2JCJMDEHXQW5G", UnixSeconds(0)),
                Err(Denial::UnknownKey)
            ));
        }
    }

    #[test]
    fn a_disabled_key_pair_has_no_public_key() {
        let record = record(&format!(r#""status":"disabled",{}"#, field(RSA))).unwrap();
        let key = record.key("K2JCJMDEHXQW5F", UnixSeconds(0)).unwrap();
        assert_eq!(key.material().public_key, None);
    }

    #[test]
    fn a_record_is_of_a_key_pair_or_of_secrets() {
        let secret = r#""secrets":[{"secret":"0123456789abcdef0123"}]"#;
        let master = r#""masters":[{"secret":"0123456789abcdef0123456789abcdef"}]"#;
        let with = |more: &str| format!("{},{more}", field(RSA));
        for (fields, named) in [
            (with(secret), "`secrets`"),
            (with(master), "`masters`"),
            (with(r#""revoked":["a"]"#), "`revoked`"),
            (with(r#""security_token":"token""#), "`security_token`"),
            (with(r#""schemes":["oss-v1"]"#), "`cloudfront`"),
            (with(r#""schemes":["cloudfront","oss-v4"]"#), "`cloudfront`"),
            (format!(r#"{secret},"schemes":["cloudfront"]"#), "`public_key`"),
            (
                format!(r#"{secret},"schemes":["oss-v1","cloudfront"]"#),
                "`public_key`",
            ),
            (r#""schemes":["cloudfront"]"#.to_owned(), "`public_key`"),
            (r#""public_key":"""#.to_owned(), "BEGIN PUBLIC KEY"),
            (field(&RSA.replace("PUBLIC", "PRIVATE")), "BEGIN PUBLIC KEY"),
        ] {
            let error = record(&fields).unwrap_err();
            assert!(error.contains(named), "{fields}: {error}");
        }
        let json = format!(r#"{{"id":"d1.fleet","grants":[],{}}}"#, field(RSA));
        assert!(KeyRecord::from_json("d1.fleet", &json).is_err());
    }
}
