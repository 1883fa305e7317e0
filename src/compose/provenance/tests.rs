use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Answer, Effect, Explainer, Kind, Trail, Unknown};
use crate::compose::{LoadOptions, Loaded, SourceMap, load_recorded};

/// A folder with files, and a shell.
struct Folder {
    folder: tempfile::TempDir,
    options: LoadOptions,
}

impl Folder {
    fn new(files: &[(&str, &str)], shell: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let shell: BTreeMap<String, String> = shell
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let mut options = LoadOptions::new(folder.path().canonicalize().unwrap(), shell);
        options.project_name = Some("p".to_owned());
        Self { folder, options }
    }

    fn ask(&self, question: &str) -> (Result<Answer, Unknown>, Loaded) {
        let (loaded, record) = match load_recorded(&self.options) {
            Ok(found) => found,
            Err(error) => panic!("{:?}", error.diagnostics),
        };
        let answer = Explainer::new(&loaded, &record, &self.options).answer(question);
        (answer, loaded)
    }

    /// The answer, a layer a line: kind, place, what is written, what came of it.
    fn why(&self, question: &str) -> String {
        let (answer, loaded) = self.ask(question);
        let answer = answer.unwrap();
        let mut text = String::new();
        for trail in &answer.trails {
            show(trail, &loaded.sources, 0, &mut text);
        }
        for used in &answer.uses {
            let place = loaded.sources.locate(used.place);
            writeln!(text, "used at {place} in {}", used.path).unwrap();
        }
        for note in &answer.notes {
            writeln!(text, "note: {note}").unwrap();
        }
        let folder = self.folder.path().canonicalize().unwrap();
        text.replace(&*folder.to_string_lossy(), "FOLDER")
    }

    fn unknown(&self, question: &str) -> String {
        let unknown = self.ask(question).0.unwrap_err();
        format!("{}; {}", unknown.message, unknown.help.unwrap_or_default())
    }
}

fn show(trail: &Trail, sources: &SourceMap, depth: usize, text: &mut String) {
    let pad = "  ".repeat(depth);
    let value = trail
        .value
        .as_ref()
        .map_or("unset".to_owned(), |value| value.to_string());
    writeln!(text, "{pad}{} = {value}", trail.subject).unwrap();
    for origin in &trail.origins {
        let place = origin
            .place
            .map(|place| sources.locate(place))
            .unwrap_or_default();
        let effect = origin.effect.name();
        let by = origin
            .effect
            .by()
            .map(|by| format!(" {by}"))
            .unwrap_or_default();
        let kind = origin.kind.name();
        writeln!(
            text,
            "{pad}- {kind} {place} `{}` {effect}{by}",
            origin.written
        )
        .unwrap();
        for variable in &origin.variables {
            show(variable, sources, depth + 2, text);
        }
    }
}

