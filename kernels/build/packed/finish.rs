//! From totals to floats: `finish` of `src/packed/finish.rs`, (I), (J), (L) and (M), for results that are normal.

use crate::text::{Registers, arguments, emit, function};

/// Offsets in a `FinishCall` (`src/packed/mips.rs`), in bytes.
mod call {
    pub const TOTALS: u32 = 0;
    pub const TOTALS_END: u32 = 4;
    pub const RECORDS: u32 = 8;
    pub const BIASES: u32 = 12;
    pub const BIAS_STEP: u32 = 16;
    pub const RESULTS: u32 = 20;
    pub const RESULT_STEP: u32 = 24;
    pub const SCALE: u32 = 28;
    pub const ERROR: u32 = 32;
    pub const LARGEST: u32 = 36;
    pub const OPEN: u32 = 40;
    pub const PLACES: u32 = 44;
    pub const WORDS: u32 = 48;
    pub const WORDS_END: u32 = 52;
    pub const X: u32 = 56;
    pub const X_BYTES: u32 = 60;
    pub const VECTOR_ERROR: u32 = 64;
    pub const LENGTH: u32 = 68;
}

/// Offset of the rows in an `Open`.
const ROWS: u32 = 4;

/// The exponent less one of a total whose leading bit is bit 63, with the scale 0: 63 + 11 + 126.
const EXPONENT: u32 = 200;

/// One turn for each row: 61 instructions if there is a bias and the row does not stay open.
pub fn finish() -> String {
    let mut registers = Registers::new();
    let [total_at, end, record_at, bias_at, bias_step, result_at, result_step] = registers.take_each();
    let [scale, exponent, error, largest, sign, half] = registers.take_each();
    let [high, low, s, bound, bias, shift, negative, zeros, t0, t1, list, list_end] = registers.take_each();
    let mut text = String::new();
    let t = &mut text;
    let loads = [
        (total_at, call::TOTALS),
        (end, call::TOTALS_END),
        (record_at, call::RECORDS),
        (bias_at, call::BIASES),
        (bias_step, call::BIAS_STEP),
        (result_at, call::RESULTS),
        (result_step, call::RESULT_STEP),
        (scale, call::SCALE),
        (error, call::ERROR),
        (largest, call::LARGEST),
    ];
    arguments(t, &loads);
    emit!(t, "\tli ${exponent}, {EXPONENT}\n\tsubu ${exponent}, ${exponent}, ${scale}");
    emit!(t, "\tlui ${sign}, 0x8000\n\taddiu ${half}, ${sign}, 1");
    emit!(t, "$Lopml_finish_row:");
    emit!(t, "\tlw ${bias}, 0(${bias_at})\n\tlw ${shift}, 4(${bias_at})");
    emit!(t, "\tlw ${high}, 0(${total_at})\n\tlw ${low}, 4(${total_at})");
    emit!(t, "\tlw ${bound}, 4(${record_at})\n\tlw ${s}, 0(${record_at})");
    emit!(t, "\taddu ${bias_at}, ${bias_at}, ${bias_step}\n\taddiu ${total_at}, ${total_at}, 8");
    emit!(t, "\taddiu ${record_at}, ${record_at}, 8\n\tmul ${bound}, ${bound}, ${largest}");
    add_bias(t, [bias, shift, scale, high, low, negative, t0, t1]);
    emit!(t, "$Lopml_finish_round:\n\taddu ${bound}, ${bound}, ${error}\n\tsrl ${bound}, ${bound}, 6");
    let rounding =
        Rounding { high, low, s, bound, shift, negative, zeros, t0, t1, exponent, sign, half, result_at };
    rounding.emit(t, "$Lopml_finish_open");
    emit!(t, "$Lopml_finish_next:\n\tbne ${total_at}, ${end}, $Lopml_finish_row");
    emit!(t, "\taddu ${result_at}, ${result_at}, ${result_step}\n\tb $Lopml_finish_end\n\tnop");
    // Out of the way: a bias far from the total; a row that is open still.
    far_bias(t, [bias, shift, t0, t1]);
    emit!(t, "$Lopml_finish_open:\n\txor ${high}, ${high}, ${negative}\n\txor ${low}, ${low}, ${negative}");
    add_remainders(t, total_at, [list, list_end], [high, low, bound, bias, shift, zeros, t0, t1]);
    emit!(t, "\tlw ${s}, -8(${record_at})");
    rounding.emit(t, "$Lopml_finish_keep");
    emit!(t, "\tb $Lopml_finish_next\n\tnop");
    // The number of the row goes to the end of the list.
    emit!(t, "$Lopml_finish_keep:\n\tlw ${t0}, {}($4)\n\tsubu ${t1}, ${total_at}, ${t0}", call::TOTALS);
    emit!(t, "\tsrl ${t1}, ${t1}, 3\n\taddiu ${t1}, ${t1}, -1");
    emit!(t, "\tlw ${t0}, {}($4)\n\tlw ${low}, 0(${t0})\n\taddu ${high}, ${t0}, ${low}", call::OPEN);
    emit!(t, "\tsb ${t1}, {ROWS}(${high})\n\taddiu ${low}, ${low}, 1");
    emit!(t, "\tb $Lopml_finish_next\n\tsw ${low}, 0(${t0})\n$Lopml_finish_end:");
    function("opml_finish", &registers, &text)
}

