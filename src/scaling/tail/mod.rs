//! The exponent of a truncated power law of whole numbers, by maximum likelihood.

use serde::{Deserialize, Serialize};

use super::ScalingError;

mod binned;

pub use binned::{BinnedTail, SizeBin, TailChance, fit_binned, tail_chance};

/// Sizes up to this one are summed one by one; beyond, sums follow from integrals.
const DIRECT: u64 = 1000;

/// The values of tau that are searched.
const TAU_RANGE: [f64; 2] = [-5.0, 20.0];

/// Fewer observations between the cutoffs give no fit in [`choose_cutoffs`].
pub const MIN_OBSERVATIONS: u64 = 100;

/// A power law n_s ~ s^-tau for s_min <= s <= s_max, fitted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TailFit {
    /// The exponent.
    pub tau: f64,
    /// Its standard error from the observed information, sqrt(1/(n var(ln s))), the variance under
    /// the fitted law: for independent observations.
    pub error: f64,
    /// The lower cutoff, included.
    pub s_min: u64,
    /// The upper cutoff, included.
    pub s_max: u64,
    /// The number of observations between the cutoffs.
    pub observations: u64,
    /// The largest distance between the observed and the fitted cumulative distributions
    /// (Kolmogorov and Smirnov), over all whole s.
    pub ks: f64,
}

/// The sums over s = a..=b of s^-tau times 1, ln s and (ln s)^2.
///
/// One by one up to 1000, beyond by Euler and Maclaurin with the first derivative; the integrals by
/// Gauss and Legendre over pieces of at most unit length in ln s. Relative error below 1e-12.
fn sums(tau: f64, a: u64, b: u64) -> [f64; 3] {
    let mut total = [0.0; 3];
    if a > b {
        return total;
    }
    let term = |s: f64| {
        let log = s.ln();
        let power = (-tau * log).exp();
        [power, power * log, power * log * log]
    };
    let split = b.min(DIRECT.max(a));
    for s in a..=split {
        term(s as f64).iter().zip(&mut total).for_each(|(value, total)| *total += value);
    }
    if split == b {
        return total;
    }
    // From split (already counted whole) to b.
    let (low, high) = (split as f64, b as f64);
    let pieces = (high / low).ln().ceil().max(1.0);
    let width = (high / low).ln() / pieces;
    for piece in 0..pieces as usize {
        let middle = low.ln() + (piece as f64 + 0.5) * width;
        for (node, weight) in GAUSS {
            for log in [middle - 0.5 * width * node, middle + 0.5 * width * node] {
                let value = 0.5 * width * weight * ((1.0 - tau) * log).exp();
                total[0] += value;
                total[1] += value * log;
                total[2] += value * log * log;
            }
        }
    }
    let slope = |s: f64| {
        let log = s.ln();
        let power = (-(tau + 1.0) * log).exp();
        [-tau * power, power * (1.0 - tau * log), power * log * (2.0 - tau * log)]
    };
    let (first, last) = (term(low), term(high));
    let (first_slope, last_slope) = (slope(low), slope(high));
    for k in 0..3 {
        total[k] += 0.5 * (last[k] - first[k]) + (last_slope[k] - first_slope[k]) / 12.0;
    }
    total
}

/// Half of the nodes and weights of the rule of 10 points on [-1, 1].
const GAUSS: [(f64, f64); 5] = [
    (0.148_874_338_981_631_22, 0.295_524_224_714_752_87),
    (0.433_395_394_129_247_2, 0.269_266_719_309_996_35),
    (0.679_409_568_299_024_4, 0.219_086_362_515_982_04),
    (0.865_063_366_688_984_5, 0.149_451_349_150_580_6),
    (0.973_906_528_517_171_7, 0.066_671_344_308_688_14),
];

fn inside(counts: &[(u64, u64)], s_min: u64, s_max: u64) -> impl Iterator<Item = (u64, u64)> + '_ {
    counts.iter().copied().filter(move |&(size, count)| count > 0 && (s_min..=s_max).contains(&size))
}

