//! `RUN`: a command in a container of the stage.

use std::sync::Arc;

use bollard_stubs::models::{ContainerCreateBody, HealthConfig, HostConfig, HostConfigLogConfig};

use super::builder::Builder;
use super::configure::shell;
use super::layer::Layer;
use super::progress::{Progress, Step};
use super::run_mounts::{self, RunMount};
use super::stage::Stage;
use super::{Failure, Instruction};
use crate::container::remove::How;
use crate::container::{Handle, create, remove, start};
use crate::shim::AttachRequest;
use crate::{Error, Result};

impl Builder<'_> {
    /// Runs a command; what it has written, as a layer.
    ///
    /// # Errors
    /// 400 with the exit code in words when the command fails, and what keeps it from starting.
    pub(super) async fn run(
        &self,
        stage: &Stage,
        instruction: &Instruction,
        mounts: &[RunMount],
        step: &Step,
    ) -> Result<Option<Layer>, Failure> {
        let command = command(stage, instruction)?;
        let mut host = self.host(instruction)?;
        let mounted = self.mount_all(mounts).await?;
        host.mounts = Some(mounted.mounts.clone());
        let image =
            self.engine
                .images
                .intermediate(&stage.document, stage.layers.clone(), &self.lease)?;
        let done = self
            .run_in(&image, stage, host, (&command, mounts, step))
            .await;
        self.engine.images.drop_intermediate(&image);
        self.unmount_all(mounted).await?;
        done
    }

    async fn run_in(
        &self,
        image: &str,
        stage: &Stage,
        host: HostConfig,
        (command, mounts, step): (&[String], &[RunMount], &Step),
    ) -> Result<Option<Layer>, Failure> {
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            cmd: Some(command.to_owned()),
            // One empty word: not that of the image.
            entrypoint: Some(vec![String::new()]),
            env: Some(stage.arguments()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            healthcheck: Some(HealthConfig {
                test: Some(vec!["NONE".to_owned()]),
                ..HealthConfig::default()
            }),
            host_config: Some(host),
            ..ContainerCreateBody::default()
        };
        let handle = create::create(self.engine, None, body).await?;
        self.tell(Progress::Running(step, &handle.id));
        let layers = &stage.document.rootfs.diff_ids;
        let layer = self.wait(&handle, layers, (command, mounts, step)).await;
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
    ) -> Result<Option<Layer>, Failure> {
        let link = handle.attach_later(AttachRequest {
            stdin: false,
            stdout: true,
            stderr: true,
        });
        start::start(self.engine, handle).await?;
        let ended = || Error::internal("the container ended before it could be watched");
        let mut output = link.await.map_err(|_| ended())?.session().output;
        while let Some(frame) = output.next().await? {
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
    fn host(&self, instruction: &Instruction) -> Result<HostConfig> {
        let mut host = self.build.host.clone();
        match instruction.flag("network") {
            None | Some("default") => {}
            Some(mode @ ("none" | "host")) => host.network_mode = Some(mode.to_owned()),
            Some(other) => {
                return Err(instruction.error(format!("unsupported network mode {other:?}")));
            }
        }
        host.log_config = Some(HostConfigLogConfig {
            typ: Some("none".to_owned()),
            config: None,
        });
        Ok(host)
    }
}

/// The words of a `RUN`.
pub(super) fn command(stage: &Stage, instruction: &Instruction) -> Result<Vec<String>> {
    let command = instruction.json().unwrap_or_else(|| {
        let mut command = shell(&stage.document.config());
        command.push(script(instruction));
        command
    });
    if command.is_empty() {
        return Err(instruction.error("requires a command"));
    }
    Ok(command)
}

/// What the shell gets: a here-document that stands alone, or the command with its documents.
fn script(instruction: &Instruction) -> String {
    match instruction.documents.as_slice() {
        [document] if instruction.is_script() => document.text(),
        _ => instruction.rest_with_documents(),
    }
}

/// How the classic builder writes a command in an image's history: arguments in front.
pub(super) fn created_by(stage: &Stage, command: &[String]) -> String {
    let arguments = stage.arguments();
    let command = command.join(" ");
    match arguments.len() {
        0 => command,
        count => format!("|{count} {} {command}", arguments.join(" ")),
    }
}
