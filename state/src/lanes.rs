//! keccak256 of many 64-byte messages at once: the nodes of the memory tree.
//!
//! A tree node is one Keccak-f\[1600\] permutation of a fixed layout, and the nodes of a level do not
//! depend on each other, so 8 (AVX-512) or 4 (AVX2) of them go through the permutation side by side, a
//! message per vector lane. The crates on offer permute one message at a time, or several on a nightly
//! compiler only. Every width gives the same bytes; the tests hold each against the `sha3` crate.

/// Words of the sponge state.
const STATE: usize = 25;

/// Round constants of Keccak-f\[1600\] (FIPS 202, 3.2.5).
const ROUND: [u64; 24] = [
    0x0000000000000001,
    0x0000000000008082,
    0x800000000000808a,
    0x8000000080008000,
    0x000000000000808b,
    0x0000000080000001,
    0x8000000080008081,
    0x8000000000008009,
    0x000000000000008a,
    0x0000000000000088,
    0x0000000080008009,
    0x000000008000000a,
    0x000000008000808b,
    0x800000000000008b,
    0x8000000000008089,
    0x8000000000008003,
    0x8000000000008002,
    0x8000000000000080,
    0x000000000000800a,
    0x800000008000000a,
    0x8000000080008081,
    0x8000000000008080,
    0x0000000080000001,
    0x8000000080008008,
];

/// One word of the sponge state for `LANES` messages.
trait Word: Copy {
    const LANES: usize;
    fn splat(word: u64) -> Self;
    /// `word(lane)` for each lane.
    fn gather(word: impl Fn(usize) -> u64) -> Self;
    fn scatter(self, put: impl FnMut(usize, u64));
    fn xor(self, other: Self) -> Self;
    /// Exclusive or of three.
    fn xor3(self, b: Self, c: Self) -> Self;
    /// `self ^ (!b & c)`, the step chi.
    fn chi(self, b: Self, c: Self) -> Self;
    fn rotate<const LEFT: i32, const RIGHT: i32>(self) -> Self;
}

