//! The UCI digits, built in (fixtures/digits/SOURCE.md has their source and licence).

use std::path::Path;

use super::idx::Idx;
use super::{DataError, Dataset, Split};

const IMAGES: (&str, &[u8], &str) = (
    "digits-images-idx3-ubyte.gz",
    include_bytes!("../../fixtures/digits/digits-images-idx3-ubyte.gz"),
    "a5adabccf8d3e2540826a202a7bfb422",
);
const LABELS: (&str, &[u8], &str) = (
    "digits-labels-idx1-ubyte.gz",
    include_bytes!("../../fixtures/digits/digits-labels-idx1-ubyte.gz"),
    "497796a0698e25d3920a9422b635bf34",
);

/// The largest value of a pixel.
const WHITE: u8 = 16;

/// The first images that train; the other 360 test.
const TRAIN: usize = 1_437;

/// Each built-in file, and whether its bytes are those of the source.
pub(super) fn verify() -> [(&'static str, bool); 2] {
    [IMAGES, LABELS].map(|(name, bytes, md5)| (name, Idx::parse(bytes).is_ok_and(|idx| idx.md5() == md5)))
}

/// The digits in file order, 1,437 to train and 360 to test.
pub(super) fn load() -> Result<Split, DataError> {
    let parse = |(name, bytes, _): (&str, &[u8], &str)| {
        let wrong = |message| DataError::Content { path: Path::new("built in").join(name), message };
        Idx::parse(bytes).map_err(wrong)
    };
    let whole = Dataset::from_idx(
        "digits",
        (IMAGES.0.as_ref(), &parse(IMAGES)?),
        (LABELS.0.as_ref(), &parse(LABELS)?),
        WHITE,
        10,
    )?;
    let (train, test) = whole.split_at(TRAIN);
    Ok(Split { train, test, warnings: Vec::new() })
}
