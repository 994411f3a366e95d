use std::path::Path;
use std::process::Command;
use std::time::Instant;

use miette::Diagnostic;
use opml_state::State;
use opml_vm::Request;
use serde::Serialize;
use thiserror::Error;

use super::guest::{GuestError, prestate, steps};

/// The off-chain VM and `qemu-mips` on the same program.
#[derive(Debug, Serialize)]
pub struct SpeedFigures {
    /// Steps of the program.
    pub steps: u64,
    /// Steps per microsecond in the off-chain VM, the median of the pairs.
    pub vm_steps_per_microsecond: f64,
    /// The same in qemu.
    pub qemu_steps_per_microsecond: f64,
    /// The first by the second, pair by pair: least, median and largest.
    pub ratio: [f64; 3],
}

/// Why the pair could not be measured.
#[derive(Debug, Error, Diagnostic)]
pub enum SpeedError {
    /// The program does not run in the VM.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Vm(#[from] GuestError),
    /// The program does not run in qemu.
    #[error("qemu-mips did not run the program: {0}")]
    #[diagnostic(help("`cargo xtask test` installs the test tools; the program must exit with 0"))]
    Qemu(String),
}

/// Source of the measured guest: a dot product in soft-float, as a compiler makes it of a plain loop.
pub const LOOP: &str = "\
#![no_std]

use core::hint::black_box;

use opml_runtime::{Guest, Mips, Sys};

fn main(_: Guest<Mips>) -> ! {
    let mut sum = 0.0f32;
    for _ in 0..black_box(20_000) {
        for i in 0..black_box(100u32) {
            // Neither overflow nor a subnormal: the usual path of both operations.
            let x = f32::from_bits(0x3f80_0000 | (i << 12));
            sum += x * black_box(0.75) - 1.0;
        }
        sum *= 0.5;
    }
    black_box(sum);
    Mips.exit(0)
}

opml_runtime::program!(main);
";

/// Runs the program in `dir` in both, in turn.
pub fn measure(dir: &Path, qemu: &Path) -> Result<SpeedFigures, SpeedError> {
    const PAIRS: usize = 5;
    let state = prestate(dir)?;
    let (mut vm, mut emulator, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let mut steps = 0;
    for _ in 0..PAIRS {
        let (vm_seconds, run) = vm_run(&state)?;
        let qemu_seconds = qemu_run(qemu, &dir.join(opml_toolchain::file::PROGRAM))?;
        steps = run;
        vm.push(run as f64 / vm_seconds / 1e6);
        emulator.push(run as f64 / qemu_seconds / 1e6);
        ratios.push(qemu_seconds / vm_seconds);
    }
    for figures in [&mut vm, &mut emulator, &mut ratios] {
        figures.sort_by(f64::total_cmp);
    }
    let median = PAIRS / 2;
    Ok(SpeedFigures {
        steps,
        vm_steps_per_microsecond: vm[median],
        qemu_steps_per_microsecond: emulator[median],
        ratio: [ratios[0], ratios[median], ratios[PAIRS - 1]],
    })
}

fn vm_run(state: &State) -> Result<(f64, u64), SpeedError> {
    let started = Instant::now();
    let steps = steps(state, Request::default())?;
    Ok((started.elapsed().as_secs_f64(), steps))
}

fn qemu_run(qemu: &Path, program: &Path) -> Result<f64, SpeedError> {
    let started = Instant::now();
    let status = Command::new(qemu).arg(program).status().map_err(|e| SpeedError::Qemu(e.to_string()))?;
    if status.success() {
        Ok(started.elapsed().as_secs_f64())
    } else {
        Err(SpeedError::Qemu(status.to_string()))
    }
}
