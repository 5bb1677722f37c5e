//! From what `request-auth` finds wrong with a form to the table.

use request_auth::post_policy::FormDenial;

use super::{Fault, Refusal};

impl From<FormDenial> for Refusal {
    fn from(denial: FormDenial) -> Self {
        match denial {
            FormDenial::Denial(denial) => denial.into(),
            FormDenial::FieldRepeated(name) => Self::new(Fault::FieldRepeated).about(name),
            FormDenial::SignatureIncomplete(name) => Self::new(Fault::FormUnsigned).about(name),
            FormDenial::KeyMissing => Self::new(Fault::FormWithoutKey).about("key"),
            FormDenial::PolicyUnreadable => Fault::PolicyUnreadable.into(),
            FormDenial::PolicyIncomplete(name) => Self::new(Fault::PolicyIncomplete).about(name),
            FormDenial::PolicyExpired { expires, now } => Self::new(Fault::PolicyExpired)
                .with("Expires", expires.iso_extended())
                .with("ServerTime", now.iso_extended()),
            FormDenial::Unmet(name) => Self::new(Fault::PolicyUnmet).about(name),
            FormDenial::Uncovered(name) => Self::new(Fault::FieldUncovered).about(name),
            FormDenial::TooLarge => Fault::FileTooLarge.into(),
            FormDenial::TooSmall => Fault::FileTooSmall.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use request_auth::{Denial, UnixSeconds};

    use super::*;

    #[test]
    fn what_is_wrong_with_a_form_becomes_the_codes_of_both_vendors() {
        let (expires, now) = (UnixSeconds(0), UnixSeconds(1));
        for (denial, status, code) in [
            (
                FormDenial::Denial(Denial::SignatureMismatch),
                403,
                "SignatureDoesNotMatch",
            ),
            (FormDenial::FieldRepeated("key".into()), 400, "InvalidArgument"),
            (FormDenial::SignatureIncomplete("policy"), 403, "AccessDenied"),
            (FormDenial::KeyMissing, 400, "InvalidArgument"),
            (FormDenial::PolicyUnreadable, 400, "InvalidPolicyDocument"),
            (FormDenial::PolicyIncomplete("expiration"), 403, "AccessDenied"),
            (FormDenial::PolicyExpired { expires, now }, 403, "AccessDenied"),
            (FormDenial::Unmet("key".into()), 403, "AccessDenied"),
            (FormDenial::Uncovered("acl".into()), 403, "AccessDenied"),
            (FormDenial::TooLarge, 400, "EntityTooLarge"),
            (FormDenial::TooSmall, 400, "EntityTooSmall"),
        ] {
            let refusal = Refusal::from(denial.clone());
            assert_eq!((refusal.status(), refusal.code()), (status, code), "{denial:?}");
        }
    }
}
