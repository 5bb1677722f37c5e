//! Requests derived from the vectors: one change that a signature must not survive, or one that it
//! must survive.
//!
//! The changes are mechanical and know nothing of how a verifier works. What is signed they read
//! from the vector itself: the `string_to_sign` of V1 names the parameters and the date in it, V2, V4 and
//! S3 sign every parameter, and their credential lists the headers beyond the usual ones, S3's every one.

mod signed;

use core::cmp::Reverse;

use crate::mac::Scheme;
use crate::vector::{Request, Valid, Vector};
use signed::Signed;

/// A vector made from another by one change.
#[derive(Clone, Debug)]
pub struct Derived {
    /// What was changed.
    pub change: &'static str,
    /// The changed vector; its id is the base's, `~` and what distinguishes the change.
    pub vector: Vector,
}

const MISMATCH: &str = "SignatureDoesNotMatch";
const DAY: i64 = 86_400;
const METHODS: [&str; 5] = ["GET", "HEAD", "PUT", "POST", "DELETE"];

/// The changes after which `base` must be refused, each with the error to expect. None for a vector
/// of a form, and for one that does not verify.
pub fn tampered(base: &Vector) -> Vec<Derived> {
    let mut made = Maker::default();
    let Some(signed) = Signed::of(base) else {
        return made.found;
    };
    tamper_clock_and_key(&signed, &mut made);
    tamper_signature(&signed, &mut made);
    tamper_target(&signed, &mut made);
    tamper_headers(&signed, &mut made);
    if matches!(signed.scheme, Scheme::OssV4 | Scheme::S3V4) {
        tamper_scope(&signed, &mut made);
    }
    made.found
}

/// The changes after which `base` must still verify, with the same bucket and string to sign.
pub fn harmless(base: &Vector) -> Vec<Derived> {
    let mut made = Maker::default();
    let Some(signed) = Signed::of(base) else {
        return made.found;
    };
    made.keep(&signed, "proxy headers added", "proxy", |request| {
        let mut added = vec![
            ("X-Forwarded-For", "203.0.113.9"),
            ("Via", "1.1 edge"),
            ("X-Amz-Cf-Id", "abc"),
            ("X-Amzn-Trace-Id", "Root=1"),
        ];
        if signed.scheme != Scheme::S3V4 {
            added.extend([
                ("X-Amz-Acl", "public-read"),
                ("X-Amz-Copy-Source", "/other/secret"),
            ]);
        }
        for (name, value) in added {
            request.headers.push((name.to_owned(), value.to_owned()));
        }
    });
    made.keep(&signed, "header names in lower case", "lower", |request| {
        for (name, _) in &mut request.headers {
            name.make_ascii_lowercase();
        }
    });
    made.keep(&signed, "headers in another order", "header-order", |request| {
        // A stable sort: lines of one name keep their order, which is part of their meaning.
        request
            .headers
            .sort_by_key(|(name, _)| Reverse(name.to_ascii_lowercase()));
    });
    if signed.pieces.len() > 1 {
        made.keep(&signed, "parameters reversed", "query-order", |request| {
            request.target = signed.target(signed.pieces.iter().rev().copied());
        });
    }
    if signed.scheme == Scheme::OssV1 {
        made.keep(
            &signed,
            "unsigned parameters added",
            "unsigned-query",
            |request| {
                let added = ["prefix=zzz", "max-keys=7"];
                request.target = signed.target(signed.pieces.iter().copied().chain(added));
            },
        );
    } else if let Some(index) = signed.request.position("authorization") {
        made.keep(&signed, "the credential's fields reversed", "fields", |request| {
            let value = header(signed.request, index);
            let (scheme, fields) = value.split_once(' ').unwrap_or((value, ""));
            let fields: Vec<&str> = fields.split(',').map(str::trim).rev().collect();
            set_header(request, index, format!("{scheme} {}", fields.join(", ")));
        });
    }
    made.found
}

fn tamper_clock_and_key(signed: &Signed<'_>, made: &mut Maker) {
    let mut clock = |change, suffix, error, seconds: i64| {
        made.refuse(signed, change, suffix, error, |vector| {
            vector.now_unix = vector.now_unix.saturating_add(seconds);
        });
    };
    if signed.is_presigned {
        clock("a day later", "expired", "AccessDenied", DAY);
        if matches!(signed.scheme, Scheme::OssV4 | Scheme::S3V4) {
            clock("an hour earlier", "early", "AccessDenied", -3600);
        }
    } else {
        clock("a day later", "late", "RequestTimeTooSkewed", DAY);
        clock("an hour earlier", "early", "RequestTimeTooSkewed", -3600);
    }
    made.refuse(signed, "another secret", "secret", MISMATCH, |vector| {
        vector.credentials.access_key_secret.push('0');
    });
    made.refuse(
        signed,
        "unknown access key id",
        "unknown",
        "InvalidAccessKeyId",
        |vector| {
            vector.credentials.access_key_id.push('0');
        },
    );
    let bound = &signed.vector.credentials.security_token;
    let token = match bound {
        Some(_) => None,
        None => Some("bound".to_owned()),
    };
    made.refuse(
        signed,
        "token unbound or bound",
        "binding",
        "InvalidAccessKeyId",
        |vector| {
            vector.credentials.security_token = token;
        },
    );
}

