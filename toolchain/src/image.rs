//! From an audited program to the VM's initial state. Its memory is the file's: whole pages are not copied.

use opml_state::cannon::{Metadata, Symbol};
use opml_state::{Memory, State};
use opml_targets::Target;

use crate::audit::AuditedElf;

/// The initial state of `program` on `target`: its segments in memory, everything else zero.
///
/// # Panics
/// Never, for a target whose memory map has 32-bit addresses: the audit has seen to the rest.
pub fn initial_state(program: &AuditedElf, target: &Target) -> State {
    let elf = program.elf();
    let address = |value: u64| u32::try_from(value).expect("the memory map has 32-bit addresses");
    let mut memory = Memory::new();
    for segment in elf.segments().iter().filter(|s| s.is_loaded()) {
        let start = address(segment.range().start);
        memory
            .share(start, &elf.shared_segment_data(segment))
            .expect("the audit keeps segments inside the memory map");
    }
    let map = target.memory();
    let (heap, stack) = (address(map.heap.start), address(map.stack.top));
    State::initial(address(elf.header().entry), memory, heap, stack)
        .expect("the memory map has room for the stack")
}

/// The program's functions and variables, for the ecosystem's tools.
pub fn metadata(program: &AuditedElf) -> Metadata {
    let elf = program.elf();
    let symbols = elf.symbols().iter().filter_map(|symbol| {
        let (start, size) = (u32::try_from(symbol.address).ok()?, u32::try_from(symbol.size).ok()?);
        Some(Symbol { name: elf.symbol_name(symbol), start, size })
    });
    Metadata::new(symbols.collect())
}
