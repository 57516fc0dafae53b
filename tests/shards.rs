//! Shards, merging, runners side by side, and kills at random moments: the bytes of one unbroken run.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use super::pipeline::{assert_same_bytes, bytes_below, prunephase, study_file, succeed};

fn run(study: &Path, out: &Path, more: &[&str]) -> Command {
    let mut command = prunephase();
    command.arg("run").arg(study).arg("--out").arg(out).args(more);
    command
}

fn merge(sources: &[&Path], out: &Path) -> Output {
    prunephase().arg("merge").args(sources).arg("--out").arg(out).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn shards_merged_in_any_order_give_the_bytes_of_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let study = study_file(folder.path());
    let at = |name: &str| folder.path().join(name);
    succeed(&mut run(&study, &at("whole"), &[]));
    for shard in ["1", "2", "3"] {
        let printed = succeed(&mut run(&study, &at(shard), &["--shard", &format!("{shard}/3"), "--jobs", "1"]));
        assert!(String::from_utf8_lossy(&printed.stdout).starts_with(&format!("shard {shard}/3 is done")));
        assert!(!at(shard).join("manifest.json").exists());
    }

    // Two of three: what is there is merged, and the rest is named.
    let some = merge(&[&at("3"), &at("1")], &at("merged"));
    assert_eq!(some.status.code(), Some(1));
    let message = stderr(&some);
    assert!(message.contains("4 of 6 tasks were merged") && message.contains("0 of 8 levels are done"), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    assert!(!at("merged/manifest.json").exists());

    assert!(merge(&[&at("2")], &at("merged")).status.success());
    assert_same_bytes(&at("whole"), &at("merged"));
    assert!(merge(&[&at("2"), &at("3"), &at("1")], &at("other-way")).status.success());
    assert_same_bytes(&at("whole"), &at("other-way"));
    // Merged again, also with the whole run itself: nothing changes.
    assert!(merge(&[&at("whole"), &at("1")], &at("merged")).status.success());
    assert_same_bytes(&at("whole"), &at("merged"));

    // Two shards go on in one folder, and `run` finishes there.
    succeed(&mut run(&study, &at("1"), &["--shard", "2/3"]));
    succeed(&mut run(&study, &at("1"), &[]));
    assert_same_bytes(&at("whole"), &at("1"));
}

#[test]
fn what_does_not_belong_together_is_not_merged() {
    let folder = tempfile::tempdir().unwrap();
    let study = study_file(folder.path());
    let at = |name: &str| folder.path().join(name);
    let short = ["--stop-after-level", "1"];
    for name in ["a", "b", "c", "d"] {
        succeed(&mut run(&study, &at(name), &short));
    }
    let refused = |sources: [&str; 2], expected: &str| {
        for sources in [sources, [sources[1], sources[0]]] {
            let output = merge(&[&at(sources[0]), &at(sources[1])], &at("out"));
            let message = stderr(&output);
            assert_eq!(output.status.code(), Some(1), "{message}");
            assert!(message.contains(expected) && message.lines().count() == 1, "{message}\nnot: {expected}");
            assert!(sources.iter().all(|name| message.contains(&format!("/{name}"))), "{message}");
            assert!(!at("out").exists(), "{expected}: something was written");
        }
    };
    // A table that says something else.
    let table = at("b/tables/tasks/digits-fc4-w3-s0/levels.csv");
    let text = fs::read_to_string(&table).unwrap();
    fs::write(&table, text.replacen("0.", "1.", 1)).unwrap();
    refused(["a", "b"], "differ in what digits-fc4-w3-s0 gave");
    // Another instruction set.
    let machine = fs::read_to_string(at("c/machine.json")).unwrap();
    fs::write(at("c/machine.json"), machine.replace("\"x86_64\"", "\"aarch64\"")).unwrap();
    refused(["a", "c"], "different kinds of machine (instruction set: ");
    let resumed = run(&study, &at("c"), &[]).output().unwrap();
    assert_eq!(resumed.status.code(), Some(1));
    assert!(stderr(&resumed).contains("was run on another kind of machine"), "{}", stderr(&resumed));
    // Another study.
    let text = fs::read_to_string(&study).unwrap();
    fs::write(&study, text.replace("seed = 3", "seed = 4")).unwrap();
    succeed(&mut run(&study, &at("e"), &short));
    refused(["a", "e"], "hold different studies");
    let nothing = merge(&[&at("none")], &at("out"));
    assert!(stderr(&nothing).contains("not a run folder"), "{}", stderr(&nothing));
}

#[test]
fn two_runners_of_one_folder_share_its_tasks() {
    let folder = tempfile::tempdir().unwrap();
    let study = study_file(folder.path());
    let at = |name: &str| folder.path().join(name);
    succeed(&mut run(&study, &at("whole"), &[]));
    let mut runners: Vec<_> = (0..2)
        .map(|_| {
            run(&study, &at("shared"), &["--jobs", "1"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for runner in &mut runners {
        assert!(runner.wait().unwrap().success());
    }
    assert_same_bytes(&at("whole"), &at("shared"));
    // One of the two is killed in the middle; the other does its tasks too.
    let mut killed =
        run(&study, &at("left"), &["--jobs", "1"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut left =
        run(&study, &at("left"), &["--jobs", "1"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(120));
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(left.wait().unwrap().success());
    assert_same_bytes(&at("whole"), &at("left"));
}

/// `PRUNEPHASE_KILLS=100 cargo test killed_at_random` kills that often.
#[test]
fn killed_at_random_moments_a_run_comes_to_the_same_bytes() {
    let kills: u64 = std::env::var("PRUNEPHASE_KILLS").map_or(8, |kills| kills.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let study = study_file(folder.path());
    let text = fs::read_to_string(&study).unwrap();
    let text = text.replacen("[fit]", "[observables]\ntopology = [\"thresholds\"]\n\n[fit]", 1);
    fs::write(&study, format!("figures = [\"order-parameter\", \"ladder\"]\n{text}")).unwrap();
    let at = |name: &str| folder.path().join(name);
    let started = std::time::Instant::now();
    succeed(&mut run(&study, &at("whole"), &["--jobs", "2"]));
    let whole = started.elapsed().as_millis() as u64;
    let (mut killed, mut finished, mut state) = (0, 0, 88_172_645_463_325_252u64);
    while killed < kills {
        let out = at(&format!("killed-{finished}"));
        loop {
            // Moments from the start to the end of what may be left, by a generator of its own.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let mut runner =
                run(&study, &out, &["--jobs", "2"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(state % (whole / 2).max(1)));
            if runner.try_wait().unwrap().is_some_and(|status| status.success()) {
                break;
            }
            runner.kill().unwrap();
            runner.wait().unwrap();
            killed += 1;
            if killed >= kills {
                succeed(&mut run(&study, &out, &["--jobs", "2"]));
                break;
            }
        }
        finished += 1;
        assert_same_bytes(&at("whole"), &out);
        fs::remove_dir_all(&out).unwrap();
    }
    println!("{killed} kills, {finished} finished runs, each the bytes of the unbroken one");
}

#[test]
fn a_damaged_file_is_named_set_aside_and_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let study = study_file(folder.path());
    let at = |name: &str| folder.path().join(name);
    succeed(&mut run(&study, &at("whole"), &[]));
    let task = "digits-fc4-w3-s1";
    type Damage = fn(&mut Vec<u8>);
    let damages: [(String, Damage); 5] = [
        (format!("checkpoints/{task}/level-03.safetensors"), |bytes| bytes.truncate(bytes.len() / 2)),
        // One bit of one weight, which no reader could notice.
        (format!("checkpoints/{task}/level-07.safetensors"), |bytes| *bytes.last_mut().unwrap() ^= 1),
        (format!("tables/tasks/{task}/levels.csv"), |bytes| {
            let at = bytes.iter().rposition(|&byte| byte == b'3').unwrap();
            bytes[at] = b'4';
        }),
        (format!("tables/tasks/{task}/percolation.csv"), |bytes| bytes.truncate(bytes.len() - 9)),
        (format!("tables/tasks/{task}/checksums.csv"), |bytes| bytes.clear()),
    ];
    for (name, damage) in damages {
        let path = at("whole").join(&name);
        let before = fs::read(&path).unwrap();
        let mut bytes = before.clone();
        damage(&mut bytes);
        assert!(bytes != before);
        fs::write(&path, &bytes).unwrap();
        let again = succeed(&mut run(&study, &at("whole"), &[]));
        let message = stderr(&again);
        assert!(message.contains(&name) && message.contains("damaged; set aside"), "{message}");
        assert!(fs::read(&path).unwrap() == before, "{name} was not made again");
        let aside = at("whole/log/damaged").join(name.replace('/', "-"));
        assert!(fs::read(aside).unwrap() == bytes, "{name} was not kept");
    }
    succeed(&mut run(&study, &at("fresh"), &[]));
    assert_same_bytes(&at("fresh"), &at("whole"));
}

#[test]
fn a_failed_task_is_named_and_the_others_are_done() {
    let folder = tempfile::tempdir().unwrap();
    let study = study_file(folder.path());
    let out = folder.path().join("run");
    succeed(&mut run(&study, &out, &["--stop-after-level", "1"]));
    // Something is in the way of the next checkpoint of one task.
    let obstacle = out.join("checkpoints/digits-fc4-w3-s1/level-02.safetensors");
    fs::create_dir(&obstacle).unwrap();
    let failed = run(&study, &out, &[]).output().unwrap();
    assert_eq!(failed.status.code(), Some(1));
    let message = stderr(&failed);
    assert!(message.contains("1 of 6 tasks failed") && message.contains("level-02.safetensors"), "{message}");
    let status = succeed(prunephase().arg("status").arg(&out).arg("--json"));
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    let tasks = status["tasks"].as_array().unwrap();
    for task in tasks {
        let fails = task["task"] == "digits-fc4-w3-s1";
        assert_eq!(task["done"], if fails { 2 } else { 8 }, "{task}");
        assert_eq!(task["failed"].is_string(), fails, "{task}");
        assert_eq!(task["running"], false);
    }
    let table = succeed(prunephase().arg("status").arg(&out));
    assert!(String::from_utf8_lossy(&table.stdout).contains("failed: "));
    // Mended, it goes on, and the failure is forgotten.
    fs::remove_dir(&obstacle).unwrap();
    succeed(&mut run(&study, &out, &[]));
    assert!(bytes_below(&out).keys().any(|name| name.ends_with("manifest.json")));
    assert!(!out.join("log/digits-fc4-w3-s1.failed").exists());
}

/// On a file system that is too small, and then is not. Needs root, to mount one.
#[test]
fn on_a_full_disk_a_run_fails_in_one_line_and_goes_on_later() {
    let folder = tempfile::tempdir().unwrap();
    let study = study_file(folder.path());
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("disk")).unwrap();
    let mount = |options: &str| {
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(at("disk"));
        command.output().is_ok_and(|output| output.status.success())
    };
    if !mount("size=300k") {
        eprintln!("skipped: a file system cannot be mounted here");
        return;
    }
    let out = at("disk/run");
    let full = run(&study, &out, &["--jobs", "2"]).output().unwrap();
    let message = stderr(&full);
    let enlarged = mount("remount,size=64m");
    let finished = enlarged && run(&study, &out, &["--jobs", "2"]).output().unwrap().status.success();
    succeed(&mut run(&study, &at("whole"), &[]));
    let compared = finished.then(|| std::panic::catch_unwind(|| assert_same_bytes(&at("whole"), &out)));
    assert!(Command::new("umount").arg(at("disk")).status().unwrap().success());
    assert_eq!(full.status.code(), Some(1));
    assert!(message.contains("No space left") && message.lines().count() == 1, "{message}");
    assert!(compared.is_some_and(|same| same.is_ok()), "enlarged {enlarged}, finished {finished}");
}

#[test]
fn a_wrong_shard_is_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    let study = study_file(folder.path());
    for shard in ["0/2", "3/2", "1", "a/b", "1/0"] {
        let output = run(&study, &folder.path().join("run"), &["--shard", shard]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{shard}");
        assert!(stderr(&output).contains("must be I/N with I from 1 to N"), "{}", stderr(&output));
    }
}

#[test]
fn a_plan_lists_the_tasks_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let study = study_file(folder.path());
    let plan = succeed(prunephase().arg("plan").arg(&study).arg("--json").current_dir(folder.path()));
    let plan: serde_json::Value = serde_json::from_slice(&plan.stdout).unwrap();
    let tasks = plan["tasks"].as_array().unwrap();
    assert_eq!(tasks.len(), 6);
    // 1,437 training images in batches of 64 are 22 steps: 4 dense epochs and 7 of fine-tuning.
    assert_eq!((&tasks[0]["task"], &tasks[0]["steps"]), (&"digits-fc4-w3-s0".into(), &(22 * 11).into()));
    // The original and two samples of two null models, from three kinds of weights, 5 steps each.
    assert_eq!((&tasks[3]["retrainings"], &tasks[3]["steps"]), (&15.into(), &(22 * 11 + 15 * 5).into()));
    let sum: f64 = tasks.iter().map(|task| task["core_hours"].as_f64().unwrap()).sum();
    assert!(sum > 0.0 && (sum - plan["core_hours"].as_f64().unwrap()).abs() < 1e-9);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    // The estimate of the disk against what a run leaves.
    succeed(&mut run(&study, &folder.path().join("run"), &[]));
    let left: usize = bytes_below(&folder.path().join("run/checkpoints")).values().map(Vec::len).sum();
    let planned = plan["bytes"].as_f64().unwrap();
    assert!((0.5..2.0).contains(&(planned / left as f64)), "{planned} planned, {left} left");
    let text = succeed(prunephase().arg("plan").arg(&study));
    assert!(String::from_utf8_lossy(&text.stdout).contains("tiny: 6 tasks, about "));
}

#[test]
fn an_extended_study_makes_only_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let study = study_file(folder.path());
    let at = |name: &str| folder.path().join(name);
    succeed(&mut run(&study, &at("run"), &[]));
    let small = fs::read_to_string(&study).unwrap();
    // One width and two seeds more: 15 tasks instead of 6, of 8 levels each.
    let large = small.replace("widths = [3, 6]", "widths = [3, 4, 6]").replace("replicates = 3", "replicates = 5");
    fs::write(&study, &large).unwrap();
    let extended = succeed(&mut run(&study, &at("run"), &[]));
    let text = String::from_utf8_lossy(&extended.stdout).into_owned();
    assert!(text.starts_with("72 levels made, 48 were there already\n"), "{text}");
    succeed(&mut run(&study, &at("at-once"), &[]));
    assert_same_bytes(&at("at-once"), &at("run"));
    // Back again, or with another training, it is another study.
    let other = large.replace("learning-rate = 1e-2", "learning-rate = 2e-2");
    let retrained = large.replace("steps = 5", "steps = 6");
    for (text, expected) in [
        (small, "network.replicates differs"),
        (other, "training.learning-rate differs"),
        (retrained, "retraining.steps differs"),
    ] {
        let before = bytes_below(&at("run"));
        fs::write(&study, text).unwrap();
        let refused = run(&study, &at("run"), &[]).output().unwrap();
        assert_eq!(refused.status.code(), Some(1));
        assert!(stderr(&refused).contains(expected), "{}", stderr(&refused));
        assert_eq!(bytes_below(&at("run")), before);
    }
}
