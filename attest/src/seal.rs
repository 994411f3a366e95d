//! A folder with its statement, signed and verified.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::envelope::{Envelope, EnvelopeError, MAX_ENVELOPE, PAYLOAD_TYPE};
use crate::folder::{self, Difference, FolderError};
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
    /// There is nothing to verify.
    #[error("there is no {}: nobody signed this folder", .0.display())]
    #[diagnostic(help("`cargo xtask attest sign` writes it"))]
    NoEnvelope(PathBuf),
    /// There is nothing to sign.
    #[error("there is no {}", .0.display())]
    #[diagnostic(help(
        "a build writes it; build the folder again, if an older version of this tool made it"
    ))]
    NoStatement(PathBuf),
}

impl SealError {
    /// Whether the folder could not be judged, as something could not be read or is not there.
    pub fn is_unable(&self) -> bool {
        matches!(self, Self::Folder(FolderError::Io { .. }) | Self::NoEnvelope(_) | Self::NoStatement(_))
    }
}

/// Signs the statement in `dir` if the files there are what it says. The signatures of an envelope that is there already
/// stay in it. Nothing is written: that is up to the caller.
///
/// # Errors
/// [`SealError`]; [`SealError::OtherStatement`] if the envelope that is there holds another one.
pub fn sign(dir: &Path, layout: &Layout, key: &PrivateKey) -> Result<Sealed, SealError> {
    let path = dir.join(layout.statement);
    let payload = read(&path)?.ok_or(SealError::NoStatement(path))?;
    let statement = Statement::parse(&payload, layout.build_types)?;
    compare(dir, layout, &statement)?;
    let mut envelope = match read(&dir.join(layout.envelope))? {
        None => Envelope::new(payload),
        Some(bytes) => {
            let there = Envelope::parse(&bytes)?;
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
    let path = dir.join(layout.envelope);
    let envelope = Envelope::parse(&read(&path)?.ok_or(SealError::NoEnvelope(path))?)?;
    let statement = Statement::parse(envelope.verify(key)?, layout.build_types)?;
    compare(dir, layout, &statement)?;
    match read(&dir.join(layout.statement))? {
        Some(bytes) if bytes == envelope.payload => {}
        Some(_) => return Err(SealError::OtherStatement(layout.statement.to_owned())),
        None => {
            let missing = Difference::Missing { name: layout.statement.to_owned() };
            return Err(FolderError::Differs(vec![missing]).into());
        }
    }
    Ok(Sealed { statement, envelope, key: key.id() })
}

fn compare(dir: &Path, layout: &Layout, statement: &Statement) -> Result<(), FolderError> {
    let mut beside = vec![layout.statement, layout.envelope];
    beside.extend(layout.beside);
    folder::compare(dir, statement.subjects(), &beside)
}

/// A file's bytes, if it is there. Of one that is too long one byte more than is read of it, so that its reader finds
/// it too long.
fn read(path: &Path) -> Result<Option<Vec<u8>>, FolderError> {
    let read = || {
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::other("it is neither a file nor a link to one"));
        }
        let mut bytes = Vec::new();
        File::open(path)?.take(MAX_ENVELOPE as u64 + 1).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    };
    match read() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        result => result.map_err(FolderError::io("read", path)),
    }
}
