use crate::Hash;
use crate::lanes::hash_pairs;
use crate::merkle::HEIGHT;

/// What the contract needs to read or write 32 bytes of memory: the leaf itself, and the 27 siblings on its
/// way to the root, from the bottom up (`MIPS.sol`, `readMem` and `writeMem`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemoryProof(pub [Hash; HEIGHT + 1]);

impl MemoryProof {
    /// Bytes of a packed proof.
    pub const LEN: usize = (HEIGHT + 1) * 32;

    /// The 32 bytes of memory it proves.
    pub fn leaf(&self) -> Hash {
        self.0[0]
    }

    /// The root that memory must have for the leaf to lie around `address`.
    pub fn root(&self, address: u32) -> Hash {
        self.0[1..].iter().enumerate().fold(self.leaf(), |node, (height, sibling)| {
            let is_right = address >> (5 + height) & 1 == 1;
            let pair = if is_right { [sibling.0, node.0] } else { [node.0, sibling.0] };
            let mut above = Hash::default();
            hash_pairs(pair.as_flattened(), &mut above.0);
            above
        })
    }

    /// The packed form: the hashes one after another.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        std::array::from_fn(|i| self.0[i / 32].0[i % 32])
    }

    /// Reads the packed form; any bytes are a proof of something.
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Self {
        Self(std::array::from_fn(|i| Hash(bytes.as_chunks().0[i])))
    }
}
