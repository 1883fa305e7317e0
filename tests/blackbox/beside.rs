//! Docker compose and rcompose side by side: the same command lines, each tool on a project of its own of the same file. Exit
//! codes, what is printed and whether anything is said beside it have to agree, apart from ids, times and sizes.
//!
//! A line that is meant to differ is in [`MEANT`], and docs/differences.md says why.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::support::peer::docker_compose;
use crate::support::process::Outcome;
use crate::support::project::{IMAGE, Project};
use crate::support::registry::Registry;

/// What of the answers is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    /// Exit code, standard output, and whether standard error has an error.
    All,
    /// The same, the lines in any order.
    Unordered,
    /// Exit code and whether there is an error.
    Code,
}

use Look::{All, Code, Unordered};

const COMPOSE: &str = r"
services:
  web:
    image: IMAGE
    command: demo sleep
    ports: ['127.0.0.1::80', '127.0.0.1::53/udp']
    volumes: ['data:/data']
    environment: {A: '${A:-a}'}
    labels: {l: v}
    depends_on: [db]
  db:
    image: IMAGE
    command: demo sleep
    healthcheck: {test: 'true', interval: 1s}
  job: {image: IMAGE, command: demo exit 3}
  say: {image: IMAGE, command: [sh, -c, 'sleep 2; echo said; exit 4']}
  soon: {image: IMAGE, command: demo exit 5 2500}
  extra: {image: IMAGE, command: demo sleep, profiles: [more]}
configs: {c: {content: text}}
volumes: {data: {}, spare: {}}
networks: {default: {}, lonely: {}}
";

/// Lines of a sequence, run in this order, and what of their answers is compared. In them, `P` is the project's name.
type Lines = &'static [(&'static str, Look)];

const LISTS: Lines = &[
    ("up --detach web job", Code),
    // Its health would be looked at before or after the first probe.
    ("up --detach --wait db", Code),
    ("ps", All),
    ("ps --all", All),
    ("ps --all --quiet", Unordered),
    ("ps --services", All),
    ("ps --all --services", All),
    ("ps --all --status exited", All),
    ("ps --status paused", All),
    ("ps --status nosuch", Code),
    ("ps --filter status=running", All),
    ("ps --filter nosuch=running", Code),
    ("ps --filter wrong", Code),
    ("ps --no-trunc", All),
    ("ps --format json web", All),
    ("ps --format '{{.Name}} {{.State}} {{.Service}}' --all", All),
    ("ps --format 'table {{.Service}}\\t{{.State}}' --all", All),
    ("ps --format '{{.Nosuch}}'", Code),
    ("ps web", All),
    ("ps nosuch", All),
    ("ps extra", All),
    ("--profile more ps extra", All),
    ("ps --orphans=false", All),
    ("images", All),
    ("images --quiet", All),
    ("images --format json", Unordered),
    ("images --format '{{.Repository}}'", Code),
    ("images web", All),
    ("images nosuch", All),
    ("top web", Unordered),
    ("top web job", Unordered),
    ("top nosuch", All),
    ("top job", All),
    ("volumes", All),
    ("volumes --quiet", All),
    ("volumes --format json", All),
    ("volumes --format '{{.Name}}'", All),
    ("volumes --format 'table {{.Name}}\\t{{.Driver}}'", All),
    ("volumes web", All),
    ("volumes db", All),
    ("volumes nosuch", All),
    ("ls --filter name=P", All),
    ("ls --filter name=P --quiet", All),
    ("ls --filter name=P --format json", All),
    ("ls --filter name=nosuch", All),
    ("ls --filter name=P --all", All),
    ("ls --filter nosuch=P", Code),
    ("ls --format nosuch", Code),
    ("ls surplus", Code),
    ("stats --no-stream --format '{{.Name}}'", Unordered),
    ("stats --no-stream --format '{{.Name}}' web", All),
    (
        "stats --no-stream --format '{{.Container}} {{.PIDs}}' web",
        All,
    ),
    ("stats --no-stream --no-trunc --format '{{.ID}}' db", All),
    ("stats --no-stream --all --format '{{.Name}}'", Unordered),
    ("stats --no-stream --format json db", Code),
    ("stats --no-stream nosuch", All),
    ("stats --no-stream web db", Code),
    ("port web 80", All),
    ("port web 53", All),
    ("port --protocol udp web 53", All),
    ("port web 99", All),
    ("port --index 1 web 80", All),
    ("port --index 2 web 80", All),
    ("port db 80", All),
    ("port nosuch 80", All),
    ("port web", Code),
    ("port web x", Code),
    ("port web 99999", Code),
    ("port --protocol sctp web 80", All),
    ("logs --no-log-prefix job", All),
    ("logs nosuch", All),
    ("events --until 1s --since 1h --json nosuch", Code),
    ("version --short surplus", Code),
    ("version --format nosuch", Code),
    ("kill job", All),
    ("kill nosuch", All),
    ("restart nosuch", All),
    ("start nosuch", All),
    ("stop nosuch", All),
    ("rm --force nosuch", All),
    ("exec nosuch true", All),
    ("exec job true", All),
    ("exec web sh -c 'exit 7'", All),
    ("exec -T web echo text", All),
    ("exec --index 3 web true", All),
    ("exec web", Code),
    ("run --rm nosuch", All),
    ("run --rm --no-deps web sh -c 'echo text; exit 8'", All),
    ("up --detach nosuch", All),
    ("create nosuch", All),
    ("pull nosuch", All),
    ("build nosuch", All),
    ("push nosuch", All),
    ("nosuch", Code),
    ("ps --nosuch", Code),
    ("down nosuch", All),
    ("down --timeout 0 --volumes", All),
    ("down", All),
    ("ps", All),
    ("ls --filter name=P --all", All),
    ("top", All),
    ("images", All),
    ("volumes", All),
    ("port web 80", All),
    ("stop", All),
    ("start", All),
    ("restart", All),
    ("kill", All),
    ("rm --force", All),
    ("pause", All),
    ("unpause", All),
    ("logs", All),
    ("stats --no-stream", All),
    ("wait web", All),
    ("attach web", All),
    ("exec web true", All),
    ("export --output x.tar web", All),
    ("commit web", All),
    ("cp web:/etc/passwd .", All),
];

