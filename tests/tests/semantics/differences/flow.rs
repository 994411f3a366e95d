//! What differs between instructions: order, addresses, state that MIPS has and the contract has not.

use opml_onchain::RevertReason;
use opml_state::State;

use super::{Audit, Difference};
use crate::assembly::{
    D, DATA, DATA_WORDS, NOP, S, START, SYSCALL, T, branch, immediate, program, special, word_at,
};

pub const LIST: &[Difference] = &[
    Difference {
        name: "untaken-delay-slot",
        audit: Audit::Refused,
        meets: None,
        show: |contract| {
            // bne $zero, $zero with a branch in its delay slot.
            let words = [immediate(0x05, 0, 0, 4), branch(8), NOP];
            let after = contract.steps(&program(&words, &[]), 2);
            assert_eq!((after.pc, after.next_pc), (START + 8, START + 8 + 32));
        },
    },
    Difference {
        name: "unaligned-pc",
        audit: Audit::NotSeen,
        meets: None,
        show: |contract| {
            for by in 1..4 {
                let jr = S << 21 | 0x08;
                let before = contract.steps(&program(&[jr, NOP], &[(S, START + by)]), 2);
                assert_eq!(before.pc, START + by);
                let revert = contract.step(&before).expect_err("the pc is no multiple of 4");
                assert_eq!(revert.reason(), RevertReason::Silent);
            }
        },
    },
    Difference {
        name: "address-space",
        audit: Audit::NotSeen,
        meets: None,
        show: |contract| {
            for address in [0x8000_0000, 0xa000_0004, 0xffff_fffc] {
                let words = [immediate(0x2b, S, T, 0), immediate(0x23, S, D, 0)];
                let after = contract.steps(&program(&words, &[(S, address), (T, 7)]), 2);
                assert_eq!(after.registers[D as usize], 7, "stored to {address:#x} and loaded");
            }
            // Nothing is mapped or forbidden: memory that nobody wrote reads as zero, and runs as nop.
            let lw = immediate(0x23, S, D, 0);
            let before = program(&[S << 21 | 0x08, lw], &[(S, 0xffff_fffc), (D, 5)]);
            let after = contract.steps(&before, 3);
            assert_eq!((after.registers[D as usize], after.pc, after.next_pc), (0, 0, 4), "the pc wraps");
        },
    },
    Difference {
        name: "stored-code",
        audit: Audit::NotSeen,
        meets: None,
        show: |contract| {
            // sw over the very next word: addiu in place of nop.
            let addiu = immediate(0x09, 0, D, 9);
            let words = [immediate(0x2b, S, T, 4), NOP];
            let after = contract.steps(&program(&words, &[(S, START), (T, addiu)]), 2);
            assert_eq!(after.registers[D as usize], 9);
        },
    },
    Difference {
        name: "quotient-overflow",
        audit: Audit::Harmless,
        meets: None,
        show: |contract| {
            let div = S << 21 | T << 16 | 0x1a;
            let after = contract.steps(&program(&[div], &[(S, 0x8000_0000), (T, u32::MAX)]), 1);
            assert_eq!((after.lo, after.hi), (0x8000_0000, 0));
        },
    },
    Difference {
        name: "kept-hi-lo",
        audit: Audit::Harmless,
        meets: None,
        show: |contract| {
            let (mult, mul) = (S << 21 | T << 16 | 0x18, 0x7000_0000 | special(0x02));
            let mthi = S << 21 | 0x11;
            let after = contract.steps(&program(&[mult, mul, mthi], &[(S, 0x1_0000), (T, 0x3_0000)]), 3);
            assert_eq!((after.hi, after.lo), (0x1_0000, 0), "mul keeps both, mthi keeps lo");
            let after = contract.steps(&program(&[mult, mul], &[(S, 0x1_0000), (T, 0x3_0000)]), 2);
            assert_eq!((after.hi, after.lo), (3, 0));
        },
    },
    Difference {
        name: "register-zero",
        audit: Audit::Harmless,
        meets: None,
        show: |contract| {
            // addu $t2, $zero, $zero in a state that no program reaches.
            let mut before = program(&[D << 11 | 0x21], &[]);
            before.registers[0] = 5;
            assert_eq!(contract.steps(&before, 1).registers[D as usize], 10);
            // No instruction writes it: a load, a product, a link, sc.
            let words = [
                immediate(0x23, S, 0, 0),
                0x7000_0002 | S << 21 | T << 16,
                immediate(0x38, S, 0, 0),
                S << 21 | 0x09,
            ];
            let after = contract.steps(&program(&words, &[(S, DATA), (T, 3)]), 4);
            assert_eq!(after.registers[0], 0);
            assert_eq!([DATA, DATA + 4].map(|at| word_at(&after, at)), [0, DATA_WORDS[1]]);
        },
    },
    Difference {
        name: "after-the-exit",
        audit: Audit::Harmless,
        meets: None,
        show: |contract| {
            let before = State { exited: true, exit_code: 3, step: 9, ..program(&[0x0000_000d], &[]) };
            assert_eq!(contract.steps(&before, 2), before, "not even the step is counted");
        },
    },
    Difference {
        name: "system-call-in-delay-slot",
        audit: Audit::NotSeen,
        meets: None,
        show: |contract| {
            let after = contract.steps(&program(&[branch(4), SYSCALL], &[(2, 4045)]), 2);
            assert_eq!((after.registers[2], after.pc), (0x4000_0000, START + 4 + 16));
        },
    },
];
