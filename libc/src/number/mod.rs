//! Numbers out of text: `strtol`, `strtod` and their kin.

mod float;
mod integer;

pub use float::{atof, strtod, strtof, strtold};
pub use integer::{atoi, atol, atoll, strtoimax, strtol, strtoll, strtoul, strtoull, strtoumax};

/// Writes to `place`, unless it is null, how far a number reached.
///
/// # Safety
/// `place` may be written, if it is one.
unsafe fn tell_end(place: *mut *mut u8, end: *const u8) {
    if !place.is_null() {
        // SAFETY: the caller's promise.
        unsafe { *place = end.cast_mut() }
    }
}
