//! The root of a large memory takes little memory of its own. In a test binary of its own: others would count.

use opml_state::{Memory, PAGE_SIZE};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

#[test]
fn a_root_takes_an_eighth_of_what_it_commits_to_at_most() {
    // 64 MiB: what is not per page is small against it.
    const PAGES: u32 = 1 << 14;
    let mut memory = Memory::new();
    for index in 0..PAGES {
        memory.set_page(index * 3, Box::new([index as u8 | 1; PAGE_SIZE]));
    }
    let before = ALLOCATED.current_usage();
    assert!(before > PAGES as usize * PAGE_SIZE, "the allocator counts");
    ALLOCATED.reset_peak_usage();
    memory.merkle_root();
    let more = ALLOCATED.peak_usage() - before;
    assert!(more < PAGES as usize * PAGE_SIZE / 8, "{more} bytes for {} pages", PAGES);
}
