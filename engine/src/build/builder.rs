//! A build: its Dockerfile read, its stages built, an image made of the last.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use rustix::fs::OFlags;
use tokio_util::sync::CancellationToken;

use super::progress::{Progress, Sink, Step};
use super::stage::Stage;
use super::stages::Plan;
use super::{Build, Failure, Instruction, Source, hidden, parse};
use crate::archive::Root;
use crate::engine::Engine;
use crate::image::{Lease, Reference};
use crate::{Error, Result};

/// The argument that gives files and images a time: seconds since 1970.
const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// A build that goes on.
pub(super) struct Builder<'a> {
    pub(super) engine: &'a Arc<Engine>,
    pub(super) build: &'a Build,
    pub(super) plan: &'a Plan,
    sink: Sink<'a>,
    /// Keeps what is made until an image has it.
    pub(super) lease: Arc<Lease>,
    /// The stages that are done.
    pub(super) stages: Vec<OnceLock<Stage>>,
    /// Ends commands that run: the build has failed, or nobody wants it any more.
    pub(super) canceled: CancellationToken,
    /// No file that is copied or written, and no new image, is younger; seconds since 1970.
    pub(super) epoch: Option<i64>,
    /// The id of the next step that begins.
    next_step: AtomicUsize,
}

/// Builds an image; answers its id.
///
/// # Errors
/// 400 for what the Dockerfile has wrong, 501 for what is not supported, by name.
pub(crate) async fn build(
    engine: &Arc<Engine>,
    build: &Build,
    sink: Sink<'_>,
) -> Result<String, Failure> {
    let source = Arc::new(dockerfile(build)?);
    let located = |failure: Failure| Failure {
        source: Some(Arc::clone(&source)),
        ..failure
    };
    let plan = plan(engine, build, &source.text).map_err(located)?;
    let builder = Builder {
        engine,
        build,
        plan: &plan,
        sink,
        lease: Arc::new(engine.images.lease()),
        stages: plan.stages.iter().map(|_| OnceLock::new()).collect(),
        canceled: build.canceled.child_token(),
        epoch: epoch(build, &plan)?,
        next_step: AtomicUsize::new(0),
    };
    builder.all().await.map_err(located)
}

fn plan(engine: &Engine, build: &Build, text: &str) -> Result<Plan, Failure> {
    let instructions = parse(text)?;
    if instructions.is_empty() {
        let message = "the Dockerfile (Dockerfile) cannot be empty";
        return Err(Error::bad_request(message).into());
    }
    // What a base triggers may need other stages. Of one that is still to be pulled it is not
    // known.
    let triggers = |base: &str| {
        let image = engine.images.resolve(base).ok()?;
        let triggers = image.document.config.as_ref()?.on_build.clone()?;
        parse(&triggers.join("\n")).ok()
    };
    Plan::new(instructions, build, &triggers)
}

/// The time of `SOURCE_DATE_EPOCH`: the client's, or the Dockerfile's own.
fn epoch(build: &Build, plan: &Plan) -> Result<Option<i64>> {
    let given = build.args.get(EPOCH).cloned().flatten();
    let text = given.or_else(|| plan.args.get(EPOCH).cloned());
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let wrong = |_| {
        Error::bad_request(format!(
            "invalid {EPOCH} {text:?}: it must be seconds since 1970"
        ))
    };
    text.parse().map(Some).map_err(wrong)
}

fn dockerfile(build: &Build) -> Result<Source> {
    let name = match build.dockerfile.as_str() {
        "" => "Dockerfile",
        name => name,
    };
    let missing = |error: io::Error| {
        let message = match error.kind() {
            io::ErrorKind::NotFound => {
                format!("Cannot locate specified Dockerfile: {name}")
            }
            _ => format!("failed to read dockerfile: open {name}: {error}"),
        };
        Error::bad_request(message)
    };
    let root = Root::open(&build.context).map_err(missing)?;
    let file = root
        .open_at(Path::new(name), OFlags::RDONLY | OFlags::NONBLOCK)
        .map_err(missing)?;
    let text = io::read_to_string(fs::File::from(file)).map_err(missing)?;
    let is_missing = hidden::hide(&root, name)
        .map_err(|error| Error::bad_request(format!(".dockerignore: {error}")))?;
    if is_missing {
        build.digests.miss();
    }
    Ok(Source {
        name: name.to_owned(),
        text,
    })
}

impl Builder<'_> {
    async fn all(&self) -> Result<String, Failure> {
        for (number, instruction) in self.plan.globals.iter().enumerate() {
            let step = self.shown(instruction, Some(number + 1));
            self.tell(Progress::StepStarted(&step));
        }
        self.build_stages().await?;
        Ok(self.finish()?)
    }

    pub(super) fn tell(&self, progress: Progress<'_>) {
        (self.sink)(progress);
    }

    /// An instruction as it is shown, of no stage yet.
    pub(super) fn shown(&self, instruction: &Instruction, number: Option<usize>) -> Step {
        Step {
            id: self.next_step.fetch_add(1, Ordering::Relaxed),
            number: number.map(|number| (number, self.plan.count())),
            text: instruction.text(),
            lines: instruction.lines,
            ..Step::default()
        }
    }

    /// A stage that is done.
    pub(super) fn done(&self, number: usize) -> Option<&Stage> {
        self.stages.get(number)?.get()
    }

    /// Makes the image of the last stage.
    fn finish(&self) -> Result<String> {
        let stage = self.stages.last().and_then(OnceLock::get);
        let stage = stage.ok_or_else(|| Error::internal("the target stage was not built"))?;
        let mut stage = stage.clone();
        stage.label(&self.build.labels);
        let names: Vec<String> = self.build.tags.iter().map(Reference::to_string).collect();
        let images = &self.engine.images;
        let id = if let Some(id) = &stage.base {
            for name in &names {
                images.tag(id, name)?;
            }
            id.clone()
        } else {
            stage.date(self.epoch)?;
            images.make(&stage.document, stage.layers, &names, &self.lease)?
        };
        self.tell(Progress::Built(&id));
        for tag in &self.build.tags {
            self.tell(Progress::Tagged(&tag.familiar()));
        }
        Ok(id)
    }
}
