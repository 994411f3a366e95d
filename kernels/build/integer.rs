//! The loops of `src/integer/`: over blocks of elements, (Q) and (S), over single ones, and over taps, (g).

use crate::text::{Registers, arguments, branch_before_last, copy, emit, function, store};

/// All routines.
pub fn routines() -> String {
    let mut text = [12, 8, 4, 2].map(blocks).concat();
    for rows in [20, 4, 1] {
        text += &columns(rows, true);
        text += &columns(rows, false);
    }
    for strip in 1..=7 {
        text += &strips(strip);
    }
    text + &bytes()
}

/// Offsets in a `Call` (`src/integer/mips.rs`), in bytes.
mod call {
    /// Begin and end of each list, longest blocks first.
    pub const LISTS: usize = 0;
    pub const WEIGHTS: usize = 24;
    pub const OUT: usize = 28;
    /// Where the sums of upper fields are in what `OUT` points to.
    pub const UPPER: usize = 24;
}

/// Elements of a block on each of the lists.
const SIZES: [usize; 3] = [8, 4, 2];

/// Every second byte of a word: one element of two rows.
const ELEMENTS: u32 = 0x00ff_00ff;

/// The registers: all that there are, if there are twelve rows.
struct Kernel {
    /// Rows of the group.
    rows: u32,
    /// For each two rows, the sum of the fields and the sum of the upper ones, (S).
    whole: Vec<u32>,
    upper: Vec<u32>,
    /// The factors of a block, and what its sums begin with.
    x: Vec<u32>,
    start: u32,
    at: u32,
    weights: u32,
    block: u32,
    mask: u32,
    sum: u32,
    t0: u32,
    t1: u32,
}

/// `rows` rows with all blocks on the lists: seven instructions for two elements of two rows, and three for each block.
fn blocks(rows: u32) -> String {
    let name = format!("opml_integer_{rows}");
    let mut registers = Registers::new();
    let [start, at, end, weights, block, mask, sum, t0, t1] = registers.take_each();
    let kernel = Kernel {
        rows,
        whole: registers.take_many(rows / 2),
        upper: registers.take_many(rows / 2),
        x: registers.take_many(SIZES[0] as u32),
        start,
        at,
        weights,
        block,
        mask,
        sum,
        t0,
        t1,
    };
    let mut text = String::new();
    let t = &mut text;
    copy(t, &kernel.whole, 0);
    copy(t, &kernel.upper, 0);
    emit!(t, "\tlw ${weights}, {}($4)", call::WEIGHTS);
    emit!(t, "\tlui ${mask}, {}\n\tori ${mask}, ${mask}, {}", ELEMENTS >> 16, ELEMENTS & 0xffff);
    for (list, size) in SIZES.into_iter().enumerate() {
        let place = call::LISTS + 8 * list;
        emit!(t, "\tlw ${at}, {place}($4)\n\tlw ${end}, {}($4)", place + 4);
        emit!(t, "\tbeq ${at}, ${end}, $L{name}_no_{size}\n\tnop\n$L{name}_{size}:");
        kernel.block(t, size);
        branch_before_last(t, &format!("bne ${at}, ${end}, $L{name}_{size}"));
        emit!(t, "$L{name}_no_{size}:");
    }
    emit!(t, "\tlw ${at}, {}($4)", call::OUT);
    store(t, &kernel.whole, at, 0);
    store(t, &kernel.upper, at, call::UPPER);
    function(&name, &registers, &text)
}

impl Kernel {
    /// One block: its place (four times its first element), its start and its factors, and then two rows after the other.
    fn block(&self, text: &mut String, size: usize) {
        let Self { start, at, block, weights, t0, .. } = *self;
        let x = &self.x[..size];
        emit!(text, "\tlw ${block}, 0(${at})\n\tlw ${start}, 4(${at})");
        for (element, x) in x.iter().enumerate() {
            emit!(text, "\tlw ${x}, {}(${at})", 8 + 4 * element);
        }
        emit!(text, "\taddiu ${at}, ${at}, {}", 8 + 4 * size);
        // The place has a byte for each of the rows.
        match self.rows {
            2 => emit!(text, "\tsrl ${block}, ${block}, 1"),
            4 => {}
            8 => emit!(text, "\tsll ${block}, ${block}, 1"),
            12 => emit!(text, "\tsll ${t0}, ${block}, 1\n\taddu ${block}, ${block}, ${t0}"),
            _ => unreachable!("no such group"),
        }
        emit!(text, "\taddu ${block}, ${block}, ${weights}");
        for pair in 0..self.whole.len() {
            self.rows_of_block(text, x, pair);
        }
    }

