//! A profile of a built model: its sums are the run's steps, and its nodes are those of the model.
//!
//! | what it catches | test |
//! |---|---|
//! | a step that no table has, or that one has twice | `every_table_sums_up_to_the_run` |
//! | a table in the file that is not the importer's | `statements_are_those_of_the_import` |
//! | an inlined kernel that is lost for its node | `kernels_count_for_their_node` |
//! | a table that gets into the image, or a root that depends on names | `statements_are_beside_the_image` |

use std::sync::OnceLock;

use opml_abi::encode_blob;
use opml_profile::{Profile, function_starts};
use opml_tests::digits::Digits;
use opml_tests::program::Program;
use opml_toolchain::elf::Elf;
use opml_toolchain::file;
use opml_toolchain::statements::Statements;
use opml_vm::{GuestHost, Profiler, Request, Stop, Vm};

fn cnn() -> &'static Program {
    Program::cnn(env!("CARGO_TARGET_TMPDIR"))
}

fn symbols(program: &Program) -> Elf {
    Elf::parse(program.file(file::DEBUG)).expect("the file with symbols is an ELF file")
}

fn statements(program: &Program) -> Statements {
    Statements::of(&symbols(program)).expect("the table can be read").expect("the program is a model")
}

/// A profile of one inference, and the steps of the same run in the VM.
fn profiled() -> &'static (Profile, u64) {
    static PROFILED: OnceLock<(Profile, u64)> = OnceLock::new();
    PROFILED.get_or_init(|| {
        let program = cnn();
        let input = encode_blob(&[Digits::load().tensor(0, program.input_shape())]);
        let host = || GuestHost::new(Request { input: input.clone(), step_index: 1, ..Request::default() });
        let vm = || Vm::from_state(&program.prestate).expect("the prestate fits the VM");
        let (mut plain, elf) = (vm(), symbols(program));
        let stop = plain.run(&mut host(), u64::MAX).expect("the program runs");
        let mut profiler = Profiler::new(vm(), function_starts(&elf));
        assert_eq!(profiler.run(&mut host(), u64::MAX).expect("the program runs"), stop);
        assert!(matches!(stop, Stop::Exited { code: 1 }), "{stop:?}");
        assert_eq!(profiler.vm().state().state_hash(), plain.state().state_hash());
        let profile = Profile::new(&profiler.finish(), &elf, Some(&statements(program)));
        (profile, plain.step_count())
    })
}

#[test]
fn every_table_sums_up_to_the_run() {
    let (profile, steps) = profiled();
    let sums = [
        ("steps", profile.steps),
        ("functions", profile.functions.iter().map(|function| function.own).sum()),
        ("lines", profile.lines.iter().map(|line| line.steps).sum()),
        ("nodes", profile.nodes.iter().map(|node| node.steps).sum::<u64>() + profile.outside_nodes),
        ("stacks", profile.stacks.list().iter().map(|stack| stack.own).sum()),
        ("folded", {
            let folded = profile.folded().expect("it is short");
            folded
                .lines()
                .map(|line| line.rsplit_once(' ').expect("a number").1.parse::<u64>().unwrap())
                .sum()
        }),
    ];
    for (name, sum) in sums {
        assert_eq!(sum, *steps, "{name}");
    }
    assert!(
        profile.functions.iter().all(|function| function.own <= function.total && function.total <= *steps)
    );
}

#[test]
fn statements_are_those_of_the_import() {
    let calls = cnn().model.source_with_calls().1;
    let table = statements(cnn());
    assert_eq!(table.statements.len(), calls.len());
    for (statement, call) in table.statements.iter().zip(&calls) {
        assert_eq!((statement.line, &statement.operator), (call.line, &call.operator));
        assert_eq!(
            (&statement.name, statement.multiply_accumulates),
            (&call.name, call.multiply_accumulates)
        );
    }
}

#[test]
fn kernels_count_for_their_node() {
    let (profile, steps) = profiled();
    let nodes: u64 = profile.nodes.iter().map(|node| node.steps).sum();
    // A cnn is products, and hardly anything else.
    assert!(nodes > steps / 10 * 9, "{nodes} of {steps} steps are nodes'");
    for node in &profile.nodes {
        assert!(node.steps > 0, "{node:?}");
        let products = node.statement.multiply_accumulates;
        assert!(products == 0 || (1..40).contains(&(node.steps / products)), "{node:?}");
    }
    let function = |part: &str| profile.functions.iter().find(|function| function.name.contains(part));
    // Inlined functions are there, and so are those in assembly, which have no debug information.
    assert!(
        profile.functions.iter().any(|f| f.calls == 0 && f.name.starts_with("opml_kernels::")),
        "no inlined kernel"
    );
    assert!(function("opml_dense_").or(function("opml_sparse_")).is_some_and(|f| f.calls > 0 && f.own > 0));
    assert!(profile.lines.iter().any(|l| l.file.as_ref().is_some_and(
        |file| file.ends_with("/src/keccakf.rs") || file.ends_with("tiny-keccak-2.0.2/src/lib.rs")
    )));
    let whole = function("opml_guest::main").expect("the generated function");
    assert!(whole.total > steps / 10 * 9, "{whole:?}");
}

#[test]
fn statements_are_beside_the_image() {
    let program = cnn();
    let stripped = Elf::parse(program.file(file::PROGRAM)).expect("an ELF file");
    assert_eq!(Statements::of(&stripped).expect("nothing to read"), None);
    let symbols = symbols(program);
    let table = symbols.sections().iter().find(|s| symbols.section_name(s) == ".debug_opml_statements");
    assert!(table.is_some_and(|section| !section.is_loaded()));
}
