//! From a Dockerfile and a context to an image.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::configure::{configure, join, set_variable};
use super::copy::{Copy, copy};
use super::expand::{raw_words, word, words};
use super::{Instruction, parse};
use crate::archive::{Pack, Root, pack};
use crate::engine::Engine;
use crate::image::{Descriptor, Document, History, Reference};
use crate::{Error, Result, identifier};

/// What a client asks for.
#[derive(Debug, Default)]
pub(crate) struct Build {
    /// Folder of the context.
    pub(crate) context: PathBuf,
    /// Path of the Dockerfile in it.
    pub(crate) dockerfile: String,
    /// Names of the image.
    pub(crate) tags: Vec<Reference>,
    /// Values of `ARG`s; none takes the value of the client's environment, of which there is
    /// nothing here.
    pub(crate) args: HashMap<String, Option<String>>,
    /// Further labels.
    pub(crate) labels: BTreeMap<String, String>,
    /// The stage to end with.
    pub(crate) target: String,
}

/// The image that a stage makes.
#[derive(Debug, Clone, Default)]
struct Stage {
    name: String,
    document: Document,
    layers: Vec<Descriptor>,
    /// Values of the `ARG`s of this stage.
    args: HashMap<String, String>,
}

struct Builder<'a> {
    engine: &'a Engine,
    build: &'a Build,
    say: &'a (dyn Fn(&str) + Send + Sync),
    lease: crate::image::Lease,
    /// The stages that are done.
    stages: Vec<Stage>,
    /// Values of the `ARG`s before the first `FROM`.
    args: HashMap<String, String>,
}

/// Builds an image; answers its id.
///
/// # Errors
/// 400 for what the Dockerfile has wrong, 501 for what is not supported, by name.
pub(crate) async fn build(
    engine: &Engine,
    build: &Build,
    say: &(dyn Fn(&str) + Send + Sync),
) -> Result<String> {
    let text = dockerfile(build)?;
    let instructions = parse(&text)?;
    if instructions.is_empty() {
        return Err(Error::bad_request(
            "the Dockerfile (Dockerfile) cannot be empty",
        ));
    }
    let mut builder = Builder {
        engine,
        build,
        say,
        lease: engine.images.lease(),
        stages: Vec::new(),
        args: HashMap::new(),
    };
    let mut stage = None;
    let count = instructions.len();
    for (number, instruction) in instructions.iter().enumerate() {
        say(&format!(
            "Step {}/{count} : {}\n",
            number + 1,
            instruction.text()
        ));
        if instruction.name == "FROM" {
            if let Some(done) = stage.take().filter(|done: &Stage| !builder.is_target(done)) {
                builder.stages.push(done);
            } else if !builder.stages.is_empty() && builder.is_done() {
                break;
            }
            stage = Some(builder.from(instruction)?);
            continue;
        }
        match &mut stage {
            Some(stage) => builder.instruction(stage, instruction).await?,
            None if instruction.name == "ARG" => builder.global_argument(instruction)?,
            None => return Err(instruction.error("no build stage in current context")),
        }
    }
    let stage = stage.ok_or_else(|| Error::bad_request("no build stage in current context"))?;
    builder.finish(stage)
}

fn dockerfile(build: &Build) -> Result<String> {
    let name = if build.dockerfile.is_empty() {
        "Dockerfile"
    } else {
        &build.dockerfile
    };
    let missing = |error: io::Error| {
        Error::internal(format!("failed to read dockerfile: open {name}: {error}"))
    };
    let root = Root::open(&build.context).map_err(missing)?;
    let file = root
        .open_at(Path::new(name), rustix::fs::OFlags::RDONLY)
        .map_err(missing)?;
    io::read_to_string(fs::File::from(file)).map_err(missing)
}

