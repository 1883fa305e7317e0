//! One instruction of a Dockerfile.

use std::fmt;
use std::ops::Range;

use super::here_document::HereDocument;
use super::joined::Joined;
use super::words::{Word, words};

/// What an instruction does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the instruction of its name")]
pub enum Keyword {
    Add,
    Arg,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Expose,
    From,
    Healthcheck,
    Label,
    Maintainer,
    Onbuild,
    Run,
    Shell,
    Stopsignal,
    User,
    Volume,
    Workdir,
}

impl Keyword {
    /// Every keyword with its name.
    pub(super) const ALL: [(&'static str, Self); 18] = [
        ("ADD", Self::Add),
        ("ARG", Self::Arg),
        ("CMD", Self::Cmd),
        ("COPY", Self::Copy),
        ("ENTRYPOINT", Self::Entrypoint),
        ("ENV", Self::Env),
        ("EXPOSE", Self::Expose),
        ("FROM", Self::From),
        ("HEALTHCHECK", Self::Healthcheck),
        ("LABEL", Self::Label),
        ("MAINTAINER", Self::Maintainer),
        ("ONBUILD", Self::Onbuild),
        ("RUN", Self::Run),
        ("SHELL", Self::Shell),
        ("STOPSIGNAL", Self::Stopsignal),
        ("USER", Self::User),
        ("VOLUME", Self::Volume),
        ("WORKDIR", Self::Workdir),
    ];

    /// The keyword of a name, in any case.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, keyword)| *keyword)
    }

    /// Its name in upper case.
    pub fn as_str(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, keyword)| *keyword == self)
            .map_or("", |(name, _)| name)
    }

    /// Whether it changes files of the image, and so is a step of the build.
    pub fn is_step(self) -> bool {
        matches!(self, Self::Add | Self::Copy | Self::Run | Self::Workdir)
    }
}

impl fmt::Display for Keyword {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// `--name=value`, or `--name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// Without the dashes.
    pub name: String,
    /// Behind `=`, without quotes.
    pub value: Option<String>,
    /// Its place in the file.
    pub range: Range<usize>,
}

/// `name=value` of an `ARG`, `ENV` or `LABEL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The name, without quotes.
    pub name: String,
    /// The value, without quotes; an `ARG` may have none.
    pub value: Option<String>,
    /// The place of the pair in the file.
    pub range: Range<usize>,
    /// The place of the value in the file, with its quotes; of the end of the name where there is none.
    pub value_range: Range<usize>,
}

/// An instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// What it does.
    pub keyword: Keyword,
    /// The place of its name.
    pub name: Range<usize>,
    /// The place of all of it, with its here-documents, without the last line end.
    pub range: Range<usize>,
    /// The flags behind its name.
    pub flags: Vec<Flag>,
    /// What stands behind the flags, without blanks around it.
    pub arguments: Joined,
    /// Its here-documents.
    pub documents: Vec<HereDocument>,
    /// What escapes a character: `\`, or `` ` `` by directive.
    pub escape: char,
}

impl Instruction {
    /// The value of a flag; empty where it has none.
    pub fn flag(&self, name: &str) -> Option<&str> {
        let flag = self.flags.iter().rev().find(|flag| flag.name == name)?;
        Some(flag.value.as_deref().unwrap_or_default())
    }

    /// All values of a flag that may be given several times.
    pub fn flag_values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let flags = self.flags.iter().filter(move |flag| flag.name == name);
        flags.filter_map(|flag| flag.value.as_deref())
    }

    /// The parts of the JSON form `["a", "b"]`, where it is one.
    pub fn json(&self) -> Option<Vec<String>> {
        let text = self.arguments.text();
        if !text.starts_with('[') {
            return None;
        }
        serde_json::from_str(text).ok()
    }

    /// The words of the arguments; those of the JSON form all have the place of the whole. Places are
    /// those in the file.
    pub fn words(&self) -> Vec<Word> {
        if let Some(parts) = self.json() {
            let range = self.arguments.whole();
            return parts
                .into_iter()
                .map(|text| Word {
                    text,
                    range: range.clone(),
                })
                .collect();
        }
        words(self.arguments.text(), self.escape)
            .into_iter()
            .map(|word| Word {
                range: self.arguments.range(word.range),
                ..word
            })
            .collect()
    }

    /// The names and values of `ARG`, `ENV` and `LABEL`, also of the old form `ENV name value`.
    pub fn pairs(&self) -> Vec<Pair> {
        let text = self.arguments.text();
        let words = words(text, self.escape);
        if let [name, value, ..] = words.as_slice()
            && !text[name.range.clone()].contains('=')
            && self.keyword != Keyword::Arg
        {
            let range = value.range.start..text.len();
            return vec![Pair {
                name: name.text.clone(),
                value: text.get(range.clone()).map(str::to_owned),
                range: self.arguments.range(name.range.start..text.len()),
                value_range: self.arguments.range(range),
            }];
        }
        words
            .iter()
            .map(|word| {
                let raw = text.get(word.range.clone()).unwrap_or_default();
                let behind = raw.find('=').map_or(raw.len(), |at| at + 1);
                let (name, value) = match word.text.split_once('=') {
                    Some((name, value)) => (name, Some(value.to_owned())),
                    None => (word.text.as_str(), None),
                };
                Pair {
                    name: name.to_owned(),
                    value,
                    range: self.arguments.range(word.range.clone()),
                    value_range: self
                        .arguments
                        .range(word.range.start + behind..word.range.end),
                }
            })
            .collect()
    }
}
