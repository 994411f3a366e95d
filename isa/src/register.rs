use core::fmt;

/// A general register, by its number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Register(u8);

/// Names of the o32 ABI, in the order of the numbers.
const NAMES: [&str; 32] = [
    "zero", "at", "v0", "v1", "a0", "a1", "a2", "a3", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "s0",
    "s1", "s2", "s3", "s4", "s5", "s6", "s7", "t8", "t9", "k0", "k1", "gp", "sp", "fp", "ra",
];

impl Register {
    /// Always zero.
    pub const ZERO: Self = Self(0);
    /// Result of a call, and the number of a system call.
    pub const V0: Self = Self(2);
    /// First argument.
    pub const A0: Self = Self(4);
    /// Second argument.
    pub const A1: Self = Self(5);
    /// Third argument.
    pub const A2: Self = Self(6);
    /// Fourth argument, and the error number of a system call.
    pub const A3: Self = Self(7);
    /// Stack pointer.
    pub const SP: Self = Self(29);
    /// Return address: what linking branches and `jal` write.
    pub const RA: Self = Self(31);

    /// Every register, in the order of the numbers.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        (0..NAMES.len()).map(|number| Self(number as u8))
    }

    /// The register in the five bits of `word` from bit `shift` up.
    pub(crate) const fn from_field(word: u32, shift: u32) -> Self {
        Self(((word >> shift) & 31) as u8)
    }

    /// Its number, 0 to 31.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Its o32 name without the dollar sign.
    pub const fn name(self) -> &'static str {
        NAMES[self.0 as usize]
    }
}

impl fmt::Display for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}", self.name())
    }
}
