use super::*;
use crate::device::Request;
use crate::error::Refusal;
use crate::operation::{Call, NotACall};

/// What an OSS device's query asks for.
fn listing(query: &str) -> Result<Listing, NotACall> {
    of(Request::new("GET", &["/devices/?", query].concat()))
}

/// The same of an S3 client's.
fn s3_listing(query: &str) -> Result<Listing, NotACall> {
    of(Request::new("GET", &["/devices/?", query].concat()).signed_by_s3(&[]))
}

fn of(request: Request) -> Result<Listing, NotACall> {
    request.recognised().map(|call| match call {
        Call::List(listing) => *listing,
        other => panic!("{other:?} is no list"),
    })
}

fn area(prefix: &str, mount: &str) -> Area {
    Area::new(prefix.to_owned(), mount.to_owned())
}

/// The query for the origin.
fn asked(query: &str, prefix: &str, mount: &str) -> String {
    let listing = listing(query).unwrap();
    let upload = listing.upload();
    listing.query(&area(prefix, mount), upload.as_ref().map_or("", UploadId::as_str))
}

#[test]
fn every_name_may_be_empty_as_oss2_sends_them() {
    let oss2 = listing("prefix=&delimiter=&marker=&max-keys=&encoding-type=").unwrap();
    assert_eq!(oss2, listing("").unwrap());
    assert_eq!(oss2.most, 100);
    let oss2 = listing(
        "list-type=2&prefix=&delimiter=&continuation-token=&start-after=&fetch-owner=false&encoding-type=url&max-keys=7",
    )
    .unwrap();
    assert_eq!(
        (oss2.of, oss2.most, oss2.spelling, oss2.names_owners),
        (ListOf::ObjectsByToken, 7, KeySpelling::UrlEncoded, false)
    );
    let oss2 = listing("uploads=&prefix=&delimiter=&key-marker=&upload-id-marker=&max-uploads=").unwrap();
    assert_eq!((oss2.of, oss2.most), (ListOf::Uploads, 1000));
}

#[test]
fn a_page_has_100_objects_for_oss_and_1000_for_s3_unless_the_client_says_otherwise() {
    for (query, oss, s3) in [
        ("", Some(100), 1000),
        ("max-keys=0", Some(0), 0),
        ("max-keys=1", Some(1), 1),
        ("max-keys=1000", Some(1000), 1000),
        ("max-keys=1001", None, 1000),
        ("max-keys=2147483647", None, 1000),
        ("uploads", Some(1000), 1000),
        ("uploads&max-uploads=7", Some(7), 7),
        ("uploads&max-uploads=70000", None, 1000),
    ] {
        assert_eq!(listing(query).map(|listing| listing.most).ok(), oss, "{query}");
        assert_eq!(s3_listing(query).unwrap().most, s3, "{query}");
    }
}

#[test]
fn h04_values_that_a_list_cannot_have_are_refused_by_name() {
    let long = "a".repeat(1025);
    for (query, name) in [
        ("max-keys=-1", "max-keys"),
        ("max-keys=%2B1", "max-keys"),
        ("max-keys=1.0", "max-keys"),
        ("max-keys=99999999999999999999999", "max-keys"),
        ("list-type=1", "list-type"),
        ("list-type=2&fetch-owner=yes", "fetch-owner"),
        ("encoding-type=URL", "encoding-type"),
        ("list-type=2&continuation-token=!", "continuation-token"),
        ("list-type=2&continuation-token=YQ%3D%3D", "continuation-token"),
        // Not UTF-8.
        ("list-type=2&continuation-token=_w", "continuation-token"),
        ("uploads=1", "uploads"),
        ("uploads&upload-id-marker=a%20b", "upload-id-marker"),
        ("uploads&max-uploads=x", "max-uploads"),
        (&format!("prefix={long}"), "prefix"),
        (&format!("marker={long}"), "marker"),
        (&format!("delimiter={long}"), "delimiter"),
        ("prefix=%FF", "prefix"),
    ] {
        for refused in [listing(query), s3_listing(query)] {
            assert!(
                matches!(refused, Err(NotACall::BadParameter(_, bad)) if bad == name),
                "{query} {refused:?}"
            );
            let refusal = Refusal::from(refused.unwrap_err());
            assert_eq!(refusal.row(Dialect::S3).code, "InvalidArgument");
            assert_eq!((refusal.status(), refusal.code()), (400, "InvalidArgument"));
        }
    }
}

