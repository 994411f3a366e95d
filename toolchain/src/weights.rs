//! The way of the weights into the image: neither a compiler nor the linker sees them.
//!
//! They are written to a file of their own, as the target's memory has them. The linker gets an object that says how much room each array
//! takes; in the linked file their segment comes last and has no bytes. [`Spool::fill`] gives it those of the file.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use bytes::Bytes;
use memmap2::MmapOptions;
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};
use object::write::{Object, StandardSection, StandardSegment, Symbol, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, FileFlags, SectionFlags, SectionKind, SymbolFlags, SymbolKind,
    SymbolScope, elf, pod,
};
use opml_targets::{ByteOrder, Target};

use crate::elf::{Elf, WEIGHTS as SECTION};
use crate::error::BuildError;
use crate::guest::Weight;
use crate::statements::{self, Statement, Statements};

/// Alignment of each array: what 64-bit integers ask for, and a leaf of the memory tree is a multiple of it.
const ALIGN: u64 = 8;

/// Alignment of the segment in the file, that of its address: a page of the VM.
const PAGE: usize = 4096;

/// Words that change their byte order at a time.
const PIECE: usize = 1 << 14;

/// Where an array lies in the segment.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Array {
    symbol: String,
    start: u64,
    size: u64,
}

/// The bytes of the weights' segment. The file behind them has no name: nobody else can open it.
pub(crate) struct Spool {
    arrays: Vec<Array>,
    bytes: Bytes,
    order: ByteOrder,
}

impl Spool {
    /// Writes `weights` one behind the other to a file in the folder `dir`. Each is given back once it is written.
    pub fn new(weights: Vec<Weight>, target: &Target, dir: &Path) -> Result<Self, BuildError> {
        let order = target.elf().byte_order;
        std::fs::create_dir_all(dir).map_err(BuildError::io("make", dir))?;
        let mut file = tempfile::tempfile_in(dir).map_err(BuildError::io("make a file in", dir))?;
        let (mut arrays, mut end) = (Vec::new(), 0u64);
        for weight in weights {
            let start = end.next_multiple_of(ALIGN);
            let size = write(&weight, start, order, &mut file)
                .map_err(|source| BuildError::Pack { symbol: weight.symbol.clone(), source })?;
            arrays.push(Array { symbol: weight.symbol, start, size });
            end = start + size;
        }
        let bytes = map(&file, end).map_err(BuildError::io("map a file in", dir))?;
        Ok(Self { arrays, bytes, order })
    }

    /// Bytes of all arrays.
    pub fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// A relocatable object that defines the arrays in their order, as memory without content, and has the table of `statements` for
    /// the file with symbols.
    ///
    /// # Errors
    /// What the `object` crate says of sizes it cannot write.
    pub fn object(&self, statements: &[Statement]) -> Result<Vec<u8>, object::write::Error> {
        let big = self.order == ByteOrder::Big;
        let endianness = if big { Endianness::Big } else { Endianness::Little };
        let mut file = Object::new(BinaryFormat::Elf, Architecture::Mips, endianness);
        // What the compiler's objects carry; the linker refuses to mix.
        file.flags = FileFlags::Elf {
            os_abi: elf::ELFOSABI_NONE,
            abi_version: 0,
            e_flags: elf::EF_MIPS_ABI_O32 | elf::EF_MIPS_ARCH_32 | elf::EF_MIPS_NOREORDER,
        };
        // An empty .text is what linkers expect first in an object.
        file.section_id(StandardSection::Text);
        let segment = file.segment_name(StandardSegment::Data).to_vec();
        let section = file.add_section(segment, SECTION.as_bytes().to_vec(), SectionKind::UninitializedData);
        // Memory without content is a variable's, but for this one.
        file.section_mut(section).flags =
            SectionFlags::Elf { sh_type: elf::SHT_NOBITS, sh_flags: elf::SHF_ALLOC };
        for array in &self.arrays {
            let value = file.append_section_bss(section, array.size, ALIGN);
            debug_assert_eq!(value, array.start);
            file.add_symbol(Symbol {
                name: array.symbol.clone().into_bytes(),
                value,
                size: array.size,
                kind: SymbolKind::Data,
                scope: SymbolScope::Linkage,
                weak: false,
                section: SymbolSection::Section(section),
                flags: SymbolFlags::None,
            });
        }
        if !statements.is_empty() {
            let name = statements::SECTION.as_bytes().to_vec();
            let section = file.add_section(Vec::new(), name, SectionKind::Debug);
            file.append_section_data(section, &Statements::section(statements), 1);
        }
        file.write()
    }

