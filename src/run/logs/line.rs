//! Pieces of a container's log → whole lines with their time.

use bollard::container::LogOutput;
use bytes::{Bytes, BytesMut};
use jiff::Timestamp;

use crate::report::event::Stream;

/// A line longer than this is passed on in parts, so that a container that never ends its line
/// cannot fill the memory.
const LONGEST_LINE: usize = 1 << 20;

/// The engine cuts long lines into pieces of this size and stamps each of them.
const PIECE: usize = 16 * 1024;

/// One line of a container's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// When it was written.
    pub(super) at: Timestamp,
    /// The same time as the engine wrote it.
    pub(super) stamp: String,
    /// Standard output or standard error.
    pub(super) stream: Stream,
    /// The text without its line end.
    pub(super) bytes: Bytes,
}

/// Puts lines together from what the engine sends for `logs` with `timestamps`.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    out: Option<Pending>,
    err: Option<Pending>,
}

#[derive(Debug)]
struct Pending {
    at: Timestamp,
    stamp: String,
    text: BytesMut,
}

impl Assembler {
    /// Takes the next piece and hands out the lines that it ended.
    pub(super) fn push(&mut self, output: LogOutput) -> Vec<Line> {
        let (stream, message) = match output {
            LogOutput::StdErr { message } => (Stream::Stderr, message),
            LogOutput::StdOut { message }
            | LogOutput::Console { message }
            | LogOutput::StdIn { message } => (Stream::Stdout, message),
        };
        let mut lines = Vec::new();
        let slot = match stream {
            Stream::Stderr => &mut self.err,
            Stream::Stdout => &mut self.out,
        };
        add(slot, stream, &message, &mut lines);
        lines
    }

    /// Hands out what was written without a line end.
    pub(super) fn finish(&mut self) -> Vec<Line> {
        let out = self.out.take().map(|rest| rest.into_line(Stream::Stdout));
        let err = self.err.take().map(|rest| rest.into_line(Stream::Stderr));
        out.into_iter().chain(err).collect()
    }
}

fn add(slot: &mut Option<Pending>, stream: Stream, message: &Bytes, lines: &mut Vec<Line>) {
    let Some((at, stamp, text)) = split_stamp(message) else {
        // Not stamped: it can only go on with what is there.
        if let Some(pending) = slot {
            pending.text.extend_from_slice(message);
        }
        return;
    };
    if slot.as_ref().is_some_and(|pending| pending.stamp != stamp) {
        lines.extend(slot.take().map(|rest| rest.into_line(stream)));
    }
    let pending = slot.get_or_insert_with(|| Pending {
        at,
        stamp: stamp.to_owned(),
        text: BytesMut::new(),
    });
    append_pieces(&mut pending.text, text, stamp);
    if pending.text.ends_with(b"\n") || pending.text.len() > LONGEST_LINE {
        lines.extend(slot.take().map(|rest| rest.into_line(stream)));
    }
}

/// Appends `text`, leaving out the stamps that a terminal's log repeats within a long line.
fn append_pieces(target: &mut BytesMut, mut text: &[u8], stamp: &str) {
    while text.len() > PIECE {
        let (piece, rest) = text.split_at(PIECE);
        let Some(rest) = rest
            .strip_prefix(stamp.as_bytes())
            .and_then(|rest| rest.strip_prefix(b" "))
        else {
            break;
        };
        target.extend_from_slice(piece);
        text = rest;
    }
    target.extend_from_slice(text);
}

impl Pending {
    fn into_line(self, stream: Stream) -> Line {
        let mut text = self.text;
        if text.ends_with(b"\n") {
            text.truncate(text.len() - 1);
        }
        if text.ends_with(b"\r") {
            text.truncate(text.len() - 1);
        }
        Line {
            at: self.at,
            stamp: self.stamp,
            stream,
            bytes: text.freeze(),
        }
    }
}

/// `2026-11-21T07:13:09.883207584Z text` → time, its text, `text`.
fn split_stamp(message: &[u8]) -> Option<(Timestamp, &str, &[u8])> {
    let end = message.iter().take(40).position(|byte| *byte == b' ')?;
    let stamp = std::str::from_utf8(&message[..end]).ok()?;
    let at = stamp.parse().ok()?;
    Some((at, stamp, &message[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out(text: &str) -> LogOutput {
        LogOutput::StdOut {
            message: Bytes::copy_from_slice(text.as_bytes()),
        }
    }

    fn texts(lines: &[Line]) -> Vec<String> {
        lines
            .iter()
            .map(|line| String::from_utf8_lossy(&line.bytes).into_owned())
            .collect()
    }

    #[test]
    fn a_line_loses_its_stamp_and_its_end() {
        let mut assembler = Assembler::default();
        let lines = assembler.push(out("2026-11-21T07:13:09.883207584Z hello world\n"));
        assert_eq!(texts(&lines), ["hello world"]);
        assert_eq!(lines[0].stamp, "2026-11-21T07:13:09.883207584Z");
        assert!(assembler.finish().is_empty());
    }

    #[test]
    fn an_empty_line_is_a_line() {
        let lines = Assembler::default().push(out("2026-11-21T07:13:09.883207584Z \n"));
        assert_eq!(texts(&lines), [""]);
    }

    #[test]
    fn pieces_of_a_long_line_are_joined() {
        let mut assembler = Assembler::default();
        assert!(
            assembler
                .push(out("2026-11-21T07:13:09.883207584Z aaa"))
                .is_empty()
        );
        let lines = assembler.push(out("2026-11-21T07:13:09.883207584Z bbb\n"));
        assert_eq!(texts(&lines), ["aaabbb"]);
    }

    #[test]
    fn what_ends_without_a_line_end_stays_its_own_line() {
        let mut assembler = Assembler::default();
        assert!(
            assembler
                .push(out("2026-11-21T07:13:09.883207584Z end"))
                .is_empty()
        );
        let lines = assembler.push(out("2026-11-21T07:13:10.000000000Z next\n"));
        assert_eq!(texts(&lines), ["end", "next"]);
        assembler.push(out("2026-11-21T07:13:11.000000000Z last"));
        assert_eq!(texts(&assembler.finish()), ["last"]);
    }

    #[test]
    fn a_terminal_ends_lines_with_carriage_returns() {
        let lines = Assembler::default().push(LogOutput::Console {
            message: Bytes::from_static(b"2026-11-21T07:13:09.883207584Z hi\r\n"),
        });
        assert_eq!(texts(&lines), ["hi"]);
    }

    #[test]
    fn a_long_line_of_a_terminal_loses_the_stamps_inside() {
        let stamp = "2026-11-21T07:13:09.883207584Z";
        let piece = "x".repeat(PIECE);
        let lines = Assembler::default().push(LogOutput::Console {
            message: Bytes::from(format!("{stamp} {piece}{stamp} end\r\n")),
        });
        assert_eq!(texts(&lines), [format!("{piece}end")]);
    }

    #[test]
    fn standard_error_does_not_mix_into_standard_output() {
        let mut assembler = Assembler::default();
        assembler.push(out("2026-11-21T07:13:09.883207584Z a"));
        let err = assembler.push(LogOutput::StdErr {
            message: Bytes::from_static(b"2026-11-21T07:13:09.883207585Z e\n"),
        });
        assert_eq!(texts(&err), ["e"]);
        assert_eq!(err[0].stream, Stream::Stderr);
        assert_eq!(texts(&assembler.finish()), ["a"]);
    }
}