/// The registers that a total is rounded in.
struct Rounding {
    high: u32,
    low: u32,
    /// The scale of the row.
    s: u32,
    bound: u32,
    shift: u32,
    negative: u32,
    zeros: u32,
    t0: u32,
    t1: u32,
    exponent: u32,
    sign: u32,
    /// 2^31 + 1.
    half: u32,
    result_at: u32,
}

impl Rounding {
    /// Writes the float that the total is if the bound, in units of 2^8, leaves only one, (M); else goes to `open`.
    fn emit(&self, t: &mut String, open: &str) {
        let Self { high, low, s, bound, shift, negative, zeros, t0, t1, exponent, sign, half, result_at } =
            self;
        // The magnitude, or one less; a quarter of the last place has to be left.
        emit!(t, "\tsra ${negative}, ${high}, 31\n\txor ${high}, ${high}, ${negative}");
        emit!(t, "\txor ${low}, ${low}, ${negative}\n\tsll ${t0}, ${bound}, 2\n\tsltu ${t0}, ${high}, ${t0}");
        emit!(t, "\tbne ${t0}, $0, {open}\n\tclz ${zeros}, ${high}");
        // Leading bit to the top: t0 is what is kept with eight bits more; t1 is what lies below the last place.
        emit!(t, "\tsllv ${t0}, ${high}, ${zeros}\n\tsrl ${t1}, ${low}, 1\n\txori ${shift}, ${zeros}, 31");
        emit!(t, "\tsrlv ${t1}, ${t1}, ${shift}\n\tor ${t0}, ${t0}, ${t1}\n\tsllv ${t1}, ${low}, ${zeros}");
        emit!(t, "\tsrl ${t1}, ${t1}, 8\n\tsll ${shift}, ${t0}, 24\n\tor ${t1}, ${t1}, ${shift}");
        // t1 - 2^31 + bound + 1 within 2 (bound + 1) from zero: too near a tie.
        emit!(t, "\tsllv ${bound}, ${bound}, ${zeros}\n\taddu ${t1}, ${t1}, ${half}");
        emit!(t, "\taddu ${t1}, ${t1}, ${bound}\n\tsll ${bound}, ${bound}, 1\n\taddiu ${bound}, ${bound}, 3");
        emit!(t, "\tsltu ${t1}, ${t1}, ${bound}\n\tbne ${t1}, $0, {open}\n\tsubu ${s}, ${exponent}, ${s}");
        // The leading bit adds one to the exponent, and so does a carry out of the fraction.
        emit!(t, "\tsubu ${s}, ${s}, ${zeros}\n\tsll ${s}, ${s}, 23\n\tsrl ${t0}, ${t0}, 7");
        emit!(t, "\taddiu ${t0}, ${t0}, 1\n\tsrl ${t0}, ${t0}, 1\n\taddu ${t0}, ${t0}, ${s}");
        emit!(t, "\tand ${negative}, ${negative}, ${sign}\n\tor ${t0}, ${t0}, ${negative}");
        emit!(t, "\tsw ${t0}, 0(${result_at})");
    }
}

