//! System calls, in the order and with the formulas of `MIPS.sol`, `handleSyscall`.

use std::sync::Arc;

use opml_abi::{KEY_TYPE_KECCAK256, KEY_TYPE_LOCAL, fd, keccak256_key, syscall};
use opml_state::cannon::{MAX_HINT_LEN, OracleRead};
use opml_state::{Hash, keccak256};

use crate::{Access, Host, Reason, Vm, VmError};

/// What `brk` returns.
const BREAK: u32 = 0x4000_0000;

/// Error numbers of Linux, for register 7.
const EBADF: u32 = 9;
const EINVAL: u32 = 22;

/// The only `fcntl` command there is: get the status flags.
const F_GETFL: u32 = 3;

/// Bytes of the length in front of a preimage, and of the one in front of a hint.
const PREIMAGE_PREFIX: u64 = 8;
const HINT_PREFIX: usize = 4;

/// Longest local value (`PreimageOracle.sol`, `loadLocalData`).
const MAX_LOCAL_VALUE: usize = 32;

/// A failed call: -1 and an error number.
fn failure(error: u32) -> (u32, u32) {
    (u32::MAX, error)
}

/// The preimage that was read last.
pub(crate) struct Preimage {
    key: Hash,
    bytes: Arc<[u8]>,
}

impl Vm {
    /// Executes the system call at the pc.
    pub(crate) fn system_call(&mut self, host: &mut impl Host) -> Result<(), VmError> {
        let registers = &self.cpu.registers;
        let (number, a0, a1, a2) = (registers[2], registers[4], registers[5], registers[6]);
        let (result, error) = match number {
            syscall::MMAP if a0 == 0 => {
                self.check_mmap(a1, a2)?;
                let start = self.heap;
                self.heap = start.wrapping_add(a1.wrapping_add(4095) & !4095);
                self.open(start, a1);
                (start, 0)
            }
            syscall::MMAP => {
                self.open(a0, a1);
                (a0, 0)
            }
            syscall::BRK => {
                self.open(BREAK, a0.saturating_sub(BREAK));
                (BREAK, 0)
            }
            syscall::CLONE => (1, 0),
            syscall::EXIT_GROUP => {
                self.exited = true;
                self.exit_code = a0 as u8;
                // The exit is a step, but the pc stays.
                self.step = self.step.wrapping_add(1);
                return Ok(());
            }
            syscall::READ => self.read(host, a0, a1, a2)?,
            syscall::WRITE => self.write(host, a0, a1, a2)?,
            syscall::FCNTL if a1 != F_GETFL => failure(EINVAL),
            syscall::FCNTL => match a0 {
                fd::STDIN | fd::PREIMAGE_READ | fd::HINT_RESPONSE => (0, 0),
                fd::STDOUT | fd::STDERR | fd::PREIMAGE_WRITE | fd::HINT_REQUEST => (1, 0),
                _ => failure(EBADF),
            },
            _ => (0, 0),
        };
        self.cpu.registers[2] = result;
        self.cpu.registers[7] = error;
        self.advance(self.next_pc.wrapping_add(4));
        Ok(())
    }

    fn read(&mut self, host: &mut impl Host, a0: u32, a1: u32, a2: u32) -> Result<(u32, u32), VmError> {
        match a0 {
            fd::STDIN => Ok((0, 0)),
            fd::PREIMAGE_READ => Ok((self.read_preimage(host, a1, a2)?, 0)),
            // Nothing is written; the contract only says it was all read.
            fd::HINT_RESPONSE => Ok((a2, 0)),
            _ => Ok(failure(EBADF)),
        }
    }

    /// Copies bytes of the preimage to `address`, at most `count` and at most to the end of the aligned
    /// word. Returns how many.
    fn read_preimage(&mut self, host: &mut impl Host, address: u32, count: u32) -> Result<u32, VmError> {
        self.check_range(Access::Write, address, u32::from(count > 0))?;
        self.load_preimage(host)?;
        let preimage = &self.preimage.as_ref().expect("it was loaded").bytes;
        let is_local = self.preimage_key.0[0] == KEY_TYPE_LOCAL;
        if is_local && preimage.len() > MAX_LOCAL_VALUE {
            return Err(self.unprovable(Reason::LocalValueTooLong));
        }
        let (offset, total) = (u64::from(self.preimage_offset), PREIMAGE_PREFIX + preimage.len() as u64);
        if offset > total || (offset == total && !is_local) {
            return Err(self.unprovable(Reason::PreimageOffset));
        }
        let in_word = address & 3;
        let len = u64::from((4 - in_word).min(count)).min(total - offset) as u32;
        let mut word = self.cpu.space.word(address).to_be_bytes();
        let prefix = (preimage.len() as u64).to_be_bytes();
        for i in 0..len {
            let at = (offset + u64::from(i)) as usize;
            word[(in_word + i) as usize] = match at.checked_sub(prefix.len()) {
                None => prefix[at],
                Some(at) => preimage[at],
            };
        }
        self.store_word(address, u32::from_be_bytes(word));
        self.preimage_offset = self.preimage_offset.wrapping_add(len);
        Ok(len)
    }

