//! The files of a program, whoever built it, and how they get to the disk whole or not at all.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, IntoInnerError, Read, Write};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;

use opml_attest::{Envelope, MAX_ENVELOPE};
use opml_state::State;
use tempfile::NamedTempFile;

use crate::audit::AuditedElf;
use crate::elf::Elf;
use crate::error::BuildError;
use crate::hashed::{Hashed, PIECE};
use crate::image;
use crate::manifest::Manifest;
use crate::progress::Progress;
use crate::provenance;
use crate::work_dir::{self, Guard, write_atomically};

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

/// Small writes are put together until they have so many bytes, as each is a call of the system.
const SMALL: usize = 1 << 16;

/// What writes a file.
type Content<'a> = Box<dyn FnOnce(&mut (dyn Write + Send)) -> io::Result<()> + Send + 'a>;

/// The files of one program but for its manifest: written, under names that are gone with this value unless
/// [`publish`](Self::publish) gives them their own. Nobody else writes to the output folder meanwhile.
pub(crate) struct Files {
    out: PathBuf,
    files: BTreeMap<&'static str, Staged>,
    /// Behind the files, which go first.
    _guard: Guard,
}

/// A file that waits for its name.
struct Staged {
    file: NamedTempFile,
    sha256: String,
}

impl Files {
    /// Writes the initial `state` of the `audited` program, its symbols and the ELF files `programs` to the folder `out`, with
    /// `work` for the lock that keeps others out of it. Each is hashed on its way. `bill` makes the bill
    /// of materials from the SHA-256 of the program.
    pub fn write<'a>(
        out: &Path,
        work: &Path,
        audited: &AuditedElf,
        programs: impl IntoIterator<Item = (&'static str, &'a Elf)>,
        state: &State,
        bill: impl FnOnce(String) -> String,
        progress: &dyn Progress,
    ) -> Result<Self, BuildError> {
        let guard = work_dir::lock_output(work, out, progress)?;
        work_dir::remove_leftovers(out)?;
        let mut contents: Vec<(&'static str, Content<'_>)> = Vec::new();
        for (name, elf) in programs {
            contents.push((name, Box::new(|out| elf.write(out))));
        }
        contents.push((file::META, Box::new(|out| image::metadata(audited).write_json(out))));
        let mut files = BTreeMap::new();
        thread::scope(|scope| {
            // A hash takes its bytes one after the other, so each file has a thread of its own; the state keeps more of them busy.
            let write = |(name, content)| (name, scope.spawn(move || Staged::new(out, name, content)));
            let writing: Vec<_> = contents.into_iter().map(write).collect();
            let prestate: Content<'_> = Box::new(|out| opml_state::cannon::write_state(state, out));
            files.insert(file::PRESTATE, Staged::new(out, file::PRESTATE, prestate)?);
            for (name, thread) in writing {
                files.insert(name, thread.join().unwrap_or_else(|panic| resume_unwind(panic))?);
            }
            Ok::<_, BuildError>(())
        })?;
        let program = files.get(file::PROGRAM).map(|staged: &Staged| staged.sha256.clone());
        let bill = bill(program.unwrap_or_default());
        files.insert(
            file::SBOM,
            Staged::new(out, file::SBOM, Box::new(|out| out.write_all(bill.as_bytes())))?,
        );
        Ok(Self { out: out.to_owned(), files, _guard: guard })
    }

    /// SHA-256 of each, hexadecimal.
    pub fn sha256(&self) -> BTreeMap<String, String> {
        self.files.iter().map(|(&name, staged)| (name.to_owned(), staged.sha256.clone())).collect()
    }

    /// Gives the files their names. The manifest is removed first and written last: a folder with a manifest is
    /// whole. A folder that holds all this already stays as it is.
    pub fn publish(self, manifest: &Manifest) -> Result<(), BuildError> {
        // What is named first goes last: the folder is not let go before the files that got no name are gone.
        let Self { _guard, out, files } = self;
        let path = out.join(file::MANIFEST);
        let text = manifest.to_json();
        // Of the program that was in the folder before, if it had a file more.
        let stale =
            || file::HASHED.iter().filter(|name| !files.contains_key(*name)).map(|name| out.join(name));
        let statement = provenance::statement(manifest, &text).to_json();
        forget_other_statements(&out.join(file::ENVELOPE), statement.as_bytes())?;
        let holds = |path: &Path, text: &str| fs::read(path).is_ok_and(|old| old == text.as_bytes());
        if holds(&path, &text)
            && holds(&out.join(file::PROVENANCE), &statement)
            && files.iter().all(|(name, staged)| same(&out.join(name), staged.file.path()))
            && !stale().any(|path| path.exists())
        {
            return Ok(());
        }
        remove(&path)?;
        for path in stale() {
            remove(&path)?;
        }
        for (name, staged) in files {
            let path = out.join(name);
            staged.file.persist(&path).map_err(|e| BuildError::io("write", &path)(e.error))?;
        }
        write_atomically(&out.join(file::PROVENANCE), statement.as_bytes())?;
        write_atomically(&path, text.as_bytes())
    }
}

/// Removes the envelope at `path` unless it is around `statement`: signatures of another program would vouch for nothing
/// that is here. Those of the same statement stay, as equal sources give equal statements.
fn forget_other_statements(path: &Path, statement: &[u8]) -> Result<(), BuildError> {
    let bound = MAX_ENVELOPE as u64;
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(bound + 1).read_to_end(&mut bytes));
    match read.ok().and_then(|_| Envelope::parse(&bytes).ok()) {
        Some(envelope) if envelope.payload == statement => Ok(()),
        _ => remove(path),
    }
}

impl Staged {
    fn new(out: &Path, name: &str, content: Content<'_>) -> Result<Self, BuildError> {
        let path = out.join(name);
        let write = || {
            let mut hashed = Hashed::new(work_dir::unfinished(&path)?);
            let mut buffered = BufWriter::with_capacity(SMALL, &mut hashed);
            content(&mut buffered)?;
            buffered.into_inner().map_err(IntoInnerError::into_error)?;
            let (file, sha256) = hashed.finish();
            Ok(Self { file, sha256 })
        };
        write().map_err(BuildError::io("write", &path))
    }
}

/// Whether two files hold the same; not if one cannot be read.
fn same(old: &Path, new: &Path) -> bool {
    let compare = || -> io::Result<bool> {
        let (mut old, mut new) = (File::open(old)?, File::open(new)?);
        if old.metadata()?.len() != new.metadata()?.len() {
            return Ok(false);
        }
        let (mut a, mut b) = (vec![0; PIECE], vec![0; PIECE]);
        loop {
            let count = new.read(&mut b)?;
            old.read_exact(&mut a[..count])?;
            if count == 0 || a[..count] != b[..count] {
                return Ok(count == 0);
            }
        }
    };
    compare().unwrap_or(false)
}

fn remove(path: &Path) -> Result<(), BuildError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(BuildError::io("replace", path)(error)),
        _ => Ok(()),
    }
}
