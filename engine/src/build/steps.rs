//! One instruction: from the cache, or anew.

use std::path::Path;

use super::builder::Builder;
use super::configure::{configure, pairs};
use super::expand::Expander;
use super::layer::Layer;
use super::progress::{Progress, Step};
use super::stage::Stage;
use super::stages::arguments;
use super::{Failure, Instruction, run_mounts, running};
use crate::image::{Document, digest};
use crate::{Error, Result, image, time};

/// What came of a step that may change files, and when.
pub(super) struct Outcome {
    layer: Layer,
    created: String,
}

impl Builder<'_> {
    /// Does one instruction: takes over what came of it before, if that is known.
    ///
    /// # Errors
    /// What the instruction has wrong, and what keeps it from being done.
    pub(super) async fn step(
        &self,
        stage: &mut Stage,
        instruction: &Instruction,
        step: &Step,
    ) -> Result<(), Failure> {
        self.check_canceled()?;
        match instruction.name.as_str() {
            "ARG" => Ok(self.argument(stage, instruction)?),
            "COPY" | "ADD" => self.copy_step(stage, instruction, step).await,
            "RUN" => self.run_step(stage, instruction, step).await,
            _ => self.configure_step(stage, instruction, step).await,
        }
    }

    async fn copy_step(
        &self,
        stage: &mut Stage,
        instruction: &Instruction,
        step: &Step,
    ) -> Result<(), Failure> {
        let copying = self.copying(stage, instruction, step).await?;
        let told = copying.told();
        let key = self.copy_key(stage, &copying, instruction).await?;
        let outcome = if let Some(outcome) = self.known(&key, step) {
            outcome
        } else {
            let layer = self.copy(stage, instruction, copying).await?;
            self.remember(&key, layer)?
        };
        stage.add(outcome.layer, told, outcome.created);
        Ok(())
    }

    async fn run_step(
        &self,
        stage: &mut Stage,
        instruction: &Instruction,
        step: &Step,
    ) -> Result<(), Failure> {
        let command = running::command(stage, instruction)?;
        let told = stage.told_command(&command.words);
        let mounts = run_mounts::read(stage, instruction)?;
        let mounted = self.mounts_digest(&mounts, step).await;
        let mounted = mounted.map_err(|error| instruction.error(error))?;
        let config = stage.document.config();
        let environment = [config.env.unwrap_or_default(), stage.arguments()].concat();
        let key = self.key(&[
            "RUN",
            &stage.document.rootfs.diff_ids.join(" "),
            &command.words.join("\0"),
            &command.script,
            &environment.join("\0"),
            config.user.as_deref().unwrap_or_default(),
            config.working_dir.as_deref().unwrap_or_default(),
            instruction.flag("network").unwrap_or_default(),
            instruction.flag("security").unwrap_or_default(),
            &mounted,
        ]);
        let outcome = if let Some(outcome) = self.known(&key, step) {
            outcome
        } else {
            let layer = self.run(stage, instruction, (&command, &mounts), step);
            let layer = Box::pin(layer).await?;
            self.remember(&key, layer)?
        };
        stage.add(
            outcome.layer,
            format!("RUN {told} # buildkit"),
            outcome.created,
        );
        Ok(())
    }

    async fn configure_step(
        &self,
        stage: &mut Stage,
        instruction: &Instruction,
        step: &Step,
    ) -> Result<(), Failure> {
        let told = changed(stage, instruction)?;
        let name = instruction.name.as_str();
        if name != "WORKDIR" {
            if !told.is_empty() {
                stage.note(told);
            }
            stage.base = None;
            return Ok(());
        }
        let config = stage.document.config();
        let folder = config.working_dir.unwrap_or_default();
        if folder == "/" {
            stage.note(told);
            return Ok(());
        }
        let user = config.user.unwrap_or_default();
        let layers = stage.document.rootfs.diff_ids.join(" ");
        let key = self.key(&["WORKDIR", &layers, &folder, &user]);
        let outcome = if let Some(outcome) = self.known(&key, step) {
            outcome
        } else {
            let layer = self.work_folder(stage, folder, user).await;
            self.remember(&key, layer.map_err(|error| instruction.error(error))?)?
        };
        stage.add(outcome.layer, told, outcome.created);
        Ok(())
    }

    /// Makes the working folder, which the image's user gets.
    async fn work_folder(&self, stage: &Stage, folder: String, user: String) -> Result<Layer> {
        self.layer(stage, move |root| {
            let owner = match user.as_str() {
                "" => (0, 0),
                user => super::owner::owner(root, user)?,
            };
            root.make_folders(Path::new(&folder), owner)
                .map(drop)
                .map_err(|error| error.to_string())
        })
        .await
    }

    /// The key of a step in the cache: of everything that what comes of it depends on.
    pub(super) fn key(&self, parts: &[&str]) -> String {
        let epoch = self.epoch.map(|epoch| epoch.to_string());
        let parts = parts.join("\n\0");
        let digest = digest(format!("{}\n\0{parts}", epoch.unwrap_or_default()).as_bytes());
        digest.strip_prefix("sha256:").unwrap_or(&digest).to_owned()
    }

    /// What came of a step before.
    pub(super) fn known(&self, key: &str, step: &Step) -> Option<Outcome> {
        if self.build.no_cache {
            return None;
        }
        let known = self.engine.images.cached(key, &self.lease)?;
        let layer = known.layers.into_iter().next()?;
        let diff_id = known.document.rootfs.diff_ids.into_iter().next()?;
        self.tell(Progress::Cached(step));
        Some(Outcome {
            layer: (layer, diff_id),
            created: known.document.created.unwrap_or_else(time::now),
        })
    }

    fn remember(&self, key: &str, layer: Layer) -> Result<Outcome> {
        let created = time::now();
        let mut document = Document {
            created: Some(created.clone()),
            ..Document::default()
        };
        document.rootfs.diff_ids.push(layer.1.clone());
        let layers = vec![layer.0.clone()];
        let step = image::Step { document, layers };
        self.engine.images.remember(key, step)?;
        Ok(Outcome { layer, created })
    }

    fn argument(&self, stage: &mut Stage, instruction: &Instruction) -> Result<()> {
        let mut told = Vec::new();
        let mut declared = Vec::new();
        {
            let variables = stage.variables();
            let lookup = |name: &str| variables.get(name).cloned();
            for (name, default) in arguments(instruction, &lookup)? {
                let given = self.build.args.get(&name).cloned().flatten();
                let value = given
                    .or(default)
                    .or_else(|| self.plan.args.get(&name).cloned());
                let equals = value.as_ref().map(|value| format!("={value}"));
                told.push(format!("{name}{}", equals.unwrap_or_default()));
                declared.push((name, value));
            }
        }
        for (name, value) in declared {
            stage.declare(&name, value);
        }
        stage.note(format!("ARG {}", told.join(" ")));
        Ok(())
    }
}

/// Changes the configuration; answers how history tells it.
fn changed(stage: &mut Stage, instruction: &Instruction) -> Result<String> {
    let variables = stage.variables();
    let lookup = |name: &str| variables.get(name).cloned();
    let mut config = stage.document.config();
    let told = configure(&mut config, instruction, &lookup)?;
    let name = instruction.name.as_str();
    let told = told.ok_or_else(|| Error::not_supported(format!("the instruction {name}")))?;
    match name {
        "CMD" => {
            stage.has_command = true;
            config.args_escaped = Some(true);
        }
        "ENTRYPOINT" if !stage.has_command => config.cmd = None,
        "ENV" => {
            let expander = Expander::new(instruction.escape, &lookup);
            let pairs = pairs(&instruction.rest, expander);
            let pairs = pairs.map_err(|error| instruction.error(error))?;
            stage.hide_arguments(pairs.into_iter().map(|(name, _)| name));
        }
        "MAINTAINER" => stage.document.author = Some(instruction.rest.clone()),
        _ => {}
    }
    stage.document.config = Some(config);
    Ok(told)
}
