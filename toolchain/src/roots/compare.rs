//! Pinned roots against those of a build.

use opml_state::Hash;
use serde::Serialize;

use super::{Built, Pin, Roots};
use crate::compare::{Cause, causes};

/// What became of a pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The roots are the pinned ones.
    AsPinned,
    /// They are not.
    Differs,
    /// The model has no pin.
    NotPinned,
    /// There is a pin, and no model for it.
    NoModel,
}

/// Two roots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Pair {
    /// Merkle root of the initial memory.
    pub memory_root: Hash,
    /// Hash of the initial state.
    pub prestate_hash: Hash,
}

/// One model for one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Name of the model.
    pub model: String,
    /// Name of the target.
    pub target: String,
    /// SHA-256 of the lock of the toolchain that built it, or that it was pinned with if nothing built it.
    pub lock: String,
    /// What became of the pin.
    pub verdict: Verdict,
    /// The pinned roots, if there are any; those of another toolchain if there are none of this one.
    pub pinned: Option<Pair>,
    /// The roots of the build, if there is one.
    pub got: Option<Pair>,
    /// What it was made from and is no more as it was when the pin was written; likeliest cause first.
    pub causes: Vec<Cause>,
}

/// All models that are pinned or built.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// The models that were built, then those that were not.
    pub rows: Vec<Row>,
}

impl Comparison {
    /// Whether every model has the roots that are pinned for it, and every pin its model.
    pub fn is_as_pinned(&self) -> bool {
        self.rows.iter().all(|row| row.verdict == Verdict::AsPinned)
    }
}

impl Roots {
    /// Holds these pins against the roots `got` of builds of all models. A toolchain that has no pins yet is compared with
    /// another one's of the same target, which then are not the roots but explain them.
    pub fn compare(&self, got: &Self) -> Comparison {
        let mut rows = Vec::new();
        let mut used = Vec::new();
        for built in &got.built {
            let pins = self.pins_for(built);
            used.extend(pins.map(|pins| (&pins.target, &pins.lock)));
            rows.extend(built.models.iter().map(|(model, pin)| row(model, (built, pin), pins)));
            let unbuilt = pins.into_iter().flat_map(|pins| pins.models.iter().map(move |pin| (pins, pin)));
            let unbuilt = unbuilt.filter(|(_, (model, _))| !built.models.contains_key(*model));
            rows.extend(unbuilt.map(|(pins, (model, pin))| no_model(model, pins, pin)));
        }
        for pins in self.built.iter().filter(|pins| !used.contains(&(&pins.target, &pins.lock))) {
            rows.extend(pins.models.iter().map(|(model, pin)| no_model(model, pins, pin)));
        }
        Comparison { rows }
    }

    /// The pins to hold against `built`: those of its toolchain, else those of another.
    fn pins_for(&self, built: &Built) -> Option<&Built> {
        let of_target = || self.built.iter().filter(|pins| pins.target == built.target);
        of_target().find(|pins| pins.lock == built.lock).or_else(|| of_target().next())
    }
}

fn row(model: &str, got: (&Built, &Pin), pins: Option<&Built>) -> Row {
    let pinned = pins.and_then(|pins| Some((pins, pins.models.get(model)?)));
    let verdict = match pinned {
        None => Verdict::NotPinned,
        Some((pins, pin)) if pins.lock == got.0.lock && pair(pin) == pair(got.1) => Verdict::AsPinned,
        Some(_) => Verdict::Differs,
    };
    let origin = got.0.origin(got.1);
    Row {
        model: model.to_owned(),
        target: got.0.target.clone(),
        lock: got.0.lock.clone(),
        verdict,
        pinned: pinned.map(|(_, pin)| pair(pin)),
        got: Some(pair(got.1)),
        causes: pinned.map(|(pins, pin)| causes(&pins.origin(pin), &origin, false)).unwrap_or_default(),
    }
}

fn no_model(model: &str, pins: &Built, pin: &Pin) -> Row {
    Row {
        model: model.to_owned(),
        target: pins.target.clone(),
        lock: pins.lock.clone(),
        verdict: Verdict::NoModel,
        pinned: Some(pair(pin)),
        got: None,
        causes: Vec::new(),
    }
}

fn pair(pin: &Pin) -> Pair {
    Pair { memory_root: pin.memory_root, prestate_hash: pin.prestate_hash }
}
