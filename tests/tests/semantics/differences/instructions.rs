//! Instructions that the contract executes, but not as the manual says, or where the manual says nothing.

use opml_onchain::RevertReason;
use opml_state::State;

use super::{Audit, Difference};
use crate::assembly::{D, DATA, DATA_WORDS, NOP, S, START, T, branch, immediate, program, special, word_at};
use crate::case::{field, function_of, in_delay_slot, is_branch, is_division, opcode, regimm};
use crate::manual;
use crate::on_chain::OnChain;

pub const LIST: &[Difference] = &[
    Difference {
        name: "overflow",
        audit: Audit::Refused,
        meets: Some(|case| {
            matches!(function_of(case.word, 0), Some(0x20 | 0x22)) || opcode(case.word) == 0x08
        }),
        show: |contract| {
            let most = i32::MAX as u32;
            assert_eq!(result(contract, special(0x20), most, 1), 0x8000_0000, "add");
            assert_eq!(result(contract, special(0x22), 0x8000_0000, 1), most, "sub");
            let addi = immediate(0x08, S, D, 1);
            assert_eq!(result(contract, addi, most, 0), 0x8000_0000, "addi");
        },
    },
    Difference {
        name: "rotr",
        audit: Audit::Refused,
        meets: Some(|case| function_of(case.word, 0) == Some(0x02) && field(case.word, 21) == 1),
        show: |contract| {
            let rotr = 0x0020_0002 | T << 16 | D << 11 | 4 << 6;
            assert_eq!(result(contract, rotr, 0, 0x1234_5678), 0x0123_4567, "a rotation gives 0x81234567");
        },
    },
    Difference {
        name: "rotrv",
        audit: Audit::Refused,
        meets: Some(|case| function_of(case.word, 0) == Some(0x06) && field(case.word, 6) == 1),
        show: |contract| {
            let rotrv = special(0x06) | 1 << 6;
            assert_eq!(result(contract, rotrv, 4, 0x1234_5678), 0x0123_4567, "a rotation gives 0x81234567");
        },
    },
    Difference {
        name: "srav",
        audit: Audit::Condition,
        meets: Some(|case| function_of(case.word, 0) == Some(0x07) && case.operand(21) >= 32),
        show: |contract| {
            assert_eq!(result(contract, special(0x07), 31, 0x8000_0000), u32::MAX, "below 32 as on MIPS");
            for amount in [32, 33, 63, 0x8000_0001, u32::MAX] {
                assert_eq!(result(contract, special(0x07), amount, 0x8000_0000), 0, "{amount}");
            }
        },
    },
    Difference {
        name: "division-by-zero",
        audit: Audit::NotSeen,
        meets: Some(|case| is_division(case.word) && case.operand(16) == 0),
        show: |contract| {
            for function in [0x1a, 0x1b] {
                let revert = contract.step(&program(&[S << 21 | T << 16 | function], &[(S, 5)]));
                let reason = revert.expect_err("a divisor of 0").reason();
                assert_eq!(reason, RevertReason::Text("MIPS: division by zero".into()));
            }
        },
    },
    Difference {
        name: "unaligned",
        audit: Audit::NotSeen,
        meets: Some(|case| matches!(opcode(case.word), 0x20..=0x30) && case.is_unaligned()),
        show: unaligned,
    },
    Difference {
        name: "linked",
        audit: Audit::Condition,
        meets: Some(|case| opcode(case.word) == 0x38),
        show: |contract| {
            // sc without any ll in front.
            let after = contract.steps(&program(&[immediate(0x38, S, T, 0)], &[(S, DATA), (T, 7)]), 1);
            assert_eq!((after.registers[T as usize], word_at(&after, DATA)), (1, 7));
        },
    },
    Difference {
        name: "branch-and-link",
        audit: Audit::Refused,
        meets: Some(|case| matches!(regimm(case.word), Some(0x10 | 0x11))),
        show: |contract| never_taken(contract, &[0x10, 0x11]),
    },
    Difference {
        name: "regimm-likely",
        audit: Audit::Refused,
        meets: Some(|case| matches!(regimm(case.word), Some(0x02 | 0x03 | 0x12 | 0x13))),
        show: |contract| never_taken(contract, &[0x02, 0x03, 0x12, 0x13]),
    },
    Difference {
        name: "regimm-trap",
        audit: Audit::Refused,
        meets: Some(|case| matches!(regimm(case.word), Some(0x08..=0x0c | 0x0e))),
        show: |contract| never_taken(contract, &[0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0e]),
    },
    Difference {
        name: "synci",
        audit: Audit::Refused,
        meets: Some(|case| regimm(case.word) == Some(0x1f)),
        show: |contract| never_taken(contract, &[0x1f]),
    },
    Difference {
        name: "regimm-reserved",
        audit: Audit::Refused,
        meets: Some(|case| matches!(regimm(case.word), Some(0x04..=0x07 | 0x0d | 0x0f | 0x14..=0x1e))),
        show: |contract| never_taken(contract, &[0x04, 0x05, 0x06, 0x07, 0x0d, 0x0f, 0x14, 0x17, 0x1e]),
    },
    Difference {
        name: "hi-lo-rd",
        audit: Audit::Refused,
        meets: Some(|case| {
            matches!(function_of(case.word, 0), Some(0x11 | 0x13 | 0x18..=0x1b)) && field(case.word, 11) != 0
        }),
        show: |contract| {
            for function in [0x11, 0x13, 0x18, 0x19, 0x1a, 0x1b] {
                let before = program(&[special(function)], &[(S, 7), (T, 2), (D, 5)]);
                let after = contract.steps(&before, 1);
                assert_eq!(after.registers[D as usize], 0, "function {function:#x} clears rd");
                assert_ne!((after.hi, after.lo), (0, 0), "and does its work");
            }
        },
    },
    Difference {
        name: "sync-rd",
        audit: Audit::Refused,
        meets: Some(|case| function_of(case.word, 0) == Some(0x0f) && field(case.word, 11) != 0),
        show: |contract| assert_eq!(result(contract, special(0x0f), 77, 0), 77, "it is a move from rs"),
    },
    Difference {
        name: "count-rt",
        audit: Audit::Refused,
        meets: Some(|case| {
            matches!(function_of(case.word, 0x1c), Some(0x20 | 0x21))
                && field(case.word, 16) != field(case.word, 11)
        }),
        show: |contract| {
            let counts = [0x20, 0x21].map(|f| 0x7000_0000 | special(f));
            assert_eq!(counts.map(|word| result(contract, word, 0x00ff_ffff, 0)), [8, 0]);
        },
    },
    Difference {
        name: "jalr-same",
        audit: Audit::Refused,
        meets: Some(|case| {
            function_of(case.word, 0) == Some(0x09) && field(case.word, 21) == field(case.word, 11)
        }),
        show: |contract| {
            let jalr = S << 21 | S << 11 | 0x09;
            let after = contract.steps(&program(&[jalr], &[(S, START + 0x40)]), 1);
            assert_eq!((after.next_pc, after.registers[S as usize]), (START + 0x40, START + 8));
        },
    },
    Difference {
        name: "unused-bits",
        audit: Audit::Refused,
        meets: Some(|case| manual::has_unused_bits(case.word)),
        show: unused_bits,
    },
    Difference {
        name: "branch-in-delay-slot",
        audit: Audit::Refused,
        meets: Some(|case| is_branch(case.word) && in_delay_slot(case.state)),
        show: |contract| {
            let slot = |contract: &mut OnChain, word| {
                let before = contract.steps(&program(&[branch(4), word], &[(S, START)]), 1);
                contract.step(&before).expect_err("it is in a delay slot").reason()
            };
            let jumps = [0x0800_0400, 0x0c00_0400, S << 21 | 0x08, S << 21 | 0x09];
            for word in jumps {
                assert_eq!(slot(contract, word), RevertReason::Text("jump in delay slot".into()));
            }
            for word in [branch(4), immediate(0x07, S, 0, 4), immediate(0x01, S, 1, 4)] {
                assert_eq!(slot(contract, word), RevertReason::Text("branch in delay slot".into()));
            }
        },
    },
    Difference {
        name: "regimm-in-delay-slot",
        audit: Audit::Refused,
        meets: Some(|case| regimm(case.word).is_some() && !is_branch(case.word) && in_delay_slot(case.state)),
        show: |contract| {
            // teqi and synci are no branches, and may be in a delay slot on MIPS.
            for selector in [0x0c, 0x1f] {
                let words = [branch(4), immediate(0x01, S, selector, 1)];
                let before = contract.steps(&program(&words, &[]), 1);
                let reason = contract.step(&before).expect_err("it is in a delay slot").reason();
                assert_eq!(reason, RevertReason::Text("branch in delay slot".into()));
            }
        },
    },
];

