//! Builds of images: docker compose on BuildKit beside rcompose on the same BuildKit, and beside rcompose on its bundled engine.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use bollard::query_parameters::{PruneBuildOptionsBuilder, RemoveImageOptionsBuilder};
use tokio::runtime::Builder;

use crate::Error;
use crate::bundled::Bundled;
use crate::engine::{Engine, IMAGE, connect};
use crate::measure::{Usage, measure};
use crate::options::Options;
use crate::report::{Report, Side, Target};
use crate::scenarios::{record, tools};
use crate::tool::Tool;

/// Files of the contexts that are built.
const CONTEXTS: [(&str, usize); 2] = [("20 files", 20), ("10,000 files", 10_000)];

/// Files in one folder of a context.
const FOLDER: usize = 100;

/// One way of building.
struct Way {
    tool: Tool,
    socket: PathBuf,
}

/// Measures builds.
///
/// # Errors
/// When an engine does not start, or does not take the image.
pub(crate) fn builds(
    options: &Options,
    socket: &Path,
    folder: &Path,
    report: &mut Report,
) -> Result<(), Error> {
    let bundled = Bundled::start(&options.rcompose, folder)?;
    Engine::prepare(&bundled.socket, folder)?;
    let [(_, reference), (_, ours)] = tools(options);
    let on_bundled = Tool {
        name: "bundled",
        program: options.rcompose.clone(),
    };
    let way = |tool, socket: &Path| Way {
        tool,
        socket: socket.to_owned(),
    };
    let ways = [
        way(reference, socket),
        way(ours, socket),
        way(on_bundled, &bundled.socket),
    ];
    for (name, count) in CONTEXTS {
        let mut measured = [const { Vec::new() }; 3];
        for round in 0..options.repetitions {
            // They take turns in going first.
            for turn in 0..ways.len() {
                let index = (turn + round) % ways.len();
                let way = &ways[index];
                let project = Project::write(folder, way.tool.name, count, round)?;
                measured[index].push(way.measure(&project, folder)?);
            }
        }
        tell(name, &measured, report);
    }
    Ok(())
}

/// Cold, warm, and with one file changed.
type Cases = [Usage; 3];

const CASES: [(&str, f64); 3] = [
    ("cold", 1.0),
    ("nothing changed", 0.5),
    ("a file changed", 1.0),
];

fn tell(context: &str, [reference, ours, bundled]: &[Vec<Cases>; 3], report: &mut Report) {
    for (engine, measured) in [("BuildKit", ours), ("bundled", bundled)] {
        for (index, (case, limit)) in CASES.iter().enumerate() {
            let case = format!("build, {engine}, {context}, {case}");
            for usages in reference {
                record(report, &case, Side::Reference, usages[index]);
            }
            for usages in measured {
                record(report, &case, Side::Ours, usages[index]);
            }
            report.target(&case, "wall", Target::Ratio(*limit));
        }
    }
}

/// A compose file with a context of its own, so that no way finds what another one left in a cache.
struct Project {
    file: PathBuf,
    /// What is changed.
    changing: PathBuf,
}

impl Project {
    fn write(folder: &Path, way: &str, count: usize, round: usize) -> Result<Self, Error> {
        let name = format!("{way}-{count}-{round}");
        let context = folder.join(&name);
        for index in 0..count {
            let place = context.join(format!("files/{}", index / FOLDER));
            if index % FOLDER == 0 {
                fs::create_dir_all(&place)?;
            }
            let mut text = String::new();
            for line in 0..=(index % 64) {
                writeln!(text, "{name}, file {index}, line {line}")?;
            }
            fs::write(place.join(format!("{index}.txt")), text)?;
        }
        let changing = context.join("main.txt");
        fs::write(&changing, &name)?;
        let dockerfile = format!(
            "FROM {IMAGE}\nENV ROUND={name}\nRUN [\"/bench\", \"one\"]\nCOPY files /files\n\
             RUN [\"/bench\", \"two\"]\nCOPY main.txt /main.txt\nRUN [\"/bench\", \"three\"]\nCMD [\"/bench\"]\n"
        );
        fs::write(context.join("Dockerfile"), dockerfile)?;
        let file = folder.join(format!("build-{name}.yaml"));
        fs::write(&file, format!("services: {{app: {{build: ./{name}}}}}\n"))?;
        Ok(Self { file, changing })
    }
}

impl Way {
    fn measure(&self, project: &Project, folder: &Path) -> Result<Cases, Error> {
        self.prune(project)?;
        let build = |case: &str| {
            eprintln!(
                "build, {}, {case}: {}",
                project.file.display(),
                self.tool.name
            );
            let host = format!("unix://{}", self.socket.display());
            let command = self.tool.command(&project.file, Some(&host), &["build"]);
            measure(&command, &folder.join("output"))
        };
        let cold = build("cold")?;
        let warm = build("nothing changed")?;
        fs::write(&project.changing, "changed")?;
        let changed = build("a file changed")?;
        self.prune(project)?;
        Ok([cold, warm, changed])
    }

    /// Takes the image and all caches of builds from the engine.
    fn prune(&self, project: &Project) -> Result<(), Error> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let docker = connect(&self.socket).await?;
            let image = format!("{}-app", self.tool.project(&project.file));
            let force = RemoveImageOptionsBuilder::new().force(true).build();
            // There is none before the first build.
            let _ = docker.remove_image(&image, Some(force), None).await;
            let all = PruneBuildOptionsBuilder::new().all(true).build();
            docker.prune_build(Some(all)).await?;
            Ok(())
        })
    }
}
