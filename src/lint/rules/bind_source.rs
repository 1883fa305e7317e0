//! `missing-file`: files of the project that are mounted or read and do not exist.

use std::path::Path;

use crate::compose::model::{Mount, MountType, Service};
use crate::compose::{Diagnostic, Span};
use crate::lint::finding::Report;
use crate::lint::input::Input;
use crate::lint::path_of;

pub(in crate::lint) fn check(input: &Input<'_>, report: &mut Report) {
    for service in input.services() {
        for (index, mount) in service.volumes.iter().enumerate() {
            mounted(input, report, service, mount, index);
        }
        for (index, file) in service.env_file.iter().enumerate() {
            let span = input.item(&service.name, &["env_file"], index, "path");
            if file.required && is_missing(input, &file.path, span) {
                report.add(
                    Diagnostic::warning(format!(
                        "env file {} of service \"{}\" does not exist: \"up\" fails",
                        shown(input, &file.path),
                        service.name
                    ))
                    .at(span)
                    .help("create it, or write it with `required: false`"),
                );
            }
        }
    }
    objects(input, report);
    dockerfiles(input, report);
}

/// Dockerfiles of services.
fn dockerfiles(input: &Input<'_>, report: &mut Report) {
    for service in input.services() {
        let build = service.build.as_ref();
        let path = build.and_then(|build| path_of(&input.project().working_dir, build));
        let path = path.as_deref().and_then(Path::to_str);
        let span = input.attribute(&service.name, &["build", "dockerfile"]);
        if let Some(path) = path.filter(|path| is_missing(input, path, span)) {
            report.add(
                Diagnostic::warning(format!(
                    "{}, the Dockerfile of service \"{}\", does not exist: \"build\" fails",
                    shown(input, path),
                    service.name
                ))
                .at(span)
                .help("create it, or check `build.context` and `build.dockerfile`"),
            );
        }
    }
}

fn mounted(input: &Input<'_>, report: &mut Report, service: &Service, mount: &Mount, index: usize) {
    let Some(source) = mount.source.as_deref() else {
        return;
    };
    let span = input.item(&service.name, &["volumes"], index, "source");
    if mount.kind != MountType::Bind || !is_missing(input, source, span) {
        return;
    }
    let creates = mount
        .bind
        .as_ref()
        .is_some_and(|bind| bind.create_host_path);
    let is_file = is_file(source) && mount.target.as_deref().is_some_and(is_file);
    let (effect, help) = match (creates, is_file) {
        (true, true) => (
            "the engine makes a folder in its place",
            "create the file, or check the path",
        ),
        (true, false) => return,
        (false, _) => ("\"up\" fails", "create it, or check the path"),
    };
    report.add(
        Diagnostic::warning(format!(
            "{}, mounted by service \"{}\", does not exist: {effect}",
            shown(input, source),
            service.name
        ))
        .at(span)
        .help(help),
    );
}

/// Files of secrets and configs.
fn objects(input: &Input<'_>, report: &mut Report) {
    let project = input.project();
    let secrets = project
        .secrets
        .iter()
        .map(|entry| ("secret", "secrets", entry));
    let configs = project
        .configs
        .iter()
        .map(|entry| ("config", "configs", entry));
    for (noun, section, (key, object)) in secrets.chain(configs) {
        let Some(file) = object.file.as_deref().filter(|_| !object.external) else {
            continue;
        };
        let span = project.span_of(&[section, key, "file"]);
        if is_missing(input, file, span) {
            report.add(
                Diagnostic::warning(format!(
                    "file {} of {noun} \"{key}\" does not exist",
                    shown(input, file)
                ))
                .at(span)
                .help("create it, or check the path"),
            );
        }
    }
}

/// Whether a path of the project, written as it is, leads nowhere.
fn is_missing(input: &Input<'_>, path: &str, span: Span) -> bool {
    let is_own = Path::new(path).starts_with(&input.project().working_dir);
    is_own && !input.is_templated(span) && !(input.exists)(Path::new(path))
}

/// Whether a path looks like that of a file: `nginx.conf`, not `conf.d`, `.cache` or `data`.
fn is_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let Some((stem, extension)) = name.rsplit_once('.') else {
        return false;
    };
    let is_extension = (2..=5).contains(&extension.len())
        && extension.bytes().all(|byte| byte.is_ascii_lowercase());
    !stem.is_empty() && is_extension
}

/// A path relative to the project's folder.
fn shown<'p>(input: &Input<'_>, path: &'p str) -> std::path::Display<'p> {
    let path = Path::new(path);
    path.strip_prefix(&input.project().working_dir)
        .unwrap_or(path)
        .display()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files() {
        for path in ["/a/nginx.conf", "b.yml", "init.sql", "my.cnf"] {
            assert!(is_file(path), "{path}");
        }
        for path in ["/etc/conf.d", "/data", "/.cache", "/app/v1.2", "/"] {
            assert!(!is_file(path), "{path}");
        }
    }
}
