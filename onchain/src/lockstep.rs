//! VM and contract side by side: the one place that compares them.

use std::sync::Arc;

use opml_state::cannon::{OracleRead, PROOF_LEN, ProofError, StepProof, instruction};
use opml_state::{Hash, Witness, WitnessFields, hash_witness};
use opml_vm::{Host, HostError, Prover, Reason, StepInput, VmError};

use crate::contract::{CallError, Contract, Executed, PreimageError};
use crate::disagreement::{Disagreement, Refusal};
use crate::replay::replay;
use crate::revert::RevertReason;

/// The context that local values are loaded in. A dispute game has one for each claim; here is only one run.
pub const LOCAL_CONTEXT: [u8; 32] = [0; 32];

/// What `PreimageOracle.sol`, `readPreimage`, reverts with if nobody loaded the preimage.
const NO_PREIMAGE: &str = "pre-image must exist";

/// What VM and contract agreed on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Agreed {
    /// Both executed the step, and the states after it have the same hash.
    Executed {
        /// Gas of the step, see [`Executed::gas`].
        gas: u64,
    },
    /// Both refused it, and for the same reason.
    Refused(Reason),
}

/// Why a step was not agreed on.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum LockstepError {
    /// VM and contract differ.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Disagreement(#[from] Box<Disagreement>),
    /// The proof is damaged.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Proof(#[from] ProofError),
    /// The proof of the data's memory leads to another root than that of the state.
    #[error(
        "the proof's memory of the data at {address:#010x} is damaged\n  expected root {expected}\n  got root      {got}"
    )]
    #[diagnostic(help("a byte of it was changed: make it again with `cargo xtask prove`"))]
    DataMemory {
        /// The address that the instruction reads or writes.
        address: u32,
        /// The state's memory root.
        expected: Hash,
        /// The root that the proof leads to.
        got: Hash,
    },
    /// A flag that is no flag.
    #[error("the proof's state data says {got} where 1 means exited and 0 means running")]
    #[diagnostic(help("no run leads to such a state: make the proof again with `cargo xtask prove`"))]
    NoFlag {
        /// What stands there.
        got: u8,
    },
    /// VM and contract agree, but not with what the proof says.
    #[error(
        "the proof's post state is wrong\n  expected {expected} (VM and contract agree)\n  got      {got}"
    )]
    #[diagnostic(help("a byte of it was changed: make it again with `cargo xtask prove`"))]
    WrongPost {
        /// The state hash that VM and contract compute.
        expected: Hash,
        /// What the proof says.
        got: Hash,
    },
    /// A proof of a step that neither executes.
    #[error("the step can't be proven: the VM refuses it ({reason}), and so does the contract")]
    #[diagnostic(help(
        "look up the pc in the program's symbols; the audit of its ELF names such instructions"
    ))]
    Unprovable {
        /// Why.
        reason: Reason,
    },
    /// The VM could not say what the step does.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Vm(#[from] VmError),
    /// The preimage that goes with the step is not one that can be loaded.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Preimage(PreimageError),
    /// The EVM failed, and not by a refusal of the contract.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Contract(CallError),
    /// A run has another length than it was said to have.
    #[error("the run has {got} steps, expected {expected}")]
    #[diagnostic(help("the plan was made for another input or another program: run it again to count"))]
    Length {
        /// Steps that the plan has.
        expected: u64,
        /// Steps that were executed.
        got: u64,
    },
}

/// Executes the next step in the VM and on the contract. The VM goes on by that step if both agree that it can
/// be executed; after the exit, a step changes nothing, for both.
///
/// # Errors
/// [`LockstepError::Disagreement`] if they differ. Else why they could not be compared: the host has no
/// preimage, the VM meets a limit of its own, or the EVM fails.
pub fn lockstep(
    contract: &mut Contract,
    prover: &mut Prover,
    host: &mut impl Host,
) -> Result<Agreed, LockstepError> {
    let (input, vm) = match prover.step(host) {
        Ok(StepProof { state_data, proof_data, oracle, .. }) => {
            (StepInput { state_data, proof_data, oracle }, Ok(prover.witness()))
        }
        Err(VmError::Unprovable { reason, .. }) => (prover.input(host)?, Err(reason)),
        Err(VmError::Exited { .. }) => (prover.input(host)?, Ok(prover.witness())),
        Err(other) => return Err(other.into()),
    };
    let judged = execute(contract, &input.state_data, &input.proof_data, input.oracle.as_ref())?;
    compare(&input.state_data, &input.proof_data, vm, judged)
}

