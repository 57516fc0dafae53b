//! Exhaustively enumerated cases of the null models with a chain, and tests that its draws are uniform.

#![allow(dead_code)]

use std::collections::{BTreeMap, BTreeSet};

use ndarray::{ArrayD, IxDyn};
use prunephase::mask::LayerMask;
use prunephase::rewire::{Chain, ChainKind, NullModel, SwapOptions};
use prunephase::seed::{Seeds, Stream};
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// Nothing, + and - as 0, 1 and 2, row by row.
pub type Matrix = Vec<u8>;

/// A start, the null model, and how many matrices a chain must reach out of how many there are.
pub struct Case<'a> {
    pub name: &'static str,
    pub null: NullModel,
    pub chain: ChainKind,
    pub start: Vec<&'a str>,
    pub reached: usize,
    pub all: usize,
}

fn case(name: &'static str, null: NullModel, start: &[&'static str], reached: usize, all: usize) -> Case<'static> {
    Case { name, null, chain: ChainKind::Swaps, start: start.to_vec(), reached, all }
}

use NullModel::{Degrees, JointDegrees, SignedDegrees};

/// The cases that must pass: those of [`Degrees`] with either of its chains.
pub fn cases() -> Vec<Case<'static>> {
    let mut cases = chains_of_their_own();
    let by_curveball = |case: &Case<'static>| Case { chain: ChainKind::Curveball, start: case.start.clone(), ..*case };
    let traded: Vec<Case<'static>> = cases.iter().filter(|case| case.null == Degrees).map(by_curveball).collect();
    cases.extend(traded);
    cases
}

fn chains_of_their_own() -> Vec<Case<'static>> {
    vec![
        case("degrees 3221 x 3221", Degrees, &["+++.", "++..", "+.+.", "...+"], 24, 24),
        case("degrees 221 x 2111", Degrees, &["++..", "+.+.", "...+"], 12, 12),
        // More than half of the cells are set: the chain moves the holes.
        case("degrees 333 x 3222", Degrees, &["+++.", "++.+", "+.++"], 6, 6),
        case("degrees 432 x 32211", Degrees, &["++++.", "+++..", "+...+"], 8, 8),
        case("degrees 2222 x 2222", Degrees, &["++..", "++..", "..++", "..++"], 90, 90),
        // The row sums vary so much that Curveball trades rows and columns in turn.
        case("degrees 41111 x 22211", Degrees, &["++++.", "+....", ".+...", "..+..", "....+"], 84, 84),
        case("joint-degrees 2211 x 2211", JointDegrees, &["++..", "+.+.", ".+..", "...+"], 16, 16),
        case("joint-degrees, dense", JointDegrees, &["++++.", "+++.+", "++.+.", ".++++"], 18, 18),
        // One + and one - in every row and column.
        case("signed-degrees, Latin squares", SignedDegrees, &["+-.", ".+-", "-.+"], 12, 12),
        case("signed-degrees 3 x 4", SignedDegrees, &["+-..", ".+-.", "-..+"], 18, 18),
        // More than half of the cells are set.
        case("signed-degrees, dense", SignedDegrees, &["+-+.", "-++-", ".-+-"], 3, 3),
        case("signed-degrees, full", SignedDegrees, &["+-+-", "-++-", "-+-+"], 15, 15),
    ]
}

