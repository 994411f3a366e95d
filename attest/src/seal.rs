//! A folder with its statement, signed and verified.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use crate::envelope::{Envelope, EnvelopeError, MAX_ENVELOPE, PAYLOAD_TYPE};
use crate::folder::{self, FolderError};
use crate::key::{PrivateKey, PublicKey};
use crate::statement::{Statement, StatementError};

/// How a kind of folder is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Layout<'a> {
    /// Name of the statement.
    pub statement: &'a str,
    /// Name of the envelope.
    pub envelope: &'a str,
    /// What else may be there without being signed.
    pub beside: &'a [&'a str],
    /// The ways to build that a statement may name.
    pub build_types: &'a [&'a str],
}

/// A folder that holds what its statement says.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// The statement.
    pub statement: Statement,
    /// The envelope around it.
    pub envelope: Envelope,
    /// Name of the key.
    pub key: String,
}

/// Why a folder is not signed, or its signature says nothing.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum SealError {
    /// The envelope.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Envelope(#[from] EnvelopeError),
    /// The statement in it.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Statement(#[from] StatementError),
    /// The files.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Folder(#[from] FolderError),
    /// Whoever reads the statement in the folder reads another one than was signed.
    #[error("{0} is not the statement in the envelope")]
    #[diagnostic(help("build the folder again and sign it, or get it again from whoever signed it"))]
    OtherStatement(String),
}

impl SealError {
    /// Whether the folder could not be judged, as something could not be read.
    pub fn is_unable(&self) -> bool {
        matches!(self, Self::Folder(FolderError::Io { .. }))
    }
}

/// Signs the statement in `dir` if the files there are what it says. The signatures of an envelope that is there already
/// stay in it. Nothing is written: that is up to the caller.
///
/// # Errors
/// [`SealError`]; [`SealError::OtherStatement`] if the envelope that is there holds another one.
pub fn sign(dir: &Path, layout: &Layout, key: &PrivateKey) -> Result<Sealed, SealError> {
    let payload = read(&dir.join(layout.statement))?;
    let statement = Statement::parse(&payload, layout.build_types)?;
    compare(dir, layout, &statement)?;
    let path = dir.join(layout.envelope);
    let mut envelope = match fs::symlink_metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Envelope::new(payload),
        _ => {
            let there = Envelope::parse(&read(&path)?)?;
            if there.payload != payload || there.payload_type != PAYLOAD_TYPE {
                return Err(SealError::OtherStatement(layout.statement.to_owned()));
            }
            there
        }
    };
    envelope.sign(key);
    Ok(Sealed { statement, envelope, key: key.public().id() })
}

/// Checks that `key` signed the statement of `dir`, and that the files there are what it says: these bytes under these
/// names, and no others.
///
/// # Errors
/// [`SealError`] of the first thing that is wrong: the envelope, its signatures, its statement, then the files.
pub fn verify(dir: &Path, layout: &Layout, key: &PublicKey) -> Result<Sealed, SealError> {
    let envelope = Envelope::parse(&read(&dir.join(layout.envelope))?)?;
    let statement = Statement::parse(envelope.verify(key)?, layout.build_types)?;
    compare(dir, layout, &statement)?;
    if read(&dir.join(layout.statement))? != envelope.payload {
        return Err(SealError::OtherStatement(layout.statement.to_owned()));
    }
    Ok(Sealed { statement, envelope, key: key.id() })
}

fn compare(dir: &Path, layout: &Layout, statement: &Statement) -> Result<(), FolderError> {
    let mut beside = vec![layout.statement, layout.envelope];
    beside.extend(layout.beside);
    folder::compare(dir, statement.subjects(), &beside)
}

/// A file's bytes. Of one that is too long one byte more than is read of it, so that its reader finds it too long.
fn read(path: &Path) -> Result<Vec<u8>, FolderError> {
    let read = || {
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::other("it is neither a file nor a link to one"));
        }
        let mut bytes = Vec::new();
        File::open(path)?.take(MAX_ENVELOPE as u64 + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(FolderError::io("read", path))
}
