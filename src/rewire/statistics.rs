//! What is measured of a state: overlap with the start, what chance gives, correlations.

use std::collections::HashMap;

use super::NullModel;
use super::bits::BitMatrix;
use super::entropy::MaximumEntropy;
use super::parts::{Part, State};

/// What is measured of one state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seen {
    pub(super) overlap: Option<f64>,
    pub(super) sign_overlap: Option<f64>,
    pub(super) assortativity: Option<f64>,
    pub(super) place_correlation: Option<f64>,
}

/// Measures states of a layer, what all of them share with its start once.
#[derive(Debug)]
pub(super) struct Statistics {
    edges: usize,
    /// Where every state has the row and column sums of the start.
    correlations: Option<Correlations>,
}

impl Statistics {
    /// Of states drawn from `start` by a null model.
    pub(super) fn new(start: &State, null: NullModel) -> Self {
        let correlations = null.uses_swaps().then(|| Correlations::of(&start.kept));
        Self { edges: start.kept.count(), correlations }
    }

    /// Measures a state drawn from `start`. O(edges + cells / 64).
    pub(super) fn of(&self, start: &State, state: &State) -> Seen {
        let share = |shared: usize| (self.edges > 0).then(|| shared as f64 / self.edges as f64);
        let sign_overlap = start
            .negative
            .as_ref()
            .zip(state.negative.as_ref())
            .and_then(|(negative, of_state)| share(start.kept.shared_with_signs(negative, &state.kept, of_state)));
        let (assortativity, place_correlation) = match &self.correlations {
            Some(correlations) => correlations.between(&state.kept),
            None => Correlations::of(&state.kept).between(&state.kept),
        };
        Seen { overlap: share(start.kept.shared(&state.kept)), sign_overlap, assortativity, place_correlation }
    }
}

/// The first moment over the edges of a value of their rows or columns, times the number of edges, and its
/// variance times the square of that: whole numbers, which i128 holds for every matrix that fits u32.
#[derive(Debug)]
struct Moments {
    sum: i128,
    variance: i128,
}

impl Moments {
    /// From how many edges have each value.
    fn of(edges: &[u64], values: impl Iterator<Item = u64>) -> Self {
        let (mut count, mut sum, mut squares) = (0i128, 0i128, 0i128);
        for (&edges, value) in edges.iter().zip(values) {
            let (edges, value) = (i128::from(edges), i128::from(value));
            count += edges;
            sum += edges * value;
            squares += edges * value * value;
        }
        Self { sum, variance: count * squares - sum * sum }
    }

    /// Pearson's correlation with another value, from the sum over the edges of their product.
    fn correlation(&self, other: &Self, edges: i128, product: i128) -> Option<f64> {
        if self.variance == 0 || other.variance == 0 {
            return None;
        }
        let covariance = edges * product - self.sum * other.sum;
        Some(covariance as f64 / (self.variance as f64).sqrt() / (other.variance as f64).sqrt())
    }
}

/// What two of Pearson's correlations over the edges need of the row and column sums: of the in-degree of the target
/// and the out-degree of the source, both in this layer (degree assortativity, Newman, Phys. Rev. Lett. 89, 208701
/// (2002), doi:10.1103/PhysRevLett.89.208701); and of the target's number and the source's number, that is of a
/// row's and a column's place.
#[derive(Debug)]
struct Correlations {
    rows: Vec<u64>,
    columns: Vec<u64>,
    edges: i128,
    degrees: [Moments; 2],
    places: [Moments; 2],
}

impl Correlations {
    fn of(state: &BitMatrix) -> Self {
        let [rows, columns] =
            [state.row_sums(), state.column_sums()].map(|sums| sums.iter().map(|&sum| sum as u64).collect::<Vec<_>>());
        let edges = rows.iter().map(|&sum| i128::from(sum)).sum();
        let degrees = [&rows, &columns].map(|sums| Moments::of(sums, sums.iter().copied()));
        let places = [&rows, &columns].map(|sums| Moments::of(sums, 0..));
        Self { rows, columns, edges, degrees, places }
    }

