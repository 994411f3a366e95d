//! `math.h`: floats beside the kernels and beside doubles, doubles beside the host's library.

use opml_kernels::elementary;
use opml_libc::math::{double, single};

/// The host's functions, which are right to a unit in the last place or little more.
mod host {
    unsafe extern "C" {
        pub safe fn acos(x: f64) -> f64;
        pub safe fn acosh(x: f64) -> f64;
        pub safe fn asin(x: f64) -> f64;
        pub safe fn asinh(x: f64) -> f64;
        pub safe fn atan(x: f64) -> f64;
        pub safe fn atanh(x: f64) -> f64;
        pub safe fn cbrt(x: f64) -> f64;
        pub safe fn ceil(x: f64) -> f64;
        pub safe fn cos(x: f64) -> f64;
        pub safe fn cosh(x: f64) -> f64;
        pub safe fn erf(x: f64) -> f64;
        pub safe fn erfc(x: f64) -> f64;
        pub safe fn exp(x: f64) -> f64;
        pub safe fn exp2(x: f64) -> f64;
        pub safe fn expm1(x: f64) -> f64;
        pub safe fn floor(x: f64) -> f64;
        pub safe fn lgamma(x: f64) -> f64;
        pub safe fn log(x: f64) -> f64;
        pub safe fn log10(x: f64) -> f64;
        pub safe fn log1p(x: f64) -> f64;
        pub safe fn log2(x: f64) -> f64;
        pub safe fn logb(x: f64) -> f64;
        pub safe fn rint(x: f64) -> f64;
        pub safe fn round(x: f64) -> f64;
        pub safe fn sin(x: f64) -> f64;
        pub safe fn sinh(x: f64) -> f64;
        pub safe fn sqrt(x: f64) -> f64;
        pub safe fn tan(x: f64) -> f64;
        pub safe fn tanh(x: f64) -> f64;
        pub safe fn tgamma(x: f64) -> f64;
        pub safe fn trunc(x: f64) -> f64;
        pub safe fn atan2(y: f64, x: f64) -> f64;
        pub safe fn copysign(x: f64, y: f64) -> f64;
        pub safe fn fdim(x: f64, y: f64) -> f64;
        pub safe fn fmax(x: f64, y: f64) -> f64;
        pub safe fn fmin(x: f64, y: f64) -> f64;
        pub safe fn fmod(x: f64, y: f64) -> f64;
        pub safe fn hypot(x: f64, y: f64) -> f64;
        pub safe fn nextafter(x: f64, y: f64) -> f64;
        pub safe fn pow(x: f64, y: f64) -> f64;
        pub safe fn remainder(x: f64, y: f64) -> f64;
        pub safe fn fma(x: f64, y: f64, z: f64) -> f64;
        pub safe fn ilogb(x: f64) -> i32;
        pub safe fn scalbn(x: f64, n: i32) -> f64;
        pub safe fn roundf(x: f32) -> f32;
        pub safe fn truncf(x: f32) -> f32;
        pub safe fn fmodf(x: f32, y: f32) -> f32;
        pub safe fn remainderf(x: f32, y: f32) -> f32;
        pub safe fn fmaf(x: f32, y: f32, z: f32) -> f32;
        pub safe fn nextafterf(x: f32, y: f32) -> f32;
        pub fn frexp(x: f64, exponent: *mut i32) -> f64;
        pub fn modf(x: f64, whole: *mut f64) -> f64;
        pub fn remquo(x: f64, y: f64, quotient: *mut i32) -> f64;
    }
}

/// Numbers that look random and are the same in every run (Steele, Lea, Flood: splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Any bits, or a number of everyday size, or a special one.
    fn double(&mut self) -> f64 {
        const SPECIAL: [f64; 10] = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            0.5,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
            f64::MAX,
            f64::MIN_POSITIVE / 4.0,
        ];
        match self.next() % 16 {
            0 => SPECIAL[(self.next() % 10) as usize],
            // No signalling NaN, of which libraries make this or that.
            1..=5 => Some(f64::from_bits(self.next())).filter(|x| !x.is_nan()).unwrap_or(f64::NAN),
            6..=10 => (self.next() as i64) as f64 / (1u64 << (self.next() % 63)) as f64,
            _ => (self.next() as i64 >> 11) as f64 / (1u64 << 52) as f64 * 1.25,
        }
    }

    fn single(&mut self) -> f32 {
        if self.next().is_multiple_of(3) {
            Some(f32::from_bits(self.next() as u32)).filter(|x| !x.is_nan()).unwrap_or(f32::NAN)
        } else {
            self.double() as f32
        }
    }
}

