//! The loops over elements, (F) to (H) and (N).

use crate::text::{Registers, branch_before_last, clear, emit, function, store};

/// Offsets in a `Call`, in bytes.
mod call {
    pub const X: [u32; 2] = [0, 4];
    pub const X_END: u32 = 8;
    pub const XI: [u32; 2] = [12, 16];
    pub const Y: u32 = 20;
    pub const ETA: u32 = 24;
    pub const OUT: u32 = 28;
    pub const FIRST: u32 = 32;
    pub const TOTALS: [u32; 2] = [36, 40];
    pub const CONSTANT: [u32; 2] = [44, 48];
    pub const LIST: u32 = X[0];
    pub const COUNTS: u32 = 12;
    pub const COUNTS_END: u32 = X_END;
}

/// Bits of the low words that are dropped, (H).
const DROPPED: u32 = 11;

/// Bits of a block's high word that its upper part lacks, (N).
const UPPER: u32 = 12;

/// Elements of a block, (G).
const BLOCK: u32 = 64;

/// Pairs of elements in one turn of a dense loop. The packed format rounds K up to a multiple.
const UNROLLED: u32 = 4;

/// Adds the product in hi and lo to a pair of accumulators: `high` gets the high word, `low` the low word
/// without its last bits.
fn accumulate(text: &mut String, high: u32, low: u32, t0: u32, t1: u32) {
    emit!(
        text,
        "\tmflo ${t0}\n\tmfhi ${t1}\n\tsrl ${t0}, ${t0}, {DROPPED}\n\taddu ${low}, ${low}, ${t0}\n\taddu ${high}, ${high}, ${t1}"
    );
}

/// `rows` rows of a group of `stride` with `columns` vectors: ten instructions for two products.
///
/// Leaves, block after block and column by column, the high words less those of xi and eta; then see [`fold`].
pub fn dense(rows: u32, stride: u32, columns: u32) -> String {
    let name = format!("opml_dense_{rows}of{stride}x{columns}");
    let mut registers = Registers::new();
    let columns = columns as usize;
    let high: Vec<_> = (0..columns).map(|_| registers.take_many(rows)).collect();
    let low: Vec<_> = (0..columns).map(|_| registers.take_many(rows)).collect();
    let x: Vec<_> = (0..columns).map(|_| (registers.take(), registers.take())).collect();
    let x_at = registers.take_many(columns as u32);
    let [y_at, block_end, t0, t1] = [(); 4].map(|()| registers.take());
    // With one column the sums of x and y may take the place of y.
    let (y0, y1) = if columns == 1 { (t0, t1) } else { (registers.take(), registers.take()) };

    let mut text = String::new();
    let t = &mut text;
    for (register, offset) in x_at.iter().zip(call::X) {
        emit!(t, "\tlw ${register}, {offset}($4)");
    }
    emit!(t, "\tlw ${y_at}, {}($4)", call::Y);
    clear(t, &low.concat());

    emit!(t, ".L{name}_block:\n\tlw ${t0}, {}($4)", call::ETA);
    for (row, register) in high[0].iter().enumerate() {
        emit!(t, "\tlw ${register}, {}(${t0})", 4 * row);
    }
    emit!(t, "\taddiu ${t0}, ${t0}, {}\n\tsw ${t0}, {}($4)", 4 * stride, call::ETA);
    for column in (0..columns).rev() {
        let at = call::XI[column];
        emit!(t, "\tlw ${t1}, {at}($4)\n\tlw ${t0}, 0(${t1})\n\taddiu ${t1}, ${t1}, 4\n\tsw ${t1}, {at}($4)");
        for (register, eta) in high[column].iter().zip(&high[0]) {
            emit!(t, "\tsubu ${register}, ${eta}, ${t0}");
        }
    }
    emit!(
        t,
        "\tlw ${t1}, {}($4)\n\taddiu ${block_end}, ${}, {}\n\tsltu ${t0}, ${t1}, ${block_end}\n\tmovn ${block_end}, ${t1}, ${t0}",
        call::X_END,
        x_at[0],
        4 * BLOCK
    );

    emit!(t, ".L{name}_pairs:");
    for pair in 0..UNROLLED {
        for (&at, (x0, x1)) in x_at.iter().zip(&x) {
            emit!(t, "\tlw ${x0}, {}(${at})\n\tlw ${x1}, {}(${at})", 8 * pair, 8 * pair + 4);
        }
        for row in 0..rows {
            // Element by element, and in each the rows: y of elements 2 pair and 2 pair + 1.
            let even = 4 * (2 * pair * stride + row);
            let odd = even + 4 * stride;
            emit!(t, "\tlw ${y1}, {odd}(${y_at})\n\tlw ${y0}, {even}(${y_at})");
            for (column, (x0, x1)) in x.iter().enumerate() {
                emit!(t, "\taddu ${t1}, ${y1}, ${x0}\n\taddu ${t0}, ${y0}, ${x1}\n\tmult ${t0}, ${t1}");
                accumulate(t, high[column][row as usize], low[column][row as usize], t0, t1);
            }
        }
    }
    for &at in x_at.iter().rev() {
        emit!(t, "\taddiu ${at}, ${at}, {}", 8 * UNROLLED);
    }
    emit!(
        t,
        "\tbne ${}, ${block_end}, .L{name}_pairs\n\taddiu ${y_at}, ${y_at}, {}",
        x_at[0],
        8 * stride * UNROLLED
    );

    let out = block_end;
    emit!(t, "\tlw ${out}, {}($4)\n\tlw ${t1}, {}($4)", call::OUT, call::X_END);
    store(t, &high.concat(), out, 0);
    emit!(
        t,
        "\taddiu ${out}, ${out}, {}\n\tbne ${}, ${t1}, .L{name}_block\n\tsw ${out}, {}($4)",
        4 * rows * columns as u32,
        x_at[0],
        call::OUT
    );
    fold(t, &name, &high, &low, [out, x_at[0], t0, t1, x[0].0]);
    function(&name, &registers, &text)
}

