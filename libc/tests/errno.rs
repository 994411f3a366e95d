//! What functions say in `errno`. One test, as there is one `errno`: guests have one thread.

use std::ffi::{CStr, c_int};
use std::ptr::null_mut;

use opml_libc::{errno, heap, integer, number};

/// What `call` returns, and what it left in `errno`.
fn with_errno<T>(call: impl FnOnce() -> T) -> (T, c_int) {
    let place = errno::__errno_location();
    // SAFETY: the library's own place, of which no other thread knows.
    unsafe {
        *place = 0;
        (call(), *place)
    }
}

#[test]
fn what_cannot_be_done_is_said() {
    // SAFETY: texts.
    let long =
        |text: &CStr, base| with_errno(|| unsafe { number::strtol(text.as_ptr().cast(), null_mut(), base) });
    assert_eq!(long(c"2147483647", 10), (i32::MAX, 0));
    assert_eq!(long(c"2147483648", 10), (i32::MAX, errno::ERANGE));
    assert_eq!(long(c"-2147483648", 10), (i32::MIN, 0));
    assert_eq!(long(c"-2147483649", 10), (i32::MIN, errno::ERANGE));
    assert_eq!(long(c"11", 1), (0, errno::EINVAL));
    assert_eq!(long(c"11", 37), (0, errno::EINVAL));
    // SAFETY: texts.
    let unsigned =
        |text: &CStr| with_errno(|| unsafe { number::strtoul(text.as_ptr().cast(), null_mut(), 0) });
    assert_eq!(unsigned(c"0xffffffff"), (u32::MAX, 0));
    assert_eq!(unsigned(c"4294967296"), (u32::MAX, errno::ERANGE));
    assert_eq!(unsigned(c"-1"), (u32::MAX, 0));
    // SAFETY: texts.
    let double = |text: &CStr| with_errno(|| unsafe { number::strtod(text.as_ptr().cast(), null_mut()) });
    assert_eq!(double(c"1e999"), (f64::INFINITY, errno::ERANGE));
    assert_eq!(double(c"0x1p-2000"), (0.0, errno::ERANGE));
    assert_eq!(double(c"1e-999"), (0.0, errno::ERANGE));
    assert_eq!(double(c"0e999"), (0.0, 0));
    assert_eq!(with_errno(|| heap::malloc(usize::MAX).is_null()), (true, errno::ENOMEM));
    assert_eq!(with_errno(|| heap::aligned_alloc(3, 1).is_null()), (true, errno::EINVAL));
    let texts = [errno::ERANGE, errno::EDOM, errno::EINVAL, errno::ENOMEM, errno::EOVERFLOW, 0, -1];
    // SAFETY: the library's own texts.
    let texts = texts.map(|number| unsafe { CStr::from_ptr(errno::strerror(number).cast()) });
    assert!(texts.iter().enumerate().all(|(i, text)| !texts[..i].contains(text)));
}

#[test]
fn divisions_go_towards_zero() {
    let division = integer::Division { quot: -3, rem: -1 };
    assert_eq!([integer::div(-7, 2), integer::ldiv(-7, 2)], [division; 2]);
    let long = integer::LongDivision { quot: -3_500_000_000, rem: -1 };
    assert_eq!([integer::lldiv(-7_000_000_001, 2), integer::imaxdiv(-7_000_000_001, 2)], [long; 2]);
    assert_eq!((integer::abs(-5), integer::labs(-5), integer::llabs(-5), integer::imaxabs(5)), (5, 5, 5, 5));
}