    /// (of degrees, of places) of a matrix with these row and column sums; none where one side is the same for
    /// all edges. O(edges + cells / 64).
    fn between(&self, state: &BitMatrix) -> (Option<f64>, Option<f64>) {
        let (mut degrees, mut places) = (0i128, 0i128);
        for (row, words) in state.words.chunks_exact(state.words_per_row.max(1)).enumerate() {
            let (mut degree, mut place) = (0u64, 0u64);
            for (at, &word) in words.iter().enumerate() {
                let mut left = word;
                while left != 0 {
                    let column = at * 64 + left.trailing_zeros() as usize;
                    left &= left - 1;
                    degree += self.columns[column];
                    place += column as u64;
                }
            }
            degrees += i128::from(self.rows[row]) * i128::from(degree);
            places += row as i128 * i128::from(place);
        }
        let of = |[rows, columns]: &[Moments; 2], product| rows.correlation(columns, self.edges, product);
        (of(&self.degrees, degrees), of(&self.places, places))
    }
}

/// The overlap with `start` that a mask drawn from `null` has on average; `density` is that of the
/// whole network and `parts` what chains rewire apart. Exact for all null models but
/// [`NullModel::Degrees`], where the probability of an edge is estimated by [`MaximumEntropy`], and
/// [`NullModel::SignedDegrees`], where the two signs' probabilities, each estimated so, are added (at
/// most to 1).
pub(super) fn overlap_at_random(start: &BitMatrix, parts: &[Part], null: NullModel, density: f64) -> Option<f64> {
    let edges = start.count();
    if edges == 0 {
        return None;
    }
    let squares = |sums: Vec<usize>| sums.iter().map(|&k| (k as f64).powi(2)).sum::<f64>();
    let over_parts = |shared: fn(&Part) -> f64| parts.iter().map(shared).sum::<f64>() / edges as f64;
    let share = match null {
        NullModel::Edges => density,
        NullModel::LayerDensity => edges as f64 / start.cells() as f64,
        NullModel::InDegrees => squares(start.row_sums()) / start.columns as f64 / edges as f64,
        NullModel::OutDegrees => squares(start.column_sums()) / start.rows as f64 / edges as f64,
        NullModel::Degrees => over_parts(|part| {
            let kept = Entropy::of(&part.start.kept);
            part.start.kept.sum_over(|row, column| kept.probability(row, column))
        }),
        NullModel::SignedDegrees => over_parts(|part| {
            let [plus, minus] = signs(part).map(|sign| Entropy::of(&sign));
            let kept = &part.start.kept;
            kept.sum_over(|row, column| (plus.probability(row, column) + minus.probability(row, column)).min(1.0))
        }),
        NullModel::JointDegrees => over_parts(|part| joint(part, |count, cells| (count as f64).powi(2) / cells as f64)),
    };
    Some(share)
}

/// The share of edges of `parts` that keep place and sign on average; estimated as the overlap is.
pub(super) fn sign_overlap_at_random(start: &State, parts: &[Part]) -> Option<f64> {
    let edges = start.kept.count();
    start.negative.as_ref().filter(|_| edges > 0)?;
    let of_sign = |sign: BitMatrix| {
        let entropy = Entropy::of(&sign);
        sign.sum_over(|row, column| entropy.probability(row, column))
    };
    let shared: f64 = parts.iter().flat_map(signs).map(of_sign).sum();
    Some(shared / edges as f64)
}

/// The positive and the negative edges.
pub(super) fn signs(part: &Part) -> [BitMatrix; 2] {
    let kept = &part.start.kept;
    let negative = part.start.negative.clone().unwrap_or_else(|| BitMatrix::empty(kept.rows, kept.columns));
    [kept.without(&negative), negative]
}

/// The sum over all classes of rows and of columns of `f` of the edges and the cells between them.
///
/// Exchanging rows of one class turns realisations of these joint degrees into each other, and so with
/// columns: every cell between two classes is as likely to be kept, with probability edges / cells.
pub(super) fn joint(part: &Part, f: impl Fn(u64, u64) -> f64) -> f64 {
    let sizes = |classes: &[usize]| {
        let mut sizes: HashMap<usize, u64> = HashMap::new();
        classes.iter().for_each(|&class| *sizes.entry(class).or_default() += 1);
        sizes
    };
    let (rows, columns) = (sizes(&part.row_classes), sizes(&part.column_classes));
    let mut edges: std::collections::BTreeMap<(usize, usize), u64> = std::collections::BTreeMap::new();
    let mut of_row: HashMap<usize, u64> = HashMap::new();
    for (row, of_columns) in part.start.kept.rows_of_columns() {
        of_columns.for_each(|column| *of_row.entry(part.column_classes[column]).or_default() += 1);
        for (class, count) in of_row.drain() {
            *edges.entry((part.row_classes[row], class)).or_default() += count;
        }
    }
    edges.into_iter().map(|((row, column), count)| f(count, rows[&row] * columns[&column])).sum()
}

