//! Breakpoints, watches and the way back: what a debugger does with a run, which changes nothing of it.

mod common;

use common::*;
use opml_state::{Hash, State};
use opml_vm::{Access, Checkpoints, Halt, Stop, Vm, Watch};

const BUFFER: u32 = 0x0010_0000;

/// Adds up the counter of a loop in memory, and every 16 rounds writes to another page.
fn program_of_pages() -> State {
    let mut words = set(T0, BUFFER).to_vec();
    words.extend([
        // The loop begins here, at START + 8.
        addiu(T1, T1, 1),
        lw(T2, T0, 0),
        addu(T2, T2, T1),
        sw(T2, T0, 0),
        // t3 = the page of the round.
        special(0x00, 0, T1, 11, 8),
        imm(0x0c, 11, 11, 0xf000),
        addu(11, T0, 11),
        sw(T1, 11, 8),
        bne(T1, ZERO, -9),
        NOP,
    ]);
    program(&words)
}

const LOOP: u32 = START + 8;
/// Words of the loop.
const ROUND: u64 = 10;

fn hash(vm: &Vm) -> Hash {
    vm.state().state_hash()
}

/// The state hash of a plain run at `step`.
fn expected(step: u64) -> Hash {
    let mut vm = Vm::from_state(&program_of_pages()).unwrap();
    vm.run(&mut Bare::default(), step).unwrap();
    hash(&vm)
}

#[test]
fn a_breakpoint_stops_before_its_instruction_each_time() {
    // At each place of the loop: alone, in a pair, at the branch and in its delay slot.
    for place in 0..ROUND {
        let mut vm = Vm::from_state(&program_of_pages()).unwrap();
        // Decoded before the breakpoint is set, and after it is gone.
        vm.run(&mut Bare::default(), 10_002).unwrap();
        vm.set_breakpoint(LOOP + 4 * place as u32, true);
        for round in 0..3 {
            let halt = vm.run_to_break(&mut Bare::default(), 1_000_000).unwrap();
            assert_eq!(halt, Halt::Breakpoint);
            let first = if place == 0 { ROUND } else { 0 };
            assert_eq!(vm.step_count(), 10_002 + first + place + round * ROUND);
        }
        vm.set_breakpoint(LOOP + 4 * place as u32, false);
        let left = 50_000 - vm.step_count();
        assert_eq!(vm.run_to_break(&mut Bare::default(), left).unwrap(), Halt::Stop(Stop::Limit));
        assert_eq!(hash(&vm), expected(50_000), "breakpoints change nothing");
    }
}

#[test]
fn a_watch_stops_before_the_access() {
    let mut vm = Vm::from_state(&program_of_pages()).unwrap();
    let watch = |access| Watch { range: BUFFER..=BUFFER + 3, access };
    let next = |vm: &mut Vm| (vm.run_to_break(&mut Bare::default(), 1_000).unwrap(), vm.step_count());
    let halt = |access| Halt::Watch { address: BUFFER, access };
    vm.add_watch(watch(Some(Access::Write)));
    assert_eq!(next(&mut vm), (halt(Access::Write), 5));
    assert_eq!(next(&mut vm), (halt(Access::Write), 5 + ROUND));
    // A second watch on the same page goes without the first.
    vm.add_watch(watch(Some(Access::Read)));
    assert!(vm.remove_watch(&watch(Some(Access::Write))));
    assert!(!vm.remove_watch(&watch(Some(Access::Write))));
    assert_eq!(next(&mut vm), (halt(Access::Read), 3 + 2 * ROUND));
    vm.add_watch(watch(None));
    assert!(vm.remove_watch(&watch(Some(Access::Read))));
    assert_eq!(next(&mut vm), (halt(Access::Write), 5 + 2 * ROUND));
    assert_eq!(next(&mut vm), (halt(Access::Read), 3 + 3 * ROUND));
    assert!(vm.remove_watch(&watch(None)));
    assert_eq!(next(&mut vm).0, Halt::Stop(Stop::Limit));
    // Memory beside it is not watched.
    vm.add_watch(Watch { range: BUFFER + 4..=BUFFER + 7, access: None });
    assert_eq!(next(&mut vm).0, Halt::Stop(Stop::Limit));
    let steps = vm.step_count();
    assert_eq!(hash(&vm), expected(steps), "watches change nothing");
}

#[test]
fn every_checkpoint_gives_back_the_state_it_was_taken_of() {
    let state = program_of_pages();
    let mut vm = Vm::from_state(&state).unwrap();
    let mut checkpoints = Checkpoints::new(&mut vm, state.memory);
    for _ in 0..20 {
        vm.run(&mut Bare::default(), 1_237).unwrap();
        checkpoints.take(&mut vm);
    }
    // Back, forwards, back over several, and to the start.
    for step in [20 * 1_237, 3 * 1_237 + 5, 4 * 1_237, 19 * 1_237, 0, 7 * 1_237, 1] {
        checkpoints.restore(&mut vm, step).unwrap();
        assert_eq!(vm.step_count(), checkpoints.before(step));
        assert!(vm.step_count() <= step && step - vm.step_count() < 1_237);
        vm.run(&mut Bare::default(), step - vm.step_count()).unwrap();
        assert_eq!(hash(&vm), expected(step), "at step {step}");
    }
    assert_eq!(checkpoints.first(), 0);
}

/// A program that writes over its own instructions runs as it did, each time.
#[test]
fn code_that_changes_is_the_old_code_again() {
    // Writes `addiu t1, t1, 2` over `addiu t1, t1, 1`.
    let mut words = set(T0, START).to_vec();
    words.extend(set(T2, addiu(T1, T1, 2)));
    words.extend([addiu(T1, T1, 1), sw(T2, T0, 16), j(START + 16), NOP]);
    let state = program(&words);
    let run = |vm: &mut Vm| {
        vm.run(&mut Bare::default(), 5_000).unwrap();
        hash(vm)
    };
    let mut vm = Vm::from_state(&state).unwrap();
    let mut checkpoints = Checkpoints::new(&mut vm, state.memory);
    let first = run(&mut vm);
    checkpoints.restore(&mut vm, 0).unwrap();
    assert_eq!(run(&mut vm), first);
}

/// There are never too many, and the first stays.
#[test]
fn checkpoints_grow_apart() {
    let state = program_of_pages();
    let mut vm = Vm::from_state(&state).unwrap();
    let mut checkpoints = Checkpoints::new(&mut vm, state.memory);
    let before = checkpoints.distance(0);
    for _ in 0..300 {
        vm.run(&mut Bare::default(), 11).unwrap();
        checkpoints.take(&mut vm);
    }
    assert_eq!(checkpoints.distance(0), 2 * before);
    assert_eq!((checkpoints.first(), checkpoints.before(u64::MAX) <= vm.step_count()), (0, true));
}
