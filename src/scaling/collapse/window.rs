//! Which points a collapse uses.

use crate::scaling::quality::{Dataset, Objective, Parameters};

/// A collapse uses at least this many points in all.
pub const MIN_POINTS: usize = 10;
/// And at least this many of each size.
pub const MIN_POINTS_PER_SIZE: usize = 3;

/// A rule that selects points, given the parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Window {
    /// x in a closed interval.
    Fixed([f64; 2]),
    /// So many points of the smallest size below p_c and as many above (or all that it has there);
    /// the edges are halfway to its next points, so that no point sits on an edge.
    Nearest(usize),
}

impl Window {
    /// The interval in x at these parameters; `None` where p_c is not among the smallest size's
    /// points.
    pub(super) fn interval(self, data: &Dataset, at: Parameters) -> Option<[f64; 2]> {
        match self {
            Self::Fixed(interval) => Some(interval),
            Self::Nearest(k) => {
                let smallest = &data.series[0];
                let above = smallest.control.partition_point(|&control| control < at.p_c);
                if above == 0 || above == smallest.control.len() {
                    return None;
                }
                let scale = (smallest.ln_size * at.inv_nu).exp();
                let last = smallest.control.len() - 1;
                let edge = |inner: f64, outer: Option<&f64>, spare: f64| outer.map_or(spare, |o| 0.5 * (inner + o));
                let first = above.saturating_sub(k);
                let inner = smallest.control[first];
                let spare = 1.5 * inner - 0.5 * smallest.control[(first + 1).min(last)];
                let low = edge(inner, first.checked_sub(1).map(|next| &smallest.control[next]), spare);
                let end = (above + k - 1).min(last);
                let inner = smallest.control[end];
                let spare = 1.5 * inner - 0.5 * smallest.control[end.saturating_sub(1)];
                let high = edge(inner, smallest.control.get(end + 1), spare);
                Some([(low - at.p_c) * scale, (high - at.p_c) * scale])
            }
        }
    }
}

/// The points in a window that other sizes bracket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PointSet {
    members: Vec<bool>,
    count: usize,
}

impl PointSet {
    /// The set that parameters select; `None` where it has too few points.
    pub(super) fn select(data: &Dataset, window: Window, at: Parameters) -> Option<Self> {
        let [low, high] = window.interval(data, at)?;
        let mut members = vec![false; data.total()];
        let mut count = 0;
        data.visit(
            at,
            Objective::Pooled,
            |_, x| low <= x && x <= high,
            |number, _, _, _| {
                members[number] = true;
                count += 1;
            },
        );
        let set = Self { members, count };
        let enough = count >= MIN_POINTS
            && data.offsets.windows(2).all(|range| set.within(range[0]..range[1]) >= MIN_POINTS_PER_SIZE);
        enough.then_some(set)
    }

    pub(super) fn contains(&self, number: usize) -> bool {
        self.members[number]
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    fn within(&self, range: std::ops::Range<usize>) -> usize {
        self.members[range].iter().filter(|&&member| member).count()
    }

    /// The number of sizes with points of this set on both sides of p_c.
    pub(super) fn sizes_around(&self, data: &Dataset, p_c: f64) -> usize {
        data.series
            .iter()
            .zip(&data.offsets)
            .filter(|(one, offset)| {
                let above = one.control.partition_point(|&control| control < p_c);
                self.within(**offset..**offset + above) > 0
                    && self.within(**offset + above..**offset + one.control.len()) > 0
            })
            .count()
    }
}
