//! What all routines are written with.

/// Adds lines to a text.
macro_rules! emit {
    ($text:expr, $($line:tt)*) => {{
        $text.push_str(&format!($($line)*));
        $text.push('\n');
    }};
}

pub(crate) use emit;

/// Registers that are not given out yet, those that need no saving first.
pub struct Registers(Vec<u32>);

impl Registers {
    /// All of them.
    pub fn new() -> Self {
        let free = (1..4).chain(5..16).chain([24, 25, 26, 27]);
        let saved = (16..24).chain([30, 31, 28]);
        Self(free.chain(saved).rev().collect())
    }

    /// One more.
    pub fn take(&mut self) -> u32 {
        self.0.pop().expect("the kernel has more values than the machine has registers")
    }

    /// Some more, as many as there are names for them.
    pub fn take_each<const N: usize>(&mut self) -> [u32; N] {
        [(); N].map(|()| self.take())
    }

    /// Some more.
    pub fn take_many(&mut self, count: u32) -> Vec<u32> {
        (0..count).map(|_| self.take()).collect()
    }

    /// Those of the registers a caller expects back that were given out.
    fn to_save(&self) -> Vec<u32> {
        (16..24).chain([28, 30, 31]).filter(|register| !self.0.contains(register)).collect()
    }
}

/// A function with its body; saves what `registers` says was used.
pub fn function(name: &str, registers: &Registers, body: &str) -> String {
    let saved = registers.to_save();
    let frame = (4 * saved.len()).next_multiple_of(8);
    let mut save = String::new();
    let mut restore = String::new();
    for (slot, register) in saved.iter().enumerate() {
        emit!(save, "\tsw ${register}, {}($29)", 4 * slot);
        emit!(restore, "\tlw ${register}, {}($29)", 4 * slot);
    }
    format!(
        "\t.section .text.{name}, \"ax\", @progbits\n\
         \t.set noreorder\n\t.set noat\n\t.globl {name}\n\t.type {name}, @function\n{name}:\n\
         \taddiu $29, $29, -{frame}\n{save}{body}{restore}\tjr $31\n\taddiu $29, $29, {frame}\n\
         \t.size {name}, . - {name}\n\t.set at\n\t.set reorder\n"
    )
}

/// Loads arguments: registers with the words of the call that are at these offsets.
pub fn arguments(text: &mut String, loads: &[(u32, u32)]) {
    for (register, offset) in loads {
        emit!(text, "\tlw ${register}, {offset}($4)");
    }
}

/// Sets registers to the value of another one; $0 is zero.
pub fn copy(text: &mut String, registers: &[u32], from: u32) {
    for register in registers {
        emit!(text, "\tmove ${register}, ${from}");
    }
}

/// Stores registers one behind the other.
pub fn store(text: &mut String, registers: &[u32], at: u32, offset: usize) {
    for (word, register) in registers.iter().enumerate() {
        emit!(text, "\tsw ${register}, {}(${at})", offset + 4 * word);
    }
}

/// Puts `branch` in front of the last instruction, which goes into its delay slot.
pub fn branch_before_last(text: &mut String, branch: &str) {
    let last = text.trim_end().rfind('\n').expect("a loop has more than one instruction") + 1;
    text.insert_str(last, &format!("\t{branch}\n"));
}
