//! The folder of key records that an operator keeps: each file a record, named by its id.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use gateway::document::Node;
use gateway::keys::{KeyRecord, KeyRecordSource};
use gateway::policy::{GrantSource, READ_ONLY};
use oss_s3::operation::Operation;
use request_auth::Scheme;
use request_auth::derived::fleet_of_record;
use serde::Serialize;

use crate::configuration::Configuration;

/// What a folder of key records holds.
#[derive(Serialize)]
pub struct Records {
    /// How many keys are listed by themselves.
    pub keys: usize,
    /// The fleets.
    pub fleets: Vec<Fleet>,
    /// Sentences.
    pub warnings: Vec<String>,
}

/// A fleet of derived keys.
#[derive(Serialize)]
pub struct Fleet {
    /// The id of its record.
    pub id: String,
    /// How many masters it has: two during a rotation.
    pub masters: usize,
    /// How many of its devices are revoked.
    pub revoked: usize,
}

impl Records {
    /// Looks at the records of a folder, for a gateway of this configuration.
    ///
    /// # Errors
    /// A file that is no key record, or two files for one id. No sentence has a secret.
    pub fn of(folder: &Path, configuration: &Configuration) -> anyhow::Result<Self> {
        let mut records = Self {
            keys: 0,
            fleets: Vec::new(),
            warnings: Vec::new(),
        };
        let mut of_links = BTreeSet::new();
        for (id, json) in read(folder)? {
            KeyRecord::from_json(&id, &json).map_err(|error| anyhow!("{error}"))?;
            let source = KeyRecordSource::read(Node::from_json(&json)?)?;
            if source
                .schemes
                .iter()
                .any(|scheme| scheme == Scheme::Preview.name())
            {
                of_links.insert(id.clone());
            }
            let is_fleet = fleet_of_record(&id).is_some();
            for grant in &source.grants {
                records.warn(&id, grant, is_fleet, configuration);
            }
            if is_fleet {
                records.fleets.push(Fleet {
                    masters: source.masters.len(),
                    revoked: source.revoked.len(),
                    id,
                });
            } else {
                records.keys = records.keys.saturating_add(1);
            }
        }
        let previews = configuration.source().preview.iter();
        for preview in previews.filter(|preview| !of_links.contains(&preview.key)) {
            records.warnings.push(format!(
                "preview of host `{}`: there is no key record `{}` with \"preview\" in its `schemes`; no link works",
                preview.host, preview.key
            ));
        }
        Ok(records)
    }

    fn warn(&mut self, id: &str, grant: &GrantSource, is_fleet: bool, configuration: &Configuration) {
        let bucket = &grant.bucket;
        if !configuration
            .source()
            .buckets
            .iter()
            .any(|configured| configured.name == *bucket)
        {
            self.warnings.push(format!(
                "key record `{id}`: a grant is for the bucket `{bucket}`, which is no `name` of `buckets`; it allows nothing"
            ));
        }
        let names_the_device = |template: &str| {
            template
                .split('/')
                .any(|part| matches!(part, "{key_id}" | "{device}"))
        };
        let reads = |name: &String| {
            name == READ_ONLY
                || Operation::from_name(name).is_some_and(|operation| {
                    operation == Operation::ListParts || Operation::READ.contains(&operation)
                })
        };
        let only_reads = grant.operations.iter().all(reads);
        if !is_fleet || only_reads {
            return;
        }
        let either = |names: &dyn Fn(&str) -> bool| names(&grant.mount) || names(&grant.prefix);
        if !either(&names_the_device) {
            self.warnings.push(format!(
                "key record `{id}`: all devices of the fleet store in the same place of `{bucket}` and may overwrite each \
                 other's objects; put `{{key_id}}/` into the grant's `mount`"
            ));
        } else if !either(&|template| template.split('/').any(|part| part == "{key_id}")) {
            self.warnings.push(format!(
                "key record `{id}`: a device's place in `{bucket}` may also be that of another fleet's device or of a plain \
                 key with such a name; `{{key_id}}/` in the grant's `mount` is a place of its own"
            ));
        }
    }
}

/// The texts of the records by their ids. Files whose names begin with a dot are not ours.
pub(crate) fn read(folder: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let mut records = BTreeMap::new();
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.with_context(|| format!("{} is not named by a key id", path.display()))?;
        if name.starts_with('.') {
            continue;
        }
        let id = name.strip_suffix(".json").unwrap_or(name);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        if records.insert(id.to_owned(), text).is_some() {
            bail!(
                "{} has two files for the key `{id}`: remove one",
                folder.display()
            );
        }
    }
    Ok(records)
}
