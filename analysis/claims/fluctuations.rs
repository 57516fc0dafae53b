//! Fluctuations of m over replicates, for the peaks of chi_m and the crossings of R.

use serde::{Deserialize, Serialize};

use super::saved::Saved;

/// One level of one width; errors by jackknife over the replicates.
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
    /// <m^2>/<m>^2, of levels whose mean m exceeds 0.02: below, it is a ratio of noise.
    pub r: Option<f64>,
    pub r_error: Option<f64>,
}

/// Below, <m^2>/<m>^2 is noise over noise.
const LEAST_M: f64 = 0.02;

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

/// Every level but the dense one, where m is 1 in every replicate.
pub fn rows(saved: &Saved) -> Vec<Fluctuation> {
    let mut rows = Vec::new();
    for width in saved.widths() {
        let hidden = saved.hidden(width);
        let m = saved.by_replicate(width, |row, _| row.m.unwrap_or(f64::NAN));
        let density = saved.control(width, |row| row.density);
        for (level, &density) in density.iter().enumerate().skip(1) {
            let sample: Vec<f64> = m.values().map(|values| values[level]).filter(|m| m.is_finite()).collect();
            if sample.len() < 3 {
                continue;
            }
            let (chi, chi_error) = jackknife(&sample, variance);
            let r = (mean(&sample) > LEAST_M).then(|| jackknife(&sample, moments_ratio));
            rows.push(Fluctuation {
                width,
                hidden,
                replicates: sample.len(),
                density,
                ln_density: density.ln(),
                chi_m: chi * hidden as f64,
                chi_m_error: chi_error * hidden as f64,
                r: r.map(|(r, _)| r),
                r_error: r.map(|(_, error)| error),
            });
        }
    }
    rows
}
