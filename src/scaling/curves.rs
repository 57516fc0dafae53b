//! Curves to fit: points of one observable against the control, by system size.

use std::collections::BTreeMap;

use super::ScalingError;
use crate::table::Table;

/// The share of the median standard error of a curve below which no error of a point falls.
pub const ERROR_FLOOR: f64 = 0.25;

/// Fewer replicates bring a warning: their errors are uncertain by more than a third.
const FEW_REPLICATES: usize = 5;

/// Which columns of a table hold what.
#[derive(Debug, Clone, Copy, Default)]
pub struct Columns<'a> {
    /// The system size; without it all rows are one curve of size 1.
    pub size: Option<&'a str>,
    /// The control parameter.
    pub control: &'a str,
    /// The observable.
    pub value: &'a str,
    /// The standard error of the value.
    pub error: Option<&'a str>,
    /// The name of the replicate (any text), for errors from the spread of replicates.
    pub replicate: Option<&'a str>,
}

/// One observation.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// System size, > 0.
    pub size: f64,
    /// Control parameter.
    pub control: f64,
    /// Observable.
    pub value: f64,
    /// Its standard error, > 0.
    pub error: Option<f64>,
    /// The replicate it belongs to.
    pub replicate: Option<String>,
}

/// Where the errors of the points come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorSource {
    /// The spread of the replicates.
    Replicates,
    /// Given with each value.
    Given,
    /// Nowhere: every point has the error 1.
    Unknown,
}

/// A point of a curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Control parameter.
    pub control: f64,
    /// The value, the mean over replicates where there are some.
    pub value: f64,
    /// Its standard error, > 0.
    pub error: f64,
    /// (number of the replicate within its size, its value); empty without replicates.
    pub samples: Vec<(usize, f64)>,
}

/// One size's points, controls ascending and distinct.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    size: f64,
    points: Vec<Point>,
    replicates: usize,
    source: ErrorSource,
}

impl Curve {
    /// The system size.
    pub fn size(&self) -> f64 {
        self.size
    }

    /// The points, controls ascending.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The number of replicates, 0 without.
    pub fn replicates(&self) -> usize {
        self.replicates
    }

    /// Where the errors come from.
    pub fn source(&self) -> ErrorSource {
        self.source
    }

    /// What a reader must know about errors from few replicates: that of a standard deviation from
    /// n of them is 1/sqrt(2(n - 1)).
    pub(crate) fn few_replicates(&self) -> Option<String> {
        let n = self.replicates;
        (2..FEW_REPLICATES).contains(&n).then(|| {
            let uncertainty = 100.0 / (2.0 * (n as f64 - 1.0)).sqrt();
            format!("size {} has {n} replicates: its errors are themselves uncertain by {uncertainty:.0} %", self.size)
        })
    }

    /// The same values, all with this error.
    pub(crate) fn with_error(&self, error: f64) -> Self {
        let points = self.points.iter().map(|point| Point { error, ..point.clone() }).collect();
        Self { points, ..self.clone() }
    }
}

/// Curves by ascending size.
///
/// Without replicates a row is a point and the same (size, control) twice is refused. With
/// replicates the value of a point is the mean over them and its error the standard error of that
/// mean, s/sqrt(n), but never below [`ERROR_FLOOR`] of the median of the curve's positive standard
/// errors, so that a point where all replicates agree (a network at chance) has no infinite weight;
/// where an error column is given as well, sqrt(sum of errors^2)/n is a second floor. The same
/// (size, control, replicate) twice is refused. The order of the rows has no effect, to the bit.
#[derive(Debug, Clone, PartialEq)]
pub struct Curves {
    curves: Vec<Curve>,
}

