//! A policy's JSON: an expiration and a list of conditions, each of a known form, and nothing else.

use request_auth::UnixSeconds;
use request_auth::post_policy::{Condition, Policy, PolicyFault};

use crate::document::Node;

/// The most conditions of a policy. A form's fields have 20 KB, and clients cover each with one.
const MAX_CONDITIONS: usize = 256;

/// Reads the JSON of a policy that was signed.
///
/// # Errors
/// [`PolicyFault::Unreadable`] for text that is no JSON, holds a name twice, or has another shape than a
/// policy's; [`PolicyFault::Incomplete`] where the expiration or the conditions are missing.
pub fn read_policy(json: &str) -> Result<Policy, PolicyFault> {
    let document = Node::from_json(json).map_err(|_| PolicyFault::Unreadable)?;
    let Node::Table(parts) = document else {
        return Err(PolicyFault::Unreadable);
    };
    let (mut expires, mut conditions) = (None, None);
    for (name, part) in parts {
        match (name.as_ref(), part) {
            ("expiration", Node::Text(text)) => {
                let read = UnixSeconds::from_iso_extended(text.as_bytes());
                expires = Some(read.ok_or(PolicyFault::Unreadable)?);
            }
            ("conditions", Node::List(items)) if items.len() <= MAX_CONDITIONS => {
                let read = items.into_iter().map(conditions_of).collect::<Option<Vec<_>>>();
                conditions = Some(read.ok_or(PolicyFault::Unreadable)?.concat());
            }
            _ => return Err(PolicyFault::Unreadable),
        }
    }
    Ok(Policy {
        expires: expires.ok_or(PolicyFault::Incomplete("expiration"))?,
        conditions: conditions.ok_or(PolicyFault::Incomplete("conditions"))?,
    })
}

/// The conditions that one item of the list states: a table states one per name.
fn conditions_of(item: Node<'_>) -> Option<Vec<Condition>> {
    match item {
        Node::Table(pairs) if !pairs.is_empty() => pairs
            .into_iter()
            .map(|(name, value)| match value {
                Node::Text(value) => Some(Condition::Equals(name.to_ascii_lowercase(), value.into_owned())),
                _ => None,
            })
            .collect(),
        Node::List(parts) => Some(vec![condition_of(&parts)?]),
        _ => None,
    }
}

