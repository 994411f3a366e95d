//! What a state has besides its memory, field by field, and what differs between two states.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::memory::Page;
use crate::{Hash, PAGE_SIZE, State};

/// A part of a [`State`] other than its memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    /// [`State::step`]
    Step,
    /// [`State::pc`]
    Pc,
    /// [`State::next_pc`]
    NextPc,
    /// [`State::lo`]
    Lo,
    /// [`State::hi`]
    Hi,
    /// [`State::heap`]
    Heap,
    /// [`State::exited`]
    Exited,
    /// [`State::exit_code`]
    ExitCode,
    /// [`State::preimage_key`]
    PreimageKey,
    /// [`State::preimage_offset`]
    PreimageOffset,
    /// [`State::last_hint`]
    LastHint,
    /// One of [`State::registers`], by its number.
    Register(u8),
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Step => "step",
            Self::Pc => "pc",
            Self::NextPc => "next pc",
            Self::Lo => "lo",
            Self::Hi => "hi",
            Self::Heap => "heap",
            Self::Exited => "exited",
            Self::ExitCode => "exit code",
            Self::PreimageKey => "preimage key",
            Self::PreimageOffset => "preimage offset",
            Self::LastHint => "last hint",
            Self::Register(number) => return write!(f, "${number}"),
        })
    }
}

/// What a [`Field`] holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value<'a> {
    /// A number of something.
    Count(u64),
    /// A word of the machine.
    Word(u32),
    /// Yes or no.
    Flag(bool),
    /// 32 bytes.
    Hash(Hash),
    /// Some bytes.
    Bytes(&'a [u8]),
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// A hint can have megabytes.
        const SHOWN: usize = 32;
        match self {
            Self::Count(number) => write!(f, "{number}"),
            Self::Word(word) => write!(f, "{word:#010x}"),
            Self::Flag(flag) => f.write_str(if *flag { "yes" } else { "no" }),
            Self::Hash(hash) => write!(f, "{hash}"),
            Self::Bytes([]) => f.write_str("none"),
            Self::Bytes(bytes) if bytes.len() <= SHOWN => {
                write!(f, "{} bytes: 0x{}", bytes.len(), hex::encode(bytes))
            }
            Self::Bytes(bytes) => write!(f, "{} bytes: 0x{}…", bytes.len(), hex::encode(&bytes[..SHOWN])),
        }
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Count(number) => serializer.serialize_u64(*number),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Bytes(bytes) => serializer.collect_str(&format_args!("0x{}", hex::encode(bytes))),
            Self::Word(_) | Self::Hash(_) => serializer.collect_str(self),
        }
    }
}

impl State {
    /// Everything but the memory, the registers last.
    pub fn fields(&self) -> impl Iterator<Item = (Field, Value<'_>)> {
        let fields = [
            (Field::Step, Value::Count(self.step)),
            (Field::Pc, Value::Word(self.pc)),
            (Field::NextPc, Value::Word(self.next_pc)),
            (Field::Lo, Value::Word(self.lo)),
            (Field::Hi, Value::Word(self.hi)),
            (Field::Heap, Value::Word(self.heap)),
            (Field::Exited, Value::Flag(self.exited)),
            (Field::ExitCode, Value::Count(self.exit_code.into())),
            (Field::PreimageKey, Value::Hash(self.preimage_key)),
            (Field::PreimageOffset, Value::Count(self.preimage_offset.into())),
            (Field::LastHint, Value::Bytes(&self.last_hint)),
        ];
        let registers = self.registers.iter().enumerate();
        let registers = registers.map(|(number, &word)| (Field::Register(number as u8), Value::Word(word)));
        fields.into_iter().chain(registers)
    }
}

/// A field whose value differs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FieldDiff<'a> {
    /// Which one.
    pub field: Field,
    /// Its value in the first state.
    pub left: Value<'a>,
    /// Its value in the second.
    pub right: Value<'a>,
}

/// A page that is not the same in both states. One that is not present counts as zeros where bytes are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PageDiff {
    /// Its index (address / 4096).
    pub index: u32,
    /// Whether it is present in the first state.
    pub in_left: bool,
    /// Whether it is present in the second.
    pub in_right: bool,
    /// How many bytes differ. None do if a page of zeros is present in one state only; the memory root is then the same.
    pub bytes: u32,
    /// Address of the first one.
    pub first: Option<u32>,
}

/// What differs between two states: nothing exactly if they are equal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StateDiff<'a> {
    /// The fields, in the order of [`State::fields`].
    pub fields: Vec<FieldDiff<'a>>,
    /// The pages, in rising order.
    pub pages: Vec<PageDiff>,
}

impl StateDiff<'_> {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.pages.is_empty()
    }
}

