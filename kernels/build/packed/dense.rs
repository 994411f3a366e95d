//! The dense loops: every element of one vector or two, pair by pair, (F) to (H).

use crate::packed::totals::{BLOCK, accumulate, call, fold, next_group, single};
use crate::text::{Registers, copy, emit, function, store};

/// Pairs of elements in half a turn. The packed format rounds K up to a multiple.
const UNROLLED: u32 = 4;

/// A routine: `rows` rows of each group of `stride` with some vectors, which are its columns.
struct Dense {
    name: String,
    rows: u32,
    stride: u32,
    /// Sums of high words and of low words, of one column after the other.
    high: Vec<Vec<u32>>,
    low: Vec<Vec<u32>>,
    /// A pair of elements of each column.
    x: Vec<(u32, u32)>,
    x_at: Vec<u32>,
    y: (u32, u32),
    y_at: u32,
    block_end: u32,
    t0: u32,
    t1: u32,
}

/// `rows` rows of each group of `stride` with `columns` vectors: ten instructions for two products.
///
/// Leaves, block after block and column by column, the high words less those of xi and eta; then see [`fold`] and [`single`].
pub fn dense(rows: u32, stride: u32, columns: u32) -> String {
    let mut registers = Registers::new();
    let routine = Dense::new(&mut registers, [rows, stride, columns]);
    let mut text = String::new();
    routine.begin_group(&mut text);
    routine.begin_block(&mut text);
    routine.pairs(&mut text);
    routine.end_block(&mut text);
    function(&routine.name, &registers, &text)
}

impl Dense {
    fn new(registers: &mut Registers, [rows, stride, columns]: [u32; 3]) -> Self {
        let high = (0..columns).map(|_| registers.take_many(rows)).collect();
        let low = (0..columns).map(|_| registers.take_many(rows)).collect();
        let x = (0..columns).map(|_| (registers.take(), registers.take())).collect();
        let x_at = registers.take_many(columns);
        let [y_at, block_end, t0, t1] = registers.take_each();
        // With one column the sums of x and y may take the place of y.
        let y = if columns == 1 { (t0, t1) } else { (registers.take(), registers.take()) };
        let name = format!("opml_dense_{rows}of{stride}x{columns}");
        Self { name, rows, stride, high, low, x, x_at, y, y_at, block_end, t0, t1 }
    }

    fn begin_group(&self, t: &mut String) {
        let Self { name, x_at, y_at, t0, t1, .. } = self;
        emit!(t, "\tlw ${y_at}, {}($4)\n$L{name}_group:", call::Y);
        for (column, low) in self.low.iter().enumerate() {
            emit!(t, "\tlw ${t0}, {}($4)\n\tlw ${}, {}($4)", call::XI[column], x_at[column], call::X[column]);
            emit!(t, "\tsw ${t0}, {}($4)\n\tlw ${t1}, {}($4)", call::XI_AT[column], call::CONSTANT[column]);
            copy(t, low, *t1);
        }
        emit!(t, "\tlw ${t0}, {}($4)\n\tsw ${t0}, {}($4)", call::ROOM, call::OUT);
    }

