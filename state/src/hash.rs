use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha3::{Digest, Keccak256};

/// 32 bytes that keccak256 made, or that stand where such a hash stands (a state hash carries a status in
/// its first byte). Written `0x` and 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hash(pub [u8; 32]);

/// keccak256 as Ethereum has it (the padding from before SHA-3).
pub fn keccak256(bytes: &[u8]) -> Hash {
    Hash(Keccak256::digest(bytes).into())
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is not a [`struct@Hash`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error, miette::Diagnostic)]
pub enum ParseHashError {
    /// The text does not begin with `0x`.
    #[error("a hash begins with 0x")]
    #[diagnostic(help("write it as 0x and 64 hexadecimal digits"))]
    NoPrefix,
    /// Too many or too few digits follow.
    #[error("a hash has 64 hexadecimal digits after 0x, got {got}")]
    #[diagnostic(help("a 32-byte value keeps its leading zeros"))]
    Length {
        /// How many follow.
        got: usize,
    },
    /// Something in it is not a hexadecimal digit.
    #[error("a hash is made of hexadecimal digits, and there is something else in it")]
    #[diagnostic(help("allowed are 0-9, a-f and A-F"))]
    NotHex,
}

impl FromStr for Hash {
    type Err = ParseHashError;

    fn from_str(text: &str) -> Result<Self, ParseHashError> {
        let digits = text.strip_prefix("0x").ok_or(ParseHashError::NoPrefix)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes).map_err(|error| match error {
            hex::FromHexError::InvalidHexCharacter { .. } => ParseHashError::NotHex,
            _ => ParseHashError::Length { got: digits.chars().count() },
        })?;
        Ok(Self(bytes))
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keccak256_is_ethereums() {
        // The code hash of an account without code, as the Yellow Paper and every client have it.
        let empty = "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470";
        assert_eq!(keccak256(b"").to_string(), empty);
        assert_eq!(empty.parse(), Ok(keccak256(b"")));
    }

    #[test]
    fn each_malformed_text_is_named() {
        let zeros = "0".repeat(64);
        assert_eq!(zeros.parse::<Hash>(), Err(ParseHashError::NoPrefix));
        assert_eq!("0x".parse::<Hash>(), Err(ParseHashError::Length { got: 0 }));
        assert_eq!(format!("0x{zeros}0").parse::<Hash>(), Err(ParseHashError::Length { got: 65 }));
        assert_eq!(format!("0x{zeros}00").parse::<Hash>(), Err(ParseHashError::Length { got: 66 }));
        assert_eq!(format!("0xg{}", &zeros[1..]).parse::<Hash>(), Err(ParseHashError::NotHex));
    }

    #[test]
    fn json_is_the_displayed_text() {
        let json = serde_json::to_string(&keccak256(b"a")).unwrap();
        assert_eq!(json, format!("\"{}\"", keccak256(b"a")));
        assert_eq!(serde_json::from_str::<Hash>(&json).unwrap(), keccak256(b"a"));
        assert!(serde_json::from_str::<Hash>("\"0x12\"").unwrap_err().to_string().contains("got 2"));
    }
}
