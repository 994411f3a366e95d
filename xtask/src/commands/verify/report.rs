//! What a verification found.

use opml_state::Hash;
use opml_toolchain::compare::Comparison;
use opml_toolchain::manifest::Manifest;
use serde_json::json;

use crate::commands::diff;
use crate::ui::table;

/// What came out.
pub struct Report {
    pub comparison: Comparison,
    pub against: Option<Hash>,
    pub given: Manifest,
    pub rebuilt: Manifest,
}

impl Report {
    /// Whether the rebuilt program has the root that was given, if one was.
    fn has_root(&self) -> Option<bool> {
        self.against.map(|root| [self.rebuilt.memory_root, self.rebuilt.prestate_hash].contains(&root))
    }

    pub fn passes(&self) -> bool {
        self.comparison.is_identical() && self.has_root() != Some(false)
    }

    pub fn json(&self) -> serde_json::Value {
        json!({
            "identical": self.comparison.is_identical(),
            "memory_root": self.rebuilt.memory_root,
            "prestate_hash": self.rebuilt.prestate_hash,
            "against": self.against,
            "has_root": self.has_root(),
            "comparison": self.comparison,
        })
    }

    pub fn text(&self) -> String {
        let mut rows = vec![
            ("rebuilt memory root", self.rebuilt.memory_root.to_string()),
            ("rebuilt prestate hash", self.rebuilt.prestate_hash.to_string()),
        ];
        if let (Some(root), Some(has)) = (self.against, self.has_root()) {
            rows.push((
                "given root",
                format!("{root}: {}", if has { "it is this one" } else { "it is none of these" }),
            ));
        }
        let files = self.given.sha256.len() + 1;
        if self.comparison.is_identical() {
            rows.push(("result", format!("all {files} files are identical")));
        } else {
            rows.push(("result", "different".into()));
        }
        let text = format!("{} for {}\n\n{}", self.given.name, self.given.target, table::pairs(rows));
        if self.comparison.is_identical() {
            return text;
        }
        text + "\n" + &diff::text(&self.comparison, ["given", "rebuilt"])
    }
}
