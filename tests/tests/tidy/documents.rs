//! The documents name what the code has.

use std::collections::BTreeSet;

use opml_toolchain::audit::Rule;

use crate::repository::{read, report, text_files};

#[test]
fn every_audit_rule_is_described_once() {
    let text = read("docs/audit.md");
    let rows = |rule: &Rule| text.lines().filter(|line| line.starts_with(&format!("| `{rule}` |"))).count();
    let wrong = Rule::ALL.iter().map(|rule| (rule, rows(rule))).filter(|(_, rows)| *rows != 1);
    report(
        "docs/audit.md has one row for each rule",
        wrong.map(|(rule, rows)| format!("{rule}: {rows} rows")),
    );
    let described = text.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(described, Rule::ALL.len(), "docs/audit.md has rows for rules that do not exist");
}

#[test]
fn every_field_of_the_manifest_is_described() {
    let text = read("docs/formats.md");
    let files = ["toolchain/src/manifest.rs", "toolchain/src/sources/identity.rs"];
    let items = files.map(|file| syn::parse_file(&read(file)).expect("the manifest's source parses").items);
    let structs = items
        .iter()
        .flatten()
        .filter(|item| matches!(item, syn::Item::Struct(s) if matches!(s.vis, syn::Visibility::Public(_))))
        .filter_map(|item| if let syn::Item::Struct(item) = item { Some(item) } else { None });
    let fields = structs.flat_map(|item| &item.fields).filter_map(|field| field.ident.as_ref());
    let names: Vec<String> = fields.map(ToString::to_string).collect();
    assert!(names.len() > 30, "the manifest's fields were not found: {names:?}");
    report(
        "docs/formats.md names each field",
        names.iter().filter(|name| !text.contains(&format!("`{name}`"))),
    );
}

/// Nothing but this page says what the names stand for.
#[test]
fn every_name_in_a_statement_is_described() {
    let (code, text) = (read("toolchain/src/provenance.rs"), read("docs/provenance.md"));
    let names: BTreeSet<&str> =
        code.split('"').filter(|literal| literal.starts_with("urn:opml-toolchain:")).collect();
    assert!(names.len() >= 5, "the names were not found: {names:?}");
    let undescribed = names.iter().filter(|name| !text.contains(&format!("| `{name}` |")));
    report("docs/provenance.md has a row for each build type and builder", undescribed);
}

/// Where the bounds of docs/numerics.md are relied on, and where tests try them.
const BOUNDS_IN: [&str; 4] = ["kernels/src/", "kernels/build/", "native/src/", "softfloat/src/"];
const BOUNDS_TRIED: [&str; 3] = ["kernels/tests/", "native/tests/", "softfloat/tests/"];

#[test]
fn every_bound_of_the_numerics_is_cited_and_tried() {
    let text = read("docs/numerics.md");
    let starts = text.lines().filter_map(|line| line.strip_prefix("* **("));
    let letters: Vec<&str> =
        starts.filter_map(|rest| rest.split_once(")**")).map(|(letter, _)| letter).collect();
    assert!(letters.len() >= 17, "the bounds were not found: {letters:?}");
    let files: Vec<_> = text_files().into_iter().filter(|file| file.is_rust()).collect();
    let named = |letter: &str, places: &[&str]| {
        let mark = format!("({letter})");
        files.iter().any(|f| places.iter().any(|place| f.path.starts_with(place)) && f.text.contains(&mark))
    };
    let mut wrong = Vec::new();
    for (at, letter) in letters.iter().enumerate() {
        if letters[..at].contains(letter) {
            wrong.push(format!("({letter}) stands for two bounds"));
        }
        if !named(letter, &BOUNDS_IN) {
            wrong.push(format!("({letter}) is not cited in {BOUNDS_IN:?}"));
        }
        if !named(letter, &BOUNDS_TRIED) {
            wrong.push(format!("({letter}) is not named by a test in {BOUNDS_TRIED:?}"));
        }
    }
    report("a bound of docs/numerics.md is cited by the code that relies on it and tried by a test", wrong);
}

/// The targets need another compiler and are not built with the rest, so that one could be forgotten unseen.
#[test]
fn every_fuzz_target_is_listed_and_has_a_corpus() {
    let root = crate::repository::root().join("fuzz");
    let manifest: toml::Table = read("fuzz/Cargo.toml").parse().expect("the manifest is TOML");
    let bins = manifest["bin"].as_array().expect("a list of programs").iter();
    let listed: BTreeSet<&str> = bins.map(|bin| bin["path"].as_str().expect("a path")).collect();
    let sources = std::fs::read_dir(root.join("fuzz_targets")).expect("the folder can be listed");
    let mut wrong = Vec::new();
    for source in sources.map(|entry| entry.expect("the folder can be listed").path()) {
        let name = source.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        if !listed.contains(format!("fuzz_targets/{name}.rs").as_str()) {
            wrong.push(format!("{name}: no [[bin]] in fuzz/Cargo.toml"));
        }
        if !read("fuzz/README.md").contains(&format!("| `{name}` |")) {
            wrong.push(format!("{name}: no row in fuzz/README.md"));
        }
        if std::fs::read_dir(root.join("corpus").join(&name)).map_or(0, Iterator::count) < 2 {
            wrong.push(format!("{name}: fewer than two inputs in fuzz/corpus/{name}"));
        }
    }
    report("a fuzz target has a program, a row and a corpus", wrong);
}

/// Links between the documents, relative to the file they stand in.
#[test]
fn links_lead_somewhere() {
    let root = crate::repository::root();
    let mut broken = Vec::new();
    for file in text_files().iter().filter(|file| file.path.ends_with(".md")) {
        let folder = root.join(&file.path).parent().expect("a file lies in a folder").to_owned();
        for (number, line) in file.lines() {
            let links = line.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
            let local = links.filter(|link| !link.is_empty() && !link.contains("://"));
            broken.extend(
                local.filter(|l| !folder.join(l).exists()).map(|l| format!("{}:{number}: {l}", file.path)),
            );
        }
    }
    report("links lead to files of the repository", broken);
}
