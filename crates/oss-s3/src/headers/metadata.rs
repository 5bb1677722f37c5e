//! User metadata values across HTTP: RFC 2047 encoded words, both ways.
//!
//! OSS SDKs put raw UTF-8 (or any other) bytes into `x-oss-meta-*`; S3 reads and writes such values
//! as encoded words. A value of visible ASCII goes as it is, unless it holds `=?`, which the way back
//! would take for an encoded word. Everything else is encoded whole, so that [`decode`] undoes
//! [`encode`] byte by byte.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// How many bytes of user metadata S3 takes for one object: names without `x-amz-meta-`, and values, not
/// encoded (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>).
pub const DEFAULT_MAX_BYTES: u16 = 2048;
/// How many OSS takes: the most that a bucket's configuration may say of another origin than S3.
pub const MOST_MAX_BYTES: u16 = 8192;

/// The bytes that a word of at most 75 characters holds (RFC 2047 §2).
const UTF8_WORD_BYTES: usize = 45;
const LATIN1_WORD_BYTES: usize = 42;

/// Encodes a metadata value for S3: as it is, or as encoded words of at most 75 characters that are
/// joined by a blank. UTF-8 is labelled so and no character is split; other bytes go as ISO-8859-1,
/// which maps each byte to itself.
pub fn encode(value: &[u8]) -> Vec<u8> {
    let is_plain = value.iter().all(|byte| (b' '..=b'~').contains(byte)) && !holds_mark(value);
    if is_plain {
        return value.to_vec();
    }
    let (charset, words) = match core::str::from_utf8(value) {
        Ok(text) => ("UTF-8", utf8_words(text)),
        Err(_) => ("ISO-8859-1", value.chunks(LATIN1_WORD_BYTES).collect()),
    };
    let words: Vec<String> = words
        .into_iter()
        .map(|word| ["=?", charset, "?B?", &STANDARD.encode(word), "?="].concat())
        .collect();
    words.join(" ").into_bytes()
}

fn utf8_words(text: &str) -> Vec<&[u8]> {
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (word, next) = rest
            .split_at_checked(rest.floor_char_boundary(UTF8_WORD_BYTES))
            .unwrap_or((rest, ""));
        words.push(word.as_bytes());
        rest = next;
    }
    words
}

fn holds_mark(value: &[u8]) -> bool {
    value.windows(2).any(|pair| pair == b"=?")
}

/// Decodes a metadata value from S3: encoded words (B and Q; UTF-8, ISO-8859-1, US-ASCII) become
/// their bytes, blanks between two of them vanish, and everything else stays as it is.
pub fn decode(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    let mut blanks: &[u8] = &[];
    let mut after_word = false;
    while let Some(&first) = rest.first() {
        if let Some((bytes, next)) = encoded_word(rest) {
            if !after_word {
                out.extend_from_slice(blanks);
            }
            out.extend_from_slice(&bytes);
            (rest, blanks, after_word) = (next, &[], true);
        } else if matches!(first, b' ' | b'\t') {
            let end = rest
                .iter()
                .position(|byte| !matches!(byte, b' ' | b'\t'))
                .unwrap_or(rest.len());
            (blanks, rest) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        } else {
            out.extend_from_slice(blanks);
            out.push(first);
            (rest, blanks, after_word) = (rest.get(1..).unwrap_or_default(), &[], false);
        }
    }
    out.extend_from_slice(blanks);
    out
}

/// The bytes of the encoded word that `text` starts with, and what follows it.
fn encoded_word(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let inner = text.strip_prefix(b"=?")?;
    let mut parts = inner.splitn(3, |&byte| byte == b'?');
    let (charset, encoding, tail) = (parts.next()?, parts.next()?, parts.next()?);
    let known = ["utf-8", "iso-8859-1", "us-ascii"]
        .iter()
        .any(|name| charset.eq_ignore_ascii_case(name.as_bytes()));
    let end = tail.iter().position(|byte| matches!(byte, b'?' | b' ' | b'\t'))?;
    let (word, rest) = tail.split_at_checked(end)?;
    let rest = rest.strip_prefix(b"?=")?;
    let bytes = match encoding {
        b"B" | b"b" => STANDARD.decode(word).ok()?,
        b"Q" | b"q" => q_decode(word)?,
        _ => return None,
    };
    known.then_some((bytes, rest))
}

