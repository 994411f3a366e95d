//! The files of a program, whoever built it, and how they get to the disk whole or not at all.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::Path;

use opml_attest::{Envelope, MAX_ENVELOPE};
use opml_state::State;

use crate::audit::AuditedElf;
use crate::elf::Elf;
use crate::error::BuildError;
use crate::image;
use crate::manifest::Manifest;
use crate::progress::Progress;
use crate::provenance;
use crate::work_dir::{self, write_atomically};

/// Names of the files.
pub mod file {
    /// What is loaded.
    pub const PROGRAM: &str = "program.elf";
    /// The same with symbols and debug information.
    pub const DEBUG: &str = "program.debug.elf";
    /// The initial state in Cannon's format.
    pub const PRESTATE: &str = "prestate.bin.gz";
    /// Symbols in Cannon's format.
    pub const META: &str = "meta.json";
    /// What was made from what; written last.
    pub const MANIFEST: &str = "manifest.json";
    /// The bill of materials, of which the manifest has a hash.
    pub const SBOM: &str = "sbom.cdx.json";
    /// The statement about all of these, the manifest included.
    pub const PROVENANCE: &str = "provenance.json";
    /// The same, signed. A build does not write it.
    pub const ENVELOPE: &str = "provenance.dsse.json";

    /// The files that a manifest has hashes of.
    pub const HASHED: [&str; 5] = [PROGRAM, DEBUG, PRESTATE, META, SBOM];
    /// Files that a build writes beside and that no manifest has a hash of. The envelope is not one: its signers differ.
    pub const BESIDE: [&str; 1] = [PROVENANCE];
}

/// The files of one program but for its manifest, by name.
pub(crate) type Files = BTreeMap<&'static str, Vec<u8>>;

/// Encodes the initial `state` of the `audited` program beside the ELF files `programs` and its `bill` of materials.
pub(crate) fn encode<'a>(
    audited: &AuditedElf,
    programs: impl IntoIterator<Item = (&'static str, &'a Elf)>,
    state: &State,
    bill: String,
) -> Result<Files, BuildError> {
    let (mut prestate, mut meta) = (Vec::new(), Vec::new());
    opml_state::cannon::write_state(state, &mut prestate)
        .map_err(BuildError::io("encode", Path::new(file::PRESTATE)))?;
    image::metadata(audited)
        .write_json(&mut meta)
        .map_err(BuildError::io("encode", Path::new(file::META)))?;
    let mut files: Files = programs.into_iter().map(|(name, elf)| (name, elf.data().to_vec())).collect();
    files.extend([(file::PRESTATE, prestate), (file::META, meta), (file::SBOM, bill.into_bytes())]);
    Ok(files)
}

/// Writes a program to the folder `out`, with `work` for the lock that keeps others out of it meanwhile. The
/// manifest is removed first and written last: a folder with a manifest is whole.
pub(crate) fn write(
    out: &Path,
    work: &Path,
    files: &Files,
    manifest: &Manifest,
    progress: &dyn Progress,
) -> Result<(), BuildError> {
    let _guard = work_dir::lock_output(work, out, progress)?;
    work_dir::remove_leftovers(out)?;
    let path = out.join(file::MANIFEST);
    let text = manifest.to_json();
    // Of the program that was in the folder before, if it had a file more.
    let stale = || file::HASHED.iter().filter(|name| !files.contains_key(*name)).map(|name| out.join(name));
    let statement = provenance::statement(manifest, &text).to_json();
    forget_other_statements(&out.join(file::ENVELOPE), statement.as_bytes())?;
    if same(&path, text.as_bytes())
        && same(&out.join(file::PROVENANCE), statement.as_bytes())
        && files.iter().all(|(name, bytes)| same(&out.join(name), bytes))
        && !stale().any(|path| path.exists())
    {
        return Ok(());
    }
    remove(&path)?;
    for path in stale() {
        remove(&path)?;
    }
    for (name, bytes) in files {
        write_atomically(&out.join(name), bytes)?;
    }
    write_atomically(&out.join(file::PROVENANCE), statement.as_bytes())?;
    write_atomically(&path, text.as_bytes())
}

/// Removes the envelope at `path` unless it is around `statement`: signatures of another program would vouch for nothing
/// that is here. Those of the same statement stay, as equal sources give equal statements.
fn forget_other_statements(path: &Path, statement: &[u8]) -> Result<(), BuildError> {
    let bound = MAX_ENVELOPE as u64;
    let mut bytes = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(bound + 1).read_to_end(&mut bytes));
    match read.ok().and_then(|_| Envelope::parse(&bytes).ok()) {
        Some(envelope) if envelope.payload == statement => Ok(()),
        _ => remove(path),
    }
}

fn same(path: &Path, bytes: &[u8]) -> bool {
    fs::read(path).is_ok_and(|old| old == bytes)
}

fn remove(path: &Path) -> Result<(), BuildError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(BuildError::io("replace", path)(error)),
        _ => Ok(()),
    }
}
