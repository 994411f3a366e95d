//! The envelope of DSSE (secure-systems-lab/dsse, protocol 1.0): a payload, its type, and signatures over both.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::{Deserialize, Serialize};

use crate::json::{self, JsonError, shown};
use crate::key::{PrivateKey, PublicKey};

/// The payload's type: an in-toto statement in JSON.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// Longest envelope, in bytes.
pub const MAX_ENVELOPE: usize = 1 << 20;
/// Most signatures of an envelope.
pub const MAX_SIGNATURES: usize = 64;

/// Why an envelope is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum EnvelopeError {
    /// No JSON of an envelope's form.
    #[error("the envelope cannot be read")]
    #[diagnostic(help("get the file again from whoever signed it"))]
    Json(#[source] JsonError),
    /// Neither of the two alphabets of base64.
    #[error("the envelope's {0} is not base64")]
    #[diagnostic(help("get the file again from whoever signed it"))]
    Base64(&'static str),
    /// What was signed is not a statement.
    #[error("the envelope holds a `{got}`, expected {PAYLOAD_TYPE}")]
    #[diagnostic(help("it was made for something else, or changed"))]
    PayloadType {
        /// The type that it names.
        got: String,
    },
    /// More signatures than anybody makes.
    #[error("the envelope has {got} signatures; at most {MAX_SIGNATURES} are read")]
    TooMany {
        /// How many it has.
        got: usize,
    },
    /// Nobody signed it.
    #[error("the envelope has no signature")]
    #[diagnostic(help("`cargo xtask attest sign` adds one"))]
    Unsigned,
    /// A signature names the key, but does not hold.
    #[error("the signature of the key {key} does not hold")]
    #[diagnostic(help(
        "the payload, its type or the signature was changed after it was signed: trust none of it"
    ))]
    Broken {
        /// Name of the key.
        key: String,
    },
    /// No signature is one of the key.
    #[error("no signature is one of the key {key}; there are {signatures}, and they name {named:?}")]
    #[diagnostic(help(
        "give the public key of whoever signed it, or get an envelope that the owner of this key signed"
    ))]
    OtherKey {
        /// Name of the key.
        key: String,
        /// How many signatures there are.
        signatures: usize,
        /// The keys that they name. Nothing vouches for these names.
        named: Vec<String>,
    },
}

/// A payload with its type and signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// What kind of thing the payload is.
    pub payload_type: String,
    /// What is signed.
    pub payload: Vec<u8>,
    /// The signatures.
    pub signatures: Vec<Signature>,
}

/// A signature of an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// A hint whose it is, which nobody signed; may be empty.
    pub key: String,
    /// The signature. Of ed25519 or of anything else: envelopes are shared with others' keys.
    pub bytes: Vec<u8>,
}

/// The form of the file. Unknown fields are ignored, as the specification asks.
#[derive(Serialize, Deserialize)]
struct Raw {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<RawSignature>,
}

#[derive(Serialize, Deserialize)]
struct RawSignature {
    /// May be left out; null is the same as empty.
    #[serde(default)]
    keyid: Option<String>,
    sig: String,
}

/// What is signed in place of `payload`: unlike the payload alone, it cannot be read as one of another type.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut text = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    text.extend_from_slice(payload);
    text
}

impl Envelope {
    /// An envelope around a statement, without a signature.
    pub fn new(payload: Vec<u8>) -> Self {
        Self { payload_type: PAYLOAD_TYPE.to_owned(), payload, signatures: Vec::new() }
    }

    /// Reads an envelope.
    ///
    /// # Errors
    /// [`EnvelopeError::Json`], [`EnvelopeError::TooMany`], [`EnvelopeError::Base64`].
    pub fn parse(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let raw: Raw = json::read(bytes, MAX_ENVELOPE).map_err(EnvelopeError::Json)?;
        if raw.signatures.len() > MAX_SIGNATURES {
            return Err(EnvelopeError::TooMany { got: raw.signatures.len() });
        }
        let signature = |raw: RawSignature| {
            let bytes = decode(&raw.sig, "signature")?;
            Ok(Signature { key: raw.keyid.unwrap_or_default(), bytes })
        };
        Ok(Self {
            payload: decode(&raw.payload, "payload")?,
            payload_type: raw.payload_type,
            signatures: raw.signatures.into_iter().map(signature).collect::<Result<_, _>>()?,
        })
    }

    /// The text of the file.
    pub fn to_json(&self) -> String {
        let signature = |signature: &Signature| RawSignature {
            keyid: Some(signature.key.clone()),
            sig: STANDARD.encode(&signature.bytes),
        };
        let raw = Raw {
            payload: STANDARD.encode(&self.payload),
            payload_type: self.payload_type.clone(),
            signatures: self.signatures.iter().map(signature).collect(),
        };
        let mut text = serde_json::to_string_pretty(&raw).expect("an envelope is strings");
        text.push('\n');
        text
    }

    /// Adds the signature of `key`, or renews the one that names it. The others stay. They are in the order of their keys'
    /// names, so that it does not matter who signs first.
    pub fn sign(&mut self, key: &PrivateKey) {
        let id = key.public().id();
        self.signatures.retain(|signature| signature.key != id);
        let bytes = key.sign(&pae(&self.payload_type, &self.payload)).to_vec();
        self.signatures.push(Signature { key: id, bytes });
        self.signatures.sort_by(|a, b| a.key.cmp(&b.key));
    }

    /// The payload, if it is a statement's and at least one signature is of `key`. The names of keys in the envelope only
    /// decide how a failure is worded.
    ///
    /// # Errors
    /// [`EnvelopeError::PayloadType`], [`EnvelopeError::Unsigned`], [`EnvelopeError::Broken`], [`EnvelopeError::OtherKey`].
    pub fn verify(&self, key: &PublicKey) -> Result<&[u8], EnvelopeError> {
        if self.payload_type != PAYLOAD_TYPE {
            return Err(EnvelopeError::PayloadType { got: shown(&self.payload_type) });
        }
        let message = pae(&self.payload_type, &self.payload);
        if self.signatures.iter().any(|signature| key.holds(&message, &signature.bytes)) {
            return Ok(&self.payload);
        }
        let id = key.id();
        let mut named: Vec<String> = self.signatures.iter().map(|signature| shown(&signature.key)).collect();
        Err(match named.len() {
            0 => EnvelopeError::Unsigned,
            _ if named.contains(&id) => EnvelopeError::Broken { key: id },
            signatures => {
                named.retain(|name| !name.is_empty());
                EnvelopeError::OtherKey { key: id, signatures, named }
            }
        })
    }
}

/// Some signers leave the padding out.
const CONFIG: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG);

/// A verifier must take either alphabet, says the specification.
fn decode(text: &str, field: &'static str) -> Result<Vec<u8>, EnvelopeError> {
    let alphabet = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    alphabet.decode(text).map_err(|_| EnvelopeError::Base64(field))
}
