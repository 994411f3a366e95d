//! Chosen steps of a real run: its beginning, its end, every system call, and steps anywhere.

use std::collections::BTreeSet;

use opml_vm::{Host, Prover};
use serde::Serialize;

use super::number;
use crate::contract::Contract;
use crate::lockstep::{Agreed, LockstepError, lockstep};

/// Which steps of a run are compared, besides every system call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plan {
    /// Steps of the whole run, as a run before has counted them.
    pub steps: u64,
    /// How many at its beginning.
    pub first: u64,
    /// How many at its end.
    pub last: u64,
    /// How many anywhere; the same ones every time.
    pub random: u64,
}

/// What was shown of a run: VM and contract agree on each step that was compared.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RunConformity {
    /// Steps of the run.
    pub steps: u64,
    /// Steps compared.
    pub steps_compared: u64,
    /// System calls among them: all that the run makes.
    pub system_calls: u64,
    /// The most gas that a step took.
    pub max_gas: u64,
    /// The step that took it.
    pub max_gas_step: u64,
}

/// Runs what `prover` has from where it is to its exit, and compares the steps of `plan` with the contract.
///
/// # Errors
/// [`LockstepError`] at the first step that is not agreed on or refused by both, and
/// [`LockstepError::Length`] if the run is not as long as the plan says.
pub fn run_conform(
    contract: &mut Contract,
    prover: &mut Prover,
    host: &mut impl Host,
    plan: &Plan,
) -> Result<RunConformity, LockstepError> {
    let random = plan.random_steps();
    let mut shown =
        RunConformity { steps: 0, steps_compared: 0, system_calls: 0, max_gas: 0, max_gas_step: 0 };
    while prover.vm().exit_code().is_none() {
        let step = prover.vm().step_count();
        if step >= plan.steps {
            // One more, so that the number tells which way it is wrong.
            return Err(LockstepError::Length { expected: plan.steps, got: step + 1 });
        }
        let is_system_call = is_system_call(prover);
        let is_at_an_end = step < plan.first || plan.steps - step <= plan.last;
        if !is_system_call && !is_at_an_end && !random.contains(&step) {
            prover.run_to(step + 1, host)?;
            continue;
        }
        match lockstep(contract, prover, host)? {
            Agreed::Refused(reason) => return Err(LockstepError::Unprovable { reason }),
            Agreed::Executed { gas } if gas > shown.max_gas => {
                (shown.max_gas, shown.max_gas_step) = (gas, step);
            }
            Agreed::Executed { .. } => {}
        }
        shown.steps_compared += 1;
        shown.system_calls += u64::from(is_system_call);
    }
    shown.steps = prover.vm().step_count();
    match shown.steps == plan.steps {
        true => Ok(shown),
        false => Err(LockstepError::Length { expected: plan.steps, got: shown.steps }),
    }
}

impl Plan {
    /// The steps anywhere; fewer if the run is short.
    fn random_steps(&self) -> BTreeSet<u64> {
        let wanted = self.random.min(self.steps);
        let mut steps = BTreeSet::new();
        for index in 0.. {
            if steps.len() as u64 == wanted {
                break;
            }
            steps.insert(number("step", [self.steps, index]) % self.steps);
        }
        steps
    }
}

fn is_system_call(prover: &Prover) -> bool {
    let vm = prover.vm();
    let word = vm.memory(vm.pc() & !3, 4).first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
    word & 0xfc00_003f == 0x0c
}
