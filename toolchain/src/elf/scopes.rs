//! Which functions the code at an address comes from, by `.debug_info`: the function itself, and those that were inlined
//! into it.
//!
//! A file may be hostile. Units lie one behind the other and tables of abbreviations are cut at the start of the next, so
//! each byte of both is read once; lists of ranges can be named many times, so what is read of them is limited.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use gimli::{
    Abbreviations, AttributeValue, DebugAbbrev, DebugAbbrevOffset, DebugAddr, DebugAddrBase, DebugInfo,
    DebugInfoOffset, DebugRanges, DebugRngLists, DebugRngListsBase, DebugStrOffsets, DebugStrOffsetsBase,
    DebuggingInformationEntry, RangeLists, RangeListsOffset, Reader as _, UnitHeader, UnitSectionOffset,
    constants,
};

use super::strings::Strings;
use super::{Elf, Slice, symbols};

type Entry<'a> = DebuggingInformationEntry<Slice<'a>>;
type Value<'a> = AttributeValue<Slice<'a>>;

/// Most units that are read.
const MAX_UNITS: usize = 1 << 16;
/// Most ranges of code that are kept, at 72 bytes.
const MAX_SCOPES: usize = 1 << 20;
/// Most attributes of entries and entries of range lists that are read.
const MAX_WORK: u64 = 1 << 28;
/// How deep functions are inlined into each other at the most; what is deeper counts for what it was inlined into.
const MAX_NESTING: u32 = 128;
/// How many entries lead to a name at the most.
const MAX_HOPS: usize = 8;

/// The functions of a file and what was inlined into them.
#[derive(Debug)]
pub(super) struct Scopes<'a> {
    sections: Sections<'a>,
    units: Vec<Unit<'a>>,
    /// Tables of abbreviations; nothing where one is damaged.
    tables: Vec<Option<Abbreviations>>,
    /// Sorted by start; a scope comes behind the one it is in.
    scopes: Vec<Scope>,
    /// Names that were looked up, by the offset of their entry.
    names: BTreeMap<usize, Option<String>>,
}

/// Code of one function.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope {
    start: u64,
    end: u64,
    /// How deep its entry is, which orders those that cover the same code.
    depth: isize,
    /// Index of the scope it is in.
    parent: Option<usize>,
    /// Offset of its entry.
    entry: usize,
    /// Where the inlined call stood; nothing for a function of its own.
    pub call: Option<Call>,
}

/// A place in a source file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    /// Offset of the unit's line program; nothing if the unit has none.
    pub program: Option<usize>,
    /// Number of the file in that.
    pub file: u64,
    pub line: u64,
}

#[derive(Debug)]
struct Sections<'a> {
    info: DebugInfo<Slice<'a>>,
    strings: Strings<'a>,
    string_offsets: DebugStrOffsets<Slice<'a>>,
    addresses: DebugAddr<Slice<'a>>,
    ranges: RangeLists<Slice<'a>>,
}

#[derive(Debug)]
struct Unit<'a> {
    header: UnitHeader<Slice<'a>>,
    /// Index of its abbreviations.
    table: usize,
    /// Offset of its entry in `.debug_info`.
    start: usize,
    low_pc: u64,
    addr_base: DebugAddrBase,
    string_base: DebugStrOffsetsBase,
    range_base: DebugRngListsBase,
    line_program: Option<usize>,
    directory: Option<String>,
}

impl<'a> Scopes<'a> {
    pub fn new(elf: &'a Elf) -> Self {
        let section = |name| elf.dwarf(name);
        let sections = Sections {
            info: DebugInfo::from(section(".debug_info")),
            strings: Strings::new(elf),
            string_offsets: DebugStrOffsets::from(section(".debug_str_offsets")),
            addresses: DebugAddr::from(section(".debug_addr")),
            ranges: RangeLists::new(
                DebugRanges::from(section(".debug_ranges")),
                DebugRngLists::from(section(".debug_rnglists")),
            ),
        };
        let headers = headers(&sections.info);
        let (tables, offsets) = tables(section(".debug_abbrev"), &headers);
        let mut all =
            Self { sections, units: Vec::new(), tables, scopes: Vec::new(), names: BTreeMap::new() };
        for header in headers {
            let table = offsets[&header.debug_abbrev_offset().0];
            // A unit that cannot be read costs its own functions, not those of the others.
            if let Some(unit) = all.unit(header, table) {
                all.units.push(unit);
            }
        }
        let mut scopes = Vec::new();
        let mut left = MAX_WORK;
        for unit in &all.units {
            let _damaged_from_here = all.read_unit(unit, &mut scopes, &mut left);
        }
        all.scopes = nested(scopes);
        all
    }

