//! Commands of a shell script, roughly: enough to see which programs run with which arguments.
//!
//! Quotes, escapes, comments and separators are understood; substitutions and compound commands are
//! taken apart where they start a command, and never fail.

use std::iter::Peekable;
use std::ops::Range;
use std::str::CharIndices;

use super::instruction::{Instruction, Keyword};
use super::joined::Joined;
use super::words::Word;

/// What stands between a command and the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// Nothing: it is the first, or the first of a substitution or group.
    Start,
    /// `&&`.
    And,
    /// `||`.
    Or,
    /// `|`.
    Pipe,
    /// `;`, `&` or the end of a line.
    Sequence,
}

/// A command with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// What stands in front of it.
    pub before: Before,
    /// All words, assignments and redirections too; at least one. Places are those in the file.
    pub words: Vec<Word>,
    /// The index of the program's name among the words.
    program: usize,
}

/// Words that stand in front of a command.
const LEADING: [&str; 12] = [
    "if", "then", "elif", "else", "while", "until", "do", "!", "{", "time", "exec", "command",
];
/// Programs that run what follows them.
const WRAPPERS: [&str; 4] = ["env", "sudo", "nice", "nohup"];

impl Command {
    fn new(before: Before, words: Vec<Word>) -> Option<Self> {
        if words.is_empty() {
            return None;
        }
        let mut program = 0;
        let mut wrapped = false;
        while program + 1 < words.len() {
            let text = words[program].text.as_str();
            let is_wrapper = WRAPPERS.contains(&text);
            let is_option = wrapped && text.starts_with('-');
            if !(LEADING.contains(&text) || is_wrapper || is_option || is_assignment(text)) {
                break;
            }
            wrapped |= is_wrapper;
            program += 1;
        }
        Some(Self {
            before,
            words,
            program,
        })
    }

    /// The program, without the folder it is in: `apt-get`.
    pub fn program(&self) -> &str {
        let text = self.words[self.program].text.as_str();
        text.rsplit('/').next().unwrap_or(text)
    }

    /// The place of the program's name.
    pub fn place(&self) -> Range<usize> {
        self.words[self.program].range.clone()
    }

    /// The place of all of it.
    pub fn whole(&self) -> Range<usize> {
        let last = self.words.last().map_or(0, |word| word.range.end);
        self.words[0].range.start..last
    }

    /// What stands behind the program.
    pub fn arguments(&self) -> &[Word] {
        &self.words[self.program + 1..]
    }

    /// What stands in front of the program: assignments, `sudo`.
    pub fn leading(&self) -> &[Word] {
        &self.words[..self.program]
    }

    /// The arguments that are no options.
    pub fn operands(&self) -> impl Iterator<Item = &Word> {
        let is_option = |word: &&Word| word.text.starts_with('-');
        self.arguments().iter().filter(move |word| !is_option(word))
    }

    /// Whether an option is given, in its long form or as a letter of a short one. `long` has its
    /// dashes; a value behind `=` does not count.
    pub fn has_option(&self, long: &str, short: Option<char>) -> bool {
        self.arguments().iter().any(|word| {
            let text = word.text.as_str();
            let letters = text.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
            text.split('=').next() == Some(long)
                || short.is_some_and(|short| letters.is_some_and(|rest| rest.contains(short)))
        })
    }
}

fn is_assignment(text: &str) -> bool {
    let name = text.split_once('=').map_or("", |(name, _)| name);
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && name.chars().all(is_name)
}

impl Instruction {
    /// The commands of a `RUN` in shell form, or of one whose here-document is the script.
    pub fn commands(&self, text: &str) -> Vec<Command> {
        if self.keyword != Keyword::Run || self.json().is_some() {
            return Vec::new();
        }
        let mut found = commands(&self.arguments);
        if !self.runs_documents(&found) {
            return found;
        }
        found.retain(|command| !command.words[0].text.starts_with("<<"));
        for document in &self.documents {
            let body = text.get(document.body.clone()).unwrap_or_default();
            let first = body.lines().next().unwrap_or_default();
            let is_shell = !first.starts_with("#!") || is_shell(first.rsplit(['/', ' ']).next());
            if is_shell {
                found.extend(commands(&Joined::of(body, document.body.start)));
            }
        }
        found
    }

    /// Whether the here-documents are scripts of a shell, not the input of other programs.
    fn runs_documents(&self, commands: &[Command]) -> bool {
        let alone = self.documents.iter().all(|document| document.alone);
        let shell = commands
            .first()
            .is_some_and(|command| is_shell(Some(command.program())));
        !self.documents.is_empty() && (alone || shell)
    }
}

fn is_shell(name: Option<&str>) -> bool {
    matches!(name, Some("sh" | "bash" | "ash" | "dash" | "zsh" | "ksh"))
}

/// The commands of a script.
pub fn commands(script: &Joined) -> Vec<Command> {
    let mut splitter = Splitter {
        script,
        chars: script.text().char_indices().peekable(),
        before: Before::Start,
        words: Vec::new(),
        found: Vec::new(),
    };
    splitter.run();
    splitter.found
}

