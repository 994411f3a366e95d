//! The loops of `src/planes/`: what `src/planes/portable.rs` does in Rust, (O) to (Z).

use crate::text::{Registers, arguments, emit, function};

/// All routines.
pub fn routines() -> String {
    let squares = [(3, 1), (3, 2), (5, 1), (5, 2)].map(|(side, stride)| square(side, stride));
    fill() + &finish() + &squares.concat()
}

/// Offsets in a `SumsCall` (`src/planes/mips.rs`), in bytes.
mod sums_call {
    pub const X: u32 = 0;
    pub const BELOW: u32 = 4;
    pub const BACK: u32 = 8;
    pub const WEIGHTS: u32 = 12;
    pub const START: [u32; 2] = [16, 20];
    pub const OUT: u32 = 24;
    pub const ROW: u32 = 28;
    pub const X_SKIP: u32 = 32;
    pub const OUT_SKIP: u32 = 36;
    pub const X_END: u32 = 40;
}

/// Offsets in a `FinishCall`.
mod finish_call {
    pub const SUMS: u32 = 0;
    pub const SUMS_END: u32 = 4;
    pub const RESULTS: u32 = 8;
    pub const STEP: u32 = 12;
    pub const LEAST: u32 = 16;
    pub const EXPONENT: u32 = 20;
}

/// Offsets in a `FillCall`.
mod fill_call {
    pub const X: u32 = 0;
    pub const OUT: u32 = 4;
    pub const ROW_END: u32 = 8;
    pub const STEP: u32 = 12;
    pub const X_SKIP: u32 = 16;
    pub const OUT_SKIP: u32 = 20;
    pub const ROW: u32 = 24;
    pub const END: u32 = 28;
    pub const TOP: u32 = 32;
}

/// Bits of the low words that are dropped, (O).
const DROPPED: u32 = 10;
/// The largest shift that leaves nothing of a mantissa whose last bit is bit 8.
const EXACT: u32 = 8;
/// Outputs of a strip.
const WIDE: u32 = 4;

/// `Aligned::exact` for the elements of some rows, until it gives nothing: 16 instructions for an element, and 13 for a zero.
fn fill() -> String {
    let mut registers = Registers::new();
    let [x, out, row_end, step, top, sign_bit] = registers.take_each();
    let [bits, twice, shift, integer, t0] = registers.take_each();
    let mut text = String::new();
    let t = &mut text;
    let loads = [
        (x, fill_call::X),
        (out, fill_call::OUT),
        (row_end, fill_call::ROW_END),
        (step, fill_call::STEP),
        (top, fill_call::TOP),
    ];
    arguments(t, &loads);
    emit!(t, "\tb $Lopml_planes_fill_next\n\tlui ${sign_bit}, 0x8000");
    emit!(t, "$Lopml_planes_fill_one:\n\tlw ${bits}, 0(${x})\n\tsll ${twice}, ${bits}, 1");
    emit!(t, "\tsrl ${shift}, ${twice}, 24\n\tsubu ${shift}, ${top}, ${shift}");
    emit!(t, "\tsltiu ${t0}, ${shift}, {}\n\tbeq ${t0}, $0, $Lopml_planes_fill_other", EXACT + 1);
    emit!(t, "\tsll ${integer}, ${bits}, 8\n\tor ${integer}, ${integer}, ${sign_bit}");
    emit!(t, "\tsrlv ${integer}, ${integer}, ${shift}\n\tsra ${t0}, ${bits}, 31");
    emit!(t, "\txor ${integer}, ${integer}, ${t0}\n\tsubu ${integer}, ${integer}, ${t0}");
    emit!(t, "\tsw ${integer}, 0(${out})\n\taddiu ${out}, ${out}, 4");
    emit!(t, "$Lopml_planes_fill_step:\n\tbne ${out}, ${row_end}, $Lopml_planes_fill_one");
    emit!(t, "\taddu ${x}, ${x}, ${step}");
    emit!(t, "\tb $Lopml_planes_fill_row\n\tlw ${t0}, {}($4)", fill_call::X_SKIP);
    emit!(t, "$Lopml_planes_fill_other:\n\tbne ${twice}, $0, $Lopml_planes_fill_end\n\tsw $0, 0(${out})");
    emit!(t, "\tb $Lopml_planes_fill_step\n\taddiu ${out}, ${out}, 4");
    emit!(t, "$Lopml_planes_fill_next:\n\tbne ${out}, ${row_end}, $Lopml_planes_fill_one");
    emit!(t, "\tlw ${t0}, {}($4)", fill_call::X_SKIP);
    emit!(t, "$Lopml_planes_fill_row:\n\taddu ${x}, ${x}, ${t0}\n\tlw ${t0}, {}($4)", fill_call::OUT_SKIP);
    emit!(t, "\tlw ${twice}, {}($4)\n\taddu ${out}, ${out}, ${t0}", fill_call::END);
    emit!(t, "\tlw ${t0}, {}($4)\n\tbne ${out}, ${twice}, $Lopml_planes_fill_one", fill_call::ROW);
    emit!(t, "\taddu ${row_end}, ${out}, ${t0}");
    emit!(t, "$Lopml_planes_fill_end:\n\tsw ${x}, {}($4)", fill_call::X);
    emit!(t, "\tsw ${out}, {}($4)\n\tsw ${row_end}, {}($4)", fill_call::OUT, fill_call::ROW_END);
    function("opml_planes_fill", &registers, &text)
}

