//! `toolchain`: the guest toolchain alone.

mod moved;
mod update;

use clap::Subcommand;
use opml_toolchain::provision::{self, Tool, Toolchain};

use crate::outcome::{Outcome, Result, Stop};
use crate::ui;

/// Install, locate, remove, move or renew the pinned guest toolchain
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Download, check and unpack it, if it is not there
    Install {
        /// Never use the network: only what is in the cache
        #[arg(long)]
        offline: bool,
    },
    /// Print where its tools are; exits with 1 if it is not installed
    Path,
    /// Remove it, older ones, their packages and the test tools from the cache
    Remove,
    Export(moved::Export),
    Import(moved::Import),
    Update(update::Update),
}

pub fn run(args: &Args) -> Result {
    let progress = ui::reporter();
    match &args.action {
        Action::Install { offline } => {
            let options = super::provision_options(*offline)?;
            show(&provision::ensure(&options, &*progress).map_err(Stop::unable)?);
        }
        Action::Path => {
            let Some(toolchain) = provision::find(&super::provision_options(true)?).map_err(Stop::unable)?
            else {
                eprintln!("no toolchain is installed; `cargo xtask toolchain install` does that");
                return Ok(Outcome::Failed);
            };
            let path =
                |tool: Tool| toolchain.path(tool).map_or_else(|e| e.to_string(), |p| p.display().to_string());
            print!("{}", ui::table::pairs(Tool::ALL.map(|tool| (tool.name(), path(tool)))));
        }
        Action::Export(args) => return moved::export(args, &*progress),
        Action::Import(args) => return moved::import(args, &*progress),
        Action::Update(args) => return update::update(args, &*progress),
        Action::Remove => {
            let removed =
                provision::remove(&super::provision_options(true)?, &*progress).map_err(Stop::unable)?;
            removed.iter().for_each(|path| println!("removed {}", path.display()));
            if removed.is_empty() {
                println!("nothing to remove");
            }
        }
    }
    Ok(Outcome::Done)
}

/// Says what was installed.
fn show(toolchain: &Toolchain) {
    if let Some(reason) = toolchain.fallback() {
        eprintln!("warning: the pinned toolchain cannot be used here: {reason}");
    }
    println!("{}", toolchain.identity().rustc);
}
