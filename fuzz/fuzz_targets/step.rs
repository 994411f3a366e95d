//! Arbitrary bytes as a state whose next step the off-chain VM and the contract must agree on.
#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use opml_onchain::{Contract, artifacts, fuzz_step};
use opml_toolchain::provision::Options;

thread_local! {
    /// Deployed once: a step leaves nothing in it.
    static CONTRACT: RefCell<Contract> = RefCell::new(deploy());
}

fn deploy() -> Contract {
    let found = artifacts::find(&Options::default()).expect("the cache can be read");
    let artifacts = found.expect("the contracts are installed: `cargo xtask test` does that");
    Contract::deploy(&artifacts).expect("the contracts can be deployed")
}

fuzz_target!(|data: &[u8]| {
    // Whatever they agree on is fine; a disagreement panics inside.
    CONTRACT.with_borrow_mut(|contract| fuzz_step(contract, data));
});
