//! The README says of each preset what the code does.

use gateway::policy::{DATA_LAYER, PRESETS, READ_ONLY, READ_WRITE, UPLOAD_ONLY, preset};
use oss_s3::operation::Operation;

const README: &str = include_str!("../../../README.md");

/// The words behind `text` up to the end of the row.
fn listed<'r>(row: &'r str, text: &str) -> Vec<&'r str> {
    let names = row.split_once(text).map_or("", |(_, names)| names);
    names.trim_end_matches(" |").split(", ").collect()
}

fn names(operations: impl IntoIterator<Item = Operation>) -> Vec<&'static str> {
    operations.into_iter().map(Operation::name).collect()
}

#[test]
fn the_readme_lists_the_operations_of_every_preset() {
    let (_, table) = README.split_once("<!-- presets -->").unwrap();
    let (table, _) = table.split_once("<!-- /presets -->").unwrap();
    let row = |preset: &str| {
        let beginning = format!("| `{preset}` | ");
        let row = table.lines().find(|line| line.starts_with(&beginning));
        row.unwrap_or_else(|| panic!("there is no row for {preset}"))
    };
    let of = |name: &str| preset(name).unwrap();
    assert_eq!(
        listed(row(UPLOAD_ONLY), "| `upload-only` | "),
        names(of(UPLOAD_ONLY))
    );
    assert_eq!(listed(row(READ_ONLY), "| `read-only` | "), names(of(READ_ONLY)));
    let more = |of_less: &[&str], name: &str| {
        let less: Vec<Operation> = of_less.iter().flat_map(|name| of(name)).collect();
        names(
            of(name)
                .into_iter()
                .filter(move |operation| !less.contains(operation)),
        )
    };
    let writes = more(&[UPLOAD_ONLY, READ_ONLY], READ_WRITE);
    assert_eq!(listed(row(READ_WRITE), "and `read-only`, and "), writes);
    assert_eq!(
        listed(row(DATA_LAYER), "every operation: also "),
        more(&[READ_WRITE], DATA_LAYER)
    );
    assert_eq!(table.matches("\n| `").count(), PRESETS.len());
}
