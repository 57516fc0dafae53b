//! The manifest: what made a run folder, and the checksums of its files.

use std::collections::BTreeMap;

use serde::Serialize;

use super::folder::write_json;
use super::{RunFolder, Study};
use crate::files;
use crate::training::Device;

#[derive(Debug, Serialize)]
struct Manifest<'a> {
    prunephase: &'static str,
    study: &'a Study,
    seeds: Vec<u64>,
    device: Device,
    instruction_set: Vec<&'static str>,
    /// BLAKE3, by path below the folder.
    checksums: BTreeMap<String, String>,
}

/// The vector instructions that kernels may choose at run time: with others the last bits differ.
fn instruction_set() -> Vec<&'static str> {
    let mut found = vec![std::env::consts::ARCH];
    #[cfg(target_arch = "x86_64")]
    {
        let known = [
            ("avx2", std::arch::is_x86_feature_detected!("avx2")),
            ("fma", std::arch::is_x86_feature_detected!("fma")),
            ("avx512f", std::arch::is_x86_feature_detected!("avx512f")),
        ];
        found.extend(known.iter().filter(|(_, there)| *there).map(|(name, _)| *name));
    }
    found
}

/// Writes manifest.json over everything that the study determines.
pub(super) fn write_manifest(folder: &RunFolder, study: &Study, device: Device) -> crate::Result<()> {
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
    let manifest = Manifest {
        prunephase: env!("CARGO_PKG_VERSION"),
        study,
        seeds: (0..study.network.replicates).collect(),
        device,
        instruction_set: instruction_set(),
        checksums,
    };
    write_json(&folder.manifest(), &manifest)
}
