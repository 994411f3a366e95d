//! A build that is killed, and builds that run at once, in a checkout of their own.
//!
//! | what it catches | test |
//! |---|---|
//! | a file written in place, a manifest that is there before its files | `a_killed_build_leaves_nothing_half_written` |
//! | a cache entry that a killed build left half-made and the next one believes | the same |
//! | builds that take each other's sources or objects | `builds_at_once_do_not_disturb_each_other` |

mod common;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use common::{FILES, FreshCheckout, build, build_model, fixture, hashes, manifest, outputs};
use opml_toolchain::file;
use sha2::{Digest, Sha256};

type Files = BTreeMap<String, Vec<u8>>;

/// When a build is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// So many milliseconds after its start.
    Start(u64),
    /// So many milliseconds after it says that this stage begins.
    Stage(&'static str, u64),
}

/// Kills `child` at the given moment, or lets it end if that comes first. Says whether the moment came.
fn kill(child: &mut Child, moment: Moment) -> bool {
    let mut lines = BufReader::new(child.stderr.take().expect("standard error is a pipe")).lines();
    let (reached, wait) = match moment {
        Moment::Start(wait) => (true, wait),
        Moment::Stage(stage, wait) => {
            (lines.by_ref().map_while(Result::ok).any(|line| line.trim() == stage), wait)
        }
    };
    thread::sleep(Duration::from_millis(wait));
    child.kill().expect("a child can be killed");
    child.wait().expect("a child can be waited for");
    reached
}

/// Each file is absent or whole, and a manifest is there only with all it names.
fn assert_whole(out: &Path, expected: &Files, moment: Moment) {
    if !out.is_dir() {
        return;
    }
    let files = outputs(out);
    for name in FILES {
        if let Some(bytes) = files.get(name) {
            assert!(*bytes == expected[name], "{moment:?}: {name} is neither absent nor whole");
        }
    }
    if files.contains_key(file::MANIFEST) {
        for (name, sha256) in manifest(&files).sha256 {
            let bytes = files.get(&name).unwrap_or_else(|| panic!("{moment:?}: a manifest, but no {name}"));
            assert_eq!(hex::encode(Sha256::digest(bytes)), sha256, "{moment:?}: {name}");
        }
    }
}

/// What `fixture` is when nobody disturbs its build; made in a copy of its own. This checkout may be one of git's, and then
/// the manifest and the statement name its commit.
fn undisturbed(copy: &FreshCheckout, name: &str, out: &Path) -> Files {
    build(&mut build_model(copy.root(), &fixture(name).join("model.onnx"), out));
    outputs(out)
}

fn piped(mut command: Command) -> Command {
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

#[test]
fn a_killed_build_leaves_nothing_half_written() {
    const NAME: &str = "gemm_transposed";
    const STAGES: [&str; 5] = ["compile the guest", "link", "audit", "commit and encode", "write"];
    let places = tempfile::tempdir().expect("there is room");
    let expected = undisturbed(&FreshCheckout::new(), NAME, &places.path().join("undisturbed"));
    let (copy, out) = (FreshCheckout::new(), places.path().join("out"));
    let build_here = || build_model(copy.root(), &fixture(NAME).join("model.onnx"), &out);
    // The checkout is cold, so the first ones meet the compiler at work: the waits reach the copying of
    // sources, and cargo in the middle of a crate. A killed build's cargo may come to its end by itself.
    let mut moments: Vec<Moment> = [50, 200].map(Moment::Start).into();
    moments.extend([0, 100, 1000, 2000].map(|wait| Moment::Stage(STAGES[0], wait)));
    moments.extend(STAGES[1..].iter().map(|stage| Moment::Stage(stage, 0)));
    moments.push(Moment::Stage("write", 1));
    let mut met = Vec::new();
    for moment in moments {
        let mut child = piped(build_here()).spawn().expect("the command line was built with its tests");
        let reached = kill(&mut child, moment);
        assert_whole(&out, &expected, moment);
        met.extend(Some(moment).filter(|_| reached));
    }
    for stage in STAGES {
        assert!(
            met.iter().any(|m| matches!(m, Moment::Stage(name, _) if *name == stage)),
            "{stage}: {met:?}"
        );
    }
    build(&mut build_here());
    assert_eq!(hashes(&outputs(&out)), hashes(&expected), "after all the kills");
}

#[test]
fn builds_at_once_do_not_disturb_each_other() {
    // One of them twice into the same folder, once into another, and a second model among them.
    let jobs = [
        ("add_broadcast", "same"),
        ("sigmoid_tanh", "second"),
        ("add_broadcast", "same"),
        ("add_broadcast", "other"),
    ];
    let places = tempfile::tempdir().expect("there is room");
    let copy = FreshCheckout::new();
    let start = |&(name, out): &(&str, &str)| {
        let command = build_model(copy.root(), &fixture(name).join("model.onnx"), &places.path().join(out));
        piped(command).spawn().expect("the command line was built with its tests")
    };
    let children: Vec<Child> = jobs.iter().map(start).collect();
    for (child, job) in children.into_iter().zip(jobs) {
        let output = child.wait_with_output().expect("a child can be waited for");
        assert!(output.status.success(), "{job:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let other = FreshCheckout::new();
    for (name, out) in jobs {
        let expected = undisturbed(&other, name, &places.path().join(format!("{name} alone")));
        let got = outputs(&places.path().join(out));
        assert_eq!(hashes(&got), hashes(&expected), "{name} in {out}");
    }
}
