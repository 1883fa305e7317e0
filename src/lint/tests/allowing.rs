//! Comments that allow findings, and what hides secrets.

use crate::lint::redacted;
use crate::lint::testing::{Folder, lint_text, with_input};

const RULE: &str = "floating-tag";

#[test]
fn comments_hold_for_their_line_the_next_or_the_file() {
    for text in [
        "services:\n  a:\n    image: nginx # rcompose: allow(floating-tag)\n",
        "services:\n  a:\n    # rcompose: allow(links, floating-tag): it is a demo\n    # (really)\n\n    image: nginx\n",
        "# rcompose: allow(floating-tag)\n\nservices:\n  a:\n    image: nginx\n",
        "# A demo\n---\n# rcompose: allow(floating-tag)\nservices: {a: {image: nginx}}\n",
    ] {
        assert_eq!(lint_text(RULE, text), [""; 0], "{text}");
    }
    for text in [
        "services:\n  a:\n    # rcompose: allow(links)\n    image: nginx\n",
        "services:\n  # rcompose: allow(floating-tag)\n  a:\n    image: nginx\n",
        "services:\n  a:\n    image: nginx\n    # rcompose: allow(floating-tag)\n",
        "services:\n  a:\n    labels:\n      a: |\n        # rcompose: allow(floating-tag)\n    image: nginx\n",
        "services:\n  a:\n    image: nginx\n    labels: {a: 'x\n\n      # rcompose: allow(floating-tag)'}\n",
        "services: {a: {labels: {l: ' # rcompose: allow(floating-tag)'}, image: nginx}}\n",
    ] {
        assert_eq!(lint_text(RULE, text).len(), 1, "{text}");
    }
}

#[test]
fn comments_behind_the_start_of_a_block_hold() {
    let text = "services:\n  a:\n    image: > # rcompose: allow(floating-tag)\n      nginx\n";
    assert_eq!(lint_text(RULE, text), [""; 0]);
}

#[test]
fn a_comment_holds_for_its_own_file_only() {
    let folder = Folder::new(&[
        (
            "compose.yaml",
            "# rcompose: allow(floating-tag)\ninclude: [b.yaml]\nservices: {a: {image: x}}\n",
        ),
        ("b.yaml", "services: {b: {image: y}}\n"),
    ]);
    let found = folder.lint(&[RULE]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("b.yaml:1:"), "{found:?}");
}

#[test]
fn env_files_have_comments_too() {
    let folder = Folder::new(&[
        (
            "compose.yaml",
            "services: {a: {image: 'x:1', env_file: a.env}}",
        ),
        (
            "a.env",
            "A=x$y # rcompose: allow(dollar-in-env-file)\nB=\"x$y # rcompose: allow(dollar-in-env-file)\"\n",
        ),
    ]);
    let found = folder.lint(&["dollar-in-env-file"]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("a.env:2:"), "{found:?}");
}

#[test]
fn unknown_rules_are_reported() {
    let text = "services: {a: {image: 'x:1'}} # rcompose: allow(floating-tags, unset-variable)\n";
    assert_eq!(
        lint_text("unknown-rule", text),
        ["compose.yaml:1:49 unknown-rule warning: there is no rule \"floating-tags\" to allow"]
    );
}

#[test]
fn warnings_of_loading_can_be_allowed() {
    let text = "services:\n  a:\n    # rcompose: allow(unset-variable)\n    image: x:$TAG\n";
    assert_eq!(Folder::new(&[("compose.yaml", text)]).lint(&[]), [""; 0]);
}

#[test]
fn secrets_are_not_shown() {
    let folder = Folder::new(&[
        (
            "compose.yaml",
            "services:
  a:
    image: x:1
    env_file: a.env
    environment: {PASSWORD: \"hünter2\", URL: 'pg://u:hunter2@db', PASS_PHRASE_FILE: /x}
    build: {context: ., args: ['TOKEN=abc def', 'SECRET=${A:-b}$C']}
",
        ),
        ("a.env", "API_KEY='p$q'\nPLAIN=x\nURL=amqp://u:hunter2@q\n"),
    ]);
    let texts: Vec<String> = with_input(&folder.load(), |input| {
        redacted(input)
            .iter()
            .map(|source| source.text.to_string())
            .collect()
    });
    assert_eq!(
        texts,
        [
            "services:
  a:
    image: x:1
    env_file: a.env
    environment: {PASSWORD: \"********\", URL: 'pg://u:*******@db', PASS_PHRASE_FILE: /x}
    build: {context: ., args: ['TOKEN=*** ***', 'SECRET=${A:-*}$C']}
",
            "API_KEY='*$q'\nPLAIN=x\nURL=amqp://u:*******@q\n",
        ]
    );
}
