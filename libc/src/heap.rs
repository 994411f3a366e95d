//! `malloc` and its kin, on the heap that Rust has: `Vec` and `malloc` share one.
//!
//! Rust's allocator has to be told the size of what it takes back, so that stands in front of each block, with the distance to
//! the block's real start.

use alloc::alloc::{Layout, alloc, alloc_zeroed, dealloc};
use core::ffi::c_int;
use core::ptr::null_mut;

use crate::errno::{self, EINVAL, ENOMEM};

/// What stands in front of a block.
#[derive(Clone, Copy)]
#[repr(C)]
struct Header {
    /// Bytes that were asked for.
    size: usize,
    /// The alignment, and how far the block lies behind what the allocator gave.
    align: usize,
}

/// The header is one unit of the least alignment, on which C asks any type to fit.
const ALIGN: usize = size_of::<Header>();

impl Header {
    fn layout(self) -> Option<Layout> {
        Layout::from_size_align(self.size.checked_add(self.align)?, self.align).ok()
    }

    /// The header of `block`.
    ///
    /// # Safety
    /// [`take`] made the block, and it is still in use.
    unsafe fn of(block: *mut u8) -> *mut Self {
        // SAFETY: `take` put a header there.
        unsafe { block.sub(ALIGN).cast() }
    }
}

/// A new block; null, and `ENOMEM`, if there is no room for it.
fn take(size: usize, align: usize, zeroed: bool) -> *mut u8 {
    let header = Header { size, align: align.max(ALIGN) };
    let Some(layout) = header.layout() else {
        errno::set(ENOMEM);
        return null_mut();
    };
    // SAFETY: the layout is not empty, as it has room for the header.
    let start = unsafe { if zeroed { alloc_zeroed(layout) } else { alloc(layout) } };
    if start.is_null() {
        errno::set(ENOMEM);
        return start;
    }
    // SAFETY: there are `align` bytes before the block, at least as many as a header has, and they are aligned for it.
    unsafe {
        let block = start.add(header.align);
        Header::of(block).write(header);
        block
    }
}

/// A block of `size` bytes; a block of none is a block too.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub extern "C" fn malloc(size: usize) -> *mut u8 {
    take(size, ALIGN, false)
}

/// A block of `count` times `size` zero bytes.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub extern "C" fn calloc(count: usize, size: usize) -> *mut u8 {
    // The largest number is the size of no block.
    take(count.saturating_mul(size), ALIGN, true)
}

/// A block of `size` bytes whose address is a multiple of `align`, a power of two.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub extern "C" fn aligned_alloc(align: usize, size: usize) -> *mut u8 {
    if align.is_power_of_two() {
        return take(size, align, false);
    }
    errno::set(EINVAL);
    null_mut()
}

/// Puts such a block into `place` and returns 0, or else the number of an error.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn posix_memalign(place: *mut *mut u8, align: usize, size: usize) -> c_int {
    if !align.is_power_of_two() || !align.is_multiple_of(size_of::<usize>()) {
        return EINVAL;
    }
    let block = take(size, align, false);
    if block.is_null() {
        return ENOMEM;
    }
    // SAFETY: the caller's promise.
    unsafe { *place = block };
    0
}

/// A block of `size` bytes that begins with what was in `block`, which is given back; if there is no room, null, and `block` stays.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn realloc(block: *mut u8, size: usize) -> *mut u8 {
    if block.is_null() {
        return take(size, ALIGN, false);
    }
    // SAFETY: the caller's promise: the block is in use.
    let header = unsafe { *Header::of(block) };
    if header.align == ALIGN && size <= header.size && size >= header.size / 2 {
        // The header keeps the size that the allocator knows.
        return block;
    }
    let new = take(size, ALIGN, false);
    if !new.is_null() {
        // SAFETY: both have that many bytes, and are two blocks.
        unsafe {
            new.copy_from_nonoverlapping(block, size.min(header.size));
            free(block);
        }
    }
    new
}

/// Gives `block` back; null is none.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn free(block: *mut u8) {
    if block.is_null() {
        return;
    }
    // SAFETY: the caller's promise: the block is in use, so its header says how it was taken.
    unsafe {
        let header = *Header::of(block);
        if let Some(layout) = header.layout() {
            dealloc(block.sub(header.align), layout);
        }
    }
}