/// Adds what the list of the row's remainders makes to the total, and finds the bound that is left, (K). If there is no
/// list, or not one that fits the vector, the row is kept.
fn add_remainders(t: &mut String, total_at: u32, [list, list_end]: [u32; 2], registers: [u32; 8]) {
    let [high, low, bound, sum, x, x_bytes, t0, t1] = registers;
    let keep = "$Lopml_finish_keep";
    emit!(t, "\tlw ${t0}, {}($4)\n\tlw ${t1}, {}($4)", call::TOTALS, call::PLACES);
    emit!(t, "\tsubu ${t0}, ${total_at}, ${t0}\n\tsrl ${t0}, ${t0}, 1\n\taddu ${t1}, ${t1}, ${t0}");
    emit!(t, "\tlw ${list}, -4(${t1})\n\tlw ${t0}, {}($4)\n\tlw ${t1}, {}($4)", call::LENGTH, call::WORDS);
    emit!(t, "\tbeq ${list}, $0, {keep}\n\tsltu ${t0}, ${list}, ${t0}\n\tbeq ${t0}, $0, {keep}");
    emit!(t, "\tsll ${list}, ${list}, 2\n\taddu ${list}, ${list}, ${t1}");
    // The lengths of the list and of the second one.
    emit!(t, "\tlw ${t0}, 0(${list})\n\tlw ${bound}, {}($4)\n\tsrl ${t1}, ${t0}, 16", call::VECTOR_ERROR);
    emit!(
        t,
        "\tandi ${t0}, ${t0}, 0xffff\n\taddu ${bound}, ${bound}, ${t1}\n\taddu ${bound}, ${bound}, ${t0}"
    );
    emit!(t, "\tsll ${t0}, ${t0}, 4\n\taddu ${bound}, ${bound}, ${t0}\n\tsrl ${bound}, ${bound}, 2");
    emit!(t, "\taddiu ${bound}, ${bound}, 64\n\tsrl ${bound}, ${bound}, 6");
    // The sum has 32 bits for so many entries.
    emit!(t, "\tsltiu ${t0}, ${t1}, {MAX_ENTRIES}\n\tbeq ${t0}, $0, {keep}\n\tsll ${t1}, ${t1}, 3");
    emit!(
        t,
        "\taddiu ${list}, ${list}, 8\n\taddu ${list_end}, ${list}, ${t1}\n\tlw ${t1}, {}($4)",
        call::WORDS_END
    );
    emit!(t, "\tsltu ${t1}, ${t1}, ${list_end}\n\tbne ${t1}, $0, {keep}\n\tmove ${sum}, $0");
    emit!(t, "\tlw ${x}, {}($4)\n\tlw ${x_bytes}, {}($4)", call::X, call::X_BYTES);
    emit!(t, "\tbeq ${list}, ${list_end}, $Lopml_finish_summed\n\tnop");
    emit!(t, "$Lopml_finish_entry:\n\tlw ${t0}, 0(${list})\n\tsltu ${t1}, ${t0}, ${x_bytes}");
    emit!(
        t,
        "\tbeq ${t1}, $0, {keep}\n\taddu ${t0}, ${t0}, ${x}\n\tlw ${t0}, 0(${t0})\n\tlw ${t1}, 4(${list})"
    );
    emit!(t, "\taddiu ${list}, ${list}, 8\n\tmult ${t0}, ${t1}\n\tmfhi ${t0}");
    emit!(t, "\tbne ${list}, ${list_end}, $Lopml_finish_entry\n\taddu ${sum}, ${sum}, ${t0}");
    emit!(t, "$Lopml_finish_summed:\n\taddu ${low}, ${low}, ${sum}\n\tsltu ${t0}, ${low}, ${sum}");
    emit!(t, "\tsra ${sum}, ${sum}, 31\n\taddu ${high}, ${high}, ${t0}\n\taddu ${high}, ${high}, ${sum}");
}

/// A list of remainders with fewer entries has a sum of 32 bits for certain.
const MAX_ENTRIES: u32 = 4097;

/// Adds the bias to the total, (L). Signed numbers are shifted as unsigned ones with their sign put aside: `srav` passes the audit only
/// where nothing may jump in between, and any word of the weights may look like an address.
fn add_bias(t: &mut String, registers: [u32; 8]) {
    let [bias, shift, scale, high, low, sign, t0, t1] = registers;
    emit!(t, "\tbeq ${bias}, $0, $Lopml_finish_round\n\taddu ${shift}, ${shift}, ${scale}");
    emit!(t, "\tsltiu ${t0}, ${shift}, 32\n\tbeq ${t0}, $0, $Lopml_finish_far\n\txori ${t1}, ${shift}, 31");
    emit!(t, "\tsra ${sign}, ${bias}, 31\n\txor ${t0}, ${bias}, ${sign}\n\tsrl ${t0}, ${t0}, 1");
    emit!(t, "\tsrlv ${t0}, ${t0}, ${t1}\n\txor ${t0}, ${t0}, ${sign}\n\tsllv ${bias}, ${bias}, ${shift}");
    emit!(t, "$Lopml_finish_shifted:\n\taddu ${low}, ${low}, ${bias}\n\tsltu ${t1}, ${low}, ${bias}");
    emit!(t, "\taddu ${high}, ${high}, ${t0}\n\taddu ${high}, ${high}, ${t1}");
}

/// The bias that is shifted to the right, or by more than a word: its halves go to t0 and `bias`.
fn far_bias(t: &mut String, [bias, shift, t0, t1]: [u32; 4]) {
    emit!(t, "$Lopml_finish_far:\n\tbltz ${shift}, $Lopml_finish_right\n\tsltiu ${t1}, ${shift}, 37");
    emit!(t, "\tbeq ${t1}, $0, $Lopml_finish_keep\n\tandi ${t1}, ${shift}, 31");
    emit!(t, "\tsllv ${t0}, ${bias}, ${t1}\n\tb $Lopml_finish_shifted\n\tmove ${bias}, $0");
    emit!(t, "$Lopml_finish_right:\n\tsubu ${shift}, $0, ${shift}\n\tsltiu ${t1}, ${shift}, 24");
    emit!(t, "\tsubu ${t1}, $0, ${t1}\n\tand ${bias}, ${bias}, ${t1}\n\tsra ${t0}, ${bias}, 31");
    emit!(t, "\txor ${bias}, ${bias}, ${t0}\n\tsrlv ${bias}, ${bias}, ${shift}");
    // The sign is the upper half.
    emit!(t, "\tb $Lopml_finish_shifted\n\txor ${bias}, ${bias}, ${t0}");
}
