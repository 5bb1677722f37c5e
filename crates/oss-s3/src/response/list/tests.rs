use super::super::answer_at_once;
use super::super::tests::{origin, told};
use super::*;
use crate::answer::tests::{asked, asked_of_s3};
use crate::device::{Request, seals, unsealed};

const NS: &str = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";

/// The mount of every request in [`told`].
const M: &str = "fleet%2FAK%2F";

fn request(query: &str) -> Request {
    Request::new("GET", &["/devices/?", query].concat())
}

/// S3's documented answer to ListObjects: elements in its order.
fn page(head: &str, entries: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult {NS}><Name>acme-ingest</Name><Prefix>{M}</Prefix>\
         <Marker></Marker>{head}<MaxKeys>100</MaxKeys><EncodingType>url</EncodingType>{entries}</ListBucketResult>"
    )
}

fn object(key: &str) -> String {
    format!(
        "<Contents><Key>{key}</Key><LastModified>2026-11-21T12:34:56.000Z</LastModified>\
         <ETag>&quot;9e107d9d372bb6826bd81d3542a419d6&quot;</ETag><ChecksumAlgorithm>CRC32</ChecksumAlgorithm>\
         <ChecksumType>FULL_OBJECT</ChecksumType><Size>5</Size><Owner><ID>75aa57f09aa0</ID><DisplayName>ops</DisplayName></Owner>\
         <StorageClass>STANDARD_IA</StorageClass></Contents>"
    )
}

fn whole(entries: &str) -> String {
    page("<IsTruncated>false</IsTruncated>", entries)
}

fn listed(query: &str, document: &str) -> String {
    body(told(&request(query), &origin(200, &[], document)))
}

/// The same to an S3 client.
fn listed_to_s3(query: &str, document: &str) -> String {
    let request = request(query).signed_by_s3(&[]);
    body(request.authorized("fleet/AK/", |authorized| {
        let errand = authorized.errand(&seals()).unwrap();
        let asked = asked_of_s3("GET", "edge.example.com", "/devices/");
        super::super::translate(&origin(200, &[], document), &Subject::of(&errand), &asked)
    }))
}

fn refused(query: &str, document: &str) -> Refusal {
    told(&request(query), &origin(200, &[], document)).unwrap_err()
}

fn body(answer: Result<Answer, Refusal>) -> String {
    unsealed(answer.unwrap().body)
}

/// The texts of all elements of this name.
fn texts<'d>(document: &'d str, name: &str) -> Vec<&'d str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let pieces = document.split(open.as_str()).skip(1);
    pieces
        .map(|piece| piece.split(close.as_str()).next().unwrap())
        .collect()
}

#[test]
fn a_list_is_told_in_osss_words_with_every_element_that_sdks_need() {
    let entries = [
        object("fleet%2FAK%2Fa+b%2Bc"),
        object("fleet/AK/p")
            .replace("a419d6", "a419d6-2")
            .replace("STANDARD_IA", "GLACIER"),
        "<CommonPrefixes><Prefix>fleet%2FAK%2Fd%2F</Prefix></CommonPrefixes>".to_owned(),
    ];
    assert_eq!(
        listed(
            "prefix=&delimiter=/&marker=%20&max-keys=100&encoding-type=url",
            &whole(&entries.concat())
        ),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult><Name>devices</Name><Prefix></Prefix>\
         <Marker>%20</Marker><MaxKeys>100</MaxKeys><Delimiter>%2F</Delimiter><EncodingType>url</EncodingType>\
         <Contents><Key>a%20b%2Bc</Key><LastModified>2026-11-21T12:34:56.000Z</LastModified>\
         <ETag>\"9e107d9d372bb6826bd81d3542a419d6\"</ETag><Size>5</Size><Type>Normal</Type><StorageClass>IA</StorageClass>\
         <Owner><ID>causeway</ID><DisplayName>causeway</DisplayName></Owner></Contents>\
         <Contents><Key>p</Key><LastModified>2026-11-21T12:34:56.000Z</LastModified>\
         <ETag>\"9e107d9d372bb6826bd81d3542a419d6-2\"</ETag><Size>5</Size><Type>Multipart</Type><StorageClass>Archive</StorageClass>\
         <Owner><ID>causeway</ID><DisplayName>causeway</DisplayName></Owner></Contents>\
         <CommonPrefixes><Prefix>d%2F</Prefix></CommonPrefixes><IsTruncated>false</IsTruncated></ListBucketResult>"
    );
}

