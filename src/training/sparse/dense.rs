//! Dense products: every weight is multiplied, pruned ones as zeros that stay zero.

use super::optimiser::{Rule, Tensor};
use super::rows::Finish;
use super::simd::{Kernel, LANES, Line, Simd, floats, floats_mut};
use super::tile::{Lines, Scalars, tile};

/// Calls `$body` with R and L for each tile of `rows` x `lines`: the largest that registers hold.
macro_rules! tiles {
    ($s:ty, $rows:expr, $lines:expr, |$row:ident, $line:ident, $R:ident, $L:ident| $body:expr) => {{
        let (rows, lines): (usize, usize) = ($rows, $lines);
        let mut $line = 0;
        while $line < lines {
            let wide = <$s>::WIDE && lines - $line >= 4;
            let mut $row = 0;
            while $row < rows {
                macro_rules! one {
                    ($r:literal, $l:literal) => {{
                        const $R: usize = $r;
                        const $L: usize = $l;
                        $body;
                        $row += $r;
                    }};
                }
                match (rows - $row, wide) {
                    (6.., true) => one!(6, 4),
                    (6.., false) => one!(6, 1),
                    (4.., true) => one!(4, 4),
                    (4.., false) => one!(4, 1),
                    (2.., true) => one!(2, 4),
                    (2.., false) => one!(2, 1),
                    (_, true) => one!(1, 4),
                    (_, false) => one!(1, 1),
                }
            }
            $line += if wide { 4 } else { 1 };
        }
    }};
}

/// out(r, l) = finish(bias(r) + sum over k < depth of a(r, k) b(k, l)).
pub(super) struct Product<'a> {
    pub(super) rows: usize,
    pub(super) depth: usize,
    pub(super) a: Scalars<'a>,
    pub(super) b: &'a [Line],
    /// Lines of a row of `b` and of `out`.
    pub(super) lines: usize,
    pub(super) bias: Option<&'a [f32]>,
    pub(super) finish: Finish<'a>,
    pub(super) out: &'a mut [Line],
}

impl Product<'_> {
    /// R rows from `row` on, of L lines from `line` on.
    #[inline(always)]
    fn tile<S: Simd, const R: usize, const L: usize>(&mut self, s: S, b: Lines<'_>, row: usize, line: usize) {
        let a = Scalars { at: self.a.at + row * self.a.row, ..self.a };
        let mut start = [0.0; R];
        if let Some(bias) = self.bias {
            start.copy_from_slice(&bias[row..row + R]);
        }
        let sums = tile::<S, R, L>(s, self.depth, a, b, start);
        for r in 0..R {
            for l in 0..L {
                let at = (row + r) * self.lines + line + l;
                s.store(&mut self.out[at], self.finish.apply(s, sums[r][l], at));
            }
        }
    }
}

impl Kernel for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        if S::WIDE {
            tiles!(S, self.rows, self.lines, |row, line, R, L| {
                let b = Lines { values: self.b, at: line, row: self.lines };
                self.tile::<S, R, L>(s, b, row, line);
            });
            return;
        }
        let mut panel = vec![Line::ZERO; self.depth];
        for line in 0..self.lines {
            take_panel(&mut panel, self.b, self.lines, line);
            tiles!(S, self.rows, 1, |row, _first, R, L| {
                self.tile::<S, R, L>(s, Lines { values: &panel, at: 0, row: 1 }, row, line);
            });
        }
    }
}

/// One line of each row side by side. Where they lie a power of two apart they share a few sets of the first
/// cache, and most would be fetched from the second one again and again.
fn take_panel(panel: &mut [Line], from: &[Line], row: usize, line: usize) {
    for (to, from) in panel.iter_mut().zip(from.chunks_exact(row)) {
        *to = from[line];
    }
}

/// One update of all weights with the gradient dy x, without storing it.
struct Step<'a> {
    weights: &'a mut Tensor,
    kept: Option<&'a [Line]>,
    rule: Rule,
    outputs: usize,
    /// Lines from a row of weights to the next.
    lines: usize,
    /// `[output][batch]`.
    dy: &'a [f32],
    batch: usize,
    stride: usize,
    /// `[input][batch]`, and how many.
    inputs: (&'a [Line], usize),
}

impl Step<'_> {
    /// The weights of R outputs from `row` on and L lines of inputs from `line` on.
    #[inline(always)]
    fn tile<S: Simd, const R: usize, const L: usize>(&mut self, s: S, b: Lines<'_>, row: usize, line: usize) {
        // Weights and state of all layers together pass the second cache.
        for r in 0..R {
            for l in 0..L {
                let at = (row + r) * self.lines + line + l;
                s.prefetch(&self.weights.w[at]);
                s.prefetch(&self.weights.first[at]);
                s.prefetch(&self.weights.second[at]);
            }
        }
        let a = Scalars { values: self.dy, at: row * self.stride, row: self.stride, column: 1 };
        let sums = tile::<S, R, L>(s, self.batch, a, b, [0.0; R]);
        for r in 0..R {
            for l in 0..L {
                let at = (row + r) * self.lines + line + l;
                let Tensor { w, first, second } = &mut *self.weights;
                let g = match self.kept {
                    Some(kept) => s.mul(sums[r][l], s.load(&kept[at])),
                    None => sums[r][l],
                };
                self.rule.apply(s, g, &mut w[at], &mut first[at], &mut second[at]);
            }
        }
    }
}