/// What `word` leaves in `D`.
fn result(contract: &mut OnChain, word: u32, s: u32, t: u32) -> u32 {
    let after = contract.steps(&program(&[word], &[(S, s), (T, t), (D, 0x5555_5555)]), 1);
    after.registers[D as usize]
}

/// The contract takes each word of opcode 1 for a branch, and all but two for one that is never taken.
fn never_taken(contract: &mut OnChain, selectors: &[u32]) {
    for &selector in selectors {
        for value in [0, 1, 0x8000_0000] {
            let before = program(&[immediate(0x01, S, selector, 1), NOP], &[(S, value)]);
            let after = contract.steps(&before, 1);
            let expected = State { pc: START + 4, next_pc: START + 8, step: 1, ..before };
            assert_eq!(after, expected, "selector {selector:#x} of {value:#x} does nothing");
        }
    }
}

fn unaligned(contract: &mut OnChain) {
    let [first, second] = DATA_WORDS;
    for by in 1..4 {
        assert_eq!(result(contract, immediate(0x23, S, D, 0), DATA + by, 0), first, "lw at {by}");
        let after = contract.steps(&program(&[immediate(0x2b, S, T, 0)], &[(S, DATA + by), (T, 7)]), 1);
        assert_eq!([DATA, DATA + 4].map(|at| word_at(&after, at)), [7, second], "sw at {by}");
    }
    for (by, signed, unsigned, stored) in
        [(1, 0xffff_8182, 0x8182, 0x0007_8384), (3, 0xffff_8384, 0x8384, 0x8182_0007)]
    {
        assert_eq!(result(contract, immediate(0x21, S, D, 0), DATA + by, 0), signed, "lh at {by}");
        assert_eq!(result(contract, immediate(0x25, S, D, 0), DATA + by, 0), unsigned, "lhu at {by}");
        let after = contract.steps(&program(&[immediate(0x29, S, T, 0)], &[(S, DATA + by), (T, 7)]), 1);
        assert_eq!(word_at(&after, DATA), stored, "sh at {by}");
    }
}

