//! `string.h`, `strings.h` and `ctype.h`.

use std::ffi::c_int;
use std::ptr::null_mut;

use opml_libc::{ctype, heap, string, strings, tokens};

use crate::Random;

/// The host's functions.
mod host {
    use std::ffi::c_int;

    unsafe extern "C" {
        pub fn memchr(memory: *const u8, byte: c_int, count: usize) -> *mut u8;
        pub fn memrchr(memory: *const u8, byte: c_int, count: usize) -> *mut u8;
        pub fn memccpy(to: *mut u8, from: *const u8, byte: c_int, count: usize) -> *mut u8;
        pub fn strnlen(text: *const u8, most: usize) -> usize;
        pub fn stpcpy(to: *mut u8, from: *const u8) -> *mut u8;
        pub fn stpncpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8;
        pub fn strcat(to: *mut u8, from: *const u8) -> *mut u8;
        pub fn strncat(to: *mut u8, from: *const u8, count: usize) -> *mut u8;
        pub fn strcmp(a: *const u8, b: *const u8) -> c_int;
        pub fn strncmp(a: *const u8, b: *const u8, count: usize) -> c_int;
        pub fn strchr(text: *const u8, byte: c_int) -> *mut u8;
        pub fn strrchr(text: *const u8, byte: c_int) -> *mut u8;
        pub fn strchrnul(text: *const u8, byte: c_int) -> *mut u8;
        pub fn strstr(text: *const u8, part: *const u8) -> *mut u8;
        pub fn strspn(text: *const u8, set: *const u8) -> usize;
        pub fn strcspn(text: *const u8, set: *const u8) -> usize;
        pub fn strpbrk(text: *const u8, set: *const u8) -> *mut u8;
        pub fn strtok_r(text: *mut u8, set: *const u8, state: *mut *mut u8) -> *mut u8;
        pub fn strsep(state: *mut *mut u8, set: *const u8) -> *mut u8;
        pub fn strcasecmp(a: *const u8, b: *const u8) -> c_int;
        pub fn strncasecmp(a: *const u8, b: *const u8, count: usize) -> c_int;
        pub fn isalnum(c: c_int) -> c_int;
        pub fn isalpha(c: c_int) -> c_int;
        pub fn isblank(c: c_int) -> c_int;
        pub fn iscntrl(c: c_int) -> c_int;
        pub fn isdigit(c: c_int) -> c_int;
        pub fn isgraph(c: c_int) -> c_int;
        pub fn islower(c: c_int) -> c_int;
        pub fn isprint(c: c_int) -> c_int;
        pub fn ispunct(c: c_int) -> c_int;
        pub fn isspace(c: c_int) -> c_int;
        pub fn isupper(c: c_int) -> c_int;
        pub fn isxdigit(c: c_int) -> c_int;
        pub fn tolower(c: c_int) -> c_int;
        pub fn toupper(c: c_int) -> c_int;
    }
}

/// A text of few letters, so that places are found, with its zero byte; some bytes are above 127.
fn text(random: &mut Random, most: usize) -> Vec<u8> {
    let letters = [b'a', b'b', b'B', b'c', 0xe4, b' ', b','];
    let mut text: Vec<u8> =
        (0..random.below(most + 1)).map(|_| letters[random.below(letters.len())]).collect();
    text.push(0);
    text
}

/// Where in a text a pointer is.
fn place(text: &[u8], pointer: *mut u8) -> Option<usize> {
    (!pointer.is_null()).then(|| pointer.addr() - text.as_ptr().addr())
}