impl Kernel for Step<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let (inputs, count) = self.inputs;
        let from_lines = self.stride / LANES;
        let most = if S::WIDE { 4 } else { 1 };
        // `[batch][input]` of as many inputs as a tile has.
        let mut panel = vec![Line::ZERO; self.batch * most];
        for first in (0..count.div_ceil(LANES)).step_by(most) {
            let rows = (count - first * LANES).min(most * LANES);
            let lines = rows.div_ceil(LANES);
            let panel = &mut panel[..self.batch * lines];
            transpose(s, &inputs[first * LANES * from_lines..], rows, from_lines, panel);
            tiles!(S, self.outputs, lines, |row, line, R, L| {
                self.tile::<S, R, L>(s, Lines { values: panel, at: line, row: lines }, row, first + line);
            });
        }
    }
}

/// `to`[column][row lines] = `from`[row][column lines], in squares of sixteen; rows beyond the last are zero,
/// columns that `to` does not hold are left out.
#[inline(always)]
pub(super) fn transpose<S: Simd>(s: S, from: &[Line], rows: usize, from_lines: usize, to: &mut [Line]) {
    let to_lines = rows.div_ceil(LANES);
    for block in 0..to_lines {
        let height = LANES.min(rows - block * LANES);
        for line in 0..from_lines {
            let mut square = [s.zero(); LANES];
            for (r, row) in square.iter_mut().enumerate().take(height) {
                *row = s.load(&from[(block * LANES + r) * from_lines + line]);
            }
            let square = s.transpose(square);
            for column in 0..LANES {
                if let Some(to) = to.get_mut((line * LANES + column) * to_lines + block) {
                    s.store(to, square[column]);
                }
            }
        }
    }
}

/// Floats of a row of weights, an odd number of lines: the way back reads them column by column, and columns of rows a
/// power of two apart share a few sets of the first cache.
fn row(inputs: usize) -> usize {
    (inputs.div_ceil(LANES) | 1) * LANES
}

/// The weights of a layer with all its pruned ones, `[output][input]`, rows filled up to lines.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Dense {
    pub(super) values: Tensor,
    /// 1 where kept, 0 where pruned; `None` where all are kept.
    kept: Option<Vec<Line>>,
    outputs: usize,
    inputs: usize,
    /// Lines of a unit.
    lines: usize,
}

impl Dense {
    /// From (output, input, w), with `lines` lines a unit.
    pub(super) fn new(entries: &[(u32, u32, f32)], outputs: usize, inputs: usize, lines: usize) -> Self {
        let row = row(inputs);
        let mut weights = vec![0.0; outputs * row];
        let mut kept = vec![Line::ZERO; weights.len() / LANES];
        for &(output, input, w) in entries {
            let at = output as usize * row + input as usize;
            weights[at] = w;
            floats_mut(&mut kept)[at] = 1.0;
        }
        let kept = (entries.len() < outputs * inputs).then_some(kept);
        Self { values: Tensor::new(&weights), kept, outputs, inputs, lines }
    }

    /// Floats of a row.
    pub(super) fn row(&self) -> usize {
        row(self.inputs)
    }

    pub(super) fn forward<'a>(
        &'a self,
        x: &'a [Line],
        bias: Option<&'a [f32]>,
        finish: Finish<'a>,
        out: &'a mut [Line],
    ) -> Product<'a> {
        let a = Scalars { values: self.values.values(), at: 0, row: self.row(), column: 1 };
        Product { rows: self.outputs, depth: self.inputs, a, b: x, lines: self.lines, bias, finish, out }
    }

    pub(super) fn backward<'a>(&'a self, dy: &'a [Line], finish: Finish<'a>, dx: &'a mut [Line]) -> Product<'a> {
        let a = Scalars { values: self.values.values(), at: 0, row: 1, column: self.row() };
        Product { rows: self.inputs, depth: self.outputs, a, b: dy, lines: self.lines, bias: None, finish, out: dx }
    }

    /// Gradient and update in one pass.
    pub(super) fn step<'a>(
        &'a mut self,
        x: &'a [Line],
        dy: &'a [Line],
        batch: usize,
        rule: Rule,
    ) -> impl Kernel<Output = ()> + 'a {
        let lines = self.row() / LANES;
        Step {
            inputs: (x, self.inputs),
            weights: &mut self.values,
            kept: self.kept.as_deref(),
            rule,
            outputs: self.outputs,
            lines,
            dy: floats(dy),
            batch,
            stride: self.lines * LANES,
        }
    }
}
