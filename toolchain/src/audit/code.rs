//! Every word of the executable segments.

use std::borrow::Cow;

use opml_isa::{Instruction, Kind, Mnemonic, Register, decode};
use opml_targets::{AddressRange, Condition, Effect, Refusal, Target, Verdict};

use super::AuditOptions;
use super::dataflow::Block;
use super::finding::{Finding, Findings};
use super::rule::Rule;
use crate::elf::Elf;

const DATA_ACTION: &str = "put constants and tables into .rodata; for assembly, switch the section";
const FLOW_ACTION: &str = "in assembly use `.set reorder` or correct the label; from a compiler, report it";

/// Words of data that are looked at together.
const PIECE: usize = 1 << 10;

/// The executable bytes of a file whose segments are as they should be: sorted and apart.
pub(super) struct Code<'a> {
    regions: Vec<Region<'a>>,
    /// Addresses that start a basic block, sorted: targets of branches and jumps, and symbols.
    leaders: Vec<u32>,
    /// Other addresses in the data that may be in a jump table, sorted.
    tables: Vec<u32>,
}

/// The file's bytes of an executable segment.
struct Region<'a> {
    start: u32,
    bytes: &'a [u8],
    /// Bytes in memory that the file does not have.
    missing: u64,
}

impl Region<'_> {
    fn range(&self) -> AddressRange {
        let start = u64::from(self.start);
        AddressRange { start, end: start + self.bytes.len() as u64 }
    }

    fn instructions(&self) -> impl Iterator<Item = (u32, Instruction)> {
        let words = self.bytes.as_chunks::<4>().0;
        (self.start..).step_by(4).zip(words.iter().map(|word| decode(u32::from_be_bytes(*word))))
    }
}

impl<'a> Code<'a> {
    /// Collects the code. The stage of the segments has passed, so that addresses fit and regions are apart.
    pub fn new(elf: &'a Elf, options: &AuditOptions) -> Self {
        let executable =
            elf.segments().iter().filter(|segment| segment.is_loaded() && segment.is_executable());
        let mut regions: Vec<_> = executable
            .map(|segment| Region {
                start: segment.address as u32,
                bytes: elf.segment_data(segment),
                missing: segment.memory_size.saturating_sub(segment.file_size),
            })
            .collect();
        // By address, for the searches and so that one region can follow another without a gap.
        regions.sort_by_key(|region| region.start);
        let mut code = Self { regions, leaders: Vec::new(), tables: Vec::new() };
        code.leaders = code.find_leaders(elf);
        if !options.no_jump_tables {
            code.tables = code.find_tables(elf);
        }
        code
    }

    /// How many words there are.
    pub fn words(&self) -> usize {
        self.regions.iter().map(|region| region.bytes.len() / 4).sum()
    }

    pub fn check(&self, elf: &Elf, target: &Target) -> Findings {
        let mut findings = Findings::default();
        self.regions.iter().for_each(|region| check_shape(region, &mut findings));
        self.check_data(elf, &mut findings);
        self.check_padding(elf, &mut findings);
        self.check_flow(&mut findings);
        self.regions.iter().for_each(|region| self.check_instructions(region, target, &mut findings));
        findings
    }

    fn find_leaders(&self, elf: &Elf) -> Vec<u32> {
        let words = self.regions.iter().flat_map(Region::instructions);
        let targets = words.filter_map(|(address, instruction)| instruction.target(address));
        let symbols = elf.symbols().iter().filter_map(|symbol| u32::try_from(symbol.address).ok());
        sorted(targets.chain(symbols))
    }

    /// Every aligned word of the data that is an address of code: jump tables lead there. Looked for only
    /// where a value is inferred from the instructions in front of another.
    fn find_tables(&self, elf: &Elf) -> Vec<u32> {
        let mut mnemonics = self.regions.iter().flat_map(Region::instructions).map(|(_, i)| i.mnemonic());
        if !mnemonics.any(|mnemonic| mnemonic == Mnemonic::Srav) {
            return Vec::new();
        }
        let Some((first, last)) = self.regions.first().zip(self.regions.last()) else { return Vec::new() };
        let start = first.start;
        let len = u32::try_from(last.range().end - u64::from(start)).unwrap_or(u32::MAX);
        // Weights are data, too: a gigabyte of them is left behind piece by piece, by vector units.
        let is_near = |word: u32| word.wrapping_sub(start) < len;
        let has_near = |words: &&[[u8; 4]]| {
            words.iter().fold(false, |found, word| found | is_near(u32::from_be_bytes(*word)))
        };
        let data = elf.segments().iter().filter(|segment| segment.is_loaded() && !segment.is_executable());
        let pieces = data.flat_map(|segment| elf.segment_data(segment).as_chunks().0.chunks(PIECE));
        let words = pieces.filter(has_near).flatten().map(|word| u32::from_be_bytes(*word));
        sorted(words.filter(|&word| word % 4 == 0 && self.region_at(word.into()).is_some()))
    }

