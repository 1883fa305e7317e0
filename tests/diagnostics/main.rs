//! What is said about wrong files: every case below `tests/bad/` with its message beside it.
//!
//! A case is a file `KIND/NAME.yaml`, or a folder `KIND/NAME/` with a `compose.yaml`; its message is
//! `KIND/NAME.snap`. After a change of wording: `INSTA_UPDATE=always cargo test --test diagnostics`, and look
//! at the difference.

mod machine;
mod special;
mod support;

use std::panic::catch_unwind;

use support::{Case, cases, snapshot};

/// Cases whose files load all the same: there are warnings only.
const WARNINGS: &[&str] = &[];

#[test]
fn every_case_has_its_message() {
    let cases = cases();
    assert!(cases.len() >= 80, "{} cases", cases.len());
    let wrong: Vec<String> = cases
        .iter()
        .filter(|case| catch_unwind(|| check(case)).is_err())
        .map(Case::title)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_readme_shows_what_is_said() {
    let outcome = support::run(
        &support::root().join("many/three-mistakes"),
        &["config", "-q"],
    );
    let indented: String = outcome
        .stderr
        .lines()
        .map(|line| format!("    {line}").trim_end().to_owned() + "\n")
        .collect();
    let readme = include_str!("../../README.md");
    assert!(readme.contains(&indented), "{indented}");
}

fn check(case: &Case) {
    let outcome = case.run(&["config", "--quiet"]);
    let code = i32::from(!WARNINGS.contains(&case.title().as_str()));
    assert_eq!(outcome.stdout, "");
    for trace in ["panicked", "RUST_BACKTRACE", "Some(", "Err(", "serde"] {
        assert!(!outcome.stderr.contains(trace), "{trace}");
    }
    snapshot(&case.kind, &case.name, &outcome.stderr);
    assert_eq!(outcome.code, code, "{}", case.title());
}
