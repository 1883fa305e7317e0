//! Rules about the values in compose files and env files.

use crate::lint::testing::{Folder, lint_text};

#[test]
fn values_that_become_other_texts() {
    let text = "services:
  a:
    image: x:1
    environment:
      A: 012
      B: 3.10
      C: 1_000
      D: 1e3
      E: null
      F: True
      G: '3.10'
      H: 8080
      I: 22:22
      J: yes
      K:
      PASSWORD: 0123
    labels: {a: 1.0, b: ~, c: true}
    build: {context: ., args: {V: 3.10}}
    mem_limit: 1_000
    cpus: 1.50
";
    assert_eq!(
        lint_text("implicit-type", text),
        [
            "compose.yaml:5:10 implicit-type warning: A becomes `10`: unquoted, `012` is read as an integer",
            "compose.yaml:6:10 implicit-type warning: B becomes `3.1`: unquoted, `3.10` is read as a number",
            "compose.yaml:7:10 implicit-type warning: C becomes `1000`: unquoted, `1_000` is read as an integer",
            "compose.yaml:8:10 implicit-type warning: D becomes `1000`: unquoted, `1e3` is read as a number",
            "compose.yaml:9:10 implicit-type warning: E is taken from the shell: `null` is no value",
            "compose.yaml:10:10 implicit-type note: F becomes `true`: unquoted, `True` is read as a boolean",
            "compose.yaml:16:17 implicit-type warning: PASSWORD becomes another text: unquoted, it is \
             read as an integer",
            "compose.yaml:17:17 implicit-type warning: a becomes `1`: unquoted, `1.0` is read as a number",
            "compose.yaml:17:25 implicit-type warning: b is empty: `~` is no value",
            "compose.yaml:18:35 implicit-type warning: V becomes `3.1`: unquoted, `3.10` is read as a number",
        ]
    );
}

#[test]
fn values_of_yaml_1_1() {
    let text = "services:
  a:
    image: x:1
    restart: no
    environment: {A: yes, B: 'yes', C: yesterday}
    ports: [22:22, 8080:80, '22:22', 80]
";
    assert_eq!(
        lint_text("yaml-1.1-value", text),
        [
            "compose.yaml:4:14 yaml-1.1-value note: `no` is a boolean to programs that read YAML 1.1",
            "compose.yaml:5:22 yaml-1.1-value note: `yes` is a boolean to programs that read YAML 1.1",
            "compose.yaml:6:13 yaml-1.1-value note: `22:22` is the number 1342 to programs that read YAML 1.1",
        ]
    );
}

#[test]
fn quotes_in_list_items() {
    let text = "services:
  a:
    image: x:1
    environment:
      - A=\"b c\"
      - \"B=b c\"
      - C='PASS'
      - D=\"a\" \"b\"
      - E=
";
    assert_eq!(
        lint_text("quoted-value", text),
        [
            "compose.yaml:5:11 quoted-value warning: the quotes are part of the value of A",
            "compose.yaml:7:11 quoted-value warning: the quotes are part of the value of C",
        ]
    );
}

#[test]
fn secrets_in_clear() {
    let token = format!("ghp_{}", "0aB".repeat(12));
    let text = format!(
        "services:
  a:
    image: x:1
    command: [curl, -H, 'Authorization: {token}']
    environment:
      POSTGRES_PASSWORD: hunter2
      DB_PASSWORD: ${{DB_PASSWORD:-hunter2}}
      TOKEN_FILE: /run/secrets/token
      ALLOW_EMPTY_PASSWORD: 'yes'
      URL: postgres://app:hunter2@db/app
      OTHER: postgres://app:${{DB_PASSWORD}}@db/app
    build: {{context: ., args: ['NPM_TOKEN=hunter2']}}
    labels: {{tls-secret: name, auth.password: hunter2}}
configs: {{}}
x-key: |
  -----BEGIN PRIVATE KEY-----
"
    );
    assert_eq!(
        lint_text("secret-in-clear", &text),
        [
            "compose.yaml:4:25 secret-in-clear error: this gives an access token away",
            "compose.yaml:6:26 secret-in-clear warning: the value of POSTGRES_PASSWORD stands in the file",
            "compose.yaml:10:27 secret-in-clear warning: the URL in URL has a password in it",
            "compose.yaml:12:43 secret-in-clear warning: the value of NPM_TOKEN stands in the file",
            "compose.yaml:13:47 secret-in-clear warning: the value of auth.password stands in the file",
            "compose.yaml:15:8 secret-in-clear error: this gives a private key away",
        ]
    );
}

fn env(text: &str) -> Vec<String> {
    let compose = "services: {a: {image: 'x:1', env_file: a.env, environment: {OWN: '1'}}}";
    Folder::new(&[
        ("compose.yaml", compose),
        ("a.env", text),
        (".env", "SET=1\n"),
    ])
    .lint(&["dollar-in-env-file"])
}

#[test]
fn dollars_in_env_files() {
    assert_eq!(
        env("PASSWORD=P@$$w0rd\n"),
        [
            "a.env:1:12 dollar-in-env-file warning: `$$` in PASSWORD is read as one `$`: `**$$****` \
          becomes `**$****`"
        ]
    );
    assert_eq!(
        env("A=1\nPASSWORD=\"pa\\$$word\"\n"),
        [
            "a.env:2:15 dollar-in-env-file warning: `$word` in PASSWORD is read as a variable, which is \
          not set: `**\\$$word` becomes `**$`"
        ]
    );
    assert_eq!(
        env("PRICE=5$$\n"),
        ["a.env:1:8 dollar-in-env-file note: `$$` in PRICE is read as one `$`: `5$$` becomes `5$`"]
    );
    assert_eq!(
        env("DIR=${LATER}/x\nLATER=1\n"),
        [
            "a.env:1:5 dollar-in-env-file warning: `${LATER}` in DIR is read as a variable, which is \
          only set further down: `${LATER}/x` becomes `/x`"
        ]
    );
}

#[test]
fn dollars_that_are_meant() {
    for text in [
        "PASSWORD='P@$$w0rd'\n",
        "PASSWORD=\"P\\$x\"\n",
        "PASSWORD=pa$1 $ $\n",
        "A=${SET}$OWN\nB=$A\n",
        "A=${X:-y}${X-y}${SET:+z}\n",
        "USERS=admin:$$2y$$05$$abcdefgh\n",
        "# $nope\nA=b # $nope\n",
    ] {
        assert_eq!(env(text), [""; 0], "{text}");
    }
    let compose = "services: {a: {image: 'x:1', env_file: [{path: a.env, format: raw}]}}";
    let folder = Folder::new(&[("compose.yaml", compose), ("a.env", "A=$x$$\n")]);
    assert_eq!(folder.lint(&["dollar-in-env-file"]), [""; 0]);
}
