//! Proof files: Cannon's JSON, and what a damaged one is refused for.

use opml_state::cannon::{OracleRead, PROOF_LEN, ProofError, StepProof};
use opml_state::{Hash, MemoryProof, MerkleTree, State, hash_witness, keccak256};

/// A proof of a step at 0x1000 that reads the preimage `b"hello"` from its third byte on.
fn sample() -> StepProof {
    let mut state = State { pc: 0x1000, next_pc: 0x1004, step: 77, preimage_offset: 2, ..State::default() };
    state.memory.write(0x1000, &[0, 0, 0, 0x0c]).unwrap();
    state.preimage_key = keccak256(b"hello");
    state.preimage_key.0[0] = 2;
    let tree = MerkleTree::new(&state.memory);
    let mut proof_data = [0; PROOF_LEN];
    let instruction = tree.proof(0x1000, state.memory.page(1));
    proof_data[..MemoryProof::LEN].copy_from_slice(&instruction.to_bytes());
    let value = [&5u64.to_be_bytes(), &b"hello"[..]].concat();
    let oracle = Some(OracleRead { key: state.preimage_key, value, offset: 2 });
    let state_data = state.witness();
    StepProof {
        step: 77,
        pre: hash_witness(&state_data),
        post: Hash([3; 32]),
        state_data,
        proof_data,
        oracle,
    }
}

#[test]
fn the_json_has_cannons_names() {
    let json: serde_json::Value = serde_json::from_slice(&sample().to_json()).unwrap();
    let keys: std::collections::BTreeSet<&str> = json.as_object().unwrap().keys().map(|k| &**k).collect();
    let names =
        ["oracle-key", "oracle-offset", "oracle-value", "post", "pre", "proof-data", "state-data", "step"];
    assert_eq!(keys, names.into());
    assert_eq!(json["oracle-value"], "0x000000000000000568656c6c6f");
    assert_eq!(json["post"].as_str().unwrap(), format!("0x{}", "03".repeat(32)));
    let plain = StepProof { oracle: None, ..sample() };
    let json = String::from_utf8(plain.to_json()).unwrap();
    assert!(!json.contains("oracle"), "what is not read is left out: {json}");
}

#[test]
fn a_written_proof_reads_back() {
    for oracle in [sample().oracle, None] {
        let proof = StepProof { oracle, ..sample() };
        assert_eq!(StepProof::from_json(&proof.to_json()).unwrap(), proof);
    }
}

/// What the check says about a proof, `""` if nothing.
fn complaint(proof: &StepProof) -> &'static str {
    match StepProof::from_json(&proof.to_json()) {
        Ok(_) => "",
        Err(ProofError::Inconsistent { what, .. }) => what,
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_flipped_byte_is_found_wherever_it_is() {
    for at in 0..sample().state_data.len() {
        let mut proof = sample();
        proof.state_data[at] ^= 1;
        assert_eq!(complaint(&proof), "state hash (pre)", "state data {at}");
    }
    for at in 0..MemoryProof::LEN {
        let mut proof = sample();
        proof.proof_data[at] ^= 1;
        assert_eq!(complaint(&proof), "memory of the instruction", "proof data {at}");
    }
    for at in 0..13 {
        let mut proof = sample();
        proof.oracle.as_mut().unwrap().value[at] ^= 1;
        let expected = if at < 8 { "length of the preimage" } else { "preimage" };
        assert_eq!(complaint(&proof), expected, "oracle value {at}");
    }
    for at in 0..32 {
        let (mut pre, mut key) = (sample(), sample());
        pre.pre.0[at] ^= 1;
        assert_eq!(complaint(&pre), "state hash (pre)", "pre {at}");
        key.oracle.as_mut().unwrap().key.0[at] ^= 1;
        assert_eq!(complaint(&key), "preimage key", "oracle key {at}");
    }
    assert_eq!(complaint(&StepProof { step: 78, ..sample() }), "step");
    let mut proof = sample();
    proof.oracle.as_mut().unwrap().offset = 3;
    assert_eq!(complaint(&proof), "preimage offset");
}

#[test]
fn other_json_is_refused() {
    let good = String::from_utf8(sample().to_json()).unwrap();
    let cases = [
        ("", "EOF while parsing"),
        ("{}", "missing field `step`"),
        (&good.replace("\"step\"", "\"stop\""), "unknown field `stop`"),
        (&good.replace("\"oracle-key\"", "\"oracle-kay\""), "unknown field `oracle-kay`"),
        (&good.replace("\"state-data\": \"0x", "\"state-data\": \"0xff"), "227 bytes are not its length"),
        (&good.replace("\"proof-data\": \"0x", "\"proof-data\": \""), "bytes begin with 0x"),
        (&good.replace("\"oracle-offset\": 2", "\"oracle-offset\": -2"), "invalid value"),
        (&good.replace("68656c6c6f", "68656c6c6"), "Odd number of digits"),
        (&good[..good.len() / 2], "EOF while parsing"),
    ];
    for (json, expected) in cases {
        match StepProof::from_json(json.as_bytes()) {
            Err(ProofError::Json(error)) => assert!(error.to_string().contains(expected), "{error}"),
            other => panic!("expected {expected}, got {other:?}"),
        }
    }
    let mut plain: serde_json::Value = serde_json::from_str(&good).unwrap();
    plain.as_object_mut().unwrap().remove("oracle-key");
    match StepProof::from_json(plain.to_string().as_bytes()) {
        Err(ProofError::Json(error)) => assert!(error.to_string().contains("come together"), "{error}"),
        other => panic!("{other:?}"),
    }
}
