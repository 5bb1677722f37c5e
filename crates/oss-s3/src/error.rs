//! How a request is refused: a fact with its particulars, and the answer made of it in either dialect.
//!
//! Everything that refuses anything in this workspace does it with a [`Refusal`]. It keeps outer
//! and inner words apart: the device is told the table's sentence, with the name of the header or
//! parameter where that helps; the `reason` is for the operator's log and never leaves the gateway.
//! Neither ever holds a secret, a computed signature or a session token.

mod denial;
mod fault;
#[cfg(feature = "post-object")]
mod form;

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use request_auth::Dialect;

use crate::answer::{Answer, Asked};
use crate::xml::Document;

pub use fault::{Blame, Fault, Row};

/// Why a request is refused, and everything its answer and its log line need.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    fault: Fault,
    subject: Option<String>,
    reason: Option<Cow<'static, str>>,
    elements: Vec<(&'static str, String)>,
}

impl Refusal {
    /// A refusal for a fact of the table.
    pub const fn new(fault: Fault) -> Self {
        Self {
            fault,
            subject: None,
            reason: None,
            elements: Vec::new(),
        }
    }

    /// Names the header, parameter or element that is at fault. It is told to the device.
    pub fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// States the reason for the log, one sentence. It is not told to the device.
    pub fn because(mut self, reason: impl Into<Cow<'static, str>>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Adds an element to the error document.
    pub(crate) fn with(mut self, element: &'static str, text: impl Into<String>) -> Self {
        self.elements.push((element, text.into()));
        self
    }

    /// Adds the string to sign to the error document, as OSS does: `StringToSign` and its bytes.
    /// The caller decides by configuration and has redacted session tokens.
    pub fn with_string_to_sign(self, text: &[u8]) -> Self {
        let mut bytes = String::with_capacity(text.len().saturating_mul(3));
        for byte in text {
            if !bytes.is_empty() {
                bytes.push(' ');
            }
            for digit in [byte >> 4, byte & 0xf] {
                bytes.extend(char::from_digit(u32::from(digit), 16).map(|c| c.to_ascii_uppercase()));
            }
        }
        self.with("StringToSign", String::from_utf8_lossy(text))
            .with("StringToSignBytes", bytes)
    }

    /// Adds the canonical request to the error document, as OSS does for V4; under the same conditions.
    pub fn with_canonical_request(self, text: &[u8]) -> Self {
        self.with("CanonicalRequest", String::from_utf8_lossy(text))
    }

    /// The fact.
    pub const fn fault(&self) -> Fault {
        self.fault
    }

    /// The HTTP status of the answer to an OSS client.
    pub fn status(&self) -> u16 {
        self.fault.row(Dialect::Oss).status
    }

    /// The error code of the answer to an OSS client.
    pub fn code(&self) -> &'static str {
        self.fault.row(Dialect::Oss).code
    }

    /// What the table says of the fact, to a client of this dialect.
    pub fn row(&self, dialect: Dialect) -> Row {
        self.fault.row(dialect)
    }

    /// Who can mend it: how loudly to log it.
    pub fn blame(&self) -> Blame {
        self.fault.row(Dialect::Oss).blame
    }

    /// One sentence for the log: the inner reason, or else what an OSS client is told.
    pub fn reason(&self) -> Cow<'_, str> {
        match &self.reason {
            Some(reason) => Cow::Borrowed(reason),
            None => self.message(self.fault.row(Dialect::Oss).sentence),
        }
    }

    /// What the device is told.
    fn message(&self, sentence: &'static str) -> Cow<'_, str> {
        match &self.subject {
            Some(subject) => Cow::Owned([subject, ": ", sentence].concat()),
            None => Cow::Borrowed(sentence),
        }
    }

    /// The answer: an error document. To HEAD no body may be given: OSS has the document in `x-oss-err`,
    /// in base64, and S3 nowhere. What is only so for a while says when to try again.
    pub fn answer(&self, asked: &Asked<'_>) -> Answer {
        let row = self.fault.row(asked.dialect);
        let mut answer = Answer::new(row.status, asked);
        if let Some(ec) = row.ec {
            answer.push("x-oss-ec", ec);
        }
        if row.status == 503 {
            answer.push("retry-after", "1");
        }
        let document = self.document(asked, row);
        match (asked.method, asked.dialect) {
            ("HEAD", Dialect::Oss) => {
                answer.push("x-oss-err", STANDARD.encode(document));
                answer
            }
            ("HEAD", Dialect::S3) => answer,
            _ if row.status == 304 => answer,
            _ => answer.with_document(document),
        }
    }

    fn document(&self, asked: &Asked<'_>, row: Row) -> String {
        let mut document = Document::new("Error");
        document.leaf("Code", row.code);
        document.leaf("Message", &self.message(row.sentence));
        let (resource, host_id) = match asked.dialect {
            Dialect::Oss => (Cow::Borrowed(""), Cow::Borrowed(asked.host)),
            Dialect::S3 => (
                String::from_utf8_lossy(asked.path),
                Cow::Owned(asked.request_id.host_id()),
            ),
        };
        document.leaf("Resource", &resource);
        document.leaf("RequestId", asked.request_id.as_str());
        document.leaf("HostId", &host_id);
        // An answer to HEAD carries the document in a header, where a string to sign can be too long for
        // clients and platforms.
        let is_text = |name: &str| name.starts_with("StringToSign") || name == "CanonicalRequest";
        let shown = |name: &str| asked.method != "HEAD" || !is_text(name);
        for (name, text) in self.elements.iter().filter(|(name, _)| shown(name)) {
            document.leaf(name, text);
        }
        if let Some(subject) = &self.subject {
            document.leaf("ArgumentName", subject);
        }
        document.leaf("EC", row.ec.unwrap_or_default());
        document.finish()
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::new(fault)
    }
}

