//! Preview links: what was signed verifies, and no other link does.

use proptest::prelude::*;
use request_auth::preview::{Place, Purpose, of_path, sign};
use request_auth::{
    Claim, Delivery, Denial, KeyMaterial, RequestHead, Resource, Rules, Scheme, SecretKey, UnixSeconds,
    Window,
};

const NOW: UnixSeconds = UnixSeconds(1_714_566_896);
const LIFETIME: u32 = 3600;
const SKEW: u32 = 900;

/// Whether a GET of this target is a link under this secret.
fn verify(target: &[u8], secret: &str, now: UnixSeconds) -> Result<(), Denial> {
    let lines = [(b"host".as_slice(), b"h".as_slice())];
    let head = RequestHead::new("GET", target, lines, Delivery::Lines)?;
    let (purpose, file_id) = of_path(head.path()).ok_or(Denial::Anonymous)?;
    let place = Place {
        purpose,
        file_id,
        key_id: "links",
        lifetime_seconds: LIFETIME,
    };
    let secret = SecretKey::new(secret.to_owned()).unwrap();
    let material = KeyMaterial {
        key_id: "links",
        secrets: vec![&secret],
        public_key: None,
        security_token: None,
        schemes: &[Scheme::Preview],
    };
    let resource = Resource {
        signed_bucket: None,
        key: file_id.to_vec(),
        bucket: (),
    };
    let rules = Rules::new(Window {
        skew_seconds: SKEW,
        presigned_max_seconds: None,
    });
    let claim = Claim::at(&head, place)?;
    claim
        .verify(&head, &material, vec![resource], &rules, now)
        .map(|_| ())
}

prop_compose! {
    fn link()(
        purpose in prop::sample::select(Purpose::ALL.to_vec()),
        file_id in "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        nonce in "[0-9a-f]{32}",
        timestamp in 1..2_000_000_000_i64,
        secret in "[!-~]{16,64}",
    ) -> (String, i64, String) {
        let key = SecretKey::new(secret.clone()).unwrap();
        let target = sign(purpose, &file_id, UnixSeconds(timestamp), &nonce, &key).unwrap();
        (target, timestamp, secret)
    }
}

proptest! {
    #![proptest_config(super::config(1000))]

    #[test]
    fn df10_a_link_verifies_in_its_time_and_in_no_other((target, timestamp, secret) in link(), away in -10_000..10_000_i64) {
        let outcome = verify(target.as_bytes(), &secret, UnixSeconds(timestamp + away));
        let is_in_time = (-i64::from(SKEW)..=i64::from(LIFETIME)).contains(&away);
        prop_assert_eq!(outcome.is_ok(), is_in_time, "{} {:?}", away, outcome);
    }

    #[test]
    fn a_link_with_any_byte_changed_is_none((target, timestamp, secret) in link(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut changed = target.clone().into_bytes();
        let at = at.index(changed.len());
        // The only spelling that means the same is the case of an escape's digits.
        prop_assume!(!changed[at].eq_ignore_ascii_case(&byte));
        changed[at] = byte;
        prop_assert!(verify(&changed, &secret, UnixSeconds(timestamp)).is_err(), "{}", String::from_utf8_lossy(&changed));
    }

    #[test]
    fn another_secret_makes_another_link((target, timestamp, secret) in link(), other in "[!-~]{16,64}") {
        prop_assume!(secret != other);
        let outcome = verify(target.as_bytes(), &other, UnixSeconds(timestamp));
        prop_assert_eq!(outcome, Err(Denial::SignatureMismatch));
    }

    #[test]
    fn df01_what_stands_for_a_file_id_can_not_move_the_bounds_of_the_text(
        (target, timestamp, secret) in link(), text in "[ -~]{0,40}"
    ) {
        let (_, rest) = target.split_at("/files/".len());
        let (id, rest) = rest.split_at(36);
        let escaped: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        prop_assume!(text != id);
        let changed = ["/files/", &escaped, rest].concat();
        prop_assert!(verify(changed.as_bytes(), &secret, UnixSeconds(timestamp)).is_err());
    }

    #[test]
    fn nothing_that_is_asked_for_panics(path in "/files/[ -~]{0,50}", query in "[ -~]{0,200}") {
        let target = format!("{path}/file-preview?{query}");
        let _ = verify(target.as_bytes(), "0123456789abcdef", NOW);
        let query = format!("/files/6f1c2d3e-4b5a-4697-8897-a6b5c4d3e2f1/image-preview?{query}&sign=&nonce=&timestamp=1");
        prop_assert!(verify(query.as_bytes(), "0123456789abcdef", NOW).is_err());
    }
}
