//! A custom policy: which URLs, from when, until when, and from where.
//!
//! ```text
//! {"Statement":[{"Resource":"https://host/path*","Condition":{"DateLessThan":{"AWS:EpochTime":1714566896},
//!   "DateGreaterThan":{"AWS:EpochTime":1714560000},"IpAddress":{"AWS:SourceIp":"192.0.2.0/24"}}}]}
//! ```
//!
//! The reader takes this document and no other JSON: exactly one statement with a resource and an end, no
//! name that it does not know, no name twice, whole seconds as numbers. What another reader might ignore, and
//! with it a restriction, is refused.

use crate::source_ip::AddressRange;
use crate::time::UnixSeconds;

/// A policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// The URL, or a pattern of URLs.
    pub resource: String,
    /// `DateLessThan`: the first second at which it may not be used any more.
    pub ends: UnixSeconds,
    /// `DateGreaterThan`: the first second at which it may be used; any, where absent.
    pub begins: Option<UnixSeconds>,
    /// `IpAddress`: the addresses that may use it; any, where absent.
    pub source: Option<AddressRange>,
}

impl Policy {
    /// Reads the JSON of a policy.
    pub(super) fn read(json: &[u8]) -> Option<Self> {
        let mut reader = Reader {
            rest: core::str::from_utf8(json).ok()?,
        };
        let mut statement = None;
        reader.table(&mut |reader, name| match name {
            "Statement" => {
                reader.sign('[')?;
                once(&mut statement, Statement::read(reader))?;
                reader.sign(']')
            }
            _ => None,
        })?;
        reader.end()?;
        let Statement { resource, condition } = statement?;
        let Condition { ends, begins, source } = condition?;
        Some(Self {
            resource: resource?,
            ends: ends?,
            begins,
            source,
        })
    }
}

#[derive(Default)]
struct Statement {
    resource: Option<String>,
    condition: Option<Condition>,
}

#[derive(Default)]
struct Condition {
    ends: Option<UnixSeconds>,
    begins: Option<UnixSeconds>,
    source: Option<AddressRange>,
}

impl Statement {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut found = Self::default();
        reader.table(&mut |reader, name| match name {
            "Resource" => once(&mut found.resource, reader.text()),
            "Condition" => once(&mut found.condition, Condition::read(reader)),
            _ => None,
        })?;
        Some(found)
    }
}

impl Condition {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut found = Self::default();
        reader.table(&mut |reader, name| match name {
            "DateLessThan" => once(&mut found.ends, reader.only("AWS:EpochTime", Reader::seconds)),
            "DateGreaterThan" => once(&mut found.begins, reader.only("AWS:EpochTime", Reader::seconds)),
            "IpAddress" => {
                let range = |reader: &mut Reader<'_>| AddressRange::parse(&reader.text()?);
                once(&mut found.source, reader.only("AWS:SourceIp", range))
            }
            _ => None,
        })?;
        Some(found)
    }
}

/// Puts a value where none is yet.
fn once<T>(place: &mut Option<T>, value: Option<T>) -> Option<()> {
    match place {
        Some(_) => None,
        None => {
            *place = Some(value?);
            Some(())
        }
    }
}

/// Reads seconds since 1970 as an integer of JSON: at most 12 digits, no sign, no zero in front.
pub(super) fn read_epoch(digits: &str) -> Option<UnixSeconds> {
    let is_whole = (1..=12).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'));
    let seconds = digits.parse().ok().filter(|_| is_whole)?;
    Some(UnixSeconds(seconds))
}

