//! `image`: a program that was built elsewhere gets what `build-model` gives to a model, or nothing.
//!
//! | what it catches | test |
//! |---|---|
//! | another root for the same program | `the_program_of_a_build_has_the_same_root` |
//! | a way around the audit | `what_does_not_pass_gets_no_root` |
//! | files of two programs in one folder | `no_file_of_another_program_is_left` |
//! | a manifest that claims what nobody knows | `the_manifest_leaves_out_what_is_not_known` |
//! | a program without tensors that cannot be run | `bytes_go_in_and_come_out` |
//! | an exception that nobody asked for, or that the manifest hides | `exceptions_are_asked_for_and_listed` |
//! | a folder let go while unfinished files are in it | `several_write_one_folder_in_turn` |

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use common::{Ran, build, build_model, checkout, manifest, model, outputs, run, xtask};
use opml_targets::Target;
use opml_toolchain::progress::Silent;
use opml_toolchain::{Checkout, GuestProgram, Options, Request, file, provision};
use sha2::{Digest, Sha256};

/// `mlp.onnx`, built once per process.
fn mlp() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("image/mlp");
        build(&mut build_model(checkout(), &model("mlp.onnx"), &out));
        out
    })
}

fn image(elf: &Path, out: &Path, more: &[&str]) -> Ran {
    run(xtask().arg("image").arg(elf).arg("--out").arg(out).args(more))
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(path).expect("the file was written")).expect("it is JSON")
}

