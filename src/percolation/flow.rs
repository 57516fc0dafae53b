//! The directed flow from inputs to outputs, for every number of kept weights at once.

use super::edge_order::{Ends, Keyed};
use crate::graph::{LayeredGraph, Role};

/// Never, as a time.
const NEVER: u32 = u32::MAX;

/// What lies on a directed path from an input to an output among the first k weights of an order,
/// for every k.
///
/// Let the weight added as the k-th have time k. A node is reached from the inputs at f(node), the
/// least over paths of the latest time on the path (0 at inputs), and leads to the outputs at
/// b(node) (0 at outputs): max-min path strengths, with ranks for strengths. A weight is active from
/// max(k, f(source), b(target)) on; an output is reached at f, an input used at b, a hidden node
/// alive at max(f, b). Since the graph has no cycles, one pass along it gives f and one against it
/// b: O(edges + nodes log nodes) in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// Ascending times, without those that never come.
    outputs: Vec<u32>,
    inputs: Vec<u32>,
    alive: Vec<u32>,
    hidden: usize,
    /// The number of active weights at each k.
    active: Vec<u32>,
}

impl Flow {
    /// The flow of a graph whose weights return in the order of `edges`.
    pub(super) fn new<E: Ends>(graph: &LayeredGraph, edges: &[E]) -> Self {
        let groups = graph.groups();
        let mut group_of = vec![0u32; graph.nodes()];
        for (index, group) in groups.iter().enumerate() {
            group_of[group.first..group.first + group.size].fill(index as u32);
        }
        // By the source's group, so that one walk over the edges follows the topological order.
        let mut starts = vec![0u32; groups.len() + 1];
        for edge in edges {
            starts[group_of[edge.source() as usize] as usize + 1] += 1;
        }
        for group in 0..groups.len() {
            starts[group + 1] += starts[group];
        }
        let mut timed: Vec<Keyed<E>> = vec![Keyed::default(); edges.len()];
        let mut next = starts;
        for (index, &edge) in edges.iter().enumerate() {
            let place = &mut next[group_of[edge.source() as usize] as usize];
            timed[*place as usize] = Keyed { key: index as u32 + 1, ends: edge };
            *place += 1;
        }

        let mut from_inputs = vec![NEVER; graph.nodes()];
        let mut to_outputs = vec![NEVER; graph.nodes()];
        for group in groups {
            let nodes = group.first..group.first + group.size;
            match group.role {
                Role::Input => from_inputs[nodes].fill(0),
                Role::Output => to_outputs[nodes].fill(0),
                Role::Hidden => {}
            }
        }
        // A maximum with NEVER is NEVER, and below nothing.
        for edge in &timed {
            let time = edge.key.max(from_inputs[edge.ends.source() as usize]);
            let reached = &mut from_inputs[edge.ends.target() as usize];
            *reached = time.min(*reached);
        }
        for edge in timed.iter().rev() {
            let time = edge.key.max(to_outputs[edge.ends.target() as usize]);
            let leads = &mut to_outputs[edge.ends.source() as usize];
            *leads = time.min(*leads);
        }
        let mut active = vec![0u32; edges.len() + 1];
        for edge in &timed {
            let ends = edge.ends;
            let time = edge.key.max(from_inputs[ends.source() as usize]).max(to_outputs[ends.target() as usize]);
            if time != NEVER {
                active[time as usize] += 1;
            }
        }
        let mut sum = 0;
        for count in &mut active {
            sum += *count;
            *count = sum;
        }

        let times = |role: Role, time: &dyn Fn(usize) -> u32| {
            let mut times: Vec<u32> = groups
                .iter()
                .filter(|group| group.role == role)
                .flat_map(|group| group.first..group.first + group.size)
                .map(time)
                .filter(|&time| time != NEVER)
                .collect();
            times.sort_unstable();
            times
        };
        Self {
            outputs: times(Role::Output, &|node| from_inputs[node]),
            inputs: times(Role::Input, &|node| to_outputs[node]),
            alive: times(Role::Hidden, &|node| from_inputs[node].max(to_outputs[node])),
            hidden: graph.nodes_with(Role::Hidden),
            active,
        }
    }

    /// Moves `reached` on to the first `edges` weights, which are not fewer than before. O(1)
    /// amortised over all weights.
    #[inline]
    pub(super) fn advance(&self, reached: &mut Reached, edges: usize) {
        let on = |count: &mut usize, times: &[u32]| {
            while times.get(*count).is_some_and(|&time| time as usize <= edges) {
                *count += 1;
            }
        };
        on(&mut reached.outputs, &self.outputs);
        on(&mut reached.inputs, &self.inputs);
        on(&mut reached.alive, &self.alive);
    }

    /// The number of hidden nodes.
    pub(super) fn hidden(&self) -> usize {
        self.hidden
    }

    fn by(times: &[u32], edges: usize) -> usize {
        times.partition_point(|&time| time as usize <= edges)
    }

    /// Outputs at the end of a directed path from an input. O(log outputs).
    pub fn outputs_reached(&self, edges: usize) -> usize {
        Self::by(&self.outputs, edges)
    }

    /// Inputs at the start of a directed path to an output. O(log inputs).
    pub fn inputs_used(&self, edges: usize) -> usize {
        Self::by(&self.inputs, edges)
    }

    /// Hidden nodes on no directed path from an input to an output. O(log hidden).
    pub fn dead(&self, edges: usize) -> usize {
        self.hidden - Self::by(&self.alive, edges)
    }

    /// Weights on a directed path from an input to an output. O(1).
    pub fn active_edges(&self, edges: usize) -> usize {
        self.active[edges.min(self.active.len() - 1)] as usize
    }
}

/// How many outputs, inputs and hidden nodes lie on a path from an input to an output by now.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reached {
    pub outputs: usize,
    pub inputs: usize,
    pub alive: usize,
}
