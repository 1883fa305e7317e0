//! The stages of a build one by one, each instruction from the cache or anew.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::fs::OFlags;

use super::configure::configure;
use super::progress::{Progress, Sink, StageName, Step as Shown};
use super::stage::{Stage, no_operation};
use super::stages::{Plan, Planned, arguments, given};
use super::{Build, Failure, Instruction, Source, hidden, parse, run_mounts, running};
use crate::archive::Root;
use crate::engine::Engine;
use crate::image::{self, Credentials, Document, Image, Lease, Reference, Step, digest};
use crate::{Error, Result};

/// A build that goes on.
pub(super) struct Builder<'a> {
    pub(super) engine: &'a Arc<Engine>,
    pub(super) build: &'a Build,
    pub(super) plan: &'a Plan,
    pub(super) sink: Sink<'a>,
    /// Keeps what is made until an image has it.
    pub(super) lease: Arc<Lease>,
    /// The stages that are done; none for one that is not needed.
    pub(super) stages: Vec<Option<Stage>>,
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
    let plan = plan(build, &source.text).map_err(located)?;
    let mut builder = Builder {
        engine,
        build,
        plan: &plan,
        sink,
        lease: Arc::new(engine.images.lease()),
        stages: Vec::new(),
        next_step: AtomicUsize::new(0),
    };
    builder.all().await.map_err(located)
}

fn plan(build: &Build, text: &str) -> Result<Plan, Failure> {
    let instructions = parse(text)?;
    if instructions.is_empty() {
        let message = "the Dockerfile (Dockerfile) cannot be empty";
        return Err(Error::bad_request(message).into());
    }
    Ok(Plan::new(instructions, build)?)
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
    hidden::hide(&root, name)
        .map_err(|error| Error::bad_request(format!(".dockerignore: {error}")))?;
    Ok(Source {
        name: name.to_owned(),
        text,
    })
}

