//! What docs/debugging.md shows: a session with gdb itself, and what `run` prints.

use std::fs;
use std::io::Write;
use std::process::Command;

use opml_toolchain::file;
use opml_toolchain::progress::Silent;
use opml_toolchain::provision::{self, Lock};

use crate::common::{self, checkout};
use crate::{GUEST, guest, input};

/// gdb of the test tools, without the settings of whoever runs the tests. What it says goes to standard output, errors too.
fn gdb() -> Command {
    let lock = Lock::parse(include_str!("../../../tests/test-tools.lock")).expect("the lock is right");
    let options = provision::Options { offline: true, ..Default::default() };
    let tools = provision::ensure_tools(&lock, &options, &Silent).unwrap_or_else(|error| {
        panic!("the tools of the tests are not installed: `cargo xtask test` installs them ({error})")
    });
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" \"$@\" 2>&1"]).arg(&tools.paths["gdb-multiarch"]);
    let libraries =
        ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"].map(|folder| tools.root.join(folder));
    command.env("LD_LIBRARY_PATH", std::env::join_paths(libraries).expect("no colon in a path of the cache"));
    // The library of its Python, which it starts even if nothing asks for it.
    command.env("PYTHONHOME", tools.root.join("usr")).env("HOME", "/nonexistent");
    command.args(["-nx", "-batch"]);
    command
}

/// The blocks of the documentation that have a mark.
fn blocks(mark: &str) -> Vec<String> {
    let document = fs::read_to_string(checkout().join("docs/debugging.md")).expect("it is there");
    let mark = format!("```{mark}\n");
    let parts = document.split(&mark).skip(1);
    parts.map(|part| part.split("```").next().unwrap_or_default().to_owned()).collect()
}

/// The commands and the whole text of the session in the documentation.
fn session() -> (Vec<String>, String) {
    let text = blocks("gdb").remove(0);
    let commands = text.lines().filter_map(|line| line.strip_prefix("(gdb) ")).map(str::to_owned).collect();
    (commands, text)
}

/// The text with all numbers that depend on the compiler and on the library replaced: addresses, steps, lines of the library.
fn without_numbers(text: &str) -> String {
    let word = |word: &str| {
        let is_number = |text: &str| text.trim_end_matches([',', ';']).parse::<u64>().is_ok();
        let foreign = ["/opml/vendor/", "/rustc/library/"].iter().any(|folder| word.starts_with(folder));
        if word.contains("0x") {
            "0x".to_owned()
        } else if foreign {
            word.rsplit_once(':').map_or(word, |(file, _)| file).to_owned()
        } else if let Some((_, name)) = word.strip_prefix("<_RNvCs").and_then(|rest| rest.split_once('_')) {
            // The hash of the crate, which follows what it is compiled with.
            name.to_owned()
        } else if is_number(word) {
            "1".to_owned()
        } else {
            word.to_owned()
        }
    };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    let kept = text.lines().filter(|line| !line.trim().is_empty());
    kept.map(line).collect::<Vec<_>>().join("\n")
}

/// The text without what gdb complains of: the pinned one comes without its parts in Python, which nothing here needs. The
/// complaints stand where they come up, also in the middle of lines.
fn without_python(text: &str) -> String {
    let mut parts = text.split("Python Exception ");
    let first = parts.next().unwrap_or_default().to_owned();
    let rest = parts.filter_map(|part| part.split_once('\n')).map(|(_, behind)| behind);
    let text = rest.fold(first, |text, behind| text + behind);
    let complaints =
        ["Could not load the Python", "Limited Python", "--data-directory", "gdb-multiarch: warning: "];
    let is_kept = |line: &&str| !complaints.iter().any(|complaint| line.contains(complaint));
    text.lines().filter(is_kept).map(|line| format!("{line}\n")).collect()
}

#[test]
fn what_run_prints_is_in_the_documentation() {
    let shown = blocks("run");
    assert_eq!(shown.len(), 2);
    // A word at an odd address, and `unwrap` of nothing.
    for (byte, shown) in [1, 13].into_iter().zip(shown) {
        let input = input(byte);
        let ran = common::run(common::xtask().arg("run").arg(guest()).arg("--input").arg(input.path()));
        let printed: String =
            ran.stderr.lines().filter(|line| line.trim() != "run").map(|line| format!("{line}\n")).collect();
        assert_eq!(without_numbers(&printed), without_numbers(&shown), "{}", ran.stderr);
    }
}

#[test]
fn the_session_in_the_documentation_is_what_gdb_says() {
    let (commands, expected) = session();
    let input = input(1);
    // Where the author has the source; what compiled it calls its folder /opml/guest.
    let source = tempfile::tempdir().expect("there is room");
    fs::create_dir(source.path().join("src")).expect("there is room");
    let lib = fs::File::create(source.path().join("src/lib.rs")).expect("there is room");
    (&lib).write_all(GUEST.as_bytes()).expect("there is room");
    // gdb warns of a source that is newer than the program.
    lib.set_modified(std::time::SystemTime::UNIX_EPOCH).expect("it is ours");
    let mut command = gdb();
    command.arg(guest().join(file::DEBUG));
    let server = format!(
        "{} debug {} --input {} --stdio 2>/dev/null",
        env!("CARGO_BIN_EXE_xtask"),
        guest().display(),
        input.path().display()
    );
    command.env("CARGO_MANIFEST_DIR", checkout().join("xtask"));
    for shown in &commands {
        let run = match shown.split_once(' ') {
            Some(("target", _)) => format!("target remote | {server}"),
            Some(("set", _)) => format!("set substitute-path /opml/guest {}", source.path().display()),
            _ => shown.clone(),
        };
        command.arg("-ex").arg(format!("echo (gdb) {shown}\\n")).arg("-ex").arg(run);
    }
    let ran = common::run(&mut command);
    let got = without_python(&ran.stdout);
    assert_eq!(without_numbers(&got), without_numbers(&expected), "gdb says:\n{got}");
}