impl Case<'_> {
    pub fn rows(&self) -> usize {
        self.start.len()
    }

    pub fn columns(&self) -> usize {
        self.start[0].len()
    }

    pub fn first(&self) -> Matrix {
        let value = |c| match c {
            '+' => 1,
            '-' => 2,
            _ => 0,
        };
        self.start.iter().flat_map(|row| row.chars().map(value)).collect()
    }

    /// What the null model keeps of a matrix, counted cell by cell.
    fn kept(&self, matrix: &Matrix) -> Vec<usize> {
        let (rows, columns) = (self.rows(), self.columns());
        let at = |row: usize, column: usize| matrix[row * columns + column];
        let row_sum = |row: usize, value: u8| (0..columns).filter(|&c| at(row, c) == value).count();
        let column_sum = |column: usize, value: u8| (0..rows).filter(|&r| at(r, column) == value).count();
        let mut kept = Vec::new();
        for value in [1, 2] {
            kept.extend((0..rows).map(|row| row_sum(row, value)));
            kept.extend((0..columns).map(|column| column_sum(column, value)));
        }
        if self.null == JointDegrees {
            let mut joint = vec![0; (columns + 1) * (rows + 1)];
            for row in 0..rows {
                for column in (0..columns).filter(|&column| at(row, column) == 1) {
                    joint[row_sum(row, 1) * (rows + 1) + column_sum(column, 1)] += 1;
                }
            }
            kept.extend(joint);
        }
        kept
    }

    /// Every matrix with what the null model keeps of the start.
    pub fn enumerate(&self) -> BTreeSet<Matrix> {
        let first = self.first();
        let wanted = self.kept(&first);
        let columns = self.columns();
        // Row by row, all arrangements of the row's values.
        let mut partial: Vec<Matrix> = vec![Vec::new()];
        for row in first.chunks(columns) {
            let mut arrangements: BTreeSet<Matrix> = BTreeSet::new();
            arrange(&mut row.to_vec(), 0, &mut arrangements);
            partial = partial
                .iter()
                .flat_map(|above| arrangements.iter().map(move |row| [above.as_slice(), row].concat()))
                .collect();
        }
        partial.into_iter().filter(|matrix| self.kept(matrix) == wanted).collect()
    }

    /// The case and its chain.
    pub fn title(&self) -> String {
        if self.chain == ChainKind::Curveball { format!("{}, curveball", self.name) } else { self.name.to_owned() }
    }

    pub fn chain(&self, seed: u64) -> Chain {
        let shape = IxDyn(&[self.rows(), self.columns()]);
        let weights = ArrayD::from_shape_vec(shape, self.first()).unwrap();
        let layer = LayerMask { name: "fc1".into(), kept: weights.mapv(|value| value > 0) };
        let weights = weights.mapv(|value| [0.0, 1.0, -1.0][value as usize]);
        let options = SwapOptions::default().by(self.chain);
        Chain::new(&layer, Some(&weights), self.null, &options, &Seeds::new(seed, 0)).unwrap()
    }

    /// How often `draws` states of one chain, `per_edge` proposals an edge apart, were each matrix.
    pub fn counts(&self, seed: u64, draws: usize, per_edge: f64) -> BTreeMap<Matrix, u64> {
        let mut chain = self.chain(seed);
        let mut counts = BTreeMap::new();
        for _ in 0..draws {
            chain.advance(per_edge);
            let (kept, negative) = chain.state();
            let mut matrix: Matrix = kept.kept.iter().map(|&kept| u8::from(kept)).collect();
            if let Some(negative) = negative {
                matrix.iter_mut().zip(&negative.kept).for_each(|(value, &negative)| *value += u8::from(negative));
            }
            *counts.entry(matrix).or_default() += 1;
        }
        counts
    }
}

fn arrange(row: &mut Matrix, from: usize, found: &mut BTreeSet<Matrix>) {
    if from == row.len() {
        found.insert(row.clone());
    }
    for at in from..row.len() {
        row.swap(from, at);
        arrange(row, from + 1, found);
        row.swap(from, at);
    }
}

/// Which moves of signed matrices to make.
#[derive(Debug, Clone, Copy)]
pub struct Moves {
    pub within_a_sign: bool,
    pub mixed: bool,
    pub hexagons: bool,
    pub trades: bool,
}

pub const ALL_MOVES: Moves = Moves { within_a_sign: true, mixed: true, hexagons: true, trades: true };