    /// The sums of two rows over a block, in the two fields of a word.
    fn rows_of_block(&self, text: &mut String, x: &[u32], pair: usize) {
        let Self { block, mask, sum, t0, t1, .. } = *self;
        let mut sum_before = self.start;
        for (word, x) in x.chunks(2).enumerate() {
            let place = 4 * (word * self.whole.len() + pair);
            emit!(text, "\tlw ${t0}, {place}(${block})\n\tsrl ${t1}, ${t0}, 8\n\tand ${t1}, ${t1}, ${mask}");
            emit!(text, "\tmul ${t0}, ${t0}, ${}\n\tmul ${t1}, ${t1}, ${}", x[0], x[1]);
            emit!(text, "\taddu ${sum}, ${sum_before}, ${t0}\n\taddu ${sum}, ${sum}, ${t1}");
            sum_before = sum;
        }
        let (whole, upper) = (self.whole[pair], self.upper[pair]);
        emit!(
            text,
            "\taddu ${whole}, ${whole}, ${sum}\n\tsrl ${sum}, ${sum}, 16\n\taddu ${upper}, ${upper}, ${sum}"
        );
    }
}

/// Offsets in a `ColumnsCall`, in bytes.
mod columns_call {
    pub const LIST: u32 = 0;
    pub const END: u32 = 4;
    pub const B: u32 = 8;
    pub const OUT: u32 = 12;
}

/// `count` neighbouring columns of bytes, signed or not, with a list of elements: three instructions for a product.
fn columns(count: u32, signed: bool) -> String {
    let name = format!("opml_columns_{count}{}", if signed { 's' } else { 'u' });
    let load = if signed { "lb" } else { "lbu" };
    let mut registers = Registers::new();
    let sums = registers.take_many(count);
    let [x, line, at, end, b, product] = registers.take_each();
    let mut text = String::new();
    let t = &mut text;
    arguments(t, &[(at, columns_call::LIST), (end, columns_call::END), (b, columns_call::B)]);
    copy(t, &sums, 0);
    emit!(t, "$L{name}_elements:");
    emit!(t, "\tlw ${x}, 0(${at})\n\tlw ${line}, 4(${at})\n\taddiu ${at}, ${at}, 8");
    emit!(t, "\taddu ${line}, ${line}, ${b}");
    for (column, sum) in sums.iter().enumerate() {
        emit!(t, "\t{load} ${product}, {column}(${line})\n\tmul ${product}, ${product}, ${x}");
        emit!(t, "\taddu ${sum}, ${sum}, ${product}");
    }
    branch_before_last(t, &format!("bne ${at}, ${end}, $L{name}_elements"));
    emit!(t, "\tlw ${at}, {}($4)", columns_call::OUT);
    store(t, &sums, at, 0);
    function(&name, &registers, &text)
}

/// Offsets in a `StripsCall`, in bytes.
mod strips_call {
    pub const IMAGE: u32 = 0;
    pub const TAPS: u32 = 4;
    pub const START: u32 = 8;
    pub const PLACES: u32 = 12;
    pub const PLACES_END: u32 = 16;
    pub const SUMS: u32 = 20;
    pub const UPPER: u32 = 24;
}

