//! Brandes's accumulation for several sources at once.
//!
//! Each source has a lane. A level of the search is a list of entries (node, lanes), where a lane
//! holds the number of shortest paths from its source where the node lies at that distance, and 0
//! elsewhere; a node has an entry in as many levels as its distance differs between lanes. The
//! zeros stand for masks: sums over neighbours need no branch, and the compiler makes vectors of
//! them. Sources that follow each other lie in the same group, so that their levels overlap.

use super::super::adjacency::Adjacency;
use crate::graph::LayeredGraph;

/// Sources at once. 8 lanes of f64 are a cache line; 16 were slower on wide networks, where they
/// no longer fit the second-level cache.
pub(super) const LANES: usize = 8;

/// What pulling into a node costs beside its neighbours, in pairs.
const PULL_OVERHEAD: usize = 2;

/// What pushing along a pair costs, in pulls.
const PUSH_COST: usize = 2;

type Lanes<const L: usize> = [f64; L];

#[inline]
fn add<const L: usize>(sum: &mut Lanes<L>, other: &Lanes<L>) {
    for (sum, other) in sum.iter_mut().zip(other) {
        *sum += other;
    }
}

/// The sum of `values` over `nodes`, in two chains so that additions do not wait for each other.
#[inline]
fn gather<const L: usize>(values: &[Lanes<L>], nodes: &[u32]) -> Lanes<L> {
    let (mut even, mut odd) = ([0.0; L], [0.0; L]);
    let pairs = nodes.chunks_exact(2);
    let rest = pairs.remainder();
    for pair in pairs {
        add(&mut even, &values[pair[0] as usize]);
        add(&mut odd, &values[pair[1] as usize]);
    }
    for &node in rest {
        add(&mut even, &values[node as usize]);
    }
    add(&mut even, &odd);
    even
}

/// (1 + dependency) / paths in the lanes that have paths, 0 in the others.
#[inline]
fn shares<const L: usize>(paths: &Lanes<L>, dependency: &Lanes<L>) -> Lanes<L> {
    let mut shares = [0.0; L];
    for lane in 0..L {
        let share = (1.0 + dependency[lane]) / paths[lane];
        shares[lane] = if paths[lane] == 0.0 { 0.0 } else { share };
    }
    shares
}

/// A graph made ready for searches from its nodes.
pub(super) struct Sweep<'a> {
    outward: &'a Adjacency,
    inward: &'a Adjacency,
    both_ways: bool,
    /// The group of each node.
    group_of: Vec<u32>,
    /// Nodes of each group.
    ranges: Vec<std::ops::Range<usize>>,
    /// The groups that a step from each group can reach.
    steps: Vec<Vec<usize>>,
    /// The cost of pulling into all nodes of a group.
    costs: Vec<usize>,
}

/// The arrays of one thread, all clean (0) between batches.
pub(super) struct Workspace<const L: usize> {
    /// The number of shortest paths in the lanes that have seen a node.
    paths: Vec<Lanes<L>>,
    /// One level spread over the nodes, for pulling.
    spread: Vec<Lanes<L>>,
    /// Sums of pushes.
    pushed: Vec<Lanes<L>>,
    /// One bit a lane that has seen the node.
    seen: Vec<u8>,
    marked: Vec<bool>,
    touched: Vec<u32>,
    entries: Vec<Entry<L>>,
    /// Where each level begins in `entries`, and the end.
    levels: Vec<usize>,
    /// Pulling costs left in each group.
    left: Vec<usize>,
    reachable: Vec<bool>,
}

#[derive(Clone)]
struct Entry<const L: usize> {
    node: u32,
    paths: Lanes<L>,
    dependency: Lanes<L>,
}

impl<const L: usize> Workspace<L> {
    pub fn new(nodes: usize) -> Self {
        Self {
            paths: vec![[0.0; L]; nodes],
            spread: vec![[0.0; L]; nodes],
            pushed: vec![[0.0; L]; nodes],
            seen: vec![0; nodes],
            marked: vec![false; nodes],
            touched: Vec::new(),
            entries: Vec::new(),
            levels: Vec::new(),
            left: Vec::new(),
            reachable: Vec::new(),
        }
    }

