//! The arrows between the modules run downward only.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What each module may use, besides itself. A module that is missing here fails the test.
const MAY_USE: &[(&str, &[&str])] = &[
    ("error", &["*"]),
    ("seed", &[]),
    ("files", &[]),
    ("table", &["files"]),
    ("network", &["seed", "files"]),
    ("mask", &["network"]),
    ("data", &["files", "network"]),
    ("checkpoint", &["files", "network", "mask"]),
    ("pruning", &["network", "mask", "seed"]),
    ("training", &["network", "mask", "seed", "data"]),
    ("graph", &["files", "table", "network", "mask", "seed"]),
    ("percolation", &["graph", "seed", "table"]),
    ("topology", &["graph", "seed", "table"]),
    ("rewire", &["graph", "network", "mask", "seed", "table"]),
    ("comparison", &["seed", "table"]),
    ("scaling", &["seed", "table", "files"]),
    ("figure", &["table", "files", "scaling"]),
    ("report", &["table", "files", "figure", "scaling"]),
    (
        "study",
        &[
            "files",
            "table",
            "seed",
            "network",
            "mask",
            "data",
            "checkpoint",
            "pruning",
            "training",
            "graph",
            "percolation",
            "topology",
            "rewire",
            "scaling",
            "comparison",
            "figure",
        ],
    ),
];

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The modules of this crate that `text` names as `crate::NAME` or in `use crate::{NAME..., ...}`;
/// comments and tests at the end of a file do not count.
fn modules_used(text: &str) -> BTreeSet<String> {
    let code: String = text
        .split("#[cfg(test)]")
        .next()
        .unwrap_or_default()
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    let name_at = |text: &str| -> String { text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect() };
    let mut used = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut start = true;
            for (position, character) in list.char_indices() {
                match character {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => start = true,
                    c if depth == 0 && start && c.is_alphabetic() => {
                        used.insert(name_at(&list[position..]));
                        start = false;
                    }
                    _ => {}
                }
            }
        } else {
            used.insert(name_at(rest));
        }
    }
    used
}

/// Every arrow that `module`'s `text` draws and may not.
fn wrong_arrows(module: &str, text: &str) -> Vec<String> {
    let (_, allowed) = MAY_USE
        .iter()
        .find(|(name, _)| *name == module)
        .unwrap_or_else(|| panic!("module `{module}` is not in MAY_USE: say what it may use"));
    if allowed.contains(&"*") {
        return Vec::new();
    }
    modules_used(text)
        .into_iter()
        .filter(|used| MAY_USE.iter().any(|(name, _)| name == used))
        .filter(|used| used != module && !allowed.contains(&used.as_str()))
        .collect()
}

#[test]
fn arrows_run_downward() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    assert!(files.len() > 5, "found only {} source files", files.len());
    let mut wrong = Vec::new();
    for file in files {
        let inside = file.strip_prefix(&source).unwrap();
        let first = inside.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
        let module = first.trim_end_matches(".rs");
        if module == "lib" || module == "bin" || file.ends_with("tests.rs") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        // `crate::Result` and `crate::Error` belong to `error`, which everybody may name.
        for used in wrong_arrows(module, &text).into_iter().filter(|used| used != "error") {
            wrong.push(format!("{} uses {used}", inside.display()));
        }
        let analysis = !matches!(module, "training" | "study");
        if analysis && text.contains("burn::") {
            wrong.push(format!("{} uses burn", inside.display()));
        }
        if text.contains("use clap") || text.contains("anyhow") || text.contains("println!") {
            wrong.push(format!("{} prints, or uses clap or anyhow: only the binary does", inside.display()));
        }
    }
    assert!(wrong.is_empty(), "arrows that turn:\n{}", wrong.join("\n"));
}

#[test]
fn a_turned_arrow_is_seen() {
    assert_eq!(wrong_arrows("mask", "use crate::training::Trainer;"), ["training"]);
    assert_eq!(
        wrong_arrows("graph", "use crate::{mask::Mask, scaling::{self, Fit}, percolation};"),
        ["percolation", "scaling"]
    );
    assert_eq!(wrong_arrows("graph", "fn f() { crate::study::run() }"), ["study"]);
    assert!(wrong_arrows("graph", "// see crate::study\nuse crate::mask::Mask;").is_empty());
}
