//! Calls of the contracts' functions as bytes (Solidity's "Contract ABI Specification").

use opml_state::keccak256;

/// Bytes of a word of the ABI.
const WORD: usize = 32;

/// A call of `signature`, such as `step(bytes,bytes,bytes32)`: its selector, then the arguments.
pub(crate) struct Call {
    /// The arguments' own words: values, and for `bytes` the offset of the tail.
    head: Vec<u8>,
    /// Lengths and bytes of the `bytes` arguments.
    tail: Vec<u8>,
    arguments: usize,
    selector: [u8; 4],
}

impl Call {
    /// A call without arguments so far; `signature` says how many there will be.
    pub(crate) fn new(signature: &str) -> Self {
        let arguments = if signature.contains("()") { 0 } else { signature.matches(',').count() + 1 };
        let hash = keccak256(signature.as_bytes()).0;
        Self { head: Vec::new(), tail: Vec::new(), arguments, selector: [hash[0], hash[1], hash[2], hash[3]] }
    }

    /// An argument of one word: `bytes32`, `uint256`, `address`.
    pub(crate) fn word(mut self, word: [u8; WORD]) -> Self {
        self.head.extend(word);
        self
    }

    /// An argument of type `uint256`.
    pub(crate) fn number(self, number: u64) -> Self {
        self.word(number_word(number))
    }

    /// An argument of type `bytes`.
    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        let offset = self.arguments * WORD + self.tail.len();
        self.head.extend(number_word(offset as u64));
        self.tail.extend(number_word(bytes.len() as u64));
        self.tail.extend(bytes);
        self.tail.resize(self.tail.len().next_multiple_of(WORD), 0);
        self
    }

    /// The whole call.
    pub(crate) fn encode(self) -> Vec<u8> {
        [&self.selector[..], &self.head, &self.tail].concat()
    }
}

/// A number as a word.
pub(crate) fn number_word(number: u64) -> [u8; WORD] {
    let mut word = [0; WORD];
    word[WORD - 8..].copy_from_slice(&number.to_be_bytes());
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_encoded_as_the_specification_has_it() {
        // Its second example, with other values: f(bytes,uint256).
        let call = Call::new("f(bytes,uint256)").bytes(b"abc").number(7).encode();
        let words: Vec<String> = call[4..].chunks(WORD).map(hex::encode).collect();
        let expected = ["40", "07", "03", "616263"];
        assert_eq!(words.len(), expected.len());
        for (word, digits) in words.iter().zip(&expected[..3]) {
            assert_eq!(*word, format!("{digits:0>64}"));
        }
        assert_eq!(words[3], format!("{:0<64}", expected[3]));
    }

    #[test]
    fn selectors_are_those_of_solidity() {
        // The best known selector there is: transfer of ERC-20.
        assert_eq!(Call::new("transfer(address,uint256)").selector, [0xa9, 0x05, 0x9c, 0xbb]);
        assert_eq!(Call::new("version()").encode().len(), 4);
    }
}
