//! What is wrong with a Dockerfile or its context is shown where it is, whichever builder finds it.

use std::os::unix::fs::symlink;

use crate::support::project::{IMAGE, Project};

/// A Dockerfile, the line that is wrong in it, and words of the message.
type Case = (&'static str, usize, &'static str);

/// Builds with each, and collects what is not told as it should be.
fn check(cases: &[Case], prepare: impl Fn(&Project)) {
    let mut wrong = Vec::new();
    for (text, line, words) in cases {
        let project = Project::new("builderrors", "services: {web: {build: ./app}}");
        project.file("app/Dockerfile", text);
        prepare(&project);
        let build = project.rcompose(&["build"]);
        let written = text.lines().nth(line - 1).unwrap_or_default();
        let parts = [
            format!("app/Dockerfile:{line}:1: "),
            format!("{line} | {}", written.replace("IMAGE", IMAGE)),
            "^^^".to_owned(),
            (*words).to_owned(),
        ];
        let missing: Vec<&String> = parts
            .iter()
            .filter(|part| !build.stderr.contains(part.as_str()))
            .collect();
        if build.code != 1 || !missing.is_empty() {
            wrong.push(format!(
                "{text}exit code {}, without {missing:?}:\n{}",
                build.code, build.stderr
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n---\n"));
}

#[test]
fn malformed_dockerfiles() {
    check(
        &[
            ("FROM IMAGE\nNOSUCH thing\n", 2, "NOSUCH"),
            ("FROM IMAGE\nRUN true\nCOPY one\n", 3, "COPY"),
            ("FROM IMAGE\nCOPY --nosuch=1 a b\n", 2, "nosuch"),
            ("FROM IMAGE\nRUN --mount=type=nosuch true\n", 2, "nosuch"),
            ("FROM IMAGE\nENV\n", 2, "ENV"),
            ("FROM IMAGE\nENV word\n", 2, "ENV"),
            ("FROM IMAGE\nLABEL word\n", 2, "LABEL"),
            ("FROM IMAGE\n\nENV A=\"open\n", 3, "quote"),
            (
                "FROM IMAGE\nHEALTHCHECK --interval=soon CMD true\n",
                2,
                "soon",
            ),
            ("FROM IMAGE\nHEALTHCHECK NOSUCH\n", 2, "HEALTHCHECK"),
            ("FROM IMAGE\nEXPOSE high\n", 2, "high"),
            ("FROM IMAGE\nONBUILD FROM x\n", 2, "ONBUILD"),
            ("FROM IMAGE\nSTOPSIGNAL\n", 2, "STOPSIGNAL"),
            ("FROM IMAGE\nWORKDIR\n", 2, "WORKDIR"),
            ("FROM IMAGE\nSHELL bash\n", 2, "SHELL"),
            ("FROM IMAGE one two\n", 1, "FROM"),
            ("RUN true\nFROM IMAGE\n", 1, "stage"),
            ("FROM IMAGE AS 1x\n", 1, "1x"),
            ("FROM IMAGE\nRUN <<END\ntrue\n", 2, "END"),
        ],
        |_| {},
    );
}

#[test]
fn files_that_are_not_there() {
    check(
        &[
            ("FROM IMAGE\nCOPY missing /x\n", 2, "missing"),
            ("FROM IMAGE\nADD missing /x\n", 2, "missing"),
            ("FROM IMAGE\nCOPY here missing /x/\n", 2, "missing"),
            ("FROM IMAGE\nCOPY hidden /x\n", 2, "hidden"),
            (
                "FROM IMAGE AS one\nFROM IMAGE\nCOPY --from=one /missing /x\n",
                3,
                "missing",
            ),
            (
                "FROM IMAGE\nRUN --mount=source=missing,target=/x true\n",
                2,
                "missing",
            ),
            (
                "FROM IMAGE\nRUN --mount=type=secret,id=missing,required true\n",
                2,
                "missing",
            ),
            (
                "FROM IMAGE\nRUN --mount=type=ssh,id=missing,required true\n",
                2,
                "missing",
            ),
        ],
        |project| {
            project.file("app/here", "");
            project.file("app/hidden", "");
            project.file("app/.dockerignore", "hidden\n");
        },
    );
}

#[test]
fn nothing_leads_out_of_the_context() {
    check(
        &[
            (
                "FROM IMAGE\nCOPY ../secret-of-others /x\n",
                2,
                "secret-of-others",
            ),
            ("FROM IMAGE\nCOPY absolute /x\n", 2, "absolute"),
            ("FROM IMAGE\nCOPY upwards /x\n", 2, "upwards"),
            (
                "FROM IMAGE\nADD folder/secret-of-others /x\n",
                2,
                "secret-of-others",
            ),
            (
                "FROM IMAGE\nRUN --mount=source=../secret-of-others,target=/x cat /x\n",
                2,
                "secret-of-others",
            ),
        ],
        |project| {
            project.file("outside/secret-of-others", "");
            let outside = project.path().join("outside");
            let at = |name: &str| project.path().join("app").join(name);
            symlink(outside.join("secret-of-others"), at("absolute")).expect("a link");
            symlink("../outside/secret-of-others", at("upwards")).expect("a link");
            symlink(&outside, at("folder")).expect("a link");
        },
    );
}

#[test]
fn a_dockerfile_without_instructions() {
    for text in ["", "# nothing\n"] {
        let project = Project::new("emptydockerfile", "services: {web: {build: .}}");
        project.file("Dockerfile", text);
        let build = project.rcompose(&["build"]);
        assert_eq!(build.code, 1, "{build:?}");
        let said = &build.stderr;
        assert!(said.contains("Dockerfile"), "{build:?}");
        let words = ["empty", "no instructions"];
        assert!(words.iter().any(|words| said.contains(words)), "{build:?}");
    }
}

#[test]
fn what_the_compose_file_names_is_shown_there() {
    for (attribute, words) in [
        ("context: ./missing", "not a folder"),
        ("dockerfile: missing", "does not exist"),
        ("target: missing", "missing"),
        ("secrets: [missing]", "missing"),
        ("additional_contexts: {one: ./missing}", "missing"),
    ] {
        let project = Project::new(
            "buildnames",
            &format!("services:\n  web:\n    build:\n      {attribute}\n"),
        );
        project.file("Dockerfile", "FROM IMAGE\n");
        let build = project.rcompose(&["build"]);
        assert_ne!(build.code, 0, "{build:?}");
        let name = attribute.split(':').next().unwrap_or_default();
        build.says("compose.yaml:4:").says(name).says(words);
    }
}

#[test]
fn secrets_are_in_no_layer_and_no_output() {
    const SECRET: &str = "swordfish-of-the-build";
    let mut project = Project::new(
        "secretlayers",
        r"
services:
  web:
    build:
      dockerfile_inline: |
        FROM IMAGE
        RUN --mount=type=secret,id=word test -s /run/secrets/word && echo used >/used
        RUN --mount=type=secret,id=word,target=/etc/word wc -c </etc/word >/length
        RUN --mount=type=secret,id=word cat /run/secrets/missing
      secrets: [word]
secrets:
  word: {environment: WORD}
",
    );
    project.set("WORD", SECRET);
    let failed = project.rcompose(&["--progress", "plain", "build"]);
    assert_eq!(failed.code, 1, "{failed:?}");
    assert!(!format!("{failed:?}").contains(SECRET), "{failed:?}");
    let compose = std::fs::read_to_string(project.path().join("compose.yaml"));
    let compose = compose.expect("the file is ours");
    let last = "        RUN --mount=type=secret,id=word cat /run/secrets/missing\n";
    project.file("compose.yaml", &compose.replace(last, ""));
    let built = project
        .rcompose(&["--progress", "plain", "build"])
        .success();
    assert!(!format!("{built:?}").contains(SECRET), "{built:?}");
    let image = format!("{}-web", project.name);
    let engine = project.engine();
    let archive = project.path().join("image.tar");
    let target = archive.to_string_lossy();
    engine.docker(&["save", "--output", &target, &image]);
    let bytes = std::fs::read(&archive).expect("it was saved");
    let is_in = bytes
        .windows(SECRET.len())
        .any(|window| window == SECRET.as_bytes());
    assert!(!is_in, "the image has the secret");
    let list = ["run", "--rm", "--network", "none", &image];
    let files = engine.docker(
        &[
            &list[..],
            &["sh", "-c", "ls -AR /run /etc 2>/dev/null || true"],
        ]
        .concat(),
    );
    assert!(!files.contains("word"), "{files}");
    engine.docker(&["image", "rm", "--force", &image]);
}
