//! Limits of a process (`ulimits`).

use bollard_stubs::models::ResourcesUlimits;
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
use serde_json::{Value, json};

use crate::{Error, Result};

const NAMES: &[(&str, Resource)] = &[
    ("as", Resource::RLIMIT_AS),
    ("core", Resource::RLIMIT_CORE),
    ("cpu", Resource::RLIMIT_CPU),
    ("data", Resource::RLIMIT_DATA),
    ("fsize", Resource::RLIMIT_FSIZE),
    ("locks", Resource::RLIMIT_LOCKS),
    ("memlock", Resource::RLIMIT_MEMLOCK),
    ("msgqueue", Resource::RLIMIT_MSGQUEUE),
    ("nice", Resource::RLIMIT_NICE),
    ("nofile", Resource::RLIMIT_NOFILE),
    ("nproc", Resource::RLIMIT_NPROC),
    ("rss", Resource::RLIMIT_RSS),
    ("rtprio", Resource::RLIMIT_RTPRIO),
    ("rttime", Resource::RLIMIT_RTTIME),
    ("sigpending", Resource::RLIMIT_SIGPENDING),
    ("stack", Resource::RLIMIT_STACK),
];

/// The OCI runtime specification's `process.rlimits`. Where this process cannot raise a hard
/// limit (`raises`), what is wanted is lowered to it.
///
/// # Errors
/// 400 for a limit that does not exist or whose soft value is above its hard one.
pub(crate) fn rlimits(wanted: &[ResourcesUlimits], raises: bool) -> Result<Vec<Value>> {
    wanted.iter().map(|limit| rlimit(limit, raises)).collect()
}

fn rlimit(wanted: &ResourcesUlimits, raises: bool) -> Result<Value> {
    let name = wanted.name.as_deref().unwrap_or_default();
    let known = NAMES.iter().find(|(known, _)| *known == name);
    let (_, resource) =
        known.ok_or_else(|| Error::bad_request(format!("invalid ulimit type: {name}")))?;
    let hard = amount(wanted.hard);
    let soft = amount(wanted.soft);
    if soft > hard {
        return Err(Error::bad_request(format!(
            "ulimit soft limit must be less than or equal to hard limit: {soft} > {hard}"
        )));
    }
    let most = match getrlimit(*resource) {
        Ok((_, hard)) if !raises => hard,
        _ => RLIM_INFINITY,
    };
    Ok(json!({
        "type": format!("RLIMIT_{}", name.to_uppercase()),
        "hard": hard.min(most),
        "soft": soft.min(most),
    }))
}

/// Negative numbers mean that there is no limit.
fn amount(wanted: Option<i64>) -> u64 {
    u64::try_from(wanted.unwrap_or_default()).unwrap_or(RLIM_INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(name: &str, soft: i64, hard: i64) -> [ResourcesUlimits; 1] {
        [ResourcesUlimits {
            name: Some(name.to_owned()),
            soft: Some(soft),
            hard: Some(hard),
        }]
    }

    #[test]
    fn numbers_and_no_limit() {
        let limits = rlimits(&wanted("nofile", 10, 20), true).unwrap();
        assert_eq!(
            limits[0],
            json!({"type": "RLIMIT_NOFILE", "hard": 20, "soft": 10})
        );
        let limits = rlimits(&wanted("core", -1, -1), true).unwrap();
        assert_eq!(limits[0]["hard"], json!(u64::MAX));
    }

    #[test]
    fn hard_limits_that_cannot_be_raised_hold() {
        let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        let limits = rlimits(&wanted("nofile", -1, -1), false).unwrap();
        assert_eq!(limits[0]["hard"], json!(hard));
        assert_eq!(limits[0]["soft"], json!(hard));
    }

    #[test]
    fn wrong_ones_are_refused() {
        assert_eq!(
            rlimits(&wanted("files", 1, 1), true).unwrap_err().status,
            400
        );
        assert_eq!(
            rlimits(&wanted("nofile", 2, 1), true).unwrap_err().status,
            400
        );
    }
}
