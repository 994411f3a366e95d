//! `toolchain update`: a newer lock, and what it would change.

use std::path::PathBuf;

use opml_state::Hash;
use opml_toolchain::progress::Progress;
use opml_toolchain::provision::{self, Lock, Options, PackageChange};
use opml_toolchain::write_atomically;

use super::super::{checkout, lock, provision_options, run, scratch, target, test};
use crate::outcome::{Outcome, Result, Stop};
use crate::program::Program;
use crate::shipped::{Builder, Shipped};
use crate::ui::{self, table};

/// Show what a newer lock would change: packages, and the roots and steps of every shipped model
///
/// The newer lock has the packages in the versions that this system's sources have now. All models are
/// built with both. Exits with 1 if the audit refuses what the new compilers make.
#[derive(clap::Args)]
pub struct Update {
    /// Which lock to renew; no program is built with the test tools, so there only packages are compared
    #[arg(value_enum, default_value_t = Which::Guest)]
    which: Which,
    /// Take this lock instead of a proposed one
    #[arg(long, value_name = "FILE")]
    lock: Option<PathBuf>,
    /// Put the lock in the place of the old one
    #[arg(long)]
    write: bool,
    /// Never use the network
    #[arg(long)]
    offline: bool,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq)]
enum Which {
    /// toolchain/guest-toolchain.lock
    Guest,
    /// tests/test-tools.lock
    TestTools,
}

impl Which {
    fn path(self) -> &'static str {
        match self {
            Self::Guest => "toolchain/guest-toolchain.lock",
            Self::TestTools => "tests/test-tools.lock",
        }
    }

    /// What to do when it was replaced.
    fn next(self) -> &'static str {
        match self {
            Self::Guest => "`cargo xtask roots --update` pins its roots",
            Self::TestTools => "`cargo xtask test` installs its tools",
        }
    }
}

pub fn update(args: &Update, progress: &dyn Progress) -> Result {
    let options = provision_options(args.offline)?;
    let old = match args.which {
        Which::Guest => Lock::guest(),
        Which::TestTools => Lock::parse(test::TEST_TOOLS),
    };
    let old = old.map_err(Stop::unable)?;
    let new = match &args.lock {
        Some(path) => lock(path)?,
        None => {
            let text = provision::propose(&old, &options, progress).map_err(Stop::unable)?;
            Lock::parse(&text).map_err(Stop::unable)?
        }
    };
    if new.sha256() == old.sha256() {
        println!("nothing has changed: {} is as new as this system's sources", args.which.path());
        return Ok(Outcome::Done);
    }
    print!("{}", packages(&old, &new));
    if args.which == Which::Guest {
        let Some(models) = models(&old, &new, &options, progress)? else { return Ok(Outcome::Failed) };
        print!("\n{models}");
    }
    println!();
    if args.write {
        write_atomically(&checkout()?.root().join(args.which.path()), new.text().as_bytes())
            .map_err(Stop::unable)?;
        println!(" {} is the new lock; {}", args.which.path(), args.which.next());
    } else {
        println!(" nothing was written; --write puts the lock in place");
    }
    Ok(Outcome::Done)
}

fn packages(old: &Lock, new: &Lock) -> String {
    let version = |version: &Option<String>| version.clone().unwrap_or_else(|| "-".into());
    let row = |change: PackageChange| {
        let new = if change.old == change.new { "other bytes".into() } else { version(&change.new) };
        vec![change.name, version(&change.old), new]
    };
    let rows: Vec<_> = old.package_changes(new).into_iter().map(row).collect();
    if rows.is_empty() {
        return " no package has changed\n".into();
    }
    table::columns(&["package", "now", "new"], &rows, |_| false)
}

/// What one lock makes of a model.
struct Figures {
    memory_root: Hash,
    prestate_hash: Hash,
    steps: Option<u64>,
}

/// Roots and steps of all models with both locks; none if a program was refused, which has been told then.
fn models(
    old: &Lock,
    new: &Lock,
    options: &Options,
    progress: &dyn Progress,
) -> std::result::Result<Option<String>, Stop> {
    let (checkout, scratch) = (checkout()?, scratch()?);
    let mut rows = Vec::new();
    for name in opml_targets::names() {
        let target = target(name)?;
        for shipped in Shipped::all(&checkout)? {
            let mut made = Vec::new();
            for lock in [old, new] {
                let provision = Options { lock: Some(lock.clone()), ..options.clone() };
                let scratch = scratch.path();
                let builder = Builder { checkout: &checkout, provision, scratch, progress };
                match builder.build(&shipped, &target)? {
                    Ok(built) => made.push(figures(&shipped, &Program::open(&built.out)?, progress)?),
                    Err(refused) => {
                        eprint!("{}", refused.text());
                        eprintln!("the program is that of lock {}", lock.sha256());
                        return Ok(None);
                    }
                }
            }
            let model = shipped.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            rows.extend(lines(&model, name, &made[0], &made[1]));
        }
    }
    Ok(Some(table::columns(&["model", "target", "", "now", "new"], &rows, |_| false)))
}

fn figures(
    shipped: &Shipped,
    program: &Program,
    progress: &dyn Progress,
) -> std::result::Result<Figures, Stop> {
    let run = |input: &PathBuf| {
        let request = program.request(std::slice::from_ref(input), Hash::default())?;
        let finished = run::execute(program, request, u64::MAX, run::Checks::On, progress);
        Ok::<_, Stop>(finished?.steps)
    };
    Ok(Figures {
        memory_root: program.manifest.memory_root,
        prestate_hash: program.manifest.prestate_hash,
        steps: shipped.input.as_ref().map(run).transpose()?,
    })
}

fn lines(model: &str, target: &str, old: &Figures, new: &Figures) -> [Vec<String>; 3] {
    let hash = |old: Hash, new: Hash| {
        [old.to_string(), if old == new { "the same".into() } else { new.to_string() }]
    };
    let steps = match (old.steps, new.steps) {
        (Some(old), Some(new)) if old == new => [ui::count(old), "the same".into()],
        (Some(old), Some(new)) => {
            let percent = 100.0 * (new as f64 - old as f64) / old as f64;
            [ui::count(old), format!("{} ({percent:+.2} %)", ui::count(new))]
        }
        _ => ["no input".into(), "no input".into()],
    };
    let line = |head: [&str; 3], values: [String; 2]| {
        head.iter().map(|text| (*text).to_owned()).chain(values).collect()
    };
    [
        line([model, target, "memory root"], hash(old.memory_root, new.memory_root)),
        line(["", "", "prestate hash"], hash(old.prestate_hash, new.prestate_hash)),
        line(["", "", "steps"], steps),
    ]
}
