//! The stages together, on files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::node::Node;
use super::testing::show;
use super::{LoadOptions, Loaded, load, load_tree};

/// A folder with files.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self(folder)
    }

    fn path(&self) -> PathBuf {
        self.0.path().canonicalize().unwrap()
    }

    fn options(&self) -> LoadOptions {
        let mut options = LoadOptions::new(self.path(), BTreeMap::new());
        options.project_name = Some("p".to_owned());
        options
    }

    fn load(&self) -> Loaded {
        run(&self.options())
    }

    fn errors(&self) -> Vec<String> {
        errors(&self.options())
    }

    fn tree(&self) -> Node {
        match load_tree(&self.options()) {
            Ok(loaded) => loaded.tree,
            Err(error) => panic!("{:?}", error.diagnostics),
        }
    }
}

fn run(options: &LoadOptions) -> Loaded {
    match load(options) {
        Ok(loaded) => loaded,
        Err(error) => panic!("{:?}", error.diagnostics),
    }
}

/// `file:line:column: message` of every error.
fn errors(options: &LoadOptions) -> Vec<String> {
    let Err(error) = load(options) else {
        return Vec::new();
    };
    error
        .diagnostics
        .iter()
        .filter(|problem| problem.is_error())
        .map(|problem| match problem.span {
            Some(span) => format!("{}: {}", error.sources.locate(span), problem.message),
            None => problem.message.clone(),
        })
        .collect()
}

fn one(text: &str) -> Folder {
    Folder::new(&[("compose.yaml", text)])
}

fn service<'a>(tree: &'a Node, name: &str) -> &'a Node {
    tree.at(&["services", name]).unwrap()
}

#[test]
fn the_override_file_is_found_and_merged() {
    let folder = Folder::new(&[
        ("compose.yaml", "services: {a: {image: x, command: one}}"),
        ("compose.override.yaml", "services: {a: {command: two}}"),
    ]);
    let project = folder.load().project;
    assert_eq!(project.services["a"].command, Some(vec!["two".to_owned()]));
    assert_eq!(project.compose_files.len(), 2);
}

#[test]
fn parents_are_searched_and_give_the_name() {
    let folder = Folder::new(&[("My.App/compose.yaml", "services: {a: {image: x}}")]);
    std::fs::create_dir_all(folder.path().join("My.App/deep/er")).unwrap();
    let options = LoadOptions::new(folder.path().join("My.App/deep/er"), BTreeMap::new());
    let project = run(&options).project;
    assert_eq!(project.name, "myapp");
    assert_eq!(project.working_dir, folder.path().join("My.App"));
}

#[test]
fn dotenv_sets_variables_below_the_shell() {
    let folder = Folder::new(&[
        ("compose.yaml", "services: {a: {image: '$A-$B'}}"),
        (".env", "A=file\nB=file\nCOMPOSE_PROJECT_NAME=named\n"),
    ]);
    let shell = BTreeMap::from([("A".to_owned(), "shell".to_owned())]);
    let project = run(&LoadOptions::new(folder.path(), shell)).project;
    assert_eq!(project.services["a"].image.as_deref(), Some("shell-file"));
    assert_eq!(project.name, "named");
}

#[test]
fn a_bad_name_is_an_error_and_a_written_one_is_normalized() {
    let folder = one("name: My App\nservices: {a: {image: x}}");
    let mut options = folder.options();
    options.project_name = None;
    assert_eq!(run(&options).project.name, "myapp");
    options.project_name = Some("My App".to_owned());
    assert_eq!(
        errors(&options),
        ["invalid project name \"My App\" from -p"]
    );
}

#[test]
fn no_compose_file_is_an_error() {
    let folder = Folder::new(&[]);
    assert_eq!(folder.errors(), ["no compose file found"]);
    let mut options = folder.options();
    options.files = vec!["nope.yaml".to_owned()];
    assert_eq!(errors(&options), ["nope.yaml does not exist"]);
}

