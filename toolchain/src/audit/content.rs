//! What the loaded bytes must not contain: paths of the machine that built them, which would make the image differ from
//! one machine to the next and tell about the builder.

use aho_corasick::packed::{self, Searcher};
use aho_corasick::{AhoCorasick, AhoCorasickKind, Match, MatchKind};

use super::AuditOptions;
use super::finding::Findings;
use super::rule::Rule;
use crate::elf::{Elf, Segment};

/// Where the files of builds usually are, on Linux, macOS and Windows. Each is long enough not to turn up by chance in
/// random weights (5 bytes: once in 2^40 bytes).
const USUAL_PLACES: [&str; 6] = ["/home/", "/root/", "/tmp/", "/Users/", "/var/folders/", ":\\Users\\"];

/// How much of a path is shown, in bytes.
const SHOWN: usize = 120;

const ACTION: &str = "compile with --remap-path-prefix (Rust) or -ffile-prefix-map (C), or keep file names out of \
                      messages";

pub(super) fn check(elf: &Elf, options: &AuditOptions) -> Findings {
    let mut findings = Findings::default();
    let given =
        options.host_paths.iter().map(|path| path.trim_end_matches('/')).filter(|path| path.len() > 1);
    let patterns: Vec<_> = USUAL_PLACES
        .iter()
        .map(|place| (*place).to_owned())
        .chain(given.map(|path| format!("{path}/")))
        .collect();
    let Some(searcher) = Patterns::new(&patterns) else {
        findings.file(
            Rule::HostPath,
            "the list of host paths is too long to be searched for".to_owned(),
            ACTION,
        );
        return findings;
    };
    for segment in elf.segments().iter().filter(|segment| segment.is_loaded()) {
        check_segment(segment, elf.segment_data(segment), &searcher, &mut findings);
    }
    findings
}

/// What is searched for: by vector units, as they are many times faster on a gigabyte of weights, or where there are none, or not for so many
/// patterns, by an automaton. Both find the same.
enum Patterns {
    Packed(Searcher),
    Automaton(AhoCorasick),
}

impl Patterns {
    fn new(patterns: &[String]) -> Option<Self> {
        if let Some(searcher) = packed::Config::new().builder().extend(patterns).build() {
            return Some(Self::Packed(searcher));
        }
        // This kind is quick to build, and a search goes by the prefilter of the patterns whatever the kind.
        let kind = Some(AhoCorasickKind::ContiguousNFA);
        let automaton =
            AhoCorasick::builder().kind(kind).match_kind(MatchKind::LeftmostFirst).build(patterns);
        automaton.ok().map(Self::Automaton)
    }

    /// Leftmost matches, none of which begins in another.
    fn find<'a>(&'a self, data: &'a [u8]) -> Box<dyn Iterator<Item = Match> + 'a> {
        match self {
            Self::Packed(searcher) => Box::new(searcher.find_iter(data)),
            Self::Automaton(automaton) => Box::new(automaton.find_iter(data)),
        }
    }
}

fn check_segment(segment: &Segment, data: &[u8], searcher: &Patterns, findings: &mut Findings) {
    let mut reported = 0;
    for found in searcher.find(data) {
        // One path with two of the patterns in it is one violation.
        if found.start() < reported {
            continue;
        }
        let end = data.len().min(found.start() + SHOWN);
        let shown = &data[found.start()..end];
        let length = shown.iter().position(|byte| !matches!(byte, b' '..=b'~')).unwrap_or(shown.len());
        reported = found.start() + length;
        let path = String::from_utf8_lossy(&shown[..length]);
        let address = segment.address + found.start() as u64;
        findings.at(Rule::HostPath, address, format!("the image contains the host path `{path}`"), ACTION);
    }
}
