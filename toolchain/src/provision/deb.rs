//! Reads a Debian package (`deb(5)`, format 2.0): an `ar` archive of `debian-binary`, `control.tar.*` and
//! `data.tar.*`. Gives the members of the data archive, one after the other, to a [`Sink`].
//!
//! The reader holds no member in memory. What it bounds: the decoder's window (80 MiB), the
//! bytes that come out of the decoder and the number of members ([`Limits`]), the length and the depth of
//! a name ([`super::member`]).

use std::io::{self, Read};

use super::bounded::{Bounded, is_over_limit};
use super::member::{MAX_NAME, MemberError, MemberPath, link_target};

/// Most memory the xz decoder may take, and the largest zstd window. `xz -9` needs 65 MiB.
const DECODER_MEMORY: u64 = 80 << 20;

const AR_MAGIC: &[u8; 8] = b"!<arch>\n";
const AR_HEADER: usize = 60;

/// Most that one package may unpack to.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes that come out of the decoder: contents, headers and padding.
    pub bytes: u64,
    /// Members of the data archive.
    pub members: u64,
}

/// Three times what the largest package in use needs (the Rust sources: 0.4 GB, 40,000 files).
pub const PACKAGE_LIMITS: Limits = Limits { bytes: 1 << 30, members: 200_000 };

/// Why a package can't be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum DebError {
    /// Not the archive format, or cut short.
    #[error("not a Debian package: {0}")]
    Format(&'static str),
    /// The archive has no `data.tar` in a compression that is known.
    #[error(
        "the package has no data archive that can be read (found {0}; known are .tar, .tar.gz, .tar.xz, .tar.zst)"
    )]
    NoData(String),
    /// A member that is not let out of the archive.
    #[error(transparent)]
    Member(#[from] MemberError),
    /// A device, a pipe or an extension: nothing a package of tools needs.
    #[error("`{path}` is of a kind that is not unpacked (tar type `{kind}`)")]
    Kind {
        /// Name of the member.
        path: String,
        /// Type byte of its tar header.
        kind: char,
    },
    /// Unpacks to more than [`Limits`] allow.
    #[error("unpacks to more than {limit} {what}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// The bound.
        limit: u64,
    },
    /// Two members, or two packages, have the same path.
    #[error("`{0}` is there already")]
    Exists(String),
    /// A parent folder of a member is a link or a file.
    #[error("`{0}` would be written through a link or a file")]
    Through(String),
    /// A hard link to something that is not an unpacked file.
    #[error("`{path}` is a hard link to `{target}`, which is not a file of the package")]
    HardLink {
        /// Name of the member.
        path: String,
        /// Name it links to.
        target: String,
    },
    /// The archive can't be read, or the disk can't be written.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Takes the members of a package.
pub trait Sink {
    /// Whether the member is wanted; the contents of others are skipped.
    fn wants(&self, path: &MemberPath) -> bool;
    /// A folder.
    fn directory(&mut self, path: &MemberPath) -> Result<(), DebError>;
    /// A file, executable or not.
    fn file(&mut self, path: &MemberPath, executable: bool, data: &mut dyn Read) -> Result<(), DebError>;
    /// A symbolic link; `target` stays inside the root ([`link_target`]).
    fn symlink(&mut self, path: &MemberPath, target: &str) -> Result<(), DebError>;
    /// A second name of the file `target`.
    fn hard_link(&mut self, path: &MemberPath, target: &MemberPath) -> Result<(), DebError>;
}

/// Gives each member of `deb` that `sink` wants to it, in the archive's order.
///
/// # Errors
/// Any [`DebError`]; members before the faulty one have been handed over.
pub fn read_deb(mut deb: impl Read, limits: Limits, sink: &mut dyn Sink) -> Result<(), DebError> {
    let mut magic = [0; AR_MAGIC.len()];
    exact(&mut deb, &mut magic)?;
    if &magic != AR_MAGIC {
        return Err(DebError::Format("it does not start as an ar archive"));
    }
    let (name, size) = ar_header(&mut deb)?;
    if name != "debian-binary" || size > 64 {
        return Err(DebError::Format("its first member is not debian-binary"));
    }
    let mut version = Vec::new();
    (&mut deb).take(size + size % 2).read_to_end(&mut version)?;
    if !version.starts_with(b"2.") {
        return Err(DebError::Format("its version is not 2"));
    }
    loop {
        let (name, size) = ar_header(&mut deb)?;
        if name.starts_with("data.tar") {
            return read_data(&name, deb.take(size), limits, sink);
        }
        // Only control.tar.* may stand before the data; anything else is a later format.
        if !name.starts_with("control.tar") {
            return Err(DebError::NoData(name));
        }
        // Members start at even offsets.
        let length = size + size % 2;
        if io::copy(&mut (&mut deb).take(length), &mut io::sink())? != length {
            return Err(DebError::Format("it ends inside a member"));
        }
    }
}