/// What is left of a JSON text. Each method takes something off its front, or gives up.
struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
    }

    /// A sign of the grammar, blanks around it.
    fn sign(&mut self, sign: char) -> Option<()> {
        self.skip_blanks();
        self.rest = self.rest.strip_prefix(sign)?;
        self.skip_blanks();
        Some(())
    }

    fn end(&mut self) -> Option<()> {
        self.skip_blanks();
        self.rest.is_empty().then_some(())
    }

    /// A table that is not empty; `entry` reads the value of each name.
    fn table(&mut self, entry: &mut dyn FnMut(&mut Self, &str) -> Option<()>) -> Option<()> {
        self.sign('{')?;
        loop {
            let name = self.text()?;
            self.sign(':')?;
            entry(self, &name)?;
            if self.sign(',').is_none() {
                return self.sign('}');
            }
        }
    }

    /// A table with exactly this name.
    fn only<T>(&mut self, name: &str, read: fn(&mut Self) -> Option<T>) -> Option<T> {
        let mut found = None;
        self.table(&mut |reader, entry| {
            if entry != name {
                return None;
            }
            once(&mut found, read(reader))
        })?;
        found
    }

    fn seconds(&mut self) -> Option<UnixSeconds> {
        let end = self.rest.bytes().position(|byte| !byte.is_ascii_digit())?;
        let (digits, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        read_epoch(digits)
    }

    /// A text. Surrogates, which stand for no character alone, are refused: no URL has any.
    fn text(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut characters = self.rest.strip_prefix('"')?.chars();
        loop {
            match characters.next()? {
                '"' => break,
                '\\' => text.push(match characters.next()? {
                    sign @ ('"' | '\\' | '/') => sign,
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'u' => {
                        let mut code = 0_u32;
                        for _ in 0..4 {
                            code = code << 4 | characters.next()?.to_digit(16)?;
                        }
                        char::from_u32(code)?
                    }
                    _ => return None,
                }),
                control if control < ' ' => return None,
                character => text.push(character),
            }
        }
        self.rest = characters.as_str();
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<Policy> {
        Policy::read(json.as_bytes())
    }

    /// A statement of this resource and these conditions.
    fn with(resource: &str, conditions: &str) -> String {
        format!(r#"{{"Statement":[{{"Resource":{resource},"Condition":{{{conditions}}}}}]}}"#)
    }

    const END: &str = r#""DateLessThan":{"AWS:EpochTime":1714566896}"#;

    #[test]
    fn a_policy_is_read_in_any_order_and_with_blanks() {
        let policy = Policy {
            resource: "https://h/a*".into(),
            ends: UnixSeconds(1_714_566_896),
            begins: Some(UnixSeconds(0)),
            source: AddressRange::parse("192.0.2.0/24"),
        };
        let conditions = format!(
            r#"{END},"DateGreaterThan":{{"AWS:EpochTime":0}},"IpAddress":{{"AWS:SourceIp":"192.0.2.0/24"}}"#
        );
        assert_eq!(
            read(&with(r#""https://h/a*""#, &conditions)),
            Some(policy.clone())
        );
        let other = "{ \r\n \"Statement\" : [ {\t\"Condition\":{ \"IpAddress\":{\"AWS:SourceIp\":\"192.0.2.0/24\"} ,\n\
            \"DateGreaterThan\":{\"AWS:EpochTime\":0},\"DateLessThan\":{\"AWS:EpochTime\": 1714566896 }},\
            \"Resource\":\"\\u0068ttps:\\/\\/h/a*\"} ] }\r\n";
        assert_eq!(read(other), Some(policy));
        let plain = read(&with(r#""a\\?b""#, END)).unwrap();
        assert_eq!(
            (plain.resource.as_str(), plain.begins, plain.source),
            (r"a\?b", None, None)
        );
    }

    #[test]
    fn cf06_anything_but_one_known_statement_is_refused() {
        let good = with(r#""*""#, END);
        assert!(read(&good).is_some());
        let statement = good
            .strip_prefix(r#"{"Statement":["#)
            .unwrap()
            .strip_suffix("]}")
            .unwrap();
        for wrong in [
            String::new(),
            "null".into(),
            "{}".into(),
            r#"{"Statement":[]}"#.into(),
            format!(r#"{{"Statement":{statement}}}"#),
            format!(r#"{{"Statement":[{statement},{statement}]}}"#),
            format!(r#"{{"Statement":[{statement}],"Statement":[{statement}]}}"#),
            format!(r#"{{"Statement":[{statement}],"Version":"2012-10-17"}}"#),
            format!("{good}{good}"),
            format!("\u{feff}{good}"),
            format!("[{good}]"),
            good.replace("]}", "],}"),
            good.replace("]}", ",]}"),
            good.replace("Statement", "statement"),
            good.replace("Resource", "Resources"),
            good.replace("Resource", "Action"),
            with(r#"["*"]"#, END),
            with("null", END),
            with(r#""*","Resource":"*""#, END),
            with(r#""*","\u0052esource":"*""#, END),
            with(r#""*","Effect":"Allow""#, END),
            // No end, no condition, no resource.
            with(r#""*""#, r#""DateGreaterThan":{"AWS:EpochTime":1}"#),
            with(r#""*""#, ""),
            r#"{"Statement":[{"Resource":"*"}]}"#.into(),
            format!(r#"{{"Statement":[{{"Condition":{{{END}}}}}]}}"#),
            // Conditions twice, unknown, or under other names.
            with(r#""*""#, &format!("{END},{END}")),
            with(
                r#""*""#,
                &format!(r#"{END},"NotIpAddress":{{"AWS:SourceIp":"0.0.0.0/0"}}"#),
            ),
            with(
                r#""*""#,
                &format!(r#"{END},"StringLike":{{"AWS:UserAgent":"*"}}"#),
            ),
            with(
                r#""*""#,
                &format!(r#"{END},"IpAddress":{{"AWS:SourceIp":["192.0.2.0/24"]}}"#),
            ),
            with(r#""*""#, &format!(r#"{END},"IpAddress":{{"AWS:SourceIp":""}}"#)),
            with(r#""*""#, &format!(r#"{END},"IpAddress":{{}}"#)),
            with(r#""*""#, &format!(r#"{END},"DateGreaterThan":null"#)),
            with(
                r#""*""#,
                r#""DateLessThan":{"AWS:EpochTime":1,"AWS:EpochTime":2}"#,
            ),
            with(
                r#""*""#,
                r#""DateLessThan":{"AWS:EpochTime":1,"AWS:CurrentTime":2}"#,
            ),
            with(r#""*""#, r#""dateLessThan":{"AWS:EpochTime":1}"#),
            with(r#""*""#, r#""DateLessThan":{"aws:EpochTime":1}"#),
            with(r#""*""#, r#""DateLessThan":1"#),
        ] {
            assert_eq!(read(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn cf06_only_a_whole_number_of_seconds_is_a_time() {
        for wrong in [
            r#""123""#,
            "1.0",
            "1e9",
            "-1",
            "-0",
            "+1",
            "01",
            "00",
            "0x10",
            "true",
            "null",
            "[1]",
            "",
            "9999999999999",
            "9223372036854775808",
            "1_000",
            "٣",
            "1 2",
            "NaN",
        ] {
            let text = with(
                r#""*""#,
                &format!(r#""DateLessThan":{{"AWS:EpochTime":{wrong}}}"#),
            );
            assert_eq!(read(&text), None, "{text}");
        }
    }

    #[test]
    fn a_text_that_json_does_not_know_is_refused() {
        for wrong in [
            r#""\?""#,
            r#""\x41""#,
            r#""\u00g1""#,
            r#""\u12""#,
            r#""\ud83d\ude00""#,
            "\"\n\"",
            "\"\0\"",
            "\"",
            "*",
            "'*'",
            r#""\"#,
        ] {
            assert_eq!(read(&with(wrong, END)), None, "{wrong}");
        }
        assert_eq!(Policy::read(b"\xff"), None);
        assert_eq!(
            Policy::read(
                &[
                    br#"{"Statement":[{"Resource":""#.as_slice(),
                    &[0xff],
                    br#"","Condition":"#
                ]
                .concat()
            ),
            None
        );
    }

    #[test]
    fn every_prefix_of_a_policy_is_refused() {
        let whole = with(r#""https://h/\u0061*""#, END);
        for end in 0..whole.len() {
            assert_eq!(Policy::read(&whole.as_bytes()[..end]), None, "{end}");
        }
    }
}
