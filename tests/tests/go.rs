//! Programs of Go's own tools: built with the pinned Go, patched, and run.
//!
//! | what it catches | test |
//! |---|---|
//! | an example whose README does not work, or prints something else | `the_example_does_what_its_readme_says` |
//! | a build or a patch that depends on where it is made | `a_build_elsewhere_gives_the_same_program` |
//! | a Go program that passes without being asked for | `without_patches_it_is_refused_by_name` |
//! | a step of a Go program that the contract executes otherwise | `its_steps_hold_on_the_contract` |
//! | a service that is missing and does not say so | `what_is_missing_fails_and_the_rest_works` |

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use opml_abi::{DataType, Tensor, encode_blob};
use opml_onchain::conform::{Plan, conform, run_conform};
use opml_onchain::{Contract, artifacts};
use opml_state::{State, cannon};
use opml_tests::program::{self, provision_options};
use opml_tests::{SET_UP, checkout, guest};
use opml_toolchain::audit::{AuditOptions, Rule, audit, audit_with};
use opml_toolchain::elf::Elf;
use opml_toolchain::manifest::Manifest;
use opml_toolchain::patch::{PatchSet, patch};
use opml_toolchain::progress::Silent;
use opml_toolchain::provision::{Lock, Options, ensure_tools};
use opml_toolchain::{Adoption, adopt, file};
use opml_vm::{GuestHost, Prover, Stop, Vm};

/// The memory root of `examples/hello-go` as the pinned Go makes it, and the steps of its run with the input of its README.
const ROOT: &str = "0xfb4a9a9560382b5a7450fa3226dcaecf10551ec805aff6eac8ef9dad7438a8f7";
const STEPS: u64 = 448_222;

/// A program that was built, patched and written.
struct Program {
    elf: PathBuf,
    dir: PathBuf,
    manifest: Manifest,
    prestate: State,
}

impl Program {
    /// The program in the folder `source` of the checkout, in a folder `name` of its own.
    fn new(source: &str, name: &str) -> Self {
        let places = Path::new(env!("CARGO_TARGET_TMPDIR")).join("go").join(name);
        let copy = places.join("source");
        fs::create_dir_all(&copy).expect("the folder can be made");
        for file in ["go.mod", "main.go"] {
            fs::copy(checkout().join(source).join(file), copy.join(file)).expect("the source is there");
        }
        let elf = copy.join("hello-go.elf");
        go_build(&copy);
        let dir = places.join("out");
        let adoption = Adoption {
            name: "hello-go".into(),
            elf: Elf::parse(fs::read(&elf).expect("Go wrote it")).expect("it is an ELF file"),
            source: elf.clone(),
            patches: Some(PatchSet::Go),
            allow_reverting: false,
            rebuild: String::new(),
            out: dir.clone(),
            work: places.join("work"),
        };
        let adopted =
            adopt(adoption, &program::target(), &Silent).unwrap_or_else(|error| panic!("{error:?}"));
        let prestate = cannon::load_state(&dir.join(file::PRESTATE), cannon::Limits::default());
        Self { elf, dir, manifest: adopted.manifest, prestate: prestate.expect("it was written") }
    }

    /// The example, built once per process.
    fn example() -> &'static Self {
        static BUILT: OnceLock<Program> = OnceLock::new();
        BUILT.get_or_init(|| Self::new("examples/hello-go", "example"))
    }
}

fn readme() -> String {
    fs::read_to_string(checkout().join("examples/hello-go/README.md")).expect("the example has one")
}