impl Word for u64 {
    const LANES: usize = 1;
    #[inline(always)]
    fn splat(word: u64) -> Self {
        word
    }
    #[inline(always)]
    fn gather(word: impl Fn(usize) -> u64) -> Self {
        word(0)
    }
    #[inline(always)]
    fn scatter(self, mut put: impl FnMut(usize, u64)) {
        put(0, self);
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self ^ other
    }
    #[inline(always)]
    fn xor3(self, b: Self, c: Self) -> Self {
        self ^ b ^ c
    }
    #[inline(always)]
    fn chi(self, b: Self, c: Self) -> Self {
        self ^ (!b & c)
    }
    #[inline(always)]
    fn rotate<const LEFT: i32, const RIGHT: i32>(self) -> Self {
        self.rotate_left(LEFT as u32)
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Word;
    use core::arch::x86_64::*;

    /// Four lanes; only made where AVX2 was found.
    #[derive(Clone, Copy)]
    pub(super) struct Avx2(__m256i);

    /// Eight lanes; only made where AVX-512F was found.
    #[derive(Clone, Copy)]
    pub(super) struct Avx512(__m512i);

    // SAFETY (of each `unsafe` below): the intrinsics need the CPU feature their type is named after, and
    // the only functions that use these types, `super::hash4` and `super::hash8`, are entered after a check.

    impl Word for Avx2 {
        const LANES: usize = 4;
        #[inline(always)]
        fn splat(word: u64) -> Self {
            // SAFETY: see above.
            Self(unsafe { _mm256_set1_epi64x(word as i64) })
        }
        #[inline(always)]
        fn gather(word: impl Fn(usize) -> u64) -> Self {
            let words: [u64; 4] = core::array::from_fn(word);
            // SAFETY: see above; the array is 32 bytes.
            Self(unsafe { _mm256_loadu_si256(words.as_ptr().cast()) })
        }
        #[inline(always)]
        fn scatter(self, mut put: impl FnMut(usize, u64)) {
            let mut words = [0; 4];
            // SAFETY: see above; the array is 32 bytes.
            unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), self.0) };
            words.into_iter().enumerate().for_each(|(lane, word)| put(lane, word));
        }
        #[inline(always)]
        fn xor(self, other: Self) -> Self {
            // SAFETY: see above.
            Self(unsafe { _mm256_xor_si256(self.0, other.0) })
        }
        #[inline(always)]
        fn xor3(self, b: Self, c: Self) -> Self {
            self.xor(b).xor(c)
        }
        #[inline(always)]
        fn chi(self, b: Self, c: Self) -> Self {
            // SAFETY: see above.
            self.xor(Self(unsafe { _mm256_andnot_si256(b.0, c.0) }))
        }
        #[inline(always)]
        fn rotate<const LEFT: i32, const RIGHT: i32>(self) -> Self {
            // SAFETY: see above.
            Self(unsafe {
                _mm256_or_si256(_mm256_slli_epi64::<LEFT>(self.0), _mm256_srli_epi64::<RIGHT>(self.0))
            })
        }
    }

    impl Word for Avx512 {
        const LANES: usize = 8;
        #[inline(always)]
        fn splat(word: u64) -> Self {
            // SAFETY: see above.
            Self(unsafe { _mm512_set1_epi64(word as i64) })
        }
        #[inline(always)]
        fn gather(word: impl Fn(usize) -> u64) -> Self {
            let words: [u64; 8] = core::array::from_fn(word);
            // SAFETY: see above; the array is 64 bytes.
            Self(unsafe { _mm512_loadu_si512(words.as_ptr().cast()) })
        }
        #[inline(always)]
        fn scatter(self, mut put: impl FnMut(usize, u64)) {
            let mut words = [0; 8];
            // SAFETY: see above; the array is 64 bytes.
            unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), self.0) };
            words.into_iter().enumerate().for_each(|(lane, word)| put(lane, word));
        }
        #[inline(always)]
        fn xor(self, other: Self) -> Self {
            // SAFETY: see above.
            Self(unsafe { _mm512_xor_si512(self.0, other.0) })
        }
        #[inline(always)]
        fn xor3(self, b: Self, c: Self) -> Self {
            // SAFETY: see above. 0x96 is the truth table of a ^ b ^ c.
            Self(unsafe { _mm512_ternarylogic_epi64::<0x96>(self.0, b.0, c.0) })
        }
        #[inline(always)]
        fn chi(self, b: Self, c: Self) -> Self {
            // SAFETY: see above. 0xd2 is the truth table of a ^ (!b & c).
            Self(unsafe { _mm512_ternarylogic_epi64::<0xd2>(self.0, b.0, c.0) })
        }
        #[inline(always)]
        fn rotate<const LEFT: i32, const RIGHT: i32>(self) -> Self {
            // SAFETY: see above.
            Self(unsafe { _mm512_rol_epi64::<LEFT>(self.0) })
        }
    }
}

/// Keccak-f\[1600\] (FIPS 202, 3.3), rho and pi in one pass over the state.
#[inline(always)]
fn permute<W: Word>(a: &mut [W; STATE]) {
    for constant in ROUND {
        let c: [W; 5] = core::array::from_fn(|x| a[x].xor3(a[x + 5], a[x + 10]).xor3(a[x + 15], a[x + 20]));
        let d: [W; 5] = core::array::from_fn(|x| c[(x + 4) % 5].xor(c[(x + 1) % 5].rotate::<1, 63>()));
        let mut b = [W::splat(0); STATE];
        // Each line: word (x, y) of theta's result goes to (y, 2x + 3y), rotated by its rho offset.
        b[0] = a[0].xor(d[0]);
        macro_rules! rho_pi {
            ($($from:literal $to:literal $left:literal;)*) => {
                $( b[$to] = a[$from].xor(d[$from % 5]).rotate::<$left, { 64 - $left }>(); )*
            };
        }
        rho_pi! {
            1 10 1; 2 20 62; 3 5 28; 4 15 27; 5 16 36; 6 1 44; 7 11 6; 8 21 55;
            9 6 20; 10 7 3; 11 17 10; 12 2 43; 13 12 25; 14 22 39; 15 23 41; 16 8 45;
            17 18 15; 18 3 21; 19 13 8; 20 14 18; 21 24 2; 22 9 61; 23 19 56; 24 4 14;
        }
        for y in [0, 5, 10, 15, 20] {
            for x in 0..5 {
                a[y + x] = b[y + x].chi(b[y + (x + 1) % 5], b[y + (x + 2) % 5]);
            }
        }
        a[0] = a[0].xor(W::splat(constant));
    }
}

