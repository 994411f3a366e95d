//! placeholder
/// placeholder
#[derive(clap::Args)]
pub struct Args {}
pub fn run(_: &Args) -> crate::outcome::Result { unreachable!() }
