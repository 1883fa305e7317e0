//! `HostConfig.SecurityOpt`.

use crate::{Error, Result};

/// What the options ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Security {
    /// Whether processes may not gain rights by executing programs.
    pub(crate) no_new_privileges: bool,
    /// Whether every system call is allowed.
    pub(crate) seccomp_unconfined: bool,
    /// The text of a profile in place of the default one.
    pub(crate) seccomp_profile: Option<String>,
    /// Whether no path of `/proc` and `/sys` is masked or read-only.
    pub(crate) system_paths_unconfined: bool,
}

/// Reads the options, written `name=value` or, as in former times, `name:value`.
///
/// # Errors
/// 501 for options and profiles that are not supported.
pub(crate) fn parse(options: &[String]) -> Result<Security> {
    let mut security = Security::default();
    for option in options {
        let (name, value) = match option.split_once('=').or_else(|| option.split_once(':')) {
            Some((name, value)) => (name, value),
            None => (option.as_str(), "true"),
        };
        match (name, value) {
            ("no-new-privileges", "true" | "1") => security.no_new_privileges = true,
            ("no-new-privileges", "false" | "0") => security.no_new_privileges = false,
            ("seccomp", "unconfined") => security.seccomp_unconfined = true,
            ("seccomp", profile) if profile.trim_start().starts_with('{') => {
                security.seccomp_profile = Some(profile.to_owned());
            }
            ("seccomp", "builtin" | "default") => security.seccomp_unconfined = false,
            ("systempaths", "unconfined") => security.system_paths_unconfined = true,
            // Nothing is confined by AppArmor or SELinux.
            ("apparmor", "unconfined") | ("label", "disable") => {}
            _ => return Err(refused(name, value)),
        }
    }
    Ok(security)
}

/// A profile may be long: only its beginning is told.
fn refused(name: &str, value: &str) -> Error {
    let shown: String = value.chars().take(40).collect();
    Error::not_supported(format!("HostConfig.SecurityOpt {name}={shown}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(options: &[&str]) -> Result<Security> {
        let options: Vec<_> = options.iter().map(ToString::to_string).collect();
        parse(&options)
    }

    #[test]
    fn both_ways_of_writing() {
        let security = parsed(&[
            "no-new-privileges",
            "seccomp:unconfined",
            "apparmor=unconfined",
        ]);
        let expected = Security {
            no_new_privileges: true,
            seccomp_unconfined: true,
            seccomp_profile: None,
            system_paths_unconfined: false,
        };
        assert_eq!(security.unwrap(), expected);
        assert!(
            parsed(&["no-new-privileges:true"])
                .unwrap()
                .no_new_privileges
        );
        assert!(
            !parsed(&["no-new-privileges=false"])
                .unwrap()
                .no_new_privileges
        );
    }

    #[test]
    fn profiles_are_text_or_refused_by_name() {
        let error = parsed(&["apparmor=mine"]).unwrap_err();
        assert_eq!(error.status, 501);
        assert!(
            error
                .message
                .starts_with("HostConfig.SecurityOpt apparmor=mine")
        );
        assert_eq!(parsed(&["seccomp=/a.json"]).unwrap_err().status, 501);
        let given = parsed(&["seccomp={\"a\":1}"]).unwrap();
        assert_eq!(given.seccomp_profile.as_deref(), Some("{\"a\":1}"));
    }
}
