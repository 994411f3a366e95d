//! What holds for sums of any data.

mod support;

use proptest::collection::vec;
use proptest::prelude::*;
use support::Case;

/// Bits of any kind; where they are `tame`, zeros and numbers between 1/2 and 16.
fn float(tame: bool) -> impl Strategy<Value = f32> {
    let near =
        (0x3f00_0000u32..0x4180_0000, any::<bool>()).prop_map(|(bits, sign)| bits | u32::from(sign) << 31);
    let wild = any::<u32>().prop_map(move |bits| if tame { bits & 1 << 31 } else { bits });
    prop_oneof![4 => near, 1 => wild, 1 => Just(0), 1 => Just(1 << 31)].prop_map(f32::from_bits)
}

fn cases(tame: bool) -> impl Strategy<Value = Case> {
    let floats = move |len| vec(float(tame), len);
    (1usize..3, 0usize..40, 1usize..20).prop_flat_map(move |(m, k, n)| {
        let data = (floats(m * k), floats(n * k), proptest::option::of(floats(n)));
        data.prop_map(move |(a, w, bias)| Case { m, k, n, a, w, bias })
    })
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{} {} {}: {:?} x {:?} + {:?}", self.m, self.k, self.n, self.a, self.w, self.bias)
    }
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

proptest! {
    #[test]
    fn every_way_gives_what_big_integers_give(case in cases(false)) {
        // Would catch: ways that agree where a test looks and nowhere else.
        case.check(&case.exact(), "any data");
    }

    #[test]
    fn the_order_of_the_products_does_not_matter(case in cases(false), seed in any::<u64>()) {
        // Would catch: any state that depends on the order of the additions.
        let before = bits(&case.plain());
        let k = case.k;
        let mut order: Vec<usize> = (0..k).collect();
        order.sort_by_key(|&at| (at as u64 + 1).wrapping_mul(seed | 1).rotate_left(29).wrapping_mul(seed | 3));
        let permuted = |values: &[f32], count: usize| -> Vec<f32> {
            (0..count * k).map(|at| values[at / k * k + order[at % k]]).collect()
        };
        let (a, w) = (permuted(&case.a, case.m), permuted(&case.w, case.n));
        Case { a, w, ..case }.check(&before, "permuted");
    }

    #[test]
    fn powers_of_two_scale_sums(case in cases(true), power in -20i32..=20) {
        // Would catch: units that are right for some exponents only, (F), (M) or (W).
        let scaled = |values: &[f32]| values.iter().map(|v| v * 2f32.powi(power)).collect::<Vec<f32>>();
        let (a, bias) = (scaled(&case.a), case.bias.as_deref().map(scaled));
        let expected = bits(&scaled(&case.plain()));
        Case { a, bias, ..case }.check(&expected, "scaled");
    }
}