/// `count` neighbouring words of an image with all taps of a filter, for each place: three instructions for the two products of a word with a tap.
fn strips(count: u32) -> String {
    let name = format!("opml_strips_{count}");
    let mut registers = Registers::new();
    let [sums, whole, upper] = [(); 3].map(|()| registers.take_many(count));
    let [strip, window, at, end, start, place, weight, product] = registers.take_each();
    let mut text = String::new();
    let t = &mut text;
    arguments(t, &[(strip, strips_call::PLACES), (start, strips_call::START)]);
    emit!(t, "$L{name}_strips:");
    emit!(t, "\tlw ${window}, 0(${strip})\n\tlw ${product}, {}($4)", strips_call::IMAGE);
    emit!(t, "\tlw ${at}, {}($4)\n\taddu ${window}, ${window}, ${product}", strips_call::TAPS);
    copy(t, &whole, 0);
    copy(t, &upper, 0);
    emit!(t, "\tlw ${end}, 0(${at})");
    emit!(t, "$L{name}_blocks:");
    emit!(t, "\taddiu ${at}, ${at}, 8\n\taddu ${end}, ${end}, ${at}");
    copy(t, &sums, start);
    emit!(t, "$L{name}_taps:");
    for tap in [0, 8] {
        emit!(t, "\tlw ${place}, {tap}(${at})\n\tlw ${weight}, {}(${at})", tap + 4);
        emit!(t, "\taddu ${place}, ${place}, ${window}");
        if tap > 0 {
            emit!(t, "\taddiu ${at}, ${at}, 16");
        }
        for (word, sum) in sums.iter().enumerate() {
            emit!(t, "\tlw ${product}, {}(${place})\n\tmul ${product}, ${product}, ${weight}", 4 * word);
            emit!(t, "\taddu ${sum}, ${sum}, ${product}");
        }
    }
    branch_before_last(t, &format!("bne ${at}, ${end}, $L{name}_taps"));
    emit!(t, "\tlw ${end}, 0(${at})");
    for ((sum, whole), upper) in sums.iter().zip(&whole).zip(&upper) {
        emit!(t, "\taddu ${whole}, ${whole}, ${sum}\n\tsrl ${sum}, ${sum}, 16");
        emit!(t, "\taddu ${upper}, ${upper}, ${sum}");
    }
    // The word behind the last block is zero.
    branch_before_last(t, &format!("bne ${end}, $0, $L{name}_blocks"));
    emit!(t, "\tlw ${place}, 4(${strip})\n\tlw ${product}, {}($4)", strips_call::SUMS);
    emit!(t, "\taddu ${place}, ${place}, ${product}\n\tlw ${product}, {}($4)", strips_call::UPPER);
    store(t, &whole, place, 0);
    emit!(t, "\taddu ${place}, ${place}, ${product}");
    store(t, &upper, place, 0);
    emit!(t, "\tlw ${product}, {}($4)\n\taddiu ${strip}, ${strip}, 8", strips_call::PLACES_END);
    emit!(t, "\tbne ${strip}, ${product}, $L{name}_strips\n\tnop");
    function(&name, &registers, &text)
}

/// Offsets in a `BytesCall`, in bytes.
mod bytes_call {
    /// Where it stops, afterwards.
    pub const WHOLE: u32 = 0;
    pub const UPPER: u32 = 4;
    pub const END: u32 = 8;
    /// Of lower halves and of upper ones.
    pub const OUT: [u32; 2] = [12, 16];
    pub const STEP: u32 = 20;
    pub const BIAS: u32 = 24;
    pub const BOUND: u32 = 28;
    pub const FACTOR: u32 = 32;
    pub const FRACTION: u32 = 36;
    pub const MARGIN: u32 = 40;
    pub const OFFSET: u32 = 44;
    pub const LEAST: u32 = 48;
    pub const FLIP: u32 = 52;
    /// Behind the last pair of the row; words of a row; what is behind the pairs of a row, in words and in the output.
    pub const ROW_END: u32 = 56;
    pub const ROW: u32 = 60;
    pub const SKIP: u32 = 64;
    pub const OUT_SKIP: u32 = 68;
}

