//! `MIPS.sol` and `PreimageOracle.sol`, deployed in an EVM that lives in memory.

use opml_abi::{KEY_TYPE_KECCAK256, KEY_TYPE_LOCAL, keccak256_key};
use opml_state::{Hash, WITNESS_LEN, Witness, keccak256};
use revm::context::TxEnv;
use revm::context_interface::result::{ExecutionResult, Output};
use revm::database::{CacheDB, EmptyDB};
use revm::handler::MainnetContext;
use revm::primitives::hardfork::SpecId;
use revm::primitives::{Address, TxKind};
use revm::{Context, ExecuteCommitEvm, ExecuteEvm, MainBuilder, MainContext, MainnetEvm};

use crate::artifacts::{ArtifactError, Artifacts};
use crate::calldata::{Call, number_word};
use crate::revert::Revert;

/// Who calls. The oracle keeps a local value for the account that loaded it, so one account does it all.
const CALLER: Address = Address::repeat_byte(0x11);

/// Arguments of the oracle's constructor, for proposals of large preimages: least size and days to challenge,
/// here in seconds. Steps do not depend on them.
const ORACLE_ARGUMENTS: [u64; 2] = [10_000, 86_400];

/// Gas of a call. No step is to fail for want of gas, and a large preimage takes more than any block has.
const GAS_LIMIT: u64 = 1 << 50;

/// The hard fork whose rules apply: that of the time in which the package was published.
const HARD_FORK: SpecId = SpecId::CANCUN;

/// The real contracts, ready to judge. Steps do not depend on each other: what one changes is dropped.
pub struct Contract {
    evm: MainnetEvm<MainnetContext<CacheDB<EmptyDB>>>,
    mips: Address,
    oracle: Address,
}

/// What the contract made of a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Executed {
    /// Hash of the state after the step, as `step` returns it.
    pub post_hash: Hash,
    /// The state after the step, as `step` logs it.
    pub post_witness: Witness,
    /// Gas that a transaction with this step alone takes, the base fee of 21,000 and the call data included.
    pub gas: u64,
}

/// Why the contracts could not be deployed.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum DeployError {
    /// A contract is not among the artifacts.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Artifact(#[from] ArtifactError),
    /// The EVM did not take it.
    #[error("the contract {name} could not be deployed: {detail}")]
    #[diagnostic(help(
        "the artifact is no code for this EVM: restore onchain/contracts.lock, and build again"
    ))]
    Refused {
        /// The contract's name in Solidity.
        name: &'static str,
        /// What the EVM says.
        detail: String,
    },
}

/// Why a call of a contract has no result.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error, miette::Diagnostic)]
pub enum CallError {
    /// The contract refused: on chain, this step could not be proven.
    #[error("the contract reverted: {0}")]
    #[diagnostic(help("such a step can't be proven: look at the instruction, its operands and its proof"))]
    Reverted(Revert),
    /// The EVM stopped it.
    #[error("the EVM stopped the contract: {0}")]
    #[diagnostic(help("the deployed code is damaged, or the call takes more gas than there is"))]
    Halted(String),
    /// The contract gave back something else than its source says.
    #[error("the contract gave back {0}")]
    #[diagnostic(help("the deployed code is not that of the contract this program knows"))]
    Unexpected(String),
}

/// Why a preimage could not be given to the oracle.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error, miette::Diagnostic)]
pub enum PreimageError {
    /// A key that is neither local nor a keccak256.
    #[error("the preimage key {key} is of type {}, expected 1 (local) or 2 (keccak256)", .key.0[0])]
    #[diagnostic(help("guest ABI 1 knows no other keys: see docs/formats.md"))]
    KeyType {
        /// The key.
        key: Hash,
    },
    /// The value is not the one the key is made of.
    #[error("the preimage does not belong to its key\n  expected {expected}\n  got      {got}")]
    #[diagnostic(help("the preimage was damaged or is that of another key: fetch it again"))]
    WrongValue {
        /// The key.
        expected: Hash,
        /// The key that belongs to the value.
        got: Hash,
    },
    /// The oracle does not take it.
    #[error("the preimage oracle: {0}")]
    #[diagnostic(help("an offset has to lie in the preimage, and a local value has at most 32 bytes"))]
    Call(#[from] CallError),
}

impl Contract {
    /// Deploys both contracts in a fresh EVM.
    ///
    /// # Errors
    /// [`DeployError`] if they are not among the artifacts, or are no code.
    pub fn deploy(artifacts: &Artifacts) -> Result<Self, DeployError> {
        let mut context = Context::mainnet().with_db(CacheDB::<EmptyDB>::default());
        context.cfg.set_spec_and_mainnet_gas_params(HARD_FORK);
        // One account makes all calls, and nobody counts them.
        context.cfg.disable_nonce_check = true;
        context.cfg.tx_gas_limit_cap = Some(GAS_LIMIT);
        context.block.gas_limit = GAS_LIMIT;
        let mut contract = Self { evm: context.build_mainnet(), mips: Address::ZERO, oracle: Address::ZERO };
        let [least_size, challenge_seconds] = ORACLE_ARGUMENTS.map(number_word);
        contract.oracle =
            contract.create(artifacts, "PreimageOracle", &[least_size, challenge_seconds].concat())?;
        let oracle = contract.oracle.into_word().0;
        contract.mips = contract.create(artifacts, "MIPS", &oracle)?;
        Ok(contract)
    }

