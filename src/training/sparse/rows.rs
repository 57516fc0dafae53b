//! Compressed rows: one batch of each kept weight's input is multiplied and added to its output.

use super::optimiser::{Rule, Tensor};
use super::shades::{Lanes, Scale};
use super::simd::{Kernel, LANES, Line, Simd, floats_mut};

/// What is done to a finished row.
#[derive(Debug, Clone, Copy)]
pub(super) enum Finish<'a> {
    Plain,
    Relu,
    /// Times the derivative of the ReLU with these outputs: 1 above zero, 0 at zero.
    GateRelu(&'a [Line]),
    /// Times the derivative of tanh with these outputs.
    GateTanh(&'a [Line]),
}

impl Finish<'_> {
    #[inline(always)]
    pub(super) fn apply<S: Simd>(self, s: S, v: S::V, at: usize) -> S::V {
        match self {
            Self::Plain => v,
            Self::Relu => s.max(v, s.zero()),
            Self::GateRelu(y) => s.select(s.greater(s.load(&y[at]), s.zero()), v, s.zero()),
            Self::GateTanh(y) => {
                let y = s.load(&y[at]);
                s.mul(v, s.sub(s.splat(1.0), s.mul(y, y)))
            }
        }
    }
}

/// `L` lines from `at` on.
#[inline(always)]
pub(super) fn block<const L: usize, X>(lines: &[X], at: usize) -> &[X; L] {
    match lines[at..].first_chunk() {
        Some(block) => block,
        None => panic!("a block lies within its lines"),
    }
}

#[inline(always)]
pub(super) fn block_mut<const L: usize>(lines: &mut [Line], at: usize) -> &mut [Line; L] {
    match lines[at..].first_chunk_mut() {
        Some(block) => block,
        None => panic!("a block lies within its lines"),
    }
}

/// The pattern of kept weights, by output.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Pattern {
    /// Where each row starts, and the end of the last.
    pub(super) starts: Vec<u32>,
    /// The first line of each weight's other unit.
    pub(super) columns: Vec<u32>,
}

/// `out[r] = finish(bias[r] + sum over the row of w x[column])`.
pub(super) struct Gather<'a, X> {
    pub(super) pattern: &'a Pattern,
    pub(super) weights: &'a [f32],
    pub(super) x: &'a [X],
    pub(super) scale: Scale,
    pub(super) bias: Option<&'a [f32]>,
    pub(super) finish: Finish<'a>,
    /// Lines of a unit.
    pub(super) lines: usize,
    pub(super) out: &'a mut [Line],
}

impl<X: Lanes> Gather<'_, X> {
    #[inline(always)]
    fn columns<S: Simd, const L: usize>(&mut self, s: S, offset: usize) {
        for (row, ends) in self.pattern.starts.windows(2).enumerate() {
            let (start, end) = (ends[0] as usize, ends[1] as usize);
            let bias = self.bias.map_or(0.0, |bias| bias[row]);
            let mut sums = [s.splat(if X::RAW { 0.0 } else { bias }); L];
            let mut total = 0.0;
            for (&column, &w) in self.pattern.columns[start..end].iter().zip(&self.weights[start..end]) {
                let x = block::<L, _>(self.x, column as usize + offset);
                if X::RAW {
                    total += w;
                }
                let w = s.splat(w);
                for l in 0..L {
                    sums[l] = s.fma(w, x[l].load(s), sums[l]);
                }
            }
            if X::RAW {
                // w (shift + scale x) over the row.
                let (scale, start) = (s.splat(self.scale.scale), s.splat(bias + self.scale.shift * total));
                for l in 0..L {
                    sums[l] = s.fma(scale, sums[l], start);
                }
            }
            let at = row * self.lines + offset;
            let out = block_mut::<L>(self.out, at);
            for l in 0..L {
                s.store(&mut out[l], self.finish.apply(s, sums[l], at + l));
            }
        }
    }
}

impl<X: Lanes> Kernel for Gather<'_, X> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let mut offset = 0;
        while offset < self.lines {
            match self.lines - offset {
                8.. if S::WIDE => {
                    self.columns::<S, 8>(s, offset);
                    offset += 8;
                }
                4.. => {
                    self.columns::<S, 4>(s, offset);
                    offset += 4;
                }
                _ => {
                    self.columns::<S, 1>(s, offset);
                    offset += 1;
                }
            }
        }
    }
}

/// `gradient[k] = sum over the batch of dy[row of k] x[column of k]`.
pub(super) struct Dots<'a, X> {
    pub(super) pattern: &'a Pattern,
    pub(super) x: &'a [X],
    pub(super) scale: Scale,
    pub(super) dy: &'a [Line],
    pub(super) lines: usize,
    pub(super) gradient: &'a mut [f32],
}

