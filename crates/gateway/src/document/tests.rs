use super::*;

fn read<T>(json: &str, holds: Holds, read: impl FnOnce(&mut Fields<'_, '_>) -> T) -> Result<T, String> {
    Node::from_json(json)
        .and_then(|node| node.read(holds, |document| document.table(read)))
        .map_err(|mistake| mistake.to_string())
}

#[test]
fn a_document_is_written_as_it_was_read() {
    for (json, written) in [
        ("null", "null"),
        (" [ true , false ] ", "[true,false]"),
        (
            r#"{"b":-1,"a":[{}],"":"\u00e9\n\""}"#,
            r#"{"b":-1,"a":[{}],"":"é\n\""}"#,
        ),
        ("9223372036854775807", "9223372036854775807"),
        ("[1.5]", "[18446744073709551615]"),
        ("[18446744073709551615]", "[18446744073709551615]"),
    ] {
        let node = Node::from_json(json).unwrap();
        assert_eq!(node.to_json(), written);
    }
}

#[test]
fn a_document_that_can_be_read_in_two_ways_is_none() {
    let many: Vec<String> = (0..100).map(|n| format!(r#""{}":0"#, n % 99)).collect();
    let many = format!("{{{}}}", many.join(","));
    let deep = ["[".repeat(200), "]".repeat(200)].concat();
    for (json, named) in [
        (r#"{"a":1,"b":{"c":1,"d":2,"c":1}}"#, "twice"),
        (r#"{"a":1,"\u0061":1}"#, "twice"),
        (&many, "twice"),
        ("[1,]", "line 1 column 4"),
        ("[] []", "line 1 column 4"),
        ("", "line 1 column 0"),
        (r#""\ud800""#, "line 1 column"),
        (&deep, "recursion"),
    ] {
        let mistake = Node::from_json(json).err().map(|mistake| mistake.to_string());
        assert!(
            mistake.as_ref().is_some_and(|mistake| mistake.contains(named)),
            "{json}: {mistake:?}"
        );
    }
}

#[test]
fn a_number_that_is_not_whole_is_no_field() {
    for number in ["1.5", "1e3", "-9223372036854775809", "9223372036854775808"] {
        let json = format!(r#"{{"a":{number}}}"#);
        let whole = read(&json, Holds::Settings, |fields| fields.take("a").whole::<i64>());
        assert_eq!(whole, Err("`a` has to be a whole number".to_owned()), "{number}");
        let optional = read(&json, Holds::Settings, |fields| {
            fields.take("a").optional(Field::string)
        });
        assert!(optional.is_err(), "{number}");
    }
}

#[test]
fn fields_are_read_with_the_type_that_is_asked_for() {
    let json = r#"{"text":"\u00e9","whole":-7,"yes":true,"list":["a","b"],"null":null,"choice":"two","map":{"k":1}}"#;
    let all = read(json, Holds::Settings, |fields| {
        assert_eq!(fields.take("text").string(), "é");
        assert_eq!(fields.take("whole").whole::<i8>(), -7);
        assert!(fields.take("yes").boolean());
        assert_eq!(fields.take("list").strings(), ["a", "b"]);
        assert_eq!(fields.take("null").optional(Field::string), None);
        assert_eq!(fields.take("none").optional(Field::string), None);
        assert_eq!(fields.take("none").or(3, Field::whole), 3);
        assert_eq!(fields.take("choice").choice(&[("one", 1), ("two", 2)]), 2);
        let map: Vec<(String, u8)> = fields
            .take("map")
            .map(|name, field| (name.into_owned(), field.whole()));
        assert_eq!(map, [("k".to_owned(), 1)]);
    });
    assert_eq!(all, Ok(()));
}

#[test]
fn a_mistake_names_the_path_of_the_key_and_what_is_wanted() {
    for (json, sentence) in [
        (r#"{}"#, "`a` is missing"),
        (r#"{"a":{}}"#, "`a` has to be a list"),
        (r#"{"a":null}"#, "`a` has to be a list"),
        (r#"{"a":[{}]}"#, "`a[0].b` is missing"),
        (r#"{"a":[{"b":-1}]}"#, "`a[0].b` is too small or too large"),
        (r#"{"a":[{"b":"1"}]}"#, "`a[0].b` has to be a whole number"),
        (
            r#"{"a":[{"b":1},{"b":1,"c":1}]}"#,
            "`a[1]` holds `c`, which is not known there; known are `b`, `d`",
        ),
        (
            r#"{"a":[{"b":1,"d":"up"}]}"#,
            "`a[0].d` is `up`; it has to be one of `on`, `off`",
        ),
        (
            r#"{"a":[],"x":1}"#,
            "the document holds `x`, which is not known there; known are `a`",
        ),
        ("[]", "the document has to be a table"),
    ] {
        let mistake = read(json, Holds::Settings, |fields| {
            fields.take("a").list(|item| {
                item.table(|fields| {
                    fields.take("b").whole::<u8>();
                    fields
                        .take("d")
                        .or(true, |field| field.choice(&[("on", true), ("off", false)]))
                })
            })
        });
        assert_eq!(mistake, Err(sentence.to_owned()), "{json}");
    }
}

#[test]
fn the_first_of_many_mistakes_is_told() {
    let mistake = read(r#"{"a":1,"b":[{}],"c":"x"}"#, Holds::Settings, |fields| {
        let a = fields.take("a").table(|fields| fields.take("d").string());
        let b = fields
            .take("b")
            .list(|item| item.table(|fields| fields.take("e").boolean()));
        (a, b, fields.take("c").whole::<u8>())
    });
    assert_eq!(mistake, Err("`a` has to be a table".to_owned()));
}

#[test]
fn l02_a_mistake_in_a_document_with_secrets_repeats_none_of_it() {
    for json in [
        r#"{"SECRET":1}"#,
        r#"{"a":"SECRET"}"#,
        r#"{"b":"SECRET"}"#,
        r#"{"m":{"SECRET":"SECRET"}}"#,
        r#"{"m":{"SECRET":1,"SECRET":1}}"#,
        r#"{"SECRET":01}"#,
        r#""SECRET""#,
        "SECRET",
    ] {
        let mistake = read(json, Holds::Secrets, |fields| {
            fields.take("a").optional(Field::whole::<u8>);
            fields.take("b").optional(|field| field.choice(&[("on", true)]));
            fields
                .take("m")
                .or(Vec::new(), |field| field.map(|_, field| field.boolean()))
        });
        assert!(
            mistake.as_ref().is_err_and(|mistake| !mistake.contains("SECRET")),
            "{json}: {mistake:?}"
        );
    }
}

#[test]
fn an_open_table_hands_out_what_was_not_taken() {
    let node = Node::from_json(r#"{"a":1,"b":2,"c":3}"#).unwrap();
    let rest = node.read(Holds::Settings, |document| {
        document.open_table(|fields| {
            fields.take("b").whole::<u8>();
            fields.rest().to_json()
        })
    });
    assert_eq!(rest.as_deref(), Ok(r#"{"a":1,"c":3}"#));
}

#[test]
fn a_table_is_changed_part_by_part() {
    let mut node = Node::from_json(r#"{"a":{"b":"x","c":1},"d":[null,true]}"#)
        .unwrap()
        .into_owned();
    assert_eq!(
        node.get("a").and_then(|a| a.get("b")).and_then(Node::as_text),
        Some("x")
    );
    assert_eq!(
        node.get("a").and_then(|a| a.get("c")).and_then(Node::as_whole),
        Some(1)
    );
    if let Some(table) = node.get_mut("a") {
        table.set("c", "y".into());
        table.remove("b");
    }
    node.set("e", Node::table([("f", Node::Bool(false))]));
    assert_eq!(
        node.to_json(),
        r#"{"a":{"c":"y"},"d":[null,true],"e":{"f":false}}"#
    );
    assert!(node.get("x").is_none() && Node::Null.get("x").is_none());
}
