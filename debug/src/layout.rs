use std::ops::Range;

use opml_targets::MemoryMap;
use opml_toolchain::elf::{Elf, Segment};
use opml_vm::Layout;

/// What of the memory is whose: by the segments of the program's file, and by the memory map of its VM for what no file says. All of
/// the image's part of the map may be accessed, as programs keep a heap behind their segments.
pub fn layout(elf: &Elf, map: &MemoryMap) -> Layout {
    let loaded = || elf.segments().iter().filter(|segment| segment.is_loaded());
    let ranges = |wanted: &dyn Fn(&Segment) -> bool| -> Vec<Range<u32>> {
        let segments = loaded().filter(|segment| wanted(segment));
        segments.map(|segment| range(segment.range().start, segment.range().end)).collect()
    };
    let lowest = loaded().map(|segment| segment.address).min().unwrap_or(map.image.start);
    let image_start = lowest.min(map.image.start);
    let open = vec![range(image_start, map.image.end)];
    Layout {
        code: ranges(&|segment| segment.is_executable()),
        read_only: ranges(&|segment| !segment.is_writable()),
        writable: ranges(&|segment| segment.is_writable()),
        open,
        image_start: image_start as u32,
        heap: range(map.heap.start, map.heap.end),
        stack: range(map.stack.top.saturating_sub(map.stack.size), map.stack.top),
    }
}

/// The part of a range that is in the address space.
fn range(start: u64, end: u64) -> Range<u32> {
    let address = |address: u64| u32::try_from(address).unwrap_or(u32::MAX);
    address(start)..address(end)
}
