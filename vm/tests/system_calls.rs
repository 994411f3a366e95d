//! System calls: numbers, arguments, results and errors, the preimage oracle byte by byte, hints.

mod common;

use std::sync::Arc;

use common::*;
use opml_abi::{fd, keccak256_key, local_key, syscall};
use opml_state::cannon::MAX_HINT_LEN;
use opml_state::{Hash, State, keccak256};
use opml_vm::{Host, HostError, Reason, Stop, Vm, VmError};

const EBADF: u32 = 9;
const EINVAL: u32 = 22;
const FAILED: u32 = u32::MAX;

/// A state whose first instruction is a system call.
fn calling(number: u32, arguments: [u32; 3]) -> State {
    let mut state = program(&[SYSCALL, NOP]);
    state.registers[V0 as usize] = number;
    state.registers[A0 as usize..][..3].copy_from_slice(&arguments);
    // Must be overwritten by the error number.
    state.registers[A3 as usize] = 0xeeee;
    state
}

/// Executes the call; checks that pc and step count went on, and returns the results.
fn call(vm: &mut Vm, host: &mut impl Host) -> (u32, u32) {
    let (pc, steps) = (vm.pc(), vm.step_count());
    vm.step(host).unwrap();
    assert_eq!((vm.pc(), vm.step_count()), (pc + 4, steps + 1));
    (vm.registers()[V0 as usize], vm.registers()[A3 as usize])
}

fn results(number: u32, arguments: [u32; 3]) -> (u32, u32) {
    call(&mut Vm::from_state(&calling(number, arguments)).unwrap(), &mut Bare::default())
}

#[test]
fn mmap_grows_the_heap_by_whole_pages() {
    let cases = [
        (0, 0x2000_0000),
        (1, 0x2000_1000),
        (4096, 0x2000_1000),
        (4097, 0x2000_2000),
        // Sizes and the heap wrap around.
        (0xffff_ffff, 0x2000_0000),
        (0xf000_0000, 0x1000_0000),
    ];
    for (size, heap) in cases {
        let state = State { heap: 0x2000_0000, ..calling(syscall::MMAP, [0, size, 0]) };
        let mut vm = Vm::from_state(&state).unwrap();
        assert_eq!(call(&mut vm, &mut Bare::default()), (0x2000_0000, 0), "{size:#x}");
        assert_eq!(vm.state().heap, heap, "{size:#x}");
    }
    let state = State { heap: 0x2000_0000, ..calling(syscall::MMAP, [0x5000_0001, 8192, 0]) };
    let mut vm = Vm::from_state(&state).unwrap();
    assert_eq!(call(&mut vm, &mut Bare::default()), (0x5000_0001, 0), "a hint comes back");
    assert_eq!(vm.state().heap, 0x2000_0000);
}

#[test]
fn small_calls() {
    assert_eq!(results(syscall::BRK, [7, 0, 0]), (0x4000_0000, 0));
    assert_eq!(results(syscall::CLONE, [7, 0, 0]), (1, 0));
    for unknown in [0, 4001, 4002, 4005, 4247, 5003, u32::MAX] {
        assert_eq!(results(unknown, [1, 2, 3]), (0, 0), "{unknown}");
    }
}

#[test]
fn fcntl_knows_one_command() {
    let expected = [(0, 0), (1, 0), (1, 0), (0, 0), (1, 0), (0, 0), (1, 0), (FAILED, EBADF)];
    for (descriptor, expected) in expected.into_iter().enumerate() {
        assert_eq!(results(syscall::FCNTL, [descriptor as u32, 3, 0]), expected, "{descriptor}");
    }
    for command in [0, 1, 2, 4, u32::MAX] {
        assert_eq!(results(syscall::FCNTL, [fd::STDOUT, command, 0]), (FAILED, EINVAL), "{command}");
        assert_eq!(results(syscall::FCNTL, [99, command, 0]), (FAILED, EINVAL), "{command}");
    }
}

#[test]
fn exit_keeps_the_low_byte_and_the_pc() {
    for (argument, code) in [(0, 0), (1, 1), (0x102, 2), (0xffff_ffff, 255)] {
        let mut vm = Vm::from_state(&calling(syscall::EXIT_GROUP, [argument, 0, 0])).unwrap();
        let host = &mut Bare::default();
        assert_eq!(vm.run(host, 5000).unwrap(), Stop::Exited { code });
        assert_eq!((vm.pc(), vm.step_count(), vm.exit_code()), (START, 1, Some(code)));
        assert_eq!(vm.registers()[V0 as usize], syscall::EXIT_GROUP, "no result");
        let state = vm.state();
        // Further steps do nothing, and are not counted.
        vm.step(host).unwrap();
        assert_eq!(vm.run(host, 5000).unwrap(), Stop::Exited { code });
        assert_eq!(vm.run(host, 0).unwrap(), Stop::Exited { code });
        assert_eq!(vm.state(), state);
        assert_eq!(Vm::from_state(&state).unwrap().run(host, 9).unwrap(), Stop::Exited { code });
    }
}

