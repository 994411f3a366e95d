//! Every instruction with edge operands, against results worked out by hand from the contract's formulas.
//! Each case goes through the exact step and through the interpreter of decoded instructions.

mod common;

use common::*;
use opml_state::State;
use opml_vm::Vm;

/// Where data for loads and stores lies; word `DATA` is 0x80917ff3, the one after it 0x01020304.
const DATA: u32 = 0x0002_0010;

/// What register 10, lo and hi, and the two data words hold before.
const D: u32 = 0xdddd_dddd;
const LO: u32 = 0x1111_1111;
const HI: u32 = 0x2222_2222;
const WORDS: [u32; 2] = [0x8091_7ff3, 0x0102_0304];

/// An instruction on registers 8 and 9 with its result in register 10.
struct Case {
    name: &'static str,
    word: u32,
    /// Registers 8 and 9 before.
    s: u32,
    t: u32,
    /// Register 10, lo, hi and the data words after.
    after: (u32, u32, u32, [u32; 2]),
}

fn case(name: &'static str, word: u32, s: u32, t: u32, result: u32) -> Case {
    Case { name, word, s, t, after: (result, LO, HI, WORDS) }
}

/// A case of the form `op $10, $8, $9`.
fn three(name: &'static str, func: u32, s: u32, t: u32, result: u32) -> Case {
    case(name, special(func, T0, T1, T2, 0), s, t, result)
}

/// A case of the form `op $10, $9, shift`.
fn shift(name: &'static str, func: u32, t: u32, by: u32, result: u32) -> Case {
    case(name, special(func, 0, T1, T2, by), 0, t, result)
}

/// A case of the form `op $10, $8, constant`.
fn constant(name: &'static str, opcode: u32, s: u32, value: i32, result: u32) -> Case {
    case(name, imm(opcode, T0, T2, value), s, 0, result)
}

/// A case of the form `op $8, $9` that changes lo and hi.
fn lo_hi(name: &'static str, func: u32, s: u32, t: u32, lo: u32, hi: u32) -> Case {
    Case { name, word: special(func, T0, T1, 0, 0), s, t, after: (D, lo, hi, WORDS) }
}

/// A case of the form `op $10, offset($8)` with `DATA` in register 8.
fn load(name: &'static str, opcode: u32, offset: i32, result: u32) -> Case {
    case(name, imm(opcode, T0, T2, offset), DATA, 0, result)
}

/// A case of the form `op $9, offset($8)` with `DATA` in register 8 and 0xa1b2c3d4 in register 9.
fn store(name: &'static str, opcode: u32, offset: i32, words: [u32; 2]) -> Case {
    Case { name, word: imm(opcode, T0, T1, offset), s: DATA, t: 0xa1b2_c3d4, after: (D, LO, HI, words) }
}

fn state(case: &Case) -> State {
    // The instruction, then a loop: the second interpreter needs steps to go on with.
    let mut state = program(&[case.word, beq(ZERO, ZERO, -1), NOP]);
    put(&mut state.memory, DATA, &WORDS);
    state.registers[8] = case.s;
    state.registers[9] = case.t;
    state.registers[10] = D;
    (state.lo, state.hi) = (LO, HI);
    state
}

fn check(case: &Case) {
    let before = state(case);
    let mut stepped = Vm::from_state(&before).unwrap();
    stepped.step(&mut Bare::default()).unwrap();
    assert_eq!((stepped.pc(), stepped.step_count()), (START + 4, 1), "{}", case.name);
    let mut ran = Vm::from_state(&before).unwrap();
    ran.run(&mut Bare::default(), 3000).unwrap();
    for (vm, which) in [(stepped, "step"), (ran, "run")] {
        let state = vm.state();
        let words = [word(&vm, DATA), word(&vm, DATA + 4)];
        let after = (state.registers[10], state.lo, state.hi, words);
        assert_eq!(
            format!("{after:x?}"),
            format!("{:x?}", case.after),
            "{} ({which}) of {:#x}, {:#x}",
            case.name,
            case.s,
            case.t
        );
        assert_eq!(state.registers[0], 0, "{} ({which})", case.name);
    }
}