#[test]
fn places_and_spans() {
    let mut random = Random(21);
    for _ in 0..30_000 {
        let (a, b) = (text(&mut random, 20), text(&mut random, 3));
        let (p, q) = (a.as_ptr(), b.as_ptr());
        let byte = c_int::from([b'a', b'B', 0xe4, 0, b'x'][random.below(5)]);
        let count = random.below(a.len() + 1);
        // SAFETY: texts with their zero bytes, and no more bytes than there are.
        unsafe {
            let found = |ours: *mut u8, theirs: *mut u8| {
                assert_eq!(place(&a, ours), place(&a, theirs), "{a:?} {b:?} {byte}")
            };
            found(string::memchr(p, byte, count), host::memchr(p, byte, count));
            found(string::memrchr(p, byte, count), host::memrchr(p, byte, count));
            found(string::strchr(p, byte), host::strchr(p, byte));
            found(string::strrchr(p, byte), host::strrchr(p, byte));
            found(string::strchrnul(p, byte), host::strchrnul(p, byte));
            found(strings::index(p, byte), host::strchr(p, byte));
            found(strings::rindex(p, byte), host::strrchr(p, byte));
            found(string::strstr(p, q), host::strstr(p, q));
            found(string::memmem(p, a.len() - 1, q, b.len() - 1), host::strstr(p, q));
            found(tokens::strpbrk(p, q), host::strpbrk(p, q));
            assert_eq!(tokens::strspn(p, q), host::strspn(p, q));
            assert_eq!(tokens::strcspn(p, q), host::strcspn(p, q));
            assert_eq!(string::strnlen(p, count), host::strnlen(p, count));
        }
    }
}

#[test]
fn comparisons() {
    let mut random = Random(22);
    for _ in 0..30_000 {
        let (a, count) = (text(&mut random, 6), random.below(8));
        let b = if random.below(2) == 0 { text(&mut random, 6) } else { a.to_ascii_uppercase() };
        let (p, q) = (a.as_ptr(), b.as_ptr());
        // SAFETY: texts with their zero bytes.
        unsafe {
            let same = |ours: c_int, theirs: c_int| {
                assert_eq!(ours.signum(), theirs.signum(), "{a:?} {b:?} {count}")
            };
            same(string::strcmp(p, q), host::strcmp(p, q));
            same(string::strcoll(p, q), host::strcmp(p, q));
            same(string::strncmp(p, q, count), host::strncmp(p, q, count));
            same(strings::strcasecmp(p, q), host::strcasecmp(p, q));
            same(strings::strncasecmp(p, q, count), host::strncasecmp(p, q, count));
        }
    }
}

#[test]
fn copies() {
    type Copy = unsafe extern "C" fn(*mut u8, *const u8, usize) -> *mut u8;
    type Append = unsafe extern "C" fn(*mut u8, *const u8) -> *mut u8;
    unsafe extern "C" fn our_memccpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { string::memccpy(to, from, b'b'.into(), count) }
    }
    unsafe extern "C" fn host_memccpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { host::memccpy(to, from, b'b'.into(), count) }
    }
    let mut random = Random(23);
    for _ in 0..10_000 {
        let (start, from) = (text(&mut random, 5), text(&mut random, 12));
        let pair: (Copy, Copy, usize) = [
            (string::stpncpy as Copy, host::stpncpy as Copy, random.below(20)),
            (string::strncat, host::strncat, random.below(20)),
            (our_memccpy, host_memccpy, random.below(from.len() + 1)),
        ][random.below(3)];
        let whole: (Append, Append) =
            [(string::stpcpy as Append, host::stpcpy as Append), (string::strcat, host::strcat)]
                [random.below(2)];
        let (mut ours, mut theirs) = ([b'#'; 40], [b'#'; 40]);
        ours[..start.len()].copy_from_slice(&start);
        theirs[..start.len()].copy_from_slice(&start);
        // SAFETY: the rooms are larger than both texts together.
        unsafe {
            let (a, b) = (
                pair.0(ours.as_mut_ptr(), from.as_ptr(), pair.2),
                pair.1(theirs.as_mut_ptr(), from.as_ptr(), pair.2),
            );
            assert_eq!((place(&ours, a), ours), (place(&theirs, b), theirs));
            // Both are texts, now at the latest.
            (ours[20], theirs[20]) = (0, 0);
            let (a, b) =
                (whole.0(ours.as_mut_ptr(), from.as_ptr()), whole.1(theirs.as_mut_ptr(), from.as_ptr()));
            assert_eq!((place(&ours, a), ours), (place(&theirs, b), theirs));
        }
    }
}

