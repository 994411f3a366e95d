//! Replays the corpora of the fuzz targets for packages, archives and locks.

#[path = "../../../fuzz/replay.rs"]
mod replay;

use opml_toolchain::provision::{fuzz_archive, fuzz_deb, fuzz_lock};
use replay::replay;

#[test]
fn packages() {
    replay("deb", |data| fuzz_deb(data).is_ok());
}

#[test]
fn archives() {
    replay("archive", |data| fuzz_archive(data).is_ok());
}

#[test]
fn locks() {
    replay("lock", |data| fuzz_lock(data).is_ok());
}
