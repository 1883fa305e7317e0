//! `COPY` and `ADD` as steps of a stage.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::Instruction;
use super::builder::Builder;
use super::configure::join;
use super::copy::{Copy, copy, digest};
use super::expand::Expander;
use super::layer::Layer;
use super::stage::Stage;
use crate::archive::Root;
use crate::container::blocking;
use crate::{Error, Result};

/// What an instruction asks for, with its variables replaced.
#[derive(Debug)]
pub(super) struct Copying {
    sources: Vec<String>,
    target: String,
    chown: Option<String>,
    mode: Option<u32>,
    unpacks: bool,
    from: From,
}

/// Where the files come from.
#[derive(Debug)]
enum From {
    /// What the client sent.
    Context(PathBuf),
    /// Layers of a stage or an image, and its id.
    Image(Vec<String>, String),
}

impl Builder<'_> {
    /// Reads a `COPY` or `ADD`.
    ///
    /// # Errors
    /// 400 for what makes no sense, 501 for flags and sources that are not supported.
    pub(super) fn copying(&self, stage: &Stage, instruction: &Instruction) -> Result<Copying> {
        let known: &[&str] = match instruction.name.as_str() {
            "COPY" => &["from", "chown", "chmod", "link"],
            _ => &["chown", "chmod", "link"],
        };
        instruction.check_flags(known)?;
        let variables = stage.variables();
        let lookup = |name: &str| variables.get(name).cloned();
        let expander = Expander::new(instruction.escape, &lookup);
        let wrong = |error: String| instruction.error(error);
        let mut sources = match instruction.json() {
            Some(paths) => paths
                .iter()
                .map(|path| expander.word(path))
                .collect::<Result<_, _>>()
                .map_err(wrong)?,
            None => expander.words(&instruction.rest).map_err(wrong)?,
        };
        let Some(target) = sources.pop().filter(|_| !sources.is_empty()) else {
            return Err(instruction.error("requires at least two arguments"));
        };
        let unpacks = instruction.name == "ADD";
        let is_remote = |path: &&String| path.contains("://") || path.starts_with("git@");
        if unpacks && let Some(remote) = sources.iter().find(is_remote) {
            return Err(Error::not_supported(format!("ADD {remote}")));
        }
        let flag = |name: &str| {
            let text = instruction.flag(name).map(|text| expander.word(text));
            text.transpose().map_err(wrong)
        };
        let mode = flag("chmod")?.map(|text| {
            let mode = u32::from_str_radix(&text, 8).ok();
            let mode = mode.filter(|mode| *mode <= 0o7777);
            mode.ok_or_else(|| {
                instruction.error(format!(
                    "invalid chmod parameter: '{text}': it should be octal"
                ))
            })
        });
        let from = match instruction.flag("from") {
            Some(name) => {
                let (layers, id) = self.layers_of(name).map_err(|error| {
                    instruction.error(format!("invalid from flag value {name}: {error}"))
                })?;
                From::Image(layers, id)
            }
            None => From::Context(self.build.context.clone()),
        };
        Ok(Copying {
            target: absolute(stage, &target),
            sources,
            chown: flag("chown")?,
            mode: mode.transpose()?,
            unpacks,
            from,
        })
    }

    /// The layers and the id of the stage by name or number, or of the image, that `from` means.
    ///
    /// # Errors
    /// 404 when there is neither.
    pub(super) fn layers_of(&self, name: &str) -> Result<(Vec<String>, String)> {
        let end = self.stages.len();
        if let Some(number) = self.plan.position(name, end)
            && let Some(stage) = &self.stages[number]
        {
            return Ok((stage.document.rootfs.diff_ids.clone(), stage.id()?));
        }
        let image = self.engine.images.resolve(name)?;
        Ok((image.document.rootfs.diff_ids.clone(), image.id))
    }

    /// What tells whether the same was copied before: names and contents, but not times.
    ///
    /// # Errors
    /// 400 for files that are not there.
    pub(super) async fn source_digest(
        &self,
        copying: &Copying,
        instruction: &Instruction,
    ) -> Result<String> {
        let place = format!(
            "{}\n{:?}\n{:?}",
            copying.target, copying.chown, copying.mode
        );
        match &copying.from {
            From::Image(_, id) => Ok(format!("{id}\n{}\n{place}", copying.sources.join("\n"))),
            From::Context(context) => {
                let (context, sources) = (context.clone(), copying.sources.clone());
                let wrong = |error: String| Error::bad_request(error);
                let digest = blocking(move || {
                    let root = open(&context).map_err(wrong)?;
                    digest(&root, &sources).map_err(wrong)
                });
                let digest = digest.await.map_err(|error| instruction.error(error))?;
                Ok(format!("{digest}\n{place}"))
            }
        }
    }

    /// Copies; the layer that this makes.
    ///
    /// # Errors
    /// 400 for files that are not there.
    pub(super) async fn copy(
        &self,
        stage: &Stage,
        instruction: &Instruction,
        copying: Copying,
    ) -> Result<Option<Layer>> {
        let (mounted, source) = match &copying.from {
            From::Context(context) => (None, context.clone()),
            From::Image(layers, _) => {
                let (name, path) = self.mounted(layers).await?;
                (Some(name), path)
            }
        };
        let is_context = mounted.is_none();
        let layer = self
            .layer(stage, move |root| {
                let owner = copying.chown.as_deref().map(|chown| owner(root, chown));
                let owner = owner.transpose()?.or(is_context.then_some((0, 0)));
                let copying = Copy {
                    sources: &copying.sources,
                    target: &copying.target,
                    owner,
                    mode: copying.mode,
                    unpacks: copying.unpacks,
                };
                copy(&open(&source)?, root, &copying)
            })
            .await;
        if let Some(name) = mounted {
            self.engine.images.discard(&name).await?;
        }
        layer.map_err(|error| instruction.error(error))
    }
}

fn open(path: &Path) -> Result<Root, String> {
    Root::open(path).map_err(|error| error.to_string())
}

/// The target from the working folder on; with a slash at the end where it is a folder.
fn absolute(stage: &Stage, target: &str) -> String {
    let is_folder = target.ends_with('/') || target == "." || target.ends_with("/.");
    let config = stage.document.config();
    let mut target = join(config.working_dir.as_deref(), target);
    if is_folder && !target.ends_with('/') {
        target.push('/');
    }
    target
}

/// `user[:group]` by number, or by the names that the image knows.
fn owner(root: &Root, text: &str) -> Result<(u32, u32), String> {
    let (user, group) = text
        .split_once(':')
        .map_or((text, None), |(user, group)| (user, Some(group)));
    let read = |path: &str| {
        let file = root.open_at(Path::new(path), OFlags::RDONLY);
        file.ok()
            .and_then(|file| io::read_to_string(File::from(file)).ok())
            .unwrap_or_default()
    };
    let find = |path: &str, name: &str, field: usize| {
        let text = read(path);
        let mut lines = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let line = lines.find(|fields| fields.first() == Some(&name))?;
        line.get(field)?.parse::<u32>().ok()
    };
    let unknown =
        |name: &str| format!("unable to convert {name:?} to an id: the image does not know it");
    let uid = match user.parse() {
        Ok(uid) => uid,
        Err(_) => find("etc/passwd", user, 2).ok_or_else(|| unknown(user))?,
    };
    let gid = match group {
        None => uid,
        Some(group) => match group.parse() {
            Ok(gid) => gid,
            Err(_) => find("etc/group", group, 2).ok_or_else(|| unknown(group))?,
        },
    };
    Ok((uid, gid))
}
