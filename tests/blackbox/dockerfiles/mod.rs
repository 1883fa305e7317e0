//! Every folder of `fixtures/dockerfiles` is built, and what comes of it compared with its `expected.txt`, which Docker's
//! BuildKit has written: files with their modes, owners, links, contents and times, and the image's configuration.
//!
//! `RCOMPOSE_UPDATE=1 RCOMPOSE_TEST_ENGINE=/path/of/dockerd cargo test --test blackbox -- dockerfiles` writes them anew. What that
//! Docker is too old for, `RCOMPOSE_TEST_FRONTEND=/path/of/dockerfile-frontend` builds on it: BuildKit's own, of a later version.
//!
//! A case may have a `web.sh`, whose files `http://127.0.0.1:18080/CASE/` serves, and with `x-agent: yes` an ssh agent.

mod beside;
mod image;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use serde_json::Value;

use crate::support::engine::{images_of, repository};
use crate::support::project::Project;
use image::Image;

/// The time of every file that a case does not give another one.
const TIME: &str = "@1577836800";
/// Newer ones are of the checkout.
const NEWEST: &str = "@1700000000";

/// One folder.
struct Case {
    name: String,
    folder: PathBuf,
    compose: String,
}

impl Case {
    fn all() -> Vec<Self> {
        let root = repository().join("fixtures/dockerfiles");
        let entries = std::fs::read_dir(&root).expect("fixtures/dockerfiles is there");
        let mut cases: Vec<Self> = entries
            .map(|entry| {
                let folder = entry.expect("fixtures/dockerfiles can be read").path();
                let compose = std::fs::read_to_string(folder.join("compose.yaml"));
                Self {
                    name: folder
                        .file_name()
                        .unwrap_or_default()
                        .to_string_lossy()
                        .into_owned(),
                    folder,
                    compose: compose
                        .unwrap_or_else(|_| "services: {it: {build: ./context}}\n".to_owned()),
                }
            })
            .collect();
        cases.sort_by(|one, other| one.name.cmp(&other.name));
        cases
    }

    /// A word of the compose file's extensions.
    fn setting(&self, name: &str) -> Option<&str> {
        let mut lines = self.compose.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        Some(value.trim().trim_matches('"'))
    }

    /// The least version of Docker that builds it.
    fn least(&self) -> &str {
        self.setting("x-least").unwrap_or("20.10")
    }

    /// Paths that are not compared, with everything below.
    fn ignored(&self) -> Vec<&str> {
        let list = self.setting("x-ignore").unwrap_or_default();
        let list = list.trim_matches(['[', ']']).split(',');
        list.map(str::trim)
            .filter(|path| !path.is_empty())
            .collect()
    }

    /// A copy of the folder, with modes and times that do not depend on the checkout.
    fn project(&self) -> Project {
        let mut project = Project::empty("dockerfile");
        project.set("WORD", "swordfish");
        project.file("compose.yaml", &self.compose);
        let script = format!(
            "set -eu\ncp -a {from}/context .\nchmod -R u=rwX,go=rX context\ncd context\n\
             [ ! -e {from}/prepare.sh ] || sh {from}/prepare.sh\n\
             find . -newermt {NEWEST} -exec touch -h -d {TIME} {{}} +",
            from = self.folder.display()
        );
        let made = Command::new("sh")
            .args(["-c", &script])
            .current_dir(project.path())
            .status();
        assert!(made.is_ok_and(|status| status.success()), "{}", self.name);
        project
    }

    /// Builds it, with a frontend of BuildKit if one is given, and tells what came of it; the error is for people.
    fn told(
        &self,
        start: SystemTime,
        with_history: bool,
        frontend: Option<&str>,
    ) -> Result<String, String> {
        let mut project = self.project();
        let agent = self.setting("x-agent");
        let _agent = agent.map(|_| beside::Agent::start(&mut project));
        let argument = frontend.map(|image| format!("BUILDKIT_SYNTAX={image}"));
        let mut arguments = vec!["build"];
        if let Some(argument) = &argument {
            arguments.extend(["--build-arg", argument]);
        }
        let built = project.rcompose(&arguments);
        if built.code != 0 {
            return Err(format!("is not built:\n{}{}", built.stdout, built.stderr));
        }
        let name = format!("{}-it", project.name);
        let base = self.base().map(|base| Image::saved(&project, &base));
        let image = Image::saved(&project, &name);
        let told = image.told(base.as_ref(), start, &self.ignored(), with_history);
        project.engine().docker(&["rmi", "--force", &name]);
        Ok(told)
    }

    /// The image of this machine that the last stage begins with, whatever stages are between.
    fn base(&self) -> Option<String> {
        let text = std::fs::read_to_string(self.folder.join("context/Dockerfile")).ok()?;
        let of_scratch = text
            .lines()
            .rfind(|line| line.to_lowercase().starts_with("from "))?
            .contains("scratch");
        let name = if text.contains("rcompose-fixtures/debian:12") {
            "rcompose-fixtures/debian:12"
        } else {
            "rcompose-fixtures/system:1"
        };
        (!of_scratch).then(|| name.to_owned())
    }
}

