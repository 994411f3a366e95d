//! Whole runs of small guests, step by step; proofs of them, sound and damaged.

mod common;

use common::assembler::echo::echo;
use common::assembler::*;
use common::*;
use opml_abi::{exit, syscall};
use opml_isa::decode;
use opml_onchain::conform::{Plan, conform, run_conform};
use opml_onchain::{Agreed, CallError, LockstepError, check, lockstep};
use opml_state::cannon::{ProofError, StepProof};
use opml_state::{Hash, State, hash_witness, keccak256};
use opml_vm::{GuestHost, Prover, Request, Stop, Vm};

/// Where the guest begins, with the part that stands before the echo.
const FIRST: u32 = 0x8000;

/// Length of the input: what the echo has room for. It reads it word by word, each with a system call.
const INPUT: usize = 200;

/// Times round the loop that fills memory.
const ROUNDS: u32 = 1000;

/// A guest that takes memory with mmap and fills it with products and quotients, then echoes its input.
fn guest() -> State {
    let mut words = vec![addiu(V0, ZERO, syscall::MMAP as i32), addiu(A0, ZERO, 0)];
    words.extend(set(A1, 5000));
    words.extend([SYSCALL, addu(T0, V0, ZERO), addiu(T1, ZERO, ROUNDS as i32)]);
    let head = words.len() as i32;
    words.extend([
        special2(0x02, T1, T1, T2),
        special(0x1b, T2, T1, 0, 0),
        special(0x10, 0, 0, A1, 0),
        sw(T2, T0, 0),
        // One byte further each time, over the borders of pages and leaves.
        imm(0x2e, T0, A1, 5),
        addiu(T0, T0, 3),
        addiu(T1, T1, -1),
    ]);
    let back = head - words.len() as i32 - 1;
    words.extend([bne(T1, ZERO, back), NOP, j(START), NOP]);
    let mut state = echo(INPUT as u32);
    put(&mut state.memory, FIRST, &words);
    State { pc: FIRST, next_pc: FIRST + 4, ..state }
}

fn host() -> GuestHost {
    let input = random_bytes("input", INPUT);
    GuestHost::new(Request { claim: keccak256(&input), input, ..Request::default() })
}

#[test]
fn a_whole_run_is_agreed_on() {
    let (mut contract, mut host) = (contract(), host());
    let mut prover = Prover::new(&guest()).unwrap();
    while prover.vm().exit_code().is_none() {
        let agreed =
            lockstep(&mut contract, &mut prover, &mut host).unwrap_or_else(|error| panic!("{error}"));
        assert!(matches!(agreed, Agreed::Executed { .. }), "{agreed:?}");
    }
    assert!((9_000..13_000).contains(&prover.vm().step_count()), "{} steps", prover.vm().step_count());
    // The run did what it is for: input, output, memory from mmap.
    assert_eq!(prover.vm().exit_code(), Some(exit::EQUAL));
    assert_eq!(host.output_blob(), Some(random_bytes("input", INPUT).as_slice()));
    assert_eq!(host.stdout(), b"output");
    assert_eq!(prover.vm().state().heap, 0x2000_2000);
    assert_ne!(prover.vm().memory(0x2000_0000 + 3 * ROUNDS - 4, 4), [0; 4]);
}

fn steps() -> u64 {
    let mut vm = Vm::from_state(&guest()).unwrap();
    assert!(matches!(vm.run(&mut host(), 100_000), Ok(Stop::Exited { .. })));
    vm.step_count()
}

#[test]
fn chosen_steps_of_a_run_conform() {
    let plan = Plan { steps: steps(), first: 100, last: 50, random: 200 };
    let mut prover = Prover::new(&guest()).unwrap();
    let shown = run_conform(&mut contract(), &mut prover, &mut host(), &plan).unwrap();
    assert_eq!(shown.steps, plan.steps);
    // Reads of the input and of two roots word by word, keys, hints, output, mmap, exit.
    assert!(shown.system_calls > INPUT as u64 / 4, "{shown:?}");
    // Some of the random ones are system calls, too.
    assert!(shown.steps_compared > shown.system_calls + 200, "{shown:?}");
    assert!((50_000..200_000).contains(&shown.max_gas) && shown.max_gas_step < plan.steps, "{shown:?}");
    for steps in [plan.steps - 1, plan.steps + 1] {
        let mut prover = Prover::new(&guest()).unwrap();
        let plan = Plan { steps, first: 0, last: 0, random: 0 };
        let error = run_conform(&mut contract(), &mut prover, &mut host(), &plan).unwrap_err();
        let LockstepError::Length { expected, got } = error else { panic!("{error}") };
        // One step more than expected is told as soon as it comes.
        assert_eq!((expected, got), (steps, self::steps()));
    }
}