#[test]
fn text_at_typed_places_is_cast() {
    let folder = one("services: {a: {image: x, privileged: '${P:-yes}', scale: '${S:-2}'}}");
    let loaded = folder.load();
    assert!(loaded.project.services["a"].privileged);
    assert_eq!(loaded.project.services["a"].scale, Some(2));
    assert_eq!(loaded.warnings.len(), 1, "yes is no YAML 1.2 boolean");
}

#[test]
fn unset_and_required_variables_name_their_place() {
    let folder = one("services:\n  a:\n    image: ${A:?give A}\n    hostname: $B\n");
    let error = load(&folder.options()).unwrap_err();
    let shown: Vec<String> = error
        .diagnostics
        .iter()
        .map(|problem| error.sources.locate(problem.span.unwrap()))
        .collect();
    assert_eq!(shown, ["compose.yaml:3:12", "compose.yaml:4:15"]);
}

#[test]
fn extends_follows_files_and_keeps_their_folders() {
    let folder = Folder::new(&[
        (
            "compose.yaml",
            "services: {a: {extends: {file: base/b.yaml, service: b}, environment: {X: '2'}}}",
        ),
        (
            "base/b.yaml",
            "services: {b: {extends: c, build: ., volumes: ['./d:/d']}, c: {environment: [X=1, Y=1]}}",
        ),
    ]);
    let tree = folder.tree();
    let a = service(&tree, "a");
    let base = folder.path().join("base").display().to_string();
    assert_eq!(
        a.at(&["build", "context"]).unwrap().as_str(),
        Some(base.as_str())
    );
    assert_eq!(show(a.get("environment").unwrap()), r#"["X=2","Y=1"]"#);
    assert!(a.get("extends").is_none());
}

#[test]
fn circles_of_extends_name_their_members() {
    let folder = one("services:\n  a: {extends: b}\n  b: {extends: c}\n  c: {extends: b}\n");
    assert_eq!(
        folder.errors(),
        ["compose.yaml:4:16: services extend each other in a circle: b -> c -> b"]
    );
}

#[test]
fn a_missing_base_is_located() {
    let folder = Folder::new(&[
        (
            "compose.yaml",
            "services:\n  a:\n    extends: {file: b.yaml, service: bas}\n",
        ),
        ("b.yaml", "services: {base: {image: x}}"),
    ]);
    assert_eq!(
        folder.errors()[0],
        "compose.yaml:3:38: service \"a\" extends \"bas\", which b.yaml does not have"
    );
}

#[test]
fn includes_have_their_own_folder_and_variables() {
    let folder = Folder::new(&[
        (
            "compose.yaml",
            "include: [sub/compose.yaml]\nservices: {a: {image: x, depends_on: [b]}}",
        ),
        (
            "sub/compose.yaml",
            "services: {b: {image: '$V', build: ./ctx}}\nnetworks: {default: {name: inner}}",
        ),
        ("sub/.env", "V=inner"),
    ]);
    let project = folder.load().project;
    let b = &project.services["b"];
    assert_eq!(b.image.as_deref(), Some("inner"));
    assert_eq!(
        b.build.as_ref().unwrap().context.as_deref(),
        Some(folder.path().join("sub/ctx").to_str().unwrap())
    );
    assert_eq!(project.networks["default"].name.as_deref(), Some("inner"));
}

#[test]
fn the_importer_overrides_what_it_includes() {
    let folder = Folder::new(&[
        (
            "compose.yaml",
            "include: [sub.yaml]\nservices: {b: {command: mine, ports: !reset []}}",
        ),
        (
            "sub.yaml",
            "services: {b: {image: x, command: theirs, ports: ['80']}}",
        ),
    ]);
    let project = folder.load().project;
    let b = &project.services["b"];
    assert_eq!(b.image.as_deref(), Some("x"));
    assert_eq!(b.command, Some(vec!["mine".to_owned()]));
    assert!(b.ports.is_empty());
}

#[test]
fn circles_of_includes_name_their_members() {
    let folder = Folder::new(&[
        (
            "compose.yaml",
            "include: [b.yaml]\nservices: {a: {image: x}}",
        ),
        ("b.yaml", "include: [compose.yaml]"),
    ]);
    assert_eq!(
        folder.errors(),
        [
            "b.yaml:1:11: files include each other in a circle: compose.yaml -> b.yaml -> compose.yaml"
        ]
    );
}

#[test]
fn sources_know_what_led_to_them() {
    let folder = Folder::new(&[
        ("compose.yaml", "include: [b.yaml]"),
        ("b.yaml", "services: {a: {imag: x}}"),
    ]);
    let error = load(&folder.options()).unwrap_err();
    let span = error.diagnostics[0].span.unwrap();
    let (_, parent) = error.sources.get(span.source).parent.unwrap();
    assert_eq!(error.sources.locate(parent), "compose.yaml:1:11");
}

#[test]
fn env_files_merge_below_the_environment() {
    let folder = Folder::new(&[
        (
            "compose.yaml",
            "services: {a: {image: x, env_file: [e1, {path: e2, required: false}, e3], environment: {A: own}}}",
        ),
        ("e1", "A=1\nB=1\n"),
        ("e3", "B=3\n"),
    ]);
    let project = folder.load().project;
    let environment = &project.services["a"].environment;
    assert_eq!(environment["A"].as_deref(), Some("own"));
    assert_eq!(environment["B"].as_deref(), Some("3"));
    let folder = one("services:\n  a:\n    image: x\n    env_file: nope\n");
    assert_eq!(
        folder.errors(),
        ["compose.yaml:4:15: env file nope does not exist"]
    );
}

#[test]
fn links_and_shared_namespaces_imply_dependencies() {
    let folder = one(
        "services: {a: {image: x, links: ['b:c'], network_mode: 'service:d', volumes_from: ['e:ro']}, \
         b: {image: x}, d: {image: x}, e: {image: x}}",
    );
    let project = folder.load().project;
    let depends_on = &project.services["a"].depends_on;
    assert!(depends_on["b"].restart && depends_on["d"].restart);
    assert!(!depends_on["e"].restart);
    assert!(project.services["a"].networks.is_empty());
}

#[test]
fn profiles_and_named_services_select() {
    let text =
        "services: {a: {image: x}, b: {image: x, profiles: [p]}, c: {image: x, profiles: [q]}}";
    let folder = one(text);
    let names = |options: &LoadOptions| -> Vec<String> {
        run(options).project.services.into_keys().collect()
    };
    let mut options = folder.options();
    assert_eq!(names(&options), ["a"]);
    options.profiles = vec!["p".to_owned()];
    assert_eq!(names(&options), ["a", "b"]);
    options.services = vec!["c".to_owned()];
    assert_eq!(names(&options), ["c"]);
    options.services = vec!["cc".to_owned()];
    assert_eq!(errors(&options), ["no such service: cc"]);
}

#[test]
fn unused_resources_are_dropped() {
    let folder = one("services: {a: {image: x}}\nvolumes: {v: }\nnetworks: {n: }");
    let mut options = folder.options();
    let project = run(&options).project;
    assert!(project.volumes.is_empty());
    assert_eq!(project.networks.len(), 1, "the default network");
    options.all_resources = true;
    let project = run(&options).project;
    assert_eq!(project.volumes["v"].name.as_deref(), Some("p_v"));
    assert_eq!(project.networks.len(), 2);
}

#[test]
fn every_inconsistency_is_reported_at_once() {
    let folder = one(
        "services:\n  a:\n    networks: [fornt]\n    volumes: ['vol:/x']\n    secrets: [s]\n    \
         depends_on: [zz]\n  b:\n    image: x\n    container_name: cc\n    scale: 2\nnetworks:\n  front: {}\n",
    );
    assert_eq!(
        folder.errors(),
        [
            "compose.yaml:2:3: service \"a\" has neither an image nor a build context",
            "compose.yaml:3:16: service \"a\" refers to undefined network \"fornt\"",
            "compose.yaml:4:15: service \"a\" refers to undefined volume \"vol\"",
            "compose.yaml:5:15: service \"a\" refers to undefined secret \"s\"",
            "compose.yaml:6:18: service \"a\" refers to undefined service \"zz\"",
            "compose.yaml:9:21: service \"b\" has 2 replicas but one `container_name`",
        ]
    );
}

#[test]
fn circles_of_dependencies_name_their_members() {
    let folder = one(
        "services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x, depends_on: [c]}\n  c: {image: x, depends_on: [a]}\n",
    );
    assert_eq!(
        folder.errors(),
        ["compose.yaml:2:30: services depend on each other in a circle: a -> b -> c -> a"]
    );
}

#[test]
fn stdin_is_a_file() {
    let mut options = LoadOptions::new(PathBuf::from("/"), BTreeMap::new());
    options.files = vec!["-".to_owned()];
    options.stdin = Some("name: x\nservices: {a: {image: x}}".to_owned());
    let project = run(&options).project;
    assert_eq!(project.name, "x");
    assert_eq!(project.working_dir, Path::new("/"));
    assert_eq!(project.compose_files, ["-"]);
}

#[test]
fn secrets_from_the_environment_get_their_value() {
    let folder = one("services: {a: {image: x, secrets: [s]}}\nsecrets: {s: {environment: S}}");
    let mut options = folder.options();
    options.shell.insert("S".to_owned(), "hush".to_owned());
    let project = run(&options).project;
    assert_eq!(project.secrets["s"].content.as_deref(), Some("hush"));
}

#[test]
fn a_service_enabled_by_its_name_is_checked_too() {
    let folder = one(
        "services:\n  a: {image: x}\n  b: {image: x, profiles: [p], depends_on: [c]}\n  c: {image: x, profiles: [q]}\n",
    );
    let mut options = folder.options();
    assert_eq!(errors(&options), Vec::<String>::new());
    options.services = vec!["b".to_owned()];
    assert_eq!(
        errors(&options),
        ["compose.yaml:3:45: service \"b\" depends on \"c\", which only profile \"q\" enables"]
    );
    options.services.push("c".to_owned());
    assert_eq!(errors(&options), Vec::<String>::new());
}

#[test]
fn the_environment_names_files_and_profiles() {
    let folder = Folder::new(&[
        ("a.yaml", "services: {a: {image: x}}"),
        ("b.yaml", "services: {b: {image: x, profiles: [p]}}"),
        (
            ".env",
            "COMPOSE_FILE=a.yaml+b.yaml\nCOMPOSE_PATH_SEPARATOR=+\nCOMPOSE_PROFILES=o,p\n",
        ),
    ]);
    let mut options = folder.options();
    assert_eq!(run(&options).project.services.len(), 2);
    let disable = |value: &str| ("COMPOSE_DISABLE_ENV_FILE".to_owned(), value.to_owned());
    options.shell.extend([disable("true")]);
    assert_eq!(errors(&options), ["no compose file found"]);
    options.shell.extend([disable("maybe")]);
    assert_eq!(
        errors(&options),
        ["COMPOSE_DISABLE_ENV_FILE must be true or false, not \"maybe\""]
    );
}

#[test]
fn given_env_files_replace_the_default_and_later_ones_win() {
    let folder = Folder::new(&[
        ("compose.yaml", "services: {a: {image: '$A-$B-$C'}}"),
        (".env", "A=default\nB=default\nC=default"),
        ("one", "A=one\nB=one\n"),
        ("two", "B=two-${A}\n"),
    ]);
    let mut options = folder.options();
    options.env_files = vec!["one".into(), "two".into()];
    let project = run(&options).project;
    assert_eq!(project.services["a"].image.as_deref(), Some("one-two-one-"));
    assert_eq!(
        project.env_files,
        [folder.path().join("one"), folder.path().join("two")]
    );
    options.env_files = vec!["three".into()];
    assert_eq!(errors(&options), ["three does not exist"]);
}

#[test]
fn raw_env_files_and_label_files() {
    let folder = Folder::new(&[
        (
            "compose.yaml",
            "services: {a: {image: x, env_file: [{path: e, format: raw}], label_file: l, labels: [M=own]}}",
        ),
        ("e", "# note\n  A='$X' # kept\nB\nC\n"),
        ("l", "L=1\nM=2\n"),
    ]);
    let mut options = folder.options();
    options.shell.insert("B".to_owned(), "shell".to_owned());
    let project = run(&options).project;
    let a = &project.services["a"];
    assert_eq!(a.environment["A"].as_deref(), Some("'$X' # kept"));
    assert_eq!(a.environment["B"].as_deref(), Some("shell"));
    assert!(!a.environment.contains_key("C"));
    assert_eq!(a.labels["L"], "1");
    assert_eq!(a.labels["M"], "own");
}

#[test]
fn nested_includes_keep_their_folders() {
    let folder = Folder::new(&[
        (
            "compose.yaml",
            "include: [{path: one/c.yaml, env_file: vars}]",
        ),
        ("vars", "TAG=v"),
        (
            "one/c.yaml",
            "include: [two/c.yaml]\nservices: {a: {image: 'a:$TAG', build: ./x}}",
        ),
        (
            "one/two/c.yaml",
            "services: {b: {image: 'b:$TAG', volumes: ['./d:/d'], extends: {file: ../base.yaml, service: s}}}",
        ),
        ("one/base.yaml", "services: {s: {build: ./y}}"),
    ]);
    let tree = folder.tree();
    let root = folder.path();
    let path = |tree: &Node, keys: &[&str]| tree.at(keys).unwrap().as_str().unwrap().to_owned();
    assert_eq!(
        path(&tree, &["services", "a", "build", "context"]),
        root.join("one/x").display().to_string()
    );
    assert_eq!(
        path(&tree, &["services", "b", "build", "context"]),
        root.join("one/y").display().to_string()
    );
    assert_eq!(path(&tree, &["services", "b", "image"]), "b:v");
    let mount = &service(&tree, "b")
        .get("volumes")
        .unwrap()
        .as_seq()
        .unwrap()[0];
    assert_eq!(
        path(mount, &["source"]),
        root.join("one/two/d").display().to_string()
    );
}

#[test]
fn switches_leave_stages_out() {
    let folder = one("services: {a: {image: '$X', volumes: ['./d:/d'], networks: [n]}}");
    let mut options = folder.options();
    options.interpolate = false;
    options.resolve_paths = false;
    options.normalize = false;
    let tree = load_tree(&options).unwrap().tree;
    assert_eq!(
        show(&tree),
        r#"{"services":{"a":{"image":"$X","volumes":[{"type":"bind","source":"./d","target":"/d","bind":{"create_host_path":true}}],"networks":{"n":null}}}}"#
    );
    let mut options = folder.options();
    options.check_consistency = false;
    assert_eq!(errors(&options), Vec::<String>::new());
}

#[test]
fn types_are_checked_without_interpolation_but_for_variables() {
    let folder = one(
        "services:\n  a:\n    image: 5\n    scale: ${N}\n    ports: ['${P}:80', '81:81']\n    mem_limit: ${M:?m}\n    privileged: 'yes'\n",
    );
    let mut options = folder.options();
    options.interpolate = false;
    let error = load_tree(&options).unwrap_err();
    let shown: Vec<&str> = error
        .diagnostics
        .iter()
        .map(|problem| problem.message.as_str())
        .collect();
    assert_eq!(shown, ["services.a.image must be a text, not the number 5"]);
}

#[test]
fn a_wrong_type_counts_though_a_later_file_replaces_it() {
    let base = "services: {a: {image: x, hostname: null}}\n---\nservices: {a: {hostname: h}}";
    assert_eq!(
        one(base).errors(),
        ["compose.yaml:1:36: services.a.hostname must be a text, not empty"]
    );
    let size = "services: {a: {image: x, mem_limit: q}}\n---\nservices: {a: {mem_limit: 1m}}";
    assert_eq!(one(size).errors(), Vec::<String>::new());
}

#[test]
fn name_and_version_are_texts() {
    let folder = one("name: 1\nversion: 3\nservices: {a: {image: x}}");
    assert_eq!(
        folder.errors(),
        [
            "compose.yaml:1:7: `name` must be a text, not an integer",
            "compose.yaml:2:10: `version` must be a text, not an integer",
        ]
    );
}
