//! The functions under C's names. Rust code does not call these: a compiler knows the names, and would work out such a call for constant
//! arguments with the mathematics of its own machine.

use core::ffi::{c_int, c_longlong};

use super::{double, single};

/// `$name` for `double` and `long double`, and for `float`.
macro_rules! functions {
    ($($name:ident $float:ident $long:ident($($x:ident),+);)*) => {$(
        #[unsafe(no_mangle)]
        extern "C" fn $name($($x: f64),+) -> f64 {
            double::$name($($x),+)
        }

        #[unsafe(no_mangle)]
        extern "C" fn $long($($x: f64),+) -> f64 {
            double::$name($($x),+)
        }

        #[unsafe(no_mangle)]
        extern "C" fn $float($($x: f32),+) -> f32 {
            single::$name($($x),+)
        }
    )*};
}

functions! {
    acos acosf acosl(x); acosh acoshf acoshl(x); asin asinf asinl(x); asinh asinhf asinhl(x); atan atanf atanl(x);
    atan2 atan2f atan2l(y, x); atanh atanhf atanhl(x); cbrt cbrtf cbrtl(x); ceil ceilf ceill(x);
    copysign copysignf copysignl(x, y); cos cosf cosl(x); cosh coshf coshl(x); erf erff erfl(x); erfc erfcf erfcl(x);
    exp expf expl(x); exp10 exp10f exp10l(x); exp2 exp2f exp2l(x); expm1 expm1f expm1l(x); fabs fabsf fabsl(x);
    fdim fdimf fdiml(x, y); floor floorf floorl(x); fma fmaf fmal(x, y, z); fmax fmaxf fmaxl(x, y);
    fmin fminf fminl(x, y); fmod fmodf fmodl(x, y); hypot hypotf hypotl(x, y); lgamma lgammaf lgammal(x);
    log logf logl(x); log10 log10f log10l(x); log1p log1pf log1pl(x); log2 log2f log2l(x); logb logbf logbl(x);
    nextafter nextafterf nextafterl(x, y); pow powf powl(x, y); remainder remainderf remainderl(x, y);
    rint rintf rintl(x); round roundf roundl(x); sin sinf sinl(x); sinh sinhf sinhl(x); sqrt sqrtf sqrtl(x);
    tan tanf tanl(x); tanh tanhf tanhl(x); tgamma tgammaf tgammal(x); trunc truncf truncl(x);
}

/// Functions with an argument or a result that is not the number itself. `$type` is `double` or `float`.
macro_rules! others {
    ($($module:ident $type:ty: $($name:ident)+;)*) => {$(others!(@ $module $type, $($name)+);)*};
    (@ $module:ident $type:ty, $nearbyint:ident $nexttoward:ident $nan:ident $ldexp:ident $scalbn:ident $scalbln:ident
        $frexp:ident $modf:ident $remquo:ident $ilogb:ident $lrint:ident $llrint:ident $lround:ident $llround:ident) => {
        // There is one rounding mode, and no exception that this would have to keep quiet.
        #[unsafe(no_mangle)]
        extern "C" fn $nearbyint(x: $type) -> $type {
            $module::rint(x)
        }

        #[unsafe(no_mangle)]
        extern "C" fn $nexttoward(x: $type, y: f64) -> $type {
            let toward = if f64::from(x) < y { <$type>::INFINITY } else { <$type>::NEG_INFINITY };
            match f64::from(x).partial_cmp(&y) {
                None => $module::NAN,
                Some(core::cmp::Ordering::Equal) => y as $type,
                Some(_) => $module::nextafter(x, toward),
            }
        }

        #[unsafe(no_mangle)]
        extern "C" fn $nan(_: *const u8) -> $type {
            $module::NAN
        }

        #[unsafe(no_mangle)]
        extern "C" fn $ldexp(x: $type, n: c_int) -> $type {
            $module::scalbn(x, n)
        }

        #[unsafe(no_mangle)]
        extern "C" fn $scalbn(x: $type, n: c_int) -> $type {
            $module::scalbn(x, n)
        }

        #[unsafe(no_mangle)]
        extern "C" fn $scalbln(x: $type, n: i32) -> $type {
            $module::scalbn(x, n)
        }

        #[unsafe(no_mangle)]
        unsafe extern "C" fn $frexp(x: $type, exponent: *mut c_int) -> $type {
            let (fraction, of) = $module::frexp(x);
            // SAFETY: the caller's promise.
            unsafe { *exponent = of };
            fraction
        }

        #[unsafe(no_mangle)]
        unsafe extern "C" fn $modf(x: $type, whole: *mut $type) -> $type {
            let (fraction, of) = $module::modf(x);
            // SAFETY: the caller's promise.
            unsafe { *whole = of };
            fraction
        }

        #[unsafe(no_mangle)]
        unsafe extern "C" fn $remquo(x: $type, y: $type, quotient: *mut c_int) -> $type {
            let (rest, of) = $module::remquo(x, y);
            // SAFETY: the caller's promise.
            unsafe { *quotient = of };
            rest
        }

        #[unsafe(no_mangle)]
        extern "C" fn $ilogb(x: $type) -> c_int {
            $module::ilogb(x)
        }

        // What does not fit becomes the nearest number that does; C leaves it open.
        #[unsafe(no_mangle)]
        extern "C" fn $lrint(x: $type) -> i32 {
            $module::rint(x) as i32
        }

        #[unsafe(no_mangle)]
        extern "C" fn $llrint(x: $type) -> c_longlong {
            $module::rint(x) as c_longlong
        }

        #[unsafe(no_mangle)]
        extern "C" fn $lround(x: $type) -> i32 {
            $module::round(x) as i32
        }

        #[unsafe(no_mangle)]
        extern "C" fn $llround(x: $type) -> c_longlong {
            $module::round(x) as c_longlong
        }
    };
}

others! {
    double f64: nearbyint nexttoward nan ldexp scalbn scalbln frexp modf remquo ilogb lrint llrint lround llround;
    double f64: nearbyintl nexttowardl nanl ldexpl scalbnl scalblnl frexpl modfl remquol ilogbl lrintl llrintl lroundl llroundl;
    single f32: nearbyintf nexttowardf nanf ldexpf scalbnf scalblnf frexpf modff remquof ilogbf lrintf llrintf lroundf llroundf;
}