/// Adds what each accumulator left to the total of its row, in units of 2^11, (N).
///
/// `high` and `low` are the accumulators of one vector after the other; the high words of all blocks lie from `Call::first`
/// to `out`.
fn fold(text: &mut String, name: &str, high: &[Vec<u32>], low: &[Vec<u32>], free: [u32; 5]) {
    let [out, at, t0, t1, t2] = free;
    let (whole, upper) = (high.concat(), low.concat());
    let width = 4 * whole.len();
    store(text, &upper, out, 0);
    emit!(text, "\tlw ${at}, {}($4)", call::FIRST);
    clear(text, &whole);
    clear(text, &upper);
    emit!(text, ".L{name}_fold:\n\taddiu ${at}, ${at}, {width}");
    for (word, (whole, upper)) in whole.iter().zip(&upper).enumerate() {
        let offset = 4 * word as i32 - width as i32;
        emit!(text, "\tlw ${t0}, {offset}(${at})\n\taddu ${whole}, ${whole}, ${t0}");
        emit!(text, "\tsra ${t0}, ${t0}, {UPPER}\n\taddu ${upper}, ${upper}, ${t0}");
    }
    branch_before_last(text, &format!("bne ${at}, ${out}, .L{name}_fold"));
    let rows = high[0].len();
    for (word, (whole, upper)) in whole.iter().zip(&upper).enumerate() {
        let (column, row) = (word / rows, word % rows);
        if row == 0 {
            emit!(text, "\tlw ${at}, {}($4)", call::TOTALS[column]);
        }
        // What the upper parts lack, shifted by 21, and the upper parts, shifted by 33: t1 and t0.
        emit!(text, "\tsll ${t0}, ${upper}, {UPPER}\n\tsubu ${t0}, ${whole}, ${t0}");
        emit!(text, "\tsll ${t1}, ${upper}, 1\n\tsrl ${t2}, ${t0}, 11\n\taddu ${t1}, ${t1}, ${t2}");
        emit!(text, "\tsll ${t0}, ${t0}, 21");
        // The low words, and what was there: a 64-bit number, its upper half first.
        for (from, offset) in [(out, 4 * word), (at, 8 * row + 4)] {
            emit!(text, "\tlw ${t2}, {offset}(${from})\n\taddu ${t0}, ${t0}, ${t2}");
            emit!(text, "\tsltu ${t2}, ${t0}, ${t2}\n\taddu ${t1}, ${t1}, ${t2}");
        }
        emit!(text, "\tlw ${t2}, {}(${at})\n\taddu ${t1}, ${t1}, ${t2}", 8 * row);
        emit!(text, "\tsw ${t1}, {}(${at})\n\tsw ${t0}, {}(${at})", 8 * row, 8 * row + 4);
    }
}

/// The shift that makes the place of an element's rows out of its place in a vector.
fn row_shift(rows: u32) -> u32 {
    rows.trailing_zeros()
}

