//! What `build-model` prints.

use std::time::Duration;

use opml_onchain::conform::Conformity;
use opml_toolchain::Built;

use crate::commands::conform;
use crate::ui::{self, table};

/// The table of a finished build, and the time of each stage.
pub fn text(
    kernel_calls: usize,
    built: &Built,
    conformity: Option<&Conformity>,
    imported: Duration,
    total: Duration,
) -> String {
    let manifest = &built.manifest;
    let sizes = &manifest.sizes;
    let called = manifest.guest.iter().flat_map(|guest| guest.models.values());
    let models = manifest.model.iter().chain(called);
    let multiply_accumulates = models.map(|model| model.multiply_accumulates).sum();
    let weights = sizes.weights.map(|weights| format!(", of which weights {}", ui::bytes(weights)));
    let port = |p: &opml_toolchain::manifest::Port| format!("{} {} {:?}", p.name, p.dtype, p.shape);
    let list =
        |ports: &[opml_toolchain::manifest::Port]| ports.iter().map(port).collect::<Vec<_>>().join(", ");
    let mut text = format!("{} for {}\n\n", manifest.name, manifest.target);
    let mut rows = Vec::new();
    if let Some(guest) = &manifest.guest {
        let crates = manifest.sources.as_ref().map_or(0, |sources| sources.guest.len());
        rows.push(("package", format!("{}, {crates} crates in all", guest.package)));
    } else {
        rows.extend([("input", list(&manifest.inputs)), ("output", list(&manifest.outputs))]);
    }
    if kernel_calls > 0 {
        let products = ui::count(multiply_accumulates);
        rows.push(("work", format!("{kernel_calls} kernel calls, {products} multiply-accumulates")));
    }
    rows.extend([
        ("code", ui::bytes(sizes.code)),
        ("constants", ui::bytes(sizes.constants) + &weights.unwrap_or_default()),
    ]);
    rows.push(match manifest.memory_plan {
        Some(plan) => (
            "activations",
            format!("{} (no plan takes less than {})", ui::bytes(plan.arena), ui::bytes(plan.lower_bound)),
        ),
        None => ("variables", ui::bytes(sizes.variables)),
    });
    rows.extend([
        ("memory root", manifest.memory_root.to_string()),
        ("prestate hash", manifest.prestate_hash.to_string()),
        (
            "reference build",
            if manifest.reference {
                "yes".into()
            } else {
                "no: another toolchain than the pinned one".to_owned()
            },
        ),
    ]);
    rows.extend(conformity.map(|conformity| ("contract", conform::summary(conformity))));
    rows.push(("files", built.out.display().to_string()));
    text += &table::pairs(rows);
    let mut stages = vec![format!("import {}", ui::seconds(imported))];
    stages.extend(built.timings.iter().map(|(name, time)| format!("{name} {}", ui::seconds(*time))));
    text + &format!("\n {} in all: {}\n", ui::seconds(total), stages.join(", "))
}
