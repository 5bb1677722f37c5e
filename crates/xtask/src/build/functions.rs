//! The three CloudFront functions: CommonJS for Lambda's Node.js, and a wasm module each.
//!
//! An artefact is a function without its configuration: `causeway bundle cloudfront` adds causeway.json.
//!
//! The wasm is compressed by Brotli, which Node reads: a zip can only deflate, and is 15 % larger. An instance takes
//! 2 ms more to start for it.

use std::fs;

use anyhow::Context as _;
use brotli::enc::BrotliEncoderParams;
use brotli::enc::backward_references::BrotliEncoderMode::BROTLI_FORCE_MSB_PRIOR;
use causeway::cloudfront::{AUTHORIZER, RESPONSE_HANDLER, ROUTER};
use wasm_bindgen_cli_support::Bindgen;

use super::{read, recipe, text, without_comments};
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
    let shared = text(&project.path("edge-functions/lambda.js"))?;
    let mut artefacts = Vec::new();
    for (name, wasm) in NAMES.into_iter().zip(&compiled) {
        let entry = text(&project.path("edge-functions").join(name).join("index.js"))?;
        let module = read(wasm)?;
        let inputs = [module.as_slice(), entry.as_bytes(), shared.as_bytes(), &recipe];
        artefacts.push(Artefact::of(project, name).build(project, inputs, |folder| {
            let step = Step::start(format!("binding and optimising {name}"));
            Bindgen::new()
                .input_path(wasm)
                .out_name(name)
                .nodejs(true)?
                .typescript(false)
                .remove_producers_section(true)
                .generate(folder)
                .with_context(|| format!("wasm-bindgen cannot bind {name}"))?;
            let module = folder.join(format!("{name}_bg.wasm"));
            wasm::optimise(npm, &step, &module)?;
            fs::write(module.with_extension("wasm.br"), compressed(&read(&module)?)?)?;
            fs::remove_file(&module)?;
            let glue = folder.join(format!("{name}.js"));
            fs::write(
                &glue,
                without_comments(&reading_compressed(&fs::read_to_string(&glue)?)?),
            )?;
            fs::write(folder.join("index.js"), without_comments(&entry))?;
            fs::write(folder.join("lambda.js"), without_comments(&shared))?;
            step.done();
            Ok(())
        })?);
    }
    Ok(artefacts)
}

/// The module as Brotli writes it, foretelling each byte from the upper bits of the one before it: 1 % smaller, because
/// like instructions have like numbers.
fn compressed(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let parameters = BrotliEncoderParams {
        size_hint: module.len(),
        mode: BROTLI_FORCE_MSB_PRIOR,
        ..BrotliEncoderParams::default()
    };
    brotli::BrotliCompress(&mut &*module, &mut bytes, &parameters)?;
    Ok(bytes)
}

/// wasm-bindgen's output for Node, but reading a compressed module.
///
/// # Errors
/// The output has another shape than the pinned wasm-bindgen writes.
fn reading_compressed(glue: &str) -> anyhow::Result<String> {
    const READING: &str = "_bg.wasm`;\nconst wasmBytes = require('fs').readFileSync(wasmPath);\n";
    let (before, after) = glue
        .split_once(READING)
        .context("wasm-bindgen's output reads its module in a way that is not known here")?;
    Ok(format!(
        "{before}_bg.wasm.br`;\n\
         const wasmBytes = require('zlib').brotliDecompressSync(require('fs').readFileSync(wasmPath));\n{after}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_glue_reads_the_compressed_module() {
        let glue = "const wasmPath = `${__dirname}/a_bg.wasm`;\nconst wasmBytes = \
                    require('fs').readFileSync(wasmPath);\nconst wasmModule = 0;\n";
        assert_eq!(
            reading_compressed(glue).unwrap(),
            "const wasmPath = `${__dirname}/a_bg.wasm.br`;\nconst wasmBytes = \
             require('zlib').brotliDecompressSync(require('fs').readFileSync(wasmPath));\nconst wasmModule = 0;\n"
        );
        assert!(reading_compressed(&glue.replace("readFileSync", "readFile")).is_err());
    }

    #[test]
    fn a_module_is_smaller_compressed() {
        assert!(compressed(&[0; 10_000]).unwrap().len() < 100);
    }
}
