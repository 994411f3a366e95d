//! Against Cannon, the OP Stack's own tool: its files in `golden/cannon/`, and the tool itself where there is one.
//!
//! | what it catches | test |
//! |---|---|
//! | a state file that we read differently | `cannons_states_are_read_and_written_as_they_are` |
//! | another loader, memory root or state hash | `our_loader_gives_cannons_state_but_for_go` |
//! | a step that Cannon executes differently | `every_step_has_cannons_state_hash` |
//! | a proof that is not the one the challenger sends | `proofs_are_cannons_to_the_byte` |
//! | a reader that insists on what means nothing | `what_stands_for_no_data_does_not_matter` |
//! | a prestate or symbols that Cannon does not load | `the_tool_runs_a_built_model` |
//! | a model's image that Cannon would load differently | `the_tool_runs_a_built_model` |

use std::env;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::read::GzDecoder;
use opml_abi::encode_blob;
use opml_state::cannon::{Limits, Metadata, StepProof, Symbol, load_state, read_state, write_state};
use opml_state::{Memory, MemoryProof, PAGE_SIZE, State};
use opml_tests::digits::Digits;
use opml_tests::guest;
use opml_tests::program::{self, Program};
use opml_toolchain::audit::audit;
use opml_toolchain::elf::Elf;
use opml_toolchain::{file, image};
use opml_vm::{GuestHost, Prover, Stop};

/// The steps proven in `golden/cannon/`, by what they do.
const PROVEN: [(u64, &str); 12] = [
    (1, "nop in a delay slot"),
    (25, "lw"),
    (37, "swl"),
    (41, "bltz, taken"),
    (58, "mmap"),
    (60, "sw to a page that is not there"),
    (100, "write of a key"),
    (149, "read of a local value, from its length"),
    (154, "read of a local value, behind the first word"),
    (278, "read of a keccak256 preimage to an odd address"),
    (330, "write of half a hint"),
    (365, "exit_group"),
];

