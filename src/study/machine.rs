//! What results depend on beside the study: the version, the device and the instruction set.

use serde::{Deserialize, Serialize};

use super::folder::write_json;
use super::{RunFolder, StudyError};
use crate::files;
use crate::training::{Device, Engine, EngineChoice};

/// What the last bits of results depend on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The version of this crate.
    pub prunephase: String,
    /// What trains.
    pub engine: EngineChoice,
    /// Where burn's tensors live.
    pub device: Device,
    /// The vector instructions that kernels may choose at run time: with others the last bits differ.
    pub instruction_set: Vec<String>,
}

impl Machine {
    /// This one.
    pub fn this(engine: Engine) -> Self {
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
        let instruction_set = found.into_iter().map(str::to_owned).collect();
        let Engine { choice: engine, device } = engine;
        Self { prunephase: env!("CARGO_PKG_VERSION").to_owned(), engine, device, instruction_set }
    }

    /// The first thing in which two differ, with both values; `None` where their results are the
    /// same bytes.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let parts = |machine: &Self| {
            [
                ("version", machine.prunephase.clone()),
                ("engine", machine.engine.to_string()),
                ("device", machine.device.to_string()),
                ("instruction set", machine.instruction_set.join(" ")),
            ]
        };
        let differ = parts(self).into_iter().zip(parts(other)).find(|(one, two)| one != two);
        differ.map(|((name, one), (_, two))| format!("{name}: {one} and {two}"))
    }

    /// The machine of a run folder; `None` where nothing was run in it yet.
    ///
    /// # Errors
    /// [`StudyError::Damaged`] where machine.json cannot be read.
    pub fn of_folder(folder: &RunFolder) -> crate::Result<Option<Self>> {
        let path = folder.machine_file();
        if !path.is_file() {
            return Ok(None);
        }
        let text = files::read_text(&path)?;
        let machine = serde_json::from_str(&text)
            .map_err(|error| StudyError::Damaged { path, message: format!("not a machine: {error}") })?;
        Ok(Some(machine))
    }

    /// Claims a folder for this machine: writes machine.json, or checks that the one there gives the
    /// same bytes.
    ///
    /// # Errors
    /// [`StudyError::OtherMachine`].
    pub fn claim(&self, folder: &RunFolder) -> crate::Result<()> {
        match Self::of_folder(folder)?.map(|there| there.difference(self)) {
            None => write_json(&folder.machine_file(), self),
            Some(None) => Ok(()),
            Some(Some(difference)) => {
                Err(StudyError::OtherMachine { folder: folder.root().to_path_buf(), difference }.into())
            }
        }
    }
}
