//! Pinned roots: what is compared, what is explained, and files that are no list of roots.
//!
//! | what it catches | test |
//! |---|---|
//! | a file that is not read as it was written, or is written in another order | `the_file_is_read_as_it_is_written` |
//! | a change of a root that nobody notices, or that is blamed on the wrong input | `a_root_that_changed_is_explained` |
//! | a model that ships unpinned, a pin that outlives its model | `models_and_pins_go_together` |
//! | a pin of another toolchain that passes for one of this | `a_pin_is_one_of_its_toolchain` |
//! | roots of different checkouts, or of nobody's compilers, in one file | `only_reference_builds_of_one_checkout_are_pinned` |
//! | a hostile file | `hostile_files_are_refused` |

use opml_toolchain::compare::CauseKind;
use opml_toolchain::manifest::Manifest;
use opml_toolchain::roots::{MAX_TEXT, Roots, RootsError, Verdict};
use serde_json::{Value, json};

/// The manifest of a build of the model `name`, with `change` made to it.
fn manifest(name: &str, change: impl Fn(&mut Value)) -> Manifest {
    let digit = |digit: &str| digit.repeat(64);
    let mut json = json!({
        "manifest_version": 2,
        "name": name,
        "target": "cannon32",
        "abi_version": 1,
        "model": { "sha256": digit("1"), "dims": {}, "multiply_accumulates": 1 },
        "sha256": {},
        "memory_root": format!("0x{}", digit("2")),
        "prestate_hash": format!("0x{}", digit("3")),
        "toolchain": {
            "source": "reference", "lock_sha256": digit("4"), "rustc": "rustc 1", "llvm": "1", "cargo": "cargo 1",
            "clang": "clang 1", "lld": "LLD 1",
        },
        "reference": true,
        "sources": {
            "digest": digit("5"),
            "files": { "Cargo.lock": digit("6"), "linker/cannon32.ld": digit("7"), "model": digit("1") },
            "flags": { "rustc": ["-Copt-level=3", "-Clto=fat"] },
            "generated": digit("8"),
            "guest": { "opml-abi 0.1.0": { "source": "path", "features": [], "sha256": digit("9") } },
            "tool": { "frontend": digit("a") },
        },
        "sizes": { "code": 1, "constants": 1, "variables": 1, "non_zero_pages": 1 },
        "rebuild": "",
        "rule": "",
    });
    change(&mut json);
    serde_json::from_value(json).expect("a manifest")
}

fn same(_: &mut Value) {}

fn roots(manifests: &[Manifest]) -> Roots {
    Roots::of(manifests).unwrap()
}

#[test]
fn the_file_is_read_as_it_is_written() {
    let other_target = |m: &mut Value| m["target"] = "other".into();
    let list = [manifest("b", same), manifest("a", same), manifest("a", other_target)];
    let written = roots(&list).to_text();
    assert_eq!(Roots::parse(&written).unwrap(), roots(&list));
    // The order of the builds does not show, and neither does the order in a file.
    let [b, a, other] = list;
    assert_eq!(roots(&[other, a, b]).to_text(), written);
    assert_eq!(Roots::parse(&written).unwrap().to_text(), written);
}