#[test]
fn s3_clients_are_told_s3s_elements_and_nothing_of_osss() {
    let entries = object("fleet%2FAK%2Fa%2Fb+c");
    assert_eq!(
        listed_to_s3(
            "list-type=2&prefix=a/&start-after=a&encoding-type=url",
            &whole(&entries)
        ),
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult {NS}><Name>devices</Name><Prefix>a/</Prefix>\
             <StartAfter>a</StartAfter><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType>\
             <Contents><Key>a/b%20c</Key><LastModified>2026-11-21T12:34:56.000Z</LastModified>\
             <ETag>\"9e107d9d372bb6826bd81d3542a419d6\"</ETag><Size>5</Size><StorageClass>STANDARD_IA</StorageClass>\
             <ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType></Contents>\
             <IsTruncated>false</IsTruncated><KeyCount>1</KeyCount></ListBucketResult>"
        )
    );
    // The first version names owners, and the second where it is asked to.
    for (query, owners) in [("", 1), ("list-type=2", 0), ("list-type=2&fetch-owner=true", 1)] {
        let document = listed_to_s3(query, &whole(&entries));
        assert_eq!(texts(&document, "Owner").len(), owners, "{query}");
        assert!(!document.contains("75aa57f09aa0"));
    }
}

#[test]
fn a_truncated_page_says_where_the_next_begins_also_where_s3_does_not() {
    let truncated = |next: &str| {
        page(
            &format!("{next}<IsTruncated>true</IsTruncated>"),
            &object("fleet%2FAK%2Fa+b"),
        )
    };
    // Without a delimiter S3 tells no NextMarker, with one it does, encoded; SeaweedFS always and plain.
    for next in [
        "",
        "<NextMarker>fleet%2FAK%2Fa+b</NextMarker>",
        "<NextMarker>fleet/AK/a b</NextMarker>",
    ] {
        let document = listed("", &truncated(next));
        assert_eq!(texts(&document, "NextMarker"), ["a b"]);
        assert_eq!(texts(&document, "IsTruncated"), ["true"]);
        let document = listed("encoding-type=url", &truncated(next));
        assert_eq!(texts(&document, "NextMarker"), ["a%20b"]);
        let document = listed("list-type=2", &truncated(next));
        assert_eq!(texts(&document, "NextContinuationToken"), [token_of("a b")]);
        assert_eq!(texts(&document, "NextMarker").len(), 0);
    }
    let prefix = page(
        "<NextMarker>fleet%2FAK%2Fd%2F</NextMarker><IsTruncated>true</IsTruncated>",
        &[
            object("fleet%2FAK%2Fa"),
            "<CommonPrefixes><Prefix>fleet%2FAK%2Fd%2F</Prefix></CommonPrefixes>".to_owned(),
        ]
        .concat(),
    );
    assert_eq!(texts(&listed("delimiter=/", &prefix), "NextMarker"), ["d/"]);
}

#[test]
fn seaweedfss_marker_that_looks_encoded_is_taken_as_it_is() {
    // The key is `a%20b`, which S3 would write as `a%2520b` in both places.
    let truncated = |next: &str| {
        let head = format!("<NextMarker>{next}</NextMarker><IsTruncated>true</IsTruncated>");
        page(&head, &object("fleet%2FAK%2Fa%2520b"))
    };
    for next in ["fleet%2FAK%2Fa%2520b", "fleet/AK/a%20b"] {
        assert_eq!(texts(&listed("", &truncated(next)), "NextMarker"), ["a%20b"]);
    }
}

