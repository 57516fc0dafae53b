use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use approx::assert_abs_diff_eq;

use super::*;

/// The folder with the downloaded sets, where this machine has one.
fn shared() -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|a| a.join("shared/data")).find(|p| p.is_dir());
    if found.is_none() {
        eprintln!("skipped: no folder shared/data above {}", env!("CARGO_MANIFEST_DIR"));
    }
    found
}

fn shared_locations() -> Option<Locations> {
    shared().map(|folder| Locations::new([folder]))
}

fn idx(sizes: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, sizes.len() as u8];
    bytes.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
    bytes.extend(data);
    bytes
}

#[test]
fn digits_are_those_of_the_source() {
    let split = load("digits", &Locations::default()).unwrap();
    assert_eq!(split.train.class_counts(), [143, 146, 142, 146, 144, 145, 144, 143, 141, 143]);
    assert_eq!(split.test.class_counts(), [35, 36, 35, 37, 37, 37, 37, 36, 33, 37]);
    assert_eq!(split.test.largest_class_share(), 37.0 / 360.0);
    // The first rows of the first image in the source: 0,0,5,13,9,1,0,0, 0,0,13,15,10,15,5,0.
    let first: Vec<f32> = split.train.images.row(0).iter().take(16).map(|x| x * 16.0).collect();
    assert_eq!(first, [0., 0., 5., 13., 9., 1., 0., 0., 0., 0., 13., 15., 10., 15., 5., 0.]);
    assert_eq!(split.train.labels[..12], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
    assert_eq!(split.train.shape, crate::network::FeatureShape::image(1, 8, 8));
    let largest = split.train.images.iter().copied().fold(0.0, f32::max);
    assert_eq!(largest, 1.0);
    assert!(verify("digits", &Locations::default()).unwrap().iter().all(|file| file.state == FileState::Good));
}

#[test]
fn mnist_is_mnist() {
    let Some(locations) = shared_locations() else { return };
    let mut split = load("mnist", &locations).unwrap();
    assert_eq!(split.warnings, Vec::<String>::new());
    assert_eq!((split.train.images.dim(), split.test.images.dim()), ((60_000, 784), (10_000, 784)));
    assert_eq!(split.train.labels[..5], [5, 0, 4, 1, 9]);
    assert_eq!(split.test.labels[..5], [7, 2, 1, 0, 4]);
    assert_eq!(split.test.largest_class_share(), 0.1135);
    let found = Normalisation::of(&split.train);
    assert_abs_diff_eq!(found.mean, Normalisation::MNIST.mean, epsilon = 5e-5);
    assert_abs_diff_eq!(found.standard_deviation, Normalisation::MNIST.standard_deviation, epsilon = 5e-5);
    split.normalise(Normalisation::MNIST).unwrap();
    // Black and white of the customary transformation.
    assert_abs_diff_eq!(split.test.images.iter().copied().fold(0.0, f32::min), -0.42421296, epsilon = 1e-7);
    assert_abs_diff_eq!(split.test.images.iter().copied().fold(0.0, f32::max), 2.8214867, epsilon = 1e-6);
}

#[test]
fn the_10k_sets_are_test_files_in_file_order() {
    let Some(locations) = shared_locations() else { return };
    let whole = load("mnist", &locations).unwrap().test;
    let split = load("mnist-10k", &locations).unwrap();
    assert_eq!(split.train.name, "mnist-10k");
    assert_eq!((split.train.len(), split.test.len()), (8_000, 2_000));
    assert_eq!(split.train.images.row(7_999), whole.images.row(7_999));
    assert_eq!(split.test.images.row(0), whole.images.row(8_000));
    assert_eq!([split.train.labels, split.test.labels].concat(), whole.labels);
    let split = load("kmnist-10k", &locations).unwrap();
    assert_eq!(split.test.name, "kmnist-10k");
    assert_eq!((split.train.len(), split.test.len()), (8_000, 2_000));
    assert!(split.test.class_counts().iter().all(|count| (150..250).contains(count)));
}

#[test]
fn checksums_of_what_is_here() {
    let Some(locations) = shared_locations() else { return };
    for name in ["mnist", "fashion-mnist", "kmnist-10k", "mnist-10k"] {
        for file in verify(name, &locations).unwrap() {
            assert_eq!(file.state, FileState::Good, "{name} {}", file.file);
        }
    }
}

#[test]
fn missing_files_are_named_with_every_place_and_a_remedy() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let folders = [first.path().to_path_buf(), second.path().to_path_buf()];
    let locations = Locations::new(folders.clone());
    let message = load("mnist", &locations).unwrap_err().to_string();
    assert!(!message.contains('\n'), "{message}");
    for folder in &folders {
        assert!(message.contains(&folder.join("mnist").display().to_string()), "{message}");
    }
    for part in
        ["mnist: no train-images-idx3-ubyte[.gz], train-labels-idx1-ubyte[.gz], t10k-", "download from https://"]
    {
        assert!(message.contains(part), "{message}");
    }
    // Of a part, what is missing is named, and the folder that has the rest.
    let part = folders[1].join("mnist");
    fs::create_dir(&part).unwrap();
    for name in ["train-images-idx3-ubyte", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte"] {
        fs::write(part.join(name), b"").unwrap();
    }
    let message = load("mnist", &locations).unwrap_err().to_string();
    assert!(message.starts_with("mnist: no t10k-labels-idx1-ubyte[.gz] in "), "{message}");
    assert!(message.ends_with(&format!("into {}", part.display())), "{message}");
    let message = load("cifar", &locations).unwrap_err().to_string();
    assert_eq!(message, "no data set `cifar`; there are mnist, fashion-mnist, kmnist, kmnist-10k, mnist-10k, digits");
    assert!(load("kmnist", &Locations::default()).unwrap_err().to_string().contains("kmnist-10k"));
}

