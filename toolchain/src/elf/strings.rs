//! Texts of debug information.

use gimli::{AttributeValue, DebugLineStr, DebugStr};

use super::{Elf, MAX_NAME, Slice, printable};

/// The sections with texts that others refer to.
#[derive(Debug)]
pub(super) struct Strings<'a> {
    plain: DebugStr<Slice<'a>>,
    of_lines: DebugLineStr<Slice<'a>>,
}

impl<'a> Strings<'a> {
    pub fn new(elf: &'a Elf) -> Self {
        Self {
            plain: DebugStr::from(elf.dwarf(".debug_str")),
            of_lines: DebugLineStr::from(elf.dwarf(".debug_line_str")),
        }
    }

    /// A text that stands in an attribute or is referred to, fit for a terminal.
    pub fn text(&self, value: AttributeValue<Slice<'a>>) -> Option<String> {
        let text = match value {
            AttributeValue::String(text) => text,
            AttributeValue::DebugStrRef(offset) => self.plain.get_str(offset).ok()?,
            AttributeValue::DebugLineStrRef(offset) => self.of_lines.get_str(offset).ok()?,
            _ => return None,
        };
        Some(printable(&text.slice()[..text.len().min(MAX_NAME)]))
    }
}
