//! Accuracy, loss and the two entropies of a test set.

use ndarray::ArrayView2;

/// What a network does on a test set. Logarithms are natural.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metrics {
    /// Share of images whose largest logit is their label's; the first of equal logits counts.
    pub accuracy: f64,
    /// Mean cross entropy -ln p_label.
    pub loss: f64,
    /// Mean over images of -sum_c p_c ln p_c of the softmax.
    pub prediction_entropy: f64,
    /// -sum_c f_c ln f_c of the histogram f of predicted labels; 0 for a constant predictor.
    pub outcome_entropy: f64,
}

impl Metrics {
    /// The metrics of `logits`, \[images, classes\], against `labels`, \[images\]. O(images x classes).
    ///
    /// # Panics
    /// Where there are no images, or a label is not below the number of classes.
    ///
    /// ```
    /// use ndarray::array;
    /// use prunephase::training::Metrics;
    /// let uniform = Metrics::of(array![[0.0f32, 0.0], [0.0, 0.0]].view(), &[0, 1]);
    /// assert_eq!(uniform.accuracy, 0.5);
    /// assert!((uniform.prediction_entropy - 2f64.ln()).abs() < 1e-15);
    /// assert_eq!(uniform.outcome_entropy, 0.0);
    /// ```
    pub fn of(logits: ArrayView2<'_, f32>, labels: &[u8]) -> Self {
        assert_eq!(logits.nrows(), labels.len(), "one label an image");
        assert!(!labels.is_empty(), "metrics of no images");
        let images = labels.len() as f64;
        let mut histogram = vec![0usize; logits.ncols()];
        let (mut correct, mut loss, mut entropy) = (0usize, 0.0, 0.0);
        for (row, &label) in logits.rows().into_iter().zip(labels) {
            let label = usize::from(label);
            let mut predicted = 0;
            for class in 1..row.len() {
                if row[class] > row[predicted] {
                    predicted = class;
                }
            }
            histogram[predicted] += 1;
            correct += usize::from(predicted == label);
            let largest = f64::from(row[predicted]);
            let partition: f64 = row.iter().map(|&z| (f64::from(z) - largest).exp()).sum();
            let log_partition = partition.ln();
            loss += log_partition - (f64::from(row[label]) - largest);
            for &z in row {
                let log_p = f64::from(z) - largest - log_partition;
                entropy -= log_p.exp() * log_p;
            }
        }
        let outcome_entropy = histogram
            .iter()
            .filter(|&&count| count > 0)
            .map(|&count| {
                let share = count as f64 / images;
                -share * share.ln()
            })
            .sum::<f64>()
            // -1 ln 1 is a negative zero, which a table would show.
            .max(0.0);
        Self {
            accuracy: correct as f64 / images,
            loss: loss / images,
            prediction_entropy: entropy / images,
            outcome_entropy,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn a_sure_and_right_network() {
        let metrics = Metrics::of(array![[1e3f32, 0.0, 0.0], [0.0, 1e3, 0.0], [0.0, 0.0, 1e3]].view(), &[0, 1, 2]);
        assert_eq!(metrics.accuracy, 1.0);
        assert_eq!(metrics.loss, 0.0);
        assert_eq!(metrics.prediction_entropy, 0.0);
        assert!((metrics.outcome_entropy - 3f64.ln()).abs() < 1e-15);
    }

    #[test]
    fn against_the_formulas_by_hand() {
        // softmax of (ln 1, ln 3) is (1/4, 3/4).
        let metrics = Metrics::of(array![[0.0f32, 3f32.ln()], [3f32.ln(), 0.0]].view(), &[1, 1]);
        assert_eq!(metrics.accuracy, 0.5);
        let expected_loss = -(0.75f64.ln() + 0.25f64.ln()) / 2.0;
        assert!((metrics.loss - expected_loss).abs() < 1e-7, "{}", metrics.loss);
        let expected_entropy = -(0.75 * 0.75f64.ln() + 0.25 * 0.25f64.ln());
        assert!((metrics.prediction_entropy - expected_entropy).abs() < 1e-7);
        assert!((metrics.outcome_entropy - 2f64.ln()).abs() < 1e-15);
    }

    #[test]
    fn a_constant_predictor_has_no_outcome_entropy() {
        let metrics = Metrics::of(array![[1.0f32, 0.0], [1.0, 0.0]].view(), &[0, 1]);
        assert_eq!(metrics.outcome_entropy.to_bits(), 0f64.to_bits());
        assert!(metrics.prediction_entropy > 0.0);
    }
}
