//! Keys in files.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::key::{KeyError, PrivateKey, PublicKey};

/// Longest file of a key, in bytes.
const MAX_FILE: u64 = 16 << 10;

/// Why the file of a key cannot be used.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum KeyFileError {
    /// It could not be read or written.
    #[error("cannot {action} {}", path.display())]
    #[diagnostic(help("check the path and its permissions"))]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is a file of that name, which might be the only copy of a key.
    #[error("{} is there already", .0.display())]
    #[diagnostic(help("a key is never overwritten: name another file, or move that one away"))]
    Exists(PathBuf),
    /// It holds no key.
    #[error("{} holds no key that can be used", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        #[diagnostic_source]
        source: KeyError,
    },
}

/// Reads a private key.
///
/// # Errors
/// [`KeyFileError::Io`], [`KeyFileError::Key`].
pub fn private_key(path: &Path) -> Result<PrivateKey, KeyFileError> {
    let key = PrivateKey::from_pem(&text(path)?);
    key.map_err(|source| KeyFileError::Key { path: path.to_owned(), source })
}

/// Reads a public key.
///
/// # Errors
/// [`KeyFileError::Io`], [`KeyFileError::Key`].
pub fn public_key(path: &Path) -> Result<PublicKey, KeyFileError> {
    let key = PublicKey::from_pem(&text(path)?);
    key.map_err(|source| KeyFileError::Key { path: path.to_owned(), source })
}

/// Makes a key: the private half in `path`, readable by nobody else, and the public half beside it, in `KEY.pub.pem` for
/// `KEY.pem`. Gives the path of the public half, and the key.
///
/// # Errors
/// [`KeyFileError::Exists`] if there is a file of either name, [`KeyFileError::Io`].
pub fn generate(path: &Path) -> Result<(PathBuf, PublicKey), KeyFileError> {
    let public_path = path.with_extension("pub.pem");
    for path in [path, &public_path] {
        // Links that lead nowhere count: what is behind them may come back.
        if fs::symlink_metadata(path).is_ok() {
            return Err(KeyFileError::Exists(path.to_owned()));
        }
    }
    let key = PrivateKey::random().map_err(|source| KeyFileError::Key { path: path.to_owned(), source })?;
    // The public half first: if only one gets written, it is the one that is no loss.
    write_new(&public_path, &key.public().to_pem(), 0o644)?;
    write_new(path, &key.to_pem(), 0o600)?;
    Ok((public_path, key.public()))
}

/// Writes a file that is not there yet, whole or not at all, and for nobody else's eyes at any time if `mode` says so.
fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), KeyFileError> {
    let error = |source| KeyFileError::Io { action: "write", path: path.to_owned(), source };
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
    let mut file = tempfile::Builder::new()
        .prefix(".partial-")
        .permissions(permissions)
        .tempfile_in(dir)
        .map_err(error)?;
    file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(error)?;
    file.persist_noclobber(path).map(drop).map_err(|failed| match failed.error.kind() {
        io::ErrorKind::AlreadyExists => KeyFileError::Exists(path.to_owned()),
        _ => error(failed.error),
    })
}

fn text(path: &Path) -> Result<String, KeyFileError> {
    let mut text = String::new();
    let read = fs::File::open(path).and_then(|file| file.take(MAX_FILE).read_to_string(&mut text));
    match read {
        Ok(_) => Ok(text),
        Err(source) => Err(KeyFileError::Io { action: "read", path: path.to_owned(), source }),
    }
}
