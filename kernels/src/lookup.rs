//! Functions of a byte: there are 256 results, so they are all in a table.

/// out\[i] = table\[x\[i]], the bits of a byte being the place, signed or not.
///
/// # Panics
/// If the table has not 256 elements, or `out` is not as long as `x`.
pub fn lookup<T: Copy>(x: &[u8], table: &[T], out: &mut [T]) {
    let table: &[T; 256] = table.try_into().expect("a result for each byte");
    assert_eq!(x.len(), out.len(), "elements of the result");
    for (out, &x) in out.iter_mut().zip(x) {
        *out = table[usize::from(x)];
    }
}

#[cfg(test)]
mod tests {
    use super::lookup;

    #[test]
    fn each_byte_has_its_own_place() {
        let table: [u16; 256] = core::array::from_fn(|i| 1000 + i as u16);
        let bytes: [u8; 256] = core::array::from_fn(|i| 255 - i as u8);
        let mut out = [0; 256];
        lookup(&bytes, &table, &mut out);
        assert!((0..256).all(|i| out[i] == 1255 - i as u16));
    }
}
