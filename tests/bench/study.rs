//! How long `status` and `merge` take for many finished tasks, and what memory.
//!
//! ```text
//! cargo bench --profile dev --bench study -- [--only TASKS]
//! ```
//!
//! One task of the digits is run; its tables are copied under other replicates' names into four shards, which
//! are asked for their status and merged. Every merge is into a new folder.

#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Instant;

use prunephase::data::Locations;
use prunephase::study::{self, RunFolder, RunOptions, Study};
use prunephase::training::Engine;
use support::{Options, extra_memory};

const SHARDS: usize = 4;

const STUDY: &str = r#"
name = "many"
keep = "none"
[data]
name = "digits"
[network]
architecture = "fc4"
widths = [2]
replicates = 1
[training]
optimiser = "adam"
learning-rate = 1e-2
batch = 64
steps = 5
[pruning]
ratio = 0.8
levels = 19
steps = 1
"#;

/// Writes the folder of a shard: its tasks' tables are the one task's, with other seeds.
fn write_shard(one: &Path, shard: &Path, replicates: usize, seeds: impl Iterator<Item = usize>) {
    let task = one.join("tables/tasks/digits-fc4-w2-s0");
    let names: Vec<_> = fs::read_dir(&task).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    let texts: Vec<String> = names.iter().map(|name| fs::read_to_string(task.join(name)).unwrap()).collect();
    for seed in seeds {
        let folder = shard.join(format!("tables/tasks/digits-fc4-w2-s{seed}"));
        fs::create_dir_all(&folder).unwrap();
        fs::create_dir_all(shard.join(format!("checkpoints/digits-fc4-w2-s{seed}"))).unwrap();
        for (name, text) in names.iter().zip(&texts) {
            let text = text.replace("digits,fc4,2,0,", &format!("digits,fc4,2,{seed},"));
            fs::write(folder.join(name), text).unwrap();
        }
    }
    fs::copy(one.join("machine.json"), shard.join("machine.json")).unwrap();
    let study = fs::read_to_string(one.join("study.json")).unwrap();
    let study = study.replace("\"replicates\": 1", &format!("\"replicates\": {replicates}"));
    fs::write(shard.join("study.json"), study).unwrap();
}

fn main() {
    let options = Options::read();
    let folder = tempfile::tempdir().unwrap();
    let one = folder.path().join("one");
    let run = RunOptions {
        jobs: NonZeroUsize::MIN,
        engine: Engine::default(),
        locations: Locations::from_environment(None),
        stop_after: None,
        shard: None,
        stop: Default::default(),
    };
    study::run(&Study::parse("many", STUDY).unwrap(), &RunFolder::new(&one), &run, &|_| {}).unwrap();

    println!("| tasks of 20 levels | files | status, s | its memory, MB | merge, s | its memory, MB |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for tasks in [5_000usize, 10_000, 20_000] {
        if !tasks.to_string().contains(&options.only) {
            continue;
        }
        let root = folder.path().join(tasks.to_string());
        let shards: Vec<_> = (0..SHARDS).map(|shard| root.join(format!("shards/{shard}"))).collect();
        for (index, shard) in shards.iter().enumerate() {
            write_shard(&one, shard, tasks, (index..tasks).step_by(SHARDS));
        }
        let run = RunFolder::new(&root);
        let start = Instant::now();
        let mut status = None;
        let status_bytes = extra_memory(|| status = Some(study::status(&run).unwrap()));
        let status = status.unwrap();
        let status_seconds = start.elapsed().as_secs_f64();
        assert!(status.tasks.len() == tasks && status.tasks.iter().all(|task| task.done == task.levels));
        let out = folder.path().join(format!("{tasks}-merged"));
        let start = Instant::now();
        let mut merged = None;
        let merge_bytes = extra_memory(|| merged = Some(study::merge(&shards, &out, &|_| {}).unwrap()));
        let merged = merged.unwrap();
        let merge_seconds = start.elapsed().as_secs_f64();
        assert!(merged.tasks == tasks && merged.unfinished.is_none(), "{merged:?}");
        let files = prunephase::files::below(&out).unwrap().len();
        let megabytes = |bytes: usize| bytes as f64 / 1e6;
        println!(
            "| {tasks} | {files} | {status_seconds:.2} | {:.0} | {merge_seconds:.2} | {:.0} |",
            megabytes(status_bytes),
            megabytes(merge_bytes)
        );
        fs::remove_dir_all(&root).unwrap();
        fs::remove_dir_all(&out).unwrap();
    }
}
