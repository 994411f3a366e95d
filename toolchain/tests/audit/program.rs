//! A small ELF file whose every part can be changed before it is written.

/// What will be a 32-bit big-endian ELF file.
#[derive(Clone)]
pub struct Program {
    pub class: u8,
    pub byte_order: u8,
    pub kind: u16,
    pub machine: u16,
    pub entry: u32,
    pub flags: u32,
    pub segments: Vec<Segment>,
    /// Without the null section and the tables of names and symbols, which are added.
    pub sections: Vec<Section>,
    pub symbols: Vec<Symbol>,
    /// Without it the file has no section headers.
    pub with_sections: bool,
}

#[derive(Clone, Default)]
pub struct Segment {
    pub kind: u32,
    pub flags: u32,
    pub address: u32,
    pub bytes: Vec<u8>,
    pub memory_size: u32,
    /// Bytes of another segment, by its number, instead of its own.
    pub shared_with: Option<usize>,
}

#[derive(Clone, Default)]
pub struct Section {
    pub name: &'static str,
    pub kind: u32,
    pub flags: u32,
    pub address: u32,
    pub size: u32,
    /// Where its bytes are: in a segment from an offset on, or its own.
    pub place: Place,
}

#[derive(Clone)]
pub enum Place {
    InSegment(usize, u32),
    Own(Vec<u8>),
}

impl Default for Place {
    fn default() -> Self {
        Self::Own(Vec::new())
    }
}

#[derive(Clone)]
pub struct Symbol {
    pub name: &'static str,
    pub address: u32,
    pub size: u32,
    /// `STT_*`
    pub kind: u8,
}

pub const PT_LOAD: u32 = 1;
pub const R: u32 = 4;
pub const W: u32 = 2;
pub const X: u32 = 1;
pub const SHF_ALLOC: u32 = 2;
pub const SHF_EXEC: u32 = 4;
pub const STT_OBJECT: u8 = 1;
pub const STT_FUNC: u8 = 2;

pub const TEXT: u32 = 0x0001_0000;
pub const RODATA: u32 = 0x0001_1000;
pub const DATA: u32 = 0x0001_2000;

/// The words of a program that ends at once, and of a function with a branch.
pub const CODE: [u32; 8] = [
    0x2402_1096, // _start: addiu $v0, $zero, 4246
    0x2404_0000, // addiu $a0, $zero, 0
    0x0000_000c, // syscall
    0x0000_0000, // nop
    0x1480_0001, // other: bne $a0, $zero, done
    0x0085_1021, // addu $v0, $a0, $a1
    0x03e0_0008, // done: jr $ra
    0x0000_0000, // nop
];

/// ABI flags: version 0, MIPS32 release 1, 32-bit registers, soft float, odd single registers.
pub const ABI_FLAGS: [u8; 24] = [0, 0, 32, 1, 1, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];

impl Program {
    /// A file that passes.
    pub fn valid() -> Self {
        let segment = |flags, address, bytes: Vec<u8>, zeroes: u32| {
            let memory_size = bytes.len() as u32 + zeroes;
            Segment { kind: PT_LOAD, flags, address, bytes, memory_size, shared_with: None }
        };
        let rodata = [&ABI_FLAGS[..], b"constant"].concat();
        let section =
            |name, kind, flags, address, size, place| Section { name, kind, flags, address, size, place };
        let mut program = Self {
            class: 1,
            byte_order: 2,
            kind: 2,
            machine: 8,
            entry: TEXT,
            flags: 0x5000_1001,
            segments: vec![
                segment(R | X, TEXT, Vec::new(), 0),
                segment(R, RODATA, rodata, 0),
                segment(R | W, DATA, vec![1, 2, 3, 4], 0x100),
            ],
            sections: vec![
                section(".text", 1, SHF_ALLOC | SHF_EXEC, TEXT, 0, Place::InSegment(0, 0)),
                section(".MIPS.abiflags", 0x7000_002a, SHF_ALLOC, RODATA, 24, Place::InSegment(1, 0)),
                section(".rodata", 1, SHF_ALLOC, RODATA + 24, 8, Place::InSegment(1, 24)),
                section(".data", 1, SHF_ALLOC | 1, DATA, 4, Place::InSegment(2, 0)),
                section(".bss", 8, SHF_ALLOC | 1, DATA + 4, 0x100, Place::InSegment(2, 4)),
            ],
            symbols: vec![
                Symbol { name: "_start", address: TEXT, size: 16, kind: STT_FUNC },
                Symbol { name: "other", address: TEXT + 16, size: 16, kind: STT_FUNC },
                Symbol { name: "constant", address: RODATA + 24, size: 8, kind: STT_OBJECT },
            ],
            with_sections: true,
        };
        program.set_code(&CODE);
        program
    }

