//! Witness generation: what the contract needs to execute a step (`MIPS.sol`, `step`).

use opml_abi::{fd, syscall};
use opml_state::cannon::{OracleRead, PROOF_LEN, StepProof};
use opml_state::{Hash, MemoryProof, MerkleTree, State, Witness, hash_witness};

use crate::{Host, Stop, Vm, VmError};

/// A VM that can prove its steps. It keeps the Merkle tree of the memory and brings it up to date with the
/// pages that were written since the last proof, so proofs far apart cost no more than the run between them,
/// and proofs of neighbouring steps some hashes each.
pub struct Prover {
    vm: Vm,
    /// Of the memory as it was when the written pages were last taken.
    tree: MerkleTree,
}

/// What goes into the contract for the next step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StepInput {
    /// The packed state.
    pub state_data: Witness,
    /// The instruction's memory and the data's.
    pub proof_data: [u8; PROOF_LEN],
    /// The preimage the step reads from, if it does.
    pub oracle: Option<OracleRead>,
}

impl Prover {
    /// A prover for the run that begins in `state`.
    ///
    /// # Errors
    /// Those of [`Vm::from_state`].
    pub fn new(state: &State) -> Result<Self, VmError> {
        Ok(Self::from_vm(Vm::from_state(state)?))
    }

    /// A prover for the rest of `vm`'s run.
    pub fn from_vm(vm: Vm) -> Self {
        Self { vm, tree: MerkleTree::default() }
    }

    /// The VM.
    pub fn vm(&self) -> &Vm {
        &self.vm
    }

    /// Runs until `step` steps were executed since the start of the program, or it exits. Does nothing if
    /// the run is there or beyond.
    ///
    /// # Errors
    /// Those of [`Vm::run`].
    pub fn run_to(&mut self, step: u64, host: &mut impl Host) -> Result<Stop, VmError> {
        self.vm.run(host, step.saturating_sub(self.vm.step_count()))
    }

    /// The packed state now.
    pub fn witness(&mut self) -> Witness {
        let written = self.vm.cpu.space.take_written();
        let space = &self.vm.cpu.space;
        self.tree.update(written.into_iter().map(|index| (index, space.page(index))));
        self.vm.registers_and_counters().witness_with_root(self.tree.root())
    }

    /// The state hash now.
    pub fn state_hash(&mut self) -> Hash {
        hash_witness(&self.witness())
    }

    /// What the contract needs to execute the next step; also for a step that it will revert on.
    ///
    /// # Errors
    /// If the step reads a preimage that the host does not have.
    pub fn input(&mut self, host: &mut impl Host) -> Result<StepInput, VmError> {
        let oracle = self.vm.reads_preimage().then(|| self.vm.oracle_read(host)).transpose()?;
        let state_data = self.witness();
        let mut proof_data = [0; PROOF_LEN];
        let (instruction, data) = proof_data.split_at_mut(MemoryProof::LEN);
        instruction.copy_from_slice(&self.memory_proof(self.vm.pc()).to_bytes());
        if let Some(address) = self.vm.data_address() {
            data.copy_from_slice(&self.memory_proof(address).to_bytes());
        }
        Ok(StepInput { state_data, proof_data, oracle })
    }

    /// Executes one step, and proves it.
    ///
    /// # Errors
    /// Those of [`Vm::step`], and [`VmError::Exited`] after the exit; the VM then stays in the state before.
    pub fn step(&mut self, host: &mut impl Host) -> Result<StepProof, VmError> {
        if let Some(code) = self.vm.exit_code() {
            return Err(VmError::Exited { code, steps: self.vm.step_count() });
        }
        let (step, input) = (self.vm.step_count(), self.input(host)?);
        self.vm.step(host)?;
        let StepInput { state_data, proof_data, oracle } = input;
        let (pre, post) = (hash_witness(&state_data), self.state_hash());
        Ok(StepProof { step, pre, post, state_data, proof_data, oracle })
    }

    /// The tree must be up to date.
    fn memory_proof(&self, address: u32) -> MemoryProof {
        let space = &self.vm.cpu.space;
        self.tree.proof(address, space.is_present(address).then(|| space.page(address >> 12)))
    }
}

impl Vm {
    fn reads_preimage(&self) -> bool {
        let word = self.cpu.space.word(self.pc);
        !self.exited && system_call(word, self.registers()) == Some((syscall::READ, fd::PREIMAGE_READ))
    }

    fn data_address(&self) -> Option<u32> {
        let word = self.cpu.space.word(self.pc);
        if self.exited { None } else { data_address(word, self.registers()) }
    }
}

/// The word of memory that the instruction `word` reads or writes, in the contract's eyes: it reads memory for
/// every word whose opcode is one of a load or store, whether there is such an instruction or not (`MIPS.sol`,
/// `step` and `handleSyscall`).
pub fn data_address(word: u32, registers: &[u32; 32]) -> Option<u32> {
    let address = match system_call(word, registers) {
        Some((syscall::READ, fd::PREIMAGE_READ) | (syscall::WRITE, fd::PREIMAGE_WRITE)) => registers[5],
        None if word >> 26 >= 0x20 => {
            registers[(word >> 21 & 31) as usize].wrapping_add(word as u16 as i16 as u32)
        }
        _ => return None,
    };
    Some(address & !3)
}

/// The number of the system call that `word` is and its descriptor, if it is one.
fn system_call(word: u32, registers: &[u32; 32]) -> Option<(u32, u32)> {
    (word >> 26 == 0 && word & 0x3f == 0x0c).then_some((registers[2], registers[4]))
}
