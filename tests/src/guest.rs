//! A guest in the off-chain VM, from the prestate to its exit.

use opml_abi::{Tensor, decode_blob, encode_blob};
use opml_state::{Hash, State, keccak256};
use opml_vm::{GuestHost, Request, Stop, Vm};

/// Steps after which a guest hangs for sure.
const LIMIT: u64 = 20_000_000_000;

/// A run that came to its end.
pub struct Finished {
    /// The exit code.
    pub code: u8,
    /// The output blob, if one was sent.
    pub blob: Option<Vec<u8>>,
    /// What went to standard output.
    pub stdout: Vec<u8>,
    /// What went to standard error.
    pub stderr: String,
    /// The VM as it stopped.
    pub vm: Vm,
}

impl Finished {
    /// The only output.
    pub fn output(&self) -> Tensor {
        let blob = self.blob.as_deref().expect("the guest sent its output");
        let mut tensors = decode_blob(blob).expect("the guest sent a blob");
        assert_eq!(tensors.len(), 1);
        tensors.remove(0)
    }

    /// keccak256 of the output blob.
    pub fn output_root(&self) -> Hash {
        keccak256(self.blob.as_deref().expect("the guest sent its output"))
    }
}

/// A single inference of the input blob `input`, without a claim.
pub fn request(input: Vec<u8>) -> Request {
    Request { input, step_index: 1, ..Request::default() }
}

/// Runs a fresh VM on the input blob `input`; without a claim, `claim` is zeros.
pub fn run_blob(prestate: &State, input: Vec<u8>, claim: Hash) -> Finished {
    let run = run_within(prestate, Request { claim, ..request(input) }, LIMIT);
    run.unwrap_or_else(|| panic!("the guest did not end within {LIMIT} steps"))
}

/// Runs a fresh VM on `request`; nothing if it takes more than `limit` steps.
pub fn run_within(prestate: &State, request: Request, limit: u64) -> Option<Finished> {
    let mut host = GuestHost::new(request);
    let mut vm = Vm::from_state(prestate).expect("the machine has the address space");
    match vm.run(&mut host, limit) {
        Ok(Stop::Exited { code }) => Some(Finished {
            code,
            blob: host.output_blob().map(<[u8]>::to_vec),
            stdout: host.stdout().to_vec(),
            stderr: String::from_utf8_lossy(host.stderr()).into_owned(),
            vm,
        }),
        Ok(Stop::Limit) => None,
        Err(error) => panic!("the guest cannot be proven: {error}"),
    }
}

/// Runs a fresh VM on one tensor, without a claim.
pub fn run(prestate: &State, input: &Tensor) -> Finished {
    run_blob(prestate, encode_blob(std::slice::from_ref(input)), Hash::default())
}