impl Builder<'_> {
    fn is_target(&self, stage: &Stage) -> bool {
        !self.build.target.is_empty() && stage.name.eq_ignore_ascii_case(&self.build.target)
    }

    fn is_done(&self) -> bool {
        false
    }

    fn global_argument(&mut self, instruction: &Instruction) -> Result<()> {
        let known = self.args.clone();
        for (name, default) in arguments(instruction, &|name| known.get(name).cloned())? {
            if let Some(value) = self.value(&name).or(default) {
                self.args.insert(name, value);
            }
        }
        Ok(())
    }

    /// The value that the client gives an argument.
    fn value(&self, name: &str) -> Option<String> {
        self.build.args.get(name).cloned().flatten()
    }

    fn from(&mut self, instruction: &Instruction) -> Result<Stage> {
        instruction.check_flags(&["platform"])?;
        let args = &self.args;
        let parts = words(&instruction.rest, &|name| args.get(name).cloned());
        let parts = parts.map_err(|error| instruction.error(error))?;
        let name = match parts.as_slice() {
            [_] => String::new(),
            [_, keyword, name] if keyword.eq_ignore_ascii_case("as") => name.to_lowercase(),
            _ => return Err(instruction.error("requires either one or three arguments")),
        };
        let base = parts[0].as_str();
        if base == "scratch" {
            return Ok(Stage {
                name,
                document: Document::new(),
                ..Stage::default()
            });
        }
        let is_named =
            |stage: &&Stage| !stage.name.is_empty() && stage.name.eq_ignore_ascii_case(base);
        if let Some(stage) = self.stages.iter().rfind(is_named) {
            return Ok(Stage {
                name,
                args: HashMap::new(),
                ..stage.clone()
            });
        }
        let image = self.engine.images.resolve(base)?;
        let mut document = (*image.document).clone();
        document.config = Some(document.config());
        (self.say)(&format!(" ---> {}\n", short(&image.id)));
        Ok(Stage {
            name,
            document,
            layers: self.engine.images.layer_descriptors(&image.id),
            args: HashMap::new(),
        })
    }

    async fn instruction(&mut self, stage: &mut Stage, instruction: &Instruction) -> Result<()> {
        let variables = variables(stage);
        let lookup = |name: &str| variables.get(name).cloned();
        match instruction.name.as_str() {
            "ARG" => {
                for (name, default) in arguments(instruction, &lookup)? {
                    let value = self
                        .value(&name)
                        .or(default)
                        .or_else(|| self.args.get(&name).cloned());
                    if let Some(value) = value {
                        stage.args.insert(name, value);
                    }
                }
                note(stage, instruction, false);
            }
            "COPY" | "ADD" => self.copy(stage, instruction, &lookup).await?,
            "RUN" => {
                let what = format!("dockerfile line {}: RUN", instruction.line);
                return Err(Error::not_supported(what));
            }
            "WORKDIR" => {
                let mut config = stage.document.config();
                configure(&mut config, instruction, &lookup)?;
                let path = config.working_dir.clone().unwrap_or_default();
                stage.document.config = Some(config);
                self.layer(stage, move |root| {
                    root.make_folders(Path::new(&path), (0, 0))
                        .map(|_| ())
                        .map_err(|error| error.to_string())
                })
                .await
                .map_err(|error| instruction.error(error))?;
                note(stage, instruction, true);
            }
            "MAINTAINER" => {
                stage.document.author = Some(instruction.rest.clone());
                note(stage, instruction, false);
            }
            _ => {
                let mut config = stage.document.config();
                if !configure(&mut config, instruction, &lookup)? {
                    return Err(Error::not_supported(format!(
                        "the instruction {}",
                        instruction.name
                    )));
                }
                if instruction.name == "ENTRYPOINT" {
                    config.cmd = None;
                }
                stage.document.config = Some(config);
                note(stage, instruction, false);
            }
        }
        (self.say)(" ---> \n");
        Ok(())
    }

    async fn copy(
        &mut self,
        stage: &mut Stage,
        instruction: &Instruction,
        lookup: &(dyn Fn(&str) -> Option<String> + Sync),
    ) -> Result<()> {
        let known: &[&str] = if instruction.name == "COPY" {
            &["from", "chown"]
        } else {
            &["chown"]
        };
        instruction.check_flags(known)?;
        let wrong = |error: String| instruction.error(error);
        let mut paths = match instruction.json() {
            Some(paths) => paths
                .iter()
                .map(|path| word(path, lookup))
                .collect::<Result<_, _>>()
                .map_err(wrong)?,
            None => words(&instruction.rest, lookup).map_err(wrong)?,
        };
        let Some(target) = paths.pop().filter(|_| !paths.is_empty()) else {
            return Err(instruction.error("requires at least two arguments"));
        };
        let is_remote = |path: &&String| path.contains("://") || path.starts_with("git@");
        if instruction.name == "ADD"
            && let Some(remote) = paths.iter().find(is_remote)
        {
            return Err(Error::not_supported(format!("ADD {remote}")));
        }
        let config = stage.document.config();
        let is_folder = target.ends_with('/') || target == "." || target.ends_with("/.");
        let mut target = join(config.working_dir.as_deref(), &target);
        if is_folder && !target.ends_with('/') {
            target.push('/');
        }
        let chown = instruction
            .flag("chown")
            .map(|text| word(text, lookup))
            .transpose()
            .map_err(wrong)?;
        let unpacks = instruction.name == "ADD";
        let other = match instruction.flag("from") {
            Some(name) => Some(self.other(instruction, name)?),
            None => None,
        };
        let context = self.build.context.clone();
        let from = match &other {
            Some(layers) => Some(self.mounted(layers).await?),
            None => None,
        };
        let source = from.as_ref().map_or(context, |(_, path)| path.clone());
        let is_context = from.is_none();
        let copied = self
            .layer(stage, move |root| {
                let owner = chown.map(|chown| owner(root, &chown)).transpose()?;
                let owner = owner.or(is_context.then_some((0, 0)));
                let source = Root::open(&source).map_err(|error| error.to_string())?;
                copy(
                    &source,
                    root,
                    &Copy {
                        sources: &paths,
                        target: &target,
                        owner,
                        unpacks,
                    },
                )
            })
            .await;
        if let Some((name, _)) = from {
            self.engine.images.discard(&name).await?;
        }
        copied.map_err(|error| instruction.error(error))?;
        note(stage, instruction, true);
        Ok(())
    }

    /// The layers that `--from` means: of a stage by name or number, or of an image.
    fn other(&self, instruction: &Instruction, name: &str) -> Result<Vec<String>> {
        let by_name = self
            .stages
            .iter()
            .rfind(|stage| stage.name.eq_ignore_ascii_case(name));
        let by_number = || {
            name.parse::<usize>()
                .ok()
                .and_then(|number| self.stages.get(number))
        };
        if let Some(stage) = by_name.or_else(by_number) {
            return Ok(stage.document.rootfs.diff_ids.clone());
        }
        let image = self.engine.images.resolve(name);
        let image = image.map_err(|error| {
            instruction.error(format!("invalid from flag value {name}: {error}"))
        })?;
        Ok(image.document.rootfs.diff_ids.clone())
    }

    async fn mounted(&self, layers: &[String]) -> Result<(String, PathBuf)> {
        let name = format!("build-{}", identifier::new());
        self.engine.images.prepare_layers(&name, "", layers)?;
        let path = self.engine.images.mount(&name).await?;
        Ok((name, path))
    }

    /// Adds a layer of what `change` does to the stage's files.
    async fn layer(
        &mut self,
        stage: &mut Stage,
        change: impl FnOnce(&Root) -> Result<(), String> + Send + 'static,
    ) -> Result<()> {
        let (name, path) = self.mounted(&stage.document.rootfs.diff_ids).await?;
        let changed = tokio::task::spawn_blocking(move || {
            let root = Root::open(&path).map_err(|error| error.to_string())?;
            change(&root)
        });
        let changed = changed
            .await
            .map_err(Error::internal)?
            .map_err(Error::bad_request);
        let layer = match changed {
            Ok(()) => {
                self.engine.images.unmount(&name).await?;
                self.committed(&name)
            }
            Err(error) => Err(error),
        };
        self.engine.images.discard(&name).await?;
        let (layer, diff_id) = layer?;
        stage.layers.push(layer);
        stage.document.rootfs.diff_ids.push(diff_id);
        Ok(())
    }

    /// What a snapshot has written, as a layer.
    fn committed(&self, name: &str) -> Result<(Descriptor, String)> {
        let upper = self.engine.images.upper(name);
        let root = Root::open(&upper).map_err(|error| Error::io("open", &upper, error))?;
        let (reader, writer) = io::pipe().map_err(Error::internal)?;
        std::thread::scope(|scope| {
            let packing = scope.spawn(move || {
                let mut builder = tar::Builder::new(io::BufWriter::with_capacity(1 << 16, writer));
                let options = Pack {
                    overlay: true,
                    ..Pack::default()
                };
                pack(
                    &mut builder,
                    root.fd(),
                    OsStr::new("."),
                    Path::new(""),
                    options,
                )?;
                builder
                    .into_inner()?
                    .into_inner()
                    .map_err(io::IntoInnerError::into_error)?;
                Ok::<_, io::Error>(())
            });
            let layer = self.engine.images.new_layer(reader, &self.lease);
            let packed = packing
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("packing ended early")));
            packed.map_err(|error| Error::io("pack", &upper, error))?;
            layer
        })
    }

    fn finish(&self, mut stage: Stage) -> Result<String> {
        let target = &self.build.target;
        let is_last = self.stages.len().to_string() == *target;
        if !target.is_empty() && !stage.name.eq_ignore_ascii_case(target) && !is_last {
            return Err(Error::bad_request(format!(
                "target stage \"{target}\" could not be found"
            )));
        }
        if !self.build.labels.is_empty() {
            let mut config = stage.document.config();
            config
                .labels
                .get_or_insert_default()
                .extend(self.build.labels.clone());
            stage.document.config = Some(config);
        }
        stage.document.created = Some(crate::time::now());
        let names: Vec<String> = self.build.tags.iter().map(Reference::to_string).collect();
        let id = self
            .engine
            .images
            .make(&stage.document, stage.layers, &names, &self.lease)?;
        (self.say)(&format!("Successfully built {}\n", short(&id)));
        for tag in &self.build.tags {
            (self.say)(&format!("Successfully tagged {}\n", tag.familiar()));
        }
        Ok(id)
    }
}

