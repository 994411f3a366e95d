//! Every file of a build, read again without the code that wrote it.
//!
//! | what it catches | test |
//! |---|---|
//! | a manifest that describes other files than those beside it | `the_manifest_names_the_files` |
//! | a wrong tree, witness or state hash | `the_root_follows_from_the_program_alone` |
//! | a prestate with other memory than the program's | `the_prestate_is_the_program` |
//! | sizes, plan and inputs that are not the program's | `the_figures_can_be_recomputed` |
//! | symbols of another link, or none | `the_symbols_are_in_the_image` |
//! | a path of the machine that built it | `no_file_names_this_machine` |
//! | stripping that loses what the audit looks at | `the_stripped_program_passes_the_audit` |

use std::path::PathBuf;

use object::{Object, ObjectSegment, SegmentFlags, elf};
use opml_state::cannon::{self, Metadata};
use opml_state::{Hash, Memory, State};
use opml_tests::program::{self, Program};
use opml_toolchain::audit::audit;
use opml_toolchain::elf::Elf;
use opml_toolchain::file;
use opml_toolchain::provision::cache::Cache;
use sha2::Sha256;
use sha3::{Digest, Keccak256};

const STACK_TOP: u32 = 0x7fff_d000;
const HEAP: u32 = 0x6000_0000;
const LEAF: usize = 32;
/// 2^32 bytes in leaves of 2^5.
const LEVELS: usize = 27;

fn programs() -> [&'static Program; 2] {
    let dir = env!("CARGO_TARGET_TMPDIR");
    [Program::mlp(dir), Program::cnn(dir)]
}

/// A segment of `program.elf` as the `object` crate reads it.
struct Segment {
    address: u32,
    size: u64,
    flags: elf::ProgramFlags,
    bytes: Vec<u8>,
}

fn segments(elf: &[u8]) -> (u32, Vec<Segment>) {
    let file = object::File::parse(elf).expect("program.elf is an ELF file");
    let segment = |segment: object::Segment<'_, '_>| {
        let SegmentFlags::Elf { p_flags, .. } = segment.flags() else {
            panic!("an ELF file has ELF segments")
        };
        let bytes = segment.data().expect("the segment is in the file").to_vec();
        Segment { address: segment.address() as u32, size: segment.size(), flags: p_flags, bytes }
    };
    (file.entry() as u32, file.segments().map(segment).collect())
}

/// The leaves of memory that are not zero, with their numbers, rising.
fn leaves(segments: &[Segment]) -> Vec<(u32, [u8; LEAF])> {
    let mut leaves = Vec::new();
    for segment in segments {
        assert_eq!(segment.address as usize % LEAF, 0, "no leaf has bytes of two segments");
        for (i, bytes) in segment.bytes.chunks(LEAF).enumerate() {
            let mut leaf = [0; LEAF];
            leaf[..bytes.len()].copy_from_slice(bytes);
            if leaf != [0; LEAF] {
                leaves.push((segment.address / LEAF as u32 + i as u32, leaf));
            }
        }
    }
    leaves.sort();
    leaves
}

fn node(left: [u8; 32], right: [u8; 32]) -> [u8; 32] {
    Keccak256::digest([left, right].concat()).into()
}

/// The root of the subtree of `height` levels that starts at leaf `first`, by the definition: a leaf is its
/// bytes, a node the hash of its children.
fn root(first: u64, height: usize, leaves: &[(u32, [u8; LEAF])], zeros: &[[u8; 32]]) -> [u8; 32] {
    match leaves {
        [] => zeros[height],
        [(_, leaf)] if height == 0 => *leaf,
        _ => {
            let middle = first + (1 << (height - 1));
            let (left, right) =
                leaves.split_at(leaves.partition_point(|&(number, _)| u64::from(number) < middle));
            node(root(first, height - 1, left, zeros), root(middle, height - 1, right, zeros))
        }
    }
}

fn memory_root(segments: &[Segment]) -> [u8; 32] {
    let mut zeros = vec![[0; 32]];
    for height in 0..LEVELS {
        zeros.push(node(zeros[height], zeros[height]));
    }
    root(0, LEVELS, &leaves(segments), &zeros)
}

