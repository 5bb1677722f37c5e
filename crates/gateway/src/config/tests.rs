use super::*;

const GOOD: &str = r#"{
  "buckets": [{"name": "devices", "aliases": ["d111111abcdef8"],
    "origin": {"bucket": "acme-ingest", "region": "eu-west-1", "endpoint": "https://s3.eu-west-1.amazonaws.com"}}],
  "hosts": [{"host": "edge.example.com", "styles": ["path", "virtual-host"]}, {"host": "upload.example.com", "cname": "devices"}]
}"#;

#[test]
fn the_documented_example_is_a_configuration_with_the_documented_defaults() {
    let config = Config::from_json(GOOD).unwrap();
    assert_eq!(
        (
            config.rules.window.skew_seconds,
            config.rules.window.presigned_max_seconds
        ),
        (900, None)
    );
    assert!(config.rules.regions.is_empty());
    assert_eq!(config.rules.products, ["oss"]);
    assert!(!config.string_to_sign_in_errors);
    assert_eq!(
        config.key_cache,
        CacheTimes {
            fresh_seconds: 60,
            stale_seconds: 3600,
            negative_seconds: 10
        }
    );
    assert_eq!(config.hosts.resources("upload.example.com", b"/k").len(), 2);
    let cloudfront = &config.cloudfront;
    assert_eq!(cloudfront.secrets_prefix, "causeway");
    assert_eq!(cloudfront.secrets_regions, ["us-east-1"]);
    assert_eq!(cloudfront.key_shards.get(), 1);
    assert_eq!(cloudfront.direct_path, DirectPath::Oac);
}