fn tamper_signature(signed: &Signed<'_>, made: &mut Maker) {
    const CHANGE: &str = "one character of the signature replaced";
    let other = |c: char| if c == '0' { '1' } else { '0' };
    let name = signed.scheme.signature_parameter();
    if let Some(index) = signed.piece(name) {
        let piece = signed.pieces.get(index).copied().unwrap_or_default();
        for (at, old) in piece.char_indices().skip(name.len().saturating_add(1)) {
            // A digit of an escape would be another byte, or no escape at all.
            if old.is_ascii_alphanumeric() && !in_escape(piece, at) {
                let changed = replaced(piece, at, other(old));
                let suffix = format!("signature-{at}");
                made.refuse_request(signed, CHANGE, &suffix, MISMATCH, |request| {
                    request.target = signed.target_with(index, Some(&changed));
                });
            }
        }
    } else if let Some(index) = signed.request.position("authorization") {
        let value = header(signed.request, index);
        let mark = match signed.scheme {
            Scheme::OssV1 => ":",
            Scheme::OssV2 => "Signature:",
            Scheme::OssV4 | Scheme::S3V4 => "Signature=",
        };
        let start = value
            .rfind(mark)
            .map_or(value.len(), |at| at.saturating_add(mark.len()));
        let length = value.get(start..).and_then(|rest| rest.find(','));
        let end = length.map_or(value.len(), |length| start.saturating_add(length));
        for (at, old) in value
            .char_indices()
            .filter(|(at, old)| (start..end).contains(at) && *old != '=')
        {
            let changed = replaced(value, at, other(old));
            let suffix = format!("signature-{at}");
            made.refuse_request(signed, CHANGE, &suffix, MISMATCH, |request| {
                set_header(request, index, changed);
            });
        }
    }
}

/// A signature of a version 4 is made under a key for one day, region and product.
fn tamper_scope(signed: &Signed<'_>, made: &mut Maker) {
    for (suffix, from, to) in [
        ("scope-day", "20240501", "20240502"),
        match signed.scheme {
            Scheme::S3V4 => ("scope-region", "us-east-1", "us-west-2"),
            _ => ("scope-region", "cn-hangzhou", "cn-beijing"),
        },
    ] {
        let of_scope = |text: &str, separator: &str| {
            text.replacen(
                &format!("{separator}{from}{separator}"),
                &format!("{separator}{to}{separator}"),
                1,
            )
        };
        made.refuse_request(signed, "another scope", suffix, MISMATCH, |request| {
            request.target = of_scope(&request.target, "%2F");
            for (_, value) in &mut request.headers {
                *value = of_scope(value, "/");
            }
        });
    }
}

fn in_escape(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default().as_bytes();
    matches!(before, [.., b'%'] | [.., b'%', _])
}

fn replaced(text: &str, at: usize, with: char) -> String {
    text.char_indices()
        .map(|(place, old)| if place == at { with } else { old })
        .collect()
}

fn tamper_target(signed: &Signed<'_>, made: &mut Maker) {
    for method in METHODS
        .into_iter()
        .filter(|method| *method != signed.request.method)
    {
        made.refuse_request(signed, "another method", method, MISMATCH, |request| {
            method.clone_into(&mut request.method);
        });
    }
    for (suffix, path) in [
        ("path-end", format!("{}X", signed.path)),
        (
            "path-start",
            format!("/X{}", signed.path.strip_prefix('/').unwrap_or_default()),
        ),
        ("path-slash", format!("/{}", signed.path)),
    ] {
        made.refuse_request(signed, "another path", suffix, MISMATCH, |request| {
            request.target = request.target.replacen(signed.path, &path, 1);
        });
    }
    if signed.piece("acl").is_none() {
        made.refuse_request(signed, "a signed parameter added", "acl", MISMATCH, |request| {
            request.target = signed.target(signed.pieces.iter().copied().chain(["acl"]));
        });
    }
    for (index, name, value) in signed.parameters() {
        let suffix = format!("without-{name}");
        made.refuse_request(
            signed,
            "a signed parameter removed",
            &suffix,
            MISMATCH,
            |request| {
                request.target = signed.target_with(index, None);
            },
        );
        let suffix = format!("changed-{name}");
        made.refuse_request(
            signed,
            "a signed parameter's value changed",
            &suffix,
            MISMATCH,
            |request| {
                request.target = signed.target_with(index, Some(&format!("{name}={value}0")));
            },
        );
    }
    if signed.scheme != Scheme::OssV1 {
        made.refuse_request(signed, "a plain parameter added", "plain", MISMATCH, |request| {
            request.target = signed.target(signed.pieces.iter().copied().chain(["x-id=1"]));
        });
    }
    let expires = match signed.scheme {
        Scheme::OssV1 => "Expires",
        Scheme::OssV2 | Scheme::OssV4 => "x-oss-expires",
        Scheme::S3V4 => "X-Amz-Expires",
    };
    if let Some((index, piece)) = signed
        .piece(expires)
        .and_then(|index| Some((index, signed.pieces.get(index)?)))
    {
        let later = format!("{piece}0");
        made.refuse_request(signed, "a later expiry", "expiry", MISMATCH, |request| {
            request.target = signed.target_with(index, Some(&later));
        });
    }
}

