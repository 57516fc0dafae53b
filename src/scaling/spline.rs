//! A cubic spline with even knots, as a sum of local bells.

/// The knots: intervals of equal width from `low` on. Beyond the ends the outer cubics go on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spline {
    low: f64,
    width: f64,
    intervals: usize,
}

impl Spline {
    pub(crate) fn new([low, high]: [f64; 2], intervals: usize) -> Self {
        Self { low, width: (high - low) / intervals as f64, intervals }
    }

    /// The number of coefficients.
    pub(crate) fn coefficients(&self) -> usize {
        self.intervals + 3
    }

    /// The first of the four coefficients that matter at `x`, the values of their bells there and
    /// the slopes.
    pub(crate) fn bells(&self, x: f64) -> (usize, [f64; 4], [f64; 4]) {
        let place = (x - self.low) / self.width;
        let first = place.floor().clamp(0.0, (self.intervals - 1) as f64);
        let u = place - first;
        let v = 1.0 - u;
        let values = [
            v * v * v / 6.0,
            (3.0 * u * u * u - 6.0 * u * u + 4.0) / 6.0,
            (3.0 * v * v * v - 6.0 * v * v + 4.0) / 6.0,
            u * u * u / 6.0,
        ];
        let slopes =
            [-0.5 * v * v, 1.5 * u * u - 2.0 * u, 2.0 * v - 1.5 * v * v, 0.5 * u * u].map(|slope| slope / self.width);
        (first as usize, values, slopes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bells_add_up_to_one_and_slopes_are_derivatives() {
        let spline = Spline::new([-1.0, 2.0], 5);
        let at = |coefficients: &[f64], x: f64| {
            let (first, values, slopes) = spline.bells(x);
            (0..4).fold((0.0, 0.0), |(value, slope), k| {
                (value + coefficients[first + k] * values[k], slope + coefficients[first + k] * slopes[k])
            })
        };
        let coefficients: Vec<f64> = (0..8).map(|k| f64::from(k * k % 7)).collect();
        for step in -2..34 {
            let x = -1.1 + 0.1 * f64::from(step);
            let (_, values, slopes) = spline.bells(x);
            assert!((values.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            assert!(slopes.iter().sum::<f64>().abs() < 1e-12);
            let h = 1e-6;
            let slope = (at(&coefficients, x + h).0 - at(&coefficients, x - h).0) / (2.0 * h);
            assert!((at(&coefficients, x).1 - slope).abs() < 1e-6, "{x}");
        }
        // Coefficients that rise by 1 give a line that rises by 1 an interval.
        let line: Vec<f64> = (0..8).map(f64::from).collect();
        assert!((at(&line, 0.2).1 - 1.0 / 0.6).abs() < 1e-12);
    }
}