impl<X: Lanes> Dots<'_, X> {
    #[inline(always)]
    fn all<S: Simd, const L: usize>(self, s: S) {
        let mut parts = [Line::ZERO; LANES];
        for (row, ends) in self.pattern.starts.windows(2).enumerate() {
            let (start, end) = (ends[0] as usize, ends[1] as usize);
            let dy = &self.dy[row * self.lines..(row + 1) * self.lines];
            let mut shift = 0.0;
            if X::RAW {
                let total = dy.iter().fold(s.zero(), |sum, line| s.add(sum, s.load(line)));
                shift = self.scale.shift * s.sum(total);
            }
            let columns = self.pattern.columns[start..end].chunks(LANES);
            for (columns, gradient) in columns.zip(self.gradient[start..end].chunks_mut(LANES)) {
                for (part, &column) in parts.iter_mut().zip(columns) {
                    let x = &self.x[column as usize..column as usize + self.lines];
                    let (mut even, mut odd) = (s.zero(), s.zero());
                    if L > 1 && self.lines == L {
                        let (x, dy) = (block::<L, _>(x, 0), block::<L, _>(dy, 0));
                        for l in 0..L / 2 {
                            even = s.fma(x[2 * l].load(s), s.load(&dy[2 * l]), even);
                            odd = s.fma(x[2 * l + 1].load(s), s.load(&dy[2 * l + 1]), odd);
                        }
                    } else {
                        for (x, dy) in x.iter().zip(dy) {
                            even = s.fma(x.load(s), s.load(dy), even);
                        }
                    }
                    s.store(part, s.add(even, odd));
                }
                // What is left in `parts` beyond the chunk belongs to another one and is not read.
                let mut sums = Line::ZERO;
                fold(s, &parts, columns.len(), &mut sums);
                if X::RAW {
                    let scaled = s.fma(s.splat(self.scale.scale), s.load(&sums), s.splat(shift));
                    s.store(&mut sums, scaled);
                }
                gradient.copy_from_slice(&sums.0[..columns.len()]);
            }
        }
    }
}

impl<X: Lanes> Kernel for Dots<'_, X> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        if self.lines == 8 { self.all::<S, 8>(s) } else { self.all::<S, 1>(s) }
    }
}

/// The way back in one: `dx[i] = finish(sum over the weights of input i of w dy[output])` and the gradients of
/// these weights, `sum over the batch of x[i] dy[output]`. Each dy comes from the second cache once for both.
pub(super) struct Back<'a> {
    /// By input.
    pub(super) pattern: &'a Pattern,
    pub(super) weights: &'a [f32],
    /// The place of each weight's gradient.
    pub(super) order: &'a [u32],
    pub(super) x: &'a [Line],
    pub(super) dy: &'a [Line],
    pub(super) finish: Finish<'a>,
    pub(super) lines: usize,
    pub(super) dx: &'a mut [Line],
    pub(super) gradient: &'a mut [f32],
}

impl Back<'_> {
    /// Lines `offset` to `offset + L` of input `unit` and the weights from `start` on, at most sixteen.
    #[inline(always)]
    fn columns<S: Simd, const L: usize>(
        &mut self,
        s: S,
        (unit, offset): (usize, usize),
        weights: std::ops::Range<usize>,
        (first, last): (bool, bool),
        parts: &mut [Line; LANES],
    ) {
        let at = unit * self.lines + offset;
        let x = block::<L, _>(self.x, at);
        let dx = block_mut::<L>(self.dx, at);
        let mut sums = [s.zero(); L];
        if !first {
            for l in 0..L {
                sums[l] = s.load(&dx[l]);
            }
        }
        let columns = self.pattern.columns[weights.clone()].iter().zip(&self.weights[weights]);
        for ((&column, &w), part) in columns.zip(parts) {
            let dy = block::<L, _>(self.dy, column as usize + offset);
            let w = s.splat(w);
            let mut dot = if offset > 0 { s.load(part) } else { s.zero() };
            for l in 0..L {
                let dy = s.load(&dy[l]);
                sums[l] = s.fma(w, dy, sums[l]);
                dot = s.fma(s.load(&x[l]), dy, dot);
            }
            s.store(part, dot);
        }
        for l in 0..L {
            s.store(&mut dx[l], if last { self.finish.apply(s, sums[l], at + l) } else { sums[l] });
        }
    }
}

impl Kernel for Back<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let mut parts = [Line::ZERO; LANES];
        for unit in 0..self.pattern.starts.len() - 1 {
            let (begin, end) = (self.pattern.starts[unit] as usize, self.pattern.starts[unit + 1] as usize);
            let mut start = begin;
            loop {
                let stop = (start + LANES).min(end);
                let ends = (start == begin, stop == end);
                let mut offset = 0;
                while offset < self.lines {
                    let size = match self.lines - offset {
                        8.. if S::WIDE => {
                            self.columns::<S, 8>(s, (unit, offset), start..stop, ends, &mut parts);
                            8
                        }
                        4.. => {
                            self.columns::<S, 4>(s, (unit, offset), start..stop, ends, &mut parts);
                            4
                        }
                        _ => {
                            self.columns::<S, 1>(s, (unit, offset), start..stop, ends, &mut parts);
                            1
                        }
                    };
                    offset += size;
                }
                let mut sums = Line::ZERO;
                fold(s, &parts, stop - start, &mut sums);
                for (&place, &sum) in self.order[start..stop].iter().zip(&sums.0) {
                    self.gradient[place as usize] = sum;
                }
                start = stop;
                if start >= end {
                    break;
                }
            }
        }
    }
}

