//! `program.elf` in an executor that shares no code with ours: unicorn-engine, with system calls written a
//! second time, after the guest ABI alone.
//!
//! | what it catches | how |
//! |---|---|
//! | an instruction that our VM computes wrongly | registers, hi, lo and all memory agree at the end |
//! | a fused or skipped step, a delay slot counted twice | the numbers of steps agree |
//! | a prestate that is not the ELF file | memory is filled from `program.elf`, by the `object` crate |
//! | a program that needs memory which is not in its image | only its segments and the stack are mapped |
//! | preimages or hints that our VM moves wrongly | the output blobs agree |

use std::collections::BTreeMap;

use object::{Object, ObjectSegment};
use opml_abi::{encode_blob, keccak256_key, local_key};
use opml_state::{PAGE_SIZE, State, keccak256};
use opml_tests::digits::Digits;
use opml_tests::guest;
use opml_tests::program::Program;
use opml_tests::unicorn::{Flow, Unicorn};
use opml_toolchain::file;

const PAGE: u32 = PAGE_SIZE as u32;
const STACK_TOP: u32 = 0x7fff_d000;
/// Far more than the guests use; an access below it is an error.
const STACK_SIZE: u32 = 1 << 20;
const LIMIT: u64 = 1_000_000_000;

/// The system calls of the guest ABI, as far as a guest without a heap needs them.
struct Oracle {
    preimages: BTreeMap<[u8; 32], Vec<u8>>,
    key: [u8; 32],
    offset: usize,
    hints: Vec<u8>,
    code: Option<u32>,
}

impl Oracle {
    fn new(input: Vec<u8>) -> Self {
        let root = keccak256(&input).0;
        let preimages =
            [(local_key(2), root.to_vec()), (local_key(3), vec![0; 32]), (keccak256_key(root), input)];
        Self { preimages: preimages.into(), key: [0; 32], offset: 0, hints: Vec::new(), code: None }
    }

    fn call(&mut self, machine: &Unicorn) -> Result<Flow, String> {
        let [number, descriptor, address, count] = [2, 4, 5, 6].map(|r| machine.register(r));
        let result = match (number, descriptor) {
            (4246, code) => {
                self.code = Some(code);
                return Ok(Flow::Exit);
            }
            (4003, 5) => self.read_preimage(machine, address, count)?,
            (4004, 4) => {
                self.hints.extend(machine.read(address, count as usize));
                count
            }
            (4004, 6) => self.write_key(machine, address, count),
            _ => return Err(format!("system call {number} on {descriptor} is not in the guest ABI")),
        };
        machine.set_register(2, result);
        machine.set_register(7, 0);
        Ok(Flow::Continue)
    }

    /// Bytes of the length and the preimage behind it, at most to the end of an aligned word.
    fn read_preimage(&mut self, machine: &Unicorn, address: u32, count: u32) -> Result<u32, String> {
        let preimage = self.preimages.get(&self.key).ok_or("a preimage that nobody has")?;
        let all = [&(preimage.len() as u64).to_be_bytes()[..], preimage].concat();
        let rest =
            all.get(self.offset..).filter(|rest| !rest.is_empty()).ok_or("a read behind the preimage")?;
        let len = rest.len().min(word_part(address, count));
        machine.write(address, &rest[..len]);
        self.offset += len;
        Ok(len as u32)
    }

    /// The key moves in from the right, at most to the end of an aligned word; reading starts over.
    fn write_key(&mut self, machine: &Unicorn, address: u32, count: u32) -> u32 {
        let len = word_part(address, count);
        self.key.rotate_left(len);
        self.key[32 - len..].copy_from_slice(&machine.read(address, len));
        self.offset = 0;
        len as u32
    }

    /// The payload of the only hint, behind the word that says it is the output.
    fn output(&self) -> &[u8] {
        let (len, payload) = self.hints.split_first_chunk::<4>().expect("a hint has a length");
        assert_eq!(u32::from_be_bytes(*len) as usize, payload.len(), "one hint, all of it");
        payload.strip_prefix(b"output ").expect("the hint is the output")
    }
}

/// How many of `count` bytes at `address` are in the aligned word there.
fn word_part(address: u32, count: u32) -> usize {
    count.min(4 - address % 4) as usize
}

