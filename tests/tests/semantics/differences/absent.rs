//! Instructions that the contract does not have: it reverts, whatever their operands.

use opml_onchain::RevertReason;

use super::{Audit, Difference};
use crate::assembly::{DATA, S, T, immediate, program, special};
use crate::case::{function_of, opcode};
use crate::on_chain::OnChain;

pub const LIST: &[Difference] = &[
    Difference {
        name: "trap",
        audit: Audit::Refused,
        meets: Some(|case| matches!(function_of(case.word, 0), Some(0x30..=0x34 | 0x36))),
        // teq of unequal registers, which does not trap on MIPS, too.
        show: |contract| reverts(contract, &[special(0x34), special(0x30), special(0x36)]),
    },
    Difference {
        name: "break",
        audit: Audit::Refused,
        meets: Some(|case| function_of(case.word, 0) == Some(0x0d)),
        show: |contract| reverts(contract, &[0x0000_000d, 0x0007_000d]),
    },
    Difference {
        name: "movf",
        audit: Audit::Refused,
        meets: Some(|case| function_of(case.word, 0) == Some(0x01)),
        show: |contract| reverts(contract, &[0x0100_5001, 0x0101_5001]),
    },
    Difference {
        name: "coprocessors",
        audit: Audit::Refused,
        meets: Some(|case| matches!(opcode(case.word), 0x10..=0x13)),
        // mfc0, mfc1, add.s, bc1f, mfc2, lwxc1
        show: |contract| {
            let words = [0x4008_6000, 0x4408_0000, 0x4600_0000, 0x4500_0001, 0x4808_0000, 0x4c00_0000];
            reverts(contract, &words);
        },
    },
    Difference {
        name: "coprocessor-memory",
        audit: Audit::Refused,
        meets: Some(|case| {
            matches!(opcode(case.word), 0x31 | 0x32 | 0x35 | 0x36 | 0x39 | 0x3a | 0x3d | 0x3e)
        }),
        show: |contract| {
            let opcodes = [0x31, 0x32, 0x35, 0x36, 0x39, 0x3a, 0x3d, 0x3e];
            reverts(contract, &opcodes.map(|opcode| immediate(opcode, S, T, 0)));
        },
    },
    Difference {
        name: "likely",
        audit: Audit::Refused,
        meets: Some(|case| matches!(opcode(case.word), 0x14..=0x17)),
        show: |contract| {
            reverts(contract, &[0x14, 0x15].map(|opcode| immediate(opcode, S, T, 1)));
            reverts(contract, &[0x16, 0x17].map(|opcode| immediate(opcode, S, 0, 1)));
        },
    },
    Difference {
        name: "multiply-add",
        audit: Audit::Refused,
        meets: Some(|case| {
            function_of(case.word, 0x1c).is_some_and(|function| !matches!(function, 0x02 | 0x20 | 0x21))
        }),
        // madd, maddu, msub, msubu, sdbbp
        show: |contract| reverts(contract, &[0, 1, 4, 5, 0x3f].map(|f| 0x7109_0000 | f)),
    },
    Difference {
        name: "release-2",
        audit: Audit::Refused,
        meets: Some(|case| opcode(case.word) == 0x1f),
        // ext, ins, wsbh, seb, seh, rdhwr
        show: |contract| {
            let words = [0x7d09_3800, 0x7d09_3804, 0x7c09_50a0, 0x7c09_5420, 0x7c09_5620, 0x7c09_e83b];
            reverts(contract, &words);
        },
    },
    Difference {
        name: "cache",
        audit: Audit::Refused,
        meets: Some(|case| matches!(opcode(case.word), 0x2f | 0x33)),
        show: |contract| reverts(contract, &[0x2f, 0x33].map(|opcode| immediate(opcode, S, 1, 0))),
    },
    Difference {
        name: "reserved",
        audit: Audit::Refused,
        meets: Some(|case| match opcode(case.word) {
            0x00 => matches!(
                case.word & 0x3f,
                0x05 | 0x0e | 0x14..=0x17 | 0x1c..=0x1f | 0x28 | 0x29 | 0x2c..=0x2f | 0x35 | 0x37..=0x3f
            ),
            opcode => matches!(
                opcode,
                0x18..=0x1b | 0x1d | 0x1e | 0x27 | 0x2c | 0x2d | 0x34 | 0x37 | 0x3b | 0x3c | 0x3f
            ),
        }),
        // dsllv, dmult, daddu of MIPS64, and its daddiu, ldl, lwu, ld, sd
        show: |contract| {
            reverts(contract, &[0x14, 0x1c, 0x2d, 0x3f].map(special));
            let opcodes = [0x19, 0x1a, 0x27, 0x37, 0x3f];
            reverts(contract, &opcodes.map(|opcode| immediate(opcode, S, T, 0)));
        },
    },
];

fn reverts(contract: &mut OnChain, words: &[u32]) {
    for &word in words {
        let revert = contract.step(&program(&[word], &[(S, DATA), (T, 1)]));
        let reason = revert.expect_err("the contract has no such instruction").reason();
        assert_eq!(reason, RevertReason::Text("invalid instruction".into()), "{word:#010x}");
    }
}
