//! Instructions that a compiler makes for the target and the on-chain VM has not, or not quite: other ones in their place.
//!
//! There is no switch for them in LLVM. They are found in the assembly between compiler and assembler, where the places of all else still
//! follow by themselves. What somebody wrote as inline assembly stays as it is; the audit judges it.
//!
//! Registers $26 and $27 are free: the ABI keeps them for an operating system, and compilers leave them alone. So is the stack below $29,
//! as nothing interrupts a program.

use std::fs;
use std::path::Path;

use crate::error::BuildError;
use crate::provision::{Tool, Toolchain};
use crate::work_dir::write_new;

/// What clang gets for assembly: the processor, as in the target's rustc.toml.
pub(crate) const ASSEMBLER: &[&str] = &[
    "--target=mips-unknown-none-elf",
    "-march=mips32",
    "-mabi=32",
    "-msoft-float",
    // Nothing is shared, and nothing moves.
    "-mno-abicalls",
    "-fno-pic",
    "-c",
    // The folder that the command is given in would be in the debug information.
    "-fdebug-compilation-dir=/opml",
];

/// Identifies what this does to assembly: objects made by another version are other objects.
pub(crate) const IDENTITY: &str = include_str!("expand.rs");

/// Makes the object file `object` of the file `assembly`, which is written anew.
///
/// # Errors
/// [`BuildError::Tool`] if clang does not take the text, [`BuildError::Io`].
pub(crate) fn assemble(toolchain: &Toolchain, assembly: &Path, object: &Path) -> Result<(), BuildError> {
    let text = fs::read_to_string(assembly).map_err(BuildError::io("read", assembly))?;
    write_new(assembly, expand(&text).as_bytes())?;
    let mut command = toolchain.command(Tool::Clang);
    command.args(ASSEMBLER).arg("-o").arg(object).arg(assembly);
    let help = "the compilers do not understand each other; please report it with the message";
    crate::tool::run(&mut command, "assembling the guest", help).map(drop)
}

/// Whether the text of a file has anything to be replaced.
///
/// # Errors
/// [`BuildError::Io`].
pub(crate) fn is_needed(assembly: &Path) -> Result<bool, BuildError> {
    let text = fs::read_to_string(assembly).map_err(BuildError::io("read", assembly))?;
    Ok(text
        .lines()
        .filter_map(instruction)
        .any(|(mnemonic, operands)| instead(mnemonic, &operands).is_some()))
}

/// The scratch word below the stack.
const SCRATCH: &str = "-8($29)";

/// What stands in the place of an instruction.
enum Instead {
    /// Other instructions.
    These(Vec<String>),
    /// The same with another operand, which the first one makes.
    Prepared { first: String, then: String },
}

