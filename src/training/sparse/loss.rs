//! Softmax cross entropy.

use super::simd::{Kernel, LANES, Line, Simd, floats_mut};

/// e^x for x <= 0: 2^n times a polynomial on |r| <= ln 2 / 2, to 2 units in the last place; 0
/// below -87.
#[inline(always)]
fn exponential<S: Simd>(s: S, x: S::V) -> S::V {
    let x = s.max(x, s.splat(-87.0));
    let n = s.round(s.mul(x, s.splat(std::f32::consts::LOG2_E)));
    // ln 2 in two parts, the first exact in n times it.
    let r = s.fma(n, s.splat(-0.693_359_4), x);
    let r = s.fma(n, s.splat(2.121_944_4e-4), r);
    let mut sum = s.splat(1.0 / 5040.0);
    for coefficient in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        sum = s.fma(sum, r, s.splat(coefficient));
    }
    s.mul(sum, s.power_of_two(n))
}

/// Logits `[class][image]` become the gradient of their loss: (softmax - one of the label) / images.
pub(super) struct Loss<'a> {
    pub(super) lines: usize,
    pub(super) labels: &'a [u8],
    pub(super) logits: &'a [Line],
    pub(super) gradient: &'a mut [Line],
}

impl Kernel for Loss<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { lines, labels, logits, gradient } = self;
        let share = 1.0 / labels.len() as f32;
        let classes = logits.len() / lines;
        for line in 0..lines {
            let mut largest = s.load(&logits[line]);
            for class in 1..classes {
                largest = s.max(s.load(&logits[class * lines + line]), largest);
            }
            let mut sum = s.zero();
            for class in 0..classes {
                let at = class * lines + line;
                let e = exponential(s, s.sub(s.load(&logits[at]), largest));
                s.store(&mut gradient[at], e);
                sum = s.add(sum, e);
            }
            let factor = s.div(s.splat(share), sum);
            for class in 0..classes {
                let at = class * lines + line;
                let p = s.mul(s.load(&gradient[at]), factor);
                s.store(&mut gradient[at], p);
            }
        }
        let stride = lines * LANES;
        let gradient = floats_mut(gradient);
        for (image, &label) in labels.iter().enumerate() {
            gradient[usize::from(label) * stride + image] -= share;
        }
        for class in 0..classes {
            gradient[class * stride + labels.len()..(class + 1) * stride].fill(0.0);
        }
    }
}
