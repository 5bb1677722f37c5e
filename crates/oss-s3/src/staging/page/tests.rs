use super::*;
use crate::staging::plan::tests::number;

/// As SeaweedFS lists a folder, two entries a page.
const SEAWEEDFS: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>bbb</Name><Prefix>FOLDER</Prefix><Marker></Marker>\
<NextMarker>FOLDER00002</NextMarker><MaxKeys>2</MaxKeys><IsTruncated>true</IsTruncated>\
<Contents><Key>FOLDER00001</Key><ETag>&#34;5d41402abc4b2a76b9719d911017c592&#34;</ETag><Size>5</Size>\
<Owner><ID>g</ID><DisplayName>g</DisplayName></Owner><StorageClass>STANDARD</StorageClass><LastModified>2026-11-22T11:39:55Z</LastModified></Contents>\
<Contents><Key>FOLDER00002</Key><ETag>&#34;d41d8cd98f00b204e9800998ecf8427e&#34;</ETag><Size>0</Size>\
<Owner><ID>g</ID><DisplayName>g</DisplayName></Owner><StorageClass>STANDARD</StorageClass><LastModified>2026-11-22T11:39:55Z</LastModified></Contents>\
</ListBucketResult>";

const ETAG: &str = "0cc175b9c0f1b6a831c399e269772661";

fn folder() -> Folder {
    Folder::of(".causeway/", "b", "k", "U")
}

fn key(name: &str) -> String {
    [folder().as_str(), name].concat()
}

/// An entry as S3 lists it.
fn entry(key: &str, size: &str) -> String {
    format!(
        "<Contents><Key>{key}</Key><LastModified>2026-11-21T12:34:56.000Z</LastModified><ETag>&quot;{ETAG}&quot;</ETag>\
         <Size>{size}</Size><Owner><ID>0123</ID><DisplayName>o</DisplayName></Owner><StorageClass>STANDARD</StorageClass></Contents>"
    )
}

fn page(truncated: &str, entries: &[String]) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
         <Name>b</Name><Prefix>{}</Prefix><Marker></Marker><MaxKeys>1000</MaxKeys><IsTruncated>{truncated}</IsTruncated>{}</ListBucketResult>",
        folder().as_str(),
        entries.concat()
    )
}

fn read(document: &str, after: Option<&str>) -> Result<FolderPage, Refusal> {
    FolderPage::from_origin(document.as_bytes(), &folder(), after)
}

fn numbers(stock: &Stock) -> Vec<(u16, Option<u64>)> {
    let parts = stock.parts().iter();
    parts.map(|part| (part.number().get(), part.size())).collect()
}

#[test]
fn a_folder_is_gathered_page_by_page_from_where_the_last_one_ended() {
    let record = Record::of(&[Part::new(number(2), ETAG.into(), Some(7), None)], "a-b");
    let record = record.unwrap();
    let record_key = folder().record(&record);
    let first = page(
        "true",
        &[
            entry(&key("00002"), "7"),
            entry(&key("00002.unsized"), "9"),
            entry(&key("00010"), "0"),
        ],
    );
    let last = page(
        "false",
        &[
            entry(&record_key, "0"),
            entry(&key("joined/x"), "0"),
            entry(&key("x"), "1"),
        ],
    );

    let first = read(&first, None).unwrap();
    let next = first.next().unwrap().to_owned();
    assert_eq!(next, key("00010"));
    let last = read(&last, Some(&next)).unwrap();
    assert_eq!(last.next(), None);
    assert_eq!(last.keys(), [record_key, key("joined/x"), key("x")]);

    let mut stock = Stock::default();
    stock.add(first);
    stock.add(last);
    assert_eq!(numbers(&stock), [(2, Some(7)), (10, Some(0))]);
    let part = &stock.parts()[0];
    assert_eq!(
        (part.etag(), part.last_modified()),
        (ETAG, Some("2026-11-21T12:34:56.000Z"))
    );
    assert_eq!(stock.records_of(record.first()), [record]);
    assert_eq!(stock.keys().len(), 6);
}

#[test]
fn an_empty_folder_is_one_page_with_nothing_in_it() {
    let page = read(&page("false", &[]), None).unwrap();
    assert_eq!((page.keys(), page.next()), (&[] as &[String], None));
}

#[test]
fn seaweedfs_is_read_as_it_lists() {
    let document = SEAWEEDFS.replace("FOLDER", folder().as_str());
    let page = read(&document, None).unwrap();
    assert_eq!(page.next(), Some(key("00002").as_str()));
    let mut stock = Stock::default();
    stock.add(page);
    assert_eq!(numbers(&stock), [(1, Some(5)), (2, Some(0))]);
}

#[test]
fn records_of_a_number_are_those_that_begin_there() {
    let name = |first: u16, etag: &str| {
        key(&format!(
            "joined/{first:05}-00009-0123456789abcdef0123456789abcdef-{etag}"
        ))
    };
    let names = [name(1, "a"), name(3, "a"), name(3, "b"), name(9, "a")];
    let entries: Vec<String> = names.iter().map(|name| entry(name, "0")).collect();
    let mut stock = Stock::default();
    stock.add(read(&page("false", &entries), None).unwrap());
    let etags = |first| {
        let records = stock.records_of(number(first)).iter();
        records.map(Record::etag).collect::<Vec<_>>()
    };
    assert_eq!(etags(3), ["a", "b"]);
    assert_eq!((etags(1), etags(9)), (vec!["a"], vec!["a"]));
    assert_eq!((etags(2), etags(10)), (vec![], vec![]));
}

#[test]
fn lists_that_are_unreadable_foreign_or_stuck_are_the_origins_fault() {
    let one = |key: &str| page("false", &[entry(key, "1")]);
    let whole = one(&key("00007"));
    assert!(read(&whole, Some(&key("00006"))).is_ok());
    for (document, after) in [
        (String::new(), None),
        ("<".to_owned(), None),
        ("<Error><Code>NoSuchBucket</Code></Error>".to_owned(), None),
        ("<ListBucketResult/>".to_owned(), None),
        (whole.replace("ListBucketResult", "ListPartsResult"), None),
        (whole.replace("<IsTruncated>false</IsTruncated>", ""), None),
        (whole.replace("false", "maybe"), None),
        (" ".repeat(MAX_FOLDER_PAGE_BYTES) + &whole, None),
        // Without what a part needs.
        (whole.replace("Size>", "Length>"), None),
        (whole.replace("<Size>1<", "<Size>-1<"), None),
        (whole.replace("<Size>1<", "<Size><"), None),
        (whole.replace("ETag>", "Tag>"), None),
        (whole.replace(ETAG, ""), None),
        // Of another folder.
        (one(".causeway/00007"), None),
        (one("00007"), None),
        (one(""), None),
        (
            one(&Folder::of(".causeway/", "b", "k", "V").part(number(7))),
            None,
        ),
        // Without moving on.
        (whole.clone(), Some(key("00007"))),
        (whole, Some(key("00008"))),
        (page("true", &[]), None),
        (page("true", &[]), Some(key("00008"))),
        (
            page("false", &[entry(&key("00002"), "1"), entry(&key("00001"), "1")]),
            None,
        ),
        (
            page("false", &[entry(&key("00001"), "1"), entry(&key("00001"), "1")]),
            None,
        ),
    ] {
        let refusal = read(&document, after.as_deref()).unwrap_err();
        assert_eq!(
            (refusal.status(), refusal.code()),
            (500, "InternalError"),
            "{document}"
        );
    }
}
