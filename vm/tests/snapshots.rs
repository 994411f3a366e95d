//! Snapshots: the same states as a plain run, from files that are checked.

mod common;

use std::fs;

use common::*;
use opml_state::{Hash, State, cannon};
use opml_vm::{Prover, Request, SnapshotError, Snapshots, Stop, Vm};

/// Counts in a register and in memory, for ever.
fn counting() -> State {
    let mut words = set(T0, 0x0010_0000).to_vec();
    words.extend([addiu(T1, T1, 1), sw(T1, T0, 0), j(START + 8), NOP]);
    program(&words)
}

fn prover() -> Prover {
    Prover::new(&counting()).unwrap()
}

/// Goes to a step by the nearest snapshot.
fn reach(snapshots: &Snapshots, prover: &mut Prover, step: u64) -> Result<Stop, SnapshotError> {
    snapshots.seek(prover, step)?;
    snapshots.run_to(prover, step, &mut Bare::default())
}

/// The state hash of a plain run at `step`.
fn expected(step: u64) -> Hash {
    let mut vm = Vm::from_state(&counting()).unwrap();
    vm.run(&mut Bare::default(), step).unwrap();
    vm.state().state_hash()
}

#[test]
fn every_step_is_reached_with_the_state_of_a_plain_run() {
    let dir = tempfile::tempdir().unwrap();
    let snapshots = Snapshots::new(&dir.path().join("new"), 10_000);
    // Forward, which leaves snapshots; back, which uses them; and with a prover that comes anew.
    let mut one = prover();
    for step in [35_000, 12_345, 10_000, 9_999, 47_000] {
        // Before the first snapshot nothing leads back.
        let from_start = step < 10_000;
        let mut anew = prover();
        for prover in [&mut one, &mut anew] {
            if from_start && prover.vm().step_count() > step {
                continue;
            }
            assert_eq!(reach(&snapshots, prover, step).unwrap(), Stop::Limit);
            assert_eq!((prover.vm().step_count(), prover.state_hash()), (step, expected(step)));
        }
    }
    let count = fs::read_dir(dir.path().join("new")).unwrap().count();
    assert_eq!(count, 4, "at 10, 20, 30 and 40 thousand");
}

#[test]
fn a_snapshot_spares_the_run_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut state = counting();
    // A state that the run does not come to, under its own name: proof that the file is what is run from.
    (state.step, state.registers[T2 as usize]) = (20_000, 99);
    let path = dir.path().join(format!("20000-{}.bin.gz", state.state_hash()));
    cannon::save_state(&state, &path).unwrap();
    let mut prover = prover();
    reach(&Snapshots::new(dir.path(), 1 << 40), &mut prover, 20_005).unwrap();
    assert_eq!((prover.vm().step_count(), prover.vm().registers()[T2 as usize]), (20_005, 99));
}

#[test]
fn damaged_snapshots_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let snapshots = Snapshots::new(dir.path(), 10_000);
    let run = || reach(&snapshots, &mut prover(), 10_500);
    run().unwrap();
    let path = fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap().path();
    let good = fs::read(&path).unwrap();

    fs::write(&path, &good[..good.len() / 2]).unwrap();
    assert!(matches!(run(), Err(SnapshotError::Unreadable { path: p, .. }) if p == path));

    let mut other = cannon::read_state(&*good, cannon::Limits::default()).unwrap();
    other.registers[T1 as usize] += 1;
    cannon::save_state(&other, &path).unwrap();
    let hash = other.state_hash();
    assert!(matches!(run(), Err(SnapshotError::Renamed { step: 10_000, hash: h, .. }) if h == hash));

    fs::remove_file(&path).unwrap();
    cannon::save_state(&other, &dir.path().join(format!("10400-{hash}.bin.gz"))).unwrap();
    assert!(matches!(run(), Err(SnapshotError::Renamed { step: 10_000, .. })));

    // What is not named like a snapshot is none of ours.
    fs::remove_file(dir.path().join(format!("10400-{hash}.bin.gz"))).unwrap();
    fs::write(dir.path().join("notes.txt"), "").unwrap();
    fs::write(dir.path().join("10000-0x12.bin.gz"), "").unwrap();
    run().unwrap();

    let file = dir.path().join("notes.txt");
    let snapshots = Snapshots::new(&file, 10_000);
    let error = reach(&snapshots, &mut prover(), 10_500).unwrap_err();
    assert!(matches!(error, SnapshotError::Io { dir, .. } if dir == file));
}

#[test]
fn each_part_of_a_request_names_another_run() {
    let prestate = Hash([7; 32]);
    let base = Request { input: b"a".to_vec(), ..Request::default() };
    let others = [
        Request { input: b"b".to_vec(), ..base.clone() },
        Request { claim: Hash([1; 32]), ..base.clone() },
        Request { context: Hash([1; 32]), ..base.clone() },
        Request { step_index: 1, ..base.clone() },
        Request { domain: 1, ..base.clone() },
    ];
    let mut ids = vec![base.id(prestate), base.id(Hash([8; 32]))];
    ids.extend(others.iter().map(|request| request.id(prestate)));
    let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len());
}
