use super::Sink;

/// A place in memory that text is written to, of which it keeps what there is room for.
#[derive(Debug)]
pub struct Memory {
    place: *mut u8,
    /// Bytes that may still be written, one for the zero byte not among them.
    room: usize,
    has_end: bool,
}

impl Memory {
    /// The `size` bytes from `place` on, the last one for the zero byte.
    ///
    /// # Safety
    /// They may be written as far as the text and its zero byte reach, as long as the value is used.
    pub unsafe fn new(place: *mut u8, size: usize) -> Self {
        Self { place, room: size.saturating_sub(1), has_end: size != 0 }
    }

    /// Writes the zero byte.
    pub fn end(self) {
        if self.has_end {
            // SAFETY: `new`'s promise.
            unsafe { *self.place = 0 }
        }
    }
}

impl Sink for Memory {
    fn put(&mut self, bytes: &[u8]) {
        let count = bytes.len().min(self.room);
        // SAFETY: `new`'s promise, and no more than the room.
        unsafe {
            self.place.copy_from_nonoverlapping(bytes.as_ptr(), count);
            self.place = self.place.add(count);
        }
        self.room -= count;
    }
}