impl Curves {
    /// Reads the named columns.
    ///
    /// # Errors
    /// [`ScalingError::Table`] where a column is missing or a value is not a finite number, else as
    /// [`Curves::from_rows`].
    ///
    /// ```
    /// use prunephase::scaling::{Columns, Curves};
    /// use prunephase::table::Table;
    /// let table = Table::parse("a.csv".as_ref(), b"W,p,m,seed\n8,0.1,0.2,a\n8,0.1,0.4,b\n")?;
    /// let columns = Columns { size: Some("W"), control: "p", value: "m", replicate: Some("seed"), ..Columns::default() };
    /// let curves = Curves::from_table(&table, &columns)?;
    /// let point = &curves.curves()[0].points()[0];
    /// assert!((point.value - 0.3).abs() < 1e-15 && (point.error - 0.1).abs() < 1e-15);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_table(table: &Table, columns: &Columns<'_>) -> Result<Self, ScalingError> {
        let count = table.rows();
        let control = table.numbers(columns.control)?;
        let value = table.numbers(columns.value)?;
        let size = match columns.size {
            Some(column) => table.numbers(column)?,
            None => vec![1.0; count],
        };
        let error = columns.error.map(|column| table.numbers(column)).transpose()?;
        let replicate = columns.replicate.map(|column| table.texts(column)).transpose()?;
        Self::from_rows((0..count).map(|row| Row {
            size: size[row],
            control: control[row],
            value: value[row],
            error: error.as_ref().map(|column| column[row]),
            replicate: replicate.as_ref().map(|column| column[row].to_owned()),
        }))
    }

    /// Curves from observations in any order. Either all rows have an error or none, and the same
    /// for replicates.
    ///
    /// # Errors
    /// [`ScalingError::NotPositive`] for a size or an error that is not, [`ScalingError::NotFinite`],
    /// [`ScalingError::Mixed`], [`ScalingError::Duplicate`], [`ScalingError::OneReplicate`],
    /// [`ScalingError::NoSpread`] where all replicates of a size agree everywhere and no error is
    /// given, [`ScalingError::NoRows`].
    pub fn from_rows(rows: impl IntoIterator<Item = Row>) -> Result<Self, ScalingError> {
        let mut rows: Vec<Row> = rows.into_iter().collect();
        let Some(first) = rows.first() else { return Err(ScalingError::NoRows) };
        let (has_error, has_replicate) = (first.error.is_some(), first.replicate.is_some());
        for row in &rows {
            if row.error.is_some() != has_error || row.replicate.is_some() != has_replicate {
                return Err(ScalingError::Mixed);
            }
            for (what, value) in [("size", Some(row.size)), ("error", row.error)] {
                if let Some(value) = value.filter(|&value| !(value > 0.0 && value.is_finite())) {
                    return Err(ScalingError::NotPositive { what, value, control: row.control });
                }
            }
            for (what, value) in [("control", row.control), ("value", row.value)] {
                if !value.is_finite() {
                    return Err(ScalingError::NotFinite { what, value });
                }
            }
        }
        rows.sort_by(|a, b| {
            a.size
                .total_cmp(&b.size)
                // -0 and 0 are the same control.
                .then((a.control + 0.0).total_cmp(&(b.control + 0.0)))
                .then_with(|| a.replicate.cmp(&b.replicate))
        });
        for pair in rows.windows(2) {
            if pair[0].size == pair[1].size
                && pair[0].control == pair[1].control
                && pair[0].replicate == pair[1].replicate
            {
                let Row { size, control, replicate, .. } = pair[0].clone();
                return Err(ScalingError::Duplicate { size, control, replicate });
            }
        }
        let curves = rows
            .chunk_by(|a, b| a.size == b.size)
            .map(|rows| if has_replicate { averaged(rows) } else { Ok(plain(rows)) })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { curves })
    }

    /// The curves, sizes ascending.
    pub fn curves(&self) -> &[Curve] {
        &self.curves
    }

    /// The sizes, ascending.
    pub fn sizes(&self) -> Vec<f64> {
        self.curves.iter().map(Curve::size).collect()
    }

    /// Where the errors come from.
    pub fn source(&self) -> ErrorSource {
        self.curves.first().map_or(ErrorSource::Unknown, Curve::source)
    }

    /// The same curves where the controls have errors too: rows of size, control and the standard error
    /// of the control, at least 0. Each point's error becomes sqrt(error^2 + (slope x error of the
    /// control)^2), the slope that of the line through the point and its two neighbours on either side.
    /// First order in the errors, so they must be small beside the width of the curve. Points without a
    /// row stay. O(points log rows).
    ///
    /// # Errors
    /// [`ScalingError::Option`] for an error that is negative or not finite.
    pub fn with_control_errors(&self, rows: &[[f64; 3]]) -> Result<Self, ScalingError> {
        let mut errors: BTreeMap<[u64; 2], f64> = BTreeMap::new();
        for &[size, control, error] in rows {
            if !(error >= 0.0 && error.is_finite()) {
                let needed = "a finite number of at least 0";
                return Err(ScalingError::Option { what: "error of the control", value: error.to_string(), needed });
            }
            errors.insert([size.to_bits(), (control + 0.0).to_bits()], error);
        }
        let widened = |curve: &Curve| {
            let points = &curve.points;
            let slope = |k: usize| {
                let near = &points[k.saturating_sub(2)..(k + 3).min(points.len())];
                let n = near.len() as f64;
                let x = near.iter().map(|point| point.control).sum::<f64>() / n;
                let spread: f64 = near.iter().map(|point| (point.control - x).powi(2)).sum();
                let rise: f64 = near.iter().map(|point| (point.control - x) * point.value).sum();
                if spread > 0.0 { rise / spread } else { 0.0 }
            };
            let with = |(k, point): (usize, &Point)| {
                let own = errors.get(&[curve.size.to_bits(), point.control.to_bits()]).copied().unwrap_or(0.0);
                Point { error: point.error.hypot(slope(k) * own), ..point.clone() }
            };
            Curve { points: points.iter().enumerate().map(with).collect(), ..curve.clone() }
        };
        Ok(Self { curves: self.curves.iter().map(widened).collect() })
    }

    /// The curves of sizes not below `smallest`.
    pub fn from_size(&self, smallest: f64) -> Self {
        Self { curves: self.curves.iter().filter(|curve| curve.size >= smallest).cloned().collect() }
    }
}

