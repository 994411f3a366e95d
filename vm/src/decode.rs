//! From instruction words to slots.

use crate::code::{Op, pc_of, slot_of};
use crate::cpu::{Cpu, SINK, sink};
use crate::fast::{Branch, DIV, DIVU, PAGE_END, UNUSUAL, branch_code, kind_code, pair_code};
use crate::kinds::Number;

/// Words decoded at once, at most: enough to reach the end of most runs, few enough that data behind code
/// costs nothing.
const WINDOW: u32 = 64;

/// Words of a page.
const PAGE_WORDS: u32 = 1024;

/// A word by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Single {
    /// Goes on to the next word.
    Kind(Number, Op),
    /// Needs its delay slot.
    Branch(Branch, Op),
    /// Has a code of its own, and cannot stand in a delay slot of `fast`.
    Alone(Op),
}

/// Decodes the word at `pc` and those after it, up to the address `code_end` at most. Branches and jumps to where there is no code for
/// the program are left to `step`, and so are breakpoints.
pub(crate) fn decode(
    cpu: &mut Cpu,
    pc: u32,
    code_end: u64,
    is_code: impl Fn(u32) -> bool,
    is_breakpoint: impl Fn(u32) -> bool,
) {
    let first = (pc >> 2) % PAGE_WORDS;
    let page = pc & !0xfff;
    let words = (code_end - u64::from(page)).div_ceil(4).min(PAGE_WORDS.into()) as u32;
    let end = (first + WINDOW).min(words);
    if end == PAGE_WORDS {
        // From the last page the pc wraps to 0, which is not the next slot: `step` goes there.
        let code = if page == 0xffff_f000 { UNUSUAL } else { PAGE_END };
        cpu.code.set(slot_of(page) + PAGE_WORDS, Op { code, ..Op::default() });
    }
    // Backwards, so that a slot is written after those whose operands it relies on, for (P).
    for word in (first..end).rev() {
        let pc = page + word * 4;
        let slot = slot_of(pc);
        if cpu.code.get(slot) != Op::default() {
            continue;
        }
        let single = match single(cpu.space.word(pc), pc) {
            Single::Branch(branch, op)
                if !branch.is_to_register() && !is_code(pc_of(slot.wrapping_add(op.c))) =>
            {
                unusual()
            }
            _ if is_breakpoint(pc) => unusual(),
            single => single,
        };
        let next_is_decoded = word + 1 < PAGE_WORDS && cpu.code.get(slot + 1) != Op::default();
        let behind =
            || if is_breakpoint(pc + 4) { unusual() } else { self::single(cpu.space.word(pc + 4), pc + 4) };
        let next = next_is_decoded.then(behind);
        if let Some(op) = fuse(single, next, word + 1 == words) {
            cpu.code.set(slot, op);
        }
    }
}

/// The slot of a word, given the one after it in the same page. Nothing if that one has to be decoded first; of the `last` word
/// of a page or of the code it never is.
fn fuse(single: Single, next: Option<Single>, last: bool) -> Option<Op> {
    let unusual = Op { code: UNUSUAL, ..Op::default() };
    Some(match (single, next) {
        (Single::Kind(number, op), Some(Single::Kind(next, _))) => {
            Op { code: pair_code(number, next).unwrap_or(kind_code(number)), ..op }
        }
        (Single::Kind(number, op), _) => Op { code: kind_code(number), ..op },
        (Single::Branch(branch, op), Some(Single::Kind(delay, _))) => {
            Op { code: branch_code(branch, delay), ..op }
        }
        (Single::Branch(..), Some(_)) => unusual,
        // The delay slot is in the next page or no code, or behind the window.
        (Single::Branch(..), None) if last => unusual,
        (Single::Branch(..), None) => return None,
        (Single::Alone(op), _) => op,
    })
}

/// The fields of an instruction word.
struct Word {
    word: u32,
    pc: u32,
}

impl Word {
    fn rs(&self) -> u8 {
        (self.word >> 21 & 31) as u8
    }
    fn rt(&self) -> u8 {
        (self.word >> 16 & 31) as u8
    }
    fn rd(&self) -> u8 {
        (self.word >> 11 & 31) as u8
    }
    fn shift(&self) -> u32 {
        self.word >> 6 & 31
    }
    fn signed(&self) -> u32 {
        self.word as u16 as i16 as u32
    }
    fn unsigned(&self) -> u32 {
        self.word & 0xffff
    }

    /// `rd` = `b` op `c`.
    fn to_rd(&self, number: Number, b: u8, c: u32) -> Single {
        Single::Kind(number, Op { code: 0, a: sink(self.rd()), b, c })
    }

    /// `rt` = `rs` op the constant `c`.
    fn to_rt(&self, number: Number, c: u32) -> Single {
        Single::Kind(number, Op { code: 0, a: sink(self.rt()), b: self.rs(), c })
    }

    /// A change of lo and hi from `rs` and `rt`. With another rd than 0 the contract also clears rd.
    fn to_lo_hi(&self, number: Number) -> Single {
        match self.rd() {
            0 => Single::Kind(number, Op { code: 0, a: self.rs(), b: self.rt(), c: 0 }),
            _ => unusual(),
        }
    }

    fn division(&self, code: u16) -> Single {
        match self.rd() {
            0 => Single::Alone(Op { code, a: self.rs(), b: self.rt(), c: 0 }),
            _ => unusual(),
        }
    }

    fn store(&self, number: Number) -> Single {
        Single::Kind(number, Op { code: 0, a: self.rt(), b: self.rs(), c: self.signed() })
    }