/// RFC 2047 §4.2: `_` is a blank, `=XX` a byte.
fn q_decode(word: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(word.len());
    let mut bytes = word.iter();
    let hex = |digit: u8| {
        char::from(digit)
            .to_digit(16)
            .and_then(|value| u8::try_from(value).ok())
    };
    while let Some(&byte) = bytes.next() {
        out.push(match byte {
            b'_' => b' ',
            b'=' => hex(*bytes.next()?)? << 4 | hex(*bytes.next()?)?,
            other => other,
        });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &[u8]) -> String {
        String::from_utf8(encode(value)).unwrap()
    }

    #[test]
    fn plain_ascii_goes_as_it_is_and_everything_else_as_encoded_words() {
        for (value, encoded) in [
            (b"".as_slice(), ""),
            (b"two  words", "two  words"),
            (b"a=b?c", "a=b?c"),
            ("\u{4e2d}\u{6587}".as_bytes(), "=?UTF-8?B?5Lit5paH?="),
            (b"a\xffb", "=?ISO-8859-1?B?Yf9i?="),
            (b"=?UTF-8?B?YQ==?=", "=?UTF-8?B?PT9VVEYtOD9CP1lRPT0/PQ==?="),
            (b"a\tb", "=?UTF-8?B?YQli?="),
        ] {
            assert_eq!(text(value), encoded);
        }
    }

    #[test]
    fn long_values_become_words_of_at_most_75_characters_that_split_no_character() {
        for value in [
            "\u{1f600}".repeat(40),
            "\u{4e2d}".repeat(100),
            format!("a{}", "\u{e9}".repeat(90)),
        ] {
            let encoded = text(value.as_bytes());
            for word in encoded.split(' ') {
                assert!(word.len() <= 75, "{word}");
                assert!(String::from_utf8(decode(word.as_bytes())).is_ok(), "{word}");
            }
            assert_eq!(decode(encoded.as_bytes()), value.as_bytes());
        }
        let bytes: Vec<u8> = (0x80..=0xff).collect();
        assert!(text(&bytes).split(' ').all(|word| word.len() <= 75));
    }

    #[test]
    fn decoding_undoes_encoding_for_any_bytes() {
        let mut seed = 7_u32;
        let mut next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) as usize
        };
        let pieces: [&[u8]; 10] = [
            b"=?",
            b"?=",
            b"UTF-8?B?",
            b" ",
            b"a",
            "\u{1f600}".as_bytes(),
            b"\xff",
            b"\t",
            b"_",
            "\u{4e2d}".as_bytes(),
        ];
        for _ in 0..20_000 {
            let value: Vec<u8> = (0..next() % 60)
                .flat_map(|_| pieces[next() % pieces.len()].to_vec())
                .collect();
            assert_eq!(decode(&encode(&value)), value, "{}", value.escape_ascii());
        }
        for byte in 0..=255 {
            assert_eq!(decode(&encode(&[b'a', byte])), [b'a', byte]);
        }
    }

    #[test]
    fn what_others_write_is_read_and_what_is_no_encoded_word_stays() {
        for (value, decoded) in [
            ("=?UTF-8?Q?=E4=B8=AD_x?=", "\u{4e2d} x"),
            ("=?utf-8?b?5Lit?= =?UTF-8?B?5paH?=", "\u{4e2d}\u{6587}"),
            ("a =?UTF-8?B?YQ==?=  b", "a a  b"),
            ("=?UTF-8?B?YQ==?=", "a"),
            ("=?UTF-8?B?Y?=", "=?UTF-8?B?Y?="),
            ("=?GBK?B?YQ==?=", "=?GBK?B?YQ==?="),
            ("=?UTF-8?X?YQ==?=", "=?UTF-8?X?YQ==?="),
            ("=?UTF-8?Q?=E?=", "=?UTF-8?Q?=E?="),
            ("=?UTF-8?B?YQ==", "=?UTF-8?B?YQ=="),
            ("=?", "=?"),
            (" a ", " a "),
        ] {
            assert_eq!(
                String::from_utf8(decode(value.as_bytes())).unwrap(),
                decoded,
                "{value}"
            );
        }
    }
}