#[cfg(test)]
mod s3_tests;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::tests::asked;

    #[test]
    fn the_document_has_the_shape_that_sdks_parse() {
        let refusal = Refusal::new(Fault::SignatureMismatch).because("no candidate matched");
        let answer = refusal.answer(&asked("PUT", "edge.example.com:8443", "/k"));
        assert_eq!(answer.status, 403);
        assert_eq!(answer.header("x-oss-ec"), Some(b"0002-00000040".as_slice()));
        assert_eq!(answer.header("content-type"), Some(b"application/xml".as_slice()));
        assert_eq!(
            String::from_utf8(answer.body).unwrap(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>SignatureDoesNotMatch</Code>\
             <Message>The signature does not match: check the access key secret and the bucket name in the SDK's configuration.</Message>\
             <RequestId>00010203040506070809FEFF</RequestId><HostId>edge.example.com:8443</HostId><EC>0002-00000040</EC></Error>"
        );
    }

    #[test]
    fn every_503_and_nothing_else_says_when_to_try_again() {
        for fault in Fault::ALL {
            let answer = Refusal::new(*fault).answer(&asked("PUT", "h", "/k"));
            let after = answer.header("retry-after");
            assert_eq!(after.is_some(), answer.status == 503, "{fault:?}");
        }
    }

    #[test]
    fn inner_words_never_reach_the_device() {
        for fault in Fault::ALL {
            let refusal = Refusal::new(*fault).because("INNER WORDS");
            assert_eq!(refusal.reason(), "INNER WORDS");
            let answer = refusal.answer(&asked("PUT", "h", "/k"));
            assert!(!String::from_utf8(answer.body).unwrap().contains("INNER"));
        }
    }

    #[test]
    fn the_subject_is_named_and_escaped_and_no_element_is_empty() {
        let refusal = Refusal::new(Fault::HeaderNotSupported).about("x-oss-<&\u{1}>");
        let body = String::from_utf8(refusal.answer(&asked("PUT", "", "/k")).body).unwrap();
        assert!(body.contains(
            "<Message>x-oss-&lt;&amp;&gt;: This header is not supported here: remove it.</Message>"
        ));
        assert!(body.contains("<ArgumentName>x-oss-&lt;&amp;&gt;</ArgumentName>"));
        assert!(!body.contains("HostId") && !body.contains("EC") && !body.contains("/>"));
    }

    #[test]
    fn an_answer_to_head_has_its_document_in_a_header_and_no_body() {
        let refusal = Refusal::new(Fault::Forbidden);
        let head = refusal.answer(&asked("HEAD", "h", "/k"));
        let document = refusal.answer(&asked("GET", "h", "/k")).body;
        assert_eq!((head.status, head.body.as_slice()), (403, b"".as_slice()));
        assert_eq!(head.header("content-type"), None);
        assert_eq!(
            STANDARD.decode(head.header("x-oss-err").unwrap()).unwrap(),
            document
        );
    }

    #[test]
    fn a_long_string_to_sign_makes_no_header_that_an_answer_to_head_cannot_hold() {
        let refusal = Refusal::new(Fault::SignatureMismatch).with_string_to_sign(&[b'a'; 40_000]);
        let head = refusal.answer(&asked("HEAD", "h", "/k"));
        assert!(head.header("x-oss-err").unwrap().len() < 1024);
        assert!(refusal.answer(&asked("PUT", "h", "/k")).body.len() > 40_000);
    }

    #[test]
    fn l03_the_canonical_request_is_shown_like_the_string_to_sign() {
        let refusal = Refusal::new(Fault::SignatureMismatch).with_canonical_request(b"PUT\n/b/k\n");
        let text = |method| String::from_utf8(refusal.answer(&asked(method, "h", "/k")).body).unwrap();
        assert!(text("PUT").contains("<CanonicalRequest>PUT\n/b/k\n</CanonicalRequest>"));
        let head = refusal.answer(&asked("HEAD", "h", "/k"));
        let document = STANDARD.decode(head.header("x-oss-err").unwrap()).unwrap();
        assert!(!String::from_utf8(document).unwrap().contains("CanonicalRequest"));
    }

    #[test]
    fn l03_the_string_to_sign_is_shown_only_when_it_is_given() {
        let plain = Refusal::new(Fault::SignatureMismatch);
        let shown = plain.clone().with_string_to_sign(b"PUT\n\xff<\x01");
        let text =
            |refusal: &Refusal| String::from_utf8(refusal.answer(&asked("PUT", "h", "/k")).body).unwrap();
        assert!(!text(&plain).contains("StringToSign"));
        assert!(text(&shown).contains("<StringToSign>PUT\n\u{fffd}&lt;</StringToSign>"));
        assert!(text(&shown).contains("<StringToSignBytes>50 55 54 0A FF 3C 01</StringToSignBytes>"));
    }
}
