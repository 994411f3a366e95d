use std::collections::BTreeMap;
use std::fmt;

/// Bytes of a page, Cannon's unit of memory.
pub const PAGE_SIZE: usize = 4096;

/// Pages of the whole 32-bit address space; every page index is below it.
pub const PAGE_COUNT: u32 = 1 << 20;

/// The bytes of one page, big-endian words in address order.
pub type Page = [u8; PAGE_SIZE];

/// A read or write that leaves the 32-bit address space.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error, miette::Diagnostic)]
#[error("{len} bytes at {address:#010x} reach past the end of the 32-bit address space")]
#[diagnostic(help("an address range may not wrap around; place it lower or make it shorter"))]
pub struct RangeError {
    /// First address of the range.
    pub address: u32,
    /// Its bytes.
    pub len: usize,
}

/// Memory of 2^32 bytes, of which only some pages are present; an absent page reads as zeros.
///
/// Whether a page of zeros is present does not change the [root](Self::merkle_root), but Cannon's state
/// files keep it, and so does this. Equality means the same pages present with the same bytes.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Memory {
    // Ordered, because the order reaches the state file and the tree.
    pages: BTreeMap<u32, Box<Page>>,
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Memory({} pages)", self.pages.len())
    }
}

impl Memory {
    /// Memory without any page.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many pages are present.
    pub fn page_count(&self) -> usize {
        self.pages.len()
    }

    /// How many pages are present and not all zeros: the ones the [root](Self::merkle_root) has to hash.
    pub fn non_zero_page_count(&self) -> usize {
        self.pages.values().filter(|page| !is_zero(page)).count()
    }

    /// The page with this index (address / 4096), if it is present.
    pub fn page(&self, index: u32) -> Option<&Page> {
        self.pages.get(&index).map(|page| &**page)
    }

    /// The present pages with their indices, in rising order.
    pub fn pages(&self) -> impl ExactSizeIterator<Item = (u32, &Page)> {
        self.pages.iter().map(|(&index, page)| (index, &**page))
    }

    /// Replaces a page, making it present.
    ///
    /// # Panics
    /// If `index` is not below [`PAGE_COUNT`].
    pub fn set_page(&mut self, index: u32, page: Box<Page>) {
        assert!(index < PAGE_COUNT, "page index {index:#x} is outside the address space");
        self.pages.insert(index, page);
    }

    /// Copies `bytes` to `address` onwards; the pages they touch become present.
    ///
    /// # Errors
    /// If the range leaves the address space; then nothing is written.
    pub fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), RangeError> {
        let mut rest = bytes;
        for (index, start, len) in pieces(address, bytes.len())? {
            let (now, later) = rest.split_at(len);
            self.page_mut(index)[start..start + len].copy_from_slice(now);
            rest = later;
        }
        Ok(())
    }

    /// Copies the bytes from `address` onwards into `out`.
    ///
    /// # Errors
    /// If the range leaves the address space; then `out` is unchanged.
    pub fn read(&self, address: u32, out: &mut [u8]) -> Result<(), RangeError> {
        let mut rest = out;
        for (index, start, len) in pieces(address, rest.len())? {
            let (now, later) = rest.split_at_mut(len);
            match self.pages.get(&index) {
                Some(page) => now.copy_from_slice(&page[start..start + len]),
                None => now.fill(0),
            }
            rest = later;
        }
        Ok(())
    }

    /// Makes the pages of a range present, leaving their bytes as they are.
    ///
    /// # Errors
    /// If the range leaves the address space; then no page is added.
    pub fn make_present(&mut self, address: u32, len: usize) -> Result<(), RangeError> {
        for (index, ..) in pieces(address, len)? {
            self.page_mut(index);
        }
        Ok(())
    }

    fn page_mut(&mut self, index: u32) -> &mut Page {
        self.pages.entry(index).or_insert_with(|| Box::new([0; PAGE_SIZE]))
    }
}

/// Whether every byte of a page is zero.
pub(crate) fn is_zero(page: &Page) -> bool {
    page.iter().all(|&byte| byte == 0)
}

/// Cuts a range at page borders into (page index, offset in the page, bytes).
fn pieces(address: u32, len: usize) -> Result<impl Iterator<Item = (u32, usize, usize)>, RangeError> {
    let start = address as usize;
    let end = start.checked_add(len).filter(|&end| end as u64 <= 1 << 32);
    let end = end.ok_or(RangeError { address, len })?;
    let mut at = start;
    Ok(std::iter::from_fn(move || {
        let offset = at % PAGE_SIZE;
        let now = (PAGE_SIZE - offset).min(end - at);
        let piece = ((at / PAGE_SIZE) as u32, offset, now);
        at += now;
        (now > 0).then_some(piece)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_over_page_borders_reads_back() {
        let mut memory = Memory::new();
        let bytes: Vec<u8> = (0..9000).map(|i| (i % 251) as u8).collect();
        memory.write(0x1ffe, &bytes).unwrap();
        let present: Vec<u32> = memory.pages().map(|(index, _)| index).collect();
        assert_eq!(present, [1, 2, 3, 4]);
        let mut back = vec![0xaa; 9004];
        memory.read(0x1ffc, &mut back).unwrap();
        assert_eq!(back[..2], [0, 0]);
        assert_eq!(back[2..9002], bytes);
        assert_eq!(back[9002..], [0, 0]);
    }

    #[test]
    fn the_last_byte_is_in_and_the_next_is_not() {
        let mut memory = Memory::new();
        memory.write(0xffff_ffff, &[7]).unwrap();
        assert_eq!(memory.page(0xf_ffff).unwrap()[4095], 7);
        let past = RangeError { address: 0xffff_ffff, len: 2 };
        assert_eq!(memory.write(0xffff_ffff, &[1, 2]), Err(past));
        assert_eq!(memory.read(0xffff_ffff, &mut [0; 2]), Err(past));
        assert_eq!(memory.make_present(0xffff_ffff, 2), Err(past));
        assert_eq!(memory.page(0xf_ffff).unwrap()[4095], 7, "a refused write changes nothing");
        assert_eq!(memory.page_count(), 1);
    }

    #[test]
    fn nothing_written_makes_no_page_present() {
        let mut memory = Memory::new();
        memory.write(0x1000, &[]).unwrap();
        memory.make_present(0x1000, 0).unwrap();
        assert_eq!(memory.page_count(), 0);
    }

    #[test]
    fn a_present_page_of_zeros_counts_as_present_only() {
        let mut memory = Memory::new();
        memory.make_present(0x1fff, 2).unwrap();
        memory.write(0x3000, &[1]).unwrap();
        assert_eq!((memory.page_count(), memory.non_zero_page_count()), (3, 1));
        assert_ne!(memory, Memory::new());
    }

    #[test]
    #[should_panic(expected = "page index 0x100000 is outside the address space")]
    fn a_page_outside_the_address_space_is_refused() {
        Memory::new().set_page(PAGE_COUNT, Box::new([0; PAGE_SIZE]));
    }
}