/// Strips of four outputs of square windows, `stride` apart: each element of the plane is loaded once for all the outputs of
/// a strip that see it in a row. The weights stay in registers if all of them fit.
fn square(side: u32, stride: u32) -> String {
    let name = format!("opml_planes_square_{side}_{stride}");
    let mut registers = Registers::new();
    let resident = side <= 3;
    let weights = registers.take_many(if resident { side * side } else { side });
    let sums: Vec<_> = (0..WIDE).map(|_| [registers.take(), registers.take()]).collect();
    let start = [registers.take(), registers.take()];
    let [at, below, back, weights_at] = registers.take_each();
    let [out, row_end, x, t0, t1] = registers.take_each();

    let mut text = String::new();
    let t = &mut text;
    let loads = [
        (at, sums_call::X),
        (below, sums_call::BELOW),
        (back, sums_call::BACK),
        (weights_at, sums_call::WEIGHTS),
        (start[0], sums_call::START[0]),
        (start[1], sums_call::START[1]),
        (out, sums_call::OUT),
    ];
    arguments(t, &loads);
    if resident {
        load(t, &weights, weights_at, 0);
    }
    emit!(t, "$L{name}_row:\n\tlw ${t0}, {}($4)\n\taddu ${row_end}, ${at}, ${t0}", sums_call::ROW);

    emit!(t, "$L{name}_strip:");
    for row in 0..side {
        let first = if resident { row * side } else { 0 };
        if !resident {
            load(t, &weights, weights_at, row * side);
        }
        for column in 0..(WIDE - 1) * stride + side {
            emit!(t, "\tlw ${x}, {}(${at})", 4 * column);
            for (output, [high, low]) in (0..).zip(&sums) {
                let Some(tap) = column.checked_sub(output * stride).filter(|&tap| tap < side) else {
                    continue;
                };
                let [first_high, first_low] = if row == 0 && tap == 0 { start } else { [*high, *low] };
                emit!(t, "\tmult ${x}, ${}", weights[(first + tap) as usize]);
                emit!(t, "\tmflo ${t0}\n\tmfhi ${t1}\n\tsrl ${t0}, ${t0}, {DROPPED}");
                emit!(t, "\taddu ${low}, ${first_low}, ${t0}\n\taddu ${high}, ${first_high}, ${t1}");
            }
        }
        emit!(t, "\taddu ${at}, ${at}, ${}", if row + 1 < side { below } else { back });
    }
    for (output, [high, low]) in sums.iter().enumerate() {
        emit!(t, "\tsw ${high}, {}(${out})\n\tsw ${low}, {}(${out})", 8 * output, 8 * output + 4);
    }
    emit!(t, "\tbne ${at}, ${row_end}, $L{name}_strip\n\taddiu ${out}, ${out}, {}", 8 * WIDE);

    emit!(t, "\tlw ${t0}, {}($4)\n\tlw ${t1}, {}($4)", sums_call::X_SKIP, sums_call::OUT_SKIP);
    emit!(t, "\taddu ${at}, ${at}, ${t0}\n\tlw ${t0}, {}($4)", sums_call::X_END);
    emit!(t, "\tbne ${at}, ${t0}, $L{name}_row\n\taddu ${out}, ${out}, ${t1}");
    function(&name, &registers, &text)
}

