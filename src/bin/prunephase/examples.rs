//! The examples at the end of each command's `--help`; a test runs every line of them.

/// In the folder of a study file `study.toml`.
#[cfg(feature = "train")]
macro_rules! study {
    ($lines:literal) => {
        concat!("Examples, beside a study file (analysis/demo.toml is one):\n", $lines)
    };
}

/// In the folder where `prunephase demo` was run.
macro_rules! demo {
    ($lines:literal) => {
        concat!("Examples, where `prunephase demo` was run:\n", $lines)
    };
}

/// In a folder of checkpoints that the demo made.
macro_rules! checkpoints {
    ($lines:literal) => {
        concat!("Examples, in prunephase-demo/checkpoints/digits-fc4-w32-s0 after `prunephase demo`:\n", $lines)
    };
}

#[cfg(feature = "train")]
pub const DEMO: &str = demo!(
    "  prunephase demo
  prunephase demo --jobs 1    # resumes; the results do not depend on it"
);

#[cfg(feature = "train")]
pub const RUN: &str = study!(
    "  prunephase run study.toml --out run
  prunephase run study.toml --out part-1 --shard 1/2"
);

#[cfg(feature = "train")]
pub const PLAN: &str = study!(
    "  prunephase plan study.toml
  prunephase plan study.toml --json"
);

#[cfg(feature = "train")]
pub const STATUS: &str = demo!(
    "  prunephase status prunephase-demo
  prunephase status prunephase-demo --json"
);

#[cfg(feature = "train")]
pub const MERGE: &str = study!(
    "  prunephase run study.toml --out part-1 --shard 1/2
  prunephase run study.toml --out part-2 --shard 2/2
  prunephase merge part-1 part-2 --out merged"
);

#[cfg(feature = "train")]
pub const SLURM: &str = study!(
    "  prunephase slurm study.toml --out array --time 4:00:00 --mem 2G    # writes the scripts
  prunephase slurm study.toml --out array --shards 3 --array-limit 2 --submit"
);

#[cfg(feature = "train")]
pub const RETRAIN: &str = checkpoints!(
    "  prunephase rewire level-12.safetensors --null degrees --samples 4 --seed 1 --out samples
  prunephase retrain level-12.safetensors --masks samples --weights kept,rewound,fresh \\
      --rewind initial.safetensors --epochs 2 --out retrained"
);

pub const INSPECT: &str = checkpoints!(
    "  prunephase inspect level-12.safetensors
  prunephase inspect level-12.safetensors --tensors --json"
);

pub const GRAPH: &str = checkpoints!(
    "  prunephase graph level-12.safetensors --format graphml --out network.graphml
  prunephase graph level-20.safetensors --format json --out graph.json
  prunephase plot graph.json --figure network --out figures"
);

pub const PERCOLATE: &str = checkpoints!(
    "  prunephase percolate level-*.safetensors --points all --out magnitude.csv
  prunephase percolate level-12.safetensors --order random --realisations 100 --out random.csv \\
      --averages averages.csv --theory theory.csv"
);

pub const TOPOLOGY: &str = checkpoints!(
    "  prunephase topology level-*.safetensors --out topology.csv
  prunephase topology level-12.safetensors --metrics degrees,paths --out few.csv --json"
);

pub const REWIRE: &str = checkpoints!(
    "  prunephase rewire level-12.safetensors --null degrees --samples 4 --seed 1 --out samples
  prunephase topology level-12.safetensors samples/*.safetensors --out topology.csv"
);

pub const DATA: &str = "Examples:
  prunephase data verify digits
  prunephase data verify mnist --dir DATA";

pub const FIT: &str = demo!(
    "  prunephase fit prunephase-demo/tables/levels.csv --size width --control density --value m \\
      --replicate seed --bootstrap 50
  prunephase fit prunephase-demo/tables/percolation.csv --size width --control density \\
      --value chi --replicate seed --peaks --bootstrap 50 --out peaks"
);

pub const COLLAPSE: &str = demo!(
    "  prunephase collapse prunephase-demo/tables/percolation.csv --size width \\
      --control mean_degree --value p_inf --replicate seed --bootstrap 50 --json"
);

pub const PLOT: &str = demo!(
    "  prunephase plot prunephase-demo --out figures
  prunephase plot prunephase-demo --figure order-parameter --format pdf --preset slide --out talk"
);

pub const REPORT: &str = demo!("  prunephase report prunephase-demo --out report.html");
