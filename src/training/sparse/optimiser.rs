//! The update rules, fused into one pass over weights and state.

use super::simd::{LANES, Line, Simd, floats, floats_mut};
use crate::training::{Hyperparameters, Optimiser};

/// beta_1, beta_2 and epsilon of Kingma and Ba.
const FIRST: f64 = 0.9;
const SECOND: f64 = 0.999;
const EPSILON: f32 = 1e-8;

/// Added to a decaying mean and taken away again: a mean is a multiple of 6e-36, and stops at a few of them or at
/// zero. A unit that stopped has no gradient any more, and its means would shrink to subnormal numbers, with which a
/// division takes twice as long; means that move a weight are far above.
const TINY: f32 = 1e-28;

/// The numbers of one update.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Rule {
    Sgd {
        rate: f32,
        momentum: f32,
    },
    Adam {
        /// rate / (1 - beta_1^t).
        rate: f32,
        /// 1 / sqrt(1 - beta_2^t).
        scale: f32,
    },
}

impl Rule {
    /// The rule at `step`, counted from 1.
    pub(super) fn at(hyperparameters: &Hyperparameters, step: usize) -> Self {
        let rate = hyperparameters.learning_rate;
        match hyperparameters.optimiser {
            Optimiser::Sgd => Self::Sgd { rate: rate as f32, momentum: hyperparameters.momentum as f32 },
            Optimiser::Adam => Self::Adam {
                rate: (rate / (1.0 - FIRST.powf(step as f64))) as f32,
                scale: (1.0 / (1.0 - SECOND.powf(step as f64)).sqrt()) as f32,
            },
        }
    }

    /// Moves sixteen weights; returns them. A weight of zero whose gradients were all zero stays zero.
    #[inline(always)]
    pub(super) fn apply<S: Simd>(self, s: S, g: S::V, w: &mut Line, first: &mut Line, second: &mut Line) -> S::V {
        match self {
            Self::Sgd { rate, momentum } => {
                let decayed = s.fma(s.splat(momentum), s.load(first), s.splat(TINY));
                let velocity = s.sub(s.add(decayed, g), s.splat(TINY));
                let moved = s.fma(s.splat(-rate), velocity, s.load(w));
                s.store(first, velocity);
                s.store(w, moved);
                moved
            }
            Self::Adam { rate, scale } => {
                let decayed = s.fma(s.splat(FIRST as f32), s.load(first), s.splat(TINY));
                let mean = s.sub(s.fma(s.splat((1.0 - FIRST) as f32), g, decayed), s.splat(TINY));
                let fresh = s.mul(s.splat((1.0 - SECOND) as f32), s.mul(g, g));
                let square = s.fma(s.splat(SECOND as f32), s.load(second), fresh);
                let size = s.fma(s.sqrt(square), s.splat(scale), s.splat(EPSILON));
                let moved = s.fma(s.splat(-rate), s.div(mean, size), s.load(w));
                s.store(first, mean);
                s.store(second, square);
                s.store(w, moved);
                moved
            }
        }
    }
}

/// Weights or biases with the state of their optimiser, in lines; the last one is filled with zeros.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tensor {
    pub(super) w: Vec<Line>,
    /// The velocity, or Adam's first moment.
    pub(super) first: Vec<Line>,
    /// Adam's second moment.
    pub(super) second: Vec<Line>,
}

impl Tensor {
    /// `values` with a fresh state.
    pub(super) fn new(values: &[f32]) -> Self {
        let mut w = vec![Line::ZERO; values.len().div_ceil(LANES)];
        floats_mut(&mut w)[..values.len()].copy_from_slice(values);
        let state = vec![Line::ZERO; w.len()];
        Self { w, first: state.clone(), second: state }
    }

    pub(super) fn values(&self) -> &[f32] {
        floats(&self.w)
    }

    /// One update of all.
    #[inline(always)]
    pub(super) fn update<S: Simd>(&mut self, s: S, rule: Rule, gradient: &[Line]) {
        let state = self.first.iter_mut().zip(&mut self.second);
        for ((w, (first, second)), g) in self.w.iter_mut().zip(state).zip(gradient) {
            rule.apply(s, s.load(g), w, first, second);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::simd::{InstructionSet, Kernel};
    use super::*;

    /// One step with a gradient, and many without one.
    struct Decay(Rule, usize);

    impl Kernel for Decay {
        type Output = [f32; 2];

        fn run<S: Simd>(self, s: S) -> [f32; 2] {
            let [mut w, mut first, mut second] = [Line::ZERO; 3];
            self.0.apply(s, s.splat(1e-3), &mut w, &mut first, &mut second);
            for _ in 0..self.1 {
                self.0.apply(s, s.zero(), &mut w, &mut first, &mut second);
            }
            [w.0[0], first.0[0]]
        }
    }

    #[test]
    fn means_do_not_decay_to_subnormal_numbers() {
        let adam = Rule::Adam { rate: 1e-3, scale: 1.0 };
        let sgd = Rule::Sgd { rate: 0.1, momentum: 0.9 };
        for (set, rule) in InstructionSet::available().into_iter().flat_map(|set| [(set, adam), (set, sgd)]) {
            let start = if rule == sgd { 1e-3f64 } else { 1e-4 };
            for steps in [0, 10, 100, 600] {
                let [_, mean] = set.run(Decay(rule, steps));
                let expected = start * 0.9f64.powi(steps as i32);
                assert!((f64::from(mean) / expected - 1.0).abs() < 1e-3, "{set:?} {rule:?} {steps}: {mean} {expected}");
            }
            for steps in 700..1000 {
                let [_, mean] = set.run(Decay(rule, steps));
                assert!(!mean.is_subnormal(), "{set:?} {rule:?} {steps}: {mean:e}");
            }
            let [moved, mean] = set.run(Decay(rule, 1000));
            assert!(mean.abs() < 1e-34, "{set:?} {rule:?}: {mean:e}");
            assert_eq!(set.run(Decay(rule, 1500)), [moved, mean]);
        }
    }
}
