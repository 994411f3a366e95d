//! `ci`: all images of this repository, with everything that has to be true of them.

use std::path::PathBuf;

use opml_toolchain::roots;
use serde_json::json;

use super::roots::Compared;
use super::{roots as pins, verify};
use crate::outcome::{Outcome, Result};
use crate::shipped::Builder;
use crate::ui::{self, Format};

/// Build all images, hold their roots against roots.toml, and verify each in a fresh place
///
/// What the Containerfile and the workflow of images run. Writes a folder for each model and target, with its manifest, bill of
/// materials and provenance, ready to be signed and published.
///
/// Exits with 0 if every root is as pinned and every image comes out the same again, 1 if not, 2 if it could not be told.
#[derive(clap::Args)]
pub struct Args {
    /// Folder for the images [default: target/opml/images in the checkout]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Never use the network
    #[arg(long)]
    offline: bool,
}

pub fn run(args: &Args) -> Result {
    let checkout = super::checkout()?;
    let pinned = pins::read(&checkout.root().join(roots::FILE))?;
    let out = args.out.clone().unwrap_or_else(|| checkout.root().join("target/opml/images"));
    let progress = ui::reporter();
    let builder = Builder {
        checkout: &checkout,
        provision: super::provision_options(args.offline)?,
        scratch: &out,
        progress: &*progress,
    };
    let Some(Compared { built, comparison, .. }) = pins::build_and_compare(&builder, &pinned)? else {
        return Ok(Outcome::Failed);
    };
    if args.format == Format::Text {
        print!("{}", pins::text(&comparison, false));
    }
    let mut verified = Vec::new();
    for (model, built) in &built {
        let (text, passes) = verify::one(&built.out, model, args.offline)?;
        if args.format == Format::Text {
            print!("\n{text}");
        }
        verified.push((built.manifest.name.clone(), built.manifest.target.clone(), passes));
    }
    let passes = comparison.is_as_pinned() && verified.iter().all(|(_, _, passes)| *passes);
    match args.format {
        Format::Json => {
            let image = |(name, target, passes): &(String, String, bool)| json!({ "name": name, "target": target, "verified": passes });
            let images: Vec<_> = verified.iter().map(image).collect();
            let roots = pins::json(&comparison, false);
            println!("{:#}", json!({ "passes": passes, "roots": roots, "images": images }));
        }
        Format::Text => println!("\n images  {}", out.display()),
    }
    Ok(if passes { Outcome::Done } else { Outcome::Failed })
}
