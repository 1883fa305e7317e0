//! Dockerfiles as services use them.

use crate::lint::testing::{Folder, lint_text};
use crate::lint::{redacted, testing};

const SIMPLE: &str =
    "ARG V=1\nFROM x:$V AS base\nARG MODE\nFROM base AS dev\nFROM base\nCMD [\"a\"]\n";

#[test]
fn arguments_and_targets_of_builds() {
    let compose = "services:
  a: {build: {context: ., target: Dev, args: {MODE: a, V: '2', http_proxy: p}}}
  b:
    build:
      context: .
      target: prod
      args:
        - MODUS=a
  c: {build: {context: ., target: '1'}}
";
    let folder = Folder::new(&[("compose.yaml", compose), ("Dockerfile", SIMPLE)]);
    assert_eq!(
        folder.lint(&["unknown-target", "unused-build-arg"]).len(),
        2
    );
    assert_eq!(
        folder.lint(&["unknown-target"]),
        [
            "compose.yaml:6:15 unknown-target error: the Dockerfile of service \"b\" has no stage prod"
        ]
    );
    let found = folder.lint(&["unused-build-arg"]);
    assert_eq!(
        found[0].split_once(' ').map(|(_, text)| text),
        Some("unused-build-arg warning: no ARG of the Dockerfile of service \"b\" takes MODUS")
    );
    // Only "prod", which does not exist, and none of the last stage.
    assert_eq!(folder.lint(&["unused-stage"]), [""; 0]);
}

#[test]
fn an_inline_dockerfile_is_looked_at_where_it_stands() {
    let text = "services:
  a:
    build:
      dockerfile_inline: |
        FROM debian
        # rcompose: allow(maintainer)
        MAINTAINER me
        RUN apt-get install \\
          git
";
    assert_eq!(
        lint_text("floating-tag", text),
        [
            "compose.yaml:5:14 floating-tag warning: base debian has no tag: each build may start from \
             another one"
        ]
    );
    assert_eq!(lint_text("maintainer", text), [""; 0]);
    assert_eq!(
        lint_text("apt-yes", text),
        [
            "compose.yaml:8:13 apt-yes warning: apt-get asks before it goes on, and nobody answers: the \
             build fails"
        ]
    );
}

#[test]
fn a_dockerfile_of_two_services_is_looked_at_once() {
    let compose = "services: {a: {build: .}, b: {build: {context: ., dockerfile: ./Dockerfile}}}";
    let folder = Folder::new(&[("compose.yaml", compose), ("Dockerfile", "FROM debian\n")]);
    assert_eq!(folder.lint(&["floating-tag"]).len(), 1);
}

#[test]
fn bases_that_the_project_builds_or_names_are_no_floating_ones() {
    let compose = "services:
  base: {build: base, image: our/base}
  a: {build: {context: ., additional_contexts: {other: 'service:base'}}}
";
    let folder = Folder::new(&[
        ("compose.yaml", compose),
        ("base/Dockerfile", "FROM x:1\n"),
        ("Dockerfile", "FROM our/base\nFROM other\n"),
    ]);
    assert_eq!(folder.lint(&["floating-tag"]), [""; 0]);
}

#[test]
fn what_the_context_takes_along() {
    let compose = ("compose.yaml", "services: {a: {build: .}}");
    let dockerfile = ("Dockerfile", "FROM x:1\nCOPY . .\n");
    let git = (".git/HEAD", "");
    let found = Folder::new(&[compose, dockerfile, git]).lint(&["missing-dockerignore"]);
    assert_eq!(
        found,
        [
            "Dockerfile:2:1 missing-dockerignore warning: this takes .git into the image: there is no \
             .dockerignore"
        ]
    );
    for other in [
        (".dockerignore", ".git"),
        ("Dockerfile.dockerignore", ".git"),
    ] {
        let folder = Folder::new(&[compose, dockerfile, git, other]);
        assert_eq!(folder.lint(&["missing-dockerignore"]), [""; 0], "{other:?}");
    }
    assert_eq!(
        Folder::new(&[compose, dockerfile]).lint(&["missing-dockerignore"]),
        [""; 0]
    );
}

#[test]
fn a_missing_dockerfile_is_told() {
    let compose = "services:
  a: {build: {context: ., dockerfile: Dokerfile}}
  b: {build: 'https://example.org/x.git'}
  c: {build: {dockerfile_inline: 'FROM x:1'}}
";
    assert_eq!(
        lint_text("missing-file", compose),
        [
            "compose.yaml:2:39 missing-file warning: Dokerfile, the Dockerfile of service \"a\", does not \
             exist: \"build\" fails"
        ]
    );
}

#[test]
fn comments_allow_for_an_instruction() {
    let compose = ("compose.yaml", "services: {a: {build: .}}");
    let lint = |text: &str| {
        let folder = Folder::new(&[compose, ("Dockerfile", text)]);
        folder.lint(&["apt-recommends", "unknown-rule"])
    };
    let run = "apt-get update \\\n && apt-get install -y a";
    let above = format!("FROM x:1\n# rcompose: allow(apt-recommends)\nRUN {run}\n");
    assert_eq!(lint(&above), [""; 0]);
    let inside = "FROM x:1\nRUN apt-get update \\\n # rcompose: allow(apt-recommends)\n && apt-get install -y a\n";
    assert_eq!(lint(inside), [""; 0]);
    let file = format!(
        "# syntax=docker/dockerfile:1\n# rcompose: allow(apt-recommends)\n\nFROM x:1\nRUN {run}\n"
    );
    assert_eq!(lint(&file), [""; 0]);
    let other = format!("FROM x:1\n# rcompose: allow(apt-recommends)\nRUN a\nRUN {run}\n");
    assert_eq!(lint(&other).len(), 1);
    let none = "FROM x:1\n# rcompose: allow(apt-recommend)\nRUN a\n";
    assert_eq!(
        lint(none),
        ["Dockerfile:2:19 unknown-rule warning: there is no rule \"apt-recommend\" to allow"]
    );
}

#[test]
fn secrets_of_dockerfiles_are_not_shown() {
    let token = format!("ghp_{}", "a1".repeat(18));
    let text = format!(
        "FROM x:1\nENV DB_PASSWORD=hunter2\nRUN curl \\\n  -H {token} a\nRUN b https://me:sesame@c\n"
    );
    let folder = Folder::new(&[
        ("compose.yaml", "services: {a: {build: .}}"),
        ("Dockerfile", &text),
    ]);
    let shown = testing::with_dockerfiles(&folder.load(), |input| {
        let sources = redacted(input);
        let texts: Vec<String> = sources
            .iter()
            .map(|source| source.text.to_string())
            .collect();
        texts.concat()
    });
    for secret in ["hunter2", "sesame", token.as_str()] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("ENV DB_PASSWORD=*******\n"), "{shown}");
}
