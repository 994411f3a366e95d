//! The cases in the VM: many of them are linked into one guest, which runs once for each.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::thread;

use opml_abi::{decode_blob, encode_blob, exit};
use opml_state::State;
use opml_tests::guest::run_within;
use opml_tests::program::{build_in, weight};
use opml_toolchain::{BuildError, GuestProgram, Request, Weight};

use crate::case::Case;
use crate::list::{Listed, cases, compare};

/// The longest run that is tried.
const STEPS: u64 = 100_000_000;

/// Kernel calls of a guest: each is inlined code, and the compiler's time grows faster than they do.
const CALLS: usize = 300;

/// Guests that are built at once.
const BUILDERS: usize = 2;

/// In front of the cases: which of them runs is the step index of the request.
const HEADER: &str = "#![no_std]\n\nuse opml_runtime::{Guest, Mips};\n\n";

/// The cases of a guest.
type Group<'a> = Vec<(&'a Listed, Case)>;

/// A case's run: its steps, or why there are none.
type Run = Result<u64, String>;

#[test]
fn in_the_vm() {
    let cases = cases();
    // Other products take no less than a step each.
    let short = |case: &Case| case.model.multiply_accumulates() <= STEPS;
    let loaded = cases.iter().filter(|listed| listed.natively.passes());
    let loaded = loaded.filter_map(|listed| Some((listed, Case::load(listed).ok()?)));
    let queue = Mutex::new(groups(loaded.filter(|(_, case)| short(case))).into_iter().enumerate());
    let results = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for builder in 0..BUILDERS {
            let (queue, results) = (&queue, &results);
            scope.spawn(move || {
                let next = || queue.lock().expect("no builder panics with the queue").next();
                while let Some((number, group)) = next() {
                    let runs = build_and_run(&format!("guest-{number}"), &group, builder);
                    results.lock().expect("as above").extend(runs);
                }
            });
        }
    });
    let results = results.into_inner().expect("all builders have ended");
    print_steps(&cases, &results);
    let result = |listed: &Listed| match results.get(&key(listed)) {
        Some(run) => run.clone().map(|_| ()),
        None => Err("not tried: it fails natively, or has too many products".into()),
    };
    compare(cases.iter().map(|listed| (listed, result(listed))), |listed| &listed.in_vm);
}

fn key(listed: &Listed) -> (String, String) {
    (listed.suite.clone(), listed.case.clone())
}

/// Cuts the cases into guests of about the same size.
fn groups<'a>(cases: impl Iterator<Item = (&'a Listed, Case)>) -> Vec<Group<'a>> {
    let calls =
        |case: &Case| case.model.graph().nodes.iter().map(opml_frontend::graph::Node::calls).sum::<usize>();
    let mut groups: Vec<Group> = vec![];
    let mut sum = CALLS;
    for (listed, case) in cases {
        if sum >= CALLS {
            groups.push(vec![]);
            sum = 0;
        }
        sum += calls(&case);
        groups.last_mut().expect("the first case begins a group").push((listed, case));
    }
    groups
}

fn build_and_run(name: &str, group: &Group, builder: usize) -> Vec<((String, String), Run)> {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("onnx_suite");
    let work = dir.join(format!("work-{builder}"));
    let built = build_in(Request::bare(name, program(group)), &dir, Some(work));
    // Once, as it may be long.
    match &built {
        Err(BuildError::Audit(failure)) => println!("{name}: {:#?}", failure.violations),
        Err(error) => println!("{name}: {error}"),
        Ok(_) => {}
    }
    let run = |number, case| match &built {
        Ok((_, prestate)) => run(prestate, number, case),
        Err(_) => Err(format!("{name} could not be built: see above")),
    };
    (0..).zip(group).map(|(number, (listed, case))| (key(listed), run(number, case))).collect()
}

/// The outputs have to be those of the twin to the bit, and the expected ones.
fn run(prestate: &State, number: u64, case: &Case) -> Run {
    let request =
        opml_vm::Request { step_index: number, ..opml_tests::guest::request(encode_blob(&case.inputs)) };
    let run = run_within(prestate, request, STEPS).ok_or_else(|| format!("over {STEPS} steps"))?;
    if run.code != exit::DIFFERENT {
        return Err(format!("the guest ends with {}: {}", run.code, run.stderr));
    }
    let outputs = decode_blob(&run.blob.unwrap_or_default()).map_err(|e| e.to_string())?;
    if outputs != case.run()? {
        return Err("the guest's output is not the twin's".into());
    }
    case.check(&outputs)?;
    Ok(run.vm.step_count())
}

/// A guest that has all cases of a group in it, each with names of its own.
fn program(group: &Group) -> GuestProgram {
    let mut source = String::from(HEADER);
    let mut weights = Vec::new();
    let mut arms = String::new();
    for (number, (_, case)) in group.iter().enumerate() {
        let own = |text: &str| text.replace("OPML_WEIGHT", &format!("CASE_{number}"));
        source += &format!("mod case_{number} {{\n{}}}\n", own(&module(&case.model.guest_source())));
        arms += &format!("        {number} => case_{number}::main(guest),\n");
        let constants = case.model.constants().into_iter().map(weight);
        weights.extend(constants.map(|weight| Weight { symbol: own(&weight.symbol), ..weight }));
    }
    source += &format!(
        "fn main(mut guest: Guest<Mips>) -> ! {{\n    match guest.step_index() {{\n{arms}        \
         _ => guest.fail(\"no such case\"),\n    }}\n}}\n\nopml_runtime::program!(main);\n"
    );
    GuestProgram::generated(source, weights)
}

/// A guest's source as a part of another one's.
fn module(source: &str) -> String {
    let changes = [
        ("#![no_std]\n", ""),
        // Inlined, all cases would be one function.
        ("\nfn main(", "\n#[inline(never)]\npub fn main("),
        ("\nopml_runtime::program!(main);\n", ""),
    ];
    changes.iter().fold(source.to_owned(), |source, (from, to)| {
        assert_eq!(source.matches(from).count(), 1, "the importer writes {from:?} in another way");
        source.replace(from, to)
    })
}

fn print_steps(cases: &[Listed], results: &BTreeMap<(String, String), Run>) {
    let mut operators: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for listed in cases {
        if let Some(Ok(steps)) = results.get(&key(listed)) {
            operators.entry(&listed.operators).or_default().push(*steps);
        }
    }
    println!("{:60} {:>5} {:>12} {:>12}", "operators", "cases", "fewest steps", "most steps");
    for (operator, steps) in operators {
        let (fewest, most) =
            (steps.iter().min().expect("one at least"), steps.iter().max().expect("as above"));
        println!("{operator:60} {:5} {fewest:12} {most:12}", steps.len());
    }
}