    /// The `linked` file with the bytes of its weights: they follow its own, at the next page.
    ///
    /// # Errors
    /// [`BuildError::WeightsPlace`] if the linker did not do with them what the script says.
    pub fn fill(&self, linked: Vec<u8>) -> Result<Elf, BuildError> {
        fill(linked, &self.bytes)
    }
}

/// The file `debug` of a build, whose weights may have been left out: then with those of `program`, the other file of the same build.
///
/// # Errors
/// A file that is no ELF file, and [`BuildError::WeightsPlace`] if the two do not belong together.
pub(crate) fn restore(debug: Vec<u8>, program: impl FnOnce() -> Option<Elf>) -> Result<Elf, BuildError> {
    let elf = Elf::parse(debug.clone())?;
    if !elf.weights().is_some_and(|section| !section.has_bytes() && section.size > 0) {
        return Ok(elf);
    }
    let weights = program().and_then(|program| {
        let section = *program.weights()?;
        Some(program.shared_section_data(&section))
    });
    fill(debug, &weights.unwrap_or_default())
}

/// The `linked` file with the bytes of its weights: they follow its own, at the next page.
fn fill(mut linked: Vec<u8>, weights: &Bytes) -> Result<Elf, BuildError> {
    // Without a reference to an array, the linker leaves them all out.
    if weights.is_empty() || Elf::parse(linked.clone())?.weights().is_none() {
        return Ok(Elf::parse(linked)?);
    }
    linked.resize(linked.len().next_multiple_of(PAGE), 0);
    point_to(weights, &mut linked).map_err(|problem| BuildError::WeightsPlace { problem })?;
    Ok(Elf::with_tail(linked, weights.clone())?)
}

/// Says in the headers of `linked` that the `weights` lie behind it.
fn point_to(weights: &[u8], linked: &mut [u8]) -> Result<(), String> {
    let text = |error: object::read::Error| error.to_string();
    let offset = u32::try_from(linked.len()).map_err(|_| "the file is too large".to_owned())?;
    let size = u32::try_from(weights.len()).map_err(|_| "they exceed 4 GiB".to_owned())?;
    let header = elf::FileHeader32::<Endianness>::parse(&*linked).map_err(text)?;
    let endian = header.endian().map_err(text)?;
    let sections = header.sections(endian, &*linked).map_err(text)?;
    let (index, section) =
        sections.section_by_name(endian, SECTION.as_bytes()).ok_or("they have no section")?;
    let address = section.sh_addr(endian);
    let placed = section.sh_type(endian) == elf::SHT_NOBITS && section.sh_size(endian) == size;
    if !placed || !(address as usize).is_multiple_of(PAGE) {
        return Err(format!("their section is not {size} bytes without content on a page of its own"));
    }
    let (section_at, segment_at) = (
        header.e_shoff(endian) as usize + index.0 * size_of::<elf::SectionHeader32<Endianness>>(),
        header.e_phoff(endian) as usize,
    );
    let count = usize::from(header.e_phnum(endian));
    let (section, _) = tail_mut(linked, section_at)
        .and_then(pod::from_bytes_mut::<elf::SectionHeader32<Endianness>>)
        .map_err(|()| "no room for a section")?;
    section.sh_type.set(endian, elf::SHT_PROGBITS);
    section.sh_offset.set(endian, offset);
    let (segments, _) = tail_mut(linked, segment_at)
        .and_then(|bytes| pod::slice_from_bytes_mut::<elf::ProgramHeader32<Endianness>>(bytes, count))
        .map_err(|()| "no room for the segments")?;
    let is_theirs = |segment: &&mut elf::ProgramHeader32<Endianness>| {
        (segment.p_type(endian), segment.p_vaddr(endian)) == (elf::PT_LOAD, address)
            && (segment.p_filesz(endian), segment.p_memsz(endian)) == (0, size)
    };
    let segment = segments.iter_mut().find(is_theirs).ok_or("they have no segment of their own")?;
    segment.p_offset.set(endian, offset);
    segment.p_filesz.set(endian, size);
    Ok(())
}

