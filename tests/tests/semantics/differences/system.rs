//! System calls: where the contract differs from Linux on MIPS (its o32 calls), from which their numbers are.

use opml_abi::{keccak256_key, local_key};
use opml_onchain::RevertReason;
use opml_state::{Hash, State, keccak256};

use super::{Audit, Difference};
use crate::assembly::{A3, DATA, DATA_WORDS, START, V0, system_call, word_at};
use crate::on_chain::OnChain;

const READ: u32 = 4003;
const WRITE: u32 = 4004;
const BRK: u32 = 4045;
const FCNTL: u32 = 4055;
const MMAP: u32 = 4090;
const CLONE: u32 = 4120;
const EXIT_GROUP: u32 = 4246;

const EBADF: u32 = 9;
const EINVAL: u32 = 22;

pub const LIST: &[Difference] = &[
    Difference {
        name: "unknown-call",
        audit: Audit::Refused,
        meets: None,
        show: |contract| {
            // exit, getpid, and no call at all
            for number in [4001, 4020, 0, 1, u32::MAX] {
                assert_eq!(call(contract, number, &[1, 2, 3]), (0, 0), "call {number}");
            }
        },
    },
    Difference {
        name: "error-numbers",
        audit: Audit::NotSeen,
        meets: None,
        show: |contract| {
            for descriptor in [1, 2, 4, 6, 7, u32::MAX] {
                assert_eq!(call(contract, READ, &[descriptor, DATA, 4]), (u32::MAX, EBADF));
            }
            for descriptor in [0, 3, 5, 7, u32::MAX] {
                assert_eq!(call(contract, WRITE, &[descriptor, DATA, 4]), (u32::MAX, EBADF));
            }
            assert_eq!(call(contract, FCNTL, &[7, 3]), (u32::MAX, EBADF));
        },
    },
    Difference {
        name: "clobbered-registers",
        audit: Audit::Harmless,
        meets: None,
        show: |contract| {
            let mut before = system_call(BRK, &[]);
            before.registers = std::array::from_fn(|i| if i == V0 { BRK } else { 7 * i as u32 });
            let after = contract.steps(&before, 1);
            let changed: Vec<usize> =
                (0..32).filter(|&i| before.registers[i] != after.registers[i]).collect();
            assert_eq!(changed, [V0, A3]);
        },
    },
    Difference {
        name: "exit-group",
        audit: Audit::Harmless,
        meets: None,
        show: |contract| {
            let before = system_call(EXIT_GROUP, &[0x1_02]);
            let after = contract.steps(&before, 1);
            let expected = State { exited: true, exit_code: 2, step: 1, ..before };
            assert_eq!(after, expected, "the step counts, the pc stays, the code has 8 bits");
        },
    },
    Difference {
        name: "memory-calls",
        audit: Audit::NotSeen,
        meets: None,
        show: |contract| {
            assert_eq!(call(contract, BRK, &[0x5000_0000]), (0x4000_0000, 0), "brk");
            assert_eq!(call(contract, MMAP, &[0x1234, 1]), (0x1234, 0), "mmap gives back any hint");
            let before = State { heap: 0xffff_f000, ..system_call(MMAP, &[0, 4097]) };
            let after = contract.steps(&before, 1);
            assert_eq!((after.registers[V0], after.heap), (0xffff_f000, 0x1000), "the heap wraps around");
            assert_eq!(after.memory, before.memory);
        },
    },
    Difference {
        name: "clone",
        audit: Audit::NotSeen,
        meets: None,
        show: |contract| assert_eq!(call(contract, CLONE, &[0, 0]), (1, 0)),
    },
    Difference {
        name: "fcntl",
        audit: Audit::NotSeen,
        meets: None,
        show: |contract| {
            let flags = (0..7).map(|fd| call(contract, FCNTL, &[fd, 3]));
            assert_eq!(flags.collect::<Vec<_>>(), [0, 1, 1, 0, 1, 0, 1].map(|flag| (flag, 0)));
            for command in [0, 1, 2, 4] {
                assert_eq!(call(contract, FCNTL, &[1, command, 0]), (u32::MAX, EINVAL));
            }
        },
    },
    Difference {
        name: "streams",
        audit: Audit::NotSeen,
        meets: None,
        show: |contract| {
            assert_eq!(call(contract, READ, &[0, DATA, 4]), (0, 0), "standard input is at its end");
            // The off-chain VM takes no hints as long as the rest of memory, so one of 100 bytes.
            for (descriptor, count) in [(1, u32::MAX), (2, u32::MAX), (4, 100)] {
                let written = call(contract, WRITE, &[descriptor, 0xffff_fff0, count]);
                assert_eq!(written, (count, 0), "all, wherever it is");
            }
        },
    },
    Difference {
        name: "hint-response",
        audit: Audit::NotSeen,
        meets: None,
        show: |contract| {
            let before = system_call(READ, &[3, DATA, 77]);
            let after = contract.steps(&before, 1);
            assert_eq!((after.registers[V0], after.registers[A3]), (77, 0));
            assert_eq!(after.memory, before.memory, "nothing is written");
        },
    },
    Difference { name: "partial-transfers", audit: Audit::NotSeen, meets: None, show: partial_transfers },
    Difference { name: "preimage-end", audit: Audit::NotSeen, meets: None, show: preimage_end },
    Difference {
        name: "local-value-length",
        audit: Audit::NotSeen,
        meets: None,
        show: |contract| {
            let key = local_key(1);
            contract.preimages.0.insert(key, vec![7; 32].into());
            assert_eq!(contract.steps(&reads(key, 0, DATA, 4), 1).registers[V0], 4);
            contract.preimages.0.insert(key, vec![7; 33].into());
            let revert = contract.step(&reads(key, 0, DATA, 4)).expect_err("33 bytes can't be loaded");
            assert_eq!(revert.reason(), not_loaded());
        },
    },
];

