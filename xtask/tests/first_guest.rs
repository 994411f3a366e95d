//! docs/guests.md and docs/guests-in-c.md, word for word: its commands give its outputs, its files are what is there.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{checkout, require_toolchain, xtask_in};

/// A part of a page that can be tried.
enum Part<'a> {
    /// A command and what it prints.
    Command(&'a str, Vec<&'a str>),
    /// A file and what it holds.
    File(&'a str, String),
}

/// The parts of a page, in their order.
fn parts(page: &str) -> Vec<Part<'_>> {
    let (mut parts, mut lines) = (Vec::new(), page.lines().peekable());
    let mut file = None;
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("<!-- file: ") {
            file = name.strip_suffix(" -->");
        }
        let Some(kind) = line.strip_prefix("```") else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match (kind, file.take()) {
            ("console", _) => {
                for line in block {
                    match (line.strip_prefix("$ "), parts.last_mut()) {
                        (Some(command), _) => parts.push(Part::Command(command, Vec::new())),
                        (None, Some(Part::Command(_, output))) => output.push(line),
                        (None, _) => panic!("`{line}` is the output of nothing"),
                    }
                }
            }
            (_, Some(name)) => parts.push(Part::File(name, block.join("\n") + "\n")),
            _ => {}
        }
    }
    parts
}

/// Whether a line is what the page says, where `…` stands for anything.
fn is(line: &str, said: &str) -> bool {
    let mut rest = line;
    let mut pieces = said.split('…');
    let first = pieces.next().unwrap_or_default();
    let Some(after) = rest.strip_prefix(first) else { return false };
    rest = after;
    let mut open = false;
    for piece in pieces {
        open = true;
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.is_empty() || open && said.ends_with('…')
}

/// Asserts that the lines of `said` come one behind the other; a line of `…` stands for any number of others.
#[track_caller]
fn assert_says(command: &str, printed: &str, said: &[&str]) {
    let mut lines = printed.lines();
    let mut gap = false;
    for expected in said {
        if *expected == "…" {
            gap = true;
            continue;
        }
        let found = if gap {
            lines.find(|line| is(line, expected))
        } else {
            lines.next().filter(|line| is(line, expected))
        };
        assert!(found.is_some(), "no `{expected}` in what `{command}` printed:\n{printed}");
        gap = false;
    }
    assert!(gap || lines.next().is_none(), "`{command}` printed more:\n{printed}");
}

/// Runs a command of a page. Paths of the page are those of somebody in a checkout, and so that nothing is written beside this one, a link
/// stands for it.
fn ran(command: &str, dir: &Path) -> String {
    let mut words = command.split(' ');
    let mut process = match (words.next(), words.next()) {
        (Some("cargo"), Some("xtask")) => {
            let mut xtask = xtask_in(checkout());
            xtask.args(words);
            xtask
        }
        _ => {
            let mut shell = Command::new("sh");
            shell.args(["-c", command]);
            shell
        }
    };
    let output = process.current_dir(dir).output().expect("the command can be started");
    assert!(output.status.success(), "`{command}`: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("it prints text")
}

#[test]
fn the_page_on_rust_is_true() {
    assert_true("docs/guests.md", 8);
}

#[test]
fn the_page_on_c_is_true() {
    assert_true("docs/guests-in-c.md", 4);
}

/// Tries a page, which has at least so many commands.
fn assert_true(page: &str, least: usize) {
    require_toolchain();
    let page = fs::read_to_string(checkout().join(page)).expect("the page is there");
    let dir = tempfile::tempdir().expect("there is room");
    let inside = dir.path().join("checkout");
    fs::create_dir(&inside).expect("the folder can be made");
    std::os::unix::fs::symlink(checkout().join("models"), inside.join("models")).expect("a link can be made");
    let parts = parts(&page);
    let commands = parts.iter().filter(|part| matches!(part, Part::Command(..))).count();
    assert!(commands >= least, "the page has {commands} commands");
    for part in parts {
        match part {
            Part::Command(command, said) => assert_says(command, &ran(command, &inside), &said),
            Part::File(name, content) => {
                assert_eq!(fs::read_to_string(inside.join(name)).expect("it is there"), content, "{name}");
            }
        }
    }
}

#[test]
fn gaps_are_no_holes() {
    assert!(is("a 12 b", "a … b") && is("a 12", "a …") && is("a", "a"));
    assert!(!is("a 12 c", "a … b") && !is("a 12", "a") && !is("b", "a…"));
}
