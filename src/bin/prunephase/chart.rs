//! A small chart of curves as plain text, against the logarithm of the control.

/// Columns and rows of the points' area; with labels, axes and legend at most 60 x 12 characters where
/// the legend fits in a line.
const COLUMNS: usize = 52;
const ROWS: usize = 9;

/// Of the whole chart.
const WIDTH: usize = 60;

/// One for each curve; more curves than marks take them again.
const MARKS: [char; 8] = ['o', 'x', '+', '*', '#', '@', '%', '='];

/// A curve: what the legend calls it, and its points (control, value).
pub struct Curve {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

/// The chart, or nothing where no point can be drawn: one that is not finite, or whose control is not positive,
/// cannot. `heading` stands before the legend. Values are shown from 0 to 1, or as far as they go beyond. Where
/// points fall together, the later curve is seen.
pub fn chart(heading: &str, curves: &[Curve]) -> Option<String> {
    let drawable = |&&(control, value): &&(f64, f64)| control > 0.0 && control.is_finite() && value.is_finite();
    let points: Vec<(usize, f64, f64)> = curves
        .iter()
        .enumerate()
        .flat_map(|(curve, one)| one.points.iter().filter(drawable).map(move |&(x, y)| (curve, x.log10(), y)))
        .collect();
    let x = Range::around(points.iter().map(|point| point.1))?;
    let y = Range::around(points.iter().map(|point| point.2).chain([0.0, 1.0]))?.snapped(0.0, 1.0);
    let mut cells = vec![[' '; COLUMNS]; ROWS];
    for &(curve, control, value) in &points {
        cells[ROWS - 1 - y.place(value, ROWS)][x.place(control, COLUMNS)] = MARKS[curve % MARKS.len()];
    }
    let mut lines = legend(heading, curves);
    for (row, cells) in cells.iter().enumerate() {
        let label = match row {
            0 => value(y.high),
            row if row == ROWS / 2 => value(0.5 * y.low + 0.5 * y.high),
            row if row == ROWS - 1 => value(y.low),
            _ => String::new(),
        };
        let tick = if label.is_empty() { '│' } else { '┤' };
        lines.push(format!("{label:>6} {tick}{}", cells.iter().collect::<String>()));
    }
    lines.extend(control_axis(x));
    let trimmed: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    Some(trimmed.join("\n"))
}

/// The heading and the curves' names with their marks, in lines of the chart's width.
fn legend(heading: &str, curves: &[Curve]) -> Vec<String> {
    let mut lines = vec![heading.to_owned()];
    for (curve, one) in curves.iter().enumerate() {
        let entry = format!("{} {}", MARKS[curve % MARKS.len()], one.name);
        match lines.last_mut() {
            Some(line) if line.chars().count() + 2 + entry.chars().count() <= WIDTH => {
                line.push_str("  ");
                line.push_str(&entry);
            }
            _ => lines.push(entry),
        }
    }
    lines
}

/// The axis, and its labels: the powers of ten, or both ends where there are fewer than two.
fn control_axis(x: Range) -> [String; 2] {
    let powers = x.low.ceil() as i32..=x.high.floor() as i32;
    let ticks: Vec<f64> =
        if powers.clone().count() < 2 { vec![x.low, x.high] } else { powers.map(f64::from).collect() };
    let mut axis = ['─'; COLUMNS];
    // A label may begin left of the axis and end right of it.
    let (mut labels, left) = ([' '; WIDTH], WIDTH - COLUMNS);
    let mut free = 0;
    for tick in ticks {
        let column = x.place(tick, COLUMNS);
        axis[column] = '┬';
        let label = control(tick);
        let start = (left + column).saturating_sub(label.len() / 2).min(WIDTH - label.len().min(WIDTH));
        if start >= free {
            for (place, character) in label.chars().take(WIDTH - start).enumerate() {
                labels[start + place] = character;
            }
            free = start + label.len() + 2;
        }
    }
    [format!("{:>7}└{}", "", axis.iter().collect::<String>()), labels.iter().collect()]
}

/// A value in at most six characters.
fn value(value: f64) -> String {
    let text = format!("{value:.2}");
    if text.len() <= 6 { text } else { format!("{value:.0e}") }
}

/// A control from its logarithm, in three digits at most.
fn control(logarithm: f64) -> String {
    if logarithm.abs() > 5.0 {
        return format!("{:.0e}", 10f64.powf(logarithm));
    }
    let digits = (2.0 - logarithm.floor()).clamp(0.0, 12.0) as usize;
    let text = format!("{:.digits$}", 10f64.powf(logarithm));
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[derive(Clone, Copy)]
struct Range {
    low: f64,
    high: f64,
}

impl Range {
    /// From the least to the greatest value, or one unit around a single one.
    fn around(values: impl Iterator<Item = f64>) -> Option<Self> {
        let (low, high) =
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            None
        } else if low == high {
            Some(Self { low: low - 0.5, high: high + 0.5 })
        } else {
            Some(Self { low, high })
        }
    }

    /// With ends at `low` and `high` where the values go beyond by less than half a row: the nearest row is the same.
    fn snapped(self, low: f64, high: f64) -> Self {
        let half = 0.5 * (high - low) / (ROWS - 1) as f64;
        Self {
            low: if self.low > low - half { low } else { self.low },
            high: if self.high < high + half { high } else { self.high },
        }
    }

    /// The nearest of so many places, from 0 on; values beyond the ends are there.
    fn place(self, value: f64, places: usize) -> usize {
        let share = (value - self.low) / (self.high - self.low);
        ((share * (places - 1) as f64).round() as usize).min(places - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(name: &str, points: &[(f64, f64)]) -> Curve {
        Curve { name: name.to_owned(), points: points.to_vec() }
    }

    #[test]
    fn two_curves_have_their_marks_axes_and_legend() {
        let falls = [(1.0, 1.0), (0.1, 0.75), (0.01, 0.25), (0.001, 0.0)];
        let stays = [(1.0, 1.0), (0.1, 0.5), (0.01, f64::NAN), (0.001, 0.5)];
        let text = chart("m against density, W:", &[curve("4", &falls), curve("8", &stays)]).unwrap();
        let expected = [
            "m against density, W:  o 4  x 8",
            "  1.00 ┤                                                   x",
            "       │",
            "       │                                  o",
            "       │",
            "  0.50 ┤x                                 x",
            "       │",
            "       │                 o",
            "       │",
            "  0.00 ┤o",
            "       └┬────────────────┬────────────────┬────────────────┬",
            "      0.001            0.01              0.1               1",
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), expected, "{text}");
    }

    #[test]
    fn values_beyond_0_and_1_widen_the_chart() {
        let text = chart("m", &[curve("", &[(1.0, 1.5), (0.5, -0.5)])]).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].starts_with("  1.50 ┤") && lines[1].ends_with('o'), "{text}");
        assert_eq!(lines[9], " -0.50 ┤o", "{text}");
        // Less than two powers of ten: the ends.
        assert_eq!(lines[11].split_whitespace().collect::<Vec<_>>(), ["0.5", "1"], "{text}");
    }