#[test]
fn tokens_come_in_their_order() {
    let mut random = Random(24);
    for _ in 0..5000 {
        let mut ours = text(&mut random, 20);
        let mut theirs = ours.clone();
        let (mut our_state, mut their_state) = (null_mut(), null_mut());
        let (mut first, mut plain) = (ours.as_mut_ptr(), ours.clone());
        let (mut their_first, mut plain_first) = (theirs.as_mut_ptr(), plain.as_mut_ptr());
        loop {
            // SAFETY: texts with their zero bytes; the states are those of the calls before.
            let (a, b, c) = unsafe {
                (
                    tokens::strtok_r(first, c" ,".as_ptr().cast(), &mut our_state),
                    host::strtok_r(their_first, c" ,".as_ptr().cast(), &mut their_state),
                    tokens::strtok(plain_first, c" ,".as_ptr().cast()),
                )
            };
            assert_eq!((place(&ours, a), &ours), (place(&theirs, b), &theirs));
            assert_eq!((place(&plain, c), &plain), (place(&theirs, b), &theirs));
            if a.is_null() {
                break;
            }
            (first, their_first, plain_first) = (null_mut(), null_mut(), null_mut());
        }
        let (mut our_state, mut their_state) = (ours.as_mut_ptr(), theirs.as_mut_ptr());
        while !their_state.is_null() {
            // SAFETY: as above.
            let (a, b) = unsafe {
                (
                    tokens::strsep(&mut our_state, c"a".as_ptr().cast()),
                    host::strsep(&mut their_state, c"a".as_ptr().cast()),
                )
            };
            assert_eq!((place(&ours, a), &ours), (place(&theirs, b), &theirs));
        }
        assert!(our_state.is_null());
    }
}

#[test]
fn characters() {
    macro_rules! same {
        ($($name:ident)*) => {$(
            for c in -1..128 {
                // SAFETY: `EOF` and characters.
                assert_eq!(ctype::$name(c) != 0, unsafe { host::$name(c) } != 0, "{} of {c}", stringify!($name));
            }
        )*};
    }
    same!(isalnum isalpha isblank iscntrl isdigit isgraph islower isprint ispunct isspace isupper isxdigit);
    for c in -1..256 {
        // SAFETY: as above.
        assert_eq!((ctype::tolower(c), ctype::toupper(c)), unsafe { (host::tolower(c), host::toupper(c)) });
    }
}

#[test]
fn bits_are_found() {
    let lowest = [
        strings::ffs(0),
        strings::ffs(1),
        strings::ffs(c_int::MIN),
        strings::ffsl(12),
        strings::ffsll(1 << 40),
    ];
    assert_eq!(lowest, [0, 1, 32, 3, 41]);
}

#[test]
fn blocks_of_the_heap() {
    // SAFETY: blocks are used as far as they reach, and not after they are given back.
    unsafe {
        let block = heap::calloc(3, 5);
        assert_eq!(std::slice::from_raw_parts(block, 15), [0; 15]);
        block.write_bytes(7, 15);
        let larger = heap::realloc(block, 1000);
        assert_eq!(std::slice::from_raw_parts(larger, 15), [7; 15]);
        let smaller = heap::realloc(larger, 4);
        assert_eq!(std::slice::from_raw_parts(smaller, 4), [7; 4]);
        heap::free(smaller);
        heap::free(null_mut());
        for align in [1, 2, 8, 64, 4096] {
            let block = heap::aligned_alloc(align, 100);
            assert!(block.addr().is_multiple_of(align.max(8)));
            block.write_bytes(1, 100);
            let moved = heap::realloc(block, 200);
            assert_eq!(std::slice::from_raw_parts(moved, 100), [1; 100]);
            heap::free(moved);
        }
        assert!(heap::malloc(usize::MAX).is_null() && heap::calloc(usize::MAX, 2).is_null());
        assert!(heap::aligned_alloc(3, 10).is_null());
        let mut place = null_mut();
        assert_eq!(heap::posix_memalign(&mut place, 12, 8), opml_libc::errno::EINVAL);
        assert_eq!(heap::posix_memalign(&mut place, 32, 8), 0);
        assert!(place.addr().is_multiple_of(32));
        heap::free(place);
        let copy = string::strndup(c"hello".as_ptr().cast(), 3);
        assert_eq!(std::slice::from_raw_parts(copy, 4), b"hel\0");
        heap::free(copy);
    }
}
