//! Reading the Dockerfiles of a project's services, for looking at them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::compose::model::Service;
use crate::compose::source::{Relation, Source, SourceId};
use crate::compose::{Diagnostic, Span, Written, code};
use crate::lint::{BuildFile, Listing, Use, context_of, path_of};

/// Largest Dockerfile that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Reads the Dockerfiles that the project's services are built from, each once. They become sources of
/// the project; what cannot be read becomes one of its warnings. A missing one is passed over.
pub(crate) fn of_services(written: &mut Written) -> Vec<BuildFile> {
    let mut files: Vec<BuildFile> = Vec::new();
    let mut read: HashMap<PathBuf, Option<usize>> = HashMap::new();
    let services: Vec<Service> = written.project.services.values().cloned().collect();
    for service in services {
        let Some(build) = &service.build else {
            continue;
        };
        let folder = &written.project.working_dir;
        let context = context_of(folder, build);
        let path = path_of(folder, build);
        let user = Use {
            context: context.and_then(|context| listing(&context, path.as_deref())),
            service: service.name.clone(),
        };
        let attribute = |name| ["services", service.name.as_str(), "build", name];
        if let Some(text) = &build.dockerfile_inline {
            let place = written.project.span_of(&attribute("dockerfile_inline"));
            let mut file = BuildFile::inline(&written.sources, place, text);
            file.add_use(user);
            files.push(file);
        } else if let Some(path) = path {
            let place = written.project.span_of(&attribute("dockerfile"));
            let index = *read.entry(path.clone()).or_insert_with(|| {
                let source = add(written, &path, Some(place))?;
                files.push(BuildFile::of_file(&written.sources, source));
                Some(files.len() - 1)
            });
            if let Some(file) = index.and_then(|index| files.get_mut(index)) {
                file.add_use(user);
            }
        }
    }
    files
}

/// Reads Dockerfiles by their paths, without a project. What cannot be read becomes a warning of
/// `written`.
pub(crate) fn named(written: &mut Written, paths: &[PathBuf]) -> Vec<BuildFile> {
    let mut files = Vec::new();
    for path in paths {
        if let Some(source) = add(written, path, None) {
            files.push(BuildFile::of_file(&written.sources, source));
        } else if !path.is_file() {
            let message = format!("there is no file {}", path.display());
            let problem = Diagnostic::error(message).code(code::FILE_NOT_FOUND);
            written.warnings.push(problem);
        }
    }
    files
}

/// Adds a file to the sources. Nothing where it is missing, or cannot be read, which is told.
fn add(written: &mut Written, path: &Path, place: Option<Span>) -> Option<SourceId> {
    let text = match text(path) {
        Ok(text) => text?,
        Err(problem) => {
            let problem = match place {
                Some(place) => problem.at(place),
                None => *problem,
            };
            written.warnings.push(problem);
            return None;
        }
    };
    let folder = &written.project.working_dir;
    let shown = path.strip_prefix(folder).unwrap_or(path);
    Some(written.sources.add(Source {
        name: shown.display().to_string(),
        text,
        parent: place.map(|place| (Relation::Dockerfile, place)),
    }))
}

/// The text of a file; nothing where there is none.
fn text(path: &Path) -> Result<Option<Arc<str>>, Box<Diagnostic>> {
    let shown = path.display();
    let wrong = |code, message: String| Err(Box::new(Diagnostic::error(message).code(code)));
    let Ok(metadata) = std::fs::metadata(path) else {
        return Ok(None);
    };
    if !metadata.is_file() {
        let message = format!("the Dockerfile {shown} is no file");
        return wrong(code::UNREADABLE_FILE, message);
    }
    if metadata.len() > MAX_BYTES {
        let size = MAX_BYTES >> 20;
        let message = format!("the Dockerfile {shown} is larger than {size} MiB");
        return wrong(code::LIMIT, message);
    }
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            let message = format!("the Dockerfile {shown} cannot be read: {error}");
            return wrong(code::UNREADABLE_FILE, message);
        }
    };
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text.into())),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let before = String::from_utf8_lossy(&error.as_bytes()[..valid]);
            let line = before.matches('\n').count() + 1;
            let message = format!("line {line} of the Dockerfile {shown} is not UTF-8 text");
            wrong(code::NOT_UTF8, message)
        }
    }
}

/// What is in a build context; nothing where it cannot be read.
fn listing(context: &Path, dockerfile: Option<&Path>) -> Option<Listing> {
    let entries = std::fs::read_dir(context).ok()?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort_unstable();
    let own = dockerfile.map(|path| {
        let mut name = path.as_os_str().to_owned();
        name.push(".dockerignore");
        PathBuf::from(name)
    });
    let has_own = own.is_some_and(|own| own.is_file());
    Some(Listing {
        has_ignore_file: has_own || names.iter().any(|name| name == ".dockerignore"),
        names,
    })
}
