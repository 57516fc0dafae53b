//! Square lattices in one, two and three dimensions, where percolation is known.

use super::scores::{random_ranks, score, sorted_times};
use crate::graph::{Block, GraphError, LayeredGraph, Role};
use crate::seed::Seeds;

/// What is occupied at random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Percolates {
    /// The bonds; all sites are there.
    Bond,
    /// The sites; a bond is there when both its ends are.
    Site,
}

/// A periodic hypercubic lattice as a layered graph, with weights that make the sweep in magnitude
/// order its percolation process.
///
/// Sites whose coordinates have an even sum are the first group, the others the second; one block
/// holds all bonds, `dimension` x side^dimension of them. The side is even, so that every bond joins
/// the two groups; where it is 2, the neighbours on both sides are one, and the two bonds to it are
/// two weights of one pair.
///
/// Every bond ([`Percolates::Bond`]) or site ([`Percolates::Site`]) gets an independent uniform time
/// t in [0, 1), a bond between sites the later of its ends' times. Occupied at probability p is what
/// has t <= p. The weights fall with the time, so the first [`Lattice::edges_at`] weights of the
/// sweep are the bonds occupied at p. They hold the rank of t, not 1 - t: 32 bits would make two of
/// a million times equal now and then, and ties follow the graph's order, while ranks are exact up
/// to 2^24 of them.
///
/// In site percolation the graph has all sites, the unoccupied ones as components of one node:
/// subtract [`Lattice::unoccupied_at`] from the sum of squares, from the number of components and
/// from n_1. (Where no bond is occupied the largest component may be an unoccupied site; then s1 is
/// 1 or 0.)
///
/// ```
/// use prunephase::graph::generate::{Lattice, Percolates};
/// use prunephase::percolation::{Order, Points, sweep};
/// use prunephase::seed::Seeds;
///
/// let lattice = Lattice::new(2, 64, Percolates::Bond, &Seeds::new(1, 0))?;
/// let (below, above) = (lattice.edges_at(0.4), lattice.edges_at(0.6));
/// let curve = sweep(lattice.graph(), Order::Magnitude, 0, 0, &Points::At(vec![below, above]));
/// assert!(curve.points[0].p_inf() < 0.1 && curve.points[1].p_inf() > 0.9); // p_c = 1/2
/// # Ok::<(), prunephase::graph::GraphError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Lattice {
    graph: LayeredGraph,
    percolates: Percolates,
    /// The times of the bonds or sites, ascending.
    times: Vec<f64>,
    /// For sites, the number of bonds occupied once the first k sites are; empty for bonds.
    bonds_after: Vec<u32>,
}

impl Lattice {
    /// A lattice of `side`^`dimension` sites; the streams `lattice: times` and `lattice: order` of
    /// `seeds` hold its randomness. O(sites log sites).
    ///
    /// # Errors
    /// [`GraphError::Structure`] where the dimension is not 1 to 3 or the side is odd or 0;
    /// [`GraphError::TooLarge`] where the bonds do not fit 32-bit indices.
    pub fn new(dimension: u32, side: usize, percolates: Percolates, seeds: &Seeds) -> Result<Self, GraphError> {
        if !(1..=3).contains(&dimension) {
            return Err(GraphError::Structure(format!("lattice of {dimension} dimensions; 1, 2 or 3 are possible")));
        }
        if side == 0 || side % 2 == 1 {
            return Err(GraphError::Structure(format!(
                "lattice of side {side}; an even one is needed, since a periodic lattice of odd side is not bipartite"
            )));
        }
        let bonds = side.checked_pow(dimension).and_then(|sites| sites.checked_mul(dimension as usize));
        let Some(bonds) = bonds.filter(|&bonds| bonds < u32::MAX as usize) else {
            return Err(GraphError::TooLarge { what: "kept weights", count: bonds.unwrap_or(usize::MAX) });
        };
        let sites = bonds / dimension as usize;
        let count = match percolates {
            Percolates::Bond => bonds,
            Percolates::Site => sites,
        };
        let times = sorted_times(count, &mut seeds.stream("lattice: times"));
        let ranks = random_ranks(count, &mut seeds.stream("lattice: order"));
        let geometry = Geometry { dimension, side };

        let mut entries = Vec::with_capacity(bonds);
        let mut bonds_after = vec![0u32; if percolates == Percolates::Site { sites + 1 } else { 0 }];
        for row in 0..sites / 2 {
            let site = geometry.site(row, 1);
            let first = entries.len();
            for axis in 0..dimension {
                for forward in [false, true] {
                    let neighbour = geometry.neighbour(site, axis, forward);
                    let rank = match percolates {
                        Percolates::Bond => ranks[entries.len()],
                        Percolates::Site => ranks[site].max(ranks[neighbour]),
                    };
                    if percolates == Percolates::Site {
                        bonds_after[rank as usize + 1] += 1;
                    }
                    entries.push((row, neighbour / 2, score(rank, count)));
                }
            }
            entries[first..].sort_by_key(|&(_, column, _)| column);
        }
        for rank in 1..bonds_after.len() {
            bonds_after[rank] += bonds_after[rank - 1];
        }
        let block = Block::new("bonds", (0, sites / 2), (1, sites / 2), bonds, entries)?;
        let groups = [("even".to_owned(), sites / 2, Role::Input), ("odd".to_owned(), sites / 2, Role::Output)];
        Ok(Self { graph: LayeredGraph::new(groups, vec![block])?, percolates, times, bonds_after })
    }