    #[test]
    fn a_little_noise_leaves_the_axis_alone() {
        let text = chart("m", &[curve("4", &[(1.0, 1.02), (0.1, -0.01)])]).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].starts_with("  1.00 ┤") && lines[1].ends_with('o'), "{text}");
        assert_eq!(lines[9], "  0.00 ┤o", "{text}");
    }

    #[test]
    fn one_point_is_in_the_middle() {
        let text = chart("m", &[curve("4", &[(0.1, 0.5)])]).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[5].chars().position(|mark| mark == 'o'), Some(8 + 26), "{text}");
        assert_eq!(lines[11].split_whitespace().collect::<Vec<_>>(), ["0.0316", "0.316"], "{text}");
    }

    #[test]
    fn no_point_is_no_chart() {
        assert_eq!(chart("m", &[]), None);
        assert_eq!(chart("m", &[curve("4", &[])]), None);
        let none =
            [(f64::NAN, 0.5), (0.1, f64::NAN), (0.0, 0.5), (-1.0, 0.5), (f64::INFINITY, 0.5), (1.0, f64::INFINITY)];
        assert_eq!(chart("m", &[curve("4", &none)]), None);
    }

    #[test]
    fn it_stays_within_its_width_whatever_the_curves() {
        let names: Vec<Curve> = (0..30)
            .map(|width| curve(&format!("{}", 1usize << width), &[(10f64.powi(-width), 1e3), (1e-300, -1e3)]))
            .collect();
        let text = chart("accuracy against density, W:", &names).unwrap();
        assert!(text.contains("\n   1e3 ┤") && text.contains("\n  -1e3 ┤") && text.contains("1e-300"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        let few = chart("accuracy against density, W:", &names[..4]).unwrap();
        assert_eq!(few.lines().count(), 12, "{few}");
    }
}