    /// A branch to `target`, as a distance in slots.
    fn to(&self, branch: Branch, target: u32) -> Single {
        let c = slot_of(target).wrapping_sub(slot_of(self.pc));
        Single::Branch(branch, Op { code: 0, a: self.rs(), b: self.rt(), c })
    }

    fn branch(&self, branch: Branch) -> Single {
        self.to(branch, self.pc.wrapping_add(4).wrapping_add(self.signed() << 2))
    }

    fn jump(&self, branch: Branch) -> Single {
        self.to(branch, self.pc.wrapping_add(4) & 0xf000_0000 | (self.word & 0x03ff_ffff) << 2)
    }
}

/// What `step` executes: rare, refused, or odd.
fn unusual() -> Single {
    Single::Alone(Op { code: UNUSUAL, ..Op::default() })
}

fn single(word: u32, pc: u32) -> Single {
    let w = Word { word, pc };
    match word >> 26 {
        0x00 => special(&w),
        0x01 => match w.rt() {
            0 => w.branch(Branch::Less),
            1 => w.branch(Branch::GreaterEqual),
            _ => unusual(),
        },
        0x02 => w.jump(Branch::Always),
        0x03 => w.jump(Branch::AlwaysLink),
        0x04 if w.rs() == w.rt() => w.branch(Branch::Always),
        0x04 => w.branch(Branch::Equal),
        0x05 => w.branch(Branch::NotEqual),
        0x06 => w.branch(Branch::LessEqual),
        0x07 => w.branch(Branch::Greater),
        0x08 | 0x09 if w.rs() == 0 => w.to_rt(Number::Set, w.signed()),
        0x08 | 0x09 => w.to_rt(Number::Addiu, w.signed()),
        0x0a => w.to_rt(Number::Slti, w.signed()),
        0x0b => w.to_rt(Number::Sltiu, w.signed()),
        0x0c => w.to_rt(Number::Andi, w.unsigned()),
        0x0d if w.rs() == 0 => w.to_rt(Number::Set, w.unsigned()),
        0x0d => w.to_rt(Number::Ori, w.unsigned()),
        0x0e => w.to_rt(Number::Xori, w.unsigned()),
        0x0f => w.to_rt(Number::Set, word << 16),
        0x1c => special2(&w),
        0x20 => w.to_rt(Number::Lb, w.signed()),
        0x21 => w.to_rt(Number::Lh, w.signed()),
        0x22 => w.to_rt(Number::Lwl, w.signed()),
        // ll is a load: nothing else can write in between.
        0x23 | 0x30 => w.to_rt(Number::Lw, w.signed()),
        0x24 => w.to_rt(Number::Lbu, w.signed()),
        0x25 => w.to_rt(Number::Lhu, w.signed()),
        0x26 => w.to_rt(Number::Lwr, w.signed()),
        0x28 => w.store(Number::Sb),
        0x29 => w.store(Number::Sh),
        0x2a => w.store(Number::Swl),
        0x2b => w.store(Number::Sw),
        0x2e => w.store(Number::Swr),
        _ => unusual(),
    }
}

fn special(w: &Word) -> Single {
    let (rs, rt) = (w.rs(), w.rt());
    match w.word & 0x3f {
        0x00 if w.rd() == 0 => Single::Kind(Number::Nop, Op::default()),
        0x00 => w.to_rd(Number::Sll, rt, w.shift()),
        // Bit 21 would make it a rotation; the contract does not look at it.
        0x02 => w.to_rd(Number::Srl, rt, w.shift()),
        0x03 => w.to_rd(Number::Sra, rt, w.shift()),
        0x04 => w.to_rd(Number::Sllv, rt, rs.into()),
        0x06 => w.to_rd(Number::Srlv, rt, rs.into()),
        0x07 => w.to_rd(Number::Srav, rt, rs.into()),
        // Executed a second time it would jump elsewhere, see `fast`.
        0x09 if w.rs() == w.rd() => unusual(),
        0x08 => Single::Branch(Branch::Register, Op { code: 0, a: SINK, b: rs, c: 0 }),
        0x09 => Single::Branch(Branch::RegisterLink, Op { code: 0, a: sink(w.rd()), b: rs, c: 0 }),
        0x0a => w.to_rd(Number::Movz, rs, rt.into()),
        0x0b => w.to_rd(Number::Movn, rs, rt.into()),
        0x10 => w.to_rd(Number::Mfhi, 0, 0),
        0x11 => w.to_lo_hi(Number::Mthi),
        0x12 => w.to_rd(Number::Mflo, 0, 0),
        0x13 => w.to_lo_hi(Number::Mtlo),
        0x18 => w.to_lo_hi(Number::Mult),
        0x19 => w.to_lo_hi(Number::Multu),
        0x1a => w.division(DIV),
        0x1b => w.division(DIVU),
        0x20 | 0x21 => w.to_rd(Number::Addu, rs, rt.into()),
        0x22 | 0x23 => w.to_rd(Number::Subu, rs, rt.into()),
        0x24 => w.to_rd(Number::And, rs, rt.into()),
        0x25 => w.to_rd(Number::Or, rs, rt.into()),
        0x26 => w.to_rd(Number::Xor, rs, rt.into()),
        0x27 => w.to_rd(Number::Nor, rs, rt.into()),
        0x2a => w.to_rd(Number::Slt, rs, rt.into()),
        0x2b => w.to_rd(Number::Sltu, rs, rt.into()),
        _ => unusual(),
    }
}

fn special2(w: &Word) -> Single {
    match w.word & 0x3f {
        0x02 => w.to_rd(Number::Mul, w.rs(), w.rt().into()),
        0x20 => w.to_rd(Number::Clz, w.rs(), 0),
        0x21 => w.to_rd(Number::Clo, w.rs(), 0),
        _ => unusual(),
    }
}
