//! From totals to floats: `finish` of `src/packed/portable.rs`, (I), (J), (L) and (M).

use crate::text::{Registers, emit, function};

/// Offsets in a `Finish` (`src/packed/mips.rs`), in bytes.
mod call {
    pub const TOTALS: u32 = 0;
    pub const TOTALS_END: u32 = 4;
    pub const RECORDS: u32 = 8;
    pub const BIAS: u32 = 12;
    pub const BIAS_STEP: u32 = 16;
    pub const RESULTS: u32 = 20;
    pub const RESULT_STEP: u32 = 24;
    pub const SCALE: u32 = 28;
    pub const ERROR: u32 = 32;
    pub const LARGEST: u32 = 36;
    pub const LOW_MASK: u32 = 40;
    pub const OPEN: u32 = 44;
}

/// The exponent less one of a total whose leading bit is bit 63, with the scale 0: 63 + 11 + 126.
const EXPONENT: u32 = 200;

/// Takes as many registers as there are names, and loads those that have an offset.
macro_rules! registers {
    ($registers:ident; $($name:ident),+) => { $(let $name = $registers.take();)+ };
}

/// One turn for each row: about 90 instructions if there is a bias and the row does not stay open.
pub fn finish() -> String {
    let mut registers = Registers::new();
    registers! { registers; total_at, end, record_at, bias_at, bias_step, result_at, result_step,
    scale, error, largest, low_mask, open, bit, fraction, implicit, sign }
    registers! { registers; high, low, s, bias, t0, t1, t2, t3, t4, zeros }
    let mut text = String::new();
    let t = &mut text;
    let loads = [
        (total_at, call::TOTALS),
        (end, call::TOTALS_END),
        (record_at, call::RECORDS),
        (bias_at, call::BIAS),
        (bias_step, call::BIAS_STEP),
        (result_at, call::RESULTS),
        (result_step, call::RESULT_STEP),
        (scale, call::SCALE),
        (error, call::ERROR),
        (largest, call::LARGEST),
        (low_mask, call::LOW_MASK),
    ];
    for (register, offset) in loads {
        emit!(t, "\tlw ${register}, {offset}($4)");
    }
    emit!(t, "\tmove ${open}, $0\n\tli ${bit}, 1\n\tlui ${implicit}, 0x80\n\tlui ${sign}, 0x8000");
    emit!(t, "\taddiu ${fraction}, ${implicit}, -1");
    emit!(t, ".Lopml_finish_row:");
    emit!(
        t,
        "\tlw ${high}, 0(${total_at})\n\tlw ${low}, 4(${total_at})\n\taddiu ${total_at}, ${total_at}, 8"
    );
    // Less the low words of eta.
    emit!(t, "\tlw ${s}, 0(${record_at})\n\tlw ${t0}, 4(${record_at})\n\tandi ${t1}, ${s}, 0xffff");
    emit!(t, "\tand ${t0}, ${t0}, ${low_mask}\n\tand ${t1}, ${t1}, ${low_mask}");
    emit!(t, "\tsltu ${t2}, ${low}, ${t0}\n\tsubu ${low}, ${low}, ${t0}");
    emit!(t, "\tsubu ${high}, ${high}, ${t1}\n\tsubu ${high}, ${high}, ${t2}");
    // The scale of the result; the product of (J) waits in hi and lo.
    emit!(
        t,
        "\tlw ${t0}, 8(${record_at})\n\taddiu ${record_at}, ${record_at}, 16\n\tmultu ${t0}, ${largest}"
    );
    emit!(t, "\tsra ${s}, ${s}, 16\n\taddu ${s}, ${s}, ${scale}");
    add_bias(t, [bias_at, bias_step, bias, s, high, low, t0, t1, t2], [fraction, implicit]);
    round(t, [s, high, low, bias, t0, t1, t2, t3, t4, zeros], [error, sign, result_at]);
    emit!(t, ".Lopml_finish_next:\n\taddu ${result_at}, ${result_at}, ${result_step}");
    emit!(t, "\tbne ${total_at}, ${end}, .Lopml_finish_row\n\tsll ${bit}, ${bit}, 1");
    emit!(t, "\tb .Lopml_finish_end\n\tsw ${open}, {}($4)", call::OPEN);
    // Out of the way: a bias far from the total; a negative one; a row that stays open, whose total is kept.
    far_bias(t, [high, low, t0, t1, t2]);
    emit!(
        t,
        ".Lopml_finish_lost:\n\tsll ${t0}, ${bit}, 8\n\tb .Lopml_finish_next\n\tor ${open}, ${open}, ${t0}"
    );
    emit!(t, ".Lopml_finish_open:\n\tor ${open}, ${open}, ${bit}");
    emit!(t, "\tbgez ${bias}, .Lopml_finish_keep\n\tsltiu ${t0}, ${low}, 1");
    emit!(t, "\tsubu ${low}, $0, ${low}\n\tnor ${high}, ${high}, $0\n\taddu ${high}, ${high}, ${t0}");
    emit!(
        t,
        ".Lopml_finish_keep:\n\tsw ${high}, -8(${total_at})\n\tb .Lopml_finish_next\n\tsw ${low}, -4(${total_at})"
    );
    emit!(t, ".Lopml_finish_end:");
    function("opml_finish", &registers, &text)
}

