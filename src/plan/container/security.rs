//! `security_opt`.

use std::collections::BTreeMap;

use super::super::error::PlanError;
use crate::compose::model::Service;

const SYSTEM_PATHS_UNCONFINED: &str = "systempaths=unconfined";

/// `security_opt` as the engine takes it.
pub(super) struct Security {
    pub(super) options: Vec<String>,
    /// Whether `/proc` and `/sys` are left unmasked.
    pub(super) unconfined: bool,
}

/// Files with seccomp profiles that `security_opt` names; the engine wants their content.
pub fn seccomp_files(service: &Service) -> Vec<String> {
    service
        .security_opt
        .iter()
        .filter_map(|option| seccomp_file(option))
        .map(str::to_owned)
        .collect()
}

fn seccomp_file(option: &str) -> Option<&str> {
    let (name, value) = option.split_once('=').or_else(|| option.split_once(':'))?;
    (name == "seccomp" && value != "unconfined" && value != "builtin").then_some(value)
}

/// `profiles` holds the content of [`seccomp_files`].
pub(super) fn security(
    service: &Service,
    profiles: &BTreeMap<String, String>,
) -> Result<Security, PlanError> {
    let mut options = Vec::new();
    let mut unconfined = false;
    for option in &service.security_opt {
        if option == SYSTEM_PATHS_UNCONFINED {
            unconfined = true;
        } else if let Some(file) = seccomp_file(option) {
            options.push(format!("seccomp={}", profile(file, profiles)?));
        } else {
            options.push(option.clone());
        }
    }
    Ok(Security {
        options,
        unconfined,
    })
}

fn profile(file: &str, profiles: &BTreeMap<String, String>) -> Result<String, PlanError> {
    let text = profiles
        .get(file)
        .ok_or_else(|| PlanError::new(format!("seccomp profile {file} was not read")))?;
    let value: serde_json::Value = serde_json::from_str(text)
        .map_err(|error| PlanError::new(format!("seccomp profile {file} is not JSON: {error}")))?;
    Ok(value.to_string())
}
