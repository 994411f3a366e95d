//! From totals to floats: `finish` of `src/packed/finish.rs`, (I), (J), (L) and (M), for results that are normal.

use crate::text::{Registers, emit, function};

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
}

/// Offset of the rows in an `Open`, and what is added to one whose total is not complete.
const ROWS: u32 = 4;
const INCOMPLETE: u32 = 0x80;

/// The exponent less one of a total whose leading bit is bit 63, with the scale 0: 63 + 11 + 126.
const EXPONENT: u32 = 200;

/// Takes as many registers as there are names.
macro_rules! registers {
    ($registers:ident; $($name:ident),+) => { $(let $name = $registers.take();)+ };
}

/// One turn for each row: 59 instructions if there is a bias and the row does not stay open.
pub fn finish() -> String {
    let mut registers = Registers::new();
    registers! { registers; total_at, end, record_at, bias_at, bias_step, result_at, result_step }
    registers! { registers; scale, exponent, error, largest, sign, half }
    registers! { registers; high, low, s, bound, bias, shift, negative, zeros, t0, t1 }
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
    for (register, offset) in loads {
        emit!(t, "\tlw ${register}, {offset}($4)");
    }
    emit!(t, "\tli ${exponent}, {EXPONENT}\n\tsubu ${exponent}, ${exponent}, ${scale}");
    emit!(t, "\tlui ${sign}, 0x8000\n\taddiu ${half}, ${sign}, 1");
    emit!(t, ".Lopml_finish_row:");
    emit!(t, "\tlw ${bias}, 0(${bias_at})\n\tlw ${shift}, 4(${bias_at})");
    emit!(t, "\tlw ${high}, 0(${total_at})\n\tlw ${low}, 4(${total_at})");
    emit!(t, "\tlw ${bound}, 4(${record_at})\n\tlw ${s}, 0(${record_at})");
    emit!(t, "\taddu ${bias_at}, ${bias_at}, ${bias_step}\n\taddiu ${total_at}, ${total_at}, 8");
    emit!(t, "\taddiu ${record_at}, ${record_at}, 8\n\tmul ${bound}, ${bound}, ${largest}");
    add_bias(t, [bias, shift, scale, high, low, t0, t1]);
    // The bound in units of 2^8; the magnitude, or one less; a quarter of the last place has to be left.
    emit!(t, ".Lopml_finish_round:\n\taddu ${bound}, ${bound}, ${error}\n\tsrl ${bound}, ${bound}, 6");
    emit!(t, "\tsra ${negative}, ${high}, 31\n\txor ${high}, ${high}, ${negative}");
    emit!(t, "\txor ${low}, ${low}, ${negative}\n\tsll ${t0}, ${bound}, 2\n\tsltu ${t0}, ${high}, ${t0}");
    emit!(t, "\tbne ${t0}, $0, .Lopml_finish_open\n\tclz ${zeros}, ${high}");
    // Leading bit to the top: t0 is what is kept with eight bits more; t1 is what lies below the last place.
    emit!(t, "\tsllv ${t0}, ${high}, ${zeros}\n\tsrl ${t1}, ${low}, 1\n\txori ${shift}, ${zeros}, 31");
    emit!(t, "\tsrlv ${t1}, ${t1}, ${shift}\n\tor ${t0}, ${t0}, ${t1}\n\tsllv ${t1}, ${low}, ${zeros}");
    emit!(t, "\tsrl ${t1}, ${t1}, 8\n\tsll ${shift}, ${t0}, 24\n\tor ${t1}, ${t1}, ${shift}");
    // t1 - 2^31 + bound + 1 within 2 (bound + 1) from zero: too near a tie.
    emit!(
        t,
        "\tsllv ${bound}, ${bound}, ${zeros}\n\taddu ${t1}, ${t1}, ${half}\n\taddu ${t1}, ${t1}, ${bound}"
    );
    emit!(t, "\tsll ${bound}, ${bound}, 1\n\taddiu ${bound}, ${bound}, 3\n\tsltu ${t1}, ${t1}, ${bound}");
    emit!(t, "\tbne ${t1}, $0, .Lopml_finish_open\n\tsubu ${s}, ${exponent}, ${s}");
    // The leading bit adds one to the exponent, and so does a carry out of the fraction.
    emit!(t, "\tsubu ${s}, ${s}, ${zeros}\n\tsll ${s}, ${s}, 23\n\tsrl ${t0}, ${t0}, 7");
    emit!(t, "\taddiu ${t0}, ${t0}, 1\n\tsrl ${t0}, ${t0}, 1\n\taddu ${t0}, ${t0}, ${s}");
    emit!(
        t,
        "\tand ${negative}, ${negative}, ${sign}\n\tor ${t0}, ${t0}, ${negative}\n\tsw ${t0}, 0(${result_at})"
    );
    emit!(t, ".Lopml_finish_next:\n\tbne ${total_at}, ${end}, .Lopml_finish_row");
    emit!(t, "\taddu ${result_at}, ${result_at}, ${result_step}\n\tb .Lopml_finish_end\n\tnop");
    // Out of the way: a bias far from the total; a row that stays open, whose total is kept.
    far_bias(t, [bias, shift, high, low, t0, t1]);
    emit!(t, ".Lopml_finish_lost:\n\tb .Lopml_finish_list\n\tli ${t1}, {INCOMPLETE}");
    emit!(t, ".Lopml_finish_open:\n\txor ${high}, ${high}, ${negative}\n\txor ${low}, ${low}, ${negative}");
    emit!(t, "\tsw ${high}, -8(${total_at})\n\tsw ${low}, -4(${total_at})\n\tmove ${t1}, $0");
    // The number of the row goes to the end of the list.
    emit!(t, ".Lopml_finish_list:\n\tlw ${t0}, {}($4)\n\tsubu ${t0}, ${total_at}, ${t0}", call::TOTALS);
    emit!(t, "\tsrl ${t0}, ${t0}, 3\n\taddiu ${t0}, ${t0}, -1\n\tor ${t1}, ${t1}, ${t0}");
    emit!(t, "\tlw ${t0}, {}($4)\n\tlw ${low}, 0(${t0})\n\taddu ${high}, ${t0}, ${low}", call::OPEN);
    emit!(t, "\tsb ${t1}, {ROWS}(${high})\n\taddiu ${low}, ${low}, 1");
    emit!(t, "\tb .Lopml_finish_next\n\tsw ${low}, 0(${t0})\n.Lopml_finish_end:");
    function("opml_finish", &registers, &text)
}