/// [`MaximumEntropy`] of a matrix, by row and column.
struct Entropy {
    rows: Vec<usize>,
    columns: Vec<usize>,
    fitted: MaximumEntropy,
}

impl Entropy {
    fn of(bits: &BitMatrix) -> Self {
        let (rows, columns) = (bits.row_sums(), bits.column_sums());
        let fitted = MaximumEntropy::fit(&rows, &columns);
        Self { rows, columns, fitted }
    }

    fn probability(&self, row: usize, column: usize) -> f64 {
        self.fitted.probability(self.rows[row], self.columns[column])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rewire::direct;
    use crate::rewire::joint::JointChain;
    use crate::rewire::signed::SignedChain;
    use crate::rewire::swaps::SwapChain;
    use crate::seed::Seeds;

    fn assortativity(bits: &BitMatrix) -> Option<f64> {
        Correlations::of(bits).between(bits).0
    }

    fn overlap(start: &BitMatrix, state: &BitMatrix) -> Option<f64> {
        Some(start.shared(state) as f64 / start.count() as f64)
    }

    fn of_edges(rows: usize, columns: usize, edges: &[(usize, usize)]) -> BitMatrix {
        let mut bits = BitMatrix::empty(rows, columns);
        edges.iter().for_each(|&(row, column)| assert!(bits.insert(row, column)));
        bits
    }

    /// Rows and columns with unequal degrees: a cell is set with a probability that falls with both.
    fn uneven(rows: usize, columns: usize, seed: u64) -> BitMatrix {
        let mut stream = Seeds::new(seed, 0).stream("uneven");
        let mut bits = BitMatrix::empty(rows, columns);
        for row in 0..rows {
            for column in 0..columns {
                if stream.unit() < 0.8 / (1.0 + 0.1 * row as f64) / (1.0 + 0.05 * column as f64) {
                    bits.insert(row, column);
                }
            }
        }
        bits
    }

    #[test]
    fn assortativity_of_small_graphs() {
        // Degrees of the edges (row, column): (1, 1), (2, 2), (2, 2), (2, 2), (2, 2): r = 1.
        let apart = of_edges(3, 3, &[(0, 0), (1, 1), (1, 2), (2, 1), (2, 2)]);
        assert!((assortativity(&apart).unwrap() - 1.0).abs() < 1e-12);
        // A path of three edges, (1, 2), (2, 2), (2, 1): by hand -1/2.
        let path = of_edges(2, 2, &[(0, 0), (1, 0), (1, 1)]);
        assert!((assortativity(&path).unwrap() + 0.5).abs() < 1e-12);
        assert_eq!(assortativity(&of_edges(2, 2, &[(0, 0), (1, 1)])), None);
        assert_eq!(assortativity(&BitMatrix::empty(2, 2)), None);
    }

    #[test]
    fn assortativity_is_pearsons_correlation() {
        let bits = uneven(40, 70, 1);
        let (rows, columns) = (bits.row_sums(), bits.column_sums());
        let mut pairs = Vec::new();
        for (row, &in_degree) in rows.iter().enumerate() {
            for (column, &out_degree) in columns.iter().enumerate() {
                if bits.holds(row, column) {
                    pairs.push((in_degree as f64, out_degree as f64));
                }
            }
        }
        let n = pairs.len() as f64;
        let mean = |f: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(f).sum::<f64>() / n;
        let (x, y) = (mean(&|p| p.0), mean(&|p| p.1));
        let expected =
            mean(&|p| (p.0 - x) * (p.1 - y)) / (mean(&|p| (p.0 - x).powi(2)) * mean(&|p| (p.1 - y).powi(2))).sqrt();
        assert!((assortativity(&bits).unwrap() - expected).abs() < 1e-10);
    }

    #[test]
    fn the_place_correlation_is_pearsons_correlation() {
        let bits = uneven(30, 50, 4);
        let mut pairs = Vec::new();
        bits.for_each(|row, column| pairs.push((row as f64, column as f64)));
        let n = pairs.len() as f64;
        let mean = |f: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(f).sum::<f64>() / n;
        let (x, y) = (mean(&|p| p.0), mean(&|p| p.1));
        let expected =
            mean(&|p| (p.0 - x) * (p.1 - y)) / (mean(&|p| (p.0 - x).powi(2)) * mean(&|p| (p.1 - y).powi(2))).sqrt();
        let found = Correlations::of(&bits).between(&bits).1.unwrap();
        assert!((found - expected).abs() < 1e-10, "{found} against {expected}");
    }

    fn with_signs(kept: BitMatrix) -> State {
        let mut negative = BitMatrix::empty(kept.rows, kept.columns);
        kept.for_each(|row, column| {
            if (row * row + 3 * column) % 5 < 2 {
                negative.insert(row, column);
            }
        });
        State { kept, negative: Some(negative) }
    }

    #[test]
    fn the_expected_overlap_is_the_mean_of_draws() {
        use NullModel::{Degrees, InDegrees, JointDegrees, LayerDensity, OutDegrees, SignedDegrees};
        for start in [uneven(40, 70, 2), uneven(40, 70, 3).complement()] {
            let edges = start.count() as f64;
            let proposals = 30 * edges as u64;
            for null in [LayerDensity, InDegrees, OutDegrees, Degrees, SignedDegrees, JointDegrees] {
                let state = if null == SignedDegrees {
                    with_signs(start.clone())
                } else {
                    State { kept: start.clone(), negative: None }
                };
                let parts = state.parts(null, 1);
                let draws = 300;
                let (mut sum, mut sign_sum) = (0.0, 0.0);
                for sample in 0..draws {
                    let mut stream = Seeds::new(sample, 1).stream("draw");
                    let drawn = match null {
                        LayerDensity => direct::same_count(&start, &mut stream),
                        InDegrees => direct::same_rows(&start, &mut stream),
                        OutDegrees => direct::same_columns(&start, &mut stream),
                        SignedDegrees => {
                            let negative = state.negative.as_ref().unwrap();
                            let mut chain = SignedChain::new("a", &start, negative).unwrap();
                            chain.propose(proposals, &mut stream);
                            let (kept, negative) = chain.state();
                            let drawn = State { kept, negative: Some(negative) };
                            sign_sum += Statistics::new(&state, null).of(&state, &drawn).sign_overlap.unwrap();
                            drawn.kept
                        }
                        JointDegrees => {
                            let part = &parts[0];
                            let mut chain =
                                JointChain::new("a", &start, &part.row_classes, &part.column_classes).unwrap();
                            chain.propose(proposals, &mut stream);
                            chain.state()
                        }
                        _ => {
                            let mut chain = SwapChain::new("a", &start).unwrap();
                            chain.propose(proposals, &mut stream);
                            chain.state()
                        }
                    };
                    sum += overlap(&start, &drawn).unwrap();
                }
                let close = |what: &str, sum: f64, expected: f64| {
                    let mean = sum / draws as f64;
                    // Five standard errors of a binomial, more than that of draws without replacement,
                    // and for `degrees` and `signed-degrees` the error of the estimate.
                    let tolerance = 5.0 * (expected * (1.0 - expected) / edges / draws as f64).sqrt()
                        + match null {
                            Degrees => 0.01,
                            SignedDegrees => 0.03,
                            _ => 0.0,
                        };
                    assert!((mean - expected).abs() < tolerance, "{null} {what}: {mean}, {expected} +- {tolerance}");
                };
                close("overlap", sum, overlap_at_random(&start, &parts, null, 0.5).unwrap());
                match sign_overlap_at_random(&state, &parts) {
                    Some(expected) => close("sign overlap", sign_sum, expected),
                    None => assert_ne!(null, SignedDegrees),
                }
            }
        }
    }

    #[test]
    fn forced_edges_are_expected_to_overlap() {
        let expected = |kept: &BitMatrix, density| {
            let state = State { kept: kept.clone(), negative: None };
            overlap_at_random(kept, &state.parts(NullModel::Degrees, 1), NullModel::Degrees, density)
        };
        assert!(expected(&BitMatrix::empty(5, 7).complement(), 1.0).unwrap() > 0.99);
        let row = of_edges(3, 4, &[(0, 0), (0, 1), (0, 2), (0, 3)]);
        assert!(expected(&row, 0.3).unwrap() > 0.99);
        assert_eq!(expected(&BitMatrix::empty(2, 3), 0.0), None);
    }
}
