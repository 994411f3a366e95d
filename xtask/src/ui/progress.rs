//! Progress on standard error: bars on a terminal, one line per task elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use opml_toolchain::progress::{Progress, Task, Unit};

/// The reporter for this process's standard error.
pub fn reporter() -> Box<dyn Progress> {
    if std::io::stderr().is_terminal() { Box::new(Bars(MultiProgress::new())) } else { Box::new(Lines) }
}

struct Bars(MultiProgress);

impl Progress for Bars {
    fn start<'a>(&'a self, label: &str, total: u64, unit: Unit) -> Box<dyn Task + 'a> {
        let (bar, template) = match (total, unit) {
            (0, _) => (ProgressBar::new_spinner(), "  {spinner} {msg} {elapsed}"),
            (_, Unit::Bytes) => (
                ProgressBar::new(total),
                "  {msg:40!} [{bar:30}] {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec}",
            ),
            (_, Unit::Items) => (ProgressBar::new(total), "  {msg:40!} [{bar:30}] {pos}/{len}"),
        };
        let style = ProgressStyle::with_template(template).expect("the templates are right");
        let bar = self.0.add(bar.with_style(style).with_message(label.to_owned()));
        bar.enable_steady_tick(Duration::from_millis(100));
        Box::new(Bar(bar))
    }
}

struct Bar(ProgressBar);

impl Task for Bar {
    fn advance(&self, n: u64) {
        self.0.inc(n);
    }

    fn set(&self, n: u64) {
        self.0.set_position(n);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// For logs: what has started, and nothing that moves.
struct Lines;

impl Progress for Lines {
    fn start<'a>(&'a self, label: &str, total: u64, unit: Unit) -> Box<dyn Task + 'a> {
        match (total, unit) {
            (0, _) => eprintln!("  {label}"),
            (_, Unit::Bytes) => eprintln!("  {label} ({})", super::bytes(total)),
            (_, Unit::Items) => eprintln!("  {label} ({total})"),
        }
        Box::new(opml_toolchain::progress::Silent)
    }
}
