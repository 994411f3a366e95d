//! `errno.h`: numbers as Linux has them on MIPS.

use core::ffi::c_int;

use crate::cell::Global;

/// An argument is outside the domain of a function.
pub const EDOM: c_int = 33;
/// A result cannot be represented.
pub const ERANGE: c_int = 34;
/// An argument makes no sense.
pub const EINVAL: c_int = 22;
/// There is no memory left.
pub const ENOMEM: c_int = 12;
/// A text would be longer than an `int` can say.
pub const EOVERFLOW: c_int = 79;

static ERRNO: Global<c_int> = Global::new(0);

/// Where `errno` lies.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub extern "C" fn __errno_location() -> *mut c_int {
    ERRNO.get()
}

pub(crate) fn set(number: c_int) {
    ERRNO.store(number);
}

/// What `number` says.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub extern "C" fn strerror(number: c_int) -> *const u8 {
    let text = match number {
        0 => c"Success",
        EDOM => c"Numerical argument out of domain",
        ERANGE => c"Numerical result out of range",
        EINVAL => c"Invalid argument",
        ENOMEM => c"Cannot allocate memory",
        EOVERFLOW => c"Value too large for defined data type",
        _ => c"Unknown error",
    };
    text.as_ptr().cast()
}
