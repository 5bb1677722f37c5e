//! The document of `?tagging`, of objects and of buckets: read into a [`TagSet`], and written from one.
//!
//! Both dialects have the same document, but for the namespace of S3's. What a client sent is read and judged
//! like the tags of a header, and what goes to the origin or comes back is written anew. An empty value is
//! written as an empty element: SDKs look for it.

use request_auth::Dialect;

use crate::error::{Fault, Refusal};
use crate::tags::TagSet;
use crate::xml::{self, Document};

const ROOT: &str = "Tagging";

impl TagSet {
    /// Reads a document of at most this many tags, of a client's or of the origin's. Elements that it does
    /// not know are skipped.
    ///
    /// # Errors
    /// `MalformedXML` for what is no such document; as [`TagSet::add`] for tags that can't be.
    pub fn from_document(document: &[u8], most: u16) -> Result<Self, Refusal> {
        fn malformed<T>(what: &'static str) -> Result<T, Refusal> {
            Err(Refusal::new(Fault::XmlMalformed).because(what))
        }
        let mut tags = Self::new(most);
        let (mut key, mut value) = (None, None);
        let mut has_set = false;
        xml::read::<Refusal>(document, &mut |element| {
            let half = if element.is(&[ROOT, "TagSet", "Tag", "Key"]) {
                &mut key
            } else if element.is(&[ROOT, "TagSet", "Tag", "Value"]) {
                &mut value
            } else if element.is(&[ROOT, "TagSet", "Tag"]) {
                let (Some(key), Some(value)) = (key.take(), value.take()) else {
                    return malformed("A Tag has no Key or no Value.");
                };
                return Ok(tags.add(key, value)?);
            } else if element.is(&[ROOT, "TagSet"]) {
                return match core::mem::replace(&mut has_set, true) {
                    false => Ok(()),
                    true => malformed("TagSet stands twice."),
                };
            } else {
                return Ok(());
            };
            match half.replace(element.text.to_owned()) {
                None => Ok(()),
                Some(_) => malformed("A Tag has two Keys or two Values."),
            }
        })?;
        if has_set {
            Ok(tags)
        } else {
            malformed("There is no TagSet.")
        }
    }

    /// The document as a client of this dialect reads it. S3's is the origin's as well.
    pub fn to_document(&self, dialect: Dialect) -> String {
        let mut document = Document::of_result(ROOT, dialect);
        document.open("TagSet");
        for (key, value) in self.tags() {
            document.open("Tag");
            for (name, text) in [("Key", key), ("Value", value)] {
                document.open(name);
                document.text(text);
                document.close(name);
            }
            document.close("Tag");
        }
        document.close("TagSet");
        document.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(document: &str) -> Result<String, Fault> {
        TagSet::from_document(document.as_bytes(), 2)
            .map(|tags| tags.to_query())
            .map_err(|refusal| refusal.fault())
    }

    fn tag(key: &str, value: &str) -> String {
        format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>")
    }

    fn tagging(tags: &str) -> String {
        format!("<Tagging><TagSet>{tags}</TagSet></Tagging>")
    }

    #[test]
    fn tags_are_read_whatever_the_namespace_and_beside_what_is_not_known() {
        for (document, query) in [
            (tagging(""), ""),
            ("<Tagging><TagSet/></Tagging>".to_owned(), ""),
            (tagging(&tag("a", "1")), "a=1"),
            (tagging(&[tag("a", "1"), tag("A", "")].concat()), "a=1&A="),
            (tagging("<Tag><Value> v </Value><Key>k</Key></Tag>"), "k=%20v%20"),
            (tagging("<Tag><Key>&lt;k&#62;</Key><Value/></Tag>"), "%3Ck%3E="),
            (
                "<?xml version=\"1.0\"?>\n<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"> <TagSet>\n\
                 <Tag><Key>k</Key><Value>v</Value><Also>x</Also></Tag> </TagSet><Other/></Tagging>"
                    .to_owned(),
                "k=v",
            ),
        ] {
            assert_eq!(read(&document).as_deref(), Ok(query), "{document}");
        }
    }

    #[test]
    fn what_is_no_set_of_tags_is_refused() {
        let deep = "<a>".repeat(100);
        for (document, fault) in [
            ("", Fault::XmlMalformed),
            ("k=v", Fault::XmlMalformed),
            ("<Tagging></Tagging>", Fault::XmlMalformed),
            ("<TagSet></TagSet>", Fault::XmlMalformed),
            ("<Other><TagSet></TagSet></Other>", Fault::XmlMalformed),
            ("<Tagging><TagSet/><TagSet/></Tagging>", Fault::XmlMalformed),
            (&tagging("<Tag><Key>k</Key></Tag>"), Fault::XmlMalformed),
            (&tagging("<Tag><Value>v</Value></Tag>"), Fault::XmlMalformed),
            (
                &tagging("<Tag><Key>k</Key><Key>l</Key><Value/></Tag>"),
                Fault::XmlMalformed,
            ),
            (
                &tagging("<Tag><Key>k</Key><Value/><Value/></Tag>"),
                Fault::XmlMalformed,
            ),
            (
                "<!DOCTYPE Tagging [<!ENTITY e \"x\">]><Tagging><TagSet/></Tagging>",
                Fault::XmlMalformed,
            ),
            (&deep, Fault::XmlMalformed),
            (&tagging(&tag("", "v")), Fault::TagInvalid),
            (&tagging(&tag("k", "1").repeat(2)), Fault::TagInvalid),
            (&tagging(&tag(&"k".repeat(129), "")), Fault::TagInvalid),
            (&tagging(&tag("k", &"v".repeat(257))), Fault::TagInvalid),
            (
                &tagging(&[tag("a", ""), tag("b", ""), tag("c", "")].concat()),
                Fault::TagsTooMany,
            ),
        ] {
            assert_eq!(read(document), Err(fault), "{document}");
        }
    }

    #[test]
    fn the_document_holds_every_element_that_sdks_look_for() {
        let tags = TagSet::from_query(b"a%3C=%26&b=", 2).unwrap();
        let inner = "<TagSet><Tag><Key>a&lt;</Key><Value>&amp;</Value></Tag><Tag><Key>b</Key><Value></Value></Tag></TagSet></Tagging>";
        let declared = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
        assert_eq!(
            tags.to_document(Dialect::Oss),
            format!("{declared}<Tagging>{inner}")
        );
        let of_s3 = tags.to_document(Dialect::S3);
        assert_eq!(
            of_s3,
            format!("{declared}<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{inner}")
        );
        assert_eq!(TagSet::from_document(of_s3.as_bytes(), 2).unwrap(), tags);
        assert_eq!(
            TagSet::new(2).to_document(Dialect::Oss),
            format!("{declared}<Tagging><TagSet></TagSet></Tagging>")
        );
    }
}
