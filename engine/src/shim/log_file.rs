//! The json-file log: a line of JSON for each line of output.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::LogLimits;
use super::protocol::Stream;

/// A line of the log, as Docker's json-file driver writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    /// The text, with its line break where it had one.
    pub(crate) log: String,
    /// `stdout` or `stderr`.
    pub(crate) stream: String,
    /// RFC 3339 with nanoseconds.
    pub(crate) time: String,
}

/// Pieces longer than this are written as several lines.
const LONGEST: usize = 16 * 1024;

/// Writes a log and rotates it.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    limits: LogLimits,
    file: File,
    size: u64,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl LogFile {
    /// Goes on at the end of a log.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub(super) fn open(path: &Path, limits: LogLimits) -> io::Result<Self> {
        let file = append(path)?;
        Ok(Self {
            path: path.to_owned(),
            limits,
            size: file.metadata()?.len(),
            file,
            stdout: Vec::new(),
            stderr: Vec::new(),
        })
    }

    /// Takes output in; whole lines are written.
    ///
    /// # Errors
    /// When the disk does not take them.
    pub(super) fn write(&mut self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        let mut rest = match stream {
            Stream::Stderr => std::mem::take(&mut self.stderr),
            Stream::Stdout | Stream::Exit => std::mem::take(&mut self.stdout),
        };
        rest.extend_from_slice(bytes);
        let mut text = Vec::new();
        let mut begin = 0;
        while let Some(length) = next_line(&rest[begin..]) {
            line(&mut text, stream, &rest[begin..begin + length])?;
            begin += length;
        }
        rest.drain(..begin);
        match stream {
            Stream::Stderr => self.stderr = rest,
            Stream::Stdout | Stream::Exit => self.stdout = rest,
        }
        self.append(&text)
    }

    /// Writes what has no line break yet: the stream has ended.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        let mut text = Vec::new();
        for stream in [Stream::Stdout, Stream::Stderr] {
            let rest = match stream {
                Stream::Stderr => std::mem::take(&mut self.stderr),
                Stream::Stdout | Stream::Exit => std::mem::take(&mut self.stdout),
            };
            if !rest.is_empty() {
                line(&mut text, stream, &rest)?;
            }
        }
        self.append(&text)
    }

    fn append(&mut self, text: &[u8]) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let is_full = |limit| self.size > 0 && self.size + text.len() as u64 > limit;
        if self.limits.max_size.is_some_and(is_full) {
            self.rotate()?;
        }
        self.file.write_all(text)?;
        self.size += text.len() as u64;
        Ok(())
    }

    /// `log` becomes `log.1`, that `log.2`, and so on; the oldest goes.
    fn rotate(&mut self) -> io::Result<()> {
        let numbered = |number: u32| {
            let mut name = self.path.clone().into_os_string();
            name.push(format!(".{number}"));
            PathBuf::from(name)
        };
        let last = self.limits.max_file.max(1) - 1;
        for number in (1..last).rev() {
            if numbered(number).exists() {
                fs::rename(numbered(number), numbered(number + 1))?;
            }
        }
        if last == 0 {
            self.file.set_len(0)?;
        } else {
            fs::rename(&self.path, numbered(1))?;
            self.file = append(&self.path)?;
        }
        self.size = 0;
        Ok(())
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// Length of the first line with its break, or of as much as is written at once.
fn next_line(bytes: &[u8]) -> Option<usize> {
    let window = &bytes[..bytes.len().min(LONGEST)];
    match window.iter().position(|byte| *byte == b'\n') {
        Some(end) => Some(end + 1),
        None if window.len() == LONGEST => Some(whole_characters(window)),
        None => None,
    }
}

/// Length without a character that is cut off at the end.
fn whole_characters(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => error.valid_up_to(),
        _ => bytes.len(),
    }
}

fn line(text: &mut Vec<u8>, stream: Stream, bytes: &[u8]) -> io::Result<()> {
    let line = Line {
        log: String::from_utf8_lossy(bytes).into_owned(),
        stream: match stream {
            Stream::Stderr => "stderr",
            Stream::Stdout | Stream::Exit => "stdout",
        }
        .to_owned(),
        time: Timestamp::now().to_string(),
    };
    serde_json::to_writer(&mut *text, &line)?;
    text.push(b'\n');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &Path) -> Vec<Line> {
        let text = fs::read_to_string(path).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect()
    }

    #[test]
    fn lines_are_whole_and_the_rest_comes_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut log = LogFile::open(&path, LogLimits::default()).unwrap();
        log.write(Stream::Stdout, b"one\ntw").unwrap();
        log.write(Stream::Stderr, b"oops\n").unwrap();
        log.write(Stream::Stdout, b"o\nrest").unwrap();
        log.finish().unwrap();
        let lines = lines(&path);
        let texts: Vec<_> = lines.iter().map(|line| line.log.as_str()).collect();
        assert_eq!(texts, ["one\n", "oops\n", "two\n", "rest"]);
        assert_eq!(lines[1].stream, "stderr");
    }

    #[test]
    fn full_files_are_rotated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let limits = LogLimits {
            max_size: Some(1),
            max_file: 3,
        };
        let mut log = LogFile::open(&path, limits).unwrap();
        for text in [&b"1\n"[..], b"2\n", b"3\n", b"4\n"] {
            log.write(Stream::Stdout, text).unwrap();
        }
        assert_eq!(lines(&path)[0].log, "4\n");
        assert_eq!(lines(&folder.path().join("log.1"))[0].log, "3\n");
        assert_eq!(lines(&folder.path().join("log.2"))[0].log, "2\n");
        assert!(!folder.path().join("log.3").exists());
    }

    #[test]
    fn long_lines_are_cut_between_characters() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut log = LogFile::open(&path, LogLimits::default()).unwrap();
        let text = format!("a{}", "é".repeat(LONGEST / 2));
        log.write(Stream::Stdout, text.as_bytes()).unwrap();
        log.finish().unwrap();
        let whole: String = lines(&path).into_iter().map(|line| line.log).collect();
        assert_eq!(whole, text);
    }
}
