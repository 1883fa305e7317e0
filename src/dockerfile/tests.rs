//! Reading whole files, right and wrong.

use proptest::prelude::*;

use super::*;

fn problems(text: &str) -> Vec<String> {
    let file = parse(text);
    let shown = file.problems.iter();
    shown
        .map(|problem| format!("{}: {}", &text[problem.range.clone()], problem.message))
        .collect()
}

#[test]
fn instructions_with_their_places() {
    let text = "\u{feff}# syntax=x\n# a comment\nfrom alpine:3.22 as base\n\nRUN --mount=type=cache,target=/c a \\\n  # inside\n\n  && b\\\nc\nCOPY --from=base [\"x y\", \"/z\"]\nENV A=1 B=\"2 3\" C='4'\nENV D e f\nARG G\n";
    let file = parse(text);
    assert_eq!(file.problems, []);
    let shown: Vec<(Keyword, &str, &str)> = file
        .instructions
        .iter()
        .map(|one| (one.keyword, one.arguments.text(), &text[one.range.clone()]))
        .collect();
    assert_eq!(shown[0].1, "alpine:3.22 as base");
    assert_eq!(shown[1].1, "a   && bc");
    assert!(shown[1].2.starts_with("RUN --mount") && shown[1].2.ends_with("b\\\nc"));
    let run = &file.instructions[1];
    assert_eq!(run.flag("mount"), Some("type=cache,target=/c"));
    assert_eq!(run.words()[2].text, "bc");
    assert_eq!(&text[run.words()[2].range.clone()], "b\\\nc");
    let copy = &file.instructions[2];
    assert_eq!(copy.json().unwrap_or_default(), ["x y", "/z"]);
    let pairs: Vec<(String, Option<String>, &str)> = file.instructions[3..]
        .iter()
        .flat_map(Instruction::pairs)
        .map(|pair| (pair.name, pair.value, &text[pair.value_range]))
        .collect();
    let pair = |name: &str, value: &str, raw| (name.to_owned(), Some(value.to_owned()), raw);
    assert_eq!(
        pairs,
        [
            pair("A", "1", "1"),
            pair("B", "2 3", "\"2 3\""),
            pair("C", "4", "'4'"),
            pair("D", "e f", "e f"),
            ("G".to_owned(), None, ""),
        ]
    );
    let comments: Vec<&str> = file
        .comments
        .iter()
        .map(|place| &text[place.clone()])
        .collect();
    assert_eq!(comments, ["# syntax=x", "# a comment", "# inside"]);
}

#[test]
fn here_documents() {
    let text = "FROM x\nRUN <<EOF\nFROM y\n# no comment\nEOF\nRUN cat <<-A <<'B' >z\n1\n\tA\n2\nB\nCOPY <<\"f\" /f\r\nx\r\nf\r\nCMD d\n";
    let file = parse(text);
    assert_eq!(file.problems, []);
    let bodies: Vec<(&str, bool)> = file
        .instructions
        .iter()
        .flat_map(|one| &one.documents)
        .map(|document| (&text[document.body.clone()], document.alone))
        .collect();
    let script = "FROM y\n# no comment\n";
    let expected = [
        (script, true),
        ("1\n", false),
        ("2\n", false),
        ("x\r\n", false),
    ];
    assert_eq!(bodies, expected);
    assert_eq!(file.instructions.len(), 5);
    assert!(text[file.instructions[2].range.clone()].ends_with("2\nB"));
    assert!(file.comments.is_empty());
}

#[test]
fn commands_of_run() {
    let programs = |text: &str| -> Vec<String> {
        let file = parse(text);
        let commands = file.instructions[1].commands(text);
        commands
            .iter()
            .map(|one| one.program().to_owned())
            .collect()
    };
    assert_eq!(programs("FROM x\nRUN a && \\\n b"), ["a", "b"]);
    assert_eq!(programs("FROM x\nRUN <<E\na\nb c\nE"), ["a", "b"]);
    assert_eq!(programs("FROM x\nRUN bash -e <<E\na\nE"), ["bash", "a"]);
    assert_eq!(
        programs("FROM x\nRUN python3 <<E\nimport a\nE"),
        ["python3"]
    );
    assert_eq!(
        programs("FROM x\nRUN <<E\n#!/usr/bin/env python3\nimport a\nE"),
        [""; 0]
    );
    assert_eq!(programs("FROM x\nRUN [\"a\", \"b\"]"), [""; 0]);
}

