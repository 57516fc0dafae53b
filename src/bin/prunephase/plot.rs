//! `prunephase plot`: figures from saved tables.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use prunephase::figure::{self, FigureError, Format, Kind, Style};

use crate::examples;
use crate::progress;

/// Draw figures from the tables of a run folder, or from one table.
#[derive(Debug, Args)]
#[command(after_long_help = examples::PLOT)]
pub struct PlotArgs {
    /// A run folder, or one table (.csv).
    #[arg(value_name = "DIR|TABLE")]
    source: PathBuf,
    /// A figure: order-parameter, susceptibility, scaling, rivals, collapse, landscape, crossings, shift,
    /// cluster-numbers, degrees, network, weight-evolution, phase-diagram, retraining or ladder
    /// [default: all that can be drawn].
    #[arg(long = "figure", value_name = "NAME", value_parser = |name: &str| name.parse::<Kind>())]
    figures: Vec<Kind>,
    /// A format [default: all].
    #[arg(long = "format", value_name = "FORMAT")]
    formats: Vec<FormatName>,
    /// A preset of the style: one-column (86 mm), two-column (178 mm), slide or dark [default: the figure's own].
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,
    /// A style file; what it does not say is as in the built-in plots/style.toml.
    #[arg(long, value_name = "FILE")]
    style: Option<PathBuf>,
    /// The resolution of PNGs in pixels per inch [default: that of the style, 300].
    #[arg(long, value_name = "N", value_parser = dpi)]
    dpi: Option<f64>,
    /// The folder for the figures.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatName {
    Svg,
    Pdf,
    Png,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Svg => Self::Svg,
            FormatName::Pdf => Self::Pdf,
            FormatName::Png => Self::Png,
        }
    }
}

fn dpi(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(dpi) if (1.0..=2400.0).contains(&dpi) => Ok(dpi),
        _ => Err("give 1 to 2400 pixels per inch".to_owned()),
    }
}

/// Runs the subcommand.
pub fn run(args: &PlotArgs) -> anyhow::Result<ExitCode> {
    let mut style = args.style.as_deref().map_or_else(|| Ok(Style::bundled()), Style::read)?;
    if let Some(preset) = &args.preset {
        style = style.with_preset(preset)?;
    }
    if let Some(dpi) = args.dpi {
        style.png.dpi = dpi;
    }
    let formats: Vec<Format> = match args.formats.as_slice() {
        [] => Format::ALL.to_vec(),
        names => names.iter().map(|&name| name.into()).collect(),
    };
    draw(&args.source, &args.figures, &style, &formats, &args.out, |files| {
        for file in files {
            println!("{}", file.display());
        }
    })
}

/// Draws every figure that a run allows, in every format, and prints the names of the SVGs; what a run does not
/// allow is not worth a word here.
///
/// # Errors
/// Where the run folder does not exist.
#[cfg(feature = "train")]
pub fn draw_all(run: &Path, out: &Path) -> anyhow::Result<ExitCode> {
    let can = figure::available(run).into_iter().filter(|figure| figure.missing.is_none());
    let kinds: Vec<Kind> = can.map(|figure| figure.kind).collect();
    draw(run, &kinds, &Style::bundled(), &Format::ALL, out, |files| {
        for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "svg")) {
            println!("{}", file.display());
        }
    })
}

/// Draws the figures named, or all that can be drawn where none is; failed where one that was named, or
/// one whose files are there, could not be drawn, or none was.
fn draw(
    source: &Path,
    named: &[Kind],
    style: &Style,
    formats: &[Format],
    out: &Path,
    print: impl Fn(&[PathBuf]),
) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(source.exists(), "{}: no such file or folder; give a run folder or a table", source.display());
    let kinds: &[Kind] = if named.is_empty() { &Kind::ALL } else { named };
    let mut drawn = 0;
    let mut failed = false;
    let bar = progress::bar(kinds.len() as u64, "drawing");
    for &kind in kinds {
        bar.set_message(kind.to_string());
        match figure::draw(kind, source, style, formats, out) {
            Ok(files) => {
                drawn += 1;
                bar.suspend(|| print(&files));
            }
            Err(error) => {
                failed |= !named.is_empty() || !matches!(error, FigureError::Missing { .. });
                bar.suspend(|| eprintln!("prunephase: not drawn: {error}"));
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    if drawn == 0 && named.is_empty() && !failed {
        eprintln!("prunephase: {}: nothing to draw", source.display());
    }
    Ok(if failed || drawn == 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
