use super::*;
use crate::time::UnixSeconds;

/// The vendor's example: 66,560 bytes of `a`, in chunks of 64 KiB, 1 KiB and nothing.
const SEED: &str = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
const SIGNATURES: [&str; 3] = [
    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
];
const LENGTH: u64 = 66_560;

/// Its example with a trailer has the same chunks.
const TRAILER_SEED: &str = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";
const TRAILER_SIGNATURES: [&str; 4] = [
    "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
    "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
    "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
    "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435",
];
const CHECKSUM: &str = "x-amz-checksum-crc32c";

fn seed(signature: &str, has_trailer: bool) -> ChunkSeed {
    let secret = SecretKey::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into()).unwrap();
    let scope = "20130524/us-east-1/s3/aws4_request";
    ChunkSeed {
        key: secret.for_scope("AWS4", scope).unwrap(),
        date: UnixSeconds::from_iso_basic(b"20130524T000000Z")
            .unwrap()
            .iso_basic(),
        scope: scope.into(),
        signature: signature.into(),
        has_trailer,
    }
}

fn unframer(length: u64) -> Unframer {
    Unframer::new(&seed(SEED, false), length, None).unwrap()
}

fn chunk(size: usize, signature: &str) -> Vec<u8> {
    let line = format!("{size:x};chunk-signature={signature}\r\n");
    [line.as_bytes(), &vec![b'a'; size], b"\r\n"].concat()
}

fn example() -> Vec<u8> {
    let [first, second, last] = SIGNATURES;
    [chunk(65_536, first), chunk(1024, second), chunk(0, last)].concat()
}

fn example_with_trailer(lines: &str) -> Vec<u8> {
    let [first, second, last, _] = TRAILER_SIGNATURES;
    let end = format!("0;chunk-signature={last}\r\n{lines}");
    [chunk(65_536, first), chunk(1024, second), end.into_bytes()].concat()
}

fn trailer_lines() -> String {
    let signature = TRAILER_SIGNATURES[3];
    format!("{CHECKSUM}:sOO8/Q==\r\nx-amz-trailer-signature:{signature}\r\n\r\n")
}

/// Takes a body in pieces of this size; what comes out.
fn unframed(mut unframer: Unframer, body: &[u8], piece: usize) -> Result<Vec<u8>, ChunkDenial> {
    let mut out = Vec::new();
    for piece in body.chunks(piece) {
        unframer.take(piece, &mut out)?;
    }
    unframer.finish().map(|()| out)
}

fn outcome(body: &[u8]) -> Result<usize, ChunkDenial> {
    let whole = unframed(unframer(LENGTH), body, usize::MAX).map(|out| out.len());
    let in_pieces = unframed(unframer(LENGTH), body, 7).map(|out| out.len());
    assert_eq!(whole, in_pieces);
    whole
}

fn with_trailer(lines: &str) -> Result<usize, ChunkDenial> {
    let body = example_with_trailer(lines);
    let unframer = Unframer::new(&seed(TRAILER_SEED, true), LENGTH, Some(CHECKSUM)).unwrap();
    unframed(unframer, &body, 1000).map(|out| out.len())
}

fn replaced(body: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(body.to_vec()).unwrap();
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1).into_bytes()
}

#[test]
fn the_vendor_s_example_of_a_chunked_upload_is_unframed_in_pieces_of_any_size() {
    for piece in [1, 2, 3, 85, 1000, 65_536, usize::MAX] {
        let content = unframed(unframer(LENGTH), &example(), piece).unwrap();
        assert_eq!(content, vec![b'a'; 66_560], "{piece}");
    }
}

#[test]
fn the_vendor_s_example_with_a_trailer_is_unframed() {
    assert_eq!(with_trailer(&trailer_lines()), Ok(66_560));
    // As the MinIO clients write it.
    assert_eq!(
        with_trailer(&trailer_lines().replacen("\r\n", "\n\r\n", 1)),
        Ok(66_560)
    );
}

#[test]
fn f05_a_chunk_that_is_altered_reordered_dropped_or_missing_is_refused() {
    let [first, second, last] = SIGNATURES;
    let wrong = Err(ChunkDenial::SignatureMismatch);
    assert_eq!(outcome(&replaced(&example(), "aaaa", "aaab")), wrong);
    assert_eq!(
        outcome(&replaced(&example(), first, &first.replace('a', "b"))),
        wrong
    );
    assert_eq!(outcome(&replaced(&example(), second, first)), wrong);
    assert_eq!(outcome(&replaced(&example(), last, &"0".repeat(64))), wrong);
    let reordered = [chunk(1024, second), chunk(65_536, first), chunk(0, last)].concat();
    assert_eq!(outcome(&reordered), wrong);
    let broken = Err(ChunkDenial::Length);
    assert_eq!(outcome(&[chunk(65_536, first), chunk(0, last)].concat()), broken);
    assert_eq!(
        outcome(&[chunk(65_536, first), chunk(1024, second)].concat()),
        broken
    );
    assert_eq!(outcome(b""), broken);
    let whole = example();
    for cut in [1, 2, 3, 60, 90, 2000] {
        assert_eq!(outcome(&whole[..whole.len() - cut]), broken, "{cut}");
    }
}

#[test]
fn f03_content_of_another_length_than_the_head_says_is_refused() {
    for length in [0, 1024, LENGTH - 1, LENGTH + 1, u64::MAX] {
        let outcome = unframed(unframer(length), &example(), usize::MAX);
        assert_eq!(outcome, Err(ChunkDenial::Length), "{length}");
    }
}

