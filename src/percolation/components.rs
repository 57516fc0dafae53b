//! Union-find by size with path halving, which also counts components by size.

/// The connected components of N nodes while edges are added.
///
/// ```
/// use prunephase::percolation::Components;
/// let mut components = Components::new(5);
/// components.join(0, 1);
/// components.join(1, 2);
/// components.join(3, 4);
/// assert_eq!((components.s1(), components.s2(), components.count()), (3, 2, 2));
/// assert_eq!(components.squares_but_largest(), 4);
/// ```
#[derive(Debug, Clone)]
pub struct Components {
    parent: Vec<u32>,
    /// The size of a root's component.
    size: Vec<u32>,
    /// The number of components of each size, 0 to N.
    of_size: Vec<u32>,
    s1: usize,
    s2: usize,
    squares: u64,
    count: usize,
}

impl Components {
    /// The components of a graph without weights: its nodes, joined by skips alone.
    pub(super) fn of_skips(graph: &crate::graph::LayeredGraph) -> Self {
        let mut components = Self::new(graph.nodes());
        for (source, target) in graph.skip_links() {
            components.join(source, target);
        }
        components
    }

    /// `nodes` components of one node each.
    ///
    /// # Panics
    /// Where `nodes` is not below 2^32 - 1.
    pub fn new(nodes: usize) -> Self {
        assert!(nodes < u32::MAX as usize, "{nodes} nodes do not fit 32-bit indices");
        let mut of_size = vec![0; nodes + 1];
        if nodes > 0 {
            of_size[1] = nodes as u32;
        }
        Self {
            parent: (0..nodes as u32).collect(),
            size: vec![1; nodes],
            of_size,
            s1: nodes.min(1),
            s2: usize::from(nodes > 1),
            squares: nodes as u64,
            count: nodes,
        }
    }

    #[inline]
    fn root(&mut self, node: u32) -> usize {
        let mut node = node as usize;
        loop {
            let parent = self.parent[node] as usize;
            if parent == node {
                return node;
            }
            let grandparent = self.parent[parent];
            self.parent[node] = grandparent;
            node = grandparent as usize;
        }
    }

    /// Adds an edge; whether it joined two components. Almost O(1): the inverse Ackermann function
    /// for the search, and O(log N) amortised over all unions for s2.
    ///
    /// # Panics
    /// Where a node is not below N.
    #[inline]
    pub fn join(&mut self, a: u32, b: u32) -> bool {
        self.join_after(a, b, |_| {})
    }

    /// As [`Components::join`]; calls `before` with the components as they were before two are
    /// joined.
    #[inline]
    pub(super) fn join_after(&mut self, a: u32, b: u32, before: impl FnOnce(&Self)) -> bool {
        let (mut large, mut small) = (self.root(a), self.root(b));
        if large == small {
            return false;
        }
        before(self);
        if self.size[large] < self.size[small] {
            std::mem::swap(&mut large, &mut small);
        }
        let (before, added) = (self.size[large] as usize, self.size[small] as usize);
        let after = before + added;
        self.parent[small] = large as u32;
        self.size[large] = after as u32;
        self.of_size[before] -= 1;
        self.of_size[added] -= 1;
        self.of_size[after] += 1;
        self.squares += 2 * before as u64 * added as u64;
        self.count -= 1;
        // s2 is first bounded from above, then walks down to a size that exists. A union raises it
        // by the smaller part at most, which bounds all the steps down by N log N.
        if after > self.s1 {
            if self.of_size[self.s1] > 0 {
                self.s2 = self.s1;
            }
            self.s1 = after;
        } else if after > self.s2 {
            self.s2 = after;
        }
        while self.s2 > 0 && self.of_size[self.s2] <= u32::from(self.s2 == self.s1) {
            self.s2 -= 1;
        }
        true
    }

    /// The size of the largest component.
    pub fn s1(&self) -> usize {
        self.s1
    }

    /// The size of the second largest component, s1 where two are largest, 0 where there is one.
    pub fn s2(&self) -> usize {
        self.s2
    }

    /// The sum of s^2 over all components but one largest: chi N.
    pub fn squares_but_largest(&self) -> u64 {
        self.squares - (self.s1 as u64).pow(2)
    }

    /// The number of components.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The number of components of `size` nodes, a largest one included.
    pub fn of_size(&self, size: usize) -> usize {
        self.of_size.get(size).map_or(0, |&count| count as usize)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Sizes in descending order, by relabelling.
    fn sizes(nodes: usize, edges: &[(u32, u32)]) -> Vec<usize> {
        let mut label: Vec<u32> = (0..nodes as u32).collect();
        for &(a, b) in edges {
            let (from, to) = (label[a as usize], label[b as usize]);
            for node in &mut label {
                if *node == from {
                    *node = to;
                }
            }
        }
        let mut count = vec![0; nodes];
        for &node in &label {
            count[node as usize] += 1;
        }
        count.retain(|&size| size > 0);
        count.sort_unstable_by(|a, b| b.cmp(a));
        count
    }

    proptest! {
        #[test]
        fn every_step_agrees_with_relabelling(
            (nodes, edges) in (1usize..24).prop_flat_map(|nodes| {
                let node = 0..nodes as u32;
                (Just(nodes), prop::collection::vec((node.clone(), node), 0..60))
            })
        ) {
            let mut components = Components::new(nodes);
            for step in 0..=edges.len() {
                let expected = sizes(nodes, &edges[..step]);
                prop_assert_eq!(components.s1(), expected[0]);
                prop_assert_eq!(components.s2(), expected.get(1).copied().unwrap_or(0));
                let squares: usize = expected[1..].iter().map(|size| size * size).sum();
                prop_assert_eq!(components.squares_but_largest(), squares as u64);
                prop_assert_eq!(components.count(), expected.len());
                for size in 0..=nodes + 1 {
                    let count = expected.iter().filter(|&&found| found == size).count();
                    prop_assert_eq!(components.of_size(size), count);
                }
                if let Some(&(a, b)) = edges.get(step) {
                    let joined = components.join(a, b);
                    prop_assert_eq!(joined, sizes(nodes, &edges[..=step]).len() < expected.len());
                }
            }
        }
    }

    #[test]
    fn no_nodes() {
        let components = Components::new(0);
        assert_eq!((components.s1(), components.s2(), components.count()), (0, 0, 0));
        assert_eq!(components.squares_but_largest(), 0);
    }
}
