/// Words of the image, the first of which says how many they are, itself included: what depends on the values of
/// weights in number, while the program may not.
#[derive(Debug)]
#[repr(transparent)]
pub struct Counted([u32; 0]);

impl Counted {
    /// The words.
    ///
    /// # Safety
    /// `self` is an external static that stands for as many words as its first one says.
    #[inline(always)]
    pub unsafe fn words(&'static self) -> &'static [u32] {
        let first = core::ptr::from_ref(self).cast::<u32>();
        // SAFETY: the caller's promise.
        unsafe { core::slice::from_raw_parts(first, *first as usize) }
    }
}
