//! What containers wrote so far.

use bollard::Docker;
use jiff::Timestamp;

use super::cursor::Cursor;
use super::line::Line;
use super::{Lines, Range, Sink, event};
use crate::report::event::Event;
use crate::run::Error;
use crate::run::select::Target;

/// In which order the lines of several containers are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By the time they were written.
    Time,
    /// Container after container.
    Container,
}

/// Sends the logs of `targets` so far. Ends early when nobody reads them any more.
pub async fn history(
    docker: &Docker,
    targets: &[Target],
    range: &Range,
    order: Order,
    sink: &Sink,
) -> Result<(), Error> {
    match order {
        Order::Time => merged(docker, targets, range, sink).await,
        Order::Container => {
            for target in targets {
                merged(docker, std::slice::from_ref(target), range, sink).await?;
            }
            Ok(())
        }
    }
}

/// One container's log with the line that comes next.
struct Source<'a> {
    target: &'a Target,
    lines: Lines,
    head: Option<Line>,
}

async fn merged(
    docker: &Docker,
    targets: &[Target],
    range: &Range,
    sink: &Sink,
) -> Result<(), Error> {
    let opening = targets.iter().map(|target| open(docker, target, range));
    let mut sources = Vec::new();
    for (target, opened) in targets.iter().zip(futures::future::join_all(opening).await) {
        match opened {
            Ok(source) => sources.push(source),
            Err(error) if is_unreadable(&error) => {
                let warning = unreadable(&target.name, &error);
                let _ = sink.send(warning).await;
            }
            Err(error) => return Err(error),
        }
    }
    while let Some(first) = earliest(sources.iter().map(|source| source.head.as_ref())) {
        let source = &mut sources[first];
        let next = source.lines.next().await?;
        if let Some(line) = std::mem::replace(&mut source.head, next) {
            let event = event(&source.target.origin, line, range.timestamps);
            if sink.send(event).await.is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

async fn open<'a>(docker: &Docker, target: &'a Target, range: &Range) -> Result<Source<'a>, Error> {
    let mut lines = Lines::open(docker, &target.id, range, Cursor::default(), false);
    let head = lines.next().await?;
    Ok(Source {
        target,
        lines,
        head,
    })
}

/// The place of the line that was written first; of the first of them where several were.
fn earliest<'a>(heads: impl Iterator<Item = Option<&'a Line>>) -> Option<usize> {
    let times: Vec<(Timestamp, usize)> = heads
        .enumerate()
        .filter_map(|(place, head)| Some((head?.at, place)))
        .collect();
    times.into_iter().min().map(|(_, place)| place)
}

/// Whether the engine keeps no log of the container.
pub(super) fn is_unreadable(error: &Error) -> bool {
    error.message.contains("does not support reading")
}

pub(super) fn unreadable(name: &str, error: &Error) -> Event {
    Event::Warning(format!(
        "cannot show the log of container {name:?}: {error}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::event::Stream;
    use bytes::Bytes;

    fn line(second: i64) -> Line {
        Line {
            at: Timestamp::from_second(second).unwrap_or_default(),
            stamp: String::new(),
            stream: Stream::Stdout,
            bytes: Bytes::new(),
        }
    }

    #[test]
    fn the_earliest_head_comes_first_and_ties_keep_their_order() {
        let heads = [Some(line(3)), None, Some(line(2)), Some(line(2))];
        assert_eq!(earliest(heads.iter().map(Option::as_ref)), Some(2));
        assert_eq!(earliest([None, None].into_iter()), None);
    }
}
