//! From floats to aligned integers: `fill` of `src/packed/portable.rs`, (F) and (G).

use crate::text::{Registers, arguments, emit, function};

/// Offsets in a `FillCall` (`src/packed/mips.rs`), in bytes.
mod call {
    pub const X: u32 = 0;
    pub const X_END: u32 = 4;
    pub const OUT: u32 = 8;
    pub const PLACE: u32 = 12;
    pub const AT: u32 = 16;
    pub const LIST: u32 = 20;
    pub const INEXACT: u32 = 24;
    pub const SQUARES: u32 = 28;
}

/// Bytes of eight rows of integers: the step of positions in lists.
const LIST_UNIT: u32 = 32;

/// One turn for each element: 20 instructions, 23 if it goes on a list, 10 if it is zero.
pub fn fill(listed: bool) -> String {
    let name = if listed { "opml_fill_list" } else { "opml_fill" };
    let mut registers = Registers::new();
    let [x, end, out, place, at, list, inexact, squares] = registers.take_each();
    let [fraction, implicit, bits, shift, sign, value] = registers.take_each();
    let mut text = String::new();
    let t = &mut text;
    let loads = [
        (x, call::X),
        (end, call::X_END),
        (out, call::OUT),
        (place, call::PLACE),
        (at, call::AT),
        (list, call::LIST),
        (inexact, call::INEXACT),
    ];
    arguments(t, &loads);
    emit!(t, "\tmove ${squares}, $0\n\tlui ${implicit}, 0x80\n\taddiu ${fraction}, ${implicit}, -1");
    emit!(t, "$L{name}_element:\n\tlw ${bits}, 0(${x})\n\taddiu ${x}, ${x}, 4\n\tsll ${shift}, ${bits}, 1");
    emit!(t, "\tbeq ${shift}, $0, $L{name}_zero\n\tsrl ${shift}, ${shift}, 24");
    emit!(
        t,
        "\taddu ${shift}, ${shift}, ${place}\n\tbltz ${shift}, $L{name}_inexact\n\tsra ${sign}, ${bits}, 31"
    );
    emit!(t, "\tand ${value}, ${bits}, ${fraction}\n\tor ${value}, ${value}, ${implicit}");
    emit!(
        t,
        "\tsllv ${value}, ${value}, ${shift}\n\tsrl ${shift}, ${value}, 18\n\taddiu ${shift}, ${shift}, 1"
    );
    emit!(t, "\tmul ${shift}, ${shift}, ${shift}\n\taddu ${squares}, ${squares}, ${shift}");
    emit!(t, "\txor ${value}, ${value}, ${sign}\n\tsubu ${value}, ${value}, ${sign}");
    if listed {
        emit!(t, "\tsw ${value}, 0(${list})\n\tsw ${at}, 4(${list})\n\taddiu ${list}, ${list}, 8");
    }
    emit!(t, "\tsw ${value}, 0(${out})\n$L{name}_next:\n\taddiu ${out}, ${out}, 4");
    emit!(t, "\tbne ${x}, ${end}, $L{name}_element\n\taddiu ${at}, ${at}, {LIST_UNIT}");
    emit!(t, "\tsw ${list}, {}($4)\n\tsw ${inexact}, {}($4)", call::LIST, call::INEXACT);
    emit!(t, "\tb $L{name}_end\n\tsw ${squares}, {}($4)", call::SQUARES);
    emit!(t, "$L{name}_zero:\n\tb $L{name}_next\n\tsw $0, 0(${out})");
    emit!(t, "$L{name}_inexact:\n\tsw ${bits}, 0(${inexact})\n\tsw ${at}, 4(${inexact})");
    emit!(t, "\tb $L{name}_next\n\taddiu ${inexact}, ${inexact}, 8\n$L{name}_end:");
    function(name, &registers, &text)
}
