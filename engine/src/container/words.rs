//! A container's state as `docker ps` words it.

use std::time::Duration;

use super::handle::Live;
use super::health::Verdict;
use super::record::Status;
use super::start::since;

/// `Up 5 minutes (healthy)`, `Exited (0) 2 hours ago` …
pub(crate) fn status(live: &Live) -> String {
    let state = &live.record.state;
    let ago = || duration(since(&state.finished_at));
    let up = || duration(since(&state.started_at));
    match state.status {
        Status::Created => "Created".to_owned(),
        Status::Running => match live.health.as_ref().map(|health| health.verdict) {
            None => format!("Up {}", up()),
            Some(Verdict::Starting) => format!("Up {} (health: starting)", up()),
            Some(verdict) => format!("Up {} ({})", up(), verdict.as_str()),
        },
        Status::Paused => format!("Up {} (Paused)", up()),
        Status::Restarting => format!("Restarting ({}) {} ago", state.exit_code, ago()),
        Status::Removing => "Removal In Progress".to_owned(),
        Status::Exited => format!("Exited ({}) {} ago", state.exit_code, ago()),
        Status::Dead => "Dead".to_owned(),
    }
}

/// A duration in its largest unit.
fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    let minutes = seconds / 60;
    let hours = (seconds + 1800) / 3600;
    match (seconds, minutes, hours) {
        (0, ..) => "Less than a second".to_owned(),
        (1, ..) => "1 second".to_owned(),
        (2..60, ..) => format!("{seconds} seconds"),
        (_, 1, _) => "About a minute".to_owned(),
        (_, 2..60, _) => format!("{minutes} minutes"),
        (_, _, 1) => "About an hour".to_owned(),
        (_, _, 2..48) => format!("{hours} hours"),
        (_, _, 48..336) => format!("{} days", hours / 24),
        (_, _, 336..1440) => format!("{} weeks", hours / 24 / 7),
        (_, _, 1440..17520) => format!("{} months", hours / 24 / 30),
        _ => format!("{} years", hours / 24 / 365),
    }
}

/// A command line, with single quotes around words that have spaces.
pub(crate) fn command(path: &str, args: &[String]) -> String {
    let quoted = |word: &str| {
        if word.contains(' ') {
            format!("'{word}'")
        } else {
            word.to_owned()
        }
    };
    let words = std::iter::once(path).chain(args.iter().map(String::as_str));
    words.map(quoted).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_rounded_as_docker_does() {
        let words = [
            (0, "Less than a second"),
            (59, "59 seconds"),
            (119, "About a minute"),
            (3599, "59 minutes"),
            (5399, "About an hour"),
            (5400, "2 hours"),
            (172_800, "2 days"),
            (1_209_600, "2 weeks"),
        ];
        for (seconds, text) in words {
            assert_eq!(duration(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn commands_are_quoted() {
        let args = ["-c".to_owned(), "echo a".to_owned()];
        assert_eq!(command("sh", &args), "sh -c 'echo a'");
    }
}
