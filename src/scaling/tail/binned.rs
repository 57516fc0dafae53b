//! The exponent of binned cluster numbers, and whether a power law is plausible.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{MIN_OBSERVATIONS, ScalingError, TAU_RANGE, TailFit, sums};
use crate::seed::{Seeds, Stream};

/// A fit spans at least this factor in size.
const SPAN: u64 = 8;
/// A p-value below this rules the power law out, as the paper has it.
const PLAUSIBLE: f64 = 0.1;

/// Components of sizes `low` to `high`, both included; `low` = `high` for a single size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SizeBin {
    /// The smallest size, at least 1.
    pub low: u64,
    /// The largest size.
    pub high: u64,
    /// The number of components.
    pub count: u64,
}

/// A power law fitted to bins, with the test of whether it is plausible.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TailChance {
    /// The fit.
    #[serde(flatten)]
    pub fit: BinnedTail,
    /// The share of synthetic data sets of the law that lie as far from their own fits.
    pub p_value: f64,
    /// Its standard error, from the number of data sets.
    pub p_value_error: f64,
    /// Data sets drawn.
    pub resamples: usize,
    /// Whether the cutoffs were chosen, and were chosen anew for every data set.
    pub chosen: bool,
    /// Whether the p-value is at least 0.1.
    pub plausible: bool,
}

/// A power law fitted to bins: as [`TailFit`], the Kolmogorov-Smirnov distance taken at the edges.
pub type BinnedTail = TailFit;

fn check(bins: &[SizeBin]) -> Result<(), ScalingError> {
    let wrong = |what, value: u64, needed| Err(ScalingError::Option { what, value: value.to_string(), needed });
    for bin in bins {
        if bin.low == 0 || bin.high < bin.low {
            return wrong("size", bin.low, "a bin from at least 1 to no less");
        }
    }
    match bins.windows(2).find(|pair| pair[0].high >= pair[1].low) {
        Some(pair) => wrong("size", pair[1].low, "an ascending list of bins that do not overlap"),
        None => Ok(()),
    }
}

/// Fits tau of P(s) = s^-tau / sum over s_min..=s_max by maximum likelihood to the bins that lie whole
/// between the cutoffs: the likelihood of a bin is the sum of P(s) over it (Y. Virkar and A. Clauset,
/// Ann. Appl. Stat. 8, 89 (2014), doi:10.1214/13-AOAS710, here with an upper cutoff). The cutoffs are moved
/// inward to the edges of bins. Single sizes give [`super::fit_tail`]'s fit. O(bins).
///
/// # Errors
/// [`ScalingError::Option`] for bins that overlap or are out of order, and for cutoffs;
/// [`ScalingError::TooFewPoints`] for fewer than two bins with components.
pub fn fit_binned(bins: &[SizeBin], s_min: u64, s_max: u64) -> Result<BinnedTail, ScalingError> {
    check(bins)?;
    if s_min == 0 || s_max <= s_min {
        let needed = "a lower cutoff of at least 1 below the upper one";
        return Err(ScalingError::Option { what: "cutoffs", value: format!("{s_min},{s_max}"), needed });
    }
    // A cutoff inside a bin moves to its inner side; between single sizes it stays.
    let cut = |at: u64| bins.iter().find(|bin| bin.low <= at && at <= bin.high);
    let s_min = cut(s_min).map_or(s_min, |bin| if bin.low < s_min { bin.high + 1 } else { s_min });
    let s_max = cut(s_max).map_or(s_max, |bin| if bin.high > s_max { bin.low - 1 } else { s_max });
    let inside: Vec<SizeBin> =
        bins.iter().copied().filter(|bin| bin.count > 0 && s_min <= bin.low && bin.high <= s_max).collect();
    let there = inside.len();
    if there < 2 {
        let what = format!("bins with components from {s_min} to {s_max}");
        return Err(ScalingError::TooFewPoints { what, there, needed: 2 });
    }
    let observations: u64 = inside.iter().map(|bin| bin.count).sum();
    let n = observations as f64;
    // Mean and variance of ln s in a range.
    let moments = |tau: f64, low: u64, high: u64| {
        let [norm, first, second] = sums(tau, low, high);
        let mean = first / norm;
        (mean, (second / norm - mean * mean).max(0.0))
    };
    let score = |tau: f64| {
        let seen: f64 = inside.iter().map(|bin| bin.count as f64 * moments(tau, bin.low, bin.high).0).sum();
        n * moments(tau, s_min, s_max).0 - seen
    };
    let [mut low, mut high] = TAU_RANGE;
    for _ in 0..50 {
        let middle = 0.5 * (low + high);
        if score(middle) > 0.0 { low = middle } else { high = middle }
    }
    let tau = 0.5 * (low + high);
    let lost: f64 = inside.iter().map(|bin| bin.count as f64 * moments(tau, bin.low, bin.high).1).sum();
    let error = (n * moments(tau, s_min, s_max).1 - lost).sqrt().recip();
    let norm = sums(tau, s_min, s_max)[0];
    let (mut observed, mut fitted, mut ks, mut next) = (0.0, 0.0, 0.0f64, s_min);
    for bin in &inside {
        fitted += sums(tau, next, bin.low - 1)[0] / norm;
        ks = ks.max(f64::abs(observed - fitted));
        fitted += sums(tau, bin.low, bin.high)[0] / norm;
        observed += bin.count as f64 / n;
        ks = ks.max(f64::abs(observed - fitted));
        next = bin.high + 1;
    }
    Ok(TailFit { tau, error, s_min, s_max, observations, ks })
}