#[test]
fn x01_keys_that_look_like_markup_survive_in_either_spelling() {
    for key in [
        "xmlns=\"x\"",
        "a]]>b",
        "<Key>&amp;",
        "😀",
        "a  b ",
        "%41+%2B",
        "'\"",
        "~!*()",
    ] {
        let mut encoded = String::new();
        percent_encode(
            ["fleet/AK/", key].concat().as_bytes(),
            Slash::Encode,
            &mut encoded,
        );
        let document = whole(&object(&encoded));
        for (query, decodes) in [("", false), ("encoding-type=url", true)] {
            let told = listed(query, &document);
            let mut keys = Vec::new();
            xml::read::<xml::Unreadable>(told.as_bytes(), &mut |element| {
                if element.is(&["ListBucketResult", "Contents", "Key"]) {
                    keys.push(element.text.to_owned());
                }
                Ok(())
            })
            .unwrap();
            if decodes {
                keys = vec![String::from_utf8(percent_decode(keys[0].as_bytes()).unwrap()).unwrap()];
            }
            assert_eq!(keys, [key], "{query}");
        }
    }
}

#[test]
fn b05_what_lies_outside_the_mount_or_is_the_gateways_own_is_never_told() {
    let entries: String = [
        "other/k",
        "fleet/AL/k",
        "fleet%2FAK",
        M,
        ".causeway%2Fk",
        "fleet%2FAK%2Fk",
    ]
    .map(object)
    .concat();
    let prefixes: String = ["other%2F", ".causeway%2F", "fleet%2FAK%2Fp%2F"]
        .map(|prefix| format!("<CommonPrefixes><Prefix>{prefix}</Prefix></CommonPrefixes>"))
        .concat();
    let document = listed("list-type=2", &whole(&[entries, prefixes].concat()));
    assert_eq!(texts(&document, "Key"), ["k"]);
    assert_eq!(texts(&document, "Prefix"), ["", "p/"]);
    assert_eq!(texts(&document, "KeyCount"), ["2"]);
    for gone in ["fleet", "other", ".causeway", "acme"] {
        assert!(!document.contains(gone), "{gone}");
    }
}

#[test]
fn the_gateways_own_prefix_is_stepped_over_by_the_marker() {
    let document = page(
        "<IsTruncated>true</IsTruncated>",
        &object(".causeway%2Fstaging%2FAK%2Fx"),
    );
    let request = request("");
    let document = request.authorized("", |authorized| {
        let errand = authorized.errand(&seals()).unwrap();
        let asked = asked("GET", "edge.example.com", "/devices/");
        body(super::super::translate(
            &origin(200, &[], &document),
            &Subject::of(&errand),
            &asked,
        ))
    });
    assert_eq!(texts(&document, "Key").len(), 0);
    assert_eq!(texts(&document, "NextMarker"), [".causeway/\u{10ffff}"]);
}

#[test]
fn staged_parts_and_uploads_of_the_gateways_own_are_in_no_list() {
    let upload = |key: &str| {
        format!(
            "<Upload><Key>{key}</Key><UploadId>U</UploadId><Initiated>2026-11-21T12:34:56.000Z</Initiated></Upload>"
        )
    };
    let prefix = |prefix: &str| format!("<CommonPrefixes><Prefix>{prefix}</Prefix></CommonPrefixes>");
    for query in ["", "list-type=2&", "uploads&"] {
        let entry = |key| {
            if query == "uploads&" {
                upload(key)
            } else {
                object(key)
            }
        };
        let entries = [
            ".causeway%2Ff%2F00001",
            ".causeway/f/joined/00001",
            ".causeway/f/00002.unsized",
            "k",
        ]
        .map(entry)
        .concat();
        let prefixes = [
            ".",
            ".caus",
            ".causeway",
            ".causeway%2F",
            ".causeway/f/",
            ".causeway2/",
        ]
        .map(prefix)
        .concat();
        let mut document = whole(&[entries, prefixes].concat());
        if query == "uploads&" {
            document = document.replace("ListBucketResult", "ListMultipartUploadsResult");
        }
        for asked_for in [
            "",
            "prefix=.causeway/",
            "prefix=.cause&delimiter=/",
            "prefix=.causeway/f/&delimiter=/",
        ] {
            let request = request(&[query, asked_for].concat());
            let told = request.authorized("", |authorized| {
                let errand = authorized.errand(&seals()).unwrap();
                let asked = asked("GET", "edge.example.com", "/devices/");
                body(super::super::translate(
                    &origin(200, &[], &document),
                    &Subject::of(&errand),
                    &asked,
                ))
            });
            assert_eq!(texts(&told, "Key"), ["k"], "{query}{asked_for}");
            assert_eq!(
                texts(&told, "Prefix").last(),
                Some(&".causeway2/"),
                "{query}{asked_for}"
            );
            assert_eq!(told.matches("<CommonPrefixes>").count(), 1, "{query}{asked_for}");
        }
    }
}

