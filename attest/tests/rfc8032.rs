//! Keys and signatures against the vectors of RFC 8032, section 7.1.

use opml_attest::{KeyError, PrivateKey, PublicKey, SIGNATURE_BYTES};

/// Secret key, public key, message, signature.
const VECTORS: [[&str; 4]; 4] = [
    [
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
    [
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ],
];

/// The order of the group, little-endian: a signature's second half is below it.
const ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

/// The 12 bytes that stand before a public key of ed25519 in DER (RFC 8410).
const PREFIX: &str = "302a300506032b6570032100";

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text).expect("the vector is hexadecimal")
}

fn private(text: &str) -> PrivateKey {
    PrivateKey::from_seed(&bytes(text).try_into().expect("32 bytes"))
}

fn public_pem(key: &[u8]) -> String {
    use base64::Engine;
    let der = [bytes(PREFIX), key.to_vec()].concat();
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
}

#[test]
fn the_vectors() {
    for [secret, public, message, signature] in VECTORS {
        let (key, message) = (private(secret), bytes(message));
        assert_eq!(hex::encode(key.public().to_bytes()), public);
        assert_eq!(hex::encode(key.sign(&message)), signature);
        let read = PublicKey::from_pem(&public_pem(&bytes(public))).expect("it is a key");
        assert_eq!(read, key.public());
        assert!(read.holds(&message, &bytes(signature)));
    }
}

#[test]
fn nothing_else_holds() {
    let [secret, _, message, signature] = VECTORS[2];
    let (key, message, signature) = (private(secret).public(), bytes(message), bytes(signature));
    for bit in 0..8 * SIGNATURE_BYTES {
        let mut damaged = signature.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(!key.holds(&message, &damaged), "bit {bit} of the signature");
    }
    assert!(!key.holds(b"", &signature), "another message");
    assert!(!private(VECTORS[0][0]).public().holds(&message, &signature), "another key");
    for length in [0, 32, 63, 65] {
        let mut other = signature.clone();
        other.resize(length, 0);
        assert!(!key.holds(&message, &other), "{length} bytes");
    }
    // The second half plus the order: the same number to arithmetic, another signature to whoever hashes it.
    let mut second = signature.clone();
    let mut carry = 0;
    for (byte, order) in second[32..].iter_mut().zip(bytes(ORDER)) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
    }
    assert!(!key.holds(&message, &second), "a second signature of the same");
}

/// The neutral element: with it as the key, a signature of it and of zero holds for every message.
#[test]
fn weak_keys_are_refused() {
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let read = PublicKey::from_pem(&public_pem(&neutral));
    assert!(matches!(read, Err(KeyError::Weak)), "{read:?}");
}