/// The cutoffs with the smallest distance: s_min at the starts of bins, about a factor sqrt 2 apart,
/// s_max at the ends of bins up to the last with components, its half, quarter and eighth.
fn chosen(bins: &[SizeBin]) -> Result<BinnedTail, ScalingError> {
    check(bins)?;
    let last = bins.iter().rfind(|bin| bin.count > 0).map_or(0, |bin| bin.high);
    let mut best: Option<TailFit> = None;
    for part in [1, 2, 4, 8] {
        let Some(s_max) = bins.iter().rfind(|bin| bin.high <= last / part).map(|bin| bin.high) else { continue };
        let mut next = 0.0;
        for bin in bins.iter().filter(|bin| bin.low.saturating_mul(SPAN) <= s_max + 1) {
            if (bin.low as f64) < next {
                continue;
            }
            next = bin.low as f64 * std::f64::consts::SQRT_2 * 0.999;
            if let Ok(fit) = fit_binned(bins, bin.low, s_max)
                && fit.observations >= MIN_OBSERVATIONS
                && best.is_none_or(|best| fit.ks < best.ks)
            {
                best = Some(fit);
            }
        }
    }
    best.ok_or_else(|| ScalingError::TooFewPoints {
        what: format!("components in a range of a factor {SPAN} in size"),
        there: bins.iter().map(|bin| bin.count).sum::<u64>() as usize,
        needed: MIN_OBSERVATIONS as usize,
    })
}

