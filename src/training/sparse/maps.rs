//! Feature maps: the convolutions and poolings before the first linear layer.

use super::choice::Kernels;
use super::optimiser::Rule;
use super::simd::{InstructionSet, Line};
use crate::mask::Mask;
use crate::network::{Activation, LayerParameters, Network, Parameters};

/// The layers before the first linear one.
#[derive(Debug, Clone)]
pub(super) struct Maps {
    delta: Vec<Line>,
}

impl Maps {
    pub(super) fn new(_: &Network, _: &Parameters, _: &Mask, _: &[u32], _: usize, _: Kernels) -> Self {
        Self { delta: Vec::new() }
    }
    pub(super) fn activation(&self) -> Activation {
        Activation::None
    }
    pub(super) fn delta(&mut self) -> &mut [Line] {
        &mut self.delta
    }
    pub(super) fn forward(&mut self, _: InstructionSet, _: &[&[f32]], _: &mut [Line]) {}
    pub(super) fn step(&mut self, _: InstructionSet, _: usize, _: Rule) {}
    pub(super) fn write(&self, _: &mut [LayerParameters]) {}
}
