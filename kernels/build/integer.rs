//! The loops of `src/integer/`: over blocks of elements, (Q) and (S), over single ones, and over taps, (g).

use crate::text::{Registers, arguments, branch_before_last, copy, emit, function, store};

/// All routines.
pub fn routines() -> String {
    let mut text = [12, 8, 4, 2].map(blocks).concat();
    for rows in [20, 4, 1] {
        text += &columns(rows, true);
        text += &columns(rows, false);
    }
    for strip in 1..=6 {
        text += &strips(strip);
    }
    text
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
    pub const TAPS_END: u32 = 8;
    pub const START: u32 = 12;
    pub const RECORDS: u32 = 16;
    pub const RECORDS_END: u32 = 20;
}

/// `count` neighbouring words of an image with all taps of a filter, for each record: three instructions for the two products of a word with a tap.
fn strips(count: u32) -> String {
    let name = format!("opml_strips_{count}");
    let mut registers = Registers::new();
    let [sums, whole, upper] = [(); 3].map(|()| registers.take_many(count));
    let [record, window, at, end, taps_end, start] = registers.take_each();
    let [place, weight, product] = registers.take_each();
    let mut text = String::new();
    let t = &mut text;
    let record_bytes = 4 * (1 + 2 * count);
    arguments(
        t,
        &[(record, strips_call::RECORDS), (taps_end, strips_call::TAPS_END), (start, strips_call::START)],
    );
    emit!(t, "$L{name}_records:");
    emit!(t, "\tlw ${window}, 0(${record})\n\tlw ${product}, {}($4)", strips_call::IMAGE);
    emit!(t, "\tlw ${at}, {}($4)\n\taddu ${window}, ${window}, ${product}", strips_call::TAPS);
    copy(t, &whole, 0);
    copy(t, &upper, 0);
    emit!(t, "$L{name}_blocks:");
    emit!(t, "\tlw ${end}, 0(${at})\n\taddiu ${at}, ${at}, 4\n\taddu ${end}, ${end}, ${at}");
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
    for ((sum, whole), upper) in sums.iter().zip(&whole).zip(&upper) {
        emit!(
            t,
            "\taddu ${whole}, ${whole}, ${sum}\n\tsrl ${sum}, ${sum}, 16\n\taddu ${upper}, ${upper}, ${sum}"
        );
    }
    branch_before_last(t, &format!("bne ${at}, ${taps_end}, $L{name}_blocks"));
    emit!(t, "\tlw ${product}, {}($4)", strips_call::RECORDS_END);
    store(t, &whole, record, 4);
    store(t, &upper, record, 4 + 4 * count as usize);
    emit!(
        t,
        "\taddiu ${record}, ${record}, {record_bytes}\n\tbne ${record}, ${product}, $L{name}_records\n\tnop"
    );
    function(&name, &registers, &text)
}
