//! Bundles for CloudFront.

#![allow(clippy::unwrap_used, reason = "a test may panic: that is how it fails")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read as _};

use causeway::cloudfront::{AUTHORIZER, Bundle, Parameter, RESPONSE_HANDLER, ROUTER, obstacles};
use flate2::read::DeflateDecoder;
use support::{GOOD, artefacts, configuration};
use zip::{CompressionMethod, DateTime, ZipArchive};

fn bundle(text: &str) -> Bundle {
    let folder = tempfile::tempdir().unwrap();
    artefacts(folder.path());
    Bundle::new(&configuration(text), folder.path()).unwrap()
}

fn values(parameters: &[Parameter]) -> BTreeMap<&str, &str> {
    parameters
        .iter()
        .map(|one| (one.parameter_key, one.parameter_value.as_str()))
        .collect()
}

#[test]
fn a_zip_has_the_artefact_and_the_configuration() {
    for (zip, function) in bundle(GOOD)
        .zips
        .iter()
        .zip([AUTHORIZER, ROUTER, RESPONSE_HANDLER])
    {
        assert_eq!(zip.function, function);
        let mut archive = ZipArchive::new(Cursor::new(&zip.bytes)).unwrap();
        let mut names = Vec::new();
        let mut unzipped = 0;
        for index in 0..archive.len() {
            // The zip crate is built to write only.
            let file = archive.by_index_raw(index).unwrap();
            let name = file.name().unwrap().into_owned();
            let mut content = String::new();
            DeflateDecoder::new(file).read_to_string(&mut content).unwrap();
            unzipped += content.len();
            if name == "causeway.json" {
                assert_eq!(content, configuration(GOOD).json());
            } else {
                assert_eq!(content, format!("{function}: {name}\n").repeat(100));
            }
            names.push(name);
        }
        let glue = [format!("{function}.js"), format!("{function}_bg.wasm.br")];
        let mut expected = vec!["causeway.json", "index.js", "lambda.js", &glue[0], &glue[1]];
        expected.sort_unstable();
        assert_eq!(names, expected);
        assert_eq!(zip.unzipped, unzipped);
    }
}

#[test]
fn a_zip_depends_on_nothing_but_its_files() {
    let (first, second) = (bundle(GOOD), bundle(GOOD));
    for (first, second) in first.zips.iter().zip(&second.zips) {
        assert_eq!((&first.name, &first.bytes), (&second.name, &second.bytes));
        let mut archive = ZipArchive::new(Cursor::new(&first.bytes)).unwrap();
        for index in 0..archive.len() {
            let file = archive.by_index_raw(index).unwrap();
            assert_eq!(file.last_modified(), Some(DateTime::default()));
            assert_eq!(file.unix_mode(), Some(0o100_644));
            assert_eq!(file.compression(), CompressionMethod::Deflated);
        }
    }
    let other = bundle(&GOOD.replace("upload.", "uploads."));
    assert_ne!(other.zips[0].name, first.zips[0].name);
}

#[test]
fn the_parameters_are_those_of_the_configuration() {
    let bundle = bundle(GOOD);
    let [authorizer, router, handler] = &bundle.zips;
    let storage = values(&bundle.storage);
    assert_eq!(
        storage,
        BTreeMap::from([
            ("BucketName", "acme-ingest"),
            ("DeviceKmsKeyArns", "arn:aws:kms:eu-west-1:123456789012:key/1"),
            ("DirectPath", "oac"),
            ("HandlerCodeKey", handler.name.as_str()),
            ("HandlerCodeSha256", handler.sha256_base64().as_str()),
            ("SecretsPrefix", "causeway"),
            ("SecretsRegion", "us-east-1"),
        ])
    );
    assert_eq!(
        values(&bundle.edge),
        BTreeMap::from([
            (
                "Aliases",
                "edge.example.com,*.edge.example.com,upload.example.com"
            ),
            ("AuthorizerCodeKey", authorizer.name.as_str()),
            ("AuthorizerCodeSha256", authorizer.sha256_base64().as_str()),
            ("DirectPath", "oac"),
            ("ResponseCodeKey", handler.name.as_str()),
            ("ResponseCodeSha256", handler.sha256_base64().as_str()),
            ("RouterCodeKey", router.name.as_str()),
            ("RouterCodeSha256", router.sha256_base64().as_str()),
            ("SecretsPrefix", "causeway"),
            ("SecretsReplicaRegions", ""),
        ])
    );
    assert!(handler.name.contains(&handler.sha256_hex()) && handler.sha256_hex().len() == 64);
}

#[test]
fn the_handler_reads_the_replica_of_its_own_region() {
    let regions = "[cloudfront]\nsecrets_regions = [\"ap-south-1\", \"eu-west-1\", \"us-east-1\"]\n";
    let near = bundle(&format!("{regions}{GOOD}"));
    assert_eq!(values(&near.storage)["SecretsRegion"], "eu-west-1");
    assert_eq!(
        values(&near.edge)["SecretsReplicaRegions"],
        "ap-south-1,eu-west-1"
    );
    let far = bundle(&format!("{}{GOOD}", regions.replace("\"eu-west-1\", ", "")));
    assert_eq!(values(&far.storage)["SecretsRegion"], "ap-south-1");
}

