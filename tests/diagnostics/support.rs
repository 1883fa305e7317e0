//! Cases, and how they are run.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A wrong project.
#[derive(Debug)]
pub(crate) struct Case {
    /// The folder of cases of its kind.
    pub(crate) kind: String,
    /// Its name among those.
    pub(crate) name: String,
    /// Where it is run.
    pub(crate) folder: PathBuf,
    /// Options before the command.
    options: Vec<String>,
}

/// What the program said.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error, without the absolute name of the folder.
    pub(crate) stderr: String,
}

impl Case {
    /// `KIND/NAME`.
    pub(crate) fn title(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }

    /// Runs the program in the case's folder.
    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        let options = self.options.iter().map(String::as_str);
        let all: Vec<&str> = options.chain(arguments.iter().copied()).collect();
        run(&self.folder, &all)
    }
}

/// Runs the program with an empty environment.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Outcome {
    finish(command(folder).args(arguments), folder)
}

/// The program, to be run in a folder with an empty environment.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rcompose"));
    command.current_dir(folder).env_clear();
    command
}

/// Waits for the program.
pub(crate) fn finish(command: &mut Command, folder: &Path) -> Outcome {
    let output = command.output().expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    Outcome {
        code: output.status.code().unwrap_or(-1),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr).replace(&folder.display().to_string(), "[folder]"),
    }
}

/// The folder of all cases.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad")
}

/// All cases, sorted.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for kind in entries(&root()) {
        for path in entries(&kind) {
            cases.extend(case(&name_of(&kind), &path));
        }
    }
    cases
}

fn case(kind: &str, path: &Path) -> Option<Case> {
    let name = name_of(path);
    let (folder, name, options) = if path.is_dir() {
        (path.to_owned(), name, Vec::new())
    } else {
        let stem = name.strip_suffix(".yaml")?.to_owned();
        (path.parent()?.to_owned(), stem, vec!["-f".to_owned(), name])
    };
    Some(Case {
        kind: kind.to_owned(),
        name,
        folder,
        options,
    })
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = folder
        .read_dir()
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Compares with `KIND/NAME.snap`.
pub(crate) fn snapshot(kind: &str, name: &str, text: &str) {
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(root().join(kind));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}
