//! The names of checkpoints inside a run folder.

use std::fmt;
use std::path::{Path, PathBuf};

/// One training task of a study; displayed as `DATASET-ARCHITECTURE-wWIDTH-sSEED`, the name of its
/// folder.
///
/// ```
/// use prunephase::checkpoint::paths::Task;
/// let task = Task { dataset: "mnist".into(), architecture: "fc4".into(), width: 32, seed: 7 };
/// assert_eq!(task.to_string(), "mnist-fc4-w32-s7");
/// let path = task.level("run".as_ref(), 3);
/// assert_eq!(path, std::path::Path::new("run/checkpoints/mnist-fc4-w32-s7/level-03.safetensors"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Task {
    /// The data set.
    pub dataset: String,
    /// The architecture.
    pub architecture: String,
    /// The width W.
    pub width: usize,
    /// The seed of the replicate.
    pub seed: u64,
}

impl fmt::Display for Task {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}-w{}-s{}", self.dataset, self.architecture, self.width, self.seed)
    }
}

impl Task {
    /// `RUN/checkpoints/TASK`.
    pub fn folder(&self, run: &Path) -> PathBuf {
        run.join("checkpoints").join(self.to_string())
    }

    /// The weights before training: `initial.safetensors` in the task's folder.
    pub fn initial(&self, run: &Path) -> PathBuf {
        self.folder(run).join("initial.safetensors")
    }

    /// The network at a level of the schedule: `level-00.safetensors` and so on.
    pub fn level(&self, run: &Path, level: usize) -> PathBuf {
        self.folder(run).join(format!("level-{level:02}.safetensors"))
    }

    /// The mask of a level alone: `level-00.mask.safetensors` and so on.
    pub fn mask(&self, run: &Path, level: usize) -> PathBuf {
        self.folder(run).join(format!("level-{level:02}.mask.safetensors"))
    }
}
