//! The loops over elements, (F) to (H) and (N).

use crate::text::{Registers, branch_before_last, copy, emit, function, store};

/// Offsets in a `Call` (`src/packed/mips.rs`), in bytes.
mod call {
    pub const X: [u32; 2] = [0, 4];
    pub const X_END: u32 = 8;
    pub const XI: [u32; 2] = [12, 16];
    pub const Y: u32 = 20;
    pub const ETA: u32 = 24;
    pub const ROOM: u32 = 28;
    pub const TOTALS: [u32; 2] = [32, 36];
    pub const CORRECTIONS: [u32; 2] = [40, 44];
    pub const LOWS: [u32; 2] = [48, 52];
    pub const CONSTANT: [u32; 2] = [56, 60];
    pub const SINGLE: u32 = 64;
    pub const GROUPS: u32 = 68;
    pub const GROUP_BYTES: u32 = 72;
    /// Where the routines keep their place in what begins anew with each group.
    pub const XI_AT: [u32; 2] = [76, 80];
    pub const OUT: u32 = 84;
    /// The upper and the lower half.
    pub const WIDE: [[u32; 2]; 2] = [[88, 92], [96, 100]];
    pub const LIST: u32 = X[0];
    pub const LIST_END: u32 = X_END;
    pub const COUNTS: u32 = XI[0];
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

/// `rows` rows of each group of `stride` with `columns` vectors: ten instructions for two products.
///
/// Leaves, block after block and column by column, the high words less those of xi and eta; then see [`fold`] and [`single`].
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
    emit!(t, "\tlw ${y_at}, {}($4)\n.L{name}_group:", call::Y);
    for column in 0..columns {
        emit!(t, "\tlw ${t0}, {}($4)\n\tlw ${}, {}($4)", call::XI[column], x_at[column], call::X[column]);
        emit!(t, "\tsw ${t0}, {}($4)\n\tlw ${t1}, {}($4)", call::XI_AT[column], call::CONSTANT[column]);
        copy(t, &low[column], t1);
    }
    emit!(t, "\tlw ${t0}, {}($4)\n\tsw ${t0}, {}($4)", call::ROOM, call::OUT);