/// The condition of a list `[kind, …]`.
fn condition_of(parts: &[Node<'_>]) -> Option<Condition> {
    let [Node::Text(kind), first, second] = parts else {
        return None;
    };
    if kind == "content-length-range" {
        let bytes = |node: &Node<'_>| node.as_whole().and_then(|bytes| u64::try_from(bytes).ok());
        let (least, most) = (bytes(first)?, bytes(second)?);
        return (least <= most).then_some(Condition::FileBytes { least, most });
    }
    let field = first.as_text()?.strip_prefix('$')?.to_ascii_lowercase();
    if field.is_empty() {
        return None;
    }
    Some(match (kind.as_ref(), second) {
        ("eq", Node::Text(value)) => Condition::Equals(field, value.clone().into_owned()),
        ("starts-with", Node::Text(prefix)) => Condition::StartsWith(field, prefix.clone().into_owned()),
        ("in", Node::List(values)) => Condition::In(field, texts(values)?),
        ("not-in", Node::List(values)) => Condition::NotIn(field, texts(values)?),
        _ => return None,
    })
}

fn texts(nodes: &[Node<'_>]) -> Option<Vec<String>> {
    nodes
        .iter()
        .map(|node| node.as_text().map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(conditions: &str) -> String {
        format!(r#"{{"expiration": "2024-05-01T13:00:00.000Z", "conditions": [{conditions}]}}"#)
    }

    #[test]
    fn every_kind_of_condition_is_read() {
        let conditions = r#"{"Bucket": "b", "acl": "private"}, ["eq", "$Key", "k"], ["starts-with", "$key", ""],
            ["in", "$content-type", ["image/png", "image/jpeg"]], ["not-in", "$cache-control", ["no-cache"]],
            ["content-length-range", 0, 10]"#;
        let read = read_policy(&policy(conditions)).unwrap();
        assert_eq!(read.expires, UnixSeconds(1_714_568_400));
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        assert_eq!(
            read.conditions,
            [
                Condition::Equals("bucket".into(), "b".into()),
                Condition::Equals("acl".into(), "private".into()),
                Condition::Equals("key".into(), "k".into()),
                Condition::StartsWith("key".into(), String::new()),
                Condition::In("content-type".into(), texts(&["image/png", "image/jpeg"])),
                Condition::NotIn("cache-control".into(), texts(&["no-cache"])),
                Condition::FileBytes { least: 0, most: 10 },
            ]
        );
    }

    #[test]
    fn g03_a_policy_without_its_end_or_its_conditions_is_told_from_no_policy() {
        for (json, fault) in [
            (r#"{"conditions": []}"#, PolicyFault::Incomplete("expiration")),
            (
                r#"{"expiration": "2024-05-01T13:00:00Z"}"#,
                PolicyFault::Incomplete("conditions"),
            ),
            ("{}", PolicyFault::Incomplete("expiration")),
            ("", PolicyFault::Unreadable),
            ("[]", PolicyFault::Unreadable),
        ] {
            assert_eq!(read_policy(json), Err(fault), "{json}");
        }
    }

    #[test]
    fn g12_a_policy_that_can_be_read_in_two_ways_is_none() {
        let good = policy("");
        let long = policy(&vec![r#"{"a": "b"}"#; 257].join(","));
        let huge = policy(&format!(r#"{{"a": {}}}"#, "1".repeat(1_000_000)));
        let deep = policy(&["[".repeat(100_000), "]".repeat(100_000)].concat());
        for json in [
            r#"{"expiration": "2024-05-01T13:00:00Z", "expiration": "2034-05-01T13:00:00Z", "conditions": []}"#,
            r#"{"expiration": "2024-05-01T13:00:00Z", "conditions": [], "conditions": []}"#,
            r#"{"expiration": "2024-05-01T13:00:00Z", "Expiration": "2034-05-01T13:00:00Z", "conditions": []}"#,
            r#"{"expiration": NaN, "conditions": []}"#,
            r#"{"expiration": 1714568400, "conditions": []}"#,
            r#"{"expiration": "tomorrow", "conditions": []}"#,
            r#"{"expiration": "2024-05-01T13:00:00Z", "conditions": {}}"#,
            &["\u{feff}", &good].concat(),
            &[&good, "{}"].concat(),
            &good.replace('}', ""),
            &long,
            &huge,
            &deep,
            &policy(r#"{"a": "b", "a": "c"}"#),
            &policy(r#"{"a": NaN}"#),
        ] {
            assert!(read_policy(json).is_err(), "{:.100}", json);
        }
    }

    #[test]
    fn g02_a_condition_of_no_known_form_makes_no_policy() {
        for condition in [
            "{}",
            "[]",
            "null",
            r#""eq""#,
            r#"{"a": 1}"#,
            r#"{"a": ["b"]}"#,
            r#"["eq", "$a"]"#,
            r#"["eq", "a", "b"]"#,
            r#"["eq", "$", "b"]"#,
            r#"["eq", "$a", "b", "c"]"#,
            r#"["eq", "$a", 1]"#,
            r#"["Eq", "$a", "b"]"#,
            r#"["ends-with", "$a", "b"]"#,
            r#"["in", "$a", "b"]"#,
            r#"["in", "$a", [1]]"#,
            r#"["$a", ["b"]]"#,
            r#"["content-length-range", 1]"#,
            r#"["content-length-range", "1", "2"]"#,
            r#"["content-length-range", -1, 2]"#,
            r#"["content-length-range", 2, 1]"#,
            r#"["content-length-range", 0, 1.5]"#,
            r#"["content-length-range", 0, 1e99]"#,
        ] {
            assert_eq!(
                read_policy(&policy(condition)),
                Err(PolicyFault::Unreadable),
                "{condition}"
            );
        }
    }
}
