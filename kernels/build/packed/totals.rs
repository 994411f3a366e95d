//! What the dense loops and those over lists share: their arguments, and the totals that they leave, (H) and (N).

use crate::text::{branch_before_last, copy, emit, store};

/// Offsets in a `Call` (`src/packed/mips.rs`), in bytes.
pub mod call {
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
pub const BLOCK: u32 = 64;

/// Adds the product in hi and lo to a pair of accumulators: `high` gets the high word, `low` the low word
/// without its last bits.
pub fn accumulate(text: &mut String, high: u32, low: u32, t0: u32, t1: u32) {
    emit!(
        text,
        "\tmflo ${t0}\n\tmfhi ${t1}\n\tsrl ${t0}, ${t0}, {DROPPED}\n\taddu ${low}, ${low}, ${t0}\n\taddu ${high}, ${high}, ${t1}"
    );
}

/// The totals of vectors with several blocks: what each accumulator left, in units of 2^11, (N), and what they begin with.
///
/// `high` and `low` are the accumulators of one vector after the other; the high words of all blocks lie from `Call::room`
/// to `out`.
pub fn fold(text: &mut String, name: &str, sums: [&[Vec<u32>]; 2], free: [u32; 5], stride: u32) {
    let [high, low] = sums;
    let [out, at, t0, t1, t2] = free;
    let (whole, upper) = (high.concat(), low.concat());
    let width = 4 * whole.len();
    store(text, &upper, out, 0);
    emit!(text, "\tlw ${at}, {}($4)", call::ROOM);
    copy(text, &whole, 0);
    copy(text, &upper, 0);
    emit!(text, "$L{name}_fold:\n\taddiu ${at}, ${at}, {width}");
    for (word, (whole, upper)) in whole.iter().zip(&upper).enumerate() {
        let offset = 4 * word as i32 - width as i32;
        emit!(text, "\tlw ${t0}, {offset}(${at})\n\taddu ${whole}, ${whole}, ${t0}");
        emit!(text, "\tsra ${t0}, ${t0}, {UPPER}\n\taddu ${upper}, ${upper}, ${t0}");
    }
    branch_before_last(text, &format!("bne ${at}, ${out}, $L{name}_fold"));
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
    emit!(text, "\tb $L{name}_next\n\tnop");
}

/// The totals of vectors with one block, whose low words began with the constant, corrected if there are corrections: what [`fold`] does, in 32 bits where that is
/// enough. The low words of a block, of xi and of eta are below 2^27 in sum and the corrections below 2^26 in magnitude.
pub fn single(
    text: &mut String,
    name: &str,
    sums: [&[Vec<u32>]; 2],
    free: [u32; 5],
    stride: u32,
    pairs: bool,
) {
    let [high, low] = sums;
    let [lows, at, t0, t1, t2] = free;
    emit!(text, "$L{name}_single:");
    for (column, (high, low)) in high.iter().zip(low).enumerate() {
        emit!(
            text,
            "\tlw ${lows}, {}($4)\n\tlw ${at}, {}($4)",
            call::CORRECTIONS[column],
            call::TOTALS[column]
        );
        emit!(text, "\tbeq ${lows}, $0, $L{name}_corrected{column}\n\tnop");
        for (row, low) in low.iter().enumerate() {
            emit!(text, "\tlw ${t0}, {}(${lows})\n\taddu ${low}, ${low}, ${t0}", 4 * row);
        }
        emit!(
            text,
            "\taddiu ${lows}, ${lows}, {}\n\tsw ${lows}, {}($4)",
            4 * stride,
            call::CORRECTIONS[column]
        );
        emit!(text, "$L{name}_corrected{column}:");
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
    emit!(text, "$L{name}_next:");
}

/// Moves on to the next group, if there is one.
pub fn next_group(text: &mut String, name: &str, stride: u32, columns: usize, free: [u32; 2]) {
    let [t0, t1] = free;
    for at in &call::TOTALS[..columns] {
        emit!(text, "\tlw ${t1}, {at}($4)\n\taddiu ${t1}, ${t1}, {}\n\tsw ${t1}, {at}($4)", 8 * stride);
    }
    emit!(text, "\tlw ${t0}, {}($4)\n\taddiu ${t0}, ${t0}, -1", call::GROUPS);
    emit!(text, "\tbne ${t0}, $0, $L{name}_group\n\tsw ${t0}, {}($4)", call::GROUPS);
}
