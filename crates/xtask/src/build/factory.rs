//! Turns the JavaScript that wasm-bindgen writes for one global instance into a function that makes instances.
//!
//! wasm-bindgen keeps *the* instance in variables of its ES module. A wasm trap leaves that instance in an
//! unknown state, and replacing it under requests that are still in flight would hand them pointers into
//! another memory. With one closure per instance the requests in flight keep theirs and new requests get a new one.

use anyhow::{bail, ensure};

/// The last line of wasm-bindgen's web output; its absence means that the output changed.
const DEFAULT_EXPORT: &str = "export { initSync, __wbg_init as default };";

/// Wraps wasm-bindgen's output for the web (`glue`) as `export function instantiate(module)`, which
/// instantiates a `WebAssembly.Module` and returns the named `exports` of that instance.
///
/// Classes are left out: they are what the crate `worker` exports for Workers of other kinds, and nothing here makes one.
///
/// # Errors
/// The output has another shape than the pinned wasm-bindgen writes.
pub(crate) fn instance_factory(glue: &str, exports: &[&str]) -> anyhow::Result<String> {
    let mut imports = String::new();
    let mut body = String::new();
    let mut default_export = false;
    // Statements of the module start in column 0; everything inside them is indented, but for the text of
    // template literals, which wasm-bindgen does not break over lines.
    let mut lines = glue.lines();
    while let Some(line) = lines.next() {
        if let Some(ends) = end_of_class(line) {
            ensure!(
                lines.any(ends),
                "a class of wasm-bindgen's output has no end: {line}"
            );
        } else if line.starts_with("if (Symbol.dispose) ") {
            // Of the class before it.
        } else if line.starts_with("import ") {
            ensure!(
                line.ends_with(';'),
                "an import of wasm-bindgen's output goes over several lines: {line}"
            );
            imports.push_str(line);
            imports.push('\n');
        } else if line == DEFAULT_EXPORT {
            default_export = true;
        } else if line.starts_with("export {") || line.starts_with("export default") {
            bail!("wasm-bindgen's output has an export that is not known here: {line}");
        } else {
            body.push_str(line.strip_prefix("export ").unwrap_or(line));
            body.push('\n');
        }
    }
    ensure!(
        default_export,
        "wasm-bindgen's output does not end as its web target does"
    );
    for name in exports {
        ensure!(
            body.contains(&format!("\nfunction {name}(")),
            "the wasm does not export a function {name}"
        );
    }
    Ok(format!(
        "{imports}export function instantiate(module) {{\n{body}initSync({{ module }});\nreturn {{ {} }};\n}}\n",
        exports.join(", ")
    ))
}

/// Whether a line ends the statement that begins with this one, if that is a class or frees its objects.
fn end_of_class(line: &str) -> Option<fn(&str) -> bool> {
    if line.strip_prefix("export ").unwrap_or(line).starts_with("class ") {
        return Some(|line| line == "}");
    }
    let is_finalization = line.starts_with("const ") && line.contains("Finalization = ");
    is_finalization.then_some(|line| line == "});")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GLUE: &str = "import { state } from './snippets/a/inline0.js';\n\nexport class Range {\n    free() {\n    }\n}\n\
        if (Symbol.dispose) Range.prototype[Symbol.dispose] = Range.prototype.free;\n\
        export function fetch(req) {\n    return wasm.fetch(req);\n}\nlet wasm;\nfunction initSync(module) {\n}\n\
        export { initSync, __wbg_init as default };\n";

    #[test]
    fn the_variables_of_an_instance_become_local_to_the_call_that_made_it() {
        let module = instance_factory(GLUE, &["fetch"]).unwrap();
        let (imports, function) = module
            .split_once("export function instantiate(module) {\n")
            .unwrap();
        assert_eq!(imports, "import { state } from './snippets/a/inline0.js';\n");
        assert!(function.contains("\nlet wasm;\n") && function.ends_with("return { fetch };\n}\n"));
        assert!(!function.contains("export ") && !function.contains("import "));
    }

    #[test]
    fn output_of_another_shape_is_refused() {
        assert!(instance_factory(&GLUE.replace("initSync, ", ""), &["fetch"]).is_err());
        assert!(instance_factory("let wasm;\n", &[]).is_err());
    }

    #[test]
    fn classes_and_what_frees_their_objects_are_left_out() {
        let module = instance_factory(
            &GLUE.replace(
                "let wasm;",
                "const RangeFinalization = (typeof FinalizationRegistry === 'undefined')\n    ? {}\n    : new \
                 FinalizationRegistry(({ ptr }) => {\n    wasm.__wbg_range_free(ptr, 1);\n});\nlet wasm;",
            ),
            &["fetch"],
        )
        .unwrap();
        assert!(!module.contains("Range") && !module.contains("range"), "{module}");
        assert!(module.contains("\nlet wasm;\n"));
    }

    #[test]
    fn a_missing_export_is_refused() {
        assert!(instance_factory(GLUE, &["scheduled"]).is_err());
    }
}