#[test]
fn f02_a_size_that_is_none_or_lies_is_refused_before_anything_is_kept() {
    let signature = SIGNATURES[0];
    for (size, denial) in [
        ("FFFFFFFFFFFFFFFF", ChunkDenial::Length),
        ("10401", ChunkDenial::Length),
        ("-1", ChunkDenial::Malformed),
        ("+5", ChunkDenial::Malformed),
        ("0x5", ChunkDenial::Malformed),
        (" 5", ChunkDenial::Malformed),
        ("5 ", ChunkDenial::Malformed),
        ("", ChunkDenial::Malformed),
        ("00000000000000005", ChunkDenial::Malformed),
        ("5;a=b", ChunkDenial::Malformed),
    ] {
        let body = format!("{size};chunk-signature={signature}\r\n");
        assert_eq!(outcome(body.as_bytes()), Err(denial), "{size}");
    }
    for line in [
        "10000\r\n".to_owned(),
        format!("10000;chunk-signature={signature}\n"),
        format!("10000;chunk-signature={signature};x=y\r\n"),
        format!("10000; chunk-signature={signature}\r\n"),
        format!("10000;Chunk-Signature={signature}\r\n"),
        format!("10000;chunk-signature={}\r\n", signature.get(1..).unwrap()),
        format!("10000;chunk-signature={signature}0\r\n"),
        format!("10000;{}\r\n", "x".repeat(1_000_000)),
    ] {
        let line = line.into_bytes();
        let body = [line.as_slice(), &vec![b'a'; 65_536]].concat();
        assert_eq!(outcome(&body), Err(ChunkDenial::Malformed));
    }
    // Hexadecimal digits have two cases; the digits of a signature have one.
    let upper = replaced(&example(), SIGNATURES[0], &SIGNATURES[0].to_ascii_uppercase());
    assert_eq!(outcome(&upper), Err(ChunkDenial::SignatureMismatch));
}

#[test]
fn nothing_may_stand_between_chunks_or_behind_the_last() {
    let [first, second, last] = SIGNATURES;
    for body in [
        [example(), b"\r\n".to_vec()].concat(),
        [example(), example()].concat(),
        [
            chunk(65_536, first),
            b"x".to_vec(),
            chunk(1024, second),
            chunk(0, last),
        ]
        .concat(),
        replaced(
            &example(),
            &format!("{last}\r\n\r\n"),
            &format!("{last}\r\n{CHECKSUM}:x\r\n"),
        ),
        // A chunk whose content goes on behind its size.
        replaced(&example(), "a\r\n", "aa\r\n"),
    ] {
        assert_eq!(outcome(&body), Err(ChunkDenial::Malformed));
    }
}

#[test]
fn f07_a_trailer_is_the_announced_one_once_with_its_signature() {
    let good = trailer_lines();
    let signature = TRAILER_SIGNATURES[3];
    let malformed = Err(ChunkDenial::Malformed);
    for lines in [
        good.replace(CHECKSUM, "x-amz-copy-source"),
        good.replace(CHECKSUM, "X-Amz-Checksum-Crc32c"),
        format!("{CHECKSUM}:sOO8/Q==\r\n{good}"),
        format!("x-amz-copy-source:/b/k\r\n{good}"),
        format!("{good}x"),
        good.replace("sOO8/Q==", ""),
        good.replace("sOO8/Q==", "sOO8/Q==\rx"),
        format!("x-amz-trailer-signature:{signature}\r\n\r\n"),
        format!(
            "{CHECKSUM}:sOO8/Q==\r\nx-amz-trailer-signature:{}\r\n\r\n",
            signature.get(1..).unwrap()
        ),
        format!("{CHECKSUM}:{}\r\n", "x".repeat(10_000)),
    ] {
        assert_eq!(with_trailer(&lines), malformed, "{lines}");
    }
    let wrong = Err(ChunkDenial::SignatureMismatch);
    assert_eq!(with_trailer(&good.replace("sOO8/Q==", "AAAAAA==")), wrong);
    assert_eq!(with_trailer(&good.replace(signature, &"0".repeat(64))), wrong);
    for cut in 1..100 {
        assert_eq!(
            with_trailer(good.get(..good.len() - cut).unwrap()),
            Err(ChunkDenial::Length),
            "{cut}"
        );
    }
    assert_eq!(with_trailer("\r\n"), Err(ChunkDenial::Length));
}

#[test]
fn f07_a_trailer_is_announced_exactly_where_one_is_signed() {
    assert!(Unframer::new(&seed(SEED, true), 0, None).is_none());
    assert!(Unframer::new(&seed(SEED, false), 0, Some(CHECKSUM)).is_none());
}

#[test]
fn f05_no_single_byte_of_a_frame_or_of_its_content_can_be_changed() {
    let whole = example_with_trailer(&trailer_lines());
    let seed = seed(TRAILER_SEED, true);
    let frame = (0..90)
        .chain(65_600..65_720)
        .chain(whole.len() - 300..whole.len());
    for at in frame {
        for flip in [1, 0x20, 0x80, 0xff] {
            let mut changed = whole.clone();
            changed[at] ^= flip;
            // A size has two spellings in hexadecimal digits.
            if changed[at].is_ascii_uppercase() && changed[at].is_ascii_hexdigit() {
                continue;
            }
            let unframer = Unframer::new(&seed, LENGTH, Some(CHECKSUM)).unwrap();
            assert!(unframed(unframer, &changed, usize::MAX).is_err(), "{at} {flip}");
        }
    }
}