const CHANGES: Lines = &[
    ("create --no-build web", All),
    ("ps --all", All),
    ("create --force-recreate --no-recreate web", Code),
    ("create --build --no-build web", Code),
    ("create --pull never --quiet-pull web", All),
    ("create --pull nosuch web", Code),
    ("create --scale db=2 db", All),
    ("create --scale db db", Code),
    ("create --scale nosuch=2", Code),
    ("create --force-recreate --scale db=2 db", Unordered),
    ("ps --all --format '{{.Name}} {{.State}}'", All),
    ("up --detach --scale db=1 web", Code),
    ("scale db=2", All),
    ("scale db=2 web=1", All),
    ("scale --no-deps web=2", All),
    ("ps --format '{{.Name}}'", All),
    ("scale web=1 db=1", All),
    ("scale db", Code),
    ("scale db=x", Code),
    ("scale db=-1", Code),
    ("scale nosuch=1", Code),
    ("scale", Code),
    ("pause db", All),
    ("pause db", All),
    ("ps --status paused --format '{{.Name}}'", All),
    ("exec db true", Code),
    ("pause job", All),
    ("pause nosuch", All),
    ("unpause db", All),
    ("unpause db", All),
    ("unpause nosuch", All),
    ("commit web", Code),
    ("commit web P:made", All),
    (
        "commit --pause=false --author me --message why --change 'CMD [\"x\"]' web P:made2",
        All,
    ),
    ("commit --index 2 web", All),
    ("commit --change wrong web P:made3", Code),
    ("commit web UPPER", Code),
    ("commit nosuch", All),
    ("commit", Code),
    ("export --output web.tar web", All),
    ("export --output nosuch/web.tar web", All),
    ("export --index 4 --output web.tar web", All),
    ("export nosuch --output x.tar", All),
    ("export", Code),
    ("cp in.txt web:/tmp/in.txt", All),
    ("exec web cat /tmp/in.txt", All),
    ("cp web:/tmp/in.txt out.txt", All),
    ("cp --index 1 web:/tmp/in.txt out.txt", All),
    ("cp --index 9 web:/tmp/in.txt out.txt", All),
    ("cp --all in.txt web:/tmp/two.txt", All),
    ("cp --archive in.txt web:/tmp/three.txt", All),
    ("cp --follow-link web:/tmp/in.txt out.txt", All),
    ("cp web:/nosuch .", All),
    ("cp nosuch.txt web:/tmp", All),
    ("cp in.txt web:/nosuch/in.txt", All),
    ("cp in.txt nosuch:/tmp", All),
    ("cp nosuch:/tmp .", All),
    ("cp in.txt out.txt", All),
    ("cp web:/tmp db:/tmp", All),
    ("cp in.txt", Code),
    ("attach --no-stdin nosuch", All),
    ("attach --index 5 --no-stdin web", All),
    ("attach", Code),
    ("up --detach say", Code),
    ("attach --no-stdin say", All),
    ("attach --no-stdin say", All),
    ("up --detach soon", Code),
    ("wait soon", All),
    ("wait soon", All),
    ("wait nosuch", All),
    ("wait", Code),
    ("up --detach soon", Code),
    ("wait --down-project soon", All),
    ("ps --all", All),
];

