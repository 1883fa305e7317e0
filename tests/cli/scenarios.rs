//! Which tests of ours show what docker compose's own end-to-end tests show, and docs/scenarios.md says so.
//!
//! Two tables name the tests: `scenarios-2.40.3.tsv` each case of docker compose's, `details.tsv` details that are easily
//! missed. A test is named as the black-box tests are (`wait::until_everything_is_healthy`), a unit test as `unit
//! compose::merge::tests::lists`; several are apart by a space, and `- reason` is for what does not apply.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Group, test, case, class of what it needs, our tests: one case a line, below a heading.
const CASES: &str = include_str!("scenarios-2.40.3.tsv");

/// Number, detail, our tests: one detail a line, below a heading.
const DETAILS: &str = include_str!("details.tsv");

/// What shows a case.
enum Shown<'a> {
    /// Nothing yet.
    Open,
    /// It does not apply, for this reason.
    Not(&'a str),
    /// Names of tests.
    By(Vec<String>),
}

impl<'a> Shown<'a> {
    fn of(cell: &'a str) -> Self {
        if cell.is_empty() {
            return Self::Open;
        }
        if let Some(reason) = cell.strip_prefix("- ") {
            return Self::Not(reason);
        }
        let mut names = Vec::new();
        let mut words = cell.split(' ');
        while let Some(word) = words.next() {
            names.push(match word {
                "unit" => format!("unit {}", words.next().unwrap_or_default()),
                name => name.to_owned(),
            });
        }
        Self::By(names)
    }

    /// Whether tests show it, and none of them is among those that do not hold on an engine.
    fn passes(&self, failing: &HashSet<String>) -> bool {
        matches!(self, Self::By(names) if names.iter().all(|name| !failing.contains(name)))
    }

    fn names(&self) -> &[String] {
        match self {
            Self::By(names) => names,
            Self::Open | Self::Not(_) => &[],
        }
    }
}

struct Case<'a> {
    group: &'a str,
    /// Name of the test and, where it has several, of the case.
    name: String,
    shown: Shown<'a>,
}

struct Detail<'a> {
    number: &'a str,
    text: &'a str,
    shown: Shown<'a>,
}

fn cells<const COUNT: usize>(table: &'static str) -> Vec<[&'static str; COUNT]> {
    let rows = table.lines().skip(1).map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        <[&str; COUNT]>::try_from(cells).unwrap_or_else(|_| panic!("{COUNT} cells: {line:?}"))
    });
    rows.collect()
}

fn cases() -> Vec<Case<'static>> {
    let rows = cells::<5>(CASES).into_iter();
    rows.map(|[group, test, case, _, ours]| Case {
        group,
        name: [test, case].join(" ").trim().to_owned(),
        shown: Shown::of(ours),
    })
    .collect()
}

fn details() -> Vec<Detail<'static>> {
    let rows = cells::<3>(DETAILS).into_iter();
    rows.map(|[number, text, ours]| Detail {
        number,
        text,
        shown: Shown::of(ours),
    })
    .collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Names of the tests in the files below `folder`, each after `prefix`.
fn tests_below(folder: &str, prefix: &str) -> HashSet<String> {
    let top = root().join(folder);
    let mut found = HashSet::new();
    let mut folders = vec![top.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the folder is readable") {
            let path: PathBuf = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("the file is readable");
                let module = module(path.strip_prefix(&top).unwrap_or(&path));
                for test in tests_of(&text) {
                    found.insert(format!("{prefix}{module}{test}"));
                }
            }
        }
    }
    found
}

/// The module of a file, with the `::` that follows it.
fn module(path: &Path) -> String {
    let path = path.with_extension("");
    let mut parts = Vec::new();
    for part in &path {
        parts.push(part.to_string_lossy().into_owned());
    }
    if matches!(parts.last().map(String::as_str), Some("mod" | "lib")) {
        parts.pop();
    }
    parts.into_iter().map(|part| part + "::").collect()
}

/// The tests of a file, with the module in it that they are in.
fn tests_of(text: &str) -> Vec<String> {
    let (mut tests, mut inner, mut attribute) = (Vec::new(), "", false);
    for line in text.lines() {
        let line = line.trim();
        if line == "mod tests {" {
            inner = "tests::";
        } else if line.starts_with("#[test") || line.starts_with("#[tokio::test") {
            attribute = true;
        } else if attribute {
            let line = line.trim_start_matches("async ");
            if let Some((name, _)) = line
                .strip_prefix("fn ")
                .and_then(|rest| rest.split_once('('))
            {
                tests.push(format!("{inner}{name}"));
                attribute = false;
            }
        }
    }
    tests
}

