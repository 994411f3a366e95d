//! Envelopes of strangers: each thing that may be wrong has its own error.

use opml_attest::{
    Envelope, EnvelopeError, JsonError, MAX_ENVELOPE, MAX_SIGNATURES, PAYLOAD_TYPE, PrivateKey, Signature,
};
use serde_json::{Value, json};

const PAYLOAD: &[u8] = b"{\"a\": \"\xc3\xbb\xc3\xbf\"}";

fn key(seed: u8) -> PrivateKey {
    PrivateKey::from_seed(&[seed; 32])
}

fn signed() -> Envelope {
    let mut envelope = Envelope::new(PAYLOAD.to_vec());
    envelope.sign(&key(7));
    envelope
}

/// The signed envelope as a JSON value, with `change` made to it.
fn changed(change: impl Fn(&mut Value)) -> Vec<u8> {
    let mut value = serde_json::from_str(&signed().to_json()).expect("an envelope is JSON");
    change(&mut value);
    value.to_string().into_bytes()
}

fn parse(text: &[u8]) -> Result<Envelope, EnvelopeError> {
    Envelope::parse(text)
}

#[test]
fn what_means_the_same_is_read_the_same() {
    let envelope = signed();
    assert_eq!(parse(envelope.to_json().as_bytes()), Ok(envelope.clone()));
    let other_alphabet =
        |text: &mut Value| *text = json!(text.as_str().expect("a text").replace('+', "-").replace('/', "_"));
    let no_padding = |text: &mut Value| *text = json!(text.as_str().expect("a text").trim_end_matches('='));
    let url_safe = changed(|v| {
        other_alphabet(&mut v["payload"]);
        other_alphabet(&mut v["signatures"][0]["sig"]);
    });
    let text = String::from_utf8_lossy(&url_safe).into_owned();
    assert!(text.contains('_') || text.contains("-"), "neither alphabet shows in {text}");
    assert_eq!(parse(&url_safe), Ok(envelope.clone()));
    assert_eq!(parse(&changed(|v| no_padding(&mut v["signatures"][0]["sig"]))), Ok(envelope.clone()));
    assert_eq!(parse(&changed(|v| v["later"] = json!({"a": [1]}))), Ok(envelope));
}

#[test]
fn the_name_of_a_key_is_only_a_hint() {
    for hint in [json!(null), json!(""), json!("somebody"), json!(key(8).public().id())] {
        let text = changed(|v| v["signatures"][0]["keyid"] = hint.clone());
        let envelope = parse(&text).expect("it is an envelope");
        assert_eq!(envelope.verify(&key(7).public()), Ok(PAYLOAD), "{hint}");
        assert!(envelope.verify(&key(8).public()).is_err(), "{hint}: the name was believed");
    }
}

#[test]
fn several_may_sign() {
    let mut envelope = signed();
    // A signature of something else than ed25519 is not looked at.
    envelope.signatures.insert(0, Signature { key: "p256".to_owned(), bytes: vec![1; 71] });
    envelope.sign(&key(8));
    let read = parse(envelope.to_json().as_bytes()).expect("it is an envelope");
    assert_eq!(read.signatures.len(), 3);
    for seed in [7, 8] {
        assert_eq!(read.verify(&key(seed).public()), Ok(PAYLOAD));
    }
    let mut again = read.clone();
    again.sign(&key(7));
    assert_eq!(again, read, "who signs twice has one signature");
    let (mut first, mut second) = (Envelope::new(PAYLOAD.to_vec()), Envelope::new(PAYLOAD.to_vec()));
    [7, 8].into_iter().for_each(|seed| first.sign(&key(seed)));
    [8, 7].into_iter().for_each(|seed| second.sign(&key(seed)));
    assert_eq!(first.to_json(), second.to_json(), "who signed first shows");
}

