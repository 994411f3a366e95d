//! All example models end to end: what onnxruntime or TensorFlow Lite recorded, natively; one case in the VM, to the bit; their steps and roots.
//!
//! | what it catches | test |
//! |---|---|
//! | an operator that computes something else than ONNX says, in a network as people train them | `*_natively` |
//! | a kernel that differs between guest and host, a plan that overwrites a live tensor | `*_in_the_vm` |
//! | a change that costs steps without anybody deciding so | `steps_are_the_recorded_ones` |
//! | a kernel whose verdict hangs on the weights | `no_instruction_passes_*` |
//! | a root that changes without anybody deciding so, a model that ships unpinned | `roots_are_the_pinned_ones` |

use std::collections::BTreeMap;
use std::fs;

use opml_abi::{Tensor, decode_blob, encode_blob, exit};
use opml_isa::decode;
use opml_state::Hash;
use opml_targets::Verdict;
use opml_tests::examples::{ALL, Cases};
use opml_tests::guest;
use opml_tests::program::{self, Program};
use opml_toolchain::elf::Elf;
use opml_toolchain::file;
use opml_toolchain::roots::{self, Roots};
use serde::{Deserialize, Serialize};

fn program(path: &'static str) -> &'static Program {
    Program::example(path, env!("CARGO_TARGET_TMPDIR"))
}

/// Within `bound` of the largest of the expected numbers, by magnitude; integers are equal.
fn assert_near(what: &str, got: &Tensor, expected: &Tensor, bound: f32) {
    assert_eq!((got.dtype, &got.shape), (expected.dtype, &expected.shape), "{what}");
    let (Some(values), Some(expected)) = (got.to_f32(), expected.to_f32()) else {
        assert_eq!(got, expected, "{what}");
        return;
    };
    let largest = expected.iter().fold(0.0_f32, |max, value| max.max(value.abs()));
    for (index, (got, expected)) in values.iter().zip(&expected).enumerate() {
        let off = (got - expected).abs();
        assert!(off <= bound * largest, "{what}, element {index}: expected {expected}, got {got}");
    }
}

/// How far results may be from onnxruntime's, which rounds after each addition. Between bytes a rounding more or less is a whole step.
fn bound(path: &str) -> f32 {
    if path.ends_with("int8") { 0.05 } else { 1e-4 }
}

fn agrees_natively(path: &'static str) {
    let program = program(path);
    let cases = Cases::load(path, program);
    assert!(cases.count() >= 20, "{path}");
    for index in 0..cases.count() {
        let outputs = program.model.run(&cases.inputs(program, index)).expect("the inputs fit");
        let expected = cases.expected(program, index);
        assert_eq!(outputs.len(), expected.len(), "{path}");
        for (number, (got, expected)) in outputs.iter().zip(&expected).enumerate() {
            assert_near(&format!("{path}, case {index}, output {number}"), got, expected, bound(path));
        }
    }
}

/// Steps of the first case.
fn agrees_in_the_vm(path: &'static str) -> u64 {
    let program = program(path);
    let inputs = Cases::load(path, program).inputs(program, 0);
    let run = guest::run_blob(&program.prestate, encode_blob(&inputs), Hash::default());
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (exit::DIFFERENT, ""),
        "{path}: without a claim the guest ends with 1"
    );
    let blob = run.blob.as_deref().expect("the guest sent its output");
    let outputs = decode_blob(blob).expect("the guest sent a blob");
    // The bytes, not the numbers: -0 is not 0 here.
    assert_eq!(outputs, program.model.run(&inputs).expect("the inputs fit"), "{path}: VM and native twin");
    run.vm.step_count()
}

#[test]
fn examples_agree_with_the_reference_natively() {
    ALL.iter().for_each(|path| agrees_natively(path));
}

/// Steps of one inference, as `steps.toml` has them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pin {
    /// Index of the case in the test data.
    case: usize,
    /// Steps from the prestate to the exit, without a claim.
    steps: u64,
}