/// Loads consecutive words, from word `first` on.
fn load(text: &mut String, registers: &[u32], at: u32, first: u32) {
    for (word, register) in (first..).zip(registers) {
        emit!(text, "\tlw ${register}, {}(${at})", 4 * word);
    }
}

/// `Finish::short`, until it gives nothing: 30 instructions for a sum.
fn finish() -> String {
    let mut registers = Registers::new();
    let [at, end, result_at, step, least, exponent, sign_bit, tie] = registers.take_each();
    let [high, low, sign, zeros, t0] = registers.take_each();
    let mut text = String::new();
    let t = &mut text;
    let loads = [
        (at, finish_call::SUMS),
        (end, finish_call::SUMS_END),
        (result_at, finish_call::RESULTS),
        (step, finish_call::STEP),
        (least, finish_call::LEAST),
        (exponent, finish_call::EXPONENT),
    ];
    arguments(t, &loads);
    emit!(t, "\tlui ${sign_bit}, 0x8000\n\tli ${tie}, 0x80");
    emit!(t, "$Lopml_planes_finish_sum:\n\tlw ${high}, 0(${at})\n\tlw ${low}, 4(${at})");
    emit!(t, "\tsra ${t0}, ${low}, {}\n\taddu ${high}, ${high}, ${t0}", 32 - DROPPED);
    emit!(t, "\tsll ${low}, ${low}, {DROPPED}\n\tsra ${sign}, ${high}, 31");
    emit!(t, "\txor ${high}, ${high}, ${sign}\n\txor ${low}, ${low}, ${sign}");
    emit!(t, "\tsltu ${t0}, ${high}, ${least}\n\tbne ${t0}, $0, $Lopml_planes_finish_end");
    emit!(t, "\tclz ${zeros}, ${high}\n\tsllv ${high}, ${high}, ${zeros}\n\tsubu ${t0}, $0, ${zeros}");
    emit!(t, "\tsrlv ${low}, ${low}, ${t0}\n\tor ${high}, ${high}, ${low}");
    emit!(t, "\taddiu ${t0}, ${high}, 1\n\tandi ${t0}, ${t0}, 0xfe");
    emit!(t, "\tbeq ${t0}, ${tie}, $Lopml_planes_finish_end\n\tsll ${zeros}, ${zeros}, 23");
    emit!(t, "\tsrl ${high}, ${high}, 7\n\taddiu ${high}, ${high}, 1\n\tsrl ${high}, ${high}, 1");
    emit!(t, "\tsubu ${zeros}, ${exponent}, ${zeros}\n\taddu ${high}, ${high}, ${zeros}");
    emit!(t, "\tand ${sign}, ${sign}, ${sign_bit}\n\tor ${high}, ${high}, ${sign}");
    emit!(t, "\tsw ${high}, 0(${result_at})\n\taddiu ${at}, ${at}, 8");
    emit!(t, "\tbne ${at}, ${end}, $Lopml_planes_finish_sum\n\taddu ${result_at}, ${result_at}, ${step}");
    emit!(t, "$Lopml_planes_finish_end:\n\tsw ${at}, {}($4)", finish_call::SUMS);
    function("opml_planes_finish", &registers, &text)
}