/// How many doubles lie between two; the most if just one is NaN.
fn apart(a: f64, b: f64) -> u64 {
    let order = |x: f64| (x.to_bits() as i64 ^ ((x.to_bits() as i64 >> 63) as u64 >> 1) as i64) as i128;
    if a.is_nan() && b.is_nan() {
        assert_eq!(a.to_bits(), double::NAN.to_bits(), "a NaN is the canonical one");
        return 0;
    }
    if a.is_nan() != b.is_nan() {
        return u64::MAX;
    }
    order(a).abs_diff(order(b)) as u64
}

/// The most that a function is off from the host's, which is less than a unit off itself.
#[test]
fn doubles_are_near_the_hosts() {
    macro_rules! near {
        ($($name:ident: $most:literal,)*) => {$({
            let mut random = Random(41);
            for _ in 0..200_000 {
                let x = random.double();
                let (ours, theirs) = (double::$name(x), host::$name(x));
                let off = apart(ours, theirs);
                assert!(off <= $most, "{}({x:e}): {off} apart: {ours:e}, {theirs:e}", stringify!($name));
            }
        })*};
    }
    near! {
        acos: 1, acosh: 2, asin: 1, asinh: 2, atan: 1, atanh: 3, cbrt: 1, cos: 1, cosh: 2, erf: 2, erfc: 6, exp: 1,
        exp2: 1, expm1: 1, log: 1, log10: 2, log1p: 1, log2: 1, sin: 1, sinh: 2, tan: 1, tanh: 3,
    }
}

#[test]
fn pairs_are_near_the_hosts() {
    let mut random = Random(42);
    for _ in 0..300_000 {
        let (x, y) = (random.double(), random.double());
        assert!(apart(double::atan2(y, x), host::atan2(y, x)) <= 1, "atan2({y:e}, {x:e})");
        assert!(apart(double::hypot(x, y), host::hypot(x, y)) <= 1, "hypot({x:e}, {y:e})");
        assert!(apart(double::pow(x, y), host::pow(x, y)) <= 1, "pow({x:e}, {y:e})");
        assert!(
            apart(double::pow(x.abs(), y / 1e3), host::pow(x.abs(), y / 1e3)) <= 1,
            "pow({x:e}, {y:e} / 1000)"
        );
    }
}

#[test]
fn exact_functions_are_the_hosts() {
    let mut random = Random(43);
    for _ in 0..300_000 {
        let (x, y, z) = (random.double(), random.double(), random.double());
        macro_rules! same {
            ($($name:ident($($x:ident),*))*) => {$(
                let (ours, theirs) = (double::$name($($x),*), host::$name($($x),*));
                // glibc 2.36 gives a remainder of zero by a subnormal number the wrong sign.
                assert!(
                    apart(ours, theirs) == 0 || ours == theirs,
                    "{} of {x:e}, {y:e}, {z:e}: {ours:e}, {theirs:e}", stringify!($name));
            )*};
        }
        same!(sqrt(x) ceil(x) floor(x) rint(x) round(x) trunc(x) logb(x) fdim(x, y) fmod(x, y) remainder(x, y)
            nextafter(x, y) fma(x, y, z));
        // Of two zeros C lets either be the larger.
        for (ours, theirs) in [(double::fmax(x, y), host::fmax(x, y)), (double::fmin(x, y), host::fmin(x, y))]
        {
            assert!(ours == theirs || ours.is_nan() && theirs.is_nan(), "fmax or fmin of {x:e}, {y:e}");
        }
        assert_eq!(double::copysign(x, y).to_bits(), host::copysign(x, y).to_bits());
        assert_eq!(double::ilogb(x), host::ilogb(x), "ilogb({x:e})");
        let n = (z as i32) % 3000;
        assert_eq!(apart(double::scalbn(x, n), host::scalbn(x, n)), 0, "scalbn({x:e}, {n})");
        let (mut exponent, mut whole, mut quotient) = (0, 0.0, 0);
        // SAFETY: places for the results.
        let (fraction, part, rest) = unsafe {
            (host::frexp(x, &mut exponent), host::modf(x, &mut whole), host::remquo(x, y, &mut quotient))
        };
        let (ours, our_exponent) = double::frexp(x);
        assert_eq!(
            (apart(ours, fraction), our_exponent),
            (0, if x.is_finite() { exponent } else { 0 }),
            "frexp({x:e})"
        );
        let (ours, our_whole) = double::modf(x);
        assert_eq!((apart(ours, part), apart(our_whole, whole)), (0, 0), "modf({x:e})");
        let (ours, our_quotient) = double::remquo(x, y);
        assert_eq!(apart(ours, rest), 0, "remquo({x:e}, {y:e})");
        if !rest.is_nan() {
            assert_eq!(our_quotient & 7, quotient & 7, "remquo({x:e}, {y:e})");
        }
    }
}

