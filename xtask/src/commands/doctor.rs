//! `doctor`: what a build needs, and what of it is there.

use opml_toolchain::provision::{DoctorReport, Finding, doctor};

use serde::Serialize;

use crate::outcome::{Outcome, Result};
use crate::ui::{self, Format};

/// Show what builds need, where it was found, in which version, and what is missing
///
/// Changes nothing. Exits with 0 if guests can be built now, 1 if not.
#[derive(clap::Args)]
pub struct Args {
    /// How to print the findings
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub fn run(args: &Args) -> Result {
    let options = super::provision_options(true)?;
    let (report, python) = (doctor(&options), opml_python::doctor(&options));
    match args.format {
        Format::Json => {
            println!("{:#}", serde_json::json!(Report { builds: &report, conversion: &[python] }));
        }
        Format::Text => print!("{}", text(&report, &python)),
    }
    Ok(if report.can_build() { Outcome::Done } else { Outcome::Failed })
}

/// All that was found, as JSON has it.
#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    builds: &'a DoctorReport,
    /// What `convert`, `quantize` and the tests need besides.
    conversion: &'a [Finding],
}

fn text(report: &DoctorReport, python: &Finding) -> String {
    let mut text = String::new();
    for (title, findings) in [
        ("pinned toolchain (reference builds)", &report.pinned[..]),
        ("rustup toolchain (second choice: its builds are no reference)", &report.rustup[..]),
        ("system", &report.system[..]),
        ("conversion, quantisation and tests; builds do without", std::slice::from_ref(python)),
    ] {
        text += &format!("{title}\n");
        findings.iter().for_each(|finding| text += &line(finding));
    }
    let cache = report.cache_dir.as_ref().map_or("unknown".into(), |dir| dir.display().to_string());
    let free = report.free_bytes.map_or("unknown".into(), ui::bytes);
    let verdict = if report.can_build() {
        "guests can be built"
    } else {
        "not everything is there; `cargo xtask build-model` and `cargo xtask toolchain install` set up the pinned toolchain"
    };
    text + &format!("cache {cache}, {free} free on its disk\n\n{verdict}\n")
}

fn line(finding: &Finding) -> String {
    let mark = if finding.problem.is_none() { "ok" } else { "--" };
    let mut text = format!("  {mark} {:<21}", finding.name);
    text += finding.version.as_deref().or(finding.problem.as_deref()).unwrap_or_default();
    if let Some(path) = &finding.path {
        text += &format!("\n     {:<21}{}", "", path.display());
    }
    if let Some(fix) = &finding.fix {
        text += &format!("\n     {:<21}to mend it: {fix}", "");
    }
    text + "\n"
}
