//! A part of a study's tasks.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use super::StudyError;
use crate::checkpoint::paths::Task;

/// Shard I of N: the tasks I, I + N, I + 2 N, ... of a study's list, with I from 1 to N. The list
/// goes by width, so that every shard has its share of the wide networks.
///
/// ```
/// use prunephase::study::Shard;
/// let shard: Shard = "2/3".parse()?;
/// assert_eq!((shard.index(), shard.of()), (2, 3));
/// assert_eq!((0..7).filter(|&task| shard.holds(task)).collect::<Vec<_>>(), [1, 4]);
/// assert!("0/3".parse::<Shard>().is_err());
/// # Ok::<(), prunephase::study::StudyError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: NonZeroUsize,
    of: NonZeroUsize,
}

impl Shard {
    /// I, from 1 on.
    pub fn index(self) -> usize {
        self.index.get()
    }

    /// N.
    pub fn of(self) -> usize {
        self.of.get()
    }

    /// Whether the task at this place of the list, from 0 on, is the shard's.
    pub fn holds(self, place: usize) -> bool {
        place % self.of() == self.index() - 1
    }

    /// The shard's tasks.
    pub fn select(self, tasks: Vec<Task>) -> Vec<Task> {
        tasks.into_iter().enumerate().filter(|(place, _)| self.holds(*place)).map(|(_, task)| task).collect()
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.index, self.of)
    }
}

impl FromStr for Shard {
    type Err = StudyError;

    fn from_str(text: &str) -> Result<Self, StudyError> {
        let parts = || {
            let (index, of) = text.split_once('/')?;
            let (index, of): (NonZeroUsize, NonZeroUsize) = (index.parse().ok()?, of.parse().ok()?);
            (index <= of).then_some(Self { index, of })
        };
        parts().ok_or_else(|| StudyError::Shard { text: text.to_owned() })
    }
}