/// The sums of the first `count` of sixteen lines.
#[inline(always)]
fn fold<S: Simd>(s: S, parts: &[Line; LANES], count: usize, sums: &mut Line) {
    if count > 4 {
        let mut all = [s.zero(); LANES];
        for lane in 0..LANES {
            all[lane] = s.load(&parts[lane]);
        }
        s.store(sums, s.sums(all));
    } else {
        for (sum, part) in sums.0.iter_mut().zip(parts).take(count) {
            *sum = s.sum(s.load(part));
        }
    }
}

/// One update of a whole tensor.
pub(super) struct Update<'a> {
    pub(super) tensor: &'a mut Tensor,
    pub(super) gradient: &'a [Line],
    pub(super) rule: Rule,
}

impl Kernel for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        self.tensor.update(s, self.rule, self.gradient);
    }
}

/// `gradient[unit] = sum over the batch of dy[unit]`.
pub(super) struct Sums<'a> {
    pub(super) dy: &'a [Line],
    pub(super) lines: usize,
    pub(super) gradient: &'a mut [f32],
}

impl Kernel for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (dy, gradient) in self.dy.chunks_exact(self.lines).zip(self.gradient) {
            let mut sum = s.zero();
            for line in dy {
                sum = s.add(sum, s.load(line));
            }
            *gradient = s.sum(sum);
        }
    }
}

/// The kept weights of a layer in compressed rows, with their transposed order for the way back.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rows {
    by_output: Pattern,
    by_input: Pattern,
    /// The place in `values` of each weight of `by_input`.
    order: Vec<u32>,
    transposed: Vec<f32>,
    pub(super) values: Tensor,
    gradient: Vec<Line>,
    lines: usize,
}

impl Rows {
    /// From (output, input, w) in the order of the outputs, with `lines` lines a unit.
    pub(super) fn new(entries: &[(u32, u32, f32)], outputs: usize, inputs: usize, lines: usize) -> Self {
        let mut by_output = Pattern { starts: vec![0; outputs + 1], columns: Vec::with_capacity(entries.len()) };
        let mut by_input = Pattern { starts: vec![0; inputs + 1], columns: vec![0; entries.len()] };
        for &(output, input, _) in entries {
            by_output.starts[output as usize + 1] += 1;
            by_input.starts[input as usize + 1] += 1;
            by_output.columns.push(input * lines as u32);
        }
        for pattern in [&mut by_output, &mut by_input] {
            for at in 1..pattern.starts.len() {
                pattern.starts[at] += pattern.starts[at - 1];
            }
        }
        let mut next = by_input.starts.clone();
        let mut order = vec![0; entries.len()];
        for (at, &(output, input, _)) in entries.iter().enumerate() {
            let place = &mut next[input as usize];
            by_input.columns[*place as usize] = output * lines as u32;
            order[*place as usize] = at as u32;
            *place += 1;
        }
        let values: Vec<f32> = entries.iter().map(|&(_, _, w)| w).collect();
        let values = Tensor::new(&values);
        let gradient = vec![Line::ZERO; values.w.len()];
        Self { by_output, by_input, transposed: vec![0.0; order.len()], order, values, gradient, lines }
    }

    pub(super) fn forward<'a, X: Lanes>(
        &'a self,
        (x, scale): (&'a [X], Scale),
        bias: Option<&'a [f32]>,
        finish: Finish<'a>,
        out: &'a mut [Line],
    ) -> Gather<'a, X> {
        let (pattern, weights) = (&self.by_output, self.values.values());
        Gather { pattern, weights, x, scale, bias, finish, lines: self.lines, out }
    }

    /// The gradients of inputs and of weights.
    pub(super) fn backward<'a>(
        &'a mut self,
        x: &'a [Line],
        dy: &'a [Line],
        finish: Finish<'a>,
        dx: &'a mut [Line],
    ) -> Back<'a> {
        let values = self.values.values();
        for (to, &from) in self.transposed.iter_mut().zip(&self.order) {
            *to = values[from as usize];
        }
        let (pattern, weights, order) = (&self.by_input, &self.transposed, &self.order);
        let gradient = floats_mut(&mut self.gradient);
        Back { pattern, weights, order, x, dy, finish, lines: self.lines, dx, gradient }
    }

    pub(super) fn gradient<'a, X: Lanes>(&'a mut self, (x, scale): (&'a [X], Scale), dy: &'a [Line]) -> Dots<'a, X> {
        let gradient = floats_mut(&mut self.gradient);
        Dots { pattern: &self.by_output, x, scale, dy, lines: self.lines, gradient }
    }

    pub(super) fn update(&mut self, rule: Rule) -> Update<'_> {
        Update { tensor: &mut self.values, gradient: &self.gradient, rule }
    }
}
