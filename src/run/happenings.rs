//! What happens to the containers of a project, as the engine tells it.

use std::collections::{BTreeMap, HashMap};

use bollard::Docker;
use bollard::models::EventMessage;
use bollard::query_parameters::EventsOptionsBuilder;
use futures::{Stream, StreamExt as _};
use jiff::Timestamp;

use super::Error;
use super::logs::parse_time;
use crate::report::Happening;

const PREFIX: &str = "com.docker.compose.";

/// From when to when; open where `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Window {
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Window {
    /// Reads `--since` and `--until`.
    ///
    /// # Errors
    /// When one of them is no time.
    pub fn parse(since: Option<&str>, until: Option<&str>) -> Result<Self, Error> {
        Ok(Self {
            since: moment("--since", since)?,
            until: moment("--until", until)?,
        })
    }
}

fn moment(option: &str, text: Option<&str>) -> Result<Option<Timestamp>, Error> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    parse_time(text, Timestamp::now()).map(Some).ok_or_else(|| {
        Error::new(format!("\"{text}\" is no time for {option}"))
            .remedy("use a timestamp such as 2026-01-02T15:04:05Z, or a duration such as 42m")
    })
}

/// Follows what happens to the containers of a project, those made by `run` left out. Ends at
/// the end of the window.
pub fn follow(
    docker: &Docker,
    project: &str,
    window: Window,
) -> impl Stream<Item = Result<Happening, Error>> {
    let filters = HashMap::from([
        ("type".to_owned(), vec!["container".to_owned()]),
        (
            "label".to_owned(),
            vec![format!("{PREFIX}project={project}")],
        ),
    ]);
    let mut options = EventsOptionsBuilder::default().filters(&filters);
    if let Some(since) = window.since {
        options = options.since(&seconds(since));
    }
    if let Some(until) = window.until {
        options = options.until(&seconds(until));
    }
    docker
        .events(Some(options.build()))
        .filter_map(async |event| match event {
            Ok(message) => happening(message).map(Ok),
            Err(error) => Some(Err(error.into())),
        })
}

/// Seconds since 1970 with nanoseconds, as the engine takes them.
fn seconds(time: Timestamp) -> String {
    format!("{}.{:09}", time.as_second(), time.subsec_nanosecond())
}

fn happening(message: EventMessage) -> Option<Happening> {
    let actor = message.actor?;
    let mut attributes: BTreeMap<String, String> =
        actor.attributes.unwrap_or_default().into_iter().collect();
    let mut label = |name: &str| attributes.remove(&format!("{PREFIX}{name}"));
    let service = label("service").unwrap_or_default();
    if label("oneoff").as_deref() == Some("True") {
        return None;
    }
    attributes.retain(|name, _| !name.starts_with(PREFIX));
    let time = match message.time_nano {
        Some(nanoseconds) if nanoseconds != 0 => {
            Timestamp::from_nanosecond(i128::from(nanoseconds))
        }
        _ => Timestamp::from_second(message.time.unwrap_or_default()),
    };
    Some(Happening {
        time: time.unwrap_or_default(),
        service,
        container: actor.id.unwrap_or_default(),
        action: message.action.unwrap_or_default(),
        attributes,
    })
}

#[cfg(test)]
mod tests {
    use bollard::models::EventActor;

    use super::*;

    fn message(attributes: &[(&str, &str)]) -> EventMessage {
        EventMessage {
            action: Some("die".into()),
            actor: Some(EventActor {
                id: Some("12".into()),
                attributes: Some(
                    attributes
                        .iter()
                        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                        .collect(),
                ),
            }),
            time_nano: Some(1_500_000_000),
            ..EventMessage::default()
        }
    }

    #[test]
    fn labels_of_compose_are_left_out() {
        let event = happening(message(&[
            ("com.docker.compose.service", "web"),
            ("com.docker.compose.oneoff", "False"),
            ("com.docker.compose.project", "p"),
            ("exitCode", "0"),
        ]));
        let Some(event) = event else {
            panic!("no event");
        };
        assert_eq!(event.service, "web");
        assert_eq!(event.time.as_millisecond(), 1500);
        assert_eq!(event.attributes.len(), 1);
    }

    #[test]
    fn one_offs_are_left_out() {
        assert_eq!(
            happening(message(&[("com.docker.compose.oneoff", "True")])),
            None
        );
    }

    #[test]
    fn times_are_checked() {
        assert!(Window::parse(Some("yesterday-ish"), None).is_err());
        assert!(Window::parse(Some("2026-01-02T15:04:05Z"), Some("5m")).is_ok());
    }
}
