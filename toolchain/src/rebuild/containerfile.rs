//! The steps of this project's Containerfile. Not a reader of any such file: what is not in ours is refused, so that a step
//! is never passed over in silence.

use std::path::Path;

use miette::Diagnostic;
use thiserror::Error;

/// Why a Containerfile is refused.
#[derive(Debug, Error, Diagnostic)]
pub enum ContainerfileError {
    /// An instruction that is not understood here.
    #[error("line {line} of the Containerfile, `{text}`, is no step that a clean room can take")]
    #[diagnostic(help(
        "a clean room knows FROM debian:RELEASE…@sha256:DIGEST, RUN, WORKDIR /FOLDER and COPY . . as they stand in this project's own file"
    ))]
    Instruction {
        /// Its line, from 1.
        line: usize,
        /// The instruction.
        text: String,
    },

    /// There is no base image, or there are several.
    #[error("the Containerfile has {got} FROM lines, expected 1")]
    #[diagnostic(help("a clean room is set up from one base image"))]
    Bases {
        /// How many it has.
        got: usize,
    },
}

/// A checked Containerfile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Containerfile {
    /// The Debian release of its base image.
    pub release: String,
    /// The base image as it is named, digest included.
    pub base: String,
    /// What is done in it, in order.
    pub steps: Vec<Step>,
}

/// What is done in the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A command of the shell, run in a folder.
    Run {
        /// The command.
        command: String,
        /// The folder, absolute.
        folder: String,
    },
    /// The source goes into a folder.
    Source {
        /// The folder, absolute.
        folder: String,
    },
}

impl Containerfile {
    /// Reads the steps.
    ///
    /// # Errors
    /// [`ContainerfileError`].
    pub fn parse(text: &str) -> Result<Self, ContainerfileError> {
        let (mut bases, mut steps, mut folder) = (Vec::new(), Vec::new(), "/".to_owned());
        for (line, text) in instructions(text) {
            let refused = || ContainerfileError::Instruction { line, text: text.clone() };
            let (name, rest) = text.split_once(' ').ok_or_else(refused)?;
            match (name, rest.trim()) {
                ("FROM", base) => bases.push((release(base).ok_or_else(refused)?, base.to_owned())),
                ("RUN", command) => steps.push(Step::Run { command: command.into(), folder: folder.clone() }),
                ("COPY", ". .") => steps.push(Step::Source { folder: folder.clone() }),
                ("WORKDIR", path) if is_plain(path) => folder = path.to_owned(),
                _ => return Err(refused()),
            }
        }
        match <[_; 1]>::try_from(bases) {
            Ok([(release, base)]) => Ok(Self { release, base, steps }),
            Err(bases) => Err(ContainerfileError::Bases { got: bases.len() }),
        }
    }
}

/// The instructions with the numbers of their first lines; continued lines are joined.
fn instructions(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut continued = false;
    let lines = text.lines().map(str::trim).enumerate();
    for (index, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        let (part, goes_on) = match line.strip_suffix('\\') {
            Some(part) => (part.trim_end(), true),
            None => (line, false),
        };
        match found.last_mut().filter(|_| continued) {
            Some((_, instruction)) => *instruction += &format!(" {part}"),
            None => found.push((index + 1, part.to_owned())),
        }
        continued = goes_on;
    }
    found
}

/// The release that an image of Debian is of; none for one that is not named by digest.
fn release(base: &str) -> Option<String> {
    let (tag, digest) = base.strip_prefix("debian:")?.split_once("@sha256:")?;
    let is_digest = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    let name = tag.split('-').next().unwrap_or_default();
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase());
    (is_digest && is_name).then(|| name.to_owned())
}

/// An absolute path of plain parts.
fn is_plain(path: &str) -> bool {
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    Path::new(path).is_absolute() && path[1..].split('/').all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str =
        "debian:bookworm-slim@sha256:0000000000000000000000000000000000000000000000000000000000000000";

    #[test]
    fn steps_are_in_their_folders_and_in_order() {
        let text =
            format!("# x\nFROM {BASE}\nRUN a \\\n  # in between\n  && b\nWORKDIR /src/x\nCOPY . .\nRUN c\n");
        let run = |command: &str, folder: &str| Step::Run { command: command.into(), folder: folder.into() };
        let read = Containerfile::parse(&text).unwrap();
        assert_eq!((read.release.as_str(), read.base.as_str()), ("bookworm", BASE));
        assert_eq!(
            read.steps,
            [run("a && b", "/"), Step::Source { folder: "/src/x".into() }, run("c", "/src/x")]
        );
    }

    #[test]
    fn what_would_be_passed_over_is_refused() {
        for bad in [
            "ENV A=b",
            "COPY a b",
            "ADD . .",
            "WORKDIR src",
            "WORKDIR /src/../..",
            "RUN",
            "FROM debian:bookworm",
            "USER x",
        ] {
            let error = Containerfile::parse(&format!("FROM {BASE}\n{bad}\n")).unwrap_err();
            assert!(
                matches!(&error, ContainerfileError::Instruction { line: 2, text } if text == bad),
                "{bad}: {error}"
            );
        }
        let twice = Containerfile::parse(&format!("FROM {BASE}\nFROM {BASE}\n"));
        assert!(matches!(twice, Err(ContainerfileError::Bases { got: 2 })));
        assert!(matches!(Containerfile::parse("RUN a\n"), Err(ContainerfileError::Bases { got: 0 })));
    }
}