    /// What covers `address`, the outermost first.
    pub fn at(&self, address: u64) -> Vec<Scope> {
        let mut found = Vec::new();
        let mut index = self.scopes.partition_point(|scope| scope.start <= address).checked_sub(1);
        while let Some(scope) = index.map(|index| self.scopes[index]) {
            if address < scope.end {
                found.push(scope);
            }
            index = scope.parent;
        }
        found.reverse();
        found
    }

    /// The name of a scope's function, demangled and fit for a terminal.
    pub fn name(&mut self, scope: &Scope) -> Option<String> {
        if let Some(name) = self.names.get(&scope.entry) {
            return name.clone();
        }
        let name = self.entry_name(scope.entry);
        self.names.insert(scope.entry, name.clone());
        name
    }

    /// The folder that the unit with this line program was compiled in: relative paths begin there.
    pub fn directory(&self, program: usize) -> Option<&str> {
        self.units.iter().find(|unit| unit.line_program == Some(program))?.directory.as_deref()
    }

    /// Reads a unit's own entry.
    fn unit(&self, header: UnitHeader<Slice<'a>>, table: usize) -> Option<Unit<'a>> {
        let start = header.debug_info_offset()?.0;
        let mut entries = header.entries(self.tables[table].as_ref()?);
        let root = entries.next_dfs().ok()??;
        let mut unit = Unit {
            table,
            start,
            low_pc: 0,
            addr_base: DebugAddrBase(0),
            string_base: DebugStrOffsetsBase(0),
            range_base: DebugRngListsBase(0),
            line_program: None,
            directory: None,
            header,
        };
        // The bases first: other attributes are found by them.
        for attribute in root.attrs() {
            match attribute.value() {
                AttributeValue::DebugAddrBase(base) => unit.addr_base = base,
                AttributeValue::DebugStrOffsetsBase(base) => unit.string_base = base,
                AttributeValue::DebugRngListsBase(base) => unit.range_base = base,
                AttributeValue::DebugLineRef(offset) => unit.line_program = Some(offset.0),
                _ => {}
            }
        }
        unit.low_pc = self.address(&unit, root.attr_value(constants::DW_AT_low_pc)).unwrap_or(0);
        unit.directory = root.attr_value(constants::DW_AT_comp_dir).and_then(|text| self.text(&unit, text));
        Some(unit)
    }

    fn read_unit(&self, unit: &Unit<'a>, scopes: &mut Vec<Scope>, left: &mut u64) -> gimli::Result<()> {
        let Some(table) = &self.tables[unit.table] else { return Ok(()) };
        let mut entries = unit.header.entries(table);
        while let Some(entry) = entries.next_dfs()? {
            *left = left.saturating_sub(1 + entry.attrs().len() as u64);
            if *left == 0 || scopes.len() >= MAX_SCOPES {
                break;
            }
            if [constants::DW_TAG_subprogram, constants::DW_TAG_inlined_subroutine].contains(&entry.tag()) {
                self.read_scopes(unit, entry, scopes, left)?;
            }
        }
        Ok(())
    }

    /// The code of a function's entry; one that is only declared has none.
    fn read_scopes(
        &self,
        unit: &Unit<'a>,
        entry: &Entry<'a>,
        scopes: &mut Vec<Scope>,
        left: &mut u64,
    ) -> gimli::Result<()> {
        let number = |name| entry.attr_value(name).and_then(|value| value.udata_value());
        let call = (entry.tag() == constants::DW_TAG_inlined_subroutine).then(|| Call {
            program: unit.line_program,
            file: match entry.attr_value(constants::DW_AT_call_file) {
                Some(AttributeValue::FileIndex(file)) => file,
                other => other.and_then(|value| value.udata_value()).unwrap_or(0),
            },
            line: number(constants::DW_AT_call_line).unwrap_or(0),
        });
        let (depth, entry_offset) = (entry.depth(), unit.start + entry.offset().0);
        let mut add = |start, end| {
            if start < end {
                scopes.push(Scope { start, end, depth, parent: None, entry: entry_offset, call });
            }
        };
        if let Some(start) = self.address(unit, entry.attr_value(constants::DW_AT_low_pc)) {
            let high = entry.attr_value(constants::DW_AT_high_pc);
            // An address, or how far it is from the first.
            let length = high.as_ref().and_then(AttributeValue::udata_value);
            let end = length.map(|length| start.saturating_add(length)).or_else(|| self.address(unit, high));
            end.into_iter().for_each(|end| add(start, end));
        }
        let Some(list) = self.range_list(unit, entry.attr_value(constants::DW_AT_ranges)) else {
            return Ok(());
        };
        let (encoding, sections) = (unit.header.encoding(), &self.sections);
        let list = sections.ranges.ranges(list, encoding, unit.low_pc, &sections.addresses, unit.addr_base);
        let mut list = list?;
        // Each entry of the list is counted, those that are no range too.
        while let Some(raw) = list.next_raw()? {
            *left = left.saturating_sub(1);
            if *left == 0 {
                break;
            }
            if let Some(range) = list.convert_raw(raw)? {
                add(range.begin, range.end);
            }
        }
        Ok(())
    }

    fn range_list(&self, unit: &Unit<'a>, value: Option<Value<'a>>) -> Option<RangeListsOffset> {
        match value? {
            AttributeValue::RangeListsRef(offset) => Some(RangeListsOffset(offset.0)),
            AttributeValue::DebugRngListsIndex(index) => {
                self.sections.ranges.get_offset(unit.header.encoding(), unit.range_base, index).ok()
            }
            _ => None,
        }
    }

    fn address(&self, unit: &Unit<'a>, value: Option<Value<'a>>) -> Option<u64> {
        match value? {
            AttributeValue::Addr(address) => Some(address),
            AttributeValue::DebugAddrIndex(index) => {
                let size = unit.header.address_size();
                self.sections.addresses.get_address(size, unit.addr_base, index).ok()
            }
            _ => None,
        }
    }

    fn text(&self, unit: &Unit<'a>, value: Value<'a>) -> Option<String> {
        let sections = &self.sections;
        let value = match value {
            AttributeValue::DebugStrOffsetsIndex(index) => {
                let (format, base) = (unit.header.format(), unit.string_base);
                let offset = sections.string_offsets.get_str_offset(format, base, index).ok()?;
                AttributeValue::DebugStrRef(offset)
            }
            other => other,
        };
        sections.strings.text(value)
    }

    /// The name of the entry at an offset: its own, or that of the function it is a copy of.
    fn entry_name(&self, offset: usize) -> Option<String> {
        let mut offset = offset;
        for _ in 0..MAX_HOPS {
            let index = self.units.partition_point(|unit| unit.start <= offset).checked_sub(1)?;
            let unit = &self.units[index];
            let in_unit = UnitSectionOffset(offset).to_unit_offset(&unit.header)?;
            let entry = unit.header.entry(self.tables[unit.table].as_ref()?, in_unit).ok()?;
            let text = |name| entry.attr_value(name).and_then(|value| self.text(unit, value));
            // The linker's name has the path of the module in it.
            if let Some(name) = text(constants::DW_AT_linkage_name) {
                return Some(symbols::demangled(&name));
            }
            let origins = [constants::DW_AT_abstract_origin, constants::DW_AT_specification];
            offset = match origins.into_iter().find_map(|origin| entry.attr_value(origin)) {
                Some(AttributeValue::UnitRef(origin)) => unit.start + origin.0,
                Some(AttributeValue::DebugInfoRef(DebugInfoOffset(origin))) => origin,
                _ => return text(constants::DW_AT_name),
            };
        }
        None
    }
}

/// The units of the file, up to the first that is damaged.
fn headers<'a>(info: &DebugInfo<Slice<'a>>) -> Vec<UnitHeader<Slice<'a>>> {
    let mut units = info.units();
    let mut headers = Vec::new();
    while let Ok(Some(header)) = units.next() {
        if headers.len() == MAX_UNITS {
            break;
        }
        headers.push(header);
    }
    headers
}

