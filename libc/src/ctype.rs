//! `ctype.h`: characters, ASCII and no other.

use core::ffi::c_int;

/// The functions that tell what a character is: any other number than zero says yes. `EOF` and what is no ASCII is nothing.
macro_rules! classes {
    ($($(#[$doc:meta])* $name:ident = $is:expr;)*) => {$(
        $(#[$doc])*
        #[cfg_attr(target_os = "none", unsafe(no_mangle))]
        pub extern "C" fn $name(character: c_int) -> c_int {
            let is: fn(u8) -> bool = $is;
            c_int::from(u8::try_from(character).is_ok_and(is))
        }
    )*};
}

classes! {
    /// A letter or a digit.
    isalnum = |c| c.is_ascii_alphanumeric();
    /// A letter.
    isalpha = |c| c.is_ascii_alphabetic();
    /// A space or a tab.
    isblank = |c| c == b' ' || c == b'\t';
    /// A control character.
    iscntrl = |c| c.is_ascii_control();
    /// A digit.
    isdigit = |c| c.is_ascii_digit();
    /// What has ink.
    isgraph = |c| c.is_ascii_graphic();
    /// A small letter.
    islower = |c| c.is_ascii_lowercase();
    /// What takes room: ink or a space.
    isprint = |c| c.is_ascii_graphic() || c == b' ';
    /// What has ink and is neither letter nor digit.
    ispunct = |c| c.is_ascii_punctuation();
    /// White space, the vertical tab included.
    isspace = is_space;
    /// A capital letter.
    isupper = |c| c.is_ascii_uppercase();
    /// A hexadecimal digit.
    isxdigit = |c| c.is_ascii_hexdigit();
}

/// White space as C has it: Rust's ASCII white space lacks the vertical tab.
pub(crate) const fn is_space(c: u8) -> bool {
    c == b' ' || (c >= b'\t' && c <= b'\r')
}

/// The small letter of a capital one; else what it is given.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub extern "C" fn tolower(character: c_int) -> c_int {
    u8::try_from(character).map_or(character, |c| c.to_ascii_lowercase().into())
}

/// The capital letter of a small one; else what it is given.
#[cfg_attr(target_os = "none", unsafe(no_mangle))]
pub extern "C" fn toupper(character: c_int) -> c_int {
    u8::try_from(character).map_or(character, |c| c.to_ascii_uppercase().into())
}
