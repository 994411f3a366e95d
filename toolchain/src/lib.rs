//! The build pipeline: from a guest program to a checked ELF, its memory root and a manifest.
//!
//! ```text
//! GuestProgram --compile--> Objects --link--> Elf --audit--> AuditedElf --load--> State --commit--> Witness
//! AuditedElf + Witness --write--> program.elf, program.debug.elf, prestate.bin.gz, meta.json, sbom.cdx.json, provenance.json, manifest.json
//! ```
//!
//! [`build`] is these lines; [`adopt`] is what is left of them for a program that was built elsewhere. Nothing here knows operators, tensors or the EVM.

mod adopt;
pub mod audit;
mod build;
mod c;
pub mod compare;
mod compile;
pub mod elf;
mod error;
mod expand;
mod flags;
mod guest;
mod hashed;
pub mod image;
pub mod inspect;
mod link;
pub mod manifest;
mod output;
mod package;
pub mod patch;
mod places;
pub mod progress;
mod provenance;
pub mod provision;
pub mod rebuild;
pub mod roots;
mod sources;
mod stages;
pub mod statements;
mod sysroot;
mod tool;
mod weights;
mod work_dir;

pub use adopt::{Adopted, Adoption, adopt};
pub use build::{Built, Options, Request, build};
pub use c::{CFolder, COptions, Definition};
pub use error::BuildError;
pub use guest::{GuestProgram, GuestSource, Put, Weight, Words};
pub use hashed::{Hashed, copy_hashed};
pub use output::file;
pub use package::{ModelCrate, ModelOptions, Package, PackageInfo, PackageOptions, Selection};
pub use places::Places;
pub use provenance::BUILD_TYPES;
pub use sources::{Checkout, CrateIdentity, Sources, TOOL};
pub use work_dir::write_atomically;
