//! Branches, jumps, delay slots, the count of steps, and programs that change themselves.

mod common;

use common::*;
use opml_state::State;
use opml_vm::{Reason, Stop, Vm, VmError};

/// Appends a loop without an end, so that the fast interpreter has steps to go on with.
fn looping(words: &[u32]) -> State {
    program(&[words, &[beq(ZERO, ZERO, -1), NOP]].concat())
}

/// Runs `steps` steps at once and one by one; both must give the same state, which is returned.
fn both_ways(state: &State, steps: u64) -> Vm {
    let mut ran = Vm::from_state(state).unwrap();
    assert_eq!(ran.run(&mut Bare::default(), steps).unwrap(), Stop::Limit);
    let mut stepped = Vm::from_state(state).unwrap();
    for _ in 0..steps {
        stepped.step(&mut Bare::default()).unwrap();
    }
    assert_eq!(ran.state(), stepped.state());
    assert_eq!(ran.state().state_hash(), stepped.state().state_hash());
    ran
}

#[test]
fn branches_are_taken_as_their_condition_says() {
    let (min, minus, max) = (0x8000_0000, 0xffff_ffff, 0x7fff_ffff);
    let one_register = |opcode, rt| imm(opcode, T0, rt, 2);
    let cases = [
        ("beq", beq(T0, T1, 2), 5, 5, true),
        ("beq", beq(T0, T1, 2), 5, 6, false),
        ("beq with itself", beq(T0, T0, 2), 5, 6, true),
        ("bne", bne(T0, T1, 2), 5, 6, true),
        ("bne", bne(T0, T1, 2), minus, minus, false),
        ("blez", one_register(0x06, 0), 0, 0, true),
        ("blez", one_register(0x06, 0), min, 0, true),
        ("blez", one_register(0x06, 0), 1, 0, false),
        ("bgtz", one_register(0x07, 0), 0, 0, false),
        ("bgtz", one_register(0x07, 0), max, 0, true),
        ("bgtz", one_register(0x07, 0), minus, 0, false),
        ("bltz", one_register(0x01, 0), min, 0, true),
        ("bltz", one_register(0x01, 0), 0, 0, false),
        ("bgez", one_register(0x01, 1), 0, 0, true),
        ("bgez", one_register(0x01, 1), minus, 0, false),
    ];
    for (name, branch, s, t, taken) in cases {
        // The delay slot is executed either way; it may change what the branch compared.
        let mut state = looping(&[branch, addiu(T0, T0, 100), addiu(T2, T2, 1), NOP]);
        state.registers[8] = s;
        state.registers[9] = t;
        let vm = both_ways(&state, 3000);
        assert_eq!(vm.registers()[8], s.wrapping_add(100), "{name}: delay slot");
        assert_eq!(vm.registers()[10], u32::from(!taken), "{name} of {s:#x}, {t:#x}");
    }
}

#[test]
fn jumps_go_and_link() {
    let target = START + 0x20;
    let cases = [
        ("j", j(target), 0, 0),
        ("jal", jal(target), RA, 0),
        ("jr", jr(T0), 0, target),
        ("jalr", special(0x09, T0, 0, RA, 0), RA, target),
        ("jalr to another register", special(0x09, T0, 0, T1, 0), T1, target),
        ("jalr without a link", special(0x09, T0, 0, 0, 0), 0, target),
        ("jalr to its own register", special(0x09, T0, 0, T0, 0), T0, target),
        ("jr with an rd", special(0x08, T0, 0, T1, 0), 0, target),
    ];
    for (name, jump, link, register) in cases {
        let mut state = looping(&[jump, addiu(T2, T2, 1), addiu(T2, T2, 10)]);
        put(&mut state.memory, target, &[addiu(T2, T2, 100), beq(ZERO, ZERO, -1), NOP]);
        state.registers[8] = register;
        let vm = both_ways(&state, 3000);
        assert_eq!(vm.registers()[10], 101, "{name}");
        if link != 0 {
            assert_eq!(vm.registers()[link as usize], START + 8, "{name}");
        }
        assert_eq!(vm.registers()[0], 0, "{name}");
    }
}