const FILES: Lines = &[
    ("config", All),
    ("config --format json", All),
    ("config --format nosuch", Code),
    ("config --quiet", All),
    ("config --services", Unordered),
    ("--profile more config --services", Unordered),
    ("config --images", Unordered),
    ("config --images web", Unordered),
    ("config --volumes", Unordered),
    ("config --networks", Unordered),
    ("config --models", All),
    ("config --profiles", All),
    ("config --hash '*'", Unordered),
    ("config --hash web", All),
    ("config --hash nosuch", Code),
    ("config --environment", Code),
    ("config --variables", All),
    ("config --variables --format json", All),
    ("config --no-interpolate", All),
    ("config --no-normalize", All),
    ("config --no-path-resolution", All),
    ("config --no-consistency", All),
    ("config --no-env-resolution", All),
    ("config --output made.yaml", All),
    ("config web", All),
    ("config db job", All),
    ("config nosuch", All),
    ("config extra", All),
    ("--all-resources config", All),
    ("--all-resources config --volumes", Unordered),
    ("--all-resources config --networks", Unordered),
    ("-f nosuch.yaml config", Code),
    (
        "-f compose.yaml -f compose.yaml config --services",
        Unordered,
    ),
    ("--project-directory nosuch config --services", Code),
    ("-p Other config --services", Code),
    ("--env-file nosuch.env config --services", Code),
    ("--env-file in.env config --format json web", All),
    ("--parallel 0 config --services", Code),
    ("--ansi nosuch config --services", Code),
    ("--progress nosuch config --services", Code),
    ("--dry-run config --services", Unordered),
];

const PUSHES: Lines = &[
    ("push open", All),
    ("push --quiet open", All),
    ("push --include-deps open", All),
    ("push closed", All),
    ("push --ignore-push-failures closed", All),
    ("push --ignore-push-failures", All),
    ("push", All),
    ("--dry-run push closed", All),
];

/// Lines whose answers differ because ours is meant to be other: docs/differences.md has the reasons.
const MEANT: &[&str] = &[
    "--ansi nosuch config --services",
    "--dry-run push closed",
    "events --until 1s --since 1h --json nosuch",
    "scale db=-1",
    "stats --no-stream web db",
];

/// A project, and the tool that works on it.
struct Side {
    project: Project,
    /// Docker compose; ours where there is none.
    peer: Option<PathBuf>,
}

impl Side {
    fn new(peer: Option<PathBuf>) -> Self {
        let mut project = Project::new("side", COMPOSE);
        project.file("in.txt", "text of the file\n");
        project.file("in.env", "A=from the file\n");
        project.set("COMPOSE_MENU", "0");
        Self { project, peer }
    }

    fn run(&self, line: &str) -> Answer {
        let words = shell_words::split(line).expect("a command line");
        let words: Vec<String> = words
            .into_iter()
            .map(|word| replaced_name(&word, &self.project.name))
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let outcome = match &self.peer {
            Some(peer) => self.project.docker_compose(peer, &words),
            None => self.project.rcompose(&words),
        };
        Answer::new(&outcome, &self.project)
    }
}

/// A word of a line with the project's name in place of `P`.
fn replaced_name(word: &str, name: &str) -> String {
    let is_name = |rest: &str| rest.is_empty() || rest.starts_with(':');
    match word.rsplit_once('P') {
        Some((before, rest)) if is_name(rest) && (before.is_empty() || before.ends_with('=')) => {
            format!("{before}{name}{rest}")
        }
        _ => word.to_owned(),
    }
}

/// What a command line came to, without what differs each time.
struct Answer {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Answer {
    fn new(outcome: &Outcome, project: &Project) -> Self {
        let folder = project.path().display().to_string();
        let plain = |text: &str| {
            let text = text.replace(&folder, "FOLDER").replace(&project.name, "P");
            normalised(&text)
        };
        Self {
            code: outcome.code,
            stdout: plain(&outcome.stdout),
            stderr: plain(&outcome.stderr),
        }
    }

    /// Whether standard error has more than progress and warnings.
    fn has_error(&self) -> bool {
        self.code != 0 && !self.stderr.trim().is_empty()
    }