fn golden(name: &str) -> Vec<u8> {
    let path = opml_tests::checkout().join("tests/golden/cannon").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn golden_state(name: &str) -> State {
    read_state(&*golden(name), Limits::default()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn host() -> GuestHost {
    GuestHost::new(guest::request(golden("input.bin")))
}

fn unpacked(gzip: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    GzDecoder::new(gzip).read_to_end(&mut content).expect("a state file is a gzip stream");
    content
}

/// The content of a state file with its pages in rising order; Cannon's order is a new one each time.
fn sorted(mut content: Vec<u8>) -> Vec<u8> {
    const ENTRY: usize = 4 + PAGE_SIZE;
    let count = u32::from_be_bytes(content[1..5].try_into().expect("four bytes")) as usize;
    let pages = &mut content[5..5 + count * ENTRY];
    let mut entries: Vec<Vec<u8>> = pages.chunks(ENTRY).map(<[u8]>::to_vec).collect();
    entries.sort();
    pages.copy_from_slice(&entries.concat());
    content
}

#[test]
fn cannons_states_are_read_and_written_as_they_are() {
    for name in ["prestate.bin.gz", "half-hint.bin.gz", "final.bin.gz"] {
        let mut ours = Vec::new();
        write_state(&golden_state(name), &mut ours).expect("a vector can be written to");
        assert!(unpacked(&ours) == sorted(unpacked(&golden(name))), "{name}");
    }
    let prestate = golden_state("prestate.bin.gz");
    assert_eq!(prestate.witness().as_slice(), golden("witness.bin"));
    assert_eq!((prestate.step, prestate.exited), (0, false));
    // The length of the hint and two bytes of it.
    assert_eq!(golden_state("half-hint.bin.gz").last_hint, [0, 0, 0, 35, b'o', b'u']);
    let last = golden_state("final.bin.gz");
    assert_eq!((last.exited, last.exit_code, last.last_hint.len()), (true, 1, 0));
}

/// Bytes above the stack's top that Cannon's loader writes: a Go program's arguments and environment.
const ARGUMENTS: usize = 96;

fn without_arguments(state: &State) -> State {
    let mut state = state.clone();
    state.memory.write(state.registers[29], &[0; ARGUMENTS]).expect("the stack is in the address space");
    state
}

/// Pages that are not all zeros: which others are present does not reach the root.
fn content(memory: &Memory) -> Vec<(u32, Vec<u8>)> {
    let pages = memory.pages().filter(|(_, page)| page.iter().any(|&byte| byte != 0));
    pages.map(|(index, page)| (index, page.to_vec())).collect()
}

/// Cannon also lists what is nowhere: names of source files, and `_gp`.
fn is_in_the_image(symbol: &Symbol) -> bool {
    symbol.start != 0
}

#[test]
fn our_loader_gives_cannons_state_but_for_go() {
    let target = program::target();
    let elf = Elf::parse(golden("guest.elf")).expect("guest.elf is an ELF file");
    let audited = audit(elf, &target).unwrap_or_else(|failure| panic!("{}", failure.text()));
    let ours = image::initial_state(&audited, &target);
    let loaded = golden_state("prestate.bin.gz");
    let cannons = without_arguments(&loaded);
    assert_ne!(cannons.memory, loaded.memory, "Cannon writes arguments, and there is no option against it");

    assert_eq!(content(&ours.memory), content(&cannons.memory));
    assert_eq!(ours.memory.merkle_root(), cannons.memory.merkle_root());
    assert_eq!((ours.heap, cannons.heap), (0x6000_0000, 0x0500_0000), "a choice of each loader");
    let same_heap = State { heap: cannons.heap, ..ours.clone() };
    assert_eq!(same_heap.state_hash(), cannons.state_hash());
    // Cannon takes the page behind a range that ends with a page, too.
    let absent = cannons.memory.pages().filter(|&(index, _)| ours.memory.page(index).is_none());
    assert_eq!(absent.map(|(index, _)| index).collect::<Vec<_>>(), [0x7fffe]);

    let mut symbols = Metadata::from_json(&golden("meta.json")).expect("meta.json is Cannon's");
    symbols.symbols.retain(is_in_the_image);
    assert_eq!(image::metadata(&audited), symbols);
}

#[test]
fn every_step_has_cannons_state_hash() {
    let hashes = String::from_utf8(golden("hashes.txt")).expect("hashes are text");
    let mut prover = Prover::new(&golden_state("prestate.bin.gz")).expect("the VM starts");
    let mut host = host();
    for (step, cannons) in (0..).zip(hashes.lines()) {
        let proof = prover.step(&mut host).unwrap_or_else(|error| panic!("step {step}: {error}"));
        assert_eq!((proof.step, proof.post.to_string().as_str()), (step, cannons));
        if step == 330 {
            assert_eq!(prover.vm().state(), golden_state("half-hint.bin.gz"));
        }
    }
    assert_eq!(prover.vm().exit_code(), Some(1));
    assert_eq!(prover.vm().state(), golden_state("final.bin.gz"));
    assert_eq!(host.stdout(), b"golden\n");
    assert_eq!(host.output_blob(), Some(golden("input.bin").as_slice()));
}

#[test]
fn proofs_are_cannons_to_the_byte() {
    let mut prover = Prover::new(&golden_state("prestate.bin.gz")).expect("the VM starts");
    let mut host = host();
    for (step, what) in PROVEN {
        assert_eq!(prover.run_to(step, &mut host).expect("the guest runs"), Stop::Limit, "{what}");
        let ours = prover.step(&mut host).unwrap_or_else(|error| panic!("{what}: {error}"));
        let cannons = golden(&format!("proof-{step}.json"));
        assert_eq!(StepProof::from_json(&cannons).unwrap_or_else(|e| panic!("{what}: {e}")), ours, "{what}");
        // Cannon ends its JSON with an empty line.
        assert_eq!([&ours.to_json()[..], b"\n"].concat(), cannons, "{what}: the file");
    }
}

#[test]
fn what_stands_for_no_data_does_not_matter() {
    let [alone, of_all] = ["proof-41.json", "proof-41-of-all.json"]
        .map(|name| StepProof::from_json(&golden(name)).unwrap_or_else(|error| panic!("{name}: {error}")));
    assert_eq!(alone.proof_data[MemoryProof::LEN..], [0; MemoryProof::LEN]);
    assert_ne!(of_all.proof_data, alone.proof_data, "Cannon leaves the data of an earlier step there");
    assert_eq!(StepProof { proof_data: alone.proof_data, ..of_all }, alone);
}

/// The tool, if this machine has it.
fn tool() -> Option<PathBuf> {
    if let Some(path) = env::var_os("OPML_CANNON") {
        let path = PathBuf::from(path);
        assert!(path.is_file(), "OPML_CANNON is {}, which is not a file", path.display());
        return Some(path);
    }
    let folders = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&folders).map(|folder| folder.join("cannon")).find(|path| path.is_file())
}

/// Runs the tool in `dir` and gives what it printed.
fn cannon(tool: &Path, dir: &Path, arguments: &[&str]) -> String {
    let output = Command::new(tool).args(arguments).current_dir(dir).output().expect("the tool starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cannon {arguments:?}: {}\n{stderr}", output.status);
    String::from_utf8(output.stdout).expect("the tool prints text").trim().to_owned()
}

fn absolute(path: &Path) -> String {
    let path = path.canonicalize().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    path.into_os_string().into_string().expect("the path is UTF-8")
}

#[test]
fn the_tool_runs_a_built_model() {
    let Some(tool) = tool() else {
        // Past the capture of the test harness, so that it is seen when the test passes.
        let line = "the_tool_runs_a_built_model does not run: no `cannon` in PATH and no OPML_CANNON; \
                    docs/formats.md says which program is meant\n";
        io::stderr().write_all(line.as_bytes()).expect("standard error is open");
        return;
    };
    let tmp = env!("CARGO_TARGET_TMPDIR");
    let program = Program::mlp(tmp);
    let dir = Path::new(tmp).join("cannon");
    fs::create_dir_all(&dir).expect("the folder can be made");
    runs_as_ours(&tool, program, &dir);
    loads_as_ours(&tool, program, &dir);
}

/// A whole inference from our files, with a state and a proof on the way.
fn runs_as_ours(tool: &Path, program: &Program, dir: &Path) {
    let input = encode_blob(&[Digits::load().tensor(0, program.input_shape())]);
    fs::write(dir.join("input.bin"), &input).expect("the input can be written");
    let [prestate, meta] = [file::PRESTATE, file::META].map(|name| absolute(&program.dir.join(name)));
    let hash = cannon(tool, dir, &["witness", "--input", &prestate]);
    assert_eq!(hash, program.prestate.state_hash().to_string(), "the hash of the prestate");

    let mut arguments = vec!["run", "--input", &prestate, "--meta", &meta, "--output", "final.bin.gz"];
    arguments.extend(["--snapshot-at", "=10000", "--snapshot-fmt", "state-%d.bin.gz"]);
    arguments.extend(["--proof-at", "=10000", "--", env!("CARGO_BIN_EXE_preimage-server"), "input.bin"]);
    cannon(tool, dir, &arguments);

    let mut prover = Prover::new(&program.prestate).expect("the VM starts");
    let mut host = GuestHost::new(guest::request(input));
    let state = |name: &str| load_state(&dir.join(name), Limits::default()).expect("Cannon wrote a state");
    assert_eq!(prover.run_to(10_000, &mut host).expect("the guest runs"), Stop::Limit);
    assert_eq!(prover.vm().state(), state("state-10000.bin.gz"), "after 10,000 steps");
    let proof = prover.step(&mut host).expect("the step can be proven").to_json();
    let cannons = fs::read(dir.join("proof-10000.json")).expect("Cannon wrote a proof");
    assert_eq!(String::from_utf8([&proof[..], b"\n"].concat()), String::from_utf8(cannons));
    assert_eq!(prover.run_to(u64::MAX, &mut host).expect("the guest runs"), Stop::Exited { code: 1 });
    assert_eq!(prover.vm().state(), state("final.bin.gz"), "at the end");
}

/// The program with symbols in Cannon's own loader.
fn loads_as_ours(tool: &Path, program: &Program, dir: &Path) {
    let elf = absolute(&program.dir.join(file::DEBUG));
    let out = ["--out", "loaded.bin.gz", "--meta", "loaded.json"];
    cannon(tool, dir, &[&["load-elf", "--type", "singlethreaded", "--path", &elf][..], &out].concat());
    let loaded = load_state(&dir.join("loaded.bin.gz"), Limits::default()).expect("Cannon wrote a state");
    let cannons = State { heap: program.prestate.heap, ..without_arguments(&loaded) };
    assert_eq!(cannons.state_hash(), program.prestate.state_hash());

    // Without the names: Cannon keeps Rust's as they are mangled. Symbols of one address are in any order.
    let places = |json: &[u8]| {
        let mut symbols = Metadata::from_json(json).expect("the symbols are sorted").symbols;
        symbols.retain(is_in_the_image);
        let mut places: Vec<_> = symbols.iter().map(|symbol| (symbol.start, symbol.size)).collect();
        places.sort_unstable();
        places
    };
    let theirs = fs::read(dir.join("loaded.json")).expect("Cannon wrote symbols");
    assert_eq!(places(&program.file(file::META)), places(&theirs));
}
