//! The manifest: what made a run folder, and the checksums of its files.

use std::collections::BTreeMap;

use serde::Serialize;

use super::folder::write_json;
use super::{Machine, RunFolder, Study};
use crate::files;

#[derive(Debug, Serialize)]
struct Manifest<'a> {
    #[serde(flatten)]
    machine: &'a Machine,
    study: &'a Study,
    seeds: Vec<u64>,
    /// BLAKE3, by path below the folder.
    checksums: BTreeMap<String, String>,
}

/// Writes manifest.json over everything that the study determines.
pub(super) fn write_manifest(folder: &RunFolder, study: &Study, machine: &Machine) -> crate::Result<()> {
    let mut checksums = BTreeMap::new();
    for part in ["checkpoints", "tables", "fits"] {
        let below = folder.root().join(part);
        if !below.is_dir() {
            continue;
        }
        for path in files::below(&below)? {
            let name = path.strip_prefix(folder.root()).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            checksums.insert(name, files::checksum(&path)?);
        }
    }
    let manifest = Manifest { machine, study, seeds: (0..study.network.replicates.most()).collect(), checksums };
    write_json(&folder.manifest(), &manifest)
}