/// Adds the bias to the total. A subnormal one, or one that is not finite, leaves the row to the definition; (L).
fn add_bias(t: &mut String, registers: [u32; 9], constants: [u32; 2]) {
    let [bias_at, bias_step, bias, s, high, low, t0, t1, t2] = registers;
    let [fraction, implicit] = constants;
    emit!(
        t,
        "\tlw ${bias}, 0(${bias_at})\n\taddu ${bias_at}, ${bias_at}, ${bias_step}\n\tsll ${t0}, ${bias}, 1"
    );
    emit!(t, "\tbeq ${t0}, $0, .Lopml_finish_round\n\tsrl ${t0}, ${t0}, 24");
    emit!(t, "\taddiu ${t1}, ${t0}, -1\n\tsltiu ${t1}, ${t1}, 254");
    emit!(t, "\tbeq ${t1}, $0, .Lopml_finish_lost\n\tand ${t2}, ${bias}, ${fraction}");
    // The mantissa, to be shifted by exponent - 150 + scale - 11.
    emit!(t, "\tor ${t2}, ${t2}, ${implicit}\n\taddu ${t0}, ${t0}, ${s}\n\taddiu ${t0}, ${t0}, -161");
    emit!(t, "\tsltiu ${t1}, ${t0}, 32\n\tbeq ${t1}, $0, .Lopml_finish_far\n\txori ${t1}, ${t0}, 31");
    emit!(t, "\tsllv ${t0}, ${t2}, ${t0}\n\tsrl ${t2}, ${t2}, 1\n\tsrlv ${t2}, ${t2}, ${t1}");
    emit!(t, ".Lopml_finish_shifted:\n\tbltz ${bias}, .Lopml_finish_subtract\n\tsltu ${t1}, ${low}, ${t0}");
    emit!(t, "\taddu ${low}, ${low}, ${t0}\n\tsltu ${t1}, ${low}, ${t0}");
    emit!(t, "\taddu ${high}, ${high}, ${t2}\n\taddu ${high}, ${high}, ${t1}");
}

/// The bias that is shifted to the right, or by more than a word, and the subtraction.
fn far_bias(t: &mut String, registers: [u32; 5]) {
    let [high, low, t0, t1, t2] = registers;
    emit!(t, ".Lopml_finish_far:\n\tbltz ${t0}, .Lopml_finish_right\n\tsltiu ${t1}, ${t0}, 37");
    emit!(t, "\tbeq ${t1}, $0, .Lopml_finish_lost\n\tandi ${t0}, ${t0}, 31");
    emit!(t, "\tsllv ${t2}, ${t2}, ${t0}\n\tb .Lopml_finish_shifted\n\tmove ${t0}, $0");
    emit!(t, ".Lopml_finish_right:\n\tsubu ${t0}, $0, ${t0}\n\tsltiu ${t1}, ${t0}, 24");
    emit!(t, "\tsubu ${t1}, $0, ${t1}\n\tand ${t2}, ${t2}, ${t1}\n\tandi ${t0}, ${t0}, 31");
    emit!(t, "\tsrlv ${t0}, ${t2}, ${t0}\n\tb .Lopml_finish_shifted\n\tmove ${t2}, $0");
    emit!(t, ".Lopml_finish_subtract:\n\tsubu ${low}, ${low}, ${t0}\n\tsubu ${high}, ${high}, ${t2}");
    emit!(t, "\tb .Lopml_finish_round\n\tsubu ${high}, ${high}, ${t1}");
}

