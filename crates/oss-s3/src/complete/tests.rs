use super::*;
use crate::parts::tests::page;

const A: &str = "0cc175b9c0f1b6a831c399e269772661";
const B: &str = "92EB5FFEE6AE2FEC3AD71C777531578F";

fn list(parts: &[(u32, &str)]) -> String {
    let mut xml = String::from("<CompleteMultipartUpload>");
    for (number, etag) in parts {
        xml.push_str(&format!(
            "<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
        ));
    }
    xml + "</CompleteMultipartUpload>"
}

#[test]
fn what_each_sdk_writes_is_read_the_same() {
    for document in [
        // oss2 quotes, node puts line breaks, escaped quotes are quotes too, blanks are trimmed.
        list(&[(1, &format!("\"{A}\"")), (7, B)]),
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CompleteMultipartUpload>\n<Part>\n<PartNumber>1</PartNumber>\n\
             <ETag>&quot;{A}&#34;</ETag>\n</Part>\n<Part>\n<ETag> {B} </ETag>\n<PartNumber> 7 </PartNumber>\n</Part>\n</CompleteMultipartUpload>"
        ),
        format!(
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Part><PartNumber>1</PartNumber>\
             <ETag>{A}</ETag><Extra>x</Extra></Part><Part><PartNumber>7</PartNumber><ETag><![CDATA[{B}]]></ETag></Part></CompleteMultipartUpload>"
        ),
    ] {
        let parts = PartList::from_device(document.as_bytes(), Dialect::Oss).unwrap();
        assert_eq!(
            parts.to_xml(),
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"{A}\"</ETag></Part>\
                 <Part><PartNumber>7</PartNumber><ETag>\"{B}\"</ETag></Part></CompleteMultipartUpload>"
            )
        );
    }
}

#[test]
fn lists_that_are_wrong_are_refused_with_the_code_that_names_the_fault() {
    let many: Vec<(u32, &str)> = (1..=10_001).map(|n| (n, A)).collect();
    for (document, code) in [
        (list(&[]), "MalformedXML"),
        (String::new(), "MalformedXML"),
        ("<Other/>".to_owned(), "MalformedXML"),
        (
            "<!DOCTYPE x><CompleteMultipartUpload/>".to_owned(),
            "MalformedXML",
        ),
        (
            "<CompleteMultipartUpload><Part><ETag>a</ETag></Part></CompleteMultipartUpload>".to_owned(),
            "MalformedXML",
        ),
        (
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>"
                .to_owned(),
            "MalformedXML",
        ),
        (
            list(&[(1, A)]).replace("<ETag>", "<ETag>a</ETag><ETag>"),
            "MalformedXML",
        ),
        (list(&[(1, A), (1, A)]), "InvalidPartOrder"),
        (list(&[(2, A), (1, B)]), "InvalidPartOrder"),
        (list(&[(0, A)]), "InvalidPart"),
        (list(&many), "InvalidPart"),
        (list(&[(1, "")]), "InvalidPart"),
        (list(&[(1, "a b")]), "InvalidPart"),
        (list(&[(1, "a&quot;b")]), "InvalidPart"),
        (list(&[(1, "\u{e9}")]), "InvalidPart"),
        (list(&[(1, &"a".repeat(129))]), "InvalidPart"),
        (" ".repeat(MAX_PART_LIST_BYTES) + &list(&[(1, A)]), "MalformedXML"),
    ] {
        let refusal = PartList::from_device(document.as_bytes(), Dialect::Oss).unwrap_err();
        assert_eq!(
            (refusal.status(), refusal.code()),
            (400, code),
            "{}",
            document.chars().take(90).collect::<String>()
        );
    }
    assert_eq!(
        PartList::from_device(list(&many[..10_000]).as_bytes(), Dialect::Oss)
            .unwrap()
            .parts()
            .len(),
        10_000
    );
}

#[test]
fn the_composite_etag_is_the_md5_of_the_md5s_and_their_count() {
    // python3: h = lambda x: md5(x).digest(); md5(h(b"a") + h(b"b")).hexdigest()
    let parts = PartList::from_device(list(&[(1, A), (2, B)]).as_bytes(), Dialect::Oss).unwrap();
    assert_eq!(
        parts.composite_etag().unwrap(),
        "96e024ba2074fe77e8e965ba43a704be-2"
    );
    for etag in [
        "kms-etag",
        "0cc175b9c0f1b6a831c399e26977266z",
        "d41d8cd98f00b204e9800998ecf8427e-2",
    ] {
        let parts = PartList::from_device(list(&[(1, A), (2, etag)]).as_bytes(), Dialect::Oss).unwrap();
        assert_eq!(parts.composite_etag(), None, "{etag}");
    }
}

#[test]
fn complete_all_joins_the_pages_of_the_origin() {
    let first = PartsPage::from_origin(page("true", "2", &[1, 2]).as_bytes(), None, Dialect::Oss).unwrap();
    let marker = first.next().unwrap();
    assert_eq!(marker.get(), 2);
    let last =
        PartsPage::from_origin(page("false", "0", &[5]).as_bytes(), Some(marker), Dialect::Oss).unwrap();
    assert_eq!(last.next(), None);
    let parts = PartList::of_pages([first, last]).unwrap();
    assert_eq!(
        parts
            .parts()
            .iter()
            .map(|part| part.number().get())
            .collect::<Vec<_>>(),
        [1, 2, 5]
    );
    assert_eq!(parts.parts()[0].etag(), A);
    let empty = PartsPage::from_origin(page("false", "0", &[]).as_bytes(), None, Dialect::Oss).unwrap();
    assert_eq!(PartList::of_pages([empty]).unwrap_err().code(), "InvalidPart");
}