/// `PreimageOracle.sol`, `readPreimage`, of a part that nobody has loaded.
fn not_loaded() -> RevertReason {
    RevertReason::Text("pre-image must exist".into())
}

/// Result and error of a system call.
fn call(contract: &mut OnChain, number: u32, arguments: &[u32]) -> (u32, u32) {
    let before = system_call(number, arguments);
    let after = contract.steps(&before, 1);
    assert_eq!((after.pc, after.next_pc), (START + 4, START + 8));
    (after.registers[V0], after.registers[A3])
}

/// The state before a read of the preimage of `key` from `offset`, the length of 8 bytes included.
fn reads(key: [u8; 32], offset: u32, address: u32, count: u32) -> State {
    let before = system_call(READ, &[5, address, count]);
    State { preimage_key: Hash(key), preimage_offset: offset, ..before }
}

fn partial_transfers(contract: &mut OnChain) {
    let value = b"0123456789abcdef";
    let key = keccak256_key(keccak256(value).0);
    contract.preimages.0.insert(key, value[..].into());
    for (at, expected) in [(0, 4), (1, 3), (2, 2), (3, 1)] {
        let after = contract.steps(&reads(key, 8, DATA + at, 16), 1);
        assert_eq!((after.registers[V0], after.preimage_offset), (expected, 8 + expected));
        let mut word = DATA_WORDS[0].to_be_bytes();
        word[at as usize..].copy_from_slice(&value[..expected as usize]);
        assert_eq!(word_at(&after, DATA), u32::from_be_bytes(word), "to the end of the word");

        let after = contract.steps(&system_call(WRITE, &[6, DATA + at, 16]), 1);
        let mut key = [0; 32];
        key[32 - expected as usize..].copy_from_slice(&DATA_WORDS[0].to_be_bytes()[at as usize..]);
        assert_eq!((after.registers[V0], after.preimage_key), (expected, Hash(key)));
    }
}

fn preimage_end(contract: &mut OnChain) {
    let value = [1, 2, 3, 4, 5];
    let (hashed, local) = (keccak256_key(keccak256(&value).0), local_key(2));
    contract.preimages.0.insert(hashed, value[..].into());
    contract.preimages.0.insert(local, value[..].into());
    let end = 8 + value.len() as u32;
    for key in [hashed, local] {
        assert_eq!(contract.steps(&reads(key, end - 1, DATA, 4), 1).registers[V0], 1);
        let revert = contract.step(&reads(key, end + 1, DATA, 4)).expect_err("behind the end");
        assert_eq!(revert.reason(), not_loaded());
    }
    let revert = contract.step(&reads(hashed, end, DATA, 4)).expect_err("there is no part at the end");
    assert_eq!(revert.reason(), not_loaded());
    assert_eq!(contract.steps(&reads(local, end, DATA, 4), 1).registers[V0], 0);
}