/// Fits tau of P(s) = s^-tau / sum over s_min..=s_max by maximum likelihood to `counts` (size, number
/// of components of that size; sizes ascending) between the given cutoffs.
///
/// The likelihood of one exponent is concave; its maximum is where the mean of ln s under the law is
/// that of the observations. A. Clauset, C. R. Shalizi and M. E. J. Newman, SIAM Rev. 51, 661,
/// doi:10.1137/070710111, here with an upper cutoff, which finite systems need. O(different sizes).
///
/// # Errors
/// [`ScalingError::Option`] for cutoffs that are not 1 <= s_min < s_max or sizes out of order,
/// [`ScalingError::TooFewPoints`] where fewer than two different sizes lie between them.
///
/// ```
/// use prunephase::scaling::fit_tail;
/// // 2^20 / s^2 components of each size.
/// let counts: Vec<(u64, u64)> = (1..=200).map(|s| (s, (1 << 20) / (s * s))).collect();
/// let fit = fit_tail(&counts, 1, 200)?;
/// assert!((fit.tau - 2.0).abs() < 0.01 && fit.ks < 1e-3);
/// # Ok::<(), prunephase::scaling::ScalingError>(())
/// ```
pub fn fit_tail(counts: &[(u64, u64)], s_min: u64, s_max: u64) -> Result<TailFit, ScalingError> {
    if s_min == 0 || s_max <= s_min {
        let needed = "a lower cutoff of at least 1 below the upper one";
        return Err(ScalingError::Option { what: "cutoffs", value: format!("{s_min},{s_max}"), needed });
    }
    if let Some(pair) = counts.windows(2).find(|pair| pair[0].0 >= pair[1].0) {
        return Err(ScalingError::Option {
            what: "size",
            value: pair[1].0.to_string(),
            needed: "an ascending list of sizes, each once,",
        });
    }
    let (mut observations, mut logs, mut there) = (0u64, 0.0, 0usize);
    for (size, count) in inside(counts, s_min, s_max) {
        observations += count;
        logs += count as f64 * (size as f64).ln();
        there += 1;
    }
    if there < 2 {
        let what = format!("different sizes from {s_min} to {s_max}");
        return Err(ScalingError::TooFewPoints { what, there, needed: 2 });
    }
    let n = observations as f64;
    let mean = logs / n;
    let moments = |tau: f64| {
        let [norm, first, second] = sums(tau, s_min, s_max);
        let log = first / norm;
        (log, second / norm - log * log)
    };
    // The mean of ln s falls with tau: Newton, kept inside a bracket.
    let [mut low, mut high] = TAU_RANGE;
    let mut tau = 2.0;
    for _ in 0..100 {
        let (log, variance) = moments(tau);
        if log > mean {
            low = tau
        } else {
            high = tau
        }
        let newton = tau + (log - mean) / variance;
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        let step = (next - tau).abs();
        tau = next;
        if step < 1e-12 {
            break;
        }
    }
    let (_, variance) = moments(tau);
    let error = 1.0 / (n * variance).sqrt();
    Ok(TailFit { tau, error, s_min, s_max, observations, ks: ks_distance(counts, s_min, s_max, tau, n) })
}

/// A truncated power law with a correction for small s, fitted by [`fit_tail_corrected`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CorrectedTail {
    /// The exponent.
    pub tau: f64,
    /// Its standard error from the observed information, tau and the amplitude being fitted together.
    pub error: f64,
    /// The amplitude b of the correction.
    pub amplitude: f64,
    /// The number of observations between the cutoffs.
    pub observations: u64,
}

