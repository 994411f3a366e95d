//! Earlier states of a run, kept in memory, so that it can be taken back.
//!
//! A checkpoint has the registers, and of the memory the pages that were written since the run's start; versions of a page that several
//! checkpoints have in common are there once. When there are too many, every other one goes, so that they are further apart in a
//! longer run, and going back takes a small part of the time that the run took.

use std::collections::BTreeMap;
use std::sync::Arc;

use opml_state::{Memory, PAGE_SIZE, State};

use crate::{Vm, VmError};

/// Steps between two checkpoints at first: some milliseconds of running.
const FIRST_INTERVAL: u64 = 1 << 21;
/// Most checkpoints.
const MOST: usize = 256;

type Pages = BTreeMap<u32, Arc<[u8; PAGE_SIZE]>>;

/// The checkpoints of a run. All changes of the VM's memory have to come from running it.
pub struct Checkpoints {
    /// Memory as it was at the first one.
    start: Memory,
    interval: u64,
    /// By their steps; the first one is never dropped.
    all: BTreeMap<u64, Checkpoint>,
    /// The pages that were written since the start, as they were at the last checkpoint taken or gone back to.
    pages: Pages,
}

struct Checkpoint {
    /// Without memory.
    state: State,
    pages: Pages,
}

impl Checkpoints {
    /// The first one, of a VM that was made from a state with the memory `start` and has not run.
    pub fn new(vm: &mut Vm, start: Memory) -> Self {
        vm.cpu.space.take_written();
        let first = Checkpoint { state: vm.registers_and_counters(), pages: Pages::new() };
        let all = BTreeMap::from([(vm.step_count(), first)]);
        Self { start, interval: FIRST_INTERVAL, all, pages: Pages::new() }
    }

    /// The step of the first one: nothing is known of what was before.
    pub fn first(&self) -> u64 {
        *self.all.keys().next().expect("the first is never dropped")
    }

    /// The step of the last one at or before `step`; the first if `step` is before it.
    pub fn before(&self, step: u64) -> u64 {
        self.all.range(..=step).next_back().map_or_else(|| self.first(), |(&at, _)| at)
    }

    /// How many steps from `step` to where the next one should be taken.
    pub fn distance(&self, step: u64) -> u64 {
        (step / self.interval + 1).saturating_mul(self.interval) - step
    }

    /// Takes one of `vm` as it is, unless there is one of this step.
    pub fn take(&mut self, vm: &mut Vm) {
        for index in vm.cpu.space.take_written() {
            self.pages.insert(index, Arc::new(*vm.cpu.space.page(index)));
        }
        let (state, pages) = (vm.registers_and_counters(), self.pages.clone());
        self.all.entry(state.step).or_insert(Checkpoint { state, pages });
        if self.all.len() > MOST {
            self.interval *= 2;
            let (first, interval) = (self.first(), self.interval);
            self.all.retain(|&step, _| step == first || step % interval == 0);
        }
    }

    /// Takes `vm` back to the last one at or before `step`. Pages that were not there then stay, as zeros.
    ///
    /// # Errors
    /// If the address space cannot be reserved.
    pub fn restore(&mut self, vm: &mut Vm, step: u64) -> Result<(), VmError> {
        let checkpoint = &self.all[&self.before(step)];
        let mut changed: Vec<u32> = vm.cpu.space.take_written();
        // A page with another version than that of the checkpoint, and one that it has no version of.
        let differs = |index: &u32, page: &Arc<[u8; PAGE_SIZE]>| {
            checkpoint.pages.get(index).is_none_or(|other| !Arc::ptr_eq(other, page))
        };
        changed
            .extend(self.pages.iter().filter(|(index, page)| differs(index, page)).map(|(&index, _)| index));
        changed.extend(checkpoint.pages.keys().filter(|index| !self.pages.contains_key(index)));
        let mut has_code = false;
        for index in changed {
            let page = checkpoint.pages.get(&index).map(|page| &**page).or_else(|| self.start.page(index));
            has_code |= vm.cpu.space.is_code(index << 12);
            vm.cpu.space.set_page(index, page.unwrap_or(&[0; PAGE_SIZE]));
        }
        if has_code {
            vm.forget_code()?;
        }
        self.pages = checkpoint.pages.clone();
        vm.set_registers_and_counters(&checkpoint.state);
        Ok(())
    }
}
