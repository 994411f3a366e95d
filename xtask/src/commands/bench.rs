//! `bench`: what the shipped models cost, and how fast VM and root are.

use std::path::PathBuf;
use std::time::Duration;

use opml_state::Hash;
use opml_toolchain::provision::{self, Lock};
use opml_toolchain::{Built, Checkout, GuestProgram, Options, Request, build};

use super::{build_model, conform, run, test};
use crate::bench::{
    self, Figures, INTEGER_CONVS, INTEGER_KERNELS, IntegerConv, IntegerKernel, KERNELS, Kernel,
    KernelFigures, ModelFigures, OperationFigure, PEERS, ProofFigures, SpeedFigures, Stage,
};
use crate::outcome::{Outcome, Result, Stop};
use crate::program::Program;
use crate::shipped::INPUTS;
use crate::ui::{self, Format, table};

/// Measure the shipped models, the VM, the memory root and proofs, beside other projects' figures
///
/// Steps and gas are exact. Times say something only beside each other: the VM beside qemu, the root
/// beside plain hashing, a run with proofs beside the plain run. Writes the figures as JSON, too.
#[derive(clap::Args)]
pub struct Args {
    /// File for the figures [default: target/opml/bench.json in the checkout]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// How to print the figures
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Never use the network
    #[arg(long)]
    offline: bool,
}

/// What all measurements share.
struct Bench {
    checkout: Checkout,
    provision: provision::Options,
    /// Everything that is built goes here and is gone afterwards.
    scratch: tempfile::TempDir,
    progress: Box<dyn opml_toolchain::progress::Progress>,
}

pub fn run(args: &Args) -> Result {
    let bench = Bench {
        checkout: super::checkout()?,
        provision: super::provision_options(args.offline)?,
        scratch: super::scratch()?,
        progress: ui::reporter(),
    };
    let models = INPUTS
        .iter()
        .map(|(model, input)| bench.model(model, input))
        .collect::<std::result::Result<_, _>>()?;
    let floats = KERNELS.iter().map(|kernel| bench.kernel(kernel));
    let integers = INTEGER_KERNELS.iter().map(|kernel| bench.integer_kernel(kernel));
    let convs = INTEGER_CONVS.iter().map(|kernel| bench.integer_conv(kernel));
    let kernels = floats.chain(integers).chain(convs).collect::<std::result::Result<_, _>>()?;
    let long = bench.build(Request::bare(
        "soft-float-loop",
        GuestProgram::generated(bench::LOOP.to_owned(), Vec::new()),
    ))?;
    let figures = Figures {
        models,
        kernels,
        elementwise: bench.elementwise()?,
        native: bench::native(),
        vm: bench.vm(&long)?,
        root: bench::root(),
        scale: bench::scale(bench.scratch.path()).map_err(Stop::unable)?,
        proofs: bench.proofs(&long)?,
        peers: PEERS,
    };
    let json = format!("{:#}\n", serde_json::json!(figures));
    let out = args.out.clone().unwrap_or_else(|| bench.checkout.root().join("target/opml/bench.json"));
    opml_toolchain::write_atomically(&out, json.as_bytes()).map_err(Stop::unable)?;
    match args.format {
        Format::Json => print!("{json}"),
        Format::Text => print!("{}\nwritten to {}\n", text(&figures), out.display()),
    }
    Ok(Outcome::Done)
}

impl Bench {
    /// Builds `model` with nothing compiled before, and runs it on `input`.
    fn model(&self, model: &str, input: &str) -> std::result::Result<ModelFigures, Stop> {
        let root = self.checkout.root();
        let imported =
            build_model::import(&root.join(model), build_model::Given::default(), None, "cannon32")?;
        let macs = imported.request.model.as_ref().map_or(0, |model| model.multiply_accumulates);
        let built = self.build(imported.request)?;
        let program = Program::open(&built.out)?;
        let request = program.request(&[root.join(input)], Hash::default())?;
        let finished = run::execute(&program, request, u64::MAX, &*self.progress)?;
        Ok(ModelFigures {
            name: built.manifest.name,
            steps: finished.steps,
            multiply_accumulates: macs,
            steps_per_multiply_accumulate: finished.steps as f64 / macs as f64,
            sizes: built.manifest.sizes,
            stages: built.timings.iter().map(|&(stage, time)| stage_figure(stage, time)).collect(),
        })
    }

    fn kernel(&self, kernel: &Kernel) -> std::result::Result<KernelFigures, Stop> {
        let program = kernel.program();
        let built = self.build(Request::bare("kernel", program.clone()))?;
        kernel.measure(&built.out, &program).map_err(Stop::unable)
    }

    fn integer_kernel(&self, kernel: &IntegerKernel) -> std::result::Result<KernelFigures, Stop> {
        let program = kernel.program();
        let built = self.build(Request::bare("integer-kernel", program.clone()))?;
        kernel.measure(&built.out, &program).map_err(Stop::unable)
    }

    fn integer_conv(&self, kernel: &IntegerConv) -> std::result::Result<KernelFigures, Stop> {
        let built = self.build(Request::bare("integer-conv", kernel.program()))?;
        kernel.measure(&built.out).map_err(Stop::unable)
    }

    fn elementwise(&self) -> std::result::Result<Vec<OperationFigure>, Stop> {
        let built = self.build(Request::bare("elementwise", bench::elementwise_program()))?;
        bench::elementwise(&built.out).map_err(Stop::unable)
    }

    fn vm(&self, long: &Built) -> std::result::Result<SpeedFigures, Stop> {
        let lock = Lock::parse(test::TEST_TOOLS).map_err(Stop::unable)?;
        let tools = provision::ensure_tools(&lock, &self.provision, &*self.progress).map_err(Stop::unable)?;
        let qemu = tools.paths.get("qemu-mips").cloned().unwrap_or_default();
        bench::vm_speed(&long.out, &qemu).map_err(Stop::unable)
    }

