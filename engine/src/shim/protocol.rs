//! What passes over a shim's socket.
//!
//! A connection begins with one line of JSON from the daemon, a [`Request`], answered by one
//! line, a [`Reply`]. After `attach` and `exec` frames follow towards the daemon, and bytes for
//! standard input towards the shim, until that side is closed. After `watch` lines of
//! [`Notice`] follow.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What the daemon asks for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// Notices until the container has ended.
    Watch,
    /// The container's own stdio.
    Attach(AttachRequest),
    /// Another process in the container.
    Exec(ExecRequest),
    /// A new size of a terminal; `exec` names an exec instance, otherwise the container's own.
    Resize {
        /// Id of the exec instance.
        exec: Option<String>,
        /// Columns.
        width: u16,
        /// Rows.
        height: u16,
    },
    /// A signal to the container's first process, or to that of an exec instance.
    Signal {
        /// Id of the exec instance.
        exec: Option<String>,
        /// Number of the signal.
        signal: i32,
    },
    /// Freezes (`true`) or thaws all processes.
    Freeze(bool),
}

/// Which streams a client wants.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct AttachRequest {
    /// Write to standard input.
    pub(crate) stdin: bool,
    /// Read standard output (all output where there is a terminal).
    pub(crate) stdout: bool,
    /// Read standard error.
    pub(crate) stderr: bool,
}

/// Another process in the container.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ExecRequest {
    /// Id of the exec instance.
    pub(crate) id: String,
    /// The OCI runtime specification's `process` object, in a file.
    pub(crate) process: PathBuf,
    /// Whether it has a terminal.
    pub(crate) tty: bool,
    /// Which streams are connected; none of them where it runs detached.
    pub(crate) streams: AttachRequest,
    /// Columns and rows of the terminal.
    pub(crate) size: Option<(u16, u16)>,
}

/// The answer to a request.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reply {
    /// Done; the process id where one was started.
    Done {
        /// As the host numbers it.
        pid: Option<i32>,
    },
    /// Not done.
    Failed {
        /// Why.
        message: String,
        /// What a shell would exit with: 126 not executable, 127 not found.
        code: Option<i64>,
    },
}

/// What a `watch` connection is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Notice {
    /// There is more in the log file.
    Log,
    /// The container has ended and its exit record is written.
    Exited,
}

/// Where bytes come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Standard output, or the terminal.
    Stdout,
    /// Standard error.
    Stderr,
    /// Not bytes of the process: its exit code as decimal digits; the last frame.
    Exit,
}

/// A piece of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Where it comes from.
    pub(crate) stream: Stream,
    /// The bytes.
    pub(crate) bytes: bytes::Bytes,
}

/// Length of a frame's header, which is that of the API's multiplexed streams: the stream's
/// number, three zeros, the length as 32 bits, big-endian.
pub(crate) const HEADER: usize = 8;

impl Stream {
    fn number(self) -> u8 {
        match self {
            Self::Stdout => 1,
            Self::Stderr => 2,
            Self::Exit => 255,
        }
    }

    fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Stdout),
            2 => Some(Self::Stderr),
            255 => Some(Self::Exit),
            _ => None,
        }
    }
}

/// The header of a frame.
pub(crate) fn header(stream: Stream, length: usize) -> [u8; HEADER] {
    let length = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    let [a, b, c, d] = length;
    [stream.number(), 0, 0, 0, a, b, c, d]
}

/// The stream and length of a header; `None` when it is no such header.
pub(crate) fn parse_header(header: [u8; HEADER]) -> Option<(Stream, usize)> {
    let [number, 0, 0, 0, a, b, c, d] = header else {
        return None;
    };
    let length = u32::from_be_bytes([a, b, c, d]);
    Some((Stream::from_number(number)?, usize::try_from(length).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_come_back() {
        let header = header(Stream::Stderr, 258);
        assert_eq!(header, [2, 0, 0, 0, 0, 0, 1, 2]);
        assert_eq!(parse_header(header), Some((Stream::Stderr, 258)));
        assert_eq!(parse_header([7, 0, 0, 0, 0, 0, 0, 0]), None);
    }
}
