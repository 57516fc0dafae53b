//! How many weights are kept at each level.

use serde::{Deserialize, Serialize};

use super::PruningError;
use crate::mask::Density;

/// Densities by level; level 0 is the dense network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "schedule", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Schedule {
    /// Level k keeps round(dense weights x ratio^k) and starts from the weights of level k - 1.
    Geometric {
        /// Density ratio of a level to the one before, between 0 and 1.
        ratio: f64,
        /// The number of levels after the dense one.
        levels: usize,
    },
    /// Every level starts from the dense, trained network and is pruned at once.
    OneShot {
        /// Densities, falling.
        densities: Vec<Density>,
    },
}

impl Schedule {
    /// The number of levels after the dense one.
    pub fn levels(&self) -> usize {
        match self {
            Self::Geometric { levels, .. } => *levels,
            Self::OneShot { densities } => densities.len(),
        }
    }

    /// The level whose weights level `level` starts from.
    pub fn parent(&self, level: usize) -> Option<usize> {
        match self {
            _ if level == 0 => None,
            Self::Geometric { .. } => Some(level - 1),
            Self::OneShot { .. } => Some(0),
        }
    }

    /// The number of weights kept at `level` of a network with `dense` weights; all at level 0.
    ///
    /// ```
    /// use prunephase::pruning::Schedule;
    /// let schedule = Schedule::Geometric { ratio: 0.8, levels: 36 };
    /// assert_eq!(schedule.kept(1000, 0), 1000);
    /// assert_eq!(schedule.kept(1000, 10), 107);
    /// ```
    pub fn kept(&self, dense: usize, level: usize) -> usize {
        match self {
            _ if level == 0 => dense,
            Self::Geometric { ratio, .. } => (dense as f64 * ratio.powf(level as f64)).round() as usize,
            Self::OneShot { densities } => {
                densities.get(level - 1).or(densities.last()).map_or(dense, |density| density.kept_of(dense))
            }
        }
    }

    /// Checks the numbers.
    ///
    /// # Errors
    /// [`PruningError::Schedule`] for a ratio outside (0, 1), or densities that do not fall.
    pub fn check(&self) -> Result<(), PruningError> {
        match self {
            Self::Geometric { ratio, .. } if !(*ratio > 0.0 && *ratio < 1.0) => {
                Err(PruningError::Schedule(format!("ratio = {ratio}: must lie between 0 and 1, for example 0.8")))
            }
            Self::OneShot { densities } if densities.windows(2).any(|pair| pair[0] <= pair[1]) => {
                Err(PruningError::Schedule("densities must fall from one to the next".into()))
            }
            _ => Ok(()),
        }
    }

    /// Checks that every level keeps a weight of a network with `dense` weights.
    ///
    /// # Errors
    /// [`PruningError::Schedule`] with the number of levels that would.
    pub fn check_for(&self, dense: usize) -> Result<(), PruningError> {
        let last = self.levels();
        if self.kept(dense, last) > 0 {
            return Ok(());
        }
        let most = (0..last).rev().find(|&level| self.kept(dense, level) > 0).unwrap_or(0);
        Err(PruningError::Schedule(format!(
            "level {last} keeps none of the {dense} weights; at most {most} levels are possible"
        )))
    }
}
