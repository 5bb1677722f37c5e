use super::*;

fn head<'a>(
    target: &'a str,
    headers: &'a [(&'a str, &'a str)],
    delivery: Delivery,
) -> Result<RequestHead<'a>, HeadError> {
    let lines = headers
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    RequestHead::new("PUT", target.as_bytes(), lines, delivery)
}

#[test]
fn absent_once_and_repeated_are_three_answers() {
    let headers = [("Host", "h"), ("X-A", "1"), ("X-B", "1"), ("x-b", "2")];
    let head = head("/", &headers, Delivery::Lines).unwrap();
    assert_eq!(head.header("x-none"), Occurrence::Absent);
    assert_eq!(head.header("x-a"), Occurrence::Once(b"1".as_slice()));
    assert_eq!(head.header("x-b"), Occurrence::Repeated);
}

#[test]
fn the_path_keeps_dots_slashes_and_plus_and_decodes_once() {
    let head = head("/a//b/../%2e/c+d%2B%252F/", &[("Host", "h")], Delivery::Lines).unwrap();
    assert_eq!(head.path(), b"/a//b/.././c+d+%2F/");
}

#[test]
fn a_plus_in_the_query_is_a_blank_and_an_escaped_plus_is_a_plus() {
    let head = head("/?a=x+y%2Bz&b&c=", &[("Host", "h")], Delivery::Lines).unwrap();
    assert_eq!(head.parameter("a"), Occurrence::Once(b"x y+z".as_slice()));
    assert_eq!(head.parameter("b"), Occurrence::Once(b"".as_slice()));
    assert!(!head.parameters()[1].has_equals && head.parameters()[2].has_equals);
}

#[test]
fn a_parameter_that_is_repeated_under_another_spelling_is_repeated() {
    let head = head("/?a=1&%61=1&b", &[("Host", "h")], Delivery::Lines).unwrap();
    assert_eq!(head.parameter("a"), Occurrence::Repeated);
    assert_eq!(head.parameter("b"), Occurrence::Once(b"".as_slice()));
    assert_eq!(head.parameter("c"), Occurrence::Absent);
}

#[test]
fn targets_that_two_readers_could_read_differently_are_refused() {
    for (target, error) in [
        ("", HeadError::TargetForm),
        ("*", HeadError::TargetForm),
        ("http://other/b/k", HeadError::TargetForm),
        ("/a b", HeadError::TargetForm),
        ("/a\tb", HeadError::TargetForm),
        ("/a#b", HeadError::TargetForm),
        ("/%zz", HeadError::PercentEscape),
        ("/a%2", HeadError::PercentEscape),
        ("/?a=%", HeadError::PercentEscape),
    ] {
        assert_eq!(
            head(target, &[("Host", "h")], Delivery::Lines).err(),
            Some(error),
            "{target}"
        );
    }
}

#[test]
fn a_second_single_valued_header_is_refused_on_lines_and_as_a_joint() {
    for name in SINGLE_VALUED {
        let value = if name == "host" { "h" } else { "v" };
        let mut lines = vec![(name, value), (name, value)];
        if name != "host" {
            lines.push(("host", "h"));
        }
        assert_eq!(
            head("/", &lines, Delivery::Lines).err(),
            Some(HeadError::RepeatedHeader(name))
        );
    }
    let joined = [("host", "h"), ("content-type", "text/plain, text/html")];
    assert_eq!(
        head("/", &joined, Delivery::Joined).err(),
        Some(HeadError::RepeatedHeader("content-type"))
    );
    let date = "Wed, 01 May 2024 12:34:56 GMT";
    assert!(head("/", &[("host", "h"), ("date", date)], Delivery::Joined).is_ok());
    let dates = format!("{date}, {date}");
    assert_eq!(
        head("/", &[("host", "h"), ("date", &dates)], Delivery::Joined).err(),
        Some(HeadError::RepeatedHeader("date"))
    );
    // An ISO date has no comma of its own, so the first one is a joint.
    let dates = "20240501T123456Z, 20240501T123456Z";
    assert_eq!(
        head("/", &[("host", "h"), ("x-oss-date", dates)], Delivery::Joined).err(),
        Some(HeadError::RepeatedHeader("x-oss-date"))
    );
}

#[test]
fn a_replacement_character_is_refused_only_where_the_platform_makes_them() {
    let headers = [("host", "h"), ("x-oss-meta-a", "\u{fffd}")];
    assert_eq!(
        head("/", &headers, Delivery::Joined).err(),
        Some(HeadError::HeaderNotUtf8)
    );
    assert!(head("/", &headers, Delivery::Lines).is_ok());
}

#[test]
fn hosts_lose_their_port_and_case_and_odd_ones_are_refused() {
    for (value, host) in [
        ("Edge.Example:8443", "edge.example"),
        ("[::1]:80", "::1"),
        ("127.0.0.1:1", "127.0.0.1"),
    ] {
        assert_eq!(
            head("/", &[("host", value)], Delivery::Lines).unwrap().host(),
            host
        );
    }
    for value in [
        "", "a b", "a:b", "a:", "a/b", "a, b", "user@h", "h:1:2", "[::1", "h\u{e9}",
    ] {
        assert_eq!(
            head("/", &[("host", value)], Delivery::Lines).err(),
            Some(HeadError::Host),
            "{value}"
        );
    }
    assert_eq!(head("/", &[], Delivery::Lines).err(), Some(HeadError::Host));
}

#[test]
fn unknown_methods_are_refused_and_never_become_get() {
    for method in ["get", "FOO", "PROPFIND", "", "TRACE", "CONNECT"] {
        let lines = [(b"host".as_slice(), b"h".as_slice())];
        assert_eq!(
            RequestHead::new(method, b"/", lines, Delivery::Lines).err(),
            Some(HeadError::UnknownMethod)
        );
    }
}

#[test]
fn outer_blanks_of_values_are_dropped_and_inner_ones_kept() {
    let headers = [("host", "h"), ("x-oss-meta-a", " \ta  b\t ")];
    let head = head("/", &headers, Delivery::Lines).unwrap();
    assert_eq!(head.header("x-oss-meta-a"), Occurrence::Once(b"a  b".as_slice()));
}

#[test]
fn too_many_or_too_large_headers_are_refused() {
    let names: Vec<String> = (0..200).map(|n| format!("x-{n}")).collect();
    let lines = names.iter().map(|name| (name.as_bytes(), b"v".as_slice()));
    assert_eq!(
        RequestHead::new("PUT", b"/", lines, Delivery::Lines).err(),
        Some(HeadError::HeadersTooLarge)
    );
    let big = "v".repeat(MAX_HEADER_BYTES);
    assert_eq!(
        head("/", &[("host", "h"), ("x-a", &big)], Delivery::Lines).err(),
        Some(HeadError::HeadersTooLarge)
    );
}
