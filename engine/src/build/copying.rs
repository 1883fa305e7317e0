//! `COPY` and `ADD` as steps of a stage.

use std::path::{Path, PathBuf};

use super::Instruction;
use super::builder::Builder;
use super::configure::join;
use super::copy::{self, How};
use super::exclusion::Exclusion;
use super::expand::Expander;
use super::layer::Layer;
use super::mode::Mode;
use super::owner::owner;
use super::parse::Document;
use super::progress::Step;
use super::remote::{self, Fetched, Remote};
use super::stage::Stage;
use crate::archive::Root;
use crate::{Error, Result};

/// What an instruction asks for, with its variables replaced.
pub(super) struct Copying {
    how: How,
    chown: Option<String>,
    /// Paths and patterns.
    patterns: Vec<String>,
    /// Names and contents of here-documents.
    documents: Vec<(String, String)>,
    /// What was got from elsewhere.
    fetched: Vec<Fetched>,
    from: From,
    /// How history tells it.
    told: String,
}

/// Where the files come from.
enum From {
    /// What the client sent.
    Context(PathBuf),
    /// Layers of a stage or an image.
    Image(Vec<String>),
}

/// The words of an instruction.
struct Words {
    sources: Vec<String>,
    documents: Vec<(String, String)>,
    target: String,
}

impl Copying {
    /// How history tells it.
    pub(super) fn told(&self) -> String {
        self.told.clone()
    }
}

impl Builder<'_> {
    /// Reads a `COPY` or `ADD`, and fetches what it names elsewhere.
    ///
    /// # Errors
    /// 400 for what makes no sense, 501 for flags and sources that are not supported.
    pub(super) async fn copying(
        &self,
        stage: &Stage,
        instruction: &Instruction,
        step: &Step,
    ) -> Result<Copying> {
        let asked = asked(stage, instruction)?;
        let from = self.source(instruction, step).await?;
        let mut fetched = Vec::new();
        for remote in &asked.remotes {
            let checksum = asked.checksum.as_deref();
            let got = remote::fetch(self, remote, checksum, (asked.unpacks, asked.keeps_git));
            let got = tokio::select! {
                got = got => got,
                () = self.canceled.cancelled() => Err(super::canceled()),
            };
            fetched.push(got.map_err(|error| instruction.error(error))?);
        }
        Ok(Copying {
            how: asked.how,
            chown: asked.chown,
            patterns: asked.patterns,
            documents: asked.documents,
            fetched,
            from,
            told: asked.told,
        })
    }

    async fn source(&self, instruction: &Instruction, step: &Step) -> Result<From> {
        let Some(name) = instruction.flag("from") else {
            return Ok(From::Context(self.build.context.clone()));
        };
        let layers = self.layers_of(name, step).await.map_err(|error| {
            instruction.error(format!("invalid from flag value {name}: {error}"))
        })?;
        Ok(From::Image(layers))
    }

    /// The layers of the stage by name or number, or of the image, that `from` means.
    ///
    /// # Errors
    /// 400 for a stage that is not there yet, and those of pulling an image.
    pub(super) async fn layers_of(&self, name: &str, step: &Step) -> Result<Vec<String>> {
        let end = step.stage.as_ref().map_or(0, |stage| stage.number);
        if let Some(number) = self.plan.position(name, end) {
            let stage = self.done(number).ok_or_else(|| {
                Error::bad_request(format!("the stage {name} is not built: no stage names it"))
            })?;
            return Ok(stage.document.rootfs.diff_ids.clone());
        }
        if self.plan.position(name, self.plan.stages.len()).is_some() {
            return Err(Error::bad_request(format!(
                "the stage {name} must come before the one that takes files of it"
            )));
        }
        let image = self.image(name, step).await?;
        for layer in &image.document.rootfs.diff_ids {
            self.lease.take(layer);
        }
        Ok(image.document.rootfs.diff_ids.clone())
    }

    /// The key of a step in the cache: names and contents count, but not times.
    ///
    /// # Errors
    /// 400 for files that are not there.
    pub(super) async fn copy_key(
        &self,
        stage: &Stage,
        copying: &Copying,
        instruction: &Instruction,
    ) -> Result<String> {
        let content = match &copying.from {
            // Equal layers are equal files.
            From::Image(layers) => format!("{}\n{:?}", layers.join(" "), copying.patterns),
            From::Context(context) => {
                let keeps_parents = copying.how.keeps_parents;
                let digest = self.digest(context, &copying.patterns, keeps_parents);
                digest.await.map_err(|error| instruction.error(error))?
            }
        };
        let fetched: Vec<&str> = copying.fetched.iter().map(|got| got.key.as_str()).collect();
        let how = format!("{:?} {:?}", copying.how, copying.chown);
        Ok(self.key(&[
            "COPY",
            &stage.document.rootfs.diff_ids.join(" "),
            &content,
            &copying.patterns.join("\0"),
            &format!("{:?}", copying.documents),
            &fetched.join("\0"),
            &how,
        ]))
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
    ) -> Result<Layer> {
        let (mounted, source) = match &copying.from {
            From::Context(context) => (None, context.clone()),
            From::Image(layers) => {
                let (name, path) = self.mounted(layers).await?;
                (Some(name), path)
            }
        };
        let is_context = mounted.is_none();
        let layer = self
            .layer(stage, move |root| {
                let owner = copying.chown.as_deref().map(|chown| owner(root, chown));
                let owner = owner.transpose()?;
                copying.apply(&open(&source)?, root, owner, is_context)
            })
            .await;
        if let Some(name) = mounted {
            self.engine.images.discard(&name).await?;
        }
        layer.map_err(|error| instruction.error(error))
    }
}

