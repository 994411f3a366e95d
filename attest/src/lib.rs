//! Signed statements of what files were made from, in the formats that others' tools read.
//!
//! ```text
//! Provenance --Statement--> provenance.json --sign--> Envelope --verify--> Statement, compared with a folder
//! Bom --to_json--> sbom.cdx.json
//! ```
//!
//! A [`Statement`] is in-toto's, with the provenance of SLSA v1 in it; an [`Envelope`] is DSSE's, with ed25519 signatures; a
//! [`Bom`] becomes a CycloneDX document. All three follow from what they are given: no clock, no machine and no random number
//! reaches them, so that two builders of the same sources sign the same bytes.
//!
//! Statements, envelopes and keys are read from anybody: in bounded time and memory, and each thing that may be wrong
//! has its own error. docs/provenance.md says what the statements claim. Nothing here knows how programs are built.

mod bom;
mod envelope;
mod folder;
mod fuzz;
mod json;
mod key;
mod key_file;
mod provenance;
mod seal;
mod statement;

pub use bom::{Bom, Crate, Model, Program, Tool};
pub use envelope::{Envelope, EnvelopeError, MAX_ENVELOPE, MAX_SIGNATURES, PAYLOAD_TYPE, Signature, pae};
pub use folder::{Difference, FolderError};
pub use fuzz::fuzz_envelope;
pub use json::JsonError;
pub use key::{KeyError, PrivateKey, PublicKey, SIGNATURE_BYTES};
pub use key_file::{KeyFileError, generate, private_key, public_key};
pub use provenance::{
    BuildDefinition, Builder, ExternalParameters, InternalParameters, Provenance, RunDetails,
};
pub use seal::{Layout, SealError, Sealed, sign, verify};
pub use statement::{
    MAX_STATEMENT, MAX_SUBJECTS, PREDICATE_TYPE, Resource, STATEMENT_TYPE, Statement, StatementError, Subject,
};
