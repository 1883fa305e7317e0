//! A container's configuration: what was asked for over what its image says.

use std::collections::HashMap;

use bollard_stubs::models::{ContainerConfig, HealthConfig};

use crate::{Error, Result};

/// Fills what was not asked for from the image's configuration, as Docker does.
///
/// # Errors
/// 400 when there is no command then.
pub(crate) fn merge(
    mut asked: ContainerConfig,
    image: &ContainerConfig,
) -> Result<ContainerConfig> {
    text(&mut asked.user, image.user.as_ref());
    text(&mut asked.working_dir, image.working_dir.as_ref());
    text(&mut asked.stop_signal, image.stop_signal.as_ref());
    union(&mut asked.exposed_ports, image.exposed_ports.as_ref());
    union(&mut asked.volumes, image.volumes.as_ref());
    environment(&mut asked.env, image.env.as_ref());
    labels(&mut asked.labels, image.labels.as_ref());
    command(&mut asked, image);
    healthcheck(&mut asked.healthcheck, image.healthcheck.as_ref());
    if asked.shell.as_ref().is_none_or(Vec::is_empty) {
        asked.shell.clone_from(&image.shell);
    }
    if words(&asked).next().is_none() {
        return Err(Error::bad_request("no command specified"));
    }
    Ok(asked)
}

/// Entrypoint and command in one.
pub(crate) fn words(config: &ContainerConfig) -> impl Iterator<Item = &String> {
    config
        .entrypoint
        .iter()
        .flatten()
        .chain(config.cmd.iter().flatten())
}

fn text(asked: &mut Option<String>, image: Option<&String>) {
    if asked.as_deref().unwrap_or_default().is_empty() {
        *asked = image.cloned();
    }
}

fn union(asked: &mut Option<Vec<String>>, image: Option<&Vec<String>>) {
    for value in image.into_iter().flatten() {
        let asked = asked.get_or_insert_default();
        if !asked.contains(value) {
            asked.push(value.clone());
        }
    }
}

fn environment(asked: &mut Option<Vec<String>>, image: Option<&Vec<String>>) {
    let key = |variable: &str| variable.split('=').next().unwrap_or_default().to_owned();
    for variable in image.into_iter().flatten() {
        let asked = asked.get_or_insert_default();
        if !asked.iter().any(|other| key(other) == key(variable)) {
            asked.push(variable.clone());
        }
    }
}

fn labels(asked: &mut Option<HashMap<String, String>>, image: Option<&HashMap<String, String>>) {
    for (key, value) in image.into_iter().flatten() {
        let asked = asked.get_or_insert_default();
        asked.entry(key.clone()).or_insert_with(|| value.clone());
    }
}

/// A new entrypoint makes the image's command void; one empty word takes the image's
/// entrypoint away.
fn command(asked: &mut ContainerConfig, image: &ContainerConfig) {
    if asked.entrypoint.as_ref().is_none_or(Vec::is_empty) {
        if asked.cmd.as_ref().is_none_or(Vec::is_empty) {
            asked.cmd.clone_from(&image.cmd);
        }
        if asked.entrypoint.is_none() {
            asked.entrypoint.clone_from(&image.entrypoint);
        }
    }
    if asked
        .entrypoint
        .as_ref()
        .is_some_and(|words| words.len() == 1 && words[0].is_empty())
    {
        asked.entrypoint = None;
    }
}

fn healthcheck(asked: &mut Option<HealthConfig>, image: Option<&HealthConfig>) {
    let Some(image) = image else { return };
    let Some(asked) = asked else {
        *asked = Some(image.clone());
        return;
    };
    if asked.test.as_ref().is_none_or(Vec::is_empty) {
        asked.test.clone_from(&image.test);
    }
    let number = |asked: &mut Option<i64>, image: Option<i64>| {
        if asked.unwrap_or_default() == 0 {
            *asked = image;
        }
    };
    number(&mut asked.interval, image.interval);
    number(&mut asked.timeout, image.timeout);
    number(&mut asked.retries, image.retries);
    number(&mut asked.start_period, image.start_period);
    number(&mut asked.start_interval, image.start_interval);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "what configurations hold")]
    fn list(words: &[&str]) -> Option<Vec<String>> {
        Some(words.iter().map(|word| (*word).to_owned()).collect())
    }

    fn image() -> ContainerConfig {
        ContainerConfig {
            entrypoint: list(&["/entry"]),
            cmd: list(&["serve"]),
            env: list(&["PATH=/bin", "A=image"]),
            user: Some("nobody".to_owned()),
            exposed_ports: list(&["80/tcp"]),
            ..ContainerConfig::default()
        }
    }

    fn command_of(asked: ContainerConfig) -> Vec<String> {
        words(&merge(asked, &image()).unwrap()).cloned().collect()
    }

    #[test]
    fn commands_combine() {
        assert_eq!(command_of(ContainerConfig::default()), ["/entry", "serve"]);
        let cmd = ContainerConfig {
            cmd: list(&["x"]),
            ..ContainerConfig::default()
        };
        assert_eq!(command_of(cmd), ["/entry", "x"]);
        let entry = ContainerConfig {
            entrypoint: list(&["/e"]),
            ..ContainerConfig::default()
        };
        assert_eq!(command_of(entry), ["/e"]);
        let none = ContainerConfig {
            entrypoint: list(&[]),
            ..ContainerConfig::default()
        };
        assert_eq!(command_of(none), ["serve"]);
        let reset = ContainerConfig {
            entrypoint: list(&[""]),
            cmd: list(&["x"]),
            ..ContainerConfig::default()
        };
        assert_eq!(command_of(reset), ["x"]);
        let nothing = ContainerConfig {
            entrypoint: list(&[""]),
            ..ContainerConfig::default()
        };
        assert_eq!(merge(nothing, &image()).unwrap_err().status, 400);
    }

    #[test]
    fn the_rest_is_filled_in() {
        let asked = ContainerConfig {
            env: list(&["A=mine"]),
            exposed_ports: list(&["81/tcp"]),
            user: Some(String::new()),
            ..ContainerConfig::default()
        };
        let merged = merge(asked, &image()).unwrap();
        assert_eq!(merged.env, list(&["A=mine", "PATH=/bin"]));
        assert_eq!(merged.exposed_ports, list(&["81/tcp", "80/tcp"]));
        assert_eq!(merged.user.as_deref(), Some("nobody"));
    }

    #[test]
    fn health_checks_are_filled_in_part_by_part() {
        let mut asked = Some(HealthConfig {
            interval: Some(5),
            ..HealthConfig::default()
        });
        let image = Some(HealthConfig {
            test: list(&["CMD", "true"]),
            interval: Some(9),
            retries: Some(2),
            ..HealthConfig::default()
        });
        healthcheck(&mut asked, image.as_ref());
        let asked = asked.unwrap();
        assert_eq!((asked.interval, asked.retries), (Some(5), Some(2)));
        assert_eq!(asked.test, list(&["CMD", "true"]));
    }
}