/// Fits tau and b of P(s) ~ s^-tau exp(b s^-omega), which is s^-tau (1 + b s^-omega) for large s, by
/// maximum likelihood between the given cutoffs, with a known omega: 72/91 in two dimensions (R. M.
/// Ziff, Phys. Rev. E 83, 020107), 1 for random graphs.
///
/// The exponential makes it a family with two sufficient statistics, ln s and s^-omega, whose
/// likelihood is concave. O(s_max) a step, about 10 of them.
///
/// # Errors
/// As [`fit_tail`], and [`ScalingError::TooFewPoints`] where fewer than three different sizes lie
/// between the cutoffs or they cannot tell the two parameters apart; [`ScalingError::Option`] where
/// omega is not above 0.
pub fn fit_tail_corrected(
    counts: &[(u64, u64)],
    s_min: u64,
    s_max: u64,
    omega: f64,
) -> Result<CorrectedTail, ScalingError> {
    if !(omega > 0.0 && omega.is_finite()) {
        return Err(ScalingError::Option { what: "omega", value: omega.to_string(), needed: "a number above 0" });
    }
    let plain = fit_tail(counts, s_min, s_max)?;
    let n = plain.observations as f64;
    // Measured from its value at s_min, the correction is of order 1 whatever s_min is.
    let scale = (s_min as f64).powf(omega);
    let statistics = |s: u64| {
        let log = (s as f64).ln();
        [-log, scale * (-omega * log).exp()]
    };
    let mut mean = [0.0; 2];
    let mut there = 0;
    for (size, count) in inside(counts, s_min, s_max) {
        statistics(size).iter().zip(&mut mean).for_each(|(value, mean)| *mean += count as f64 * value / n);
        there += 1;
    }
    // (ln of the norm, means, covariance) of the law with parameters tau and b.
    let law = |at: [f64; 2]| {
        let reference = statistics(s_min);
        let mut sums = [0.0; 6];
        for s in s_min..=s_max {
            let [x, y] = statistics(s);
            let weight = (at[0] * (x - reference[0]) + at[1] * (y - reference[1])).exp();
            [1.0, x, y, x * x, x * y, y * y].iter().zip(&mut sums).for_each(|(value, sum)| *sum += weight * value);
        }
        let [x, y, xx, xy, yy] = [1, 2, 3, 4, 5].map(|index| sums[index] / sums[0]);
        let norm = sums[0].ln() + at[0] * reference[0] + at[1] * reference[1];
        (norm, [x, y], [xx - x * x, xy - x * y, yy - y * y])
    };
    let likelihood = |at: [f64; 2], norm: f64| at[0] * mean[0] + at[1] * mean[1] - norm;
    let too_few = || {
        let what = format!("different sizes from {s_min} to {s_max} that tell two parameters apart");
        ScalingError::TooFewPoints { what, there, needed: 3 }
    };
    if there < 3 {
        return Err(too_few());
    }
    let mut at = [plain.tau, 0.0];
    for _ in 0..100 {
        let (norm, expected, [xx, xy, yy]) = law(at);
        let determinant = xx * yy - xy * xy;
        if determinant.is_nan() || determinant <= 1e-12 * xx * yy {
            return Err(too_few());
        }
        let (dx, dy) = (mean[0] - expected[0], mean[1] - expected[1]);
        let step = [(yy * dx - xy * dy) / determinant, (xx * dy - xy * dx) / determinant];
        if step[0].abs() < 1e-9 && step[1].abs() < 1e-9 {
            let error = (yy / (n * determinant)).sqrt();
            return Ok(CorrectedTail { tau: at[0], error, amplitude: at[1] * scale, observations: plain.observations });
        }
        // Newton, shortened until the likelihood does not fall.
        let before = likelihood(at, norm);
        let mut share = 1.0;
        loop {
            let next = [at[0] + share * step[0], at[1] + share * step[1]];
            let after = likelihood(next, law(next).0);
            if after >= before - 1e-13 * before.abs() || share < 1e-6 {
                at = next;
                break;
            }
            share *= 0.5;
        }
    }
    Err(too_few())
}

fn ks_distance(counts: &[(u64, u64)], s_min: u64, s_max: u64, tau: f64, n: f64) -> f64 {
    let norm = sums(tau, s_min, s_max)[0];
    let (mut observed, mut fitted, mut distance) = (0.0, 0.0, 0.0f64);
    let mut next = s_min;
    for (size, count) in inside(counts, s_min, s_max) {
        // Between two observed sizes the observed share stands still while the law rises.
        fitted += sums(tau, next, size - 1)[0] / norm;
        distance = distance.max((observed - fitted).abs());
        fitted += (-tau * (size as f64).ln()).exp() / norm;
        observed += count as f64 / n;
        distance = distance.max((observed - fitted).abs());
        next = size + 1;
    }
    // Beyond the last observed size the law rises to the 1 that is observed already.
    distance
}

