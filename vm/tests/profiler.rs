//! The profiler: every step counted once, calls as they were made, and the run that it counts unchanged.
//!
//! | what it catches | test |
//! |---|---|
//! | a step that is counted twice, or not, or a run that differs from one that nobody counts | `counts_add_up_and_change_nothing` |
//! | a call, a return or a jump to another function that is taken for something else | `calls_are_told_apart_by_where_they_came_from` |
//! | stacks without an end | `calls_without_return_are_bounded` |
//! | a jump at the end of a page, whose delay slot lies in the next | `a_call_across_two_pages_is_one` |

mod common;

use std::collections::BTreeMap;

use common::echo::echo;
use common::*;
use opml_state::State;
use opml_vm::{Counts, GuestHost, Host, Profiler, Request, Stop, Vm};

/// Profiles `steps` steps in pieces of `piece`.
fn profile(
    state: &State,
    functions: &[u32],
    host: &mut impl Host,
    steps: u64,
    piece: u64,
) -> (State, Counts) {
    let mut profiler = Profiler::new(Vm::from_state(state).unwrap(), functions.to_vec());
    let mut left = steps;
    while left > 0 && profiler.vm().exit_code().is_none() {
        profiler.run(host, piece.min(left)).unwrap();
        left -= piece.min(left);
    }
    (profiler.vm().state(), profiler.finish())
}

fn total(counts: &Counts) -> u64 {
    counts.spans.iter().map(|span| u64::from(span.words) * span.executions).sum()
}

/// How often each address was executed, in all contexts.
fn by_address(counts: &Counts) -> BTreeMap<u32, u64> {
    let mut addresses = BTreeMap::new();
    for span in &counts.spans {
        for word in 0..span.words {
            *addresses.entry(span.start + 4 * word).or_default() += span.executions;
        }
    }
    addresses
}

/// What a loop around [`Vm::step`] sees.
fn stepped(state: &State, host: &mut impl Host, steps: u64) -> (State, BTreeMap<u32, u64>) {
    let mut vm = Vm::from_state(state).unwrap();
    let mut addresses = BTreeMap::new();
    for _ in 0..steps {
        if vm.exit_code().is_some() {
            break;
        }
        *addresses.entry(vm.pc()).or_default() += 1;
        vm.step(host).unwrap();
    }
    (vm.state(), addresses)
}

#[test]
fn counts_add_up_and_change_nothing() {
    let request = || GuestHost::new(Request { input: vec![7; 31], ..Request::default() });
    let guest = echo(31);
    // Counts down, stores into its own code (an instruction that does the same), and branches both ways.
    let mut words = vec![addiu(T0, ZERO, 5000), lw(T1, ZERO, START as i32 + 12)];
    words.extend([
        addiu(T0, T0, -1),
        imm(0x0c, T0, T2, 1),
        beq(T2, ZERO, 2),
        sw(T1, ZERO, START as i32 + 12),
    ]);
    words.extend([addiu(V0, V0, 3), bne(T0, ZERO, -6), NOP, beq(ZERO, ZERO, -1), NOP]);
    let counting = program(&words);
    for (name, state, steps) in [("echo", &guest, 100_000), ("counting", &counting, 60_000)] {
        let (expected, addresses) = stepped(state, &mut request(), steps);
        // All at once, and with the pieces so short that most of it is done instruction by instruction.
        for piece in [steps, 2_111, 3] {
            let (got, counts) = profile(state, &[], &mut request(), steps, piece);
            assert!(got == expected, "{name} in pieces of {piece}: another state");
            assert_eq!(total(&counts), expected.step, "{name} in pieces of {piece}");
            assert_eq!(by_address(&counts), addresses, "{name} in pieces of {piece}");
        }
    }
    let mut profiler = Profiler::new(Vm::from_state(&guest).unwrap(), Vec::new());
    assert!(matches!(profiler.run(&mut request(), u64::MAX).unwrap(), Stop::Exited { code: 1 }));
}

/// Calls by the entries of caller and callee: how often, and the steps of the callee's own.
fn calls(counts: &Counts) -> BTreeMap<(u32, u32), (u64, u64)> {
    let mut calls = BTreeMap::new();
    for (index, context) in counts.contexts.iter().enumerate() {
        let spans = counts.spans.iter().filter(|span| span.context == index);
        let steps: u64 = spans.map(|span| u64::from(span.words) * span.executions).sum();
        let caller = context.parent.map_or(0, |parent| counts.contexts[parent].entry);
        let call: &mut (u64, u64) = calls.entry((caller, context.entry)).or_default();
        *call = (call.0 + context.calls, call.1 + steps);
    }
    calls
}