#[test]
fn every_kind_of_instruction_of_an_image_conforms() {
    let mut image = guest();
    // A word that is none, which both refuse wherever it stands.
    put(&mut image.memory, FIRST + 0x100, &[0xffff_ffff]);
    let code = [START..START + 0x400, FIRST..FIRST + 0x104];
    let shown = conform(&mut contract(), &image, &code).unwrap_or_else(|error| panic!("{error}"));
    let names: Vec<&str> = shown.encodings.iter().map(|encoding| encoding.mnemonic).collect();
    for name in
        ["addiu", "addu", "bne", "divu", "j", "lui", "lw", "mfhi", "mul", "nop", "sw", "swr", "syscall"]
    {
        assert!(names.contains(&name), "{name} of {names:?}");
    }
    for encoding in &shown.encodings {
        let least = 4 * encoding.occurrences.min(3);
        assert!(encoding.steps_compared >= least, "{encoding:?}");
        let refused = match encoding.mnemonic {
            ".word" => encoding.steps_compared,
            // In a delay slot.
            "bne" | "j" => encoding.steps_compared / 6,
            // Registers of zeros.
            "divu" => encoding.steps_compared / 6,
            _ => 0,
        };
        assert_eq!(encoding.refused, refused, "{encoding:?}");
    }
    assert_eq!(shown.steps_compared, shown.encodings.iter().map(|e| e.steps_compared).sum::<u64>());
    assert_eq!(shown.max_gas, shown.encodings.iter().map(|e| e.max_gas).max().unwrap());
    let json = serde_json::to_value(&shown).unwrap();
    assert_eq!(json["encodings"][0]["mnemonic"], shown.encodings[0].mnemonic);
}

/// The proof of a step that stores, and that of one that reads the preimage.
fn proofs() -> [StepProof; 2] {
    let (mut prover, mut host) = (Prover::new(&guest()).unwrap(), host());
    let mut found = [None, None];
    while found.iter().any(Option::is_none) {
        let word = u32::from_be_bytes(prover.vm().memory(prover.vm().pc(), 4).try_into().unwrap());
        let proof = prover.step(&mut host).unwrap();
        if decode(word).mnemonic().name() == "sw" {
            found[0] = Some(proof);
        } else if proof.oracle.is_some() {
            found[1] = Some(proof);
        }
    }
    found.map(Option::unwrap)
}

#[test]
fn sound_proofs_pass_and_each_flipped_byte_is_seen() {
    let mut contract = contract();
    for proof in proofs() {
        let executed = check(&mut contract, &proof).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((executed.post_hash, hash_witness(&executed.post_witness)), (proof.post, proof.post));
        assert!((50_000..200_000).contains(&executed.gas), "{}", executed.gas);
        for at in (0..proof.proof_data.len()).step_by(31) {
            let mut damaged = proof.clone();
            damaged.proof_data[at] ^= 1;
            let error = check(&mut contract, &damaged).unwrap_err();
            match at < proof.proof_data.len() / 2 {
                true => {
                    assert!(matches!(error, LockstepError::Proof(ProofError::Inconsistent { .. })), "{at}")
                }
                false => assert!(matches!(error, LockstepError::DataMemory { .. }), "{at}: {error}"),
            }
        }
        let damaged = StepProof { post: Hash([7; 32]), ..proof.clone() };
        let error = check(&mut contract, &damaged).unwrap_err();
        let LockstepError::WrongPost { expected, got } = error else { panic!("{error}") };
        assert_eq!((expected, got), (proof.post, Hash([7; 32])));
    }
}

/// A proof with other state data, made consistent again.
fn with_state(proof: &StepProof, change: impl FnOnce(&mut [u8; 226])) -> StepProof {
    let mut proof = proof.clone();
    change(&mut proof.state_data);
    StepProof { pre: hash_witness(&proof.state_data), ..proof }
}

#[test]
fn hostile_proofs_end_in_an_error() {
    let mut contract = contract();
    let [store, read] = proofs();
    // Place of the exited flag, of the preimage offset, of registers in a witness.
    let error = check(&mut contract, &with_state(&store, |state| state[89] = 2)).unwrap_err();
    assert!(matches!(error, LockstepError::NoFlag { got: 2 }), "{error}");
    let mut unread = read.clone();
    unread.oracle = None;
    let error = check(&mut contract, &unread).unwrap_err();
    assert!(matches!(error, LockstepError::Vm(opml_vm::VmError::Preimage { .. })), "{error}");
    let mut behind = with_state(&read, |state| state[64..68].copy_from_slice(&9999u32.to_be_bytes()));
    behind.oracle.as_mut().unwrap().offset = 9999;
    let error = check(&mut contract, &behind).unwrap_err();
    assert!(
        matches!(error, LockstepError::Unprovable { reason: opml_vm::Reason::PreimageOffset }),
        "{error}"
    );
    let error = check(&mut contract, &with_state(&store, |state| state[100] ^= 1)).unwrap_err();
    assert!(matches!(error, LockstepError::WrongPost { .. } | LockstepError::DataMemory { .. }), "{error}");
    // State data of another length never comes out of a file, but the contract is asked with any bytes.
    for length in [0, 1, 225, 500] {
        let result = contract.step(&vec![0; length], &store.proof_data, [0; 32]);
        assert!(matches!(result, Err(CallError::Reverted(_))), "{length}: {result:?}");
    }
}
