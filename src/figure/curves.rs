//! Rows of a table sorted into curves, and averaged over seeds.

use std::collections::{BTreeMap, BTreeSet};

use super::series::Point;
use super::text::Rich;
use crate::table::{Table, TableError};

/// What tells a curve: names as they stand in the table, and its size.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Key {
    /// Data set and architecture, or checkpoint and order.
    pub names: Vec<String>,
    /// The width, where the table has one.
    pub width: Option<f64>,
}

impl Key {
    fn order(&self) -> (&[String], u64) {
        // Widths are positive, so their bits are in their order.
        (&self.names, self.width.map_or(0, f64::to_bits))
    }

    /// The name of the curve in the table of what was drawn.
    pub fn name(&self) -> String {
        let width = self.width.map(|width| format!("W={width}"));
        self.names.iter().cloned().chain(width).collect::<Vec<_>>().join(" ")
    }

    /// The name of the curve in a legend: only what differs between the curves.
    pub fn label(&self, all: &[Self]) -> Rich {
        let varies = |index: usize| all.iter().any(|other| other.names.get(index) != self.names.get(index));
        let mut parts: Vec<Rich> = Vec::new();
        for (index, name) in self.names.iter().enumerate() {
            if varies(index) || (self.width.is_none() && index == 0) {
                parts.push(Rich::plain(name.as_str()));
            }
        }
        parts.extend(self.width.map(|width| Rich::parse(&format!("*W* = {width}"))));
        let mut parts = parts.into_iter();
        let first = parts.next().unwrap_or_default();
        parts.fold(first, |label, part| label.then(Rich::plain(", ")).then(part))
    }
}

/// The rows of a curve: those of one level of all its seeds together, levels in the order of density.
#[derive(Debug, Clone)]
pub(super) struct Curve {
    pub key: Key,
    levels: Vec<Vec<usize>>,
}

