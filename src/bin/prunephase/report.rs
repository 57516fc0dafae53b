//! `prunephase report`: one page about a run.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use prunephase::figure::Style;
use prunephase::report;

use crate::examples;
use crate::progress;

/// Write one self-contained page about a run: verdicts, figures, tables, fits, warnings
#[derive(Debug, Args)]
#[command(after_long_help = examples::REPORT)]
pub struct ReportArgs {
    /// A run folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// A style file for the figures; what it does not say is as in the built-in plots/style.toml
    #[arg(long, value_name = "FILE")]
    style: Option<PathBuf>,
    /// The page (.html)
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs the subcommand.
pub fn run(args: &ReportArgs) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(args.folder.is_dir(), "{}: no such folder; give a run folder", args.folder.display());
    let style = args.style.as_deref().map_or_else(|| Ok(Style::bundled()), Style::read)?;
    progress::during("writing the page", || report::write(&args.folder, &style, &args.out))?;
    println!("{}", args.out.display());
    Ok(ExitCode::SUCCESS)
}
