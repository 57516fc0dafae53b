//! Compressed rows: one batch of each kept weight's input is multiplied and added to its output.

use super::optimiser::{Rule, Tensor};
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
pub(super) fn block<const L: usize>(lines: &[Line], at: usize) -> &[Line; L] {
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
pub(super) struct Gather<'a> {
    pub(super) pattern: &'a Pattern,
    pub(super) weights: &'a [f32],
    pub(super) x: &'a [Line],
    pub(super) bias: Option<&'a [f32]>,
    pub(super) finish: Finish<'a>,
    /// Lines of a unit.
    pub(super) lines: usize,
    pub(super) out: &'a mut [Line],
}

impl Gather<'_> {
    #[inline(always)]
    fn columns<S: Simd, const L: usize>(&mut self, s: S, offset: usize) {
        for (row, ends) in self.pattern.starts.windows(2).enumerate() {
            let (start, end) = (ends[0] as usize, ends[1] as usize);
            let mut sums = [s.splat(self.bias.map_or(0.0, |bias| bias[row])); L];
            for (&column, &w) in self.pattern.columns[start..end].iter().zip(&self.weights[start..end]) {
                let x = block::<L>(self.x, column as usize + offset);
                let w = s.splat(w);
                for l in 0..L {
                    sums[l] = s.fma(w, s.load(&x[l]), sums[l]);
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

impl Kernel for Gather<'_> {
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
pub(super) struct Dots<'a> {
    pub(super) pattern: &'a Pattern,
    pub(super) x: &'a [Line],
    pub(super) dy: &'a [Line],
    pub(super) lines: usize,
    pub(super) gradient: &'a mut [f32],
}

impl Dots<'_> {
    #[inline(always)]
    fn all<S: Simd, const L: usize>(self, s: S) {
        let mut parts = [Line::ZERO; LANES];
        for (row, ends) in self.pattern.starts.windows(2).enumerate() {
            let (start, end) = (ends[0] as usize, ends[1] as usize);
            let dy = &self.dy[row * self.lines..(row + 1) * self.lines];
            let columns = self.pattern.columns[start..end].chunks(LANES);
            for (columns, gradient) in columns.zip(self.gradient[start..end].chunks_mut(LANES)) {
                for (part, &column) in parts.iter_mut().zip(columns) {
                    let x = &self.x[column as usize..column as usize + self.lines];
                    let (mut even, mut odd) = (s.zero(), s.zero());
                    if L > 1 && self.lines == L {
                        let (x, dy) = (block::<L>(x, 0), block::<L>(dy, 0));
                        for l in 0..L / 2 {
                            even = s.fma(s.load(&x[2 * l]), s.load(&dy[2 * l]), even);
                            odd = s.fma(s.load(&x[2 * l + 1]), s.load(&dy[2 * l + 1]), odd);
                        }
                    } else {
                        for (x, dy) in x.iter().zip(dy) {
                            even = s.fma(s.load(x), s.load(dy), even);
                        }
                    }
                    s.store(part, s.add(even, odd));
                }
                // What is left in `parts` beyond the chunk belongs to another one and is not read.
                let mut sums = Line::ZERO;
                if columns.len() > 4 {
                    let mut all = [s.zero(); LANES];
                    for lane in 0..LANES {
                        all[lane] = s.load(&parts[lane]);
                    }
                    s.store(&mut sums, s.sums(all));
                } else {
                    for (sum, part) in sums.0.iter_mut().zip(&parts).take(columns.len()) {
                        *sum = s.sum(s.load(part));
                    }
                }
                gradient.copy_from_slice(&sums.0[..columns.len()]);
            }
        }
    }
}

impl Kernel for Dots<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        if self.lines == 8 { self.all::<S, 8>(s) } else { self.all::<S, 1>(s) }
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

    pub(super) fn forward<'a>(
        &'a self,
        x: &'a [Line],
        bias: Option<&'a [f32]>,
        finish: Finish<'a>,
        out: &'a mut [Line],
    ) -> Gather<'a> {
        Gather { pattern: &self.by_output, weights: self.values.values(), x, bias, finish, lines: self.lines, out }
    }

    pub(super) fn backward<'a>(&'a mut self, dy: &'a [Line], finish: Finish<'a>, dx: &'a mut [Line]) -> Gather<'a> {
        let values = self.values.values();
        for (to, &from) in self.transposed.iter_mut().zip(&self.order) {
            *to = values[from as usize];
        }
        let (pattern, weights) = (&self.by_input, &self.transposed);
        Gather { pattern, weights, x: dy, bias: None, finish, lines: self.lines, out: dx }
    }

    pub(super) fn gradient<'a>(&'a mut self, x: &'a [Line], dy: &'a [Line]) -> Dots<'a> {
        let gradient = floats_mut(&mut self.gradient);
        Dots { pattern: &self.by_output, x, dy, lines: self.lines, gradient }
    }

    pub(super) fn update(&mut self, rule: Rule) -> Update<'_> {
        Update { tensor: &mut self.values, gradient: &self.gradient, rule }
    }
}
