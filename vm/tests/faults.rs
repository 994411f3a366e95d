//! Steps that no correct program makes: each is found by both interpreters, before it changes anything, and nothing else is.

mod common;

use std::ops::Range;

use common::echo::echo;
use common::*;
use opml_abi::syscall;
use opml_state::State;
use opml_vm::{Access, Fault, GuestHost, Layout, Request, Stop, Vm, VmError};

/// Where programs may go: their first page is code, the next one constants, then come three that may be written.
const IMAGE: u32 = START;
const CONSTANTS: u32 = 0x2000;
const DATA: u32 = 0x3000;
const IMAGE_END: u32 = 0x6000;
const HEAP: Range<u32> = 0x0010_0000..0x0020_0000;
const STACK: Range<u32> = 0x7ff0_0000..0x7fff_0000;
const SP: u32 = 29;

/// More steps than the fast interpreter leaves to the plain one.
const MANY: u64 = 1_000_000;

/// A list of one range.
fn one(range: Range<u32>) -> Vec<Range<u32>> {
    std::iter::once(range).collect()
}

/// The layout of a program of `words`.
fn layout(words: usize) -> Layout {
    let code = IMAGE..IMAGE + 4 * words as u32;
    Layout {
        code: vec![code.clone()],
        read_only: vec![code, CONSTANTS..DATA],
        writable: one(DATA..IMAGE_END),
        open: one(IMAGE..IMAGE_END),
        image_start: IMAGE,
        heap: HEAP,
        stack: STACK,
    }
}

fn vm(words: &[u32]) -> Vm {
    let mut state = program(words);
    state.heap = HEAP.start;
    state.registers[SP as usize] = STACK.end - 64;
    Vm::from_state(&state).unwrap().checked(&layout(words.len()))
}

