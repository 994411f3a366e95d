//! Where images are built: the Containerfile and the workflow.

use opml_toolchain::rebuild::{Containerfile, Step};

use crate::repository::read;

/// Two descriptions of one machine would drift apart, and images be built on another than the one that is checked.
#[test]
fn the_workflow_builds_where_the_containerfile_does() {
    let file = Containerfile::parse(&read("Containerfile")).unwrap_or_else(|e| panic!("{e}"));
    let workflow = read(".github/workflows/images.yml");
    assert!(workflow.contains(&format!("container: {}\n", file.base)), "the workflow runs in {}", file.base);
    let words = |text: &str| text.replace('\\', " ").split_whitespace().collect::<Vec<_>>().join(" ");
    let workflow = words(&workflow);
    for step in file.steps {
        if let Step::Run { command, .. } = step {
            // Where its output goes is not the same in the two.
            let command = command.split(" --out ").next().unwrap_or_default();
            assert!(workflow.contains(&words(command)), "the workflow has `{command}`");
        }
    }
}
