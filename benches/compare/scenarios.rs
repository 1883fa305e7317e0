//! What is measured.

use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::Error;
use crate::chain;
use crate::compose_files;
use crate::engine::Engine;
use crate::measure::{Usage, measure};
use crate::options::Options;
use crate::proxy::Proxy;
use crate::report::{Report, Side, Target};
use crate::tool::Tool;

const CONFIG_SIZES: [usize; 3] = [5, 50, 500];

/// The two tools.
pub(crate) fn tools(options: &Options) -> [(Side, Tool); 2] {
    let compose = Tool {
        name: "reference",
        program: options.compose.clone(),
    };
    let rcompose = Tool {
        name: "ours",
        program: options.rcompose.clone(),
    };
    [(Side::Reference, compose), (Side::Ours, rcompose)]
}

/// The tools in the order of one round: they take turns in going first.
pub(crate) fn turns(
    tools: &[(Side, Tool); 2],
    round: usize,
) -> impl Iterator<Item = &(Side, Tool)> {
    (0..2).map(move |index| &tools[(index + round) % 2])
}

/// `config` of several sizes.
pub(crate) fn config(options: &Options, folder: &Path, report: &mut Report) -> Result<(), Error> {
    let tools = tools(options);
    for size in CONFIG_SIZES {
        let file = compose_files::realistic(folder, size)?;
        let case = format!("config, {size} services");
        for round in 0..options.config_repetitions {
            for (side, tool) in turns(&tools, round) {
                let command = tool.command(&file, None, &["config"]);
                let usage = measure(&command, &folder.join("output"))?;
                record(report, &case, *side, usage);
            }
        }
        report.target(&case, "wall", Target::Ratio(0.1));
        report.target(&case, "cpu", Target::Ratio(0.15));
        report.target(&case, "memory", Target::Ratio(0.2));
    }
    Ok(())
}

/// Adds what one command used.
pub(crate) fn record(report: &mut Report, case: &str, side: Side, usage: Usage) {
    report.add(case, "wall", side, usage.wall);
    report.add(case, "cpu", side, usage.cpu);
    report.add(case, "memory", side, usage.memory);
}

/// Everything that needs an engine.
pub(crate) fn on_engine(
    options: &Options,
    folder: &Path,
    engine: &Engine,
    report: &mut Report,
) -> Result<(), Error> {
    let proxy = Proxy::start(folder.join("proxy.sock"), &engine.socket)?;
    let bench = Bench {
        tools: tools(options),
        folder,
        engine,
        proxy,
        repetitions: options.repetitions,
    };
    for size in &options.sizes {
        bench.plain(*size, report)?;
    }
    if options.chain > 1 {
        bench.chain(options.chain, report)?;
    }
    Ok(())
}

struct Bench<'a> {
    tools: [(Side, Tool); 2],
    folder: &'a Path,
    engine: &'a Engine,
    proxy: Proxy,
    repetitions: usize,
}

impl Bench<'_> {
    fn plain(&self, size: usize, report: &mut Report) -> Result<(), Error> {
        let steps: [(&str, &[&str]); 4] = [
            ("up -d", &["up", "-d"]),
            ("up -d again", &["up", "-d"]),
            ("ps", &["ps"]),
            ("down", &["down", "-t", "0"]),
        ];
        let case = |step: &str| format!("{step}, {size} services");
        for round in 0..self.repetitions {
            let file = compose_files::plain(self.folder, size, round)?;
            for (side, tool) in turns(&self.tools, round) {
                for (step, arguments) in steps {
                    self.step(tool, *side, &file, (&case(step), arguments), report);
                }
            }
        }
        if size >= 50 {
            report.target(&case("up -d"), "wall", Target::Ratio(1.0));
        }
        for (step, _) in steps {
            common_targets(&case(step), report);
        }
        Ok(())
    }

    fn chain(&self, count: usize, report: &mut Report) -> Result<(), Error> {
        let case = |step: &str| format!("{step}, chain of {count} health checks");
        for round in 0..self.repetitions {
            let file = compose_files::chain(self.folder, count, round)?;
            for (side, tool) in turns(&self.tools, round) {
                self.engine.take_events();
                self.proxy.take_requests();
                let fresh = case("up -d");
                self.step(tool, *side, &file, (&fresh, &["up", "-d"]), report);
                // The last events may still be on their way.
                thread::sleep(Duration::from_millis(200));
                let requests = self.proxy.take_requests();
                let hops = chain::hops(
                    &tool.project(&file),
                    count,
                    &self.engine.take_events(),
                    &requests,
                );
                report.extend(&fresh, "health event to start request", *side, hops.request);
                report.extend(&fresh, "health event to started", *side, hops.started);
                let again: (&str, &[&str]) = (&case("up -d again"), &["up", "-d"]);
                self.step(tool, *side, &file, again, report);
                let down: (&str, &[&str]) = (&case("down"), &["down", "-t", "0"]);
                self.step(tool, *side, &file, down, report);
            }
        }
        report.target(
            &case("up -d"),
            "health event to start request",
            Target::Seconds(0.030),
        );
        report.target(&case("up -d again"), "wall", Target::Ratio(0.05));
        for step in ["up -d", "up -d again", "down"] {
            common_targets(&case(step), report);
        }
        Ok(())
    }

    /// Measures one command. One that fails goes into the report, and the next is tried: an
    /// engine may lose a network's endpoint and never get over it.
    fn step(
        &self,
        tool: &Tool,
        side: Side,
        file: &Path,
        (case, arguments): (&str, &[&str]),
        report: &mut Report,
    ) {
        eprintln!("{case}: {}", tool.name);
        let before = self.proxy.seen();
        let command = tool.command(file, Some(&self.proxy.host()), arguments);
        match measure(&command, &self.folder.join("output")) {
            Ok(usage) => {
                record(report, case, side, usage);
                let requests = self.proxy.seen() - before;
                report.add(case, "requests", side, requests as f64);
            }
            Err(error) => report.failed(format!("{case}: {error}")),
        }
    }
}

fn common_targets(case: &str, report: &mut Report) {
    report.target(case, "memory", Target::Ratio(0.25));
    report.target(case, "requests", Target::Ratio(1.0));
}
