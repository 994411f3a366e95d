//! The loops over lists of elements, (G), (H) and (I).

use crate::packed::totals::{accumulate, call, fold, next_group, single};
use crate::text::{Registers, branch_before_last, copy, emit, function, store};

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
    let [x, y, y_base, at, block_end, out, counts, counts_end, t0, t1] = registers.take_each();
    let mut text = String::new();
    let t = &mut text;
    emit!(t, "\tlw ${y_base}, {}($4)\n\tlw ${counts_end}, {}($4)", call::Y, call::COUNTS_END);
    emit!(t, "$L{name}_group:\n\tlw ${at}, {}($4)\n\tlw ${counts}, {}($4)", call::LIST, call::COUNTS);
    emit!(t, "\tlw ${out}, {}($4)\n\tlw ${t1}, {}($4)", call::ROOM, call::CONSTANT[0]);
    copy(t, &low, t1);

    emit!(t, "$L{name}_block:\n\tlw ${block_end}, 0(${counts})");
    copy(t, &high, 0);
    emit!(
        t,
        "\tbeq ${block_end}, $0, $L{name}_empty\n\taddu ${block_end}, ${block_end}, ${at}\n$L{name}_elements:"
    );
    take_element(t, rows, [x, y, y_base, at]);
    for (row, (&high, &low)) in high.iter().zip(&low).enumerate() {
        emit!(t, "\tlw ${t0}, {}(${y})\n\tmult ${t0}, ${x}", 4 * row);
        accumulate(t, high, low, t0, t1);
    }
    branch_before_last(t, &format!("bne ${at}, ${block_end}, $L{name}_elements"));
    emit!(t, "$L{name}_empty:\n\tlw ${t0}, {}($4)\n\taddiu ${counts}, ${counts}, 4", call::SINGLE);
    emit!(t, "\tbne ${t0}, $0, $L{name}_single\n\tnop");
    store(t, &high, out, 0);
    emit!(t, "\tbne ${counts}, ${counts_end}, $L{name}_block\n\taddiu ${out}, ${out}, {}", 4 * rows);
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
    let [x, y, at, end, y_base, t0, t1] = registers.take_each();
    let mut text = String::new();
    let t = &mut text;
    emit!(t, "\tlw ${y_base}, {}($4)\n\tlw ${end}, {}($4)", call::Y, call::LIST_END);
    emit!(t, "$L{name}_group:\n\tlw ${at}, {}($4)", call::LIST);
    copy(t, &high, 0);
    emit!(t, "$L{name}_elements:");
    take_element(t, rows, [x, y, y_base, at]);
    for (row, high) in high.iter().enumerate() {
        emit!(t, "\tlw ${t0}, {}(${y})\n\tmult ${t0}, ${x}", 4 * row);
        emit!(t, "\tmfhi ${t0}\n\taddu ${high}, ${high}, ${t0}");
    }
    branch_before_last(t, &format!("bne ${at}, ${end}, $L{name}_elements"));
    emit!(t, "\tlw ${t0}, {}($4)", call::CORRECTIONS[0]);
    store(t, &high, t0, 0);
    emit!(t, "\taddiu ${t0}, ${t0}, {}\n\tsw ${t0}, {}($4)", 4 * rows, call::CORRECTIONS[0]);
    emit!(t, "\tlw ${t1}, {}($4)\n\taddu ${y_base}, ${y_base}, ${t1}", call::GROUP_BYTES);
    next_group(t, &name, rows, 0, [t0, t1]);
    function(&name, &registers, &text)
}
