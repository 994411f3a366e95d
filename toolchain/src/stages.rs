use std::time::{Duration, Instant};

use crate::error::BuildError;
use crate::progress::{Progress, Unit};

/// Measures the stages of a pipeline as they pass.
pub(crate) struct Stages<'a> {
    progress: &'a dyn Progress,
    timings: Vec<(&'static str, Duration)>,
}

impl<'a> Stages<'a> {
    pub fn new(progress: &'a dyn Progress) -> Self {
        Self { progress, timings: Vec::new() }
    }

    pub fn run<T>(
        &mut self,
        name: &'static str,
        stage: impl FnOnce(&dyn Progress) -> Result<T, BuildError>,
    ) -> Result<T, BuildError> {
        let started = Instant::now();
        let task = self.progress.start(name, 0, Unit::Items);
        let result = stage(self.progress);
        drop(task);
        self.timings.push((name, started.elapsed()));
        result
    }

    /// How long each stage took, in their order.
    pub fn timings(self) -> Vec<(&'static str, Duration)> {
        self.timings
    }
}
