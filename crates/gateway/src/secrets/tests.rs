use request_auth::{SecretKey, SecurityToken};

use super::*;

const NAME: &str = "causeway/0";
const TIMES: CacheTimes = CacheTimes {
    fresh_seconds: 60,
    stale_seconds: 3600,
    negative_seconds: 10,
};

fn cloudfront() -> CloudFront {
    let table = r#"{"cloudfront": {"secrets_regions": ["us-east-1", "eu-west-1"]}}"#;
    CloudFront::from_json(table).unwrap()
}

fn line() -> Line {
    Line::new("test", "ID", "PUT")
}

fn answer(status: u16, body: &str) -> OriginAnswer {
    OriginAnswer {
        status,
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
    }
}

/// Secrets Manager's answer with a secret.
fn secret(text: &str) -> OriginAnswer {
    let text = Node::from(text).to_json();
    let body = format!(
        r#"{{"ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:{NAME}-AbCdEf", "Name": "{NAME}",
            "VersionId": "v", "SecretString": {text}, "VersionStages": ["AWSCURRENT"], "CreatedDate": 1.5}}"#
    );
    answer(200, &body)
}

/// Tells `kept` what came of a question; the text `bad` can't be read as the secret.
fn tell(
    kept: &mut Kept<String>,
    answer: Result<&OriginAnswer, &str>,
    now: i64,
) -> (Result<Rc<String>, Refusal>, Line) {
    let mut line = line();
    let read = |text: &str| match text {
        "bad" => Err("it is bad".to_owned()),
        text => Ok(text.to_owned()),
    };
    let outcome = kept.answered(NAME, answer, read, (TIMES, UnixSeconds(now)), &mut line);
    (outcome, line)
}

fn at_hand(kept: &Kept<String>, now: i64) -> Option<String> {
    let copy = kept.at_hand(TIMES, UnixSeconds(now), &mut line());
    copy.map(|copy| copy.as_ref().clone())
}

