//! `RUN`: a command in a container of the stage.

use std::sync::Arc;

use bollard_stubs::models::{ContainerCreateBody, HealthConfig, HostConfig, HostConfigLogConfig};

use super::Instruction;
use super::builder::Builder;
use super::configure::shell;
use super::layer::Layer;
use super::run_mounts::{self, RunMount};
use super::stage::Stage;
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
        &mut self,
        stage: &Stage,
        instruction: &Instruction,
        mounts: &[RunMount],
    ) -> Result<Option<Layer>> {
        let command = command(stage, instruction)?;
        let mut host = self.host(instruction)?;
        let mounted = self.mount_all(mounts).await?;
        host.mounts = Some(mounted.mounts.clone());
        let image =
            self.engine
                .images
                .intermediate(&stage.document, stage.layers.clone(), &self.lease)?;
        let done = self.run_in(&image, stage, host, (&command, mounts)).await;
        self.engine.images.drop_intermediate(&image);
        self.unmount_all(mounted).await?;
        done
    }

    async fn run_in(
        &mut self,
        image: &str,
        stage: &Stage,
        host: HostConfig,
        (command, mounts): (&[String], &[RunMount]),
    ) -> Result<Option<Layer>> {
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
        let short = handle.id.get(..12).unwrap_or(&handle.id).to_owned();
        (self.say)(&format!(" ---> Running in {short}\n"));
        let layers = &stage.document.rootfs.diff_ids;
        let layer = self.wait(&handle, layers, (command, mounts)).await;
        let how = How {
            force: true,
            volumes: true,
        };
        remove::remove(self.engine, &handle, how).await?;
        let layer = layer?;
        (self.say)(&format!(" ---> Removed intermediate container {short}\n"));
        Ok(layer)
    }

    async fn wait(
        &mut self,
        handle: &Arc<Handle>,
        layers: &[String],
        (command, mounts): (&[String], &[RunMount]),
    ) -> Result<Option<Layer>> {
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
            (self.say)(&String::from_utf8_lossy(&frame.bytes));
        }
        let live = handle.until(|live| live.removed || !live.is_busy()).await;
        let code = live.record.state.exit_code;
        if code != 0 {
            self.exit_code = Some(code);
            return Err(Error::bad_request(format!(
                "The command '{}' returned a non-zero code: {code}",
                command.join(" ")
            )));
        }
        let images = &self.engine.images;
        run_mounts::remove_targets(&images.upper(&handle.id), mounts, |path| {
            images.is_in_layers(layers, path)
        });
        self.committed(&handle.id, true).await
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
        command.push(instruction.rest.clone());
        command
    });
    if command.is_empty() {
        return Err(instruction.error("requires a command"));
    }
    Ok(command)
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
