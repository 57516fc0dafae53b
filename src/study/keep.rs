//! Which checkpoints of a run stay.

use serde::{Deserialize, Serialize};

use super::RunFolder;
use crate::checkpoint::paths::Task;
use crate::files::FileError;

/// What stays of the checkpoints once nothing needs them: going on needs the last level's (of one-shot
/// pruning the dense one's) and the weights at initialisation, retraining those that it retrains.
/// Tables, fits and figures need none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// The weights at initialisation, and the weights and the mask of every level.
    #[default]
    All,
    /// The weights and the mask of every level.
    Levels,
    /// The mask of every level, as `level-NN.mask.safetensors`.
    Masks,
    /// Nothing.
    None,
}

impl Keep {
    /// Whether the weights at initialisation stay.
    pub fn initial(self) -> bool {
        self == Self::All
    }

    /// Whether the weights of every level stay.
    pub fn weights(self) -> bool {
        matches!(self, Self::All | Self::Levels)
    }

    /// Whether what must stay of a level is there.
    pub(super) fn is_there(self, folder: &RunFolder, task: &Task, level: usize) -> bool {
        let whole = || task.level(folder.root(), level).is_file();
        match self {
            Self::All | Self::Levels => whole(),
            Self::Masks => task.mask(folder.root(), level).is_file() || whole(),
            Self::None => true,
        }
    }

    /// Removes the checkpoints of a task up to a level that neither stay nor are `needed`.
    pub(super) fn trim(
        self,
        folder: &RunFolder,
        task: &Task,
        last: usize,
        needed: impl Fn(usize) -> bool,
        initial_needed: bool,
    ) -> Result<(), FileError> {
        let root = folder.root();
        let initial = (!self.initial() && !initial_needed).then(|| task.initial(root));
        let levels = (0..=last).filter(|&level| !self.weights() && !needed(level)).map(|level| task.level(root, level));
        for path in initial.into_iter().chain(levels).filter(|path| path.is_file()) {
            std::fs::remove_file(&path).map_err(|source| FileError::write(&path, source))?;
        }
        Ok(())
    }
}