#[test]
fn arithmetic() {
    let cases = [
        // add and sub do not trap on overflow.
        three("add", 0x20, 0x7fff_ffff, 1, 0x8000_0000),
        three("addu", 0x21, 0xffff_ffff, 2, 1),
        three("sub", 0x22, 0x8000_0000, 1, 0x7fff_ffff),
        three("subu", 0x23, 0, 1, 0xffff_ffff),
        three("and", 0x24, 0xff00_ff00, 0x0ff0_0ff0, 0x0f00_0f00),
        three("or", 0x25, 0xff00_ff00, 0x0ff0_0ff0, 0xfff0_fff0),
        three("xor", 0x26, 0xff00_ff00, 0x0ff0_0ff0, 0xf0f0_f0f0),
        three("nor", 0x27, 0xff00_ff00, 0x0ff0_0ff0, 0x000f_000f),
        three("slt", 0x2a, 0x8000_0000, 0x7fff_ffff, 1),
        three("slt", 0x2a, 5, 5, 0),
        three("sltu", 0x2b, 0x8000_0000, 0x7fff_ffff, 0),
        three("sltu", 0x2b, 0, 0xffff_ffff, 1),
        constant("addi", 0x08, 0x7fff_ffff, 1, 0x8000_0000),
        constant("addiu", 0x09, 5, -6, 0xffff_ffff),
        constant("slti", 0x0a, 0xffff_fff0, -15, 1),
        constant("slti", 0x0a, 0xffff_fff1, -15, 0),
        // The constant is extended with its sign, then compared without.
        constant("sltiu", 0x0b, 0x7fff_ffff, -1, 1),
        constant("sltiu", 0x0b, 0xffff_ffff, -1, 0),
        constant("andi", 0x0c, 0xffff_ffff, -1, 0x0000_ffff),
        constant("ori", 0x0d, 0x1234_0000, -1, 0x1234_ffff),
        constant("xori", 0x0e, 0xffff_ffff, -1, 0xffff_0000),
        case("lui", lui(T2, 0x8765), 0, 0, 0x8765_0000),
        // lui with an rs: the contract does not look at it.
        case("lui", imm(0x0f, T0, T2, 1), 99, 0, 0x0001_0000),
        case("mul", special2(0x02, T0, T1, T2), 0xffff_fffd, 5, 0xffff_fff1),
        case("mul", special2(0x02, T0, T1, T2), 0x0001_0001, 0x0001_0001, 0x0002_0001),
        case("clz", special2(0x20, T0, 0, T2), 0, 0, 32),
        case("clz", special2(0x20, T0, 0, T2), 0x0001_0000, 0, 15),
        case("clo", special2(0x21, T0, 0, T2), 0xffff_ffff, 0, 32),
        case("clo", special2(0x21, T0, 0, T2), 0xfff7_ffff, 0, 12),
        three("movz", 0x0a, 7, 0, 7),
        three("movz", 0x0a, 7, 1, D),
        three("movn", 0x0b, 7, 0x8000_0000, 7),
        three("movn", 0x0b, 7, 0, D),
        case("a write to register 0", special(0x21, T0, T1, 0, 0), 3, 4, D),
        case("a constant to register 0", addiu(0, T0, 1), 3, 4, D),
    ];
    cases.iter().for_each(check);
}

