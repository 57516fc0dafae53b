//! Which checkpoints of a run stay, runs that are asked to stop, and studies that grow.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use safetensors::SafeTensors;

use super::pipeline::{STUDY, assert_same_bytes, bytes_below, prunephase, succeed};

fn run(folder: &Path, name: &str, study: &str) -> Command {
    let path = folder.join(format!("{name}.toml"));
    fs::write(&path, study).unwrap();
    let mut command = prunephase();
    command.arg("run").arg(path).arg("--out").arg(folder.join(name));
    command
}

fn keeping(keep: &str) -> String {
    STUDY.replacen("name = ", &format!("keep = \"{keep}\"\nname = "), 1)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The names of the checkpoints of one task.
fn checkpoints(run: &Path) -> Vec<String> {
    let found = bytes_below(&run.join("checkpoints")).into_keys();
    found.filter_map(|path| Some(path.strip_prefix("digits-fc4-w3-s1").ok()?.display().to_string())).collect()
}

/// Everything but what `keep` decides.
fn results(run: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let results = bytes_below(run).into_iter();
    results
        .filter(|(path, _)| {
            let name = path.file_name().unwrap();
            !path.starts_with("checkpoints")
                && name != "checksums.csv"
                && name != "study.json"
                && name != "manifest.json"
        })
        .collect()
}

#[test]
fn what_stays_is_what_the_study_keeps_and_the_results_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    succeed(&mut run(folder, "all", &keeping("all")));
    let levels = |end: &str| (0..8).map(|level| format!("level-{level:02}{end}")).collect::<Vec<_>>();
    let all = [vec!["initial.safetensors".to_owned()], levels(".safetensors")].concat();
    assert_eq!(checkpoints(&folder.join("all")), all);
    let kept = [("levels", levels(".safetensors")), ("masks", levels(".mask.safetensors")), ("none", Vec::new())];
    for (keep, expected) in kept {
        succeed(&mut run(folder, keep, &keeping(keep)));
        assert_eq!(checkpoints(&folder.join(keep)), expected, "{keep}");
        assert!(results(&folder.join(keep)) == results(&folder.join("all")), "{keep}: results differ");
        // Nothing is left to do, and nothing changes.
        let before = bytes_below(&folder.join(keep));
        let again = succeed(&mut run(folder, keep, &keeping(keep)));
        assert!(text(&again.stdout).starts_with("0 levels made, 48 were there already"), "{}", text(&again.stdout));
        assert!(bytes_below(&folder.join(keep)) == before, "{keep}");
        // Stopped after a level it goes on from what was needed, to the same bytes.
        let parts = format!("{keep}-parts");
        succeed(run(folder, &parts, &keeping(keep)).args(["--stop-after-level", "4"]));
        succeed(&mut run(folder, &parts, &keeping(keep)));
        assert_same_bytes(&folder.join(keep), &folder.join(parts));
    }
    // From more to less in one folder, as if it had been less from the start.
    for keep in ["masks", "none"] {
        let out = folder.join("all");
        let study = folder.join(format!("{keep}.toml"));
        succeed(prunephase().arg("run").arg(&study).arg("--out").arg(&out));
        assert_same_bytes(&folder.join(keep), &out);
    }
}

#[test]
fn a_mask_that_is_kept_alone_is_the_mask_of_the_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    succeed(&mut run(folder, "all", &keeping("all")));
    succeed(&mut run(folder, "masks", &keeping("masks")));
    for level in 0..8 {
        let read = |run: &str, end: &str| {
            let task = folder.join(run).join("checkpoints/digits-fc4-w3-s1");
            fs::read(task.join(format!("level-{level:02}{end}"))).unwrap()
        };
        let (whole, alone) = (read("all", ".safetensors"), read("masks", ".mask.safetensors"));
        let whole = SafeTensors::deserialize(&whole).unwrap();
        let alone = SafeTensors::deserialize(&alone).unwrap();
        let masks: BTreeMap<_, _> =
            whole.tensors().into_iter().filter(|(name, _)| name.ends_with(".weight_mask")).collect();
        assert_eq!(masks.len(), 4);
        assert!(alone.tensors().into_iter().collect::<BTreeMap<_, _>>() == masks, "level {level}");
    }
}