/// The contract does not look at them.
fn unused_bits(contract: &mut OnChain) {
    let pairs = [
        // sll with rs, srl with the upper bits of rs, addu with sa, lui with rs, mul with sa, mfhi with rs
        (T << 16 | D << 11 | 3 << 6, S << 21),
        (T << 16 | D << 11 | 3 << 6 | 0x02, 4 << 21),
        (special(0x21), 9 << 6),
        (immediate(0x0f, 0, D, 5), S << 21),
        (0x7000_0002 | special(0), 9 << 6),
        (D << 11 | 0x10, S << 21),
        // jr with rt and rd, jalr with rt, blez with rt
        (S << 21 | 0x08, T << 16 | D << 11),
        (S << 21 | D << 11 | 0x09, T << 16),
        (immediate(0x06, 0, 0, 4), T << 16),
        // sync with rs
        (0x0f, S << 21),
    ];
    let registers = [(S, 0x2000), (T, 0x1234_5678)];
    for (word, unused) in pairs {
        assert!(manual::has_unused_bits(word | unused) && !manual::has_unused_bits(word), "{word:#x}");
        let plain = contract.steps(&program(&[word], &registers), 1);
        let odd = contract.steps(&program(&[word | unused], &registers), 1);
        assert_eq!(odd, State { memory: odd.memory.clone(), ..plain }, "{word:#x} with {unused:#x}");
    }
}
