//! State files: the layout byte by byte, and every way in which a file can be wrong.

use std::io::{Read, Write};

use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};
use opml_state::cannon::{Limits, MAX_HINT_LEN, ReadError, load_state, read_state, save_state, write_state};
use opml_state::{Hash, State};

const PAGE: usize = 4096;

fn sample() -> State {
    let mut state = State {
        preimage_key: Hash([0xa5; 32]),
        preimage_offset: 1,
        pc: 2,
        next_pc: 3,
        lo: 4,
        hi: 5,
        heap: 6,
        exit_code: 7,
        exited: true,
        step: 8,
        registers: std::array::from_fn(|i| 100 + i as u32),
        last_hint: b"hint".to_vec(),
        ..State::default()
    };
    state.memory.write(0x5000, &[9; PAGE]).unwrap();
    state.memory.make_present(0xffff_f000, 1).unwrap();
    state
}

/// The content of a state file, laid out by hand.
fn plain() -> Vec<u8> {
    let mut bytes = vec![0, 0, 0, 0, 2, 0, 0, 0, 5];
    bytes.extend([9; PAGE]);
    bytes.extend([0, 0x0f, 0xff, 0xff]);
    bytes.extend([0; PAGE]);
    bytes.extend([0xa5; 32]);
    bytes.extend([0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 6]);
    bytes.extend([7, 1, 0, 0, 0, 0, 0, 0, 0, 8]);
    (100..132).for_each(|register| bytes.extend([0, 0, 0, register]));
    bytes.extend([0, 0, 0, 4]);
    bytes.extend(b"hint");
    bytes
}

/// Where the number of pages, the first and the second page index, and the exited flag stand in [`plain`].
const PAGES_AT: usize = 1;
const FIRST_INDEX_AT: usize = 5;
const SECOND_INDEX_AT: usize = 9 + PAGE;
const EXITED_AT: usize = 13 + 2 * PAGE + 32 + 24 + 1;

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzBuilder::new().write(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn read(file: &[u8]) -> Result<State, ReadError> {
    read_state(file, Limits::default())
}

/// The error for [`plain`] with `bytes` in place of what stands at `at`.
fn with(at: usize, bytes: &[u8]) -> ReadError {
    let mut content = plain();
    content[at..at + bytes.len()].copy_from_slice(bytes);
    read(&gzip(&content)).unwrap_err()
}

#[test]
fn the_file_has_cannons_layout() {
    let mut file = Vec::new();
    write_state(&sample(), &mut file).unwrap();
    // Deflate, no flags, no time, fastest level, unknown operating system.
    assert_eq!(file[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 0xff]);
    let mut content = Vec::new();
    GzDecoder::new(file.as_slice()).read_to_end(&mut content).unwrap();
    assert_eq!(content, plain());
    assert_eq!(read(&file).unwrap(), sample());
}

#[test]
fn the_bytes_of_the_file_do_not_change() {
    // If a new version of the compressor changes them, every published state file changes with it: say so
    // in the change log, and pin the new hash.
    let mut file = Vec::new();
    write_state(&sample(), &mut file).unwrap();
    let pinned = "0x25bed06b53dabbf7706862ce5534499c08fe23fdd70ca93fecd818187b1d25b3";
    assert_eq!(opml_state::keccak256(&file).to_string(), pinned);
}

#[test]
fn saved_is_loaded_and_replaced_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("prestate.bin.gz");
    for state in [State::default(), sample()] {
        save_state(&state, &path).unwrap();
        assert_eq!(load_state(&path, Limits::default()).unwrap(), state);
    }
    let files = std::fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(files, 1, "no temporary file is left");
    let missing = load_state(&directory.path().join("none"), Limits::default()).unwrap_err();
    assert!(matches!(missing, ReadError::Io(_)), "{missing:?}");
}

#[test]
fn a_file_cut_anywhere_is_truncated() {
    let content = plain();
    let cuts = (0..content.len()).filter(|cut| *cut < 16 || *cut > content.len() - 220 || cut % 1000 == 0);
    for cut in cuts {
        let error = read(&gzip(&content[..cut])).unwrap_err();
        assert!(matches!(error, ReadError::Truncated { .. }), "{cut}: {error:?}");
    }
    let file = gzip(&content);
    for cut in 0..file.len() {
        let error = read(&file[..cut]).unwrap_err();
        assert!(matches!(error, ReadError::Truncated { .. }), "{cut} of the stream: {error:?}");
    }
}

