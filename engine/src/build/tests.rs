use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use bollard_stubs::models::{HostConfig, ImageConfig};

use super::*;
use crate::Layout;
use crate::engine::Engine;
use crate::filters::Filters;
use crate::image::{Images, Import, Reference};

#[test]
fn configuration_is_changed() {
    let mut config = ImageConfig::default();
    let changes = [
        "ENV a=1 b=\"two words\"",
        "ENV old has spaces",
        "LABEL x=y",
        "WORKDIR /a",
        "WORKDIR b/../c",
        "USER 5",
        "EXPOSE 80 90-91/udp",
        "VOLUME [\"/v\"]",
        "ENTRYPOINT [\"/x\"]",
        "CMD echo hi",
        "STOPSIGNAL SIGINT",
        "HEALTHCHECK --interval=2s --retries=3 CMD true",
    ];
    configure::changes(&mut config, &changes.map(str::to_owned)).unwrap();
    assert_eq!(
        config.env.unwrap(),
        ["a=1", "b=two words", "old=has spaces"]
    );
    assert_eq!(config.working_dir.unwrap(), "/a/c");
    assert_eq!(
        config.exposed_ports.unwrap(),
        ["80/tcp", "90/udp", "91/udp"]
    );
    assert_eq!(config.cmd.unwrap(), ["/bin/sh", "-c", "echo hi"]);
    let health = config.healthcheck.unwrap();
    assert_eq!(health.test.unwrap(), ["CMD-SHELL", "true"]);
    assert_eq!(
        (health.interval, health.retries),
        (Some(2_000_000_000), Some(3))
    );
    let error =
        configure::changes(&mut ImageConfig::default(), &["RUN ls".to_owned()]).unwrap_err();
    assert_eq!(error.message, "RUN is not a valid change command");
}

fn instructions(text: &str) -> Vec<String> {
    let build = Build::default();
    let plan = stages::Plan::new(parse(text).unwrap(), &build, &|_| None).unwrap();
    let needed = plan.stages.iter().filter(|stage| stage.is_needed);
    needed.map(|stage| stage.base.clone()).collect()
}

#[test]
fn only_what_the_target_needs_is_built() {
    let text =
        "FROM a AS one\nFROM b AS two\nFROM c\nCOPY --from=ONE x y\nFROM d\nCOPY --from=2 x y";
    assert_eq!(instructions(text), ["a", "c", "d"]);
    let plan = |target: &str| {
        let build = Build {
            target: target.to_owned(),
            ..Build::default()
        };
        stages::Plan::new(parse(text).unwrap(), &build, &|_| None)
    };
    let two = plan("Two").unwrap();
    assert_eq!((two.stages.len(), two.stages[0].is_needed), (2, false));
    assert_eq!(plan("0").unwrap().stages.len(), 1);
    let error = plan("none").unwrap_err();
    assert_eq!(
        error.error.message,
        "target stage \"none\" could not be found"
    );
    let other = stages::Plan::new(
        parse("FROM --platform=linux/other a").unwrap(),
        &Build::default(),
        &|_| None,
    );
    assert_eq!(other.unwrap_err().error.status, 501);
    assert_eq!(instructions("ARG A=x\nFROM ${A}y"), ["xy"]);
}

struct Place {
    folder: tempfile::TempDir,
    engine: Arc<Engine>,
}

