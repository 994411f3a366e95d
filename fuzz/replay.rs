//! Replays a corpus for a reader that takes or refuses, in the crates' tests: `good-*` is read, `bad-*` is refused, and no damage to
//! either panics.

#[path = "corpus.rs"]
mod corpus;

/// Replays the corpus of `target` by `read`, which says whether it takes an input.
///
/// # Panics
/// If it takes what is bad, refuses what is good, or there is none of one kind.
pub fn replay(target: &str, read: impl Fn(&[u8]) -> bool) {
    let (mut good, mut bad) = (0, 0);
    for (name, data) in corpus::corpus(target, 2) {
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
    assert!(good > 0 && bad > 0, "{good} good, {bad} bad inputs of {target}");
}