#[test]
fn the_field_that_is_cut_is_named() {
    let cut = |len| match read(&gzip(&plain()[..len])).unwrap_err() {
        ReadError::Truncated { field } => field,
        other => panic!("{other:?}"),
    };
    assert_eq!(cut(0), "version");
    assert_eq!(cut(3), "number of pages");
    assert_eq!(cut(100), "pages");
    assert_eq!(cut(plain().len() - 1), "last hint");
}

#[test]
fn what_is_not_gzip_is_named() {
    for bytes in [&b"{\"memory\":[]}, json"[..], &plain()] {
        let error = read(bytes).unwrap_err();
        assert!(matches!(error, ReadError::Gzip(_)), "{error:?}");
    }
    let mut file = gzip(&plain());
    let checksum = file.len() - 8;
    file[checksum] ^= 1;
    let error = read(&file).unwrap_err();
    assert!(matches!(error, ReadError::Gzip(_)), "{error:?}");
}

#[test]
fn another_version_is_refused() {
    let error = with(0, &[8]);
    assert!(matches!(error, ReadError::Version { got: 8 }), "{error:?}");
    assert_eq!(error.to_string(), "the state has version 8, expected 0 (singlethreaded)");
}

#[test]
fn pages_are_checked() {
    let error = with(FIRST_INDEX_AT, &[0, 0x10, 0, 0]);
    assert!(matches!(error, ReadError::PageIndex { index: 0x10_0000 }), "{error:?}");
    let error = with(SECOND_INDEX_AT, &[0, 0, 0, 5]);
    assert!(matches!(error, ReadError::PageRepeated { index: 5 }), "{error:?}");
}

#[test]
fn pages_may_come_in_any_order() {
    // Cannon's own files have a new order each time.
    let mut content = plain();
    let (first, second) = (FIRST_INDEX_AT, SECOND_INDEX_AT);
    content[first..second + 4 + PAGE].rotate_left(4 + PAGE);
    assert_ne!(content, plain());
    assert_eq!(read(&gzip(&content)).unwrap(), sample());
}

#[test]
fn the_limit_of_pages_comes_before_any_page() {
    let error = with(PAGES_AT, &[0xff; 4]);
    assert!(matches!(error, ReadError::TooManyPages { got: u32::MAX, limit: 0x8_0000 }), "{error:?}");
    let file = gzip(&plain());
    let error = read_state(file.as_slice(), Limits { max_pages: 1 }).unwrap_err();
    assert!(matches!(error, ReadError::TooManyPages { got: 2, limit: 1 }), "{error:?}");
    assert!(read_state(file.as_slice(), Limits { max_pages: 2 }).is_ok());
}

#[test]
fn a_flag_is_zero_or_one() {
    let error = with(EXITED_AT, &[2]);
    assert!(matches!(error, ReadError::ExitedFlag { got: 2 }), "{error:?}");
}

#[test]
fn the_hint_is_bounded() {
    let at = plain().len() - 8;
    let error = with(at, &(MAX_HINT_LEN + 1).to_be_bytes());
    assert!(matches!(error, ReadError::HintTooLong { got } if got == MAX_HINT_LEN + 1), "{error:?}");
    let error = with(at, &MAX_HINT_LEN.to_be_bytes());
    assert!(matches!(error, ReadError::Truncated { field: "last hint" }), "{error:?}");
}

#[test]
fn nothing_may_follow() {
    let inside = [&plain()[..], &[0]].concat();
    let error = read(&gzip(&inside)).unwrap_err();
    assert!(matches!(error, ReadError::TrailingBytes), "{error:?}");
    let after = [&gzip(&plain())[..], &[0]].concat();
    let error = read(&after).unwrap_err();
    assert!(matches!(error, ReadError::TrailingBytes), "{error:?}");
    let second_member = [gzip(&plain()), gzip(&plain())].concat();
    let error = read(&second_member).unwrap_err();
    assert!(matches!(error, ReadError::TrailingBytes), "{error:?}");
}
