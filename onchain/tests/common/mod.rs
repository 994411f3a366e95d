//! The contracts for the tests, the assembler of the VM's tests, and bytes that look random.

#![allow(dead_code, reason = "each test binary uses a part of it")]

#[path = "../../../vm/tests/common/mod.rs"]
pub mod assembler;

use opml_onchain::artifacts::{self, Artifacts};
use opml_onchain::{Agreed, Contract, lockstep};
use opml_state::{State, keccak256};
use opml_toolchain::provision::Options;
use opml_vm::{Host, Prover};

/// What a test says that misses a tool: it fails, as a test that did not run has shown nothing.
const SET_UP: &str = "the contracts are not installed: `cargo xtask test` installs them and runs the tests";

/// The compiled contracts.
pub fn artifacts() -> Artifacts {
    let options = Options::from_env().expect("OPML_TOOLCHAIN names a provider");
    artifacts::find(&options).unwrap_or_else(|error| panic!("{error}")).expect(SET_UP)
}

/// A fresh deployment.
pub fn contract() -> Contract {
    Contract::deploy(&artifacts()).unwrap_or_else(|error| panic!("{error}"))
}

/// Executes the first step of `state` on both sides; panics with the report if they disagree.
pub fn agree(contract: &mut Contract, state: &State, host: &mut impl Host) -> Agreed {
    let mut prover = Prover::new(state).expect("the machine has the address space");
    lockstep(contract, &mut prover, host).unwrap_or_else(|error| panic!("{error}"))
}

/// `len` bytes, the same ones for the same seed on every machine.
pub fn random_bytes(seed: &str, len: usize) -> Vec<u8> {
    let block = |index: usize| keccak256(format!("{seed} {index}").as_bytes()).0;
    (0..len.div_ceil(32)).flat_map(block).take(len).collect()
}

/// Does `work` for each of `items` on all processors, with a contract for each thread.
pub fn on_all_processors<T: Sync>(items: &[T], work: impl Fn(&mut Contract, &T) + Sync) {
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for part in items.chunks(items.len().div_ceil(threads).max(1)) {
            let work = &work;
            scope.spawn(move || {
                let mut contract = contract();
                part.iter().for_each(|item| work(&mut contract, item));
            });
        }
    });
}
