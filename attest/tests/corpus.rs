//! Replays the fuzz corpus: `good-*` is read, `bad-*` is refused, and no damage to either panics.

use std::fs;
use std::path::PathBuf;

use opml_attest::fuzz_envelope;

#[test]
fn envelopes() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/envelope");
    let mut paths: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let (mut good, mut bad) = (0, 0);
    for path in paths {
        let data = fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        match name.split_once('-') {
            Some(("good", _)) => good += 1,
            Some(("bad", _)) => bad += 1,
            _ => panic!("{name} is neither good- nor bad-"),
        }
        let read = fuzz_envelope(&data);
        assert_eq!(read.is_ok(), name.starts_with("good"), "{name}: {read:?}");
        for length in 0..data.len() {
            let _ = fuzz_envelope(&data[..length]);
        }
        for at in 0..data.len() {
            let mut damaged = data.clone();
            damaged[at] ^= 1 << (at % 8);
            let _ = fuzz_envelope(&damaged);
        }
    }
    assert!(good > 0 && bad > 0, "{good} good, {bad} bad in {}", folder.display());
}