#[test]
fn a_system_call_may_stand_in_a_delay_slot() {
    let mut state = program(&[beq(ZERO, ZERO, 3), SYSCALL, NOP, NOP, NOP]);
    state.registers[V0 as usize] = syscall::BRK;
    let mut vm = Vm::from_state(&state).unwrap();
    vm.run(&mut Bare::default(), 5000).unwrap();
    assert_eq!(vm.registers()[V0 as usize], 0x4000_0000);
    let mut vm = Vm::from_state(&state).unwrap();
    vm.run(&mut Bare::default(), 2).unwrap();
    assert_eq!((vm.pc(), vm.state().next_pc), (START + 16, START + 20));
}

#[test]
fn plain_reads_and_writes() {
    assert_eq!(results(syscall::READ, [fd::STDIN, 0x5000, 99]), (0, 0));
    // Nothing arrives, but it is said to.
    let mut vm = Vm::from_state(&calling(syscall::READ, [fd::HINT_RESPONSE, 0x5000, 99])).unwrap();
    assert_eq!(call(&mut vm, &mut Bare::default()), (99, 0));
    assert_eq!(vm.page_count(), 1);
    for descriptor in [fd::STDOUT, fd::STDERR, fd::HINT_REQUEST, fd::PREIMAGE_WRITE, 7, u32::MAX] {
        let arguments = [descriptor, 0x5000, 4];
        assert_eq!(results(syscall::READ, arguments), (FAILED, EBADF), "read {descriptor}");
    }
    for descriptor in [fd::STDIN, fd::HINT_RESPONSE, fd::PREIMAGE_READ, 7, u32::MAX] {
        let arguments = [descriptor, 0x5000, 4];
        assert_eq!(results(syscall::WRITE, arguments), (FAILED, EBADF), "write {descriptor}");
    }
}

#[test]
fn output_goes_to_the_host() {
    let mut state = calling(syscall::WRITE, [fd::STDOUT, 0xffff_fffe, 5]);
    state.memory.write(0xffff_fffe, b"he").unwrap();
    state.memory.write(0, b"llo").unwrap();
    let mut host = Bare::default();
    assert_eq!(call(&mut Vm::from_state(&state).unwrap(), &mut host), (5, 0));
    // The end of the address space, then its start.
    assert_eq!(host.outputs, [(1, b"he".to_vec()), (1, b"llo".to_vec())]);
    let mut host = Bare::default();
    let state = calling(syscall::WRITE, [fd::STDERR, START, 0]);
    assert_eq!(call(&mut Vm::from_state(&state).unwrap(), &mut host), (0, 0));
    assert!(host.outputs.is_empty());
}

/// A host with one preimage, which counts how often it is asked.
struct One {
    key: [u8; 32],
    bytes: Arc<[u8]>,
    asked: u32,
}

impl One {
    fn new(key: [u8; 32], bytes: &[u8]) -> Self {
        Self { key, bytes: bytes.into(), asked: 0 }
    }

    /// Has `bytes` under their keccak256.
    fn keccak(bytes: &[u8]) -> Self {
        Self::new(keccak256_key(keccak256(bytes).0), bytes)
    }
}

impl Host for One {
    fn preimage(&mut self, key: &[u8; 32]) -> Result<Arc<[u8]>, HostError> {
        self.asked += 1;
        if *key == self.key { Ok(self.bytes.clone()) } else { Err("another key".into()) }
    }
    fn hint(&mut self, _payload: &[u8]) {}
    fn output(&mut self, _fd: u32, _bytes: &[u8]) {}
}

/// A state that reads `count` bytes to `address` from `offset` of the preimage of `key`.
fn reading(key: [u8; 32], offset: u32, address: u32, count: u32) -> State {
    let mut state = calling(syscall::READ, [fd::PREIMAGE_READ, address, count]);
    state.memory.write(0x5000, &[0xcc; 8]).unwrap();
    State { preimage_key: Hash(key), preimage_offset: offset, ..state }
}

