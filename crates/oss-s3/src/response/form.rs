//! The answer to a form, which its own fields choose. Both vendors write the same document.

use request_auth::canon::{Slash, percent_encode};

use super::{Document, OriginAnswer, Subject, location, push_place, stored};
use crate::answer::{Answer, Asked};
use crate::error::Refusal;
use crate::key::encoded_value;
use crate::operation::FormReply;

/// Answers a form whose object was stored.
pub(super) fn posted(
    origin: &OriginAnswer,
    subject: &Subject<'_>,
    reply: &FormReply,
    asked: &Asked<'_>,
) -> Result<Answer, Refusal> {
    let mut answer = stored(origin, subject.sent.operation, subject.bucket, asked)?;
    let etag = answer.header("etag").unwrap_or_default().to_vec();
    match reply {
        FormReply::Empty(status) => {
            answer.status = *status;
            answer.push("location", place(subject, asked));
            Ok(answer)
        }
        FormReply::Document => {
            answer.status = 201;
            let place = place(subject, asked);
            let mut document = Document::new("PostResponse");
            document.leaf("Location", &place);
            push_place(&mut document, subject);
            document.leaf("ETag", &String::from_utf8_lossy(&etag));
            answer.push("location", place);
            Ok(answer.with_document(document.finish()))
        }
        FormReply::Redirect(url) => {
            answer.status = 303;
            answer.push("location", with_query(url, subject, &etag));
            Ok(answer)
        }
    }
}

/// The URL of the object, as the device would ask for it.
fn place(subject: &Subject<'_>, asked: &Asked<'_>) -> String {
    let mut url = location(asked);
    if !url.ends_with('/') {
        url.push('/');
    }
    percent_encode(subject.target.key().as_bytes(), Slash::Keep, &mut url);
    url
}

/// The URL with what was stored in its query, before its fragment.
fn with_query(url: &str, subject: &Subject<'_>, etag: &[u8]) -> String {
    let (page, fragment) = match url.split_once('#') {
        Some((page, fragment)) => (page, ["#", fragment].concat()),
        None => (url, String::new()),
    };
    let mark = if page.contains('?') { "&" } else { "?" };
    [
        page,
        mark,
        "bucket=",
        &encoded_value(subject.bucket.name.as_bytes()),
        "&key=",
        &encoded_value(subject.target.key().as_bytes()),
        "&etag=",
        &encoded_value(etag),
        &fragment,
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::tests::asked;
    use crate::area::Target;
    use crate::device;
    use crate::key::{ObjectKey, OriginKey};
    use crate::operation::{KeySpelling, Operation};
    use crate::response::{Sent, translate};
    use crate::upload::Sealer;

    fn answer(reply: &FormReply, path: &str) -> Answer {
        let bucket = device::bucket();
        let key = ObjectKey::new("a/b c&.txt".as_bytes()).unwrap();
        let origin_key = OriginKey::new(b"", &key).unwrap();
        let target = Target::Object { key, origin_key };
        let seals = device::seals();
        let subject = Subject {
            sent: Sent {
                operation: Operation::PostObject,
                forbids_overwrite: false,
                names_version: false,
                expects_object: false,
            },
            reply: Some(reply),
            listing: None,
            spelling: KeySpelling::Plain,
            bucket: &bucket,
            target: &target,
            upload: None,
            listed_behind: None,
            sealer: Sealer::new("devices", "AK", &seals),
        };
        let origin = OriginAnswer {
            status: 200,
            headers: vec![("etag".to_owned(), b"\"e-1\"".to_vec())],
            body: Vec::new(),
        };
        translate(&origin, &subject, &asked("POST", "edge.example.com", path)).unwrap()
    }

    fn location_of(answer: &Answer) -> &str {
        core::str::from_utf8(answer.header("location").unwrap()).unwrap()
    }

    #[test]
    fn a_form_is_answered_as_it_asks_for() {
        for status in [200, 204] {
            let answer = answer(&FormReply::Empty(status), "/devices/");
            assert_eq!((answer.status, answer.body.len()), (status, 0));
            assert_eq!(answer.header("etag"), Some(b"\"e-1\"".as_slice()));
        }
        for path in ["/devices", "/devices/"] {
            let answer = answer(&FormReply::Document, path);
            assert_eq!(answer.status, 201);
            assert_eq!(
                String::from_utf8(answer.body.clone()).unwrap(),
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PostResponse>\
                 <Location>https://edge.example.com/devices/a/b%20c%26.txt</Location>\
                 <Bucket>devices</Bucket><Key>a/b c&amp;.txt</Key><ETag>\"e-1\"</ETag></PostResponse>"
            );
        }
    }

    #[test]
    fn x05_a_redirect_names_what_was_stored_in_the_query_and_keeps_the_rest() {
        let stored = "bucket=devices&key=a%2Fb%20c%26.txt&etag=%22e-1%22";
        for (url, expected) in [
            (
                "https://example.com/done",
                format!("https://example.com/done?{stored}"),
            ),
            (
                "https://example.com/?a=b#top",
                format!("https://example.com/?a=b&{stored}#top"),
            ),
        ] {
            let answer = answer(&FormReply::Redirect(url.to_owned()), "/");
            assert_eq!((answer.status, location_of(&answer)), (303, expected.as_str()));
        }
    }
}