    /// Executes one step: `state_data` is the witness of the state before it, `proof_data` the proofs of its
    /// instruction and of the memory it touches. Then drops what [`load_preimage`](Self::load_preimage) loaded.
    ///
    /// # Errors
    /// [`CallError::Reverted`] if the contract refuses; the others hint at damage.
    pub fn step(
        &mut self,
        state_data: &[u8],
        proof_data: &[u8],
        local_context: [u8; 32],
    ) -> Result<Executed, CallError> {
        let call =
            Call::new("step(bytes,bytes,bytes32)").bytes(state_data).bytes(proof_data).word(local_context);
        let result = self.call(self.mips, call);
        self.forget();
        let (output, log, gas) = result?;
        let unexpected = |what: String| CallError::Unexpected(what);
        let post_hash =
            Hash(output.try_into().map_err(|o: Vec<u8>| unexpected(format!("{} bytes", o.len())))?);
        let post_witness = log.as_slice().try_into();
        let post_witness = post_witness
            .map_err(|_| unexpected(format!("a state of {} bytes instead of {WITNESS_LEN}", log.len())))?;
        Ok(Executed { post_hash, post_witness, gas })
    }

    /// Gives the oracle the part of a preimage that the next step reads: that from `offset` on, where its
    /// length takes the first 8 bytes. `value` is the preimage without this length. Returns the gas of it.
    ///
    /// # Errors
    /// [`PreimageError`] if the value is not that of the key, or the oracle does not take it.
    pub fn load_preimage(
        &mut self,
        key: [u8; 32],
        value: &[u8],
        offset: u32,
        local_context: [u8; 32],
    ) -> Result<u64, PreimageError> {
        let call = match key[0] {
            KEY_TYPE_LOCAL => load_local(key, value, offset, local_context),
            KEY_TYPE_KECCAK256 => {
                let got = Hash(keccak256_key(keccak256(value).0));
                if got.0 != key {
                    return Err(PreimageError::WrongValue { expected: Hash(key), got });
                }
                Call::new("loadKeccak256PreimagePart(uint256,bytes)").number(offset.into()).bytes(value)
            }
            _ => return Err(PreimageError::KeyType { key: Hash(key) }),
        };
        let (_, _, gas) = self.call(self.oracle, call)?;
        Ok(gas)
    }

    /// Drops what was loaded for a step that will not come.
    pub fn forget(&mut self) {
        // Whatever was done since the deployment waits in the journal; only `create` commits it.
        let _ = self.evm.finalize();
    }

    /// What the deployed `MIPS` says its version is.
    ///
    /// # Errors
    /// [`CallError`] if it says nothing.
    pub fn version(&mut self) -> Result<String, CallError> {
        let (output, ..) = self.call(self.mips, Call::new("version()"))?;
        // A `string`: offset, length, bytes.
        let text = output.get(64..).map(|bytes| bytes.split(|&byte| byte == 0).next().unwrap_or_default());
        let text = text.and_then(|bytes| String::from_utf8(bytes.to_vec()).ok());
        text.ok_or_else(|| CallError::Unexpected("no text as its version".into()))
    }

    /// Calls a contract; returns its output, the data of its last log, and the gas.
    fn call(&mut self, contract: Address, call: Call) -> Result<(Vec<u8>, Vec<u8>, u64), CallError> {
        let transaction = transaction(TxKind::Call(contract), call.encode());
        let result =
            self.evm.transact_one(transaction).map_err(|error| CallError::Halted(error.to_string()))?;
        match result {
            ExecutionResult::Success { gas, logs, output, .. } => {
                let log = logs.last().map(|log| log.data.data.to_vec()).unwrap_or_default();
                Ok((output.into_data().to_vec(), log, gas.tx_gas_used()))
            }
            ExecutionResult::Revert { output, .. } => {
                Err(CallError::Reverted(Revert { data: output.to_vec() }))
            }
            ExecutionResult::Halt { reason, .. } => Err(CallError::Halted(format!("{reason:?}"))),
        }
    }

    fn create(
        &mut self,
        artifacts: &Artifacts,
        name: &'static str,
        arguments: &[u8],
    ) -> Result<Address, DeployError> {
        let code = [artifacts.creation_code(name)?, arguments].concat();
        let refused = |detail: String| DeployError::Refused { name, detail };
        let result = self.evm.transact_commit(transaction(TxKind::Create, code));
        match result.map_err(|error| refused(error.to_string()))? {
            ExecutionResult::Success { output: Output::Create(_, Some(address)), .. } => Ok(address),
            other => Err(refused(format!("{other:?}"))),
        }
    }
}

/// A local value, in the upper bytes of its word. One that is too long is cut here and refused by the oracle.
fn load_local(key: [u8; 32], value: &[u8], offset: u32, local_context: [u8; 32]) -> Call {
    let mut number = key;
    number[0] = 0;
    let mut word = [0; 32];
    let shown = value.len().min(word.len());
    word[..shown].copy_from_slice(&value[..shown]);
    Call::new("loadLocalData(uint256,bytes32,bytes32,uint256,uint256)")
        .word(number)
        .word(local_context)
        .word(word)
        .number(value.len() as u64)
        .number(offset.into())
}

fn transaction(kind: TxKind, data: Vec<u8>) -> TxEnv {
    TxEnv { caller: CALLER, gas_limit: GAS_LIMIT, gas_price: 0, kind, data: data.into(), ..TxEnv::default() }
}
