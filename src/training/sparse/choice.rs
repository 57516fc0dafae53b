//! Which kernel a layer takes.

/// How a linear layer multiplies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinearKernel {
    /// Every weight, pruned ones as zeros.
    Dense,
    /// The kept weights alone, in compressed rows.
    Rows,
    /// All weights of the inputs that are not the background of an image; the first layer alone.
    Inputs,
}

/// How a convolution before a pooling finds its gradients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConvolutionKernel {
    /// From the kept taps alone, sixteen images at a time.
    Taps,
    /// From the largest inputs of the pooling alone, image by image.
    Winners,
}

/// What to choose from; `None` leaves the choice to the rule.
///
/// The rule compares costs in units of a dense product, from times of the three kernels on layers
/// of 784 x 512 to 256 x 128 (batch 128, fc4 of W = 128 at densities 0.15 to 0.6): compressed rows cost their density
/// over 0.5, since each weight fetches a row of the batch of its own, and the inputs that are not the background 2.5
/// times their share (AVX2). With AVX-512 it is their density over 0.4, and 2.7 times their share. The way back of a
/// convolution before a pooling costs lines of positions of kept taps, or largest inputs: each is worth 12 lines,
/// with gradients of inputs 19, and a fifth of one for each register of its patch (cnn5 of W = 1 and 4 at densities 1 to
/// 0.01; AVX2 and AVX-512 alike).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kernels {
    /// For every linear layer; one that cannot have it follows the rule.
    pub linear: Option<LinearKernel>,
    /// For every convolution before a pooling.
    pub convolution: Option<ConvolutionKernel>,
}

impl Kernels {
    /// The kernel of a linear layer of this density; `others` is the share of inputs that are not the
    /// background, for the first layer; `wide`: whether a line is one register.
    pub(super) fn linear(self, density: f64, others: Option<f64>, wide: bool) -> LinearKernel {
        match self.linear {
            Some(LinearKernel::Inputs) if others.is_none() => {}
            Some(kernel) => return kernel,
            None => {}
        }
        let (even, each) = if wide { (0.4, 2.7) } else { (0.5, 2.5) };
        let rows = density / even;
        let inputs = others.map_or(f64::INFINITY, |share| each * share);
        if rows <= inputs.min(1.0) {
            LinearKernel::Rows
        } else if inputs < 1.0 {
            LinearKernel::Inputs
        } else {
            LinearKernel::Dense
        }
    }

    /// Whether the way back of a convolution visits the largest inputs of its pooling alone: `winners` of them an
    /// image, each with a patch of `registers`, or `lines` of positions of kept taps. `before`: whether its inputs
    /// have gradients.
    pub(super) fn winners(self, (winners, registers): (usize, usize), lines: usize, before: bool) -> bool {
        if let Some(kernel) = self.convolution {
            return kernel == ConvolutionKernel::Winners;
        }
        let each = if before { 19.0 } else { 12.0 } + 0.2 * registers as f64;
        winners as f64 * each < lines as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule() {
        let rule = Kernels::default();
        for wide in [false, true] {
            assert_eq!(rule.linear(1.0, None, wide), LinearKernel::Dense);
            assert_eq!(rule.linear(0.1, None, wide), LinearKernel::Rows);
            assert_eq!(rule.linear(1.0, Some(0.19), wide), LinearKernel::Inputs);
            assert_eq!(rule.linear(0.1, Some(0.19), wide), LinearKernel::Rows);
            assert_eq!(rule.linear(1.0, Some(0.9), wide), LinearKernel::Dense);
        }
        assert_eq!(rule.linear(0.4, None, false), LinearKernel::Rows);
        assert_eq!(rule.linear(0.45, None, true), LinearKernel::Dense);
        assert_eq!(rule.linear(0.25, Some(0.19), false), LinearKernel::Inputs);
        assert_eq!(rule.linear(0.2, Some(0.19), true), LinearKernel::Rows);
        let inputs = Kernels { linear: Some(LinearKernel::Inputs), ..rule };
        assert_eq!(inputs.linear(1.0, None, false), LinearKernel::Dense);
        assert_eq!(inputs.linear(0.01, Some(1.0), false), LinearKernel::Inputs);
        // cnn5, W = 1: 6 and 16 channels, patches of 5 rows of 5 and of 30 floats, halves of lines.
        let first = |taps: usize| rule.winners((6 * 196, 5), taps * 784 / 16, false);
        let second = |taps: usize| rule.winners((16 * 25, 20), taps * 100 / 16, true);
        assert!(!first(150));
        assert_eq!([second(2400), second(1600), second(1300), second(779)], [true, true, false, false]);
    }
}
