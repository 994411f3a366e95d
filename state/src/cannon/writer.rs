use std::io::{self, Write};
use std::path::Path;

use super::{STATE_VERSION, gzip};
use crate::State;
use crate::memory::{PAGE_SIZE, Page};

/// Pages that are compressed together.
const PAGES: usize = 64;

/// Writes `state` as a state file. The bytes depend on the state alone: the gzip header carries no time, no
/// name and no operating system. Works on all threads of the current rayon pool.
///
/// # Errors
/// Those of `out`.
pub fn write_state(state: &State, out: impl Write + Send) -> io::Result<()> {
    let pages: Vec<(u32, &Page)> = state.memory.pages().collect();
    let (head, tail) = (head(state), tail(state)?);
    // Pages, with what stands before the first and behind the last.
    let count = pages.len().div_ceil(PAGES).max(1);
    gzip::write(out, count, |part, bytes| {
        bytes.reserve(PAGES * (PAGE_SIZE + 4) + tail.len());
        if part == 0 {
            bytes.extend_from_slice(&head);
        }
        for (index, page) in pages.iter().skip(part * PAGES).take(PAGES) {
            bytes.extend(index.to_be_bytes());
            bytes.extend_from_slice(*page);
        }
        if part + 1 == count {
            bytes.extend_from_slice(&tail);
        }
    })
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

/// What stands before the pages.
fn head(state: &State) -> Vec<u8> {
    let mut head = vec![STATE_VERSION];
    head.extend((state.memory.page_count() as u32).to_be_bytes());
    head
}

/// What stands behind them.
fn tail(state: &State) -> io::Result<Vec<u8>> {
    let mut tail = state.preimage_key.0.to_vec();
    for word in [state.preimage_offset, state.pc, state.next_pc, state.lo, state.hi, state.heap] {
        tail.extend(word.to_be_bytes());
    }
    tail.extend([state.exit_code, u8::from(state.exited)]);
    tail.extend(state.step.to_be_bytes());
    for register in state.registers {
        tail.extend(register.to_be_bytes());
    }
    let hint_len = u32::try_from(state.last_hint.len()).map_err(io::Error::other)?;
    tail.extend(hint_len.to_be_bytes());
    tail.extend_from_slice(&state.last_hint);
    Ok(tail)
}
