//! The mean of crossed differences and its error.

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::seed::Stream;

/// Differences of K samples (rows) and S seeds (columns) as mean + row effect + column effect + rest.
#[derive(Debug, Clone, PartialEq)]
pub struct Effects {
    /// The mean of all differences.
    pub mean: f64,
    /// Its standard error; `None` where there is one row or one column.
    pub error: Option<f64>,
    /// The degrees of freedom of the error.
    pub freedom: f64,
    rows: Vec<f64>,
    columns: Vec<f64>,
}

impl Effects {
    /// The effects of K x S differences.
    ///
    /// With r_k and c_s the means of rows and columns less the mean, the variance of the mean is
    /// estimated by `sum r_k^2 / (K (K - 1)) + sum c_s^2 / (S (S - 1))`. Of the rest it counts
    /// sigma^2 / (K S) twice, so it is too large rather than too small. The degrees of freedom are
    /// Satterthwaite's (Biometrics Bulletin 2, 110 (1946), doi:10.2307/3002019). O(K S).
    ///
    /// # Panics
    /// Where there is no row or no column.
    pub fn of(differences: &[Vec<f64>]) -> Self {
        let (rows, columns) = (differences.len(), differences.first().map_or(0, Vec::len));
        assert!(rows > 0 && columns > 0, "no differences");
        let (k, s) = (rows as f64, columns as f64);
        let mean = differences.iter().flatten().sum::<f64>() / (k * s);
        let row_effects: Vec<f64> = differences.iter().map(|row| row.iter().sum::<f64>() / s - mean).collect();
        let column_effects: Vec<f64> =
            (0..columns).map(|column| differences.iter().map(|row| row[column]).sum::<f64>() / k - mean).collect();
        let part =
            |effects: &[f64], n: f64| effects.iter().map(|effect| effect * effect).sum::<f64>() / (n * (n - 1.0));
        let (mut error, mut freedom) = (None, 0.0);
        if rows > 1 && columns > 1 {
            let (a, b) = (part(&row_effects, k), part(&column_effects, s));
            error = Some((a + b).sqrt());
            freedom = if a + b > 0.0 {
                (a + b).powi(2) / (a * a / (k - 1.0) + b * b / (s - 1.0))
            } else {
                (k - 1.0).min(s - 1.0)
            };
        }
        Self { mean, error, freedom, rows: row_effects, columns: column_effects }
    }

    /// The 95 % interval of the mean: the lower and the upper of the ends that two methods give. One is
    /// Student's t. The other draws rows and columns with replacement, as often as there are, with
    /// effects stretched by sqrt(n / (n - 1)), without which a bootstrap of n values is too narrow,
    /// and takes the 2.5 and 97.5 % points. `None` where there is no error.
    pub fn interval95(&self, resamples: usize, stream: &mut Stream) -> Option<[f64; 2]> {
        let half = self.error? * student(self.freedom)?.inverse_cdf(0.975);
        let mut draw = |effects: &[f64]| {
            let n = effects.len() as f64;
            let sum: f64 = effects.iter().map(|_| effects[stream.below(effects.len() as u64) as usize]).sum();
            sum / n * (n / (n - 1.0)).sqrt()
        };
        let mut means: Vec<f64> = (0..resamples).map(|_| self.mean + draw(&self.rows) + draw(&self.columns)).collect();
        means.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| means.get((share * (means.len().max(1) - 1) as f64).round() as usize).copied();
        let (low, high) = (at(0.025).unwrap_or(self.mean), at(0.975).unwrap_or(self.mean));
        Some([low.min(self.mean - half), high.max(self.mean + half)])
    }