    /// Asks the host for the preimage of the key, unless its last answer was that. An answer that its key
    /// shows to be wrong is refused: the contract would never see it.
    fn load_preimage(&mut self, host: &mut impl Host) -> Result<(), VmError> {
        let (key, pc) = (self.preimage_key, self.pc);
        if self.preimage.as_ref().is_none_or(|preimage| preimage.key != key) {
            let bytes = host.preimage(&key.0).map_err(|source| VmError::Preimage { pc, key, source })?;
            if key.0[0] == KEY_TYPE_KECCAK256 {
                let got = Hash(keccak256_key(keccak256(&bytes).0));
                if got != key {
                    return Err(VmError::WrongPreimage { pc, key, got });
                }
            }
            self.preimage = Some(Preimage { key, bytes });
        }
        Ok(())
    }

    /// What the next step reads of the oracle, if it is a read of the preimage.
    pub(crate) fn oracle_read(&mut self, host: &mut impl Host) -> Result<OracleRead, VmError> {
        self.load_preimage(host)?;
        let bytes = &self.preimage.as_ref().expect("it was loaded").bytes;
        let value = [&(bytes.len() as u64).to_be_bytes(), &**bytes].concat();
        Ok(OracleRead { key: self.preimage_key, value, offset: self.preimage_offset })
    }

    fn write(&mut self, host: &mut impl Host, a0: u32, a1: u32, a2: u32) -> Result<(u32, u32), VmError> {
        let read = match a0 {
            fd::STDOUT | fd::STDERR | fd::HINT_REQUEST => a2,
            // All of it is in one word.
            fd::PREIMAGE_WRITE => a2.min(1),
            _ => 0,
        };
        self.check_range(Access::Read, a1, read)?;
        match a0 {
            fd::STDOUT | fd::STDERR => {
                let (first, wrapped) = self.range(a1, a2);
                [first, wrapped].into_iter().filter(|b| !b.is_empty()).for_each(|b| host.output(a0, b));
                Ok((a2, 0))
            }
            fd::HINT_REQUEST => {
                self.take_hints(host, a1, a2)?;
                Ok((a2, 0))
            }
            fd::PREIMAGE_WRITE => Ok((self.write_key(a1, a2), 0)),
            _ => Ok(failure(EBADF)),
        }
    }

    /// Shifts bytes from `address` into the preimage key from its end, at most `count` and at most to the
    /// end of the aligned word. Returns how many.
    fn write_key(&mut self, address: u32, count: u32) -> u32 {
        let in_word = (address & 3) as usize;
        let len = (4 - in_word).min(count as usize);
        let word = self.cpu.space.word(address).to_be_bytes();
        self.preimage_key.0.copy_within(len.., 0);
        self.preimage_key.0[32 - len..].copy_from_slice(&word[in_word..in_word + len]);
        self.preimage_offset = 0;
        len as u32
    }

    /// The bytes of a range that may go over the end of the address space and on at its start.
    fn range(&self, address: u32, len: u32) -> (&[u8], &[u8]) {
        let first = self.cpu.space.bytes(address, len as usize);
        (first, self.cpu.space.bytes(0, len as usize - first.len()))
    }

    /// Takes in bytes written to the hint descriptor, and hands each hint that is complete to the host. A
    /// hint may come in any number of pieces, and a piece may hold several hints.
    fn take_hints(&mut self, host: &mut impl Host, address: u32, len: u32) -> Result<(), VmError> {
        let too_long = |len| VmError::HintTooLong { pc: self.pc, len, limit: MAX_HINT_LEN };
        let most = u64::from(MAX_HINT_LEN) + HINT_PREFIX as u64;
        let held = self.hint.len() as u64 + u64::from(len);
        if held > most {
            return Err(too_long(held - HINT_PREFIX as u64));
        }
        let (first, wrapped) = self.range(address, len);
        // Only a length that could be held is waited for; the check comes before any change to the state.
        let mut bytes = [&self.hint, first, wrapped].concat();
        let mut hints = Vec::new();
        let mut start = 0;
        while let Some((prefix, rest)) = bytes[start..].split_first_chunk::<HINT_PREFIX>() {
            let len = u32::from_be_bytes(*prefix);
            if len > MAX_HINT_LEN {
                return Err(too_long(len.into()));
            }
            if rest.len() < len as usize {
                break;
            }
            let payload = start + HINT_PREFIX;
            start = payload + len as usize;
            hints.push(payload..start);
        }
        hints.into_iter().for_each(|hint| host.hint(&bytes[hint]));
        bytes.drain(..start);
        self.hint = bytes;
        Ok(())
    }
}
