//! A whole guest in assembly, as guest ABI 1 has it, with the ready host.

mod common;

use common::echo::{BUFFER, echo};
use opml_abi::{exit, fd, keccak256_key, local, local_key};
use opml_state::{Hash, VmStatus, keccak256};
use opml_vm::{GuestHost, Host, Request, Stop, Vm, VmError};

#[test]
fn a_guest_echoes_its_input_and_judges_the_claim() {
    let input = b"an input blob of 31 bytes, odd.".to_vec();
    let claims = [
        (keccak256(&input), exit::EQUAL, VmStatus::Valid),
        (Hash::default(), exit::DIFFERENT, VmStatus::Invalid),
    ];
    for (claim, code, status) in claims {
        let state = echo(input.len() as u32);
        let mut host = GuestHost::new(Request { input: input.clone(), claim, ..Request::default() });
        let mut vm = Vm::from_state(&state).unwrap();
        assert_eq!(vm.run(&mut host, 100_000).unwrap(), Stop::Exited { code });
        assert_eq!(host.output_blob(), Some(input.as_slice()));
        assert_eq!(host.stdout(), b"output");
        assert_eq!((host.stderr(), host.dropped()), (&b""[..], 0));
        assert_eq!(vm.state().status(), status);
        assert_eq!(vm.state().state_hash().0[0], status as u8);
    }
}

#[test]
fn the_host_answers_the_five_local_keys() {
    let request = Request {
        input: b"input".to_vec(),
        claim: Hash([3; 32]),
        context: Hash([1; 32]),
        step_index: 0x0102,
        domain: 0x0304,
    };
    let mut host = GuestHost::new(request);
    let mut answer = |key| host.preimage(&key).map(|bytes| bytes.to_vec());
    assert_eq!(answer(local_key(local::CONTEXT)).unwrap(), [1; 32]);
    assert_eq!(answer(local_key(local::INPUT_ROOT)).unwrap(), keccak256(b"input").0);
    assert_eq!(answer(local_key(local::CLAIM)).unwrap(), [3; 32]);
    assert_eq!(answer(local_key(local::STEP_INDEX)).unwrap(), [0, 0, 0, 0, 0, 0, 1, 2]);
    assert_eq!(answer(local_key(local::DOMAIN)).unwrap(), [0, 0, 0, 0, 0, 0, 3, 4]);
    assert_eq!(answer(keccak256_key(keccak256(b"input").0)).unwrap(), b"input");
    let unknown = answer(local_key(6)).unwrap_err();
    assert!(unknown.to_string().starts_with("no preimage is known for the key 0x0100"), "{unknown}");
    assert!(answer(keccak256_key(keccak256(b"more").0)).is_err());
    host.add_preimage(b"more");
    assert_eq!(*host.preimage(&keccak256_key(keccak256(b"more").0)).unwrap(), b"more"[..]);
}

#[test]
fn an_unknown_key_stops_the_guest() {
    let mut state = echo(4);
    state.memory.write(BUFFER + 0x100, &local_key(9)).unwrap();
    let mut vm = Vm::from_state(&state).unwrap();
    let error = vm.run(&mut GuestHost::new(Request::default()), 100_000).unwrap_err();
    let VmError::Preimage { key, ref source, .. } = error else { panic!("{error:?}") };
    assert_eq!(key.0, local_key(9));
    assert_eq!(source.downcast_ref(), Some(&opml_vm::UnknownKey(key)));
}

#[test]
fn other_hints_and_too_much_output_are_dropped() {
    let mut host = GuestHost::new(Request::default());
    host.hint(b"l1-block-header 0x00");
    host.hint(b"output");
    assert_eq!(host.output_blob(), None);
    host.hint(b"output 1");
    host.hint(b"output 2");
    assert_eq!(host.output_blob(), Some(&b"2"[..]));
    let much = vec![b'x'; (1 << 20) - 1];
    host.output(fd::STDERR, &much);
    host.output(fd::STDERR, b"abc");
    host.output(fd::STDOUT, b"abc");
    assert_eq!((host.stderr().len(), host.stderr().last()), (1 << 20, Some(&b'a')));
    assert_eq!((host.stdout(), host.dropped()), (&b"abc"[..], 2));
}
