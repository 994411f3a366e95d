//! Keys and signatures that another implementation made: openssl, see `openssl/README.md`.

use opml_attest::{
    Envelope, EnvelopeError, KeyError, PAYLOAD_TYPE, PrivateKey, PublicKey, Signature, Statement, pae,
};

const PRIVATE: &str = include_str!("openssl/key.pem");
const PUBLIC: &str = include_str!("openssl/key.pub.pem");
const STATEMENT: &[u8] = include_bytes!("golden/statement.json");
const PAE: &[u8] = include_bytes!("openssl/statement.pae");
const SIGNATURE: &[u8] = include_bytes!("openssl/statement.sig");
/// `openssl pkey -pubin -in key.pub.pem -outform DER | sha256sum`
const ID: &str = include_str!("openssl/key.id");

#[test]
fn keys_are_read_and_written_as_openssl_does() {
    let key = PrivateKey::from_pem(PRIVATE).expect("it is a private key");
    assert_eq!(key.to_pem(), PRIVATE);
    assert_eq!(key.public().to_pem(), PUBLIC);
    assert_eq!(PublicKey::from_pem(PUBLIC).expect("it is a public key"), key.public());
    assert_eq!(key.public().id(), ID.trim());
    assert!(!format!("{key:?}").contains(PRIVATE.lines().nth(1).expect("the key's line")), "a key in a log");
}

#[test]
fn what_is_no_key_is_refused() {
    let private = |text: &str| PrivateKey::from_pem(text).expect_err("it is no private key");
    let public = |text: &str| PublicKey::from_pem(text).expect_err("it is no public key");
    let p256 = include_str!("openssl/p256.pem");
    let encrypted = PRIVATE.replace("PRIVATE", "ENCRYPTED PRIVATE");
    for text in ["", PUBLIC, p256, &encrypted, &PRIVATE[..60], &PRIVATE.replace('M', "*")] {
        assert!(matches!(private(text), KeyError::Private(_)), "{text}: {:?}", private(text));
    }
    for text in ["", PRIVATE, p256, &PUBLIC[..60]] {
        assert!(matches!(public(text), KeyError::Public(_)), "{text}: {:?}", public(text));
    }
}

/// ed25519 has one signature for a key and a message, so both implementations have to agree to the bit.
#[test]
fn signatures_are_those_of_openssl() {
    assert_eq!(pae(PAYLOAD_TYPE, STATEMENT), PAE);
    let key = PrivateKey::from_pem(PRIVATE).expect("it is a private key");
    let mut envelope = Envelope::new(STATEMENT.to_vec());
    envelope.sign(&key);
    assert_eq!(envelope.signatures, [Signature { key: ID.trim().to_owned(), bytes: SIGNATURE.to_vec() }]);
    let read = Envelope::parse(envelope.to_json().as_bytes()).expect("it is an envelope");
    let payload = read.verify(&key.public()).expect("openssl's signature holds");
    assert!(Statement::parse(payload, &["urn:example:build"]).is_ok());
}

/// The example of the specification, section "Test Vectors".
#[test]
fn the_encoding_is_that_of_the_specification() {
    // The address in parts: it is one of no host.
    let payload_type = ["http:", "//example.com/HelloWorld"].concat();
    let text = ["DSSEv1 29 http:", "//example.com/HelloWorld 11 hello world"].concat();
    assert_eq!(pae(&payload_type, b"hello world"), text.as_bytes());
    // Lengths are those of bytes, not of characters.
    assert_eq!(pae("ü", b""), "DSSEv1 2 ü 0 ".as_bytes());
    let envelope = serde_json::json!({
        "payload": "aGVsbG8gd29ybGQ=",
        "payloadType": payload_type,
        "signatures": [{"sig": "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="}],
    });
    let read = Envelope::parse(envelope.to_string().as_bytes()).expect("it is an envelope");
    assert_eq!(read.payload, b"hello world");
    assert_eq!((read.signatures[0].key.as_str(), read.signatures[0].bytes.len()), ("", 64));
    let key = PublicKey::from_pem(PUBLIC).expect("it is a public key");
    assert_eq!(read.verify(&key), Err(EnvelopeError::PayloadType { got: payload_type }));
}
