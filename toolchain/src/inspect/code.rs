//! Which instructions a program is made of.

use goblin::elf::header::EM_MIPS;
use opml_isa::{Mnemonic, decode};
use opml_targets::{Target, Verdict};
use serde::{Deserialize, Serialize};

use crate::elf::Elf;

/// What a target says of an instruction, whatever stands in front of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// The VM runs it as the manual says.
    Allowed,
    /// It does under a condition, which the audit looks for.
    Conditional,
    /// It must not be in a program.
    Refused,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Allowed, Self::Conditional, Self::Refused];

    /// Its name: `allowed`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Conditional => "conditional",
            Self::Refused => "refused",
        }
    }

    fn of(mnemonic: Mnemonic, target: &Target) -> Self {
        match target.verdict(mnemonic) {
            Verdict::Allowed => Self::Allowed,
            Verdict::Conditional(..) => Self::Conditional,
            Verdict::Refused(_) => Self::Refused,
        }
    }
}

/// The instruction words of a program.
#[derive(Clone, Debug, Serialize)]
pub struct Instructions {
    /// Bytes of the executable segments that are in the file; those that several segments share count once.
    pub bytes: u64,
    /// Words among them.
    pub words: u64,
    /// How many words there are of each instruction that occurs, the most frequent first.
    pub by_mnemonic: Vec<MnemonicCount>,
}

impl Instructions {
    /// How many words there are of a class.
    pub fn of_class(&self, class: Class) -> u64 {
        self.by_mnemonic.iter().filter(|one| one.class == class).map(|one| one.words).sum()
    }
}

/// How often an instruction stands in a program. How often it runs is another question.
#[derive(Clone, Debug, Serialize)]
pub struct MnemonicCount {
    /// Its name in the manual; `.word` is no instruction.
    pub mnemonic: &'static str,
    /// What the target says of it.
    pub class: Class,
    /// How many words.
    pub words: u64,
    /// The part of all words, from 0 to 1.
    pub share: f64,
}

/// Whether `elf` is for the processor of `target`.
pub(super) fn is_for(elf: &Elf, target: &Target) -> bool {
    let header = elf.header();
    let facts = target.elf();
    (header.machine, header.class, header.byte_order) == (EM_MIPS, facts.class, facts.byte_order)
}

/// Counts the words of the executable segments. Each byte of the file is looked at once, however many segments name it.
pub(super) fn count(elf: &Elf, target: &Target) -> Instructions {
    let mut segments: Vec<_> =
        elf.segments().iter().filter(|segment| segment.is_loaded() && segment.is_executable()).collect();
    segments.sort_by_key(|segment| (segment.offset, segment.file_size));
    let mut counts = [0_u64; 1 << u8::BITS];
    let (mut bytes, mut words, mut counted_to) = (0, 0, 0);
    for segment in segments {
        // Words are where the segment has them, which need not be where one before it does.
        let known = u64::saturating_sub(counted_to, segment.offset).next_multiple_of(4);
        let fresh = usize::try_from(known).ok().and_then(|known| elf.segment_data(segment).get(known..));
        let fresh = fresh.unwrap_or_default();
        for word in fresh.as_chunks().0 {
            counts[decode(u32::from_be_bytes(*word)).mnemonic() as usize] += 1;
            words += 1;
        }
        bytes += fresh.len() as u64;
        counted_to = counted_to.max(segment.offset + segment.file_size);
    }
    let of = |mnemonic: Mnemonic| MnemonicCount {
        mnemonic: mnemonic.name(),
        class: Class::of(mnemonic, target),
        words: counts[mnemonic as usize],
        share: counts[mnemonic as usize] as f64 / words as f64,
    };
    let all = Mnemonic::ALL.iter().copied().chain([Mnemonic::Unknown]);
    let mut by_mnemonic: Vec<_> = all.map(of).filter(|one| one.words > 0).collect();
    by_mnemonic.sort_by_key(|one| (std::cmp::Reverse(one.words), one.mnemonic));
    Instructions { bytes, words, by_mnemonic }
}
