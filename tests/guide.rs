//! Every command of README.md, and every example of `--help`, run as they stand.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use assert_cmd::cargo::cargo_bin;

use crate::pipeline::STUDY;

/// What a command needs, or may do, beside running to its end with exit 0.
enum Special {
    /// Its fit may be unreliable: exit 1 where it says so.
    Unreliable,
    /// After others, which README.md leaves to the reader.
    After(&'static [&'static str]),
    /// Without its last words: what it asks for is not here.
    Without(&'static str),
    /// With MNIST, where this machine has it; else it is not run.
    Mnist,
}

/// The commands that are special, each by its beginning. One that begins no command fails the test.
const SPECIAL: &[(&str, Special)] = &[
    (
        "prunephase merge part-1 part-2 part-3",
        Special::After(&[
            "prunephase run STUDY.toml --out part-2 --shard 2/4",
            "prunephase run STUDY.toml --out part-3 --shard 3/4",
            "prunephase run STUDY.toml --out part-4 --shard 4/4",
        ]),
    ),
    ("prunephase slurm", Special::Without("--submit")),
    ("prunephase data verify mnist", Special::Mnist),
    ("prunephase fit", Special::Unreliable),
    ("prunephase collapse", Special::Unreliable),
];

/// Commands of README.md that are not run here: they build, or are the test itself.
const NOT_RUN: &[&str] = &["cargo test"];

/// The checkpoints that the examples are about.
const CHECKPOINTS: &str = "prunephase-demo/checkpoints/digits-fc4-w32-s0";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The program's folder, then what was on the path: the commands name the program alone.
fn path() -> std::ffi::OsString {
    let bin = cargo_bin!("prunephase").parent().unwrap().to_path_buf();
    let others = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once(bin).chain(std::env::split_paths(&others))).unwrap()
}

fn shell(line: &str, folder: &Path) -> Output {
    Command::new("sh").args(["-c", line]).current_dir(folder).env("PATH", path()).stdin(Stdio::null()).output().unwrap()
}

/// The commands of text, each in one line.
fn commands<'t>(lines: impl Iterator<Item = &'t str>) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = String::new();
    for line in lines {
        match line.trim().strip_suffix('\\') {
            Some(part) => open += part,
            None => {
                let line = std::mem::take(&mut open) + line.trim();
                // A comment is no part of a command; none of them quotes a #.
                let line = format!(" {line}").split(" #").next().unwrap_or_default().trim().to_owned();
                found.extend((!line.is_empty()).then_some(line));
            }
        }
    }
    found
}

/// The commands in the blocks of README.md that are for a shell.
fn readme() -> Vec<String> {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let mut language = None;
    let mut lines = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("```"), language) {
            (Some(name), None) => language = Some(name),
            (Some(_), Some(_)) => language = None,
            (None, Some("sh")) => lines.push(line),
            _ => {}
        }
    }
    commands(lines.into_iter())
}

/// The names of the subcommands, from the help of the program; those of `data` too.
fn subcommands() -> Vec<String> {
    let of = |help: &str| -> Vec<String> {
        let text = String::from_utf8(shell(help, root()).stdout).unwrap();
        let (_, listed) = text.split_once("Commands:\n").unwrap();
        let listed = listed.lines().take_while(|line| !line.is_empty());
        let names = listed.filter_map(|line| line.strip_prefix("  ")?.split(' ').next().map(str::to_owned));
        names.filter(|name| !name.is_empty() && name != "help").collect()
    };
    let mut all = of("prunephase --help");
    all.extend(of("prunephase data --help").iter().map(|name| format!("data {name}")));
    all
}

/// The examples of a subcommand, and the folder in which they are said to run.
fn examples(subcommand: &str) -> (PathBuf, Vec<String>) {
    let output = shell(&format!("prunephase {subcommand} --help"), root());
    let text = String::from_utf8(output.stdout).unwrap();
    let (_, examples) =
        text.rsplit_once("\nExamples").unwrap_or_else(|| panic!("`prunephase {subcommand} --help` has no examples"));
    let (place, lines) = examples.split_once('\n').unwrap();
    let folder = if place.contains(CHECKPOINTS) { CHECKPOINTS } else { "" };
    let commands = commands(lines.lines());
    assert!(!commands.is_empty(), "{subcommand}: {examples}");
    (folder.into(), commands)
}