#[test]
fn what_was_changed_does_not_hold() {
    let owner = key(7).public();
    let broken = || Err(EnvelopeError::Broken { key: owner.id() });
    for bit in 0..8 * PAYLOAD.len() {
        let mut envelope = signed();
        envelope.payload[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(envelope.verify(&owner), broken(), "bit {bit} of the payload");
    }
    for bit in 0..512 {
        let mut envelope = signed();
        envelope.signatures[0].bytes[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(envelope.verify(&owner), broken(), "bit {bit} of the signature");
    }
    let mut longer = signed();
    longer.payload.push(b'\n');
    assert_eq!(longer.verify(&owner), broken());
    // Signed as something else, and then given the type that is wanted.
    let mut swapped =
        Envelope { payload_type: "application/json".to_owned(), ..Envelope::new(PAYLOAD.to_vec()) };
    swapped.sign(&key(7));
    assert_eq!(
        swapped.verify(&owner),
        Err(EnvelopeError::PayloadType { got: "application/json".to_owned() })
    );
    swapped.payload_type = PAYLOAD_TYPE.to_owned();
    assert_eq!(swapped.verify(&owner), broken());
}

#[test]
fn the_given_key_has_to_have_signed() {
    let other = key(8).public();
    let named = vec![key(7).public().id()];
    assert_eq!(
        signed().verify(&other),
        Err(EnvelopeError::OtherKey { key: other.id(), signatures: 1, named })
    );
    assert_eq!(Envelope::new(PAYLOAD.to_vec()).verify(&other), Err(EnvelopeError::Unsigned));
    let unsigned = parse(&changed(|v| v["signatures"] = json!([]))).expect("it is an envelope");
    assert_eq!(unsigned.verify(&key(7).public()), Err(EnvelopeError::Unsigned));
}

#[test]
fn no_envelope_is_refused() {
    let json_error = |text: &[u8]| match parse(text) {
        Err(EnvelopeError::Json(error)) => error,
        other => panic!("{}: {other:?}", String::from_utf8_lossy(text)),
    };
    let whole = signed().to_json();
    for length in 0..whole.trim_end().len() {
        let error = json_error(&whole.as_bytes()[..length]);
        assert!(matches!(error, JsonError::Syntax(_)), "{length} bytes: {error:?}");
    }
    for text in
        [b"\xff".to_vec(), format!("{whole} {{}}").into_bytes(), "[".repeat(MAX_ENVELOPE).into_bytes()]
    {
        assert!(matches!(json_error(&text), JsonError::Syntax(_)));
    }
    let huge = vec![b' '; MAX_ENVELOPE + 1];
    assert_eq!(json_error(&huge), JsonError::TooLong { got: huge.len(), most: MAX_ENVELOPE });
    for field in ["payload", "payloadType", "signatures"] {
        let text = changed(|v| drop(v.as_object_mut().expect("an object").remove(field)));
        assert!(matches!(json_error(&text), JsonError::Shape(message) if message.contains(field)), "{field}");
        assert!(matches!(json_error(&changed(|v| v[field] = json!(1))), JsonError::Shape(_)), "{field}");
    }
    let many = changed(|v| v["signatures"] = json!(vec![json!({"sig": ""}); MAX_SIGNATURES + 1]));
    assert_eq!(parse(&many), Err(EnvelopeError::TooMany { got: MAX_SIGNATURES + 1 }));
}

/// Two readers must not see two payloads. Keys that nobody reads count: in the payload, the next version may read them.
#[test]
fn no_key_stands_twice() {
    let whole = signed().to_json();
    let second = |key: &str| whole.replacen('{', &format!("{{\"{key}\": \"\", "), 1);
    for (text, key) in [
        (second("payload"), "payload"),
        (second("signatures"), "signatures"),
        (whole.replacen('{', "{\"x\": {\"y\": 1, \"y\": 1}, ", 1), "y"),
        (whole.replacen("\"sig\"", "\"sig\": \"\", \"\\u0073ig\"", 1), "sig"),
    ] {
        let error = Err(EnvelopeError::Json(JsonError::DuplicateKey(key.to_owned())));
        assert_eq!(parse(text.as_bytes()), error, "{text}");
    }
}

#[test]
fn base64_is_one_of_two_alphabets() {
    for text in ["aGVs*G8=", "aGVsbG8g\n", "a", "+_", "aGVsbG9=="] {
        let payload = changed(|v| v["payload"] = json!(text));
        assert_eq!(parse(&payload), Err(EnvelopeError::Base64("payload")), "{text:?}");
        let signature = changed(|v| v["signatures"][0]["sig"] = json!(text));
        assert_eq!(parse(&signature), Err(EnvelopeError::Base64("signature")), "{text:?}");
    }
}
