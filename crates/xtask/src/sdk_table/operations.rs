//! The table of operations: which SDK performs which on which platform. Its rows are those of
//! tests/sdk/operations.json, its cells what the tests say that they exercised.

use std::collections::BTreeMap;
use std::fs;

use anyhow::Context as _;
use serde::Deserialize;

use super::Results;
use crate::project::Project;

/// The rows.
const FILE: &str = "tests/sdk/operations.json";

/// The SDKs, in the order of the columns.
const SDKS: [&str; 5] = [
    "oss2",
    "alibabacloud-oss-v2",
    "ali-oss",
    "boto3",
    "@aws-sdk/client-s3",
];

/// An operation.
#[derive(Deserialize)]
pub(super) struct Operation {
    /// OSS's name where OSS has it.
    operation: String,
    /// S3's, where it is another.
    s3_name: Option<String>,
    /// What every SDK is answered, where that is a refusal.
    answer: Option<String>,
    /// The call of each SDK that has one.
    calls: BTreeMap<String, String>,
}

/// What became of the calls of one operation by one SDK.
#[derive(Deserialize)]
pub(super) struct Covered {
    pub(super) sdk: String,
    pub(super) operation: String,
    pub(super) result: String,
}

/// Reads the rows.
pub(super) fn rows(project: &Project) -> anyhow::Result<Vec<Operation>> {
    let json = fs::read_to_string(project.path(FILE)).context(FILE)?;
    serde_json::from_str(&json).context(FILE)
}

/// The table, and what is wrong with it: the cells that no test filled, and those whose test failed.
pub(super) fn table(operations: &[Operation], platforms: &[Results]) -> (String, Vec<String>) {
    let mut text = String::from("| operation |");
    for sdk in SDKS {
        for Results { topology, .. } in platforms {
            text.push_str(&format!(" {sdk}, {topology} |"));
        }
    }
    text.push_str(&format!(
        "\n|---|{}\n",
        "---|".repeat(SDKS.len() * platforms.len())
    ));
    let mut wrong = Vec::new();
    for row in operations {
        text.push_str(&format!("| {}", row.operation));
        if let Some(s3_name) = &row.s3_name {
            text.push_str(&format!(" ({s3_name})"));
        }
        text.push_str(" |");
        for sdk in SDKS {
            let mut limits_before = 0;
            for platform in platforms {
                let cell = cell(row, sdk, platform, limits_before);
                limits_before += platform.limits.len();
                let cell = cell.unwrap_or_else(|reason| {
                    wrong.push(format!("{} with {sdk} on {}", row.operation, platform.topology));
                    format!("**{reason}**")
                });
                text.push_str(&format!(" {cell} |"));
            }
        }
        text.push('\n');
    }
    (text, wrong)
}

/// What an SDK can do with an operation on a platform whose first limit has the number after `limits_before`;
/// an error where no test says so.
fn cell(
    row: &Operation,
    sdk: &str,
    platform: &Results,
    limits_before: usize,
) -> Result<String, &'static str> {
    if !row.calls.contains_key(sdk) {
        return Ok("—".to_owned());
    }
    let mut said = Vec::new();
    let is_it = |one: &&Covered| one.sdk == sdk && one.operation == row.operation;
    match platform.operations.iter().find(is_it) {
        Some(covered) if covered.result == "passed" => {
            said.push(row.answer.clone().unwrap_or_else(|| "works".to_owned()));
        }
        Some(_) => return Err("fails"),
        None => {}
    }
    for (limit, number) in platform.limits.iter().zip(limits_before + 1..) {
        let named = limit.operations.get(sdk);
        if named.is_some_and(|operations| operations.contains(&row.operation)) {
            said.push(format!("limit {number}"));
        }
    }
    if said.is_empty() {
        return Err("no test");
    }
    Ok(said.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdk_table::Limit;

    fn operation(name: &str, answer: Option<&str>, sdks: &[&str]) -> Operation {
        Operation {
            operation: name.to_owned(),
            s3_name: None,
            answer: answer.map(str::to_owned),
            calls: sdks
                .iter()
                .map(|sdk| (String::from(*sdk), String::from("call")))
                .collect(),
        }
    }

    fn platform(topology: &str, covered: &[(&str, &str, &str)], limited: &[&str]) -> Results {
        let limits = limited.iter().map(|name| Limit {
            operations: BTreeMap::from([("boto3".to_owned(), vec![String::from(*name)])]),
            ..Limit::default()
        });
        Results {
            topology: topology.to_owned(),
            results: Vec::new(),
            operations: covered
                .iter()
                .map(|&(sdk, operation, result)| Covered {
                    sdk: sdk.to_owned(),
                    operation: operation.to_owned(),
                    result: result.to_owned(),
                })
                .collect(),
            limits: limits.collect(),
        }
    }

    #[test]
    fn a_cell_is_what_tests_saw_or_the_number_of_a_limit_and_else_wrong() {
        let rows = [
            operation("A", None, &["oss2", "boto3"]),
            operation("B", Some("501"), &["oss2"]),
            operation("C", None, &["oss2", "boto3"]),
        ];
        let worker = platform(
            "W",
            &[
                ("oss2", "A", "passed"),
                ("boto3", "A", "passed"),
                ("oss2", "B", "passed"),
                ("oss2", "C", "failed"),
                ("boto3", "C", "passed"),
            ],
            &["X"],
        );
        let cloudfront = platform(
            "F",
            &[
                ("oss2", "A", "passed"),
                ("boto3", "A", "passed"),
                ("oss2", "B", "passed"),
            ],
            &["A", "C"],
        );
        let (text, wrong) = table(&rows, &[worker, cloudfront]);
        let cells = |operation: &str| {
            let line = text
                .lines()
                .find(|line| line.starts_with(&format!("| {operation} |")))
                .unwrap();
            let cells: Vec<_> = line
                .split(" | ")
                .map(|cell| cell.trim_matches(['|', ' ']))
                .collect();
            [cells[1], cells[2], cells[7], cells[8]].map(str::to_owned)
        };
        assert_eq!(cells("A"), ["works", "works", "works", "works, limit 2"]);
        assert_eq!(cells("B"), ["501", "501", "—", "—"]);
        assert_eq!(cells("C"), ["**fails**", "**no test**", "works", "limit 3"]);
        assert_eq!(wrong, ["C with oss2 on W", "C with oss2 on F"]);
    }

    #[test]
    fn every_operation_is_a_row_with_calls_of_the_sdks_that_have_a_column() {
        let rows = rows(&Project::here()).unwrap();
        for row in &rows {
            for sdk in row.calls.keys() {
                assert!(SDKS.contains(&sdk.as_str()), "{}: {sdk}", row.operation);
            }
        }
    }
}
