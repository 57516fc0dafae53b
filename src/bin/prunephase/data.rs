//! `prunephase data`: the files of the data sets.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, Subcommand};
use prunephase::data::{self, FileState, Locations};

use crate::examples;
use crate::output::table;
use crate::progress;

/// Check the files of a data set.
#[derive(Debug, Args)]
#[command(after_long_help = examples::DATA)]
pub struct DataArgs {
    #[command(subcommand)]
    command: DataCommand,
}

#[derive(Debug, Subcommand)]
enum DataCommand {
    /// Compare the files of a data set with the official checksums.
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
#[command(after_long_help = examples::DATA)]
struct VerifyArgs {
    /// mnist, fashion-mnist, kmnist, kmnist-10k, mnist-10k or digits.
    name: String,
    /// Folder that holds the files, or a folder with the set's name; by default PRUNEPHASE_DATA,
    /// then the cache folder.
    #[arg(long)]
    dir: Option<PathBuf>,
}

/// Runs the subcommand.
pub fn run(args: &DataArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        DataCommand::Verify(args) => verify(args),
    }
}

/// One row a file; fails where one is missing or not the official one.
fn verify(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let locations = match &args.dir {
        Some(folder) => Locations::new([folder.clone()]),
        None => Locations::from_environment(None),
    };
    let checks = progress::during("checking", || data::verify(&args.name, &locations))?;
    let mut table = table(&["file", "found", "md5"]);
    for check in &checks {
        let found = match (&check.path, &check.state) {
            (Some(path), _) => path.display().to_string(),
            (None, FileState::Missing) => "-".to_owned(),
            (None, _) => "built in".to_owned(),
        };
        table.add_row([check.file.clone(), found, check.state.to_string()]);
    }
    println!("{}", table.trim_fmt());
    let wrong = checks.iter().filter(|check| check.state != FileState::Good).count();
    if wrong > 0 {
        let looked: Vec<String> = locations.folders().iter().map(|folder| folder.display().to_string()).collect();
        bail!(
            "{}: {wrong} of {} files are missing or not the official ones (looked in {})",
            args.name,
            checks.len(),
            looked.join(", ")
        );
    }
    Ok(ExitCode::SUCCESS)
}
