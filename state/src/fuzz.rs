use crate::cannon::{Limits, Metadata, StepProof, read_state, write_state};

/// Feeds hostile bytes to the readers of [`crate::cannon`]; the fuzz target and the replay of its corpus
/// call it. A state that is accepted must survive being written and read again.
///
/// # Panics
/// If it does not: that is a bug.
pub fn fuzz_state_file(data: &[u8]) {
    // Few pages: a fuzzer needs many short runs, and the loop over pages is the same for every count.
    let limits = Limits { max_pages: 64 };
    if let Ok(state) = read_state(data, limits) {
        let mut file = Vec::new();
        write_state(&state, &mut file).expect("a vector takes any bytes");
        let again = read_state(file.as_slice(), limits).expect("what was written can be read");
        assert_eq!(again, state);
    }
    if let Ok(metadata) = Metadata::from_json(data) {
        let mut json = Vec::new();
        metadata.write_json(&mut json).expect("a vector takes any bytes");
        assert_eq!(Metadata::from_json(&json).expect("what was written can be read"), metadata);
    }
    if let Ok(proof) = StepProof::from_json(data) {
        let again = StepProof::from_json(&proof.to_json()).expect("what was written can be read");
        assert_eq!(again, proof);
    }
}
