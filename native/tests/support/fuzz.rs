//! What the fuzz target `dot` calls, and the test that replays its corpus.

use super::support::Case;

/// The most products of a sum.
const LONGEST: usize = 600;

/// Arbitrary bytes as vectors, weights and biases: every way to their sums gives what big integers give. Three bytes are
/// numbers of vectors and rows and whether there is a bias, and every four after them a float.
///
/// # Panics
/// If the ways differ: that is a bug.
pub fn fuzz_dot(data: &[u8]) {
    let Some((&[m, n, bias], rest)) = data.split_first_chunk() else { return };
    let (m, n) = (1 + usize::from(m % 3), 1 + usize::from(n % 17));
    let floats: Vec<f32> = rest.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    let biases = if bias % 2 == 1 { n } else { 0 };
    let Some((bias, floats)) = floats.split_at_checked(biases) else { return };
    let k = (floats.len() / (m + n)).min(LONGEST);
    let (a, w) = (floats[..m * k].to_vec(), floats[m * k..][..n * k].to_vec());
    let case = Case { m, k, n, a, w, bias: (biases > 0).then(|| bias.to_vec()) };
    case.check(&case.exact(), &format!("{m} vectors, {n} rows, {k} products"));
}
