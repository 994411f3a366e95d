//! The example models end to end: from the `.onnx` file to the digit that the guest names in the off-chain VM.
//!
//! | what it catches | test |
//! |---|---|
//! | a kernel that differs between guest and host, a plan that overwrites a live tensor | `agrees_*` |
//! | an import or a kernel that computes something else than ONNX says | `agrees_*`, against onnxruntime |
//! | a guest that confirms a wrong claim or refutes a right one | `claims_*` |
//! | a guest that computes on an input it should refuse | `malformed_*` |
//! | a changed root that nobody can explain | `a_changed_root_is_explained` |

use std::fs;

use opml_abi::{DataType, Tensor, encode_blob, exit};
use opml_state::Hash;
use opml_tests::digits::{self, Digits};
use opml_tests::guest;
use opml_tests::program::Program;
use opml_toolchain::compare::CauseKind;
use opml_toolchain::roots::{Roots, Verdict};

fn mlp() -> &'static Program {
    Program::mlp(env!("CARGO_TARGET_TMPDIR"))
}

fn mlp500() -> &'static Program {
    Program::mlp500(env!("CARGO_TARGET_TMPDIR"))
}

fn cnn() -> &'static Program {
    Program::cnn(env!("CARGO_TARGET_TMPDIR"))
}

/// All digits through the VM, natively, and as onnxruntime recorded them.
fn agrees(program: &Program) {
    let (digits, recorded) = (Digits::load(), digits::onnxruntime(program.name));
    assert!(digits.count() >= 100 && recorded.len() == digits.count());
    let (mut right_in_vm, mut right_natively) = (0, 0);
    for (index, expected) in recorded.iter().enumerate() {
        let input = digits.tensor(index, program.input_shape());
        let run = guest::run(&program.prestate, &input);
        assert_eq!(run.code, exit::DIFFERENT, "digit {index}: without a claim the guest ends with 1");
        let (got, native) = (run.output(), program.native(&input));
        // The bytes, not the numbers: -0 is not 0 here.
        assert_eq!(got, native, "digit {index}: VM and native twin");
        let (logits, native) = (got.to_f32().expect("float32"), native.to_f32().expect("float32"));
        assert_near(index, &logits, expected);
        right_in_vm += usize::from(digits::arg_max(&logits) == digits.label(index));
        right_natively += usize::from(digits::arg_max(&native) == digits.label(index));
    }
    assert_eq!(right_in_vm, right_natively, "accuracy in the VM and natively");
    assert_eq!(right_in_vm, digits::recorded_right(program.name), "accuracy in the VM and of onnxruntime");
}

/// Within 1e-4 of the largest logit. onnxruntime's own rounding forbids a bound relative to each element:
/// where large terms cancel it is off by more (models/mnist/README.md).
fn assert_near(index: usize, got: &[f32], expected: &[f32]) {
    assert_eq!(got.len(), expected.len(), "digit {index}");
    let largest = expected.iter().fold(0.0_f32, |max, logit| max.max(logit.abs()));
    for (class, (got, expected)) in got.iter().zip(expected).enumerate() {
        let off = (got - expected).abs();
        assert!(off <= 1e-4 * largest, "digit {index}, logit {class}: expected {expected}, got {got}");
    }
}

#[test]
fn agrees_mlp() {
    agrees(mlp());
}

#[test]
fn agrees_mlp500() {
    agrees(mlp500());
}

#[test]
fn agrees_cnn() {
    agrees(cnn());
}

/// The exit code is the verdict of the guest ABI.
fn claims(program: &Program) {
    let input = Digits::load().tensor(0, program.input_shape());
    let blob = encode_blob(&[input]);
    let run = |claim| guest::run_blob(&program.prestate, blob.clone(), claim);
    let without = run(Hash::default());
    let root = without.output_root();
    let mut wrong = root;
    wrong.0[31] ^= 1;
    assert_eq!(without.code, exit::DIFFERENT, "without a claim");
    assert_eq!(run(root).code, exit::EQUAL, "with the right claim");
    assert_eq!(run(wrong).code, exit::DIFFERENT, "with a claim that differs in its last bit");
    assert_eq!(run(wrong).blob, without.blob, "the claim does not reach the output");
}

#[test]
fn claims_mlp() {
    claims(mlp());
}

#[test]
fn claims_mlp500() {
    claims(mlp500());
}

#[test]
fn claims_cnn() {
    claims(cnn());
}

const NOT_THE_TENSORS: &str = "the input blob has not the tensors that the program takes\n";
const NOT_THE_TYPE: &str = "an input tensor has another dtype or shape than the program takes\n";

