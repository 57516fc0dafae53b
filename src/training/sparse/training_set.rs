//! A data set to train on, with what all trainings on it share.

use std::sync::{Arc, OnceLock};

use super::shades::Shades;
use crate::data::Dataset;

/// A data set to train on. Clones share the images as bytes, which the first training of the sparse engine makes
/// where they are of whole numbers (a quarter of their memory).
///
/// ```
/// use prunephase::data::{Locations, load};
/// use prunephase::training::TrainingSet;
///
/// let split = load("digits", &Locations::default())?;
/// let set = TrainingSet::from(&split.train);
/// assert_eq!(set.data().len(), split.train.len());
/// # Ok::<(), prunephase::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct TrainingSet<'a> {
    data: &'a Dataset,
    shades: Arc<OnceLock<Option<Shades>>>,
}

impl<'a> From<&'a Dataset> for TrainingSet<'a> {
    fn from(data: &'a Dataset) -> Self {
        Self { data, shades: Arc::default() }
    }
}

impl<'a> From<&TrainingSet<'a>> for TrainingSet<'a> {
    fn from(set: &Self) -> Self {
        set.clone()
    }
}

impl<'a> TrainingSet<'a> {
    /// The images and labels.
    pub fn data(&self) -> &'a Dataset {
        self.data
    }

    /// The images as bytes; `None` where they are not of whole numbers. O(pixels) the first time.
    pub(super) fn shades(&self) -> Option<&Shades> {
        self.shades.get_or_init(|| Shades::of(self.data.images.as_slice()?)).as_ref()
    }
}
