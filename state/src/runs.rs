use std::ops::Range;

use crate::Memory;

/// Present pages that follow each other without a gap.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// Their indices (address / 4096).
    pub pages: Range<u32>,
    /// Bytes in them that are not zero.
    pub non_zero_bytes: u64,
}

impl Memory {
    /// The present pages as runs, in rising order. A run ends at a gap, and where `kind` of the page index
    /// changes; the kind comes with it.
    pub fn runs<K: PartialEq>(&self, kind: impl Fn(u32) -> K) -> Vec<(K, Run)> {
        let mut runs: Vec<(K, Run)> = Vec::new();
        for (index, page) in self.pages() {
            let (kind, bytes) = (kind(index), page.iter().filter(|&&byte| byte != 0).count() as u64);
            match runs.last_mut() {
                Some((last, run)) if run.pages.end == index && *last == kind => {
                    run.pages.end += 1;
                    run.non_zero_bytes += bytes;
                }
                _ => runs.push((kind, Run { pages: index..index + 1, non_zero_bytes: bytes })),
            }
        }
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_end_at_gaps_and_where_the_kind_changes() {
        let mut memory = Memory::new();
        memory.write(0x1fff, &[1, 2]).unwrap();
        memory.make_present(0x3000, 1).unwrap();
        memory.write(0x5000, &[0, 3]).unwrap();
        memory.write(0xffff_ffff, &[4]).unwrap();
        let run = |pages, non_zero_bytes| Run { pages, non_zero_bytes };
        let split = memory.runs(|index| index < 3);
        let expected = [(true, run(1..3, 2)), (false, run(3..4, 0)), (false, run(5..6, 1))];
        assert_eq!(split[..3], expected);
        assert_eq!(split[3..], [(false, run(0xf_ffff..0x10_0000, 1))]);
        assert_eq!(memory.runs(|_| ())[0], ((), run(1..4, 2)));
        assert_eq!(Memory::new().runs(|_| ()), []);
    }
}