/// `rows` rows with a list of elements that are not zero: seven instructions for a product.
///
/// Leaves, block after block, the high words; then see [`fold`].
pub fn sparse(rows: u32) -> String {
    let name = format!("opml_sparse_{rows}");
    let mut registers = Registers::new();
    let (high, low) = (registers.take_many(rows), registers.take_many(rows));
    let [x, y, y_base, at, block_end, out, counts, counts_end, t0, t1] = [(); 10].map(|()| registers.take());
    let mut text = String::new();
    let t = &mut text;
    let loads = [
        (at, call::LIST),
        (y_base, call::Y),
        (out, call::OUT),
        (counts, call::COUNTS),
        (counts_end, call::COUNTS_END),
    ];
    for (register, offset) in loads {
        emit!(t, "\tlw ${register}, {offset}($4)");
    }
    clear(t, &low);

    emit!(t, ".L{name}_block:\n\tlw ${block_end}, 0(${counts})");
    clear(t, &high);
    emit!(
        t,
        "\tbeq ${block_end}, $0, .L{name}_empty\n\taddu ${block_end}, ${block_end}, ${at}\n.L{name}_elements:"
    );
    emit!(
        t,
        "\tlw ${y}, 4(${at})\n\tlw ${x}, 0(${at})\n\tsll ${y}, ${y}, {}\n\taddu ${y}, ${y}, ${y_base}\n\taddiu ${at}, ${at}, 8",
        row_shift(rows)
    );
    for (row, (&high, &low)) in high.iter().zip(&low).enumerate() {
        emit!(t, "\tlw ${t0}, {}(${y})\n\tmult ${t0}, ${x}", 4 * row);
        accumulate(t, high, low, t0, t1);
    }
    branch_before_last(t, &format!("bne ${at}, ${block_end}, .L{name}_elements"));
    emit!(t, ".L{name}_empty:");
    store(t, &high, out, 0);
    emit!(
        t,
        "\taddiu ${counts}, ${counts}, 4\n\tbne ${counts}, ${counts_end}, .L{name}_block\n\taddiu ${out}, ${out}, {}",
        4 * rows
    );
    fold(t, &name, &[high], &[low], [out, at, t0, t1, x]);
    function(&name, &registers, &text)
}

/// The first total of each of `rows` rows: a constant, and what a list of remainders of elements gives; of its products
/// there are the high words alone, five instructions each.
pub fn start(rows: u32) -> String {
    let name = format!("opml_start_{rows}");
    let mut registers = Registers::new();
    let high = registers.take_many(rows);
    let [x, y, at, end, totals, y_base, t0, t1, constant_high, constant_low] =
        [(); 10].map(|()| registers.take());
    let mut text = String::new();
    let t = &mut text;
    let loads = [
        (at, call::LIST),
        (end, call::X_END),
        (totals, call::TOTALS[0]),
        (y_base, call::Y),
        (constant_high, call::CONSTANT[0]),
        (constant_low, call::CONSTANT[1]),
    ];
    for (register, offset) in loads {
        emit!(t, "\tlw ${register}, {offset}($4)");
    }
    clear(t, &high);
    emit!(t, "\tbeq ${at}, ${end}, .L{name}_none\n\tnop\n.L{name}_elements:");
    emit!(
        t,
        "\tlw ${y}, 4(${at})\n\tlw ${x}, 0(${at})\n\tsll ${y}, ${y}, {}\n\taddu ${y}, ${y}, ${y_base}\n\taddiu ${at}, ${at}, 8",
        row_shift(rows)
    );
    for (row, high) in high.iter().enumerate() {
        emit!(t, "\tlw ${t0}, {}(${y})\n\tmult ${t0}, ${x}", 4 * row);
        emit!(t, "\tmfhi ${t0}\n\taddu ${high}, ${high}, ${t0}");
    }
    branch_before_last(t, &format!("bne ${at}, ${end}, .L{name}_elements"));
    emit!(t, ".L{name}_none:");
    for (row, high) in high.iter().enumerate() {
        // 64-bit numbers, the upper half first.
        emit!(t, "\tsra ${t0}, ${high}, 31\n\taddu ${t0}, ${t0}, ${constant_high}");
        emit!(t, "\taddu ${high}, ${high}, ${constant_low}\n\tsltu ${t1}, ${high}, ${constant_low}");
        emit!(t, "\taddu ${t0}, ${t0}, ${t1}\n\tsw ${t0}, {}(${totals})", 8 * row);
        emit!(t, "\tsw ${high}, {}(${totals})", 8 * row + 4);
    }
    function(&name, &registers, &text)
}