#[test]
fn the_gamma_function_is_near_the_hosts() {
    let mut random = Random(44);
    for _ in 0..200_000 {
        let x = (random.next() >> 11) as f64 / (1u64 << 53) as f64 * 170.0;
        assert!(apart(double::tgamma(x), host::tgamma(x)) <= 12, "tgamma({x:e})");
        let off = (double::lgamma(x) - host::lgamma(x)).abs();
        assert!(off <= 1e-15 * host::lgamma(x).abs().max(1.0), "lgamma({x:e})");
    }
}

/// Where operators have the function, a guest's `float` is the operator's to the bit; the canonical NaN included.
#[test]
fn floats_are_the_kernels() {
    let mut random = Random(45);
    for _ in 0..300_000 {
        let (x, y) = (random.single(), random.single());
        macro_rules! same {
            ($($name:ident)*) => {$(
                assert_eq!(single::$name(x).to_bits(), elementary::$name(x).to_bits(), "{}({x:e})", stringify!($name));
            )*};
        }
        same!(acos acosh asin asinh atan atanh cos cosh erf exp log sin sinh sqrt tan tanh);
        assert_eq!(single::pow(x, y).to_bits(), elementary::pow(x, y).to_bits(), "pow({x:e}, {y:e})");
    }
}

/// The others are what the function on doubles gives, rounded; or exact, as the host's.
#[test]
fn other_floats_are_rounded_doubles_or_exact() {
    let mut random = Random(46);
    for _ in 0..300_000 {
        let (x, y, z) = (random.single(), random.single(), random.single());
        let same = |ours: f32, theirs: f32, name: &str| {
            let nan = ours.is_nan() && theirs.is_nan() && ours.to_bits() == single::NAN.to_bits();
            assert!(nan || ours == theirs, "{name} of {x:e}, {y:e}, {z:e}: {ours:e}, {theirs:e}");
        };
        macro_rules! rounded {
            ($($name:ident($($x:ident),*))*) => {$(
                same(single::$name($($x),*), double::$name($($x.into()),*) as f32, stringify!($name));
            )*};
        }
        rounded!(atan2(x, y) cbrt(x) erfc(x) exp10(x) exp2(x) expm1(x) hypot(x, y) lgamma(x) log10(x) log1p(x) log2(x) tgamma(x));
        macro_rules! exact {
            ($($name:ident $host:ident($($x:ident),*))*) => {$(
                same(single::$name($($x),*), host::$host($($x),*), stringify!($name));
            )*};
        }
        exact!(round roundf(x) trunc truncf(x) fmod fmodf(x, y) remainder remainderf(x, y) fma fmaf(x, y, z) nextafter nextafterf(x, y));
        same(single::rint(x), host::rint(x.into()) as f32, "rint");
        same(single::ceil(x), host::ceil(x.into()) as f32, "ceil");
        same(single::floor(x), host::floor(x.into()) as f32, "floor");
        same(single::fdim(x, y), host::fdim(x.into(), y.into()) as f32, "fdim");
        same(single::fmax(x, y), host::fmax(x.into(), y.into()) as f32, "fmax");
        same(single::fmin(x, y), host::fmin(x.into(), y.into()) as f32, "fmin");
    }
}
