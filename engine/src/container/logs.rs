//! Reading the json-file log.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{BufMut as _, Bytes, BytesMut};
use futures::stream::{self, Stream};
use jiff::Timestamp;
use serde::Deserialize;

use super::handle::{Handle, blocking};
use super::start::log_path;
use crate::engine::Engine;
use crate::shim::{Link, Notice, Request};
use crate::{Error, Result};

/// How much is read at once, in bytes of the file.
const PIECE: usize = 256 * 1024;

/// What of a log is wanted, and how.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    /// Standard output.
    pub(crate) stdout: bool,
    /// Standard error.
    pub(crate) stderr: bool,
    /// Lines from this time on, in nanoseconds since 1970.
    pub(crate) since: Option<i64>,
    /// Lines until this time.
    pub(crate) until: Option<i64>,
    /// The last lines only.
    pub(crate) tail: Option<usize>,
    /// What comes later too, until the container ends.
    pub(crate) follow: bool,
    /// The time before each line.
    pub(crate) timestamps: bool,
    /// A header before each line that tells its stream.
    pub(crate) multiplexed: bool,
}

#[derive(Deserialize)]
struct Line {
    log: String,
    stream: String,
    time: String,
}

impl Query {
    /// A line as the client wants it; `None` for one that it does not. `Err` when this line and
    /// all later ones are too late.
    fn format(&self, text: &str) -> std::result::Result<Option<Bytes>, TooLate> {
        // What a crash cut off is skipped.
        let Ok(line) = serde_json::from_str::<Line>(text) else {
            return Ok(None);
        };
        let is_error = line.stream == "stderr";
        if self.since.is_some() || self.until.is_some() {
            let time: Option<Timestamp> = line.time.parse().ok();
            let time = time.and_then(|time| i64::try_from(time.as_nanosecond()).ok());
            if time.is_some() && self.until.is_some_and(|until| time > Some(until)) {
                return Err(TooLate);
            }
            if self.since.is_some_and(|since| time < Some(since)) {
                return Ok(None);
            }
        }
        let wanted = if is_error { self.stderr } else { self.stdout };
        if !wanted {
            return Ok(None);
        }
        let time = if self.timestamps {
            format!("{} ", line.time)
        } else {
            String::new()
        };
        let length = time.len() + line.log.len();
        let mut bytes = BytesMut::with_capacity(length + 8);
        if self.multiplexed {
            bytes.put_u32(if is_error { 0x0200_0000 } else { 0x0100_0000 });
            bytes.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
        }
        bytes.put_slice(time.as_bytes());
        bytes.put_slice(line.log.as_bytes());
        Ok(Some(bytes.freeze()))
    }
}

struct TooLate;

/// Reads a log from its beginning, through the files that it was rotated into.
#[derive(Debug)]
struct Reader {
    path: PathBuf,
    /// Older files, the oldest last.
    older: Vec<PathBuf>,
    file: Option<BufReader<File>>,
    query: Query,
    over: bool,
}

impl Reader {
    fn open(path: PathBuf, query: Query) -> Self {
        let numbered = (1..).map(|number| numbered(&path, number));
        let mut older: Vec<PathBuf> = numbered.take_while(|path| path.exists()).collect();
        let first = older.pop();
        let file = File::open(first.as_deref().unwrap_or(&path)).ok();
        if first.is_some() {
            older.insert(0, path.clone());
        }
        Self {
            path,
            older,
            file: file.map(BufReader::new),
            query,
            over: false,
        }
    }

    /// The next whole line; `None` when there is none at the moment.
    fn line(&mut self, line: &mut String) -> io::Result<bool> {
        line.clear();
        loop {
            if self.file.is_none() && !self.reopen()? {
                return Ok(false);
            }
            let Some(file) = &mut self.file else {
                return Ok(false);
            };
            let mut bytes = Vec::new();
            let length = file.read_until(b'\n', &mut bytes)?;
            if bytes.ends_with(b"\n") {
                line.push_str(&String::from_utf8_lossy(&bytes));
                return Ok(true);
            }
            // The end, or a line that is being written: it is read again when it is whole.
            file.seek_relative(-i64::try_from(length).unwrap_or_default())?;
            if !self.next_file()? {
                return Ok(false);
            }
        }
    }

