//! One instruction: from the cache, or anew.

use std::path::Path;

use super::builder::Builder;
use super::configure::{configure, pairs};
use super::expand::Expander;
use super::layer::Layer;
use super::progress::{Progress, StageName, Step};
use super::shared::{End, Turn};
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
        let copy = async { Ok(self.copy(stage, instruction, copying).await?) };
        let outcome = self.once(&key, step, copy).await?;
        stage.add(outcome.layer, told, outcome.created);
        Ok(())
    }

    async fn run_step(
        &self,
        stage: &mut Stage,
        instruction: &Instruction,
        step: &Step,
    ) -> Result<(), Failure> {
        // Whether it may be done counts for what the cache has, too.
        let host = self.host(instruction)?;
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
            &format!("{mounted}{}", self.limits()),
        ]);
        let run = self.run(stage, host, (&command, &mounts), step);
        let outcome = self.once(&key, step, Box::pin(run)).await?;
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
        let make = async {
            let layer = self.work_folder(stage, folder, user).await;
            Ok(layer.map_err(|error| instruction.error(error))?)
        };
        let outcome = self.once(&key, step, make).await?;
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

    /// What the build says of the containers of its commands: they may do something else with it. Empty where it says nothing.
    fn limits(&self) -> String {
        let host = &self.build.host;
        let limits = host.ulimits.iter().flatten().map(|limit| {
            let name = limit.name.as_deref().unwrap_or_default();
            format!("{name}={:?}:{:?}", limit.soft, limit.hard)
        });
        let hosts = host.extra_hosts.iter().flatten().cloned();
        let network = host.network_mode.iter().cloned();
        let memory = host.shm_size.iter().map(i64::to_string);
        let all = limits.chain(hosts).chain(network).chain(memory);
        all.fold(String::new(), |all, one| all + "\0" + &one)
    }

    /// What comes of a step: known from before, from another build that does the same just now, or by doing the work.
    async fn once(
        &self,
        key: &str,
        step: &Step,
        work: impl Future<Output = Result<Layer, Failure>>,
    ) -> Result<Outcome, Failure> {
        let doing = loop {
            if let Some(outcome) = self.known(key, step) {
                return Ok(outcome);
            }
            let waiting = match self.engine.steps.turn(key) {
                Turn::Own(doing) => break Some(doing),
                Turn::Other(waiting) => waiting,
            };
            let end = tokio::select! {
                end = waiting.end() => end,
                () = self.canceled.cancelled() => End::Abandoned,
            };
            self.check_canceled()?;
            match end {
                // Without the cache too: it was done while this build went on.
                End::Done => {
                    if let Some(outcome) = self.taken_over(key, step) {
                        return Ok(outcome);
                    }
                }
                End::Failed => break None,
                End::Abandoned => {}
            }
        };
        // It may have been done since the cache was asked.
        if let Some(outcome) = self.known(key, step) {
            return Ok(outcome);
        }
        let done = match work.await {
            Ok(layer) => self.remember(key, layer).map_err(Failure::from),
            Err(failure) => Err(failure),
        };
        let end = match &done {
            Ok(_) => End::Done,
            // The command was ended, or there was no reason to wait for it any more.
            Err(_) if self.canceled.is_cancelled() => End::Abandoned,
            Err(_) => End::Failed,
        };
        if let Some(doing) = doing {
            doing.end(end);
        }
        done
    }

    /// What came of a step before.
    fn known(&self, key: &str, step: &Step) -> Option<Outcome> {
        let is_uncached = |stage: &StageName| {
            let name = &self.plan.stages[stage.number].name;
            let mut uncached = self.build.uncached.iter();
            uncached.any(|other| other.eq_ignore_ascii_case(name))
        };
        if self.build.no_cache || step.stage.as_ref().is_some_and(is_uncached) {
            return None;
        }
        self.taken_over(key, step)
    }

    /// What the cache has of a step.
    fn taken_over(&self, key: &str, step: &Step) -> Option<Outcome> {
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
