//! Axes: ranges that cut no point, ticks, and their numbers.

use super::text::Rich;

/// More numbers at an axis than this are a clutter.
const MOST: f64 = 8.0;

/// Larger values have no place on an axis, nor have values below its inverse on a logarithmic one.
const FARTHEST: f64 = 1e280;

/// Whether an axis shows a value or its logarithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spacing {
    Linear,
    Log,
}

/// A range of values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    pub spacing: Spacing,
    pub low: f64,
    pub high: f64,
}

/// A mark on an axis; long ones may have a number.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub value: f64,
    pub major: bool,
    pub label: Option<Rich>,
}

impl Axis {
    /// Whether a value has a place on an axis of this spacing.
    pub fn has_place(spacing: Spacing, value: f64) -> bool {
        // Farther out, lengths of axes overflow.
        value.abs() < FARTHEST && (spacing == Spacing::Linear || value > 1.0 / FARTHEST)
    }

    /// The axis that shows all the values that have a place, with `margin` (a share of the length) at both ends.
    pub fn covering(spacing: Spacing, values: impl IntoIterator<Item = f64>, margin: f64) -> Self {
        let mut low = f64::INFINITY;
        let mut high = f64::NEG_INFINITY;
        for value in values.into_iter().filter(|&value| Self::has_place(spacing, value)) {
            let value = if spacing == Spacing::Log { value.log10() } else { value };
            low = low.min(value);
            high = high.max(value);
        }
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        if high - low <= 1e-9 * high.abs().max(low.abs()) || high - low < 1.0 / FARTHEST {
            let half = if spacing == Spacing::Log || low.abs() < 1.0 / FARTHEST { 0.5 } else { low.abs() * 0.1 };
            (low, high) = (low - half, high + half);
        }
        let pad = (high - low) * margin;
        Self::between(spacing, low - pad, high + pad)
    }

    fn between(spacing: Spacing, low: f64, high: f64) -> Self {
        match spacing {
            Spacing::Linear => Self { spacing, low, high },
            Spacing::Log => Self { spacing, low: 10f64.powf(low), high: 10f64.powf(high) },
        }
    }

    fn place(&self, value: f64) -> f64 {
        if self.spacing == Spacing::Log { value.log10() } else { value }
    }

    /// Where a value lies, 0 at the low end and 1 at the high one; none where it has no place.
    pub fn share(&self, value: f64) -> Option<f64> {
        Self::has_place(self.spacing, value).then(|| {
            let (low, high) = (self.place(self.low), self.place(self.high));
            (self.place(value) - low) / (high - low)
        })
    }

    /// The value at a share of its length.
    pub fn value_at(&self, share: f64) -> f64 {
        let (low, high) = (self.place(self.low), self.place(self.high));
        let place = low + (high - low) * share;
        if self.spacing == Spacing::Log { 10f64.powf(place) } else { place }
    }

    /// The axis with more room at the high end, a share of its length.
    pub fn with_room(&self, share: f64) -> Self {
        let (low, high) = (self.place(self.low), self.place(self.high));
        Self::between(self.spacing, low, high + (high - low) * share)
    }

    /// The ticks of an axis `length` points long whose numbers need `apart` points each.
    pub fn ticks(&self, length: f64, apart: f64) -> Vec<Tick> {
        let most = (length / apart).clamp(2.0, MOST);
        match self.spacing {
            Spacing::Linear => self.linear_ticks(most),
            Spacing::Log => self.log_ticks(most),
        }
    }

    /// The step between numbers, and into how many parts it is divided.
    fn linear_step(&self, most: f64) -> (f64, u8) {
        let rough = (self.high - self.low) / most;
        let power = 10f64.powf(rough.log10().floor());
        let steps = [(1.0, 5), (2.0, 4), (5.0, 5), (10.0, 5), (20.0, 4)].map(|(factor, parts)| (factor * power, parts));
        let fits = steps.iter().position(|&(step, _)| step >= rough * (1.0 - 1e-9)).unwrap_or(3);
        let numbers = |step: f64| (self.high / step + 1e-9).floor() - (self.low / step - 1e-9).ceil() + 1.0;
        // One number does not say how long a unit is.
        if numbers(steps[fits].0) < 2.0 && fits > 0 { steps[fits - 1] } else { steps[fits] }
    }