impl Place {
    fn new() -> Self {
        assert!(
            rustix::process::geteuid().is_root(),
            "these tests need root"
        );
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let engine = Engine::open(Layout::new(at("root"), at("run"))).unwrap();
        fs::create_dir_all(at("context")).unwrap();
        Self { folder, engine }
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join("context").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Builds `built:1`; its id and what was said.
    async fn build(&self, request: Build) -> Result<(String, String), Failure> {
        let said = std::sync::Mutex::new(String::new());
        let classic = Classic::new(|text: &str| said.lock().unwrap().push_str(text));
        let request = Build {
            context: self.folder.path().join("context"),
            tags: vec![Reference::parse("built:1").unwrap()],
            ..request
        };
        let sink = |progress: Progress<'_>| classic.take(progress);
        let id = Box::pin(build(&self.engine, &request, &sink)).await?;
        Ok((id, said.into_inner().unwrap()))
    }

    async fn error(&self, dockerfile: &str) -> String {
        self.write("Dockerfile", dockerfile);
        let failure = self.build(Build::default()).await.unwrap_err();
        assert!(self.engine.images.snapshots_are_gone());
        failure.error.message
    }
}

#[tokio::test]
async fn an_image_is_built_of_stages() {
    let place = Place::new();
    place.write("dir/sub/one.txt", "1");
    place.write("two.txt", "2");
    place.write(
        "Dockerfile",
        "ARG BASE=scratch\nFROM $BASE AS first\nARG name=x\nCOPY dir /data/\nCOPY *.txt /$name/\n\
         FROM scratch\nWORKDIR /work\nCOPY --from=first --chown=3:4 --chmod=640 /data/sub .\n\
         ENV A=b\nCMD [\"/y\"]\nENTRYPOINT [\"/x\"]\n",
    );
    let (id, said) = place.build(Build::default()).await.unwrap();
    assert!(said.contains("Step 5/11 : COPY *.txt /$name/"), "{said}");
    assert!(said.ends_with("Successfully tagged built:1\n"), "{said}");
    let images = &place.engine.images;
    let image = images.resolve("built:1").unwrap();
    assert_eq!(image.id, id);
    let config = image.document.config();
    assert_eq!(config.cmd.unwrap(), ["/y"]);
    images.prepare("c", &image).unwrap();
    let rootfs = images.mount("c").await.unwrap();
    assert_eq!(fs::read(rootfs.join("work/one.txt")).unwrap(), b"1");
    let metadata = fs::metadata(rootfs.join("work/one.txt")).unwrap();
    assert_eq!((metadata.uid(), metadata.mode() & 0o7777), (3, 0o640));
    assert!(!rootfs.join("data").exists());
    images.discard("c").await.unwrap();
}

#[tokio::test]
async fn steps_are_done_once() {
    let place = Place::new();
    place.write("file", "1");
    place.write(
        "Dockerfile",
        "FROM scratch\nLABEL z=1 a=2 m=3\nARG V=1\nCOPY file /\nCOPY file /$V/\n",
    );
    let request = || Build {
        labels: [("key=\"$x".to_owned(), "a \"b\" $c \\".to_owned())].into(),
        ..Build::default()
    };
    let (id, said) = place.build(request()).await.unwrap();
    assert!(!said.contains("Using cache"), "{said}");
    let labels = place
        .engine
        .images
        .resolve(&id)
        .unwrap()
        .document
        .config()
        .labels;
    assert_eq!(labels.unwrap()["key=\"$x"], "a \"b\" $c \\");
    // Only the content of a file counts, and another daemon knows as much.
    place.write("file", "1");
    let engine = Engine::open(place.engine.layout.clone()).unwrap();
    let again = Place { engine, ..place };
    let (same, said) = again.build(request()).await.unwrap();
    assert_eq!((same, said.matches("Using cache").count()), (id.clone(), 2));
    again.write("file", "2");
    let (other, said) = again.build(request()).await.unwrap();
    assert!(other != id && !said.contains("Using cache"), "{said}");
    let anew = Build {
        no_cache: true,
        ..request()
    };
    assert!(!again.build(anew).await.unwrap().1.contains("Using cache"));
    // What an image has stays; nothing is known any more.
    let (keys, _) = again.engine.images.prune_steps().unwrap();
    assert_eq!(keys.len(), 4);
    assert!(
        !again
            .build(request())
            .await
            .unwrap()
            .1
            .contains("Using cache")
    );
    again.engine.images.resolve(&other).unwrap();
}

#[tokio::test]
async fn the_oldest_steps_go_when_there_are_too_many() {
    let place = Place::new();
    let build = async |content: &str| {
        place.write("file", content);
        place.build(Build::default()).await.unwrap().1
    };
    place.write("Dockerfile", "FROM scratch\nCOPY file /\n");
    for content in ["old", "other", "old", "newest"] {
        build(content).await;
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    // The newest has a name; of the others there is room for one.
    let (removed, _) = place.engine.images.prune(&Filters::default()).unwrap();
    assert!(!removed.is_empty());
    place.engine.images.limit_steps(5).unwrap();
    assert!(build("newest").await.contains("Using cache"));
    assert!(build("old").await.contains("Using cache"));
    assert!(!build("other").await.contains("Using cache"));
}

#[tokio::test]
async fn triggers_run_in_the_next_build() {
    let place = Place::new();
    place.write("file", "1");
    place.write(
        "Dockerfile",
        "FROM scratch\nONBUILD COPY file /there\nCMD [\"x\"]",
    );
    place.build(Build::default()).await.unwrap();
    place.engine.images.tag("built:1", "base:1").unwrap();
    place.write("Dockerfile", "FROM base:1\nENV a=b");
    let (id, said) = place.build(Build::default()).await.unwrap();
    assert!(said.contains("# Executing 1 build trigger\n"), "{said}");
    let image = place.engine.images.resolve(&id).unwrap();
    assert_eq!(image.document.rootfs.diff_ids.len(), 1);
    assert_eq!(image.document.config().on_build, None);
    // An image of nothing but its base is its base.
    place.write("Dockerfile", &format!("FROM {id}"));
    assert_eq!(place.build(Build::default()).await.unwrap().0, id);
}

#[tokio::test]
async fn archives_are_unpacked_and_links_stay_inside() {
    let place = Place::new();
    let mut builder =
        tar::Builder::new(fs::File::create(place.folder.path().join("context/a.tar")).unwrap());
    let mut header = tar::Header::new_gnu();
    header.set_size(1);
    builder
        .append_data(&mut header, "in/it", &b"x"[..])
        .unwrap();
    builder.finish().unwrap();
    place.write("Dockerfile", "FROM scratch\nADD a.tar /to/");
    let (id, _) = place.build(Build::default()).await.unwrap();
    let image = place.engine.images.resolve(&id).unwrap();
    assert_eq!(image.size, 1);
    std::os::unix::fs::symlink("/etc/hostname", place.folder.path().join("context/evil")).unwrap();
    let error = place.error("FROM scratch\nCOPY evil /x\n").await;
    assert!(error.contains("dockerfile line 2: COPY"), "{error}");
    let error = place.error("FROM scratch\nCOPY ../x /x\n").await;
    assert!(error.contains("outside the build context"), "{error}");
    let error = place.error("FROM scratch\nADD http://x/y /x\n").await;
    assert!(error.contains("line 2: ADD: http://x/y: "), "{error}");
    let error = place.error("FROM scratch\nCOPY http://x/y /x\n").await;
    assert!(error.contains("use ADD"), "{error}");
    let ssh = "FROM scratch\nRUN --mount=type=ssh,required ls\n";
    let error = place.error(ssh).await;
    assert_eq!(error, "ssh agent default: the client offers none");
    fs::remove_file(place.folder.path().join("context/Dockerfile")).unwrap();
    let error = place.build(Build::default()).await.unwrap_err().error;
    assert_eq!(
        error.message,
        "Cannot locate specified Dockerfile: Dockerfile"
    );
}

/// A root file system of busybox.
fn busybox(place: &Place) {
    let program = "/bin/busybox";
    assert!(fs::exists(program).unwrap(), "install busybox-static");
    let mut builder = tar::Builder::new(Vec::new());
    builder
        .append_path_with_name(program, "bin/busybox")
        .unwrap();
    for name in ["sh", "cat", "id", "ls", "rm", "mkdir"] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        header.set_mode(0o777);
        let path = format!("bin/{name}");
        builder.append_link(&mut header, path, "busybox").unwrap();
    }
    let import = Import {
        name: Some(Reference::parse("busybox:1").unwrap()),
        config: ImageConfig {
            env: Some(vec!["PATH=/bin".to_owned()]),
            ..ImageConfig::default()
        },
        ..Import::default()
    };
    let data = builder.into_inner().unwrap();
    place.engine.images.import(data.as_slice(), import).unwrap();
}

fn alone() -> Build {
    Build {
        host: HostConfig {
            network_mode: Some("none".to_owned()),
            ..HostConfig::default()
        },
        ..Build::default()
    }
}

#[tokio::test]
async fn commands_run_in_the_stage() {
    let place = Place::new();
    busybox(&place);
    place.write(
        "Dockerfile",
        "FROM busybox:1\nARG WHO=world\nARG HIDDEN=no\nENV HIDDEN=yes\nWORKDIR /work\n\
         RUN echo hello $WHO $HIDDEN > out; mkdir /old; echo x > /old/x\nUSER 5:6\n\
         RUN [\"/bin/sh\", \"-c\", \"cat out; id -u; ls /etc\"]\nUSER 0\nRUN rm -r /old\n\
         SHELL [\"/bin/busybox\", \"sh\", \"-ec\"]\nRUN echo $0 from a shell >&2\n",
    );
    let (id, said) = place.build(alone()).await.unwrap();
    assert!(said.contains("hello world yes\n5\n"), "{said}");
    assert!(said.contains("from a shell\n"), "{said}");
    assert_eq!(said.matches(" ---> Running in ").count(), 4);
    let images = &place.engine.images;
    let image = images.resolve(&id).unwrap();
    let history = &image.document.history;
    let command = "RUN |2 WHO=world HIDDEN=yes /bin/sh -c echo hello $WHO $HIDDEN > out; mkdir /old; echo x > /old/x # buildkit";
    assert!(
        history
            .iter()
            .any(|step| step.created_by.as_deref() == Some(command))
    );
    images.prepare("c", &image).unwrap();
    let rootfs = images.mount("c").await.unwrap();
    assert!(!rootfs.join("old").exists());
    // What the runtime puts into every container is in no layer.
    for name in ["dev", "proc", "sys", "etc/hosts", "etc/resolv.conf"] {
        assert!(!rootfs.join(name).exists(), "{name}");
    }
    images.discard("c").await.unwrap();
    let (same, said) = place.build(alone()).await.unwrap();
    assert_eq!((same, said.matches("Running in").count()), (id, 0));
    // Neither containers nor the images that they were made of stay.
    assert!(place.engine.containers.all().is_empty());
    assert_eq!(images.all().len(), 2);
    assert!(images.snapshots_are_gone());
}

#[tokio::test]
async fn a_command_that_fails_says_how() {
    let place = Place::new();
    busybox(&place);
    place.write("Dockerfile", "FROM busybox:1\nRUN echo so; exit 7\n");
    let failure = place.build(alone()).await.unwrap_err();
    assert_eq!(failure.code, Some(7));
    assert_eq!(
        failure.error.message,
        "The command '/bin/sh -c echo so; exit 7' returned a non-zero code: 7"
    );
    place.write("Dockerfile", "FROM busybox:1\nRUN [\"/none\"]\n");
    let failure = place.build(alone()).await.unwrap_err();
    assert!(failure.error.message.contains("/none"), "{}", failure.error);
    assert!(place.engine.containers.all().is_empty());
    assert_eq!(place.engine.images.all().len(), 1);
}

#[tokio::test]
async fn commands_have_mounts_of_their_own() {
    let place = Place::new();
    busybox(&place);
    place.write("deps", "1");
    std::os::unix::fs::symlink("/etc", place.folder.path().join("context/evil")).unwrap();
    let dockerfile = |command: &str| {
        format!(
            "FROM busybox:1 AS made\nRUN echo made > /it\nFROM busybox:1\nWORKDIR /w\n\
             RUN --mount=type=cache,target=/cache,sharing=locked --mount=source=deps,target=/deps \
             --mount=type=bind,from=made,source=/it,target=it --mount=type=tmpfs,target=/t {command}\n"
        )
    };
    place.write(
        "Dockerfile",
        &dockerfile("cat /deps it > out; echo x >> /cache/seen; echo > /t/x; ls / /w"),
    );
    let (id, said) = place.build(alone()).await.unwrap();
    assert!(said.contains("deps\n"), "{said}");
    let images = &place.engine.images;
    let image = images.resolve(&id).unwrap();
    images.prepare("c", &image).unwrap();
    let rootfs = images.mount("c").await.unwrap();
    assert_eq!(fs::read(rootfs.join("w/out")).unwrap(), b"1made\n");
    for name in ["deps", "cache", "t", "w/it"] {
        assert!(!rootfs.join(name).exists(), "{name}");
    }
    images.discard("c").await.unwrap();
    // What is mounted counts, what a cache has does not.
    assert_eq!(place.build(alone()).await.unwrap().0, id);
    place.write("deps", "2");
    let (other, said) = place.build(alone()).await.unwrap();
    assert!(other != id && said.contains("Running in"), "{said}");
    place.write("Dockerfile", &dockerfile("cat /cache/seen >&2; exit 3"));
    assert_eq!(place.build(alone()).await.unwrap_err().code, Some(3));
    let evil = "FROM busybox:1\nRUN --mount=source=evil/hostname,target=/x cat /x";
    let error = place.error(evil).await;
    assert!(error.contains("dockerfile line 2: RUN"), "{error}");
}

/// The files below a folder that have this text.
fn with_text(folder: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(with_text(&entry.path(), text));
        } else if kind.is_file() {
            let content = fs::read(entry.path()).unwrap();
            if content
                .windows(text.len())
                .any(|part| part == text.as_bytes())
            {
                found.push(entry.path());
            }
        }
    }
    found
}