    /// The larger p of two one-sided t tests, of the mean above -`margin` and below `margin`
    /// (Schuirmann, J. Pharmacokin. Biopharm. 15, 657 (1987), doi:10.1007/BF01068419). `None` where
    /// there is no error.
    pub fn equivalence_p(&self, margin: f64) -> Option<f64> {
        let error = self.error?;
        if error == 0.0 {
            return Some(f64::from(u8::from(self.mean.abs() >= margin)));
        }
        let t = student(self.freedom)?;
        Some(t.cdf((self.mean.abs() - margin) / error))
    }
}

fn student(freedom: f64) -> Option<StudentsT> {
    StudentsT::new(0.0, 1.0, freedom).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seeds;

    #[test]
    fn by_hand() {
        // Rows 1 and 3, columns -1 and 1 about them; no rest.
        let effects = Effects::of(&[vec![0.0, 2.0], vec![2.0, 4.0]]);
        assert_eq!(effects.mean, 2.0);
        // (1 + 1) / 2 from the rows and as much from the columns.
        assert_eq!(effects.error, Some(2f64.sqrt()));
        assert_eq!(effects.freedom, 2.0);
        // P(T < (2 - 3) / sqrt 2) with 2 degrees of freedom: 1/2 (1 + t / sqrt(2 + t^2)).
        let t = -1.0 / 2f64.sqrt();
        assert!((effects.equivalence_p(3.0).unwrap() - 0.5 * (1.0 + t / (2.0 + t * t).sqrt())).abs() < 1e-9);
        let [low, high] = effects.interval95(500, &mut Seeds::new(0, 0).stream("test")).unwrap();
        assert!((high - 2.0 - 4.302_652_73 * 2f64.sqrt()).abs() < 1e-6 && (low + high - 4.0).abs() < 1e-9);
    }

    #[test]
    fn one_row_or_column_has_no_error() {
        for differences in [vec![vec![0.1, 0.2]], vec![vec![0.1], vec![0.3]]] {
            let effects = Effects::of(&differences);
            assert_eq!((effects.error, effects.equivalence_p(1.0)), (None, None));
            assert_eq!(effects.interval95(10, &mut Seeds::new(0, 0).stream("test")), None);
        }
    }

    /// The share of 95 % intervals that hold the mean, over many draws of 5 samples and 3 seeds.
    #[test]
    fn intervals_cover_with_five_samples_and_three_seeds() {
        for (row, column, rest) in [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 1.0, 1.0), (0.3, 1.0, 0.5)]
        {
            let mut stream = Seeds::new(1, 0).stream("test effects");
            let (mut covered, draws) = (0, 1000);
            for _ in 0..draws {
                let rows: Vec<f64> = (0..5).map(|_| row * stream.normal()).collect();
                let columns: Vec<f64> = (0..3).map(|_| column * stream.normal()).collect();
                let differences: Vec<Vec<f64>> = rows
                    .iter()
                    .map(|a| columns.iter().map(|b| 0.7 + a + b + rest * stream.normal()).collect())
                    .collect();
                let [low, high] = Effects::of(&differences).interval95(200, &mut stream).unwrap();
                covered += u32::from((low..=high).contains(&0.7));
            }
            let share = f64::from(covered) / f64::from(draws);
            assert!(share > 0.935, "{row} {column} {rest}: {share}");
        }
    }

    #[test]
    fn equivalence_is_seldom_claimed_at_the_margin() {
        // The true difference is the margin: at 5 % the claim may be made one time in twenty.
        let mut stream = Seeds::new(2, 0).stream("test effects");
        let claims = (0..2000)
            .filter(|_| {
                let columns: Vec<f64> = (0..3).map(|_| 0.02 * stream.normal()).collect();
                let differences: Vec<Vec<f64>> = (0..5)
                    .map(|_| {
                        let row = 0.01 * stream.normal();
                        columns.iter().map(|b| 0.1 + row + b + 0.01 * stream.normal()).collect()
                    })
                    .collect();
                Effects::of(&differences).equivalence_p(0.1).unwrap() < 0.05
            })
            .count();
        assert!((20..=120).contains(&claims), "{claims} of 2000");
    }
}