/// Numbers of a version.
fn version(text: &str) -> Vec<u32> {
    let numbers = text.split('.').map_while(|part| part.parse().ok());
    numbers.collect()
}

/// The engine's version; `None` for the bundled one, which has everything.
fn engine_version() -> Option<Vec<u32>> {
    if crate::support::engine::is_bundled() {
        return None;
    }
    let engine = crate::support::engine::engine();
    Some(version(&engine.docker(&[
        "version",
        "--format",
        "{{.Server.Version}}",
    ])))
}

#[test]
fn every_dockerfile_makes_what_docker_makes() {
    let engine = engine_version();
    let wanted = std::env::var("RCOMPOSE_DOCKERFILES").unwrap_or_default();
    // Older ones word history otherwise.
    let with_history = engine
        .as_ref()
        .is_none_or(|engine| *engine >= version("28.0"));
    let updates = std::env::var_os("RCOMPOSE_UPDATE").is_some();
    assert!(
        !updates || (engine.is_some() && with_history),
        "Docker of 28.0 or later writes what is expected"
    );
    images_of("dockerfiles");
    let cases = Case::all();
    let _web = beside::web(&cases);
    let frontend = beside::frontend();
    // Steps of one case may be known of another.
    let start = SystemTime::now();
    let mut passed = 0;
    let mut wrong = Vec::new();
    for case in cases {
        if !case.name.contains(&wanted) {
            continue;
        }
        let is_new = engine
            .as_ref()
            .is_some_and(|engine| *engine < version(case.least()));
        let frontend = frontend.filter(|_| is_new);
        if is_new && frontend.is_none() {
            eprintln!("{}: needs Docker {}", case.name, case.least());
            continue;
        }
        let file = case.folder.join("expected.txt");
        match case.told(start, with_history, frontend) {
            Err(error) => wrong.push(format!("{} {error}", case.name)),
            Ok(told) if updates => std::fs::write(&file, told).expect("expected.txt is written"),
            Ok(told) => match difference(&file, &told, with_history) {
                None => passed += 1,
                Some(lines) => wrong.push(format!("{}:\n{lines}", case.name)),
            },
        }
    }
    eprintln!("{passed} Dockerfiles make what is expected");
    assert!(
        wrong.is_empty(),
        "{} differ\n\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Lines that are in one alone; `-` expected, `+` made.
fn difference(file: &Path, told: &str, with_history: bool) -> Option<String> {
    let expected = std::fs::read_to_string(file).unwrap_or_default();
    // Older Docker tells no history that is alike, and gives folders no times.
    let lines = |text: &str| -> Vec<String> {
        let lines = text.lines();
        let lines = lines.filter(|line| with_history || !line.starts_with("history "));
        lines
            .map(|line| {
                if with_history {
                    line.to_owned()
                } else {
                    without_folder_time(line)
                }
            })
            .collect()
    };
    let (expected, told) = (lines(&expected), lines(told));
    let missing = expected.iter().filter(|line| !told.contains(line));
    let more = told.iter().filter(|line| !expected.contains(line));
    let lines: Vec<String> = missing
        .map(|line| format!("  - {line}"))
        .chain(more.map(|line| format!("  + {line}")))
        .collect();
    if lines.is_empty() && expected == told {
        return None;
    }
    Some(if lines.is_empty() {
        format!("  another order:\n{}", told.join("\n"))
    } else {
        lines.join("\n")
    })
}

/// A line without the time, if it is of a folder.
fn without_folder_time(line: &str) -> String {
    match line.rsplit_once(" @") {
        Some((rest, _)) if rest.starts_with('/') && rest.contains(" d ") => rest.to_owned(),
        _ => line.to_owned(),
    }
}

/// A value without what is empty and what rcompose adds; `None` where nothing is left.
fn trimmed(value: &Value) -> Option<Value> {
    let is_own = |key: &str| {
        ["com.docker.compose.", "io.rcompose."]
            .iter()
            .any(|own| key.starts_with(own))
    };
    match value {
        Value::Null | Value::Bool(false) => None,
        Value::Number(number) if number.as_i64() == Some(0) => None,
        Value::String(text) if text.is_empty() => None,
        Value::Array(list) if list.is_empty() => None,
        Value::Object(object) => {
            let pairs = object.iter().filter(|(key, _)| !is_own(key));
            // Volumes and ports are keys of nothing, labels may be empty.
            let pairs = pairs.filter_map(|(key, value)| match value {
                Value::Object(inner) if inner.is_empty() => Some((key.clone(), value.clone())),
                Value::String(_) => Some((key.clone(), value.clone())),
                value => Some((key.clone(), trimmed(value)?)),
            });
            let mut kept: serde_json::Map<String, Value> = pairs.collect();
            kept.sort_keys();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        other => Some(other.clone()),
    }
}
