//! The Cloudflare Worker: ES modules and one wasm module.
//!
//! worker-build is not used: it is compiled apart, fetches other programs, and replaces the one global wasm
//! instance under requests in flight (see [`super::factory`]).

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use wasm_bindgen_cli_support::Bindgen;

use super::factory::instance_factory;
use super::{read, recipe, text, without_comments};
use crate::artefact::Artefact;
use crate::progress::Step;
use crate::project::Project;
use crate::tools::Npm;
use crate::wasm;

/// The crate that becomes the Worker.
const CRATE: &str = "cloudflare-gateway";
/// What index.js calls on an instance.
const EXPORTS: &[&str] = &["fetch"];

/// Builds the Worker, or does nothing when it is up to date. The caller holds the project's lock.
pub(crate) fn build(project: &Project, npm: &Npm) -> anyhow::Result<Artefact> {
    let compiled = wasm::compile(project, "the Worker", &[CRATE])?;
    let compiled = compiled.first().context("the Worker is one module")?;
    let entry = text(&project.path("edge-functions/cloudflare-gateway/index.js"))?;
    let (module, recipe) = (read(compiled)?, recipe(project)?);
    let inputs = [module.as_slice(), entry.as_bytes(), &recipe];
    Artefact::of(project, CRATE).build(project, inputs, |folder| {
        let step = Step::start("binding and optimising the Worker's wasm");
        bind(compiled, folder)?;
        let module = folder.join("index_bg.wasm");
        fs::rename(folder.join("glue_bg.wasm"), &module)?;
        wasm::optimise(npm, &step, &module)?;
        fs::write(folder.join("index.js"), without_comments(&entry))?;
        step.done();
        Ok(())
    })
}

/// Writes `glue.js` and `glue_bg.wasm`. What the glue does not call is no export any more: the crate `worker` exports
/// classes for Workers of other kinds, with everything that they reach.
fn bind(wasm: &Path, folder: &Path) -> anyhow::Result<()> {
    // Bound twice: only what is written has its lines indented, and it can be written once.
    let bound = || {
        Bindgen::new()
            .input_path(wasm)
            .out_name("glue")
            .web(true)?
            .typescript(false)
            .omit_default_module_path(true)
            .remove_producers_section(true)
            .generate_output()
            .context("wasm-bindgen cannot bind the Worker's wasm")
    };
    bound()?.emit(folder)?;
    let glue = instance_factory(&text(&folder.join("glue.js"))?, EXPORTS)?;
    let mut output = bound()?;
    let exports = output.wasm().exports.iter().map(|export| export.name.clone());
    let unused: Vec<String> = exports
        .filter(|name| !glue.contains(&format!("wasm.{name}")))
        .collect();
    for name in unused {
        output.wasm_mut().exports.remove(name)?;
    }
    output.emit(folder)?;
    fs::write(folder.join("glue.js"), without_comments(&glue))?;
    // A folder for each crate that has any.
    for snippets in fs::read_dir(folder.join("snippets"))? {
        for snippet in fs::read_dir(snippets?.path())? {
            let path = snippet?.path();
            fs::write(&path, without_comments(&text(&path)?))?;
        }
    }
    Ok(())
}