    /// The region with `address` in it.
    fn region_at(&self, address: u64) -> Option<&Region<'a>> {
        let behind = self.regions.partition_point(|region| u64::from(region.start) <= address);
        self.regions[..behind].last().filter(|region| region.range().contains(address))
    }

    /// Whether `range` shares an address with the code.
    fn overlaps(&self, range: AddressRange) -> bool {
        let first = self.regions.partition_point(|region| region.range().end <= range.start);
        self.regions.get(first).is_some_and(|region| region.range().overlaps(range))
    }

    /// Sections and symbols that say they are data.
    fn check_data(&self, elf: &Elf, findings: &mut Findings) {
        for section in elf.sections() {
            let is_data = section.is_loaded() && !section.is_executable();
            if is_data && self.overlaps(section.range()) {
                let name = elf.section_name(section);
                let problem = format!("the data section `{name}` is in an executable segment");
                findings.at(Rule::DataInCode, section.address, problem, DATA_ACTION);
            }
        }
        for symbol in elf.symbols().iter().filter(|symbol| symbol.is_object && symbol.size > 0) {
            if self.region_at(symbol.address).is_some() {
                let name = elf.symbol_name(symbol);
                let problem = format!("the variable `{name}` is in an executable segment");
                findings.at(Rule::DataInCode, symbol.address, problem, DATA_ACTION);
            }
        }
    }

    /// What no executable section covers has to be zero. Without sections nothing tells padding from code, and
    /// all of it is judged as code.
    fn check_padding(&self, elf: &Elf, findings: &mut Findings) {
        if elf.sections().is_empty() {
            return;
        }
        let sections = elf.sections().iter().filter(|section| section.is_loaded() && section.is_executable());
        let mut covered: Vec<_> = sections.map(|section| section.range()).collect();
        covered.sort_by_key(|range| (range.start, range.end));
        // Regions and sections are both in order of their addresses, so one pass over each is enough.
        let mut covered = covered.into_iter().peekable();
        let mut covered_to = 0;
        for region in &self.regions {
            for (address, instruction) in region.instructions() {
                let end = u64::from(address) + 4;
                while let Some(range) = covered.next_if(|range| range.start < end) {
                    covered_to = covered_to.max(range.end);
                }
                if covered_to < end && instruction.word() != 0 {
                    let problem =
                        "a word between the sections of an executable segment is not zero".to_owned();
                    let word = Some(instruction.word());
                    let action =
                        "fill gaps with zero in the linker script (`=0` behind the output section)".into();
                    let address = Some(u64::from(address));
                    findings.push(|| Finding { rule: Rule::Padding, address, word, problem, action });
                }
            }
        }
    }

    /// Delay slots and where branches and jumps lead.
    fn check_flow(&self, findings: &mut Findings) {
        for (index, region) in self.regions.iter().enumerate() {
            let mut follows_branch = index > 0 && {
                let previous = &self.regions[index - 1];
                let last = previous.instructions().last();
                previous.range().end == region.range().start
                    && last.is_some_and(|(_, last)| last.has_delay_slot())
            };
            for (address, instruction) in region.instructions() {
                let is_branch = instruction.has_delay_slot();
                if follows_branch && is_branch {
                    let problem = "a branch or jump is in the delay slot of another: the step reverts";
                    findings.push(|| finding(Rule::BranchInDelaySlot, address, &instruction, problem.into()));
                }
                if is_branch && self.region_at(u64::from(address) + 4).is_none() {
                    let problem = "the delay slot of this branch is not in the code";
                    findings
                        .push(|| finding(Rule::DelaySlotOutsideCode, address, &instruction, problem.into()));
                }
                let target = instruction.target(address);
                if let Some(target) = target.filter(|target| self.region_at(u64::from(*target)).is_none()) {
                    let problem = format!("it leads to 0x{target:08x}, where there is no code");
                    findings.push(|| finding(Rule::TargetOutsideCode, address, &instruction, problem));
                }
                follows_branch = is_branch;
            }
        }
    }

    /// Each word against the target's lists of instructions and system calls.
    fn check_instructions(&self, region: &Region<'_>, target: &Target, findings: &mut Findings) {
        let (leaders, tables) = (&*self.leaders, &*self.tables);
        let block = Block { start: region.start, bytes: region.bytes, leaders, tables };
        for (index, (address, instruction)) in region.instructions().enumerate() {
            let refusal = match target.verdict(instruction.mnemonic()) {
                Verdict::Allowed => None,
                Verdict::Refused(refusal) => Some(refusal),
                Verdict::Conditional(condition, refusal) => {
                    let holds = match condition {
                        Condition::ShiftBelow32 => block.is_below_32(index, instruction.rs()),
                        Condition::BehindLoadLinked => block.is_behind_load_linked(index, &instruction),
                    };
                    (!holds).then_some(refusal)
                }
            };
            if let Some(refusal) = refusal {
                findings.push(|| refused(address, &instruction, refusal));
            }
            if instruction.kind() == Kind::SystemCall {
                check_syscall(&block, index, (address, &instruction), target, findings);
            }
        }
    }
}

