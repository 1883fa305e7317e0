//! Wall clock, processor time and peak memory of one process.
//!
//! The kernel adds up what the children of a process used, so each measured command gets a parent
//! of its own: this program, started once more.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use crate::Error;

/// First argument that makes this program run and measure a command.
const SERVE: &str = "measure-one";

/// What one run of a command took.
#[derive(Clone, Copy, Default)]
pub(crate) struct Usage {
    /// Seconds from start to exit.
    pub(crate) wall: f64,
    /// Seconds of processor time, user and system.
    pub(crate) cpu: f64,
    /// Largest resident memory in MiB.
    pub(crate) memory: f64,
}

/// Runs `command` with its output in `log`.
///
/// # Errors
/// When it cannot be started or fails; the end of its output is in the message.
pub(crate) fn measure(command: &Command, log: &Path) -> Result<Usage, Error> {
    let result = log.with_extension("usage");
    let output = File::create(log)?;
    let mut helper = Command::new(std::env::current_exe()?);
    helper
        .arg(SERVE)
        .arg(&result)
        .arg(command.get_program())
        .args(command.get_args())
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output);
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => helper.env(name, value),
            None => helper.env_remove(name),
        };
    }
    let status = helper.status()?;
    if !status.success() {
        return Err(failure(command, log).into());
    }
    parse(&fs::read_to_string(result)?).ok_or_else(|| "measuring failed".into())
}

fn failure(command: &Command, log: &Path) -> String {
    let output = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = output.lines().collect();
    let tail = lines[lines.len().saturating_sub(10)..].join("\n  ");
    format!("{command:?} failed:\n  {tail}")
}

fn parse(text: &str) -> Option<Usage> {
    let mut numbers = text.split_whitespace().map(str::parse);
    let mut next = || numbers.next()?.ok();
    Some(Usage {
        wall: next()?,
        cpu: next()?,
        memory: next()?,
    })
}

/// Does the measuring when this program was started for it.
pub(crate) fn serve(arguments: &[String]) -> Option<ExitCode> {
    let [mode, result, program, arguments @ ..] = arguments else {
        return None;
    };
    if mode != SERVE {
        return None;
    }
    let start = Instant::now();
    let status = Command::new(program).args(arguments).status();
    let wall = start.elapsed().as_secs_f64();
    let code = match status {
        Ok(status) => status.code().map_or(255, |code| code as u8),
        Err(error) => {
            eprintln!("cannot start {program}: {error}");
            127
        }
    };
    let written = getrusage(UsageWho::RUSAGE_CHILDREN).is_ok_and(|usage| {
        let cpu = seconds(usage.user_time()) + seconds(usage.system_time());
        let memory = usage.max_rss() as f64 / 1024.0;
        fs::write(result, format!("{wall} {cpu} {memory}")).is_ok()
    });
    Some(ExitCode::from(if written { code } else { 255 }))
}

fn seconds(time: TimeVal) -> f64 {
    time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6
}
