//! The instructions that only change registers or memory and go on to the next word: what each computes.
//!
//! Operands, unless a line says otherwise: three registers `a` = `b` op `c`; immediate forms `a` = `b` op
//! the constant `c`, already extended; loads and stores: register `a`, address `b` + `c`.
//! The formulas are those of `MIPS.sol`, `execute` and `handleHiLo`.

use crate::code::Op;
use crate::cpu::Cpu;

/// How `fast` goes on after an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Done {
    /// With the next one.
    Next,
    /// With the next one, and the slots have changed: it was a store to instructions.
    Changed,
    /// Nothing was done: `step` has to look at it. That is a load or store that is not aligned or goes where the
    /// program may not.
    Left,
}

/// An instruction without a jump.
pub(crate) trait Kind {
    /// Executes it, unless it has to be left to `step`.
    fn run(cpu: &mut Cpu, op: Op) -> Done;
}

/// Calls `$then!` with the names of all kinds, those that `fast` fuses into pairs first.
macro_rules! with_kinds {
    ($then:ident) => {
        $then! {
            [Nop Addu Addiu Subu And Or Xor Andi Ori Slt Sltu Slti Sltiu Sll Srl Sra Sllv Srlv Set Mult Multu
             Mul Mflo Mfhi Movz Movn Clz Lw Lhu Lbu Sw]
            [Nor Xori Srav Clo Mthi Mtlo Lb Lh Lwl Lwr Sb Sh Swl Swr]
        }
    };
}
pub(crate) use with_kinds;

macro_rules! number_kinds {
    ([$($hot:ident)*] [$($cold:ident)*]) => {
        /// A number for each kind; the ones that `fast` fuses into pairs come first.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) enum Number { $($hot,)* $($cold,)* }

        /// How many kinds there are.
        pub(crate) const KINDS: usize = [$(Number::$hot,)* $(Number::$cold,)*].len();
        /// How many of them are fused into pairs.
        pub(crate) const HOT_KINDS: usize = [$(Number::$hot,)*].len();

        $(pub(crate) struct $hot;)*
        $(pub(crate) struct $cold;)*
    };
}
with_kinds!(number_kinds);

/// A kind that sets register `a` to a value.
macro_rules! value {
    ($($name:ident: |$cpu:ident, $op:ident| $value:expr;)*) => {
        $(impl Kind for $name {
            #[inline(always)]
            fn run($cpu: &mut Cpu, $op: Op) -> Done {
                let value = $value;
                $cpu.set($op.a, value);
                Done::Next
            }
        })*
    };
}

#[inline(always)]
fn c(cpu: &Cpu, op: Op) -> u32 {
    cpu.get(op.c as u8)
}

#[inline(always)]
fn address(cpu: &Cpu, op: Op) -> u32 {
    cpu.get(op.b).wrapping_add(op.c)
}

value! {
    Addu: |cpu, op| cpu.get(op.b).wrapping_add(c(cpu, op));
    Addiu: |cpu, op| cpu.get(op.b).wrapping_add(op.c);
    Subu: |cpu, op| cpu.get(op.b).wrapping_sub(c(cpu, op));
    And: |cpu, op| cpu.get(op.b) & c(cpu, op);
    Or: |cpu, op| cpu.get(op.b) | c(cpu, op);
    Xor: |cpu, op| cpu.get(op.b) ^ c(cpu, op);
    Nor: |cpu, op| !(cpu.get(op.b) | c(cpu, op));
    Andi: |cpu, op| cpu.get(op.b) & op.c;
    Ori: |cpu, op| cpu.get(op.b) | op.c;
    Xori: |cpu, op| cpu.get(op.b) ^ op.c;
    Slt: |cpu, op| u32::from((cpu.get(op.b) as i32) < c(cpu, op) as i32);
    Sltu: |cpu, op| u32::from(cpu.get(op.b) < c(cpu, op));
    Slti: |cpu, op| u32::from((cpu.get(op.b) as i32) < op.c as i32);
    Sltiu: |cpu, op| u32::from(cpu.get(op.b) < op.c);
    // Shifts by a constant: `a` = `b` shifted by the constant `c`, below 32.
    Sll: |cpu, op| cpu.get(op.b) << (op.c & 31);
    Srl: |cpu, op| cpu.get(op.b) >> (op.c & 31);
    Sra: |cpu, op| ((cpu.get(op.b) as i32) >> (op.c & 31)) as u32;
    // Shifts by a register: `a` = `b` shifted by register `c`.
    Sllv: |cpu, op| cpu.get(op.b) << (c(cpu, op) & 31);
    Srlv: |cpu, op| cpu.get(op.b) >> (c(cpu, op) & 31);
    // The contract shifts by the whole register, and what is shifted by 32 or more is 0, whatever its sign.
    Srav: |cpu, op| match c(cpu, op) {
        by @ 0..32 => ((cpu.get(op.b) as i32) >> by) as u32,
        _ => 0,
    };
    // `a` = the constant `c`: lui, and additions to register 0.
    Set: |_cpu, op| op.c;
    Mul: |cpu, op| cpu.get(op.b).wrapping_mul(c(cpu, op));
    Mflo: |cpu, _op| cpu.lo;
    Mfhi: |cpu, _op| cpu.hi;
    Clz: |cpu, op| cpu.get(op.b).leading_zeros();
    Clo: |cpu, op| cpu.get(op.b).leading_ones();
    // `a` = `b` if register `c` is zero (movz) or not (movn).
    Movz: |cpu, op| if c(cpu, op) == 0 { cpu.get(op.b) } else { cpu.get(op.a) };
    Movn: |cpu, op| if c(cpu, op) != 0 { cpu.get(op.b) } else { cpu.get(op.a) };
}

