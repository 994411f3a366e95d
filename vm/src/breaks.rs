//! Stops for debuggers: before an instruction, or before an access to memory.
//!
//! `fast` knows nothing of them. An instruction with a breakpoint is decoded as one that is left to `step`, and the pages of a watch are
//! marked so that accesses to them are; in front of each such step stands a look at what is wanted.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use opml_abi::{fd, syscall};

use crate::cpu::MARGIN;
use crate::fault::Access;
use crate::step::access;
use crate::{Host, Stop, Vm, VmError};

/// Memory whose accesses a debugger wants to see.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Watch {
    /// The first and the last address.
    pub range: RangeInclusive<u32>,
    /// The kind of access; none for both.
    pub access: Option<Access>,
}

/// Why [`Vm::run_to_break`] stopped without an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Halt {
    /// As any run does.
    Stop(Stop),
    /// The next instruction has a breakpoint.
    Breakpoint,
    /// The next instruction accesses watched memory.
    Watch {
        /// The first address of the access that is watched.
        address: u32,
        /// What it does.
        access: Access,
    },
}

/// Where to stop.
#[derive(Default)]
pub(crate) struct Breaks {
    points: BTreeSet<u32>,
    watches: Vec<Watch>,
}

impl Breaks {
    pub(crate) fn is_breakpoint(&self, pc: u32) -> bool {
        self.points.contains(&pc)
    }
}

impl Vm {
    /// Sets or removes a breakpoint at `pc`.
    pub fn set_breakpoint(&mut self, pc: u32, is_set: bool) {
        let points = &mut self.breaks.points;
        let changed = if is_set { points.insert(pc) } else { points.remove(&pc) };
        if changed && self.cpu.space.is_code(pc) {
            self.cpu.code.forget(pc);
        }
    }

    /// Watches memory.
    pub fn add_watch(&mut self, watch: Watch) {
        self.set_trapped(&watch, true);
        self.breaks.watches.push(watch);
    }

    /// Removes one such watch. Says whether there was one.
    pub fn remove_watch(&mut self, watch: &Watch) -> bool {
        let Some(index) = self.breaks.watches.iter().position(|other| other == watch) else { return false };
        let removed = self.breaks.watches.swap_remove(index);
        self.set_trapped(&removed, false);
        // Others may be on the same pages.
        for other in std::mem::take(&mut self.breaks.watches) {
            self.add_watch(other);
        }
        true
    }

    fn set_trapped(&mut self, watch: &Watch, trapped: bool) {
        let (start, end) = (*watch.range.start(), *watch.range.end());
        self.cpu.space.set_trapped(start, (end - start).saturating_add(1), trapped);
    }

    /// Runs until the program exits or something is wanted to be seen, but at most `limit` steps, and one at least where the VM is now.
    ///
    /// # Errors
    /// Those of [`run`](Self::run).
    pub fn run_to_break(&mut self, host: &mut impl Host, limit: u64) -> Result<Halt, VmError> {
        let (mut left, mut is_first) = (limit, true);
        while !self.exited && left > 0 {
            if let Some(halt) = self.halt_here().filter(|_| !is_first) {
                return Ok(halt);
            }
            let before = left;
            if !is_first && left > MARGIN as u64 && self.is_usual() {
                left = self.run_fast(left)?;
            }
            if left == before {
                self.step(host)?;
                self.check_pages()?;
                left -= 1;
            }
            is_first = false;
        }
        Ok(Halt::Stop(if self.exited { Stop::Exited { code: self.exit_code } } else { Stop::Limit }))
    }

    /// What is to be seen before the next step.
    pub fn halt_here(&self) -> Option<Halt> {
        if self.breaks.is_breakpoint(self.pc) {
            return Some(Halt::Breakpoint);
        }
        if self.breaks.watches.is_empty() {
            return None;
        }
        let (access, address, len) = self.next_access()?;
        let last = address.saturating_add(len.checked_sub(1)?);
        let seen = |watch: &Watch| {
            let overlaps = *watch.range.start() <= last && address <= *watch.range.end();
            (overlaps && watch.access.is_none_or(|wanted| wanted == access)).then_some(*watch.range.start())
        };
        let start = self.breaks.watches.iter().find_map(seen)?;
        Some(Halt::Watch { address: start.max(address), access })
    }

    /// The memory that the next step reads or writes: the access, the first address, and how many bytes.
    fn next_access(&self) -> Option<(Access, u32, u32)> {
        let word = self.cpu.space.word(self.pc);
        let registers = &self.cpu.registers;
        if word >> 26 == 0 && word & 0x3f == 0x0c {
            let (address, len) = (registers[5], registers[6]);
            let in_word = len.min(4 - (address & 3));
            return match (registers[2], registers[4]) {
                (syscall::READ, fd::PREIMAGE_READ) => Some((Access::Write, address, in_word)),
                (syscall::WRITE, fd::PREIMAGE_WRITE) => Some((Access::Read, address, in_word)),
                (syscall::WRITE, fd::STDOUT | fd::STDERR | fd::HINT_REQUEST) => {
                    Some((Access::Read, address, len))
                }
                _ => None,
            };
        }
        let (kind, size) = access(word >> 26)?;
        let address = registers[(word >> 21 & 31) as usize].wrapping_add(word as u16 as i16 as u32);
        Some(match word >> 26 {
            // From here to one end of the word.
            0x22 | 0x2a => (kind, address, 4 - (address & 3)),
            0x26 | 0x2e => (kind, address & !3, (address & 3) + 1),
            _ => (kind, address & !(size - 1), size),
        })
    }
}