/// A set of the official size with made-up pixels, written as kmnist's or another's test files.
fn write_test_files(folder: &Path, images: u32, label: u8) {
    fs::create_dir_all(folder).unwrap();
    let pixels: Vec<u8> = (0..images * 784).map(|i| (i % 251) as u8).collect();
    fs::write(folder.join("t10k-images-idx3-ubyte"), idx(&[images, 28, 28], &pixels)).unwrap();
    let labels = vec![label; images as usize];
    fs::write(folder.join("t10k-labels-idx1-ubyte"), idx(&[images], &labels)).unwrap();
}

#[test]
fn files_in_the_folder_itself_are_found_and_unofficial_ones_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let locations = Locations::new([folder.path().to_path_buf()]);
    write_test_files(folder.path(), 10_000, 3);
    let split = load("mnist-10k", &locations).unwrap();
    assert_eq!(split.train.images[[1, 0]], (784 % 251) as f32 / 255.0);
    assert_eq!(split.warnings.len(), 2);
    assert!(split.warnings[0].contains("not the official file of mnist"), "{}", split.warnings[0]);
    let checks = verify("mnist-10k", &locations).unwrap();
    assert!(checks.iter().all(|check| matches!(check.state, FileState::Wrong { .. })));

    // The folder with the set's name comes first.
    write_test_files(&folder.path().join("mnist"), 10_000, 4);
    assert_eq!(load("mnist-10k", &locations).unwrap().train.labels[0], 4);

    write_test_files(&folder.path().join("mnist"), 10_000, 10);
    let message = load("mnist-10k", &locations).unwrap_err().to_string();
    assert!(message.ends_with("label 0 is 10; the labels must be below 10"), "{message}");
    write_test_files(&folder.path().join("mnist"), 100, 1);
    let message = load("mnist-10k", &locations).unwrap_err().to_string();
    assert!(message.ends_with("has the dimensions [100, 28, 28]; mnist has [10000, 28, 28]"), "{message}");
}

#[test]
fn one_set_does_not_pass_for_another() {
    let Some(shared) = shared() else { return };
    let locations = Locations::new([shared.join("mnist")]);
    assert!(load("mnist-10k", &locations).is_ok());
    let message = load("kmnist-10k", &locations).unwrap_err().to_string();
    assert!(message.contains("is the file of mnist; put the files of kmnist into a folder kmnist"), "{message}");
}

#[test]
fn plain_files_are_the_same_as_gzipped_ones() {
    let Some(shared) = shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    for name in ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"] {
        let bytes = fs::read(shared.join("kmnist").join(format!("{name}.gz"))).unwrap();
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&bytes[..]).read_to_end(&mut plain).unwrap();
        fs::write(folder.path().join(name), plain).unwrap();
    }
    let plain = load("kmnist-10k", &Locations::new([folder.path().to_path_buf()])).unwrap();
    assert_eq!(plain, load("kmnist-10k", &Locations::new([shared])).unwrap());
}

#[test]
fn a_normalisation_must_divide_by_something() {
    let mut split = load("digits", &Locations::default()).unwrap();
    for standard_deviation in [0.0, -1.0, f64::NAN, 1e-60] {
        assert!(split.normalise(Normalisation { mean: 0.1, standard_deviation }).is_err());
    }
    let by = Normalisation::of(&split.train);
    split.normalise(by).unwrap();
    let after = Normalisation::of(&split.train);
    assert_abs_diff_eq!(after.mean, 0.0, epsilon = 1e-6);
    assert_abs_diff_eq!(after.standard_deviation, 1.0, epsilon = 1e-6);
}
