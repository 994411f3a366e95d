//! What the contract reverts on: each is refused with its reason, and nothing of the step is done.

mod common;

use common::*;
use opml_vm::{Reason, Vm, VmError};

/// Checks that `word` is refused for `reason`, as a first step and in the middle of a run.
fn refused(word: u32, registers: &[(usize, u32)], reason: Reason) {
    for before in [0, 2000] {
        let mut words = vec![addiu(A0, A0, 1); before];
        words.extend([word, beq(ZERO, ZERO, -1), NOP]);
        let mut state = program(&words);
        for &(register, value) in registers {
            state.registers[register] = value;
        }
        let mut vm = Vm::from_state(&state).unwrap();
        let error = vm.run(&mut Bare::default(), 100_000).unwrap_err();
        let VmError::Unprovable { step, pc, word: at, reason: got } = error else { panic!("{error:?}") };
        assert_eq!((step, pc), (before as u64, START + 4 * before as u32), "{word:#010x}");
        assert_eq!((at, got), (word, reason), "{word:#010x}");
        let mut expected = state.registers;
        expected[4] += before as u32;
        assert_eq!(vm.registers(), &expected, "{word:#010x}");
    }
}

#[test]
fn division_by_zero() {
    for func in [0x1a, 0x1b] {
        refused(special(func, T0, T1, 0, 0), &[(8, 5)], Reason::DivisionByZero);
        refused(special(func, T0, T1, T2, 0), &[(8, 5)], Reason::DivisionByZero);
    }
}

#[test]
fn division_by_zero_in_a_delay_slot() {
    let words = [beq(ZERO, ZERO, 2), special(0x1a, T0, T1, 0, 0), NOP, NOP];
    let mut vm = Vm::from_state(&program(&words)).unwrap();
    let error = vm.run(&mut Bare::default(), 5000).unwrap_err();
    assert!(
        matches!(error, VmError::Unprovable { step: 1, pc: 0x1004, reason: Reason::DivisionByZero, .. }),
        "{error:?}"
    );
}

#[test]
fn unknown_instructions() {
    let unknown = |word| refused(word, &[(8, 0x2000), (9, 3)], Reason::UnknownInstruction);
    // movci, sll with 5, break, 0x0e, 0x14 to 0x17, 0x1c to 0x1f, 0x28, 0x29, and the traps.
    for func in [0x01, 0x05, 0x0d, 0x0e].into_iter().chain(0x14..=0x17).chain(0x1c..=0x1f) {
        unknown(special(func, T0, T1, T2, 0));
    }
    for func in [0x28, 0x29].into_iter().chain(0x2c..=0x3f) {
        unknown(special(func, T0, T1, T2, 0));
    }
    // madd, maddu, msub, msubu and everything else but mul, clz and clo.
    for func in (0..0x40).filter(|func| ![0x02, 0x20, 0x21].contains(func)) {
        unknown(special2(func, T0, T1, T2));
    }
    // Coprocessors, branches likely, and 64-bit arithmetic.
    for opcode in (0x10..0x1c).chain(0x1d..0x20) {
        unknown(imm(opcode, T0, T1, 0));
    }
    // ext, ins, seb, seh, wsbh, rdhwr.
    for func in [0x00, 0x04, 0x20, 0x3b] {
        unknown(0x1f << 26 | special(func, T0, T1, T2, 0));
    }
    // 64-bit and coprocessor loads and stores, cache, pref.
    for opcode in [0x27, 0x2c, 0x2d, 0x2f].into_iter().chain(0x31..=0x37).chain(0x39..=0x3f) {
        unknown(imm(opcode, T0, T1, 0));
    }
}

#[test]
fn the_report_says_what_and_where() {
    let mut vm = Vm::from_state(&program(&[0x0000_000d])).unwrap();
    let error = vm.step(&mut Bare::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "step 0 cannot be proven on chain: no instruction of this VM (pc 0x00001000, instruction 0x0000000d)"
    );
}