#[test]
fn names_that_no_request_could_have_are_told_where_they_can_be_written() {
    let entries: String = ["a%2F..%2Fb", "a%5Cb", "c%01d", "e%0Af", "%FF", "%ZZ"]
        .map(|key| object(&["fleet%2FAK%2F", key].concat()))
        .concat();
    let document = whole(&entries);
    assert_eq!(texts(&listed("", &document), "Key"), ["a/../b", "a\\b", "e\nf"]);
    assert_eq!(
        texts(&listed("encoding-type=url", &document), "Key"),
        ["a%2F..%2Fb", "a%5Cb", "c%01d", "e%0Af"]
    );
    // A marker that cannot be written would skip keys or repeat them.
    let document = page("<IsTruncated>true</IsTruncated>", &object("fleet%2FAK%2Fc%01d"));
    let refusal = refused("", &document);
    assert_eq!((refusal.status(), refusal.code()), (400, "InvalidArgument"));
    assert_eq!(
        texts(&listed("encoding-type=url", &document), "NextMarker"),
        ["c%01d"]
    );
    let token = listed("list-type=2", &document);
    assert_eq!(texts(&token, "NextContinuationToken"), [token_of("c\u{1}d")]);
}

fn of_area(query: &str, prefix: &str, document: Option<&str>) -> String {
    let (request, area) = (
        request(query),
        Area::new(prefix.to_owned(), "fleet/AK/".to_owned()),
    );
    request.authorized("", |authorized| {
        let mut errand = authorized.errand(&seals()).unwrap();
        errand.target = crate::area::Target::Bucket { areas: vec![area] };
        let asked = asked("GET", "edge.example.com", "/devices/");
        body(match document {
            None => Ok(answer_at_once(&errand, &asked).unwrap()),
            Some(document) => {
                assert_eq!(answer_at_once(&errand, &asked), None);
                super::super::translate(&origin(200, &[], document), &Subject::of(&errand), &asked)
            }
        })
    })
}

#[test]
fn a_prefix_that_leads_to_the_area_shows_one_common_prefix_if_anything_is_there() {
    let one = page(
        "<NextMarker>x</NextMarker><IsTruncated>true</IsTruncated>",
        &object("fleet%2FAK%2Fa%2Fb%2Fk"),
    );
    let document = of_area("delimiter=/&list-type=2", "a/b/", Some(&one));
    assert_eq!(
        (texts(&document, "Prefix"), texts(&document, "Key").len()),
        (vec!["", "a/"], 0)
    );
    assert_eq!(
        (texts(&document, "KeyCount"), texts(&document, "IsTruncated")),
        (vec!["1"], vec!["false"])
    );
    let document = of_area("delimiter=/&encoding-type=url", "a/b/", Some(&one));
    assert_eq!(texts(&document, "Prefix"), ["", "a%2F"]);
    // Nothing is there, or nothing that lies in the area.
    for entries in [String::new(), object("fleet%2FAK%2Fz")] {
        let document = of_area("delimiter=/", "a/b/", Some(&whole(&entries)));
        assert_eq!(texts(&document, "Prefix"), [""]);
    }
    // Without a delimiter on the way it is the list of the area.
    let document = of_area(
        "prefix=a/",
        "a/b/",
        Some(&one.replace("<NextMarker>x</NextMarker>", "")),
    );
    assert_eq!(
        (texts(&document, "Key"), texts(&document, "NextMarker")),
        (vec!["a/b/k"], vec!["a/b/k"])
    );
    assert_eq!(texts(&document, "Prefix"), ["a/"]);
}

