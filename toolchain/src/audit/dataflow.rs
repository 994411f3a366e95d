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
    /// Addresses that jump tables may lead to, sorted.
    pub tables: &'a [u32],
}

impl Block<'_> {
    fn instruction(&self, index: usize) -> Option<Instruction> {
        let bytes = self.bytes.get(4 * index..)?.first_chunk()?;
        Some(decode(u32::from_be_bytes(*bytes)))
    }

    fn is_leader(&self, index: usize) -> bool {
        let address = self.start + 4 * index as u32;
        [self.leaders, self.tables].iter().any(|addresses| addresses.binary_search(&address).is_ok())
    }

    fn is_branched_to(&self, index: usize) -> bool {
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
        self.definition(index, register, &mut { REACH }).is_some_and(|(at, instruction)| {
            match instruction.mnemonic() {
                Mnemonic::Movz => self.replaces_32_and_above(at, &instruction),
                Mnemonic::Andi => instruction.immediate() < 32,
                Mnemonic::Srl => instruction.shift() >= 27,
                Mnemonic::Slt | Mnemonic::Slti | Mnemonic::Sltu | Mnemonic::Sltiu => true,
                _ => false,
            }
        })
    }

    /// Whether the `movz` at instruction `at` puts a constant below 32 in place of what is not: Go's compiler shifts that way
    /// (`sltiu small, amount, 32` and `movz amount, thirty_one, small`).
    fn replaces_32_and_above(&self, at: usize, movz: &Instruction) -> bool {
        let amount = movz.rd();
        let compares = |found: &(usize, Instruction)| {
            let comparison = found.1;
            comparison.mnemonic() == Mnemonic::Sltiu
                && comparison.rs() == amount
                && (0..=32).contains(&comparison.signed_immediate())
        };
        let comparison = self.definition(at, movz.rt(), &mut { REACH }).filter(compares);
        let unchanged = |from: usize| (from..at).all(|between| !self.may_change(between, amount));
        comparison.is_some_and(|(from, _)| unchanged(from))
            && self.constant(at, movz.rs()).is_some_and(|value| value < 32)
    }

    /// Whether instruction `at` may write `register`.
    fn may_change(&self, at: usize, register: Register) -> bool {
        self.instruction(at).is_none_or(|instruction| {
            instruction.kind() == Kind::SystemCall || instruction.destination() == Some(register)
        })
    }

    /// Whether the `sc` at instruction `index` stores to where an `ll` in front has loaded from, and nothing between the two
    /// reaches memory, leaves, or can be jumped to. What may lie between are computations and branches: on the way that goes
    /// on to the `sc` they were not taken. Words in the data that happen to be an address in between do not count as jump tables:
    /// a compiler writes the pair as one piece, without a case of a `switch` in it.
    pub fn is_behind_load_linked(&self, index: usize, store: &Instruction) -> bool {
        let same_address = |load: &Instruction| {
            load.rs() == store.rs() && load.signed_immediate() == store.signed_immediate()
        };
        let mut at = index;
        while at > 0 && !self.is_branched_to(at) && index - at < REACH as usize {
            at -= 1;
            let Some(instruction) = self.instruction(at) else { return false };
            if instruction.mnemonic() == Mnemonic::Ll {
                // The base is the same register with the same value, unless it is what was loaded.
                return same_address(&instruction)
                    && instruction.destination() != Some(store.rs())
                    && !self.is_before_jump(at);
            }
            if !keeps_link(&instruction) || instruction.destination() == Some(store.rs()) {
                return false;
            }
        }
        false
    }
}

/// Whether an instruction between `ll` and `sc` leaves alone what links them.
fn keeps_link(instruction: &Instruction) -> bool {
    use Mnemonic::{Lb, Lbu, Lh, Lhu, Lw, Lwl, Lwr, Sc};
    let is_access = matches!(instruction.mnemonic(), Lb | Lbu | Lh | Lhu | Lw | Lwl | Lwr | Sc);
    match instruction.kind() {
        Kind::Result => !is_access,
        Kind::Branch => true,
        // Stores, calls, jumps, and what is refused anyway.
        _ => false,
    }
}
