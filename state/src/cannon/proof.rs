use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Hash, MemoryProof, WITNESS_LEN, Witness, WitnessFields, hash_witness, keccak256};

/// Bytes of the two memory proofs of a step.
pub const PROOF_LEN: usize = 2 * MemoryProof::LEN;

/// Longest proof file that is read, 512 MiB: the preimage is in it, two digits a byte.
const MAX_FILE_LEN: u64 = 512 << 20;

/// Bytes of the length in front of a preimage.
const PREFIX: usize = 8;

/// First byte of the keys whose preimage is known by its keccak256.
const KECCAK256: u8 = 2;

/// One step with all the contract needs to execute it, and what it has to come to: Cannon's proof file
/// (`cannon/cmd`, `Proof`), which the OP Stack's challenger sends on chain.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Json", into = "Json")]
pub struct StepProof {
    /// Steps executed before this one.
    pub step: u64,
    /// State hash before the step.
    pub pre: Hash,
    /// State hash after it.
    pub post: Hash,
    /// The packed state before the step.
    pub state_data: Witness,
    /// The memory around the instruction, then the memory around the data the step reads or writes; zeros
    /// instead of the second if it touches none.
    pub proof_data: [u8; PROOF_LEN],
    /// The preimage the step reads from, if it does.
    pub oracle: Option<OracleRead>,
}

/// A preimage that a step reads from, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OracleRead {
    /// The key, as the guest wrote it.
    pub key: Hash,
    /// The preimage behind its length, 8 bytes big-endian.
    pub value: Vec<u8>,
    /// Bytes read before this step, those of the length included.
    pub offset: u32,
}

/// The names and the order of the file.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Json {
    step: u64,
    pre: Hash,
    post: Hash,
    state_data: Bytes<[u8; WITNESS_LEN]>,
    proof_data: Bytes<[u8; PROOF_LEN]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    oracle_key: Option<Hash>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    oracle_value: Option<Bytes<Vec<u8>>>,
    // Go leaves out what is zero.
    #[serde(default, skip_serializing_if = "is_zero")]
    oracle_offset: u32,
}

fn is_zero(offset: &u32) -> bool {
    *offset == 0
}

impl From<StepProof> for Json {
    fn from(proof: StepProof) -> Self {
        let oracle = proof.oracle;
        Self {
            step: proof.step,
            pre: proof.pre,
            post: proof.post,
            state_data: Bytes(proof.state_data),
            proof_data: Bytes(proof.proof_data),
            oracle_offset: oracle.as_ref().map_or(0, |oracle| oracle.offset),
            oracle_key: oracle.as_ref().map(|oracle| oracle.key),
            oracle_value: oracle.map(|oracle| Bytes(oracle.value)),
        }
    }
}

impl TryFrom<Json> for StepProof {
    type Error = &'static str;

    fn try_from(json: Json) -> Result<Self, Self::Error> {
        let oracle = match (json.oracle_key, json.oracle_value) {
            (Some(key), Some(value)) => Some(OracleRead { key, value: value.0, offset: json.oracle_offset }),
            (None, None) if json.oracle_offset == 0 => None,
            _ => return Err("oracle-key, oracle-value and oracle-offset come together"),
        };
        let (state_data, proof_data) = (json.state_data.0, json.proof_data.0);
        Ok(Self { step: json.step, pre: json.pre, post: json.post, state_data, proof_data, oracle })
    }
}

/// Bytes that are written as `0x` and hexadecimal digits.
#[derive(Clone)]
struct Bytes<T>(T);

impl<T: AsRef<[u8]>> Serialize for Bytes<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("0x{}", hex::encode(self.0.as_ref())))
    }
}

impl<'de, T: TryFrom<Vec<u8>>> Deserialize<'de> for Bytes<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix("0x").ok_or_else(|| de::Error::custom("bytes begin with 0x"))?;
        let bytes = hex::decode(digits).map_err(de::Error::custom)?;
        let got = bytes.len();
        bytes.try_into().map(Self).map_err(|_| de::Error::custom(format!("{got} bytes are not its length")))
    }
}

