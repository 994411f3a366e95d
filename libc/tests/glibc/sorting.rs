//! `qsort` and `bsearch`, and `rand` by its formula.

use std::ffi::c_int;

use opml_libc::{random, sort};

use crate::Random;

unsafe extern "C" {
    fn qsort(
        base: *mut u8,
        count: usize,
        size: usize,
        compare: unsafe extern "C" fn(*const u8, *const u8) -> c_int,
    );
}

/// By the first byte; elements with the same one tell by the rest whether they kept their order.
unsafe extern "C" fn by_first(a: *const u8, b: *const u8) -> c_int {
    // SAFETY: elements have a first byte.
    unsafe { c_int::from(*a) - c_int::from(*b) }
}

/// Knows only "greater", as many comparisons do.
unsafe extern "C" fn greater(a: *const u8, b: *const u8) -> c_int {
    // SAFETY: as above.
    unsafe { c_int::from(*a > *b) }
}

#[test]
fn elements_are_sorted_and_equal_ones_keep_their_order() {
    let mut random = Random(11);
    for _ in 0..3000 {
        let (size, count) = (1 + random.below(12), random.below(60));
        let bytes: Vec<u8> =
            (0..size * count).map(|_| random.below(if count > 30 { 8 } else { 256 }) as u8).collect();
        let mut expected: Vec<&[u8]> = bytes.chunks(size).collect();
        expected.sort_by_key(|element| element[0]);
        for compare in [by_first as sort::Compare, greater] {
            let (mut ours, mut glibc) = (bytes.clone(), bytes.clone());
            // SAFETY: there are so many elements.
            unsafe {
                sort::qsort(ours.as_mut_ptr(), count, size, compare);
                qsort(glibc.as_mut_ptr(), count, size, by_first);
            }
            assert_eq!(ours, expected.concat());
            let firsts = |bytes: &[u8]| bytes.iter().step_by(size).copied().collect::<Vec<_>>();
            assert_eq!(firsts(&ours), firsts(&glibc));
        }
    }
}

#[test]
fn elements_are_found() {
    let sorted: Vec<u8> = (0..100).map(|k| 2 * k).collect();
    for key in 0..=255u8 {
        // SAFETY: there are so many elements.
        let found = unsafe { sort::bsearch(&key, sorted.as_ptr(), sorted.len(), 1, by_first) };
        let place = sorted.iter().position(|element| *element == key);
        assert_eq!(found, place.map_or(std::ptr::null(), |i| &raw const sorted[i]));
    }
}

/// The example of the C standard.
#[test]
fn random_numbers_are_those_of_the_standard() {
    let numbers = |seed: Option<u32>| {
        if let Some(seed) = seed {
            random::srand(seed);
        }
        [random::rand(), random::rand(), random::rand()]
    };
    assert_eq!(numbers(None), [16838, 5758, 10113]);
    assert_eq!(numbers(Some(1)), [16838, 5758, 10113]);
    let mut next = 42u32;
    let mut formula = || {
        next = next.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        (next / 65_536 % 32_768) as c_int
    };
    assert_eq!(numbers(Some(42)), [formula(), formula(), formula()]);
    let mut state = 42;
    // SAFETY: a place.
    assert_eq!(unsafe { random::rand_r(&mut state) }, numbers(Some(42))[0]);
}
