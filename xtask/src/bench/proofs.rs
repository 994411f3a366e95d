use std::time::{Duration, Instant};

use opml_onchain::conform::{Plan, conform, run_conform};
use opml_onchain::{Contract, LockstepError};
use opml_state::State;
use opml_vm::{GuestHost, Prover, Request, Vm, VmError};
use serde::Serialize;

/// Proofs of steps, and what the contract takes for them.
#[derive(Debug, Serialize)]
pub struct ProofFigures {
    /// Proofs per second at neighbouring steps.
    pub neighbouring_per_second: f64,
    /// Steps of the run that proofs were spread over.
    pub spread_steps: u64,
    /// Proofs spread over it.
    pub spread_proofs: u64,
    /// Time of that run with the proofs by the time of the plain run; at most 2 is wanted.
    pub spread_by_plain: f64,
    /// Steps that were compared with the contract.
    pub compared: u64,
    /// The most gas that one of them took.
    pub max_gas: u64,
}

/// Steps of the long run, and proofs that are spread over it.
const SPREAD_STEPS: u64 = 100_000_000;
const SPREAD_PROOFS: u64 = 100;

/// Neighbouring steps that are proven in a row.
const NEIGHBOURS: u64 = 5_000;

/// Steps that are compared with the contract at each end of a run, and as many anywhere.
const COMPARED: u64 = 200;

/// Measures on a model's run (its prestate, its code, a request) and on the long run of another program.
pub fn measure(
    contract: &mut Contract,
    (model, code, request): (&State, &[std::ops::Range<u32>], &Request),
    long: &State,
) -> Result<ProofFigures, LockstepError> {
    let image = conform(contract, model, code)?;
    let mut vm = Vm::from_state(model)?;
    vm.run(&mut GuestHost::new(request.clone()), u64::MAX)?;
    let plan = Plan { steps: vm.step_count(), first: COMPARED, last: COMPARED, random: COMPARED };
    let host = &mut GuestHost::new(request.clone());
    let run = run_conform(contract, &mut Prover::new(model)?, host, &plan)?;
    let (mut plain, mut spread) = (Duration::MAX, Duration::MAX);
    for _ in 0..3 {
        plain = plain.min(run_plain(long)?);
        spread = spread.min(run_with_proofs(long)?);
    }
    Ok(ProofFigures {
        neighbouring_per_second: NEIGHBOURS as f64 / neighbours(model, request, plan.steps)?.as_secs_f64(),
        spread_steps: SPREAD_STEPS,
        spread_proofs: SPREAD_PROOFS,
        spread_by_plain: spread.as_secs_f64() / plain.as_secs_f64(),
        compared: image.steps_compared + run.steps_compared,
        max_gas: image.max_gas.max(run.max_gas),
    })
}

/// Time of proofs in a row in the middle of a run.
fn neighbours(model: &State, request: &Request, steps: u64) -> Result<Duration, VmError> {
    let (mut prover, mut host) = (Prover::new(model)?, GuestHost::new(request.clone()));
    prover.run_to(steps / 2, &mut host)?;
    // The first one takes in all of memory.
    prover.step(&mut host)?;
    let started = Instant::now();
    for _ in 0..NEIGHBOURS {
        std::hint::black_box(prover.step(&mut host)?);
    }
    Ok(started.elapsed())
}

fn run_plain(long: &State) -> Result<Duration, VmError> {
    let started = Instant::now();
    Vm::from_state(long)?.run(&mut GuestHost::new(Request::default()), SPREAD_STEPS)?;
    Ok(started.elapsed())
}

fn run_with_proofs(long: &State) -> Result<Duration, VmError> {
    let started = Instant::now();
    let (mut prover, mut host) = (Prover::new(long)?, GuestHost::new(Request::default()));
    for proof in 1..=SPREAD_PROOFS {
        prover.run_to(SPREAD_STEPS / SPREAD_PROOFS * proof - 1, &mut host)?;
        std::hint::black_box(prover.step(&mut host)?);
    }
    Ok(started.elapsed())
}
