//! Images with labels, and their normalisation.

use std::path::Path;

use ndarray::{Array2, Axis, s};
use serde::{Deserialize, Serialize};

use super::error::DataError;
use super::idx::Idx;
use crate::network::FeatureShape;

/// Images with labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// The name of the set.
    pub name: String,
    /// [image, pixel], pixels row by row, from 0 (black) to 1 (white) until normalised.
    pub images: Array2<f32>,
    /// The shape of one image.
    pub shape: FeatureShape,
    /// The class of each image, below `classes`.
    pub labels: Vec<u8>,
    /// The number of classes.
    pub classes: usize,
}

/// x becomes (x - mean) / standard_deviation, for every pixel alike.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalisation {
    /// Of the pixels from 0 to 1.
    pub mean: f64,
    /// Of the pixels from 0 to 1; above 0.
    pub standard_deviation: f64,
}

impl Normalisation {
    /// The customary numbers for MNIST: those of its training images, to four digits.
    pub const MNIST: Self = Self { mean: 0.1307, standard_deviation: 0.3081 };

    /// Mean and (population) standard deviation of all pixels of `dataset`. O(pixels).
    pub fn of(dataset: &Dataset) -> Self {
        let count = dataset.images.len().max(1) as f64;
        let mean = dataset.images.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
        let variance = dataset.images.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / count;
        Self { mean, standard_deviation: variance.sqrt() }
    }
}

/// Images to train on and images to test on.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// To train on.
    pub train: Dataset,
    /// To test on.
    pub test: Dataset,
    /// What a user should know about the files, one line each.
    pub warnings: Vec<String>,
}

impl Split {
    /// Normalises train and test alike; see [`Dataset::normalise`].
    ///
    /// # Errors
    /// [`DataError::Normalisation`].
    pub fn normalise(&mut self, by: Normalisation) -> Result<(), DataError> {
        self.train.normalise(by)?;
        self.test.normalise(by)
    }
}

impl Dataset {
    /// Images and labels of two IDX files; `white` is the largest value of a pixel.
    pub(super) fn from_idx(
        name: &str,
        (images_path, images): (&Path, &Idx),
        (labels_path, labels): (&Path, &Idx),
        white: u8,
        classes: usize,
    ) -> Result<Self, DataError> {
        let wrong = |path: &Path, message: String| Err(DataError::Content { path: path.to_path_buf(), message });
        let &[count, height, width] = images.dimensions() else {
            let found = images.dimensions();
            return wrong(images_path, format!("has the dimensions {found:?}; images need [count, height, width]"));
        };
        if labels.dimensions() != [count] {
            let found = labels.dimensions();
            return wrong(labels_path, format!("has the dimensions {found:?}; {count} images need [{count}]"));
        }
        if let Some(at) = labels.data().iter().position(|&label| usize::from(label) >= classes) {
            let label = labels.data()[at];
            return wrong(labels_path, format!("label {at} is {label}; the labels must be below {classes}"));
        }
        if let Some(at) = images.data().iter().position(|&pixel| pixel > white) {
            let pixel = images.data()[at];
            return wrong(images_path, format!("pixel {at} is {pixel}; the pixels must be at most {white}"));
        }
        let pixels: Vec<f32> = images.data().iter().map(|&pixel| f32::from(pixel) / f32::from(white)).collect();
        let images = match Array2::from_shape_vec((count, height * width), pixels) {
            Ok(images) => images,
            Err(error) => {
                return wrong(images_path, format!("has the dimensions [{count}, {height}, {width}]: {error}"));
            }
        };
        let shape = FeatureShape::image(1, height, width);
        Ok(Self { name: name.to_owned(), images, shape, labels: labels.data().to_vec(), classes })
    }

    /// The first `count` images, and the others.
    pub(super) fn split_at(self, count: usize) -> (Self, Self) {
        let count = count.min(self.len());
        let part = |images: Array2<f32>, labels: &[u8]| Self {
            name: self.name.clone(),
            images,
            labels: labels.to_vec(),
            ..self
        };
        let first = part(self.images.slice(s![..count, ..]).to_owned(), &self.labels[..count]);
        let rest = part(self.images.slice(s![count.., ..]).to_owned(), &self.labels[count..]);
        (first, rest)
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.images.len_of(Axis(0))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of images of each class.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes];
        for &label in &self.labels {
            counts[usize::from(label)] += 1;
        }
        counts
    }

    /// A_chance: the share of the largest class, the accuracy of the best constant predictor.
    pub fn largest_class_share(&self) -> f64 {
        self.class_counts().into_iter().max().unwrap_or(0) as f64 / self.len().max(1) as f64
    }

    /// Every pixel x becomes (x - mean) / standard_deviation, in f32 as PyTorch does it. Applied
    /// twice it normalises twice.
    ///
    /// # Errors
    /// [`DataError::Normalisation`] where the standard deviation is not above 0.
    pub fn normalise(&mut self, by: Normalisation) -> Result<(), DataError> {
        let Normalisation { mean, standard_deviation } = by;
        let (shift, scale) = (mean as f32, standard_deviation as f32);
        if !(scale > 0.0 && scale.is_finite() && shift.is_finite()) {
            return Err(DataError::Normalisation { mean, standard_deviation });
        }
        self.images.mapv_inplace(|x| (x - shift) / scale);
        Ok(())
    }
}
