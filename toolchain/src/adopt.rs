//! The pipeline for a program that was built elsewhere: all of [`build`](crate::build) behind the linker.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use opml_targets::Target;

use crate::audit::{AuditOptions, audit_with};
use crate::elf::Elf;
use crate::error::BuildError;
use crate::image;
use crate::manifest::Manifest;
use crate::output::{Files, file};
use crate::patch::{PatchSet, patch};
use crate::progress::Progress;
use crate::provenance;
use crate::stages::Stages;

/// A program that was built elsewhere, and where its files go.
#[derive(Clone, Debug)]
pub struct Adoption {
    /// Name of the program.
    pub name: String,
    /// The linked program.
    pub elf: Elf,
    /// The file it was read from. It is never overwritten.
    pub source: PathBuf,
    /// The changes that were asked for.
    pub patches: Option<PatchSet>,
    /// Whether instructions pass that the VM cannot run.
    pub allow_reverting: bool,
    /// The command that makes the files again.
    pub rebuild: String,
    /// Where the files go.
    pub out: PathBuf,
    /// A folder for locks.
    pub work: PathBuf,
}

/// A program that passed the audit, with its files on the disk.
#[derive(Clone, Debug)]
pub struct Adopted {
    /// What `manifest.json` says.
    pub manifest: Manifest,
    /// How many instruction words were judged.
    pub instructions: usize,
    /// How long each stage took, in their order.
    pub timings: Vec<(&'static str, Duration)>,
}

/// Makes of a linked program what [`build`](crate::build) makes of a model: audits, loads, commits, writes. There is
/// one ELF file, so what is loaded is what was audited; it is written as it came, but for the patches that were asked for.
///
/// # Errors
/// [`BuildError::Audit`] for a program that does not pass, [`BuildError::Patch`] for one that is not what the patches are for,
/// [`BuildError::SourceInOutput`], [`BuildError::Io`]. The output folder is then as it was, or without a manifest if writing failed.
pub fn adopt(adoption: Adoption, target: &Target, progress: &dyn Progress) -> Result<Adopted, BuildError> {
    keep_source(&adoption)?;
    let Adoption { name, elf, patches, allow_reverting, rebuild, out, work, .. } = adoption;
    let mut stages = Stages::new(progress);
    let mut options = AuditOptions { allow_reverting, ..AuditOptions::default() };
    let (elf, patches) = match patches {
        None => (elf, None),
        Some(set) => {
            let patched = stages.run("patch", |_| Ok(patch(&elf, set)?))?;
            options.no_jump_tables = patched.no_jump_tables;
            (patched.elf, Some(patched.patches))
        }
    };
    let audited = stages.run("audit", |_| Ok(audit_with(elf, target, &options)?))?;
    let state = stages.run("load", |_| Ok(image::initial_state(&audited, target)))?;
    let programs = [(file::PROGRAM, audited.elf())];
    let bill = |sha256: String| provenance::bill(&name, target.name(), sha256, None, None);
    let (files, witness) = stages.run("commit and encode", |p| {
        let write = || Files::write(&out, &work, &audited, programs, &state, bill, p);
        let (files, witness) = rayon::join(write, || state.witness());
        Ok((files?, witness))
    })?;
    let manifest = Manifest::of_program(&name, &rebuild, &audited, &state, &witness, &files).patched(patches);
    stages.run("write", |_| files.publish(&manifest))?;
    Ok(Adopted { manifest, instructions: audited.instructions(), timings: stages.timings() })
}

/// The files of the program would take the place of what lies beside its source, perhaps of the source itself: a
/// folder of `build-model` would lose its manifest and its debug information.
fn keep_source(adoption: &Adoption) -> Result<(), BuildError> {
    let folder = fs::canonicalize(&adoption.source).map_err(BuildError::io("find", &adoption.source))?;
    match fs::canonicalize(&adoption.out) {
        Ok(out) if folder.parent() == Some(&*out) => Err(BuildError::SourceInOutput {
            source_file: adoption.source.clone(),
            out: adoption.out.clone(),
        }),
        // A folder that cannot be found yet holds nothing.
        _ => Ok(()),
    }
}