#[test]
fn a_preimage_is_read_to_the_end_of_the_word() {
    let cc = 0xcc;
    // Offset, address and count; bytes read, and the eight bytes at 0x5000 after. The length comes first.
    let cases: [(u32, u32, u32, u32, [u8; 8]); 9] = [
        (0, 0x5000, 8, 4, [0, 0, 0, 0, cc, cc, cc, cc]),
        (4, 0x5004, 100, 4, [cc, cc, cc, cc, 0, 0, 0, 5]),
        (6, 0x5000, 4, 4, [0, 5, b'h', b'e', cc, cc, cc, cc]),
        (8, 0x5001, 100, 3, [cc, b'h', b'e', b'l', cc, cc, cc, cc]),
        (8, 0x5003, 100, 1, [cc, cc, cc, b'h', cc, cc, cc, cc]),
        (8, 0x5001, 2, 2, [cc, b'h', b'e', cc, cc, cc, cc, cc]),
        (8, 0x5001, 0, 0, [cc, cc, cc, cc, cc, cc, cc, cc]),
        (11, 0x5000, 4, 2, [b'l', b'o', cc, cc, cc, cc, cc, cc]),
        (12, 0x5006, 4, 1, [cc, cc, cc, cc, cc, cc, b'o', cc]),
    ];
    for (offset, address, count, read, bytes) in cases {
        let mut host = One::keccak(b"hello");
        let mut vm = Vm::from_state(&reading(host.key, offset, address, count)).unwrap();
        assert_eq!(call(&mut vm, &mut host), (read, 0), "{offset} {address:#x} {count}");
        assert_eq!(vm.memory(0x5000, 8), bytes, "{offset} {address:#x} {count}");
        assert_eq!(vm.state().preimage_offset, offset + read);
    }
}

