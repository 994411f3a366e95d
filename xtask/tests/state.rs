//! `state`: what a state file holds, and what differs between two.
//!
//! | what it catches | test |
//! |---|---|
//! | a hash or a register that is not the state's | `a_prestate_is_shown` |
//! | a script that takes different states for equal ones | exit codes, all over |
//! | names of another program | `names_come_from_beside_or_from_where_they_are_given` |
//! | output without end | `lists_are_cut` |
//! | half a state taken for a whole one | `damaged_files_are_refused` |

mod common;

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use common::{Ran, build, build_model, checkout, manifest, model, outputs, run, xtask};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use opml_state::State;
use opml_state::cannon::{self, Limits};
use opml_toolchain::file;
use tempfile::TempDir;

/// `mlp.onnx`, built once per process.
fn mlp() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("state/mlp");
        build(&mut build_model(checkout(), &model("mlp.onnx"), &out));
        out
    })
}

fn prestate() -> PathBuf {
    mlp().join(file::PRESTATE)
}

fn state(files: &[&Path], more: &[&str]) -> Ran {
    run(xtask().arg("state").args(files).args(more))
}

/// A folder with the prestate as `change` leaves it, and nothing else.
fn changed(change: impl FnOnce(&mut State)) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("there is room");
    let path = dir.path().join("state.bin.gz");
    let mut state = cannon::load_state(&prestate(), Limits::default()).expect("the prestate is whole");
    change(&mut state);
    cannon::save_state(&state, &path).expect("the file can be written");
    (dir, path)
}

#[track_caller]
fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no `{part}` in: {text}");
    }
}