#[test]
fn a_root_that_changed_is_explained() {
    let pinned = roots(&[manifest("a", same)]);
    assert!(pinned.compare(&pinned).is_as_pinned());
    let digit = |digit: &str| digit.repeat(64);
    let changed = |change: &dyn Fn(&mut Value)| {
        let got = roots(&[manifest("a", |m| {
            m["memory_root"] = format!("0x{}", "f".repeat(64)).into();
            change(m);
        })]);
        let comparison = pinned.compare(&got);
        assert!(!comparison.is_as_pinned());
        let row = &comparison.rows[0];
        assert_eq!(row.verdict, Verdict::Differs);
        assert_eq!(row.pinned.unwrap().memory_root.0, [0x22; 32]);
        assert_eq!(row.got.unwrap().memory_root.0, [0xff; 32]);
        row.causes.iter().map(|cause| (cause.kind, cause.what.clone())).collect::<Vec<_>>()
    };
    // One of each kind, and last what nobody can explain.
    for (pointer, value, kind, what) in [
        ("/toolchain/lock_sha256", json!(digit("b")), CauseKind::Toolchain, "lock"),
        ("/sources/flags/rustc/0", json!("-Copt-level=2"), CauseKind::Flags, "rustc"),
        ("/model/dims", json!({ "n": 2 }), CauseKind::Dimensions, "--dim"),
        (
            "/sources/guest/opml-abi 0.1.0/features",
            json!(["x"]),
            CauseKind::Feature,
            "features of opml-abi 0.1.0",
        ),
        ("/sources/guest/opml-abi 0.1.0/sha256", json!(digit("b")), CauseKind::CrateSource, "opml-abi 0.1.0"),
        ("/sources/files/linker~1cannon32.ld", json!(digit("b")), CauseKind::Layout, "linker/cannon32.ld"),
        ("/sources/tool/frontend", json!(digit("b")), CauseKind::Tool, "frontend"),
        ("/sources/generated", json!(digit("b")), CauseKind::Generated, "generated crate"),
        ("/sources/files/Cargo.lock", json!(digit("b")), CauseKind::Workspace, "Cargo.lock"),
    ] {
        let causes = changed(&|m| *m.pointer_mut(pointer).expect(pointer) = value.clone());
        assert_eq!(causes, [(kind, what.to_owned())], "{pointer}");
    }
    let model = changed(&|m| m["model"]["sha256"] = digit("b").into());
    assert_eq!(model, [(CauseKind::Model, "model".to_owned())]);
    assert_eq!(changed(&same), []);
    // The likeliest first.
    let all = changed(&|m| {
        m["sources"]["files"]["Cargo.lock"] = digit("b").into();
        m["sources"]["tool"]["frontend"] = digit("b").into();
        m["toolchain"]["lock_sha256"] = digit("b").into();
    });
    let kinds: Vec<_> = all.into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, [CauseKind::Toolchain, CauseKind::Tool, CauseKind::Workspace]);
}

/// Sources change daily; a root that stays is as pinned.
#[test]
fn changed_sources_alone_are_no_difference() {
    let pinned = roots(&[manifest("a", same)]);
    let got = roots(&[manifest("a", |m| m["sources"]["tool"]["frontend"] = "b".repeat(64).into())]);
    let comparison = pinned.compare(&got);
    assert!(comparison.is_as_pinned());
    assert_eq!(comparison.rows[0].causes[0].kind, CauseKind::Tool);
}

#[test]
fn models_and_pins_go_together() {
    let verdicts = |pinned: &Roots, got: &Roots| {
        let comparison = pinned.compare(got);
        assert!(!comparison.is_as_pinned());
        let rows = comparison.rows.into_iter();
        rows.map(|row| (row.model, row.verdict)).collect::<Vec<_>>()
    };
    let (one, two) = (roots(&[manifest("a", same)]), roots(&[manifest("a", same), manifest("b", same)]));
    let as_pinned = ("a".to_owned(), Verdict::AsPinned);
    assert_eq!(verdicts(&one, &two), [as_pinned.clone(), ("b".into(), Verdict::NotPinned)]);
    assert_eq!(verdicts(&two, &one), [as_pinned, ("b".into(), Verdict::NoModel)]);
    assert_eq!(verdicts(&Roots::default(), &one), [("a".into(), Verdict::NotPinned)]);
    assert_eq!(verdicts(&one, &Roots::default()), [("a".into(), Verdict::NoModel)]);
}

#[test]
fn a_pin_is_one_of_its_toolchain() {
    let other_lock = |m: &mut Value| m["toolchain"]["lock_sha256"] = "b".repeat(64).into();
    let (pinned, got) = (roots(&[manifest("a", same)]), roots(&[manifest("a", other_lock)]));
    // The same roots, and yet nobody has pinned them for these compilers.
    let comparison = pinned.compare(&got);
    assert_eq!(comparison.rows[0].verdict, Verdict::Differs);
    assert_eq!(comparison.rows[0].causes[0].kind, CauseKind::Toolchain);
    // Pins of a toolchain that nothing is built with any more are left over.
    let both = roots(&[manifest("a", same), manifest("a", other_lock)]);
    let verdicts: Vec<_> = both.compare(&got).rows.into_iter().map(|row| row.verdict).collect();
    assert_eq!(verdicts, [Verdict::AsPinned, Verdict::NoModel]);
}