    /// The lattice with all its bonds.
    pub fn graph(&self) -> &LayeredGraph {
        &self.graph
    }

    fn occupied(&self, p: f64) -> usize {
        self.times.partition_point(|&time| time <= p)
    }

    /// The number of bonds that are occupied at probability `p`. O(log sites).
    pub fn edges_at(&self, p: f64) -> usize {
        let occupied = self.occupied(p);
        match self.percolates {
            Percolates::Bond => occupied,
            Percolates::Site => self.bonds_after[occupied] as usize,
        }
    }

    /// The number of sites that are not occupied at probability `p`, 0 in bond percolation. O(log
    /// sites).
    pub fn unoccupied_at(&self, p: f64) -> usize {
        match self.percolates {
            Percolates::Bond => 0,
            Percolates::Site => self.graph.nodes() - self.occupied(p),
        }
    }
}

/// Sites numbered along the last axis first. Since the side is even, exactly one of the sites 2i and
/// 2i + 1 has an even sum of coordinates, so site / 2 is its place in its group.
#[derive(Debug, Clone, Copy)]
struct Geometry {
    dimension: u32,
    side: usize,
}

impl Geometry {
    fn coordinate(self, site: usize, axis: u32) -> usize {
        site / self.side.pow(axis) % self.side
    }

    fn parity(self, site: usize) -> usize {
        (0..self.dimension).map(|axis| self.coordinate(site, axis)).sum::<usize>() % 2
    }

    /// The site at a place of the group of even (0) or odd (1) sites.
    fn site(self, place: usize, parity: usize) -> usize {
        2 * place + usize::from(self.parity(2 * place) != parity)
    }