    emit!(t, ".L{name}_block:\n\tlw ${t0}, {}($4)", call::ETA);
    for (row, register) in high[0].iter().enumerate() {
        emit!(t, "\tlw ${register}, {}(${t0})", 4 * row);
    }
    emit!(t, "\taddiu ${t0}, ${t0}, {}\n\tsw ${t0}, {}($4)", 4 * stride, call::ETA);
    for column in (0..columns).rev() {
        let at = call::XI_AT[column];
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
    emit!(t, "\tlw ${t0}, {}($4)\n\tlw ${t1}, {}($4)", call::SINGLE, call::X_END);
    emit!(t, "\tbne ${t0}, $0, .L{name}_single\n\tlw ${out}, {}($4)", call::OUT);
    store(t, &high.concat(), out, 0);
    emit!(
        t,
        "\taddiu ${out}, ${out}, {}\n\tbne ${}, ${t1}, .L{name}_block\n\tsw ${out}, {}($4)",
        4 * rows * columns as u32,
        x_at[0],
        call::OUT
    );
    let free = [out, x_at[0], t0, t1, x[0].0];
    fold(t, &name, [&high, &low], free, stride);
    single(t, &name, [&high, &low], free, stride, true);
    for at in &call::LOWS[..columns] {
        emit!(t, "\tlw ${t1}, {at}($4)\n\taddiu ${t1}, ${t1}, {}\n\tsw ${t1}, {at}($4)", 8 * stride);
    }
    next_group(t, &name, stride, columns, [t0, t1]);
    function(&name, &registers, &text)
}

/// The totals of vectors with several blocks: what each accumulator left, in units of 2^11, (N), and what they begin with.
///
/// `high` and `low` are the accumulators of one vector after the other; the high words of all blocks lie from `Call::room`
/// to `out`.
fn fold(text: &mut String, name: &str, sums: [&[Vec<u32>]; 2], free: [u32; 5], stride: u32) {
    let [high, low] = sums;
    let [out, at, t0, t1, t2] = free;
    let (whole, upper) = (high.concat(), low.concat());
    let width = 4 * whole.len();
    store(text, &upper, out, 0);
    emit!(text, "\tlw ${at}, {}($4)", call::ROOM);
    copy(text, &whole, 0);
    copy(text, &upper, 0);
    emit!(text, ".L{name}_fold:\n\taddiu ${at}, ${at}, {width}");
    for (word, (whole, upper)) in whole.iter().zip(&upper).enumerate() {
        let offset = 4 * word as i32 - width as i32;
        emit!(text, "\tlw ${t0}, {offset}(${at})\n\taddu ${whole}, ${whole}, ${t0}");
        emit!(text, "\tsra ${t0}, ${t0}, {UPPER}\n\taddu ${upper}, ${upper}, ${t0}");
    }
    branch_before_last(text, &format!("bne ${at}, ${out}, .L{name}_fold"));
    let rows = high[0].len();
    for (column, (whole, upper)) in whole.chunks(rows).zip(upper.chunks(rows)).enumerate() {
        emit!(text, "\tlw ${at}, {}($4)", call::CORRECTIONS[column]);
        for (row, (&whole, &upper)) in whole.iter().zip(upper).enumerate() {
            // What the upper parts lack, shifted by 21, and the upper parts, shifted by 33: a 64-bit number, whose upper half
            // goes to `upper` and the lower one to `whole`.
            emit!(text, "\tsll ${t0}, ${upper}, {UPPER}\n\tsubu ${t0}, ${whole}, ${t0}");
            emit!(text, "\tsll ${t1}, ${upper}, 1\n\tsrl ${t2}, ${t0}, 11\n\taddu ${upper}, ${t1}, ${t2}");
            emit!(text, "\tsll ${t0}, ${t0}, 21");
            // The low words, and the correction with its sign.
            emit!(text, "\tlw ${t1}, {}(${out})\n\taddu ${t0}, ${t0}, ${t1}", 4 * (column * rows + row));
            emit!(text, "\tsltu ${t1}, ${t0}, ${t1}\n\taddu ${upper}, ${upper}, ${t1}");
            emit!(
                text,
                "\tlw ${t1}, {}(${at})\n\taddu ${whole}, ${t0}, ${t1}\n\tsltu ${t0}, ${whole}, ${t1}",
                4 * row
            );
            emit!(
                text,
                "\tsra ${t1}, ${t1}, 31\n\taddu ${upper}, ${upper}, ${t0}\n\taddu ${upper}, ${upper}, ${t1}"
            );
        }
        emit!(text, "\taddiu ${at}, ${at}, {}\n\tsw ${at}, {}($4)", 4 * stride, call::CORRECTIONS[column]);
        let [upper_half, lower_half] = call::WIDE[column];
        emit!(text, "\tlw ${t1}, {lower_half}($4)\n\tlw ${t2}, {upper_half}($4)");
        for (&whole, &upper) in whole.iter().zip(upper) {
            emit!(text, "\taddu ${whole}, ${whole}, ${t1}\n\tsltu ${t0}, ${whole}, ${t1}");
            emit!(text, "\taddu ${upper}, ${upper}, ${t2}\n\taddu ${upper}, ${upper}, ${t0}");
        }
        emit!(text, "\tlw ${at}, {}($4)", call::LOWS[column]);
        for (row, (&whole, &upper)) in whole.iter().zip(upper).enumerate() {
            emit!(text, "\tlw ${t1}, {}(${at})\n\tlw ${t2}, {}(${at})", 8 * row + 4, 8 * row);
            emit!(text, "\taddu ${whole}, ${whole}, ${t1}\n\tsltu ${t0}, ${whole}, ${t1}");
            emit!(text, "\taddu ${upper}, ${upper}, ${t2}\n\taddu ${upper}, ${upper}, ${t0}");
        }
        emit!(text, "\tlw ${at}, {}($4)", call::TOTALS[column]);
        for (row, (&whole, &upper)) in whole.iter().zip(upper).enumerate() {
            emit!(text, "\tsw ${upper}, {}(${at})\n\tsw ${whole}, {}(${at})", 8 * row, 8 * row + 4);
        }
    }
    emit!(text, "\tb .L{name}_next\n\tnop");
}

/// The totals of vectors with one block, whose low words began with the constant, corrected if there are corrections: what [`fold`] does, in 32 bits where that is
/// enough. The low words of a block, of xi and of eta are below 2^27 in sum and the corrections below 2^26 in magnitude.
fn single(text: &mut String, name: &str, sums: [&[Vec<u32>]; 2], free: [u32; 5], stride: u32, pairs: bool) {
    let [high, low] = sums;
    let [lows, at, t0, t1, t2] = free;
    emit!(text, ".L{name}_single:");
    for (column, (high, low)) in high.iter().zip(low).enumerate() {
        emit!(
            text,
            "\tlw ${lows}, {}($4)\n\tlw ${at}, {}($4)",
            call::CORRECTIONS[column],
            call::TOTALS[column]
        );
        emit!(text, "\tbeq ${lows}, $0, .L{name}_corrected{column}\n\tnop");
        for (row, low) in low.iter().enumerate() {
            emit!(text, "\tlw ${t0}, {}(${lows})\n\taddu ${low}, ${low}, ${t0}", 4 * row);
        }
        emit!(
            text,
            "\taddiu ${lows}, ${lows}, {}\n\tsw ${lows}, {}($4)",
            4 * stride,
            call::CORRECTIONS[column]
        );
        emit!(text, ".L{name}_corrected{column}:");
        if pairs {
            emit!(text, "\tlw ${lows}, {}($4)", call::LOWS[column]);
            for (row, low) in low.iter().enumerate() {
                emit!(text, "\tlw ${t0}, {}(${lows})\n\taddu ${low}, ${low}, ${t0}", 8 * row + 4);
            }
        }
        for (row, (high, low)) in high.iter().zip(low).enumerate() {
            emit!(text, "\tsll ${t0}, ${high}, 21\n\tsra ${t1}, ${high}, 11\n\taddu ${t0}, ${t0}, ${low}");
            emit!(text, "\tsltu ${t2}, ${t0}, ${low}\n\tsra ${low}, ${low}, 31\n\taddu ${t1}, ${t1}, ${t2}");
            emit!(text, "\taddu ${t1}, ${t1}, ${low}");
            emit!(text, "\tsw ${t1}, {}(${at})\n\tsw ${t0}, {}(${at})", 8 * row, 8 * row + 4);
        }
    }
    emit!(text, ".L{name}_next:");
}

/// Moves on to the next group, if there is one.
fn next_group(text: &mut String, name: &str, stride: u32, columns: usize, free: [u32; 2]) {
    let [t0, t1] = free;
    for at in &call::TOTALS[..columns] {
        emit!(text, "\tlw ${t1}, {at}($4)\n\taddiu ${t1}, ${t1}, {}\n\tsw ${t1}, {at}($4)", 8 * stride);
    }
    emit!(text, "\tlw ${t0}, {}($4)\n\taddiu ${t0}, ${t0}, -1", call::GROUPS);
    emit!(text, "\tbne ${t0}, $0, .L{name}_group\n\tsw ${t0}, {}($4)", call::GROUPS);
}

/// How far the place of an element in a list is to be shifted for groups of so many rows.
fn row_shift(rows: u32) -> u32 {
    3 - rows.trailing_zeros()
}

/// Loads an element of a list and where its rows lie; the place moves on.
fn take_element(text: &mut String, rows: u32, [x, y, y_base, at]: [u32; 4]) {
    emit!(text, "\tlw ${y}, 4(${at})\n\tlw ${x}, 0(${at})\n\taddiu ${at}, ${at}, 8");
    if row_shift(rows) > 0 {
        emit!(text, "\tsrl ${y}, ${y}, {}", row_shift(rows));
    }
    emit!(text, "\taddu ${y}, ${y}, ${y_base}");
}

/// `rows` rows of each group with a list of elements that are not zero: seven instructions for a product.
///
/// Leaves, block after block, the high words; then see [`fold`] and [`single`].
pub fn sparse(rows: u32) -> String {
    let name = format!("opml_sparse_{rows}");
    let mut registers = Registers::new();
    let (high, low) = (registers.take_many(rows), registers.take_many(rows));
    let [x, y, y_base, at, block_end, out, counts, counts_end, t0, t1] = [(); 10].map(|()| registers.take());
    let mut text = String::new();
    let t = &mut text;
    emit!(t, "\tlw ${y_base}, {}($4)\n\tlw ${counts_end}, {}($4)", call::Y, call::COUNTS_END);
    emit!(t, ".L{name}_group:\n\tlw ${at}, {}($4)\n\tlw ${counts}, {}($4)", call::LIST, call::COUNTS);
    emit!(t, "\tlw ${out}, {}($4)\n\tlw ${t1}, {}($4)", call::ROOM, call::CONSTANT[0]);
    copy(t, &low, t1);

    emit!(t, ".L{name}_block:\n\tlw ${block_end}, 0(${counts})");
    copy(t, &high, 0);
    emit!(
        t,
        "\tbeq ${block_end}, $0, .L{name}_empty\n\taddu ${block_end}, ${block_end}, ${at}\n.L{name}_elements:"
    );
    take_element(t, rows, [x, y, y_base, at]);
    for (row, (&high, &low)) in high.iter().zip(&low).enumerate() {
        emit!(t, "\tlw ${t0}, {}(${y})\n\tmult ${t0}, ${x}", 4 * row);
        accumulate(t, high, low, t0, t1);
    }
    branch_before_last(t, &format!("bne ${at}, ${block_end}, .L{name}_elements"));
    emit!(t, ".L{name}_empty:\n\tlw ${t0}, {}($4)\n\taddiu ${counts}, ${counts}, 4", call::SINGLE);
    emit!(t, "\tbne ${t0}, $0, .L{name}_single\n\tnop");
    store(t, &high, out, 0);
    emit!(t, "\tbne ${counts}, ${counts_end}, .L{name}_block\n\taddiu ${out}, ${out}, {}", 4 * rows);
    let free = [out, at, t0, t1, x];
    let sums = [&[high][..], &[low][..]];
    fold(t, &name, sums, free, rows);
    single(t, &name, sums, free, rows, false);
    emit!(t, "\tlw ${t1}, {}($4)\n\taddu ${y_base}, ${y_base}, ${t1}", call::GROUP_BYTES);
    next_group(t, &name, rows, 1, [t0, t1]);
    function(&name, &registers, &text)
}

/// What a list of remainders of elements gives for `rows` rows of each group; of its products there are the high words
/// alone, five instructions each.
pub fn correct(rows: u32) -> String {
    let name = format!("opml_correct_{rows}");
    let mut registers = Registers::new();
    let high = registers.take_many(rows);
    let [x, y, at, end, y_base, t0, t1] = [(); 7].map(|()| registers.take());
    let mut text = String::new();
    let t = &mut text;
    emit!(t, "\tlw ${y_base}, {}($4)\n\tlw ${end}, {}($4)", call::Y, call::LIST_END);
    emit!(t, ".L{name}_group:\n\tlw ${at}, {}($4)", call::LIST);
    copy(t, &high, 0);
    emit!(t, ".L{name}_elements:");
    take_element(t, rows, [x, y, y_base, at]);
    for (row, high) in high.iter().enumerate() {
        emit!(t, "\tlw ${t0}, {}(${y})\n\tmult ${t0}, ${x}", 4 * row);
        emit!(t, "\tmfhi ${t0}\n\taddu ${high}, ${high}, ${t0}");
    }
    branch_before_last(t, &format!("bne ${at}, ${end}, .L{name}_elements"));
    emit!(t, "\tlw ${t0}, {}($4)", call::CORRECTIONS[0]);
    store(t, &high, t0, 0);
    emit!(t, "\taddiu ${t0}, ${t0}, {}\n\tsw ${t0}, {}($4)", 4 * rows, call::CORRECTIONS[0]);
    emit!(t, "\tlw ${t1}, {}($4)\n\taddu ${y_base}, ${y_base}, ${t1}", call::GROUP_BYTES);
    next_group(t, &name, rows, 0, [t0, t1]);
    function(&name, &registers, &text)
}