/// Runs the command that the README has for it in `source`, with the pinned Go and nothing of this machine's.
fn go_build(source: &Path) {
    let lock = Lock::parse(include_str!("../test-tools.lock")).expect("the lock of the test tools is right");
    let options = Options { offline: true, ..provision_options() };
    let tools = ensure_tools(&lock, &options, &Silent).unwrap_or_else(|e| panic!("{e}\n{SET_UP}"));
    let go = &tools.paths["go"];
    let line = readme().lines().find(|line| line.contains(" go build ")).expect("it says how").to_owned();
    let words: Vec<&str> = line.split(' ').collect();
    let (settings, arguments) =
        words.split_at(words.iter().position(|&word| word == "go").expect("it is there"));
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("go/home");
    let mut command = Command::new(go);
    command.current_dir(source).args(&arguments[1..]).env_clear().env("HOME", &home);
    command.env("GOROOT", go.ancestors().nth(2).expect("it lies in `bin`")).env("GOPROXY", "off");
    command.envs(settings.iter().map(|setting| setting.split_once('=').expect("a setting has a value")));
    let output = command.output().expect("Go starts");
    assert!(output.status.success(), "{line}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// The input of the README, as `run` makes a blob of a file.
fn input() -> Vec<u8> {
    let data = b"some bytes".to_vec();
    encode_blob(&[Tensor { dtype: DataType::Uint8, shape: vec![data.len() as u32], data }])
}

/// Exit code, steps and output of a run.
fn run(prestate: &State) -> (u8, u64, String) {
    let mut host = GuestHost::new(guest::request(input()));
    let mut vm = Vm::from_state(prestate).expect("the VM starts");
    let stop = vm.run(&mut host, 1_000_000_000).unwrap_or_else(|error| panic!("{error}"));
    let Stop::Exited { code } = stop else { panic!("it did not end") };
    (code, vm.step_count(), String::from_utf8_lossy(host.stdout()).into_owned())
}

#[test]
fn the_example_does_what_its_readme_says() {
    let program = Program::example();
    let (code, steps, stdout) = run(&program.prestate);
    let expected = readme().lines().find(|line| line.starts_with("Hello")).expect("it says what").to_owned();
    assert_eq!((code, stdout.as_str()), (0, &*format!("{expected}\n")));
    assert_eq!((program.manifest.memory_root.to_string().as_str(), steps), (ROOT, STEPS));
    assert!(program.manifest.reverting.is_empty());
}

#[test]
fn a_build_elsewhere_gives_the_same_program() {
    let [here, there] = [Program::example(), &Program::new("examples/hello-go", "elsewhere")];
    assert!(fs::read(&here.elf).unwrap() == fs::read(&there.elf).unwrap(), "Go made another file");
    assert_eq!(here.manifest, there.manifest);
    let written = fs::read(here.dir.join(file::PROGRAM)).expect("it was written");
    assert_ne!(written, fs::read(&here.elf).unwrap(), "the patches are in the file");
    let again = patch(&Elf::parse(written).unwrap(), PatchSet::Go).expect("it is a Go program still");
    assert_eq!(again.patches.changes, [], "it is patched already");
    let options = AuditOptions { no_jump_tables: again.no_jump_tables, ..AuditOptions::default() };
    audit_with(again.elf, &program::target(), &options)
        .unwrap_or_else(|failure| panic!("{}", failure.text()));
}

#[test]
fn without_patches_it_is_refused_by_name() {
    let elf = Elf::parse(fs::read(&Program::example().elf).unwrap()).unwrap();
    let failure = audit(elf, &program::target()).expect_err("it has what the VM has not");
    let rules: Vec<_> = failure.violations.iter().map(|violation| violation.rule).collect();
    assert_eq!(rules, [Rule::UnexpectedFlags, Rule::AbiFlagsRegisters], "{}", failure.text());
}

#[test]
fn its_steps_hold_on_the_contract() {
    let program = Program::example();
    let found = artifacts::find(&provision_options()).unwrap_or_else(|e| panic!("{e}"));
    let mut contract = Contract::deploy(&found.expect(SET_UP)).unwrap_or_else(|e| panic!("{e}"));
    let mut prover = Prover::new(&program.prestate).expect("the VM starts");
    let mut host = GuestHost::new(guest::request(input()));
    let plan = Plan { steps: STEPS, first: 500, last: 500, random: 1000 };
    let shown = run_conform(&mut contract, &mut prover, &mut host, &plan).unwrap_or_else(|e| panic!("{e}"));
    assert!(shown.steps_compared > 1900 && shown.system_calls > 0, "{shown:?}");

    let elf = Elf::parse(fs::read(program.dir.join(file::PROGRAM)).unwrap()).unwrap();
    let code = elf.segments().iter().filter(|segment| segment.is_loaded() && segment.is_executable());
    let code: Vec<_> = code.map(|s| s.range().start as u32..s.range().end as u32).collect();
    let shown = conform(&mut contract, &program.prestate, &code).unwrap_or_else(|e| panic!("{e}"));
    let compared = |name| shown.encodings.iter().any(|kind| kind.mnemonic == name && kind.steps_compared > 0);
    assert!(["ll", "sc", "srav", "movz", "sync"].into_iter().all(compared), "{:?}", shown.encodings);
}

#[test]
fn what_is_missing_fails_and_the_rest_works() {
    let program = Program::new("tests/go/services", "services");
    let (code, _, stdout) = run(&program.prestate);
    let expected = "\
open: open /etc/passwd: function not implemented
folder: open .: function not implemented
process: fork/exec /bin/sh: function not implemented
input: 0 EOF
descriptor: write nine: bad file descriptor
arguments: 1 <nil> true
clock: 0 0s
processors: 1
goroutines: 5050
garbage: 67108864
atomics: 1099511627776 true 8
shifts: -4 -1 -1 -1 0
floats: 0.3333333333333333 0.2857143
panic: runtime error: integer divide by zero
";
    assert_eq!(stdout, expected);
    assert_eq!(code, 2, "it waits for what never comes");
}
