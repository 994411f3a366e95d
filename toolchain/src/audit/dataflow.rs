//! What a register holds, as far as the instructions in front of a place show it.
//!
//! Looking back ends at a branch or jump, at a place that something may branch to, and after a few instructions; what
//! is found holds on every way to the place but one: a jump to a register that leads in between.

use opml_isa::{Instruction, Kind, Mnemonic, Register, decode};

/// How far to look back, in instructions: assembly loads a number right in front of its use.
const REACH: u32 = 64;

/// A stretch of code with the places that are branched to.
pub(super) struct Block<'a> {
    /// Address of its first word.
    pub start: u32,
    /// Its words, big-endian.
    pub bytes: &'a [u8],
    /// Addresses of branch targets and symbols, sorted.
    pub leaders: &'a [u32],
}

impl Block<'_> {
    fn instruction(&self, index: usize) -> Option<Instruction> {
        let bytes = self.bytes.get(4 * index..)?.first_chunk()?;
        Some(decode(u32::from_be_bytes(*bytes)))
    }

    fn is_leader(&self, index: usize) -> bool {
        self.leaders.binary_search(&(self.start + 4 * index as u32)).is_ok()
    }

    /// The instruction that `register` has its value from at instruction `index`, and where it is.
    fn definition(&self, index: usize, register: Register, reach: &mut u32) -> Option<(usize, Instruction)> {
        let mut at = index;
        while at > 0 && !self.is_leader(at) {
            *reach = reach.checked_sub(1)?;
            at -= 1;
            let instruction = self.instruction(at)?;
            // In a delay slot the branch in front has no say in the value, unless it links.
            if instruction.has_delay_slot()
                && (at + 1 != index || instruction.destination() == Some(register))
            {
                return None;
            }
            if instruction.destination() == Some(register) {
                return (!self.is_before_jump(at)).then_some((at, instruction));
            }
            // The system hands back an error number besides its result.
            if instruction.kind() == Kind::SystemCall && register == Register::A3 {
                return None;
            }
        }
        None
    }

    /// Whether instruction `at` is in the delay slot of a jump: what stands behind it then runs when a callee has
    /// come back, or after a jump from elsewhere, and the register may have another value by then.
    fn is_before_jump(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|before| self.instruction(before));
        before.is_some_and(|before| before.has_delay_slot() && before.kind() != Kind::Branch)
    }

    /// The constant in `register` when instruction `index` starts.
    pub fn constant(&self, index: usize, register: Register) -> Option<u32> {
        self.constant_within(index, register, &mut { REACH })
    }

    fn constant_within(&self, index: usize, register: Register, reach: &mut u32) -> Option<u32> {
        if register == Register::ZERO {
            return Some(0);
        }
        let (at, instruction) = self.definition(index, register, reach)?;
        let mut source = |register| self.constant_within(at, register, reach);
        match instruction.mnemonic() {
            Mnemonic::Lui => Some(instruction.immediate() << 16),
            Mnemonic::Addiu => {
                Some(source(instruction.rs())?.wrapping_add(instruction.signed_immediate() as u32))
            }
            Mnemonic::Ori => Some(source(instruction.rs())? | instruction.immediate()),
            Mnemonic::Addu => Some(source(instruction.rs())?.wrapping_add(source(instruction.rt())?)),
            Mnemonic::Or => Some(source(instruction.rs())? | source(instruction.rt())?),
            _ => None,
        }
    }

    /// Whether `register` holds a value below 32 when instruction `index` starts.
    pub fn is_below_32(&self, index: usize, register: Register) -> bool {
        if self.constant(index, register).is_some_and(|value| value < 32) {
            return true;
        }
        self.definition(index, register, &mut { REACH }).is_some_and(|(_, instruction)| {
            match instruction.mnemonic() {
                Mnemonic::Andi => instruction.immediate() < 32,
                Mnemonic::Srl => instruction.shift() >= 27,
                Mnemonic::Slt | Mnemonic::Slti | Mnemonic::Sltu | Mnemonic::Sltiu => true,
                _ => false,
            }
        })
    }
}
