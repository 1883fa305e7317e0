//! `RUN`: a command in a container of the stage.

use std::sync::Arc;

use bollard_stubs::models::{ContainerCreateBody, HealthConfig, HostConfig, HostConfigLogConfig};

use super::builder::Builder;
use super::configure::{shell, words_or_text};
use super::layer::Layer;
use super::progress::{Progress, Step};
use super::run_mounts::{self, Mounted, RunMount};
use super::stage::Stage;
use super::{Failure, Instruction};
use crate::container::remove::How;
use crate::container::{Handle, create, remove, start};
use crate::shim::AttachRequest;
use crate::{Error, Result};

/// A command as a container gets it.
#[derive(Debug)]
pub(super) struct Command {
    /// The program and its arguments.
    pub(super) words: Vec<String>,
    /// What is in the script that it executes; empty where that is none of the Dockerfile's.
    pub(super) script: String,
}

/// Where a script of the Dockerfile is that names its interpreter.
const SCRIPTS: &str = "/dev/pipes";

/// Arguments that every build knows: they are in no history and no reason to run a step again.
const PROXIES: &[&str] = &[
    "http_proxy",
    "https_proxy",
    "ftp_proxy",
    "no_proxy",
    "all_proxy",
];

impl Builder<'_> {
    /// Runs a command; what it has written, as a layer.
    ///
    /// # Errors
    /// 400 with the exit code in words when the command fails, and what keeps it from starting.
    pub(super) async fn run(
        &self,
        stage: &Stage,
        host: HostConfig,
        (command, mounts): (&Command, &[RunMount]),
        step: &Step,
    ) -> Result<Layer, Failure> {
        let mut mounted = self.mount_all(mounts, step).await?;
        let with = (host, &mut mounted);
        let run = Box::pin(self.run_with(stage, with, (command, mounts), step));
        let done = run.await;
        let unmounted = self.unmount_all(mounted).await;
        let layer = done?;
        unmounted?;
        Ok(layer)
    }

    async fn run_with(
        &self,
        stage: &Stage,
        (mut host, mounted): (HostConfig, &mut Mounted),
        (command, mounts): (&Command, &[RunMount]),
        step: &Step,
    ) -> Result<Layer, Failure> {
        if let Some(target) = command.words.last().filter(|_| !command.script.is_empty()) {
            self.mount_script(target, &command.script, mounted)?;
        }
        host.mounts = Some(mounted.mounts.clone());
        let environment = [self.proxies(), stage.arguments(), mounted.variables.clone()];
        let image =
            self.engine
                .images
                .intermediate(&stage.document, stage.layers.clone(), &self.lease)?;
        let body = ContainerCreateBody {
            image: Some(image.clone()),
            cmd: Some(command.words.clone()),
            // One empty word: not that of the image.
            entrypoint: Some(vec![String::new()]),
            env: Some(environment.concat()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            healthcheck: Some(HealthConfig {
                test: Some(vec!["NONE".to_owned()]),
                ..HealthConfig::default()
            }),
            host_config: Some(host),
            ..ContainerCreateBody::default()
        };
        let layers = &stage.document.rootfs.diff_ids;
        let done = self.run_in(body, layers, (command, mounts), step).await;
        self.engine.images.drop_intermediate(&image);
        done
    }

    async fn run_in(
        &self,
        body: ContainerCreateBody,
        layers: &[String],
        (command, mounts): (&Command, &[RunMount]),
        step: &Step,
    ) -> Result<Layer, Failure> {
        let handle = create::create(self.engine, None, body).await?;
        self.tell(Progress::Running(step, &handle.id));
        let layer = self
            .wait(&handle, layers, (&command.words, mounts, step))
            .await;
        let how = How {
            force: true,
            volumes: true,
        };
        remove::remove(self.engine, &handle, how).await?;
        let layer = layer?;
        self.tell(Progress::Removed(step, &handle.id));
        Ok(layer)
    }

    async fn wait(
        &self,
        handle: &Arc<Handle>,
        layers: &[String],
        (command, mounts, step): (&[String], &[RunMount], &Step),
    ) -> Result<Layer, Failure> {
        let link = handle.attach_later(AttachRequest {
            stdin: false,
            stdout: true,
            stderr: true,
        });
        start::start(self.engine, handle).await?;
        let ended = || Error::internal("the container ended before it could be watched");
        let mut output = link.await.map_err(|_| ended())?.session().output;
        loop {
            let frame = tokio::select! {
                frame = output.next() => frame?,
                () = self.canceled.cancelled() => None,
            };
            // Removing the container ends the command.
            self.check_canceled()?;
            let Some(frame) = frame else { break };
            if frame.exit_code().is_some() {
                break;
            }
            self.tell(Progress::Output(step, frame.stream, &frame.bytes));
        }
        let live = handle.until(|live| live.removed || !live.is_busy()).await;
        let code = live.record.state.exit_code;
        if code != 0 {
            let message = format!(
                "The command '{}' returned a non-zero code: {code}",
                command.join(" ")
            );
            return Err(Failure {
                code: Some(code),
                ..Error::bad_request(message).into()
            });
        }
        let images = &self.engine.images;
        run_mounts::remove_targets(&images.upper(&handle.id), mounts, |path| {
            images.is_in_layers(layers, path)
        });
        Ok(self.committed(&handle.id, true).await?)
    }

    /// Limits and network of the container.
    ///
    /// # Errors
    /// 400 for what the build is not allowed, and for what makes no sense.
    pub(super) fn host(&self, instruction: &Instruction) -> Result<HostConfig> {
        let mut host = self.build.host.clone();
        match instruction.flag("network") {
            None | Some("default") => {}
            Some(mode @ ("none" | "host")) => host.network_mode = Some(mode.to_owned()),
            Some(other) => {
                return Err(instruction.error(format!("unsupported network mode {other:?}")));
            }
        }
        match instruction.flag("security") {
            None | Some("sandbox") => host.privileged = None,
            Some("insecure") if host.privileged == Some(true) => {}
            Some("insecure") => {
                let message = "--security=insecure needs the entitlement security.insecure";
                return Err(instruction.error(message));
            }
            Some(other) => {
                return Err(instruction.error(format!("security {other:?} is not valid")));
            }
        }
        host.log_config = Some(HostConfigLogConfig {
            typ: Some("none".to_owned()),
            config: None,
        });
        Ok(host)
    }

    /// The proxies that the client gives, in small and large letters.
    fn proxies(&self) -> Vec<String> {
        let mut variables = Vec::new();
        for name in PROXIES {
            let names = [name.to_ascii_uppercase(), (*name).to_owned()];
            let mut values = names.iter().map(|name| self.build.args.get(name).cloned());
            if let Some(value) = values.find_map(Option::flatten) {
                variables.extend(names.map(|name| format!("{name}={value}")));
            }
        }
        variables
    }
}

/// The command of a `RUN`.
///
/// # Errors
/// 400 without one.
pub(super) fn command(stage: &Stage, instruction: &Instruction) -> Result<Command> {
    let words = words_or_text(instruction).map_err(|error| instruction.error(error))?;
    let (words, script) = if let Some(words) = words {
        (words, String::new())
    } else {
        let (text, script) = text(instruction);
        let mut words = shell(&stage.document.config());
        words.push(text);
        (words, script)
    };
    if words.is_empty() {
        return Err(instruction.error("requires a command"));
    }
    Ok(Command { words, script })
}

/// What the shell gets: a here-document that stands alone, or the command with its documents; and
/// the script that it only names, because that has an interpreter of its own.
fn text(instruction: &Instruction) -> (String, String) {
    match instruction.documents.as_slice() {
        [document] if instruction.is_script() => {
            let script = document.text();
            if script.starts_with("#!") {
                (format!("{SCRIPTS}/{}", document.name), script)
            } else {
                (script, String::new())
            }
        }
        _ => (instruction.rest_with_documents(), String::new()),
    }
}