/// The fault of a program, and its pc. The state has to be that before the step.
#[track_caller]
fn fault(words: &[u32]) -> (Fault, u32) {
    let mut fast = vm(words);
    let error = fast.run(&mut Bare::default(), MANY).expect_err("there is a fault");
    let VmError::Fault { step, pc, fault, .. } = error else { panic!("{error}") };
    assert_eq!((step, pc), (fast.step_count(), fast.pc()));
    // The plain interpreter, which takes few steps at once, comes to the same state.
    let mut plain = vm(words);
    let error = loop {
        match plain.run(&mut Bare::default(), 1) {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(matches!(error, VmError::Fault { fault: other, .. } if other == fault), "{error}");
    assert!(plain.state() == fast.state(), "the interpreters stopped in different states");
    (fault, pc)
}

/// `instruction` with `$t0` at `address`: alone, as the second of two, and behind a branch that is taken.
fn placed(address: u32, instruction: u32) -> [Vec<u32>; 3] {
    let [high, low] = set(T0, address);
    [
        vec![high, low, NOP, instruction, NOP],
        vec![high, low, addiu(T1, ZERO, 1), instruction, addiu(T1, T1, 1)],
        vec![high, low, beq(ZERO, ZERO, 1), instruction, NOP, NOP],
    ]
}

#[track_caller]
fn assert_fault(address: u32, instruction: u32, expected: Fault) {
    for words in placed(address, instruction) {
        assert_eq!(fault(&words), (expected, START + 12));
    }
}

/// Runs into an exit behind `words`.
#[track_caller]
fn assert_runs(words: &[u32]) -> State {
    let exit = [addiu(V0, ZERO, syscall::EXIT_GROUP as i32), SYSCALL];
    let mut vm = vm(&[words, &exit].concat());
    assert_eq!(
        vm.run(&mut Bare::default(), MANY).expect("no fault"),
        Stop::Exited { code: vm.registers()[4] as u8 }
    );
    vm.state()
}

/// The opcodes of loads and stores, with their sizes.
const SIZED: [(u32, Access, u32); 5] = [
    (0x21, Access::Read, 2),
    (0x25, Access::Read, 2),
    (0x23, Access::Read, 4),
    (0x29, Access::Write, 2),
    (0x2b, Access::Write, 4),
];

#[test]
fn accesses_that_are_not_aligned() {
    for (opcode, access, size) in SIZED {
        for offset in 1..size {
            let address = DATA + offset;
            assert_fault(address, imm(opcode, T0, T2, 0), Fault::UnalignedAccess { access, size, address });
        }
        assert_runs(&placed(DATA + size, imm(opcode, T0, T2, 0))[0]);
    }
    // These are made for such addresses: lb, lbu, sb, lwl, lwr, swl, swr.
    for opcode in [0x20, 0x24, 0x28, 0x22, 0x26, 0x2a, 0x2e] {
        (0..4).for_each(|offset| {
            assert_runs(&placed(DATA + offset, imm(opcode, T0, T2, 0))[1]);
        });
    }
}

#[test]
fn accesses_to_nowhere() {
    let sizes = SIZED.into_iter().chain([(0x20, Access::Read, 1), (0x28, Access::Write, 1)]);
    for (opcode, access, size) in sizes {
        let instruction = imm(opcode, T0, T2, 0);
        assert_fault(16, instruction, Fault::NullAccess { access, size, address: 16 });
        for address in [IMAGE_END, HEAP.start, STACK.end, 0xffff_fffc] {
            assert_fault(address, instruction, Fault::OutsideAccess { access, size, address });
        }
        for address in [IMAGE_END - 4, STACK.start, STACK.end - 4] {
            assert_runs(&placed(address, instruction)[0]);
        }
    }
}

#[test]
fn writes_to_what_is_constant() {
    for address in [START, CONSTANTS, DATA - 4] {
        assert_fault(address, sw(T2, T0, 0), Fault::ReadOnlyWrite { size: 4, address });
        assert_runs(&placed(address, lw(T2, T0, 0))[0]);
    }
    // A page that has both may be written.
    let mut layout = layout(3);
    layout.writable.push(DATA - 4..DATA);
    let mut state = program(&[sw(T2, T0, 0), j(START), NOP]);
    state.registers[T0 as usize] = CONSTANTS;
    let mut vm = Vm::from_state(&state).unwrap().checked(&layout);
    assert_eq!(vm.run(&mut Bare::default(), MANY).unwrap(), Stop::Limit);
}

#[test]
fn a_stack_that_is_too_deep() {
    // Pushes for ever.
    let (found, _) = fault(&[addiu(SP, SP, -512), sw(T0, SP, 0), j(START), NOP]);
    let Fault::StackOverflow { address, pointer, lowest } = found else { panic!("{found}") };
    assert!(address == pointer && pointer < lowest && lowest == STACK.start, "{found}");
    // A stack somewhere else is no overflow of this one.
    let [high, low] = set(SP, DATA + 64);
    let access = Access::Write;
    let address = IMAGE_END;
    let expected = Fault::OutsideAccess { access, size: 4, address };
    assert_eq!(fault(&[high, low, sw(T0, SP, (address - DATA - 64) as i32)]).0, expected);
}

#[test]
fn memory_is_there_when_it_was_asked_for() {
    let mmap = |size: u32, protection: i32| {
        let mut words = vec![addiu(V0, ZERO, syscall::MMAP as i32), addiu(A0, ZERO, 0)];
        words.extend(set(A1, size));
        words.extend([addiu(A2, ZERO, protection), SYSCALL, addu(T0, V0, ZERO)]);
        words
    };
    let store = |offset: i32| vec![sw(T1, T0, offset)];
    assert_runs(&[mmap(8192, 3), store(8188)].concat());
    let access = Access::Write;
    let address = HEAP.start + 8192;
    let (found, _) = fault(&[mmap(8192, 3), store(8192)].concat());
    assert_eq!(found, Fault::OutsideAccess { access, size: 4, address });

    let whole = HEAP.end - HEAP.start;
    assert_runs(&mmap(whole, 3));
    let (found, _) = fault(&[mmap(8192, 3), mmap(whole, 3)].concat());
    assert_eq!(found, Fault::HeapExhausted { size: whole, start: address, end: HEAP.end });
    // Addresses alone cost nothing.
    assert_runs(&mmap(2 * whole, 0));

    // The contract's `brk` gives the same address each time; who asks for memory behind it has it.
    let brk = |end: u32| {
        let mut words = vec![addiu(V0, ZERO, syscall::BRK as i32)];
        words.extend(set(A0, end));
        words.extend([SYSCALL, sw(T1, V0, 0)]);
        words
    };
    assert_runs(&[brk(0x4000_1000), vec![addiu(A0, ZERO, 0)]].concat());
    let (found, _) = fault(&brk(0));
    assert_eq!(found, Fault::OutsideAccess { access, size: 4, address: 0x4000_0000 });
}

#[test]
fn system_calls_look_where_they_read_and_write() {
    let call = |number: u32, fd: i32, address: u32, len: u32| {
        let mut words = vec![addiu(V0, ZERO, number as i32), addiu(A0, ZERO, fd)];
        words.extend(set(A1, address));
        words.extend(set(A2, len));
        words.push(SYSCALL);
        words
    };
    // Standard output, from the last bytes that are there on.
    let (found, _) = fault(&call(syscall::WRITE, 1, IMAGE_END - 4, 8));
    assert_eq!(found, Fault::OutsideAccess { access: Access::Read, size: 4, address: IMAGE_END });
    assert_runs(&call(syscall::WRITE, 1, IMAGE_END - 4, 4));
    // A key, of which only the word is read.
    assert_runs(&call(syscall::WRITE, 6, IMAGE_END - 4, 32));
    let (found, _) = fault(&call(syscall::READ, 5, CONSTANTS, 4));
    assert_eq!(found, Fault::ReadOnlyWrite { size: 1, address: CONSTANTS });
    // What fails before it looks at memory still does.
    assert_runs(&call(syscall::WRITE, 99, 0, 8));
}

#[test]
fn jumps_to_what_is_no_code() {
    let jalr = |rs| special(0x09, rs, 0, RA, 0);
    for jump in [jr(T0), jalr(T0)] {
        for target in [DATA, 0, START + 4 * 5] {
            assert_eq!(fault(&placed_jump(target, jump)), (Fault::JumpOutsideCode { target }, START + 8));
        }
        for target in [START + 1, DATA + 2] {
            assert_eq!(fault(&placed_jump(target, jump)), (Fault::UnalignedJump { target }, START + 8));
        }
    }
    for jump in [j(DATA), jal(DATA)] {
        assert_eq!(fault(&[NOP, NOP, jump, NOP]), (Fault::JumpOutsideCode { target: DATA }, START + 8));
    }
    // A branch counts only if it is taken.
    let target = START + 8 + 4 + 4 * 100;
    assert_eq!(fault(&[NOP, NOP, beq(ZERO, ZERO, 100), NOP]), (Fault::JumpOutsideCode { target }, START + 8));
    assert_runs(&[bne(ZERO, ZERO, 100), NOP]);
}

fn placed_jump(target: u32, jump: u32) -> Vec<u32> {
    let [high, low] = set(T0, target);
    vec![high, low, jump, NOP, NOP]
}

#[test]
fn running_on_behind_the_code() {
    assert_eq!(fault(&[NOP, NOP, NOP]), (Fault::NoCode, START + 12));
    // A branch whose delay slot would be there.
    assert_eq!(fault(&[NOP, NOP, beq(ZERO, ZERO, -3)]), (Fault::NoCode, START + 12));
    // A whole page of code.
    assert_eq!(fault(&[NOP; 1024]), (Fault::NoCode, START + 4096));
}

/// The steps, the state and what the host sees are those of a run without checks.
#[test]
fn a_correct_program_runs_as_without_checks() {
    let input: Vec<u8> = (0..40).collect();
    let state = echo(input.len() as u32);
    let code = 4 * 1024;
    let layout = Layout {
        code: one(START..START + code),
        read_only: one(START..START + code),
        open: vec![echo_buffer()],
        image_start: START,
        heap: 0x2000_0000..0x7000_0000,
        stack: 0x7ff0_0000..0x7fff_d000,
        ..Layout::default()
    };
    let run = |mut vm: Vm| {
        let mut host = GuestHost::new(Request { input: input.clone(), step_index: 1, ..Request::default() });
        let stop = vm.run(&mut host, u64::MAX).expect("the guest is correct");
        (stop, vm.state(), host.output_blob().map(<[u8]>::to_vec), host.stdout().to_vec())
    };
    let plain = run(Vm::from_state(&state).unwrap());
    assert_eq!(plain.0, Stop::Exited { code: 1 });
    assert!(plain == run(Vm::from_state(&state).unwrap().checked(&layout)));
}

fn echo_buffer() -> Range<u32> {
    common::echo::BUFFER..common::echo::BUFFER + 0x1000
}

/// A name is what scripts look for; the help says what the contract would do.
#[test]
fn faults_have_names_and_say_what_the_contract_does() {
    use miette::Diagnostic;

    let (found, _) = fault(&placed(DATA + 3, lw(T2, T0, 0))[0]);
    assert_eq!((found.name(), found.address()), ("unaligned-access", Some(DATA + 3)));
    let help = found.help().expect("there is help").to_string();
    assert!(help.starts_with("the contract would mask the address to 0x00003000"), "{help}");
    assert_eq!(found.code().expect("a code").to_string(), "fault::unaligned_access");
}