/// Chooses the cutoffs by the smallest Kolmogorov-Smirnov distance: s_min over 1, 2, 3, 4, 6, 8, 11,
/// 16 and so on (factors of sqrt 2), s_max over `largest` and its halves, quarters and eighths; a pair
/// is tried where s_max is at least `span` times s_min and [`MIN_OBSERVATIONS`] lie between them.
///
/// `largest` must be well below the scale at which the size of the system cuts the law off (for
/// cluster sizes at p_c, a share of the mean size of the largest component). Gives the best pair
/// first and then all others, by distance. A small distance may also come from few observations'
/// luck, and corrections to scaling can pass unnoticed by it: [`cutoff_spread`] of the list says how
/// much tau hangs on the choice.
///
/// # Errors
/// As [`fit_tail`]; [`ScalingError::TooFewPoints`] where no pair qualifies.
pub fn choose_cutoffs(counts: &[(u64, u64)], largest: u64, span: f64) -> Result<Vec<TailFit>, ScalingError> {
    let mut fits = Vec::new();
    let mut most = 0;
    for part in [1, 2, 4, 8] {
        let s_max = largest / part;
        let mut exact = 1.0f64;
        let mut previous = 0;
        while exact * span <= s_max as f64 {
            let s_min = exact.round() as u64;
            exact *= std::f64::consts::SQRT_2;
            if s_min == previous || s_max <= s_min {
                continue;
            }
            previous = s_min;
            let observations: u64 = inside(counts, s_min, s_max).map(|(_, count)| count).sum();
            most = most.max(observations);
            if observations >= MIN_OBSERVATIONS
                && let Ok(fit) = fit_tail(counts, s_min, s_max)
            {
                fits.push(fit);
            }
        }
    }
    if fits.is_empty() {
        // Sizes out of order are the caller's first mistake to hear of.
        fit_tail(counts, 1, largest.max(2))?;
        return Err(ScalingError::TooFewPoints {
            what: format!("components of sizes up to {largest} in a range of a factor {span}"),
            there: most as usize,
            needed: MIN_OBSERVATIONS as usize,
        });
    }
    fits.sort_by(|a, b| a.ks.total_cmp(&b.ks));
    Ok(fits)
}