/// Writes the float that the total is, if the error leaves only one, (M).
fn round(t: &mut String, registers: [u32; 10], constants: [u32; 3]) {
    let [s, high, low, negative, t0, t1, t2, t3, t4, zeros] = registers;
    let [error, sign, result_at] = constants;
    let open = ".Lopml_finish_open";
    emit!(t, ".Lopml_finish_round:\n\tsra ${negative}, ${high}, 31");
    emit!(t, "\tbgez ${high}, .Lopml_finish_magnitude\n\tsltiu ${t0}, ${low}, 1");
    emit!(t, "\tsubu ${low}, $0, ${low}\n\tnor ${high}, ${high}, $0\n\taddu ${high}, ${high}, ${t0}");
    // (J) has to fit into 32 bits, and 34 bits of the total have to be there.
    emit!(t, ".Lopml_finish_magnitude:\n\tmfhi ${t0}\n\tbne ${t0}, $0, {open}\n\tsltiu ${t1}, ${high}, 2");
    emit!(t, "\tbne ${t1}, $0, {open}\n\tclz ${zeros}, ${high}");
    // The error, in units of 2^8, and whether it leaves a quarter of the last place.
    emit!(t, "\tmflo ${t2}\n\tsrl ${t2}, ${t2}, 4\n\taddu ${t2}, ${t2}, ${error}");
    emit!(t, "\tsrl ${t2}, ${t2}, 8\n\taddiu ${t2}, ${t2}, 1");
    emit!(t, "\tli ${t0}, 30\n\tsubu ${t0}, ${t0}, ${zeros}\n\tsrlv ${t0}, ${t2}, ${t0}");
    emit!(t, "\tbne ${t0}, $0, {open}\n\txori ${t0}, ${zeros}, 31");
    emit!(t, "\tsllv ${t2}, ${t2}, ${zeros}\n\taddiu ${t2}, ${t2}, 1");
    // Leading bit to the top: t0 begins with what is kept; t1 is what lies below, less a tie.
    emit!(t, "\tsrl ${t1}, ${low}, 1\n\tsrlv ${t0}, ${t1}, ${t0}\n\tsllv ${t1}, ${high}, ${zeros}");
    emit!(t, "\tor ${t0}, ${t0}, ${t1}\n\tsllv ${t1}, ${low}, ${zeros}\n\tsrl ${t1}, ${t1}, 8");
    emit!(t, "\tsll ${t3}, ${t0}, 24\n\tor ${t1}, ${t1}, ${t3}\n\txor ${t1}, ${t1}, ${sign}");
    // Its magnitude has to exceed the error. t3 is -1 below the tie and 0 above.
    emit!(t, "\tsra ${t3}, ${t1}, 31\n\txor ${t1}, ${t1}, ${t3}\n\tsubu ${t1}, ${t1}, ${t3}");
    emit!(t, "\tsltu ${t1}, ${t2}, ${t1}\n\tbeq ${t1}, $0, {open}\n\tli ${t4}, {EXPONENT}");
    emit!(t, "\tsubu ${t4}, ${t4}, ${zeros}\n\tsubu ${t4}, ${t4}, ${s}\n\tsltiu ${t1}, ${t4}, 254");
    emit!(t, "\tbeq ${t1}, $0, {open}\n\tsrl ${t0}, ${t0}, 8");
    // The leading bit adds one to the exponent, and so does a carry out of the fraction.
    emit!(t, "\tsll ${t4}, ${t4}, 23\n\taddu ${t0}, ${t0}, ${t4}\n\taddu ${t0}, ${t0}, ${t3}");
    emit!(t, "\taddiu ${t0}, ${t0}, 1\n\tand ${t1}, ${negative}, ${sign}\n\tor ${t0}, ${t0}, ${t1}");
    emit!(t, "\tsw ${t0}, 0(${result_at})");
}