/// keccak256 of `W::LANES` messages of 64 bytes each, one after the other in `messages`.
#[inline(always)]
fn hash<W: Word>(messages: &[u8], hashes: &mut [u8]) {
    assert!(messages.len() == 64 * W::LANES && hashes.len() == 32 * W::LANES);
    let mut state = [W::splat(0); STATE];
    for (i, word) in state.iter_mut().take(8).enumerate() {
        *word = W::gather(|lane| {
            let at = 64 * lane + 8 * i;
            u64::from_le_bytes(messages[at..at + 8].try_into().expect("eight bytes"))
        });
    }
    // The padding of Keccak (not of SHA-3): 1, zeros, and the last bit of the 136-byte block.
    state[8] = W::splat(1);
    state[16] = W::splat(1 << 63);
    permute(&mut state);
    for (i, word) in state.into_iter().take(4).enumerate() {
        word.scatter(|lane, word| {
            let at = 32 * lane + 8 * i;
            hashes[at..at + 8].copy_from_slice(&word.to_le_bytes());
        });
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn hash8(messages: &[u8], hashes: &mut [u8]) {
    hash::<x86::Avx512>(messages, hashes);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn hash4(messages: &[u8], hashes: &mut [u8]) {
    hash::<x86::Avx2>(messages, hashes);
}

/// The 32-byte keccak256 of each 64-byte message in `messages`, in order.
///
/// # Panics
/// If `messages` is not twice as long as `hashes`, or not whole messages.
pub(crate) fn hash_pairs(mut messages: &[u8], mut hashes: &mut [u8]) {
    assert!(messages.len().is_multiple_of(64) && messages.len() == 2 * hashes.len());
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            (messages, hashes) = in_groups(8, messages, hashes, |m, h| {
                // SAFETY: AVX-512F was found.
                unsafe { hash8(m, h) }
            });
        }
        if is_x86_feature_detected!("avx2") {
            (messages, hashes) = in_groups(4, messages, hashes, |m, h| {
                // SAFETY: AVX2 was found.
                unsafe { hash4(m, h) }
            });
        }
    }
    in_groups(1, messages, hashes, hash::<u64>);
}

/// Runs `hash` over as many groups of `lanes` messages as there are, and returns what is left.
fn in_groups<'a, 'b>(
    lanes: usize,
    messages: &'a [u8],
    hashes: &'b mut [u8],
    hash: impl Fn(&[u8], &mut [u8]),
) -> (&'a [u8], &'b mut [u8]) {
    let whole = messages.len() / (64 * lanes) * lanes;
    let (now, later) = messages.split_at(64 * whole);
    let (out, rest) = hashes.split_at_mut(32 * whole);
    now.chunks_exact(64 * lanes).zip(out.chunks_exact_mut(32 * lanes)).for_each(|(m, h)| hash(m, h));
    (later, rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keccak256;

    /// Messages that differ from each other in every byte position.
    fn messages(count: usize) -> Vec<u8> {
        (0..64 * count).map(|i| (i * i / 7 + i / 64 * 31) as u8).collect()
    }

    #[test]
    fn every_group_size_agrees_with_the_single_hash() {
        // 8 + 4 + 3 messages use every width this machine has.
        for count in 0..=15 {
            let messages = messages(count);
            let mut hashes = vec![0; 32 * count];
            hash_pairs(&messages, &mut hashes);
            for (message, hash) in messages.chunks(64).zip(hashes.chunks(32)) {
                assert_eq!(hash, keccak256(message).0, "{count} messages");
            }
        }
    }

    #[test]
    fn the_scalar_width_agrees_with_the_single_hash() {
        let message = messages(1);
        let mut out = [0; 32];
        hash::<u64>(&message, &mut out);
        assert_eq!(out, keccak256(&message).0);
    }
}
