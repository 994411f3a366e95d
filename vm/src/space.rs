use memmap2::{MmapMut, MmapOptions};

use crate::VmError;

/// Bytes of the guest's address space.
const LEN: usize = 1 << 32;

/// Pages of the guest's address space.
const PAGES: usize = 1 << 20;

/// Bytes in front of the memory that belong to the flags of its pages.
const FLAGS: usize = 4 * PAGES;

/// What is known about a page.
pub(crate) mod flag {
    /// Bit of a page that was written, or loaded with the state. Any other reads as zeros and is absent from exported states.
    pub(crate) const PLAIN: u8 = 1;
    /// Bit that is set while instructions of the page are decoded.
    pub(crate) const CODE: u8 = 2;
    /// Bit of a present page that has not been written since [`Space::take_written`] gave it out.
    ///
    /// [`Space::take_written`]: super::Space::take_written
    pub(crate) const WATCHED: u8 = 4;
    /// Bit of a page that the program may read and not write; of none unless accesses are checked.
    pub(crate) const READ_ONLY: u8 = 8;
    /// Bit of a page that the program may access; of all pages unless accesses are checked. Greater than all of those above.
    pub(crate) const OPEN: u8 = 16;
    /// Bit of a page of which a debugger wants to see each access. It is the sign, so that one comparison sees this and whether the page
    /// is open.
    pub(crate) const TRAPPED: u8 = 128;
}

/// The guest's memory as one flat reservation, so that an access is an addition. Words are big-endian.
///
/// (M) `base` points at 2^32 readable and writable bytes for as long as `self` lives, so any u32, and any
/// aligned word at a u32, is a valid offset.
/// (F) The [`FLAGS`] bytes in front of `base` are readable and writable for as long, too. They have one byte for each page, and behind
/// them three times as many zeros: there the index of an access leads whose address is not aligned, see [`Space::flags_of`]. They lie
/// so near that one register reaches both.
/// (W) A present page is either watched, or its index is in `written`, once.
pub(crate) struct Space {
    base: *mut u8,
    /// Pages that are not absent.
    present: u32,
    written: Vec<u32>,
    _mapping: MmapMut,
}

// SAFETY: `base` points into the mapping `self` owns; nothing else does.
unsafe impl Send for Space {}

/// Reserves `len` zero bytes of which only the touched pages take memory.
pub(crate) fn reserve(len: usize) -> Result<MmapMut, VmError> {
    let mapped = MmapOptions::new().len(len).no_reserve_swap().map_anon();
    mapped.map_err(|source| VmError::Reserve { bytes: len as u64, source })
}

impl Space {
    pub(crate) fn new() -> Result<Self, VmError> {
        let mut mapping = reserve(FLAGS + LEN)?;
        // The zeros behind the pages' flags are never touched, so they take no memory.
        mapping[..PAGES].fill(flag::OPEN);
        // SAFETY: inside the mapping.
        let base = unsafe { mapping.as_mut_ptr().add(FLAGS) };
        Ok(Self { base, present: 0, written: Vec::new(), _mapping: mapping })
    }

    /// What is known of each page.
    fn flags(&self) -> &[u8] {
        // SAFETY: (F), and `&self` keeps writers out.
        unsafe { std::slice::from_raw_parts(self.base.sub(FLAGS), PAGES) }
    }

    fn flags_mut(&mut self) -> &mut [u8] {
        // SAFETY: (F), and `&mut self` keeps others out.
        unsafe { std::slice::from_raw_parts_mut(self.base.sub(FLAGS), PAGES) }
    }

    #[inline(always)]
    pub(crate) fn byte(&self, address: u32) -> u8 {
        // SAFETY: (M).
        unsafe { *self.base.add(address as usize) }
    }

    /// The half-word that holds `address`.
    #[inline(always)]
    pub(crate) fn half(&self, address: u32) -> u16 {
        // SAFETY: (M); the mapping and the offset are aligned.
        u16::from_be(unsafe { self.base.add((address & !1) as usize).cast::<u16>().read() })
    }