/// The reason for which the first step of `state` is refused.
fn reason(state: &State, host: &mut impl Host) -> Reason {
    let mut vm = Vm::from_state(state).unwrap();
    match vm.step(host).unwrap_err() {
        VmError::Unprovable { reason, pc: START, .. } => {
            assert_eq!(vm.state(), *state, "nothing was done");
            reason
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_end_of_a_preimage_can_be_read_of_local_values_only() {
    // Eight bytes of length and five of data: offset 13 is the end.
    let mut host = One::keccak(b"hello");
    for offset in [13, 14, u32::MAX] {
        let state = reading(host.key, offset, 0x5000, 4);
        assert_eq!(reason(&state, &mut host), Reason::PreimageOffset, "{offset}");
    }
    let key = local_key(3);
    let mut host = One::new(key, b"hello");
    let mut vm = Vm::from_state(&reading(key, 13, 0x5000, 4)).unwrap();
    assert_eq!(call(&mut vm, &mut host), (0, 0));
    assert_eq!(vm.memory(0x5000, 4), [0xcc; 4]);
    assert_eq!(reason(&reading(key, 14, 0x5000, 4), &mut host), Reason::PreimageOffset);
}

#[test]
fn a_local_value_has_at_most_32_bytes() {
    let key = local_key(1);
    let state = reading(key, 0, 0x5000, 4);
    assert_eq!(reason(&state, &mut One::new(key, &[0; 33])), Reason::LocalValueTooLong);
    let mut vm = Vm::from_state(&state).unwrap();
    assert_eq!(call(&mut vm, &mut One::new(key, &[0; 32])), (4, 0));
    // Other preimages may be longer.
    let mut host = One::keccak(&[0; 33]);
    let mut vm = Vm::from_state(&reading(host.key, 4, 0x5000, 4)).unwrap();
    assert_eq!(call(&mut vm, &mut host), (4, 0));
    assert_eq!(word(&vm, 0x5000), 33);
}

#[test]
fn what_the_host_does_not_know_stops_the_run() {
    let state = reading([5; 32], 0, 0x5000, 4);
    let mut vm = Vm::from_state(&state).unwrap();
    let error = vm.run(&mut One::keccak(b""), 5000).unwrap_err();
    let VmError::Preimage { pc: START, key, ref source } = error else { panic!("{error:?}") };
    assert_eq!((key, source.to_string().as_str()), (Hash([5; 32]), "another key"));
    assert_eq!(vm.state(), state);
}

#[test]
fn a_wrong_answer_is_refused() {
    let right = One::keccak(b"hello");
    for wrong in [&b"hallo"[..], b"hello ", b"", &[0; 100_000]] {
        let state = reading(right.key, 0, 0x5000, 4);
        let mut vm = Vm::from_state(&state).unwrap();
        let error = vm.step(&mut One::new(right.key, wrong)).unwrap_err();
        let VmError::WrongPreimage { pc: START, key, got } = error else { panic!("{error:?}") };
        assert_eq!((key.0, got.0), (right.key, One::keccak(wrong).key));
        assert_eq!(vm.state(), state, "nothing was done");
    }
}

#[test]
fn the_host_is_asked_once_for_a_key() {
    let words = [SYSCALL, addiu(V0, ZERO, syscall::READ as i32), beq(ZERO, ZERO, -3), NOP];
    let mut host = One::keccak(&[7; 100]);
    let mut state = reading(host.key, 0, 0x5000, 4);
    put(&mut state.memory, START, &words);
    let mut vm = Vm::from_state(&state).unwrap();
    let error = vm.run(&mut host, 5000).unwrap_err();
    // 27 reads of 4 bytes are all there is.
    assert!(matches!(error, VmError::Unprovable { step: 108, reason: Reason::PreimageOffset, .. }));
    assert_eq!((host.asked, vm.state().preimage_offset), (1, 108));
}

#[test]
fn a_preimage_read_may_write_over_the_next_instruction() {
    let mut state = calling(syscall::READ, [fd::PREIMAGE_READ, START + 4, 4]);
    put(&mut state.memory, START, &[SYSCALL, addiu(T2, T2, 1), beq(ZERO, ZERO, -1), NOP]);
    let mut host = One::keccak(&addiu(T2, T2, 50).to_be_bytes());
    (state.preimage_key, state.preimage_offset) = (Hash(host.key), 8);
    let mut vm = Vm::from_state(&state).unwrap();
    vm.run(&mut host, 5000).unwrap();
    assert_eq!(vm.registers()[10], 50);
}

#[test]
fn the_key_is_shifted_in_word_by_word() {
    let old: [u8; 32] = std::array::from_fn(|i| i as u8);
    let cases: [(u32, u32, &[u8]); 6] = [
        (0x5000, 32, b"abcd"),
        (0x5001, 32, b"bcd"),
        (0x5003, 32, b"d"),
        (0x5001, 2, b"bc"),
        (0x5002, 1, b"c"),
        (0x5000, 0, b""),
    ];
    for (address, count, new) in cases {
        let mut state = calling(syscall::WRITE, [fd::PREIMAGE_WRITE, address, count]);
        state.memory.write(0x5000, b"abcd").unwrap();
        (state.preimage_key, state.preimage_offset) = (Hash(old), 77);
        let mut vm = Vm::from_state(&state).unwrap();
        assert_eq!(call(&mut vm, &mut Bare::default()), (new.len() as u32, 0));
        let key = [&old[new.len()..], new].concat();
        assert_eq!(vm.state().preimage_key.0, key[..], "{address:#x} {count}");
        assert_eq!(vm.state().preimage_offset, 0);
    }
}

/// A VM about to write `bytes` to the hint descriptor, with `held` from before.
fn hinting(held: &[u8], bytes: &[u8]) -> Vm {
    let mut state = calling(syscall::WRITE, [fd::HINT_REQUEST, 0x5000, bytes.len() as u32]);
    state.memory.write(0x5000, bytes).unwrap();
    state.last_hint = held.to_vec();
    Vm::from_state(&state).unwrap()
}

#[test]
fn hints_arrive_in_any_pieces() {
    let stream = b"\0\0\0\x05first\0\0\0\0\0\0\0\x06second";
    let whole = [&b"first"[..], b"", b"second"];
    for cut in 0..=stream.len() {
        let mut host = Bare::default();
        let mut vm = hinting(b"", &stream[..cut]);
        assert_eq!(call(&mut vm, &mut host), (cut as u32, 0));
        // What is held goes out and in with the state.
        let mut vm = hinting(&vm.state().last_hint, &stream[cut..]);
        call(&mut vm, &mut host);
        assert_eq!(host.hints, whole, "cut at {cut}");
        assert!(vm.state().last_hint.is_empty());
    }
}

#[test]
fn hints_are_bounded() {
    let host = &mut Bare::default();
    let mut vm = hinting(b"", &(MAX_HINT_LEN + 1).to_be_bytes());
    let error = vm.step(host).unwrap_err();
    assert!(
        matches!(error, VmError::HintTooLong { pc: START, len, .. } if len == u64::from(MAX_HINT_LEN) + 1)
    );
    assert_eq!(vm.step_count(), 0);
    // Announced as small enough, but written at once with far more behind it.
    let mut state = calling(syscall::WRITE, [fd::HINT_REQUEST, 0, u32::MAX]);
    state.last_hint = vec![0];
    let error = Vm::from_state(&state).unwrap().step(host).unwrap_err();
    assert!(matches!(error, VmError::HintTooLong { len: 0xffff_fffc, .. }), "{error:?}");
    assert!(host.hints.is_empty());
}
