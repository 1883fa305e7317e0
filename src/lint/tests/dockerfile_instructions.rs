//! Rules on instructions of Dockerfiles.

use crate::lint::testing::{check_dockerfiles, lint_dockerfile};

#[test]
fn add() {
    check_dockerfiles(
        "add-for-copy",
        &[
            "ADD app.py /app/",
            "ADD . /app",
            "ADD [\"a b\", \"c\", \"/d/\"]",
        ],
        &[
            "COPY app.py /app/",
            "ADD rootfs.tar.xz /",
            "ADD https://example.org/a /a",
            "ADD git@example.org:a/b.git /b",
            "ADD $FILE /a",
            "ADD *.tgz /a/",
            "ADD <<E /a\nx\nE",
        ],
    );
    check_dockerfiles(
        "add-without-checksum",
        &["ADD https://example.org/a.tar.gz /a"],
        &[
            "ADD --checksum=sha256:00 https://example.org/a.tar.gz /a",
            "ADD https://example.org/a.git#v1 /a",
            "ADD a.tar.gz /a",
        ],
    );
}

#[test]
fn bases() {
    check_dockerfiles(
        "floating-tag",
        &[
            "FROM debian",
            "FROM debian:latest",
            "ARG V=latest\nFROM debian:$V",
            "FROM --platform=$BUILDPLATFORM debian AS b",
            "FROM x:1\nCOPY --from=library/tool /a /a",
            "FROM x:1\nRUN --mount=from=library/tool:latest,target=/t a",
        ],
        &[
            "FROM debian:13",
            "FROM debian@sha256:00",
            "FROM scratch",
            "FROM x:1 AS base\nFROM base",
            "ARG V=13\nFROM debian:${V}",
            "ARG V\nFROM debian:${V:-13}",
            "FROM x:1 AS b\nFROM y:1\nCOPY --from=b /a /a\nCOPY --from=0 /c /c",
        ],
    );
    assert_eq!(
        lint_dockerfile("floating-tag", "ARG I=debian\nFROM $I\n"),
        ["2:6 note: base debian has no tag: each build may start from another one"]
    );
    check_dockerfiles(
        "undefined-argument",
        &[
            "FROM x:$V",
            "FROM x:1\nARG V=1\nFROM y:$V",
            "ARG V\nFROM x:$V",
        ],
        &[
            "ARG V=1\nFROM x:$V",
            "FROM x:${V:-1}",
            "FROM --platform=$BUILDPLATFORM x:$TARGETARCH",
        ],
    );
}

#[test]
fn stages() {
    check_dockerfiles(
        "unknown-stage",
        &[
            "FROM x:1 AS a\nCOPY --from=a /b /b",
            "FROM x:1 AS a\nCOPY --from=b /b /b\nFROM y:1 AS b",
            "FROM x:1\nCOPY --from=1 /b /b",
            "FROM x:1 AS builder\nFROM y:1\nCOPY --from=bulider /b /b",
            "FROM x:1\nFROM y:1\nRUN --mount=type=bind,from=2,target=/a b",
        ],
        &[
            "FROM x:1 AS A\nFROM y:1\nCOPY --from=a /b /b\nCOPY --from=0 /c /c\nCOPY --from=nginx:1 /d /d",
            "FROM x:1 AS a\nFROM y:1\nCOPY --from=$STAGE /b /b",
        ],
    );
    check_dockerfiles(
        "duplicate-stage",
        &["FROM x:1 AS a\nFROM y:1 AS A"],
        &["FROM x:1 AS a\nFROM y:1 AS b\nFROM z:1"],
    );
    check_dockerfiles(
        "stage-name-case",
        &["FROM x:1 AS Build"],
        &["FROM x:1 AS build-1"],
    );
    check_dockerfiles(
        "unused-stage",
        &["FROM x:1\nFROM y:1", "FROM x:1 AS test\nFROM y:1"],
        &[
            "FROM x:1 AS a\nFROM a AS b\nFROM y:1 AS c\nFROM z:1\nCOPY --from=b /b /b\nRUN --mount=from=c,target=/c d",
            "FROM x:1\nFROM y:1\nCOPY --from=0 /b /b",
        ],
    );
}

#[test]
fn secrets() {
    check_dockerfiles(
        "secret-in-image",
        &[
            "ARG NPM_TOKEN",
            "ENV NPM=1 API_TOKEN=$TOKEN",
            "ARG DB_PASSWORD=${X}",
        ],
        &[
            "RUN --mount=type=secret,id=npm_token npm ci",
            "ARG TOKEN_FILE=/run/secrets/t",
            "ENV PASSWORD_MIN_LENGTH=8",
            "ENV API_TOKEN=",
            // Found as a value that stands in the file.
            "ENV API_TOKEN=hunter2",
        ],
    );
    let token = format!("RUN curl -H ghp_{}", "a1".repeat(18));
    check_dockerfiles(
        "secret-in-clear",
        &[
            "ENV DB_PASSWORD=hunter2",
            "ARG API_KEY='hunter2'",
            "RUN git clone https://me:hunter2@example.org/x",
            &token,
        ],
        &[
            "ENV DB_PASSWORD=$PW DB_PASSWORD_FILE=/a",
            "ENV ALLOW_EMPTY_PASSWORD=yes",
        ],
    );
    check_dockerfiles(
        "env-for-arg",
        &[
            "ENV DEBIAN_FRONTEND=noninteractive",
            "ENV DEBIAN_FRONTEND noninteractive",
        ],
        &[
            "ARG DEBIAN_FRONTEND=noninteractive",
            "RUN DEBIAN_FRONTEND=noninteractive apt-get update",
            "ENV LANG=C.UTF-8",
            "ENV DEBIAN_FRONTEND=noninteractive\nRUN a\nENV DEBIAN_FRONTEND=",
        ],
    );
}

