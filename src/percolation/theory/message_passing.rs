//! P_inf of the configuration model: what a random dilution leaves of a giant component.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::joint_degrees::JointDegrees;
use crate::graph::LayeredGraph;
use crate::percolation::Points;

/// Newton steps at most.
const STEPS: usize = 200;

/// The size of a step at which the iteration has converged.
const TOLERANCE: f64 = 1e-13;

/// The giant component of the configuration model, and how well it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GiantComponent {
    /// The share of all nodes in the giant component, isolated nodes counted among all.
    pub p_inf: f64,
    /// The last step of a message, which bounds the error of all messages where the iteration
    /// converges at least as fast as by halves. Below 1e-13 but within about 1e-12 of the threshold,
    /// where rounding alone leaves 1e-8.
    pub error: f64,
    /// Whether the steps fell below 1e-13.
    pub converged: bool,
    /// Newton steps taken.
    pub steps: usize,
}

/// The giant component of the random graph with these joint degrees, when every kept weight stays
/// with probability `phi`, in the limit of many nodes.
///
/// The message w_e is the probability that an edge of type e, which arrives at a group through block
/// b, does not lead to the giant component:
///
/// w_e = 1 - q_b + q_b <k_b w_back^(k_b - 1) product over c != b of w_c^(k_c)>/<k_b>,
///
/// the means over the nodes of that group, w_c for the edges that leave it through c, q_b =
/// [`BlockPairs::retained`](super::BlockPairs::retained) (phi where pairs have one weight). A node of
/// group g is in the giant component with probability 1 - <product over c of w_c^(k_c)>.
///
/// The solution wanted is the smallest one, w = 1 being one always. Newton's method from w = 0 rises
/// to it step by step, because the right side is a polynomial with no negative coefficient (K.
/// Etessami and M. Yannakakis, J. ACM 56, 1, doi:10.1145/1462153.1462154), and still halves its
/// distance a step at the threshold, where plain iteration would take the longer the closer. O(steps
/// x (different degrees x blocks a group^2 + blocks^3)), some 10 steps, 50 at the threshold.
///
/// # Panics
/// Where `phi` is not in 0 to 1.
///
/// ```
/// use prunephase::graph::{Block, LayeredGraph, Role};
/// use prunephase::percolation::theory::{JointDegrees, giant_component};
///
/// // All degrees 3: w = 1 - phi + phi w^2, so w = (1 - phi)/phi and P_inf = 1 - w^3.
/// let entries = (0..6).flat_map(|row| { let mut to = [row, (row + 1) % 6, (row + 2) % 6]; to.sort(); to.map(|c| (row, c, 1.0)) });
/// let block = Block::new("a", (0, 6), (1, 6), 36, entries)?;
/// let groups = [("in".to_owned(), 6, Role::Input), ("out".to_owned(), 6, Role::Output)];
/// let joint = JointDegrees::of(&LayeredGraph::new(groups, vec![block])?);
/// let found = giant_component(&joint, 0.75);
/// assert!(found.converged && (found.p_inf - (1.0 - 1.0 / 27.0)).abs() < 1e-12);
/// # Ok::<(), prunephase::graph::GraphError>(())
/// ```
pub fn giant_component(joint: &JointDegrees, phi: f64) -> GiantComponent {
    assert!((0.0..=1.0).contains(&phi), "phi = {phi} is not a probability");
    let retained: Vec<f64> = joint.blocks.iter().map(|block| block.retained(phi)).collect();
    // Types without pairs lead nowhere.
    let used: Vec<bool> = joint.blocks.iter().flat_map(|block| [block.pairs() > 0; 2]).collect();
    let mut messages: Vec<f64> = used.iter().map(|&used| if used { 0.0 } else { 1.0 }).collect();
    let (mut error, mut steps) = (f64::INFINITY, 0);
    while error > TOLERANCE && steps < STEPS {
        let (image, slopes) = update(joint, &retained, &messages);
        let difference: Vec<f64> = image.iter().zip(&messages).map(|(image, message)| image - message).collect();
        let newton = newton_step(slopes, &difference);
        error = 0.0;
        for (kind, message) in messages.iter_mut().enumerate() {
            if used[kind] {
                // Never less than a plain step, and never beyond the solution 1.
                let step = newton.as_ref().map_or(difference[kind], |newton| newton[kind].max(difference[kind]));
                let next = (*message + step).min(1.0);
                error = error.max((next - *message).abs());
                *message = next;
            }
        }
        steps += 1;
    }
    let outside: f64 = joint
        .groups
        .iter()
        .map(|group| {
            let product = |degrees: &[u32]| {
                group.leaving.iter().zip(degrees).map(|(kind, &degree)| power(messages[kind.index()], degree)).product()
            };
            group.nodes as f64 * group.mean(product)
        })
        .sum();
    let nodes = joint.nodes() as f64;
    let p_inf = if nodes > 0.0 { (1.0 - outside / nodes).max(0.0) } else { 0.0 };
    GiantComponent { p_inf, error, converged: error <= TOLERANCE, steps }
}

