//! From the facts of `request-auth` to the table.
//!
//! The match has no default arm: a new denial does not compile until somebody decided what the
//! device is told.

use request_auth::aws_v4::ChunkDenial;
use request_auth::{Ambiguity, Denial, HeadError, PolicyPart, ScopePart};

use super::{Fault, Refusal};

impl From<Denial> for Refusal {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::Head(error) => error.into(),
            Denial::Anonymous => Fault::Anonymous.into(),
            Denial::SeveralCredentials => Fault::CredentialsAmbiguous.into(),
            Denial::UnknownScheme => Fault::SchemeUnknown.into(),
            Denial::SchemeNotOffered(name) => Self::new(Fault::SchemeNotOffered).about(name),
            Denial::MalformedCredential => {
                Self::new(Fault::CredentialMalformed).because("The credential is malformed.")
            }
            Denial::MalformedKeyId => Self::new(Fault::CredentialMalformed)
                .because("The access key id does not have the form of one."),
            Denial::PresignedIncomplete(name) => Self::new(Fault::UrlIncomplete).about(name),
            Denial::UnknownKey => Self::new(Fault::KeyUnknown).because("The access key is not in the store."),
            Denial::InactiveKey => Self::new(Fault::KeyUnknown)
                .because("The access key is disabled or has no secret that is valid now."),
            Denial::SchemeNotAllowed(scheme) => Self::new(Fault::SchemeForbidden).about(scheme.name()),
            Denial::ScopeNotAllowed(ScopePart::Region) => Fault::RegionForbidden.into(),
            Denial::ScopeNotAllowed(ScopePart::Product) => Fault::ProductForbidden.into(),
            Denial::ScopeDayMismatch => Fault::ScopeDayWrong.into(),
            Denial::SignedHeaderMissing => Self::new(Fault::SignatureMismatch)
                .because("A header that the credential lists as signed did not arrive."),
            Denial::HostNotSigned => Self::new(Fault::HeaderNotSigned).about("host"),
            Denial::HeaderNotSigned => Fault::HeaderNotSigned.into(),
            Denial::PayloadHashMissing => {
                Self::new(Fault::PayloadHashWrong).because("There is no x-amz-content-sha256.")
            }
            Denial::PayloadHashUnreadable => Fault::PayloadHashWrong.into(),
            Denial::DateMissing => Fault::DateMissing.into(),
            Denial::DateUnreadable => {
                Self::new(Fault::DateMissing).because("The signed date cannot be read.")
            }
            Denial::Skewed { request, now, window } => Self::new(Fault::ClockSkewed)
                .with(
                    "MaxAllowedSkewMilliseconds",
                    u64::from(window).saturating_mul(1000).to_string(),
                )
                .with("RequestTime", request.iso_extended())
                .with("ServerTime", now.iso_extended()),
            Denial::Expired { expires, now } => Self::new(Fault::UrlExpired)
                .with("Expires", expires.iso_extended())
                .with("ServerTime", now.iso_extended()),
            Denial::NotYetValid { begins, now } => Self::new(Fault::UrlTooEarly)
                .with("ValidFrom", begins.iso_extended())
                .with("ServerTime", now.iso_extended()),
            Denial::LifetimeOutOfRange => Fault::LifetimeWrong.into(),
            Denial::ExpiresUnreadable => Fault::ExpiryUnreadable.into(),
            Denial::ExpiresTooFar => Fault::ExpiryTooFar.into(),
            Denial::LinkMethod => {
                Self::new(Fault::Forbidden).because("A preview link reads: its method is GET or HEAD.")
            }
            Denial::LinkMalformed(name) => Self::new(Fault::ArgumentInvalid).about(name),
            Denial::SignatureMismatch => Fault::SignatureMismatch.into(),
            Denial::AmbiguousText(Ambiguity::SubResourceInKey) => Fault::KeyAmbiguous.into(),
            Denial::AmbiguousText(Ambiguity::SubResourceInValue | Ambiguity::LineBreak) => {
                Fault::TextAmbiguous.into()
            }
            Denial::PolicyUnreadable => Self::new(Fault::CredentialMalformed)
                .because("The policy is signed but is not one statement of the documented form."),
            Denial::PolicyMismatch(PolicyPart::Resource) => {
                Self::new(Fault::Forbidden).because("The signed policy does not cover this URL.")
            }
            Denial::PolicyMismatch(PolicyPart::SourceIp) => {
                Self::new(Fault::Forbidden).because("The signed policy does not allow the caller's address.")
            }
            Denial::SeveralTokens => Fault::TokenRepeated.into(),
            Denial::TokenMissing => Self::new(Fault::TokenRefused).because("The security token is missing."),
            Denial::TokenUnexpected => {
                Self::new(Fault::TokenRefused).because("A security token came with a key that has none.")
            }
            Denial::TokenMismatch => {
                Self::new(Fault::TokenRefused).because("The security token is not the key's.")
            }
        }
    }
}

