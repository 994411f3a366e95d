use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use flate2::bufread::GzDecoder;

use super::STATE_VERSION;
use crate::{Hash, Memory, PAGE_COUNT, PAGE_SIZE, State};

/// Longest unfinished hint a state file may carry, 64 MiB.
pub const MAX_HINT_LEN: u32 = 64 << 20;

/// What a state file may ask of the machine that reads it. A gzip stream of a few megabytes can unfold to
/// the whole address space, so the reader must be told how far to go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Most pages of 4,096 bytes to accept.
    pub max_pages: u32,
}

impl Default for Limits {
    /// 2^19 pages, 2 GiB of memory: more than image, heap and stack of a guest.
    fn default() -> Self {
        Self { max_pages: 1 << 19 }
    }
}

/// Why bytes are not a state file.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ReadError {
    /// Reading failed before the content mattered.
    #[error("the state file could not be read")]
    #[diagnostic(help("check that the file exists and is readable"))]
    Io(#[source] io::Error),
    /// Not a gzip stream, or a damaged one.
    #[error("the state file is not an intact gzip stream")]
    #[diagnostic(help("state files end in .bin.gz; build or download this one again"))]
    Gzip(#[source] io::Error),
    /// The content ends too early.
    #[error("the state file ends inside its {field}")]
    #[diagnostic(help("it was cut short; build or download it again"))]
    Truncated {
        /// What was being read.
        field: &'static str,
    },
    /// Another version of the format.
    #[error("the state has version {got}, expected {STATE_VERSION} (singlethreaded)")]
    #[diagnostic(help("only singlethreaded states of Cannon run on this VM"))]
    Version {
        /// The version byte.
        got: u8,
    },
    /// More pages than the caller's limit.
    #[error("the state has {got} pages, the limit is {limit}")]
    #[diagnostic(help("raise the limit of pages if the state is from a source you trust"))]
    TooManyPages {
        /// Pages announced.
        got: u32,
        /// The limit.
        limit: u32,
    },
    /// A page outside the 32-bit address space.
    #[error("page index {index:#x} is outside the address space (below {PAGE_COUNT:#x})")]
    #[diagnostic(help("the file is damaged, or made for a VM of 64 bits"))]
    PageIndex {
        /// The page index.
        index: u32,
    },
    /// The same page twice.
    #[error("page {index:#x} comes twice")]
    #[diagnostic(help("each page may stand in the file once"))]
    PageRepeated {
        /// The page index.
        index: u32,
    },
    /// The exited flag is not a boolean.
    #[error("the exited flag is {got}, expected 0 or 1")]
    #[diagnostic(help("the file is damaged; build or download it again"))]
    ExitedFlag {
        /// The byte.
        got: u8,
    },
    /// The unfinished hint is longer than [`MAX_HINT_LEN`].
    #[error("the last hint has {got} bytes, the limit is {MAX_HINT_LEN}")]
    #[diagnostic(help("no guest of this project sends hints of that size"))]
    HintTooLong {
        /// Its length.
        got: u32,
    },
    /// Something follows the state.
    #[error("bytes follow the end of the state")]
    #[diagnostic(help("a state file holds one state and nothing else"))]
    TrailingBytes,
}

/// Reads the state file `path`; see [`read_state`].
///
/// # Errors
/// A file that cannot be read or is not exactly one state within `limits`.
pub fn load_state(path: &Path, limits: Limits) -> Result<State, ReadError> {
    read_state(BufReader::new(File::open(path).map_err(ReadError::Io)?), limits)
}

/// Reads a state file. Memory stays within `limits` and [`MAX_HINT_LEN`], whatever the bytes say.
///
/// # Errors
/// Anything that is not exactly one state within `limits`.
pub fn read_state(input: impl BufRead, limits: Limits) -> Result<State, ReadError> {
    let mut fields = Fields { input: GzDecoder::new(input) };
    let [version] = fields.bytes("version")?;
    if version != STATE_VERSION {
        return Err(ReadError::Version { got: version });
    }
    let memory = read_memory(&mut fields, limits)?;
    let mut state = State { memory, preimage_key: Hash(fields.bytes("preimage key")?), ..State::default() };
    state.preimage_offset = fields.word("preimage offset")?;
    state.pc = fields.word("pc")?;
    state.next_pc = fields.word("next pc")?;
    state.lo = fields.word("lo")?;
    state.hi = fields.word("hi")?;
    state.heap = fields.word("heap")?;
    [state.exit_code] = fields.bytes("exit code")?;
    state.exited = match fields.bytes("exited flag")? {
        [0] => false,
        [1] => true,
        [got] => return Err(ReadError::ExitedFlag { got }),
    };
    state.step = u64::from_be_bytes(fields.bytes("step")?);
    for register in &mut state.registers {
        *register = fields.word("registers")?;
    }
    state.last_hint = read_hint(&mut fields)?;
    fields.end()?;
    Ok(state)
}

fn read_memory<R: BufRead>(fields: &mut Fields<R>, limits: Limits) -> Result<Memory, ReadError> {
    let count = fields.word("number of pages")?;
    if count > limits.max_pages {
        return Err(ReadError::TooManyPages { got: count, limit: limits.max_pages });
    }
    let mut memory = Memory::new();
    // In any order: Cannon writes them as a map of Go iterates, differently each time.
    for _ in 0..count {
        let index = fields.word("pages")?;
        if index >= PAGE_COUNT {
            return Err(ReadError::PageIndex { index });
        }
        if memory.page(index).is_some() {
            return Err(ReadError::PageRepeated { index });
        }
        let mut page = Box::new([0; PAGE_SIZE]);
        fields.fill("pages", &mut *page)?;
        memory.set_page(index, page);
    }
    Ok(memory)
}

fn read_hint<R: BufRead>(fields: &mut Fields<R>) -> Result<Vec<u8>, ReadError> {
    let len = fields.word("last hint")?;
    if len > MAX_HINT_LEN {
        return Err(ReadError::HintTooLong { got: len });
    }
    let mut hint = Vec::new();
    // `take` and a growing vector: memory follows the bytes that are there, not the length they claim.
    let mut bytes = (&mut fields.input).take(u64::from(len));
    bytes.read_to_end(&mut hint).map_err(|error| classify(error, "last hint"))?;
    if hint.len() < len as usize {
        return Err(ReadError::Truncated { field: "last hint" });
    }
    Ok(hint)
}

/// The unpacked stream, field by field.
struct Fields<R> {
    input: GzDecoder<R>,
}

impl<R: BufRead> Fields<R> {
    fn fill(&mut self, field: &'static str, out: &mut [u8]) -> Result<(), ReadError> {
        self.input.read_exact(out).map_err(|error| classify(error, field))
    }

    fn bytes<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], ReadError> {
        let mut bytes = [0; N];
        self.fill(field, &mut bytes)?;
        Ok(bytes)
    }

    fn word(&mut self, field: &'static str) -> Result<u32, ReadError> {
        self.bytes(field).map(u32::from_be_bytes)
    }

    /// Nothing may follow, neither in the stream nor after it. Reading on to the end of the stream is also
    /// what makes the decoder check its CRC.
    fn end(mut self) -> Result<(), ReadError> {
        let in_stream = self.input.read(&mut [0]).map_err(|error| classify(error, "gzip checksum"))?;
        let after = self.input.get_mut().fill_buf().map_err(ReadError::Io)?;
        if in_stream > 0 || !after.is_empty() {
            return Err(ReadError::TrailingBytes);
        }
        Ok(())
    }
}

/// Sorts an error of the decoder: cut short, damaged, or not about the content.
fn classify(error: io::Error, field: &'static str) -> ReadError {
    match error.kind() {
        ErrorKind::UnexpectedEof => ReadError::Truncated { field },
        ErrorKind::InvalidData | ErrorKind::InvalidInput => ReadError::Gzip(error),
        _ => ReadError::Io(error),
    }
}
