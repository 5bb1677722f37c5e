//! Errands across all three functions, to canned answers of S3's: `cargo test`, `wasm-pack test --node`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic: that is how it fails"
)]

#[allow(dead_code, reason = "the other test binary uses the rest")]
mod support;

use recorded_events::{
    CONFIG, ENVIRONMENT, KEY_ID, NOW, OTHER_PASSPORT, Store, from_base64, function_url, mutations,
};
use serde_json::{Value, json};
use support::{begun, done, errand, handler, parse, routed, routed_with, s3, told_id};
use wasm_bindgen_test::wasm_bindgen_test;
use xmlns_response_handler::{Conversation, ResponseHandler};

const LIST: &str = "<CompleteMultipartUpload>\
    <Part><PartNumber>1</PartNumber><ETag>\"0cc175b9c0f1b6a831c399e269772661\"</ETag></Part>\
    <Part><PartNumber>2</PartNumber><ETag>\"92eb5ffee6ae2fec3ad71c777531578f\"</ETag></Part>\
    </CompleteMultipartUpload>";
// `printf a | md5sum`, `printf b | md5sum`; md5sum of both digests in binary.
const COMPOSITE: &str = "\"96e024ba2074fe77e8e965ba43a704be-2\"";
// printf of the requestId of the recorded viewer-request event | sha256sum | cut -c1-24
const ID: &str = "97575440147627AB6E7B6276";
const NS: &str = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";

/// S3's list of a folder in which nothing is staged.
fn nothing_staged() -> Value {
    let list = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
    s3(200, &[], list)
}

/// Asserts that a request is told no, with this status and OSS code, and gives its log line.
fn assert_refused(step: &Value, status: u16, code: &str) -> Value {
    let response = &step["response"];
    assert_eq!(response["statusCode"], status, "{step}");
    assert!(
        response["body"]
            .as_str()
            .unwrap()
            .contains(&format!("<Code>{code}</Code>")),
        "{step}"
    );
    assert_eq!(response["headers"]["x-oss-request-id"], step["log"]["request_id"]);
    assert!(step["log"]["request_id"].as_str().unwrap().len() == 24);
    step["log"].clone()
}

fn refused(event: &Value, now: f64) -> Value {
    begun(&handler(), event, now).1
}