#[test]
fn what_can_have_no_entry_is_answered_at_once() {
    let document = of_area("list-type=2&max-keys=0", "", None);
    assert_eq!(
        (texts(&document, "KeyCount"), texts(&document, "MaxKeys")),
        (vec!["0"], vec!["0"])
    );
    assert_eq!(texts(&document, "IsTruncated"), ["false"]);
    let document = of_area("delimiter=/&marker=a/", "a/b/", None);
    assert_eq!(texts(&document, "Prefix"), [""]);
}

/// S3's documented answer to ListMultipartUploads.
fn uploads(head: &str, keys: &[(&str, &str)]) -> String {
    let uploads: String = keys
        .iter()
        .map(|(key, id)| {
            format!(
                "<Upload><Key>{key}</Key><UploadId>{id}</UploadId><Initiator><ID>arn:aws:iam::1:user/u</ID>\
                 <DisplayName>u</DisplayName></Initiator><Owner><ID>75aa57f09aa0</ID></Owner>\
                 <StorageClass>STANDARD</StorageClass><Initiated>2026-11-21T12:34:56.789Z</Initiated></Upload>"
            )
        })
        .collect();
    format!(
        "<ListMultipartUploadsResult {NS}><Bucket>acme-ingest</Bucket><KeyMarker/><UploadIdMarker/>{head}\
         <MaxUploads>1000</MaxUploads><EncodingType>url</EncodingType>{uploads}</ListMultipartUploadsResult>"
    )
}

#[test]
fn uploads_are_told_with_the_markers_that_oss2_insists_on() {
    let document = uploads("<IsTruncated>false</IsTruncated>", &[("fleet%2FAK%2Fa+b", "U-1")]);
    assert_eq!(
        listed("uploads&encoding-type=url", &document),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListMultipartUploadsResult><Bucket>devices</Bucket><Prefix></Prefix>\
         <KeyMarker></KeyMarker><UploadIdMarker></UploadIdMarker><MaxUploads>1000</MaxUploads><EncodingType>url</EncodingType>\
         <Upload><Key>a%20b</Key><UploadId>U-1</UploadId><Initiated>2026-11-21T12:34:56.000Z</Initiated>\
         <StorageClass>Standard</StorageClass><Owner><ID>causeway</ID><DisplayName>causeway</DisplayName></Owner></Upload>\
         <IsTruncated>false</IsTruncated><NextKeyMarker></NextKeyMarker><NextUploadIdMarker></NextUploadIdMarker>\
         </ListMultipartUploadsResult>"
    );
    let s3 = listed_to_s3("uploads", &document);
    assert_eq!(
        (texts(&s3, "ID"), texts(&s3, "StorageClass")),
        (vec!["causeway"; 2], vec!["STANDARD"])
    );
    assert!(!s3.contains("arn:"));
}

#[test]
fn a_page_of_uploads_goes_on_at_a_key_and_an_id() {
    let keys = [("fleet%2FAK%2Fa", "U-1"), ("fleet%2FAK%2Fa", "U-2")];
    // SeaweedFS tells no NextKeyMarker and no StorageClass.
    for head in [
        "<NextKeyMarker>fleet%2FAK%2Fa</NextKeyMarker><NextUploadIdMarker>U-2</NextUploadIdMarker><IsTruncated>true</IsTruncated>",
        "<NextUploadIdMarker>U-2</NextUploadIdMarker><IsTruncated>true</IsTruncated>",
        "<IsTruncated>true</IsTruncated>",
    ] {
        let document = uploads(head, &keys).replace("<StorageClass>STANDARD</StorageClass>", "");
        // A key may have more uploads than a page.
        let document = listed(
            "uploads&key-marker=a&upload-id-marker=U-0&max-uploads=2",
            &document,
        );
        assert_eq!(texts(&document, "NextKeyMarker"), ["a"]);
        assert_eq!(texts(&document, "NextUploadIdMarker"), ["U-2"]);
        assert_eq!(texts(&document, "StorageClass"), ["Standard", "Standard"]);
        assert_eq!(
            (
                texts(&document, "KeyMarker"),
                texts(&document, "UploadIdMarker")[0].split_once('.').unwrap().0
            ),
            (vec!["a"], "U-0")
        );
    }
    let stuck = uploads("<IsTruncated>true</IsTruncated>", &keys);
    assert_eq!(
        refused("uploads&key-marker=a&upload-id-marker=U-2", &stuck).status(),
        500
    );
}