/// Adds the bias to the total, (L).
fn add_bias(t: &mut String, registers: [u32; 7]) {
    let [bias, shift, scale, high, low, t0, t1] = registers;
    emit!(t, "\tbeq ${bias}, $0, .Lopml_finish_round\n\taddu ${shift}, ${shift}, ${scale}");
    emit!(t, "\tsltiu ${t0}, ${shift}, 32\n\tbeq ${t0}, $0, .Lopml_finish_far\n\txori ${t1}, ${shift}, 31");
    // The mask is for the audit, which asks for it in front of `srav`.
    emit!(t, "\tandi ${t1}, ${t1}, 31\n\tsra ${t0}, ${bias}, 1\n\tsrav ${t0}, ${t0}, ${t1}");
    emit!(t, "\tsllv ${bias}, ${bias}, ${shift}");
    emit!(t, ".Lopml_finish_shifted:\n\taddu ${low}, ${low}, ${bias}\n\tsltu ${t1}, ${low}, ${bias}");
    emit!(t, "\taddu ${high}, ${high}, ${t0}\n\taddu ${high}, ${high}, ${t1}");
}

/// The bias that is shifted to the right, or by more than a word: its halves go to t0 and `bias`.
fn far_bias(t: &mut String, registers: [u32; 6]) {
    let [bias, shift, _, _, t0, t1] = registers;
    emit!(t, ".Lopml_finish_far:\n\tbltz ${shift}, .Lopml_finish_right\n\tsltiu ${t1}, ${shift}, 37");
    emit!(t, "\tbeq ${t1}, $0, .Lopml_finish_lost\n\tandi ${t1}, ${shift}, 31");
    emit!(t, "\tsllv ${t0}, ${bias}, ${t1}\n\tb .Lopml_finish_shifted\n\tmove ${bias}, $0");
    emit!(t, ".Lopml_finish_right:\n\tsubu ${shift}, $0, ${shift}\n\tsltiu ${t1}, ${shift}, 24");
    emit!(t, "\tsubu ${t1}, $0, ${t1}\n\tand ${bias}, ${bias}, ${t1}\n\tandi ${t1}, ${shift}, 31");
    emit!(t, "\tsrav ${bias}, ${bias}, ${t1}\n\tb .Lopml_finish_shifted\n\tsra ${t0}, ${bias}, 31");
}
