//! The three CloudFront functions: CommonJS for Lambda's Node.js, and a wasm module each.
//!
//! An artefact is a function without its configuration: `causeway bundle cloudfront` adds causeway.json.

use std::fs;

use anyhow::Context as _;
use causeway::cloudfront::{AUTHORIZER, RESPONSE_HANDLER, ROUTER};
use wasm_bindgen_cli_support::Bindgen;

use super::{read, recipe};
use crate::artefact::Artefact;
use crate::progress::Step;
use crate::project::Project;
use crate::tools::Npm;
use crate::wasm;

/// The crates that become functions.
pub(crate) const NAMES: [&str; 3] = [AUTHORIZER, ROUTER, RESPONSE_HANDLER];

/// Builds the functions that are not up to date. The caller holds the project's lock.
pub(crate) fn build(project: &Project, npm: &Npm) -> anyhow::Result<Vec<Artefact>> {
    let compiled = wasm::compile(project, "the CloudFront functions", &NAMES)?;
    let recipe = recipe(project)?;
    let shared = read(&project.path("edge-functions/lambda.js"))?;
    let mut artefacts = Vec::new();
    for (name, wasm) in NAMES.into_iter().zip(&compiled) {
        let entry = read(&project.path("edge-functions").join(name).join("index.js"))?;
        let module = read(wasm)?;
        let inputs = [module.as_slice(), &entry, &shared, &recipe];
        artefacts.push(Artefact::of(project, name).build(project, inputs, |folder| {
            let step = Step::start(format!("binding and optimising {name}"));
            Bindgen::new()
                .input_path(wasm)
                .out_name(name)
                .nodejs(true)?
                .typescript(false)
                .remove_name_section(true)
                .remove_producers_section(true)
                .generate(folder)
                .with_context(|| format!("wasm-bindgen cannot bind {name}"))?;
            wasm::optimise(npm, &step, &folder.join(format!("{name}_bg.wasm")))?;
            fs::write(folder.join("index.js"), &entry)?;
            fs::write(folder.join("lambda.js"), &shared)?;
            step.done();
            Ok(())
        })?);
    }
    Ok(artefacts)
}