fn tail_mut(bytes: &mut [u8], at: usize) -> Result<&mut [u8], ()> {
    bytes.get_mut(at..).ok_or(())
}

/// Writes an array to `file` from `start` on; gives its bytes.
fn write(weight: &Weight, start: u64, order: ByteOrder, file: &mut File) -> io::Result<u64> {
    let mut end = start;
    let mut bytes = vec![[0; 4]; PIECE];
    weight.words.write(&mut |at, words| {
        let mut place = start + 4 * at as u64;
        file.seek(SeekFrom::Start(place))?;
        for piece in words.chunks(PIECE) {
            let bytes = &mut bytes[..piece.len()];
            for (bytes, word) in bytes.iter_mut().zip(piece) {
                *bytes = match order {
                    ByteOrder::Big => word.to_be_bytes(),
                    ByteOrder::Little => word.to_le_bytes(),
                };
            }
            file.write_all(bytes.as_flattened())?;
            place += 4 * piece.len() as u64;
        }
        end = end.max(place);
        Ok(())
    })?;
    Ok(end - start)
}

/// The `len` bytes of `file`, all of which are then there at once.
fn map(file: &File, len: u64) -> io::Result<Bytes> {
    if len == 0 {
        return Ok(Bytes::new());
    }
    let len = usize::try_from(len).map_err(io::Error::other)?;
    // SAFETY: the file has no name, and this process neither writes to it nor shortens it any more.
    let mapped = unsafe { MmapOptions::new().len(len).populate().map(file)? };
    Ok(Bytes::from_owner(mapped))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spool(weights: Vec<Weight>) -> Result<Spool, BuildError> {
        let dir = tempfile::tempdir().unwrap();
        Spool::new(weights, &Target::load("cannon32").unwrap(), dir.path())
    }

    fn made(maker: impl Fn(&mut crate::Put<'_>) -> io::Result<()> + Send + Sync + 'static) -> Weight {
        Weight { symbol: "MADE".into(), words: crate::Words::made(maker) }
    }

    /// Pieces may come in any order: packed weights have their length in front, and it is known last.
    #[test]
    fn arrays_follow_each_other_in_the_targets_byte_order() {
        let here = Weight { symbol: "HERE".into(), words: vec![0x0102_0304].into() };
        let pieces = made(|put| {
            put(1, &[5, 6])?;
            put(0, &[7])
        });
        let spool = spool(vec![here, pieces]).unwrap();
        assert_eq!(spool.bytes[..], [1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 5, 0, 0, 0, 6]);
        let places = spool.arrays.iter().map(|array| (&*array.symbol, array.start, array.size));
        assert_eq!(places.collect::<Vec<_>>(), [("HERE", 0, 4), ("MADE", 8, 12)]);
    }

    #[test]
    fn a_maker_that_fails_is_named() {
        let failing = made(|_| Err(io::Error::other("no weights today")));
        let Err(BuildError::Pack { symbol, source }) = spool(vec![failing]) else { panic!("not refused") };
        assert_eq!((&*symbol, source.to_string()), ("MADE", "no weights today".into()));
    }

    /// The object itself has the section, and no segment for it.
    #[test]
    fn a_file_without_room_for_weights_is_refused() {
        let spool = spool(vec![made(|put| put(0, &[1]))]).unwrap();
        let object = spool.object(&[]).unwrap();
        let Err(BuildError::WeightsPlace { problem }) = spool.fill(object.clone()) else {
            panic!("not refused")
        };
        assert_eq!(problem, "they have no segment of their own");
        let larger = self::spool(vec![made(|put| put(0, &[1, 2]))]).unwrap();
        let Err(BuildError::WeightsPlace { problem }) = larger.fill(object) else { panic!("not refused") };
        assert_eq!(problem, "their section is not 8 bytes without content on a page of its own");
    }
}