impl From<ChunkDenial> for Fault {
    fn from(denial: ChunkDenial) -> Self {
        match denial {
            ChunkDenial::Malformed => Self::ChunkMalformed,
            ChunkDenial::Length => Self::BodyIncomplete,
            ChunkDenial::SignatureMismatch => Self::SignatureMismatch,
        }
    }
}

impl From<HeadError> for Refusal {
    fn from(error: HeadError) -> Self {
        match error {
            HeadError::UnknownMethod => Fault::MethodUnknown.into(),
            HeadError::TargetForm => Self::new(Fault::TargetUnreadable)
                .because("The target is not in origin form or holds a forbidden byte."),
            HeadError::TargetTooLong => Fault::TargetTooLong.into(),
            HeadError::PercentEscape => {
                Self::new(Fault::TargetUnreadable).because("A percent escape in the target is malformed.")
            }
            HeadError::TooManyParameters => {
                Self::new(Fault::TargetTooLong).because("The query has too many parameters.")
            }
            HeadError::RepeatedParameter => {
                Self::new(Fault::TargetUnreadable).because("A query name occurs twice.")
            }
            HeadError::Host => Fault::HostUnreadable.into(),
            HeadError::RepeatedHeader(name) => Self::new(Fault::HeaderRepeated).about(name),
            HeadError::HeadersTooLarge => Fault::HeadersTooLarge.into(),
            HeadError::HeaderName => {
                Self::new(Fault::HeaderUnreadable).because("A header name is not a token.")
            }
            HeadError::HeaderValue => {
                Self::new(Fault::HeaderUnreadable).because("A header value holds CR, LF or NUL.")
            }
            HeadError::HeaderNotUtf8 => Fault::HeaderNotUtf8.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use request_auth::{Scheme, UnixSeconds};

    use super::*;
    use crate::answer::tests::asked;

    #[test]
    fn denials_become_the_codes_of_the_facts() {
        for (denial, status, code) in [
            (Denial::SignatureMismatch, 403, "SignatureDoesNotMatch"),
            (Denial::UnknownKey, 403, "InvalidAccessKeyId"),
            (Denial::InactiveKey, 403, "InvalidAccessKeyId"),
            (Denial::TokenMissing, 403, "InvalidAccessKeyId"),
            (Denial::TokenUnexpected, 403, "InvalidAccessKeyId"),
            (Denial::TokenMismatch, 403, "InvalidAccessKeyId"),
            (Denial::SeveralTokens, 403, "AccessDenied"),
            (Denial::Anonymous, 403, "AccessDenied"),
            (Denial::UnknownScheme, 403, "AccessDenied"),
            (Denial::SchemeNotAllowed(Scheme::OssV1), 403, "AccessDenied"),
            (Denial::SignedHeaderMissing, 403, "SignatureDoesNotMatch"),
            (
                Denial::NotYetValid {
                    begins: UnixSeconds(1),
                    now: UnixSeconds(0),
                },
                403,
                "AccessDenied",
            ),
            (Denial::LifetimeOutOfRange, 400, "InvalidArgument"),
            (Denial::ScopeDayMismatch, 400, "InvalidArgument"),
            (Denial::ScopeNotAllowed(ScopePart::Region), 400, "InvalidArgument"),
            (
                Denial::ScopeNotAllowed(ScopePart::Product),
                400,
                "InvalidArgument",
            ),
            (Denial::HostNotSigned, 403, "AccessDenied"),
            (Denial::HeaderNotSigned, 403, "AccessDenied"),
            (Denial::PayloadHashMissing, 400, "InvalidArgument"),
            (Denial::PayloadHashUnreadable, 400, "InvalidArgument"),
            (Denial::DateMissing, 403, "AccessDenied"),
            (Denial::DateUnreadable, 403, "AccessDenied"),
            (Denial::ExpiresUnreadable, 403, "AccessDenied"),
            (Denial::ExpiresTooFar, 403, "AccessDenied"),
            (Denial::PresignedIncomplete("Signature"), 403, "AccessDenied"),
            (
                Denial::Expired {
                    expires: UnixSeconds(0),
                    now: UnixSeconds(1),
                },
                403,
                "AccessDenied",
            ),
            (
                Denial::Skewed {
                    request: UnixSeconds(0),
                    now: UnixSeconds(1),
                    window: 0,
                },
                403,
                "RequestTimeTooSkewed",
            ),
            (Denial::SeveralCredentials, 400, "InvalidArgument"),
            (Denial::SchemeNotOffered("AWS"), 400, "InvalidArgument"),
            (Denial::MalformedCredential, 400, "InvalidArgument"),
            (Denial::MalformedKeyId, 400, "InvalidArgument"),
            (
                Denial::AmbiguousText(Ambiguity::SubResourceInKey),
                400,
                "InvalidObjectName",
            ),
            (
                Denial::AmbiguousText(Ambiguity::SubResourceInValue),
                400,
                "InvalidArgument",
            ),
            (
                Denial::AmbiguousText(Ambiguity::LineBreak),
                400,
                "InvalidArgument",
            ),
            (Denial::Head(HeadError::UnknownMethod), 405, "MethodNotAllowed"),
            (Denial::Head(HeadError::TargetForm), 400, "InvalidURI"),
            (Denial::Head(HeadError::TargetTooLong), 414, "InvalidURI"),
            (Denial::Head(HeadError::HeadersTooLarge), 431, "InvalidArgument"),
            (
                Denial::Head(HeadError::RepeatedHeader("date")),
                400,
                "InvalidArgument",
            ),
        ] {
            let refusal = Refusal::from(denial);
            assert_eq!((refusal.status(), refusal.code()), (status, code), "{denial:?}");
        }
    }

    #[test]
    fn c13_a_skew_error_tells_both_times_and_the_window() {
        let denial = Denial::Skewed {
            request: UnixSeconds(1_714_560_000),
            now: UnixSeconds(1_714_566_896),
            window: 900,
        };
        let answer = Refusal::from(denial).answer(&asked("PUT", "h", "/k"));
        let body = String::from_utf8(answer.body).unwrap();
        for element in [
            "<MaxAllowedSkewMilliseconds>900000</MaxAllowedSkewMilliseconds>",
            "<RequestTime>2024-05-01T10:40:00.000Z</RequestTime>",
            "<ServerTime>2024-05-01T12:34:56.000Z</ServerTime>",
            "<EC>0002-00000504</EC>",
        ] {
            assert!(body.contains(element), "{body}");
        }
    }

    #[test]
    fn d10_a_scheme_that_is_switched_off_is_named() {
        for scheme in Scheme::ALL {
            let refusal = Refusal::from(Denial::SchemeNotAllowed(scheme));
            let body = String::from_utf8(refusal.answer(&asked("PUT", "h", "/k")).body).unwrap();
            assert!(
                body.contains(&format!("<Message>{}: This", scheme.name())),
                "{body}"
            );
        }
    }

    #[test]
    fn denials_of_v4_have_the_vendor_s_numbers() {
        for (denial, ec) in [
            (
                Denial::NotYetValid {
                    begins: UnixSeconds(1),
                    now: UnixSeconds(0),
                },
                "0002-00000235",
            ),
            (Denial::LifetimeOutOfRange, "0002-00000232"),
            (Denial::ScopeNotAllowed(ScopePart::Region), "0002-00000226"),
            (Denial::ScopeNotAllowed(ScopePart::Product), "0002-00000227"),
        ] {
            let answer = Refusal::from(denial).answer(&asked("PUT", "h", "/k"));
            assert_eq!(answer.header("x-oss-ec"), Some(ec.as_bytes()), "{denial:?}");
        }
    }

    #[test]
    fn d11_unknown_disabled_and_expired_keys_look_the_same() {
        let body = |denial| Refusal::from(denial).answer(&asked("PUT", "h", "/k")).body;
        assert_eq!(body(Denial::UnknownKey), body(Denial::InactiveKey));
    }
}