#[wasm_bindgen_test(unsupported = test)]
fn an_initiation_is_done_with_the_handler_s_own_credentials_and_answered_without_namespace() {
    let event = errand(
        "POST",
        "/devices/a%20b/%E4%B8%AD?uploads&encoding-type=url",
        &[
            ("content-type", "text/plain"),
            ("x-oss-meta-a", "1"),
            ("content-disposition", "inline"),
        ],
        b"",
    );
    let answer = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<InitiateMultipartUploadResult {NS}><Bucket>acme-ingest</Bucket>\
         <Key>fleet/{KEY_ID}/a b/中</Key><UploadId>VXBsb2FkIElE</UploadId></InitiateMultipartUploadResult>"
    );
    let (sent, step) = done(
        &event,
        &[s3(200, &[("x-amz-server-side-encryption", "AES256")], &answer)],
    );
    let request = &sent[0];
    assert_eq!(request["method"], "POST");
    assert_eq!(
        request["url"],
        format!("https://acme-ingest.s3.eu-west-1.amazonaws.com/fleet/{KEY_ID}/a%20b/%E4%B8%AD?uploads=")
    );
    assert_eq!(request["body"], Value::Null);
    assert_eq!(request["headers"]["content-type"], "text/plain");
    assert_eq!(request["headers"]["content-disposition"], "inline");
    assert_eq!(request["headers"]["x-amz-meta-a"], "1");
    assert_eq!(
        request["headers"]["x-amz-security-token"],
        "role-token-0123456789"
    );
    assert!(request["headers"]["authorization"].as_str().unwrap().contains(
        "Credential=ASIAEXAMPLEROLE/20240501/eu-west-1/s3/aws4_request, \
         SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-meta-a;x-amz-meta-causeway-upload;x-amz-security-token,"
    ));
    assert_eq!(request["headers"]["x-amz-meta-causeway-upload"], ID);
    assert!(
        request["headers"]
            .as_object()
            .unwrap()
            .keys()
            .all(|name| !name.starts_with("x-causeway-"))
    );
    let response = &step["response"];
    assert_eq!(
        (&response["statusCode"], &response["isBase64Encoded"]),
        (&json!(200), &json!(false))
    );
    let (id, document) = told_id(response["body"].as_str().unwrap(), "VXBsb2FkIElE");
    assert!(id.starts_with(&format!("VXBsb2FkIElE.{ID}")), "{id}");
    assert_eq!(
        document,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<InitiateMultipartUploadResult><Bucket>devices</Bucket>\
         <EncodingType>url</EncodingType><Key>a%20b%2F%E4%B8%AD</Key><UploadId>VXBsb2FkIElE</UploadId>\
         </InitiateMultipartUploadResult>"
    );
    assert_eq!(response["headers"]["x-oss-server-side-encryption"], "AES256");
    assert_eq!(response["headers"]["x-amz-server-side-encryption"], Value::Null);
    let log = &step["log"];
    assert_eq!(
        (&log["operation"], &log["key"]),
        (&json!("InitiateMultipartUpload"), &json!("a b/中"))
    );
    assert_eq!(
        (&log["origin_status"], &log["origin_request_id"]),
        (&json!(200), &json!("318BC8BC148832E5"))
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn the_request_id_is_the_one_of_the_viewer_s_event() {
    let event = errand("DELETE", "/devices/k?uploadId=U", &[], b"");
    let (_, step) = done(&event, &[s3(204, &[], ""), nothing_staged()]);
    assert_eq!(step["response"]["headers"]["x-oss-request-id"], ID);
}

#[wasm_bindgen_test(unsupported = test)]
fn a_completion_sends_the_list_anew_and_answers_with_the_device_s_own_address() {
    let event = errand(
        "POST",
        "/devices/a%20b?uploadId=U",
        &[("x-oss-forbid-overwrite", "true")],
        LIST.as_bytes(),
    );
    let answer = format!(
        "<CompleteMultipartUploadResult {NS}><Location>https://acme-ingest/x</Location><Bucket>acme-ingest</Bucket>\
         <Key>x</Key><ETag>&quot;e-2&quot;</ETag></CompleteMultipartUploadResult>"
    );
    let (sent, step) = done(&event, &[nothing_staged(), s3(200, &[], &answer)]);
    let body = String::from_utf8(from_base64(sent[1]["body"].as_str().unwrap())).unwrap();
    assert!(body.contains("<PartNumber>2</PartNumber>"));
    assert_eq!(sent[1]["headers"]["if-none-match"], "*");
    assert!(sent[1]["most_bytes"].as_u64().unwrap() >= 1024);
    let told = step["response"]["body"].as_str().unwrap();
    assert!(
        told.contains("<Location>https://d111111abcdef8.cloudfront.net/devices/a%20b</Location>"),
        "{told}"
    );
    assert!(told.contains("<Bucket>devices</Bucket><Key>a b</Key>") && !told.contains("xmlns"));
    assert_eq!(step["response"]["headers"]["etag"], "\"e-2\"");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_retried_completion_whose_first_answer_was_lost_is_a_success() {
    let event = errand("POST", "/devices/k?uploadId=U", &[], LIST.as_bytes());
    let gone = s3(
        404,
        &[],
        "<Error><Code>NoSuchUpload</Code><Message>gone</Message></Error>",
    );
    // The mark of the upload that the device was told.
    let made = s3(
        200,
        &[
            ("etag", COMPOSITE),
            ("x-amz-meta-causeway-upload", "030303030303030303030303"),
        ],
        "",
    );
    let (sent, step) = done(&event, &[nothing_staged(), gone.clone(), made]);
    assert_eq!(sent[2]["method"], "HEAD");
    assert_eq!(step["response"]["headers"]["etag"], COMPOSITE);
    let another = s3(200, &[("etag", COMPOSITE)], "");
    for found in [another, s3(404, &[], "")] {
        let (_, step) = done(&event, &[nothing_staged(), gone.clone(), found]);
        assert_refused(&step, 404, "NoSuchUpload");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn complete_all_lists_the_parts_first_and_sends_them() {
    let event = errand(
        "POST",
        "/devices/k?uploadId=U",
        &[("x-oss-complete-all", "yes")],
        b"",
    );
    let listed = format!(
        "<ListPartsResult {NS}><UploadId>U</UploadId><MaxParts>1000</MaxParts><IsTruncated>false</IsTruncated>\
         <Part><PartNumber>1</PartNumber><LastModified>2024-05-01T12:34:56.000Z</LastModified>\
         <ETag>\"0cc175b9c0f1b6a831c399e269772661\"</ETag><Size>1</Size></Part></ListPartsResult>"
    );
    let answer = "<CompleteMultipartUploadResult><ETag>\"e-1\"</ETag></CompleteMultipartUploadResult>";
    let (sent, step) = done(
        &event,
        &[nothing_staged(), s3(200, &[], &listed), s3(200, &[], answer)],
    );
    assert_eq!(
        (&sent[1]["method"], &sent[2]["method"]),
        (&json!("GET"), &json!("POST"))
    );
    assert_eq!(step["response"]["headers"]["etag"], "\"e-1\"");
}

/// The folder of the upload `U` to `k`: `printf 'devices\0k\0U' | sha256sum`, in base64url.
const FOLDER: &str = ".causeway/94P67twpzMSXVDTbB1CgoULHQ2tMWbNcxPqdazdEiMg/";
const ETAGS: [&str; 4] = [
    "0cc175b9c0f1b6a831c399e269772661",
    "92eb5ffee6ae2fec3ad71c777531578f",
    "4a8a08f09d37b73795649038408b5f33",
    "8277e0910d750195b448797616e091ad",
];

/// S3's list of these staged parts: number and bytes.
fn staged(parts: &[(usize, u64)]) -> Value {
    let entry = |(number, bytes): &(usize, u64)| {
        let etag = ETAGS[number - 1];
        format!(
            "<Contents><Key>{FOLDER}{number:05}</Key><LastModified>2024-05-01T12:34:56.000Z</LastModified>\
             <ETag>&quot;{etag}&quot;</ETag><Size>{bytes}</Size></Contents>"
        )
    };
    let entries: String = parts.iter().map(entry).collect();
    let list = format!("<ListBucketResult {NS}><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>");
    s3(200, &[], &list)
}

fn device_list(count: usize) -> String {
    let part = |number: usize| {
        let etag = ETAGS[number - 1].to_uppercase();
        format!("<Part><PartNumber>{number}</PartNumber><ETag>\"{etag}\"</ETag></Part>")
    };
    let parts: String = (1..=count).map(part).collect();
    format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>")
}

/// The conversation about the completion of four parts of 3 MiB, up to where it joins them.
fn joining() -> (Conversation, Value) {
    const MIB: u64 = 1024 * 1024;
    let parts: Vec<_> = (1..=4).map(|number| (number, 3 * MIB)).collect();
    let event = errand("POST", "/devices/k?uploadId=U", &[], device_list(4).as_bytes());
    let (mut conversation, _) = begun(&handler(), &event, NOW);
    conversation.advance(&staged(&parts).to_string(), NOW);
    let none = format!(
        "<ListPartsResult {NS}><UploadId>U</UploadId><MaxParts>1000</MaxParts><IsTruncated>false</IsTruncated>\
         </ListPartsResult>"
    );
    let step = parse(&conversation.advance(&s3(200, &[], &none).to_string(), NOW + 5.0));
    (conversation, step)
}

#[wasm_bindgen_test(unsupported = test)]
fn small_parts_are_joined_without_their_bytes_and_every_request_is_signed() {
    let (mut conversation, step) = joining();
    let together = step["together"].as_array().unwrap();
    let place = "https://acme-ingest.s3.eu-west-1.amazonaws.com";
    for (index, entry) in together.iter().enumerate() {
        let send = &entry["send"];
        let (number, key) = (2 * index + 1, format!("fleet/{KEY_ID}/k"));
        let url = format!("{place}/{key}?partNumber={number}&uploadId=U");
        assert_eq!(
            (&send["method"], &send["url"], &send["body"]),
            (&json!("PUT"), &json!(url), &Value::Null)
        );
        assert_eq!(
            (&send["bytes"], &send["timeout_ms"]),
            (&json!(6_291_456), &json!(46_000))
        );
        assert_eq!(send["headers"]["x-amz-content-sha256"], "UNSIGNED-PAYLOAD");
        let sources = send["sources"].as_array().unwrap();
        assert_eq!(sources.len(), 2);
        for (source, number) in sources.iter().zip([number, number + 1]) {
            assert_eq!(source["url"], format!("{place}/{FOLDER}{number:05}"));
            let etag = format!("\"{}\"", ETAGS[number - 1]);
            assert_eq!(
                source["headers"]["if-match"].as_str().unwrap().to_lowercase(),
                etag
            );
            assert_eq!(source["headers"]["x-amz-security-token"], "role-token-0123456789");
            let signature = source["headers"]["authorization"].as_str().unwrap();
            assert!(signature.contains("/eu-west-1/s3/aws4_request"));
        }
    }
    assert_eq!(together.len(), 2);
    let made = |etag: &str| s3(200, &[("etag", etag)], "");
    let answers = json!({"answers": [made("\"0123456789abcdef0123456789abcdef\""), made("\"fedcba9876543210fedcba9876543210\"")]});
    let step = parse(&conversation.advance(&answers.to_string(), NOW + 9.0));
    // What was joined is noted, before it is completed.
    let records = step["together"].as_array().unwrap();
    let noted = |record: &Value| record["send"]["url"].as_str().unwrap().contains("/joined/");
    assert!(records.len() == 2 && records.iter().all(noted), "{step}");
    let answers = json!({"answers": [s3(200, &[("etag", "\"e\"")], ""), s3(200, &[("etag", "\"e\"")], "")]});
    let step = parse(&conversation.advance(&answers.to_string(), NOW + 9.0));
    // And which parts the object is to have.
    let note = step["send"]["url"].as_str().unwrap();
    assert!(note.starts_with(&format!("{place}/{FOLDER}making/")), "{note}");
    assert_eq!(step["send"]["method"], "PUT");
    let step = parse(&conversation.advance(&s3(200, &[("etag", "\"e\"")], "").to_string(), NOW + 9.0));
    let body = from_base64(step["send"]["body"].as_str().unwrap());
    let body = String::from_utf8(body).unwrap();
    assert!(
        body.contains("<PartNumber>3</PartNumber>") && !body.contains("<PartNumber>2</PartNumber>"),
        "{body}"
    );
    let answer = "<CompleteMultipartUploadResult><ETag>\"e-2\"</ETag></CompleteMultipartUploadResult>";
    let step = parse(&conversation.advance(&s3(200, &[], answer).to_string(), NOW + 9.0));
    let url = step["send"]["url"].as_str().unwrap();
    assert!(url.contains("prefix=.causeway%2F"), "{url}");
    let step = parse(&conversation.advance(&staged(&[(1, 1), (2, 1)]).to_string(), NOW + 9.0));
    let body = String::from_utf8(from_base64(step["send"]["body"].as_str().unwrap())).unwrap();
    assert!(body.contains(&format!("<Key>{FOLDER}00002</Key>")), "{body}");
    let done = s3(200, &[], "<DeleteResult></DeleteResult>");
    let step = parse(&conversation.advance(&done.to_string(), NOW + 9.0));
    assert_eq!(step["response"]["headers"]["etag"], "\"e-2\"", "{step}");
    assert_eq!(step["log"]["level"], "info");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_join_that_fails_is_told_as_what_it_is_and_the_completion_can_be_repeated() {
    let made = s3(200, &[("etag", "\"0123456789abcdef0123456789abcdef\"")], "");
    for (answer, status, code) in [
        (json!({"failed": "TimeoutError"}), 503, "ServiceUnavailable"),
        (json!({"source": 503}), 503, "ServiceUnavailable"),
        (s3(503, &[], ""), 503, "ServiceUnavailable"),
        (s3(403, &[], ""), 500, "InternalError"),
    ] {
        for answers in [
            json!([answer, made]),
            json!([made, answer]),
            json!([answer, answer]),
        ] {
            let (mut conversation, _) = joining();
            let answers = json!({ "answers": answers });
            let mut step = parse(&conversation.advance(&answers.to_string(), NOW + 9.0));
            if step["together"].is_array() {
                // What was joined is noted, so that it is not joined again.
                let record = step["together"][0]["send"]["url"].as_str().unwrap();
                assert!(record.contains(&format!("{FOLDER}joined/")), "{record}");
                let stored = json!({"answers": [s3(200, &[], "")]});
                step = parse(&conversation.advance(&stored.to_string(), NOW + 9.0));
            }
            assert_refused(&step, status, code);
        }
    }
    for odd in [json!({}), json!(null), json!({"answers": [made]}), made.clone()] {
        let (mut conversation, _) = joining();
        let step = parse(&conversation.advance(&odd.to_string(), NOW + 9.0));
        assert_refused(&step, 503, "ServiceUnavailable");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn an_abort_is_204_without_a_body_and_parts_are_listed_in_oss_s_words() {
    let event = errand("DELETE", "/devices/k?uploadId=U", &[], b"");
    let (sent, step) = done(&event, &[s3(204, &[], ""), nothing_staged()]);
    assert_eq!(sent[0]["method"], "DELETE");
    assert_eq!(
        (&step["response"]["statusCode"], &step["response"]["body"]),
        (&json!(204), &json!(""))
    );

    let event = errand(
        "GET",
        "/devices/k?uploadId=U&max-parts=2&part-number-marker=1",
        &[],
        b"",
    );
    let listed = format!(
        "<ListPartsResult {NS}><UploadId>U</UploadId><PartNumberMarker>1</PartNumberMarker><MaxParts>2</MaxParts>\
         <IsTruncated>false</IsTruncated><Part><PartNumber>2</PartNumber>\
         <LastModified>2024-05-01T12:34:56.000Z</LastModified><ETag>\"92eb5ffee6ae2fec3ad71c777531578f\"</ETag>\
         <Size>7</Size></Part></ListPartsResult>"
    );
    let (sent, step) = done(&event, &[nothing_staged(), s3(200, &[], &listed)]);
    assert!(
        sent[1]["url"]
            .as_str()
            .unwrap()
            .ends_with("?max-parts=2&part-number-marker=1&uploadId=U")
    );
    assert!(
        step["response"]["body"]
            .as_str()
            .unwrap()
            .contains("<Size>7</Size>")
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn x04_errors_of_s3_s_are_told_with_their_true_status() {
    let event = errand("POST", "/devices/k?uploadId=U", &[], LIST.as_bytes());
    let error = |code: &str| {
        format!("<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>m</Message></Error>")
    };
    for (status, s3_code, told, code) in [
        (200, "InternalError", 500, "InternalError"),
        (400, "InvalidPart", 400, "InvalidPart"),
        (403, "AccessDenied", 500, "InternalError"),
        (403, "SignatureDoesNotMatch", 500, "InternalError"),
        (503, "SlowDown", 503, "ServiceUnavailable"),
    ] {
        let mut answers = vec![nothing_staged(), s3(status, &[], &error(s3_code))];
        if s3_code == "InvalidPart" {
            // The upload may have been completed before: the key is looked at.
            answers.push(s3(404, &[], ""));
        }
        let (_, step) = done(&event, &answers);
        assert_refused(&step, told, code);
    }
    for answer in [
        json!({"failed": "timed out"}),
        json!({"status": 200, "headers": {}, "body": "?"}),
        json!({"status": 99_999, "headers": {}, "body": ""}),
        json!({}),
        json!(null),
    ] {
        let (_, step) = done(&event, &[nothing_staged(), answer]);
        let log = assert_refused(&step, 503, "ServiceUnavailable");
        assert_eq!(log["level"], "error");
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_part_list_that_is_none_is_refused_before_anything_is_fetched() {
    let event = errand("POST", "/devices/k?uploadId=U", &[], b"<NotAList/>");
    let (sent, step) = done(&event, &[]);
    assert_refused(&step, 400, "MalformedXML");
    assert!(sent.is_empty());
    let digest = ("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==");
    let event = errand("POST", "/devices/k?uploadId=U", &[digest], LIST.as_bytes());
    assert_refused(&done(&event, &[]).1, 400, "InvalidDigest");
}

#[wasm_bindgen_test(unsupported = test)]
fn without_a_passport_of_this_hop_nothing_is_fetched() {
    let event = errand("POST", "/devices/k?uploadId=U", &[], LIST.as_bytes());
    let (request, before) = routed("POST", "/devices/k?uploadId=U", &[], Some(LIST.as_bytes()));
    assert_eq!(event, function_url(&before, &request, LIST.as_bytes()));
    let first_hop =
        before["Records"][0]["cf"]["request"]["headers"]["x-causeway-passport"][0]["value"].clone();
    for (pointer, value) in [
        ("/headers/x-causeway-passport", json!("")),
        ("/headers/x-causeway-passport", first_hop),
        ("/headers/x-causeway-errand", json!("e30")),
        (
            "/headers/x-causeway-body-sha256",
            json!("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ),
        ("/rawPath", json!("/k")),
        ("/rawQueryString", json!("uploadId=U")),
        ("/requestContext/http/method", json!("PUT")),
        // Another handler with the same secret, a canary's.
        (
            "/requestContext/domainName",
            json!("canary0000000000000000000000000000.lambda-url.eu-west-1.on.aws"),
        ),
        ("/body", json!("PGEvPg==")),
        ("/body", json!("?")),
        ("/body", Value::Null),
    ] {
        let mut bad = event.clone();
        *bad.pointer_mut(pointer).unwrap() = value;
        let log = assert_refused(&refused(&bad, NOW), 403, "AccessDenied");
        assert_eq!(log["level"], "error", "{pointer}");
    }
    let mut missing = event.clone();
    missing["headers"]
        .as_object_mut()
        .unwrap()
        .remove("x-causeway-passport");
    assert_refused(&refused(&missing, NOW), 403, "AccessDenied");
    assert_refused(&refused(&event, NOW + 61.0), 403, "AccessDenied");
    let mut conversation = handler().begin(&event.to_string(), ENVIRONMENT, NOW);
    let step = Store::with_passport(OTHER_PASSPORT).serve(&mut conversation, NOW);
    assert_refused(&step, 403, "AccessDenied");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_passport_of_a_rotation_counts_at_once_and_none_costs_no_look_up() {
    let new = r#"{"id": "new", "secret": "77777777777777777777777777777777"}"#;
    let (request, before) = routed_with(
        &mut Store::with_passport(new),
        "POST",
        "/devices/k?uploads",
        &[],
        Some(b""),
    );
    let rotated = function_url(&before, &request, b"");
    let event = errand("POST", "/devices/k?uploads", &[], b"");
    let (handler, mut store) = (handler(), Store::default());
    let step = |event: &Value, store: &mut Store, later: f64| {
        let mut conversation = handler.begin(&event.to_string(), ENVIRONMENT, NOW + later);
        store.serve(&mut conversation, NOW + later)
    };
    let mut missing = event.clone();
    missing["headers"]["x-causeway-passport"] = "".into();
    assert_refused(&step(&missing, &mut store, 0.0), 403, "AccessDenied");
    assert!(store.asked.is_empty());
    assert!(step(&event, &mut store, 0.0)["send"].is_object());
    store.passport = Some(new.to_owned());
    assert!(step(&rotated, &mut store, 10.0)["send"].is_object());
    assert_eq!(store.asked.len(), 2);
    assert_refused(&step(&event, &mut store, 11.0), 403, "AccessDenied");
    store.down = Some("timed out");
    assert_refused(&step(&event, &mut store, 20.0), 503, "ServiceUnavailable");
}

#[wasm_bindgen_test(unsupported = test)]
fn an_errand_is_answered_while_cloudfront_still_waits() {
    let event = errand("POST", "/devices/k?uploadId=U", &[], LIST.as_bytes());
    let gone = s3(
        404,
        &[],
        "<Error><Code>NoSuchUpload</Code><Message>gone</Message></Error>",
    )
    .to_string();
    for (later, timeout) in [
        (0.0, Some(55_000)),
        (25.0, Some(30_000)),
        (54.0, Some(1000)),
        (55.0, None),
        (-5.0, Some(55_000)),
    ] {
        let (mut conversation, step) = begun(&handler(), &event, NOW);
        assert_eq!(step["send"]["timeout_ms"], 55_000);
        conversation.advance(&nothing_staged().to_string(), NOW);
        let step = parse(&conversation.advance(&gone, NOW + later));
        match timeout {
            Some(timeout) => assert_eq!(step["send"]["timeout_ms"], timeout, "{later}"),
            None => {
                let log = assert_refused(&step, 503, "ServiceUnavailable");
                assert_eq!(log["level"], "error");
            }
        }
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_completion_of_10_000_parts_passes_every_limit_on_the_way() {
    let part = |number: u32| {
        format!("<Part><PartNumber>{number}</PartNumber><ETag>\"{number:032X}\"</ETag></Part>\n")
    };
    let list: String = (1..=10_000).map(part).collect();
    let list = format!("<CompleteMultipartUpload>\n{list}</CompleteMultipartUpload>");
    assert!((850_000..1_000_000).contains(&list.len()), "{}", list.len());
    let event = errand("POST", "/devices/k?uploadId=U", &[], list.as_bytes());
    assert!(event.to_string().len() < 6_000_000, "Lambda takes 6 MB");
    let answer = "<CompleteMultipartUploadResult><ETag>\"e-10000\"</ETag></CompleteMultipartUploadResult>";
    let (sent, step) = done(&event, &[nothing_staged(), s3(200, &[], answer)]);
    let body = from_base64(sent[1]["body"].as_str().unwrap());
    let body = String::from_utf8(body).unwrap();
    assert_eq!(body.matches("<PartNumber>").count(), 10_000);
    assert_eq!(step["response"]["headers"]["etag"], "\"e-10000\"");
}

#[wasm_bindgen_test(unsupported = test)]
fn a_full_page_of_parts_is_an_answer_that_lambda_takes() {
    let part = |number: u32| {
        format!(
            "<Part><PartNumber>{number}</PartNumber><LastModified>2024-05-01T12:34:56.000Z</LastModified>\
             <ETag>\"{number:032x}\"</ETag><Size>5368709120</Size></Part>"
        )
    };
    let parts: String = (9001..=10_000).map(part).collect();
    let listed = format!(
        "<ListPartsResult {NS}><UploadId>U</UploadId><PartNumberMarker>9000</PartNumberMarker>\
         <MaxParts>1000</MaxParts><IsTruncated>false</IsTruncated>{parts}</ListPartsResult>"
    );
    let event = errand("GET", "/devices/k?uploadId=U&part-number-marker=9000", &[], b"");
    let (sent, step) = done(&event, &[nothing_staged(), s3(200, &[], &listed)]);
    let most = sent[1]["most_bytes"].as_u64().unwrap();
    assert!(listed.len() as u64 <= most && most <= 1024 * 1024, "{most}");
    let told = step["response"]["body"].as_str().unwrap();
    assert_eq!(told.matches("<PartNumber>").count(), 1000);
}

#[wasm_bindgen_test(unsupported = test)]
fn faults_of_the_deployment_are_loud_and_never_the_device_s() {
    let event = errand("POST", "/devices/k?uploads", &[], b"");
    let other = CONFIG.replace("\"devices\"", "\"gadgets\"");
    let other = ResponseHandler::new(&other).unwrap();
    for step in [
        begun(&other, &event, NOW).1,
        parse(&handler().begin(&event.to_string(), "{}", NOW).step()),
        parse(&handler().begin("{}", ENVIRONMENT, NOW).step()),
    ] {
        let log = assert_refused(&step, 500, "InternalError");
        assert_eq!(log["level"], "error");
    }
    assert!(ResponseHandler::new("{}").is_err());
}

#[wasm_bindgen_test(unsupported = test)]
fn mutated_events_and_answers_are_answered_and_never_trap() {
    let event = errand("POST", "/devices/k?uploadId=U", &[], LIST.as_bytes());
    let (handler, mut store) = (handler(), Store::default());
    for mutant in mutations(&event, 1, 400) {
        let step = store.serve(&mut handler.begin(&mutant, ENVIRONMENT, NOW), NOW);
        let status = step["response"]["statusCode"].as_u64();
        assert!(step["send"].is_object() != status.is_some(), "{mutant}");
        assert!(
            status.is_none_or(|status| (400..600).contains(&status)),
            "{mutant}"
        );
    }
    let gone = s3(
        404,
        &[],
        "<Error><Code>NoSuchUpload</Code><Message>gone</Message></Error>",
    );
    for mutant in mutations(&gone, 2, 400) {
        let (mut conversation, _) = begun(&handler, &event, NOW);
        let step = parse(&conversation.advance(&mutant, NOW));
        assert!(
            step["send"].is_object() != step["response"].is_object(),
            "{mutant}"
        );
    }
}
