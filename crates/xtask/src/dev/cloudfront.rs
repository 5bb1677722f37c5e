//! The three functions in the local CloudFront (tests/cloudfront-harness), deployed as an operator would: the
//! zips of `causeway bundle cloudfront` and the templates of infra/cloudfront, evaluated with its parameters.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use causeway::cloudfront::{Bundle, Parameter};
use serde::Deserialize;
use serde_json::{Value, json};

use super::gateway::{Gateway, Listening, LocalPlatform, Scene};
use crate::build;
use crate::project::Project;
use crate::tools::{Npm, npm_ci};

/// The program.
const HARNESS: &str = "tests/cloudfront-harness";

/// The functions, built, and the local CloudFront installed.
pub(super) struct CloudFront {
    main: PathBuf,
    artefacts: PathBuf,
}

/// The harness's own first line.
#[derive(Deserialize)]
struct FirstLine {
    ready: Ready,
}

#[derive(Deserialize)]
struct Ready {
    url: String,
    tls_url: String,
}

impl CloudFront {
    /// Installs the local CloudFront and builds the functions. The caller holds the project's lock.
    pub(super) fn prepare(project: &Project) -> anyhow::Result<Self> {
        let npm = Npm::install(project)?;
        let harness = project.path(HARNESS);
        npm_ci(&harness, "installing the local CloudFront's packages from npm")?;
        build::functions::build(project, &npm)?;
        Ok(Self {
            main: harness.join("main.mjs"),
            artefacts: project.path("target/edge"),
        })
    }
}

impl LocalPlatform for CloudFront {
    fn start(&self, scene: &Scene<'_>) -> anyhow::Result<Gateway> {
        let Scene {
            project,
            run,
            settings,
            keys,
            origin,
            certificate,
        } = scene;
        let configuration = settings.configuration();
        let bundle = Bundle::new(configuration, &self.artefacts)?;
        let folder = run.folder("bundle")?;
        bundle.write(&folder)?;
        let code: BTreeMap<&str, PathBuf> = bundle
            .zips
            .iter()
            .map(|zip| (zip.name.as_str(), folder.join(&zip.name)))
            .collect();
        // Aliases need a certificate in the template, of which the local CloudFront takes only the name.
        let edge = [
            ("CodeBucket", "code"),
            (
                "CertificateArn",
                "arn:aws:acm:us-east-1:111122223333:certificate/local",
            ),
        ];
        let cloudfront = &configuration.source().cloudfront;
        let template = |name: &str| project.path(format!("infra/cloudfront/{name}.yaml"));
        let config = json!({
            "listen": {
                "host": "127.0.0.1",
                "port": 0,
                "tls": { "port": 0, "certificate_file": certificate.file, "key_file": certificate.key_file },
            },
            "templates": { "storage": template("storage"), "edge": template("edge") },
            "parameters": {
                // A key does what its own grant lets it, in tests and by hand.
                "storage": parameters(&bundle.storage, &[("CodeBucket", "code"), ("Access", "data-layer")]),
                "edge": parameters(&bundle.edge, &edge),
            },
            "code": code,
            "bucket_region": settings.origin()?.region,
            "origin": origin,
            "secrets": {
                "prefix": cloudfront.secrets_prefix,
                "shards": cloudfront.key_shards,
                "keys_folder": keys,
                "passport": origin.gateway_secret(),
            },
        });
        let file = run.path("harness.json");
        fs::write(&file, serde_json::to_vec_pretty(&config)?)
            .with_context(|| format!("cannot write {}", file.display()))?;
        let arguments = [self.main.clone().into(), file.into()];
        Gateway::start(
            "the local CloudFront",
            "node".as_ref(),
            &arguments,
            run,
            listening,
        )
    }
}

/// Parameters of a template: those of the bundle, and what an operator has to add.
fn parameters(bundled: &[Parameter], own: &[(&str, &str)]) -> BTreeMap<String, Value> {
    let bundled = bundled
        .iter()
        .map(|one| (one.parameter_key, one.parameter_value.as_str()));
    bundled
        .chain(own.iter().copied())
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect()
}

/// Where it listens, when the line is the one that says so.
fn listening(line: &str) -> Option<Listening> {
    let FirstLine { ready } = serde_json::from_str(line).ok()?;
    Some(Listening {
        url: Some(ready.url),
        tls_url: Some(ready.tls_url),
    })
}
