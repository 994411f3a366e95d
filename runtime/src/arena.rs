use core::cell::UnsafeCell;

/// A type of which any bytes of its size are a value.
///
/// # Safety
/// They are, and it needs no larger alignment than `u64`.
pub unsafe trait Plain: Copy {}

// SAFETY: numbers without padding.
unsafe impl Plain for f32 {}
// SAFETY: as above.
unsafe impl Plain for i64 {}
// SAFETY: as above.
unsafe impl Plain for i32 {}
// SAFETY: as above.
unsafe impl Plain for u32 {}
// SAFETY: as above.
unsafe impl Plain for i8 {}
// SAFETY: as above.
unsafe impl Plain for u8 {}

/// The bytes of elements.
#[inline(always)]
pub fn bytes<T: Plain>(elements: &[T]) -> &[u8] {
    // SAFETY: the elements have no padding, and a byte needs no alignment.
    unsafe { core::slice::from_raw_parts(elements.as_ptr().cast(), size_of_val(elements)) }
}

/// The bytes of elements, to be written.
#[inline(always)]
pub fn bytes_mut<T: Plain>(elements: &mut [T]) -> &mut [u8] {
    let len = size_of_val(elements);
    // SAFETY: the elements have no padding, any bytes are one, and a byte needs no alignment.
    unsafe { core::slice::from_raw_parts_mut(elements.as_mut_ptr().cast(), len) }
}

/// The memory of a generated guest: `UNITS` times eight bytes in `.bss`, divided up by a static plan.
///
/// Lengths and places are constants of generated code, so nothing is checked at run time; the plan's
/// tests check that what a call writes is apart from what it reads.
#[derive(Debug)]
#[repr(transparent)]
pub struct Arena<const UNITS: usize>(UnsafeCell<[u64; UNITS]>);

// SAFETY: a guest has one thread.
unsafe impl<const UNITS: usize> Sync for Arena<UNITS> {}

impl<const UNITS: usize> Arena<UNITS> {
    /// An arena of zeros.
    #[expect(clippy::new_without_default, reason = "only ever the value of a static")]
    pub const fn new() -> Self {
        Self(UnsafeCell::new([0; UNITS]))
    }

    /// `len` elements from byte `offset` on, to read.
    ///
    /// # Safety
    /// They are inside the arena, `offset` is a multiple of the element's size, and nothing writes them while the result is used.
    #[inline(always)]
    pub unsafe fn read<T: Plain>(&self, offset: usize, len: usize) -> &[T] {
        // SAFETY: the caller's promise; any bytes are elements.
        unsafe { core::slice::from_raw_parts(self.start().add(offset).cast(), len) }
    }

    /// `len` elements from byte `offset` on, to write.
    ///
    /// # Safety
    /// They are inside the arena, `offset` is a multiple of the element's size, and nothing else refers to them while the result is used.
    #[expect(clippy::mut_from_ref, reason = "disjoint parts are handed out by a static plan")]
    #[inline(always)]
    pub unsafe fn write<T: Plain>(&self, offset: usize, len: usize) -> &mut [T] {
        // SAFETY: the caller's promise; any bytes are elements.
        unsafe { core::slice::from_raw_parts_mut(self.start().add(offset).cast(), len) }
    }

    /// `len` words from byte `offset` on, as they cross in a blob.
    ///
    /// # Safety
    /// Those of [`write`](Self::write).
    #[expect(clippy::mut_from_ref, reason = "disjoint parts are handed out by a static plan")]
    #[inline(always)]
    pub unsafe fn words(&self, offset: usize, len: usize) -> &mut [u32] {
        // SAFETY: the caller's promise.
        unsafe { self.write(offset, len) }
    }

    #[inline(always)]
    const fn start(&self) -> *mut u8 {
        self.0.get().cast()
    }
}
