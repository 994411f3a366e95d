//! `qsort` and `bsearch`.

use core::cmp::Ordering;
use core::ffi::c_int;
use core::ptr::null;

use crate::heap;

/// Says how two elements stand to each other, by the sign.
pub type Compare = unsafe extern "C" fn(*const u8, *const u8) -> c_int;

/// Sorts `count` elements of `size` bytes from `base` on. Elements that compare as equal stay in their order.
///
/// A merge sort, as glibc's is where there is memory: a comparison that knows only "greater" is enough for it, and many programs have one.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn qsort(base: *mut u8, count: usize, size: usize, compare: Compare) {
    if count < 2 || size == 0 {
        return;
    }
    let room = heap::malloc(count.saturating_mul(size));
    assert!(!room.is_null(), "qsort: no memory");
    let sort = Sort { room, size, compare };
    // SAFETY: there are that many elements, and the room is as large.
    unsafe {
        sort.run(base, count);
        heap::free(room);
    }
}

struct Sort {
    /// As many bytes as all elements have.
    room: *mut u8,
    size: usize,
    compare: Compare,
}

impl Sort {
    /// Sorts `count` elements from `base` on.
    ///
    /// # Safety
    /// They are there, and the room is as large.
    unsafe fn run(&self, base: *mut u8, count: usize) {
        if count < 2 {
            return;
        }
        let half = count / 2;
        // SAFETY: two parts of what the caller promised.
        unsafe {
            let middle = base.add(half * self.size);
            self.run(base, half);
            self.run(middle, count - half);
            self.merge(base, middle, base.add(count * self.size));
        }
    }

    /// Merges two sorted runs: from `start` to `middle`, and from there to `end`.
    ///
    /// # Safety
    /// They are there, and the room is as large as both.
    unsafe fn merge(&self, start: *mut u8, middle: *mut u8, end: *mut u8) {
        let (mut left, mut right, mut to) = (start, middle, self.room);
        // SAFETY: `left` and `right` stay inside their runs, and `to` moves by as much as both together.
        unsafe {
            while left < middle && right < end {
                let from = if (self.compare)(left, right) > 0 { &mut right } else { &mut left };
                to.copy_from_nonoverlapping(*from, self.size);
                *from = from.add(self.size);
                to = to.add(self.size);
            }
            // What is left of the right run is where it belongs.
            let rest = middle.offset_from_unsigned(left);
            start.add(to.offset_from_unsigned(self.room)).copy_from(left, rest);
            start.copy_from_nonoverlapping(self.room, to.offset_from_unsigned(self.room));
        }
    }
}

/// An element that compares as equal to `key`, of `count` sorted ones of `size` bytes; null if there is none.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub unsafe extern "C" fn bsearch(
    key: *const u8,
    base: *const u8,
    count: usize,
    size: usize,
    compare: Compare,
) -> *const u8 {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        // SAFETY: an element that the caller promised.
        let (element, order) = unsafe {
            let element = base.add(middle * size);
            (element, compare(key, element))
        };
        match order.cmp(&0) {
            Ordering::Less => high = middle,
            Ordering::Equal => return element,
            Ordering::Greater => low = middle + 1,
        }
    }
    null()
}
