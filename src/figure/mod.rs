//! Figures for papers, drawn from saved tables alone.
//!
//! A figure is drawn once as SVG, by plotters with the bundled font (Arimo, SIL Open Font License)
//! inside; PDF, whose text stays text, and PNG are made from that SVG with the bundled font alone, so
//! a figure looks the same on every machine, and its SVG is the same byte for byte. Beside each figure
//! stands a tidy table of what was drawn, with the columns panel, quantity, series, x, y, low and high
//! (the ends of the error bar) and n (the observations behind the point); the fields of a map are rows with
//! the value as y and the parameter of the y axis as series. SVG, PDF (document information) and PNG (text
//! chunks) name the versions, the command, and the tables they were drawn from with their BLAKE3 checksums.
//!
//! ```
//! use prunephase::figure::{self, Format, Kind, Style};
//! let run = std::path::Path::new("fixtures/figure/run");
//! let out = tempfile::tempdir()?;
//! let files = figure::draw(Kind::Retraining, run, &Style::bundled(), &[Format::Svg], out.path())?;
//! assert!(files[0].ends_with("retraining.svg") && files[1].ends_with("retraining.csv"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod axis;
mod canvas;
mod cluster_numbers;
mod collapse;
mod colour;
mod critical;
mod crossings;
mod curves;
mod degrees;
mod embed;
mod error;
mod export;
mod figure_of;
mod fits;
mod four_digits;
mod input;
mod inset;
mod kind;
mod ladder;
mod landscape;
mod map;
mod master;
mod network;
mod null_models;
mod order_parameter;
mod page;
mod panel;
mod panel_drawing;
mod phase_diagram;
mod provenance;
mod retraining;
mod rivals;
mod scaling;
mod series;
mod shift;
mod sources;
mod spots;
mod style;
mod susceptibility;
mod text;
mod weight_evolution;

use std::path::{Path, PathBuf};

pub use colour::{Colour, Colours, ColoursOf};
pub use embed::{Embedded, embed, font_faces};
pub use error::FigureError;
pub use four_digits::four_digits;
pub use kind::{Format, Kind};
pub use style::{DEFAULT_STYLE, Lines, Markers, Png, Preset, Shape, Style, TextSizes};

use provenance::Metadata;

use crate::files;
use crate::table::to_bytes;

const POINTS_PER_MILLIMETRE: f64 = 72.0 / 25.4;

/// Whether a figure can be drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Availability {
    /// The figure.
    pub kind: Kind,
    /// What it lacks, in one line; none where it can be drawn.
    pub missing: Option<String>,
}

/// Which figures a run folder, or one table, allows, and what the others lack.
///
/// ```
/// use prunephase::figure;
/// let all = figure::available("fixtures/figure/run".as_ref());
/// assert!(all.iter().all(|figure| figure.missing.is_none()));
/// ```
pub fn available(source: &Path) -> Vec<Availability> {
    Kind::ALL.into_iter().map(|kind| Availability { kind, missing: sources::sources(kind, source).err() }).collect()
}

/// Draws a figure from a run folder, or from one table, into `out`: a file in each format, and the
/// table of what was drawn. Gives their paths, the table last.
///
/// # Errors
/// [`FigureError::Missing`] where a table is not there or its fit failed; other variants where a table is
/// damaged or a file cannot be written. Where anything but writing fails, nothing is written.
pub fn draw(
    kind: Kind,
    source: &Path,
    style: &Style,
    formats: &[Format],
    out: &Path,
) -> Result<Vec<PathBuf>, FigureError> {
    let Composed { figure, drawn, metadata, scale } = compose(kind, source, style)?;
    let svg = export::svg(&metadata, &drawn, scale).map_err(failed(kind, "svg"))?;

    let path = |extension: &str| out.join(format!("{kind}.{extension}"));
    let mut pending: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    for format in Format::ALL.into_iter().filter(|format| formats.contains(format)) {
        let bytes = match format {
            Format::Svg => svg.clone().into_bytes(),
            Format::Pdf => export::pdf(&svg, &metadata).map_err(failed(kind, "pdf"))?,
            Format::Png => export::png(&svg, &metadata, style).map_err(failed(kind, "png"))?,
        };
        pending.push((path(format.extension()), bytes));
    }
    let table = path("csv");
    let rows = to_bytes(&table, &figure.rows)?;
    pending.push((table, rows));
    for (path, bytes) in &pending {
        files::write_atomically(path, |file| file.write_all(bytes))?;
    }
    Ok(pending.into_iter().map(|(path, _)| path).collect())
}

/// A figure drawn, before it is put into a format.
struct Composed {
    figure: figure_of::Figure,
    drawn: page::Drawn,
    metadata: Metadata,
    /// How much larger than drawn the figure is shown.
    scale: f64,
}

/// What could not be put into a format, and why.
fn failed(kind: Kind, format: &'static str) -> impl Fn(String) -> FigureError {
    move |reason| FigureError::Drawing { figure: kind.name().to_owned(), format, reason }
}

fn compose(kind: Kind, source: &Path, style: &Style) -> Result<Composed, FigureError> {
    let sources =
        sources::sources(kind, source).map_err(|missing| FigureError::Missing { figure: kind.name(), missing })?;
    let (preset_name, preset) = style.preset_of(kind.name()).ok_or_else(|| FigureError::Style {
        path: "style".into(),
        reason: "it has no presets: give at least one".into(),
    })?;
    let style = &style.coloured(preset);
    let mut figure = match kind {
        Kind::OrderParameter => order_parameter::draw(&sources, style, preset)?,
        Kind::Susceptibility => susceptibility::draw(&sources, style, preset)?,
        Kind::Scaling => scaling::draw(&sources, style, preset)?,
        Kind::Rivals => rivals::draw(&sources, style, preset)?,
        Kind::Collapse => collapse::draw(&sources, style, preset)?,
        Kind::Landscape => landscape::draw(&sources, style, preset)?,
        Kind::Crossings => crossings::draw(&sources, style, preset)?,
        Kind::Shift => shift::draw(&sources, style, preset)?,
        Kind::ClusterNumbers => cluster_numbers::draw(&sources, style, preset)?,
        Kind::Degrees => degrees::draw(&sources, style, preset)?,
        Kind::Network => network::draw(&sources, style, preset)?,
        Kind::WeightEvolution => weight_evolution::draw(&sources, style, preset)?,
        Kind::PhaseDiagram => phase_diagram::draw(&sources, style, preset)?,
        Kind::Retraining => retraining::draw(&sources, style, preset)?,
        Kind::Ladder => ladder::draw(&sources, style, preset)?,
    };
    if source.is_file() {
        figure.source = source.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    }
    let metadata = Metadata {
        title: kind.to_string(),
        description: figure.description.clone(),
        provenance: provenance::provenance(&figure, style, preset_name),
    };
    let drawn = figure
        .page
        .clone()
        .draw(style, preset.width_mm * POINTS_PER_MILLIMETRE / preset.scale)
        .map_err(failed(kind, "svg"))?;
    Ok(Composed { figure, drawn, metadata, scale: preset.scale })
}
