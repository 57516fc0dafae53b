//! The data sets that have a name: their files, checksums and splits.

use super::error::DataError;

/// An official file of a set.
#[derive(Debug)]
pub(super) struct OfficialFile {
    /// Its name, without `.gz`.
    pub name: &'static str,
    /// The number of images or labels.
    pub count: usize,
    /// md5 of the decompressed bytes; none where it could not be learned.
    pub md5: Option<&'static str>,
    /// md5 of the official `.gz`.
    pub md5_gz: Option<&'static str>,
}

/// Images and their labels.
#[derive(Debug)]
pub(super) struct Pair {
    pub images: OfficialFile,
    pub labels: OfficialFile,
}

/// The official files of one set.
#[derive(Debug)]
pub(super) struct Source {
    /// The folder that holds them.
    pub folder: &'static str,
    pub url: &'static str,
    pub train: Pair,
    pub test: Pair,
}

const CLASSES: usize = 10;

/// The side of an image.
pub(super) const SIDE: usize = 28;

const fn file(
    name: &'static str,
    count: usize,
    md5: Option<&'static str>,
    md5_gz: Option<&'static str>,
) -> OfficialFile {
    OfficialFile { name, count, md5, md5_gz }
}

const TRAIN_IMAGES: &str = "train-images-idx3-ubyte";
const TRAIN_LABELS: &str = "train-labels-idx1-ubyte";
const TEST_IMAGES: &str = "t10k-images-idx3-ubyte";
const TEST_LABELS: &str = "t10k-labels-idx1-ubyte";

pub(super) static MNIST: Source = Source {
    folder: "mnist",
    url: "https://ossci-datasets.s3.amazonaws.com/mnist/",
    train: Pair {
        images: file(
            TRAIN_IMAGES,
            60_000,
            Some("6bbc9ace898e44ae57da46a324031adb"),
            Some("f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        ),
        labels: file(
            TRAIN_LABELS,
            60_000,
            Some("a25bea736e30d166cdddb491f175f624"),
            Some("d53e105ee54ea40749a09fcbcd1e9432"),
        ),
    },
    test: Pair {
        images: file(
            TEST_IMAGES,
            10_000,
            Some("2646ac647ad5339dbf082846283269ea"),
            Some("9fb629c4189551a2d022fa330f9573f3"),
        ),
        labels: file(
            TEST_LABELS,
            10_000,
            Some("27ae3e4e09519cfbb04c329615203637"),
            Some("ec29112dd5afa0611ce80d1b7f02629c"),
        ),
    },
};

pub(super) static FASHION_MNIST: Source = Source {
    folder: "fashion-mnist",
    url: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    train: Pair {
        images: file(TRAIN_IMAGES, 60_000, Some("f4a8712d7a061bf5bd6d2ca38dc4d50a"), None),
        labels: file(TRAIN_LABELS, 60_000, Some("9018921c3c673c538a1fc5bad174d6f9"), None),
    },
    test: Pair {
        images: file(TEST_IMAGES, 10_000, Some("8181f5470baa50b63fa0f6fddb340f0a"), None),
        labels: file(TEST_LABELS, 10_000, Some("15d484375f8d13e6eb1aabb0c3f46965"), None),
    },
};

pub(super) static KMNIST: Source = Source {
    folder: "kmnist",
    url: "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
    train: Pair {
        images: file(TRAIN_IMAGES, 60_000, None, Some("bdb82020997e1d708af4cf47b453dcf7")),
        labels: file(TRAIN_LABELS, 60_000, None, Some("e144d726b3acfaa3e44228e80efcd344")),
    },
    test: Pair {
        images: file(
            TEST_IMAGES,
            10_000,
            Some("bf305b8cd328700fbc17f5acbc2856d2"),
            Some("5c965bf0a639b31b8f53240b1b52f4d7"),
        ),
        labels: file(
            TEST_LABELS,
            10_000,
            Some("9f55f451c0988b028eccdf7d5cc265ab"),
            Some("7320c461ea6c1c855c0b718fb2a4b134"),
        ),
    },
};

static SOURCES: [&Source; 3] = [&MNIST, &FASHION_MNIST, &KMNIST];

/// Where the images of a set come from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Origin {
    /// Built into the program.
    Digits,
    /// The official train and test files.
    Whole(&'static Source),
    /// The test file alone: the first 8,000 images to train, the next 2,000 to test.
    TestFile(&'static Source),
}

const NAMED: [(&str, Origin); 6] = [
    ("mnist", Origin::Whole(&MNIST)),
    ("fashion-mnist", Origin::Whole(&FASHION_MNIST)),
    ("kmnist", Origin::Whole(&KMNIST)),
    ("kmnist-10k", Origin::TestFile(&KMNIST)),
    ("mnist-10k", Origin::TestFile(&MNIST)),
    ("digits", Origin::Digits),
];

/// The images of a `-10k` set that train; the others test.
pub(super) const TRAIN_OF_10K: usize = 8_000;

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    NAMED.iter().map(|(name, _)| *name)
}

pub(super) fn origin(name: &str) -> Result<Origin, DataError> {
    let found = NAMED.iter().find(|(known, _)| *known == name);
    found
        .map(|(_, origin)| *origin)
        .ok_or_else(|| DataError::Unknown { name: name.to_owned(), known: names().collect::<Vec<_>>().join(", ") })
}

impl Source {
    fn files(&self) -> [&OfficialFile; 4] {
        [&self.train.images, &self.train.labels, &self.test.images, &self.test.labels]
    }
}

impl Origin {
    /// The source and the files that are needed of it.
    pub fn files(self) -> Option<(&'static Source, Vec<&'static OfficialFile>)> {
        match self {
            Self::Digits => None,
            Self::Whole(source) => Some((source, source.files().to_vec())),
            Self::TestFile(source) => Some((source, vec![&source.test.images, &source.test.labels])),
        }
    }

    pub fn classes(self) -> usize {
        CLASSES
    }
}

/// The set that has an official file with that md5, where `source` is another one: all sets have
/// the same file names, and one must not pass for the other.
pub(super) fn belongs_to_another(source: &Source, md5: &str) -> Option<&'static str> {
    SOURCES
        .iter()
        .filter(|other| other.folder != source.folder)
        .find(|other| other.files().iter().any(|file| file.md5 == Some(md5)))
        .map(|other| other.folder)
}
