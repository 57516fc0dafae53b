//! Loading a data set by its name.

use std::path::Path;

use super::dataset::{Dataset, Split};
use super::digits;
use super::error::DataError;
use super::idx::Idx;
use super::locations::{self, Locations};
use super::sets::{self, OfficialFile, SIDE, Source};
use crate::files;

/// The names that [`load`] knows.
pub fn names() -> impl Iterator<Item = &'static str> {
    sets::names()
}

/// Reads one official file: the right number of images or labels, and not the file of another set.
fn read(source: &Source, file: &OfficialFile, path: &Path, warnings: &mut Vec<String>) -> Result<Idx, DataError> {
    let wrong = |message: String| DataError::Content { path: path.to_path_buf(), message };
    let bytes = files::read(path)?;
    let idx = Idx::parse(&bytes).map_err(wrong)?;
    let expected = if file.name.contains("idx3") { vec![file.count, SIDE, SIDE] } else { vec![file.count] };
    if idx.dimensions() != expected {
        return Err(wrong(format!("has the dimensions {:?}; {} has {expected:?}", idx.dimensions(), source.folder)));
    }
    let md5 = idx.md5();
    if let Some(other) = sets::belongs_to_another(source, &md5) {
        return Err(wrong(format!("is the file of {other}; put the files of {0} into a folder {0}", source.folder)));
    }
    if file.md5.is_some_and(|official| official != md5) {
        warnings.push(format!("{}: not the official file of {} (md5 {md5})", path.display(), source.folder));
    }
    Ok(idx)
}

/// Reads a data set by its name (see the [module](super)): pixels from 0 to 1, not normalised.
///
/// # Errors
/// [`DataError::Unknown`]; [`DataError::Missing`] with the files, every folder that was looked
/// into and where to get them; [`DataError::Content`] for a file that is damaged, has another
/// number of images, or is another set's.
///
/// ```
/// use prunephase::data::{Locations, load};
/// let split = load("digits", &Locations::default())?;
/// assert_eq!((split.train.len(), split.test.len()), (1437, 360));
/// assert_eq!(split.train.shape.size(), 64);
/// # Ok::<(), prunephase::data::DataError>(())
/// ```
pub fn load(name: &str, locations: &Locations) -> Result<Split, DataError> {
    let origin = sets::origin(name)?;
    let mut warnings = Vec::new();
    let mut pairs = Vec::new();
    if let Some((source, wanted)) = origin.files() {
        let paths = locations::find(locations, source, &wanted).all(name, source, &wanted, locations)?;
        for (files, paths) in wanted.chunks_exact(2).zip(paths.chunks_exact(2)) {
            let images = read(source, files[0], &paths[0], &mut warnings)?;
            let labels = read(source, files[1], &paths[1], &mut warnings)?;
            pairs.push(Dataset::from_idx(name, (&paths[0], &images), (&paths[1], &labels), u8::MAX, origin.classes())?);
        }
    }
    match (pairs.pop(), pairs.pop()) {
        (Some(test), Some(train)) => Ok(Split { train, test, warnings }),
        (Some(whole), None) => {
            let (train, test) = whole.split_at(sets::TRAIN_OF_10K);
            Ok(Split { train, test, warnings })
        }
        // The set that needs no files.
        (None, _) => digits::load(),
    }
}
