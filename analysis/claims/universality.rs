//! Are the exponents of several pairs the same? A chi-square with the full covariance of each.

use serde_json::Value;
use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::passes::Measured;

/// (1/nu, beta/nu) with their covariance.
#[derive(Debug, Clone, Copy)]
pub struct Exponents {
    pub at: [f64; 2],
    pub covariance: [[f64; 2]; 2],
}

impl Exponents {
    /// Of a reliable collapse, `None` of another: the mean square distance of its resamples from the optimum, as the
    /// statistical errors have it, with the squares of the systematic errors on the diagonal.
    pub fn of(collapse: &Value) -> Option<Self> {
        if !collapse["reliable"].as_bool()? {
            return None;
        }
        let of = |key: &str, part: &str| collapse[key][part].as_f64();
        let keys = ["inv_nu", "kappa_over_nu"];
        let cloud: Vec<[f64; 2]> = collapse["bootstrap"]
            .as_array()?
            .iter()
            .filter_map(|draw| Some([draw[1].as_f64()?, draw[2].as_f64()?]))
            .collect();
        let at = [of(keys[0], "value")?, of(keys[1], "value")?];
        let mut covariance = [[0.0; 2]; 2];
        for draw in &cloud {
            for (a, row) in covariance.iter_mut().enumerate() {
                for (b, entry) in row.iter_mut().enumerate() {
                    *entry += (draw[a] - at[a]) * (draw[b] - at[b]) / cloud.len() as f64;
                }
            }
        }
        for (axis, key) in keys.into_iter().enumerate() {
            covariance[axis][axis] += of(key, "systematic")?.powi(2);
        }
        Some(Self { at, covariance })
    }
}

/// What a joint fit of one pair of exponents to all says.
#[derive(Debug, Clone, Copy)]
pub struct Equality {
    pub joint: [f64; 2],
    pub errors: [f64; 2],
    pub chi_square: f64,
    pub degrees_of_freedom: usize,
    /// How often chance exceeds it.
    pub chance: f64,
}

fn inverse([[a, b], [c, d]]: [[f64; 2]; 2]) -> [[f64; 2]; 2] {
    let determinant = a * d - b * c;
    [[d / determinant, -b / determinant], [-c / determinant, a / determinant]]
}

fn times(matrix: [[f64; 2]; 2], vector: [f64; 2]) -> [f64; 2] {
    matrix.map(|row| row[0] * vector[0] + row[1] * vector[1])
}

/// The mean weighted by the inverse covariances, and the chi-square of all about it; `None` of fewer than two.
pub fn equality(all: &[Exponents]) -> Option<Equality> {
    if all.len() < 2 {
        return None;
    }
    let (mut weight, mut sum) = ([[0.0; 2]; 2], [0.0; 2]);
    for one in all {
        let inverse = inverse(one.covariance);
        let part = times(inverse, one.at);
        for a in 0..2 {
            sum[a] += part[a];
            for b in 0..2 {
                weight[a][b] += inverse[a][b];
            }
        }
    }
    let covariance = inverse(weight);
    let joint = times(covariance, sum);
    let distance = |one: &Exponents| {
        let apart = [one.at[0] - joint[0], one.at[1] - joint[1]];
        let scaled = times(inverse(one.covariance), apart);
        apart[0] * scaled[0] + apart[1] * scaled[1]
    };
    let chi_square = all.iter().map(distance).sum();
    let degrees_of_freedom = 2 * (all.len() - 1);
    let chance = ChiSquared::new(degrees_of_freedom as f64).ok()?.sf(chi_square);
    Some(Equality {
        joint,
        errors: [covariance[0][0].sqrt(), covariance[1][1].sqrt()],
        chi_square,
        degrees_of_freedom,
        chance,
    })
}

/// One number that several data sets share, and whether they do.
#[derive(Debug, Clone, Copy)]
pub struct Joint {
    pub joint: Measured,
    pub chi_square: f64,
    /// How often chance exceeds it.
    pub chance: f64,
}

/// The mean weighted by 1/error^2, and the chi-square of all about it; `None` of fewer than two.
pub fn joint(all: &[Measured]) -> Option<Joint> {
    if all.len() < 2 {
        return None;
    }
    let weight = |one: &Measured| one.error.powi(-2);
    let total: f64 = all.iter().map(weight).sum();
    let value = all.iter().map(|one| weight(one) * one.value).sum::<f64>() / total;
    let chi_square: f64 = all.iter().map(|one| weight(one) * (one.value - value).powi(2)).sum();
    let chance = ChiSquared::new(all.len() as f64 - 1.0).ok()?.sf(chi_square);
    Some(Joint { joint: Measured { value, error: total.sqrt().recip() }, chi_square, chance })
}
