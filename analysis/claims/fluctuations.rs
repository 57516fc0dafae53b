//! Fluctuations of m over replicates, for the peaks of chi_m and the crossings of R.

use serde::{Deserialize, Serialize};

use super::saved::Saved;

/// chi_m of one level of one width: fluctuations.csv; errors by jackknife over the replicates.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fluctuation {
    pub width: usize,
    /// W_h.
    pub hidden: usize,
    pub replicates: usize,
    pub density: f64,
    pub ln_density: f64,
    /// W_h var(m).
    pub chi_m: f64,
    pub chi_m_error: f64,
}

/// R of one level of one width: ratios.csv.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ratio {
    pub width: usize,
    pub hidden: usize,
    pub replicates: usize,
    pub density: f64,
    /// <m^2>/<m>^2.
    pub r: f64,
    pub r_error: f64,
}

/// Where R is taken: below, <m^2>/<m>^2 is noise over noise; above, all networks learn, R is 1 at all sizes, and its
/// curves cross by noise.
const M_OF_R: std::ops::Range<f64> = 0.02..0.95;

/// A function of the sample and its jackknife error.
pub fn jackknife(sample: &[f64], of: impl Fn(&[f64]) -> f64) -> (f64, f64) {
    let n = sample.len() as f64;
    let without: Vec<f64> = (0..sample.len())
        .map(|out| {
            let rest: Vec<f64> = sample.iter().enumerate().filter(|(at, _)| *at != out).map(|(_, x)| *x).collect();
            of(&rest)
        })
        .collect();
    let mean = without.iter().sum::<f64>() / n;
    let square = without.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
    (of(sample), ((n - 1.0) / n * square).sqrt())
}

fn mean(sample: &[f64]) -> f64 {
    sample.iter().sum::<f64>() / sample.len() as f64
}

fn variance(sample: &[f64]) -> f64 {
    let mean = mean(sample);
    sample.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (sample.len() as f64 - 1.0)
}

fn moments_ratio(sample: &[f64]) -> f64 {
    mean(&sample.iter().map(|x| x * x).collect::<Vec<_>>()) / mean(sample).powi(2)
}

/// Every level but the dense one, where m is 1 in every replicate; levels without any fluctuation have no error
/// and are left out, and so is R where the mean of m is next to 0 or to 1.
pub fn rows(saved: &Saved) -> (Vec<Fluctuation>, Vec<Ratio>) {
    let (mut fluctuations, mut ratios) = (Vec::new(), Vec::new());
    for width in saved.widths() {
        let hidden = saved.hidden(width);
        let m = saved.by_replicate(width, |row, _| row.m.unwrap_or(f64::NAN));
        let density = saved.control(width, |row| row.density);
        for (level, &density) in density.iter().enumerate().skip(1) {
            let sample: Vec<f64> = m.values().map(|values| values[level]).filter(|m| m.is_finite()).collect();
            if sample.len() < 3 {
                continue;
            }
            let replicates = sample.len();
            let (chi, error) = jackknife(&sample, variance);
            let (chi_m, chi_m_error) = (chi * hidden as f64, error * hidden as f64);
            if chi_m_error > 0.0 {
                let ln_density = density.ln();
                fluctuations.push(Fluctuation { width, hidden, replicates, density, ln_density, chi_m, chi_m_error });
            }
            let (r, r_error) = jackknife(&sample, moments_ratio);
            if r_error > 0.0 && M_OF_R.contains(&mean(&sample)) {
                ratios.push(Ratio { width, hidden, replicates, density, r, r_error });
            }
        }
    }
    (fluctuations, ratios)
}