impl Builder<'_> {
    async fn all(&mut self) -> Result<String, Failure> {
        let plan = self.plan;
        for (number, instruction) in plan.globals.iter().enumerate() {
            let step = self.shown(instruction, Some(number + 1));
            self.tell(Progress::StepStarted(&step));
        }
        for (number, planned) in plan.stages.iter().enumerate() {
            let stage = if planned.is_needed {
                Some(self.stage(number, planned).await?)
            } else {
                None
            };
            self.tell(Progress::StageDone(number));
            self.stages.push(stage);
        }
        Ok(self.finish()?)
    }

    pub(super) fn tell(&self, progress: Progress<'_>) {
        (self.sink)(progress);
    }

    /// An instruction as it is shown, of no stage yet.
    fn shown(&self, instruction: &Instruction, number: Option<usize>) -> Shown {
        Shown {
            id: self.next_step.fetch_add(1, Ordering::Relaxed),
            number: number.map(|number| (number, self.plan.count())),
            text: instruction.text(),
            lines: instruction.lines,
            ..Shown::default()
        }
    }

    async fn stage(&mut self, number: usize, planned: &Planned) -> Result<Stage, Failure> {
        let mut first = self.plan.first_step(number);
        let name = StageName {
            number,
            shown: self.plan.shown_name(number),
        };
        let mut places = (1, planned.places());
        let mut shown = |builder: &Self, instruction: &Instruction, is_trigger: bool| {
            let mut step = builder.shown(instruction, (!is_trigger).then_some(first));
            first += usize::from(!is_trigger);
            if instruction.changes_files() {
                step.position = Some(places);
                places.0 += 1;
            }
            step.stage = Some(name.clone());
            step.is_trigger = is_trigger;
            step
        };
        let step = shown(self, &planned.from, false);
        self.tell(Progress::StepStarted(&step));
        let based = self.from(number, planned, &step).await;
        let mut stage = self.end(&step, based, |stage| stage.id())?;
        let triggers = stage
            .document
            .config
            .as_mut()
            .and_then(|config| config.on_build.take())
            .unwrap_or_default();
        if !triggers.is_empty() {
            stage.base = None;
            let count = triggers.len();
            let s = if count == 1 { "" } else { "s" };
            let text = format!("# Executing {count} build trigger{s}");
            self.tell(Progress::Message(&step, &text));
        }
        let triggers = parse(&triggers.join("\n")).map_err(|failure| Failure {
            lines: Some(planned.from.lines),
            ..failure
        })?;
        let triggers = triggers.iter().map(|trigger| (trigger, true));
        let steps = planned.steps.iter().map(|step| (step, false));
        for (instruction, is_trigger) in triggers.chain(steps) {
            let mut step = shown(self, instruction, is_trigger);
            if is_trigger {
                step.lines = planned.from.lines;
            }
            self.tell(Progress::StepStarted(&step));
            let done = self.step(&mut stage, instruction, &step).await;
            self.end(&step, done, |()| stage.id())?;
        }
        Ok(stage)
    }

    /// Tells how a step has ended, and locates its failure.
    fn end<T>(
        &self,
        step: &Shown,
        done: Result<T, Failure>,
        id: impl FnOnce(&T) -> Result<String>,
    ) -> Result<T, Failure> {
        match done {
            Ok(done) => {
                self.tell(Progress::StepDone(step, &id(&done)?));
                Ok(done)
            }
            Err(mut failure) => {
                failure.lines.get_or_insert(step.lines);
                self.tell(Progress::StepFailed(step, &failure.error.message));
                Err(failure)
            }
        }
    }

    /// What a stage begins with.
    async fn from(&self, number: usize, planned: &Planned, step: &Shown) -> Result<Stage, Failure> {
        if planned.base == "scratch" {
            let document = Document {
                created: None,
                ..Document::new()
            };
            return Ok(Stage {
                document,
                ..Stage::default()
            });
        }
        let base = self
            .plan
            .base(number)
            .and_then(|base| self.stages.get(base));
        if let Some(Some(base)) = base {
            return Ok(Stage {
                args: HashMap::default(),
                has_command: false,
                ..base.clone()
            });
        }
        let image = self.image(&planned.base, step).await?;
        let mut document = (*image.document).clone();
        document.config = Some(document.config());
        let layers = self.engine.images.layer_descriptors(&image.id);
        // Nobody may remove them while something is made on top.
        let blobs = layers.iter().map(|layer| &layer.digest);
        for digest in blobs.chain(&document.rootfs.diff_ids) {
            self.lease.take(digest);
        }
        Ok(Stage {
            document,
            layers,
            base: Some(image.id),
            ..Stage::default()
        })
    }

    /// An image of this engine, or of a registry.
    async fn image(&self, name: &str, step: &Shown) -> Result<Image> {
        let found = self.engine.images.resolve(name);
        match found {
            Ok(image) if !self.build.pull => return Ok(image),
            Err(error) if error.status != 404 => return Err(error),
            _ => {}
        }
        let reference = Reference::parse(name)?.tagged();
        self.pull(&reference, step).await?;
        self.engine.images.resolve(name)
    }

    async fn pull(&self, reference: &Reference, step: &Shown) -> Result<()> {
        let auth = self.build.auth.get(&reference.registry);
        let credentials = Credentials::parse(auth.map(String::as_bytes).unwrap_or_default())?;
        let (sender, mut told) = tokio::sync::mpsc::unbounded_channel();
        let tell = Arc::new(move |value| drop(sender.send(value)));
        let pulling = image::pull(self.engine, reference, credentials, tell);
        let showing = async {
            while let Some(value) = told.recv().await {
                let value: serde_json::Value = value;
                if let Some(status) = value["status"].as_str().filter(|_| value["id"].is_null()) {
                    self.tell(Progress::Message(step, status));
                }
            }
        };
        tokio::join!(pulling, showing).0
    }

    /// One instruction: what came of it before, if that is known, or what comes of it now.
    async fn step(
        &self,
        stage: &mut Stage,
        instruction: &Instruction,
        step: &Shown,
    ) -> Result<(), Failure> {
        if instruction.name == "ARG" {
            self.argument(stage, instruction)?;
        }
        let parent = stage.id()?;
        let said = match instruction.name.as_str() {
            "COPY" | "ADD" => {
                let copying = self.copying(stage, instruction)?;
                let source = self.source_digest(&copying, instruction).await?;
                let key = key(&[&parent, &instruction.name, &source]);
                if self.known(stage, &key) {
                    true
                } else {
                    let layer = self.copy(stage, instruction, copying).await?;
                    stage.add(layer, no_operation(instruction));
                    self.remember(stage, &key)?;
                    false
                }
            }
            "RUN" => {
                instruction.check_flags(&["mount", "network"])?;
                let command = running::command(stage, instruction)?;
                let created_by = running::created_by(stage, &command);
                let mounts = run_mounts::read(stage, instruction)?;
                let mounted = self.mounts_digest(&mounts).await;
                let mounted = mounted.map_err(|error| instruction.error(error))?;
                let key = key(&[&parent, "RUN", &created_by, &mounted]);
                if self.known(stage, &key) {
                    true
                } else {
                    let layer = Box::pin(self.run(stage, instruction, &mounts, step)).await?;
                    stage.add(layer, created_by);
                    self.remember(stage, &key)?;
                    false
                }
            }
            _ => {
                let config = configured(stage, instruction)?;
                let text = config.to_string();
                let key = key(&[&parent, &instruction.text(), &text]);
                if self.known(stage, &key) {
                    true
                } else {
                    self.configure(stage, instruction, config).await?;
                    self.remember(stage, &key)?;
                    false
                }
            }
        };
        if said {
            self.tell(Progress::Cached(step));
        }
        if instruction.name == "CMD" {
            stage.has_command = true;
        }
        Ok(())
    }

    /// Takes over what came of a step before.
    fn known(&self, stage: &mut Stage, key: &str) -> bool {
        if self.build.no_cache {
            return false;
        }
        let Some(step) = self.engine.images.cached(key, &self.lease) else {
            return false;
        };
        stage.document = step.document;
        stage.layers = step.layers;
        stage.base = None;
        true
    }

    fn remember(&self, stage: &Stage, key: &str) -> Result<()> {
        let step = Step {
            document: stage.document.clone(),
            layers: stage.layers.clone(),
        };
        self.engine.images.remember(key, step)
    }

    fn argument(&self, stage: &mut Stage, instruction: &Instruction) -> Result<()> {
        let variables = stage.variables();
        for (name, default) in arguments(instruction, &|name| variables.get(name).cloned())? {
            let value = given(self.build, &name)
                .or(default)
                .or_else(|| self.plan.args.get(&name).cloned());
            if let Some(value) = value {
                stage.args.insert(name, value);
            }
        }
        Ok(())
    }

    async fn configure(
        &self,
        stage: &mut Stage,
        instruction: &Instruction,
        config: serde_json::Value,
    ) -> Result<()> {
        let config: bollard_stubs::models::ImageConfig =
            serde_json::from_value(config).map_err(Error::internal)?;
        let folder = config.working_dir.clone().unwrap_or_default();
        stage.document.config = Some(config);
        if instruction.name == "MAINTAINER" {
            stage.document.author = Some(instruction.rest.clone());
        }
        if instruction.name != "WORKDIR" {
            stage.note(instruction);
            return Ok(());
        }
        let layer = self
            .layer(stage, move |root| {
                root.make_folders(Path::new(&folder), (0, 0))
                    .map(|_| ())
                    .map_err(|error| error.to_string())
            })
            .await
            .map_err(|error| instruction.error(error))?;
        stage.add(layer, no_operation(instruction));
        Ok(())
    }

    /// Makes the image of the last stage.
    fn finish(&mut self) -> Result<String> {
        let stage = self.stages.pop().flatten();
        let mut stage = stage.ok_or_else(|| Error::internal("the target stage was not built"))?;
        stage.label(&self.build.labels);
        let names: Vec<String> = self.build.tags.iter().map(Reference::to_string).collect();
        let images = &self.engine.images;
        let id = match stage.base {
            Some(id) => {
                for name in &names {
                    images.tag(&id, name)?;
                }
                id
            }
            None => images.make(&stage.document, stage.layers, &names, &self.lease)?,
        };
        self.tell(Progress::Built(&id));
        for tag in &self.build.tags {
            self.tell(Progress::Tagged(&tag.familiar()));
        }
        Ok(id)
    }
}

/// The configuration after an instruction, as JSON whose keys are in order.
fn configured(stage: &Stage, instruction: &Instruction) -> Result<serde_json::Value> {
    let variables = stage.variables();
    let mut config = stage.document.config();
    let is_other = matches!(instruction.name.as_str(), "ARG" | "MAINTAINER");
    let lookup = |name: &str| variables.get(name).cloned();
    if !is_other && configure(&mut config, instruction, &lookup)?.is_none() {
        let name = &instruction.name;
        return Err(Error::not_supported(format!("the instruction {name}")));
    }
    if instruction.name == "ENTRYPOINT" && !stage.has_command {
        config.cmd = None;
    }
    let mut value = serde_json::to_value(config).map_err(Error::internal)?;
    value.sort_all_objects();
    Ok(value)
}

/// The key of a step in the cache: of the image before it and what it does.
fn key(parts: &[&str]) -> String {
    let digest = digest(parts.join("\n").as_bytes());
    digest.strip_prefix("sha256:").unwrap_or(&digest).to_owned()
}
