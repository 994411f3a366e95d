//! The cases on this machine.

use crate::case::Case;
use crate::list::{Listed, cases, compare};

#[test]
fn natively() {
    let cases = cases();
    assert!(cases.len() >= 1197, "only {} cases are listed", cases.len());
    let run = |listed: &Listed| {
        let case = Case::load(listed)?;
        case.check(&case.run()?)
    };
    compare(cases.iter().map(|listed| (listed, run(listed))), |listed| &listed.natively);
}
