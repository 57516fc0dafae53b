//! `prunephase data verify`.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::cargo::cargo_bin_cmd;

/// Runs `prunephase data verify` and gives its exit code, standard output and standard error.
fn verify(name: &str, folder: &Path) -> (i32, String, String) {
    let mut command = cargo_bin_cmd!("prunephase");
    let output = command.args(["data", "verify", name, "--dir"]).arg(folder).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The downloaded sets, where this machine has them.
fn shared() -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|a| a.join("shared/data")).find(|p| p.is_dir());
    if found.is_none() {
        eprintln!("skipped: no folder shared/data above {}", env!("CARGO_MANIFEST_DIR"));
    }
    found
}

#[test]
fn missing_files_are_rows_and_exit_1() {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, err) = verify("mnist", folder.path());
    assert_eq!(code, 1);
    assert_eq!(out.lines().count(), 5, "{out}");
    assert_eq!(out.matches("missing").count(), 4, "{out}");
    assert_eq!(err.lines().count(), 1, "{err}");
    assert!(err.starts_with("prunephase: mnist: 4 of 4 files are missing"), "{err}");
    assert!(err.contains(&folder.path().display().to_string()), "{err}");
}

#[test]
fn unknown_names_say_which_there_are() {
    let (code, _, err) = verify("cifar", Path::new("."));
    assert_eq!(code, 1);
    assert!(err.starts_with("prunephase: no data set `cifar`; there are mnist, "), "{err}");
}

#[test]
fn official_files_are_ok_and_one_changed_byte_is_not() {
    let Some(shared) = shared() else { return };
    let (code, out, err) = verify("kmnist-10k", &shared);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert_eq!(out.lines().filter(|line| line.trim_end().ends_with(" ok")).count(), 2, "{out}");

    let folder = tempfile::tempdir().unwrap();
    for name in ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"] {
        fs::copy(shared.join("kmnist").join(name), folder.path().join(name)).unwrap();
    }
    assert_eq!(verify("kmnist-10k", folder.path()).0, 0);
    let mut labels = vec![0, 0, 8, 1, 0, 0, 0x27, 0x10];
    labels.resize(8 + 10_000, 3);
    fs::remove_file(folder.path().join("t10k-labels-idx1-ubyte.gz")).unwrap();
    fs::write(folder.path().join("t10k-labels-idx1-ubyte"), &labels).unwrap();
    let (code, out, err) = verify("kmnist-10k", folder.path());
    assert_eq!(code, 1);
    assert!(out.contains("not 9f55f451c0988b028eccdf7d5cc265ab"), "{out}");
    assert!(err.contains("1 of 2 files"), "{err}");
    fs::write(folder.path().join("t10k-labels-idx1-ubyte"), &labels[..100]).unwrap();
    let (code, out, _) = verify("kmnist-10k", folder.path());
    assert_eq!(code, 1);
    assert!(out.contains("cut short"), "{out}");
}

#[test]
fn without_a_folder_the_environment_and_then_the_cache_are_looked_into() {
    let folder = tempfile::tempdir().unwrap();
    let (named, cache) = (folder.path().join("named"), folder.path().join("cache"));
    fs::create_dir_all(cache.join("prunephase/mnist")).unwrap();
    fs::write(cache.join("prunephase/mnist/t10k-labels-idx1-ubyte"), b"x").unwrap();
    let mut command = cargo_bin_cmd!("prunephase");
    command.args(["data", "verify", "mnist"]).env("PRUNEPHASE_DATA", &named).env("XDG_CACHE_HOME", &cache);
    let output = command.output().unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(out.contains("cache/prunephase/mnist/t10k-labels-idx1-ubyte"), "{out}");
    let expected = format!("{}, {}", named.display(), cache.join("prunephase").display());
    assert!(err.contains(&expected), "{err}");
}
