//! The dialects in WebAssembly: `wasm-pack test --node crates/oss-s3`.

#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "a test may panic: that is how it fails")]

use conformance::corpus::check;
use oss_s3::answer::{Asked, RequestId, Scheme};
use oss_s3::complete::{MAX_PART_LIST_BYTES, PartList};
use oss_s3::error::{Fault, Refusal};
use oss_s3::headers::metadata;
use oss_s3::key::ObjectKey;
use request_auth::{Dialect, UnixSeconds};
use wasm_bindgen_test::wasm_bindgen_test;

fn asked<'a>(dialect: Dialect, id: &'a RequestId, method: &'a str) -> Asked<'a> {
    Asked {
        dialect,
        request_id: id,
        now: UnixSeconds(1_714_566_896),
        method,
        scheme: Scheme::Https,
        host: "edge.example.com",
        path: b"/devices/k",
    }
}

#[wasm_bindgen_test]
fn every_fault_is_answered_with_a_document_that_sdks_can_read() {
    let id = RequestId::from_bytes([9; 12]);
    let methods = ["GET", "PUT", "HEAD"];
    let all = Dialect::ALL
        .into_iter()
        .flat_map(|dialect| methods.map(|method| (dialect, method)));
    for (dialect, method) in all {
        let asked = asked(dialect, &id, method);
        for fault in Fault::ALL {
            let refusal = Refusal::new(*fault).about("x-oss-<&>").because("inner words");
            let answer = refusal.answer(&asked);
            assert_eq!(check::answer(&answer, dialect), Ok(()), "{fault:?}");
            let judged = check::document(&refusal, &answer, &asked);
            assert_eq!(judged, Ok(()), "{fault:?} {dialect:?} {method}");
        }
    }
}

#[wasm_bindgen_test]
fn a_part_list_of_ten_thousand_is_read_and_written_and_one_more_is_refused() {
    let list = |count: u32| {
        let parts: String = (1..=count)
            .map(|number| {
                format!("<Part><PartNumber>{number}</PartNumber><ETag>\"{number:032x}\"</ETag></Part>")
            })
            .collect();
        format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>")
    };
    let parts = PartList::from_device(list(10_000).as_bytes(), Dialect::Oss).unwrap();
    assert_eq!(parts.parts().len(), 10_000);
    assert!(parts.composite_etag().unwrap().ends_with("-10000"));
    assert!(parts.to_xml().len() < MAX_PART_LIST_BYTES);
    let refused = PartList::from_device(list(10_001).as_bytes(), Dialect::Oss).unwrap_err();
    assert_eq!(refused.status(), 400);
}

#[wasm_bindgen_test]
fn keys_and_metadata_of_any_bytes_are_kept_or_refused_and_never_changed() {
    for first in 0..=u8::MAX {
        for second in [0, b'/', b'.', b'?', 0x80, 0xc3, 0xff] {
            let bytes = [b'a', first, second];
            if let Ok(key) = ObjectKey::new(&bytes) {
                assert_eq!(key.as_bytes(), bytes);
            }
            assert_eq!(metadata::decode(&metadata::encode(&bytes)), bytes);
        }
    }
}