const PINS_COMMENT: &str = "\
# Steps of one inference on the VM, exactly: the number is part of what a build is, so a change is a decision.
# Written by `OPML_BLESS=1 cargo xtask test`.

";

/// The bound of the first milestone; the program this project is measured against takes 14,719,124.
const MLP_AT_MOST: u64 = 3_000_000;

#[test]
fn steps_in_the_vm_are_the_recorded_ones() {
    let path = opml_tests::checkout().join("tests/steps.toml");
    let measure =
        |path: &'static str| (program(path).name.to_owned(), Pin { case: 0, steps: agrees_in_the_vm(path) });
    let measured: BTreeMap<String, Pin> = ALL.map(measure).into();
    if std::env::var_os("OPML_BLESS").is_some() {
        let pins = toml::to_string(&measured).expect("tables of numbers");
        fs::write(&path, format!("{PINS_COMMENT}{pins}")).expect("the checkout can be written to");
    }
    let pinned = fs::read_to_string(&path).expect("tests/steps.toml is in the checkout");
    let pinned: BTreeMap<String, Pin> = toml::from_str(&pinned).expect("tests/steps.toml is a table of pins");
    assert_eq!(
        pinned, measured,
        "the steps (right) are not the recorded ones (left): if the change is meant, `OPML_BLESS=1 cargo xtask test` records it"
    );
    for name in ["mlp", "mlp500"] {
        assert!(measured[name].steps <= MLP_AT_MOST, "{name} takes {} steps", measured[name].steps);
    }
}

#[test]
fn roots_are_the_pinned_ones() {
    let path = opml_tests::checkout().join(roots::FILE);
    let text =
        fs::read_to_string(&path).expect("roots.toml is there: `cargo xtask roots --update` writes it");
    let pinned = Roots::parse(&text).expect("roots.toml is a list of roots");
    let built = Roots::of(ALL.map(|path| &program(path).manifest)).expect("reference builds");
    let comparison = pinned.compare(&built);
    assert!(
        comparison.is_as_pinned(),
        "the roots are not the pinned ones: if the change is meant, `cargo xtask roots --update` records it\n{:#?}",
        comparison.rows
    );
    // What is built here is what ships.
    let shipped = roots::shipped(opml_tests::checkout()).expect("the models can be listed");
    let names = shipped.iter().map(|path| path.file_stem().expect("a file has a name").to_string_lossy());
    let mut names: Vec<String> = names.map(Into::into).collect();
    names.sort();
    let built: Vec<_> = comparison.rows.iter().map(|row| row.model.clone()).collect();
    assert_eq!(names, built, "models/ and the builds of this test");
}

/// What passes the audit only by the instructions in front of it would fail with other weights: their words may look like ways in between.
#[test]
fn no_instruction_passes_only_by_what_stands_in_front_of_it() {
    let target = program::target();
    for path in ALL {
        let elf = Elf::parse(program(path).file(file::PROGRAM)).expect("it was built");
        let code = elf.segments().iter().filter(|segment| segment.is_loaded() && segment.is_executable());
        for word in code.flat_map(|segment| elf.segment_data(segment).as_chunks().0) {
            let mnemonic = decode(u32::from_be_bytes(*word)).mnemonic();
            let verdict = target.verdict(mnemonic);
            assert!(!matches!(verdict, Verdict::Conditional(..)), "{path}: {}", mnemonic.name());
        }
    }
}

/// Planned memory is hardly more than what is in use at once.
#[test]
fn activations_are_near_their_lower_bound() {
    for path in ALL {
        let plan = program(path).manifest.memory_plan.expect("a model has a plan");
        assert!(
            plan.arena * 10 <= plan.lower_bound * 11,
            "{path}: {} bytes for {}",
            plan.arena,
            plan.lower_bound
        );
    }
}
