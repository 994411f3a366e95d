use std::fmt;

use crate::{Hash, Memory, RangeError};

/// Pages below the stack top that are present from the start.
const STACK_PAGES_BELOW: u32 = 4;

/// What a state hash says about the run in its first byte (OP Stack: `VMStatuses`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum VmStatus {
    /// Exited with 0.
    Valid = 0,
    /// Exited with 1.
    Invalid = 1,
    /// Exited with another code.
    Panic = 2,
    /// Not exited.
    Unfinished = 3,
}

impl VmStatus {
    pub(crate) fn new(exited: bool, exit_code: u8) -> Self {
        match (exited, exit_code) {
            (false, _) => Self::Unfinished,
            (true, 0) => Self::Valid,
            (true, 1) => Self::Invalid,
            (true, _) => Self::Panic,
        }
    }
}

impl fmt::Display for VmStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Valid => "valid (exited with 0)",
            Self::Invalid => "invalid (exited with 1)",
            Self::Panic => "panic (exited with a code above 1)",
            Self::Unfinished => "unfinished",
        })
    }
}

/// The whole state of the VM between two steps.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct State {
    /// Memory.
    pub memory: Memory,
    /// The key of the preimage being read, as the guest wrote it.
    pub preimage_key: Hash,
    /// Bytes of the preimage already read, its 8-byte length included.
    pub preimage_offset: u32,
    /// Address of the next instruction.
    pub pc: u32,
    /// Address of the one after it; differs from pc + 4 in a taken branch's delay slot.
    pub next_pc: u32,
    /// Low half of a product, or a quotient.
    pub lo: u32,
    /// High half of a product, or a remainder.
    pub hi: u32,
    /// What the next `mmap` without a hint returns.
    pub heap: u32,
    /// The exit code; 0 until exited.
    pub exit_code: u8,
    /// Whether the program has exited.
    pub exited: bool,
    /// Instructions executed.
    pub step: u64,
    /// General registers; the first is always 0.
    pub registers: [u32; 32],
    /// Bytes written to the hint descriptor that are not yet a whole hint. Not part of the witness; Cannon
    /// keeps it in its state files so that a run can be resumed.
    pub last_hint: Vec<u8>,
}

impl State {
    /// The state before the first step, as Cannon builds it: pc at `entry`, register 29 at `stack_top`, the
    /// stack's four pages below it and the one above present, `heap` as given, everything else zero.
    /// Unlike Cannon for Go programs, no arguments are written above the stack top.
    ///
    /// # Errors
    /// If the stack pages would leave the address space.
    pub fn initial(entry: u32, mut memory: Memory, heap: u32, stack_top: u32) -> Result<Self, RangeError> {
        let page = crate::PAGE_SIZE as u32;
        let len = ((STACK_PAGES_BELOW + 1) * page) as usize;
        let lowest = stack_top
            .checked_sub(STACK_PAGES_BELOW * page)
            .ok_or(RangeError { address: stack_top.wrapping_sub(STACK_PAGES_BELOW * page), len })?;
        memory.make_present(lowest, len)?;
        let mut registers = [0; 32];
        registers[29] = stack_top;
        Ok(Self { memory, pc: entry, next_pc: entry.wrapping_add(4), heap, registers, ..Self::default() })
    }

    /// What the run has come to.
    pub fn status(&self) -> VmStatus {
        VmStatus::new(self.exited, self.exit_code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_initial_state_is_cannons() {
        let mut memory = Memory::new();
        memory.write(0x1000, &[1]).unwrap();
        let state = State::initial(0x1000, memory, 0x2000_0000, 0x7fff_d000).unwrap();
        assert_eq!((state.pc, state.next_pc, state.heap), (0x1000, 0x1004, 0x2000_0000));
        assert_eq!(state.registers[29], 0x7fff_d000);
        assert_eq!(state.registers.iter().filter(|&&r| r != 0).count(), 1);
        let present: Vec<u32> = state.memory.pages().map(|(index, _)| index).collect();
        assert_eq!(present, [1, 0x7fff9, 0x7fffa, 0x7fffb, 0x7fffc, 0x7fffd]);
        assert_eq!((state.step, state.exited, state.status()), (0, false, VmStatus::Unfinished));
    }

    #[test]
    fn a_stack_outside_the_address_space_is_refused() {
        let low = State::initial(0, Memory::new(), 0, 0x3fff);
        assert_eq!(low, Err(RangeError { address: 0xffff_ffff, len: 0x5000 }));
        let high = State::initial(0, Memory::new(), 0, 0xffff_f001);
        assert_eq!(high, Err(RangeError { address: 0xffff_b001, len: 0x5000 }));
    }
}