/// Fits the tail and tests whether a power law is plausible: the share of synthetic data sets whose
/// Kolmogorov-Smirnov distance from their own fit is at least as large (A. Clauset, C. R. Shalizi and
/// M. E. J. Newman, SIAM Rev. 51, 661, doi:10.1137/070710111, section 4). Without given cutoffs those
/// with the smallest distance are taken, and again for every data set, whose components outside of the
/// fit's cutoffs are drawn from the observed ones there. A p-value below 0.1 rules the law out; a larger
/// one does not prove it. Components are taken as independent. O(resamples x components).
///
/// # Errors
/// As [`fit_binned`]; [`ScalingError::Option`] for fewer than 10 resamples;
/// [`ScalingError::TooFewPoints`] where no cutoffs qualify.
///
/// ```
/// use prunephase::scaling::{SizeBin, tail_chance};
/// let bins: Vec<SizeBin> =
///     (1..=200u64).map(|s| SizeBin { low: s, high: s, count: 20_000 / (s * s) }).collect();
/// let found = tail_chance(&bins, Some([1, 100]), 50, 0)?;
/// assert!((found.fit.tau - 2.0).abs() < 0.02 && found.plausible);
/// # Ok::<(), prunephase::scaling::ScalingError>(())
/// ```
pub fn tail_chance(
    bins: &[SizeBin],
    cutoffs: Option<[u64; 2]>,
    resamples: usize,
    seed: u64,
) -> Result<TailChance, ScalingError> {
    if resamples < 10 {
        let value = resamples.to_string();
        return Err(ScalingError::Option { what: "bootstrap", value, needed: "a number of at least 10" });
    }
    let again = |bins: &[SizeBin]| match cutoffs {
        Some([s_min, s_max]) => fit_binned(bins, s_min, s_max),
        None => chosen(bins),
    };
    let fit = again(bins)?;
    let norm = sums(fit.tau, fit.s_min, fit.s_max)[0];
    // The law lives on all sizes between its cutoffs, also on those that no bin holds.
    let mut cells: Vec<SizeBin> = Vec::new();
    let mut next = fit.s_min;
    for bin in bins {
        if bin.low > next && bin.low <= fit.s_max {
            cells.extend((next..bin.low).map(|size| SizeBin { low: size, high: size, count: 0 }));
        }
        cells.push(*bin);
        next = next.max(bin.high + 1);
    }
    cells.extend((next..=fit.s_max).map(|size| SizeBin { low: size, high: size, count: 0 }));
    cells.sort_by_key(|cell| cell.low);
    let mut cumulative = Vec::with_capacity(cells.len());
    let mut sum = 0.0;
    for cell in &cells {
        sum += if fit.s_min <= cell.low && cell.high <= fit.s_max {
            fit.observations as f64 * sums(fit.tau, cell.low, cell.high)[0] / norm
        } else {
            cell.count as f64
        };
        cumulative.push(sum);
    }
    let total: u64 = cells.iter().map(|cell| cell.count).sum();
    let seeds = Seeds::new(seed, 0);
    let draw = |stream: &mut Stream| {
        let mut drawn: Vec<SizeBin> = cells.iter().map(|cell| SizeBin { count: 0, ..*cell }).collect();
        for _ in 0..total {
            let at = stream.unit() * sum;
            let place = cumulative.partition_point(|&c| c <= at).min(drawn.len() - 1);
            drawn[place].count += 1;
        }
        drawn
    };
    let distances: Vec<f64> = (0..resamples)
        .into_par_iter()
        .filter_map(|number| again(&draw(&mut seeds.stream(&format!("tail {number}")))).ok().map(|fit| fit.ks))
        .collect();
    let drawn = distances.len().max(1) as f64;
    let p_value = distances.iter().filter(|ks| **ks >= fit.ks).count() as f64 / drawn;
    Ok(TailChance {
        fit,
        p_value,
        p_value_error: (p_value * (1.0 - p_value) / drawn).sqrt(),
        resamples: distances.len(),
        chosen: cutoffs.is_none(),
        plausible: p_value >= PLAUSIBLE,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaling::fit_tail;

    /// Draws of a law on 1..=4095, in bins that double or size by size.
    fn drawn(seed: u64, law: impl Fn(f64) -> f64, n: usize) -> (Vec<SizeBin>, Vec<SizeBin>) {
        let mut stream = Seeds::new(seed, 0).stream("tail");
        let mut cumulative = Vec::new();
        let mut sum = 0.0;
        for s in 1..=4095 {
            sum += law(f64::from(s));
            cumulative.push(sum);
        }
        let mut counts = vec![0u64; 4096];
        for _ in 0..n {
            let at = stream.unit() * sum;
            counts[cumulative.partition_point(|&c| c <= at) + 1] += 1;
        }
        let single = (1..4096u64).map(|s| SizeBin { low: s, high: s, count: counts[s as usize] }).collect();
        let doubling = (0..12)
            .map(|k| (1u64 << k, (2u64 << k) - 1))
            .map(|(low, high)| SizeBin { low, high, count: counts[low as usize..=high as usize].iter().sum() })
            .collect();
        (single, doubling)
    }

    #[test]
    fn single_sizes_are_the_plain_fit() {
        let (single, _) = drawn(1, |s| s.powf(-2.1), 3000);
        let counts: Vec<(u64, u64)> = single.iter().map(|bin| (bin.low, bin.count)).collect();
        let (plain, binned) = (fit_tail(&counts, 2, 500).unwrap(), fit_binned(&single, 2, 500).unwrap());
        assert!((plain.tau - binned.tau).abs() < 1e-8 && (plain.error / binned.error - 1.0).abs() < 1e-6);
        assert!((plain.ks - binned.ks).abs() < 1e-9, "{plain:?} {binned:?}");
    }

    #[test]
    fn the_error_of_bins_covers_the_truth() {
        let (mut within, mut squares) = (0, 0.0);
        for seed in 0..200 {
            let (_, bins) = drawn(seed, |s| s.powf(-187.0 / 91.0), 2000);
            let fit = fit_binned(&bins, 1, 4095).unwrap();
            let z = (fit.tau - 187.0 / 91.0) / fit.error;
            within += i32::from(z.abs() < 1.96);
            squares += z * z / 200.0;
        }
        assert!((180..=199).contains(&within), "{within}");
        assert!((squares - 1.0).abs() < 0.4, "{squares}");
    }

    /// Of data of the law about a tenth has p < 0.1; of data of another law nearly all.
    #[test]
    fn p_values_are_uniform_under_the_law_and_small_under_another() {
        let (mut low, mut refused) = (0, 0);
        for seed in 0..100 {
            let (_, bins) = drawn(seed, |s| s.powf(-2.1), 1000);
            low += i32::from(!tail_chance(&bins, Some([1, 4095]), 60, seed).unwrap().plausible);
            let (_, bins) = drawn(seed, |s| s.powf(-1.2) * (-s / 60.0).exp(), 1000);
            refused += i32::from(!tail_chance(&bins, Some([1, 4095]), 60, seed).unwrap().plausible);
        }
        // 10 +- 3 expected.
        assert!((2..=20).contains(&low), "{low}");
        assert!(refused >= 97, "{refused}");
        let (_, bins) = drawn(3, |s| s.powf(-2.1), 5000);
        let found = tail_chance(&bins, None, 30, 1).unwrap();
        assert!(found.chosen && (found.fit.tau - 2.1).abs() < 4.0 * found.fit.error, "{found:?}");
        assert_eq!(tail_chance(&bins, None, 30, 1).unwrap(), found);
    }

    #[test]
    fn wrong_input_is_named() {
        let bin = |low, high| SizeBin { low, high, count: 9 };
        let message = |bins: &[SizeBin]| fit_binned(bins, 1, 9).unwrap_err().to_string();
        assert!(message(&[bin(0, 1)]).contains("size 0"));
        assert!(message(&[bin(1, 3), bin(2, 4)]).contains("size 2"));
        assert!(message(&[bin(1, 3)]).contains("1 points, at least 2"));
        assert!(tail_chance(&[bin(1, 1)], None, 5, 0).unwrap_err().to_string().contains("bootstrap 5"));
        assert!(tail_chance(&[bin(1, 1), bin(2, 3)], None, 20, 0).unwrap_err().to_string().contains("at least 100"));
    }
}
