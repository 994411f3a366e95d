//! Roots, witnesses and hashes against numbers from a separate program: keccak256 and the tree written in
//! Python from FIPS 202 and the definition, checked there against the hash of the empty string.

use opml_state::{Hash, Memory, State, VmStatus};

fn hash(digits: &str) -> Hash {
    format!("0x{digits}").parse().unwrap()
}

/// Bytes at both ends of the address space, over a page border, in a leaf of their own, on the stack.
fn memory() -> Memory {
    let mut memory = Memory::new();
    let pieces: [(u32, &[u8]); 5] = [
        (0, b"opml"),
        (0x0fff, b"over"),
        (0x10020, b"a leaf of its own in some page.."),
        (0x7fff_d000, b"\x01"),
        (0xffff_fffc, b"last"),
    ];
    pieces.iter().for_each(|(address, bytes)| memory.write(*address, bytes).unwrap());
    memory
}

fn state(exit_code: u8, exited: bool) -> State {
    State {
        memory: memory(),
        preimage_key: Hash(std::array::from_fn(|i| i as u8)),
        preimage_offset: 0x0102_0304,
        pc: 0x1000,
        next_pc: 0x1004,
        lo: 0x0a0b_0c0d,
        hi: 0x1020_3040,
        heap: 0x2000_0000,
        exit_code,
        exited,
        step: 0x1122_3344_5566_7788,
        registers: std::array::from_fn(|i| (i as u32).wrapping_mul(0x0123_4567)),
        last_hint: b"not part of the witness".to_vec(),
    }
}

#[test]
fn memory_roots() {
    let zeros = hash("838c5655cb21c6cb83313b5a631175dff4963772cce9108188b34ac87c81c41e");
    assert_eq!(Memory::new().merkle_root(), zeros);
    let sample = hash("c800ae2cb3c5479f7d039bc91d6a6b5dd9e74e260f11413b7f8baa2b9beaecc8");
    assert_eq!(memory().merkle_root(), sample);
}

#[test]
fn state_hashes() {
    let cases = [
        (0, false, "03239ed4c4728fff77b0eb3b612c05c0206c1ed679b9e0bae09b1f03d6013b85"),
        (0, true, "00ce02fd5f0d8eb43ce5e61ed090d6c49a0ed218a4510c3abcd45a14b3916b58"),
        (1, true, "01784b656dfb82ac49eddfd4f836704ae6c41f909912005d978f35f07a24cf9e"),
        (7, true, "02139e090b0a682e6a18a2a22110519f2134cda863b1978edf32d21a2d0b4074"),
    ];
    for (exit_code, exited, expected) in cases {
        assert_eq!(state(exit_code, exited).state_hash(), hash(expected), "{exit_code} {exited}");
    }
    assert_eq!(state(7, true).status(), VmStatus::Panic);
    let empty = hash("036b03864faa27df84526e64ff3d36097baf1e840135d0090630d8d1e2ee7dbd");
    assert_eq!(State::default().state_hash(), empty);
}

#[test]
fn the_witness_has_its_fields_where_the_contract_looks() {
    let witness = state(7, true).witness();
    assert_eq!(witness[..32], memory().merkle_root().0);
    assert_eq!(witness[32..64], state(7, true).preimage_key.0);
    let words = "010203040000100000001004\
                 0a0b0c0d1020304020000000";
    assert_eq!(hex::encode(&witness[64..88]), words);
    assert_eq!(hex::encode(&witness[88..98]), "07011122334455667788");
    assert_eq!(hex::encode(&witness[98..106]), "0000000001234567");
    // 31 times 0x01234567.
    assert_eq!(hex::encode(&witness[222..]), "23456779");
}
