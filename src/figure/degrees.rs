//! Degree distributions before and after rewiring.

use std::collections::BTreeMap;

use super::axis::{Axis, Spacing};
use super::error::FigureError;
use super::figure_of::Figure;
use super::input::Input;
use super::kind::Kind;
use super::null_models::{NULLS, in_order};
use super::page::Page;
use super::panel::Panel;
use super::series::{Joined, Key, Look, Point, Series};
use super::sources::Sources;
use super::style::{Preset, Style};
use super::text::Rich;

/// The height of a panel, in that of the preset.
const HEIGHT: f64 = 0.62;

/// What a checkpoint belongs to: samples that `rewire` drew to their folder, which is named after the null model; any
/// other checkpoint to itself.
fn group_of(checkpoint: &str) -> String {
    let mut parts = checkpoint.rsplit(['/', '\\']);
    let file = parts.next().unwrap_or(checkpoint);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let number = stem.strip_prefix("sample-").filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    match number {
        Some(_) => parts.next().filter(|folder| !folder.is_empty()).unwrap_or("samples").to_owned(),
        None => stem.to_owned(),
    }
}

/// Whether a group is of samples of a null model.
fn is_null(name: &str) -> bool {
    name != "original" && (name == "samples" || NULLS.contains(&name))
}

/// The nodes of each degree of one checkpoint.
type Counts = BTreeMap<u64, f64>;

/// The share of nodes with at least each degree from 1 on, up to `last`.
fn at_least(counts: &Counts, degrees: &[u64]) -> Vec<f64> {
    let total: f64 = counts.values().sum();
    degrees.iter().map(|&degree| counts.range(degree..).map(|(_, nodes)| nodes).sum::<f64>() / total).collect()
}

/// The mean over checkpoints, with the lowest and the highest where there are several.
fn over(samples: &[&Counts]) -> Vec<Point> {
    let mut degrees: Vec<u64> = samples.iter().flat_map(|counts| counts.keys().copied()).collect();
    degrees.push(1);
    degrees.retain(|&degree| degree > 0);
    degrees.sort_unstable();
    degrees.dedup();
    let shares: Vec<Vec<f64>> = samples.iter().map(|counts| at_least(counts, &degrees)).collect();
    let n = samples.len();
    (0..degrees.len())
        .map(|at| {
            let values = || shares.iter().map(|shares| shares[at]);
            let ends = (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max));
            let mean = values().sum::<f64>() / n as f64;
            Point { x: degrees[at] as f64, y: mean, bar: (n > 1).then_some(ends), n }
        })
        .collect()
}

/// A table of degree counts, sorted.
struct Table {
    groups: Vec<String>,
    /// Layers with their directions, in the order of the table.
    places: Vec<(String, String)>,
    /// By group, place and checkpoint.
    counts: BTreeMap<(usize, usize, String), Counts>,
}

fn sorted(input: &Input) -> Result<Table, FigureError> {
    let table = &input.table;
    let (checkpoint, layer, direction) = (table.texts("checkpoint")?, table.texts("layer")?, table.texts("direction")?);
    let (degree, nodes) = (table.numbers("degree")?, table.numbers("nodes")?);
    let all: Vec<String> = checkpoint.iter().map(|name| group_of(name)).collect();
    let names: Vec<&str> = all.iter().map(String::as_str).collect();
    let mut groups: Vec<String> = in_order(&names, &NULLS).into_iter().map(str::to_owned).collect();
    // What is no null model was there before.
    groups.sort_by_key(|name| is_null(name));
    let mut places: Vec<(String, String)> = Vec::new();
    let mut counts: BTreeMap<(usize, usize, String), Counts> = BTreeMap::new();
    for row in 0..table.rows() {
        let place = (layer[row].to_owned(), direction[row].to_owned());
        let at = places.iter().position(|other| *other == place).unwrap_or_else(|| {
            places.push(place);
            places.len() - 1
        });
        let group = groups.iter().position(|group| *group == all[row]).unwrap_or(0);
        let own = counts.entry((group, at, checkpoint[row].to_owned())).or_default();
        *own.entry(degree[row].max(0.0) as u64).or_insert(0.0) += nodes[row];
    }
    Ok(Table { groups, places, counts })
}