    fn neighbour(self, site: usize, axis: u32, forward: bool) -> usize {
        let stride = self.side.pow(axis);
        let coordinate = self.coordinate(site, axis);
        let next = if forward { (coordinate + 1) % self.side } else { (coordinate + self.side - 1) % self.side };
        site - coordinate * stride + next * stride
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lattice(dimension: u32, side: usize, percolates: Percolates) -> Lattice {
        Lattice::new(dimension, side, percolates, &Seeds::new(1, 0)).unwrap()
    }

    /// All bonds as (even site, odd site), from coordinates.
    fn bonds(dimension: u32, side: usize) -> Vec<(usize, usize)> {
        let sites = side.pow(dimension);
        let mut bonds = Vec::new();
        for site in 0..sites {
            let coordinates: Vec<usize> = (0..dimension).map(|axis| site / side.pow(axis) % side).collect();
            for axis in 0..dimension as usize {
                let mut other = coordinates.clone();
                other[axis] = (other[axis] + 1) % side;
                let neighbour = other.iter().rev().fold(0, |index, c| index * side + c);
                let even = coordinates.iter().sum::<usize>() % 2 == 0;
                bonds.push(if even { (site, neighbour) } else { (neighbour, site) });
            }
        }
        bonds.sort_unstable();
        bonds
    }

    fn found(lattice: &Lattice, dimension: u32, side: usize) -> Vec<(usize, usize)> {
        let sites = side.pow(dimension);
        let even: Vec<usize> = (0..sites)
            .filter(|site| (0..dimension).map(|axis| site / side.pow(axis) % side).sum::<usize>() % 2 == 0)
            .collect();
        let odd: Vec<usize> = (0..sites).filter(|site| !even.contains(site)).collect();
        let mut bonds: Vec<_> =
            lattice.graph().weights().map(|(_, a, b)| (even[a as usize], odd[b as usize - sites / 2])).collect();
        bonds.sort_unstable();
        bonds
    }

    #[test]
    fn every_bond_is_there_once() {
        for (dimension, side) in [(1, 2), (1, 8), (2, 2), (2, 4), (2, 6), (3, 2), (3, 4)] {
            for percolates in [Percolates::Bond, Percolates::Site] {
                let lattice = lattice(dimension, side, percolates);
                assert_eq!(found(&lattice, dimension, side), bonds(dimension, side), "{dimension} {side}");
                assert_eq!(lattice.graph().dense(), lattice.graph().edges());
            }
        }
        // Side 2: every pair by two bonds.
        assert_eq!(lattice(3, 2, Percolates::Bond).graph().pairs(), 12);
    }

    #[test]
    fn odd_sides_and_other_dimensions_are_refused() {
        let refuse = |dimension, side| {
            Lattice::new(dimension, side, Percolates::Bond, &Seeds::new(0, 0)).unwrap_err().to_string()
        };
        assert!(refuse(2, 5).contains("side 5") && refuse(2, 5).contains("even"));
        assert!(refuse(2, 0).contains("side 0"));
        assert!(refuse(4, 4).contains("4 dimensions"));
        assert!(refuse(3, 1 << 20).contains("at most"));
    }

    /// The weights in falling order: their first edges_at(p) must be the bonds with t <= p.
    #[test]
    fn the_first_bonds_are_those_occupied() {
        let lattice = lattice(2, 8, Percolates::Site);
        let mut weights: Vec<_> = lattice.graph().weights().collect();
        weights.sort_by(|a, b| b.0.total_cmp(&a.0));
        for step in 0..=20 {
            let p = f64::from(step) / 20.0;
            let edges = lattice.edges_at(p);
            let occupied = 64 - lattice.unoccupied_at(p);
            // Between the last bond taken and the first one left the weight falls.
            if edges > 0 && edges < weights.len() {
                assert!(weights[edges - 1].0 > weights[edges].0);
            }
            // Every bond holds the later of its ends: sites touched number at most those occupied, and
            // all bonds among the sites touched are taken.
            let mut touched = [false; 64];
            for &(_, a, b) in &weights[..edges] {
                (touched[a as usize], touched[b as usize]) = (true, true);
            }
            assert!(touched.iter().filter(|&&site| site).count() <= occupied);
            assert!(weights[edges..].iter().all(|&(_, a, b)| !(touched[a as usize] && touched[b as usize])));
        }
        assert_eq!((lattice.edges_at(0.0), lattice.unoccupied_at(0.0)), (0, 64));
        assert_eq!((lattice.edges_at(1.0), lattice.unoccupied_at(1.0)), (128, 0));
    }

    #[test]
    fn the_share_occupied_is_p() {
        let side = 200;
        let bond = lattice(2, side, Percolates::Bond);
        let site = lattice(2, side, Percolates::Site);
        let (bonds, sites) = ((2 * side * side) as f64, (side * side) as f64);
        for p in [0.1, 0.5, 0.9] {
            let close = |found: f64, n: f64| (found / n - p).abs() < 4.5 * (p * (1.0 - p) / n).sqrt();
            assert!(close(bond.edges_at(p) as f64, bonds));
            assert!(close(sites - site.unoccupied_at(p) as f64, sites));
            // A bond between sites is occupied with probability p^2; neighbours correlate.
            assert!((site.edges_at(p) as f64 / bonds - p * p).abs() < 0.02);
            assert_eq!(bond.unoccupied_at(p), 0);
        }
    }
}