    /// Enters `arrived` paths at `node` into the level that grows, in the lanes that had not seen
    /// the node; whether all of the `full` lanes now have, and had not before.
    #[inline]
    fn arrive(&mut self, node: usize, arrived: &Lanes<L>, full: u8) -> bool {
        let paths = &mut self.paths[node];
        let mut new = [0.0; L];
        for lane in 0..L {
            new[lane] = if paths[lane] == 0.0 { arrived[lane] } else { 0.0 };
        }
        add(paths, &new);
        let mut lanes = 0;
        for (lane, &value) in new.iter().enumerate() {
            lanes |= u8::from(value != 0.0) << lane;
        }
        if lanes == 0 {
            return false;
        }
        self.entries.push(Entry { node: node as u32, paths: new, dependency: [0.0; L] });
        self.seen[node] |= lanes;
        self.seen[node] == full
    }
}

impl<'a> Sweep<'a> {
    /// Searches along `outward`, of which `inward` is the transpose; `both_ways` where they are
    /// the same.
    pub fn new(graph: &LayeredGraph, outward: &'a Adjacency, inward: &'a Adjacency, both_ways: bool) -> Self {
        let groups = graph.groups();
        let mut group_of = vec![0; graph.nodes()];
        let mut steps = vec![Vec::new(); groups.len()];
        for block in graph.blocks() {
            steps[block.source()].push(block.target());
            if both_ways {
                steps[block.target()].push(block.source());
            }
        }
        let ranges: Vec<_> = groups.iter().map(|group| group.first..group.first + group.size).collect();
        let cost = |node| pull_cost(inward.degree(node));
        let costs = ranges.iter().map(|range| range.clone().map(cost).sum()).collect();
        for (index, range) in ranges.iter().enumerate() {
            group_of[range.clone()].fill(index as u32);
        }
        Self { outward, inward, both_ways, group_of, ranges, steps, costs }
    }

    pub fn nodes(&self) -> usize {
        self.group_of.len()
    }

    /// The nodes with a path of two steps to another node: only these have nodes between themselves
    /// and others.
    pub fn sources(&self) -> Vec<u32> {
        let back = usize::from(self.both_ways);
        let onward = |&next: &u32| self.outward.degree(next as usize) > back;
        (0..self.nodes() as u32).filter(|&node| self.outward.of(node as usize).iter().any(onward)).collect()
    }

    /// Adds the dependencies of up to L `sources` on every node to `sum`.
    pub fn add<const L: usize>(&self, sources: &[u32], workspace: &mut Workspace<L>, sum: &mut [f64]) {
        self.search(sources, workspace);
        self.accumulate(workspace, sum);
        for entry in &workspace.entries {
            workspace.paths[entry.node as usize] = [0.0; L];
            workspace.seen[entry.node as usize] = 0;
        }
    }

    /// Fills the levels from the sources outward.
    fn search<const L: usize>(&self, sources: &[u32], workspace: &mut Workspace<L>) {
        let full = (0..sources.len()).fold(0, |full, lane| full | 1u8 << lane);
        workspace.entries.clear();
        workspace.levels.clear();
        workspace.levels.push(0);
        workspace.left.clone_from(&self.costs);
        for (lane, &source) in sources.iter().enumerate() {
            let mut one = [0.0; L];
            one[lane] = 1.0;
            if workspace.arrive(source as usize, &one, full) {
                self.leave_out(source as usize, workspace);
            }
        }
        let mut start = 0;
        while start < workspace.entries.len() {
            let end = workspace.entries.len();
            workspace.levels.push(end);
            workspace.reachable.clear();
            workspace.reachable.resize(self.ranges.len(), false);
            let mut push = 0;
            for entry in &workspace.entries[start..end] {
                let node = entry.node as usize;
                push += PUSH_COST * self.outward.degree(node);
                for &group in &self.steps[self.group_of[node] as usize] {
                    workspace.reachable[group] = true;
                }
            }
            let left = workspace.left.iter().zip(&workspace.reachable);
            let pull: usize = left.filter(|&(_, &reachable)| reachable).map(|(&left, _)| left).sum();
            if push <= pull {
                self.push_outward(start, end, full, workspace);
            } else {
                self.pull_outward(start, end, full, workspace);
            }
            start = end;
        }
    }

    fn leave_out<const L: usize>(&self, node: usize, workspace: &mut Workspace<L>) {
        workspace.left[self.group_of[node] as usize] -= pull_cost(self.inward.degree(node));
    }

