//! What happened: `GET /events`, with replay and filters.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use bollard_stubs::models::{
    EventActor, EventMessage, EventMessageScopeEnum, EventMessageTypeEnum,
};
use jiff::Timestamp;
use tokio::sync::broadcast;

/// How many events are kept for `since`, and how many a slow reader may be behind.
const KEPT: usize = 1024;

/// The kind of thing that something happened to.
pub(crate) type Kind = EventMessageTypeEnum;

/// Publishes events and remembers the last ones.
#[derive(Debug)]
pub(crate) struct Events {
    past: Mutex<VecDeque<EventMessage>>,
    sender: broadcast::Sender<EventMessage>,
}

impl Default for Events {
    fn default() -> Self {
        Self {
            past: Mutex::default(),
            sender: broadcast::channel(KEPT).0,
        }
    }
}

impl Events {
    /// Tells that `action` (`create`, `start`, `health_status: healthy` …) happened to the thing
    /// with this id; `attributes` as Docker gives them: `name`, `image`, labels, `exitCode` …
    pub(crate) fn publish(
        &self,
        kind: Kind,
        action: &str,
        id: &str,
        attributes: HashMap<String, String>,
    ) {
        let now = Timestamp::now();
        let event = EventMessage {
            typ: Some(kind),
            action: Some(action.to_owned()),
            actor: Some(EventActor {
                id: Some(id.to_owned()),
                attributes: Some(attributes),
            }),
            scope: Some(EventMessageScopeEnum::LOCAL),
            time: Some(now.as_second()),
            time_nano: i64::try_from(now.as_nanosecond()).ok(),
        };
        // Under the lock, so that a subscriber sees each event either as past or as coming.
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        if past.len() == KEPT {
            past.pop_front();
        }
        past.push_back(event.clone());
        // Nobody listening is no error.
        let _ = self.sender.send(event);
    }

    /// The events from `since` (nanoseconds since 1970) on that are still known, and those to
    /// come: none is missed between the two, none comes twice.
    pub(crate) fn subscribe(
        &self,
        since: Option<i64>,
    ) -> (Vec<EventMessage>, broadcast::Receiver<EventMessage>) {
        let past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        let receiver = self.sender.subscribe();
        let is_wanted =
            |event: &&EventMessage| since.is_some_and(|since| event.time_nano >= Some(since));
        (past.iter().filter(is_wanted).cloned().collect(), receiver)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn past_and_coming_events_join_without_a_gap() {
        let events = Events::default();
        events.publish(Kind::CONTAINER, "create", "a", HashMap::new());
        let (past, mut coming) = events.subscribe(Some(0));
        events.publish(Kind::CONTAINER, "start", "a", HashMap::new());
        assert_eq!(past.len(), 1);
        assert_eq!(coming.try_recv().unwrap().action.as_deref(), Some("start"));
        assert!(coming.try_recv().is_err());
        assert!(events.subscribe(None).0.is_empty());
    }
}
