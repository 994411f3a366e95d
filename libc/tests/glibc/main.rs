//! The library beside the host's: same text, same numbers, same places.
//!
//! The host's C library is called by its own names. Where the VM's `long` has 32 bits and the host's 64, `long long` stands in.

#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod numbers;
mod printf;
mod sorting;
mod strings;

/// Numbers that look random and are the same in every run (Steele, Lea, Flood: splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    /// A double of any kind: any bits, a short decimal number, one next to a tie of decimal digits.
    fn double(&mut self) -> f64 {
        match self.below(4) {
            0 => f64::from_bits(self.next()),
            1 => (self.next() as i64 >> self.below(63)) as f64 / [1.0, 2.0, 8.0, 1024.0][self.below(4)],
            2 => (self.below(2_000_000) as f64 - 1e6) / 1000.0,
            _ => [
                0.0,
                -0.0,
                0.5,
                1.5,
                2.5,
                9.5,
                99.5,
                0.125,
                1e15,
                1e16,
                1e-5,
                5e-324,
                f64::MAX,
                f64::INFINITY,
            ][self.below(14)],
        }
    }
}
