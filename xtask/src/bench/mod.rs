//! What `bench` measures. Steps are exact; times are only ever shown beside what they are compared with.

mod elementwise;
mod guest;
mod integer_convs;
mod integers;
mod kernels;
mod large_model;
mod models;
mod native;
mod peers;
mod proofs;
mod root;
mod scale;
mod vm_speed;

use serde::Serialize;

pub use elementwise::{OperationFigure, measure as elementwise, program as elementwise_program};
pub use integer_convs::{INTEGER_CONVS, IntegerConv};
pub use integers::{INTEGER_KERNELS, IntegerKernel};
pub use kernels::{KERNELS, Kernel, KernelFigures};
pub use models::{ModelFigures, Stage};
pub use native::{NativeFigures, measure as native};
pub use peers::{PEERS, Peer};
pub use proofs::{ProofFigures, measure as proofs};
pub use root::{RootFigures, measure as root};
pub use scale::{ScaleFigures, measure as scale};
pub use vm_speed::{LOOP, SpeedFigures, measure as vm_speed};

/// Everything a bench run found; its JSON is this structure.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// One entry for each shipped model.
    pub models: Vec<ModelFigures>,
    /// One entry for each kernel.
    pub kernels: Vec<KernelFigures>,
    /// What the operations on single elements cost in the guest.
    pub elementwise: Vec<OperationFigure>,
    /// The native twin's sums beside products of binary32.
    pub native: Vec<NativeFigures>,
    /// The off-chain VM beside qemu.
    pub vm: SpeedFigures,
    /// The memory root beside plain hashing.
    pub root: RootFigures,
    /// A large model beside reading and hashing it.
    pub scale: ScaleFigures,
    /// Proofs of single steps, and their price on chain.
    pub proofs: ProofFigures,
    /// Figures of other projects.
    pub peers: &'static [Peer],
}