impl Copying {
    /// `owner` is the one that is asked for.
    fn apply(
        &self,
        from: &Root,
        to: &Root,
        owner: Option<(u32, u32)>,
        is_context: bool,
    ) -> Result<(), String> {
        // What an archive holds keeps its owners, and so does what is copied of an image.
        let own = owner.or(is_context.then_some((0, 0)));
        copy::Copying::new(to, &self.how, own)
            .unpacking_as(owner)
            .patterns(from, &self.patterns)?;
        let root = Some(owner.unwrap_or((0, 0)));
        for fetched in &self.fetched {
            let how = How {
                unpacks: fetched.unpacks,
                ..self.how.clone()
            };
            let mut copying = copy::Copying::new(to, &how, root).unpacking_as(owner);
            let source = open(fetched.folder())?;
            match &fetched.file {
                Some(name) => copying.fetched(&source, name)?,
                None => copying.everything(&source)?,
            }
        }
        let mut copying = copy::Copying::new(to, &self.how, root);
        for (name, content) in &self.documents {
            copying.file(name, content.as_bytes(), 0o644)?;
        }
        Ok(())
    }
}

/// What an instruction asks for, as far as its text tells.
struct Asked {
    how: How,
    chown: Option<String>,
    checksum: Option<String>,
    patterns: Vec<String>,
    remotes: Vec<Remote>,
    documents: Vec<(String, String)>,
    /// Whether archives from elsewhere are unpacked.
    unpacks: bool,
    keeps_git: bool,
    told: String,
}

fn asked(stage: &Stage, instruction: &Instruction) -> Result<Asked> {
    let is_add = instruction.name == "ADD";
    instruction.is_on("link")?;
    let variables = stage.variables();
    let lookup = |name: &str| variables.get(name).cloned();
    let expander = Expander::new(instruction.escape, &lookup);
    let wrong = |error: String| instruction.error(error);
    let words = words(instruction, expander).map_err(wrong)?;
    let flag = |name: &str| {
        let text = instruction.flag(name).map(|text| expander.word(text));
        text.transpose().map_err(wrong)
    };
    let (chown, chmod, checksum) = (flag("chown")?, flag("chmod")?, flag("checksum")?);
    let mode = chmod.as_deref().map(Mode::parse).transpose();
    let keeps_parents = instruction.is_on("parents")?;
    let told = told(
        instruction,
        &words,
        (keeps_parents, chown.as_deref(), chmod.as_deref()),
    );
    let (remotes, patterns) = divided(is_add, words.sources).map_err(wrong)?;
    if checksum.is_some() && (remotes.len() != 1 || !patterns.is_empty()) {
        let message = "--checksum needs one source, which is an address or a Git repository";
        return Err(instruction.error(message));
    }
    let unpacks = match instruction.flag("unpack") {
        Some(_) => Some(instruction.is_on("unpack")?),
        None => None,
    };
    let how = How {
        target: absolute(stage, &words.target),
        mode: mode.map_err(wrong)?,
        unpacks: unpacks.unwrap_or(is_add),
        exclusion: Exclusion::new(instruction.flag_values("exclude")),
        keeps_parents,
    };
    let sources = patterns.len() + remotes.len() + words.documents.len();
    check_target(&how, sources).map_err(wrong)?;
    Ok(Asked {
        how,
        chown,
        checksum,
        patterns,
        remotes,
        documents: words.documents,
        unpacks: unpacks.unwrap_or(false),
        keeps_git: instruction.is_on("keep-git-dir")?,
        told,
    })
}

