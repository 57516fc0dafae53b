//! From a group's lines to its images one by one, and back.

use super::super::pool::Pool;
use super::super::rows::Finish;
use super::super::simd::{Bytes, LANES, Line, Simd};
use super::Winners;

impl Winners {
    /// Images of a group with channels last.
    #[inline(always)]
    pub(super) fn turn<S: Simd>(&mut self, s: S, x: &[Line]) {
        for (at, order) in self.order.chunks(LANES).enumerate() {
            let mut lines = [s.zero(); LANES];
            for (line, &place) in lines.iter_mut().zip(order) {
                *line = s.load(&x[place as usize]);
            }
            let lines = s.transpose(lines);
            for image in 0..LANES {
                s.store(&mut self.turned[image * self.image + at], lines[image]);
            }
        }
    }

    /// And back.
    #[inline(always)]
    pub(super) fn turn_back<S: Simd>(&self, s: S, dx: &mut [Line]) {
        for (at, order) in self.order.chunks(LANES).enumerate() {
            let mut lines = [s.zero(); LANES];
            for image in 0..LANES {
                lines[image] = s.load(&self.back[image * self.image + at]);
            }
            let lines = s.transpose(lines);
            for (line, &place) in lines.iter().zip(order) {
                s.store(&mut dx[place as usize], *line);
            }
        }
    }

    /// Gradients through the activation, and places, image by image; adds the gradients of the biases.
    #[inline(always)]
    pub(super) fn gate<S: Simd>(
        &mut self,
        s: S,
        pool: &Pool,
        (dy, places, finish): (&[Line], &[Bytes], Finish<'_>),
        bias_parts: &mut [Line],
    ) {
        let (height, width) = (pool.output.height, pool.output.width);
        let lines = self.corners.len() / LANES;
        for channel in 0..self.output.channels {
            let mut sum = s.zero();
            let mut gated = [s.zero(); LANES];
            let mut placed = [s.zero(); LANES];
            let mut cell = 0;
            for y in 0..height {
                for column in 0..width {
                    let at = pool.output.at(channel, y, column);
                    let place = &places[channel * height * width + cell];
                    let (g, place) = Pool::gated(s, (&dy[at], place, at), finish);
                    sum = s.add(sum, g);
                    gated[cell % LANES] = g;
                    placed[cell % LANES] = place;
                    cell += 1;
                    if cell % LANES == 0 || cell == height * width {
                        let to = channel * lines + (cell - 1) / LANES;
                        let (g, p) = (s.transpose(gated), s.transpose(placed));
                        for image in 0..LANES {
                            let to = image * self.output.channels * lines + to;
                            s.store(&mut self.gated[to], g[image]);
                            s.store(&mut self.places[to], p[image]);
                        }
                        gated = [s.zero(); LANES];
                    }
                }
            }
            if let Some(part) = bias_parts.get_mut(channel) {
                let sum = s.add(s.load(part), sum);
                s.store(part, sum);
            }
        }
    }
}
