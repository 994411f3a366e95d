use crate::{Hash, State, VmStatus, keccak256};

/// Bytes of a [`Witness`].
pub const WITNESS_LEN: usize = 226;

/// The packed state, big-endian: memory root 32, preimage key 32, preimage offset 4, pc 4, next pc 4, lo 4,
/// hi 4, heap 4, exit code 1, exited 1, step 8, registers 32 x 4 (`MIPS.sol`, `outputState`).
pub type Witness = [u8; WITNESS_LEN];

/// What stands in a [`Witness`]: the state with the root of its memory in place of the memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WitnessFields {
    /// Root of memory.
    pub memory_root: Hash,
    /// See [`State::preimage_key`].
    pub preimage_key: Hash,
    /// See [`State::preimage_offset`].
    pub preimage_offset: u32,
    /// See [`State::pc`].
    pub pc: u32,
    /// See [`State::next_pc`].
    pub next_pc: u32,
    /// See [`State::lo`].
    pub lo: u32,
    /// See [`State::hi`].
    pub hi: u32,
    /// See [`State::heap`].
    pub heap: u32,
    /// See [`State::exit_code`].
    pub exit_code: u8,
    /// 1 after the exit, else 0. The contract refuses other values; a foreign witness may have them.
    pub exited: u8,
    /// See [`State::step`].
    pub step: u64,
    /// See [`State::registers`].
    pub registers: [u32; 32],
}

impl WitnessFields {
    /// Unpacks a witness; any bytes are one.
    pub fn of(witness: &Witness) -> Self {
        let mut rest: &[u8] = witness;
        let hash = |rest: &mut &[u8]| Hash(take(rest));
        let word = |rest: &mut &[u8]| u32::from_be_bytes(take(rest));
        // Fields are evaluated in the order they stand in, which is the order of the bytes.
        Self {
            memory_root: hash(&mut rest),
            preimage_key: hash(&mut rest),
            preimage_offset: word(&mut rest),
            pc: word(&mut rest),
            next_pc: word(&mut rest),
            lo: word(&mut rest),
            hi: word(&mut rest),
            heap: word(&mut rest),
            exit_code: take::<1>(&mut rest)[0],
            exited: take::<1>(&mut rest)[0],
            step: u64::from_be_bytes(take(&mut rest)),
            registers: std::array::from_fn(|_| word(&mut rest)),
        }
    }

    /// The packed form.
    pub fn pack(&self) -> Witness {
        let words = [self.preimage_offset, self.pc, self.next_pc, self.lo, self.hi, self.heap];
        let mut bytes = Vec::with_capacity(WITNESS_LEN);
        bytes.extend(self.memory_root.0);
        bytes.extend(self.preimage_key.0);
        words.iter().for_each(|word| bytes.extend(word.to_be_bytes()));
        bytes.extend([self.exit_code, self.exited]);
        bytes.extend(self.step.to_be_bytes());
        self.registers.iter().for_each(|word| bytes.extend(word.to_be_bytes()));
        bytes.try_into().expect("the fields make 226 bytes")
    }

    /// What the run has come to.
    pub fn status(&self) -> VmStatus {
        VmStatus::new(self.exited == 1, self.exit_code)
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> [u8; N] {
    let (now, later) = rest.split_first_chunk().expect("a witness has 226 bytes");
    *rest = later;
    *now
}

impl State {
    /// The packed state. Computes the memory root.
    pub fn witness(&self) -> Witness {
        self.witness_with_root(self.memory.merkle_root())
    }

    /// The packed state with `memory_root` as the root, whatever [`memory`](Self::memory) is: for those who
    /// keep a [`MerkleTree`](crate::MerkleTree).
    pub fn witness_with_root(&self, memory_root: Hash) -> Witness {
        let fields = WitnessFields {
            memory_root,
            preimage_key: self.preimage_key,
            preimage_offset: self.preimage_offset,
            pc: self.pc,
            next_pc: self.next_pc,
            lo: self.lo,
            hi: self.hi,
            heap: self.heap,
            exit_code: self.exit_code,
            exited: u8::from(self.exited),
            step: self.step,
            registers: self.registers,
        };
        fields.pack()
    }

    /// The hash a dispute is about: see [`hash_witness`]. Computes the memory root.
    pub fn state_hash(&self) -> Hash {
        hash_witness(&self.witness())
    }
}

/// keccak256 of a witness with its first byte replaced by the [`VmStatus`] (`MIPS.sol`, `outputState`).
pub fn hash_witness(witness: &Witness) -> Hash {
    let mut hash = keccak256(witness);
    hash.0[0] = WitnessFields::of(witness).status() as u8;
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpacking_is_the_inverse_of_packing() {
        let witness: Witness = std::array::from_fn(|i| (i * 7 + 3) as u8);
        let fields = WitnessFields::of(&witness);
        assert_eq!(fields.pack(), witness);
        assert_eq!((fields.pc, fields.registers[31]), (0xdfe6_edf4, 0x151c_232a));
    }

    #[test]
    fn the_status_byte_follows_the_exit() {
        let cases = [(false, 0, 3), (false, 1, 3), (true, 0, 0), (true, 1, 1), (true, 2, 2), (true, 255, 2)];
        for (exited, exit_code, status) in cases {
            let state = State { exited, exit_code, ..State::default() };
            assert_eq!(state.state_hash().0[0], status, "{exited} {exit_code}");
        }
    }
}