/// The text with those instructions replaced.
fn expand(assembly: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    // Where the branch stands whose delay slot comes next.
    let mut branch = None;
    let (mut inline, mut slots) = (false, Slots::default());
    for line in assembly.lines() {
        inline = match line.trim() {
            "#APP" => true,
            "#NO_APP" => false,
            _ => inline,
        };
        slots.see(line);
        let Some((mnemonic, operands)) = instruction(line) else {
            lines.push(line.to_owned());
            continue;
        };
        let slot_of = branch.take();
        match (instead(mnemonic, &operands).filter(|_| !inline), slot_of) {
            (None, _) => {
                branch = (!inline && slots.are_written && has_delay_slot(mnemonic)).then_some(lines.len());
                lines.push(line.to_owned());
            }
            (Some(Instead::These(these)), None) => lines.extend(these),
            (Some(Instead::Prepared { first, then }), None) => lines.extend([first, then]),
            // The branch does not look at what these change, so that they may as well come first.
            (Some(Instead::These(these)), Some(branch)) => {
                lines.splice(branch..branch, these);
                lines.push("\tnop".to_owned());
            }
            // The branch may look at the result.
            (Some(Instead::Prepared { first, then }), Some(branch)) => {
                lines.insert(branch, first);
                lines.push(then);
            }
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Whether the text has what is in delay slots, as compilers write it, or leaves them to the assembler.
#[derive(Default)]
struct Slots {
    are_written: bool,
    /// What it was where a `push` has no `pop` yet.
    kept: Vec<bool>,
}

impl Slots {
    fn see(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some(".set"), Some("noreorder")) => self.are_written = true,
            (Some(".set"), Some("reorder")) => self.are_written = false,
            (Some(".set"), Some("push")) => self.kept.push(self.are_written),
            (Some(".set"), Some("pop")) => self.are_written = self.kept.pop().unwrap_or_default(),
            _ => {}
        }
    }
}

/// Mnemonic and operands, if the line is an instruction.
fn instruction(line: &str) -> Option<(&str, Vec<&str>)> {
    let code = line.strip_prefix('\t')?.split('#').next()?.trim();
    let (mnemonic, operands) = code.split_once(char::is_whitespace).unwrap_or((code, ""));
    let is_instruction = mnemonic.starts_with(|c: char| c.is_ascii_lowercase());
    is_instruction.then(|| (mnemonic, operands.split(',').map(str::trim).collect()))
}

/// Branches and jumps.
fn has_delay_slot(mnemonic: &str) -> bool {
    // No other instruction that a compiler makes begins with these letters, but for `break`, which has no slot.
    mnemonic.starts_with(['b', 'j']) && mnemonic != "break"
}

fn instead(mnemonic: &str, operands: &[&str]) -> Option<Instead> {
    match (mnemonic, operands) {
        // The contract shifts by the whole register, not by its low five bits, and C leaves the others open.
        ("srav", [to, value, by]) => Some(Instead::Prepared {
            first: format!("\tandi\t$26, {by}, 31"),
            then: format!("\tsrav\t{to}, {value}, $26"),
        }),
        ("madd", [a, b]) => Some(Instead::These(accumulate("mult", a, b, false))),
        ("maddu", [a, b]) => Some(Instead::These(accumulate("multu", a, b, false))),
        ("msub", [a, b]) => Some(Instead::These(accumulate("mult", a, b, true))),
        ("msubu", [a, b]) => Some(Instead::These(accumulate("multu", a, b, true))),
        _ => None,
    }
}

/// hi and lo plus or less the product of two registers.
fn accumulate(multiply: &str, a: &str, b: &str, subtract: bool) -> Vec<String> {
    let product = format!("{multiply}\t{a}, {b}");
    let (save, load) = (format!("sw\t$27, {SCRATCH}"), format!("lw\t$26, {SCRATCH}"));
    let before = ["mfhi\t$27", "mflo\t$26", &save, &product, "mflo\t$27"];
    let low: &[&str] = if subtract {
        // A borrow: the difference and the product together do not fit a word.
        &["subu\t$26, $26, $27", "nor\t$27, $27, $0", "sltu\t$27, $27, $26"]
    } else {
        &["addu\t$26, $26, $27", "sltu\t$27, $26, $27"]
    };
    let high: &[&str] = if subtract {
        &["subu\t$27, $26, $27", "mfhi\t$26", "subu\t$27, $27, $26"]
    } else {
        &["addu\t$27, $26, $27", "mfhi\t$26", "addu\t$27, $27, $26"]
    };
    let all = [&before[..], low, &["mtlo\t$26", &load], high, &["mthi\t$27"]].concat();
    all.into_iter().map(|line| format!("\t{line}")).collect()
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn what_the_vm_has_stays() {
        let text = "f:\n\t.set\tnoreorder\n\tjr\t$ra\n\taddu\t$2, $4, $5 # srav\n\t.size\tf, 4\n";
        assert_eq!(expand(text), text);
        let inline = "\t#APP\n\tsrav\t$2, $4, $5\n\t#NO_APP\n";
        assert_eq!(expand(inline), inline);
    }

    #[test]
    fn shifts_are_prepared_in_front_of_the_branch() {
        assert_eq!(expand("\tsrav\t$2, $4, $5\n"), "\tandi\t$26, $5, 31\n\tsrav\t$2, $4, $26\n");
        let branch = "\tbeqz\t$2, $L\n$tmp:\n";
        let written = format!("\t.set\tnoreorder\n{branch}\tsrav\t$2, $4, $5\n");
        let expected = format!("\t.set\tnoreorder\n\tandi\t$26, $5, 31\n{branch}\tsrav\t$2, $4, $26\n");
        assert_eq!(expand(&written), expected);
        // What follows a branch is in no delay slot where the assembler fills them.
        let left = format!("\t.set\tnoreorder\n\t.set push\n\t.set reorder\n{branch}");
        assert_eq!(
            expand(&format!("{left}\tsrav\t$2, $4, $5\n")),
            format!("{left}\tandi\t$26, $5, 31\n\tsrav\t$2, $4, $26\n")
        );
        let again = format!("{left}\tnop\n\t.set pop\n");
        let shift = written.strip_prefix("\t.set\tnoreorder\n").unwrap();
        assert!(
            expand(&format!("{again}{shift}"))
                .ends_with(expected.strip_prefix("\t.set\tnoreorder\n").unwrap())
        );
    }

    #[test]
    fn sums_leave_the_delay_slot() {
        let text = expand("\t.set noreorder\n\tjr\t$ra\n\tmaddu\t$4, $5\n\tmsub\t$1, $2\n");
        let lines: Vec<_> = text.lines().skip(1).collect();
        let jump = lines.iter().position(|line| *line == "\tjr\t$ra").unwrap();
        assert_eq!((lines[0], lines[jump - 1], lines[jump + 1]), ("\tmfhi\t$27", "\tmthi\t$27", "\tnop"));
        assert_eq!((lines[..jump].len(), lines[jump + 2..].len()), (13, 14));
        assert_eq!((lines[3], lines[jump + 5]), ("\tmultu\t$4, $5", "\tmult\t$1, $2"));
    }
}
