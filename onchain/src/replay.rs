//! Executes a proof in the VM: of the whole memory it knows only what is in the proof.

use opml_state::cannon::{StepProof, instruction};
use opml_state::{Hash, Memory, MemoryProof, State, Witness, WitnessFields};
use opml_vm::{Host, Reason, Vm, VmError, data_address};

use crate::lockstep::LockstepError;

/// Address of the leaf that holds an address.
const LEAF: u32 = !31;

/// The state after the step, as the VM has it, or why it refuses the step.
///
/// # Errors
/// If the proof of the data's memory is damaged, or the VM cannot say.
pub(crate) fn replay(
    proof: &StepProof,
    host: &mut impl Host,
) -> Result<Result<Witness, Reason>, LockstepError> {
    let fields = WitnessFields::of(&proof.state_data);
    let instruction_leaf =
        MemoryProof::from_bytes(proof.proof_data.first_chunk().expect("two proofs")).leaf();
    let mut data = MemoryProof::from_bytes(proof.proof_data.last_chunk().expect("two proofs"));
    let word = instruction(&proof.state_data, &proof.proof_data);
    let address = if fields.exited == 0 { data_address(word, &fields.registers) } else { None };
    let mut state = state(&fields);
    put(&mut state.memory, fields.pc, &instruction_leaf);
    if let Some(address) = address {
        let got = data.root(address);
        if got != fields.memory_root {
            return Err(LockstepError::DataMemory { address, expected: fields.memory_root, got });
        }
        put(&mut state.memory, address, &data.leaf());
    }
    let mut vm = Vm::from_state(&state)?;
    match vm.step(host) {
        Ok(()) => {}
        Err(VmError::Unprovable { reason, .. }) => return Ok(Err(reason)),
        Err(other) => return Err(other.into()),
    }
    let root = address.map_or(fields.memory_root, |address| {
        let leaf = vm.memory(address & LEAF, 32);
        data.0[0] = Hash(leaf.try_into().expect("a leaf never reaches over the end of memory"));
        data.root(address)
    });
    Ok(Ok(vm.state().witness_with_root(root)))
}

/// The state that a witness describes, with nothing in its memory.
fn state(fields: &WitnessFields) -> State {
    State {
        memory: Memory::new(),
        preimage_key: fields.preimage_key,
        preimage_offset: fields.preimage_offset,
        pc: fields.pc,
        next_pc: fields.next_pc,
        lo: fields.lo,
        hi: fields.hi,
        heap: fields.heap,
        exit_code: fields.exit_code,
        exited: fields.exited != 0,
        step: fields.step,
        registers: fields.registers,
        last_hint: Vec::new(),
    }
}

fn put(memory: &mut Memory, address: u32, leaf: &Hash) {
    memory.write(address & LEAF, &leaf.0).expect("a leaf never reaches over the end of memory");
}
