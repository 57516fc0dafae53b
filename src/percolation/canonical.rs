//! From averages at every number of weights to averages at a probability.

use super::averages::QUANTITIES;

/// Below this share of its largest term a binomial distribution is cut off.
const NEGLIGIBLE: f64 = 1e-17;

/// Binomial distributions of the number of weights that are there.
#[derive(Debug, Clone)]
pub(super) struct Binomials(Vec<Binomial>);

/// The terms of one distribution that are not negligible; their sum is 1.
#[derive(Debug, Clone)]
struct Binomial {
    first: usize,
    terms: Vec<f64>,
}

impl Binomial {
    /// n of `edges` weights, each there with probability `expected` / `edges`.
    fn new(edges: usize, expected: usize) -> Self {
        if expected == edges {
            return Self { first: edges, terms: vec![1.0] };
        }
        // B(n + 1) / B(n) = (E - n) / (n + 1) x p / (1 - p); the expected number, an integer, has the
        // largest term.
        let odds = expected as f64 / (edges - expected) as f64;
        let ratio = |n: usize| (edges - n) as f64 / (n + 1) as f64 * odds;
        let mut below = Vec::new();
        let mut term = 1.0;
        let mut first = expected;
        while first > 0 {
            term /= ratio(first - 1);
            if term < NEGLIGIBLE {
                break;
            }
            below.push(term);
            first -= 1;
        }
        below.reverse();
        below.push(1.0);
        term = 1.0;
        for n in expected..edges {
            term *= ratio(n);
            if term < NEGLIGIBLE {
                break;
            }
            below.push(term);
        }
        let sum: f64 = below.iter().sum();
        below.iter_mut().for_each(|term| *term /= sum);
        Self { first, terms: below }
    }
}

impl Binomials {
    /// The distributions of which these numbers of `edges` weights, ascending, are the expectations.
    pub(super) fn new(edges: usize, expected: &[usize]) -> Self {
        Self(expected.iter().map(|&expected| Binomial::new(edges, expected)).collect())
    }

    /// The averages over each distribution of what is seen at 0, 1, 2, ... weights.
    pub(super) fn averages(&self, seen: impl Iterator<Item = [f64; QUANTITIES]>) -> Vec<[f64; QUANTITIES]> {
        let mut averages = vec![[0.0; QUANTITIES]; self.0.len()];
        // Both ends of the distributions ascend with the expectation.
        let (mut begun, mut ended) = (0, 0);
        for (n, values) in seen.enumerate() {
            while self.0.get(begun).is_some_and(|binomial| binomial.first <= n) {
                begun += 1;
            }
            while ended < begun && self.0[ended].first + self.0[ended].terms.len() <= n {
                ended += 1;
            }
            for (binomial, average) in self.0[ended..begun].iter().zip(&mut averages[ended..begun]) {
                let term = binomial.terms.get(n - binomial.first).copied().unwrap_or(0.0);
                for (average, value) in average.iter_mut().zip(&values) {
                    *average += term * value;
                }
            }
        }
        averages
    }
}

#[cfg(test)]
mod tests {
    use statrs::distribution::{Binomial as Known, Discrete};

    use super::*;

    #[test]
    fn terms_are_the_binomial_distribution() {
        for (edges, expected) in [(1, 1), (10, 3), (10, 1), (1000, 999), (200_000, 3_000), (200_000, 150_000)] {
            let binomial = Binomial::new(edges, expected);
            assert!((binomial.terms.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            let known = Known::new(expected as f64 / edges as f64, edges as u64).unwrap();
            for (n, term) in (binomial.first..).zip(&binomial.terms) {
                let exact = known.pmf(n as u64);
                assert!((term - exact).abs() <= 1e-9 * exact + 1e-17, "{edges} {expected} {n}: {term} {exact}");
            }
        }
    }

    #[test]
    fn the_mean_and_variance_of_the_number_itself() {
        let edges = 5_000;
        let expected = [1, 7, 400, 2_500, 4_990, 5_000];
        let seen = (0..=edges).map(|n| [n as f64, (n * n) as f64, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        for (average, &expected) in Binomials::new(edges, &expected).averages(seen).iter().zip(&expected) {
            let (mean, p) = (expected as f64, expected as f64 / edges as f64);
            assert!((average[0] / mean - 1.0).abs() < 1e-12);
            assert!((average[2] - 1.0).abs() < 1e-12);
            let variance = average[1] - average[0] * average[0];
            assert!((variance - mean * (1.0 - p)).abs() < 1e-6 * (1.0 + mean), "{variance}");
        }
    }
}
