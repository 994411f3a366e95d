//! A model's files, read once: what is hashed is what is imported, whoever writes to the files meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use bytes::Bytes;
use memmap2::{Advice, MmapMut};
use miette::Diagnostic;
use sha2::{Digest, Sha256};
use thiserror::Error;

/// How many bytes are read while those before them are hashed.
const PIECE: usize = 4 << 20;

/// A protobuf message has fewer bytes (protobuf documentation, "Encoding", size limits).
const MESSAGE_LIMIT: u64 = 1 << 31;

/// Most bytes of weights beside a model. The VM's memory holds less.
const EXTERNAL_LIMIT: u64 = 1 << 32;

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
    /// It is larger than any model can be; it was not read.
    #[error("{} has {len} bytes, and a model in one file has less than 2 GiB", path.display())]
    #[diagnostic(help(
        "protobuf has no larger messages: save the weights in files beside the model, in Python with `onnx.save(model, path, save_as_external_data=True)`"
    ))]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Its bytes.
        len: u64,
    },
    /// The weights beside the model take more than any program could hold; they were not read to the end.
    #[error("with {} the weights beside the model have more than 4 GiB", path.display())]
    #[diagnostic(help("the VM's memory holds 1.5 GiB: choose a smaller model"))]
    TooMuch {
        /// The file that was one too many.
        path: PathBuf,
    },
    /// The model names a file that is not in its folder; it was not opened.
    #[error("the model says that weights are in `{location}`, which is not in the folder of {}", model.display())]
    #[diagnostic(help(
        "no absolute path, no `..` and no link that leads out is followed: put the model's files into one folder, or save it again"
    ))]
    Outside {
        /// The model.
        model: PathBuf,
        /// What it says.
        location: String,
    },
    /// Somebody wrote to it, or put another one in its place, while it was read.
    #[error("{} changed while it was read", path.display())]
    #[diagnostic(help("wait until whatever writes it has finished, then run the command again"))]
    Changed {
        /// The file.
        path: PathBuf,
    },
}

/// A model's bytes in memory of our own, those of the files that it has weights in, and their hashes.
#[derive(Clone, Debug)]
pub struct ModelFile {
    /// The bytes. All that is cut out of them shares their memory.
    pub bytes: Bytes,
    /// Their SHA-256, hexadecimal.
    pub sha256: String,
    /// The files with weights (ONNX: external data), by their path below the model's folder, as the model writes it.
    pub external: BTreeMap<String, WeightsFile>,
}

/// The bytes of one file, and their hash.
#[derive(Clone, Debug)]
pub struct WeightsFile {
    /// The bytes. All that is cut out of them shares their memory.
    pub bytes: Bytes,
    /// Their SHA-256, hexadecimal.
    pub sha256: String,
}

impl ModelFile {
    /// Reads the ordinary file `path`, and the files in its folder that it says weights are in.
    ///
    /// # Errors
    /// [`ModelFileError`]: a file that changes meanwhile is refused, as nobody could say which of its contents was meant.
    pub fn read(path: &Path) -> Result<Self, ModelFileError> {
        let too_long = |len| ModelFileError::TooLong { path: path.to_owned(), len };
        let WeightsFile { bytes, sha256 } = WeightsFile::read(path, MESSAGE_LIMIT - 1, too_long)?;
        let mut external = BTreeMap::new();
        let mut left = EXTERNAL_LIMIT;
        let locations = if crate::tflite::is_tflite(&bytes) {
            BTreeSet::new()
        } else {
            crate::onnx::external_files(&bytes)
        };
        for location in locations {
            let beside = beside(path, &location)?;
            let too_much = |_| ModelFileError::TooMuch { path: beside.clone() };
            let file = WeightsFile::read(&beside, left, too_much)?;
            left -= file.bytes.len() as u64;
            external.insert(location, file);
        }
        Ok(Self { bytes, sha256, external })
    }

    /// A model that is in memory already, in one piece.
    pub fn in_memory(bytes: Bytes) -> Self {
        let sha256 = hex(&Sha256::digest(&bytes));
        Self { bytes, sha256, external: BTreeMap::new() }
    }

    /// Whether it is a TFLite model: by what it begins with, not by its name.
    pub fn is_tflite(&self) -> bool {
        crate::tflite::is_tflite(&self.bytes)
    }

    /// The hashes of the files with weights, by their path below the model's folder.
    pub fn external_sha256(&self) -> BTreeMap<String, String> {
        self.external.iter().map(|(location, file)| (location.clone(), file.sha256.clone())).collect()
    }
}

/// The file at `location` in the folder of `model`.
fn beside(model: &Path, location: &str) -> Result<PathBuf, ModelFileError> {
    let outside = || ModelFileError::Outside { model: model.to_owned(), location: location.to_owned() };
    let inner = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    if location.is_empty() || !Path::new(location).components().all(inner) {
        return Err(outside());
    }
    let folder = model.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let path = folder.join(location);
    // Links may lead about inside the folder, and not out of it.
    let real = |path: &Path| {
        let unreadable = |source| ModelFileError::Unreadable { path: path.to_owned(), source };
        path.canonicalize().map_err(unreadable)
    };
    if real(&path)?.starts_with(real(folder)?) { Ok(path) } else { Err(outside()) }
}