#[test]
fn shifts() {
    let cases = [
        shift("sll", 0x00, 0x8000_0001, 31, 0x8000_0000),
        shift("sll by 0", 0x00, 0x8000_0001, 0, 0x8000_0001),
        shift("srl", 0x02, 0x8000_0001, 31, 1),
        shift("sra", 0x03, 0x8000_0001, 31, 0xffff_ffff),
        shift("sra", 0x03, 0x4000_0000, 30, 1),
        shift("sra by 0", 0x03, 0x8000_0000, 0, 0x8000_0000),
        three("sllv", 0x04, 33, 3, 6),
        three("srlv", 0x06, 33, 0x8000_0000, 0x4000_0000),
        three("srav", 0x07, 4, 0x8000_0000, 0xf800_0000),
        three("srav by 0", 0x07, 0, 0x8000_0000, 0x8000_0000),
        three("srav by 31", 0x07, 31, 0x8000_0000, 0xffff_ffff),
        // MIPS would shift by 1; the contract shifts everything out, the sign included.
        three("srav by 33", 0x07, 33, 0x8000_0000, 0),
        three("srav by 2^32 - 1", 0x07, 0xffff_ffff, 0x8000_0000, 0),
        // rotr and rotrv are srl and srlv with one more bit; the contract does not look at it.
        case("rotr", special(0x02, 1, T1, T2, 4), 0, 0x1234_567f, 0x0123_4567),
        case("rotrv", special(0x06, T0, T1, T2, 1), 4, 0x1234_567f, 0x0123_4567),
    ];
    cases.iter().for_each(check);
}

#[test]
fn products_and_quotients() {
    let cases = [
        lo_hi("mult", 0x18, 0xffff_ffff, 5, 0xffff_fffb, 0xffff_ffff),
        lo_hi("mult", 0x18, 0x8000_0000, 0x8000_0000, 0, 0x4000_0000),
        lo_hi("multu", 0x19, 0xffff_ffff, 0xffff_ffff, 1, 0xffff_fffe),
        // lo is the quotient towards zero, hi the remainder with the sign of the dividend.
        lo_hi("div", 0x1a, 0xffff_fff9, 2, 0xffff_fffd, 0xffff_ffff),
        lo_hi("div", 0x1a, 7, 0xffff_fffe, 0xffff_fffd, 1),
        lo_hi("div", 0x1a, 0x8000_0000, 0xffff_ffff, 0x8000_0000, 0),
        lo_hi("divu", 0x1b, 0xffff_fff9, 2, 0x7fff_fffc, 1),
        lo_hi("mthi", 0x11, 77, 0, LO, 77),
        lo_hi("mtlo", 0x13, 77, 0, 77, HI),
        case("mfhi", special(0x10, 0, 0, T2, 0), 0, 0, HI),
        case("mflo", special(0x12, 0, 0, T2, 0), 0, 0, LO),
        // With an rd, those that have none in MIPS clear it.
        Case { after: (0, 12, 0, WORDS), ..three("mult with rd", 0x18, 3, 4, 0) },
        Case { after: (0, 1, 1, WORDS), ..three("divu with rd", 0x1b, 4, 3, 0) },
        Case { after: (0, LO, 9, WORDS), ..three("mthi with rd", 0x11, 9, 0, 0) },
    ];
    cases.iter().for_each(check);
}

#[test]
fn loads() {
    let cases = [
        load("lb", 0x20, 0, 0xffff_ff80),
        load("lb", 0x20, 2, 0x7f),
        load("lbu", 0x24, 1, 0x91),
        load("lbu", 0x24, 3, 0xf3),
        load("lh", 0x21, 0, 0xffff_8091),
        load("lh", 0x21, 2, 0x7ff3),
        load("lhu", 0x25, 0, 0x8091),
        // Unaligned: the half-word or word that holds the address.
        load("lh at 1", 0x21, 1, 0xffff_8091),
        load("lhu at 3", 0x25, 3, 0x7ff3),
        load("lw", 0x23, 4, 0x0102_0304),
        load("lw at 3", 0x23, 3, 0x8091_7ff3),
        load("lw below", 0x23, -4, 0),
        load("ll", 0x30, 0, 0x8091_7ff3),
        load("ll at 7", 0x30, 7, 0x0102_0304),
        load("lwl at 0", 0x22, 4, 0x0102_0304),
        load("lwl at 1", 0x22, 5, 0x0203_04dd),
        load("lwl at 2", 0x22, 6, 0x0304_dddd),
        load("lwl at 3", 0x22, 7, 0x04dd_dddd),
        load("lwr at 0", 0x26, 4, 0xdddd_dd01),
        load("lwr at 1", 0x26, 5, 0xdddd_0102),
        load("lwr at 2", 0x26, 6, 0xdd01_0203),
        load("lwr at 3", 0x26, 7, 0x0102_0304),
        // The address wraps around.
        case("lw from 2^32 - 4 + 8", imm(0x23, T0, T2, 8), 0xffff_fffc, 0, 0),
    ];
    cases.iter().for_each(check);
}

