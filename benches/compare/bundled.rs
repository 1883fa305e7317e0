//! The bundled engine under rcompose, beside dockerd under docker compose.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{
    CreateContainerOptions, RemoveContainerOptionsBuilder, StartContainerOptions,
};
use tokio::runtime::Builder;

use crate::Error;
use crate::compose_files;
use crate::engine::{Engine, IMAGE, connect};
use crate::measure::measure;
use crate::options::Options;
use crate::report::{Report, Side, Target};
use crate::scenarios::{record, tools, turns};
use crate::tool::Tool;

/// Services of the large project.
const MANY: usize = 50;
/// Services of the chain of health checks.
const CHAIN: usize = 10;
/// How often one container is made on each engine.
const SINGLE_REPETITIONS: usize = 15;
/// How long the bundled engine may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// What the kernel still takes apart of the tool that was measured before (namespaces, links) is not to count for the next.
const SETTLE: Duration = Duration::from_secs(1);

/// An engine of this run, with its own folders.
pub(crate) struct Bundled {
    process: Child,
    /// Path of its socket.
    pub(crate) socket: PathBuf,
}

impl Bundled {
    /// Starts it with its folders in `folder`.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) fn start(rcompose: &Path, folder: &Path) -> Result<Self, Error> {
        let socket = folder.join("bundled.sock");
        let process = Command::new(rcompose)
            .args(["engine", "serve", "--socket"])
            .arg(&socket)
            .arg("--root")
            .arg(folder.join("bundled"))
            .arg("--run")
            .arg(folder.join("bundled-run"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        let bundled = Self { process, socket };
        let start = Instant::now();
        while std::os::unix::net::UnixStream::connect(&bundled.socket).is_err() {
            if start.elapsed() > PATIENCE {
                return Err("the bundled engine does not answer".into());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(bundled)
    }
}

impl Drop for Bundled {
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(self.process.id() as i32);
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = self.process.wait();
    }
}

/// Measures rcompose with its engine beside docker compose with the engine of `--engine`.
///
/// # Errors
/// When an engine does not start, or does not take the image.
pub(crate) fn beside_docker(
    options: &Options,
    socket: &Path,
    folder: &Path,
    report: &mut Report,
) -> Result<(), Error> {
    let bundled = Bundled::start(&options.rcompose, folder)?;
    Engine::prepare(&bundled.socket, folder)?;
    let bench = Bench {
        tools: tools(options),
        sockets: [socket.to_owned(), bundled.socket.clone()],
        folder,
        repetitions: options.repetitions,
    };
    bench.single(report)?;
    bench.many(report)?;
    bench.chain(report)
}

struct Bench<'a> {
    tools: [(Side, Tool); 2],
    /// Of the reference's engine, and of ours.
    sockets: [PathBuf; 2],
    folder: &'a Path,
    repetitions: usize,
}

impl Bench<'_> {
    fn socket(&self, side: Side) -> &Path {
        match side {
            Side::Reference => &self.sockets[0],
            Side::Ours => &self.sockets[1],
        }
    }

    /// One container with a network, through the API: from the request that creates it to the
    /// answer that it runs.
    fn single(&self, report: &mut Report) -> Result<(), Error> {
        const CASE: &str = "bundled: one container, create and start";
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let connect = |side| runtime.block_on(connect(self.socket(side)));
        let clients = [connect(Side::Reference)?, connect(Side::Ours)?];
        for round in 0..SINGLE_REPETITIONS {
            for (side, _) in turns(&self.tools, round) {
                let client = &clients[usize::from(*side == Side::Ours)];
                let seconds = runtime.block_on(one_container(client))?;
                report.add(CASE, "wall", *side, seconds);
            }
        }
        report.target(CASE, "wall", Target::Ratio(0.2));
        Ok(())
    }

    fn many(&self, report: &mut Report) -> Result<(), Error> {
        let (up, down) = (
            format!("bundled: up -d, {MANY} services"),
            format!("bundled: down, {MANY} services"),
        );
        let running = format!("bundled: engine with {MANY} containers");
        for round in 0..self.repetitions {
            let file = compose_files::plain(self.folder, MANY, round)?;
            for (side, tool) in turns(&self.tools, round) {
                self.step(tool, *side, &file, (&up, &["up", "-d"]), report);
                let memory = engine_memory(self.socket(*side));
                report.add(&running, "memory", *side, memory);
                self.step(tool, *side, &file, (&down, &["down", "-t", "0"]), report);
            }
        }
        report.target(&up, "wall", Target::Ratio(0.15));
        report.target(&down, "wall", Target::Ratio(0.15));
        report.target(&running, "memory", Target::Ratio(0.1));
        Ok(())
    }

    fn chain(&self, report: &mut Report) -> Result<(), Error> {
        let up = format!("bundled: up -d, chain of {CHAIN}");
        let down = format!("bundled: down, chain of {CHAIN}");
        for round in 0..self.repetitions {
            let file = compose_files::chain(self.folder, CHAIN, round)?;
            for (side, tool) in turns(&self.tools, round) {
                self.step(tool, *side, &file, (&up, &["up", "-d"]), report);
                self.step(tool, *side, &file, (&down, &["down", "-t", "0"]), report);
            }
        }
        report.target(&up, "wall", Target::Ratio(0.1));
        Ok(())
    }

    fn step(
        &self,
        tool: &Tool,
        side: Side,
        file: &Path,
        (case, arguments): (&str, &[&str]),
        report: &mut Report,
    ) {
        eprintln!("{case}: {}", tool.name);
        thread::sleep(SETTLE);
        let host = format!("unix://{}", self.socket(side).display());
        let command = tool.command(file, Some(&host), arguments);
        match measure(&command, &self.folder.join("output")) {
            Ok(usage) => record(report, case, side, usage),
            Err(error) => report.failed(format!("{case}: {error}")),
        }
    }
}

/// Seconds from asking for a container to its running.
async fn one_container(client: &Docker) -> Result<f64, Error> {
    let body = ContainerCreateBody {
        image: Some(IMAGE.to_owned()),
        cmd: Some(vec!["/bench".to_owned()]),
        ..ContainerCreateBody::default()
    };
    let start = Instant::now();
    let container = client
        .create_container(None::<CreateContainerOptions>, body)
        .await?;
    client
        .start_container(&container.id, None::<StartContainerOptions>)
        .await?;
    let seconds = start.elapsed().as_secs_f64();
    let options = RemoveContainerOptionsBuilder::new().force(true).build();
    client
        .remove_container(&container.id, Some(options))
        .await?;
    Ok(seconds)
}

/// MiB of all processes whose command line names the folder of an engine's socket: dockerd,
/// containerd and its shims, or the bundled engine and its shims. What several of them share
/// counts once (the kernel's proportional set size). Containers' own processes do not name it.
fn engine_memory(socket: &Path) -> f64 {
    let folder = socket.parent().unwrap_or(socket).display().to_string();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ours = processes.filter(|process| {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        let program = line.split('\0').next().unwrap_or_default();
        let name = program.rsplit('/').next().unwrap_or_default();
        let is_engine = ["dockerd", "containerd", "docker-proxy", "rcompose", "exe"]
            .iter()
            .any(|known| name.starts_with(known));
        is_engine && line.contains(&folder)
    });
    let kibibytes = ours.filter_map(|process| {
        let text = fs::read_to_string(process.path().join("smaps_rollup")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
        line.trim().trim_end_matches(" kB").parse::<f64>().ok()
    });
    kibibytes.sum::<f64>() / 1024.0
}