/// A kind that sets register `a` to what it loads from `address`, for accesses of `1 << log_size` bytes.
macro_rules! load {
    ($($name:ident($log_size:literal): |$cpu:ident, $op:ident, $address:ident| $value:expr;)*) => {
        $(impl Kind for $name {
            #[inline(always)]
            fn run($cpu: &mut Cpu, $op: Op) -> Done {
                let $address = address($cpu, $op);
                if !$cpu.space.is_usual_load($address, $log_size) {
                    return Done::Left;
                }
                let value = $value;
                $cpu.set($op.a, value);
                Done::Next
            }
        })*
    };
}

load! {
    Lw(2): |cpu, op, at| cpu.space.word(at);
    Lh(1): |cpu, op, at| cpu.space.half(at) as i16 as u32;
    Lhu(1): |cpu, op, at| u32::from(cpu.space.half(at));
    Lb(0): |cpu, op, at| cpu.space.byte(at) as i8 as u32;
    Lbu(0): |cpu, op, at| u32::from(cpu.space.byte(at));
    Lwl(0): |cpu, op, at| merge_left(cpu.get(op.a), cpu.space.word(at), at);
    Lwr(0): |cpu, op, at| merge_right(cpu.get(op.a), cpu.space.word(at), at);
}

/// `lwl`: the bytes of `word` from `address` to its end become the high bytes of `register`.
pub(crate) fn merge_left(register: u32, word: u32, address: u32) -> u32 {
    let shift = (address & 3) * 8;
    (register & !(u32::MAX << shift)) | (word << shift)
}

/// `lwr`: the bytes of `word` from its start to `address` become the low bytes of `register`.
pub(crate) fn merge_right(register: u32, word: u32, address: u32) -> u32 {
    let shift = 24 - (address & 3) * 8;
    (register & !(u32::MAX >> shift)) | (word >> shift)
}

/// `swl`: the high bytes of `register` go to the bytes of `word` from `address` to its end.
pub(crate) fn split_left(register: u32, word: u32, address: u32) -> u32 {
    let shift = (address & 3) * 8;
    (word & !(u32::MAX >> shift)) | (register >> shift)
}

/// `swr`: the low bytes of `register` go to the bytes of `word` from its start to `address`.
pub(crate) fn split_right(register: u32, word: u32, address: u32) -> u32 {
    let shift = 24 - (address & 3) * 8;
    (word & !(u32::MAX << shift)) | (register << shift)
}

impl Kind for Nop {
    #[inline(always)]
    fn run(_cpu: &mut Cpu, _op: Op) -> Done {
        Done::Next
    }
}

/// A kind that changes lo or hi; `a` and `b` are the registers it reads.
macro_rules! lo_hi {
    ($($name:ident: |$cpu:ident, $op:ident| $effect:expr;)*) => {
        $(impl Kind for $name {
            #[inline(always)]
            fn run($cpu: &mut Cpu, $op: Op) -> Done {
                $effect;
                Done::Next
            }
        })*
    };
}

lo_hi! {
    Mult: |cpu, op| cpu.set_product((cpu.get(op.a) as i32 as i64 * cpu.get(op.b) as i32 as i64) as u64);
    Multu: |cpu, op| cpu.set_product(u64::from(cpu.get(op.a)) * u64::from(cpu.get(op.b)));
    Mtlo: |cpu, op| cpu.lo = cpu.get(op.a);
    Mthi: |cpu, op| cpu.hi = cpu.get(op.a);
}

/// A kind that stores `1 << log_size` bytes to `address`.
macro_rules! store {
    ($($name:ident($log_size:literal): |$cpu:ident, $op:ident, $address:ident| $write:expr;)*) => {
        $(impl Kind for $name {
            #[inline(always)]
            fn run($cpu: &mut Cpu, $op: Op) -> Done {
                let $address = address($cpu, $op);
                let mut done = Done::Next;
                if !$cpu.space.is_usual_store($address, $log_size) {
                    done = $cpu.prepare_store($address, $log_size);
                    if done == Done::Left {
                        return done;
                    }
                }
                $write;
                done
            }
        })*
    };
}

store! {
    Sb(0): |cpu, op, at| cpu.space.set_byte(at, cpu.get(op.a) as u8);
    Sh(1): |cpu, op, at| cpu.space.set_half(at, cpu.get(op.a) as u16);
    Sw(2): |cpu, op, at| cpu.space.set_word(at, cpu.get(op.a));
    Swl(0): |cpu, op, at| cpu.space.set_word(at, split_left(cpu.get(op.a), cpu.space.word(at), at));
    Swr(0): |cpu, op, at| cpu.space.set_word(at, split_right(cpu.get(op.a), cpu.space.word(at), at));
}