struct Splitter<'s> {
    script: &'s Joined,
    chars: Peekable<CharIndices<'s>>,
    before: Before,
    words: Vec<Word>,
    found: Vec<Command>,
}

impl Splitter<'_> {
    fn run(&mut self) {
        while let Some(&(_, c)) = self.chars.peek() {
            match c {
                '\n' | ';' => self.separator(Before::Sequence),
                '&' if !self.is_before_redirection() => {
                    self.double('&', Before::And, Before::Sequence);
                }
                '|' => self.double('|', Before::Or, Before::Pipe),
                '(' | ')' | '`' => self.separator(Before::Start),
                '#' => while self.chars.next_if(|(_, c)| *c != '\n').is_some() {},
                _ if c.is_whitespace() => {
                    self.chars.next();
                }
                _ => self.word(),
            }
        }
        self.end(Before::Start);
    }

    /// Ends a command; `before` stands in front of the next.
    fn end(&mut self, before: Before) {
        let words = std::mem::take(&mut self.words);
        self.found.extend(Command::new(self.before, words));
        self.before = before;
    }

    fn separator(&mut self, before: Before) {
        self.chars.next();
        let is_repeated = self.words.is_empty() && before == Before::Sequence;
        // A line may end behind `&&` and go on with the next.
        let before = if is_repeated { self.before } else { before };
        self.end(before);
    }

    fn double(&mut self, c: char, two: Before, one: Before) {
        self.chars.next();
        let is_double = self.chars.next_if(|(_, next)| *next == c).is_some();
        if c == '|' && !is_double {
            // `|&` takes the errors along.
            self.chars.next_if(|(_, next)| *next == '&');
        }
        self.end(if is_double { two } else { one });
    }

    fn word(&mut self) {
        let start = self.chars.peek().map_or(0, |(at, _)| *at);
        let mut end = self.script.text().len();
        let mut text = String::new();
        let mut quote = None;
        while let Some(&(at, c)) = self.chars.peek() {
            let redirects =
                c == '&' && (text.ends_with(['>', '<']) || self.is_before_redirection());
            let ends = c.is_whitespace() || matches!(c, ';' | '&' | '|' | '(' | ')' | '`');
            if quote.is_none() && ends && !redirects {
                end = at;
                break;
            }
            self.chars.next();
            match (c, quote) {
                ('\\', None | Some('"')) => {
                    let next = self.chars.next().map(|(_, next)| next);
                    text.extend(next.filter(|next| *next != '\n'));
                }
                ('"' | '\'', None) => quote = Some(c),
                (c, Some(open)) if c == open => quote = None,
                _ => text.push(c),
            }
        }
        self.words.push(Word {
            text,
            range: self.script.range(start..end),
        });
    }

    /// Whether an `&` starts `&>`.
    fn is_before_redirection(&mut self) -> bool {
        let mut ahead = self.chars.clone();
        ahead.next();
        ahead.next().is_some_and(|(_, c)| c == '>')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Commands as `before program arguments`.
    fn split(text: &str) -> Vec<String> {
        commands(&Joined::of(text, 0))
            .iter()
            .map(|command| {
                let before = match command.before {
                    Before::Start => "",
                    Before::And => "&& ",
                    Before::Or => "|| ",
                    Before::Pipe => "| ",
                    Before::Sequence => "; ",
                };
                let words = command.arguments().iter().map(|word| word.text.as_str());
                let words: Vec<&str> = std::iter::once(command.program()).chain(words).collect();
                format!("{before}{}", words.join("·"))
            })
            .collect()
    }

    #[test]
    fn separators() {
        assert_eq!(
            split("a b&&c ||d; e 2>&1 | f & g &>x\n\nh"),
            ["a·b", "&& c", "|| d", "; e·2>&1", "| f", "; g·&>x", "; h"]
        );
        assert_eq!(split("a &&\n b\n"), ["a", "&& b"]);
    }

    #[test]
    fn quotes_escapes_and_comments() {
        assert_eq!(
            split("echo 'a && b' \"c \\\" ; d\" e\\ f # && g\nh \\\n i"),
            ["echo·a && b·c \" ; d·e f", "; h··i"]
        );
        assert_eq!(split("echo 'open && b"), ["echo·open && b"]);
        assert_eq!(split("\\"), [""]);
    }

    #[test]
    fn what_stands_before_a_program() {
        assert_eq!(
            split("set -e; if ! A=1 sudo -E /usr/bin/apt-get update; then exit; fi"),
            ["set·-e", "; apt-get·update", "; exit", "; fi"]
        );
        assert_eq!(
            split("x=$(curl u) (cd a && b)"),
            ["x=$", "curl·u", "cd·a", "&& b"]
        );
    }

    #[test]
    fn options() {
        let command = commands(&Joined::of("apt-get -qqy install --a=b -- c", 0)).remove(0);
        assert!(command.has_option("--yes", Some('y')));
        assert!(command.has_option("--a", None));
        assert!(!command.has_option("--b", Some('b')));
        let operands: Vec<&str> = command.operands().map(|word| word.text.as_str()).collect();
        assert_eq!(operands, ["install", "c"]);
    }
}
