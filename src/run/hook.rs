//! Commands run inside a container after it started and before it stops.

use std::collections::VecDeque;

use bollard::container::LogOutput;
use bollard::exec::StartExecResults;
use bollard::models::ExecConfig;
use bytes::Bytes;
use futures::StreamExt;

use super::Error;
use crate::compose::model::{Environment, Hook};
use crate::connect::Engine;
use crate::report::event::{Event, LogLine, Origin, Sender, Stream, send};

/// Lines and bytes of a failed hook's output that its error shows.
const TAIL_LINES: usize = 10;
const TAIL_BYTES: usize = 2048;

/// Where a hook's output goes.
#[derive(Debug, Clone)]
pub(super) struct Output<'a> {
    /// Log lines are sent here, where anybody reads them.
    pub(super) sender: Option<&'a Sender>,
    /// What they come from.
    pub(super) origin: Origin,
}

/// Runs one hook in a container and waits for its end.
///
/// # Errors
/// When the engine cannot run it, or it ends with another code than 0.
pub(super) async fn run(
    engine: &Engine,
    container: &str,
    service: &str,
    hook: &Hook,
    output: Output<'_>,
) -> Result<(), Error> {
    let config = ExecConfig {
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        cmd: hook.command.clone(),
        user: hook.user.clone(),
        working_dir: hook.working_dir.clone(),
        privileged: hook.privileged.then_some(true),
        env: Some(environment(&hook.environment)),
        ..ExecConfig::default()
    };
    let exec = engine.docker.create_exec(container, config).await?;
    let mut lines = Lines::new(output);
    if let StartExecResults::Attached { mut output, .. } =
        engine.docker.start_exec(&exec.id, None).await?
    {
        while let Some(piece) = output.next().await {
            lines.take(piece?);
        }
    }
    lines.finish();
    let code = engine
        .docker
        .inspect_exec(&exec.id)
        .await?
        .exit_code
        .unwrap_or(0);
    if code == 0 {
        return Ok(());
    }
    Err(failed(&format!("{service} hook"), code, &lines.tail()))
}

/// The error of a command that ended with another code than 0.
pub(super) fn failed(what: &str, code: i64, output: &str) -> Error {
    let end = if output.is_empty() {
        String::new()
    } else {
        format!(": {output}")
    };
    Error::new(format!("{what} exited with status {code}{end}"))
}

/// `NAME=value`, or `NAME` alone where it has no value.
pub(super) fn environment(environment: &Environment) -> Vec<String> {
    environment
        .iter()
        .map(|(name, value)| match value {
            Some(value) => format!("{name}={value}"),
            None => name.clone(),
        })
        .collect()
}

/// Output cut into lines: sent on, and the last ones kept for an error.
pub(super) struct Lines<'a> {
    output: Output<'a>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    last: VecDeque<(Stream, String)>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(output: Output<'a>) -> Self {
        Self {
            output,
            stdout: Vec::new(),
            stderr: Vec::new(),
            last: VecDeque::new(),
        }
    }

    pub(super) fn take(&mut self, piece: LogOutput) {
        let (stream, bytes) = match piece {
            LogOutput::StdErr { message } => (Stream::Stderr, message),
            LogOutput::StdOut { message } | LogOutput::Console { message } => {
                (Stream::Stdout, message)
            }
            LogOutput::StdIn { .. } => return,
        };
        let buffer = match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        buffer.extend_from_slice(&bytes);
        let mut complete = Vec::new();
        while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
            let mut line: Vec<u8> = buffer.drain(..=end).collect();
            line.pop();
            complete.push(line);
        }
        for line in complete {
            self.line(stream, line);
        }
    }

    pub(super) fn finish(&mut self) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let rest = match stream {
                Stream::Stdout => std::mem::take(&mut self.stdout),
                Stream::Stderr => std::mem::take(&mut self.stderr),
            };
            if !rest.is_empty() {
                self.line(stream, rest);
            }
        }
    }

    fn line(&mut self, stream: Stream, mut line: Vec<u8>) {
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        let text = String::from_utf8_lossy(&line).into_owned();
        if !text.trim().is_empty() {
            self.last.push_back((stream, text));
        }
        if let Some(sender) = self.output.sender {
            send(
                sender,
                Event::Log(LogLine {
                    origin: self.output.origin.clone(),
                    stream,
                    timestamp: None,
                    bytes: Bytes::from(line),
                }),
            );
        }
        while self.last.len() > 2 * TAIL_LINES {
            self.last.pop_front();
        }
    }

    /// The last lines of standard error, or of standard output where there are none.
    pub(super) fn tail(&self) -> String {
        let of = |wanted: Stream| -> String {
            let lines: Vec<&str> = self
                .last
                .iter()
                .filter(|(stream, _)| *stream == wanted)
                .map(|(_, line)| line.as_str())
                .collect();
            let first = lines.len().saturating_sub(TAIL_LINES);
            let text = lines[first..].join("\n");
            let excess = text.len().saturating_sub(TAIL_BYTES);
            let start = text
                .char_indices()
                .map(|(index, _)| index)
                .find(|index| *index >= excess);
            text[start.unwrap_or(0)..].trim().to_owned()
        };
        let stderr = of(Stream::Stderr);
        if stderr.is_empty() {
            of(Stream::Stdout)
        } else {
            stderr
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Lines<'static> {
        Lines::new(Output {
            sender: None,
            origin: Origin {
                container: "web-1 ->".to_owned(),
                service: "web".to_owned(),
            },
        })
    }

    #[test]
    fn the_tail_prefers_standard_error() {
        let mut lines = lines();
        lines.take(LogOutput::StdOut {
            message: Bytes::from_static(b"one\ntw"),
        });
        lines.finish();
        assert_eq!(lines.tail(), "one\ntw");
        lines.take(LogOutput::StdErr {
            message: Bytes::from_static(b"bad\r\n"),
        });
        assert_eq!(lines.tail(), "bad");
    }

    #[test]
    fn a_long_tail_is_cut() {
        let mut lines = lines();
        for number in 0..50 {
            lines.take(LogOutput::StdErr {
                message: format!("line {number}\n").into(),
            });
        }
        assert!(lines.tail().starts_with("line 40\n"), "{}", lines.tail());
    }
}