    /// The word that holds `address`.
    #[inline(always)]
    pub(crate) fn word(&self, address: u32) -> u32 {
        // SAFETY: (M); the mapping and the offset are aligned.
        u32::from_be(unsafe { self.base.add((address & !3) as usize).cast::<u32>().read() })
    }

    /// The writes below do not look at the page's flags: see [`Self::is_usual_store`] and [`Self::make_present`].
    #[inline(always)]
    pub(crate) fn set_byte(&mut self, address: u32, value: u8) {
        // SAFETY: (M).
        unsafe { *self.base.add(address as usize) = value }
    }

    #[inline(always)]
    pub(crate) fn set_half(&mut self, address: u32, value: u16) {
        // SAFETY: (M); the mapping and the offset are aligned.
        unsafe { self.base.add((address & !1) as usize).cast::<u16>().write(value.to_be()) }
    }

    #[inline(always)]
    pub(crate) fn set_word(&mut self, address: u32, value: u32) {
        // SAFETY: (M); the mapping and the offset are aligned.
        unsafe { self.base.add((address & !3) as usize).cast::<u32>().write(value.to_be()) }
    }

    /// The flags of the page that an access of `1 << log_size` bytes at `address` goes to; none if the address is not aligned.
    /// The low bits of such an address are turned to the top of the index, so that one look sees both.
    #[inline(always)]
    fn flags_of(&self, address: u32, log_size: u32) -> u8 {
        let index = address.rotate_right(log_size) >> (12 - log_size);
        // SAFETY: (F); sizes are 1, 2 and 4, so the index has 22 bits at most.
        unsafe { *self.base.sub(FLAGS).add(index as usize) }
    }

    /// Whether a load is aligned and goes where the program may read and nobody looks.
    #[inline(always)]
    pub(crate) fn is_usual_load(&self, address: u32, log_size: u32) -> bool {
        self.flags_of(address, log_size) as i8 >= flag::OPEN as i8
    }

    /// Whether a store is aligned and goes where nobody has to note it: the page is open, present, not watched, not read-only, not
    /// trapped, and without decoded instructions.
    #[inline(always)]
    pub(crate) fn is_usual_store(&self, address: u32, log_size: u32) -> bool {
        self.flags_of(address, log_size) == flag::PLAIN | flag::OPEN
    }

    /// Whether the program may read the page of `address`.
    pub(crate) fn is_open(&self, address: u32) -> bool {
        self.flags_of(address, 0) & flag::OPEN != 0
    }

    /// Whether the program may read the page of `address` and not write it.
    pub(crate) fn is_read_only(&self, address: u32) -> bool {
        self.flags()[(address >> 12) as usize] & flag::READ_ONLY != 0
    }

    /// Closes all pages that are not present.
    pub(crate) fn close_absent(&mut self) {
        for flags in self.flags_mut().iter_mut().filter(|flags| **flags & flag::PLAIN == 0) {
            *flags &= !flag::OPEN;
        }
    }

    /// Opens the pages of the `len` bytes from `start` on, up to the end of the address space.
    pub(crate) fn open(&mut self, start: u32, len: u32) {
        self.pages_of(start, len).iter_mut().for_each(|flags| *flags |= flag::OPEN);
    }

    /// Makes the pages of the `len` bytes from `start` on read-only, or not so any more.
    pub(crate) fn set_read_only(&mut self, start: u32, len: u32, read_only: bool) {
        for flags in self.pages_of(start, len) {
            *flags = if read_only { *flags | flag::READ_ONLY } else { *flags & !flag::READ_ONLY };
        }
    }

    /// Makes the pages of the `len` bytes from `start` on trapped, or not so any more.
    pub(crate) fn set_trapped(&mut self, start: u32, len: u32, trapped: bool) {
        for flags in self.pages_of(start, len) {
            *flags = if trapped { *flags | flag::TRAPPED } else { *flags & !flag::TRAPPED };
        }
    }

