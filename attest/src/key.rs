//! ed25519 keys and signatures (RFC 8032), and the text form of keys that openssl writes (RFC 8410 in PEM).

use std::fmt;

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::spki::{DecodePublicKey, EncodePublicKey};
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, KeypairBytes};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::json::shown;

/// Length of a signature.
pub const SIGNATURE_BYTES: usize = ed25519_dalek::SIGNATURE_LENGTH;

/// Why a key cannot be had.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum KeyError {
    /// No private key of ed25519 in the form PKCS#8 in PEM.
    #[error("it is no private key of ed25519 in PEM: {0}")]
    #[diagnostic(help(
        "`cargo xtask attest keygen` makes one, and so does `openssl genpkey -algorithm ed25519`; one under a password \
         is taken out of it by `openssl pkey -in KEY.pem -out PLAIN.pem`"
    ))]
    Private(String),
    /// No public key of ed25519 in PEM.
    #[error("it is no public key of ed25519 in PEM: {0}")]
    #[diagnostic(help("`openssl pkey -in KEY.pem -pubout` makes it from the private one"))]
    Public(String),
    /// A key for which anybody can make signatures.
    #[error("it is a weak key: there are signatures of it that hold for any text")]
    #[diagnostic(help("no key is made like that by chance; ask its owner for another one"))]
    Weak,
    /// The system gave no random bytes.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

/// Makes signatures.
pub struct PrivateKey(SigningKey);

/// Tells whether signatures hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PrivateKey {
    /// A new key, of the system's random numbers.
    ///
    /// # Errors
    /// [`KeyError::Random`].
    pub fn random() -> Result<Self, KeyError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| KeyError::Random(error.to_string()))?;
        Ok(Self::from_seed(&seed))
    }

    /// The key that RFC 8032 makes of 32 bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// Reads PKCS#8 in PEM.
    ///
    /// # Errors
    /// [`KeyError::Private`].
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let key = SigningKey::from_pkcs8_pem(text);
        key.map(Self).map_err(|error| KeyError::Private(shown(&error.to_string())))
    }

    /// PKCS#8 in PEM, as openssl writes it: the seed alone. Version 3.0 of it does not read what has the public key too.
    pub fn to_pem(&self) -> String {
        let seed = KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        seed.to_pkcs8_pem(LineEnding::LF).expect("32 bytes fit the form").to_string()
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// The signature of `message`.
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        self.0.sign(message).to_bytes()
    }
}

/// Without the key, which must not get into a log.
impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "PrivateKey of {}", self.public().id())
    }
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo in PEM.
    ///
    /// # Errors
    /// [`KeyError::Public`], [`KeyError::Weak`].
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_public_key_pem(text)
            .map_err(|error| KeyError::Public(shown(&error.to_string())))?;
        if key.is_weak() { Err(KeyError::Weak) } else { Ok(Self(key)) }
    }

    /// A SubjectPublicKeyInfo in PEM.
    pub fn to_pem(&self) -> String {
        self.0.to_public_key_pem(LineEnding::LF).expect("32 bytes fit the form")
    }

    /// The key's 32 bytes, as RFC 8032 encodes them.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Name of the key: SHA-256 of its SubjectPublicKeyInfo in DER, hexadecimal.
    pub fn id(&self) -> String {
        let der = self.0.to_public_key_der().expect("32 bytes fit the form");
        hex::encode(Sha256::digest(der.as_bytes()))
    }

    /// Whether `signature` is one of this key for `message`. Of the forms that readers of RFC 8032 disagree on, none holds.
    pub fn holds(&self, message: &[u8], signature: &[u8]) -> bool {
        let signature = ed25519_dalek::Signature::from_slice(signature);
        signature.is_ok_and(|signature| self.0.verify_strict(message, &signature).is_ok())
    }
}