/// Draws the figure.
pub(super) fn draw(sources: &Sources, style: &Style, preset: &Preset) -> Result<Figure, FigureError> {
    let input = sources.one(Kind::Degrees)?.table()?;
    let table = sorted(&input)?;
    let (found, most) = (table.groups.len(), style.curves());
    if found > most {
        return Err(FigureError::TooManyCurves { path: input.table.path().to_path_buf(), found, most });
    }
    let last = table.places.len().saturating_sub(preset.columns);
    let panels = table
        .places
        .iter()
        .enumerate()
        .map(|(at, (layer, direction))| {
            let mut panel = panel(&table, at, style, preset);
            panel.title = Some(Rich::plain(format!("{layer}, {direction}-degrees")));
            if at < last {
                panel.x_label = Rich::default();
            }
            panel
        })
        .collect();
    let mut page = Page::of(panels, preset.columns);
    page.legend = table
        .groups
        .iter()
        .enumerate()
        .map(|(index, group)| Key { text: Rich::plain(group.as_str()), look: look(style, &table, index) })
        .collect();
    let description = "The share of nodes with at least k connections in each layer, on the side of its inputs (out) and of \
        its outputs (in), both in logarithms. Markers: the checkpoint; lines: samples of each null model, the mean with a band \
        from the lowest sample to the highest.";
    Ok(Figure::of(Kind::Degrees, page, vec![input.provenance], description))
}

/// The first is drawn as markers, what was rewired as lines.
fn look(style: &Style, table: &Table, index: usize) -> Look {
    let look = Look::of(style, index);
    if !is_null(&table.groups[index]) {
        return Look { size: 0.85, ..look.points() };
    }
    // One may hide the other: every second one is dashed.
    Look {
        weight: 1.3,
        joined: if index.is_multiple_of(2) { Joined::Dashed } else { Joined::Solid },
        shape: None,
        band: true,
        ..look
    }
}

fn panel(table: &Table, place: usize, style: &Style, preset: &Preset) -> Panel {
    let mut series: Vec<Series> = (0..table.groups.len())
        .map(|group| {
            let own: Vec<&Counts> = table
                .counts
                .iter()
                .filter(|((one, at, _), _)| *one == group && *at == place)
                .map(|(_, counts)| counts)
                .collect();
            let (layer, direction) = &table.places[place];
            let quantity = format!("share of nodes with at least x, {layer} {direction}");
            Series::new(quantity, table.groups[group].as_str(), look(style, table, group), over(&own))
        })
        .collect();
    // Markers stand above the lines that go through them.
    series.sort_by_key(|series| series.look.shape.is_some());
    let (x, y) = Panel::axes_of(&series, Spacing::Log, Spacing::Log);
    let y = Axis { high: y.high.min(1.6), ..y };
    let label = Rich::parse("degree *k*");
    let mut panel = Panel::new(preset.panel_height * HEIGHT, label, Rich::parse("share ≥ *k*"), x, y);
    panel.series = series;
    panel
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_belong_to_their_folder() {
        assert_eq!(group_of("null/edges/sample-0003.safetensors"), "edges");
        assert_eq!(group_of("sample-0003.safetensors"), "samples");
        assert_eq!(group_of("a/sample-x.pt"), "sample-x");
        assert_eq!(group_of("run/mask.pt"), "mask");
    }

    #[test]
    fn shares_fall_from_the_share_that_is_connected_at_all() {
        let counts: Counts = [(0, 1.0), (1, 2.0), (3, 1.0)].into();
        let points = over(&[&counts]);
        assert_eq!(points.iter().map(|point| (point.x, point.y)).collect::<Vec<_>>(), [(1.0, 0.75), (3.0, 0.25)]);
        let other: Counts = [(1, 4.0)].into();
        assert_eq!(over(&[&counts, &other])[0].bar, Some((0.75, 1.0)));
    }
}