#[test]
fn a_prestate_is_shown() {
    let own = manifest(&outputs(mlp()));
    let ran = state(&[&prestate()], &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let (root, hash) = (own.memory_root.to_string(), own.prestate_hash.to_string());
    assert_has(
        &ran.stdout,
        &[&root, &hash, "unfinished", "0x00010000  _start", "$sp 0x7fffd000", "j 0x0001"],
    );
    assert_has(
        &ran.stdout,
        &["image", ".text .MIPS.abiflags .rodata", "stack", "0x7fff9000..0x7fffd000", "above stack"],
    );

    let json = state(&[&prestate()], &["--format", "json"]).json();
    assert_eq!((json["memory_root"].as_str(), json["state_hash"].as_str()), (Some(&*root), Some(&*hash)));
    assert_eq!(
        (json["registers"]["$sp"].as_str(), json["fields"]["step"].as_u64()),
        (Some("0x7fffd000"), Some(0))
    );
    assert_eq!(json["fields"]["next_pc"].as_str(), Some("0x00010004"));
    assert_eq!(json["non_zero_pages"].as_u64(), Some(own.sizes.non_zero_pages));
    let pages = |span: &serde_json::Value| span["pages"].as_u64().expect("a number");
    let spans = json["memory"].as_array().expect("a list");
    assert_eq!(spans.iter().map(pages).sum::<u64>(), json["pages"].as_u64().expect("a number"));
}

#[test]
fn equal_states_are_equal() {
    // Through another file: the states are compared, not the bytes that hold them.
    let (_dir, other) = changed(|_| {});
    let ran = state(&[&prestate(), &other], &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_has(&ran.stdout, &["the states are equal"]);
    assert_eq!(state(&[&prestate(), &other], &["--format", "json"]).json()["equal"], true);
}

#[test]
fn what_differs_is_named() {
    let (_dir, other) = changed(|state| {
        state.step = 7;
        state.pc = state.next_pc;
        state.registers[4] = 0xdead_beef;
        state.memory.write(0x1_0042, &[0xff; 3]).expect("the code is there");
        state.memory.write(0x6000_0010, &[1]).expect("the heap is there");
        state.memory.make_present(0x7000_0000, 1).expect("the heap is there");
    });
    let ran = state(&[&prestate(), &other], &[]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let lines: Vec<Vec<&str>> = ran.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    for expected in [
        &["step", "0", "7"][..],
        &["pc", "0x00010000", "_start", "0x00010004", "_start+0x4"],
        &["$a0", "0x00000000", "0xdeadbeef"],
        &["0x60000000", "only", "in", "B", "1", "0x60000010", "heap"],
        &["0x70000000", "only", "in", "B,", "zeros", "0", "-", "heap"],
    ] {
        assert!(lines.iter().any(|line| line == expected), "no {expected:?} in: {}", ran.stdout);
    }
    let page = lines.iter().find(|line| line[..2.min(line.len())] == ["0x00010000", "differs"]);
    let page = page.unwrap_or_else(|| panic!("the code's page is not named: {}", ran.stdout));
    assert_eq!(page[4..5], [".text"], "{page:?}");
    assert_has(&ran.stdout, &["in all: registers 1, other fields 2, pages 3, bytes 4"]);

    let json = state(&[&prestate(), &other], &["--format", "json"]).json();
    assert_eq!((json["equal"].as_bool(), json["left"]["step"].as_u64()), (Some(false), Some(0)));
    let fields = serde_json::json!([
        { "field": "step", "left": 0, "right": 7 },
        { "field": "pc", "left": "0x00010000", "right": "0x00010004" },
        { "field": "$a0", "left": "0x00000000", "right": "0xdeadbeef" },
    ]);
    assert_eq!(json["fields"], fields);
    assert_eq!(json["pages"][0]["section"], ".text");
    assert_eq!(json["pages"].as_array().map(Vec::len), Some(3));
}

/// A page of zeros and an unfinished hint are in the file and not in the hash.
#[test]
fn states_with_the_same_hash_can_differ() {
    let (_dir, other) = changed(|state| {
        state.memory.make_present(0x7000_0000, 1).expect("the heap is there");
        state.last_hint = b"half a hint".to_vec();
    });
    let ran = state(&[&prestate(), &other], &[]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert_has(&ran.stdout, &["the state hash is the same", "only in B, zeros", "last hint"]);
}

#[test]
fn lists_are_cut() {
    let (_dir, other) = changed(|state| {
        for page in 0..100 {
            state.memory.write(0x6000_0000 + 0x2000 * page, &[1]).expect("the heap is there");
        }
    });
    let count = |ran: &Ran, text: &str| ran.stdout.lines().filter(|line| line.contains(text)).count();
    let ran = state(&[&prestate(), &other], &[]);
    assert_eq!((ran.code, count(&ran, "only in B")), (Some(1), 32));
    assert_has(&ran.stdout, &["and 68 more pages", "--all"]);
    assert_eq!(count(&state(&[&prestate(), &other], &["--all"]), "only in B"), 100);
    let json = state(&[&prestate(), &other], &["--format", "json"]).json();
    assert_eq!((json["pages"].as_array().map(Vec::len), json["more_pages"].as_u64()), (Some(32), Some(68)));

    let ran = state(&[&other], &[]);
    assert_has(&ran.stdout, &["more runs of pages", "--all"]);
    // One line more: the field with this name.
    assert_eq!(count(&state(&[&other], &["--all"]), " heap "), 101);
}

#[test]
fn names_come_from_beside_or_from_where_they_are_given() {
    let (_dir, alone) = changed(|_| {});
    let shown = |more: &[&str]| state(&[&alone], more).stdout;
    assert!(!shown(&[]).contains("_start"), "nothing lies beside the state");
    let (elf, meta) = (mlp().join(file::DEBUG), mlp().join(file::META));
    let (elf, meta) = (elf.to_str().expect("a text"), meta.to_str().expect("a text"));
    assert_has(&shown(&["--elf", elf]), &["_start", ".rodata"]);
    let by_meta = shown(&["--meta", meta]);
    assert_has(&by_meta, &["0x00010000  _start", "_start … ", "OPML_WEIGHT_"]);
    assert!(!by_meta.contains(".rodata"), "a symbol file has no sections: {by_meta}");

    let (_dir, other) = changed(|state| state.memory.write(0x1_0042, &[0xff]).expect("the code is there"));
    let ran = state(&[&other], &["--elf", elf]);
    assert_eq!(ran.code, Some(0));
    assert_has(&ran.stderr, &["warning", "0x00010000", "another than in the ELF file"]);

    let (dir, _) = changed(|_| {});
    let notes = dir.path().join("notes");
    fs::write(&notes, "no program").expect("the file can be written");
    let notes = notes.to_str().expect("a text");
    state(&[&alone], &["--elf", notes]).assert_fails(2, &["cannot take names from", "notes", "ELF"]);
    state(&[&alone], &["--meta", notes]).assert_fails(2, &["cannot take names from", "notes", "meta.json"]);
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).expect("a vector can be written to");
    encoder.finish().expect("a vector can be written to")
}

#[test]
fn damaged_files_are_refused() {
    let dir = tempfile::tempdir().expect("there is room");
    let file = fs::read(prestate()).expect("the prestate was written");
    let mut content = Vec::new();
    GzDecoder::new(&*file).read_to_end(&mut content).expect("the prestate is whole");
    // Behind the version stands the number of pages.
    let mut more_pages = content.clone();
    more_pages[4] += 1;
    let mut fewer_pages = content.clone();
    fewer_pages[4] -= 1;
    let mut too_many = content.clone();
    too_many[1] = 0xff;
    let mut version = content.clone();
    version[0] = 8;
    let cases: [(&str, Vec<u8>, &str); 8] = [
        ("cut stream", file[..file.len() / 2].to_vec(), "the state file ends inside its pages"),
        ("cut content", gzip(&content[..content.len() - 1]), "the state file ends inside its last hint"),
        ("more pages", gzip(&more_pages), "the state file ends inside its pages"),
        ("fewer pages", gzip(&fewer_pages), "bytes follow the end of the state"),
        ("too many pages", gzip(&too_many), "pages, the limit is"),
        ("trailing bytes", [&file[..], &[0]].concat(), "bytes follow the end of the state"),
        ("another version", gzip(&version), "the state has version 8"),
        ("no gzip", br#"{"memory": [], "pc": "0x0"}"#.to_vec(), "is not an intact gzip stream"),
    ];
    for (name, bytes, message) in cases {
        let path = dir.path().join(name);
        fs::write(&path, bytes).expect("the file can be written");
        state(&[&path], &[]).assert_fails(2, &["cannot read the state", name, message]);
        // As the second of two, too: neither verdict can be given.
        state(&[&prestate(), &path], &[]).assert_fails(2, &["cannot read the state", name, message]);
    }
    state(&[&dir.path().join("nowhere")], &[]).assert_fails(2, &["cannot read", "nowhere"]);
    state(&[dir.path()], &[]).assert_fails(2, &["cannot read the state"]);
}