    fn linear_ticks(&self, most: f64) -> Vec<Tick> {
        let (step, parts) = self.linear_step(most);
        let write = linear_label(step, self.low.abs().max(self.high.abs()));
        let minor = step / f64::from(parts);
        let (first, last) = ((self.low / minor - 1e-9).ceil() as i64, (self.high / minor + 1e-9).floor() as i64);
        (first..=last)
            .map(|index| {
                let major = index.rem_euclid(i64::from(parts)) == 0;
                let value = index as f64 * minor;
                Tick { value, major, label: major.then(|| write(value)) }
            })
            .collect()
    }

    fn log_ticks(&self, most: f64) -> Vec<Tick> {
        let (low, high) = (self.low.log10(), self.high.log10());
        let (first, last) = ((low - 1e-9).ceil() as i32, (high + 1e-9).floor() as i32);
        let decades = f64::from((last - first + 1).max(0));
        if decades < 2.0 && high - low > 0.0 {
            return self.short_log_ticks(low, high, most);
        }
        let every = (decades / most).ceil().max(1.0) as i32;
        let mut ticks = Vec::new();
        for decade in first - 1..=last {
            for digit in 1..10 {
                let value = f64::from(digit) * 10f64.powi(decade);
                if value < self.low * (1.0 - 1e-9) || value > self.high * (1.0 + 1e-9) || (digit > 1 && every > 1) {
                    continue;
                }
                let label = (digit == 1 && decade.rem_euclid(every) == 0).then(|| Rich::power_of_ten(decade));
                ticks.push(Tick { value, major: digit == 1, label });
            }
        }
        ticks
    }

    /// Fewer than two powers of ten: other multiples get numbers too, as plain decimals.
    fn short_log_ticks(&self, low: f64, high: f64, most: f64) -> Vec<Tick> {
        let inside = |value: f64| value >= self.low * (1.0 - 1e-9) && value <= self.high * (1.0 + 1e-9);
        let decades = (low.floor() as i32)..=(high.floor() as i32);
        let count = |digits: &[u8]| {
            decades
                .clone()
                .flat_map(|decade| digits.iter().map(move |&digit| f64::from(digit) * 10f64.powi(decade)))
                .filter(|&value| inside(value))
                .count()
        };
        let choices: [&[u8]; 4] = [&[1, 2, 3, 4, 5, 6, 7, 8, 9], &[1, 2, 3, 5, 7], &[1, 2, 5], &[1, 3]];
        let fits = |digits: &&&[u8]| (2.0..=most).contains(&(count(digits) as f64));
        let chosen: &[u8] = choices.iter().find(fits).copied().unwrap_or(&[1, 3]);
        if count(chosen) < 2 {
            // Less than a factor of two: the ticks of a linear axis.
            return self.linear_ticks(most).into_iter().filter(|tick| tick.value > 0.0).collect();
        }
        let mut ticks = Vec::new();
        for decade in decades.clone() {
            for digit in 1..10u8 {
                let value = f64::from(digit) * 10f64.powi(decade);
                if !inside(value) {
                    continue;
                }
                let major = chosen.contains(&digit);
                let label = major.then(|| {
                    if (-4..=4).contains(&decade) {
                        Rich::parse(&plain(value, (-decade).max(0) as usize))
                    } else if digit == 1 {
                        Rich::power_of_ten(decade)
                    } else {
                        Rich::parse(&format!("{digit}×10^{{{decade}}}"))
                    }
                });
                ticks.push(Tick { value, major, label });
            }
        }
        ticks
    }
}

/// How the numbers of a linear axis are written: plainly, or very large and very small ones with a power of ten.
fn linear_label(step: f64, largest: f64) -> impl Fn(f64) -> Rich {
    let decimals_of = |step: f64| (-step.log10().floor()).clamp(0.0, 15.0) as usize;
    let power = largest.log10().floor() as i32;
    let far = !(-3..5).contains(&power);
    let unit = if far { 10f64.powi(power) } else { 1.0 };
    let decimals = decimals_of(step / unit * (1.0 + 1e-9));
    move |value| {
        let number = plain(value / unit, decimals);
        let zero = number.trim_matches(['0', '.']).is_empty();
        Rich::parse(&if far && !zero { format!("{number}×10^{{{power}}}") } else { number })
    }
}

