//! How far weights and masks have moved, against density.

use super::curves::Key as CurveKey;
use super::error::FigureError;
use super::figure_of::Figure;
use super::kind::Kind;
use super::order_parameter::{Curves, Quantity, panel};
use super::page::Page;
use super::series::{Key, Look};
use super::sources::Sources;
use super::style::{Preset, Style};

/// Columns of levels.csv with the names of their axes.
const QUANTITIES: [(&str, &str, &str); 4] = [
    ("weight_distance", "||w_t - w_0||", "||*w_t* − *w*_0||"),
    ("weight_cosine", "cosine of w_t and w_0", "cos(*w_t*, *w*_0)"),
    ("sign_flips", "share of sign flips", "sign flips"),
    ("mask_overlap", "overlap with the mask before", "mask overlap"),
];

/// Draws the figure.
pub(super) fn draw(sources: &Sources, style: &Style, preset: &Preset) -> Result<Figure, FigureError> {
    let missing = || FigureError::Missing { figure: Kind::WeightEvolution.name(), missing: "no levels.csv".into() };
    let table = Curves::read(sources.levels.as_ref().ok_or_else(missing)?.table()?)?;
    let keys: Vec<CurveKey> = table.curves.iter().map(|curve| curve.key.clone()).collect();
    let (found, most) = (keys.len(), style.curves());
    if found > most {
        return Err(FigureError::TooManyCurves { path: table.input.table.path().to_path_buf(), found, most });
    }
    let panels = QUANTITIES
        .iter()
        .map(|&(column, name, label)| panel(&table, &keys, style, preset, label, &[Quantity::new(column, name, label)]))
        .collect::<Result<Vec<_>, _>>()?;
    let mut page = Page::of(panels, preset.columns);
    page.share_x();
    page.legend = keys
        .iter()
        .enumerate()
        .map(|(index, key)| Key { text: key.label(&keys), look: Look::of(style, index) })
        .collect();
    let description = "Against density, on the kept weights: the norm of the weights less those at initialisation, the \
        cosine of both, the share of weights whose sign changed, and the Jaccard overlap of the mask with that of the \
        level before. Means over replicates; bars are standard errors of the mean.";
    Ok(Figure::of(Kind::WeightEvolution, page, vec![table.input.provenance], description))
}