/// The systematic error of tau from the choice of cutoffs, for the list of [`choose_cutoffs`]: the
/// root mean square deviation from the first fit of those with s_min 1 to 4 times its own and s_max
/// 1/4 to 4 times its own.
///
/// Below the chosen s_min corrections to scaling are known to be larger, so smaller ones are no
/// alternative. The statistical noise of fits to fewer components is in it, so it errs on the large
/// side. Infinite where there is no other fit: an unknown error must not look like none.
pub fn cutoff_spread(fits: &[TailFit]) -> f64 {
    let Some((best, others)) = fits.split_first() else { return f64::INFINITY };
    let near = |fit: &&TailFit| {
        (best.s_min..=4 * best.s_min).contains(&fit.s_min) && fit.s_max <= 4 * best.s_max && best.s_max <= 4 * fit.s_max
    };
    let squares: Vec<f64> = others.iter().filter(near).map(|fit| (fit.tau - best.tau).powi(2)).collect();
    if squares.is_empty() { f64::INFINITY } else { (squares.iter().sum::<f64>() / squares.len() as f64).sqrt() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::seed::{Seeds, Stream};

    /// Draws of s^-tau between the cutoffs, by inversion of the summed law.
    fn sample(stream: &mut Stream, tau: f64, s_min: u64, s_max: u64, n: usize) -> Vec<(u64, u64)> {
        let mut cumulative = Vec::new();
        let mut sum = 0.0;
        for s in s_min..=s_max {
            sum += (s as f64).powf(-tau);
            cumulative.push(sum);
        }
        let mut counts = BTreeMap::new();
        for _ in 0..n {
            let at = stream.unit() * sum;
            let place = cumulative.partition_point(|&c| c <= at);
            *counts.entry(s_min + place as u64).or_insert(0) += 1;
        }
        counts.into_iter().collect()
    }

    #[test]
    fn sums_agree_with_direct_ones() {
        for tau in [-0.5, 1.0, 2.054_945, 2.5, 4.0] {
            for (a, b) in [(1, 1), (3, 900), (1, 100_000), (2000, 250_000), (999, 1001), (5, 4)] {
                let mut direct = [0.0; 3];
                for s in (a..=b).rev() {
                    let log = (s as f64).ln();
                    let power = (s as f64).powf(-tau);
                    direct[0] += power;
                    direct[1] += power * log;
                    direct[2] += power * log * log;
                }
                for (found, direct) in sums(tau, a, b).iter().zip(direct) {
                    assert!((found - direct).abs() <= 1e-11 * direct, "{tau} {a} {b}: {found} {direct}");
                }
            }
        }
    }

    /// Over 200 samples the deviations in units of the stated error have mean 0 and variance 1.
    #[test]
    fn the_error_covers_the_truth() {
        for (tau, s_min, s_max, n) in [(187.0 / 91.0, 4, 3000, 2000), (2.5, 1, 10_000, 500), (1.2, 10, 400, 1000)] {
            let (mut inside, mut sum, mut squares) = (0, 0.0, 0.0);
            for seed in 0..200 {
                let counts = sample(&mut Seeds::new(seed, 0).stream("tail"), tau, s_min, s_max, n);
                let fit = fit_tail(&counts, s_min, s_max).unwrap();
                assert_eq!(fit.observations, n as u64);
                let z = (fit.tau - tau) / fit.error;
                inside += i32::from(z.abs() < 1.0);
                sum += z;
                squares += z * z;
                // 99.9 % point of the distance of independent draws, less since tau is fitted.
                assert!(fit.ks < 1.95 / (n as f64).sqrt(), "{fit:?}");
            }
            // 136.5 expected, 6.6 standard deviation; the mean 0.07; the variance 0.1.
            assert!((110..=163).contains(&inside), "{tau}: {inside}");
            assert!((sum / 200.0).abs() < 0.28, "{tau}: {}", sum / 200.0);
            assert!((squares / 200.0 - 1.0).abs() < 0.4, "{tau}: {}", squares / 200.0);
        }
    }

    #[test]
    fn the_ks_distance_by_hand() {
        // tau of two sizes with counts 3 and 1: 2^-tau = 1/3 exactly, distance 0.
        let fit = fit_tail(&[(1, 3), (2, 1)], 1, 2).unwrap();
        assert!((fit.tau - 3f64.log2()).abs() < 1e-10 && fit.ks < 1e-10, "{fit:?}");
        // Sizes 1 and 3 alike, none of 2: the law is flat (tau = 0), 1/3 each; distance 1/6.
        let mean = 0.5 * 3f64.ln();
        let fit = fit_tail(&[(1, 1), (3, 1)], 1, 3).unwrap();
        let law = |s: f64| s.powf(-fit.tau) / (1.0 + 2f64.powf(-fit.tau) + 3f64.powf(-fit.tau));
        assert!((law(2.0) * 2f64.ln() + law(3.0) * 3f64.ln() - mean).abs() < 1e-10);
        let expected = (law(1.0) - 0.5).abs().max((law(1.0) + law(2.0) - 0.5).abs());
        assert!((fit.ks - expected).abs() < 1e-12);
        // Nothing is seen beyond 3 of 9 sizes: the law goes on there.
        let fit = fit_tail(&[(1, 50), (2, 20), (3, 10)], 1, 9).unwrap();
        let norm: f64 = (1..=9).map(|s| f64::from(s).powf(-fit.tau)).sum();
        let upto = |s: i32| (1..=s).map(|s| f64::from(s).powf(-fit.tau)).sum::<f64>() / norm;
        let shares = [50.0 / 80.0, 70.0 / 80.0, 1.0];
        let expected = (1..=3).map(|s| (upto(s) - shares[s as usize - 1]).abs()).fold(0.0, f64::max);
        assert!((fit.ks - expected).abs() < 1e-12, "{} {expected}", fit.ks);
    }

    /// A law that holds from 8 on only, below which there are too few: the chosen cutoff is not below.
    #[test]
    fn the_lower_cutoff_is_found() {
        let mut stream = Seeds::new(7, 0).stream("tail");
        let mut counts = sample(&mut stream, 2.2, 8, 20_000, 20_000);
        for s in (1..8).rev() {
            counts.insert(0, (s, 1000));
        }
        let fits = choose_cutoffs(&counts, 20_000, 20.0).unwrap();
        assert!(fits[0].s_min >= 8, "{:?}", fits[0]);
        assert!((fits[0].tau - 2.2).abs() < 5.0 * fits[0].error, "{:?}", fits[0]);
        assert!(fits.windows(2).all(|pair| pair[0].ks <= pair[1].ks));
        assert!(fits.last().unwrap().s_min < 8);
    }

    /// Samples of a law with a correction: the plain fit is off, the corrected one covers the truth.
    #[test]
    fn a_known_correction_is_taken_out() {
        let (tau, amplitude, omega, s_min, s_max, n) = (2.1f64, -0.6f64, 0.8f64, 2u64, 3000u64, 20_000);
        let mut cumulative = Vec::new();
        let mut sum = 0.0;
        for s in s_min..=s_max {
            sum += (s as f64).powf(-tau) * (amplitude * (s as f64).powf(-omega)).exp();
            cumulative.push(sum);
        }
        let (mut inside, mut squares, mut biased) = (0, 0.0, 0);
        for seed in 0..200 {
            let mut stream = Seeds::new(seed, 1).stream("tail");
            let mut counts = BTreeMap::new();
            for _ in 0..n {
                let at = stream.unit() * sum;
                *counts.entry(s_min + cumulative.partition_point(|&c| c <= at) as u64).or_insert(0) += 1;
            }
            let counts: Vec<_> = counts.into_iter().collect();
            let fit = fit_tail_corrected(&counts, s_min, s_max, omega).unwrap();
            let z = (fit.tau - tau) / fit.error;
            inside += i32::from(z.abs() < 1.0);
            squares += z * z;
            let plain = fit_tail(&counts, s_min, s_max).unwrap();
            biased += i32::from((plain.tau - tau).abs() > 4.0 * plain.error);
        }
        assert!((110..=163).contains(&inside), "{inside}");
        assert!((squares / 200.0 - 1.0).abs() < 0.4, "{}", squares / 200.0);
        assert!(biased > 190, "{biased}");
        let message = |omega| fit_tail_corrected(&[(1, 4), (2, 2), (3, 1)], 1, 5, omega).unwrap_err().to_string();
        assert!(message(0.0).contains("omega 0"));
        let two = fit_tail_corrected(&[(1, 4), (2, 2)], 1, 5, 1.0).unwrap_err().to_string();
        assert!(two.contains("2 points, at least 3"), "{two}");
    }

    #[test]
    fn the_spread_over_cutoffs_by_hand() {
        let fit = |tau, s_min, s_max| TailFit { tau, error: 0.1, s_min, s_max, observations: 9, ks: 0.1 };
        let far = [fit(9.0, 1, 100), fit(9.0, 9, 100), fit(9.0, 2, 24), fit(9.0, 2, 401)];
        let near = [fit(2.3, 8, 100), fit(2.4, 2, 25)];
        let fits = [&[fit(2.0, 2, 100)], &far[..], &near[..]].concat();
        assert!((cutoff_spread(&fits) - (0.5f64 * (0.09 + 0.16)).sqrt()).abs() < 1e-12);
        assert_eq!(cutoff_spread(&fits[..5]), f64::INFINITY);
        assert_eq!(cutoff_spread(&[]), f64::INFINITY);
    }

    #[test]
    fn wrong_input_is_named() {
        let message = |result: Result<TailFit, ScalingError>| result.unwrap_err().to_string();
        assert!(message(fit_tail(&[(1, 2), (2, 1)], 0, 5)).contains("cutoffs 0,5"));
        assert!(message(fit_tail(&[(1, 2), (2, 1)], 5, 5)).contains("cutoffs 5,5"));
        assert!(message(fit_tail(&[(2, 2), (1, 1)], 1, 5)).contains("size 1"));
        assert!(message(fit_tail(&[(2, 2), (9, 1)], 1, 5)).contains("1 points, at least 2"));
        assert!(choose_cutoffs(&[(1, 20), (2, 9)], 1000, 10.0).unwrap_err().to_string().contains("29 points"));
    }
}
