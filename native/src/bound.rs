//! Which sums in binary64 determine the float: docs/numerics.md, (U) to (W).

/// The longest sum, (U).
const LONGEST: usize = 1 << 24;

/// What a sum of products in binary64 may be wrong by.
#[derive(Clone, Copy)]
pub(crate) struct Bound {
    /// The error by the magnitude of the addends, (V).
    unit: f64,
}

impl Bound {
    /// For sums of `products` products and perhaps one value more.
    pub(crate) fn new(products: usize) -> Self {
        let unit = if products <= LONGEST { (products + 4) as f64 * f64::EPSILON } else { f64::INFINITY };
        Self { unit }
    }

    /// The float nearest to the exact sum, and whether it is certain, (W): `sum` is the sum in binary64 and `magnitude`
    /// bounds the sum of the magnitudes of the addends. Either may be infinite or NaN.
    #[inline(always)]
    pub(crate) fn round(self, sum: f64, magnitude: f64) -> (f32, bool) {
        let error = self.unit * magnitude;
        let (low, high) = ((sum - error) as f32, (sum + error) as f32);
        // No short-circuit, so that a row of sums is decided in vector registers. No NaN passes the first comparison.
        (low, (low.abs() >= f32::MIN_POSITIVE) & (low.to_bits() == high.to_bits()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_that_are_too_long_are_never_certain() {
        // Would catch: a bound used where its proof ends, (U).
        assert_eq!(Bound::new(LONGEST).round(1.5, 1.5), (1.5, true));
        assert!(!Bound::new(LONGEST + 1).round(1.5, 1.5).1);
    }
}
