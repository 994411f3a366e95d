//! `run` of programs that do what no correct program does: each is named, with the function and the line that does it.

use serde_json::Value;

use crate::common::{Ran, run, xtask};
use crate::{guest, input, line};

/// Runs the guest with one byte.
fn with_input(byte: u8, arguments: &[&str]) -> Ran {
    run(xtask().arg("run").arg(guest()).arg("--input").arg(input(byte).path()).args(arguments))
}

/// The failure that `run` finds.
#[track_caller]
fn failure(input: u8) -> Value {
    let ran = with_input(input, &["--format", "json"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.stdout, ran.stderr);
    ran.json()["failure"].clone()
}

/// Asserts the fault's name, and that it was found in the line marked with `name` of the function of that name.
#[track_caller]
fn assert_found(failure: &Value, fault: &str, name: &str) {
    assert_eq!(failure["name"], fault, "{failure:#}");
    let cause = &failure["cause"];
    assert_eq!(cause["line"], line(name), "{failure:#}");
    assert_eq!(cause["file"], "/opml/guest/src/lib.rs", "{failure:#}");
    let function = cause["function"].as_str().expect("the function has a name");
    assert!(function.ends_with(&format!("::{name}")), "{failure:#}");
}

/// Asserts the functions of the guest that the backtrace goes through, the innermost first.
#[track_caller]
fn assert_called(failure: &Value, functions: &[&str]) {
    let calls = failure["backtrace"].as_array().expect("a list");
    let names = calls.iter().filter_map(|call| call["function"].as_str());
    let own: Vec<&str> = names.filter_map(|name| name.strip_prefix("opml_guest::")).collect();
    assert_eq!(own, functions, "{failure:#}");
}

#[test]
fn a_correct_program_runs_on() {
    let ran = with_input(0, &["--format", "json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(ran.json()["outputs"][0]["values"], serde_json::json!([1]));
}

#[test]
fn accesses_that_the_contract_would_mask_are_found() {
    let load = failure(1);
    assert_found(&load, "unaligned-access", "load_word");
    assert_called(&load, &["load_word", "chosen", "main"]);
    assert!(load["instruction"].as_str().expect("a text").starts_with("lw $"), "{load:#}");
    assert!(load["address"].as_str().expect("a text").ends_with(['2', '6', 'a', 'e']), "{load:#}");
    assert_found(&failure(2), "unaligned-access", "store_half");
    with_input(1, &[]).assert_fails(
        1,
        &[
            "fault::unaligned_access",
            "unaligned read of 4 bytes at 0x",
            "instruction: lw $",
            "opml_guest::load_word",
            &format!("at /opml/guest/src/lib.rs:{}", line("load_word")),
            &format!("at /opml/guest/src/lib.rs:{}", line("main")),
            "the contract would mask the address to 0x",
        ],
    );
}

#[test]
fn accesses_to_nowhere_are_found() {
    let null = failure(3);
    assert_found(&null, "null-access", "load_word");
    assert_eq!(null["address"], "0x00000010");
    let far = failure(4);
    assert_found(&far, "outside-access", "store_byte");
    assert_eq!(far["address"], "0x90000000");
    with_input(3, &[])
        .assert_fails(1, &["through a null pointer, at 0x00000010", "the contract would go on"]);
}

#[test]
fn writes_to_constants_and_instructions_are_found() {
    for input in [5, 6] {
        assert_found(&failure(input), "read-only-write", "store_byte");
    }
}

#[test]
fn stack_and_heap_that_run_out_are_found() {
    let stack = failure(7);
    assert_eq!(stack["name"], "stack-overflow", "{stack:#}");
    assert_eq!(stack["cause"]["function"], "opml_guest::recurse", "{stack:#}");
    assert_eq!(stack["backtrace_is_cut"], true);
    assert_eq!(stack["backtrace"][100]["line"], line("recurse"));
    with_input(7, &[]).assert_fails(
        1,
        &["stack overflow", "the stack ends at 0x7fefd000", "more: --backtrace full", "use less stack"],
    );
    let heap = failure(8);
    assert_eq!(heap["name"], "heap-exhausted", "{heap:#}");
    assert_called(&heap, &["allocate", "chosen", "main"]);
    // Seven times 64 MiB are below the end.
    assert_eq!(heap["address"], "0x7c000000");
}

#[test]
fn jumps_to_what_is_no_code_are_found() {
    for (input, fault) in [(9, "jump-outside-code"), (10, "unaligned-jump"), (11, "jump-outside-code")] {
        let found = failure(input);
        assert_found(&found, fault, "jump");
        assert_called(&found, &["jump", "chosen", "main"]);
    }
}

#[test]
fn panics_have_places_and_callers() {
    let index = failure(12);
    assert_found(&index, "panic", "index");
    assert_called(&index, &["index", "chosen", "main"]);
    assert_eq!(index["exit_code"], 2);
    assert!(index["message"].as_str().expect("a text").contains("index out of bounds"), "{index:#}");

    // A function that was inlined is one of the backtrace's.
    let unwrap = failure(13);
    assert_found(&unwrap, "panic", "unwrap");
    assert_called(&unwrap, &["unwrap", "outer", "chosen", "main"]);
    let calls = unwrap["backtrace"].as_array().expect("a list");
    let place = |name: &str| calls.iter().find(|call| call["function"] == format!("opml_guest::{name}"));
    let (inner, outer) = (place("unwrap").expect("it is there"), place("outer").expect("it is there"));
    assert_eq!((&inner["inlined"], &outer["inlined"]), (&Value::Bool(true), &Value::Bool(false)));
    assert_eq!(outer["line"], line("outer"));

    let short = with_input(12, &[]);
    let at = format!("the program panicked at /opml/guest/src/lib.rs:{} (exit code 2)", line("index"));
    short.assert_fails(1, &[&at, "index out of bounds", "opml_guest::index", "--backtrace full"]);
    assert!(!short.stderr.contains("core::panicking"), "{}", short.stderr);
    with_input(12, &["--backtrace", "full"]).assert_fails(1, &["core::panicking", "opml_guest::index"]);
}

#[test]
fn an_input_that_is_refused_is_no_panic() {
    let refused = failure(200);
    assert_eq!((&refused["name"], &refused["exit_code"]), (&Value::from("exit"), &Value::from(2)));
    assert_eq!(refused["message"], "the input is not to my taste");
    assert_called(&refused, &["main"]);
}

/// What the contract lets pass goes on, if that is asked for, as it would on chain.
#[test]
fn without_checks_it_goes_on_as_on_chain() {
    let ran = with_input(1, &["--no-checks", "--format", "json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    // The address is masked, so both are the same word.
    assert_eq!(ran.json()["outputs"][0]["values"], serde_json::json!([2]));
}