/// `MIPS.sol`, `outputState`, for a state before the first step.
fn state_hash(memory_root: [u8; 32], entry: u32) -> [u8; 32] {
    let mut witness = memory_root.to_vec();
    witness.extend([0; 32 + 4]); // preimage key and offset
    for word in [entry, entry + 4, 0, 0, HEAP] {
        witness.extend(word.to_be_bytes());
    }
    witness.extend([0; 1 + 1 + 8]); // exit code, exited, step
    for register in 0..32 {
        witness.extend(if register == 29 { STACK_TOP } else { 0 }.to_be_bytes());
    }
    assert_eq!(witness.len(), 226);
    let mut hash: [u8; 32] = Keccak256::digest(witness).into();
    hash[0] = 3; // unfinished
    hash
}

#[test]
fn the_manifest_names_the_files() {
    for program in programs() {
        let manifest = &program.manifest;
        let named: Vec<&str> = manifest.sha256.keys().map(String::as_str).collect();
        assert_eq!(
            named,
            [file::META, file::PRESTATE, file::DEBUG, file::PROGRAM, file::SBOM],
            "sorted by name"
        );
        for (name, sha256) in &manifest.sha256 {
            assert_eq!(*sha256, hex::encode(Sha256::digest(program.file(name))), "{}: {name}", program.name);
        }
        let mut all: Vec<_> = std::fs::read_dir(&program.dir).expect("the folder is there").collect();
        all.retain(|entry| {
            entry.as_ref().is_ok_and(|e| !manifest.sha256.contains_key(&*e.file_name().to_string_lossy()))
        });
        assert_eq!(
            all.len(),
            2,
            "the folder holds the files, manifest, provenance and nothing else: {all:?}"
        );
        let model = manifest.model.as_ref().expect("the program was made from a model");
        assert_eq!(
            model.sha256,
            hex::encode(Sha256::digest(program::model_bytes(&format!("mnist/{}", program.name))))
        );
        assert_eq!((manifest.name.as_str(), manifest.target.as_str()), (program.name, "cannon32"));
    }
}

#[test]
fn the_root_follows_from_the_program_alone() {
    for program in programs() {
        let (entry, segments) = segments(&program.file(file::PROGRAM));
        let root = memory_root(&segments);
        assert_eq!(program.manifest.memory_root, Hash(root), "{}: memory root", program.name);
        assert_eq!(
            program.manifest.prestate_hash,
            Hash(state_hash(root, entry)),
            "{}: prestate",
            program.name
        );
    }
}

#[test]
fn the_prestate_is_the_program() {
    for program in programs() {
        let (entry, segments) = segments(&program.file(file::PROGRAM));
        let mut memory = Memory::new();
        for segment in &segments {
            memory.write(segment.address, &segment.bytes).expect("the image is in the address space");
        }
        let state = State::initial(entry, memory, HEAP, STACK_TOP).expect("there is room for the stack");
        assert_eq!(program.prestate, state, "{}: state", program.name);
        let mut bytes = Vec::new();
        cannon::write_state(&state, &mut bytes).expect("a vector can be written to");
        assert!(program.file(file::PRESTATE) == bytes, "{}: prestate.bin.gz", program.name);
    }
}

#[test]
fn the_figures_can_be_recomputed() {
    // Multiply-accumulates by hand: 784x20 + 20x10, and two convolutions and a dense layer.
    let by_hand = [784 * 20 + 20 * 10, 26 * 26 * 8 * 9 + 11 * 11 * 16 * 9 * 8 + 5 * 5 * 16 * 10];
    let inputs = [vec![1, 1, 28, 28], vec![1, 28, 28, 1]];
    for ((program, multiply_accumulates), shape) in programs().into_iter().zip(by_hand).zip(inputs) {
        let (manifest, sizes) = (&program.manifest, &program.manifest.sizes);
        let (_, segments) = segments(&program.file(file::PROGRAM));
        let bytes = |flags: elf::ProgramFlags| {
            segments.iter().filter(|s| s.flags == flags).map(|s| s.size).sum::<u64>()
        };
        assert_eq!(sizes.code, bytes(elf::PF_R | elf::PF_X), "{}: code", program.name);
        assert_eq!(sizes.constants, bytes(elf::PF_R), "{}: constants", program.name);
        assert_eq!(sizes.variables, bytes(elf::PF_R | elf::PF_W), "{}: variables", program.name);
        let mut pages: Vec<u32> = leaves(&segments).iter().map(|(leaf, _)| leaf / 128).collect();
        pages.dedup();
        assert_eq!(sizes.non_zero_pages, pages.len() as u64, "{}: pages", program.name);
        // Each array begins at a multiple of eight bytes.
        let lens = program.model.constants().into_iter().map(|c| 4 * c.words().len() as u64);
        let weights = lens.fold(0, |end: u64, len| end.next_multiple_of(8) + len);
        assert_eq!(sizes.weights, Some(weights), "{}: weights", program.name);
        assert!(weights <= sizes.constants, "{}: weights are constants", program.name);
        let plan = manifest.memory_plan.expect("a model has a plan");
        assert!(plan.arena <= sizes.variables && plan.lower_bound <= plan.arena, "{}: plan", program.name);
        let model = manifest.model.as_ref().expect("the program was made from a model");
        assert_eq!(model.multiply_accumulates, multiply_accumulates, "{}: work", program.name);
        let port = |p: &opml_toolchain::manifest::Port| (p.name.clone(), p.dtype.clone(), p.shape.clone());
        assert_eq!(
            manifest.inputs.iter().map(port).collect::<Vec<_>>(),
            [("image".into(), "float32".into(), shape)]
        );
        let logits = ("logits".into(), "float32".into(), vec![1, 10]);
        assert_eq!(manifest.outputs.iter().map(port).collect::<Vec<_>>(), [logits]);
        let lock = std::fs::read(opml_tests::checkout().join("toolchain/guest-toolchain.lock"))
            .expect("the lock is there");
        let identity = serde_json::to_string(&manifest.toolchain).expect("an identity is strings");
        assert_eq!(manifest.reference, identity.contains(&hex::encode(Sha256::digest(lock))), "{identity}");
    }
}