#[test]
fn calls_are_told_apart_by_where_they_came_from() {
    const OUTER: u32 = START + 0x100;
    const LEAF: u32 = START + 0x200;
    const TAIL: u32 = START + 0x300;
    // Calls OUTER 1,000 times by its address in a register, LEAF as often, then loops for ever.
    let mut main = set(T0, OUTER).to_vec();
    main.extend([addiu(A0, ZERO, 1000)]);
    main.extend([special(0x09, T0, 0, RA, 0), NOP, jal(LEAF), addiu(A0, A0, -1), bne(A0, ZERO, -5), NOP]);
    main.extend([beq(ZERO, ZERO, -1), NOP]);
    // Calls LEAF twice, and leaves by a jump to TAIL, which returns for it.
    let outer = [addu(A3, RA, ZERO), jal(LEAF), NOP, jal(LEAF), NOP, addu(RA, A3, ZERO), j(TAIL), NOP];
    let leaf = [addiu(T1, ZERO, 2), addiu(T1, T1, -1), bne(T1, ZERO, -2), NOP, jr(RA), NOP];
    let mut state = program(&main);
    for (address, words) in [(OUTER, &outer[..]), (LEAF, &leaf[..]), (TAIL, &[jr(RA), NOP][..])] {
        put(&mut state.memory, address, words);
    }
    let expected = BTreeMap::from([
        ((0, START), (1, 3 + 6 * 1000 + 17)),
        ((START, OUTER), (1000, 8 * 1000)),
        ((START, LEAF), (1000, 9 * 1000)),
        ((OUTER, LEAF), (2000, 9 * 2000)),
        ((START, TAIL), (1000, 2 * 1000)),
    ]);
    let steps: u64 = expected.values().map(|(_, steps)| steps).sum();
    for piece in [steps, 1000, 1] {
        let (_, counts) = profile(&state, &[TAIL, LEAF, OUTER], &mut Bare::default(), steps, piece);
        assert_eq!(calls(&counts), expected, "in pieces of {piece}");
        let sites = counts.contexts.iter().filter(|context| context.entry == LEAF).count();
        assert_eq!(sites, 3, "LEAF is called in three places");
    }
    // Without symbols the jump to TAIL stays in OUTER, and the return is still found.
    let (_, counts) = profile(&state, &[], &mut Bare::default(), steps, steps);
    assert_eq!(calls(&counts)[&(START, OUTER)], (1000, 10 * 1000));
    assert_eq!(calls(&counts)[&(0, START)], expected[&(0, START)]);
}

#[test]
fn calls_without_return_are_bounded() {
    // A function that calls itself and never returns, in two places by turns.
    let words =
        [addiu(T0, T0, 1), imm(0x0c, T0, T1, 1), beq(T1, ZERO, 3), NOP, jal(START), NOP, jal(START), NOP];
    let state = program(&words);
    let steps = 1_000_000;
    let (_, counts) = profile(&state, &[START], &mut Bare::default(), steps, steps);
    assert_eq!(total(&counts), steps);
    assert!(counts.contexts.len() <= 1 << 16, "{} contexts", counts.contexts.len());
    assert!(counts.contexts.iter().enumerate().all(|(i, one)| one.parent.is_none_or(|parent| parent < i)));
}

#[test]
fn a_call_across_two_pages_is_one() {
    const LEAF: u32 = 0x4000;
    // The jump is the last word of a page.
    let call = START + 0xffc;
    let mut state = program(&[j(call - 4), NOP]);
    put(&mut state.memory, call - 4, &[NOP, jal(LEAF), addiu(T0, T0, 1), j(call - 4), NOP]);
    put(&mut state.memory, LEAF, &[jr(RA), NOP]);
    let rounds = 2000;
    let (_, counts) = profile(&state, &[LEAF], &mut Bare::default(), 2 + 7 * rounds, u64::MAX);
    assert_eq!(calls(&counts)[&(START, LEAF)], (rounds, 2 * rounds));
    assert_eq!(calls(&counts)[&(0, START)], (1, 2 + 5 * rounds));
}
