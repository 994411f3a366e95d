//! The command line as its users see it: exit codes, messages, and what goes where.
//!
//! | what it catches | test |
//! |---|---|
//! | a script that takes a refusal for a success, or cannot tell a bad model from a missing file | exit codes, all over |
//! | progress or a warning between the lines of JSON | `json_is_alone_on_standard_output` |
//! | a compiler run for nothing | `what_has_not_changed_is_not_compiled` |
//! | an input that the program would compute nonsense on | `inputs_that_do_not_fit_are_refused` |
//! | a failed command that leaves a folder behind | `a_refused_model_writes_nothing` |

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use common::{Ran, build, build_model, checkout, fixture, manifest, model, outputs, run, xtask};
use opml_toolchain::file;

fn xtask_with(args: &[&str]) -> Ran {
    run(xtask().args(args))
}

/// `mlp.onnx`, built once per process.
fn mlp() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli/mlp");
        build(&mut build_model(checkout(), &model("mlp.onnx"), &out));
        out
    })
}

fn text(path: &Path) -> &str {
    path.to_str().expect("paths of the tests are text")
}

#[test]
fn help_is_there_for_every_command() {
    let ran = xtask_with(&["--help"]);
    assert_eq!(ran.code, Some(0));
    let listed = ran.stdout.split("Commands:").nth(1).expect("the help lists the commands");
    let lines = listed.lines().skip(1).take_while(|line| !line.is_empty());
    // Deeper lines go on with a description.
    let names = lines.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
    let names: Vec<&str> = names.filter_map(|line| line.split(' ').next()).collect();
    for expected in ["build-model", "audit", "run", "doctor", "toolchain", "test", "bench"] {
        assert!(names.contains(&expected), "{expected} is not among {names:?}");
    }
    for name in names {
        let ran = xtask_with(&["help", name]);
        assert_eq!(ran.code, Some(0), "{name}: {}", ran.stderr);
        assert!(ran.stdout.contains("Usage: cargo xtask"), "{name}: {}", ran.stdout);
    }
}

#[test]
fn what_cannot_be_understood_is_told_apart_by_code_2() {
    xtask_with(&["bild-model"]).assert_fails(2, &["build-model"]);
    xtask_with(&["build-model"]).assert_fails(2, &["PROGRAM"]);
    xtask_with(&["build-model", "x.onnx", "--dim", "batch=0"])
        .assert_fails(2, &["positive number", "batch=1"]);
    xtask_with(&["build-model", "x.onnx", "--target", "cannon16"]).assert_fails(2, &["cannon32"]);
    xtask_with(&["run", "x", "--input", "x.npy", "--claim", "0x12"])
        .assert_fails(2, &["64 hexadecimal digits"]);
}

#[test]
fn programs_that_are_no_models_are_refused() {
    xtask_with(&["build-model", "nowhere/model.onnx"]).assert_fails(2, &["cannot read nowhere/model.onnx"]);
    let notes = fixture("requirements.txt");
    xtask_with(&["build-model", text(&notes)])
        .assert_fails(2, &["is no .onnx or .tflite file", "cargo xtask convert"]);
    let not_onnx = fixture("not_onnx.onnx");
    xtask_with(&["build-model", text(&not_onnx)]).assert_fails(1, &["this is not an ONNX model"]);
}

#[test]
fn all_unsupported_operators_are_named() {
    let path = fixture("unsupported.onnx");
    let names = ["NonMaxSuppression", "StringNormalizer", "com.example::Magic"];
    xtask_with(&["build-model", text(&path)]).assert_fails(1, &names);
}

#[test]
fn open_dimensions_are_named_with_their_flags() {
    let one = fixture("dynamic_batch.onnx");
    xtask_with(&["build-model", text(&one)]).assert_fails(1, &["--dim batch=1"]);
    let two = fixture("two_dynamic.onnx");
    xtask_with(&["build-model", text(&two)]).assert_fails(1, &["--dim batch=1", "--dim seq=1"]);
    let wrong = xtask_with(&["build-model", text(&one), "--dim", "Batch=1"]);
    wrong.assert_fails(1, &["no open dimension `Batch`", "batch"]);
}

#[test]
fn a_refused_model_writes_nothing() {
    let places = tempfile::tempdir().expect("there is room");
    let out = places.path().join("out");
    let path = fixture("unsupported.onnx");
    xtask_with(&["build-model", text(&path), "--out", text(&out)]).assert_fails(1, &["cannot be compiled"]);
    assert!(!out.exists());
}

#[test]
fn audit_judges_any_file() {
    let places = tempfile::tempdir().expect("there is room");
    let notes = places.path().join("notes.elf");
    fs::write(&notes, "not an ELF file\n").expect("the file can be written");
    xtask_with(&["audit", text(&notes)]).assert_fails(1, &["ELF"]);
    let program = fs::read(mlp().join(file::PROGRAM)).expect("the program was built");
    let cut = places.path().join("cut.elf");
    fs::write(&cut, &program[..program.len() / 2]).expect("the file can be written");
    xtask_with(&["audit", text(&cut)]).assert_fails(1, &["the file"]);
    xtask_with(&["audit", "nowhere.elf"]).assert_fails(2, &["cannot read nowhere.elf"]);

    let good = mlp().join(file::PROGRAM);
    let ran = xtask_with(&["audit", text(&good)]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("passes"), "{}", ran.stdout);
}

