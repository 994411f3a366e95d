use std::io::{self, BufWriter, Write};
use std::path::Path;

use flate2::{Compression, GzBuilder};

use super::STATE_VERSION;
use crate::State;

/// The "operating system" byte of the gzip header: unknown, as Go's gzip writer has it.
const GZIP_OS_UNKNOWN: u8 = 255;

/// Writes `state` as a state file. The bytes depend on the state alone: the gzip header carries no time, no
/// name and no operating system.
///
/// # Errors
/// Those of `out`.
pub fn write_state(state: &State, out: impl Write) -> io::Result<()> {
    let gzip = GzBuilder::new().mtime(0).operating_system(GZIP_OS_UNKNOWN);
    // The fastest level: weights hardly shrink at any, and the others take four times as long. It is fixed,
    // because equal states are to have equal files.
    let mut out = BufWriter::new(gzip.write(out, Compression::fast()));
    write_plain(state, &mut out)?;
    out.into_inner().map_err(io::IntoInnerError::into_error)?.finish()?;
    Ok(())
}

/// Writes `state` to the state file `path`, which is either the whole new file or left as it was.
///
/// # Errors
/// Those of the file system.
pub fn save_state(state: &State, path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".partial-");
    // Temporary files are private by default; this one becomes an ordinary file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(directory)?;
    write_state(state, &mut file)?;
    file.persist(path)?;
    Ok(())
}

fn write_plain(state: &State, out: &mut impl Write) -> io::Result<()> {
    out.write_all(&[STATE_VERSION])?;
    out.write_all(&(state.memory.page_count() as u32).to_be_bytes())?;
    for (index, page) in state.memory.pages() {
        out.write_all(&index.to_be_bytes())?;
        out.write_all(page)?;
    }
    out.write_all(&state.preimage_key.0)?;
    for word in [state.preimage_offset, state.pc, state.next_pc, state.lo, state.hi, state.heap] {
        out.write_all(&word.to_be_bytes())?;
    }
    out.write_all(&[state.exit_code, u8::from(state.exited)])?;
    out.write_all(&state.step.to_be_bytes())?;
    for register in state.registers {
        out.write_all(&register.to_be_bytes())?;
    }
    let hint_len = u32::try_from(state.last_hint.len()).map_err(io::Error::other)?;
    out.write_all(&hint_len.to_be_bytes())?;
    out.write_all(&state.last_hint)
}