/// Fills a machine from the ELF file. Gives the entry and the mapped ranges: first address and length.
fn load(elf: &[u8], machine: &Unicorn) -> (u32, Vec<(u32, u32)>) {
    let file = object::File::parse(elf).expect("program.elf is an ELF file");
    let mut mapped = vec![(STACK_TOP - STACK_SIZE, STACK_SIZE + PAGE)];
    let mut contents = Vec::new();
    for segment in file.segments().filter(|segment| segment.size() > 0) {
        let (address, size) = (segment.address() as u32, segment.size() as u32);
        assert_eq!(address % PAGE, 0, "segments start on pages");
        mapped.push((address, size.next_multiple_of(PAGE)));
        contents.push((address, segment.data().expect("the segment is in the file")));
    }
    mapped.iter().for_each(|&(address, len)| machine.map(address, len as usize));
    contents.into_iter().for_each(|(address, bytes)| machine.write(address, bytes));
    machine.set_register(29, STACK_TOP);
    (file.entry() as u32, mapped)
}

fn assert_same_memory(machine: &Unicorn, mapped: &[(u32, u32)], ours: &State) {
    let inside = |page: u32| mapped.iter().any(|&(start, len)| (start..start + len).contains(&(page * PAGE)));
    for (page, bytes) in ours.memory.pages() {
        assert!(
            inside(page) || bytes.iter().all(|&b| b == 0),
            "our VM wrote to page {page:#x}, outside the image"
        );
    }
    for &(start, len) in mapped {
        for (i, theirs) in machine.read(start, len as usize).chunks(PAGE_SIZE).enumerate() {
            let page = start / PAGE + i as u32;
            let same = ours.memory.page(page).map_or(theirs.iter().all(|&b| b == 0), |ours| ours == theirs);
            assert!(same, "page {page:#x} differs");
        }
    }
}

fn compare(program: &Program) {
    let input = Digits::load().tensor(0, program.input_shape());
    let ours = guest::run(&program.prestate, &input);
    let state = ours.vm.state();

    let machine = Unicorn::new();
    let (entry, mapped) = load(&program.file(file::PROGRAM), &machine);
    let mut oracle = Oracle::new(encode_blob(&[input]));
    let ran = machine.run(entry, LIMIT, &mut |machine| oracle.call(machine));
    let ran = ran.unwrap_or_else(|reason| panic!("{}: {reason}", program.name));

    assert_eq!(oracle.code, Some(u32::from(ours.code)), "exit code");
    assert_eq!(oracle.output(), ours.blob.expect("our VM got an output"), "output blob");
    assert_eq!(ran.steps, state.step, "steps");
    // The contract leaves the pc at the system call that ends the program.
    assert_eq!(ran.last, state.pc, "pc");
    let registers: Vec<u32> = (0..32).map(|number| machine.register(number)).collect();
    assert_eq!(registers, state.registers, "registers");
    assert_same_memory(&machine, &mapped, &state);
    assert_eq!(machine.hi_lo(), (state.hi, state.lo), "hi and lo");
}

#[test]
fn mlp_ends_in_the_same_state() {
    compare(Program::mlp(env!("CARGO_TARGET_TMPDIR")));
}

#[test]
fn cnn_ends_in_the_same_state() {
    compare(Program::cnn(env!("CARGO_TARGET_TMPDIR")));
}

/// `hi` and `lo` are read by numbers that another version of the library may have changed.
#[test]
fn both_halves_of_a_product_are_read() {
    let machine = Unicorn::new();
    machine.map(0x1_0000, 4096);
    // multu $4, $5; syscall
    machine.write(0x1_0000, &[0x00, 0x85, 0x00, 0x19, 0, 0, 0, 0x0c]);
    machine.set_register(4, 0x8000_0001);
    machine.set_register(5, 6);
    let ran = machine.run(0x1_0000, LIMIT, &mut |_| Ok(Flow::Exit)).expect("the program is right");
    assert_eq!((ran.steps, ran.last), (2, 0x1_0004));
    assert_eq!(machine.hi_lo(), (3, 6));
}

/// The comparison above is worth something only if the emulator refuses what is not mapped.
#[test]
fn a_program_that_leaves_its_image_is_noticed() {
    let machine = Unicorn::new();
    machine.map(0x1_0000, 4096);
    // lw $2, 0x6000($0); syscall
    machine.write(0x1_0000, &[0x8c, 0x02, 0x60, 0x00, 0, 0, 0, 0x0c]);
    let result = machine.run(0x1_0000, LIMIT, &mut |_| Ok(Flow::Exit));
    let reason = result.err().expect("0x6000 is not mapped");
    assert!(reason.contains("at 0x10000, step 1"), "{reason}");
}
