//! The quality of a set of points that stays, evaluated many times.

use std::cell::RefCell;

use super::quality::{Dataset, Line, Parameters, Quality};

/// As [`Dataset::quality`] with the pooled objective, over the same points again and again: the
/// brackets of one evaluation are where the next one looks first.
pub(crate) struct Brackets<'a> {
    data: &'a Dataset,
    /// Series and place in it of every point of the set.
    members: Vec<(usize, usize)>,
    memory: RefCell<Memory>,
}

struct Memory {
    /// The left bracketing point of every member in every series.
    left: Vec<usize>,
    x: Vec<f64>,
    y: Vec<f64>,
    weight: Vec<f64>,
}

impl<'a> Brackets<'a> {
    /// The set of the points whose numbers `keep` accepts.
    pub(crate) fn new(data: &'a Dataset, keep: impl Fn(usize) -> bool) -> Self {
        let mut members = Vec::new();
        for (series, offset) in data.offsets[..data.series.len()].iter().enumerate() {
            let count = data.series[series].control.len();
            members.extend((0..count).filter(|j| keep(offset + j)).map(|j| (series, j)));
        }
        let left = vec![0; members.len() * data.series.len()];
        let empty = || vec![0.0; data.total()];
        Self { data, members, memory: RefCell::new(Memory { left, x: empty(), y: empty(), weight: empty() }) }
    }

    /// S there; `None` where no point is bracketed. O(members x sizes).
    pub(crate) fn quality(&self, at: Parameters) -> Option<Quality> {
        let mut memory = self.memory.borrow_mut();
        let Memory { left, x, y, weight } = &mut *memory;
        let data = self.data;
        for (one, &offset) in data.series.iter().zip(&data.offsets) {
            let (x_scale, y_scale) = ((one.ln_size * at.inv_nu).exp(), (one.ln_size * at.kappa_over_nu).exp());
            let shrink = 1.0 / (y_scale * y_scale);
            let range = offset..offset + one.control.len();
            x[range.clone()].iter_mut().zip(&one.control).for_each(|(x, control)| *x = (control - at.p_c) * x_scale);
            y[range.clone()].iter_mut().zip(&one.value).for_each(|(y, value)| *y = value * y_scale);
            weight[range].iter_mut().zip(&one.weight).for_each(|(w, weight)| *w = weight * shrink);
        }
        let series = data.series.len();
        let (mut sum, mut points) = (0.0, 0);
        for (&(own, j), hints) in self.members.iter().zip(left.chunks_exact_mut(series)) {
            let number = data.offsets[own] + j;
            let here = x[number];
            let mut line = Line::default();
            for (index, hint) in hints.iter_mut().enumerate() {
                if index == own {
                    continue;
                }
                let range = data.offsets[index]..data.offsets[index + 1];
                let (xs, ys, ws) = (&x[range.clone()], &y[range.clone()], &weight[range]);
                if xs.len() < 2 {
                    continue;
                }
                let mut k = *hint;
                while k + 2 < xs.len() && xs[k + 1] <= here {
                    k += 1;
                }
                while k > 0 && xs[k] > here {
                    k -= 1;
                }
                *hint = k;
                let (low, high) = (xs[k], xs[k + 1]);
                if here < low || here > high {
                    continue;
                }
                line.add(low - here, ys[k], ws[k]);
                line.add(high - here, ys[k + 1], ws[k + 1]);
            }
            if let Some(square) = line.square_at_zero(y[number], weight[number]) {
                sum += square;
                points += 1;
            }
        }
        let s = sum / f64::from(points);
        (points > 0 && s.is_finite()).then_some(Quality { s, points: points as usize })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaling::curves::{Curves, Row};
    use crate::scaling::quality::Objective;
    use crate::seed::Seeds;

    #[test]
    fn the_same_as_from_scratch_wherever_the_last_evaluation_was() {
        let mut stream = Seeds::new(5, 0).stream("points");
        let mut rows = Vec::new();
        for size in [8.0, 16.0, 64.0] {
            for step in 0..30 {
                let control = f64::from(step) + 0.9 * stream.unit();
                rows.push(Row { size, control, value: stream.unit(), error: Some(0.1), replicate: None });
            }
        }
        let data = Dataset::new(&Curves::from_rows(rows).unwrap());
        let keep = |number: usize| number % 30 > 4 && number % 7 != 0;
        let brackets = Brackets::new(&data, keep);
        for _ in 0..200 {
            let at = Parameters {
                p_c: stream.uniform(-5.0, 35.0),
                inv_nu: stream.uniform(0.0, 1.5),
                kappa_over_nu: stream.uniform(-1.0, 1.0),
            };
            let (found, expected) =
                (brackets.quality(at), data.quality(at, Objective::Pooled, |number, _| keep(number)));
            assert_eq!(found.map(|q| q.points), expected.map(|q| q.points));
            if let (Some(found), Some(expected)) = (found, expected) {
                assert!((found.s / expected.s - 1.0).abs() < 1e-9, "{found:?} {expected:?}");
            }
        }
    }
}