fn open(path: &Path) -> Result<Root, String> {
    Root::open(path).map_err(|error| error.to_string())
}

/// Sources that are got from elsewhere, and paths.
fn divided(is_add: bool, sources: Vec<String>) -> Result<(Vec<Remote>, Vec<String>), String> {
    let mut remotes = Vec::new();
    let mut patterns = Vec::new();
    for source in sources {
        match Remote::of(&source) {
            Some(remote) if is_add => remotes.push(remote),
            Some(_) => return Err(format!("{source}: the source can't be an address: use ADD")),
            None => patterns.push(source),
        }
    }
    Ok((remotes, patterns))
}

fn words(instruction: &Instruction, expander: Expander<'_>) -> Result<Words, String> {
    let raw = match instruction.json() {
        Some(paths) => paths,
        None => super::expand::raw_words(&instruction.rest, instruction.escape),
    };
    let mut raw = joined_marks(raw);
    let target = raw.pop().filter(|_| !raw.is_empty());
    let target = target.ok_or("requires at least two arguments: sources and a destination")?;
    if Document::of(&target).is_some() && !instruction.documents.is_empty() {
        return Err("a here-document cannot be the destination".to_owned());
    }
    let mut words = Words {
        sources: Vec::new(),
        documents: Vec::new(),
        target: expander.word(&target)?,
    };
    let mut documents = instruction.documents.iter();
    for word in raw {
        let mark = Document::of(&word).filter(|_| !instruction.documents.is_empty());
        match mark.and_then(|_| documents.next()) {
            Some(document) => {
                let text = document.text();
                let text = if document.expands {
                    Expander::of_text(expander.lookup).word(&text)?
                } else {
                    text
                };
                words.documents.push((document.name.clone(), text));
            }
            None => words.sources.push(expander.word(&word)?),
        }
    }
    Ok(words)
}

/// A space may follow the mark of a here-document.
fn joined_marks(words: Vec<String>) -> Vec<String> {
    let mut joined: Vec<String> = Vec::new();
    for word in words {
        match joined.last_mut().filter(|last| last.ends_with("<<")) {
            Some(last) => last.push_str(&word),
            None => joined.push(word),
        }
    }
    joined
}

fn told(
    instruction: &Instruction,
    words: &Words,
    (parents, chown, chmod): (bool, Option<&str>, Option<&str>),
) -> String {
    let mut told = instruction.name.clone();
    let mut add = |text: String| {
        told.push(' ');
        told.push_str(&text);
    };
    if parents {
        add("--parents".to_owned());
    }
    if let Some(chown) = chown {
        add(format!("--chown={chown}"));
    }
    if let Some(chmod) = chmod {
        add(format!("--chmod={chmod}"));
    }
    for source in &words.sources {
        add(source.clone());
    }
    for (name, _) in &words.documents {
        add(format!("<<{name}"));
    }
    add(words.target.clone());
    told + " # buildkit"
}

fn check_target(how: &How, sources: usize) -> Result<(), String> {
    if sources > 1 && !how.target.ends_with('/') {
        return Err("when using COPY with more than one source file, the destination must be a directory and end with a /".to_owned());
    }
    Ok(())
}

/// The target from the working folder on; with a slash at the end where it is a folder.
fn absolute(stage: &Stage, target: &str) -> String {
    let is_folder = target.ends_with('/') || matches!(target, "." | "") || target.ends_with("/.");
    let config = stage.document.config();
    let mut target = join(config.working_dir.as_deref(), target);
    if is_folder && !target.ends_with('/') {
        target.push('/');
    }
    target
}