    /// Replaces the code, and what says how long it is.
    pub fn set_code(&mut self, words: &[u32]) {
        self.segments[0].bytes = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        self.segments[0].memory_size = 4 * words.len() as u32;
        self.sections[0].size = 4 * words.len() as u32;
    }

    /// Puts words in front of the function's end, where every way passes: `other` starts with them.
    pub fn with_code(words: &[u32]) -> Self {
        let mut program = Self::valid();
        program.set_code(&[&CODE[..4], words, &CODE[6..]].concat());
        program
    }

    /// The file.
    pub fn write(&self) -> Vec<u8> {
        let program_headers = 52;
        let mut body = Body { start: program_headers + 32 * self.segments.len() as u32, bytes: Vec::new() };
        let mut offsets = Vec::new();
        for segment in &self.segments {
            let shared = segment.shared_with.map(|other| offsets[other]);
            offsets.push(shared.unwrap_or_else(|| body.add(&segment.bytes)));
        }
        let sections =
            if self.with_sections { self.section_headers(&mut body, &offsets) } else { Vec::new() };
        let section_headers = if self.with_sections { body.add(&sections) } else { 0 };

        let mut file =
            vec![0x7f, b'E', b'L', b'F', self.class, self.byte_order, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let count = (sections.len() / 40) as u16;
        push16(&mut file, &[self.kind, self.machine]);
        push32(&mut file, &[1, self.entry, program_headers, section_headers, self.flags]);
        push16(&mut file, &[52, 32, self.segments.len() as u16, 40, count, count.saturating_sub(1)]);
        for (segment, offset) in self.segments.iter().zip(offsets) {
            let size = segment.bytes.len() as u32;
            let (kind, address) = (segment.kind, segment.address);
            push32(&mut file, &[kind, offset, address, address, size, segment.memory_size, segment.flags, 4]);
        }
        file.extend(body.bytes);
        file
    }

    /// The section headers, the null section first, the tables of symbols and names last.
    fn section_headers(&self, body: &mut Body, segments: &[u32]) -> Vec<u8> {
        let mut strings = vec![0];
        let mut symbols = vec![0; 16];
        for symbol in &self.symbols {
            push32(&mut symbols, &[add_name(&mut strings, symbol.name), symbol.address, symbol.size]);
            symbols.extend([0x10 | symbol.kind, 0, 0, 1]);
        }
        let mut names = vec![0];
        let mut headers = vec![0; 40];
        for section in &self.sections {
            let (offset, size) = match &section.place {
                Place::InSegment(segment, offset) => (segments[*segment] + offset, section.size),
                Place::Own(bytes) => (body.add(bytes), bytes.len() as u32),
            };
            let name = add_name(&mut names, section.name);
            push32(
                &mut headers,
                &[name, section.kind, section.flags, section.address, offset, size, 0, 0, 1, 0],
            );
        }
        let next = self.sections.len() as u32 + 1;
        let symbols_name = add_name(&mut names, ".symtab");
        let offset = body.add(&symbols);
        push32(&mut headers, &[symbols_name, 2, 0, 0, offset, symbols.len() as u32, next + 1, 1, 4, 16]);
        let strings_name = add_name(&mut names, ".strtab");
        let offset = body.add(&strings);
        push32(&mut headers, &[strings_name, 3, 0, 0, offset, strings.len() as u32, 0, 0, 1, 0]);
        let names_name = add_name(&mut names, ".shstrtab");
        let offset = body.add(&names);
        push32(&mut headers, &[names_name, 3, 0, 0, offset, names.len() as u32, 0, 0, 1, 0]);
        headers
    }
}

/// The bytes behind the program headers.
struct Body {
    start: u32,
    bytes: Vec<u8>,
}

impl Body {
    /// Adds bytes at the next word; gives their offset in the file.
    fn add(&mut self, bytes: &[u8]) -> u32 {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        let offset = self.start + self.bytes.len() as u32;
        self.bytes.extend(bytes);
        offset
    }
}

fn add_name(table: &mut Vec<u8>, name: &str) -> u32 {
    let offset = table.len() as u32;
    table.extend(name.bytes().chain([0]));
    offset
}

fn push16(file: &mut Vec<u8>, values: &[u16]) {
    file.extend(values.iter().flat_map(|value| value.to_be_bytes()));
}

fn push32(file: &mut Vec<u8>, values: &[u32]) {
    file.extend(values.iter().flat_map(|value| value.to_be_bytes()));
}