#[test]
fn folders_users_and_ports() {
    check_dockerfiles(
        "relative-workdir",
        &[
            "WORKDIR app",
            "FROM x:1 AS a\nWORKDIR /a\nFROM y:1\nWORKDIR b",
        ],
        &[
            "WORKDIR /app",
            "WORKDIR /app\nWORKDIR src",
            "WORKDIR $HOME/app",
            "WORKDIR C:\\\\app",
            "FROM x:1 AS a\nWORKDIR /a\nFROM a\nWORKDIR b",
        ],
    );
    check_dockerfiles(
        "root-user",
        &["CMD [\"a\"]", "USER app\nUSER root", "USER 0:0"],
        &[
            "USER app",
            "USER root\nRUN a\nUSER 1000",
            "FROM scratch\nUSER 1",
            "FROM distroless:nonroot",
            "FROM x:1 AS a\nUSER app\nFROM a",
        ],
    );
    check_dockerfiles(
        "invalid-expose",
        &[
            "EXPOSE 70000",
            "EXPOSE 8080:80",
            "EXPOSE http",
            "EXPOSE 0",
            "EXPOSE 80/http",
            "EXPOSE 90-80",
        ],
        &[
            "EXPOSE 80 443/tcp 53/udp 8000-8010 $PORT ${P}/udp",
            "EXPOSE 9999/SCTP",
        ],
    );
}

#[test]
fn forms_of_commands() {
    check_dockerfiles(
        "shell-form",
        &[
            "CMD node server.js",
            "ENTRYPOINT ./run.sh --port $PORT",
            "CMD a && b",
        ],
        &[
            "CMD [\"node\", \"server.js\"]",
            "CMD exec node server.js",
            "CMD a && exec b",
            "CMD []",
            "SHELL [\"/bin/tini\", \"-c\"]\nCMD a",
            "FROM x:1 AS a\nCMD b\nFROM y:1",
        ],
    );
    check_dockerfiles(
        "json-quotes",
        &["CMD ['a', 'b']", "ENTRYPOINT [\"a\", \"b\",]", "CMD ['a']"],
        &[
            "CMD [\"a\"]",
            "RUN [ -f /a ] && b",
            "RUN [ \"$A\" = \"b\" ]",
            "RUN [ \"$A\" ]",
            "RUN [[ a ]]",
            "CMD a",
        ],
    );
    check_dockerfiles(
        "repeated-instruction",
        &[
            "CMD [\"a\"]\nCMD [\"b\"]",
            "HEALTHCHECK NONE\nHEALTHCHECK CMD a",
            "ENTRYPOINT [\"a\"]\nENTRYPOINT [\"b\"]",
        ],
        &[
            "ENTRYPOINT [\"a\"]\nCMD [\"b\"]",
            "FROM x:1\nCMD [\"a\"]\nFROM y:1\nCMD [\"b\"]",
        ],
    );
    check_dockerfiles(
        "maintainer",
        &["MAINTAINER me <me@example.org>"],
        &["LABEL org.opencontainers.image.authors=me"],
    );
    check_dockerfiles(
        "dockerfile-syntax",
        &["RUNN make", "RUN --mnt=a b", "RUN <<E\na"],
        &["RUN python3 <<E\nimport a\nE", "run make"],
    );
}

#[test]
fn a_file_of_too_much_is_refused_soon() {
    let text = format!("FROM x:1\n{}", "CMD [\"a\"]\n".repeat(10_001));
    let found = lint_dockerfile("dockerfile-syntax", &text);
    assert_eq!(
        found,
        ["10001:1 error: there are more than 10000 instructions"]
    );
    let text = format!("FROM x:1\nRUN {}", "sudo a;".repeat(50_000));
    assert_eq!(lint_dockerfile("sudo-in-run", &text).len(), 50_000);
}

#[test]
fn other_languages_are_left_alone() {
    let text = "# syntax=example/frontend\nBUILD everything\n";
    assert_eq!(lint_dockerfile("dockerfile-syntax", text), [""; 0]);
    let text = "# syntax=docker/dockerfile:1\nBUILD everything\n";
    assert_eq!(lint_dockerfile("dockerfile-syntax", text).len(), 1);
}