#[test]
fn stages_by_name_and_number() {
    let file = parse("ARG V\nFROM a AS Build\nRUN x\nFROM scratch\nCOPY --from=build /x /\n");
    let stages = file.stages();
    assert_eq!(file.global().len(), 1);
    assert_eq!(stages.len(), 2);
    assert!(stages[0].is_named("build") && stages[0].is_named("0"));
    assert!(!stages[0].is_named("1") && stages[1].name.is_none());
    assert_eq!(file.stage_before("BUILD", 1), Some(0));
    assert_eq!(file.stage_before("build", 0), None);
}

#[test]
fn problems_have_places_and_reading_goes_on() {
    assert_eq!(
        problems(
            "FROM a\nRUNN x\nCOPY a\nENV A\nRUN --mnt=x y\nSHELL sh\nHEALTHCHECK curl\nWORKDIR\n"
        ),
        [
            "RUNN: there is no instruction RUNN",
            "COPY: COPY has a source or a destination, but not both",
            "A: ENV A has no value",
            "--mnt=x: RUN has no flag --mnt",
            "SHELL: SHELL takes a JSON list",
            "curl: HEALTHCHECK curl is neither CMD nor NONE",
            "WORKDIR: WORKDIR says nothing",
        ]
    );
    // A missing `\` makes one mistake of all the lines behind it.
    assert_eq!(
        problems("FROM a\nRUN b &&\nc &&\nd\nRUN e"),
        ["c: there is no instruction c"]
    );
    assert_eq!(
        problems("RUN x"),
        ["RUN: RUN stands in front of the first FROM"]
    );
    assert_eq!(problems("ARG x"), ["A: the file has no FROM"]);
    assert_eq!(problems(""), [": the file has no FROM"]);
    assert_eq!(
        problems("FROM a b"),
        ["b: FROM takes an image, and perhaps AS and a name"]
    );
    assert_eq!(
        problems("FROM a\nRUN <<E\nx\n"),
        ["<<E: no line ends the here-document E"]
    );
    assert_eq!(
        problems("# escape=x\nFROM a"),
        ["# escape=x: `x` cannot escape characters"]
    );
    assert_eq!(
        problems("FROM a\nCMD []\nENTRYPOINT []\nVOLUME [\"/a\"]"),
        [""; 0]
    );
}

#[test]
fn the_escape_directive_holds() {
    let file = parse("# escape=`\nFROM a\nRUN b `\n  c\nCOPY d\\ e\\\n");
    assert_eq!(file.problems, []);
    assert_eq!(file.instructions[1].arguments.text(), "b   c");
    assert_eq!(file.instructions[2].words().len(), 2);
}

#[test]
fn flags_end_and_directives_are_known() {
    let file = parse("# about=x\n# escape=`\nFROM a\nRUN --network=none -- --x \\\n y\n");
    assert_eq!(file.problems, []);
    let run = &file.instructions[1];
    assert_eq!((run.flags.len(), run.arguments.text()), (1, "--x  y"));
}