/// Sorts the rows of a table of levels or of percolation into curves.
pub(super) fn curves(table: &Table) -> Result<Vec<Curve>, TableError> {
    let of_run = table.has("width");
    let names: Vec<Vec<String>> = if of_run {
        vec![owned(&table.texts("dataset")?), owned(&table.texts("architecture")?)]
    } else {
        let mut columns = vec![short(&table.texts("checkpoint")?)];
        if table.has("order") {
            columns.push(owned(&table.texts("order")?));
        }
        columns
    };
    let widths = if of_run { Some(table.numbers("width")?) } else { None };
    let level = table.numbers(if table.has("level") { "level" } else { "edges" })?;
    let density = table.numbers("density")?;
    let mut found: Vec<(Key, BTreeMap<u64, Vec<usize>>)> = Vec::new();
    for row in 0..table.rows() {
        let key = Key {
            names: names.iter().map(|column| column[row].clone()).collect(),
            width: widths.as_ref().map(|widths| widths[row]),
        };
        let index = found.iter().position(|(other, _)| *other == key).unwrap_or_else(|| {
            found.push((key, BTreeMap::new()));
            found.len() - 1
        });
        found[index].1.entry(level[row].to_bits()).or_default().push(row);
    }
    found.sort_by(|(one, _), (other, _)| one.order().cmp(&other.order()));
    Ok(found
        .into_iter()
        .map(|(key, levels)| {
            let mut levels: Vec<Vec<usize>> = levels.into_values().collect();
            levels.sort_by(|one, other| density[one[0]].total_cmp(&density[other[0]]));
            Curve { key, levels }
        })
        .collect())
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

/// The names of checkpoints without the folders that all share, and without the extension where it tells none apart.
fn short(names: &[&str]) -> Vec<String> {
    let parts: Vec<Vec<&str>> = names.iter().map(|name| name.split(['/', '\\']).collect()).collect();
    let folders = |parts: &[&str]| parts.len() - 1;
    let mut shared = parts.first().map_or(0, |first| folders(first));
    for other in &parts {
        let same = parts[0].iter().zip(other).take_while(|(one, other)| one == other).count();
        shared = shared.min(same).min(folders(other));
    }
    let bare = |name: String| {
        [".safetensors", ".pt"].iter().find_map(|end| name.strip_suffix(end).map(str::to_owned)).unwrap_or(name)
    };
    let short: Vec<String> = parts.iter().map(|parts| parts[shared..].join("/")).collect();
    let different = |names: &[String]| names.iter().collect::<BTreeSet<_>>().len();
    let without: Vec<String> = short.iter().cloned().map(bare).collect();
    if different(&without) == different(&short) { without } else { short }
}

impl Curve {
    /// The mean of y over the seeds at the mean of x, with its standard error; rows without y are left out.
    pub fn averaged(&self, x: &[f64], y: &[Option<f64>]) -> Vec<Point> {
        self.levels
            .iter()
            .filter_map(|rows| {
                let pairs: Vec<(f64, f64)> = rows.iter().filter_map(|&row| Some((x[row], y[row]?))).collect();
                let (at, _) = mean_and_error(&pairs.iter().map(|pair| pair.0).collect::<Vec<_>>())?;
                let (mean, error) = mean_and_error(&pairs.iter().map(|pair| pair.1).collect::<Vec<_>>())?;
                Some(Point::with_error(at, mean, error, pairs.len()))
            })
            .collect()
    }
}

/// The mean, and its standard error where there are two values; none of no values.
pub(super) fn mean_and_error(values: &[f64]) -> Option<(f64, Option<f64>)> {
    let n = values.len() as f64;
    if values.is_empty() {
        return None;
    }
    // Equal values have exactly their own mean, which a sum divided by their number misses by rounding.
    let mean = values[0] + values.iter().map(|value| value - values[0]).sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((mean, (values.len() > 1).then(|| (squares / (n - 1.0) / n).sqrt())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_those_of_the_mean() {
        assert_eq!(mean_and_error(&[]), None);
        assert_eq!(mean_and_error(&[0.1]), Some((0.1, None)));
        assert_eq!(mean_and_error(&[0.1; 7]), Some((0.1, Some(0.0))));
        // 1, 2, 3, 4: variance 5/3, so the error is sqrt(5/12).
        let (mean, error) = mean_and_error(&[1.0, 2.0, 3.0, 4.0]).unwrap();
        assert_eq!(mean, 2.5);
        assert!((error.unwrap() - (5.0f64 / 12.0).sqrt()).abs() < 1e-15);
    }

    #[test]
    fn checkpoints_of_the_same_name_in_other_folders_stay_apart() {
        assert_eq!(short(&["a/b/x.pt"; 2]), ["x", "x"]);
        assert_eq!(short(&["a/s0/x.safetensors", "a/s1/x.safetensors"]), ["s0/x", "s1/x"]);
        assert_eq!(short(&["x", "a/x"]), ["x", "a/x"]);
        assert_eq!(short(&["a", "a/b"]), ["a", "a/b"]);
        assert_eq!(short(&["a/x.pt", "a/x.safetensors"]), ["x.pt", "x.safetensors"]);
        assert_eq!(short(&[""]), [""]);
    }

    #[test]
    fn rows_become_curves_by_width_and_level() {
        let text = b"dataset,architecture,width,seed,level,density,m\n\
            d,fc4,16,0,0,1.0,1.0\nd,fc4,4,0,0,1.0,1.0\nd,fc4,4,0,1,0.5,0.8\nd,fc4,4,1,1,0.5,0.6\nd,fc4,4,1,0,1.0,\n";
        let table = Table::parse("t.csv".as_ref(), text).unwrap();
        let curves = curves(&table).unwrap();
        assert_eq!(curves.iter().map(|curve| curve.key.width).collect::<Vec<_>>(), [Some(4.0), Some(16.0)]);
        let points = curves[0].averaged(&table.numbers("density").unwrap(), &table.optional_numbers("m").unwrap());
        assert_eq!(points.iter().map(|point| (point.x, point.n)).collect::<Vec<_>>(), [(0.5, 2), (1.0, 1)]);
        assert!((points[0].y - 0.7).abs() < 1e-15);
        assert_eq!(points[1].bar, None);
    }
}
