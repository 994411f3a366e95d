//! Damaged, random and malicious files: an error or a verdict, in little time and memory, and never a panic.

#[path = "../../../fuzz/corpus.rs"]
mod corpus;

use std::time::{Duration, Instant};

use opml_toolchain::audit::fuzz_elf;
use opml_toolchain::elf::Elf;

use crate::judge;
use crate::program::{Place, Program, R, STT_FUNC, Section, Segment, Symbol, TEXT, X};

/// Xorshift with a fixed seed: the same inputs on every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

#[test]
fn every_truncation_is_an_error_or_a_verdict() {
    let file = Program::valid().write();
    for length in 0..file.len() {
        fuzz_elf(&file[..length]);
        assert!(Elf::parse(file[..length].to_vec()).is_err(), "{length} bytes of {}", file.len());
    }
    fuzz_elf(&file);
}

#[test]
fn mutations_of_a_valid_file_never_panic() {
    // Values that fields of sizes, counts and offsets break at.
    const EDGES: [u32; 8] =
        [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0xffff_fffc, 0x0000_ffff, 0x2000_0000];
    let file = Program::valid().write();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..30_000 {
        let mut file = file.clone();
        for _ in 0..1 + random.below(4) {
            let at = random.below(file.len() - 4);
            match random.below(3) {
                0 => file[at] = random.next() as u8,
                1 => file[at] ^= 1 << random.below(8),
                _ => file[at..at + 4].copy_from_slice(&EDGES[random.below(8)].to_be_bytes()),
            }
        }
        fuzz_elf(&file);
    }
}

#[test]
fn random_bytes_behind_a_header_never_panic() {
    let valid = Program::valid().write();
    let mut random = Random(7);
    for _ in 0..2_000 {
        let mut file: Vec<u8> = (0..200 + random.below(400)).map(|_| random.next() as u8).collect();
        let kept = random.below(120);
        file[..kept].copy_from_slice(&valid[..kept]);
        fuzz_elf(&file);
    }
}

#[test]
fn the_fuzzer_s_corpus_never_panics() {
    corpus::corpus("elf", 5).iter().for_each(|(_, data)| fuzz_elf(data));
}

/// The work must stay in proportion to the file: a generous bound that quadratic work misses by far.
fn in_time(work: impl FnOnce()) {
    let start = Instant::now();
    work();
    assert!(start.elapsed() < Duration::from_secs(20), "took {:?}", start.elapsed());
}

#[test]
fn many_symbols_that_share_a_long_name_cost_little() {
    let mut program = Program::with_code(&vec![0x0025_20c2; 4_000]);
    program.segments.truncate(2);
    program.segments[1].address = 0x10_0000;
    program.sections.truncate(3);
    let name: &'static str = "y".repeat(1 << 20).leak();
    program.symbols = vec![Symbol { name, address: TEXT, size: 0x10_0000, kind: STT_FUNC }];
    let other = Symbol { name: "", address: TEXT, size: 0x10_0000, kind: STT_FUNC };
    program.symbols.extend(std::iter::repeat_n(other, 100_000));
    let mut file = program.write();
    // Let every symbol's name be the long one: offset 1 of the string table.
    let sections = u32::from_be_bytes(file[32..36].try_into().unwrap()) as usize;
    let symbols = sections + 4 * 40;
    let field = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    let (offset, size) = (field(symbols + 16), field(symbols + 20));
    for symbol in (offset + 16..offset + size).step_by(16) {
        file[symbol..symbol + 4].copy_from_slice(&[0, 0, 0, 1]);
    }
    in_time(|| fuzz_elf(&file));
}

#[test]
fn tens_of_thousands_of_segments_and_sections_cost_little() {
    let mut program = Program::valid();
    program.segments.truncate(2);
    program.segments[1].address = 0x100_0000;
    program.sections.truncate(2);
    program.sections[1].address = 0x100_0000;
    program.symbols.clear();
    let word = |address| Segment {
        kind: 1,
        flags: R | X,
        address,
        bytes: vec![0; 4],
        memory_size: 4,
        shared_with: None,
    };
    program.segments.extend((0..30_000).map(|index| word(TEXT + 0x1000 + 8 * index)));
    program.sections.extend((0..60_000).map(|index| Section {
        name: ".rodata",
        kind: 1,
        flags: 2,
        address: TEXT + 0x1000 + 4 * index,
        size: 4,
        place: Place::InSegment(0, 0),
    }));
    in_time(|| {
        let failure = judge(&program).unwrap_err();
        assert_eq!(failure.violations.len(), 30_000, "{failure}");
    });
}

#[test]
fn line_programs_that_lie_about_their_size_cost_little() {
    // Version 5, one directory and one file format (path, a string), then a count of 2^56.
    let lying = |count: &[u8]| {
        let mut unit = vec![0, 5, 4, 0];
        let mut header = vec![4, 1, 1, 0, 14, 10, 0, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 8];
        header.extend(count);
        unit.extend((header.len() as u32).to_be_bytes());
        unit.extend(header);
        [&(unit.len() as u32).to_be_bytes()[..], &unit].concat()
    };
    let huge = lying(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
    let mut program = Program::with_code(&[0x0025_20c2]);
    let bytes = huge.repeat(20_000);
    let own = Place::Own(bytes);
    program.sections.push(Section { name: ".debug_line", kind: 1, place: own, ..Section::default() });
    in_time(|| {
        let failure = judge(&program).unwrap_err();
        assert_eq!(failure.violations[0].source, None);
    });
}