fn tamper_headers(signed: &Signed<'_>, made: &mut Maker) {
    let (change, error, added) = match signed.scheme {
        Scheme::S3V4 => (
            "an x-amz- header added",
            "AccessDenied",
            [
                ("x-amz-meta-injected", "1"),
                ("x-amz-copy-source", "/other/secret"),
            ],
        ),
        _ => (
            "an x-oss- header added",
            MISMATCH,
            [("x-oss-meta-injected", "1"), ("x-oss-object-acl", "public-read")],
        ),
    };
    for (name, value) in added {
        if signed.request.position(name).is_none() {
            made.refuse_request(signed, change, name, error, |request| {
                request.headers.push((name.to_owned(), value.to_owned()));
            });
        }
    }
    for (index, (name, value)) in signed.request.headers.iter().enumerate() {
        let name = name.to_ascii_lowercase();
        if matches!(name.as_str(), "date" | "x-oss-date" | "x-amz-date") {
            if let Some(moved) = moved_date(value).filter(|_| signed.covers_date(&name)) {
                made.refuse_request(signed, "the signed date moved", &name, MISMATCH, |request| {
                    set_header(request, index, moved);
                });
            }
        } else if signed.covers(&name) {
            let suffix = format!("changed-{name}-{index}");
            made.refuse_request(signed, "a signed header changed", &suffix, MISMATCH, |request| {
                set_header(request, index, format!("{value}Z"));
            });
            // A request without Host is completed by the runner; one without a payload has an error of its
            // own.
            if !value.is_empty() && !matches!(name.as_str(), "host" | "x-amz-content-sha256") {
                let suffix = format!("without-{name}-{index}");
                made.refuse_request(signed, "a signed header removed", &suffix, MISMATCH, |request| {
                    request.headers.remove(index);
                });
            }
        }
    }
}

/// A date of either form moved by up to 40 seconds: inside the window, so that only the signature can
/// tell.
fn moved_date(date: &str) -> Option<String> {
    let tail = if date.ends_with('Z') { "56Z" } else { "56 GMT" };
    let tens = date.len().checked_sub(tail.len())?;
    let moved = if date.get(tens..)?.starts_with('1') {
        '5'
    } else {
        '1'
    };
    Some(replaced(date, tens, moved))
}

fn header(request: &Request, index: usize) -> &str {
    request
        .headers
        .get(index)
        .map(|(_, value)| value.as_str())
        .unwrap_or_default()
}

fn set_header(request: &mut Request, index: usize, value: String) {
    if let Some((_, old)) = request.headers.get_mut(index) {
        *old = value;
    }
}

#[derive(Default)]
struct Maker {
    found: Vec<Derived>,
}

impl Maker {
    fn refuse(
        &mut self,
        signed: &Signed<'_>,
        change: &'static str,
        suffix: &str,
        error: &str,
        edit: impl FnOnce(&mut Vector),
    ) {
        let mut vector = signed.vector.clone();
        vector.id = format!("{}~{suffix}", vector.id);
        vector.expect.valid = Valid::No;
        vector.expect.error = Some(error.to_owned());
        vector.expect.status = Some(403);
        edit(&mut vector);
        self.found.push(Derived { change, vector });
    }

    fn refuse_request(
        &mut self,
        signed: &Signed<'_>,
        change: &'static str,
        suffix: &str,
        error: &str,
        edit: impl FnOnce(&mut Request),
    ) {
        self.refuse(signed, change, suffix, error, |vector| {
            if let Some(request) = &mut vector.request {
                edit(request);
            }
        });
    }

    fn keep(
        &mut self,
        signed: &Signed<'_>,
        change: &'static str,
        suffix: &str,
        edit: impl FnOnce(&mut Request),
    ) {
        let mut vector = signed.vector.clone();
        vector.id = format!("{}~{suffix}", vector.id);
        if let Some(request) = &mut vector.request {
            edit(request);
        }
        self.found.push(Derived { change, vector });
    }
}
