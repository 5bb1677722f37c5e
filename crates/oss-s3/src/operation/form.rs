//! PostObject: what a form asks for beside the object.
//!
//! Its object and the policy that permits it were verified; here its fields that are no headers are
//! judged. Others than these mean nothing (a browser sends the button's name as well), but for features
//! that S3 lacks: those are refused, as everywhere.

use request_auth::VerifiedParameter;

use super::{Call, FEATURES, NotACall, Operation};

/// Tags come as an XML document in S3's forms; in OSS's they are a header's field.
const TAGGING: &str = "tagging";

/// What whoever posted a form is answered once the object is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FormReply {
    /// This status, 200 or 204, and no body.
    Empty(u16),
    /// 201 and a document that says what was stored.
    Document,
    /// 303, to this URL with bucket, key and ETag in its query.
    Redirect(String),
}

impl Call {
    /// Recognises the call of a verified form by its fields that are no headers.
    pub(super) fn of_form(fields: &[VerifiedParameter]) -> Result<Self, NotACall> {
        let value = |name: &str| {
            let found = fields.iter().find(|field| field.name == name.as_bytes());
            found.map(|field| field.value.as_slice())
        };
        let mut features = FEATURES.into_iter().chain([TAGGING]);
        if let Some(feature) = features.find(|name| value(name).is_some()) {
            return Err(NotACall::Feature(Operation::PostObject, feature));
        }
        const REDIRECT: &str = "success_action_redirect";
        if let Some(url) = value(REDIRECT).filter(|url| !url.is_empty()) {
            // The policy covers it, so it is where the policy's author wants browsers to go.
            let url = read_url(url).ok_or(NotACall::BadParameter(Operation::PostObject, REDIRECT))?;
            return Ok(Self::PostObject(FormReply::Redirect(url)));
        }
        Ok(Self::PostObject(match value("success_action_status") {
            Some(b"200") => FormReply::Empty(200),
            Some(b"201") => FormReply::Document,
            // Both vendors answer any other value like none.
            _ => FormReply::Empty(204),
        }))
    }
}

/// Reads an absolute URL of a page.
fn read_url(text: &[u8]) -> Option<String> {
    let text = core::str::from_utf8(text).ok()?;
    let (scheme, rest) = text.split_once(':')?;
    let rest = rest.strip_prefix("//")?;
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let has_host = rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[');
    // `https://app.example@evil.example/` begins as a policy wants it, and goes elsewhere.
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let has_host = has_host && !authority.contains('@');
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    (is_web && has_host && is_plain).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use request_auth::Coverage;

    use super::*;

    fn call(fields: &[(&str, &str)]) -> Result<Call, NotACall> {
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| VerifiedParameter {
                name: name.as_bytes().to_vec(),
                value: value.as_bytes().to_vec(),
                coverage: Coverage::Signed,
            })
            .collect();
        Call::of_form(&fields)
    }

    #[test]
    fn a_form_says_how_it_is_answered() {
        for (status, reply) in [
            ("200", FormReply::Empty(200)),
            ("201", FormReply::Document),
            ("204", FormReply::Empty(204)),
            ("", FormReply::Empty(204)),
            ("500", FormReply::Empty(204)),
        ] {
            let fields = [("submit", "Upload"), ("success_action_status", status)];
            assert_eq!(call(&fields), Ok(Call::PostObject(reply)), "{status}");
        }
        assert_eq!(call(&[]), Ok(Call::PostObject(FormReply::Empty(204))));
    }

    #[test]
    fn g11_a_redirect_goes_to_a_page_of_the_web_and_nowhere_else() {
        for url in [
            "https://example.com/a?b=c#d",
            "HTTP://[::1]:8080",
            "http://localhost/",
            "https://example.com/@me?to=a@b.example#@",
        ] {
            let redirect = Call::PostObject(FormReply::Redirect(url.to_owned()));
            assert_eq!(call(&[("success_action_redirect", url)]), Ok(redirect));
        }
        for url in [
            "javascript:alert(1)",
            "javascript://example.com/%0Aalert(1)",
            "data:text/html,x",
            "//example.com/",
            "/done",
            "example.com",
            "https://",
            "https:///example.com",
            "https://\\example.com",
            "https://app.example.com@evil.example/",
            "https://app.example.com:443@evil.example",
            "https://example.com/\r\nset-cookie: a=b",
            "https://example.com/a b",
            "https://exämple.com/",
            "file:///etc/passwd",
            " https://example.com",
        ] {
            let refused = NotACall::BadParameter(Operation::PostObject, "success_action_redirect");
            assert_eq!(call(&[("success_action_redirect", url)]), Err(refused), "{url}");
        }
    }

    #[test]
    fn features_that_s3_lacks_are_refused() {
        for name in ["callback", "callback-var", "x-oss-process", "tagging"] {
            let refused = NotACall::Feature(Operation::PostObject, name);
            assert_eq!(call(&[(name, "x")]), Err(refused));
        }
    }
}