/// Every matrix that the moves reach from `start`, by going through all rows and columns.
pub fn class_of(start: &Matrix, columns: usize, moves: Moves) -> BTreeSet<Matrix> {
    let rows = start.len() / columns;
    let mut found = BTreeSet::from([start.clone()]);
    let mut left = vec![start.clone()];
    while let Some(matrix) = left.pop() {
        let mut reach = |cells: &[(usize, usize, u8)]| {
            let mut next = matrix.clone();
            cells.iter().for_each(|&(row, column, value)| next[row * columns + column] = value);
            if found.insert(next.clone()) {
                left.push(next);
            }
        };
        let at = |row: usize, column: usize| matrix[row * columns + column];
        let distinct = |a: usize, b: usize, c: usize| a != b && b != c && a != c;
        for a in 0..rows {
            for c in (0..rows).filter(|&c| c != a) {
                for b in 0..columns {
                    for d in (0..columns).filter(|&d| d != b) {
                        let (x, y) = (at(a, b), at(a, d));
                        if at(c, d) == x && at(c, b) == y && x != y {
                            let mixed = x != 0 && y != 0;
                            if (mixed && moves.mixed) || (!mixed && moves.within_a_sign) {
                                reach(&[(a, b, y), (c, d, y), (a, d, x), (c, b, x)]);
                            }
                        }
                        let z = at(c, d);
                        let corner = x != 0 && z != 0 && x != z && y == 0 && at(c, b) == 0;
                        if corner && moves.trades {
                            for e in (0..columns).filter(|&e| at(a, e) == z && at(c, e) == x) {
                                reach(&[(a, b, 0), (c, b, x), (a, d, z), (c, d, 0), (a, e, x), (c, e, z)]);
                            }
                            for e in (0..rows).filter(|&e| at(e, b) == z && at(e, d) == x) {
                                reach(&[(a, b, 0), (a, d, x), (c, b, z), (c, d, 0), (e, b, x), (e, d, z)]);
                            }
                        }
                        for e in (0..rows).filter(|&e| moves.hexagons && distinct(a, c, e)) {
                            for f in (0..columns).filter(|&f| distinct(b, d, f)) {
                                let same = at(c, d) == x && at(e, f) == x && at(c, f) == y && at(e, b) == y;
                                if same && x != y {
                                    reach(&[(a, b, y), (c, d, y), (e, f, y), (a, d, x), (c, f, x), (e, b, x)]);
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    found
}

/// Chi-square of the counts against the uniform law on `all`, and its p-value.
pub fn chi_square(counts: &BTreeMap<Matrix, u64>, all: &BTreeSet<Matrix>) -> (f64, f64) {
    assert!(counts.keys().all(|matrix| all.contains(matrix)), "a matrix outside the class was drawn");
    let expected = counts.values().sum::<u64>() as f64 / all.len() as f64;
    let count = |matrix| counts.get(matrix).copied().unwrap_or(0) as f64;
    let chi_square: f64 = all.iter().map(|matrix| (count(matrix) - expected).powi(2) / expected).sum();
    (chi_square, ChiSquared::new(all.len() as f64 - 1.0).unwrap().sf(chi_square))
}

/// The p-value of Kolmogorov and Smirnov's test that `values` are uniform in [0, 1], with Stephens'
/// correction for small numbers (J. R. Stat. Soc. B 32, 115 (1970)).
pub fn kolmogorov_smirnov(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let distance = sorted
        .iter()
        .enumerate()
        .map(|(at, value)| (value - at as f64 / n).max((at + 1) as f64 / n - value))
        .fold(0.0, f64::max);
    let lambda = (n.sqrt() + 0.12 + 0.11 / n.sqrt()) * distance;
    let term = |j: i32| (-2.0 * f64::from(j * j) * lambda * lambda).exp() * if j % 2 == 1 { 2.0 } else { -2.0 };
    (1..100).map(term).sum::<f64>().clamp(0.0, 1.0)
}

/// The wrong chain of [`Degrees`]: a draw after each `accepted` swaps, or one more by chance so that no
/// parity shows; refused proposals do not count.
pub fn accepted_only(case: &Case<'_>, seed: u64, draws: usize, accepted: u64) -> BTreeMap<Matrix, u64> {
    let columns = case.columns();
    let mut stream: Stream = Seeds::new(seed, 0).stream("accepted only");
    let mut matrix = case.first();
    let mut counts = BTreeMap::new();
    for _ in 0..draws {
        for _ in 0..accepted + stream.below(2) {
            loop {
                let edges: Vec<usize> = (0..matrix.len()).filter(|&cell| matrix[cell] == 1).collect();
                let mut draw = || edges[stream.below(edges.len() as u64) as usize];
                let (ab, cd) = (draw(), draw());
                let ad = ab / columns * columns + cd % columns;
                let cb = cd / columns * columns + ab % columns;
                if matrix[ad] == 0 && matrix[cb] == 0 {
                    [(ab, 0), (cd, 0), (ad, 1), (cb, 1)].into_iter().for_each(|(cell, value)| matrix[cell] = value);
                    break;
                }
            }
        }
        *counts.entry(matrix.clone()).or_default() += 1;
    }
    counts
}

/// A wrong chain of trades: coins deal the open columns of two random rows out, and then the *first* of them that
/// can be are moved until both row sums are right.
pub fn first_corrected(case: &Case<'_>, seed: u64, draws: usize, trades: usize) -> BTreeMap<Matrix, u64> {
    let (rows, columns) = (case.rows(), case.columns());
    let mut stream: Stream = Seeds::new(seed, 0).stream("first corrected");
    let mut matrix = case.first();
    let mut counts = BTreeMap::new();
    for _ in 0..draws {
        for _ in 0..trades {
            let one = stream.below(rows as u64) as usize;
            let other = (one + 1 + stream.below(rows as u64 - 1) as usize) % rows;
            let (one, other) = (one * columns, other * columns);
            let open: Vec<usize> = (0..columns).filter(|&c| matrix[one + c] != matrix[other + c]).collect();
            let share = open.iter().filter(|&&c| matrix[one + c] == 1).count();
            let mut dealt: Vec<bool> = open.iter().map(|_| stream.below(2) == 1).collect();
            while dealt.iter().filter(|dealt| **dealt).count() != share {
                let more = dealt.iter().filter(|dealt| **dealt).count() < share;
                let first = dealt.iter().position(|&dealt| dealt != more).unwrap();
                dealt[first] = more;
            }
            for (&column, dealt) in open.iter().zip(dealt) {
                matrix[one + column] = u8::from(dealt);
                matrix[other + column] = u8::from(!dealt);
            }
        }
        *counts.entry(matrix.clone()).or_default() += 1;
    }
    counts
}
