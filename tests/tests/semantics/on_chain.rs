//! The contract, with the off-chain VM beside it: the contract gives back a memory root and no memory, so the VM's
//! state stands for it once both agree.

use std::collections::BTreeMap;
use std::sync::Arc;

use opml_onchain::{CallError, Contract, Revert, artifacts};
use opml_state::{State, Witness};
use opml_tests::SET_UP;
use opml_tests::program::provision_options;
use opml_vm::{Host, HostError, Prover, VmError};

/// The context that local values are loaded in.
const CONTEXT: [u8; 32] = [0x5a; 32];

/// The deployed contracts, and the preimages that there are.
pub struct OnChain {
    contract: Contract,
    pub preimages: Preimages,
}

/// Preimages by their keys.
#[derive(Default)]
pub struct Preimages(pub BTreeMap<[u8; 32], Arc<[u8]>>);

impl Host for Preimages {
    fn preimage(&mut self, key: &[u8; 32]) -> Result<Arc<[u8]>, HostError> {
        self.0.get(key).cloned().ok_or_else(|| "the test has no such preimage".into())
    }
    fn hint(&mut self, _payload: &[u8]) {}
    fn output(&mut self, _fd: u32, _bytes: &[u8]) {}
}

impl OnChain {
    /// Deploys the contracts.
    ///
    /// # Panics
    /// If their artifacts are not installed.
    pub fn new() -> Self {
        let artifacts = artifacts::find(&provision_options()).unwrap_or_else(|error| panic!("{error}"));
        let artifacts = artifacts.unwrap_or_else(|| panic!("{SET_UP}"));
        let contract = Contract::deploy(&artifacts).unwrap_or_else(|error| panic!("{error}"));
        Self { contract, preimages: Preimages::default() }
    }

    /// The state after one step, or why the contract reverts.
    ///
    /// # Panics
    /// If the off-chain VM does something else.
    pub fn step(&mut self, before: &State) -> Result<State, Revert> {
        self.execute(before).map(|(prover, _)| prover.vm().state())
    }

    /// The same as the contract packs it.
    pub fn witness_after(&mut self, before: &State) -> Result<Witness, Revert> {
        self.execute(before).map(|(_, witness)| witness)
    }

    fn execute(&mut self, before: &State) -> Result<(Prover, Witness), Revert> {
        let mut prover = Prover::new(before).expect("the state is small");
        let input = prover.input(&mut self.preimages).expect("the test has the preimage");
        if let Some(read) = &input.oracle {
            // The value without its length. What the oracle does not take makes the step revert.
            let value = &read.value[8..];
            let _ = self.contract.load_preimage(read.key.0, value, read.offset, CONTEXT);
        }
        let executed = self.contract.step(&input.state_data, &input.proof_data, CONTEXT);
        // After the exit there is no step to prove, but the contract can be called.
        let ours = if before.exited { Ok(()) } else { prover.step(&mut self.preimages).map(|_| ()) };
        match (executed, ours) {
            (Ok(executed), Ok(())) => {
                let witness = prover.witness();
                assert_eq!(witness, executed.post_witness, "VM and contract differ: {before:x?}");
                Ok((prover, witness))
            }
            (Err(CallError::Reverted(revert)), Err(VmError::Unprovable { .. })) => Err(revert),
            (contract, vm) => panic!("contract {contract:?}, VM {vm:?}: {before:x?}"),
        }
    }

    /// The state after `count` steps, none of which reverts.
    pub fn steps(&mut self, before: &State, count: usize) -> State {
        let step = |state: State, _| self.step(&state).unwrap_or_else(|why| panic!("{why}: {state:x?}"));
        (0..count).fold(before.clone(), step)
    }
}