#[test]
fn with_nothing_kept_a_study_still_grows() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let small = keeping("none");
    // Levels, samples and seeds more, and another name.
    let levels = small.replacen("levels = 7", "levels = 9", 1).replacen("name = \"tiny\"", "name = \"longer\"", 1);
    let samples = small.replacen("samples = 2", "samples = 3", 1).replacen("steps = 5\n", "steps = 5\nseeds = 2\n", 1);
    assert!(levels != small && samples != small);
    for (name, large) in [("levels", levels), ("samples", samples)] {
        succeed(&mut run(folder, name, &small));
        succeed(&mut run(folder, name, &large));
        let at_once = format!("{name}-at-once");
        succeed(&mut run(folder, &at_once, &large));
        assert_same_bytes(&folder.join(&at_once), &folder.join(name));
        let back = run(folder, name, &small).output().unwrap();
        assert_eq!(back.status.code(), Some(1));
        assert!(text(&back.stderr).contains(" differs); take another folder"), "{}", text(&back.stderr));
    }
}

#[test]
fn results_of_another_recipe_are_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let description = folder.join("net.toml");
    let net = |units: &str| {
        format!(
            "name = \"net\"\n[[layers]]\nkind = \"linear\"\nname = \"a\"\nunits = \"{units}\"\n\
             activation = \"relu\"\n[[layers]]\nkind = \"linear\"\nname = \"b\"\nunits = \"classes\"\n"
        )
    };
    let study = STUDY.replacen("\"fc4\"", &format!("{:?}", description.display().to_string()), 1);
    fs::write(&description, net("W")).unwrap();
    succeed(&mut run(folder, "run", &study));
    let before = bytes_below(&folder.join("run"));
    // The study file is the same; the layers it names are others.
    fs::write(&description, net("2W")).unwrap();
    let refused = run(folder, "run", &study).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let message = text(&refused.stderr);
    assert!(message.contains("recipe.json") && message.contains("layers differs"), "{message}");
    assert!(bytes_below(&folder.join("run")) == before);
}

#[test]
fn damaged_retrainings_are_named_set_aside_and_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for keep in ["all", "none"] {
        succeed(&mut run(folder, keep, &keeping(keep)));
        let whole = bytes_below(&folder.join(keep));
        let name = whole.keys().find(|path| path.display().to_string().contains("/retraining-level-")).unwrap();
        let table = name.with_extension("csv");
        let mut bytes = whole[&table].clone();
        let at = bytes.iter().rposition(u8::is_ascii_digit).unwrap();
        bytes[at] = if bytes[at] == b'1' { b'2' } else { b'1' };
        fs::write(folder.join(keep).join(&table), &bytes).unwrap();
        let again = succeed(&mut run(folder, keep, &keeping(keep)));
        let message = text(&again.stderr);
        assert!(message.contains(&table.display().to_string()) && message.contains("damaged; set aside"), "{message}");
        assert!(bytes_below(&folder.join(keep)) == whole, "{keep}");
    }
}

#[cfg(unix)]
#[test]
fn asked_to_stop_a_run_finishes_its_levels_and_goes_on_later() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // Long enough to be met in the middle.
    let study = keeping("levels").replacen("steps = 5\n", "steps = 400\n", 1);
    succeed(&mut run(folder, "whole", &study));
    let mut stopped = 0;
    for (round, signal) in ["INT", "TERM", "INT"].into_iter().enumerate() {
        let name = format!("round-{round}");
        let runner = run(folder, &name, &study)
            .args(["--jobs", "2"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Not before the first level is there.
        let started = Instant::now();
        let table = folder.join(&name).join("tables/tasks/digits-fc4-w6-s2/levels.csv");
        while !table.is_file() && started.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(150 * round as u64));
        let id = runner.id().to_string();
        succeed(Command::new("kill").args([&format!("-{signal}"), &id]));
        let output = runner.wait_with_output().unwrap();
        if !output.status.success() {
            stopped += 1;
            assert_eq!(output.status.code(), Some(1));
            let message = text(&output.stderr);
            let lines: Vec<&str> = message.lines().collect();
            assert_eq!(lines.len(), 2, "{message}");
            assert!(lines[0].starts_with("stopping after the levels in hand"), "{message}");
            assert!(lines[1].contains("the same command goes on from there"), "{message}");
            let half = bytes_below(&folder.join(&name));
            assert!(!half.keys().any(|path| path.display().to_string().contains(".writing-")), "{:?}", half.keys());
            let log = fs::read_dir(folder.join(&name).join("log")).unwrap();
            assert!(
                !log.map(|entry| entry.unwrap().path()).any(|path| path.extension().is_some_and(|e| e == "failed"))
            );
        }
        succeed(&mut run(folder, &name, &study));
        assert_same_bytes(&folder.join("whole"), &folder.join(&name));
    }
    assert!(stopped > 0, "every run was finished before it was asked to stop");
}
