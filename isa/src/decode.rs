use crate::Register;
use crate::table::{self, Entry, Mnemonic};

/// What an instruction does to the flow of control and to the general registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Writes its first operand, if that is a general register.
    Result,
    /// Writes no general register: stores, traps, `hi` and `lo`, coprocessor state.
    Effect,
    /// Enters the system: its number is in `$v0`, and so is its result.
    SystemCall,
    /// Branches relative to the delay slot.
    Branch,
    /// A branch that annuls its delay slot when it is not taken.
    BranchLikely,
    /// A branch that also writes the return address to `$ra`.
    BranchLink,
    /// Jumps within the 256 MiB region of the delay slot.
    Jump,
    /// The same, and writes the return address to `$ra`.
    JumpLink,
    /// Jumps to a register's value.
    JumpRegister,
    /// The same, and writes the return address to its first operand.
    JumpRegisterLink,
}

/// A decoded instruction word.
#[derive(Clone, Copy, Debug)]
pub struct Instruction {
    pub(crate) word: u32,
    pub(crate) entry: &'static Entry,
}

/// The instruction `word` encodes. Never fails: what is none has the mnemonic [`Mnemonic::Unknown`].
pub fn decode(word: u32) -> Instruction {
    let of_opcode = table::entries(word >> 26);
    let matches = |entry: &&Entry| entry.values.contains(&(word & entry.mask)) && fields_agree(word, entry);
    let entry = of_opcode.iter().find(matches).unwrap_or(&table::UNKNOWN);
    Instruction { word, entry }
}

/// The conditions between fields that a mask cannot express.
fn fields_agree(word: u32, entry: &Entry) -> bool {
    let (rs, rt) = ((word >> 21) & 31, (word >> 16) & 31);
    let (rd, sa) = ((word >> 11) & 31, (word >> 6) & 31);
    match entry.mnemonic {
        // The manual calls it unpredictable: it could not be executed again after an exception.
        Mnemonic::Jalr | Mnemonic::JalrHb => rs != rd,
        // The manual wants the destination in both fields, and calls anything else unpredictable.
        Mnemonic::Clz | Mnemonic::Clo => rt == rd,
        // The field has to end inside the register: position sa, size rd + 1.
        Mnemonic::Ext => sa + rd < 32,
        // From bit sa to bit rd.
        Mnemonic::Ins => sa <= rd,
        _ => true,
    }
}

impl Instruction {
    /// The word it was decoded from.
    pub const fn word(&self) -> u32 {
        self.word
    }

    /// Which instruction it is.
    pub const fn mnemonic(&self) -> Mnemonic {
        self.entry.mnemonic
    }

    /// What it does to control flow and registers.
    pub const fn kind(&self) -> Kind {
        self.entry.kind
    }

    /// The register in field rs (bits 25 to 21).
    pub const fn rs(&self) -> Register {
        Register::from_field(self.word, 21)
    }

    /// The register in field rt (bits 20 to 16).
    pub const fn rt(&self) -> Register {
        Register::from_field(self.word, 16)
    }

    /// The register in field rd (bits 15 to 11).
    pub const fn rd(&self) -> Register {
        Register::from_field(self.word, 11)
    }

    /// The shift amount, in bits.
    pub const fn shift(&self) -> u32 {
        (self.word >> 6) & 31
    }

    /// The low 16 bits, sign-extended.
    pub const fn signed_immediate(&self) -> i32 {
        self.word as i16 as i32
    }

    /// The low 16 bits, zero-extended.
    pub const fn immediate(&self) -> u32 {
        self.word & 0xffff
    }

    /// Whether the next word is its delay slot.
    pub const fn has_delay_slot(&self) -> bool {
        !matches!(self.kind(), Kind::Result | Kind::Effect | Kind::SystemCall)
    }

    /// Where it goes when taken, if it stands at `address`; nothing for what does not branch and for jumps to a
    /// register. Addresses wrap at 2^32.
    pub const fn target(&self, address: u32) -> Option<u32> {
        let delay_slot = address.wrapping_add(4);
        match self.kind() {
            Kind::Branch | Kind::BranchLikely | Kind::BranchLink => {
                Some(delay_slot.wrapping_add((self.signed_immediate() << 2) as u32))
            }
            Kind::Jump | Kind::JumpLink => {
                Some((delay_slot & 0xf000_0000) | ((self.word & 0x03ff_ffff) << 2))
            }
            _ => None,
        }
    }

    /// The general register it writes, `$zero` aside. A system call is taken to write its result, `$v0`.
    pub fn destination(&self) -> Option<Register> {
        let register = match self.kind() {
            Kind::Result | Kind::JumpRegisterLink => match self.entry.operands.as_bytes().first() {
                Some(b'd' | b'L') => self.rd(),
                Some(b't' | b'E') => self.rt(),
                _ => return None,
            },
            Kind::SystemCall => Register::V0,
            Kind::BranchLink | Kind::JumpLink => Register::RA,
            // The likely forms that link are `BranchLikely` too; their mnemonics tell them apart.
            Kind::BranchLikely if matches!(self.mnemonic(), Mnemonic::Bltzall | Mnemonic::Bgezall) => {
                Register::RA
            }
            _ => return None,
        };
        (register != Register::ZERO).then_some(register)
    }
}