#[test]
fn files_variables_and_the_shell() {
    let folder = Folder::new(
        &[
            (
                "compose.yaml",
                "services:\n  web:\n    image: x\n    environment:\n      HOST: ${HOST:-localhost}\n",
            ),
            (
                "compose.override.yaml",
                "services:\n  web:\n    environment:\n      - HOST=db.internal\n",
            ),
            (".env", "HOST=db.dev\n"),
        ],
        &[("HOST", "shell")],
    );
    insta::assert_snapshot!(folder.why("services.web.environment.HOST"), @r#"
    services.web.environment.HOST = "db.internal"
    - file compose.yaml:5:13 `${HOST:-localhost}` overridden 1
        HOST = "shell"
        - default compose.yaml:5:13 `localhost` unused
        - env-file .env:1:1 `db.dev` overridden 2
        - shell  `shell` wins
    - override compose.override.yaml:4:9 `HOST=db.internal` wins
    "#);
}

#[test]
fn defaults_count_where_nothing_or_an_empty_text_is_set() {
    let folder = Folder::new(
        &[
            (
                "compose.yaml",
                "services: {a: {image: '${A:-one}-${B:-two}-${C-three}-${D:+four}'}}",
            ),
            (".env", "B=\nC=\nD=x\n"),
        ],
        &[],
    );
    insta::assert_snapshot!(folder.why("services.a.image"), @r#"
    services.a.image = "one-two--four"
    - file compose.yaml:1:23 `${A:-one}-${B:-two}-${C-three}-${D:+four}` wins
        A = "one"
        - default compose.yaml:1:23 `one` wins
        B = "two"
        - default compose.yaml:1:23 `two` wins
        - env-file .env:1:1 `` empty
        C = ""
        - default compose.yaml:1:23 `three` unused
        - env-file .env:2:1 `` wins
        D = "four"
        - alternate compose.yaml:1:23 `four` wins
        - env-file .env:3:1 `x` overridden 0
    "#);
}

#[test]
fn env_files_of_services_are_below_the_environment() {
    let folder = Folder::new(
        &[
            (
                "compose.yaml",
                "services: {a: {image: x, env_file: [one.env, two.env], environment: {B: own, C: }}}",
            ),
            ("one.env", "A=1\nB=1\n"),
            ("two.env", "# comment\nA='2'\n"),
        ],
        &[("C", "from the shell")],
    );
    insta::assert_snapshot!(folder.why("services.a.environment"), @r#"
    services.a.environment.A = "2"
    - service-env-file one.env:1:1 `1` overridden 1
    - service-env-file two.env:2:1 `'2'` wins
    services.a.environment.B = "own"
    - service-env-file one.env:2:1 `1` overridden 1
    - file compose.yaml:1:73 `own` wins
    services.a.environment.C = "from the shell"
    - file compose.yaml:1:78 `C` wins
        C = "from the shell"
        - shell  `from the shell` wins
    "#);
}

#[test]
fn directives_say_what_they_removed() {
    let folder = Folder::new(
        &[
            (
                "compose.yaml",
                "services: {a: {image: x, command: run, dns: [1.1.1.1], labels: {k: v}}}",
            ),
            (
                "compose.override.yaml",
                "services: {a: {command: !reset null, dns: !override [9.9.9.9], labels: !reset {}}}",
            ),
        ],
        &[],
    );
    insta::assert_snapshot!(folder.why("services.a.command"), @"
    services.a.command = unset
    - file compose.yaml:1:35 `run` removed 1
    - override compose.override.yaml:1:25 `!reset` resets
    ");
    insta::assert_snapshot!(folder.why("services.a.dns"), @r#"
    services.a.dns = ["9.9.9.9"]
    - file compose.yaml:1:45 `[1.1.1.1]` replaced 1
    - override compose.override.yaml:1:43 `[9.9.9.9]` adds
    services.a.dns[0] = "9.9.9.9"
    - override compose.override.yaml:1:54 `9.9.9.9` wins
    "#);
    insta::assert_snapshot!(folder.why("services.a.labels.k"), @"
    services.a.labels.k = unset
    - file compose.yaml:1:68 `v` removed 1
    - override compose.override.yaml:1:72 `!reset` resets
    ");
}

#[test]
fn elements_of_lists_have_layers_of_their_own() {
    let mut folder = Folder::new(
        &[
            (
                "compose.yaml",
                "services: {a: {image: x, ports: ['80:80', '90-91:90-91'], volumes: ['one:/data/'], cap_add: [A]}}\nvolumes: {one: , two: }",
            ),
            (
                "more.yaml",
                "services: {a: {ports: ['443:443'], volumes: ['two:/data'], cap_add: [A, B]}}",
            ),
        ],
        &[],
    );
    folder.options.files = vec!["compose.yaml".to_owned(), "more.yaml".to_owned()];
    insta::assert_snapshot!(folder.why("services.a.ports[2]"), @r#"
    services.a.ports[2] = {"mode":"ingress","target":91,"published":"91","protocol":"tcp"}
    - file compose.yaml:1:43 `90-91:90-91` wins
    "#);
    insta::assert_snapshot!(folder.why("services.a.ports[3].published"), @r#"
    services.a.ports[3].published = "443"
    - override more.yaml:1:24 `443:443` wins
    "#);
    insta::assert_snapshot!(folder.why("services.a.volumes[0].source"), @r#"
    services.a.volumes[0].source = "two"
    - file compose.yaml:1:69 `one:/data/` overridden 1
    - override more.yaml:1:46 `two:/data` wins
    "#);
    insta::assert_snapshot!(folder.why("services.a.cap_add"), @r#"
    services.a.cap_add[0] = "A"
    - file compose.yaml:1:94 `A` overridden 1
    - override more.yaml:1:70 `A` wins
    services.a.cap_add[1] = "B"
    - override more.yaml:1:73 `B` wins
    "#);
}

#[test]
fn what_is_extended_and_included_comes_first() {
    let folder = Folder::new(
        &[
            (
                "compose.yaml",
                "include: [part/compose.yaml]\nservices:\n  db: {environment: {A: mine}}\n  web: {extends: {file: base.yaml, service: base}, environment: {A: web}}\n",
            ),
            (
                "base.yaml",
                "services:\n  root: {image: root, environment: {A: root, B: $WHO}}\n  base: {extends: root, environment: {A: base}}\n",
            ),
            (
                "part/compose.yaml",
                "services: {db: {image: 'pg:$TAG', environment: {A: part}}}",
            ),
            ("part/.env", "TAG=17\n"),
        ],
        &[("WHO", "me")],
    );
    insta::assert_snapshot!(folder.why("services.web.environment"), @r#"
    services.web.environment.A = "web"
    - extends base.yaml:2:40 `root` overridden 1
    - extends base.yaml:3:42 `base` overridden 2
    - file compose.yaml:4:69 `web` wins
    services.web.environment.B = "me"
    - extends base.yaml:2:49 `$WHO` wins
        WHO = "me"
        - shell  `me` wins
    "#);
    insta::assert_snapshot!(folder.why("services.db"), @r#"
    services.db.environment.A = "mine"
    - include part/compose.yaml:1:52 `part` overridden 1
    - file compose.yaml:3:25 `mine` wins
    services.db.image = "pg:17"
    - include part/compose.yaml:1:24 `pg:$TAG` wins
        TAG = "17"
        - env-file part/.env:1:1 `17` wins
    services.db.networks.default = null
    - implied part/compose.yaml:1:16 `a service that names no network joins "default"` wins
    "#);
    insta::assert_snapshot!(folder.why("TAG"), @r#"
    TAG = "17"
    - env-file part/.env:1:1 `17` wins
    used at part/compose.yaml:1:24 in services.db.image
    "#);
}

#[test]
fn values_that_no_file_sets_have_a_reason() {
    let folder = Folder::new(
        &[(
            "compose.yaml",
            "services: {a: {image: x, links: [b]}, b: {build: {}}, c: {image: x, profiles: [c]}}\nnetworks: {n: {}}",
        )],
        &[],
    );
    insta::assert_snapshot!(folder.why("networks.default.name"), @r#"
    networks.default.name = "p_default"
    - implied compose.yaml:1:1 `the project's name and "_default"` wins
    "#);
    insta::assert_snapshot!(folder.why("services.b.build"), @r#"
    services.b.build.context = "FOLDER"
    - implied compose.yaml:1:50 `the folder of the compose file` wins
    services.b.build.dockerfile = "Dockerfile"
    - implied compose.yaml:1:50 `the name that engines look for` wins
    "#);
    insta::assert_snapshot!(folder.why("services.c.image"), @r#"
    services.c.image = "x"
    - file compose.yaml:1:66 `x` wins
    note: the service is not enabled: it has the profile c
    "#);
    insta::assert_snapshot!(folder.why("networks.n.name"), @r#"
    networks.n.name = "p_n"
    - implied compose.yaml:2:15 `the project's name and the network's key` wins
    note: not part of the project: nothing that is enabled uses it
    "#);
    let name = folder.why("name");
    assert!(name.contains("- option  `-p` wins"), "{name}");
}

#[test]
fn an_empty_name_and_several_addresses_of_a_host() {
    let mut folder = Folder::new(
        &[(
            "compose.yaml",
            "name: ''\nservices: {a: {image: x, extra_hosts: ['h=1.1.1.1,2.2.2.2']}}",
        )],
        &[("COMPOSE_PROJECT_NAME", "shell")],
    );
    folder.options.project_name = None;
    let name = folder.why("name");
    assert!(name.contains("- shell  `shell` wins"), "{name}");
    assert!(!name.contains("compose.yaml"), "{name}");
    let host = folder.why("services.a.extra_hosts[1]");
    assert!(host.contains("`h=1.1.1.1,2.2.2.2` wins"), "{host}");
}

#[test]
fn what_is_not_there_is_an_error_that_helps() {
    let folder = Folder::new(
        &[
            (
                "compose.yaml",
                "services: {web: {image: '$TAG', labels: {a.b: c}}}",
            ),
            (".env", "TAG=x\n"),
        ],
        &[],
    );
    assert_eq!(
        folder.unknown("services.web.imgae"),
        "services.web has no \"imgae\"; did you mean \"image\"?"
    );
    assert_eq!(
        folder.unknown("service.web"),
        "the project has no \"service\"; did you mean \"services\"?"
    );
    assert_eq!(
        folder.unknown("web.image"),
        "the project has no \"web\"; a path starts with its section: services.web"
    );
    assert_eq!(
        folder.unknown("TAGG"),
        "the variable \"TAGG\" is neither set nor used; did you mean \"TAG\"?"
    );
    assert!(folder.ask("services.web.labels.a.b").0.is_ok());
}

/// Every value of a project whose files use each way to say something.
#[test]
fn the_winner_says_the_value_everywhere() {
    let mut folder = Folder::new(
        &[
            (
                "compose.yaml",
                "name: $N\ninclude: [{path: [inc/a.yaml, inc/b.yaml], env_file: inc/x.env}]\nx-e: &e {A: 1, B: two}\nservices:\n  base: {image: i, environment: [A=0, Z], dns: 1.1.1.1, sysctls: {k: 1}, tmpfs: [/t], extra_hosts: {h: 1.1.1.1}}\n  a:\n    extends: base\n    environment: {<<: *e, C: $C}\n    ports: ['80', {target: 81, published: '81'}]\n    networks: [one]\n    depends_on: [base]\n    build: .\n    logging: {driver: d, options: {a: '1'}}\n    healthcheck: {test: [CMD, x], retries: 3}\n    ulimits: {nofile: 5}\nnetworks: {one: {driver_opts: {a: '1'}, ipam: {config: [{subnet: 1.0.0.0/24}]}}}\n",
            ),
            (
                "compose.override.yaml",
                "services:\n  a:\n    environment: [A=9, N]\n    dns: [2.2.2.2]\n    sysctls: [k=2]\n    ports: ['80', '443:443']\n    networks: {one: {aliases: [x]}, default: }\n    depends_on: {inc: {condition: service_started}}\n    build: {args: [X=1, N]}\n    logging: {driver: d, options: {b: '2'}}\n    healthcheck: {test: [CMD, other]}\n    ulimits: {nofile: {soft: 1, hard: 2}}\n    extra_hosts: ['g=2.2.2.2']\n    labels: !override {l: '1'}\nnetworks: {one: {driver_opts: {a: '2'}, ipam: {config: [{subnet: 1.0.0.0/24, gateway: 1.0.0.1}]}}}\n",
            ),
            (
                "inc/a.yaml",
                "services: {inc: {image: 'a:$V', labels: [a=1]}}",
            ),
            ("inc/b.yaml", "services: {inc: {labels: {b: $C}}}"),
            ("inc/x.env", "V=1\nC=inc\n"),
            (".env", "N=named\nC=${N}-c\n"),
        ],
        &[],
    );
    folder.options.project_name = None;
    folder.options.resolve_paths = false;
    let (loaded, record) = load_recorded(&folder.options)
        .map_err(|error| error.diagnostics)
        .unwrap();
    let explainer = Explainer::new(&loaded, &record, &folder.options);
    let leaves = explainer.leaves();
    assert!(leaves.len() > 50, "{leaves:?}");
    for leaf in leaves {
        let answer = explainer.answer(&leaf).unwrap();
        let [.., trail] = answer.trails.as_slice() else {
            panic!("{leaf} has no trail");
        };
        assert_eq!(trail.subject, leaf);
        let winners: Vec<_> = trail
            .origins
            .iter()
            .filter(|origin| origin.effect == Effect::Wins)
            .collect();
        let [winner] = winners.as_slice() else {
            panic!("{leaf}: {:?}", trail.origins);
        };
        if winner.kind == Kind::Implied {
            assert_ne!(winner.written, "the default", "{leaf}");
            continue;
        }
        let text = |value: Option<&serde_json::Value>| match value {
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        let (value, said) = (text(trail.value.as_ref()), text(winner.value.as_ref()));
        // Elements that are made of a short form are said as the form.
        if trail.value.as_ref().is_some_and(|value| value.is_object()) {
            continue;
        }
        let in_list = said.ends_with(&format!("={value}")) || value.ends_with(&format!("={said}"));
        assert!(value == said || in_list, "{leaf}: {value} is not {said}");
    }
}