#[test]
fn stores() {
    let [first, second] = WORDS;
    let cases = [
        store("sb at 0", 0x28, 0, [0xd491_7ff3, second]),
        store("sb at 3", 0x28, 3, [0x8091_7fd4, second]),
        store("sh at 0", 0x29, 0, [0xc3d4_7ff3, second]),
        store("sh at 2", 0x29, 2, [0x8091_c3d4, second]),
        store("sh at 1", 0x29, 1, [0xc3d4_7ff3, second]),
        store("sh at 3", 0x29, 3, [0x8091_c3d4, second]),
        store("sw", 0x2b, 4, [first, 0xa1b2_c3d4]),
        store("sw at 2", 0x2b, 2, [0xa1b2_c3d4, second]),
        store("swl at 0", 0x2a, 4, [first, 0xa1b2_c3d4]),
        store("swl at 1", 0x2a, 5, [first, 0x01a1_b2c3]),
        store("swl at 2", 0x2a, 6, [first, 0x0102_a1b2]),
        store("swl at 3", 0x2a, 7, [first, 0x0102_03a1]),
        store("swr at 0", 0x2e, 4, [first, 0xd402_0304]),
        store("swr at 1", 0x2e, 5, [first, 0xc3d4_0304]),
        store("swr at 2", 0x2e, 6, [first, 0xb2c3_d404]),
        store("swr at 3", 0x2e, 7, [first, 0xa1b2_c3d4]),
    ];
    cases.iter().for_each(check);
    // sc stores, and its register becomes 1.
    let sc = Case { name: "sc", word: imm(0x38, T0, T2, 1), s: DATA, t: 0, after: (1, LO, HI, [D, second]) };
    check(&sc);
    let sc_zero = Case { word: imm(0x38, T0, 0, 0), after: (D, LO, HI, [0, second]), ..sc };
    check(&sc_zero);
}

#[test]
fn what_falls_through() {
    let cases = [
        case("nop", NOP, 1, 2, D),
        case("sync", special(0x0f, 0, 0, 0, 0), 1, 2, D),
        // With an rd, sync is a move.
        three("sync with rd", 0x0f, 42, 0, 42),
        case("bltzal", imm(0x01, T0, 0x10, 2), 0x8000_0000, 0, D),
        case("bgezal", imm(0x01, T0, 0x11, 2), 0, 0, D),
        case("bal", imm(0x01, 0, 0x11, 2), 0, 0, D),
        case("bltzl", imm(0x01, T0, 0x02, 2), 0x8000_0000, 0, D),
        case("bgezl", imm(0x01, T0, 0x03, 2), 0, 0, D),
        case("tgei", imm(0x01, T0, 0x08, 0), 0, 0, D),
        case("teqi", imm(0x01, T0, 0x0c, 0), 0, 0, D),
        case("synci", imm(0x01, T0, 0x1f, 0), 0, 0, D),
    ];
    for case in &cases {
        check(case);
        let mut vm = Vm::from_state(&state(case)).unwrap();
        vm.run(&mut Bare::default(), 3000).unwrap();
        assert_eq!(vm.registers()[31], 0, "{} does not link", case.name);
    }
}
