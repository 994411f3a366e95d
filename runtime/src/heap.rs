//! The heap of guests written by hand: all memory between the image and what the VM gives to `mmap`.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::{Cell, UnsafeCell};
use core::ptr::null_mut;

use dlmalloc::{Allocator, Dlmalloc};

unsafe extern "C" {
    // The linker script places both: the first address behind the image, and the first that no image may have.
    static _end: u8;
    static _heap_end: u8;
}

/// A page of the VM.
const PAGE: usize = 4096;

/// What the allocator gets memory from: it is given out once, upwards, and never taken back. Memory is not proven
/// until it is touched, so nothing is gained by giving some back.
struct Region {
    /// Bytes that were given out.
    taken: Cell<usize>,
}

// SAFETY: `alloc` gives out memory between two addresses where nothing else of the program lies, and none of it twice.
unsafe impl Allocator for Region {
    fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
        // The rest of the last page of the image is left alone: what is in it may be constants.
        let end = &raw const _end;
        let start = end.wrapping_add(end.addr().next_multiple_of(PAGE) - end.addr());
        let room = (&raw const _heap_end).addr() - start.addr();
        let taken = self.taken.get();
        if size > room - taken {
            return (null_mut(), 0, 0);
        }
        self.taken.set(taken + size);
        (start.cast_mut().wrapping_add(taken), size, 0)
    }

    fn remap(&self, _: *mut u8, _: usize, _: usize, _: bool) -> *mut u8 {
        null_mut()
    }

    fn free_part(&self, _: *mut u8, _: usize, _: usize) -> bool {
        false
    }

    fn free(&self, _: *mut u8, _: usize) -> bool {
        false
    }

    fn can_release_part(&self, _: u32) -> bool {
        false
    }

    /// Memory of the VM is zero until it is written.
    fn allocates_zeros(&self) -> bool {
        true
    }

    fn page_size(&self) -> usize {
        PAGE
    }
}

struct Heap(UnsafeCell<Dlmalloc<Region>>);

// SAFETY: a guest has one thread.
unsafe impl Sync for Heap {}

#[global_allocator]
static HEAP: Heap = Heap(UnsafeCell::new(Dlmalloc::new_with_allocator(Region { taken: Cell::new(0) })));

// SAFETY: dlmalloc keeps what the trait asks for, and nothing interrupts it.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: there is one thread, and no call is inside another.
        unsafe { (*self.0.get()).malloc(layout.size(), layout.align()) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { (*self.0.get()).calloc(layout.size(), layout.align()) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above; the caller promises that the pointer is of this heap.
        unsafe { (*self.0.get()).free(pointer, layout.size(), layout.align()) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        unsafe { (*self.0.get()).realloc(pointer, layout.size(), layout.align(), size) }
    }
}
