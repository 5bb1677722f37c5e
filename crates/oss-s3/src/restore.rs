//! The document of RestoreObject: read in either dialect, and written anew for S3.
//!
//! Both dialects say for how many days the copy is to stay and how fast it is to come, and differ in where
//! the latter stands. S3's request has forms that select from the object or write elsewhere, which OSS has
//! no words for and S3 offers no more: an element that is neither days nor tier is refused, not left out.

use request_auth::Dialect;

use crate::error::{Fault, Refusal};
use crate::xml::{self, Document};

const ROOT: &str = "RestoreRequest";
/// Where OSS has the tier, and where S3 has it for archives. Intelligent-Tiering has it beside the days.
const OSS_PARAMETERS: &str = "JobParameters";
const S3_PARAMETERS: &str = "GlacierJobParameters";

/// The tiers of both dialects.
const TIERS: [&str; 3] = ["Standard", "Expedited", "Bulk"];
/// The days that OSS restores for unless it is told otherwise.
const DEFAULT_DAYS: &str = "1";
/// How many digits a number of days may have.
const MAX_DAYS_DIGITS: usize = 6;

/// S3's document for a client's, which may have none where it speaks OSS.
///
/// # Errors
/// `MalformedXML` for what is no such document, `InvalidArgument` for other days or tiers than there are, and
/// `NotImplemented` for whatever else a client asks for.
pub(crate) fn rewritten(document: &[u8], dialect: Dialect) -> Result<String, Refusal> {
    let parameters = match dialect {
        Dialect::Oss => OSS_PARAMETERS,
        Dialect::S3 => S3_PARAMETERS,
    };
    let mut days = None;
    let mut tier = None;
    let mut is_of_archive = false;
    let mut visit = |element: xml::Element<'_>| {
        let invalid = |name| Err(Refusal::new(Fault::ArgumentInvalid).about(name));
        let text = element.text.trim();
        if element.is(&[ROOT, "Days"]) && days.is_none() {
            let is_number = text.len() <= MAX_DAYS_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
            if !is_number || matches!(text.as_bytes(), [] | [b'0', ..]) {
                return invalid("Days");
            }
            days = Some(text.to_owned());
        } else if (element.is(&[ROOT, parameters, "Tier"])
            || dialect == Dialect::S3 && element.is(&[ROOT, "Tier"]))
            && tier.is_none()
        {
            is_of_archive = element.path.len() > 2;
            tier = TIERS.into_iter().find(|known| *known == text);
            if tier.is_none() {
                return invalid("Tier");
            }
        } else if !(element.is(&[ROOT, parameters]) || element.is(&[ROOT])) {
            return Err(Refusal::new(Fault::NotImplemented).about(ROOT));
        }
        Ok(())
    };
    if dialect == Dialect::S3 || !document.is_empty() {
        xml::read::<Refusal>(document, &mut visit)?;
    }
    if dialect == Dialect::Oss && days.is_none() {
        days = Some(DEFAULT_DAYS.to_owned());
    }
    let mut written = Document::of_result(ROOT, Dialect::S3);
    written.leaf("Days", &days.unwrap_or_default());
    if is_of_archive {
        written.open(S3_PARAMETERS);
    }
    written.leaf("Tier", tier.unwrap_or_default());
    if is_of_archive {
        written.close(S3_PARAMETERS);
    }
    Ok(written.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inner(document: &str, dialect: Dialect) -> Result<String, Fault> {
        let written = rewritten(document.as_bytes(), dialect).map_err(|refusal| refusal.fault())?;
        let root = "<RestoreRequest xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
        let (declaration, rest) = written.split_once(root).unwrap();
        assert!(declaration.starts_with("<?xml"));
        Ok(rest.strip_suffix("</RestoreRequest>").unwrap().to_owned())
    }

    #[test]
    fn days_and_tier_are_written_anew_where_s3_has_them() {
        let glacier = "<GlacierJobParameters><Tier>Bulk</Tier></GlacierJobParameters>";
        for (document, dialect, expected) in [
            ("", Dialect::Oss, "<Days>1</Days>".to_owned()),
            ("<RestoreRequest/>", Dialect::Oss, "<Days>1</Days>".to_owned()),
            (
                "<RestoreRequest><Days> 7 </Days></RestoreRequest>",
                Dialect::Oss,
                "<Days>7</Days>".to_owned(),
            ),
            (
                "<RestoreRequest><JobParameters><Tier>Bulk</Tier></JobParameters><Days>365</Days></RestoreRequest>",
                Dialect::Oss,
                format!("<Days>365</Days>{glacier}"),
            ),
            (
                &format!("<RestoreRequest xmlns=\"x\"><Days>2</Days>{glacier}</RestoreRequest>"),
                Dialect::S3,
                format!("<Days>2</Days>{glacier}"),
            ),
            // An object of Intelligent-Tiering comes back for good.
            (
                "<RestoreRequest><Tier>Expedited</Tier></RestoreRequest>",
                Dialect::S3,
                "<Tier>Expedited</Tier>".to_owned(),
            ),
            ("<RestoreRequest/>", Dialect::S3, String::new()),
        ] {
            assert_eq!(inner(document, dialect), Ok(expected), "{document}");
        }
    }

    #[test]
    fn what_s3_would_have_to_do_besides_is_refused_and_never_left_out() {
        let both = [Dialect::Oss, Dialect::S3].as_slice();
        for (content, dialects, fault) in [
            ("<Type>SELECT</Type>", both, Fault::NotImplemented),
            ("<Description>d</Description>", both, Fault::NotImplemented),
            (
                "<SelectParameters><Expression>s</Expression></SelectParameters>",
                both,
                Fault::NotImplemented,
            ),
            (
                "<OutputLocation><S3/></OutputLocation>",
                both,
                Fault::NotImplemented,
            ),
            ("<Days>1</Days><Days>2</Days>", both, Fault::NotImplemented),
            (
                "<JobParameters><Tier>Bulk</Tier></JobParameters>",
                &[Dialect::S3],
                Fault::NotImplemented,
            ),
            (
                "<GlacierJobParameters><Tier>Bulk</Tier></GlacierJobParameters>",
                &[Dialect::Oss],
                Fault::NotImplemented,
            ),
            ("<Tier>Bulk</Tier>", &[Dialect::Oss], Fault::NotImplemented),
            ("<Tier>Slow</Tier>", &[Dialect::S3], Fault::ArgumentInvalid),
            (
                "<JobParameters><Tier/></JobParameters>",
                &[Dialect::Oss],
                Fault::ArgumentInvalid,
            ),
            ("<Days>0</Days>", both, Fault::ArgumentInvalid),
            ("<Days>-1</Days>", both, Fault::ArgumentInvalid),
            ("<Days>+1</Days>", both, Fault::ArgumentInvalid),
            ("<Days>01</Days>", both, Fault::ArgumentInvalid),
            ("<Days>1.0</Days>", both, Fault::ArgumentInvalid),
            ("<Days>1e2</Days>", both, Fault::ArgumentInvalid),
            ("<Days/>", both, Fault::ArgumentInvalid),
            ("<Days>\u{663}</Days>", both, Fault::ArgumentInvalid),
            ("<Days>1000000</Days>", both, Fault::ArgumentInvalid),
            ("<Days>1</Day>", both, Fault::XmlMalformed),
            ("&x;", both, Fault::XmlMalformed),
        ] {
            for dialect in dialects {
                let document = format!("<RestoreRequest>{content}</RestoreRequest>");
                assert_eq!(inner(&document, *dialect), Err(fault), "{dialect:?} {document}");
            }
        }
        assert_eq!(inner("<Other/>", Dialect::Oss), Err(Fault::NotImplemented));
        assert_eq!(inner("", Dialect::S3), Err(Fault::XmlMalformed));
    }
}
