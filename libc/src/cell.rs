use core::cell::UnsafeCell;

/// A variable of the library.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct Global<T>(UnsafeCell<T>);

// SAFETY: a guest has one thread. On hosts no two threads share one: the tests that touch such a variable are one test.
unsafe impl<T> Sync for Global<T> {}

impl<T> Global<T> {
    pub const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// Where it lies.
    pub const fn get(&self) -> *mut T {
        self.0.get()
    }
}

impl<T: Copy> Global<T> {
    pub fn load(&self) -> T {
        // SAFETY: nobody has a reference to it, and there is one thread.
        unsafe { *self.get() }
    }

    pub fn store(&self, value: T) {
        // SAFETY: as above.
        unsafe { *self.get() = value }
    }
}
