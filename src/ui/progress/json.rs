//! Progress as one JSON object for each change.

use serde::Serialize;

use super::words;
use crate::report::event::Step;

/// The members and their order are those of docker compose; empty ones are left out.
#[derive(Serialize)]
struct Message<'a> {
    #[serde(rename = "dry-run", skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    text: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    status: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    current: u64,
    #[serde(skip_serializing_if = "is_zero")]
    total: u64,
    #[serde(skip_serializing_if = "is_zero")]
    percent: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// `{"id":"Container web-1","status":"Created"}` and a newline.
pub fn line(step: &Step, dry_run: bool) -> String {
    let (text, status) = words(step);
    let (current, total) = step
        .progress
        .map_or((0, 0), |progress| (progress.current, progress.total));
    let message = Message {
        dry_run,
        id: &step.id,
        parent_id: step.parent.as_deref(),
        text,
        status,
        current,
        total,
        percent: current.saturating_mul(100).checked_div(total).unwrap_or(0),
    };
    // Text and numbers always serialise.
    serde_json::to_string(&message).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::event::Progress;

    #[test]
    fn empty_members_are_left_out() {
        assert_eq!(
            line(&Step::done("Container web-1", "Created"), false),
            "{\"id\":\"Container web-1\",\"status\":\"Created\"}\n"
        );
    }

    #[test]
    fn layers_tell_how_far_they_are() {
        let mut layer = Step::working("1a2b", "Downloading").part_of("web");
        layer.progress = Some(Progress {
            current: 1,
            total: 3,
        });
        assert_eq!(
            line(&layer, true),
            "{\"dry-run\":true,\"id\":\"1a2b\",\"parent_id\":\"web\",\"text\":\"Downloading\",\
             \"current\":1,\"total\":3,\"percent\":33}\n"
        );
    }
}