fn power(base: f64, exponent: u32) -> f64 {
    // Degrees stay below 2^31: a graph has fewer edges.
    base.powi(exponent as i32)
}

/// The right sides of the equations, and their derivatives by every message.
fn update(joint: &JointDegrees, retained: &[f64], messages: &[f64]) -> (Vec<f64>, Vec<Vec<f64>>) {
    let mut image = vec![1.0; messages.len()];
    let mut slopes = vec![vec![0.0; messages.len()]; messages.len()];
    for group in &joint.groups {
        let width = group.leaving.len();
        let (mut ends, mut sums) = (vec![0.0; width], vec![0.0; width]);
        let mut derivatives = vec![vec![0.0; width]; width];
        let mut left = vec![0u32; width];
        for class in &group.classes {
            for back in 0..width {
                let degree = class.degrees[back];
                if degree == 0 {
                    continue;
                }
                left.copy_from_slice(&class.degrees);
                left[back] -= 1;
                let weight = class.nodes as f64 * f64::from(degree);
                let factor = |place: usize| power(messages[group.leaving[place].index()], left[place]);
                ends[back] += weight;
                sums[back] += weight * (0..width).map(factor).product::<f64>();
                for by in 0..width {
                    if left[by] > 0 {
                        let own = messages[group.leaving[by].index()];
                        let others: f64 = (0..width).filter(|&place| place != by).map(factor).product();
                        derivatives[back][by] += weight * others * f64::from(left[by]) * power(own, left[by] - 1);
                    }
                }
            }
        }
        for (back, leaving) in group.leaving.iter().enumerate() {
            if ends[back] > 0.0 {
                let q = retained[leaving.block];
                let kind = leaving.reversed().index();
                image[kind] = 1.0 - q + q * sums[back] / ends[back];
                for (by, other) in group.leaving.iter().enumerate() {
                    slopes[kind][other.index()] = q * derivatives[back][by] / ends[back];
                }
            }
        }
    }
    (image, slopes)
}

/// Solves (1 - slopes) step = difference; `None` where the matrix is singular.
fn newton_step(mut matrix: Vec<Vec<f64>>, difference: &[f64]) -> Option<Vec<f64>> {
    let n = difference.len();
    for (index, row) in matrix.iter_mut().enumerate() {
        row.iter_mut().for_each(|entry| *entry = -*entry);
        row[index] += 1.0;
        row.push(difference[index]);
    }
    for column in 0..n {
        let pivot = (column..n).max_by(|&a, &b| matrix[a][column].abs().total_cmp(&matrix[b][column].abs()))?;
        if matrix[pivot][column] == 0.0 {
            return None;
        }
        matrix.swap(column, pivot);
        let (above, below) = matrix.split_at_mut(column + 1);
        let lead = &above[column];
        for row in below {
            let factor = row[column] / lead[column];
            if factor != 0.0 {
                row[column..].iter_mut().zip(&lead[column..]).for_each(|(entry, lead)| *entry -= factor * lead);
            }
        }
    }
    let mut step = vec![0.0; n];
    for row in (0..n).rev() {
        let known: f64 = (row + 1..n).map(|column| matrix[row][column] * step[column]).sum();
        step[row] = (matrix[row][n] - known) / matrix[row][row];
    }
    step.iter().all(|value| value.is_finite()).then_some(step)
}

/// One row of a table of the theory, with its columns in their order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TheoryRow {
    /// The checkpoint, as it was named.
    pub checkpoint: String,
    /// The number of kept weights.
    pub edges: usize,
    /// Kept weights / weights of the dense network.
    pub density: f64,
    /// The share of the graph's kept weights.
    pub phi: f64,
    /// [`giant_component`] at phi.
    pub p_inf: f64,
}

/// [`giant_component`] of a graph at numbers of kept weights, phi = edges / kept: what its random
/// order would show were the graph large and random but for its joint degrees.
pub fn theory_rows(graph: &LayeredGraph, checkpoint: &str, points: &Points) -> Vec<TheoryRow> {
    let joint = JointDegrees::of(graph);
    let share = |part: usize, whole: usize| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    points
        .numbers(graph.edges())
        .into_par_iter()
        .map(|edges| {
            let phi = share(edges, graph.edges());
            let p_inf = giant_component(&joint, phi).p_inf;
            TheoryRow { checkpoint: checkpoint.to_owned(), edges, density: share(edges, graph.dense()), phi, p_inf }
        })
        .collect()
}