    fn push_outward<const L: usize>(&self, start: usize, end: usize, full: u8, workspace: &mut Workspace<L>) {
        for entry in &workspace.entries[start..end] {
            for &next in self.outward.of(entry.node as usize) {
                let node = next as usize;
                if workspace.seen[node] == full {
                    continue;
                }
                if !workspace.marked[node] {
                    workspace.marked[node] = true;
                    workspace.touched.push(next);
                }
                add(&mut workspace.pushed[node], &entry.paths);
            }
        }
        let mut touched = std::mem::take(&mut workspace.touched);
        for node in touched.drain(..).map(|node| node as usize) {
            workspace.marked[node] = false;
            let arrived = std::mem::replace(&mut workspace.pushed[node], [0.0; L]);
            if workspace.arrive(node, &arrived, full) {
                self.leave_out(node, workspace);
            }
        }
        workspace.touched = touched;
    }

    fn pull_outward<const L: usize>(&self, start: usize, end: usize, full: u8, workspace: &mut Workspace<L>) {
        for entry in &workspace.entries[start..end] {
            workspace.spread[entry.node as usize] = entry.paths;
        }
        for (group, range) in self.ranges.iter().enumerate() {
            if !workspace.reachable[group] || workspace.left[group] == 0 {
                continue;
            }
            for node in range.clone() {
                let before = self.inward.of(node);
                if workspace.seen[node] == full || before.is_empty() {
                    continue;
                }
                let arrived = gather(&workspace.spread, before);
                if workspace.arrive(node, &arrived, full) {
                    self.leave_out(node, workspace);
                }
            }
        }
        for index in start..end {
            workspace.spread[workspace.entries[index].node as usize] = [0.0; L];
        }
    }

    /// Walks back over the levels: the dependency of a source on a node v is the sum over the next
    /// level's neighbours w of paths(v) / paths(w) x (1 + dependency on w).
    fn accumulate<const L: usize>(&self, workspace: &mut Workspace<L>, sum: &mut [f64]) {
        // The sources themselves, level 0, are ends of their paths and not between.
        for level in (2..workspace.levels.len().saturating_sub(1)).rev() {
            let (start, middle, end) =
                (workspace.levels[level - 1], workspace.levels[level], workspace.levels[level + 1]);
            let (near, far) = workspace.entries[start..end].split_at_mut(middle - start);
            let push: usize = far.iter().map(|entry| self.inward.degree(entry.node as usize)).sum();
            let pull: usize = near.iter().map(|entry| self.outward.degree(entry.node as usize)).sum();
            if PUSH_COST * push < pull {
                for entry in near.iter() {
                    workspace.marked[entry.node as usize] = true;
                }
                for entry in far.iter() {
                    let shares = shares(&entry.paths, &entry.dependency);
                    for &node in self.inward.of(entry.node as usize) {
                        if workspace.marked[node as usize] {
                            add(&mut workspace.pushed[node as usize], &shares);
                        }
                    }
                }
                for entry in near.iter_mut() {
                    let node = entry.node as usize;
                    workspace.marked[node] = false;
                    let returned = std::mem::replace(&mut workspace.pushed[node], [0.0; L]);
                    sum[node] += entry.depend(&returned);
                }
            } else {
                for entry in far.iter() {
                    workspace.spread[entry.node as usize] = shares(&entry.paths, &entry.dependency);
                }
                for entry in near.iter_mut() {
                    let node = entry.node as usize;
                    let returned = gather(&workspace.spread, self.outward.of(node));
                    sum[node] += entry.depend(&returned);
                }
                for entry in far.iter() {
                    workspace.spread[entry.node as usize] = [0.0; L];
                }
            }
        }
    }
}

impl<const L: usize> Entry<L> {
    /// Sets the dependencies from the shares that returned; their sum over the lanes.
    #[inline]
    fn depend(&mut self, returned: &Lanes<L>) -> f64 {
        for (dependency, (paths, returned)) in self.dependency.iter_mut().zip(self.paths.iter().zip(returned)) {
            *dependency = paths * returned;
        }
        self.dependency.iter().sum()
    }
}

fn pull_cost(degree: usize) -> usize {
    if degree == 0 { 0 } else { degree + PULL_OVERHEAD }
}