#[test]
fn steps_of_buildkit() {
    let text = "ARG V=1\nFROM golang:1.25 AS builder\nARG X\nWORKDIR /src\nCOPY go.mod \\\n  go.sum ./\nENV A=b\nRUN make $V\nFROM builder\nRUN one\nRUN <<EOF\ntwo\nEOF\nFROM scratch as out\nCOPY --from=builder /a /\n";
    let file = parse(text);
    let at = |step: &str| locate_step(&file, step).map(|place| &text[place]);
    assert_eq!(
        at("[builder 1/4] FROM golang:1.25@sha256:aa"),
        Some("FROM golang:1.25 AS builder")
    );
    assert_eq!(at("[builder 2/4] WORKDIR /src"), Some("WORKDIR /src"));
    assert_eq!(
        at("[builder 3/4] COPY go.mod   go.sum ./"),
        Some("COPY go.mod \\\n  go.sum ./")
    );
    assert_eq!(
        at("[linux/arm64 builder 4/4] RUN make 1"),
        Some("RUN make $V")
    );
    assert_eq!(at("[stage-1 1/2] RUN one"), Some("RUN one"));
    assert_eq!(
        at("[stage-1 2/2] RUN <<EOF (two)"),
        Some("RUN <<EOF\ntwo\nEOF")
    );
    assert_eq!(
        at("[out 1/1] COPY --from=builder /a /"),
        Some("COPY --from=builder /a /")
    );
    for other in [
        "[internal] load build definition from Dockerfile",
        "[nowhere 1/2] RUN x",
        "[builder x/2] RUN x",
        "exporting to image",
        "",
    ] {
        assert_eq!(at(other), None, "{other}");
    }
}

#[test]
fn steps_with_triggers_of_the_base_and_of_the_first_builder() {
    let text = "FROM app:onbuild\nWORKDIR /\nRUN a\nENV B=c\nRUN d\n";
    let file = parse(text);
    let at = |step: &str| locate_step(&file, step).map(|place| &text[place]);
    assert_eq!(at("[2/6] ONBUILD COPY . ."), Some("FROM app:onbuild"));
    // `WORKDIR /` has no step, though it is counted.
    assert_eq!(at("[2/4] RUN a"), Some("RUN a"));
    assert_eq!(at("[3/4] RUN d"), Some("RUN d"));
    assert_eq!(at("[5/6] RUN d"), Some("RUN d"));
    assert_eq!(at("Step 3/5 : RUN a"), Some("RUN a"));
    assert_eq!(at("Step 4/5 : ENV B=c"), Some("ENV B=c"));
}

proptest! {
    #[test]
    fn no_text_is_too_strange(lines in prop::collection::vec(line(), 0..12), step in ".{0,30}") {
        let text = lines.concat();
        let file = parse(&text);
        for problem in &file.problems {
            prop_assert!(text.get(problem.range.clone()).is_some());
        }
        for comment in &file.comments {
            prop_assert!(text[comment.clone()].starts_with('#'));
        }
        for one in &file.instructions {
            prop_assert!(text.get(one.range.clone()).is_some());
            prop_assert!(text.get(one.arguments.whole()).is_some());
            let words = one.words();
            prop_assert!(words.iter().all(|word| text.get(word.range.clone()).is_some()));
            for pair in one.pairs() {
                prop_assert!(text.get(pair.value_range).is_some());
            }
            for command in one.commands(&text) {
                prop_assert!(text.get(command.whole()).is_some());
            }
        }
        let _ = file.stages();
        let _ = locate_step(&file, &step);
        let _ = locate_step(&file, &format!("[{step} 1/2] RUN {step}"));
    }
}

/// Lines made of what means something, and anything else.
fn line() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "FROM a",
        " AS b",
        "RUN ",
        "COPY ",
        "ENV ",
        "ARG A",
        "ONBUILD ",
        "<<E",
        "<<-'E'",
        "E",
        "\n",
        "\r\n",
        "\\",
        "\\\n",
        "`",
        "# escape=`\n",
        "#",
        "\"",
        "'",
        "$",
        "${A",
        "[\"a\"]",
        "--from=b ",
        " && ",
        "|",
        ";",
        "(",
        "\u{feff}",
        "é",
        "\t",
        " ",
        "=",
        "&",
        "HEALTHCHECK CMD ",
        "\u{0}",
        "\u{2028}",
    ]);
    prop::collection::vec(prop_oneof![parts.prop_map(str::to_owned), ".{0,3}"], 0..8)
        .prop_map(|parts| parts.concat())
}