/// What differs between two states.
pub fn diff<'a>(left: &'a State, right: &'a State) -> StateDiff<'a> {
    let both = left.fields().zip(right.fields());
    let fields = both.filter(|(left, right)| left.1 != right.1);
    let fields = fields.map(|((field, left), (_, right))| FieldDiff { field, left, right }).collect();
    let only_right =
        right.memory.pages().map(|(index, _)| index).filter(|&index| left.memory.page(index).is_none());
    let mut indices: Vec<u32> = left.memory.pages().map(|(index, _)| index).chain(only_right).collect();
    indices.sort_unstable();
    let page = |index| page_diff(index, left.memory.page(index), right.memory.page(index));
    StateDiff { fields, pages: indices.into_iter().filter_map(page).collect() }
}

fn page_diff(index: u32, left: Option<&Page>, right: Option<&Page>) -> Option<PageDiff> {
    const ZEROS: Page = [0; PAGE_SIZE];
    let (in_left, in_right) = (left.is_some(), right.is_some());
    let (left, right) = (left.unwrap_or(&ZEROS), right.unwrap_or(&ZEROS));
    if left == right && in_left == in_right {
        return None;
    }
    let differs = |(left, right): (&u8, &u8)| left != right;
    let first = left.iter().zip(right).position(differs);
    Some(PageDiff {
        index,
        in_left,
        in_right,
        bytes: left.iter().zip(right).filter(|&pair| differs(pair)).count() as u32,
        first: first.map(|offset| index * PAGE_SIZE as u32 + offset as u32),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> State {
        let mut state = State { step: 7, pc: 0x1000, last_hint: vec![1, 2], ..State::default() };
        state.memory.write(0x1ffe, &[1, 2, 3, 4]).unwrap();
        state
    }

    #[test]
    fn equal_states_differ_in_nothing() {
        assert!(diff(&sample(), &sample()).is_empty());
    }

    /// Each field on its own, so that none can be forgotten or taken for another.
    #[test]
    fn each_field_is_named_with_both_values() {
        type Change = fn(&mut State);
        let hash = Hash([9; 32]);
        let changes: [(Change, Field, Value<'_>); 12] = [
            (|s| s.step = 8, Field::Step, Value::Count(8)),
            (|s| s.pc = 1, Field::Pc, Value::Word(1)),
            (|s| s.next_pc = 2, Field::NextPc, Value::Word(2)),
            (|s| s.lo = 3, Field::Lo, Value::Word(3)),
            (|s| s.hi = 4, Field::Hi, Value::Word(4)),
            (|s| s.heap = 5, Field::Heap, Value::Word(5)),
            (|s| s.exited = true, Field::Exited, Value::Flag(true)),
            (|s| s.exit_code = 6, Field::ExitCode, Value::Count(6)),
            (|s| s.preimage_key = Hash([9; 32]), Field::PreimageKey, Value::Hash(hash)),
            (|s| s.preimage_offset = 7, Field::PreimageOffset, Value::Count(7)),
            (|s| s.last_hint = vec![8], Field::LastHint, Value::Bytes(&[8])),
            (|s| s.registers[31] = 9, Field::Register(31), Value::Word(9)),
        ];
        let left = sample();
        for (change, field, expected) in changes {
            let mut right = sample();
            change(&mut right);
            let found = diff(&left, &right);
            let before = left.fields().find(|(name, _)| *name == field).unwrap().1;
            assert_eq!(found.fields, [FieldDiff { field, left: before, right: expected }], "{field}");
            assert_eq!(found.pages, [], "{field}");
        }
        assert_eq!(left.fields().count(), 11 + 32);
    }

    #[test]
    fn pages_differ_in_bytes_or_in_being_there() {
        let (mut left, mut right) = (sample(), sample());
        right.memory.write(0x2001, &[5, 6, 7]).unwrap();
        left.memory.write(0xffff_ffff, &[8]).unwrap();
        right.memory.make_present(0x9000, 1).unwrap();
        let found = diff(&left, &right);
        assert_eq!(found.fields, []);
        let page =
            |index, in_left, in_right, bytes, first| PageDiff { index, in_left, in_right, bytes, first };
        let expected = [
            page(2, true, true, 3, Some(0x2001)),
            page(9, false, true, 0, None),
            page(0xf_ffff, true, false, 1, Some(0xffff_ffff)),
        ];
        assert_eq!(found.pages, expected);
    }

    #[test]
    fn values_have_a_text() {
        assert_eq!(Value::Word(0x10).to_string(), "0x00000010");
        assert_eq!(Value::Bytes(&[]).to_string(), "none");
        let long = Value::Bytes(&[0xab; 33]).to_string();
        assert_eq!(long, format!("33 bytes: 0x{}…", "ab".repeat(32)));
        assert_eq!(serde_json::to_value(Value::Bytes(&[1, 2])).unwrap(), "0x0102");
    }
}
