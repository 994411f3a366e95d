//! The root and the file of a large memory take little memory of their own. In a test binary of its own: others would count.

use std::sync::Mutex;

use bytes::Bytes;
use opml_state::cannon::write_state;
use opml_state::{Memory, PAGE_SIZE, State};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// The allocator counts for all threads.
static COUNTED: Mutex<()> = Mutex::new(());

#[test]
fn a_root_takes_an_eighth_of_what_it_commits_to_at_most() {
    let _one_at_a_time = COUNTED.lock().unwrap();
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

#[test]
fn shared_pages_and_their_state_file_take_a_quarter_at_most() {
    let _one_at_a_time = COUNTED.lock().unwrap();
    const LEN: usize = 96 << 20;
    // Noise, which is the most a state file can be.
    let mut noise = 1u64;
    let bytes: Bytes = std::iter::repeat_with(|| {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (noise >> 56) as u8
    })
    .take(LEN)
    .collect::<Vec<u8>>()
    .into();
    let before = ALLOCATED.current_usage();
    ALLOCATED.reset_peak_usage();
    let mut memory = Memory::new();
    memory.share(0x10_0000, &bytes).unwrap();
    let state = State::initial(0x10_0000, memory, 0, 0x7fff_d000).unwrap();
    let mut written = Counter(0);
    write_state(&state, &mut written).unwrap();
    let more = ALLOCATED.peak_usage() - before;
    assert!(written.0 > LEN && more < LEN / 4, "{more} bytes for {LEN}, and {} written", written.0);
}

/// Keeps only how many bytes it was given.
struct Counter(usize);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
