//! Dockerfiles that make no sense: each is said with its lines.

use std::os::unix::fs::symlink;

use super::*;

#[tokio::test]
async fn what_is_wrong_is_said_with_its_lines() {
    let place = Place::new();
    busybox(&place);
    place.write("file", "1");
    symlink("/etc/passwd", place.folder.path().join("context/absolute")).unwrap();
    symlink("../../..", place.folder.path().join("context/up")).unwrap();
    for (dockerfile, lines, message) in [
        ("RUN ls", (1, 1), "FROM must come first"),
        ("FROM busybox:1\nFOO x", (2, 2), "unknown instruction: FOO"),
        (
            "FROM busybox:1\n\nRUN \\\n  --mount=type=bind \\\n  ls",
            (3, 5),
            "--mount has no target",
        ),
        (
            "FROM busybox:1\nRUN <<EOF\nls",
            (2, 3),
            "no line ends the here-document EOF",
        ),
        (
            "FROM busybox:1 AS 1x",
            (1, 1),
            "invalid name for build stage: \"1x\"",
        ),
        (
            "FROM busybox:1 one two",
            (1, 1),
            "requires either one or three arguments",
        ),
        ("FROM ${NONE}", (1, 1), "should not be blank"),
        (
            "FROM busybox:1\nCOPY file",
            (2, 2),
            "requires at least two arguments",
        ),
        (
            "FROM busybox:1\nCOPY none /x",
            (2, 2),
            "stat none: file does not exist",
        ),
        (
            "FROM busybox:1\nCOPY ../file /x",
            (2, 2),
            "outside the build context",
        ),
        (
            "FROM busybox:1\nCOPY file/../../x /x",
            (2, 2),
            "outside the build context",
        ),
        ("FROM busybox:1\nCOPY absolute /x", (2, 2), "absolute: "),
        (
            "FROM busybox:1\nCOPY up/up/up/etc/passwd /x",
            (2, 2),
            "up/up/up/etc/passwd",
        ),
        (
            "FROM busybox:1\nRUN --mount=source=up/etc/passwd,target=/p cat /p",
            (2, 2),
            "up/etc/passwd",
        ),
        (
            "FROM busybox:1\nCOPY file file2 /x",
            (2, 2),
            "the destination must be a directory",
        ),
        (
            "FROM busybox:1\nCOPY --form=x a /x",
            (2, 2),
            "unknown flag: --form: COPY has --from",
        ),
        (
            "FROM busybox:1\nCOPY --from=a --from=b x /x",
            (2, 2),
            "duplicate flag specified: --from",
        ),
        (
            "FROM busybox:1\nENV --x a=b",
            (2, 2),
            "unknown flag: --x: ENV has none",
        ),
        (
            "FROM busybox:1\nCOPY --link=maybe file /x",
            (2, 2),
            "expecting boolean value for flag --link",
        ),
        (
            "FROM busybox:1\nCOPY --chmod=999 file /x",
            (2, 2),
            "invalid chmod parameter: '999'",
        ),
        (
            "FROM busybox:1\nCOPY --chown=nobody file /x",
            (2, 2),
            "unable to find user nobody",
        ),
        (
            "FROM busybox:1\nCOPY --from=$x file /x",
            (2, 2),
            "variables are not replaced there",
        ),
        (
            "FROM busybox:1\nCOPY --from=later /x /\nFROM busybox:1 AS later\nFROM busybox:1\nCOPY --from=0 /x /",
            (2, 2),
            "must come before",
        ),
        (
            "FROM busybox:1\nCOPY --checksum=x file /x",
            (2, 2),
            "unknown flag: --checksum",
        ),
        (
            "FROM busybox:1\nADD --checksum=x file /x",
            (2, 2),
            "--checksum needs one source",
        ),
        ("FROM busybox:1\nENV A", (2, 2), "must have two arguments"),
        ("FROM busybox:1\nENV a=1 b", (2, 2), "can't find = in \"b\""),
        ("FROM busybox:1\nENV a=${b", (2, 2), "missing '}'"),
        (
            "FROM busybox:1\nENV a=\"${b:?is needed}\"",
            (2, 2),
            "b: is needed",
        ),
        ("FROM busybox:1\nARG =x", (2, 2), "names can not be blank"),
        (
            "FROM busybox:1\nEXPOSE 70000",
            (2, 2),
            "invalid containerPort: 70000",
        ),
        (
            "FROM busybox:1\nEXPOSE 80/http",
            (2, 2),
            "invalid proto: http",
        ),
        (
            "FROM busybox:1\nSTOPSIGNAL SIGNOTHING",
            (2, 2),
            "Invalid signal: SIGNOTHING",
        ),
        ("FROM busybox:1\nSHELL sh -c", (2, 2), "in JSON form"),
        ("FROM busybox:1\nCMD [1]", (2, 2), "of strings only"),
        (
            "FROM busybox:1\nVOLUME [\"\"]",
            (2, 2),
            "can not be an empty string",
        ),
        (
            "FROM busybox:1\nHEALTHCHECK --interval=1x CMD a",
            (2, 2),
            "invalid duration \"1x\" of --interval",
        ),
        (
            "FROM busybox:1\nHEALTHCHECK --retries=-1 CMD a",
            (2, 2),
            "cannot be negative",
        ),
        (
            "FROM busybox:1\nHEALTHCHECK RUN a",
            (2, 2),
            "unknown type \"RUN\"",
        ),
        (
            "FROM busybox:1\nONBUILD FROM x",
            (2, 2),
            "FROM is not allowed as an ONBUILD trigger",
        ),
        (
            "FROM busybox:1\nONBUILD ONBUILD RUN x",
            (2, 2),
            "is not allowed",
        ),
        (
            "FROM busybox:1\nRUN --network=host2 ls",
            (2, 2),
            "unsupported network mode",
        ),
        (
            "FROM busybox:1\nRUN --security=insecure ls",
            (2, 2),
            "needs the entitlement security.insecure",
        ),
        (
            "FROM busybox:1\nRUN --mount=type=volume,target=/x ls",
            (2, 2),
            "--mount=type=volume is not supported",
        ),
        (
            "FROM busybox:1\nRUN --mount=type=secret,id=x,required ls",
            (2, 2),
            "secret x: not found",
        ),
        (
            "FROM --platform=linux/none busybox:1",
            (1, 1),
            "the platform linux/none",
        ),
        ("# escape=x\nFROM busybox:1", (1, 1), "invalid escape token"),
    ] {
        place.write("Dockerfile", dockerfile);
        let failure = place.build(alone()).await.unwrap_err();
        let said = &failure.error.message;
        assert!(said.contains(message), "{dockerfile}\n{said}");
        let found = failure.lines.map(|lines| (lines.first, lines.last));
        assert_eq!(found, Some(lines), "{dockerfile}\n{said}");
        assert_eq!(failure.source.unwrap().text, dockerfile);
    }
    assert!(place.engine.images.snapshots_are_gone());
    assert!(place.engine.containers.all().is_empty());
    let empty = place.error("# nothing\n").await;
    assert_eq!(empty, "the Dockerfile (Dockerfile) cannot be empty");
}