#[test]
fn f10_a_body_that_is_not_the_one_of_content_md5_is_refused() {
    assert!(check_body_digest(b"1B2M2Y8AsgTpgAmY7PhCfg==", b"").is_ok());
    assert_eq!(
        check_body_digest(b"1B2M2Y8AsgTpgAmY7PhCfg==", b"x")
            .unwrap_err()
            .code(),
        "InvalidDigest"
    );
    assert_eq!(content_md5(b""), "1B2M2Y8AsgTpgAmY7PhCfg==");
}

#[test]
fn checksums_of_an_s3_client_are_carried_and_those_of_others_are_not() {
    let part = "<PartNumber>1</PartNumber><ETag>e</ETag>";
    let sums = "<ChecksumCRC32>AAAAAA==</ChecksumCRC32><ChecksumCRC32C>AAAAAQ==</ChecksumCRC32C>\
        <ChecksumCRC64NVME>AAAAAAAAAAA=</ChecksumCRC64NVME><ChecksumSHA1>2jmj7l5rSw0yVb/vlWAYkK/YBwk=</ChecksumSHA1>\
        <ChecksumSHA256>47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=</ChecksumSHA256>";
    let ns = " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";
    let document =
        format!("<CompleteMultipartUpload{ns}><Part>{sums}{part}</Part></CompleteMultipartUpload>");
    let written = |dialect| {
        PartList::from_device(document.as_bytes(), dialect)
            .unwrap()
            .to_xml()
    };
    let quoted = "<PartNumber>1</PartNumber><ETag>\"e\"</ETag>";
    let expected = |sums: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CompleteMultipartUpload><Part>{quoted}{sums}</Part></CompleteMultipartUpload>"
        )
    };
    assert_eq!(written(Dialect::S3), expected(sums));
    assert_eq!(written(Dialect::Oss), expected(""));
}

#[test]
fn a_checksum_that_is_none_or_of_an_unknown_kind_is_refused() {
    let list = |sums: &str| {
        let part = "<PartNumber>1</PartNumber><ETag>e</ETag>";
        format!("<CompleteMultipartUpload><Part>{part}{sums}</Part></CompleteMultipartUpload>")
    };
    let twice = "<ChecksumSHA1>a</ChecksumSHA1>".repeat(2);
    let long = format!("<ChecksumSHA256>{}</ChecksumSHA256>", "a".repeat(51));
    for (sums, fault) in [
        ("<ChecksumCRC32></ChecksumCRC32>", Fault::PartInvalid),
        ("<ChecksumCRC32>&lt;a&gt;</ChecksumCRC32>", Fault::PartInvalid),
        ("<ChecksumCRC32>a b</ChecksumCRC32>", Fault::PartInvalid),
        (&long, Fault::PartInvalid),
        (&twice, Fault::XmlMalformed),
        ("<ChecksumCRC32><a/></ChecksumCRC32>", Fault::PartInvalid),
        ("<ChecksumXXHASH64>a</ChecksumXXHASH64>", Fault::NotImplemented),
    ] {
        let refusal = PartList::from_device(list(sums).as_bytes(), Dialect::S3).unwrap_err();
        assert_eq!(refusal.fault(), fault, "{sums}");
        assert!(
            PartList::from_device(list(sums).as_bytes(), Dialect::Oss).is_ok(),
            "{sums}"
        );
    }
}

#[test]
fn the_bytes_of_an_object_are_the_sum_of_its_parts_as_the_origin_lists_them() {
    let listed = |parts: &[(u32, &str, &str)]| {
        let parts: String = parts
            .iter()
            .map(|(number, etag, size)| {
                format!("<Part><PartNumber>{number}</PartNumber><ETag>\"{etag}\"</ETag>{size}</Part>")
            })
            .collect();
        let page = format!("<ListPartsResult><IsTruncated>false</IsTruncated>{parts}</ListPartsResult>");
        let page = PartsPage::from_origin(page.as_bytes(), None, Dialect::Oss).unwrap();
        PartList::of_pages([page]).unwrap()
    };
    let of_device =
        |parts: &[(u32, &str)]| PartList::from_device(list(parts).as_bytes(), Dialect::Oss).unwrap();
    let three = listed(&[
        (1, A, "<Size>5</Size>"),
        (3, B, "<Size>7</Size>"),
        (9, A, "<Size>18446744073709551615</Size>"),
    ]);
    assert_eq!(of_device(&[(1, A)]).bytes(&three), Ok(5));
    assert_eq!(of_device(&[(3, B)]).bytes(&three), Ok(7));
    assert_eq!(of_device(&[(1, A), (3, &B.to_lowercase())]).bytes(&three), Ok(12));
    // No sum is larger than what there is a number for.
    assert_eq!(three.bytes(&three), Ok(u64::MAX));
    for parts in [&[(2, A)][..], &[(1, B)], &[(1, A), (2, A)], &[(1, A), (10, A)]] {
        let refusal = of_device(parts).bytes(&three).unwrap_err();
        assert_eq!(refusal.fault(), Fault::PartInvalid, "{parts:?}");
    }
    for size in ["", "<Size>-1</Size>", "<Size>x</Size>"] {
        let refusal = of_device(&[(1, A)]).bytes(&listed(&[(1, A, size)])).unwrap_err();
        assert_eq!(refusal.fault(), Fault::OriginAnswerUnreadable, "{size}");
    }
}