#[test]
fn jumps_stay_in_the_region_of_the_delay_slot() {
    // At the last word of a 256 MB region, the delay slot is in the next one, and so is the target.
    let mut state = State { pc: 0x0fff_fffc, next_pc: 0x1000_0000, ..State::default() };
    put(&mut state.memory, 0x0fff_fffc, &[j(0x20)]);
    put(&mut state.memory, 0x1000_0020, &[addiu(T2, T2, 1), beq(ZERO, ZERO, -1), NOP]);
    let vm = both_ways(&state, 3000);
    assert_eq!(vm.registers()[10], 1);
}

#[test]
fn a_branch_in_a_delay_slot_is_refused_only_if_the_first_one_jumped_away() {
    let branches = [beq(ZERO, ZERO, 1), bne(ZERO, ZERO, 1), j(0x40), jal(0x40), jr(T0)];
    let more = [special(0x09, T0, 0, RA, 0), imm(0x01, T0, 0x11, 0), imm(0x01, T0, 1, 0)];
    for second in [&branches[..], &more].concat() {
        for run in [false, true] {
            let mut vm = Vm::from_state(&looping(&[beq(ZERO, ZERO, 2), second])).unwrap();
            let mut host = Bare::default();
            let error = if run {
                vm.run(&mut host, 5000).unwrap_err()
            } else {
                vm.step(&mut host).unwrap();
                vm.step(&mut host).unwrap_err()
            };
            let expected = (1, START + 4, second, Reason::BranchInDelaySlot);
            assert!(
                matches!(error, VmError::Unprovable { step, pc, word, reason }
                    if (step, pc, word, reason) == expected),
                "{second:#x}: {error:?}"
            );
            assert_eq!((vm.pc(), vm.step_count()), (START + 4, 1), "nothing was executed");
            assert_eq!(vm.registers(), &[0; 32]);
        }
    }
    // Not taken, or taken to the word behind the delay slot: an ordinary branch.
    for first in [bne(ZERO, ZERO, 5), beq(ZERO, ZERO, 1)] {
        let words = [first, beq(ZERO, ZERO, 1), addiu(T2, T2, 1), NOP];
        let vm = both_ways(&looping(&words), 3000);
        assert_eq!(vm.registers()[10], 1, "the second branch's delay slot");
    }
}

#[test]
fn a_run_can_begin_in_a_delay_slot() {
    let mut state = looping(&[addiu(T2, T2, 1), addiu(T2, T2, 10), addiu(T2, T2, 100), NOP]);
    state.next_pc = START + 8;
    let vm = both_ways(&state, 3000);
    assert_eq!(vm.registers()[10], 101);
}