#[test]
fn the_program_of_a_build_has_the_same_root() {
    let places = tempfile::tempdir().expect("there is room");
    let built = manifest(&outputs(mlp()));
    for name in [file::PROGRAM, file::DEBUG] {
        let out = places.path().join(name);
        let ran = image(&mlp().join(name), &out, &[]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let files = outputs(&out);
        let own = manifest(&files);
        assert_eq!((own.memory_root, own.prestate_hash), (built.memory_root, built.prestate_hash), "{name}");
        for hash in [own.memory_root, own.prestate_hash] {
            assert!(ran.stdout.contains(&hash.to_string()), "no {hash} in: {}", ran.stdout);
        }
        let before = outputs(mlp());
        assert!(files[file::PRESTATE] == before[file::PRESTATE], "{name}: another prestate");
        assert!(files[file::PROGRAM] == before[name], "{name}: the program is not the file that was given");
    }
    // The names of the functions come from the file that has them.
    let of_debug = outputs(&places.path().join(file::DEBUG));
    assert!(of_debug[file::META] == outputs(mlp())[file::META], "other symbols");
}

#[test]
fn exceptions_are_asked_for_and_listed() {
    let places = tempfile::tempdir().expect("there is room");
    let (path, out) = (places.path().join("traps.elf"), places.path().join("out"));
    let mut traps = fs::read(mlp().join(file::DEBUG)).expect("the program was built");
    traps[0x1040..0x1044].copy_from_slice(&0x0000_000d_u32.to_be_bytes());
    fs::write(&path, traps).expect("the file can be written");
    image(&path, &out, &["--patch", "go"])
        .assert_fails(1, &["runtime.gcenable", "GOARCH=mips", "docs/go.md"]);
    assert!(!out.exists(), "something was written");

    let ran = image(&path, &out, &["--allow-reverting"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("1 instruction"), "{}", ran.stdout);
    let own = manifest(&outputs(&out));
    let listed: Vec<_> = own.reverting.iter().map(|one| (&*one.address, &*one.instruction)).collect();
    assert_eq!(listed, [("0x00010040", "break")]);
    assert_eq!(own.rebuild, "cargo xtask image traps.elf --target cannon32 --name traps --allow-reverting");
    let statement = json(&out.join(file::PROVENANCE));
    assert_eq!(statement["predicate"]["buildDefinition"]["externalParameters"]["allowReverting"], true);
}

#[test]
fn the_manifest_leaves_out_what_is_not_known() {
    let places = tempfile::tempdir().expect("there is room");
    let out = places.path().join("out");
    let ran = image(&mlp().join(file::PROGRAM), &out, &["--name", "of-somebody", "--format", "json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(ran.json(), json(&out.join(file::MANIFEST)), "the manifest alone is printed");
    let keys: Vec<String> = ran.json().as_object().expect("an object").keys().cloned().collect();
    for absent in ["inputs", "outputs", "model", "toolchain", "memory_plan"] {
        assert!(!keys.contains(&absent.to_owned()), "{absent} is not known, and in {keys:?}");
    }
    let files = outputs(&out);
    let own = manifest(&files);
    assert!(!own.reference);
    assert_eq!(own.sizes.weights, None);
    assert_eq!(own.sizes.code, manifest(&outputs(mlp())).sizes.code);
    assert_eq!(own.rebuild, "cargo xtask image of-somebody.elf --target cannon32 --name of-somebody");
    let named: Vec<&str> = own.sha256.keys().map(String::as_str).collect();
    assert_eq!(named, [file::META, file::PRESTATE, file::PROGRAM, file::SBOM]);
    for (name, sha256) in &own.sha256 {
        assert_eq!(*sha256, hex::encode(Sha256::digest(&files[name])), "{name}");
    }
    assert_eq!(files.len(), 6, "the files, the manifest, the statement and nothing else");
}

/// The findings are those of `audit`, to the letter, and nothing is written.
#[test]
fn what_does_not_pass_gets_no_root() {
    let places = tempfile::tempdir().expect("there is room");
    let good = fs::read(mlp().join(file::DEBUG)).expect("the program was built");
    let mut broken = good.clone();
    // The text segment comes first in the file; `break` is an instruction that the contract has not.
    broken[0x1040..0x1044].copy_from_slice(&0x0000_000d_u32.to_be_bytes());
    let mut stray = good;
    // The last program header becomes a note: Cannon's loader would load its bytes, were they not those of the
    // constants; at another address they are.
    let header = 52 + 32 * 3;
    stray[header..header + 4].copy_from_slice(&4_u32.to_be_bytes());
    stray[header + 8..header + 12].copy_from_slice(&0x0100_0000_u32.to_be_bytes());
    for (name, bytes, rule) in [("break", broken, "instruction-reverts"), ("stray", stray, "stray-segment")] {
        let path = places.path().join(name);
        fs::write(&path, bytes).expect("the file can be written");
        for format in ["text", "json"] {
            let out = places.path().join("out");
            let ran = image(&path, &out, &["--format", format]);
            let audited = run(xtask().arg("audit").arg(&path).args(["--format", format]));
            assert_eq!((ran.code, &ran.stdout), (Some(1), &audited.stdout), "{name}: {}", ran.stderr);
            assert!(ran.stdout.contains(rule), "no {rule} in: {}", ran.stdout);
            assert!(!out.exists(), "{name}: something was written");
        }
    }
    let notes = places.path().join("notes.elf");
    fs::write(&notes, "not an ELF file\n").expect("the file can be written");
    image(&notes, &places.path().join("out"), &[]).assert_fails(1, &["ELF"]);
    image(&places.path().join("nowhere.elf"), &places.path().join("out"), &[])
        .assert_fails(2, &["cannot read", "nowhere.elf"]);
}

#[test]
fn no_file_of_another_program_is_left() {
    let places = tempfile::tempdir().expect("there is room");
    let out = places.path().join("out");
    fs::create_dir(&out).expect("the folder can be made");
    for (name, bytes) in outputs(mlp()) {
        fs::write(out.join(name), bytes).expect("the file can be copied");
    }
    let ran = image(&mlp().join(file::PROGRAM), &out, &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(!out.join(file::DEBUG).exists(), "the debug information of the other program is still there");
}

/// Of an output that is whole already each only removes what it wrote, and the next finds nothing unfinished.
#[test]
fn several_write_one_folder_in_turn() {
    let places = tempfile::tempdir().expect("there is room");
    let (out, program) = (places.path().join("out"), mlp().join(file::PROGRAM));
    let again = || {
        for _ in 0..10 {
            let ran = image(&program, &out, &[]);
            assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(again);
        }
    });
    assert_eq!(outputs(&out).len(), 6);
}

/// The folder of a build would lose its manifest, and perhaps the very file that was given.
#[test]
fn the_folder_of_the_source_is_left_alone() {
    let before = outputs(mlp());
    for name in [file::PROGRAM, file::DEBUG] {
        image(&mlp().join(name), mlp(), &[]).assert_fails(2, &["lies in the folder", "--out"]);
    }
    assert!(outputs(mlp()) == before, "files of the build were changed");
}

/// A guest that takes five bytes and gives them back reversed.
const REVERSE: &str = "\
#![no_std]

use opml_runtime::{Guest, Mips, OutputTensor, abi::DataType};

fn main(mut guest: Guest<Mips>) -> ! {
    let mut words = [0; 2];
    guest.open_input(20, 1).tensor(DataType::Uint8, [5], &mut words);
    let [a, b, c, d] = words[0].to_be_bytes();
    let [e, ..] = words[1].to_be_bytes();
    let words = [u32::from_be_bytes([e, d, c, b]), u32::from_be_bytes([a, 0, 0, 0])];
    guest.finish(&[OutputTensor { dtype: DataType::Uint8, shape: &[5], words: &words }])
}

opml_runtime::program!(main);
";

/// Builds [`REVERSE`], as somebody else might have, and gives its ELF file.
fn reverse(dir: &Path) -> PathBuf {
    common::require_toolchain();
    let program = GuestProgram::generated(REVERSE.to_owned(), Vec::new());
    let options = Options {
        provision: provision::Options::from_env().expect("OPML_TOOLCHAIN names a provider"),
        checkout: Checkout::new(checkout()).expect("this is a checkout"),
        out: dir.join("elsewhere"),
        work: None,
    };
    let target = Target::load("cannon32").expect("the target's own files are right");
    let built = opml_toolchain::build(Request::bare("reverse", program), &target, &options, &Silent)
        .unwrap_or_else(|error| panic!("{error}"));
    built.out.join(file::PROGRAM)
}

#[test]
fn bytes_go_in_and_come_out() {
    let places = tempfile::tempdir().expect("there is room");
    let dir = places.path().join("image");
    let made = image(&reverse(places.path()), &dir, &[]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let (input, output) = (places.path().join("input.dat"), places.path().join("output.dat"));
    fs::write(&input, "abcde").expect("the file can be written");
    let ran = run(xtask().arg("run").arg(&dir).arg("--input").arg(&input).arg("--output").arg(&output));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.starts_with("output 0 uint8 [5]\n 101 100 99 98 97\n"), "{}", ran.stdout);
    assert_eq!(fs::read(&output).expect("the output was written"), b"edcba");
    let ran = run(xtask().arg("run").arg(&dir).arg("--input").arg(&input).args(["--format", "json"]));
    assert_eq!(ran.json()["outputs"][0]["values"], serde_json::json!(b"edcba"));

    // What the program itself refuses: other bytes, and more of them.
    fs::write(&input, "abcdef").expect("the file can be written");
    run(xtask().arg("run").arg(&dir).arg("--input").arg(&input)).assert_fails(1, &["exit code 2"]);
    run(xtask().arg("run").arg(&dir).arg("--input").arg(&input).arg(&input))
        .assert_fails(1, &["exit code 2"]);
}