#[test]
fn o06_what_a_v1_signature_leaves_unsigned_pages_a_list_and_nothing_else() {
    // `continuation-token` is signed, so it cannot be added to a request of somebody's.
    for query in [
        "prefix=a&x-id=ListObjects",
        "prefix=a&attributes",
        "uploads&marker=a",
        "max-keys=1&max-keys=2",
    ] {
        assert!(listing(query).is_err(), "{query}");
    }
    assert!(s3_listing("prefix=a&x-id=ListObjects").is_ok());
    assert!(s3_listing("list-type=2&x-id=ListObjectsV2").is_ok());
    assert!(s3_listing("uploads&x-id=ListMultipartUploads").is_ok());
    assert!(s3_listing("list-type=2&x-id=GetObject").is_err());
}

#[test]
fn both_versions_ask_the_origin_for_the_first_and_always_encoded() {
    for (query, expected) in [
        ("", "encoding-type=url&max-keys=100"),
        (
            "prefix=a%20b%2B/&delimiter=/&marker=a%20b%2B/c&max-keys=7",
            "delimiter=%2F&encoding-type=url&marker=a%20b%2B%2Fc&max-keys=7&prefix=a%20b%2B%2F",
        ),
        (
            "list-type=2&start-after=k",
            "encoding-type=url&marker=k&max-keys=100",
        ),
        (
            &format!(
                "list-type=2&start-after=k&continuation-token={}&encoding-type=url",
                token_of("m/😀")
            ),
            "encoding-type=url&marker=m%2F%F0%9F%98%80&max-keys=100",
        ),
        // Each version takes its own names.
        ("list-type=2&marker=k", "encoding-type=url&max-keys=100"),
        ("start-after=k", "encoding-type=url&max-keys=100"),
        (
            "uploads&prefix=p&delimiter=-&key-marker=k&upload-id-marker=U&max-uploads=3",
            "delimiter=-&encoding-type=url&key-marker=k&max-uploads=3&prefix=p&upload-id-marker=U&uploads=",
        ),
        // Without a key S3 takes no notice of the id.
        (
            "uploads&upload-id-marker=U",
            "encoding-type=url&max-uploads=1000&uploads=",
        ),
    ] {
        assert_eq!(asked(query, "", ""), expected, "{query}");
    }
}

#[test]
fn the_mount_is_put_before_prefix_and_marker() {
    assert_eq!(
        asked("", "", "fleet/7/"),
        "encoding-type=url&marker=fleet%2F7%2F&max-keys=100&prefix=fleet%2F7%2F"
    );
    assert_eq!(
        asked("prefix=a&marker=ab", "", "fleet/7/"),
        "encoding-type=url&marker=fleet%2F7%2Fab&max-keys=100&prefix=fleet%2F7%2Fa"
    );
    assert_eq!(
        asked("uploads&key-marker=ab&prefix=a", "", "m/"),
        "encoding-type=url&key-marker=m%2Fab&max-uploads=1000&prefix=m%2Fa&uploads="
    );
}

#[test]
fn b05_a_list_is_of_the_first_area_that_its_prefix_lies_in_or_leads_to() {
    let areas = [area("a/b/", "m/"), area("a/c/", "n/"), area("d/", "")];
    for (prefix, found) in [
        ("", Some("a/b/")),
        ("a", Some("a/b/")),
        ("a/b/", Some("a/b/")),
        ("a/b/x", Some("a/b/")),
        ("a/c", Some("a/c/")),
        ("a/c/..", Some("a/c/")),
        ("d/e/f", Some("d/")),
        ("d", Some("d/")),
        ("a/d", None),
        ("b", None),
        ("a/b", Some("a/b/")),
        ("A/", None),
        ("/a/b/", None),
        ("a//b/", None),
    ] {
        let listing = listing(&["prefix=", prefix].concat()).unwrap();
        assert_eq!(listing.area(&areas).map(Area::prefix), found, "{prefix}");
    }
    // A prefix that lies in a later area is not one that leads to an earlier.
    let areas = [area("a/b/", ""), area("", "whole/")];
    let listing = listing("prefix=a/").unwrap();
    assert_eq!(listing.area(&areas).map(Area::mount), Some("whole/"));
}