/// Runs a command as SPECIAL says; what was wrong with it.
fn wrong_with(command: &str, folder: &Path) -> Option<String> {
    let special = SPECIAL.iter().find(|(beginning, _)| command.starts_with(beginning)).map(|(_, special)| special);
    let mut command = command.to_owned();
    match special {
        Some(Special::After(others)) => {
            if let Some(wrong) = others.iter().find_map(|other| wrong_with(other, folder)) {
                return Some(wrong);
            }
        }
        Some(Special::Without(words)) => command = command.replace(words, ""),
        Some(Special::Mnist) if !folder.join("DATA").is_dir() => {
            eprintln!("skipped: {command}: no folder shared/data above {}", root().display());
            return None;
        }
        _ => {}
    }
    let output = shell(&command, folder);
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let unreliable = matches!(special, Some(Special::Unreliable))
        && output.status.code() == Some(1)
        && ["NOT RELIABLE", "\"reliable\":false"].iter().any(|word| said.contains(word));
    if !output.status.success() && !unreliable {
        return Some(format!("{command}\n  exit {:?}: {errors}", output.status.code()));
    }
    // Bars are for terminals.
    let noise: Vec<&str> = errors.lines().filter(|line| !line.starts_with("prunephase: ")).collect();
    (!noise.is_empty()).then(|| format!("{command}\n  standard error: {noise:?}"))
}

/// A folder where the demo was run, with small files by the names that README.md uses.
fn world() -> &'static Path {
    static WORLD: OnceLock<tempfile::TempDir> = OnceLock::new();
    let make = || {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert_eq!(wrong_with("prunephase demo", folder.path()), None);
        let copy = |from: PathBuf, to: &str| {
            fs::copy(&from, at(to)).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
        };
        for name in ["STUDY.toml", "study.toml"] {
            fs::write(at(name), STUDY).unwrap();
        }
        copy(at(CHECKPOINTS).join("level-12.safetensors"), "CKPT");
        for name in ["INITIAL", "SCORES"] {
            copy(at(CHECKPOINTS).join("initial.safetensors"), name);
        }
        copy(at("prunephase-demo/tables/levels.csv"), "TABLE.csv");
        let torch = root().join("fixtures/pytorch");
        copy(torch.join("nested.pth"), "nested.pth");
        copy(torch.join("open-lth.pth"), "model.pth");
        copy(torch.join("open-lth-mask.pth"), "mask.pth");
        if let Some(data) = root().ancestors().map(|a| a.join("shared/data")).find(|folder| folder.is_dir()) {
            std::os::unix::fs::symlink(data, at("DATA")).unwrap();
        }
        folder
    };
    WORLD.get_or_init(make).path()
}

#[test]
fn every_command_of_the_readme_runs() {
    let all = readme();
    assert!(all.iter().any(|command| command == "cargo run -- demo"), "the README does not begin with the demo");
    assert!(all.len() > 20, "only {} commands", all.len());
    let mut wrong = Vec::new();
    for command in &all {
        let own = command.replace("cargo run -- ", "prunephase ");
        if own.starts_with("prunephase ") {
            wrong.extend(wrong_with(&own, world()));
        } else if !NOT_RUN.contains(&command.as_str()) {
            wrong.push(format!("{command}\n  is neither run nor in NOT_RUN"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // A rule for a command that is gone is a mistake.
    let examples: Vec<String> = subcommands().iter().flat_map(|name| examples(name).1).collect();
    for (beginning, _) in SPECIAL {
        assert!(all.iter().chain(&examples).any(|command| command.starts_with(beginning)), "{beginning}");
    }
}

#[test]
fn every_example_of_the_help_runs() {
    let names = subcommands();
    let known: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    assert!(known.is_superset(&BTreeSet::from(["demo", "run", "percolate", "report", "data verify"])), "{known:?}");
    let mut wrong = Vec::new();
    for name in &names {
        let (folder, commands) = examples(name);
        for command in &commands {
            assert!(command.starts_with("prunephase "), "{name}: {command}");
            wrong.extend(wrong_with(command, &world().join(&folder)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_command_that_is_wrong_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = |command: &str| wrong_with(command, folder.path());
    assert!(wrong("prunephase inspect MISSING").is_some_and(|said| said.contains("exit Some(1)")));
    assert!(wrong("prunephase fit MISSING --control p --value m").is_some(), "unreliable is not failed");
    assert!(wrong("prunephase plot --no-such-option").is_some_and(|said| said.contains("exit Some(2)")));
    assert!(wrong("prunephase --version; echo '[=>  ] 1/2' >&2").is_some_and(|said| said.contains("1/2")));
    assert_eq!(commands(["a b \\", "  --c # why", "", "# only this", "d#e"].into_iter()), ["a b --c", "d#e"]);
}

#[test]
fn nothing_but_results_is_said_where_there_is_no_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = root().join("fixtures/percolation/lenet.safetensors");
    fs::copy(checkpoint, folder.path().join("a.safetensors")).unwrap();
    for command in [
        "prunephase percolate a.safetensors --order random --realisations 20 --out a.csv --averages b.csv",
        "prunephase topology a.safetensors --out t.csv",
        "prunephase graph a.safetensors --format csv --out g.csv",
        "prunephase run study.toml --out run",
    ] {
        fs::write(folder.path().join("study.toml"), STUDY).unwrap();
        let output = shell(command, folder.path());
        assert!(output.status.success(), "{command}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{command}");
    }
    // A reader that goes away is no error.
    let output = shell("prunephase topology a.safetensors --out t.csv | true", folder.path());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let mut child = Command::new(cargo_bin!("prunephase"))
        .args(["inspect", "a.safetensors"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}