/// A number with so many decimals, without a sign on zero.
fn plain(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    if text.trim_matches(['-', '0', '.']).is_empty() { text.trim_start_matches('-').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(ticks: &[Tick]) -> Vec<String> {
        ticks
            .iter()
            .filter_map(|tick| tick.label.as_ref())
            .map(|label| label.runs.iter().map(|run| run.text.as_str()).collect())
            .collect()
    }

    #[test]
    fn linear_ticks_are_round() {
        let axis = Axis { spacing: Spacing::Linear, low: -0.05, high: 1.05 };
        assert_eq!(labels(&axis.ticks(100.0, 18.0)), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        let axis = Axis { spacing: Spacing::Linear, low: -30.0, high: 30.0 };
        assert_eq!(labels(&axis.ticks(100.0, 25.0)), ["\u{2212}20", "0", "20"]);
    }

    #[test]
    fn far_numbers_are_written_with_a_power_of_ten() {
        let axis = Axis { spacing: Spacing::Linear, low: -1e5, high: 3.1e5 };
        assert_eq!(labels(&axis.ticks(60.0, 13.0)), ["\u{2212}1×105", "0", "1×105", "2×105", "3×105"]);
        let axis = Axis { spacing: Spacing::Linear, low: 0.0, high: 5.2e-5 };
        assert_eq!(labels(&axis.ticks(60.0, 13.0)), ["0", "2×10\u{2212}5", "4×10\u{2212}5"]);
        for end in [1e279, 1e300, 1e-279, 1e-300, f64::MIN_POSITIVE, f64::MAX] {
            let ticks = Axis::covering(Spacing::Linear, [0.0, end], 0.05).ticks(60.0, 13.0);
            assert!(labels(&ticks).iter().all(|label| label.len() < 16), "{ticks:?}");
        }
    }

    #[test]
    fn log_ticks_are_powers_of_ten_with_eight_between() {
        let axis = Axis { spacing: Spacing::Log, low: 0.009, high: 1.1 };
        let ticks = axis.ticks(200.0, 25.0);
        assert_eq!(labels(&ticks), ["10\u{2212}2", "10\u{2212}1", "100"]);
        assert_eq!(ticks.len(), 1 + 9 + 9 + 1);
        let short = Axis { spacing: Spacing::Log, low: 0.15, high: 0.9 };
        assert_eq!(labels(&short.ticks(60.0, 18.0)), ["0.2", "0.5"]);
        let tiny = Axis { spacing: Spacing::Log, low: 0.91, high: 0.99 };
        assert!(labels(&tiny.ticks(100.0, 25.0)).len() >= 2);
    }

    #[test]
    fn zeros_have_no_place_on_a_log_axis() {
        let axis = Axis::covering(Spacing::Log, [0.0, -1.0, f64::NAN, 0.1, 10.0], 0.0);
        assert!((axis.low - 0.1).abs() < 1e-12 && (axis.high - 10.0).abs() < 1e-9);
        assert_eq!(axis.share(0.0), None);
    }

    proptest! {
        #[test]
        fn every_range_has_its_values_inside_and_a_few_numbers(
            values in proptest::collection::vec(-1e6..1e6f64, 1..20), log: bool, length in 30.0..300.0f64
        ) {
            let spacing = if log { Spacing::Log } else { Spacing::Linear };
            let axis = Axis::covering(spacing, values.iter().copied(), 0.05);
            for &value in &values {
                if let Some(share) = axis.share(value) {
                    prop_assert!(share > 0.0 && share < 1.0, "{value} at {share}");
                }
            }
            let ticks = axis.ticks(length, 18.0);
            let named = ticks.iter().filter(|tick| tick.label.is_some()).count();
            prop_assert!((1..=20).contains(&named), "{named} labels on {axis:?}");
            for tick in ticks {
                let share = axis.share(tick.value).unwrap();
                prop_assert!((-1e-6..1.0 + 1e-6).contains(&share));
            }
        }
    }
}
