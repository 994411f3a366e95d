//! One step, from the instruction word, in the order and with the formulas of `MIPS.sol`, `step`.

use crate::cpu::sink;
use crate::kinds::{merge_left, merge_right, split_left, split_right};
use crate::{Access, Host, Reason, Vm, VmError};

/// What an instruction did, as far as the pc is concerned.
enum Flow {
    /// On to the next pc.
    Next,
    /// On to the next pc, and from there to another address than the one after it.
    To(u32),
}

/// The fields of the word, and the registers it names.
struct Fetched {
    word: u32,
    rs: u32,
    rt: u32,
    rt_register: usize,
    rd_register: usize,
}

impl Vm {
    /// Executes the instruction at the pc. After the exit it does nothing.
    ///
    /// # Errors
    /// What the contract would revert on, what the host does not know, or memory over the limit. The VM then
    /// stays in the state before the step.
    pub fn step(&mut self, host: &mut impl Host) -> Result<(), VmError> {
        if self.exited {
            return Ok(());
        }
        let word = self.cpu.space.word(self.pc);
        if self.pc & 3 != 0 {
            return Err(self.unprovable(Reason::UnalignedPc));
        }
        self.check_fetch()?;
        let (rt_register, rd_register) = ((word >> 16 & 31) as usize, (word >> 11 & 31) as usize);
        let (rs, rt) = (self.cpu.registers[(word >> 21 & 31) as usize], self.cpu.registers[rt_register]);
        let fetched = Fetched { word, rs, rt, rt_register, rd_register };
        let flow = match word >> 26 {
            0x00 if word & 0x3f == 0x0c => return self.system_call(host),
            0x00 => self.special(&fetched)?,
            0x01..=0x07 => self.jump_or_branch(&fetched)?,
            0x08..=0x0f => self.immediate(&fetched),
            0x1c => self.special2(&fetched)?,
            0x20..=0x3f => self.load_or_store(&fetched)?,
            _ => return Err(self.unprovable(Reason::UnknownInstruction)),
        };
        self.advance(match flow {
            Flow::Next => self.next_pc.wrapping_add(4),
            Flow::To(target) => target,
        });
        Ok(())
    }

    /// Counts the step, and goes on to the next pc and from there to `after`.
    pub(crate) fn advance(&mut self, after: u32) {
        // Wraps as the contract's does: a state from elsewhere may have any count.
        self.step = self.step.wrapping_add(1);
        self.pc = self.next_pc;
        self.next_pc = after;
    }

    pub(crate) fn unprovable(&self, reason: Reason) -> VmError {
        VmError::Unprovable { step: self.step, pc: self.pc, word: self.cpu.space.word(self.pc), reason }
    }

    fn set_register(&mut self, register: usize, value: u32) -> Flow {
        if register != 0 {
            self.cpu.registers[register] = value;
        }
        Flow::Next
    }

    /// Branches and jumps may only stand where the next pc is the one after the pc: not behind a branch
    /// that was taken to elsewhere, but behind one that was not taken.
    fn check_delay_slot(&self) -> Result<(), VmError> {
        match self.next_pc == self.pc.wrapping_add(4) {
            true => Ok(()),
            false => Err(self.unprovable(Reason::BranchInDelaySlot)),
        }
    }

    fn jump_or_branch(&mut self, f: &Fetched) -> Result<Flow, VmError> {
        self.check_delay_slot()?;
        let opcode = f.word >> 26;
        let taken = match opcode {
            0x02 | 0x03 => {
                let target = self.next_pc & 0xf000_0000 | (f.word & 0x03ff_ffff) << 2;
                self.check_target(target)?;
                if opcode == 0x03 {
                    self.cpu.link(31, self.pc);
                }
                return Ok(Flow::To(target));
            }
            0x01 => match f.rt_register {
                0 => (f.rs as i32) < 0,
                1 => f.rs as i32 >= 0,
                // bltzal, bgezal, the likely forms and the traps: never taken, no link.
                _ => false,
            },
            0x04 => f.rs == f.rt,
            0x05 => f.rs != f.rt,
            0x06 => f.rs as i32 <= 0,
            _ => f.rs as i32 > 0,
        };
        let target = self.pc.wrapping_add(4).wrapping_add((f.word as u16 as i16 as u32) << 2);
        if !taken {
            return Ok(Flow::Next);
        }
        self.check_target(target)?;
        Ok(Flow::To(target))
    }

    fn special(&mut self, f: &Fetched) -> Result<Flow, VmError> {
        let (rs, rt, shift) = (f.rs, f.rt, f.word >> 6 & 31);
        let value = match f.word & 0x3f {
            0x00 => rt << shift,
            0x02 => rt >> shift,
            0x03 => ((rt as i32) >> shift) as u32,
            0x04 => rt << (rs & 31),
            0x06 => rt >> (rs & 31),
            // The whole register is the amount, and the sign is taken from what is left of the bits.
            0x07 if rs > 31 => 0,
            0x07 => ((rt as i32) >> rs) as u32,
            0x08 | 0x09 => {
                self.check_delay_slot()?;
                self.check_target(rs)?;
                if f.word & 0x3f == 0x09 {
                    // A link to register 0 is dropped.
                    self.cpu.link(sink(f.rd_register as u8), self.pc);
                }
                return Ok(Flow::To(rs));
            }
            0x0a if rt != 0 => return Ok(Flow::Next),
            0x0b if rt == 0 => return Ok(Flow::Next),
            // sync is a move for the contract, to register 0 unless its rd says otherwise.
            0x0a | 0x0b | 0x0f => rs,
            0x10..=0x13 | 0x18..=0x1b => self.lo_hi(f)?,
            0x20 | 0x21 => rs.wrapping_add(rt),
            0x22 | 0x23 => rs.wrapping_sub(rt),
            0x24 => rs & rt,
            0x25 => rs | rt,
            0x26 => rs ^ rt,
            0x27 => !(rs | rt),
            0x2a => u32::from((rs as i32) < rt as i32),
            0x2b => u32::from(rs < rt),
            _ => return Err(self.unprovable(Reason::UnknownInstruction)),
        };
        Ok(self.set_register(f.rd_register, value))
    }

