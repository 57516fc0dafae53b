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

impl Kernel for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        tiles!(S, self.rows, self.lines, |row, line, R, L| {
            let a = Scalars { at: self.a.at + row * self.a.row, ..self.a };
            let b = Lines { values: self.b, at: line, row: self.lines };
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
        });
    }
}

/// One update of all weights with the gradient dy x, without storing it.
struct Step<'a> {
    weights: &'a mut Tensor,
    kept: Option<&'a [Line]>,
    rule: Rule,
    outputs: usize,
    /// Lines of a row of weights.
    lines: usize,
    /// `[output][batch]`.
    dy: &'a [f32],
    batch: usize,
    stride: usize,
    /// `[batch][input]`.
    x: &'a [Line],
}

impl Kernel for Step<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        tiles!(S, self.outputs, self.lines, |row, line, R, L| {
            let a = Scalars { values: self.dy, at: row * self.stride, row: self.stride, column: 1 };
            let b = Lines { values: self.x, at: line, row: self.lines };
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
        });
    }
}

/// `to`[column][row lines] = `from`[row][column lines], in squares of sixteen.
pub(super) fn transpose(from: &[Line], rows: usize, from_lines: usize, to: &mut [Line]) {
    let to_lines = rows.div_ceil(LANES);
    for block in 0..to_lines {
        let height = LANES.min(rows - block * LANES);
        for line in 0..from_lines {
            let mut square = [[0.0f32; LANES]; LANES];
            for (r, row) in square.iter_mut().enumerate().take(height) {
                *row = from[(block * LANES + r) * from_lines + line].0;
            }
            for column in 0..LANES {
                let turned = &mut to[(line * LANES + column) * to_lines + block].0;
                for (r, value) in turned.iter_mut().enumerate() {
                    *value = square[r][column];
                }
            }
        }
    }
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
    /// `[batch][input]`.
    transposed: Vec<Line>,
}

impl Dense {
    /// From (output, input, w), with `lines` lines a unit.
    pub(super) fn new(entries: &[(u32, u32, f32)], outputs: usize, inputs: usize, lines: usize) -> Self {
        let row = inputs.div_ceil(LANES) * LANES;
        let mut weights = vec![0.0; outputs * row];
        let mut kept = vec![Line::ZERO; weights.len() / LANES];
        for &(output, input, w) in entries {
            let at = output as usize * row + input as usize;
            weights[at] = w;
            floats_mut(&mut kept)[at] = 1.0;
        }
        let kept = (entries.len() < outputs * inputs).then_some(kept);
        let transposed = vec![Line::ZERO; lines * LANES * (row / LANES)];
        Self { values: Tensor::new(&weights), kept, outputs, inputs, lines, transposed }
    }

    /// Floats of a row.
    pub(super) fn row(&self) -> usize {
        self.inputs.div_ceil(LANES) * LANES
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
        transpose(x, self.inputs, self.lines, &mut self.transposed);
        Step {
            weights: &mut self.values,
            kept: self.kept.as_deref(),
            rule,
            outputs: self.outputs,
            lines,
            dy: floats(dy),
            batch,
            stride: self.lines * LANES,
            x: &self.transposed,
        }
    }
}