#[test]
fn regions_and_products_of_v4_are_listed_as_clients_sign_them() {
    let rules = |fields: &str| {
        Config::from_json(&GOOD.replacen('{', &format!("{{{fields},"), 1))
            .map(|config| config.rules)
            .map_err(|error| error.to_string())
    };
    let both =
        rules(r#""oss_v4_regions": ["cn-hangzhou", "cb-1"], "oss_v4_products": ["oss", "oss-cloudbox"]"#)
            .unwrap();
    assert_eq!(both.regions, ["cn-hangzhou", "cb-1"]);
    assert_eq!(both.products, ["oss", "oss-cloudbox"]);
    assert_eq!(
        rules(r#""oss_v4_regions": ["eu-central-1"]"#).unwrap().products,
        ["oss"]
    );
    assert_eq!(
        rules(r#""s3_v4_regions": ["us-east-1", "auto"]"#)
            .unwrap()
            .aws_regions,
        ["us-east-1", "auto"]
    );
    assert!(both.aws_regions.is_empty());
    for (mistake, named) in [
        (r#""s3_v4_regions": ["a/b"]"#, "`s3_v4_regions"),
        (r#""s3_v4_regions": [""]"#, "`s3_v4_regions"),
        (r#""oss_v4_regions": ["oss-cn-hangzhou"]"#, "`oss_v4_regions"),
        (r#""oss_v4_regions": [""]"#, "`oss_v4_regions"),
        (r#""oss_v4_regions": ["a/b"]"#, "`oss_v4_regions"),
        (r#""oss_v4_regions": "cn-hangzhou""#, "`oss_v4_regions"),
        (r#""oss_v4_products": []"#, "`oss_v4_products"),
        (r#""oss_v4_products": ["o ss"]"#, "`oss_v4_products"),
    ] {
        let sentence = rules(mistake).unwrap_err();
        assert!(sentence.contains(named), "{mistake}: {sentence}");
    }
}

#[test]
fn a_deployment_on_cloudfront_says_where_its_secrets_are() {
    let config = |table: &str| {
        Config::from_json(&GOOD.replacen('{', &format!(r#"{{"cloudfront": {{{table}}},"#), 1))
            .map(|config| config.cloudfront)
            .map_err(|error| error.to_string())
    };
    let whole = r#""secrets_prefix": "acme/Cause_way-1", "secrets_regions": ["eu-west-1", "ap-southeast-2"],
        "key_shards": 256, "direct_path": "router-signed""#;
    let whole = config(whole).unwrap();
    assert_eq!(whole.secrets_prefix, "acme/Cause_way-1");
    assert_eq!(whole.secrets_regions, ["eu-west-1", "ap-southeast-2"]);
    assert_eq!(
        (whole.key_shards.get(), whole.direct_path),
        (256, DirectPath::RouterSigned)
    );
    for (mistake, named) in [
        (r#""secrets_prefix": """#, "`cloudfront.secrets_prefix`"),
        (r#""secrets_prefix": "/causeway""#, "`cloudfront.secrets_prefix`"),
        (r#""secrets_prefix": "causeway/""#, "`cloudfront.secrets_prefix`"),
        (r#""secrets_prefix": "a//b""#, "`cloudfront.secrets_prefix`"),
        (r#""secrets_prefix": "a b""#, "`cloudfront.secrets_prefix`"),
        (r#""secrets_prefix": "é""#, "`cloudfront.secrets_prefix`"),
        (r#""secrets_regions": []"#, "`cloudfront.secrets_regions`"),
        (
            r#""secrets_regions": ["US-EAST-1"]"#,
            "`cloudfront.secrets_regions`",
        ),
        (
            r#""secrets_regions": ["us-east-1", "a.b"]"#,
            "`cloudfront.secrets_regions`",
        ),
        (
            r#""secrets_regions": ["us-east-"]"#,
            "`cloudfront.secrets_regions`",
        ),
        (r#""key_shards": 0"#, "`cloudfront.key_shards`"),
        (r#""key_shards": 257"#, "`cloudfront.key_shards`"),
        (r#""direct_path": "none""#, "`none`"),
        (r#""shards": 1"#, "`shards`"),
    ] {
        let error = config(mistake).unwrap_err();
        assert!(
            error.contains(named) && !error.contains('\n'),
            "{mistake}: {error}"
        );
    }
}

#[test]
fn a_router_that_signs_needs_tls_to_every_bucket() {
    let config = |direct_path: &str, scheme: &str| {
        let table = format!(r#"{{"cloudfront": {{"direct_path": "{direct_path}"}},"#);
        let json = GOOD
            .replacen('{', &table, 1)
            .replace("https://", &format!("{scheme}://"));
        Config::from_json(&json).map(|_| ())
    };
    assert_eq!(config("router-signed", "https"), Ok(()));
    assert_eq!(config("oac", "http"), Ok(()));
    let error = config("router-signed", "http").unwrap_err().to_string();
    assert!(
        error.starts_with("bucket `devices`: `origin.endpoint` has to be https"),
        "{error}"
    );
}

#[test]
fn a_function_without_buckets_reads_its_part_alone() {
    let part = |json: &str| CloudFront::from_json(json).map_err(|error| error.to_string());
    assert_eq!(part("{}"), Ok(Config::from_json(GOOD).unwrap().cloudfront));
    let json = r#"{"buckets": 1, "cloudfront": {"key_shards": 3}, "key_cache": {"fresh_seconds": 5}}"#;
    let read = part(json).unwrap();
    assert_eq!((read.key_shards.get(), read.times.fresh_seconds), (3, 5));
    for (json, named) in [
        ("", "line 1"),
        ("[]", "has to be a table"),
        (r#"{"cloudfront": {"x": 1}}"#, "`x`"),
        (
            r#"{"key_cache": {"stale_seconds": 1}}"#,
            "`key_cache.stale_seconds`",
        ),
    ] {
        let error = part(json).unwrap_err();
        assert!(error.contains(named), "{json}: {error}");
    }
}

#[test]
fn e04_hosts_without_a_signed_bucket_stand_for_one_bucket() {
    let config = |second: &str| {
        let json = GOOD
            .replace(r#""buckets": [{"#, r#""buckets": [{"name": "other", "origin": {"bucket": "acme-other", "region": "eu-west-1", "endpoint": "https://s3.example"}}, {"#)
            .replace(r#""cname": "devices"}"#, &format!(
                r#""cname": "devices", "unsigned_bucket": true}}, {{"host": "b.example.com", "cname": {second}}}"#
            ));
        Config::from_json(&json).map(|_| ())
    };
    assert_eq!(config(r#""devices", "unsigned_bucket": true"#), Ok(()));
    assert_eq!(config(r#""other""#), Ok(()));
    let error = config(r#""other", "unsigned_bucket": true"#).unwrap_err();
    assert!(error.0.contains("`unsigned_bucket`"), "{error}");
}

#[test]
fn every_mistake_gives_one_sentence_that_names_the_key() {
    for (from, to, named) in [
        (
            r#""buckets": ["#,
            r#""clock_window_seconds": 0, "buckets": ["#,
            "`clock_window_seconds`",
        ),
        (
            r#""buckets": ["#,
            r#""clock_window_seconds": 86400, "buckets": ["#,
            "`clock_window_seconds`",
        ),
        (
            r#""buckets": ["#,
            r#""clock_windows": 900, "buckets": ["#,
            "`clock_windows`",
        ),
        (
            r#""buckets": ["#,
            r#""key_cache": {"negative_seconds": 60}, "buckets": ["#,
            "`key_cache.negative_seconds`",
        ),
        (
            r#""buckets": ["#,
            r#""key_cache": {"stale_seconds": 1}, "buckets": ["#,
            "`key_cache.stale_seconds`",
        ),
        (
            r#""buckets": ["#,
            r#""key_cache": {"stale_seconds": 100000}, "buckets": ["#,
            "`key_cache.stale_seconds`",
        ),
        (
            r#""buckets": ["#,
            r#""key_cache": {"fresh_seconds": 7200}, "buckets": ["#,
            "`key_cache.fresh_seconds`",
        ),
        (r#""name": "devices""#, r#""name": "Devices""#, "`Devices`"),
        (
            r#""name": "devices""#,
            r#""name": "d111111abcdef8""#,
            "`d111111abcdef8`",
        ),
        (r#""name": "devices", "#, "", "`buckets[0].name`"),
        ("acme-ingest", "Acme", "`origin.bucket`"),
        (
            r#""region": "eu-west-1""#,
            r#""region": "eu west""#,
            "`origin.region`",
        ),
        (
            "https://s3.eu-west-1.amazonaws.com",
            "s3.eu-west-1.amazonaws.com",
            "`origin.endpoint`",
        ),
        (
            "https://s3.eu-west-1.amazonaws.com",
            "https://s3.amazonaws.com/bucket",
            "`origin.endpoint`",
        ),
        (
            "https://s3.eu-west-1.amazonaws.com",
            "ftp://s3.amazonaws.com",
            "`origin.endpoint`",
        ),
        (
            r#""host": "edge.example.com", "styles": ["path", "virtual-host"]"#,
            r#""host": "edge.example.com""#,
            "`styles`",
        ),
        (
            r#""host": "edge.example.com""#,
            r#""host": "Edge.example.com""#,
            "`host`",
        ),
        (
            r#""host": "edge.example.com""#,
            r#""host": "upload.example.com""#,
            "twice",
        ),
        (r#""cname": "devices""#, r#""cname": "nobody""#, "`cname`"),
        (
            r#""styles": ["path", "virtual-host"]"#,
            r#""styles": ["path"], "unsigned_bucket": true"#,
            "`unsigned_bucket`",
        ),
        (r#""path", "#, r#""paths", "#, "`paths`"),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let error = Config::from_json(&GOOD.replace(from, to))
            .err()
            .unwrap_or_else(|| panic!("{to}"))
            .to_string();
        assert!(error.contains(named) && !error.contains('\n'), "{to}: {error}");
    }
    assert!(Config::from_json(&GOOD.replace(r#"[{"host""#, r#"[],"x":[{"host""#)).is_err());
}

#[test]
fn the_default_port_of_an_endpoint_is_left_out_of_the_host() {
    for (endpoint, authority) in [
        ("https://s3.example:443", "s3.example"),
        ("http://127.0.0.1:80/", "127.0.0.1"),
        ("http://127.0.0.1:8333", "127.0.0.1:8333"),
        ("https://s3.example:80", "s3.example:80"),
    ] {
        let config =
            Config::from_json(&GOOD.replace("https://s3.eu-west-1.amazonaws.com", endpoint)).unwrap();
        assert_eq!(config.hosts.buckets()[0].origin.authority, authority);
    }
}

#[test]
fn a_configuration_survives_writing_and_reading() {
    let keyed = GOOD.replace(
        r#""aliases""#,
        r#""kms_keys": {"b": "arn:b", "a": "arn:a"}, "aliases""#,
    );
    let source = ConfigSource::read(Node::from_json(&keyed).unwrap()).unwrap();
    let json = serde_json::to_string(&source).unwrap();
    let config = Config::from_json(&json).unwrap();
    let keys = [("b", "arn:b"), ("a", "arn:a")].map(|(id, arn)| (id.to_owned(), arn.to_owned()));
    assert_eq!(config.hosts.buckets()[0].kms_keys, keys);
}

#[test]
fn a_bucket_was_made_when_the_configuration_says_or_when_1970_began() {
    let created = |field: &str| {
        let config = GOOD.replacen("\"origin\"", &[field, "\"origin\""].concat(), 1);
        Config::from_json(&config)
            .map(|config| config.hosts.buckets()[0].created.iso_extended())
            .map_err(|error| error.to_string())
    };
    assert_eq!(created("").as_deref(), Ok("1970-01-01T00:00:00.000Z"));
    for text in ["2024-05-01T12:34:56Z", "2024-05-01T12:34:56.789Z"] {
        let field = format!(r#""created": "{text}","#);
        assert_eq!(created(&field).as_deref(), Ok("2024-05-01T12:34:56.000Z"));
    }
    for text in [
        "",
        "2024-05-01",
        "2024-05-01T12:34:56",
        "2024-05-01T12:34:56+02:00",
        "2024-13-01T00:00:00Z",
    ] {
        let mistake = created(&format!(r#""created": "{text}","#)).unwrap_err();
        assert!(mistake.contains("bucket `devices`: `created`"), "{mistake}");
    }
}