    /// Proofs of the first model's run, and of the long run.
    fn proofs(&self, long: &Built) -> std::result::Result<ProofFigures, Stop> {
        let mut contract = super::contract(self.provision.offline, &*self.progress)?;
        let (model, input) = INPUTS[0];
        let root = self.checkout.root();
        let imported =
            build_model::import(&root.join(model), build_model::Given::default(), None, "cannon32")?;
        let program = Program::open(&self.build(imported.request)?.out)?;
        let request = program.request(&[root.join(input)], Hash::default())?;
        let (prestate, code) = (program.prestate()?, program.code()?);
        let long = Program::open(&long.out)?.prestate()?;
        bench::proofs(&mut contract, (&prestate, &code, &request), &long).map_err(conform::stop)
    }

    fn build(&self, request: Request) -> std::result::Result<Built, Stop> {
        let options = Options {
            provision: self.provision.clone(),
            checkout: self.checkout.clone(),
            out: self.scratch.path().join(&request.name),
            work: Some(self.scratch.path().join("work")),
        };
        build(request, &super::target("cannon32")?, &options, &*self.progress).map_err(Stop::unable)
    }
}

fn stage_figure(stage: &'static str, time: Duration) -> Stage {
    Stage { stage, milliseconds: time.as_secs_f64() * 1e3 }
}

fn text(figures: &Figures) -> String {
    let header = ["model", "steps", "multiply-accumulates", "steps each", "image", "build"];
    let rows = figures.models.iter().map(|model| {
        vec![
            model.name.clone(),
            ui::count(model.steps),
            ui::count(model.multiply_accumulates),
            format!("{:.1}", model.steps_per_multiply_accumulate),
            ui::bytes(model.sizes.code + model.sizes.constants + model.sizes.variables),
            format!("{:.0} ms", model.stages.iter().map(|s| s.milliseconds).sum::<f64>()),
        ]
    });
    let mut text = table::figures(&header, &rows.collect::<Vec<_>>());
    for model in &figures.models {
        let stages: Vec<_> =
            model.stages.iter().map(|s| format!("{} {:.0}", s.stage, s.milliseconds)).collect();
        text += &format!("\n {} by stage, in ms: {}", model.name, stages.join(", "));
    }
    text += "\n\n";
    let header = ["kernel", "steps", "multiply-accumulates", "steps each", "weights grow"];
    let rows = figures.kernels.iter().map(|kernel| {
        vec![
            kernel.work.to_owned(),
            ui::count(kernel.steps),
            ui::count(kernel.multiply_accumulates),
            format!("{:.2}", kernel.steps_per_multiply_accumulate),
            format!("{:.3}", kernel.weights_grow),
        ]
    });
    text += &table::figures(&header, &rows.collect::<Vec<_>>());
    text += "\n\n steps for each element, loop and memory included\n";
    let operations = figures.elementwise.iter();
    text +=
        &table::pairs(operations.map(|o| (o.operation.to_owned(), format!("{:.1}", o.steps_per_element))));
    text += "\n\n sums on the host, in 10^9 multiply-accumulates a second\n";
    text += &table::pairs(figures.native.iter().map(|figures| {
        let [one, all] = figures.billions_per_second;
        let ratios = format!(
            "{:.1} times a plain loop, {:.2} and {:.2} times sgemm",
            figures.times_plain_loop, figures.times_sgemm[0], figures.times_sgemm[1]
        );
        (
            format!("{}, one thread and {}", figures.work, figures.threads),
            format!("{one:.1}, {all:.1}; {ratios}"),
        )
    }));
    text += "\n\n other projects\n";
    text +=
        &table::pairs(figures.peers.iter().map(|p| (format!("{}, {}", p.work, p.who), ui::count(p.steps))));
    text + &speeds(figures)
}

/// What was timed, each beside something else.
fn speeds(figures: &Figures) -> String {
    let (vm, root, proofs) = (&figures.vm, &figures.root, &figures.proofs);
    let mut text = format!(
        "\n VM, {} steps of soft-float: {:.0} steps/us, qemu-mips {:.0}; ratio {:.2} ({:.2} to {:.2})\n",
        ui::count(vm.steps),
        vm.vm_steps_per_microsecond,
        vm.qemu_steps_per_microsecond,
        vm.ratio[1],
        vm.ratio[0],
        vm.ratio[2],
    );
    text += &format!(
        " memory root, one core: {:.0} MB/s of non-zero memory, {:.1} times tiny-keccak on its nodes; two cores: {:.2} \
         times one; 1 GiB: {:.2} s\n",
        root.megabytes_per_second, root.times_plain_hashing, root.two_cores, root.gibibyte_seconds,
    );
    let scale = &figures.scale;
    text += &format!(
        " {} of weights: read and hashed in {:.2} s, built in {:.2} s, {:.1} times that; most memory {}, {:.2} times the weights\n",
        ui::bytes(scale.weight_bytes),
        scale.read_and_hash_seconds,
        scale.build_seconds,
        scale.times_read_and_hash,
        ui::bytes(scale.peak_bytes),
        scale.peak_by_weights,
    );
    text + &format!(
        " proofs: {} per second at neighbouring steps; {} spread over {} steps take {:.2} times the plain run\n \
         contract: {} steps compared, the dearest takes {} gas\n",
        ui::count(proofs.neighbouring_per_second as u64),
        ui::count(proofs.spread_proofs),
        ui::count(proofs.spread_steps),
        proofs.spread_by_plain,
        ui::count(proofs.compared),
        ui::count(proofs.max_gas),
    )
}