#[test]
fn only_reference_builds_of_one_checkout_are_pinned() {
    let rustup = manifest("a", |m| m["toolchain"]["lock_sha256"] = Value::Null);
    assert!(matches!(Roots::of(&[rustup]), Err(RootsError::NotReference { model }) if model == "a"));
    let changed = manifest("b", |m| m["sources"]["tool"]["frontend"] = "b".repeat(64).into());
    let error = Roots::of(&[manifest("a", same), changed]).unwrap_err();
    assert!(matches!(&error, RootsError::Unlike { model } if model == "b"), "{error}");
    let error = Roots::of(&[manifest("a", same), manifest("a", same)]).unwrap_err();
    assert!(matches!(&error, RootsError::Twice(what) if what == "the model a"), "{error}");
}

#[test]
fn hostile_files_are_refused() {
    let good = roots(&[manifest("a", same)]).to_text();
    let refused = |from: &str, to: &str| {
        assert!(good.contains(from), "{from} in {good}");
        Roots::parse(&good.replacen(from, to, 1)).unwrap_err()
    };
    let field = |error: RootsError| match error {
        RootsError::Value { field, value, .. } => {
            assert!(!value.contains(char::is_control) && value.len() < 1000);
            field
        }
        other => panic!("{other}"),
    };
    let unknown = refused("generated =", "shell = \"x\"\ngenerated =");
    let RootsError::Syntax { line: Some(line), message } = &unknown else { panic!("{unknown}") };
    let at = good.lines().position(|line| line.starts_with("generated =")).unwrap() + 1;
    assert!(message.contains("shell") && (*line == at || *line + 3 >= at), "{unknown}");
    for (from, to) in [
        ("schema = 1", "schema = 1\nother = 2"),
        ("schema = 1", "schema = "),
        ("[[built]]\n", ""),
        ("memory_root = \"0x2", "memory_root = \"2"),
        ("schema = 1", "schema = \"\u{1b}[2J\""),
    ] {
        let error = refused(from, to);
        assert!(matches!(&error, RootsError::Syntax { .. }), "{error}");
        assert!(!error.to_string().contains('\u{1b}'), "{error:?}");
    }
    assert!(matches!(refused("schema = 1", "schema = 2"), RootsError::Schema { got: 2, .. }));
    let digits = |digit: &str| digit.repeat(64);
    assert_eq!(field(refused("models.a]", "models.\"../a\"]")), "models");
    assert_eq!(field(refused("models.a]", "models.\"\\u001b[2J\"]")), "models");
    assert_eq!(field(refused("target = \"cannon32\"", "target = \"/x\"")), "target");
    assert_eq!(field(refused(&digits("4"), "../lock")), "lock");
    assert_eq!(field(refused(&digits("1"), &digits("A"))), "model");
    assert_eq!(field(refused(&digits("8"), "")), "generated");
    assert_eq!(field(refused(&digits("6"), "x")), "files");
    assert_eq!(field(refused(&digits("9"), "x")), "guest");
    assert_eq!(field(refused(&digits("a"), "x")), "tool");
    assert_eq!(field(refused("-Clto=fat", &"x".repeat(600))), "flags");
    assert_eq!(field(refused("-Clto=fat", "\\u001b[2J")), "flags");
    let twice = format!("{good}{}", good.split_once("\n\n").unwrap().1.replacen("schema = 1", "", 1));
    assert!(matches!(Roots::parse(&twice), Err(RootsError::Twice(_))), "{:?}", Roots::parse(&twice));
    let long = " ".repeat(MAX_TEXT + 1);
    assert!(matches!(Roots::parse(&long), Err(RootsError::TooLong { .. })));
    // A nest that would take the reader's stack.
    let deep = format!("schema = {}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(matches!(Roots::parse(&deep), Err(RootsError::Syntax { .. })));
}
