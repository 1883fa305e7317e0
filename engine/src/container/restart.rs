//! Restart policies.

use std::time::Duration;

use bollard_stubs::models::{RestartPolicy, RestartPolicyNameEnum};

/// The first pause before a container is started again; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A container that ran this long begins with the first pause again.
const SETTLED: Duration = Duration::from_secs(10);

/// Whether a container that ended is to be started again. `restarts`: how often it was already;
/// `by_hand`: whether a person stopped it.
pub(crate) fn is_wanted(
    policy: Option<&RestartPolicy>,
    code: i64,
    restarts: i64,
    by_hand: bool,
) -> bool {
    let Some(policy) = policy else { return false };
    let most = policy.maximum_retry_count.unwrap_or_default();
    match policy.name {
        Some(RestartPolicyNameEnum::ALWAYS | RestartPolicyNameEnum::UNLESS_STOPPED) => !by_hand,
        Some(RestartPolicyNameEnum::ON_FAILURE) => {
            !by_hand && code != 0 && (most == 0 || restarts < most)
        }
        _ => false,
    }
}

/// Whether a container that is not running is to be started when the engine comes up.
pub(crate) fn is_wanted_at_boot(
    policy: Option<&RestartPolicy>,
    was_up: bool,
    by_hand: bool,
) -> bool {
    match policy.and_then(|policy| policy.name) {
        Some(RestartPolicyNameEnum::ALWAYS) => was_up || by_hand,
        Some(RestartPolicyNameEnum::UNLESS_STOPPED | RestartPolicyNameEnum::ON_FAILURE) => {
            was_up && !by_hand
        }
        _ => false,
    }
}

/// The pause before the next start; `before`: the last one, `ran`: how long the container ran.
pub(crate) fn pause(before: Option<Duration>, ran: Duration) -> Duration {
    match before {
        Some(before) if ran < SETTLED => (before * 2).min(LONGEST_PAUSE),
        _ => FIRST_PAUSE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(name: RestartPolicyNameEnum, most: i64) -> RestartPolicy {
        RestartPolicy {
            name: Some(name),
            maximum_retry_count: Some(most),
        }
    }

    #[test]
    fn pauses_double_until_the_container_settles() {
        let short = Duration::from_secs(1);
        let mut before = None;
        let mut pauses = Vec::new();
        for _ in 0..12 {
            before = Some(pause(before, short));
            pauses.extend(before.map(|pause| pause.as_millis()));
        }
        assert_eq!(pauses[..4], [100, 200, 400, 800]);
        assert_eq!(pauses[11], 60_000);
        assert_eq!(pause(before, Duration::from_secs(10)), FIRST_PAUSE);
    }

    #[test]
    fn policies_decide() {
        let always = policy(RestartPolicyNameEnum::ALWAYS, 0);
        assert!(is_wanted(Some(&always), 0, 99, false));
        assert!(!is_wanted(Some(&always), 0, 0, true));
        let twice = policy(RestartPolicyNameEnum::ON_FAILURE, 2);
        assert!(is_wanted(Some(&twice), 1, 1, false));
        assert!(!is_wanted(Some(&twice), 1, 2, false));
        assert!(!is_wanted(Some(&twice), 0, 0, false));
        assert!(!is_wanted(
            Some(&policy(RestartPolicyNameEnum::NO, 0)),
            1,
            0,
            false
        ));
        assert!(!is_wanted(None, 1, 0, false));
    }

    #[test]
    fn stopped_containers_stay_stopped_at_boot() {
        let unless = policy(RestartPolicyNameEnum::UNLESS_STOPPED, 0);
        assert!(is_wanted_at_boot(Some(&unless), true, false));
        assert!(!is_wanted_at_boot(Some(&unless), false, true));
        let always = policy(RestartPolicyNameEnum::ALWAYS, 0);
        assert!(is_wanted_at_boot(Some(&always), false, true));
    }
}
