//! Which files make up the project, and with which variables, profiles and name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::diagnostic::{Diagnostic, code};
use super::environment::read_env_file;
use super::loader::Loader;
use super::located::Located;
use super::paths;

/// Names of compose files, most wanted first.
const FILE_NAMES: [&str; 4] = [
    "compose.yaml",
    "compose.yml",
    "docker-compose.yml",
    "docker-compose.yaml",
];

/// Names of override files, most wanted first.
const OVERRIDE_NAMES: [&str; 4] = [
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
];

/// What was found before a compose file was read.
pub(crate) struct Discovered {
    /// Absolute folder that relative paths start from.
    pub(crate) folder: PathBuf,
    /// Absolute folder that the project is named after: the same, unless its files came from elsewhere.
    pub(crate) home: PathBuf,
    /// Compose files: absolute, or `-`.
    pub(crate) files: Vec<PathBuf>,
    /// Env files given by the caller, absolute.
    pub(crate) env_files: Vec<PathBuf>,
    /// Variables: shell over env files.
    pub(crate) environment: BTreeMap<String, String>,
    /// Profiles to enable.
    pub(crate) profiles: Vec<String>,
}

/// Finds the files; problems are reported to the loader.
pub(crate) fn discover(loader: &mut Loader<'_>) -> Option<Discovered> {
    let options = loader.options;
    let mut environment = options.shell.clone();
    environment
        .entry("PWD".to_owned())
        .or_insert_with(|| options.working_dir.display().to_string());
    let mut named = Named::of(loader, options.files.iter().map(String::as_str))?;
    let given = given_env_files(loader);
    let first = env_files(loader, &given, &named.local)?;
    read_env_files(loader, &first, &mut environment);
    if named.files.is_empty() {
        named = files_of_environment(loader, &environment)?;
    }
    if named.files.is_empty() {
        let found = search(loader, &project_folder(loader, &[]));
        named = Named {
            local: found.clone(),
            files: found,
            elsewhere: None,
        };
    }
    if named.files.is_empty() {
        loader.problems.push(no_file(loader));
        return None;
    }
    // The compose file may have been found in another folder, with an env file of its own.
    let second = env_files(loader, &given, &named.local)?;
    if second != first {
        read_env_files(loader, &second, &mut environment);
    }
    let profiles = if options.profiles.is_empty() {
        let list = environment.get("COMPOSE_PROFILES").map_or("", |list| list);
        list.split(',').map(|name| name.trim().to_owned()).collect()
    } else {
        options.profiles.clone()
    };
    let home = project_folder(loader, &named.local);
    Some(Discovered {
        folder: named.elsewhere.unwrap_or_else(|| home.clone()),
        home,
        files: named.files,
        env_files: given,
        environment,
        profiles,
    })
}

/// Compose files as they are named.
#[derive(Default)]
struct Named {
    /// Their paths, absolute, or `-`.
    files: Vec<PathBuf>,
    /// Those before the first that came from elsewhere: they tell the project's own folder.
    local: Vec<PathBuf>,
    /// The folder of the first that came from elsewhere: relative paths start from there.
    elsewhere: Option<PathBuf>,
}

impl Named {
    /// Brings what is elsewhere.
    fn of<'n>(loader: &mut Loader<'_>, names: impl Iterator<Item = &'n str>) -> Option<Self> {
        let mut named = Self::default();
        for name in names {
            let path = match loader.located(name, None) {
                Located::Local => absolute(&loader.options.working_dir, Path::new(name)),
                Located::Missing => return None,
                Located::Brought(path) => {
                    let folder = path.parent().map(Path::to_owned);
                    named.elsewhere = named.elsewhere.or(folder);
                    path
                }
            };
            if named.elsewhere.is_none() {
                named.local.push(path.clone());
            }
            named.files.push(path);
        }
        Some(named)
    }
}

/// An absolute, clean path; `-` stays.
fn absolute(folder: &Path, path: &Path) -> PathBuf {
    if path == Path::new("-") {
        return path.to_owned();
    }
    PathBuf::from(paths::clean(&folder.join(path).to_string_lossy()))
}

fn given_env_files(loader: &Loader<'_>) -> Vec<PathBuf> {
    let options = loader.options;
    let named: Vec<PathBuf> = if options.env_files.is_empty() {
        let list = options
            .shell
            .get("COMPOSE_ENV_FILES")
            .map_or("", |list| list);
        list.split(',')
            .filter(|name| !name.is_empty())
            .map(PathBuf::from)
            .collect()
    } else {
        options.env_files.clone()
    };
    named
        .iter()
        .map(|file| absolute(&options.working_dir, file))
        .collect()
}

