//! Image data sets: IDX files with the official names, and the UCI digits built in.
//!
//! | name | train | test | what |
//! | --- | --- | --- | --- |
//! | `mnist` | 60,000 | 10,000 | LeCun and Cortes, 28 x 28 |
//! | `fashion-mnist` | 60,000 | 10,000 | Xiao et al., arXiv:1708.07747, 28 x 28 |
//! | `kmnist` | 60,000 | 10,000 | Clanuwat et al., arXiv:1812.01718, 28 x 28 |
//! | `kmnist-10k` | 8,000 | 2,000 | KMNIST's test file in file order: not KMNIST, and never called so |
//! | `mnist-10k` | 8,000 | 2,000 | MNIST's test file in file order, the control for `kmnist-10k` |
//! | `digits` | 1,437 | 360 | UCI digits, doi:10.24432/C50P49, 8 x 8, in file order |
//!
//! The split of `digits` has 141 to 146 images of a class in train and 33 to 37 in test.

mod dataset;
mod digits;
mod error;
mod idx;
mod load;
mod locations;
mod sets;
mod verify;

pub use dataset::{Dataset, Normalisation, Split};
pub use error::DataError;
pub use idx::Idx;
pub use load::{load, names};
pub use locations::Locations;
pub use verify::{FileCheck, FileState, verify};

#[cfg(test)]
mod tests;
