use super::*;

fn rests(text: &str) -> Vec<String> {
    let instructions = parse(text).unwrap();
    instructions.into_iter().map(|one| one.rest).collect()
}

#[test]
fn lines_are_joined_and_comments_left_out() {
    let text = "# escape=\\\nFROM scratch AS a\n# note\nENV a=b \\\n  # inner\n\n  c=d\ncopy --from=a --chown=1:2 x y\n";
    let instructions = parse(text).unwrap();
    let texts: Vec<String> = instructions.iter().map(Instruction::text).collect();
    assert_eq!(texts[0], "FROM scratch AS a");
    assert_eq!(instructions[1].rest, "a=b   c=d");
    assert_eq!(texts[2], "COPY --from=a --chown=1:2 x y");
    let lines: Vec<_> = instructions
        .iter()
        .map(|one| (one.lines.first, one.lines.last))
        .collect();
    assert_eq!(lines, [(2, 2), (4, 7), (8, 8)]);
}

#[test]
fn a_byte_order_mark_and_other_line_ends_do_not_count() {
    let text = "\u{feff}FROM scratch\r\nENV a=b \\\r\n  c=d\r\nRUN <<EOF\r\nls\r\nEOF\r\nCMD x\r\n";
    let instructions = parse(text).unwrap();
    assert_eq!(rests(text), ["scratch", "a=b   c=d", "<<EOF", "x"]);
    assert_eq!(instructions[2].documents[0].content, "ls\r\n");
    assert_eq!(instructions[3].lines.first, 7);
}

#[test]
fn a_backtick_continues_lines_where_it_is_the_escape() {
    let text = "#syntax=x/y:1\n# Escape = `\nFROM scratch\nENV a=C:\\ `\n b=d\nRUN x ``\nRUN y";
    assert_eq!(rests(text), ["scratch", "a=C:\\  b=d", "x ``", "y"]);
    // After anything else it is a comment.
    assert_eq!(rests("# note\n# escape=`\nRUN x `\nRUN y"), ["x `", "y"]);
}

#[test]
fn flags_may_have_quotes_and_end() {
    let text =
        "FROM x\nCOPY --exclude=\"a b\" --link -- --odd /x\nHEALTHCHECK --retries=2 CMD a --b";
    let instructions = parse(text).unwrap();
    let flags: Vec<_> = instructions[1].flags.iter().collect();
    assert_eq!(flags[0].1, "a b");
    assert_eq!(flags[1].0, "link");
    assert_eq!(instructions[1].rest, "--odd /x");
    assert_eq!(instructions[2].rest, "CMD a --b");
}

#[test]
fn here_documents_belong_to_their_instruction() {
    let text = "COPY <<A <<-\"B\" /x/\n1 $v\nA\n\t2\n\tB\nRUN cat <<'C'>x 3<<D\n# kept\nC>x\nD\nRUN echo $((1<<2))\nRUN cat <<<word\nRUN [\"<<X\"]\nONBUILD COPY <<E /e\ne\nE\nCMD x";
    let instructions = parse(text).unwrap();
    let documents = &instructions[0].documents;
    assert_eq!(
        (documents[0].text(), documents[0].expands),
        ("1 $v\n".into(), true)
    );
    assert_eq!(
        (documents[1].text(), documents[1].expands),
        ("2\n".into(), false)
    );
    assert_eq!(
        instructions[1].rest_with_documents(),
        "cat <<'C'>x 3<<D\n# kept\nC>x\nD"
    );
    let counts: Vec<usize> = instructions.iter().map(|one| one.documents.len()).collect();
    assert_eq!(counts, [2, 2, 0, 0, 0, 1, 0]);
    assert_eq!(instructions[5].rest_with_documents(), "COPY <<E /e\ne\nE");
    let script = &parse("RUN << EOF\nls\npwd\nEOF").unwrap()[0];
    assert_eq!(script.text(), "RUN << EOF (ls…)");
    assert!(script.is_script());
}

#[test]
fn what_cannot_be_read_is_said_with_its_lines() {
    for (text, lines, message) in [
        (
            "FROM scratch\nFOO bar",
            (2, 2),
            "line 2: unknown instruction: FOO",
        ),
        ("FROM x\n\nENV", (3, 3), "line 3: ENV requires arguments"),
        (
            "RUN <<EOF\necho",
            (1, 2),
            "line 1: no line ends the here-document EOF",
        ),
        ("# escape=x\nFROM x", (1, 1), "line 1: invalid escape token"),
        (
            "# escape=`\n# escape=`\nFROM x",
            (2, 2),
            "line 2: only one escape parser directive can be used",
        ),
    ] {
        let failure = parse(text).unwrap_err();
        assert_eq!(failure.error.status, 400);
        let message_is = &failure.error.message;
        assert!(message_is.contains(message), "{message_is}");
        let found = failure.lines.unwrap();
        assert_eq!((found.first, found.last), lines, "{text}");
    }
}