fn project_folder(loader: &Loader<'_>, files: &[PathBuf]) -> PathBuf {
    let options = loader.options;
    if let Some(folder) = &options.project_directory
        && !folder.as_os_str().is_empty()
    {
        return absolute(&options.working_dir, folder);
    }
    files
        .iter()
        .find(|file| file.as_path() != Path::new("-"))
        .and_then(|file| file.parent())
        .unwrap_or(&options.working_dir)
        .to_owned()
}

/// The env files that are given, else the project's `.env` unless that is switched off.
fn env_files(
    loader: &mut Loader<'_>,
    given: &[PathBuf],
    files: &[PathBuf],
) -> Option<Vec<PathBuf>> {
    if !given.is_empty() {
        return Some(given.to_vec());
    }
    if default_env_file_disabled(loader)? {
        return Some(Vec::new());
    }
    let path = project_folder(loader, files).join(".env");
    Some(if path.is_file() {
        vec![path]
    } else {
        Vec::new()
    })
}

fn read_env_files(
    loader: &mut Loader<'_>,
    env_files: &[PathBuf],
    environment: &mut BTreeMap<String, String>,
) {
    let mut read = BTreeMap::new();
    for file in env_files {
        read_env_file(loader, file, None, environment, &mut read);
    }
    for (name, value) in read {
        environment.entry(name).or_insert(value);
    }
}

fn default_env_file_disabled(loader: &mut Loader<'_>) -> Option<bool> {
    let Some(text) = loader.options.shell.get("COMPOSE_DISABLE_ENV_FILE") else {
        return Some(false);
    };
    match text.as_str() {
        "1" | "t" | "T" | "true" | "True" | "TRUE" => Some(true),
        "0" | "f" | "F" | "false" | "False" | "FALSE" => Some(false),
        _ => {
            loader.problems.push(
                Diagnostic::error(format!(
                    "COMPOSE_DISABLE_ENV_FILE must be true or false, not \"{text}\""
                ))
                .code(code::INVALID_SETTING)
                .help("unset it, or set it to true or false"),
            );
            None
        }
    }
}

fn files_of_environment(
    loader: &mut Loader<'_>,
    environment: &BTreeMap<String, String>,
) -> Option<Named> {
    let Some(list) = environment.get("COMPOSE_FILE") else {
        return Some(Named::default());
    };
    let default = if cfg!(windows) { ";" } else { ":" };
    let separator = environment
        .get("COMPOSE_PATH_SEPARATOR")
        .filter(|separator| !separator.is_empty())
        .map_or(default, String::as_str);
    for name in list.split(separator) {
        let path = absolute(&loader.options.working_dir, Path::new(name));
        if path != Path::new("-") && !paths::is_remote(name) && !path.exists() {
            loader.problems.push(
                Diagnostic::error(format!("{name} does not exist, named by COMPOSE_FILE"))
                    .code(code::FILE_NOT_FOUND)
                    .help(format!("looked for {}", path.display())),
            );
            return None;
        }
    }
    Named::of(loader, list.split(separator))
}

/// Looks in the folder and its parents for the names that compose files have by default.
fn search(loader: &mut Loader<'_>, folder: &Path) -> Vec<PathBuf> {
    for folder in folder.ancestors() {
        let found = existing(folder, &FILE_NAMES);
        let Some(winner) = found.first() else {
            continue;
        };
        warn_of_choice(loader, "config", &found);
        let mut files = vec![winner.clone()];
        let overrides = existing(folder, &OVERRIDE_NAMES);
        warn_of_choice(loader, "override", &overrides);
        files.extend(overrides.into_iter().next());
        return files;
    }
    Vec::new()
}

fn existing(folder: &Path, names: &[&str]) -> Vec<PathBuf> {
    names
        .iter()
        .map(|name| folder.join(name))
        .filter(|path| path.exists())
        .collect()
}

fn warn_of_choice(loader: &mut Loader<'_>, kind: &str, found: &[PathBuf]) {
    let [winner, _, ..] = found else {
        return;
    };
    let list: Vec<String> = found
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    loader.problems.push(
        Diagnostic::warning(format!(
            "found several {kind} files: {}; using {}",
            list.join(", "),
            winner.display()
        ))
        .code(code::SEVERAL_COMPOSE_FILES)
        .help("remove or rename the others, or name the files with -f"),
    );
}

fn no_file(loader: &Loader<'_>) -> Diagnostic {
    Diagnostic::error("no compose file found")
        .code(code::NO_COMPOSE_FILE)
        .help(format!(
            "looked for {} in {} and its parents; name another with -f",
            FILE_NAMES.join(", "),
            project_folder(loader, &[]).display()
        ))
}
