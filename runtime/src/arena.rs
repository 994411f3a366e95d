use core::cell::UnsafeCell;

/// The memory of a generated guest: `WORDS` words in `.bss`, divided up by a static plan.
///
/// Lengths and places are constants of generated code, so nothing is checked at run time; the plan's
/// tests check that what a call writes is apart from what it reads.
#[derive(Debug)]
#[repr(transparent)]
pub struct Arena<const WORDS: usize>(UnsafeCell<[u32; WORDS]>);

// SAFETY: a guest has one thread.
unsafe impl<const WORDS: usize> Sync for Arena<WORDS> {}

impl<const WORDS: usize> Arena<WORDS> {
    /// An arena of zeros.
    #[expect(clippy::new_without_default, reason = "only ever the value of a static")]
    pub const fn new() -> Self {
        Self(UnsafeCell::new([0; WORDS]))
    }

    /// Words `offset..offset + len` as floats to read.
    ///
    /// # Safety
    /// The words are inside the arena, and nothing writes them while the result is used.
    #[inline(always)]
    pub unsafe fn read(&self, offset: usize, len: usize) -> &[f32] {
        // SAFETY: the caller's promise; any word is a float.
        unsafe { core::slice::from_raw_parts(self.start().add(offset).cast(), len) }
    }

    /// Words `offset..offset + len` as floats to write.
    ///
    /// # Safety
    /// The words are inside the arena, and nothing else refers to them while the result is used.
    #[expect(clippy::mut_from_ref, reason = "disjoint parts are handed out by a static plan")]
    #[inline(always)]
    pub unsafe fn write(&self, offset: usize, len: usize) -> &mut [f32] {
        // SAFETY: the caller's promise; any word is a float.
        unsafe { core::slice::from_raw_parts_mut(self.start().add(offset).cast(), len) }
    }

    /// Words `offset..offset + len` as they cross in a blob.
    ///
    /// # Safety
    /// The words are inside the arena, and nothing else refers to them while the result is used.
    #[expect(clippy::mut_from_ref, reason = "disjoint parts are handed out by a static plan")]
    #[inline(always)]
    pub unsafe fn words(&self, offset: usize, len: usize) -> &mut [u32] {
        // SAFETY: the caller's promise.
        unsafe { core::slice::from_raw_parts_mut(self.start().add(offset), len) }
    }

    #[inline(always)]
    const fn start(&self) -> *mut u32 {
        self.0.get().cast()
    }
}
