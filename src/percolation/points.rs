//! The numbers of kept weights at which a curve is observed.

/// The numbers of kept weights at which a curve is observed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Points {
    /// At every one, from 1 to all.
    All,
    /// At this many, spaced in log from 1 to all, both included, rounded, without repeats (so fewer
    /// where there are few weights). Fewer than 2 count as 2.
    Logarithmic(usize),
    /// At these; what is 0 or more than there are is left out.
    At(Vec<usize>),
}

impl Default for Points {
    /// 200 points.
    fn default() -> Self {
        Self::Logarithmic(200)
    }
}

impl Points {
    /// How many [`Points::numbers`] there are, without listing all weights.
    pub fn count(&self, edges: usize) -> usize {
        match self {
            Self::All => edges,
            _ => self.numbers(edges).len(),
        }
    }

    /// The numbers for a graph with `edges` kept weights, ascending; none where there are none.
    ///
    /// ```
    /// use prunephase::percolation::Points;
    /// assert_eq!(Points::Logarithmic(4).numbers(1000), [1, 10, 100, 1000]);
    /// assert_eq!(Points::Logarithmic(100).numbers(3), [1, 2, 3]);
    /// assert_eq!(Points::All.numbers(3), [1, 2, 3]);
    /// ```
    pub fn numbers(&self, edges: usize) -> Vec<usize> {
        if edges == 0 {
            return Vec::new();
        }
        match self {
            Self::All => (1..=edges).collect(),
            Self::Logarithmic(count) => {
                let steps = (*count).max(2) - 1;
                let span = (edges as f64).ln();
                let mut numbers: Vec<usize> =
                    (0..=steps)
                        .map(|step| {
                            if step == steps {
                                edges
                            } else {
                                (span * step as f64 / steps as f64).exp().round() as usize
                            }
                        })
                        .map(|number| number.clamp(1, edges))
                        .collect();
                numbers.dedup();
                numbers
            }
            Self::At(numbers) => {
                let mut numbers: Vec<usize> =
                    numbers.iter().copied().filter(|number| (1..=edges).contains(number)).collect();
                numbers.sort_unstable();
                numbers.dedup();
                numbers
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithmic_points_hold_both_ends_and_never_repeat() {
        for edges in [1, 2, 5, 199, 200, 266_200, 20_000_000] {
            for count in [0, 2, 7, 200, 1000] {
                let numbers = Points::Logarithmic(count).numbers(edges);
                assert_eq!((numbers[0], *numbers.last().unwrap()), (1, edges));
                assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{edges} {count}");
                assert!(numbers.len() <= count.max(2).min(edges));
                assert_eq!(Points::Logarithmic(count).count(edges), numbers.len());
            }
        }
        assert_eq!(Points::default().numbers(20_000_000).len(), 182);
    }

    #[test]
    fn no_weights_give_no_points() {
        for points in [Points::All, Points::default(), Points::At(vec![0, 1])] {
            assert!(points.numbers(0).is_empty());
            assert_eq!(points.count(0), 0);
        }
        assert_eq!(Points::At(vec![7, 0, 3, 3, 9]).numbers(7), [3, 7]);
        assert_eq!(Points::All.count(7), 7);
    }
}
