//! The VM's processor, as gdb has to be told it.

use gdbstub::arch::{self, Arch};

/// MIPS32, big-endian, without a floating-point unit.
pub(super) enum Mips32 {}

impl Arch for Mips32 {
    type Usize = u32;
    type Registers = Registers;
    type RegId = ();
    type BreakpointKind = usize;

    fn target_description_xml() -> Option<&'static str> {
        Some(include_str!("target.xml"))
    }
}

/// The registers of the VM. gdb insists on more: of a coprocessor 0, which are zeros here, and of a floating-point unit, which are
/// unavailable.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Registers {
    pub general: [u32; 32],
    pub lo: u32,
    pub hi: u32,
    pub pc: u32,
}

/// 32 registers of the floating-point unit, its control and its version.
const FLOATS: usize = 34;

impl arch::Registers for Registers {
    type ProgramCounter = u32;

    fn pc(&self) -> u32 {
        self.pc
    }

    fn gdb_serialize(&self, mut write_byte: impl FnMut(Option<u8>)) {
        let (status, bad_address, cause) = (0, 0, 0);
        let others = [status, self.lo, self.hi, bad_address, cause, self.pc];
        let words = self.general.iter().chain(&others);
        words.flat_map(|word| word.to_be_bytes()).for_each(|byte| write_byte(Some(byte)));
        (0..4 * FLOATS).for_each(|_| write_byte(None));
    }

    /// Nothing is taken, as the write that follows is refused (see [`super::target`]). An error here would end the connection.
    fn gdb_deserialize(&mut self, _bytes: &[u8]) -> Result<(), ()> {
        Ok(())
    }
}