/// Tests that do not hold on an engine yet.
fn failing_on(engine: &str) -> HashSet<String> {
    let list = root().join(format!("tests/blackbox/{engine}.txt"));
    let list = std::fs::read_to_string(list).unwrap_or_default();
    let names = list.lines().filter(|line| !line.starts_with('#'));
    names
        .filter_map(|line| line.split(' ').next().map(str::to_owned))
        .collect()
}

/// A row of numbers: cases, and what is known of them.
fn counted<'a>(
    cases: impl Iterator<Item = &'a Case<'a>>,
    failing: &[HashSet<String>; 2],
) -> String {
    let mut counts = [0_usize; 6];
    for case in cases {
        let (shown, not, open) = match case.shown {
            Shown::By(_) => (1, 0, 0),
            Shown::Not(_) => (0, 1, 0),
            Shown::Open => (0, 0, 1),
        };
        let passes = failing
            .each_ref()
            .map(|failing| usize::from(case.shown.passes(failing)));
        for (count, more) in counts
            .iter_mut()
            .zip([1, shown, passes[0], passes[1], not, open])
        {
            *count += more;
        }
    }
    counts.map(|count| count.to_string()).join(" | ")
}

fn page(cases: &[Case<'_>], details: &[Detail<'_>]) -> String {
    let failing = ["docker", "bundled"].map(failing_on);
    let mut page = "# Scenarios of docker compose's own tests\n\n\
        Docker compose 2.40.3 is tested end to end by the cases below. For each that applies here a black-box test of ours shows\n\
        the same with projects of our own (`tests/cli/scenarios-2.40.3.tsv` names it), on Docker and on the bundled engine. What\n\
        is not shown yet is open. A test writes this page (`RCOMPOSE_UPDATE=1 cargo test --test cli scenarios`) and fails where\n\
        it is not what the tests are.\n\n\
        | group | cases | shown | pass on Docker | pass on the bundled engine | do not apply | open |\n|---|---|---|---|---|---|---|\n"
        .to_owned();
    let mut groups: Vec<&str> = cases.iter().map(|case| case.group).collect();
    groups.dedup();
    for group in groups {
        let of_group = cases.iter().filter(|case| case.group == group);
        // Writing to a string cannot fail.
        let _ = writeln!(page, "| {group} | {} |", counted(of_group, &failing));
    }
    let _ = writeln!(page, "| all | {} |", counted(cases.iter(), &failing));
    page.push_str("\n## What does not apply\n\n| case | reason |\n|---|---|\n");
    for case in cases {
        if let Shown::Not(reason) = case.shown {
            let _ = writeln!(page, "| {}: {} | {reason} |", case.group, case.name);
        }
    }
    page.push_str(
        "\n## Details that are easily missed\n\n| | detail | shown by |\n|---|---|---|\n",
    );
    for detail in details {
        let shown = match &detail.shown {
            Shown::Open => "open".to_owned(),
            Shown::Not(reason) => format!("does not apply: {reason}"),
            Shown::By(names) => format!("`{}`", names.join("`, `")),
        };
        let _ = writeln!(page, "| {} | {} | {shown} |", detail.number, detail.text);
    }
    page
}

#[test]
fn every_named_test_is_there() {
    let mut there = tests_below("tests/blackbox", "");
    there.extend(tests_below("src", "unit "));
    there.extend(tests_below("engine/src", "unit "));
    let (cases, details) = (cases(), details());
    assert_eq!((cases.len(), details.len()), (312, 26));
    let shown = cases.iter().map(|case| &case.shown);
    let shown = shown.chain(details.iter().map(|detail| &detail.shown));
    let named: BTreeSet<&String> = shown.flat_map(|shown| shown.names()).collect();
    let missing: Vec<&&String> = named
        .iter()
        .filter(|name| !there.contains(**name))
        .collect();
    assert!(missing.is_empty(), "no such tests: {missing:?}");
}

#[test]
fn the_page_is_what_the_tests_are() {
    let path = root().join("docs/scenarios.md");
    let page = page(&cases(), &details());
    if std::env::var_os("RCOMPOSE_UPDATE").is_some() {
        std::fs::write(&path, &page).expect("the page is writable");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/scenarios.md is not what the tests are: run the test with RCOMPOSE_UPDATE=1"
    );
}
