//! The address space, cut up by what lies where.

use opml_targets::{AddressRange, Target};
use serde::{Deserialize, Serialize};

use crate::elf::{Elf, Segment};

/// What a piece of memory is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Use {
    /// Instructions.
    Code,
    /// What the program reads.
    Constants,
    /// What it writes, without the activations if it is known where they lie.
    Variables,
    /// The activations of a model.
    Arena,
    /// The weights of a model.
    Weights,
    /// Where memory is given out from.
    Heap,
    /// The stack.
    Stack,
    /// Nothing: it reads as zeros.
    Free,
}

impl Use {
    /// All of them, in the order in which a program of this project has them.
    pub const ALL: [Self; 8] = [
        Self::Code,
        Self::Constants,
        Self::Variables,
        Self::Arena,
        Self::Weights,
        Self::Heap,
        Self::Stack,
        Self::Free,
    ];

    /// Its name: `code`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Constants => "constants",
            Self::Variables => "variables",
            Self::Arena => "arena",
            Self::Weights => "weights",
            Self::Heap => "heap",
            Self::Stack => "stack",
            Self::Free => "free",
        }
    }
}

/// Addresses with one use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Area {
    /// What they are for.
    #[serde(rename = "use")]
    pub of: Use,
    /// Where they are.
    #[serde(serialize_with = "super::range")]
    pub addresses: AddressRange,
    /// How many there are.
    pub bytes: u64,
}

impl Area {
    fn new(of: Use, start: u64, end: u64) -> Self {
        Self { of, addresses: AddressRange { start, end }, bytes: end.saturating_sub(start) }
    }
}

/// What a loaded segment holds.
pub(super) fn holds(segment: &Segment, weights: Option<AddressRange>) -> Use {
    if segment.is_executable() {
        Use::Code
    } else if weights.is_some_and(|weights| segment.range().contains_range(weights)) {
        Use::Weights
    } else if segment.is_writable() {
        Use::Variables
    } else {
        Use::Constants
    }
}

/// The whole address space of `target` with `elf` in it, in rising order. Where segments overlap, the one that starts first counts; what
/// lies behind the end of the address space is left out.
pub(super) fn areas(
    elf: &Elf,
    target: &Target,
    weights: Option<AddressRange>,
    arena: Option<AddressRange>,
) -> Vec<Area> {
    let end = 1_u64.checked_shl(target.elf().class.bits().into()).unwrap_or(u64::MAX);
    let mut segments: Vec<_> = elf.segments().iter().filter(|segment| segment.is_loaded()).collect();
    segments.sort_by_key(|segment| (segment.range().start, segment.range().end));
    let mut areas: Vec<Area> = Vec::new();
    for segment in segments {
        let start = segment.range().start.max(areas.last().map_or(0, |area| area.addresses.end));
        let area = Area::new(holds(segment, weights), start, segment.range().end.min(end));
        areas.extend(Some(area).filter(|area| area.bytes > 0));
    }
    if let Some(arena) = arena {
        areas = areas.into_iter().flat_map(|area| split(area, arena)).collect();
    }
    let map = target.memory();
    fill(&mut areas, Use::Heap, map.heap);
    fill(&mut areas, Use::Stack, map.stack.range());
    fill(&mut areas, Use::Free, AddressRange { start: 0, end });
    areas
}

/// The variables in front of the activations, the activations, and what is behind them; any other area as it is.
fn split(area: Area, arena: AddressRange) -> impl Iterator<Item = Area> {
    let Area { of, addresses, .. } = area;
    let parts = if of == Use::Variables && addresses.contains_range(arena) {
        [
            Area::new(of, addresses.start, arena.start),
            Area::new(Use::Arena, arena.start, arena.end),
            Area::new(of, arena.end, addresses.end),
        ]
    } else {
        [area, Area::new(of, 0, 0), Area::new(of, 0, 0)]
    };
    parts.into_iter().filter(|part| part.bytes > 0)
}

/// Gives what `areas` leave of `range` the use `of`.
fn fill(areas: &mut Vec<Area>, of: Use, range: AddressRange) {
    let mut start = range.start;
    let mut gaps = Vec::new();
    for area in areas.iter() {
        let end = area.addresses.start.min(range.end);
        if start < end {
            gaps.push(Area::new(of, start, end));
        }
        start = start.max(area.addresses.end);
    }
    if start < range.end {
        gaps.push(Area::new(of, start, range.end));
    }
    areas.extend(gaps);
    areas.sort_by_key(|area| area.addresses.start);
}