fn sorted(addresses: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut addresses: Vec<_> = addresses.collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

fn check_shape(region: &Region<'_>, findings: &mut Findings) {
    let (start, size) = (u64::from(region.start), region.bytes.len());
    if !start.is_multiple_of(4) || !size.is_multiple_of(4) {
        let problem = format!("the executable segment {} is not made of whole words", region.range());
        findings.at(
            Rule::CodeAlignment,
            start,
            problem,
            "align executable sections to 4 bytes, start and end",
        );
    }
    if region.missing > 0 {
        let problem =
            format!("the last 0x{:x} bytes of an executable segment are not in the file", region.missing);
        let action = "keep .bss out of executable segments";
        findings.at(Rule::CodeNotInFile, region.range().end, problem, action);
    }
}

fn check_syscall(
    block: &Block<'_>,
    index: usize,
    (address, instruction): (u32, &Instruction),
    target: &Target,
    findings: &mut Findings,
) {
    let number = block.constant(index, Register::V0);
    let Some(number) = number.filter(|number| target.syscall(*number).is_none()) else { return };
    let known: Vec<_> =
        target.syscalls().iter().map(|call| format!("{} {}", call.name, call.number)).collect();
    findings.push(|| Finding {
        rule: Rule::UnknownSyscall,
        address: Some(u64::from(address)),
        word: Some(instruction.word()),
        problem: format!("the VM has no system call {number}: it returns 0 and does nothing"),
        action: format!("use one of: {}", known.join(", ")).into(),
    });
}

fn finding(rule: Rule, address: u32, instruction: &Instruction, problem: String) -> Finding {
    let (address, word) = (Some(u64::from(address)), Some(instruction.word()));
    Finding { rule, address, word, problem, action: FLOW_ACTION.into() }
}

fn refused(address: u32, instruction: &Instruction, refusal: &Refusal) -> Finding {
    let (address, word) = (Some(u64::from(address)), Some(instruction.word()));
    if instruction.mnemonic() == Mnemonic::Unknown {
        return Finding {
            rule: Rule::UnknownInstruction,
            address,
            word,
            problem:
                "this is no instruction of MIPS32: it is data, or a linker's filler, or for a newer processor"
                    .to_owned(),
            action: Cow::Borrowed(
                "put data into .rodata; fill gaps with zero in the linker script (`=0` behind the output section); \
                 compile for MIPS32 release 1",
            ),
        };
    }
    let rule = match refusal.effect {
        Effect::Differs => Rule::InstructionDiffers,
        Effect::Reverts => Rule::InstructionReverts,
        Effect::Unneeded => Rule::InstructionUnneeded,
    };
    let problem = format!("{}: {}", instruction.mnemonic(), refusal.contract);
    Finding { rule, address, word, problem, action: refusal.instead.clone().into() }
}