fn plain(rows: &[Row]) -> Curve {
    let source = if rows[0].error.is_some() { ErrorSource::Given } else { ErrorSource::Unknown };
    let points = rows
        .iter()
        .map(|row| Point {
            control: row.control + 0.0,
            value: row.value,
            error: row.error.unwrap_or(1.0),
            samples: Vec::new(),
        })
        .collect();
    Curve { size: rows[0].size, points, replicates: 0, source }
}

fn averaged(rows: &[Row]) -> Result<Curve, ScalingError> {
    let size = rows[0].size;
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    for name in rows.iter().filter_map(|row| row.replicate.as_deref()) {
        numbers.insert(name, 0);
    }
    for (number, entry) in numbers.values_mut().enumerate() {
        *entry = number;
    }
    let mut points = Vec::new();
    let mut measured = Vec::new();
    for group in rows.chunk_by(|a, b| a.control == b.control) {
        let n = group.len() as f64;
        if group.len() < 2 {
            return Err(ScalingError::OneReplicate { size, control: group[0].control });
        }
        let mean = group.iter().map(|row| row.value).sum::<f64>() / n;
        let square = group.iter().map(|row| (row.value - mean).powi(2)).sum::<f64>();
        let error = (square / (n - 1.0) / n).sqrt();
        measured.push(group.iter().filter_map(|row| row.error).map(|e| e * e).sum::<f64>().sqrt() / n);
        let samples =
            group.iter().filter_map(|row| Some((*numbers.get(row.replicate.as_deref()?)?, row.value))).collect();
        points.push(Point { control: group[0].control + 0.0, value: mean, error, samples });
    }
    // Agreement to rounding is agreement.
    let positive: Vec<f64> =
        points.iter().filter(|p| p.error > 1e-13 * p.value.abs()).map(|point| point.error).collect();
    let floor = super::estimate::median(&positive).map_or(0.0, |median| ERROR_FLOOR * median);
    for (point, measured) in points.iter_mut().zip(measured) {
        point.error = point.error.max(floor).max(measured);
        if point.error <= 0.0 {
            return Err(ScalingError::NoSpread { size });
        }
    }
    Ok(Curve { size, points, replicates: numbers.len(), source: ErrorSource::Replicates })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seeds;

    fn row(size: f64, control: f64, value: f64, error: Option<f64>, replicate: Option<&str>) -> Row {
        Row { size, control, value, error, replicate: replicate.map(str::to_owned) }
    }

    #[test]
    fn replicates_become_means_with_floored_errors() {
        let mut rows = Vec::new();
        for (control, values) in [(0.1, [1.0, 1.0, 1.0]), (0.2, [1.0, 2.0, 3.0]), (0.3, [3.0, 5.0, 4.0])] {
            for (value, name) in values.iter().zip(["a", "b", "c"]) {
                rows.push(row(8.0, control, *value, None, Some(name)));
            }
        }
        let curves = Curves::from_rows(rows).unwrap();
        let points = curves.curves()[0].points();
        let spread = 1.0 / 3f64.sqrt();
        assert_eq!(points[1].value, 2.0);
        assert!((points[1].error - spread).abs() < 1e-15);
        // No spread at all: a quarter of the median.
        assert!((points[0].error - spread / 4.0).abs() < 1e-15);
        assert_eq!(points[2].samples, [(0, 3.0), (1, 5.0), (2, 4.0)]);
        assert!(curves.curves()[0].few_replicates().unwrap().contains("3 replicates"));
        assert_eq!(curves.source(), ErrorSource::Replicates);
    }

    #[test]
    fn the_order_of_rows_has_no_effect() {
        let mut stream = Seeds::new(1, 0).stream("rows");
        let mut rows: Vec<Row> = (0..60)
            .map(|n| {
                let name = format!("r{}", n % 5);
                row(f64::from(n / 30 + 1), f64::from((n % 30) / 5), stream.normal(), None, Some(&name))
            })
            .collect();
        let sorted = Curves::from_rows(rows.clone()).unwrap();
        for _ in 0..5 {
            stream.shuffle(&mut rows);
            assert_eq!(Curves::from_rows(rows.clone()).unwrap(), sorted);
        }
    }

    #[test]
    fn errors_of_controls_enter_by_the_slope() {
        let rows: Vec<Row> = (0..7).map(|n| row(8.0, f64::from(n), 2.0 * f64::from(n), Some(0.3), None)).collect();
        let curves = Curves::from_rows(rows).unwrap();
        let widened = curves.with_control_errors(&[[8.0, 3.0, 0.2], [8.0, 6.0, 0.0], [9.0, 1.0, 5.0]]).unwrap();
        let errors: Vec<f64> = widened.curves()[0].points().iter().map(|point| point.error).collect();
        assert!((errors[3] - 0.5).abs() < 1e-12, "{errors:?}");
        assert_eq!((errors[1], errors[6]), (0.3, 0.3));
        assert!(curves.with_control_errors(&[[8.0, 3.0, -0.2]]).unwrap_err().to_string().contains("-0.2"));
    }

    #[test]
    fn bad_rows_are_refused() {
        let message = |rows: &[Row]| Curves::from_rows(rows.to_vec()).unwrap_err().to_string();
        let good = row(8.0, 0.1, 1.0, Some(0.1), None);
        assert!(message(&[row(0.0, 0.1, 1.0, Some(0.1), None)]).contains("size 0"));
        assert!(message(&[row(8.0, 0.1, 1.0, Some(0.0), None)]).contains("error 0"));
        assert!(message(&[row(8.0, f64::NAN, 1.0, Some(0.1), None)]).contains("NaN"));
        assert!(message(&[good.clone(), good.clone()]).contains("more than once"));
        assert!(message(&[good, row(8.0, 0.2, 1.0, None, None)]).contains("some rows"));
        assert!(message(&[row(8.0, 0.1, 1.0, None, Some("a"))]).contains("1 replicate"));
        let twins = [row(8.0, 0.1, 1.0, None, Some("a")), row(8.0, 0.1, 1.0, None, Some("b"))];
        assert!(message(&twins).contains("agree"));
        // Zero and minus zero are one control.
        let zeros = [row(8.0, 0.0, 1.0, Some(1.0), None), row(8.0, -0.0, 1.0, Some(1.0), None)];
        assert!(message(&zeros).contains("more than once"));
        assert!(Curves::from_rows([]).is_err());
    }
}
