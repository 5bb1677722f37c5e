use super::*;

fn area(prefix: &str, mount: &str) -> Area {
    Area::new(prefix.to_owned(), mount.to_owned())
}

fn read_in(areas: &[Area], document: &str) -> Result<Deletions, Fault> {
    Deletions::from_client(document.as_bytes(), areas).map_err(|refusal| refusal.fault())
}

fn read(document: &str) -> Result<Deletions, Fault> {
    read_in(&[area("", "m/")], document)
}

fn object(key: &str) -> String {
    format!("<Object><Key>{key}</Key></Object>")
}

fn batch(objects: &str) -> String {
    format!("<Delete>{objects}</Delete>")
}

/// The keys at the origin.
fn keys(deletions: &Deletions) -> Vec<&str> {
    let objects = deletions.objects.iter();
    objects.map(|object| object.origin_key.as_str()).collect()
}

#[test]
fn a_batch_is_written_anew_with_each_key_behind_its_mount() {
    let document = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n\
        <Quiet> True </Quiet> <Object><Key>a/&lt;b&#x26; &quot;c</Key></Object>\
        <Object><VersionId>v.1_-</VersionId><Key> k </Key></Object><Object><Key><![CDATA[%2F+\u{4e2d}]]></Key></Object></Delete>";
    let deletions = read(document).unwrap();
    assert!(deletions.is_quiet);
    assert_eq!(keys(&deletions), ["m/a/<b& \"c", "m/ k ", "m/%2F+\u{4e2d}"]);
    assert_eq!(
        deletions.to_xml(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Delete><Object><Key>m/a/&lt;b&amp; \"c</Key></Object>\
         <Object><Key>m/ k </Key><VersionId>v.1_-</VersionId></Object><Object><Key>m/%2F+\u{4e2d}</Key></Object></Delete>"
    );
    for quiet in ["", "<Quiet>false</Quiet>"] {
        let deletions = read(&batch(&[quiet, &object("k")].concat())).unwrap();
        assert!(!deletions.is_quiet);
        assert!(!deletions.to_xml().contains("Quiet"));
    }
}

#[test]
fn h10_every_key_lies_in_an_area_or_the_batch_is_refused() {
    let areas = [area("a/", "m/"), area("a/b/", "n/"), area("c/", "")];
    let both = batch(&["a/1", "a/b/2", "c/3"].map(object).concat());
    assert_eq!(
        keys(&read_in(&areas, &both).unwrap()),
        ["m/a/1", "m/a/b/2", "c/3"]
    );
    for key in ["b", "a", "c", "A/1", "m/a/1", "/a/1"] {
        let document = batch(&["a/1", key].map(object).concat());
        assert_eq!(read_in(&areas, &document), Err(Fault::Forbidden), "{key}");
    }
    assert_eq!(read_in(&[], &both), Err(Fault::Forbidden));
    // Behind their mounts two names can be one.
    let areas = [area("a/", "m/"), area("", "")];
    let document = batch(&["a/1", "m/a/1"].map(object).concat());
    assert_eq!(read_in(&areas, &document), Err(Fault::XmlMalformed));
}

#[test]
fn h10_a_thousand_objects_and_no_more() {
    let objects = |count: usize| -> String { (0..count).map(|n| object(&n.to_string())).collect() };
    assert_eq!(read(&batch(&objects(1000))).unwrap().objects.len(), 1000);
    assert_eq!(read(&batch(&objects(1001))), Err(Fault::XmlMalformed));
    assert_eq!(read(&batch("")), Err(Fault::XmlMalformed));
    assert_eq!(read("<Delete/>"), Err(Fault::XmlMalformed));
}

#[test]
fn h10_a_document_that_could_be_read_in_two_ways_is_none() {
    let k = object("k");
    let version = |text: &str| format!("<Object><Key>k</Key><VersionId>{text}</VersionId></Object>");
    for document in [
        String::new(),
        "key=k".to_owned(),
        k.clone(),
        format!("<Remove>{k}</Remove>"),
        format!("<Delete>{k}"),
        format!("{}{}", batch(&k), batch(&k)),
        format!("<!DOCTYPE Delete>{}", batch(&k)),
        format!("<!DOCTYPE Delete [<!ENTITY x \"k\">]>{}", batch(&object("&x;"))),
        batch(&object("&x;")),
        batch(&[k.clone(), k.clone()].concat()),
        batch(&[version("v"), k.clone(), version("v")].concat()),
        batch(&[object("k"), object("&#107;")].concat()),
        batch("<Object></Object>"),
        batch("<Object><VersionId>v</VersionId></Object>"),
        batch("<Object><Key>a</Key><Key>b</Key></Object>"),
        batch("<Object><Key>a<b/></Key></Object>"),
        batch("<Key>a</Key>"),
        batch(&version("")),
        batch(&version("a b")),
        batch(&["<Quiet>true</Quiet><Quiet>false</Quiet>", &k].concat()),
        batch(&["<Quiet>yes</Quiet>", &k].concat()),
        batch(&["<Quiet/>", &k].concat()),
        batch(&["<Also>x</Also>", &k].concat()),
        batch("<Object><Key>a</Key><Also/></Object>"),
        batch("<Object><Object><Key>a</Key></Object></Object>"),
        batch(&object("&#0;")),
    ] {
        assert_eq!(read(&document), Err(Fault::XmlMalformed), "{document}");
    }
    // Versions of one object are different things to delete.
    let versions = [version("v"), version("w"), k].concat();
    assert_eq!(read(&batch(&versions)).unwrap().objects.len(), 3);
    for condition in CONDITIONS {
        let document = batch(&format!(
            "<Object><{condition}>1</{condition}><Key>a</Key></Object>"
        ));
        assert_eq!(read(&document), Err(Fault::NotImplemented), "{condition}");
    }
}

#[test]
fn a05_a07_a_key_that_could_be_read_as_another_refuses_the_batch() {
    for key in [
        "",
        "..",
        "a/../b",
        "./a",
        "a\\b",
        "a&#10;b",
        "a&#13;",
        ".causeway/k",
        "&#46;causeway&#x2f;k",
        "/.causeway/k",
    ] {
        let document = batch(&[object("k"), object(key)].concat());
        assert_eq!(read(&document), Err(Fault::ObjectNameInvalid), "{key}");
    }
    let long = batch(&object(&"a".repeat(1023)));
    assert_eq!(read(&long), Err(Fault::ObjectNameTooLong));
    assert!(read_in(&[area("", "")], &long).is_ok());
}

#[test]
fn no_damage_to_a_document_makes_the_reader_panic() {
    let document = batch(&["<Quiet>true</Quiet>", &object("a&amp;b"), &object("c")].concat()).into_bytes();
    let mut seed = 1_u32;
    for _ in 0..20_000 {
        let mut damaged = document.clone();
        for _ in 0..3 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = (seed >> 8) as usize % damaged.len();
            match seed % 3 {
                0 => damaged[at] = (seed >> 16) as u8,
                1 => damaged.insert(at, b"<>!?&;-[]/"[(seed >> 16) as usize % 10]),
                _ => damaged.truncate(at.max(1)),
            }
        }
        // What is read is written so that it is read again.
        if let Ok(deletions) = Deletions::from_client(&damaged, &[area("", "")]) {
            let again = Deletions::from_client(deletions.to_xml().as_bytes(), &[area("", "")]).unwrap();
            assert_eq!(again.objects, deletions.objects);
        }
    }
}