impl WeightsFile {
    /// Reads the ordinary file `path` of at most `limit` bytes; `too_long` makes the error for one of more.
    fn read(
        path: &Path,
        limit: u64,
        too_long: impl FnOnce(u64) -> ModelFileError,
    ) -> Result<Self, ModelFileError> {
        Self::read_while(path, limit, too_long, || ())
    }

    /// The same, with `meanwhile` behind the last byte and before the look at what became of the file.
    fn read_while(
        path: &Path,
        limit: u64,
        too_long: impl FnOnce(u64) -> ModelFileError,
        meanwhile: impl FnOnce(),
    ) -> Result<Self, ModelFileError> {
        let unreadable = |source| ModelFileError::Unreadable { path: path.to_owned(), source };
        let changed = || ModelFileError::Changed { path: path.to_owned() };
        // Before it is opened: to open a pipe can take forever.
        if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
            return Err(unreadable(io::Error::other("it is neither a file nor a link to one")));
        }
        let mut file = File::open(path).map_err(unreadable)?;
        let before = file.metadata().map_err(unreadable)?;
        if before.len() > limit {
            return Err(too_long(before.len()));
        }
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
fn read_and_hash(file: &mut File, len: usize) -> io::Result<Option<WeightsFile>> {
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
    Ok(Some(WeightsFile { bytes, sha256: hex(&sha256.finalize()) }))
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
            let no_limit = |_| panic!("it is short");
            let result = WeightsFile::read_while(&path, u64::MAX, no_limit, change);
            assert!(matches!(result, Err(ModelFileError::Changed { .. })), "{what}: {result:?}");
        }
    }

    /// Neither is read: they take no room on the disk, and would take it in memory.
    #[test]
    fn files_that_are_too_large_are_refused_by_their_length() {
        let dir = tempfile::tempdir().unwrap();
        let sparse = |name: &str, len: u64| {
            let path = dir.path().join(name);
            File::create(&path).unwrap().set_len(len).unwrap();
            path
        };
        let model = ModelFile::read(&sparse("model.onnx", MESSAGE_LIMIT)).unwrap_err();
        assert!(matches!(model, ModelFileError::TooLong { len: 0x8000_0000, .. }), "{model:?}");
        let weights = sparse("weights", EXTERNAL_LIMIT + 1);
        fs::write(dir.path().join("model.onnx"), model_with_weights_in(&["weights"])).unwrap();
        let refusal = ModelFile::read(&dir.path().join("model.onnx")).unwrap_err();
        assert!(matches!(&refusal, ModelFileError::TooMuch { path } if *path == weights), "{refusal:?}");
    }

    /// A model with an initializer in each of these files.
    fn model_with_weights_in(locations: &[&str]) -> Vec<u8> {
        use prost::Message;
        use tract_onnx::pb::{GraphProto, ModelProto, StringStringEntryProto, TensorProto};
        let entry = |key: &str, value: &str| StringStringEntryProto { key: key.into(), value: value.into() };
        let tensor = |location: &&str| TensorProto {
            external_data: vec![entry("offset", "0"), entry("location", location)],
            ..TensorProto::default()
        };
        let initializer = locations.iter().map(tensor).collect();
        ModelProto {
            graph: Some(GraphProto { initializer, ..GraphProto::default() }),
            ..ModelProto::default()
        }
        .encode_to_vec()
    }

    #[test]
    fn weights_beside_the_model_are_read_and_hashed() {
        let dir = tempfile::tempdir().unwrap();
        let model = dir.path().join("model.onnx");
        fs::create_dir(dir.path().join("inner")).unwrap();
        fs::write(dir.path().join("a"), "one").unwrap();
        fs::write(dir.path().join("inner/b"), "two").unwrap();
        fs::write(&model, model_with_weights_in(&["a", "inner/b", "a"])).unwrap();
        let file = ModelFile::read(&model).unwrap();
        let hash = |text: &str| hex(&Sha256::digest(text));
        let expected = BTreeMap::from([("a".into(), hash("one")), ("inner/b".into(), hash("two"))]);
        assert_eq!(file.external_sha256(), expected);
        assert_eq!(file.external["inner/b"].bytes, "two");
        assert_eq!(file.sha256, hex(&Sha256::digest(&file.bytes)));
    }

    #[test]
    fn files_outside_of_the_models_folder_are_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("inner");
        fs::create_dir(&inner).unwrap();
        let secret = dir.path().join("secret");
        fs::write(&secret, "no weights").unwrap();
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&secret, inner.join("link")).unwrap();
            std::os::unix::fs::symlink(dir.path(), inner.join("folder")).unwrap();
        }
        let read = |location: &str| {
            let model = inner.join("model.onnx");
            fs::write(&model, model_with_weights_in(&[location])).unwrap();
            ModelFile::read(&model).unwrap_err()
        };
        for bad in ["../secret", "x/../../secret", secret.to_str().unwrap(), "", "/", "link", "folder/secret"]
        {
            let refusal = read(bad);
            let expected = matches!(&refusal, ModelFileError::Outside { location, .. } if location == bad);
            assert!(expected, "{bad}: {refusal:?}");
        }
        for absent in ["absent", "a\0b"] {
            let refusal = read(absent);
            assert!(matches!(refusal, ModelFileError::Unreadable { .. }), "{absent}: {refusal:?}");
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
