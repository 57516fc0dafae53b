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
/// of 784 x 512 to 256 x 128 (AVX-512, batch 128): compressed rows cost their density over 0.6, since
/// each weight fetches a row of the batch of its own; the inputs that are not the background cost
/// 1.2 times their share. The way back of a convolution before a pooling counts multiplications, of lines where
/// taps are visited, and of registers where the largest inputs alone are: one of these costs 4/3 times as
/// much, with the work to find them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kernels {
    /// For every linear layer; one that cannot have it follows the rule.
    pub linear: Option<LinearKernel>,
    /// For every convolution before a pooling.
    pub convolution: Option<ConvolutionKernel>,
}

impl Kernels {
    /// The kernel of a linear layer of this density; `others` is the share of inputs that are not the
    /// background, for the first layer.
    pub(super) fn linear(self, density: f64, others: Option<f64>) -> LinearKernel {
        match self.linear {
            Some(LinearKernel::Inputs) if others.is_none() => {}
            Some(kernel) => return kernel,
            None => {}
        }
        let rows = density / 0.6;
        let inputs = others.map_or(f64::INFINITY, |share| 1.2 * share);
        if rows <= inputs.min(1.0) {
            LinearKernel::Rows
        } else if inputs < 1.0 {
            LinearKernel::Inputs
        } else {
            LinearKernel::Dense
        }
    }

    /// Whether the way back of a convolution visits the largest inputs of its pooling alone, by the
    /// multiplications of both ways.
    pub(super) fn winners(self, winners: usize, taps: usize) -> bool {
        match self.convolution {
            Some(kernel) => kernel == ConvolutionKernel::Winners,
            None => winners * 4 < taps * 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule() {
        let rule = Kernels::default();
        assert_eq!(rule.linear(1.0, None), LinearKernel::Dense);
        assert_eq!(rule.linear(0.1, None), LinearKernel::Rows);
        assert_eq!(rule.linear(1.0, Some(0.19)), LinearKernel::Inputs);
        assert_eq!(rule.linear(0.1, Some(0.19)), LinearKernel::Rows);
        assert_eq!(rule.linear(1.0, Some(0.9)), LinearKernel::Dense);
        let inputs = Kernels { linear: Some(LinearKernel::Inputs), ..rule };
        assert_eq!(inputs.linear(1.0, None), LinearKernel::Dense);
        assert_eq!(inputs.linear(0.01, Some(1.0)), LinearKernel::Inputs);
    }
}