/// Bytes of the sums of pairs, (f), until one is next to a tie or too large: 27 instructions for each.
fn bytes() -> String {
    let name = "opml_integer_bytes";
    let mut registers = Registers::new();
    let [whole, upper, row_end, lower_out, upper_out, step] = registers.take_each();
    let [bias, bound, factor, fraction, margin, offset, least, flip] = registers.take_each();
    let [twice_bound, twice_margin, edge, left, origin, most] = registers.take_each();
    let [a, b, t0, t1] = registers.take_each();
    let mut text = String::new();
    let t = &mut text;
    arguments(
        t,
        &[
            (whole, bytes_call::WHOLE),
            (upper, bytes_call::UPPER),
            (row_end, bytes_call::ROW_END),
            (lower_out, bytes_call::OUT[0]),
            (upper_out, bytes_call::OUT[1]),
            (step, bytes_call::STEP),
            (bias, bytes_call::BIAS),
            (bound, bytes_call::BOUND),
            (factor, bytes_call::FACTOR),
            (fraction, bytes_call::FRACTION),
            (margin, bytes_call::MARGIN),
            (offset, bytes_call::OFFSET),
            (least, bytes_call::LEAST),
            (flip, bytes_call::FLIP),
        ],
    );
    emit!(t, "\taddu ${twice_bound}, ${bound}, ${bound}\n\taddu ${twice_margin}, ${margin}, ${margin}");
    emit!(t, "\tlui ${edge}, 0x8000\n\taddu ${edge}, ${edge}, ${margin}\n\tsubu ${left}, $0, ${fraction}");
    emit!(t, "\tandi ${left}, ${left}, 31\n\tlui ${origin}, 0x4000\n\taddiu ${most}, $0, 255");
    emit!(t, "$L{name}_pairs:");
    emit!(t, "\tlw ${a}, 0(${whole})\n\tlw ${b}, 0(${upper})\n\tsll ${t0}, ${b}, 16");
    emit!(t, "\tsubu ${a}, ${a}, ${t0}");
    for (sum, out) in [(a, lower_out), (b, upper_out)] {
        emit!(t, "\taddu ${sum}, ${sum}, ${bias}\n\taddu ${t0}, ${sum}, ${bound}");
        emit!(t, "\tsltu ${t0}, ${t0}, ${twice_bound}\n\tbeq ${t0}, $0, $L{name}_stop");
        emit!(t, "\tsll ${sum}, ${sum}, 7\n\tmult ${sum}, ${factor}\n\tmfhi ${sum}");
        emit!(t, "\taddu ${sum}, ${sum}, ${origin}\n\tsllv ${t0}, ${sum}, ${left}");
        emit!(t, "\tsrlv ${sum}, ${sum}, ${fraction}\n\taddu ${sum}, ${sum}, ${offset}");
        emit!(
            t,
            "\tsrl ${t1}, ${t0}, 31\n\taddu ${t0}, ${t0}, ${edge}\n\tsltu ${t0}, ${t0}, ${twice_margin}"
        );
        emit!(t, "\tbne ${t0}, $0, $L{name}_stop\n\taddu ${sum}, ${sum}, ${t1}");
        emit!(t, "\tslt ${t0}, ${sum}, ${least}\n\tmovn ${sum}, ${least}, ${t0}");
        emit!(t, "\tslti ${t0}, ${sum}, 256\n\tmovz ${sum}, ${most}, ${t0}");
        emit!(t, "\txor ${sum}, ${sum}, ${flip}\n\tsb ${sum}, 0(${out})\n\taddu ${out}, ${out}, ${step}");
    }
    emit!(t, "\taddiu ${whole}, ${whole}, 4\n\taddiu ${upper}, ${upper}, 4");
    branch_before_last(t, &format!("bne ${whole}, ${row_end}, $L{name}_pairs"));
    emit!(t, "\tlw ${t0}, {}($4)\n\tlw ${t1}, {}($4)", bytes_call::SKIP, bytes_call::OUT_SKIP);
    emit!(t, "\taddu ${whole}, ${whole}, ${t0}\n\taddu ${upper}, ${upper}, ${t0}");
    emit!(t, "\taddu ${lower_out}, ${lower_out}, ${t1}\n\taddu ${upper_out}, ${upper_out}, ${t1}");
    emit!(t, "\tlw ${t0}, {}($4)\n\tlw ${t1}, {}($4)", bytes_call::ROW, bytes_call::END);
    emit!(t, "\tbne ${whole}, ${t1}, $L{name}_pairs\n\taddu ${row_end}, ${row_end}, ${t0}");
    emit!(t, "$L{name}_stop:\n\tsw ${whole}, {}($4)", bytes_call::WHOLE);
    function(name, &registers, &text)
}