fn short(id: &str) -> &str {
    id.strip_prefix("sha256:")
        .and_then(|hex| hex.get(..12))
        .unwrap_or(id)
}

/// `NAME` or `NAME=default`, several of them.
fn arguments(
    instruction: &Instruction,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<(String, Option<String>)>> {
    let argument = |text: String| match text.split_once('=') {
        Some((name, default)) => {
            let default = word(default, lookup).map_err(|error| instruction.error(error))?;
            Ok((name.to_owned(), Some(default)))
        }
        None => Ok((text, None)),
    };
    raw_words(&instruction.rest)
        .into_iter()
        .map(argument)
        .collect()
}

/// What `$NAME` stands for: the environment goes before arguments.
fn variables(stage: &Stage) -> HashMap<String, String> {
    let mut variables = stage.args.clone();
    let config = stage.document.config.as_ref();
    for text in config
        .and_then(|config| config.env.as_ref())
        .into_iter()
        .flatten()
    {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        variables.insert(name.to_owned(), value.to_owned());
    }
    variables
}

fn note(stage: &mut Stage, instruction: &Instruction, has_layer: bool) {
    let text = instruction.text();
    stage.document.history.push(History {
        created: Some(crate::time::now()),
        created_by: Some(if has_layer {
            text
        } else {
            format!("/bin/sh -c #(nop)  {text}")
        }),
        empty_layer: !has_layer,
        ..History::default()
    });
}

/// `user[:group]` by number, or by the names that the image knows.
fn owner(root: &Root, text: &str) -> Result<(u32, u32), String> {
    let (user, group) = text
        .split_once(':')
        .map_or((text, None), |(user, group)| (user, Some(group)));
    let read = |path: &str| {
        let file = root.open_at(Path::new(path), rustix::fs::OFlags::RDONLY);
        file.ok()
            .and_then(|file| io::read_to_string(fs::File::from(file)).ok())
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