#[test]
fn a_shorter_prefix_shows_the_bucket_as_if_it_held_the_area_alone() {
    assert_eq!(
        asked("prefix=a/&marker=a/b/k", "a/b/", "m/"),
        "encoding-type=url&marker=m%2Fa%2Fb%2Fk&max-keys=100&prefix=m%2Fa%2Fb%2F"
    );
    // A delimiter on the way stands for everything behind it, so one key is asked for.
    for (query, folded) in [
        ("delimiter=/", "a/"),
        ("prefix=a/&delimiter=/&marker=a/", "a/b/"),
        ("delimiter=/b", "a/b"),
    ] {
        let asked_for = listing(query).unwrap();
        let area = area("a/b/", "m/");
        assert_eq!(asked_for.folded(&area), Some(folded));
        assert_eq!(
            asked_for.query(&area, ""),
            "encoding-type=url&max-keys=1&prefix=m%2Fa%2Fb%2F"
        );
        assert!(!asked_for.is_void(&area));
    }
    for query in [
        "prefix=a/b/&delimiter=/",
        "delimiter=-",
        "prefix=a/b/c&delimiter=/b",
    ] {
        assert_eq!(
            listing(query).unwrap().folded(&area("a/b/", "m/")),
            None,
            "{query}"
        );
    }
}

#[test]
fn a_delimiter_that_the_areas_prefix_cuts_in_two_is_no_list_of_it() {
    let areas = [area("a/b/", "")];
    for (query, is_list) in [
        ("delimiter=/c", false),
        ("delimiter=b/c", false),
        ("delimiter=//", false),
        ("delimiter=bc", true),
        ("prefix=a/b/&delimiter=/c", true),
    ] {
        assert_eq!(listing(query).unwrap().area(&areas).is_some(), is_list, "{query}");
    }
}

#[test]
fn of_the_gateways_own_keys_the_origin_is_asked_nothing_and_no_page_begins_among_them() {
    let reserved = [
        ".causeway/",
        ".causeway/H",
        "/.causeway/",
        "//.causeway/f/&delimiter=s",
    ];
    for dialect in ["", "list-type=2&", "uploads&"] {
        for prefix in reserved {
            let query = [dialect, "prefix=", prefix].concat();
            for listing in [listing(&query), s3_listing(&query)] {
                let listing = listing.unwrap();
                assert!(listing.is_void(&area("", "")), "{query}");
                // Behind a mount it is the client's own.
                assert!(!listing.is_void(&area("", "m/")), "{query}");
            }
        }
        for prefix in ["", ".", ".causeway", ".causeway2/", "a/.causeway/"] {
            let query = [dialect, "prefix=", prefix].concat();
            assert!(!listing(&query).unwrap().is_void(&area("", "")), "{query}");
        }
    }
    let behind = "marker=.causeway%2F%F4%8F%BF%BF&max-";
    for query in [
        "marker=.causeway/H",
        "list-type=2&start-after=.causeway/",
        &["list-type=2&continuation-token=", &token_of(".causeway/f/1")].concat(),
        "uploads&key-marker=.causeway/f/1",
    ] {
        assert!(asked(query, "", "").contains(behind), "{query}");
        assert!(!asked(query, "", "m/").contains(behind), "{query}");
    }
    // These lie before and behind.
    for marker in [".causeway", ".causeway0", "/.causeway/k"] {
        let query = asked(&["marker=", marker].concat(), "", "");
        assert!(
            query.contains(&["marker=", &encoded_value(marker.as_bytes()), "&"].concat()),
            "{query}"
        );
    }
}

#[test]
fn a_list_that_can_have_no_entry_is_asked_of_nobody() {
    let area = area("a/b/", "");
    for (query, is_void) in [
        ("max-keys=0", true),
        ("max-keys=1", false),
        ("delimiter=/&marker=a/", true),
        ("delimiter=/&marker=b", true),
        ("delimiter=/&marker=a", false),
        ("marker=b", false),
    ] {
        assert_eq!(listing(query).unwrap().is_void(&area), is_void, "{query}");
    }
}

#[test]
fn a_token_is_the_key_in_base64url_and_reads_back() {
    for key in ["k", "a b+c%20d", "😀/]]>", "\u{1}"] {
        let token = token_of(key);
        assert!(
            token
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        );
        assert_eq!(key_of(&token).as_deref(), Some(key));
    }
    assert_eq!(key_of(""), None);
}
