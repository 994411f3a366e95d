//! A model's file, read once: what is hashed is what is imported, whoever writes to the file meanwhile.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bytes::Bytes;
use memmap2::{Advice, MmapMut};
use miette::Diagnostic;
use sha2::{Digest, Sha256};
use thiserror::Error;

/// How many bytes are read while those before them are hashed.
const PIECE: usize = 4 << 20;

/// Why a model's file was not read.
#[derive(Debug, Error, Diagnostic)]
pub enum ModelFileError {
    /// It is not there, or the system refuses it.
    #[error("cannot read {}", path.display())]
    #[diagnostic(help("check the path and its permissions"))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody wrote to it, or put another one in its place, while it was read.
    #[error("{} changed while it was read", path.display())]
    #[diagnostic(help("wait until whatever writes it has finished, then run the command again"))]
    Changed {
        /// The file.
        path: PathBuf,
    },
}

/// The bytes of a file in memory of our own, and their hash.
#[derive(Clone, Debug)]
pub struct ModelFile {
    /// The bytes. All that is cut out of them shares their memory.
    pub bytes: Bytes,
    /// Their SHA-256, hexadecimal.
    pub sha256: String,
}

impl ModelFile {
    /// Reads the ordinary file `path`.
    ///
    /// # Errors
    /// [`ModelFileError`]: a file that changes meanwhile is refused, as nobody could say which of its contents was meant.
    pub fn read(path: &Path) -> Result<Self, ModelFileError> {
        Self::read_while(path, || ())
    }

    /// The same, with `meanwhile` behind the last byte and before the look at what became of the file.
    fn read_while(path: &Path, meanwhile: impl FnOnce()) -> Result<Self, ModelFileError> {
        let unreadable = |source| ModelFileError::Unreadable { path: path.to_owned(), source };
        let changed = || ModelFileError::Changed { path: path.to_owned() };
        // Before it is opened: to open a pipe can take forever.
        if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
            return Err(unreadable(io::Error::other("it is neither a file nor a link to one")));
        }
        let mut file = File::open(path).map_err(unreadable)?;
        let before = file.metadata().map_err(unreadable)?;
        let len =
            usize::try_from(before.len()).map_err(|_| unreadable(io::ErrorKind::FileTooLarge.into()))?;
        let read = read_and_hash(&mut file, len).map_err(unreadable)?;
        meanwhile();
        let (here, there) = (file.metadata().map_err(unreadable)?, std::fs::metadata(path));
        let same =
            there.is_ok_and(|there| [&here, &there].iter().all(|now| identity(now) == identity(&before)));
        read.filter(|_| same).ok_or_else(changed)
    }
}

/// All `len` bytes of `file`; nothing if there are more or fewer.
fn read_and_hash(file: &mut File, len: usize) -> io::Result<Option<ModelFile>> {
    // Memory that is zeros until it is written to; a length of zero cannot be mapped.
    let mut memory = MmapMut::map_anon(len.max(1))?;
    // Fewer, larger pages are there faster. It is only advice.
    #[cfg(target_os = "linux")]
    let _advised = memory.advise(Advice::HugePage);
    let mut sha256 = Sha256::new();
    let mut done: &[u8] = &[];
    let mut rest = &mut memory[..len];
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at_mut(PIECE.min(rest.len()));
        let (read, ()) = rayon::join(|| file.read_exact(piece), || sha256.update(done));
        match read {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        (done, rest) = (piece, behind);
    }
    sha256.update(done);
    if file.read(&mut [0])? > 0 {
        return Ok(None);
    }
    let bytes = Bytes::from_owner(memory.make_read_only()?).slice(..len);
    Ok(Some(ModelFile { bytes, sha256: hex(&sha256.finalize()) }))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What does not stay the same if a file is written to or another one takes its name.
#[cfg(unix)]
fn identity(file: &Metadata) -> (u64, u64, u64, Option<SystemTime>, [i64; 2]) {
    use std::os::unix::fs::MetadataExt;
    (file.dev(), file.ino(), file.len(), file.modified().ok(), [file.ctime(), file.ctime_nsec()])
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_hash_is_that_of_the_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("model");
        for len in [0, 1, PIECE, 2 * PIECE + 3] {
            let content: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
            fs::write(&path, &content).unwrap();
            let file = ModelFile::read(&path).unwrap();
            assert!(file.bytes == content, "{len} bytes");
            assert_eq!(file.sha256, hex(&Sha256::digest(&content)));
        }
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("model");
        let old = SystemTime::now() - Duration::from_secs(60);
        let prepare = || {
            fs::write(&path, [7; 1000]).unwrap();
            File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
        };
        let open = || File::options().write(true).open(&path).unwrap();
        let other = dir.path().join("other");
        let changes: [(&str, &dyn Fn()); 5] = [
            ("longer", &|| File::options().append(true).open(&path).unwrap().write_all(&[7]).unwrap()),
            ("shorter", &|| open().set_len(999).unwrap()),
            ("another byte", &|| open().write_all(&[8]).unwrap()),
            ("gone", &|| fs::remove_file(&path).unwrap()),
            ("another file of the same content and time", &|| {
                fs::copy(&path, &other).unwrap();
                File::options().write(true).open(&other).unwrap().set_modified(old).unwrap();
                fs::rename(&other, &path).unwrap();
            }),
        ];
        for (what, change) in changes {
            prepare();
            assert!(ModelFile::read(&path).is_ok());
            let result = ModelFile::read_while(&path, change);
            assert!(matches!(result, Err(ModelFileError::Changed { .. })), "{what}: {result:?}");
        }
    }

    #[test]
    fn what_is_no_file_is_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        for path in [dir.path(), Path::new("/dev/zero"), &dir.path().join("absent")] {
            let result = ModelFile::read(path);
            assert!(
                matches!(result, Err(ModelFileError::Unreadable { .. })),
                "{}: {result:?}",
                path.display()
            );
        }
    }
}