    fn pages_of(&mut self, start: u32, len: u32) -> &mut [u8] {
        let end = (u64::from(start) + u64::from(len)).div_ceil(4096).min(PAGES as u64) as usize;
        &mut self.flags_mut()[((start >> 12) as usize).min(end)..end]
    }

    /// Whether the page of `address` was ever written.
    pub(crate) fn is_present(&self, address: u32) -> bool {
        self.flags()[(address >> 12) as usize] & flag::PLAIN != 0
    }

    /// Whether instructions of the page of `address` are decoded.
    pub(crate) fn is_code(&self, address: u32) -> bool {
        self.flags()[(address >> 12) as usize] & flag::CODE != 0
    }

    /// Notes a write to the page of `address`.
    pub(crate) fn make_present(&mut self, address: u32) {
        let index = (address >> 12) as usize;
        let flags = self.flags()[index];
        let absent = flags & flag::PLAIN == 0;
        if absent || flags & flag::WATCHED != 0 {
            self.present += u32::from(absent);
            self.written.push(address >> 12);
            self.flags_mut()[index] = flags & !flag::WATCHED | flag::PLAIN;
        }
    }

    /// Indices of the pages that were loaded or written since the last call, in any order. From now on they
    /// are watched, which costs one slow store for each page that is written again.
    pub(crate) fn take_written(&mut self) -> Vec<u32> {
        let written = std::mem::take(&mut self.written);
        written.iter().for_each(|&index| self.flags_mut()[index as usize] |= flag::WATCHED);
        written
    }

    /// Notes that instructions of the page of `address` are decoded; says whether none were before.
    pub(crate) fn make_code(&mut self, address: u32) -> bool {
        let flags = &mut self.flags_mut()[(address >> 12) as usize];
        let first = *flags & flag::CODE == 0;
        *flags |= flag::CODE;
        first
    }

    /// Forgets all decoded instructions.
    pub(crate) fn clear_code(&mut self) {
        self.flags_mut().iter_mut().for_each(|flags| *flags &= !flag::CODE);
    }

    /// How many pages are present.
    pub(crate) fn present(&self) -> u32 {
        self.present
    }

    /// Indices of the present pages, rising.
    pub(crate) fn present_pages(&self) -> impl Iterator<Item = u32> + '_ {
        let present = |&(_, flags): &(usize, &u8)| flags & flag::PLAIN != 0;
        self.flags().iter().enumerate().filter(present).map(|(index, _)| index as u32)
    }

    /// The bytes of a page.
    pub(crate) fn page(&self, index: u32) -> &[u8; 4096] {
        let (pages, _) = self.bytes(index << 12, 4096).as_chunks();
        &pages[0]
    }

    /// `len` bytes from `address` onwards, or up to the end of the address space.
    pub(crate) fn bytes(&self, address: u32, len: usize) -> &[u8] {
        let len = len.min(LEN - address as usize);
        // SAFETY: (M); the range ends at or before 2^32, and `&self` keeps writers out.
        unsafe { std::slice::from_raw_parts(self.base.add(address as usize), len) }
    }

    /// Replaces the content of a page that is present, of which no instruction may stay decoded. It is not noted as a write.
    pub(crate) fn set_page(&mut self, index: u32, page: &[u8; 4096]) {
        // SAFETY: (M); the page lies inside the mapping.
        unsafe { self.base.add((index as usize) << 12).copy_from_nonoverlapping(page.as_ptr(), 4096) }
    }

    /// Fills a page and makes it present.
    pub(crate) fn load_page(&mut self, index: u32, page: &[u8; 4096]) {
        self.make_present(index << 12);
        // A page of zeros would take memory if it were copied, and it is zero already.
        if page.iter().any(|&byte| byte != 0) {
            // SAFETY: (M); the page lies inside the mapping.
            unsafe { self.base.add((index as usize) << 12).copy_from_nonoverlapping(page.as_ptr(), 4096) }
        }
    }
}