/// Why bytes are not the proof of a step, or of another one than they say.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ProofError {
    /// Reading failed before the content mattered.
    #[error("the proof file could not be read")]
    #[diagnostic(help("check that the file exists and is readable"))]
    Io(#[source] io::Error),
    /// The file is longer than any proof.
    #[error("the proof file has more than {MAX_FILE_LEN} bytes")]
    #[diagnostic(help(
        "a proof has some 5 kB and, where a preimage is read, twice the bytes of the preimage"
    ))]
    TooLong,
    /// Not JSON, or not of this shape.
    #[error("the file is not a proof of one step in Cannon's JSON")]
    #[diagnostic(help("make it again with `cargo xtask prove`"))]
    Json(#[source] serde_json::Error),
    /// Two parts contradict each other.
    #[error("the proof contradicts itself in its {what}\n  expected {expected}\n  got      {got}")]
    #[diagnostic(help("a byte of it was changed: make it again with `cargo xtask prove`"))]
    Inconsistent {
        /// The part.
        what: &'static str,
        /// What the rest of the proof asks for.
        expected: String,
        /// What it is.
        got: String,
    },
}

impl StepProof {
    /// Reads a proof file and checks that it is consistent, as [`check`](Self::check) does.
    ///
    /// # Errors
    /// Files that are no proof, or one that contradicts itself.
    pub fn load(path: &Path) -> Result<Self, ProofError> {
        let mut json = Vec::new();
        let file = File::open(path).map_err(ProofError::Io)?;
        file.take(MAX_FILE_LEN + 1).read_to_end(&mut json).map_err(ProofError::Io)?;
        if json.len() as u64 > MAX_FILE_LEN {
            return Err(ProofError::TooLong);
        }
        Self::from_json(&json)
    }

    /// Reads the content of a proof file and checks that it is consistent. Memory stays below a small
    /// multiple of `json`.
    ///
    /// # Errors
    /// Bytes that are no proof, or one that contradicts itself.
    pub fn from_json(json: &[u8]) -> Result<Self, ProofError> {
        let proof: Self = serde_json::from_slice(json).map_err(ProofError::Json)?;
        proof.check()?;
        Ok(proof)
    }

    /// The content of a proof file.
    pub fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec_pretty(self).expect("a proof has no keys that are not text");
        json.push(b'\n');
        json
    }

    /// Checks all that can be checked without executing the step: that the state data has the hash `pre` and
    /// the step, that the instruction's memory belongs to its memory root, and that the preimage is the one
    /// the state is reading. What is left are the data's memory, which only the instruction can say the
    /// address of, and `post`.
    ///
    /// # Errors
    /// The first contradiction.
    pub fn check(&self) -> Result<(), ProofError> {
        let state = WitnessFields::of(&self.state_data);
        same("state hash (pre)", &hash_witness(&self.state_data), &self.pre)?;
        same("step", &state.step, &self.step)?;
        let instruction = MemoryProof::from_bytes(self.proof_data.first_chunk().expect("two proofs"));
        same("memory of the instruction", &state.memory_root, &instruction.root(state.pc))?;
        self.oracle.as_ref().map_or(Ok(()), |oracle| oracle.check(&state))
    }
}

/// The instruction that a step executes, from the state and the memory that prove it; of an unaligned pc, the
/// word around it.
pub fn instruction(state_data: &Witness, proof_data: &[u8; PROOF_LEN]) -> u32 {
    let at = (WitnessFields::of(state_data).pc & 0x1c) as usize;
    u32::from_be_bytes(proof_data[at..at + 4].try_into().expect("four bytes"))
}

impl OracleRead {
    /// The preimage without its length; nothing if the value is too short for one.
    pub fn preimage(&self) -> &[u8] {
        self.value.get(PREFIX..).unwrap_or_default()
    }

    fn check(&self, state: &WitnessFields) -> Result<(), ProofError> {
        same("preimage key", &state.preimage_key, &self.key)?;
        same("preimage offset", &state.preimage_offset, &self.offset)?;
        let prefix = self.value.first_chunk().map_or(0, |prefix| u64::from_be_bytes(*prefix));
        same("length of the preimage", &(self.preimage().len() as u64), &prefix)?;
        if self.key.0[0] == KECCAK256 {
            let mut key = keccak256(self.preimage());
            key.0[0] = KECCAK256;
            same("preimage", &self.key, &key)?;
        }
        Ok(())
    }
}

fn same<T: PartialEq + ToString>(what: &'static str, expected: &T, got: &T) -> Result<(), ProofError> {
    match expected == got {
        true => Ok(()),
        false => Err(ProofError::Inconsistent { what, expected: expected.to_string(), got: got.to_string() }),
    }
}
