//! Ensembles whose percolation is known, swept by the library.

use prunephase::graph::LayeredGraph;
use prunephase::graph::generate::{Lattice, LayeredRandom, Percolates};
use prunephase::percolation::theory::UniformMask;
use prunephase::percolation::{Order, Points, Ranking, cluster_numbers, sweep};
use prunephase::scaling::{Curves, Row, SizePoint};
use prunephase::seed::Seeds;
use rayon::prelude::*;

/// What is swept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// Square lattice, bonds; the control is p, the size L.
    Bond2,
    /// Square lattice, sites.
    Site2,
    /// Cubic lattice, bonds.
    Bond3,
    /// Five equal groups in a chain, a uniform mask; the control is the mean degree 2E/N, the size N.
    Layered,
}

/// What is known of a model: exponents of the size.
#[derive(Debug, Clone, Copy)]
pub struct Exact {
    pub critical: f64,
    pub inv_nu: f64,
    pub beta_over_nu: f64,
    pub s1: f64,
    pub chi: f64,
    pub tau: f64,
    /// The correction of n_s: 1 + b s^-omega_s.
    pub omega_s: f64,
    /// A guess at the correction of growth laws: 1 + b size^-omega.
    pub omega: f64,
}

/// The number of edges at a control, and of sites that are no nodes there.
type Control = Box<dyn Fn(f64) -> (usize, usize)>;

/// The seed unless another is asked for.
pub const SEED: u64 = 20_260_215;

pub const GROUPS: usize = 5;

impl Model {
    pub fn name(self) -> &'static str {
        match self {
            Self::Bond2 => "2D bond",
            Self::Site2 => "2D site",
            Self::Bond3 => "3D bond",
            Self::Layered => "layered random, 5 groups",
        }
    }

    pub fn exact(self) -> Exact {
        let two = |critical| Exact {
            critical,
            inv_nu: 0.75,
            beta_over_nu: 5.0 / 48.0,
            s1: 91.0 / 48.0,
            chi: 43.0 / 24.0,
            tau: 187.0 / 91.0,
            omega_s: 72.0 / 91.0,
            omega: 1.0,
        };
        match self {
            Self::Bond2 => two(0.5),
            Self::Site2 => two(0.592_746_05),
            // Not exact: Wang et al., Phys. Rev. E 87, 052107; Xu et al., Front. Phys. 9, 113.
            Self::Bond3 => Exact {
                critical: 0.248_811_82,
                inv_nu: 1.141,
                beta_over_nu: 0.477_1,
                s1: 2.522_9,
                chi: 2.045_9,
                tau: 2.189_1,
                omega_s: 0.64,
                omega: 1.0,
            },
            Self::Layered => {
                let third = 1.0 / 3.0;
                let n = 1000;
                // p_c x pairs x 2 / N, the same for every n.
                let p_c = UniformMask::chain(&[n; GROUPS]).threshold().unwrap();
                let critical = 2.0 * p_c * ((GROUPS - 1) * n * n) as f64 / (GROUPS * n) as f64;
                Exact {
                    critical,
                    inv_nu: third,
                    beta_over_nu: third,
                    s1: 2.0 * third,
                    chi: third,
                    tau: 2.5,
                    omega_s: 1.0,
                    omega: third,
                }
            }
        }
    }

    /// A graph, and what a control means in it.
    fn realise(self, size: usize, seeds: &Seeds, most: f64) -> (LayeredGraph, Control) {
        let lattice = |dimension, percolates| {
            let lattice = Lattice::new(dimension, size, percolates, seeds).unwrap();
            let graph = lattice.graph().clone();
            let at: Control = Box::new(move |p| (lattice.edges_at(p), lattice.unoccupied_at(p)));
            (graph, at)
        };
        match self {
            Self::Bond2 => lattice(2, Percolates::Bond),
            Self::Site2 => lattice(2, Percolates::Site),
            Self::Bond3 => lattice(3, Percolates::Bond),
            Self::Layered => {
                let sizes = [size / GROUPS; GROUPS];
                let random = LayeredRandom::with_mean_degree(&sizes, most).unwrap();
                let graph = random.generate(seeds).unwrap();
                let nodes = graph.nodes() as f64;
                (graph, Box::new(move |degree| ((0.5 * degree * nodes).round() as usize, 0)))
            }
        }
    }
}

