use super::*;
use crate::{Condition, Effect, Verdict};

/// The real description with one piece of text replaced.
fn changed(from: &str, to: &str) -> Result<Target, TargetError> {
    let source = &TARGETS[0];
    assert!(source.description.contains(from), "`{from}` is not in the description");
    let description = source.description.replacen(from, to, 1).leak();
    Target::from_source(&Source { name: source.name, description, rustc_spec: source.rustc_spec })
}

#[test]
fn every_target_loads_and_has_its_files() {
    for name in names() {
        let target = Target::load(name).unwrap();
        assert_eq!(target.name(), name);
        assert!(target.rustc_spec().contains("llvm-target"));
        assert!(target.linker_script().contains("SECTIONS"));
    }
    assert!(names().is_sorted());
}

#[test]
fn an_unknown_target_is_answered_with_the_known_ones() {
    let error = Target::load("canon32").unwrap_err();
    let TargetError::UnknownTarget { nearest, known, .. } = &error else { panic!("{error}") };
    assert_eq!(nearest.as_deref(), Some("cannon32"));
    assert!(known.contains("cannon32"));
}

#[test]
fn an_unknown_field_is_refused_with_the_nearest_one() {
    let cases = [
        ("linker-script =", "linker_script =", "linker_script", Some("linker-script")),
        ("isa-level =", "isa-levle =", "elf.isa-levle", Some("isa-level")),
        ("top = 0x7fff_d000", "tpo = 0x7fff_d000", "memory.stack.tpo", Some("top")),
        ("number = 4003", "nunber = 4003", "syscalls.nunber", Some("number")),
        ("condition =", "conditoin =", "instructions.conditional.conditoin", Some("condition")),
        ("name = \"cannon32\"", "qqq = 1", "qqq", None),
    ];
    for (from, to, expected, suggestion) in cases {
        let error = changed(from, to).unwrap_err();
        let TargetError::UnknownField { field, nearest, .. } = &error else { panic!("{to}: {error}") };
        assert_eq!((field.as_str(), nearest.as_deref()), (expected, suggestion));
    }
}

#[test]
fn wrong_values_are_named() {
    let error = changed("\"nop\"", "\"nopp\"").unwrap_err();
    let TargetError::UnknownName { name, nearest, .. } = &error else { panic!("{error}") };
    assert_eq!((name.as_str(), nearest.as_deref()), ("nopp", Some("nop")));
    assert!(matches!(
        changed("cannon32.ld", "x.ld"),
        Err(TargetError::UnknownName { what: "the linker script", .. })
    ));

    assert!(matches!(
        changed("\"nop\"", "\"sync\""),
        Err(TargetError::Duplicate { what: "instruction", .. })
    ));
    assert!(matches!(changed("4004", "4003"), Err(TargetError::Duplicate { what: "system call", .. })));
    assert!(matches!(
        changed("name = \"cannon32\"", "name = \"cannon33\""),
        Err(TargetError::WrongName { .. })
    ));
    assert!(matches!(changed("class = 32", "class = 33"), Err(TargetError::Syntax { .. })));
    assert!(matches!(changed("[elf]", "[elf"), Err(TargetError::Syntax { .. })));
}

#[test]
fn a_memory_map_that_cannot_be_is_refused() {
    let range = |from: &str, to: &str| match changed(from, to).unwrap_err() {
        TargetError::BadRange { which, .. } => which,
        error => panic!("{to}: {error}"),
    };
    assert_eq!(range("start = 0x0001_0000", "start = 0x0001_0004"), "image");
    assert_eq!(range("end = 0x7fef_d000", "end = 0x6000_0000"), "heap");
    assert_eq!(range("top = 0x7fff_d000", "top = 0x1_7fff_d000"), "stack");

    let error = changed("end = 0x6000_0000", "end = 0x6000_1000").unwrap_err();
    assert!(matches!(error, TargetError::Overlap { first: "heap", second: "image", .. }), "{error}");
    let error = changed("end = 0x7fef_d000", "end = 0x7fef_e000").unwrap_err();
    assert!(matches!(error, TargetError::Overlap { first: "stack", second: "heap", .. }), "{error}");
}

#[test]
fn cannon32_judges_every_instruction() {
    let target = Target::load("cannon32").unwrap();
    let verdict = |name: &str| target.verdict(Mnemonic::from_name(name).unwrap());
    let effect = |name: &str| match verdict(name) {
        Verdict::Refused(refusal) => refusal.effect,
        other => panic!("{name}: {other:?}"),
    };
    for name in ["addiu", "jal", "movn", "syscall", "lwl", "mul", "clz", "div"] {
        assert_eq!(verdict(name), Verdict::Allowed, "{name}");
    }
    // What step() and handleBranch run without reverting although the manual says something else.
    for name in ["add", "sub", "rotr", "rotrv", "bltzal", "bgezal", "bltzl", "bgezall", "teqi", "synci"] {
        assert_eq!(effect(name), Effect::Differs, "{name}");
    }
    for name in
        ["break", "teq", "rdhwr", "ext", "ins", "seb", "wsbh", "madd", "lwc1", "beql", "pref", "add.fmt"]
    {
        assert_eq!(effect(name), Effect::Reverts, "{name}");
    }
    assert!(matches!(verdict("srav"), Verdict::Conditional(Condition::ShiftBelow32, _)));
    assert!(matches!(verdict("sc"), Verdict::Conditional(Condition::BehindLoadLinked, _)));
    assert!(matches!(target.verdict(Mnemonic::Unknown), Verdict::Refused(_)));
    let allowed = Mnemonic::ALL.iter().filter(|&&mnemonic| target.verdict(mnemonic) == Verdict::Allowed);
    assert_eq!(allowed.count(), 59);
}

#[test]
fn cannon32_knows_the_contracts_system_calls() {
    let target = Target::load("cannon32").unwrap();
    let numbers: Vec<_> = target.syscalls().iter().map(|syscall| syscall.number).collect();
    assert_eq!(numbers, [4003, 4004, 4045, 4055, 4090, 4120, 4246]);
    assert_eq!(target.syscall(4246).map(|syscall| syscall.name.as_str()), Some("exit_group"));
    assert_eq!(target.syscall(4001), None);
}