/// The tables of abbreviations that the units name, and the index of each by its offset.
fn tables(
    section: Slice<'_>,
    headers: &[UnitHeader<Slice<'_>>],
) -> (Vec<Option<Abbreviations>>, BTreeMap<usize, usize>) {
    let mut offsets: BTreeMap<usize, usize> =
        headers.iter().map(|header| (header.debug_abbrev_offset().0, 0)).collect();
    let starts: Vec<usize> = offsets.keys().copied().collect();
    offsets.values_mut().enumerate().for_each(|(index, table)| *table = index);
    let ends = starts.iter().skip(1).copied().chain([section.len()]);
    let table = |(&start, end): (&usize, usize)| {
        let bytes = section.slice().get(start..end.min(section.len()))?;
        DebugAbbrev::new(bytes, section.endian()).abbreviations(DebugAbbrevOffset(0)).ok()
    };
    (starts.iter().zip(ends).map(table).collect(), offsets)
}

/// Sorts the scopes and says of each which one it is in. One that only partly lies in another is cut off at its end.
fn nested(mut scopes: Vec<Scope>) -> Vec<Scope> {
    scopes.sort_by_key(|scope| (scope.start, Reverse(scope.end), scope.depth, scope.entry));
    let mut kept: Vec<Scope> = Vec::with_capacity(scopes.len());
    let mut around: Vec<usize> = Vec::new();
    for mut scope in scopes {
        while around.last().is_some_and(|&outer| kept[outer].end <= scope.start) {
            around.pop();
        }
        if around.len() as u32 == MAX_NESTING {
            continue;
        }
        scope.parent = around.last().copied();
        scope.end = scope.parent.map_or(scope.end, |outer| scope.end.min(kept[outer].end));
        around.push(kept.len());
        kept.push(scope);
    }
    kept
}
