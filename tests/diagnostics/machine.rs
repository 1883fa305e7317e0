//! `--diagnostics json` and `sarif`.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Case, cases, root, run, snapshot};

/// Every line of `--diagnostics json`.
fn objects(case: &Case) -> Vec<Value> {
    let outcome = case.run(&["--diagnostics", "json", "config", "--quiet"]);
    outcome
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).expect("a JSON object"))
        .collect()
}

#[test]
fn every_problem_has_a_kind_and_a_place_that_is_true() {
    for case in cases() {
        let objects = objects(&case);
        assert!(!objects.is_empty(), "{}", case.title());
        for object in objects {
            let code = object["code"].as_str().expect("a code");
            assert!(
                !["other", "command"].contains(&code),
                "{}: {object}",
                case.title()
            );
            for place in
                std::iter::once(&object).chain(object["related"].as_array().into_iter().flatten())
            {
                check_place(&case, place);
            }
        }
    }
}

/// Line and column are those of the byte offsets.
fn check_place(case: &Case, place: &Value) {
    let Some(file) = place["file"].as_str() else {
        return;
    };
    let text = std::fs::read_to_string(case.folder.join(file)).expect("a file");
    for (at, line, column) in [
        ("start", "line", "column"),
        ("end", "end_line", "end_column"),
    ] {
        let number =
            |key: &str| usize::try_from(place[key].as_u64().expect("a number")).expect("small");
        // A carriage return alone ends a line too.
        let text = text.replace("\r\n", " \n").replace('\r', "\n");
        let before = &text[..number(at)];
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let chars = before[start..]
            .trim_start_matches('\u{feff}')
            .chars()
            .count();
        let found = (before.matches('\n').count() + 1, chars + 1);
        assert_eq!(
            found,
            (number(line), number(column)),
            "{}: {place}",
            case.title()
        );
    }
}

#[test]
fn problems_are_sorted_and_none_is_said_twice() {
    for case in cases() {
        let objects = objects(&case);
        let place = |object: &Value| {
            let file = object["file"].as_str().unwrap_or_default().to_owned();
            (
                file,
                object["start"].as_u64(),
                object["code"].to_string(),
                object["message"].to_string(),
            )
        };
        let all: Vec<_> = objects.iter().map(place).collect();
        let unique: BTreeSet<_> = all.iter().collect();
        assert_eq!(unique.len(), all.len(), "{}", case.title());
        for pair in all.windows(2) {
            assert!(
                pair[0].0 != pair[1].0 || pair[0].1 <= pair[1].1,
                "{}: {pair:?}",
                case.title()
            );
        }
    }
}

#[test]
fn json_looks_like_this() {
    for name in ["three-mistakes", "everything"] {
        let folder = root().join("many").join(name);
        let outcome = run(&folder, &["--diagnostics=json", "config", "-q"]);
        assert_eq!(outcome.code, 1);
        snapshot("machine", &format!("{name}.json"), &outcome.stderr);
    }
}

#[test]
fn sarif_looks_like_this() {
    for name in ["many/three-mistakes", "include/problem-inside"] {
        let folder = root().join(name);
        let outcome = run(&folder, &["--diagnostics=sarif", "config", "-q"]);
        assert_eq!(outcome.code, 1);
        let name = name.rsplit('/').next().unwrap_or_default();
        let text = outcome
            .stderr
            .replace(env!("CARGO_PKG_VERSION"), "[version]");
        snapshot("machine", &format!("{name}.sarif"), &text);
    }
}

#[test]
fn sarif_is_one_whole_document() {
    for case in cases() {
        let outcome = case.run(&["--diagnostics", "sarif", "config", "--quiet"]);
        let document: Value = serde_json::from_str(&outcome.stderr).expect("one JSON document");
        assert_eq!(document["version"], "2.1.0");
        let run = &document["runs"][0];
        let rules: BTreeSet<&str> = run["tool"]["driver"]["rules"]
            .as_array()
            .expect("rules")
            .iter()
            .filter_map(|rule| rule["id"].as_str())
            .collect();
        for result in run["results"].as_array().expect("results") {
            assert!(rules.contains(result["ruleId"].as_str().expect("a rule")));
            for location in result["locations"].as_array().into_iter().flatten() {
                let region = &location["physicalLocation"]["region"];
                for key in ["startLine", "startColumn", "endLine", "endColumn"] {
                    assert!(region[key].as_u64() >= Some(1), "{region}");
                }
            }
        }
    }
}

#[test]
fn sarif_is_written_where_nothing_is_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(
        folder.path().join("compose.yaml"),
        "services: {web: {image: nginx}}",
    )
    .expect("written");
    let outcome = run(folder.path(), &["--diagnostics=sarif", "config", "-q"]);
    assert_eq!(outcome.code, 0);
    let document: Value = serde_json::from_str(&outcome.stderr).expect("a document");
    assert_eq!(document["runs"][0]["results"], Value::Array(Vec::new()));
}

#[test]
fn command_lines_that_are_not_understood_are_told_in_the_format_too() {
    let folder = tempfile::tempdir().expect("a folder");
    for arguments in [
        &["--diagnostics", "json", "config", "--wrong"][..],
        &["--diagnostics=json", "confg"],
        &["config", "--format", "wrong", "--diagnostics=json"],
    ] {
        let outcome = run(folder.path(), arguments);
        let object: Value = serde_json::from_str(&outcome.stderr).expect("one JSON object");
        assert_eq!(object["severity"], "error", "{object}");
        assert_eq!(object["code"], "command", "{object}");
        assert_eq!(outcome.code, 1);
    }
    let outcome = run(folder.path(), &["--diagnostics=sarif", "config", "--wrong"]);
    let document: Value = serde_json::from_str(&outcome.stderr).expect("one JSON document");
    let result = &document["runs"][0]["results"][0];
    assert_eq!(result["message"]["text"], "unknown flag: --wrong");
    assert!(result.get("locations").is_none());
    // Behind `--` are arguments of somebody else.
    let outcome = run(folder.path(), &["--wrong", "--", "--diagnostics=json"]);
    assert_eq!(outcome.stderr, "unknown flag: --wrong\n");
}
