//! The document that a bucket is made with.
//!
//! Where the bucket lies and what it stores is the configuration's business: a client that says the same or
//! nothing gets the bucket, and one that says anything else is told so, instead of a bucket of another kind.

use request_auth::Dialect;

use crate::addressing::VirtualBucket;
use crate::error::{Fault, Refusal};
use crate::xml::{self, Document};

const ROOT: &str = "CreateBucketConfiguration";
const LOCATION: &str = "LocationConstraint";
/// The prefix of OSS's names of places before a region.
const OSS_PLACE: &str = "oss-";
/// The region that S3 calls by no name.
const UNNAMED_REGION: &str = "us-east-1";

/// Where a bucket lies: its origin's region, as OSS writes places, or as S3 does.
pub(crate) fn place(region: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Oss => [OSS_PLACE, region].concat(),
        Dialect::S3 if region == UNNAMED_REGION => String::new(),
        Dialect::S3 => region.to_owned(),
    }
}

/// Judges the document of a client, which may be empty, and gives the one for the origin; `None` where S3
/// takes none.
///
/// # Errors
/// `MalformedXML` for what is no such document, `InvalidLocationConstraint` for another place than the
/// configured one, and `InvalidArgument`, which names the element, for whatever else the bucket would not be.
pub(crate) fn rewritten(
    document: &[u8],
    bucket: &VirtualBucket,
    dialect: Dialect,
) -> Result<Option<String>, Refusal> {
    let region = bucket.origin.region.as_str();
    if !document.is_empty() {
        judge(document, &place(region, dialect), dialect)?;
    }
    let place = place(region, Dialect::S3);
    if place.is_empty() {
        return Ok(None);
    }
    let mut written = Document::of_result(ROOT, Dialect::S3);
    written.leaf(LOCATION, &place);
    Ok(Some(written.finish()))
}

fn judge(document: &[u8], place: &str, dialect: Dialect) -> Result<(), Refusal> {
    xml::read::<Refusal>(document, &mut |element| {
        let text = element.text.trim();
        let is = |name| element.is(&[ROOT, name]);
        if element.is(&[ROOT]) || text.is_empty() && is(LOCATION) {
            return Ok(());
        }
        let is_good = match dialect {
            _ if is(LOCATION) && text == place => true,
            _ if is(LOCATION) => return Err(Fault::LocationInvalid.into()),
            // S3 keeps what is stored in more places than one, which is what either promises.
            Dialect::Oss => {
                is("StorageClass") && text == "Standard"
                    || is("DataRedundancyType") && matches!(text, "LRS" | "ZRS")
            }
            Dialect::S3 => false,
        };
        match (is_good, element.path.len()) {
            (true, _) => Ok(()),
            (false, 1) => Err(Refusal::new(Fault::XmlMalformed).because("The root is another one.")),
            (false, _) => {
                // An answer repeats no more of a document than a name that could be one.
                let name = element.path.last().filter(|name| name.len() <= 64);
                Err(Refusal::new(Fault::ArgumentInvalid).about(name.map_or(ROOT, String::as_str)))
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device;

    fn rewritten_in(region: &str, document: &str, dialect: Dialect) -> Result<Option<String>, Fault> {
        let mut bucket = device::bucket();
        bucket.origin.region = region.to_owned();
        rewritten(document.as_bytes(), &bucket, dialect).map_err(|refusal| refusal.fault())
    }

    fn configuration(inner: &str) -> String {
        format!("<?xml version=\"1.0\"?><CreateBucketConfiguration>{inner}</CreateBucketConfiguration>")
    }

    #[test]
    fn a_bucket_is_made_where_the_configuration_says() {
        let written = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
        for (dialect, document) in [
            (Dialect::Oss, String::new()),
            (Dialect::Oss, configuration("")),
            (
                Dialect::Oss,
                configuration("<StorageClass>Standard</StorageClass>"),
            ),
            (
                Dialect::Oss,
                configuration(
                    "<DataRedundancyType>ZRS</DataRedundancyType><StorageClass>Standard</StorageClass>",
                ),
            ),
            (
                Dialect::Oss,
                configuration("<LocationConstraint>oss-eu-west-1</LocationConstraint>"),
            ),
            (Dialect::S3, String::new()),
            (Dialect::S3, configuration("<LocationConstraint/>")),
            (
                Dialect::S3,
                "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                 <LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>"
                    .to_owned(),
            ),
        ] {
            let rewritten = rewritten_in("eu-west-1", &document, dialect);
            assert_eq!(rewritten, Ok(Some(written.to_owned())), "{dialect:?} {document}");
            // The region without a name is asked for by no document.
            assert_eq!(rewritten_in("us-east-1", "", dialect), Ok(None));
        }
    }

    #[test]
    fn another_bucket_than_the_configured_one_is_refused_and_not_made_otherwise() {
        for (dialect, inner, fault) in [
            (
                Dialect::Oss,
                "<StorageClass>IA</StorageClass>",
                Fault::ArgumentInvalid,
            ),
            (
                Dialect::Oss,
                "<DataRedundancyType>other</DataRedundancyType>",
                Fault::ArgumentInvalid,
            ),
            (
                Dialect::Oss,
                "<ObjectHashFunction>SHA-256</ObjectHashFunction>",
                Fault::ArgumentInvalid,
            ),
            (
                Dialect::Oss,
                "<LocationConstraint>eu-west-1</LocationConstraint>",
                Fault::LocationInvalid,
            ),
            (
                Dialect::S3,
                "<LocationConstraint>us-west-2</LocationConstraint>",
                Fault::LocationInvalid,
            ),
            (
                Dialect::S3,
                "<LocationConstraint>oss-eu-west-1</LocationConstraint>",
                Fault::LocationInvalid,
            ),
            (
                Dialect::S3,
                "<StorageClass>Standard</StorageClass>",
                Fault::ArgumentInvalid,
            ),
            (
                Dialect::S3,
                "<Bucket><Type>Directory</Type></Bucket>",
                Fault::ArgumentInvalid,
            ),
            (
                Dialect::S3,
                "<Tags><Tag><Key>k</Key><Value>v</Value></Tag></Tags>",
                Fault::ArgumentInvalid,
            ),
        ] {
            let refused = rewritten_in("eu-west-1", &configuration(inner), dialect);
            assert_eq!(refused, Err(fault), "{dialect:?} {inner}");
        }
        for document in [
            " ",
            "text",
            "<Other/>",
            "<CreateBucketConfiguration>",
            "<!DOCTYPE a><CreateBucketConfiguration/>",
        ] {
            let refused = rewritten_in("eu-west-1", document, Dialect::S3);
            assert_eq!(refused, Err(Fault::XmlMalformed), "{document}");
        }
        // What lies in the region without a name is not asked for by that name either.
        let named = configuration("<LocationConstraint>us-east-1</LocationConstraint>");
        assert_eq!(
            rewritten_in("us-east-1", &named, Dialect::S3),
            Err(Fault::LocationInvalid)
        );
    }
}