    /// High words begin with those of eta and xi, (G); finds the end of the block.
    fn begin_block(&self, t: &mut String) {
        let Self { name, high, x_at, y_at, block_end, t0, t1, .. } = self;
        emit!(t, "$L{name}_block:\n\tlw ${t0}, {}($4)", call::ETA);
        for (row, register) in high[0].iter().enumerate() {
            emit!(t, "\tlw ${register}, {}(${t0})", 4 * row);
        }
        emit!(t, "\taddiu ${t0}, ${t0}, {}\n\tsw ${t0}, {}($4)", 4 * self.stride, call::ETA);
        for (column, at) in call::XI_AT[..high.len()].iter().enumerate().rev() {
            emit!(
                t,
                "\tlw ${t1}, {at}($4)\n\tlw ${t0}, 0(${t1})\n\taddiu ${t1}, ${t1}, 4\n\tsw ${t1}, {at}($4)"
            );
            for (register, eta) in high[column].iter().zip(&high[0]) {
                emit!(t, "\tsubu ${register}, ${eta}, ${t0}");
            }
        }
        emit!(t, "\tlw ${t1}, {}($4)\n\taddiu ${block_end}, ${}, {}", call::X_END, x_at[0], 4 * BLOCK);
        emit!(t, "\tsltu ${t0}, ${t1}, ${block_end}\n\tbeq ${t0}, $0, $L{name}_pairs\n\tnop");
        // The last block is shorter, and may begin with the second half of a turn.
        let half = 8 * UNROLLED;
        emit!(t, "\tmove ${block_end}, ${t1}\n\tsubu ${t0}, ${block_end}, ${}", x_at[0]);
        emit!(t, "\tandi ${t0}, ${t0}, {half}\n\tbeq ${t0}, $0, $L{name}_pairs\n\tnop");
        for at in x_at {
            emit!(t, "\taddiu ${at}, ${at}, -{half}");
        }
        emit!(t, "\tb $L{name}_half\n\taddiu ${y_at}, ${y_at}, -{}", half * self.stride);
    }

    /// The inner loop.
    fn pairs(&self, t: &mut String) {
        let Self { name, stride, y: (y0, y1), y_at, t0, t1, .. } = self;
        emit!(t, "$L{name}_pairs:");
        for pair in 0..2 * UNROLLED {
            if pair == UNROLLED {
                emit!(t, "$L{name}_half:");
            }
            for (&at, (x0, x1)) in self.x_at.iter().zip(&self.x) {
                emit!(t, "\tlw ${x0}, {}(${at})\n\tlw ${x1}, {}(${at})", 8 * pair, 8 * pair + 4);
            }
            for row in 0..self.rows {
                // Element by element, and in each the rows: y of elements 2 pair and 2 pair + 1.
                let even = 4 * (2 * pair * stride + row);
                let odd = even + 4 * stride;
                emit!(t, "\tlw ${y1}, {odd}(${y_at})\n\tlw ${y0}, {even}(${y_at})");
                for (column, (x0, x1)) in self.x.iter().enumerate() {
                    emit!(t, "\taddu ${t1}, ${y1}, ${x0}\n\taddu ${t0}, ${y0}, ${x1}\n\tmult ${t0}, ${t1}");
                    let (high, low) = (self.high[column][row as usize], self.low[column][row as usize]);
                    accumulate(t, high, low, *t0, *t1);
                }
            }
        }
        for at in self.x_at.iter().rev() {
            emit!(t, "\taddiu ${at}, ${at}, {}", 16 * UNROLLED);
        }
        emit!(t, "\tbne ${}, ${}, $L{name}_pairs", self.x_at[0], self.block_end);
        emit!(t, "\taddiu ${y_at}, ${y_at}, {}", 16 * stride * UNROLLED);
    }

    /// Leaves the high words and goes on, or makes the totals.
    fn end_block(&self, t: &mut String) {
        let Self { name, stride, high, low, x_at, t0, t1, .. } = self;
        let (out, columns) = (self.block_end, high.len());
        emit!(t, "\tlw ${t0}, {}($4)\n\tlw ${t1}, {}($4)", call::SINGLE, call::X_END);
        emit!(t, "\tbne ${t0}, $0, $L{name}_single\n\tlw ${out}, {}($4)", call::OUT);
        store(t, &high.concat(), out, 0);
        emit!(t, "\taddiu ${out}, ${out}, {}", 4 * self.rows * columns as u32);
        emit!(t, "\tbne ${}, ${t1}, $L{name}_block\n\tsw ${out}, {}($4)", x_at[0], call::OUT);
        let free = [out, x_at[0], *t0, *t1, self.x[0].0];
        fold(t, name, [high, low], free, *stride);
        single(t, name, [high, low], free, *stride, true);
        for at in &call::LOWS[..columns] {
            emit!(t, "\tlw ${t1}, {at}($4)\n\taddiu ${t1}, ${t1}, {}\n\tsw ${t1}, {at}($4)", 8 * stride);
        }
        next_group(t, name, *stride, columns, [*t0, *t1]);
    }
}