/// Executes a proof on the contract and compares the state after it with the proof's.
///
/// # Errors
/// [`LockstepError::Disagreement`] if VM and contract differ, which the proof is executed in the VM for. Else
/// what is wrong with the proof; any bytes may be given.
pub fn check(contract: &mut Contract, proof: &StepProof) -> Result<Executed, LockstepError> {
    proof.check()?;
    let exited = WitnessFields::of(&proof.state_data).exited;
    if exited > 1 {
        return Err(LockstepError::NoFlag { got: exited });
    }
    let judged = execute(contract, &proof.state_data, &proof.proof_data, proof.oracle.as_ref())?;
    if let Ok(executed) = &judged
        && executed.post_hash == proof.post
    {
        return Ok(*executed);
    }
    // Whose fault it is shows when the VM executes the proof too.
    let vm = replay(proof, &mut Recorded(proof.oracle.as_ref()))?;
    let computed = vm.as_ref().map_or(proof.post, hash_witness);
    match compare(&proof.state_data, &proof.proof_data, vm, judged)? {
        Agreed::Refused(reason) => Err(LockstepError::Unprovable { reason }),
        Agreed::Executed { .. } => Err(LockstepError::WrongPost { expected: computed, got: proof.post }),
    }
}

/// What the contract makes of a step, with the preimage loaded that goes with it.
fn execute(
    contract: &mut Contract,
    state_data: &Witness,
    proof_data: &[u8; PROOF_LEN],
    oracle: Option<&OracleRead>,
) -> Result<Result<Executed, Refusal>, LockstepError> {
    let load = |oracle: &OracleRead| {
        contract.load_preimage(oracle.key.0, oracle.preimage(), oracle.offset, LOCAL_CONTEXT)
    };
    let not_loaded = match oracle.map(load) {
        None | Some(Ok(_)) => None,
        Some(Err(PreimageError::Call(CallError::Reverted(revert)))) => Some(revert),
        Some(Err(other)) => return Err(LockstepError::Preimage(other)),
    };
    // Also without the preimage: only if the step reverts then, nobody could prove it. It may do so for another
    // reason, before it comes to the preimage.
    match contract.step(state_data, proof_data, LOCAL_CONTEXT) {
        Ok(executed) => Ok(Ok(executed)),
        Err(CallError::Reverted(revert)) => Ok(Err(match not_loaded {
            Some(of_oracle) if revert.reason() == RevertReason::Text(NO_PREIMAGE.into()) => {
                Refusal::Preimage(of_oracle)
            }
            _ => Refusal::Step(revert),
        })),
        Err(other) => Err(LockstepError::Contract(other)),
    }
}

fn compare(
    before: &Witness,
    proof_data: &[u8; PROOF_LEN],
    vm: Result<Witness, Reason>,
    contract: Result<Executed, Refusal>,
) -> Result<Agreed, LockstepError> {
    match (&vm, &contract) {
        (Ok(after), Ok(executed)) if hash_witness(after) == executed.post_hash => {
            Ok(Agreed::Executed { gas: executed.gas })
        }
        (Err(reason), Err(refusal)) if refusal.is_for(*reason) => Ok(Agreed::Refused(*reason)),
        _ => Err(Box::new(Disagreement {
            before: *before,
            word: instruction(before, proof_data),
            vm,
            contract: contract.map(|executed| executed.post_witness),
        })
        .into()),
    }
}

/// A host that has the preimage of one proof.
struct Recorded<'a>(Option<&'a OracleRead>);

impl Host for Recorded<'_> {
    fn preimage(&mut self, _key: &[u8; 32]) -> Result<Arc<[u8]>, HostError> {
        // The key is checked by the proof and, where it is a hash, by the VM.
        self.0.map(|oracle| oracle.preimage().into()).ok_or_else(|| "the proof has no preimage".into())
    }

    fn hint(&mut self, _payload: &[u8]) {}

    fn output(&mut self, _fd: u32, _bytes: &[u8]) {}
}
