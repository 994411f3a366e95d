//! The elements of weights: in memory, or still where the model's file has them.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use bytes::Bytes;

/// Elements of a weight, float32.
#[derive(Clone)]
pub struct Values(Place);

#[derive(Clone)]
enum Place {
    Here(Vec<f32>),
    InFile(Matrix),
}

/// Little-endian elements of a file, row-major or the other way around.
#[derive(Clone)]
struct Matrix {
    bytes: Bytes,
    /// Rows and columns as these values are read: [1, N] if nothing was transposed.
    shape: [usize; 2],
    /// Whether the file has columns one behind the other.
    by_columns: bool,
}

impl Matrix {
    fn at(&self, index: usize) -> f32 {
        let [rows, columns] = self.shape;
        let place = if self.by_columns { index % columns * rows + index / columns } else { index };
        self.bytes.as_chunks().0.get(place).map_or(0.0, |&word| f32::from_le_bytes(word))
    }
}

impl Values {
    /// The elements whose little-endian bytes `bytes` are; they are not copied.
    pub(crate) fn in_file(bytes: Bytes) -> Self {
        let shape = [1, bytes.len() / 4];
        Self(Place::InFile(Matrix { bytes, shape, by_columns: false }))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match &self.0 {
            Place::Here(values) => values.len(),
            Place::InFile(matrix) => matrix.bytes.len() / 4,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Some of them in their order; copied only if they are in a file.
    pub fn slice(&self, range: Range<usize>) -> Cow<'_, [f32]> {
        match &self.0 {
            Place::Here(values) => Cow::Borrowed(&values[range]),
            Place::InFile(matrix) if matrix.by_columns => {
                Cow::Owned(range.map(|index| matrix.at(index)).collect())
            }
            Place::InFile(matrix) => {
                let words = &matrix.bytes.as_chunks().0[range];
                Cow::Owned(words.iter().map(|&word| f32::from_le_bytes(word)).collect())
            }
        }
    }

    /// The number that all of them are.
    pub fn uniform(&self) -> Option<f32> {
        let first = *self.slice(0..self.len().min(1)).first()?;
        let same = |value: f32| value.to_bits() == first.to_bits();
        let all = match &self.0 {
            Place::Here(values) => values.iter().all(|&value| same(value)),
            Place::InFile(matrix) => (0..self.len()).all(|index| same(matrix.at(index))),
        };
        all.then_some(first)
    }

    /// These as a matrix of `rows` and `columns`, transposed, if that can be had without a copy.
    pub(crate) fn transposed(&self, rows: usize, columns: usize) -> Option<Self> {
        match &self.0 {
            Place::InFile(matrix) if !matrix.by_columns && rows * columns == self.len() => {
                let matrix = Matrix { shape: [columns, rows], by_columns: true, ..matrix.clone() };
                Some(Self(Place::InFile(matrix)))
            }
            _ => None,
        }
    }

    /// Writes vectors of `k` elements, which follow each other from element `start` on, to `out`: group by group, `groups` says how many
    /// vectors are one, and of a group for each place in a vector the elements that its vectors have there.
    pub(crate) fn gather(&self, start: usize, groups: &[usize], k: usize, out: &mut [f32]) {
        match &self.0 {
            // Lines of the file are read whole, and each once, where a vector has an element in each.
            Place::InFile(Matrix { bytes, shape: [rows, columns], by_columns: true })
                if *columns == k && start.is_multiple_of(k) =>
            {
                for (place, line) in bytes.as_chunks::<4>().0.chunks(*rows).take(k).enumerate() {
                    let mut first = start / k;
                    for &len in groups {
                        let out = &mut out[k * (first - start / k) + place * len..][..len];
                        for (out, &word) in out.iter_mut().zip(&line[first..first + len]) {
                            *out = f32::from_le_bytes(word);
                        }
                        first += len;
                    }
                }
            }
            _ => {
                let mut first = 0;
                for &len in groups {
                    for vector in 0..len {
                        let from = start + (first + vector) * k;
                        let places = out[k * first + vector..].iter_mut().step_by(len);
                        places.zip(&*self.slice(from..from + k)).for_each(|(out, &value)| *out = value);
                    }
                    first += len;
                }
            }
        }
    }
}

impl From<Vec<f32>> for Values {
    fn from(values: Vec<f32>) -> Self {
        Self(Place::Here(values))
    }
}

impl PartialEq for Values {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.slice(0..self.len()) == other.slice(0..other.len())
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if matches!(self.0, Place::InFile(_)) { " in a file" } else { "" };
        write!(f, "{} values{place}", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A matrix of three rows and two columns.
    fn matrix() -> (Values, Values) {
        let values: Vec<f32> = (0..6).map(|i| i as f32).collect();
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        (values.into(), Values::in_file(bytes.into()))
    }

    #[test]
    fn values_in_a_file_are_those_in_memory() {
        let (here, in_file) = matrix();
        assert_eq!(here, in_file);
        assert_eq!(in_file.slice(1..3), vec![1.0, 2.0]);
        assert_eq!((here.uniform(), in_file.uniform()), (None, None));
        assert_eq!(Values::in_file([0, 0, 0, 0x40].repeat(3).into()).uniform(), Some(2.0));
    }

    #[test]
    fn a_transposed_matrix_is_read_by_columns() {
        let (here, in_file) = matrix();
        assert!(here.transposed(3, 2).is_none(), "in memory it is moved");
        let transposed = in_file.transposed(3, 2).unwrap();
        assert_eq!(transposed, vec![0.0, 2.0, 4.0, 1.0, 3.0, 5.0].into());
        assert!(transposed.transposed(2, 3).is_none() && in_file.transposed(3, 3).is_none());
        for (values, start, groups, k) in [
            (&transposed, 0, &[2][..], 3),
            (&transposed, 0, &[1, 1], 3),
            (&transposed, 3, &[1], 3),
            (&in_file, 0, &[2, 1], 2),
            (&transposed, 2, &[2], 2),
        ] {
            let mut out = [-1.0; 7];
            values.gather(start, groups, k, &mut out);
            let (mut first, mut expected) = (start, Vec::new());
            for len in groups {
                let at = |place, vector: usize| first + vector * k + place;
                let places = (0..k).flat_map(|place| (0..*len).map(move |vector| at(place, vector)));
                expected.extend(places.map(|at| values.slice(at..at + 1)[0]));
                first += len * k;
            }
            assert_eq!(out[..expected.len()], expected);
            assert_eq!(out[expected.len()], -1.0, "nothing behind it is touched");
        }
    }
}