#[test]
fn the_symbols_are_in_the_image() {
    for program in programs() {
        let (entry, segments) = segments(&program.file(file::PROGRAM));
        let metadata = Metadata::from_json(&program.file(file::META)).expect("meta.json is Cannon's");
        let start_of = |name: &str| metadata.symbols.iter().find(|s| s.name == name).map(|s| s.start);
        assert_eq!(start_of("_start"), Some(entry), "{}: _start", program.name);
        let main = start_of("opml_main").expect("the program's main function is a symbol");
        let in_code = |s: &&Segment| {
            s.flags == elf::PF_R | elf::PF_X && (s.address..s.address + s.size as u32).contains(&main)
        };
        assert!(segments.iter().any(|s| in_code(&s)), "{}: opml_main is at {main:#x}", program.name);
        for symbol in &metadata.symbols {
            // A label may stand right behind the last byte.
            let (start, end) = (u64::from(symbol.start), u64::from(symbol.start) + u64::from(symbol.size));
            let holds = |s: &Segment| {
                u64::from(s.address) <= start && end <= u64::from(s.address) + s.size.next_multiple_of(4096)
            };
            assert!(segments.iter().any(holds), "{}: {symbol:?} is outside the image", program.name);
        }
    }
}

#[test]
fn no_file_names_this_machine() {
    let cache = Cache::new(program::provision_options().cache_dir.as_deref()).expect("there is a cache");
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let folders = [Some(opml_tests::checkout().to_owned()), Some(cache.root().to_owned()), home];
    // A home of `/` would be found everywhere.
    let folders = folders.into_iter().flatten().filter(|folder| folder.components().count() > 1);
    let folders: Vec<String> = folders.map(|folder| folder.display().to_string()).collect();
    for program in programs() {
        let names = [file::PROGRAM, file::DEBUG, file::META, file::MANIFEST, file::SBOM, file::PROVENANCE];
        for name in names {
            let bytes = program.file(name);
            let text = String::from_utf8_lossy(&bytes);
            for folder in &folders {
                assert!(!text.contains(folder.as_str()), "{}: {name} names {folder}", program.name);
            }
        }
        let (_, segments) = segments(&program.file(file::PROGRAM));
        for folder in &folders {
            let found = |s: &Segment| String::from_utf8_lossy(&s.bytes).contains(folder.as_str());
            assert!(!segments.iter().any(found), "{}: the image names {folder}", program.name);
        }
    }
}

#[test]
fn the_stripped_program_passes_the_audit() {
    for program in programs() {
        let stripped = Elf::parse(program.file(file::PROGRAM)).expect("program.elf is an ELF file");
        assert!(stripped.symbols().is_empty(), "{}: program.elf is stripped", program.name);
        let code = program.manifest.sizes.code as usize / 4;
        let verdict = audit(stripped, &program::target());
        let audited = verdict.unwrap_or_else(|failure| panic!("{}:\n{}", program.name, failure.text()));
        assert_eq!(audited.instructions(), code, "{}: every word of the code is judged", program.name);
    }
}