/// One realisation: the observables at the critical point and the curve of P_inf.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    pub s1: f64,
    pub s2: f64,
    pub chi: f64,
    pub p_inf: Vec<f64>,
    /// The susceptibility at the controls.
    pub chi_at: Vec<f64>,
    /// (size, components) at the critical point; empty where not asked for.
    pub clusters: Vec<(usize, u64)>,
}

/// Independent realisations of one size, at the critical point of `exact` and at `controls`.
pub fn realisations(model: Model, seed: u64, size: usize, count: u64, controls: &[f64], clusters: bool) -> Vec<Sample> {
    let exact = model.exact();
    let most = controls.iter().copied().fold(exact.critical, f64::max);
    (0..count)
        .into_par_iter()
        .map(|realisation| {
            let seeds = Seeds::new(seed, realisation).within(&format!("universality {model:?} {size}"));
            let (graph, at) = model.realise(size, &seeds, most);
            let (critical, unoccupied) = at(exact.critical);
            let places: Vec<(usize, usize)> = controls.iter().map(|&control| at(control)).collect();
            let mut all: Vec<usize> = places.iter().map(|place| place.0).collect();
            all.push(critical);
            let points = sweep(&graph, Order::Magnitude, 0, 0, &Points::At(all)).points;
            let find = |edges: usize| points.binary_search_by_key(&edges, |point| point.edges).ok();
            // No edges, no point: one node is the largest component.
            let s1 = |edges: usize| find(edges).map_or(1, |index| points[index].s1);
            let point = points[find(critical).unwrap()];
            let chi = |(edges, unoccupied): (usize, usize)| {
                let squares = find(edges).map_or(point.nodes as u64 - 1, |index| points[index].squares_but_largest);
                (squares as f64 - unoccupied as f64) / point.nodes as f64
            };
            Sample {
                s1: point.s1 as f64,
                s2: point.s2 as f64,
                chi: chi((critical, unoccupied)),
                p_inf: places.iter().map(|&(edges, _)| s1(edges) as f64 / point.nodes as f64).collect(),
                chi_at: places.iter().map(|&place| chi(place)).collect(),
                clusters: if clusters {
                    let mut counts = cluster_numbers(&graph, Ranking::Magnitude, &[critical]).remove(0).counts;
                    if let Some(one) = counts.first_mut().filter(|count| count.0 == 1) {
                        one.1 -= unoccupied as u64;
                    }
                    counts
                } else {
                    Vec::new()
                },
            }
        })
        .collect()
}

/// Mean and standard error.
pub fn mean(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let n = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / n;
    let square = values.map(|value| (value - mean).powi(2)).sum::<f64>();
    (mean, (square / (n * (n - 1.0))).sqrt())
}

/// The mean of an observable at the critical point.
pub fn point(size: usize, samples: &[Sample], of: fn(&Sample) -> f64) -> SizePoint {
    let (value, error) = mean(samples.iter().map(of));
    SizePoint { size: size as f64, value, error }
}

/// The curves of an observable, with the realisations as replicates in `batches` means each, so that
/// tables of thousands of realisations stay small.
pub fn curves(sizes: &[(usize, Vec<Sample>)], controls: &[f64], batches: usize, of: fn(&Sample) -> &[f64]) -> Curves {
    let mut rows = Vec::new();
    for (size, samples) in sizes {
        let width = (samples.len() / batches).max(1);
        for (batch, part) in samples.chunks_exact(width).enumerate() {
            for (index, &control) in controls.iter().enumerate() {
                let value = part.iter().map(|sample| of(sample)[index]).sum::<f64>() / width as f64;
                let replicate = Some(batch.to_string());
                rows.push(Row { size: *size as f64, control, value, error: None, replicate });
            }
        }
    }
    Curves::from_rows(rows).unwrap()
}

/// Cluster counts of several realisations together, sizes ascending.
pub fn merged<'a>(samples: impl Iterator<Item = &'a Sample>) -> Vec<(u64, u64)> {
    let mut counts = std::collections::BTreeMap::new();
    for sample in samples {
        for &(size, count) in &sample.clusters {
            *counts.entry(size as u64).or_insert(0) += count;
        }
    }
    counts.into_iter().collect()
}
