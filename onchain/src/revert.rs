//! Why a contract reverted, in words.

use std::fmt;

/// Selector of `Error(string)`, what `require` and `revert` with a text give (Solidity: "Error handling").
const ERROR: [u8; 4] = [0x08, 0xc3, 0x79, 0xa0];

/// Selector of `Panic(uint256)`, what failed assertions and checked arithmetic give.
const PANIC: [u8; 4] = [0x4e, 0x48, 0x7b, 0x71];

/// Selector of `PartOffsetOOB()` (`PreimageOracle.sol`).
const PART_OFFSET_OOB: [u8; 4] = [0xfe, 0x25, 0x49, 0x87];

/// What `MIPS.sol`, `readMem`, puts into a word when a proof does not lead to the memory root.
const BAD_PROOF: u32 = 0x0bad_f00d;

/// Longest text that is taken from a contract.
const MAX_TEXT: usize = 256;

/// What a contract gave back when it reverted.
#[derive(Clone, PartialEq, Eq)]
pub struct Revert {
    /// The bytes as they are.
    pub data: Vec<u8>,
}

/// What the bytes of a [`Revert`] mean.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RevertReason {
    /// Nothing was given. `MIPS.sol` does so for an unaligned address and for a malformed call.
    Silent,
    /// A text, as `require` and `revert` take.
    Text(String),
    /// A proof that does not lead to the memory root of the state.
    BadProof,
    /// A preimage is asked for from behind its end, or a local value has more than 32 bytes.
    PartOffset,
    /// A failed assertion or arithmetic check of Solidity.
    Panic,
    /// Anything else.
    Other,
}

impl Revert {
    /// What the bytes mean.
    pub fn reason(&self) -> RevertReason {
        match self.data.split_first_chunk::<4>() {
            None if self.data.is_empty() => RevertReason::Silent,
            Some((&ERROR, rest)) => text(rest).map_or(RevertReason::Other, RevertReason::Text),
            Some((&PANIC, _)) => RevertReason::Panic,
            Some((&PART_OFFSET_OOB, [])) => RevertReason::PartOffset,
            _ if self.data.len() == 32 && self.data.ends_with(&BAD_PROOF.to_be_bytes()) => {
                RevertReason::BadProof
            }
            _ => RevertReason::Other,
        }
    }
}

/// The argument of `Error(string)`: offset, length, bytes. Control characters are shown as what they are.
fn text(arguments: &[u8]) -> Option<String> {
    let length = arguments.get(32..64)?;
    let length = usize::try_from(u64::from_be_bytes(*length.last_chunk()?)).ok()?;
    let bytes = arguments.get(64..)?;
    let bytes = bytes.get(..length.min(MAX_TEXT))?;
    Some(String::from_utf8_lossy(bytes).escape_debug().to_string())
}

impl fmt::Display for Revert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason() {
            RevertReason::Silent => f.write_str("no reason given: an unaligned address, or a malformed call"),
            RevertReason::Text(text) => write!(f, "\"{text}\""),
            RevertReason::BadProof => {
                f.write_str("the memory proof does not lead to the state's memory root (0x0badf00d)")
            }
            RevertReason::PartOffset => {
                f.write_str("the preimage has no part at that offset (PartOffsetOOB)")
            }
            RevertReason::Panic => f.write_str("a check of Solidity failed (Panic)"),
            RevertReason::Other => {
                let shown = &self.data[..self.data.len().min(MAX_TEXT)];
                write!(f, "{} bytes of unknown meaning: 0x{}", self.data.len(), hex::encode(shown))
            }
        }
    }
}

impl fmt::Debug for Revert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Revert({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calldata::{Call, number_word};

    fn reason(data: &[u8]) -> RevertReason {
        Revert { data: data.to_vec() }.reason()
    }

    #[test]
    fn each_form_is_told_apart() {
        let error = Call::new("Error(string)").bytes(b"no \x1b[1mcolours").encode();
        assert_eq!(reason(&error), RevertReason::Text("no \\u{1b}[1mcolours".into()));
        assert_eq!(reason(&Call::new("Panic(uint256)").number(0x12).encode()), RevertReason::Panic);
        assert_eq!(reason(&Call::new("PartOffsetOOB()").encode()), RevertReason::PartOffset);
        assert_eq!(reason(&number_word(0x0bad_f00d)), RevertReason::BadProof);
        assert_eq!(reason(&[]), RevertReason::Silent);
        for other in [&[1][..], &number_word(0x0bad_f00e), &error[..40], &ERROR] {
            assert_eq!(reason(other), RevertReason::Other, "{other:?}");
        }
    }

    #[test]
    fn a_text_is_bounded_whatever_length_it_claims() {
        let mut error = Call::new("Error(string)").bytes(&[b'x'; 5000]).encode();
        assert_eq!(reason(&error), RevertReason::Text("x".repeat(MAX_TEXT)));
        error[4 + 32..4 + 64].fill(0xff);
        assert_eq!(reason(&error), RevertReason::Text("x".repeat(MAX_TEXT)));
    }
}
