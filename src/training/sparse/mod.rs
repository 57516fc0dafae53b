//! Training on the surviving weights alone, on own kernels: f32, one thread, no burn.
//!
//! A batch is stored `[unit][image]`, so that the inner loops run over images and a kept weight is one
//! multiplication of a whole row with a number. Each layer takes the kernel that is faster at its density
//! and shape ([`Kernels`]), compiled for the instructions that the processor has
//! ([`InstructionSet`]). Units from which no path of kept weights leads to an output cost
//! nothing. Images of whole numbers, as files have them, are read as bytes ([`TrainingSet`]).
//!
//! The order of all sums is fixed: a training gives the same bytes on the same instruction
//! set, in one go or in parts ([`Run`]).

// In the kernels an index often runs over several arrays of registers at once.
#![allow(clippy::needless_range_loop)]

mod chain;
mod choice;
mod clock;
mod convolution;
mod dense;
mod frame;
mod images;
mod inputs;
mod linear;
mod loss;
mod maps;
mod optimiser;
mod others;
mod piece;
mod pool;
mod rates;
mod rows;
mod shades;
mod simd;
mod tile;
mod trainer;
mod training_set;
mod winners;

pub use choice::{ConvolutionKernel, Kernels, LinearKernel};
pub use simd::InstructionSet;
pub use trainer::{Options, Run, Trainer, covers, evaluate, logits};
pub use training_set::TrainingSet;

#[cfg(test)]
mod tests;
