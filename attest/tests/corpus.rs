//! Replays the corpus of the fuzz target `envelope`.

#[path = "../../fuzz/replay.rs"]
mod replay;

use opml_attest::fuzz_envelope;

#[test]
fn envelopes() {
    replay::replay("envelope", |data| fuzz_envelope(data).is_ok());
}