    /// Goes on to the newer file when this one was rotated away; whether there is one.
    fn next_file(&mut self) -> io::Result<bool> {
        if let Some(next) = self.older.pop() {
            self.file = File::open(next).ok().map(BufReader::new);
            return Ok(true);
        }
        let Some(file) = &mut self.file else {
            return Ok(false);
        };
        let here = file.get_ref().metadata()?;
        let Ok(there) = std::fs::metadata(&self.path) else {
            return Ok(false);
        };
        if here.ino() != there.ino() {
            self.file = None;
            return self.reopen();
        }
        if there.len() < file.stream_position()? {
            file.seek(SeekFrom::Start(0))?;
            return Ok(there.len() > 0);
        }
        Ok(false)
    }

    fn reopen(&mut self) -> io::Result<bool> {
        match File::open(&self.path) {
            Ok(file) => self.file = Some(BufReader::new(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    /// The next piece in the form that is wanted; empty when there is no more at the moment.
    fn piece(&mut self) -> io::Result<Bytes> {
        let (mut piece, mut line, mut read) = (BytesMut::new(), String::new(), 0);
        while !self.over && (read < PIECE || piece.is_empty()) && self.line(&mut line)? {
            read += line.len();
            match self.query.format(&line) {
                Ok(Some(bytes)) => piece.put(bytes),
                Ok(None) => {}
                Err(TooLate) => self.over = true,
            }
        }
        Ok(piece.freeze())
    }

    /// The last lines of what is there.
    fn tail(&mut self, count: usize) -> io::Result<Bytes> {
        let mut last = VecDeque::new();
        let mut line = String::new();
        while !self.over && self.line(&mut line)? {
            match self.query.format(&line) {
                Ok(Some(bytes)) => last.push_back(bytes),
                Ok(None) => {}
                Err(TooLate) => self.over = true,
            }
            if last.len() > count {
                last.pop_front();
            }
        }
        let mut piece = BytesMut::new();
        for bytes in last {
            piece.put(bytes);
        }
        Ok(piece.freeze())
    }
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

/// Reading and, where it is followed, the shim's notices.
struct Following {
    reader: Option<Reader>,
    link: Option<Link>,
}

/// The log as a stream of pieces.
///
/// # Errors
/// 501 for containers without a log.
pub(crate) async fn read(
    engine: &Arc<Engine>,
    handle: &Arc<Handle>,
    query: Query,
) -> Result<impl Stream<Item = Result<Bytes>> + Send + 'static> {
    let record = handle.record();
    let log = record.host_config.log_config.as_ref();
    if log.and_then(|log| log.typ.as_deref()) == Some("none") {
        let message = "configured logging driver does not support reading";
        return Err(Error::not_supported(message));
    }
    // Before anything is read, so that nothing is missed in between.
    let mut link = None;
    if query.follow && record.state.is_up() {
        let run = engine.layout.container_run(&handle.id);
        link = Link::ask(&run, &Request::Watch).await.ok();
    }
    let path = log_path(engine, &handle.id);
    let tail = query.tail;
    let (first, reader) = blocking(move || {
        let mut reader = Reader::open(path, query);
        let first = tail.map(|count| reader.tail(count)).transpose();
        let first = first.map_err(|error| Error::io("read", &reader.path, error))?;
        Ok((first, reader))
    })
    .await?;
    let following = Following {
        reader: Some(reader),
        link,
    };
    let first = first.filter(|bytes| !bytes.is_empty()).map(Ok);
    let rest = stream::unfold(following, async |mut following| {
        let piece = following.next().await?;
        Some((piece, following))
    });
    Ok(futures::StreamExt::chain(stream::iter(first), rest))
}

impl Following {
    /// The next piece; `None` at the end.
    async fn next(&mut self) -> Option<Result<Bytes>> {
        loop {
            match self.piece().await {
                Ok(piece) if !piece.is_empty() => return Some(Ok(piece)),
                Ok(_) => {}
                Err(error) => {
                    self.reader = None;
                    self.link = None;
                    return Some(Err(error));
                }
            }
            let is_over = self.reader.as_ref().is_none_or(|reader| reader.over);
            let link = self.link.as_mut().filter(|_| !is_over)?;
            let until = self.reader.as_ref().and_then(|reader| reader.query.until);
            let notice = tokio::time::timeout(left(until), link.notice()).await;
            // After the end what is in the file still is read once more.
            if !matches!(notice, Ok(Some(Notice::Log))) {
                self.link = None;
            }
        }
    }

    async fn piece(&mut self) -> Result<Bytes> {
        let Some(mut reader) = self.reader.take() else {
            return Ok(Bytes::new());
        };
        let (piece, reader) = blocking(move || {
            let piece = reader.piece();
            let piece = piece.map_err(|error| Error::io("read", &reader.path, error))?;
            Ok((piece, reader))
        })
        .await?;
        self.reader = Some(reader);
        Ok(piece)
    }
}

/// How long it is until a time, in nanoseconds since 1970; very long without one.
fn left(until: Option<i64>) -> std::time::Duration {
    let long = std::time::Duration::from_secs(365 * 86_400);
    let Some(until) = until else { return long };
    let now = Timestamp::now().as_nanosecond();
    let left = u64::try_from(i128::from(until) - now).unwrap_or_default();
    std::time::Duration::from_nanos(left)
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write as _;

    use super::*;

    fn write(path: &Path, lines: &[(&str, &str, u32)]) {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .unwrap();
        for (stream, text, second) in lines {
            writeln!(
                file,
                r#"{{"log":"{text}\n","stream":"{stream}","time":"1970-01-01T00:00:{second:02}Z"}}"#
            )
            .unwrap();
        }
    }

    fn query() -> Query {
        Query {
            stdout: true,
            stderr: true,
            ..Query::default()
        }
    }

    fn text(bytes: &Bytes) -> String {
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[test]
    fn lines_are_chosen_and_formatted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        write(
            &path,
            &[
                ("stdout", "one", 1),
                ("stderr", "two", 2),
                ("stdout", "three", 3),
            ],
        );
        let read = |query: Query| {
            let mut reader = Reader::open(path.clone(), query.clone());
            match query.tail {
                Some(count) => text(&reader.tail(count).unwrap()),
                None => text(&reader.piece().unwrap()),
            }
        };
        assert_eq!(read(query()), "one\ntwo\nthree\n");
        assert_eq!(
            read(Query {
                stderr: false,
                ..query()
            }),
            "one\nthree\n"
        );
        assert_eq!(
            read(Query {
                tail: Some(1),
                ..query()
            }),
            "three\n"
        );
        assert_eq!(
            read(Query {
                tail: Some(0),
                ..query()
            }),
            ""
        );
        assert_eq!(
            read(Query {
                since: Some(2_000_000_000),
                ..query()
            }),
            "two\nthree\n"
        );
        assert_eq!(
            read(Query {
                until: Some(1_000_000_000),
                ..query()
            }),
            "one\n"
        );
        let stamped = read(Query {
            timestamps: true,
            tail: Some(1),
            ..query()
        });
        assert_eq!(stamped, "1970-01-01T00:00:03Z three\n");
        let framed = read(Query {
            multiplexed: true,
            tail: Some(2),
            ..query()
        });
        assert_eq!(
            framed,
            "\u{2}\0\0\0\0\0\0\u{4}two\n\u{1}\0\0\0\0\0\0\u{6}three\n"
        );
    }

    #[test]
    fn rotated_files_are_read_from_the_oldest_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        write(&numbered(&path, 2), &[("stdout", "1", 1)]);
        write(&numbered(&path, 1), &[("stdout", "2", 2)]);
        write(&path, &[("stdout", "3", 3)]);
        let mut reader = Reader::open(path.clone(), query());
        assert_eq!(text(&reader.piece().unwrap()), "1\n2\n3\n");
        // Rotated while it is followed.
        write(&path, &[("stdout", "4", 4)]);
        std::fs::rename(&path, numbered(&path, 1)).unwrap();
        write(&path, &[("stdout", "5", 5)]);
        assert_eq!(text(&reader.piece().unwrap()), "4\n5\n");
        // Emptied, as with one file only.
        std::fs::write(&path, "").unwrap();
        assert_eq!(text(&reader.piece().unwrap()), "");
        write(&path, &[("stdout", "6", 6)]);
        assert_eq!(text(&reader.piece().unwrap()), "6\n");
    }

    #[test]
    fn a_line_is_read_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, r#"{"log":"a\n","stream":"stdout","#).unwrap();
        let mut reader = Reader::open(path.clone(), query());
        assert_eq!(text(&reader.piece().unwrap()), "");
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        writeln!(file, r#""time":"1970-01-01T00:00:00Z"}}"#).unwrap();
        assert_eq!(text(&reader.piece().unwrap()), "a\n");
    }
}
