//! The command line of opml-toolchain: it only dispatches. One command per file in [`commands`].

mod bench;
mod commands;
mod outcome;
mod program;
mod shipped;
mod ui;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Compiles machine-learning programs into images that an on-chain fault-proof VM can judge.
///
/// Exit codes: 0 done, 1 the check failed (the program, the model or the run is not acceptable), 2 it could
/// not be checked (a tool, a file or the network is missing, or the arguments are wrong).
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    BuildModel(commands::build_model::Args),
    New(commands::new::Args),
    Convert(commands::convert::Args),
    Quantize(commands::quantize::Args),
    Image(commands::image::Args),
    Audit(commands::audit::Args),
    Inspect(commands::inspect::Args),
    Run(commands::run::Args),
    Profile(commands::profile::Args),
    Prove(commands::prove::Args),
    CheckProof(commands::check_proof::Args),
    Conform(commands::conform::Args),
    Attest(commands::attest::Args),
    State(commands::state::Args),
    Verify(commands::verify::Args),
    Diff(commands::diff::Args),
    Roots(commands::roots::Args),
    Doctor(commands::doctor::Args),
    Toolchain(commands::toolchain::Args),
    Ci(commands::ci::Args),
    Test(commands::test::Args),
    Bench(commands::bench::Args),
}

fn main() -> ExitCode {
    outcome::set_report_style();
    let result = match Cli::parse().command {
        Command::BuildModel(args) => commands::build_model::run(&args),
        Command::New(args) => commands::new::run(&args),
        Command::Convert(args) => commands::convert::run(&args),
        Command::Quantize(args) => commands::quantize::run(&args),
        Command::Image(args) => commands::image::run(&args),
        Command::Audit(args) => commands::audit::run(&args),
        Command::Inspect(args) => commands::inspect::run(&args),
        Command::Run(args) => commands::run::run(&args),
        Command::Profile(args) => commands::profile::run(&args),
        Command::Prove(args) => commands::prove::run(&args),
        Command::CheckProof(args) => commands::check_proof::run(&args),
        Command::Conform(args) => commands::conform::run(&args),
        Command::Attest(args) => commands::attest::run(&args),
        Command::State(args) => commands::state::run(&args),
        Command::Verify(args) => commands::verify::run(&args),
        Command::Diff(args) => commands::diff::run(&args),
        Command::Roots(args) => commands::roots::run(&args),
        Command::Doctor(args) => commands::doctor::run(&args),
        Command::Toolchain(args) => commands::toolchain::run(&args),
        Command::Ci(args) => commands::ci::run(&args),
        Command::Test(args) => commands::test::run(&args),
        Command::Bench(args) => commands::bench::run(&args),
    };
    outcome::exit_code(result)
}