/// What the origin is asked for, where the client may ask so.
fn asked_for(request: &Request) -> Result<String, Refusal> {
    request.authorized("fleet/AK/", |authorized| {
        let errand = authorized.errand(&seals())?;
        Ok(crate::request::OriginRequest::new(&errand).query)
    })
}

#[test]
fn h09_a_list_of_uploads_goes_on_behind_what_was_told_and_no_other_upload() {
    let document = uploads("<IsTruncated>true</IsTruncated>", &[("fleet%2FAK%2Fa+b", "U-1")]);
    let document = told(
        &request("uploads&encoding-type=url"),
        &origin(200, &[], &document),
    );
    let document = String::from_utf8(document.unwrap().body).unwrap();
    let [marker] = texts(&document, "NextUploadIdMarker")[..] else {
        panic!("{document}")
    };
    // It is the id of the last upload, and tells no more than that.
    assert_eq!([marker], texts(&document, "UploadId")[..]);
    assert!(marker.starts_with("U-1.") && marker.len() == 50);
    // A name that is written so is sent as it is.
    let goes_on = |key: &str, marker: &str| {
        request(&format!(
            "uploads&key-marker={key}&upload-id%2Dmarker={marker}&max-uploads=2"
        ))
    };
    assert_eq!(
        asked_for(&goes_on("a%20b", marker)).unwrap(),
        "encoding-type=url&key-marker=fleet%2FAK%2Fa%20b&max-uploads=2&prefix=fleet%2FAK%2F&upload-id-marker=U-1&uploads="
    );
    for (key, marker) in [
        ("a", marker),
        ("a%20b", "U-1"),
        ("a%20b", marker.trim_start_matches('U')),
    ] {
        for request in [goes_on(key, marker), goes_on(key, marker).signed_by_s3(&[])] {
            let refusal = asked_for(&request).unwrap_err();
            assert_eq!((refusal.status(), refusal.code()), (400, "InvalidArgument"));
            assert!(
                refusal.reason().starts_with("upload-id-marker: "),
                "{key} {marker}"
            );
        }
    }
    // Without a key nobody takes notice of it.
    let query = asked_for(&goes_on("", "U-1")).unwrap();
    assert!(!query.contains("U-1"), "{query}");
}

#[test]
fn a_page_of_uploads_that_ends_at_no_upload_of_the_client_s_tells_none() {
    let key = [("fleet%2FAK%2Fa", "U-1")];
    let ends_at = |next: &str| {
        format!(
            "<NextKeyMarker>{next}</NextKeyMarker><IsTruncated>true</IsTruncated>\
             <CommonPrefixes><Prefix>fleet%2FAK%2Fb%2F</Prefix></CommonPrefixes>"
        )
    };
    let document = listed(
        "uploads&delimiter=/",
        &uploads(&ends_at("fleet%2FAK%2Fb%2F"), &key),
    );
    assert_eq!(
        (
            texts(&document, "NextKeyMarker"),
            texts(&document, "NextUploadIdMarker")
        ),
        (vec!["b/"], vec![""])
    );
    // What the gateway uploads for itself.
    let own = uploads(
        "<NextKeyMarker>.causeway%2Fa</NextKeyMarker><NextUploadIdMarker>OWN</NextUploadIdMarker><IsTruncated>true</IsTruncated>",
        &[(".causeway%2Fa", "OWN")],
    );
    let document = request("uploads").authorized("", |authorized| {
        let errand = authorized.errand(&seals()).unwrap();
        let asked = asked("GET", "edge.example.com", "/devices/");
        super::super::translate(&origin(200, &[], &own), &Subject::of(&errand), &asked)
    });
    let document = body(document);
    assert_eq!(texts(&document, "NextUploadIdMarker"), [""]);
    assert!(!document.contains("OWN"), "{document}");
}