/// Name and size of the next member. Own code, as the `ar` crate allocates name and symbol tables of any
/// size that a header asks for; a Debian package has neither.
fn ar_header(deb: &mut impl Read) -> Result<(String, u64), DebError> {
    let mut header = [0; AR_HEADER];
    exact(deb, &mut header)?;
    if &header[58..] != b"`\n" {
        return Err(DebError::Format("a member header is damaged"));
    }
    let text = |range: std::ops::Range<usize>| std::str::from_utf8(&header[range]).ok().map(str::trim_end);
    let name = text(0..16).ok_or(DebError::Format("a member's name is not text"))?;
    let size = text(48..58).and_then(|digits| digits.parse().ok());
    let size = size.ok_or(DebError::Format("a member's size is not a number"))?;
    // Some writers end a name with a slash.
    Ok((name.trim_end_matches('/').to_owned(), size))
}

fn exact(reader: &mut impl Read, buffer: &mut [u8]) -> Result<(), DebError> {
    reader.read_exact(buffer).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => DebError::Format("it ends too early"),
        _ => DebError::Io(error),
    })
}

fn read_data(name: &str, data: impl Read, limits: Limits, sink: &mut dyn Sink) -> Result<(), DebError> {
    let result = match name {
        "data.tar" => read_tar(data, limits, sink),
        "data.tar.gz" => read_tar(flate2::read::GzDecoder::new(data), limits, sink),
        "data.tar.xz" => {
            let stream = liblzma::stream::Stream::new_stream_decoder(DECODER_MEMORY, 0)
                .map_err(|error| DebError::Io(error.into()))?;
            read_tar(liblzma::read::XzDecoder::new_stream(data, stream), limits, sink)
        }
        "data.tar.zst" => {
            let decoder = ruzstd::decoding::StreamingDecoder::new_with_max_window_size(data, DECODER_MEMORY)
                .map_err(|error| DebError::Io(io::Error::other(error.to_string())))?;
            read_tar(decoder, limits, sink)
        }
        other => return Err(DebError::NoData(other.to_owned())),
    };
    result.map_err(|error| match error {
        DebError::Io(error) if is_over_limit(&error) => {
            DebError::TooLarge { what: "bytes", limit: limits.bytes }
        }
        other => other,
    })
}

/// Raw entries, as the crate's own handling of long names reads them into memory whatever their length.
fn read_tar(data: impl Read, limits: Limits, sink: &mut dyn Sink) -> Result<(), DebError> {
    let mut archive = tar::Archive::new(Bounded::new(data, limits.bytes));
    let mut long_name = None;
    let mut long_link = None;
    let mut members = 0;
    for entry in archive.entries()?.raw(true) {
        let mut entry = entry?;
        members += 1;
        if members > limits.members {
            return Err(DebError::TooLarge { what: "members", limit: limits.members });
        }
        let kind = entry.header().entry_type();
        if kind.is_gnu_longname() {
            long_name = Some(long_field(&mut entry)?);
            continue;
        }
        if kind.is_gnu_longlink() {
            long_link = Some(long_field(&mut entry)?);
            continue;
        }
        // POSIX extensions change what the next header means; Debian's packages have none.
        if kind.is_pax_local_extensions() || kind.is_pax_global_extensions() {
            return Err(DebError::Kind { path: "an extended header".into(), kind: kind.as_byte().into() });
        }
        let name = long_name.take().unwrap_or_else(|| entry.header().path_bytes().into_owned());
        let link =
            long_link.take().or_else(|| entry.header().link_name_bytes().map(|name| name.into_owned()));
        // The archive's own root, `./`.
        let Some(path) = MemberPath::parse(&name)? else { continue };
        if !kind.is_dir() && !sink.wants(&path) {
            continue;
        }
        match kind {
            tar::EntryType::Directory if sink.wants(&path) => sink.directory(&path)?,
            // Parents of wanted members are made when the member comes.
            tar::EntryType::Directory => {}
            tar::EntryType::Regular => {
                let executable = entry.header().mode()? & 0o111 != 0;
                sink.file(&path, executable, &mut entry)?;
            }
            tar::EntryType::Symlink => {
                let target = link_target(&path, link.as_deref().unwrap_or_default())?;
                sink.symlink(&path, &target)?;
            }
            tar::EntryType::Link => {
                let target = MemberPath::parse(link.as_deref().unwrap_or_default())?;
                let missing = || DebError::HardLink { path: path.to_string(), target: String::new() };
                sink.hard_link(&path, &target.ok_or_else(missing)?)?;
            }
            other => {
                return Err(DebError::Kind { path: path.to_string(), kind: other.as_byte().into() });
            }
        }
    }
    Ok(())
}

/// The contents of a GNU long-name or long-link member: a name with a zero byte at its end.
fn long_field(entry: &mut impl Read) -> Result<Vec<u8>, DebError> {
    let mut name = Vec::new();
    entry.take(MAX_NAME as u64 + 2).read_to_end(&mut name)?;
    if name.last() == Some(&0) {
        name.pop();
    }
    Ok(name)
}
