//! The part of deny.toml that has to hold on every build; cargo-deny checks the same, and more.

use std::collections::BTreeSet;

use spdx::expression::Expression;
use spdx::{LicenseReq, ParseMode};

use crate::repository::{metadata, read, report};

fn allowed() -> BTreeSet<String> {
    let config: toml::Table = read("deny.toml").parse().expect("deny.toml is TOML");
    let list = config["licenses"]["allow"].as_array().expect("licenses.allow is a list");
    list.iter().map(|entry| entry.as_str().expect("a licence is a string").to_owned()).collect()
}

#[test]
fn licences_are_allowed_and_each_is_needed() {
    let allowed = allowed();
    let mut wrong = Vec::new();
    let mut needed = BTreeSet::new();
    for package in metadata().packages {
        let name = format!("{} {}", package.name, package.version);
        let Some(text) = &package.license else {
            wrong.push(format!("{name}: no licence is given"));
            continue;
        };
        // Older crates write a slash for "or".
        let expression = match Expression::parse_mode(text, ParseMode::LAX) {
            Ok(expression) => expression,
            Err(error) => {
                wrong.push(format!("{name}: `{text}`: {}", error.reason));
                continue;
            }
        };
        let covered = |req: &LicenseReq| allowed.contains(&req.to_string());
        if !expression.evaluate(covered) {
            wrong.push(format!("{name}: `{text}`"));
        }
        for licence in &allowed {
            let without = |req: &LicenseReq| covered(req) && req.to_string() != *licence;
            if !expression.evaluate(without) {
                needed.insert(licence.clone());
            }
        }
    }
    wrong.extend(allowed.difference(&needed).map(|licence| format!("{licence}: no package needs it")));
    report("deny.toml lists the licences that packages need, and no others", wrong);
}

#[test]
fn packages_come_from_the_registry() {
    let packages = metadata().packages;
    let foreign = packages.iter().filter(|p| p.source.as_ref().is_some_and(|source| !source.is_crates_io()));
    report("no git sources and no other registries", foreign.map(|p| format!("{} {}", p.name, p.version)));
}

/// A check that allows everything would look the same.
#[test]
fn other_licences_would_be_seen() {
    let allowed = allowed();
    let fits = |text| {
        Expression::parse_mode(text, ParseMode::LAX)
            .unwrap()
            .evaluate(|req| allowed.contains(&req.to_string()))
    };
    assert!(fits("MIT/Apache-2.0") && fits("MIT OR LGPL-2.1-or-later"));
    assert!(
        !fits("LGPL-2.1-or-later")
            && !fits("MIT AND GPL-3.0-only")
            && !fits("GPL-2.0-only WITH Classpath-exception-2.0")
    );
}