#[test]
fn x03_a_list_beyond_the_bounds_is_refused_as_to_be_asked_for_in_smaller_pieces() {
    let entry = object("fleet%2FAK%2Fk");
    assert_eq!(texts(&listed("", &whole(&entry.repeat(1000))), "Key").len(), 1000);
    let long = [&whole(&entry), " ".repeat(MAX_LIST_BYTES).as_str()].concat();
    // Escaped for XML a key takes five times its bytes, percent-encoded three.
    let plain = object(&["fleet%2FAK%2F", &"%26".repeat(1000)].concat()).repeat(1000);
    for (query, document, bound) in [
        ("", whole(&entry.repeat(1001)), "1,000 entries"),
        ("", long, "4 MB"),
        ("", whole(&plain), "4 MB"),
    ] {
        let refusal = refused(query, &document);
        assert_eq!((refusal.status(), refusal.code()), (503, "ServiceUnavailable"));
        assert!(refusal.reason().contains(bound), "{}", refusal.reason());
    }
    assert_eq!(
        texts(&listed("encoding-type=url", &whole(&plain)), "Key").len(),
        1000
    );
}

#[test]
fn the_longest_list_that_s3_can_give_is_inside_the_bound() {
    // 1,000 keys of 1,024 bytes, each of which takes three.
    let key = ["fleet%2FAK%2F", &"%2F".repeat(1015)].concat();
    let document = whole(&object(&key).repeat(1000));
    assert!(document.len() < MAX_LIST_BYTES);
    assert_eq!(texts(&listed("encoding-type=url", &document), "Key").len(), 1000);
}

#[test]
fn a_list_that_cannot_be_read_is_never_told_as_one() {
    let entry = object("fleet%2FAK%2Fk");
    for document in [
        String::new(),
        "<".to_owned(),
        format!("<Error {NS}><Code>InternalError</Code></Error>"),
        whole(&entry).replace("ListBucketResult", "ListMultipartUploadsResult"),
        whole(&entry).replace("<IsTruncated>false</IsTruncated>", ""),
        page("<IsTruncated>maybe</IsTruncated>", &entry),
        // Keys are read as encoded, so an origin has to say that they are.
        whole(&entry).replace("<EncodingType>url</EncodingType>", ""),
        whole(&entry.replace("2026-11-21T", "yesterday")),
        whole(&entry.replace("<Size>5</Size>", "<Size>-5</Size>")),
        whole(&entry.replace("9e107d", "\u{e9}")),
        // It goes on nowhere, outside the mount, or where it began.
        page("<IsTruncated>true</IsTruncated>", ""),
        page(
            "<NextMarker>other%2Fk</NextMarker><IsTruncated>true</IsTruncated>",
            &entry,
        ),
        page("<IsTruncated>true</IsTruncated>", &object("fleet%2FAK%2Fstart")),
    ] {
        let refusal = refused("marker=start", &document);
        assert_eq!(
            (refusal.status(), refusal.code()),
            (500, "InternalError"),
            "{document}"
        );
    }
}

#[test]
fn s3s_errors_are_errors_of_the_list() {
    for (status, code, oss) in [
        (404, "NoSuchBucket", (404, "NoSuchBucket")),
        (403, "AccessDenied", (500, "InternalError")),
        (503, "SlowDown", (503, "ServiceUnavailable")),
        (400, "InvalidArgument", (400, "InvalidArgument")),
    ] {
        let document = format!("<Error><Code>{code}</Code><Message>m</Message></Error>");
        let refusal = told(&request(""), &origin(status, &[], &document)).unwrap_err();
        assert_eq!((refusal.status(), refusal.code()), oss);
    }
}