/// A guest that refuses its input says why and sends nothing.
fn malformed(program: &Program) {
    let good = Digits::load().tensor(0, program.input_shape());
    let blob = encode_blob(std::slice::from_ref(&good));
    let mut turned = good.clone();
    turned.shape.reverse();
    if turned.shape == good.shape {
        turned.shape.rotate_left(1);
    }
    let mut announced = blob.clone();
    announced[3] = 2;
    let one = |tensor: Tensor| encode_blob(&[tensor]);
    let cases = [
        ("nothing", Vec::new(), NOT_THE_TENSORS),
        ("no tensor", encode_blob(&[]), NOT_THE_TENSORS),
        ("cut short", blob[..blob.len() - 4].to_vec(), NOT_THE_TENSORS),
        ("too long", [&blob[..], &[0; 4]].concat(), NOT_THE_TENSORS),
        ("two tensors", encode_blob(&[good.clone(), good.clone()]), NOT_THE_TENSORS),
        ("two tensors announced", announced, NOT_THE_TENSORS),
        ("int32", one(Tensor { dtype: DataType::Int32, ..good.clone() }), NOT_THE_TYPE),
        ("another order of dimensions", one(turned), NOT_THE_TYPE),
    ];
    for (case, blob, message) in cases {
        let run = guest::run_blob(&program.prestate, blob, Hash::default());
        assert_eq!((run.code, run.stderr.as_str()), (exit::FAILED, message), "{}: {case}", program.name);
        assert_eq!(run.blob, None, "{}: {case}", program.name);
    }
}

#[test]
fn malformed_inputs_mlp() {
    malformed(mlp());
}

#[test]
fn malformed_inputs_cnn() {
    malformed(cnn());
}

/// The roots of the builds of these tests.
fn built_roots() -> Roots {
    Roots::of([mlp(), mlp500(), cnn()].map(|program| &program.manifest)).expect("reference builds")
}

/// What CI says of a change of the kernels whose pins were forgotten: the pins are those of yesterday, the sources too.
#[test]
fn a_changed_root_is_explained() {
    let built = built_roots();
    let kernels = mlp().manifest.sources.clone().expect("a build names its sources").guest;
    let (name, kernels) = kernels
        .iter()
        .find(|(name, _)| name.starts_with("opml-kernels "))
        .expect("guests have the kernels in them");
    let yesterday = built
        .to_text()
        .replace(&mlp().manifest.memory_root.to_string(), &Hash::default().to_string())
        .replace(&kernels.sha256, &"0".repeat(64));
    let comparison = Roots::parse(&yesterday).expect("only digits have changed").compare(&built);
    let differing: Vec<_> = comparison.rows.iter().filter(|row| row.verdict == Verdict::Differs).collect();
    let [row] = differing[..] else { panic!("{:#?}", comparison.rows) };
    assert_eq!(row.model, "mlp");
    let roots = row.pinned.zip(row.got).map(|(pinned, got)| (pinned.memory_root, got.memory_root));
    assert_eq!(roots, Some((Hash::default(), mlp().manifest.memory_root)));
    // The same tree may be that of the tool's crate: what is in the program is named first.
    let cause = row.causes.first().expect("there is a reason");
    assert_eq!((cause.kind, &cause.what), (CauseKind::CrateSource, name));
    assert_eq!((&cause.a, &cause.b), (&"0".repeat(64), &kernels.sha256));
}

/// The README shows one build and one run. What it shows is what this version gives, or a reader who compares would
/// think that something is wrong.
#[test]
fn the_readme_shows_this_version() {
    let readme = fs::read_to_string(opml_tests::checkout().join("README.md")).expect("there is a README");
    let program = mlp();
    // models/mnist/digits/7_0002.png is digit 2 of the test data.
    let run = guest::run(&program.prestate, &Digits::load().tensor(2, program.input_shape()));
    let steps = run.vm.step_count().to_string();
    let grouped = format!("{},{}", &steps[..steps.len() - 3], &steps[steps.len() - 3..]);
    let shown = [
        ("memory root", program.manifest.memory_root.to_string()),
        ("prestate hash", program.manifest.prestate_hash.to_string()),
        ("steps", grouped),
        ("output root", run.output_root().to_string()),
        ("state hash", run.vm.state().state_hash().to_string()),
    ];
    let missing: Vec<_> = shown.iter().filter(|(_, value)| !readme.contains(value.as_str())).collect();
    assert!(missing.is_empty(), "README.md shows other values than these: {missing:?}");
}
