//! States of a run on the disk, so that a late step is reached without running everything before it.

use std::path::{Path, PathBuf};
use std::{fs, io};

use opml_state::{Hash, State, cannon};

use crate::{Host, Prover, Request, Stop, Vm, VmError};

/// Steps between two snapshots unless told otherwise: about a second of running, far more than one takes.
pub const DEFAULT_SNAPSHOT_INTERVAL: u64 = 1 << 30;

/// The snapshots of one run, in a folder of their own: Cannon's state files, each named after its step and
/// its state hash.
///
/// A file is loaded only if its state has that step and that hash. That the state belongs to the run cannot
/// be told from it; the folder's name says so ([`Request::id`]), and whoever can write to it is trusted.
#[derive(Clone, Debug)]
pub struct Snapshots {
    dir: PathBuf,
    interval: u64,
}

/// Why a step was not reached with snapshots.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum SnapshotError {
    /// The folder or a file of it could not be read or written.
    #[error("cannot use the snapshots in {}", dir.display())]
    #[diagnostic(help("check that it is a folder that can be written, or name another"))]
    Io {
        /// The folder.
        dir: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file that is no state file.
    #[error("the snapshot {} cannot be read", path.display())]
    #[diagnostic(help("remove the file; what it spared is run again"))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: cannon::ReadError,
    },
    /// A state of another step or with another hash than the file is named after.
    #[error("the snapshot {} holds another state than its name says: step {step}, {hash}", path.display())]
    #[diagnostic(help("it was damaged or renamed: remove the file; what it spared is run again"))]
    Renamed {
        /// The file.
        path: PathBuf,
        /// The step of the state in it.
        step: u64,
        /// The state's hash.
        hash: Hash,
    },
    /// The run itself failed.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Vm(#[from] VmError),
}

impl Request {
    /// What names the run of this request from the state with the hash `prestate`.
    pub fn id(&self, prestate: Hash) -> Hash {
        let numbers = [self.step_index.to_be_bytes(), self.domain.to_be_bytes()].concat();
        let input_root = opml_state::keccak256(&self.input);
        let parts = [&prestate.0[..], &input_root.0, &self.claim.0, &self.context.0, &numbers];
        opml_state::keccak256(&parts.concat())
    }
}

impl Snapshots {
    /// The snapshots in `dir`, which need not exist, one every `interval` steps.
    ///
    /// # Panics
    /// If `interval` is 0.
    pub fn new(dir: &Path, interval: u64) -> Self {
        assert!(interval > 0, "there would be no end of snapshots");
        Self { dir: dir.to_owned(), interval }
    }

    /// Takes `prover` to the last snapshot at or before `step`, if there is one that is nearer to `step` than
    /// it is, or if it is beyond `step`.
    ///
    /// # Errors
    /// If the folder or the file cannot be used.
    pub fn seek(&self, prover: &mut Prover, step: u64) -> Result<(), SnapshotError> {
        let here = prover.vm().step_count();
        if let Some((at, path)) = self.nearest(step)?
            && (at > here || here > step)
        {
            *prover = Prover::from_vm(Vm::from_state(&load(&path, at)?)?);
        }
        Ok(())
    }

    /// Runs to `step` as [`Prover::run_to`] does, and leaves snapshots behind on the way.
    ///
    /// # Errors
    /// Those of the run, and of files that cannot be written.
    pub fn run_to(
        &self,
        prover: &mut Prover,
        step: u64,
        host: &mut impl Host,
    ) -> Result<Stop, SnapshotError> {
        loop {
            let here = prover.vm().step_count();
            let next = (here / self.interval + 1).saturating_mul(self.interval);
            let stop = prover.run_to(step.min(next), host)?;
            let at = prover.vm().step_count();
            if at == next {
                self.save(prover)?;
            }
            if stop != Stop::Limit || at >= step {
                return Ok(stop);
            }
        }
    }

    /// The last snapshot at or before `step`, with its step.
    fn nearest(&self, step: u64) -> Result<Option<(u64, PathBuf)>, SnapshotError> {
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(self.io(source)),
        };
        let mut best = None;
        for entry in entries {
            let path = entry.map_err(|source| self.io(source))?.path();
            let at = named(&path).map(|(at, _)| at).filter(|&at| at <= step);
            // Greatest first by step; by name if two claim the same, so that the folder's order is no matter.
            best = best.max(at.map(|at| (at, path)));
        }
        Ok(best)
    }

    fn save(&self, prover: &mut Prover) -> Result<(), SnapshotError> {
        let (step, hash) = (prover.vm().step_count(), prover.state_hash());
        let path = self.dir.join(format!("{step}-{hash}.bin.gz"));
        let write = || {
            fs::create_dir_all(&self.dir)?;
            cannon::save_state(&prover.vm().state(), &path)
        };
        if path.exists() { Ok(()) } else { write().map_err(|source| self.io(source)) }
    }

    fn io(&self, source: io::Error) -> SnapshotError {
        SnapshotError::Io { dir: self.dir.clone(), source }
    }
}

/// Step and state hash that a snapshot's file is named after.
fn named(path: &Path) -> Option<(u64, Hash)> {
    let (step, hash) = path.file_name()?.to_str()?.strip_suffix(".bin.gz")?.split_once('-')?;
    Some((step.parse().ok()?, hash.parse().ok()?))
}

fn load(path: &Path, step: u64) -> Result<State, SnapshotError> {
    let unreadable = |source| SnapshotError::Unreadable { path: path.to_owned(), source };
    let state = cannon::load_state(path, cannon::Limits::default()).map_err(unreadable)?;
    let hash = state.state_hash();
    if named(path) != Some((state.step, hash)) || state.step != step {
        return Err(SnapshotError::Renamed { path: path.to_owned(), step: state.step, hash });
    }
    Ok(state)
}
