//! Rules about the source, read off its syntax tree.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::repository::{TextFile, report, text_files};

/// Longest file, in lines.
const FILE_LINES: usize = 500;

/// Longest function, in lines, from its signature to its closing brace.
const FUNCTION_LINES: usize = 80;

/// Where processes are started, and why. Elsewhere it is done through these: an environment variable or a
/// working directory that is forgotten at one call is a build that differs by machine.
const PROCESSES: &[(&str, &str)] = &[
    ("onchain/src/artifacts/npm.rs", "the package manager of the contracts"),
    ("onchain/tests/", "makes programs that stand in for it"),
    ("python/src/", "Python, which makes environments and runs our scripts, in a cleaned environment"),
    ("tests/", "independent executors and the command line itself"),
    ("toolchain/src/provision/apt.rs", "the package manager"),
    ("toolchain/src/provision/doctor.rs", "asks the system's tools for their versions"),
    ("toolchain/src/provision/rustup.rs", "asks rustup's rustc where it is"),
    ("toolchain/src/provision/toolchain.rs", "every compiler and linker, in a cleaned environment"),
    ("toolchain/src/rebuild/clean_room.rs", "makes a system to build in"),
    ("toolchain/src/sources/identity.rs", "asks git which commit a checkout is"),
    ("toolchain/tests/provision/", "processes that hold locks or are killed"),
    ("xtask/src/bench/", "qemu, to compare speeds with"),
    ("xtask/src/commands/test.rs", "cargo test"),
    ("xtask/src/commands/verify/rebuild.rs", "a build in another place, of this or another version"),
    ("xtask/tests/", "tests start the command line itself"),
];

/// What was found in a file.
#[derive(Default)]
struct Findings {
    path: String,
    long_functions: Vec<String>,
    bare_lints: Vec<String>,
    processes: Vec<String>,
}

impl Findings {
    fn of(file: &TextFile) -> Self {
        let mut findings = Self { path: file.path.clone(), ..Self::default() };
        let tree = syn::parse_file(&file.text).unwrap_or_else(|error| panic!("{}: {error}", file.path));
        findings.visit_file(&tree);
        findings
    }

    fn measure(&mut self, name: &syn::Ident, whole: &impl Spanned) {
        let (start, end) = (whole.span().start().line, whole.span().end().line);
        if end - start >= FUNCTION_LINES {
            self.long_functions.push(format!("{}:{start}: {name}: {} lines", self.path, end - start + 1));
        }
    }
}

impl<'ast> Visit<'ast> for Findings {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.measure(&function.sig.ident, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.measure(&function.sig.ident, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        let path = attribute.path();
        if path.is_ident("allow") || path.is_ident("expect") {
            let list = attribute.meta.require_list().map(|list| list.tokens.to_string()).unwrap_or_default();
            if !list.contains("reason =") {
                let line = attribute.span().start().line;
                self.bare_lints.push(format!("{}:{line}: {list}", self.path));
            }
        }
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let syn::Expr::Path(function) = &*call.func {
            let segments: Vec<_> = function.path.segments.iter().map(|s| s.ident.to_string()).collect();
            if segments.ends_with(&["Command".to_owned(), "new".to_owned()]) {
                self.processes.push(format!("{}:{}", self.path, call.span().start().line));
            }
        }
        visit::visit_expr_call(self, call);
    }
}

fn findings() -> Vec<Findings> {
    text_files().iter().filter(|file| file.is_rust()).map(Findings::of).collect()
}

#[test]
fn files_are_short() {
    let files = text_files();
    let long = files.iter().filter(|file| file.is_rust()).filter_map(|file| {
        let lines = file.text.lines().count();
        (lines > FILE_LINES).then(|| format!("{}: {lines} lines", file.path))
    });
    report("a file has one subject and at most 500 lines: split it by subject", long);
}

#[test]
fn functions_are_short() {
    let long = findings().into_iter().flat_map(|f| f.long_functions);
    report("a function has at most 80 lines", long);
}

#[test]
fn switched_off_lints_have_a_reason() {
    let bare = findings().into_iter().flat_map(|f| f.bare_lints);
    report("write #[allow(…, reason = \"…\")]", bare);
}

#[test]
fn processes_are_started_in_known_places() {
    let findings = findings();
    let known = |path: &str| PROCESSES.iter().any(|(place, _)| path.starts_with(place));
    let elsewhere = findings.iter().filter(|f| !known(&f.path)).flat_map(|f| &f.processes);
    report("start processes through Toolchain::command, or add the place with its reason", elsewhere);
}

#[test]
fn nothing_is_left_unfinished() {
    // In two parts, so that this file does not find itself.
    const MARKS: [&str; 6] = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X:"),
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("dbg", "!("),
    ];
    let mut found = Vec::new();
    for file in text_files().iter().filter(|file| file.is_ours()) {
        for (number, line) in file.lines() {
            let marks = MARKS.iter().filter(|mark| line.contains(*mark));
            found.extend(marks.map(|mark| format!("{}:{number}: {mark}", file.path)));
        }
    }
    report("finish it or leave it out", found);
}

/// The scan itself: a rule that finds nothing anywhere would look like a clean repository.
#[test]
fn violations_are_seen() {
    let body = "let _ = 1;\n".repeat(FUNCTION_LINES - 1);
    let text = format!(
        "#![allow(dead_code)]\n#[expect(unused, reason = \"fine\")]\nfn long() {{\n{body}}}\n\
         fn short() {{ std::process::Command::new(\"x\"); }}\n"
    );
    let findings = Findings::of(&TextFile { path: "x.rs".into(), text });
    assert_eq!(findings.long_functions, ["x.rs:3: long: 81 lines"]);
    assert_eq!(findings.bare_lints, ["x.rs:1: dead_code"]);
    assert_eq!(findings.processes, [format!("x.rs:{}", 3 + FUNCTION_LINES + 1)]);
}