#[test]
fn a_question_is_signed_for_the_nearest_region_that_has_the_secrets() {
    let credentials = OriginCredentials {
        access_key_id: "ASIAEXAMPLEROLE".into(),
        secret: SecretKey::new("role-secret-0123456789".into()).unwrap(),
        session_token: SecurityToken::new("role-token-0123456789".into()),
    };
    let asked = |region| {
        question(
            &cloudfront(),
            NAME,
            region,
            &credentials,
            UnixSeconds(1_714_566_896),
        )
    };
    let near = asked("eu-west-1");
    assert_eq!(near.url, "https://secretsmanager.eu-west-1.amazonaws.com/");
    assert_eq!(near.body, r#"{"SecretId":"causeway/0"}"#);
    let mut headers = near.headers;
    headers.sort();
    // botocore 1.43.11, SigV4Auth over the same request with the digest of its body as a header.
    let signed = "AWS4-HMAC-SHA256 Credential=ASIAEXAMPLEROLE/20240501/eu-west-1/secretsmanager/aws4_request, \
        SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token;x-amz-target, \
        Signature=921c462c4a762031e9a8d4a6b41990812f911f888156bdac0266ac37114bede7";
    let digest = "17f0d597c27523e5d4aab890446db2e85214e48741ccdd7505b32924dca3023c";
    let expected = [
        ("authorization", signed),
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-content-sha256", digest),
        ("x-amz-date", "20240501T123456Z"),
        ("x-amz-security-token", "role-token-0123456789"),
        ("x-amz-target", "secretsmanager.GetSecretValue"),
    ];
    assert_eq!(headers, expected.map(|(name, value)| (name, value.to_owned())));
    for far in ["ap-south-1", ""] {
        assert_eq!(asked(far).url, "https://secretsmanager.us-east-1.amazonaws.com/");
    }
}

#[test]
fn k02_a_copy_counts_for_its_time_and_is_then_asked_for_again() {
    let mut kept = Kept::default();
    assert_eq!(at_hand(&kept, 1000), None);
    let (copy, line) = tell(&mut kept, Ok(&secret("one")), 1000);
    assert_eq!((copy.unwrap().as_str(), line.level), ("one", "info"));
    assert_eq!(at_hand(&kept, 1060).as_deref(), Some("one"));
    assert_eq!(at_hand(&kept, 1061), None);
    let (copy, _) = tell(&mut kept, Ok(&secret("two")), 1061);
    assert_eq!(copy.unwrap().as_str(), "two");
    assert_eq!(at_hand(&kept, 1121).as_deref(), Some("two"));
}

#[test]
fn c11_a_clock_that_steps_back_makes_a_copy_old() {
    let mut kept = Kept::default();
    tell(&mut kept, Ok(&secret("one")), 1000).0.unwrap();
    assert_eq!(at_hand(&kept, 999), None);
    assert!(kept.may_ask(UnixSeconds(999)));
}

#[test]
fn an_outage_is_bridged_by_the_last_good_copy_loudly_and_not_for_ever() {
    let garbled = [
        answer(200, ""),
        answer(200, "[]"),
        answer(200, r#"{"Name": "causeway/0"}"#),
        answer(200, r#"{"Name": "causeway/1", "SecretString": "other"}"#),
        answer(200, r#"{"Name": "causeway/0", "SecretBinary": "b3RoZXI="}"#),
        answer(
            200,
            r#"{"Name": "causeway/0", "SecretString": "x"} "#.repeat(2).as_str(),
        ),
        answer(400, r#"{"__type": "AccessDeniedException", "Message": "m"}"#),
        answer(
            400,
            r#"{"__type": "InvalidRequestException", "Message": "marked for deletion"}"#,
        ),
        answer(503, "busy"),
        answer(302, "{}"),
        secret("bad"),
    ];
    let answers = garbled.iter().map(Ok).chain([Err("timed out")]);
    for answer in answers {
        let mut kept = Kept::default();
        let (outcome, _) = tell(&mut kept, answer, 0);
        let refusal = outcome.unwrap_err();
        assert_eq!(refusal.fault(), Fault::StoreUnavailable, "{answer:?}");
        assert!(refusal.reason().contains("`causeway/0`"), "{answer:?}");

        tell(&mut kept, Ok(&secret("good")), 1000).0.unwrap();
        let (copy, line) = tell(&mut kept, answer, 1061);
        assert_eq!(
            (copy.unwrap().as_str(), line.level),
            ("good", "error"),
            "{answer:?}"
        );
        let (copy, _) = tell(&mut kept, answer, 4600);
        assert_eq!(copy.unwrap().as_str(), "good");
        let (outcome, _) = tell(&mut kept, answer, 4601);
        assert_eq!(outcome.unwrap_err().status(), 503);
        // Back again.
        let (copy, line) = tell(&mut kept, Ok(&secret("new")), 5000);
        assert_eq!((copy.unwrap().as_str(), line.level), ("new", "info"));
    }
}

#[test]
fn a_store_that_is_down_is_not_asked_for_every_request() {
    let mut kept = Kept::default();
    tell(&mut kept, Ok(&secret("good")), 1000).0.unwrap();
    tell(&mut kept, Err("timed out"), 1061).0.unwrap();
    let mut line = line();
    let copy = kept.at_hand(TIMES, UnixSeconds(1065), &mut line);
    assert_eq!((copy.unwrap().as_str(), line.level), ("good", "error"));
    assert_eq!(at_hand(&kept, 1066), None);
    // The pause makes no copy live longer, and none where there is none.
    tell(&mut kept, Err("timed out"), 4599).0.unwrap();
    assert_eq!(at_hand(&kept, 4601), None);
}

#[test]
fn a_secret_that_does_not_exist_is_a_fault_of_the_deployment_whatever_was_there() {
    for name in [
        "ResourceNotFoundException",
        "com.amazonaws.secretsmanager#ResourceNotFoundException",
        "ResourceNotFoundException:http://internal.amazon.com/",
    ] {
        let mut kept = Kept::default();
        tell(&mut kept, Ok(&secret("good")), 1000).0.unwrap();
        let absent = answer(400, &format!(r#"{{"__type": "{name}"}}"#));
        let refusal = tell(&mut kept, Ok(&absent), 1061).0.unwrap_err();
        assert_eq!(
            (refusal.status(), refusal.blame()),
            (503, oss_s3::error::Blame::Operator)
        );
        assert_eq!(
            refusal.reason(),
            "the secret `causeway/0` can't be read: Secrets Manager has no such secret"
        );
        assert_eq!(at_hand(&kept, 1061), None);
    }
}

#[test]
fn l02_nothing_of_an_answer_reaches_a_log_but_the_name_of_an_error() {
    for (body, shown) in [
        (
            r#"{"__type": "ThrottlingException", "Message": "SECRET"}"#,
            "400 ThrottlingException",
        ),
        (r#"{"__type": "SECRET, said \"x\""}"#, "400 "),
        (r#"{"__type": {"x": "SECRET"}}"#, "400 "),
        ("SECRET", "no JSON"),
    ] {
        let refusal = tell(&mut Kept::default(), Ok(&answer(400, body)), 0)
            .0
            .unwrap_err();
        let reason = refusal.reason();
        assert!(reason.ends_with(shown) && !reason.contains("SECRET"), "{reason}");
    }
}