#[test]
fn an_unaligned_pc_is_refused_when_it_is_fetched() {
    let mut state = looping(&[jr(T0), addiu(T2, T2, 1)]);
    state.registers[8] = START + 2;
    let mut vm = Vm::from_state(&state).unwrap();
    let error = vm.run(&mut Bare::default(), 5000).unwrap_err();
    let VmError::Unprovable { step: 2, pc, reason: Reason::UnalignedPc, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!(pc, START + 2);
    assert_eq!(vm.registers()[10], 1, "the delay slot was executed");
}

#[test]
fn a_state_with_something_in_register_0_keeps_it() {
    // No program makes one, but the contract would read it as it is.
    let mut state = looping(&[addu(T2, ZERO, T0), addiu(ZERO, ZERO, 1), sw(ZERO, T1, 0x100)]);
    state.registers[..10].copy_from_slice(&[7, 0, 0, 0, 0, 0, 0, 0, 1, START]);
    let vm = both_ways(&state, 3000);
    assert_eq!((vm.registers()[0], vm.registers()[10], word(&vm, START + 0x100)), (7, 8, 7));
}

#[test]
fn a_page_without_a_jump_runs_on_into_the_next() {
    // More than two pages of words in a row, first met at their start, then from the middle.
    let mut words = vec![addiu(T2, T2, 1); 2500];
    words.extend([j(START + 0x800), NOP]);
    let vm = both_ways(&program(&words), 20_000);
    // 2,500 and then rounds of 1,988 words and the two of the jump.
    assert_eq!(vm.registers()[10], 20_000 - 2 * (1 + (20_000 - 2502) / 1990));
}

#[test]
fn a_branch_in_the_last_word_of_a_page_has_its_delay_slot_in_the_next() {
    let mut state = State { pc: 0x1ff0, next_pc: 0x1ff4, ..State::default() };
    let words = [addiu(T2, T2, 1), NOP, NOP, bne(T2, ZERO, -4), addiu(T0, T0, 1)];
    put(&mut state.memory, 0x1ff0, &words);
    let vm = both_ways(&state, 10_000);
    assert_eq!((vm.registers()[10], vm.registers()[8]), (2000, 2000));
}

#[test]
fn the_pc_wraps_around() {
    let mut state = State { pc: 0xffff_fff8, next_pc: 0xffff_fffc, ..State::default() };
    put(&mut state.memory, 0xffff_fff8, &[addiu(T2, T2, 1), addiu(T2, T2, 1)]);
    put(&mut state.memory, 0, &[addiu(T2, T2, 1), jr(T0), NOP]);
    state.registers[8] = 0xffff_fff8;
    let vm = both_ways(&state, 10_000);
    assert_eq!(vm.registers()[10], 6000);
    // Backwards over the start, too.
    let mut state = State { pc: 0, next_pc: 4, ..State::default() };
    put(&mut state.memory, 0, &[beq(ZERO, ZERO, -3), addiu(T2, T2, 1)]);
    put(&mut state.memory, 0xffff_fff8, &[NOP, NOP]);
    let vm = both_ways(&state, 10_000);
    assert_eq!(vm.registers()[10], 2500);
}

#[test]
fn every_limit_is_exact() {
    let words = [addiu(T2, T2, 1), special(0x18, T2, T2, 0, 0), bne(T2, ZERO, -3), addiu(T0, T0, 1)];
    let state = program(&words);
    for limit in [0, 1, 2, 3, 4, 5, 2047, 2048, 2049, 2050, 2051, 4099] {
        let vm = both_ways(&state, limit);
        assert_eq!(vm.step_count(), limit);
        assert_eq!(u64::from(vm.registers()[10]), limit.div_ceil(4));
    }
    // Cut into runs at any places, it is the same run.
    let mut vm = Vm::from_state(&state).unwrap();
    for limit in [1, 2049, 7, 3000, 2, 5041] {
        vm.run(&mut Bare::default(), limit).unwrap();
    }
    assert_eq!(vm.state(), both_ways(&state, 10_100).state());
}

#[test]
fn a_state_goes_out_and_in_again() {
    let words = [addiu(T2, T2, 1), sw(T2, T2, 0x100), bne(T2, ZERO, -3), addiu(T2, T2, 0x333)];
    let mut whole = Vm::from_state(&program(&words)).unwrap();
    whole.run(&mut Bare::default(), 9000).unwrap();
    let mut vm = Vm::from_state(&program(&words)).unwrap();
    for _ in 0..3 {
        vm.run(&mut Bare::default(), 3000).unwrap();
        let mut file = Vec::new();
        opml_state::cannon::write_state(&vm.state(), &mut file).unwrap();
        let limits = opml_state::cannon::Limits::default();
        let state = opml_state::cannon::read_state(file.as_slice(), limits).unwrap();
        vm = Vm::from_state(&state).unwrap();
    }
    assert_eq!(vm.state(), whole.state());
    assert!(vm.page_count() > 100, "the program was to write to many pages");
}

#[test]
fn a_page_is_present_once_it_was_written() {
    let words = [lw(T2, T0, 0), sw(ZERO, T1, 0), lw(T2, T1, 0)];
    let mut state = looping(&words);
    state.registers[8..10].copy_from_slice(&[0x7000_0000, 0x6000_0000]);
    let vm = both_ways(&state, 3000);
    let present: Vec<u32> = vm.state().memory.pages().map(|(index, _)| index).collect();
    assert_eq!(present, [START >> 12, 0x6_0000]);
}

#[test]
fn a_program_may_change_the_next_instruction() {
    // Rewrites the word behind the store, in every position of a pair, in a loop that has run before.
    for nops in 0..4 {
        let mut words = vec![NOP; nops];
        let changed = START + 4 * (nops as u32 + 1);
        words.push(sw(T1, T0, 0));
        words.push(addiu(T2, T2, 1));
        // Each round turns the word into the other of the two.
        words.push(special(0x26, T1, A0, T1, 0));
        words.extend([beq(ZERO, ZERO, -(nops as i32) - 4), NOP]);
        let mut state = program(&words);
        let (one, other) = (addiu(T2, T2, 1), addiu(A1, A1, 1));
        state.registers[8] = changed;
        state.registers[9] = other;
        state.registers[4] = one ^ other;
        let rounds = 2000;
        let vm = both_ways(&state, rounds * (nops as u64 + 5));
        assert_eq!((vm.registers()[10], vm.registers()[5]), (1000, 1000), "{nops} words before");
    }
}

#[test]
fn a_delay_slot_may_change_its_own_branch() {
    // After the first round the branch is a nop: the store in its delay slot has overwritten it.
    let words = [addiu(T2, T2, 1), beq(ZERO, ZERO, -2), sw(ZERO, T0, 0)];
    let mut state = looping(&words);
    state.registers[8] = START + 4;
    let vm = both_ways(&state, 3000);
    assert_eq!(vm.registers()[10], 2);
    assert_eq!(word(&vm, START + 4), NOP);
}

#[test]
fn data_may_lie_between_instructions() {
    let words = [beq(ZERO, ZERO, 3), NOP, 0xffff_ffff, 0xffff_ffff, lw(T2, T0, 8), addiu(T2, T2, 1)];
    let rest = [sw(T2, T0, 8), beq(ZERO, ZERO, -8), NOP];
    let mut state = program(&[&words[..], &rest].concat());
    state.registers[8] = START;
    // Rounds of seven words: two over the data, three on it, two back.
    let vm = both_ways(&state, 7000);
    assert_eq!(word(&vm, START + 8), 999);
}

#[test]
fn memory_over_the_limit_stops_between_two_steps() {
    // Touches a new page each round.
    let words = [sw(T0, T0, 0), addu(T0, T0, T1), beq(ZERO, ZERO, -3), NOP];
    let mut state = program(&words);
    state.registers[9] = 0x1_0000;
    let mut vm = Vm::with_page_limit(&state, 100).unwrap();
    let error = vm.run(&mut Bare::default(), 1_000_000).unwrap_err();
    let VmError::MemoryLimit { got, limit: 100 } = error else { panic!("{error:?}") };
    assert!((101..=356).contains(&got), "{got}");
    let mut stepped = Vm::from_state(&state).unwrap();
    for _ in 0..vm.step_count() {
        stepped.step(&mut Bare::default()).unwrap();
    }
    assert_eq!(vm.state(), stepped.state());
    assert!(matches!(Vm::with_page_limit(&vm.state(), 50), Err(VmError::MemoryLimit { limit: 50, .. })));
}

#[test]
fn the_step_count_wraps_around() {
    // As the contract's does. Only a made-up state gets there, and it may come from a file.
    let state = State { step: u64::MAX, ..program(&[NOP, SYSCALL]) };
    let mut vm = Vm::from_state(&state).unwrap();
    vm.step(&mut Bare::default()).unwrap();
    assert_eq!((vm.step_count(), vm.pc()), (0, START + 4));
    let state = State { step: u64::MAX - 5000, ..program(&[j(START), NOP]) };
    let mut vm = Vm::from_state(&state).unwrap();
    vm.run(&mut Bare::default(), 10_000).unwrap();
    assert_eq!(vm.step_count(), 4999);
}
