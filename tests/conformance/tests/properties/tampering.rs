//! Changing anything that is signed is refused; changing anything else changes nothing that can be
//! read as signed.

use conformance::mac::Version;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use request_auth::canon::percent_decode;
use request_auth::{Claim, Delivery, Hint, KeyMaterial, RequestHead, Rules, Scheme, SecretKey, Window};

use crate::config;
use crate::device::{Device, HOSTS, KEY_ID, NOW, Placement, Style, Wire, trim, verify, verifying};
use crate::text::DATE;

/// A change to a request as its sender meant it.
#[derive(Clone, Debug)]
enum Change {
    Method(&'static str),
    Key(Edit),
    Bucket,
    ParameterValue(Index, Edit),
    ParameterRemoved(Index),
    ParameterAdded(&'static str, Vec<u8>),
    ContentType(Edit),
    ContentMd5(Edit),
    HeaderValue(Index, Edit),
    HeaderName(Index, u8),
    HeaderRemoved(Index),
    Additional(Index, Edit),
    HeaderAdded(&'static str, Vec<u8>),
}

/// A change of one byte.
#[derive(Clone, Debug)]
enum Edit {
    Replace(Index, u8),
    Insert(Index, u8),
    Remove(Index),
}

impl Edit {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Replace(at, with) if !bytes.is_empty() => {
                let at = at.index(bytes.len());
                bytes[at] = *with;
            }
            Self::Remove(at) if !bytes.is_empty() => {
                bytes.remove(at.index(bytes.len()));
            }
            Self::Insert(at, new) => bytes.insert(at.index(bytes.len() + 1), *new),
            Self::Replace(..) | Self::Remove(_) => {}
        }
    }
}

fn edit() -> impl Strategy<Value = Edit> {
    // CR, LF and NUL are refused for their own sake.
    let byte = any::<u8>().prop_filter("line breaks", |byte| !b"\r\n\0".contains(byte));
    prop_oneof![
        (any::<Index>(), byte.clone()).prop_map(|(at, byte)| Edit::Replace(at, byte)),
        (any::<Index>(), byte).prop_map(|(at, byte)| Edit::Insert(at, byte)),
        any::<Index>().prop_map(Edit::Remove),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let value = prop_oneof![Just(Vec::new()), "[a-z]{1,3}".prop_map(String::into_bytes)];
    let full = "[a-z]{1,3}".prop_map(String::into_bytes);
    let letter = "[a-z]".prop_map(|letter| letter.as_bytes()[0]);
    prop_oneof![
        select(vec!["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"]).prop_map(Change::Method),
        edit().prop_map(Change::Key),
        Just(Change::Bucket),
        (any::<Index>(), edit()).prop_map(|(at, edit)| Change::ParameterValue(at, edit)),
        any::<Index>().prop_map(Change::ParameterRemoved),
        (
            select(vec!["acl", "uploads", "tagging", "x-oss-process", "callback"]),
            value
        )
            .prop_map(|(name, value)| Change::ParameterAdded(name, value)),
        edit().prop_map(Change::ContentType),
        edit().prop_map(Change::ContentMd5),
        (any::<Index>(), edit()).prop_map(|(at, edit)| Change::HeaderValue(at, edit)),
        (any::<Index>(), letter).prop_map(|(at, letter)| Change::HeaderName(at, letter)),
        any::<Index>().prop_map(Change::HeaderRemoved),
        (any::<Index>(), edit()).prop_map(|(at, edit)| Change::Additional(at, edit)),
        (
            select(vec!["x-oss-meta-injected", "x-oss-copy-source", "x-oss-"]),
            full
        )
            .prop_map(|(name, value)| Change::HeaderAdded(name, value)),
    ]
}

impl Change {
    /// The request after the change; equal to the one before where the change does not apply.
    fn apply(&self, before: &Device) -> Device {
        let mut device = before.clone();
        let nth = |at: &Index, names: Vec<String>| {
            (!names.is_empty()).then(|| names[at.index(names.len())].clone())
        };
        let parameter = |at: &Index| nth(at, before.signed.keys().cloned().collect());
        let header = |at: &Index| nth(at, before.headers.keys().cloned().collect());
        match self {
            Self::Method(method) => (*method).clone_into(&mut device.method),
            Self::Key(edit) => edit.apply(&mut device.key),
            Self::Bucket => {
                // Only where the URL names it; a CNAME host has one bucket whatever is signed.
                if matches!(device.style, Style::Path | Style::VirtualHost) {
                    device.bucket = "other";
                }
            }
            Self::ParameterValue(at, edit) => {
                if let Some(value) = parameter(at).and_then(|name| device.signed.get_mut(&name)) {
                    edit.apply(value);
                }
            }
            Self::ParameterRemoved(at) => {
                parameter(at).map(|name| device.signed.remove(&name));
            }
            Self::ParameterAdded(name, value) => {
                device
                    .signed
                    .entry((*name).to_owned())
                    .or_insert_with(|| value.clone());
            }
            Self::ContentType(edit) => apply_to_header(edit, &mut device.content_type),
            Self::ContentMd5(edit) => apply_to_header(edit, &mut device.content_md5),
            Self::HeaderValue(at, edit) => {
                if let Some(value) = header(at).and_then(|name| device.headers.get_mut(&name)) {
                    edit.apply(value);
                    *value = trim(value);
                }
            }
            Self::HeaderName(at, letter) => {
                if let Some(name) = header(at) {
                    let value = device.headers.remove(&name).unwrap_or_default();
                    device
                        .headers
                        .insert(format!("{name}{}", char::from(*letter)), value);
                }
            }
            Self::HeaderRemoved(at) => {
                header(at).map(|name| device.headers.remove(&name));
            }
            Self::Additional(at, edit) => {
                let name = nth(at, before.additional.keys().cloned().collect());
                if let Some(value) = name.and_then(|name| device.additional.get_mut(&name)) {
                    edit.apply(value);
                    *value = trim(value);
                }
            }
            Self::HeaderAdded(name, value) => {
                device
                    .headers
                    .entry((*name).to_owned())
                    .or_insert_with(|| value.clone());
            }
        }
        device
    }
}

/// Absent and empty are one to a signature; an empty header stays absent here.
fn apply_to_header(edit: &Edit, value: &mut Option<Vec<u8>>) {
    let mut bytes = value.clone().unwrap_or_default();
    edit.apply(&mut bytes);
    *value = Some(trim(&bytes)).filter(|bytes| !bytes.is_empty());
}

/// Gives a parameter another value; the pen may have escaped any byte of its name.
fn replace_parameter(wire: &mut Wire, name: &str, value: &str) {
    let escaped = value.replace('+', "%2B");
    let mut halves = wire.target.splitn(2, |&byte| byte == b'?');
    let (path, query) = (halves.next().unwrap(), halves.next().unwrap_or_default());
    let pieces: Vec<Vec<u8>> = query
        .split(|&byte| byte == b'&')
        .map(|piece| match decoded_name_is(piece, name) {
            true => format!("{name}={escaped}").into_bytes(),
            false => piece.to_vec(),
        })
        .collect();
    wire.target = [path, &pieces.join(b"&".as_slice())].join(b"?".as_slice());
}

fn decoded_name_is(piece: &[u8], name: &str) -> bool {
    let raw = piece.split(|&byte| byte == b'=').next().unwrap_or_default();
    percent_decode(raw).as_deref() == Some(name.as_bytes())
}

proptest! {
    #![proptest_config(config(2000))]

    #[test]
    fn a_change_to_anything_signed_is_refused(device in verifying(), change in change()) {
        let changed = change.apply(&device);
        let wire = changed.wire_with(&device.signature());
        match verify(&wire, &device.secret, Delivery::Lines) {
            Err(_) => {}
            // Nothing but what was signed may come out, and then it is the very same request.
            Ok(covered) => {
                prop_assert_eq!(&covered, &device.covered());
                prop_assert_eq!(device.string_to_sign(), changed.string_to_sign());
            }
        }
    }

    #[test]
    fn a_change_to_any_character_of_the_credential_is_refused(
        device in verifying(), at in any::<Index>(), with in "[A-Za-z0-9+/]",
    ) {
        let signature = device.signature();
        let at = at.index(signature.len() - 1);
        let mut other = signature.clone();
        other.replace_range(at..=at, &with);
        prop_assume!(other != signature);
        let wire = device.wire_with(&other);
        prop_assert!(verify(&wire, &device.secret, Delivery::Lines).is_err());
    }

    #[test]
    fn another_secret_verifies_nothing(device in verifying()) {
        let longer = [&device.secret, "0"].concat();
        prop_assert!(verify(&device.wire(), &longer, Delivery::Lines).is_err());
        let shorter: String = device.secret.chars().skip(1).collect();
        prop_assert!(verify(&device.wire(), &shorter, Delivery::Lines).is_err());
    }

    #[test]
    fn a_change_to_the_signed_date_is_refused(device in verifying(), seconds in 1_i64..800) {
        let moved = request_auth::UnixSeconds(NOW.0 + seconds);
        let later = (1_714_567_496 + seconds).to_string();
        let mut wire = device.wire();
        let slot = match (device.version, device.placement) {
            (Version::V2, _) | (_, Placement::Header) => "date",
            _ => "x-oss-date",
        };
        let text = match (device.version, slot) {
            (Version::V4, "x-oss-date") => moved.iso_basic(),
            _ => moved.http_date(),
        };
        for (name, value) in &mut wire.headers {
            if name.eq_ignore_ascii_case(slot) {
                *value = text.clone().into_bytes();
            }
        }
        match device.version {
            Version::V1 => replace_parameter(&mut wire, "Expires", &later),
            Version::V2 => replace_parameter(&mut wire, "x-oss-expires", &later),
            Version::V4 => replace_parameter(&mut wire, "x-oss-date", &moved.iso_basic()),
        }
        prop_assert!(verify(&wire, &device.secret, Delivery::Lines).is_err());
    }

    #[test]
    fn what_is_unsigned_changes_nothing_and_is_read_as_nothing_signed(
        device in verifying(),
        headers in proptest::collection::vec(("(x-amz-[a-z]{1,8}|x-forwarded-for|user-agent|x-os-a|range|cache-control)", "[ -~]{0,8}"), 0..4),
        names in proptest::collection::btree_set("(Uploads|x-amz-[a-z]{1,4}|list-type|uploadID)", 0..3),
    ) {
        let before = verify(&device.wire(), &device.secret, Delivery::Lines);
        let mut wire = device.wire();
        for (name, value) in &headers {
            wire.headers.push((name.clone(), value.clone().into_bytes()));
        }
        // V2 and V4 sign every parameter.
        for name in names.iter().filter(|_| device.version == Version::V1) {
            let mark = if wire.target.contains(&b'?') { '&' } else { '?' };
            wire.target.extend(format!("{mark}{name}=v").bytes());
        }
        prop_assert_eq!(&verify(&wire, &device.secret, Delivery::Lines), &before);
    }
}

#[test]
fn an_unsigned_header_is_readable_as_a_hint_of_the_closed_list_or_not_at_all() {
    let text = format!("PUT\n\n\n{DATE}\n/devices/k");
    let authorization = format!(
        "OSS {KEY_ID}:{}",
        Version::V1
            .scheme()
            .sign("secret-of-16-bytes", text.as_bytes())
            .unwrap()
    );
    let names = [
        "x-amz-acl",
        "x-amz-copy-source",
        "x-amz-meta-a",
        "x-amz-tagging",
        "x-amz-website-redirect-location",
        "x-causeway-passport",
        "security-token-2",
        "x-forwarded-for",
        "user-agent",
        "range",
        "if-match",
        "if-none-match",
        "cache-control",
        "content-encoding",
        "content-language",
        "content-disposition",
        "expires",
        "if-modified-since",
        "if-unmodified-since",
        "content-length",
        "transfer-encoding",
        "x-http-method-override",
    ];
    let mut lines = vec![
        ("host", "up.test"),
        ("date", DATE),
        ("authorization", authorization.as_str()),
    ];
    lines.extend(names.map(|name| (name, "value")));
    let lines = lines
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let head = RequestHead::new("PUT", b"/k", lines, Delivery::Lines).unwrap();
    let secret = SecretKey::new("secret-of-16-bytes".into()).unwrap();
    let key = KeyMaterial {
        key_id: KEY_ID,
        secrets: vec![&secret],
        public_key: None,
        security_token: None,
        schemes: &Scheme::ALL,
    };
    let rules = Rules::new(Window {
        skew_seconds: 900,
        presigned_max_seconds: None,
    });
    let resources = HOSTS.resources(head.host(), head.path());
    let claim = Claim::of(&head).unwrap();
    let verified = claim.verify(&head, &key, resources, &rules, NOW).unwrap();
    for name in names {
        assert_eq!(verified.signed(name), None, "{name}");
    }
    assert_eq!(verified.signed_headers().count(), 0);
    let hinted: Vec<&str> = Hint::ALL
        .iter()
        .filter(|hint| verified.hint(**hint).is_some())
        .map(|hint| hint.header_name())
        .collect();
    assert_eq!(
        hinted,
        [
            "content-encoding",
            "content-disposition",
            "cache-control",
            "content-language",
            "expires",
            "range",
            "if-match",
            "if-none-match",
            "if-modified-since",
            "if-unmodified-since",
        ]
    );
}
