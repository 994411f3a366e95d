use std::collections::BTreeMap;
use std::fmt;

use bytes::{Buf, Bytes};

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
#[derive(Clone, Default)]
pub struct Memory {
    // Ordered, because the order reaches the state file and the tree.
    pages: BTreeMap<u32, Box<Page>>,
    /// Whole pages of somebody else's bytes, by the index of the first. No page is in two of these or in `pages`, too.
    shared: BTreeMap<u32, Bytes>,
}

impl PartialEq for Memory {
    fn eq(&self, other: &Self) -> bool {
        self.pages().eq(other.pages())
    }
}

impl Eq for Memory {}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Memory({} pages)", self.page_count())
    }
}

impl Memory {
    /// Memory without any page.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many pages are present.
    pub fn page_count(&self) -> usize {
        self.pages.len() + self.shared.values().map(|bytes| bytes.len() / PAGE_SIZE).sum::<usize>()
    }

    /// How many pages are present and not all zeros: the ones the [root](Self::merkle_root) has to hash.
    pub fn non_zero_page_count(&self) -> usize {
        self.pages().filter(|(_, page)| !is_zero(page)).count()
    }

    /// The page with this index (address / 4096), if it is present.
    pub fn page(&self, index: u32) -> Option<&Page> {
        let shared = || {
            let (&first, bytes) = self.shared.range(..=index).next_back()?;
            bytes.as_chunks().0.get((index - first) as usize)
        };
        self.pages.get(&index).map(|page| &**page).or_else(shared)
    }

    /// The present pages with their indices, in rising order.
    pub fn pages(&self) -> impl ExactSizeIterator<Item = (u32, &Page)> {
        let own = self.pages.iter().map(|(&index, page)| (index, &**page));
        let shared = self.shared.iter().flat_map(|(&first, bytes)| (first..).zip(bytes.as_chunks().0));
        let mut all: Vec<(u32, &Page)> = own.chain(shared).collect();
        all.sort_by_key(|&(index, _)| index);
        all.into_iter()
    }

    /// Replaces a page, making it present.
    ///
    /// # Panics
    /// If `index` is not below [`PAGE_COUNT`].
    pub fn set_page(&mut self, index: u32, page: Box<Page>) {
        assert!(index < PAGE_COUNT, "page index {index:#x} is outside the address space");
        taken(&mut self.shared, index);
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

    /// Like [`write`](Self::write), but whole pages that were absent are not copied: they stay where they are, alive as long as
    /// this memory, until one is written to. So a memory can be larger than what it takes.
    ///
    /// # Errors
    /// If the range leaves the address space; then nothing is written.
    pub fn share(&mut self, address: u32, bytes: &Bytes) -> Result<(), RangeError> {
        let mut whole =
            pieces(address, bytes.len())?.filter(|&(.., len)| len == PAGE_SIZE).map(|(page, ..)| page);
        let Some(first) = whole.next() else { return self.write(address, bytes) };
        let count = 1 + whole.count();
        let (last, first_byte) = (first + count as u32 - 1, first as usize * PAGE_SIZE - address as usize);
        if (first..=last).any(|index| self.page(index).is_some()) {
            return self.write(address, bytes);
        }
        let end = first_byte + count * PAGE_SIZE;
        self.write(address, &bytes[..first_byte])?;
        if end < bytes.len() {
            self.write(address + end as u32, &bytes[end..])?;
        }
        self.shared.insert(first, bytes.slice(first_byte..end));
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
            match self.page(index) {
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
        let Self { pages, shared } = self;
        pages.entry(index).or_insert_with(|| Box::new(taken(shared, index).unwrap_or([0; PAGE_SIZE])))
    }
}

/// Takes a copy of page `index` out of `shared`, if it is there.
fn taken(shared: &mut BTreeMap<u32, Bytes>, index: u32) -> Option<Page> {
    let (&first, bytes) = shared.range(..=index).next_back()?;
    let at = (index - first) as usize;
    let page = *bytes.as_chunks().0.get(at)?;
    let mut before = shared.remove(&first)?;
    let mut after = before.split_off(at * PAGE_SIZE);
    after.advance(PAGE_SIZE);
    let parts = [(first, before), (index + 1, after)].into_iter();
    shared.extend(parts.filter(|(_, bytes)| !bytes.is_empty()));
    Some(page)
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

    /// Half a page, three whole ones, and a few bytes; the second whole page is then written to.
    #[test]
    fn shared_pages_are_as_written_ones() {
        let bytes: Bytes = (0..2048 + 3 * PAGE_SIZE + 5).map(|i| (i % 249) as u8).collect();
        let (mut shared, mut written) = (Memory::new(), Memory::new());
        shared.share(0x1800, &bytes).unwrap();
        written.write(0x1800, &bytes).unwrap();
        assert_eq!((shared.shared.len(), shared.pages.len(), shared.page_count()), (1, 2, 5));
        assert_eq!((&shared, shared.merkle_root()), (&written, written.merkle_root()));
        let untouched = shared.clone();
        for memory in [&mut shared, &mut written] {
            memory.write(0x3010, &[0xee; 3]).unwrap();
        }
        assert_eq!(shared, written);
        assert_ne!(shared, untouched);
        assert_eq!((shared.shared.len(), shared.page_count()), (2, 5));
        assert_eq!(bytes[0x3010 - 0x1800], untouched.page(3).unwrap()[0x10], "a copy was written to");
        // Over pages that are there, shared or not, it is a write.
        let zeros = Bytes::from(vec![0; 6 * PAGE_SIZE]);
        shared.share(0x1000, &zeros).unwrap();
        assert_eq!(shared.non_zero_page_count(), 0);
        let past = RangeError { address: 0xffff_f000, len: 6 * PAGE_SIZE };
        assert_eq!(shared.share(0xffff_f000, &zeros), Err(past));
        assert_eq!(shared.page_count(), 6);
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