#[test]
fn addresses_and_the_distributions_own_name_are_no_aliases() {
    let hosts = ["127.0.0.1", "localhost", "d111111abcdef8.cloudfront.net"]
        .map(|host| format!("[[hosts]]\nhost = \"{host}\"\nstyles = [\"path\"]\n"));
    let bundle = bundle(&format!("{GOOD}{}", hosts.concat()));
    assert_eq!(
        values(&bundle.edge)["Aliases"],
        "edge.example.com,*.edge.example.com,upload.example.com"
    );
}

#[test]
fn what_the_templates_do_not_serve_is_refused() {
    let two = format!(
        "{GOOD}[[buckets]]\nname = \"more\"\norigin = {{ bucket = \"acme-more\", region = \"eu-west-1\", \
         endpoint = \"https://s3.eu-west-1.amazonaws.com\" }}\n"
    );
    for (text, sentence) in [
        (
            GOOD.replace("s3.eu-west-1", "s3.dualstack.eu-west-1"),
            "`origin.endpoint` has to be https://s3.eu-west-1.amazonaws.com",
        ),
        (
            GOOD.replace("region = ", "addressing = \"path\"\nregion = "),
            "`origin.addressing`",
        ),
        (GOOD.replace("acme-ingest", "acme.ingest"), "without dots"),
        (
            GOOD.replace("aliases", "acl = \"pass\"\naliases"),
            "`acl` has to be \"private\"",
        ),
        (two.clone(), "choose \"router-signed\""),
        (
            staged_in("acme-staging", GOOD),
            "leave `staging.bucket` out, or choose \"router-signed\"",
        ),
        (
            staged_in(
                "acme.staging",
                &format!("[cloudfront]\ndirect_path = \"router-signed\"\n{GOOD}"),
            ),
            "`staging.bucket` has to be a name without dots",
        ),
        (
            format!(
                "[cloudfront]\nsecrets_regions = [{}]\n{GOOD}",
                "\"eu-west-1\",".repeat(7)
            ),
            "at most 6 regions besides us-east-1",
        ),
    ] {
        let found = obstacles(&configuration(&text));
        assert!(
            matches!(&found[..], [one] if one.contains(sentence)),
            "{sentence}: {found:?}"
        );
        let folder = tempfile::tempdir().unwrap();
        assert!(Bundle::new(&configuration(&text), folder.path()).is_err());
    }
    let signed = format!("[cloudfront]\ndirect_path = \"router-signed\"\n{two}");
    assert_eq!(values(&bundle(&signed).edge)["DirectPath"], "router-signed");
    let staged = staged_in(
        "acme-staging",
        &format!("[cloudfront]\ndirect_path = \"router-signed\"\n{GOOD}"),
    );
    assert_eq!(values(&bundle(&staged).edge)["DirectPath"], "router-signed");
    // The origin's own bucket may be named, and a place that is off need not fit.
    for text in [
        staged_in("acme-ingest", GOOD),
        staged_in("acme-staging\"\nenabled = false\nprefix = \".causeway/", GOOD),
    ] {
        assert_eq!(obstacles(&configuration(&text)), Vec::<String>::new());
    }
}

/// The configuration with small parts waiting in this S3 bucket.
fn staged_in(bucket: &str, text: &str) -> String {
    let table = format!("[buckets.staging]\nbucket = \"{bucket}\"\n[buckets.origin]");
    text.replacen("[buckets.origin]", &table, 1)
}

#[test]
fn a_missing_or_incomplete_artefact_names_the_command_that_builds_it() {
    let folder = tempfile::tempdir().unwrap();
    let attempt = || {
        format!(
            "{:#}",
            Bundle::new(&configuration(GOOD), folder.path()).err().unwrap()
        )
    };
    assert!(attempt().contains("cargo xtask build"), "{}", attempt());
    artefacts(folder.path());
    fs::remove_file(folder.path().join(ROUTER).join("lambda.js")).unwrap();
    assert!(
        attempt().contains("lacks lambda.js: run `cargo xtask build` again"),
        "{}",
        attempt()
    );
}

#[test]
fn a_zip_that_lambda_at_edge_would_not_take_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    artefacts(folder.path());
    // What does not compress: a walk of a generator of noise.
    let noise: Vec<u8> = (0_u32..1_100_000)
        .scan(1_u32, |state, _| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            u8::try_from(*state >> 24).ok()
        })
        .collect();
    fs::write(folder.path().join(AUTHORIZER).join("extra"), noise).unwrap();
    let error = Bundle::new(&configuration(GOOD), folder.path()).err().unwrap();
    assert!(error.to_string().contains("Lambda@Edge takes 1048576"), "{error}");
}
