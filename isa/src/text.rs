use core::fmt::{self, Write};

use crate::decode::Instruction;
use crate::{Mnemonic, Register};

/// An instruction at an address, so that branch and jump targets can be written in full.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    instruction: &'a Instruction,
    address: u32,
}

impl Instruction {
    /// The instruction as text, as if it stood at `address`: `beq $a0, $zero, 0x00010040`.
    pub fn at(&self, address: u32) -> At<'_> {
        At { instruction: self, address }
    }
}

/// Conditions of `c.cond.fmt`, in the order of their numbers.
const CONDITIONS: [&str; 16] = [
    "f", "un", "eq", "ueq", "olt", "ult", "ole", "ule", "sf", "ngle", "seq", "ngl", "lt", "nge", "le", "ngt",
];

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instruction = self.instruction;
        if instruction.mnemonic() == Mnemonic::Unknown {
            return write!(f, ".word 0x{:08x}", instruction.word);
        }
        write_name(f, instruction)?;
        let mut separator = " ";
        for letter in instruction.entry.operands.bytes().filter(|&letter| letter != b',') {
            if !is_omitted(letter, instruction.word) {
                f.write_str(separator)?;
                separator = ", ";
                write_operand(f, letter, instruction, self.address)?;
            }
        }
        Ok(())
    }
}

/// The name, with `cond` and `fmt` replaced by what the word says.
fn write_name(f: &mut fmt::Formatter<'_>, instruction: &Instruction) -> fmt::Result {
    let word = instruction.word;
    let parts = instruction.mnemonic().name().split('.');
    for (index, part) in parts.enumerate() {
        if index > 0 {
            f.write_char('.')?;
        }
        f.write_str(match part {
            "cond" => CONDITIONS[(word & 15) as usize],
            "fmt" => format_name(word),
            _ => part,
        })?;
    }
    Ok(())
}

/// The floating-point format: in bits 25 to 21 for coprocessor 1, in the low three bits for its fused operations.
fn format_name(word: u32) -> &'static str {
    let format = if word >> 26 == 0x11 { (word >> 21) & 7 } else { word & 7 };
    match format {
        0 => "s",
        1 => "d",
        4 => "w",
        5 => "l",
        _ => "ps",
    }
}

/// Whether an operand has the value that assembly leaves out.
fn is_omitted(letter: u8, word: u32) -> bool {
    match letter {
        b'L' => field(word, 11, 5) == u32::from(Register::RA.number()),
        b'E' => field(word, 16, 5) == 0,
        b'F' => field(word, 8, 3) == 0,
        b'B' => field(word, 18, 3) == 0,
        b'e' => field(word, 0, 3) == 0,
        b'c' => field(word, 6, 10) == 0,
        b'b' | b'y' => field(word, 6, 20) == 0,
        b'w' => field(word, 6, 19) == 0,
        b'u' => field(word, 6, 5) == 0,
        _ => false,
    }
}

/// `width` bits of `word` from bit `shift` up.
const fn field(word: u32, shift: u32, width: u32) -> u32 {
    (word >> shift) & ((1 << width) - 1)
}

fn write_operand(
    f: &mut fmt::Formatter<'_>,
    letter: u8,
    instruction: &Instruction,
    address: u32,
) -> fmt::Result {
    let word = instruction.word;
    match letter {
        b's' => write!(f, "{}", instruction.rs()),
        b't' | b'E' => write!(f, "{}", instruction.rt()),
        b'd' | b'L' => write!(f, "{}", instruction.rd()),
        b'h' | b'z' => write!(f, "{}", instruction.shift()),
        b'i' => write!(f, "{}", instruction.signed_immediate()),
        b'x' => write!(f, "0x{:x}", instruction.immediate()),
        b'o' => write!(f, "{}({})", instruction.signed_immediate(), instruction.rs()),
        b'X' => write!(f, "{}({})", instruction.rt(), instruction.rs()),
        b'p' | b'a' => write!(f, "0x{:08x}", instruction.target(address).unwrap_or_default()),
        b'R' => write!(f, "$f{}", field(word, 21, 5)),
        b'T' => write!(f, "$f{}", field(word, 16, 5)),
        b'S' => write!(f, "$f{}", field(word, 11, 5)),
        b'D' => write!(f, "$f{}", field(word, 6, 5)),
        b'g' => write!(f, "${}", field(word, 11, 5)),
        b'G' => write!(f, "${}", field(word, 16, 5)),
        b'F' => write!(f, "$fcc{}", field(word, 8, 3)),
        b'B' if word >> 26 == 0x12 => write!(f, "$cc{}", field(word, 18, 3)),
        b'B' | b'N' => write!(f, "$fcc{}", field(word, 18, 3)),
        b'Z' => write!(f, "{}", field(word, 11, 5) + 1),
        b'Y' => write!(f, "{}", field(word, 11, 5) + 1 - instruction.shift()),
        b'k' => write!(f, "{}", field(word, 16, 5)),
        b'H' => write!(f, "{}", field(word, 11, 5)),
        b'e' => write!(f, "{}", field(word, 0, 3)),
        b'c' => write!(f, "{}", field(word, 6, 10)),
        b'w' => write!(f, "{}", field(word, 6, 19)),
        b'u' => write!(f, "{}", field(word, 6, 5)),
        b'm' => write!(f, "0x{:x}", field(word, 0, 25)),
        b'y' => write!(f, "{}", field(word, 6, 20)),
        b'b' => write_break_code(f, word),
        _ => Err(fmt::Error),
    }
}

/// Assemblers write the 20 bits of `break` as two codes of ten, the second only if it is not zero.
fn write_break_code(f: &mut fmt::Formatter<'_>, word: u32) -> fmt::Result {
    write!(f, "{}", field(word, 16, 10))?;
    match field(word, 6, 10) {
        0 => Ok(()),
        second => write!(f, ", {second}"),
    }
}