#[tokio::test]
async fn secrets_are_read_by_commands_and_in_no_layer() {
    let place = Place::new();
    busybox(&place);
    place.write(
        "Dockerfile",
        "FROM busybox:1\nRUN --mount=type=secret,id=one --mount=type=secret,id=two,target=/deep/er/two,mode=0444 \
         --mount=type=secret,id=none cat /run/secrets/one /deep/er/two > /seen; ls -l /run/secrets; \
         cat /seen >&2; rm /seen; echo > /kept\n",
    );
    let request = || Build {
        secrets: [
            ("one".to_owned(), b"swordfish".to_vec()),
            ("two".to_owned(), b" 42".to_vec()),
        ]
        .into(),
        ..alone()
    };
    let (id, said) = place.build(request()).await.unwrap();
    assert!(said.contains("swordfish 42"), "{said}");
    assert!(said.contains("-r--------"), "{said}");
    let images = &place.engine.images;
    let image = images.resolve(&id).unwrap();
    images.prepare("c", &image).unwrap();
    let rootfs = images.mount("c").await.unwrap();
    assert!(rootfs.join("kept").exists());
    // Neither the secret nor what it was mounted on.
    for name in ["run", "deep", "seen"] {
        assert!(!rootfs.join(name).exists(), "{name}");
    }
    images.discard("c").await.unwrap();
    let left = fs::read_dir(place.folder.path().join("run/containers"));
    assert_eq!(left.unwrap().count(), 0);
    assert_eq!(
        with_text(place.folder.path(), "swordfish"),
        [""; 0].map(PathBuf::from)
    );
    assert!(!place.engine.layout.build_secrets().exists());
    let error = place
        .error("FROM busybox:1\nRUN --mount=type=secret,id=none,required=true ls\n")
        .await;
    assert_eq!(error, "secret none: not found");
}

#[tokio::test]
async fn what_a_killed_daemon_was_building_with_goes() {
    let place = Place::new();
    let images = &place.engine.images;
    let name = Images::passing_name();
    images.prepare_layers(&name, "", &[]).unwrap();
    images.mount(&name).await.unwrap();
    assert!(!images.snapshots_are_gone());
    images.discard_passed().await;
    assert!(images.snapshots_are_gone());
    assert!(!images.is_mounted(&name));
}
