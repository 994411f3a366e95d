//! Numbers to choose with, and numbers to choose from.

/// Where sums, products and signs go wrong.
pub const INTEGERS: &[i64] = &[
    0,
    1,
    -1,
    2,
    -2,
    3,
    -3,
    4,
    5,
    7,
    8,
    16,
    100,
    127,
    -128,
    255,
    1 << 16,
    1 << 20,
    1 << 28,
    i32::MAX as i64,
    i32::MIN as i64,
    1 << 32,
    1 << 62,
    i64::MAX,
    i64::MIN,
];

/// Most dimensions are small, as few others get far.
pub const DIMENSIONS: &[i64] =
    &[0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 8, 12, 64, 1 << 16, 1 << 28, 1 << 31, i64::MAX];

pub const FLOATS: &[f32] = &[
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    2.0,
    3.0,
    1e-30,
    1e30,
    f32::MAX,
    f32::MIN_POSITIVE,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
];

/// splitmix64: one seed makes one input.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, len: usize) -> usize {
        (self.next() % len.max(1) as u64) as usize
    }

    pub fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    pub fn word(&mut self, of: &'static str) -> &'static str {
        let words: Vec<_> = of.split_whitespace().collect();
        self.one_of(&words)
    }
}
