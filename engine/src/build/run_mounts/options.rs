//! The options of `RUN --mount`.

use crate::build::Instruction;
use crate::build::configure::join;
use crate::build::expand::Expander;
use crate::build::stage::Stage;
use crate::{Error, Result};

/// One `--mount`, with its variables replaced.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) kind: Kind,
    /// A stage or an image; the context, or nothing for a cache, where there is none.
    pub(super) from: Option<String>,
    pub(super) source: String,
    /// Absolute path in the container; none for a secret that is a variable alone, and for an agent that goes where agents are.
    pub(super) target: Option<String>,
    pub(super) read_only: bool,
    pub(super) id: Option<String>,
    pub(super) is_required: bool,
    pub(super) mode: Option<u32>,
    pub(super) owner: (u32, u32),
    /// Whether one of mode and owner is given.
    pub(super) sharing: Sharing,
    /// The variable that a secret becomes.
    pub(super) variable: Option<String>,
    /// Bytes of a file system in memory.
    pub(super) size: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bind,
    Cache,
    Tmpfs,
    Secret,
    Ssh,
}

/// Who may have a cache at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sharing {
    /// Everyone.
    Shared,
    /// Everyone one of their own.
    Private,
    /// One after the other.
    Locked,
}

/// Reads the text of a flag.
///
/// # Errors
/// 400 for what makes no sense, 501 for kinds and options that are not supported, by name.
pub(super) fn read(stage: &Stage, instruction: &Instruction, text: &str) -> Result<Options> {
    let variables = stage.variables();
    let lookup = |name: &str| variables.get(name).cloned();
    let expander = Expander::new(instruction.escape, &lookup);
    let wrong = |error: String| instruction.error(error);
    let mut pairs = Vec::new();
    for field in text.split(',') {
        let (key, value) = match field.split_once('=') {
            Some((key, value)) => (key, Some(expander.word(value).map_err(wrong)?)),
            None => (field, None),
        };
        pairs.push((canonical(&key.to_ascii_lowercase()).to_owned(), value));
    }
    let given = |key: &str| pairs.iter().rfind(|(other, _)| other == key);
    let kind = given("type").and_then(|(_, value)| value.clone());
    let kind = kind_of(kind.as_deref().unwrap_or("bind"), instruction)?;
    let mut options = Options::new(kind);
    for (key, value) in &pairs {
        options
            .set(key, value.as_deref())
            .map_err(|error| instruction.error(format!("--mount: {error}")))?;
    }
    let folder = stage.document.config().working_dir;
    options.complete(folder.as_deref()).map_err(wrong)?;
    Ok(options)
}

fn canonical(key: &str) -> &str {
    match key {
        "dst" | "destination" => "target",
        "src" => "source",
        "ro" => "readonly",
        "rw" => "readwrite",
        key => key,
    }
}

fn kind_of(name: &str, instruction: &Instruction) -> Result<Kind> {
    Ok(match name.to_ascii_lowercase().as_str() {
        "bind" => Kind::Bind,
        "cache" => Kind::Cache,
        "tmpfs" => Kind::Tmpfs,
        "secret" => Kind::Secret,
        "ssh" => Kind::Ssh,
        other => {
            let line = instruction.lines.first;
            let message = format!("dockerfile line {line}: RUN --mount=type={other}");
            return Err(Error::not_supported(message));
        }
    })
}