    /// Executes an instruction of lo and hi; the result goes to rd even where MIPS has no rd, and is 0 there.
    fn lo_hi(&mut self, f: &Fetched) -> Result<u32, VmError> {
        let (rs, rt) = (f.rs, f.rt);
        match f.word & 0x3f {
            0x10 => return Ok(self.cpu.hi),
            0x11 => self.cpu.hi = rs,
            0x12 => return Ok(self.cpu.lo),
            0x13 => self.cpu.lo = rs,
            0x18 => self.cpu.set_product((i64::from(rs as i32) * i64::from(rt as i32)) as u64),
            0x19 => self.cpu.set_product(u64::from(rs) * u64::from(rt)),
            _ if rt == 0 => return Err(self.unprovable(Reason::DivisionByZero)),
            0x1a => {
                self.cpu.hi = (rs as i32).wrapping_rem(rt as i32) as u32;
                self.cpu.lo = (rs as i32).wrapping_div(rt as i32) as u32;
            }
            _ => {
                self.cpu.hi = rs % rt;
                self.cpu.lo = rs / rt;
            }
        }
        Ok(0)
    }

    fn immediate(&mut self, f: &Fetched) -> Flow {
        let (rs, signed, unsigned) = (f.rs, f.word as u16 as i16 as u32, f.word & 0xffff);
        let value = match f.word >> 26 {
            0x08 | 0x09 => rs.wrapping_add(signed),
            0x0a => u32::from((rs as i32) < signed as i32),
            0x0b => u32::from(rs < signed),
            0x0c => rs & unsigned,
            0x0d => rs | unsigned,
            0x0e => rs ^ unsigned,
            _ => unsigned << 16,
        };
        self.set_register(f.rt_register, value)
    }

    fn special2(&mut self, f: &Fetched) -> Result<Flow, VmError> {
        let value = match f.word & 0x3f {
            0x02 => f.rs.wrapping_mul(f.rt),
            0x20 => f.rs.leading_zeros(),
            0x21 => f.rs.leading_ones(),
            _ => return Err(self.unprovable(Reason::UnknownInstruction)),
        };
        Ok(self.set_register(f.rd_register, value))
    }

    /// Loads and stores. The contract reads the aligned word for each of them, and writes it whole.
    fn load_or_store(&mut self, f: &Fetched) -> Result<Flow, VmError> {
        let address = f.rs.wrapping_add(f.word as u16 as i16 as u32);
        if let Some((access, size)) = access(f.word >> 26) {
            self.check_access(access, address, size)?;
        }
        let word = self.cpu.space.word(address);
        let byte_shift = 24 - (address & 3) * 8;
        let half_shift = 16 - (address & 2) * 8;
        let insert = |mask: u32, shift: u32| word & !(mask << shift) | (f.rt & mask) << shift;
        let stored = match f.word >> 26 {
            0x20 => return Ok(self.set_register(f.rt_register, (word >> byte_shift) as u8 as i8 as u32)),
            0x21 => return Ok(self.set_register(f.rt_register, (word >> half_shift) as u16 as i16 as u32)),
            0x22 => return Ok(self.set_register(f.rt_register, merge_left(f.rt, word, address))),
            0x23 | 0x30 => return Ok(self.set_register(f.rt_register, word)),
            0x24 => return Ok(self.set_register(f.rt_register, word >> byte_shift & 0xff)),
            0x25 => return Ok(self.set_register(f.rt_register, word >> half_shift & 0xffff)),
            0x26 => return Ok(self.set_register(f.rt_register, merge_right(f.rt, word, address))),
            0x28 => insert(0xff, byte_shift),
            0x29 => insert(0xffff, half_shift),
            0x2a => split_left(f.rt, word, address),
            0x2b | 0x38 => f.rt,
            0x2e => split_right(f.rt, word, address),
            _ => return Err(self.unprovable(Reason::UnknownInstruction)),
        };
        self.store_word(address, stored);
        if f.word >> 26 == 0x38 {
            // sc always succeeds.
            self.set_register(f.rt_register, 1);
        }
        Ok(Flow::Next)
    }

    /// Writes the aligned word that holds `address`.
    pub(crate) fn store_word(&mut self, address: u32, value: u32) {
        self.cpu.space.set_word(address, value);
        if !self.cpu.space.is_usual_store(address, 0) {
            self.cpu.note_store(address);
        }
    }
}

/// What a load or store does, and with how many bytes at its address; nothing for an opcode that is none. `lwl` and its like go from
/// the address to one end of the word.
pub(crate) fn access(opcode: u32) -> Option<(Access, u32)> {
    Some(match opcode {
        0x20 | 0x22 | 0x24 | 0x26 => (Access::Read, 1),
        0x21 | 0x25 => (Access::Read, 2),
        0x23 | 0x30 => (Access::Read, 4),
        0x28 | 0x2a | 0x2e => (Access::Write, 1),
        0x29 => (Access::Write, 2),
        0x2b | 0x38 => (Access::Write, 4),
        _ => return None,
    })
}
