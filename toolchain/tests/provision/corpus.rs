//! Replays the fuzz corpora: `good-*` is read, `bad-*` is refused, and no damage to either panics.

use std::fs;
use std::path::PathBuf;

use opml_toolchain::provision::{fuzz_archive, fuzz_deb, fuzz_lock};

fn replay(target: &str, read: impl Fn(&[u8]) -> bool) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    let (mut good, mut bad) = (0, 0);
    for path in names {
        let data = fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        match name.split_once('-') {
            Some(("good", _)) => good += 1,
            Some(("bad", _)) => bad += 1,
            _ => panic!("{name} is neither good- nor bad-"),
        }
        assert_eq!(read(&data), name.starts_with("good"), "{name}");
        // A bomb is cut off after 16 MiB; thousands of them would take minutes.
        if name == "bad-bomb" {
            continue;
        }
        for length in 0..data.len() {
            read(&data[..length]);
        }
        for at in 0..data.len() {
            let mut damaged = data.clone();
            damaged[at] ^= 1 << (at % 8);
            read(&damaged);
        }
    }
    assert!(good > 0 && bad > 0, "{good} good, {bad} bad in {}", folder.display());
}

#[test]
fn packages() {
    replay("deb", |data| fuzz_deb(data).is_ok());
}

#[test]
fn archives() {
    replay("archive", |data| fuzz_archive(data).is_ok());
}

#[test]
fn locks() {
    replay("lock", |data| fuzz_lock(data).is_ok());
}