/// One instruction in the middle of the code becomes one that the contract has not.
#[test]
fn audit_says_what_is_wrong_and_where() {
    let places = tempfile::tempdir().expect("there is room");
    let mut program = fs::read(mlp().join(file::DEBUG)).expect("the program was built");
    // The text segment comes first in the file, and with it the entry.
    let at = 0x1000 + 0x40;
    program[at..at + 4].copy_from_slice(&0x0000_000d_u32.to_be_bytes());
    let path = places.path().join("break.elf");
    fs::write(&path, program).expect("the file can be written");
    let ran = xtask_with(&["audit", text(&path)]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    for word in ["0x00010040", "break"] {
        assert!(ran.stdout.contains(word), "no `{word}` in: {}", ran.stdout);
    }
    let ran = xtask_with(&["audit", text(&path), "--format", "json"]);
    assert_eq!((ran.code, ran.json()["passes"].as_bool()), (Some(1), Some(false)));
}

#[test]
fn json_is_alone_on_standard_output() {
    let built = run(&mut build_model(checkout(), &model("mlp.onnx"), &mlp().with_file_name("mlp json")));
    assert_eq!(built.code, Some(0), "{}", built.stderr);
    assert_eq!(built.json()["name"], "mlp");
    let elf = mlp().join(file::PROGRAM);
    let audited = xtask_with(&["audit", text(&elf), "--format", "json"]);
    assert_eq!((audited.code, audited.json()["passes"].as_bool()), (Some(0), Some(true)));
    let digit = model("digits/7_0002.png");
    let ran = xtask_with(&["run", text(mlp()), "--input", text(&digit), "--format", "json"]);
    assert_eq!(
        (ran.code, ran.json()["outputs"][0]["arg_max"].as_u64()),
        (Some(0), Some(7)),
        "{}",
        ran.stderr
    );
}

/// The manifest on standard output is the one that was written.
#[test]
fn build_model_prints_its_manifest() {
    let ran = run(&mut build_model(checkout(), &model("mlp.onnx"), mlp()));
    let written = fs::read_to_string(mlp().join(file::MANIFEST)).expect("the manifest was written");
    assert_eq!((ran.code, ran.stdout), (Some(0), written));
}

#[test]
fn what_has_not_changed_is_not_compiled() {
    let places = tempfile::tempdir().expect("there is room");
    let out = |name: &str| places.path().join(name);
    let copy = common::FreshCheckout::new();
    let original = model("mlp.onnx");
    assert!(build(&mut build_model(copy.root(), &original, &out("first"))), "a fresh checkout is compiled");
    assert!(!build(&mut build_model(copy.root(), &original, &out("second"))), "nothing has changed");
    assert!(outputs(&out("first")) == outputs(&out("second")));

    // One bit in the middle of the file, which is in the weights of the first layer.
    let mut bytes = fs::read(&original).expect("the model is there");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let changed = out("mlp.onnx");
    fs::write(&changed, bytes).expect("the file can be written");
    assert!(!build(&mut build_model(copy.root(), &changed, &out("third"))), "weights alone need no compiler");
    let (before, after) = (manifest(&outputs(&out("first"))), manifest(&outputs(&out("third"))));
    assert_ne!(before.memory_root, after.memory_root);
    assert_eq!(before.sizes, after.sizes);

    // The counter-check: a kernel that changed does need it.
    let kernels = copy.root().join("kernels/src/lib.rs");
    let source = fs::read_to_string(&kernels).expect("the copy has the kernels");
    fs::write(&kernels, source + "// one more line\n").expect("the copy can be changed");
    assert!(build(&mut build_model(copy.root(), &original, &out("fourth"))), "sources are looked at");
}

fn run_mlp(inputs: &[&Path]) -> Ran {
    let mut command: Command = xtask();
    command.arg("run").arg(mlp());
    inputs.iter().for_each(|input| {
        command.arg("--input").arg(input);
    });
    run(&mut command)
}

#[test]
fn run_names_the_digits() {
    for (digit, index) in [(0, 7), (1, 3), (4, 14), (9, 1)] {
        let ran = run_mlp(&[&model(&format!("digits/{digit}_{index:04}.png"))]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        assert!(ran.stdout.contains(&format!("largest: {digit} ")), "{}", ran.stdout);
    }
}

#[test]
fn run_ends_with_the_verdict_on_the_claim() {
    let digit = model("digits/3_0008.png");
    let run_with = |claim: &str| {
        xtask_with(&["run", text(mlp()), "--input", text(&digit), "--claim", claim, "--format", "json"])
    };
    let wrong = run_with(&format!("0x{}", "11".repeat(32)));
    assert_eq!((wrong.code, wrong.json()["exit_code"].as_u64()), (Some(1), Some(1)));
    let root = wrong.json()["output_root"].as_str().expect("a hash").to_owned();
    let right = run_with(&root);
    assert_eq!((right.code, right.json()["exit_code"].as_u64()), (Some(0), Some(0)));
}

/// An array of float32 as numpy writes it.
fn npy(shape: &str, descr: &str, bytes: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    header += &" ".repeat((64 - (header.len() + 11) % 64) % 64);
    header.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(bytes);
    file
}

#[test]
fn inputs_that_do_not_fit_are_refused() {
    let places = tempfile::tempdir().expect("there is room");
    let input = |name: &str, bytes: &[u8]| {
        let path = places.path().join(name);
        fs::write(&path, bytes).expect("the file can be written");
        path
    };
    let zeros = vec![0; 4 * 784];
    let mut nan = zeros.clone();
    nan[4 * 100..][..4].copy_from_slice(&f32::NAN.to_le_bytes());
    let good = input("good.npy", &npy("(1, 1, 28, 28)", "<f4", &zeros));
    assert_eq!(run_mlp(&[&good]).code, Some(0), "the cases below differ from a good file in one thing");
    let cases = [
        (input("shape.npy", &npy("(1, 1, 14, 56)", "<f4", &zeros)), ["[1, 1, 28, 28]", "[1, 1, 14, 56]"]),
        (input("dtype.npy", &npy("(1, 1, 28, 28)", "<i4", &zeros)), ["takes float32", "int32"]),
        (input("nan.npy", &npy("(1, 1, 28, 28)", "<f4", &nan)), ["element 100", "is NaN"]),
        (input("short.bin", &zeros[4..]), ["3136 bytes", "3132"]),
        (input("cut.npy", b"\x93NUMPY\x01\x00"), ["cut.npy", "this is not a readable .npy file"]),
        (input("digit.jpg", b"\xff\xd8"), ["`jpg` are not known", ".npy"]),
        (places.path().join("nowhere.npy"), ["nowhere.npy", "there is no such file"]),
    ];
    for (path, messages) in cases {
        run_mlp(&[&path]).assert_fails(2, &messages);
    }
    run_mlp(&[&good, &good]).assert_fails(2, &["takes 1 inputs (image); 2 were given"]);
}

#[test]
fn run_checks_the_folder() {
    let places = tempfile::tempdir().expect("there is room");
    let digit = model("digits/3_0008.png");
    let run_in = |dir: &Path| xtask_with(&["run", text(dir), "--input", text(&digit)]);
    run_in(&places.path().join("nowhere")).assert_fails(2, &["cannot read", file::MANIFEST]);
    for name in [file::MANIFEST, file::PRESTATE] {
        fs::copy(mlp().join(name), places.path().join(name)).expect("the file can be copied");
    }
    assert_eq!(run_in(places.path()).code, Some(0), "the manifest and the prestate are enough");
    // Nothing is watched then, as nothing says what of the memory is whose.

    let prestate = fs::read(mlp().join(file::PRESTATE)).expect("the prestate was written");
    fs::write(places.path().join(file::PRESTATE), &prestate[..prestate.len() / 2])
        .expect("the copy can be changed");
    run_in(places.path()).assert_fails(2, &["the state file ends inside", "it was cut short"]);
    fs::copy(mlp().join(file::PRESTATE), places.path().join(file::PRESTATE)).expect("the file can be copied");
    let mut other = manifest(&outputs(mlp()));
    other.prestate_hash.0[31] ^= 1;
    fs::write(places.path().join(file::MANIFEST), other.to_json()).expect("the copy can be changed");
    let expected = other.prestate_hash.to_string();
    run_in(places.path()).assert_fails(1, &[&expected, "a file of the folder was changed"]);
    fs::write(places.path().join(file::MANIFEST), "{}").expect("the copy can be changed");
    run_in(places.path()).assert_fails(2, &["is not the manifest of a build"]);
}

#[test]
fn run_gives_up_at_its_limit_of_steps() {
    let digit = model("digits/3_0008.png");
    let ran = xtask_with(&["run", text(mlp()), "--input", text(&digit), "--max-steps", "1000"]);
    ran.assert_fails(2, &["did not end within 1000 steps", "--max-steps"]);
}

/// What `--output` writes can be read back as an input, and holds what was printed.
#[test]
fn run_writes_its_outputs() {
    let places = tempfile::tempdir().expect("there is room");
    let (digit, out) = (model("digits/3_0008.png"), places.path().join("logits.npy"));
    let ran = xtask_with(&[
        "run",
        text(mlp()),
        "--input",
        text(&digit),
        "--output",
        text(&out),
        "--format",
        "json",
    ]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let values: Vec<f32> =
        serde_json::from_value(ran.json()["outputs"][0]["values"].clone()).expect("numbers");
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let written = fs::read(&out).expect("the file was written");
    assert_eq!(values.len(), 10);
    assert!(written.starts_with(b"\x93NUMPY") && written.ends_with(&bytes));
}