    fn agrees(&self, other: &Self, look: Look) -> bool {
        let lines = |text: &str| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        let printed = match look {
            Code => true,
            All => self.stdout == other.stdout,
            Unordered => lines(&self.stdout) == lines(&other.stdout),
        };
        printed && self.code == other.code && self.has_error() == other.has_error()
    }
}

/// A text without ids, times, sizes, ports that engines choose, and widths of columns.
fn normalised(text: &str) -> String {
    static REPLACEMENTS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        let patterns = [
            ("[0-9a-f]{64}", "ID"),
            (r"\b[0-9a-f]{12}\b", "ID"),
            (
                r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+(Z| [+-][0-9]{4} [A-Z]+)?",
                "TIME",
            ),
            (
                r"(About |Less than )?(an?|[0-9]+) (second|minute|hour)s?( ago)?",
                "AGO",
            ),
            (r"(127\.0\.0\.1|0\.0\.0\.0):[0-9]{4,5}", "ADDRESS"),
            (r#""PublishedPort":[0-9]+"#, "PORT"),
            (r"\b[0-9]+(\.[0-9]+)? ?[kKMG]?i?B\b", "SIZE"),
            (r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?", "CLOCK"),
            (r"(root +)[0-9]+ +[0-9]+", "$1 PID PID"),
            (r"\},\{", "}\n{"),
            (r"\[\{", "{"),
            (r"\}\]", "}"),
            (r"[ \t]+", " "),
            (r"(?m) +$", ""),
        ];
        let compiled = patterns.map(|(pattern, with)| {
            (
                Regex::new(&format!("(?-u){pattern}")).expect("a pattern"),
                with,
            )
        });
        compiled.into()
    });
    static LABELS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new("\"Labels\":\"([^\"]*)\"").expect("a pattern"));
    let text = REPLACEMENTS
        .iter()
        .fold(text.to_owned(), |text, (pattern, with)| {
            pattern.replace_all(&text, *with).into_owned()
        });
    // Docker compose has them in another order each time.
    let sorted = |found: &Captures<'_>| {
        let mut labels: Vec<&str> = found[1].split(',').collect();
        labels.sort_unstable();
        format!("\"Labels\":{labels:?}")
    };
    LABELS.replace_all(&text, sorted).into_owned()
}

/// Runs the lines with both at the same time and says where they do not agree.
#[track_caller]
fn compare(theirs: &Side, ours: &Side, lines: Lines) {
    let mut differences = String::new();
    for (line, look) in lines {
        let (expected, answer) = std::thread::scope(|scope| {
            let expected = scope.spawn(|| theirs.run(line));
            let answer = ours.run(line);
            (expected.join().expect("it ends"), answer)
        });
        let agrees = expected.agrees(&answer, *look);
        if agrees == MEANT.contains(line) {
            let what = if agrees {
                "no longer differs"
            } else {
                "differs"
            };
            // Writing to a string cannot fail.
            let _ = writeln!(
                differences,
                "== {what}: {line}\n-- docker compose: {}\n{}-- said:\n{}-- rcompose: {}\n{}-- said:\n{}",
                expected.code,
                expected.stdout,
                expected.stderr,
                answer.code,
                answer.stdout,
                answer.stderr
            );
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

/// [`compare`] with the project of this file on either side.
#[track_caller]
fn compare_projects(lines: Lines) {
    let (theirs, ours) = (Side::new(Some(docker_compose())), Side::new(None));
    compare(&theirs, &ours, lines);
    theirs.project.down();
    ours.project.down();
}

#[test]
#[ignore = "needs RCOMPOSE_TEST_COMPOSE"]
fn lists() {
    compare_projects(LISTS);
}

#[test]
#[ignore = "needs RCOMPOSE_TEST_COMPOSE"]
fn changes() {
    compare_projects(CHANGES);
}

#[test]
#[ignore = "needs RCOMPOSE_TEST_COMPOSE"]
fn files() {
    compare_projects(FILES);
}

#[test]
#[ignore = "needs RCOMPOSE_TEST_COMPOSE"]
fn pushes() {
    let registry = Registry::start(&["closed"]);
    let compose = format!(
        "services:\n  open: {{image: '{0}/open:1', build: .}}\n  closed: {{image: '{0}/closed:1', build: .}}\n  local: {{image: {IMAGE}}}\n",
        registry.host
    );
    let (theirs, ours) = (Side::new(Some(docker_compose())), Side::new(None));
    for side in [&theirs, &ours] {
        side.project.file("compose.yaml", &compose);
    }
    let engine = ours.project.engine();
    let images = ["open", "closed"].map(|image| format!("{}/{image}:1", registry.host));
    for image in &images {
        engine.docker(&["tag", IMAGE, image]);
    }
    compare(&theirs, &ours, PUSHES);
    for image in &images {
        engine.docker(&["image", "rm", image]);
    }
}