impl Options {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            from: None,
            source: String::new(),
            target: None,
            read_only: !matches!(kind, Kind::Cache | Kind::Tmpfs),
            id: None,
            is_required: false,
            mode: None,
            owner: (0, 0),
            sharing: Sharing::Shared,
            variable: None,
            size: None,
        }
    }

    fn set(&mut self, key: &str, value: Option<&str>) -> Result<(), String> {
        let needed = || value.ok_or_else(|| format!("{key} needs a value"));
        let number = |radix| {
            let value = needed()?;
            u32::from_str_radix(value, radix).map_err(|_| format!("invalid {key} {value:?}"))
        };
        let is_file = matches!(self.kind, Kind::Secret | Kind::Ssh | Kind::Cache);
        let is_given = matches!(self.kind, Kind::Secret | Kind::Ssh);
        match key {
            "type" => {}
            "from" => self.from = Some(needed()?.to_owned()),
            "source" => needed()?.clone_into(&mut self.source),
            "target" => self.target = Some(needed()?.to_owned()),
            "id" => self.id = Some(needed()?.to_owned()),
            "readonly" => self.read_only = boolean(key, value)?,
            "readwrite" => self.read_only = !boolean(key, value)?,
            "required" if is_given => self.is_required = boolean(key, value)?,
            "mode" if is_file => self.mode = Some(number(8)?),
            "uid" if is_file => self.owner.0 = number(10)?,
            "gid" if is_file => self.owner.1 = number(10)?,
            "env" if self.kind == Kind::Secret => self.variable = Some(needed()?.to_owned()),
            "size" if self.kind == Kind::Tmpfs => self.size = Some(bytes(needed()?)?),
            "sharing" if self.kind == Kind::Cache => {
                self.sharing = match needed()?.to_ascii_lowercase().as_str() {
                    "shared" => Sharing::Shared,
                    "private" => Sharing::Private,
                    "locked" => Sharing::Locked,
                    other => return Err(format!("unsupported sharing value {other:?}")),
                };
            }
            other => return Err(format!("unexpected key {other:?} for this type")),
        }
        Ok(())
    }

    /// Fills in what is not given, and checks what belongs together.
    fn complete(&mut self, folder: Option<&str>) -> Result<(), String> {
        if matches!(self.kind, Kind::Secret | Kind::Ssh | Kind::Tmpfs) && self.from.is_some() {
            return Err("--mount of this type should not have a from".to_owned());
        }
        match self.kind {
            Kind::Secret => {
                let last = |path: &String| path.rsplit('/').next().unwrap_or_default().to_owned();
                let id = self.id.clone();
                let id = id.or_else(|| Some(self.source.clone()).filter(|id| !id.is_empty()));
                let id = id.or_else(|| self.target.as_ref().map(last));
                let id = id.ok_or("--mount of a secret has no id")?;
                if self.target.is_none() && self.variable.is_none() {
                    self.target = Some(format!("/run/secrets/{}", last(&id)));
                }
                self.id = Some(id);
            }
            Kind::Ssh => {
                self.id.get_or_insert_with(|| "default".to_owned());
            }
            _ if self.target.is_none() => return Err("--mount has no target".to_owned()),
            _ => {}
        }
        self.target = self.target.take().map(|target| join(folder, &target));
        if self.target.as_deref() == Some("/") {
            return Err("invalid mount target \"/\"".to_owned());
        }
        if self.kind == Kind::Cache {
            let target = self.target.clone().unwrap_or_default();
            self.id.get_or_insert(target);
        }
        Ok(())
    }
}

fn boolean(key: &str, value: Option<&str>) -> Result<bool, String> {
    match value {
        None | Some("true" | "1" | "t" | "T" | "TRUE" | "True") => Ok(true),
        Some("false" | "0" | "f" | "F" | "FALSE" | "False") => Ok(false),
        Some(other) => Err(format!("invalid value for {key}: {other}")),
    }
}

/// Bytes of `64m`.
fn bytes(text: &str) -> Result<i64, String> {
    let lower = text.trim().to_ascii_lowercase();
    let end = lower.find(|letter: char| letter.is_ascii_alphabetic());
    let (number, unit) = lower.split_at(end.unwrap_or(lower.len()));
    let shift = match unit {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return Err(format!("invalid size {text:?}")),
    };
    let number: Option<i64> = number.trim().parse().ok();
    let bytes = number.and_then(|number| number.checked_mul(1 << shift));
    bytes.ok_or_else(|| format!("invalid size {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::parse;

    fn options(text: &str) -> Result<Options> {
        let instruction = parse(&format!("RUN --mount={text} ls")).unwrap().remove(0);
        let mut stage = Stage::empty();
        stage.declare("dir", Some("data".to_owned()));
        let (_, text) = &instruction.flags[0];
        read(&stage, &instruction, text)
    }

    #[test]
    fn what_is_not_given_follows_from_the_kind() {
        let bind = options("target=$dir,rw").unwrap();
        assert_eq!((bind.kind, bind.read_only), (Kind::Bind, false));
        assert_eq!(bind.target.as_deref(), Some("/data"));
        let cache = options("type=cache,dst=/c/../d,sharing=private,mode=700").unwrap();
        assert_eq!(
            (cache.id.as_deref(), cache.sharing),
            (Some("/d"), Sharing::Private)
        );
        assert_eq!((cache.mode, cache.read_only), (Some(0o700), false));
        let secret = options("type=secret,id=a/b").unwrap();
        assert_eq!(secret.target.as_deref(), Some("/run/secrets/b"));
        let variable = options("type=secret,id=a,env=A,required").unwrap();
        assert_eq!((variable.target, variable.is_required), (None, true));
        let ssh = options("type=ssh").unwrap();
        assert_eq!((ssh.id.as_deref(), ssh.target), (Some("default"), None));
        assert_eq!(
            options("type=tmpfs,target=/t,size=2m").unwrap().size,
            Some(2 << 20)
        );
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (text, message) in [
            ("type=volume,target=/x", "--mount=type=volume"),
            ("source=x", "no target"),
            ("target=/", "invalid mount target"),
            ("target=/x,sharing=locked", "unexpected key \"sharing\""),
            ("type=cache,target=/x,sharing=some", "unsupported sharing"),
            ("type=secret", "no id"),
            ("type=secret,id=a,from=b", "should not have a from"),
            ("type=tmpfs,target=/x,size=much", "invalid size"),
            ("target=/x,readonly=maybe", "invalid value for readonly"),
        ] {
            let error = options(text).unwrap_err().message;
            assert!(error.contains(message), "{text}: {error}");
            assert!(error.contains("line 1: RUN"), "{text}: {error}");
        }
    }
}
