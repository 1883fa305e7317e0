//! `RUN`.

use super::*;

#[tokio::test]
async fn commands_run_in_the_stage() {
    let place = Place::new();
    busybox(&place);
    place.write(
        "Dockerfile",
        "FROM busybox:1\nARG WHO=world\nARG HIDDEN=no\nENV HIDDEN=yes\nWORKDIR /tree\n\
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

#[tokio::test]
async fn what_is_written_to_a_bound_folder_is_lost() {
    let place = Place::new();
    busybox(&place);
    place.write("data/a", "1");
    place.write(
        "Dockerfile",
        "FROM busybox:1 AS made\nRUN mkdir /m\nFROM busybox:1\n\
         RUN --mount=source=data,target=/d,rw --mount=from=made,source=/m,target=/m,rw echo 2 > /d/a; touch /m/x; cat /d/a\n\
         RUN --mount=source=data,target=/d --mount=from=made,source=/m,target=/m cat /d/a; ls /m; echo 3 > /d/a || echo refused\n",
    );
    let (_, said) = place.build(alone()).await.unwrap();
    assert!(said.contains("refused\n"), "{said}");
    let written = place.folder.path().join("context/data/a");
    assert_eq!(fs::read(written).unwrap(), b"1");
    assert!(
        !place
            .engine
            .layout
            .images()
            .join("coming")
            .read_dir()
            .unwrap()
            .any(|_| true)
    );
}

#[tokio::test]
async fn a_secret_may_be_a_variable_that_no_layer_has() {
    let place = Place::new();
    busybox(&place);
    place.write(
        "Dockerfile",
        "FROM busybox:1\nRUN --mount=type=secret,id=word,env=WORD echo ${#WORD}; test ! -e /run/secrets\nRUN echo [$WORD]\n",
    );
    let request = Build {
        secrets: [("word".to_owned(), b"swordfish".to_vec())].into(),
        ..alone()
    };
    let (_, said) = place.build(request).await.unwrap();
    assert!(said.contains("9\n") && said.contains("[]\n"), "{said}");
    assert_eq!(
        with_text(place.folder.path(), "swordfish"),
        [""; 0].map(PathBuf::from)
    );
}

#[tokio::test]
async fn an_agent_of_the_client_is_reached_by_commands_that_ask_for_it() {
    let place = Place::new();
    busybox(&place);
    let socket = place.folder.path().join("agent");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    place.write(
        "Dockerfile",
        "FROM busybox:1\nRUN --mount=type=ssh test -S /run/buildkit/ssh_agent.0 && echo $SSH_AUTH_SOCK\nRUN test ! -e /run\n",
    );
    let request = Build {
        agents: [("default".to_owned(), socket)].into(),
        ..alone()
    };
    let (_, said) = place.build(request).await.unwrap();
    assert!(said.contains("/run/buildkit/ssh_agent.0\n"), "{said}");
}

#[tokio::test]
async fn caches_are_shared_private_or_begin_with_something() {
    let place = Place::new();
    busybox(&place);
    place.write(
        "Dockerfile",
        "FROM busybox:1 AS seed\nRUN mkdir /s && echo seeded > /s/it\nFROM busybox:1\n\
         RUN --mount=type=cache,target=/c,from=seed,source=/s cat /c/it && echo more >> /c/it\n\
         RUN --mount=type=cache,target=/c,from=seed,source=/s,sharing=private cat /c/it > /out\n\
         RUN --mount=type=cache,target=/c,ro touch /c/no 2>/dev/null || echo read-only; cat /out\n",
    );
    let (_, said) = place.build(alone()).await.unwrap();
    assert!(said.contains("seeded\nmore\n"), "{said}");
    assert!(said.contains("read-only\n"), "{said}");
}

#[tokio::test]
async fn what_a_privileged_build_has_done_is_no_way_around_the_entitlement() {
    let place = Place::new();
    busybox(&place);
    place.write(
        "Dockerfile",
        "FROM busybox:1\nRUN --security=insecure echo x > /x\n",
    );
    let mut privileged = alone();
    privileged.host.privileged = Some(true);
    place.build(privileged).await.unwrap();
    let failure = place.build(alone()).await.unwrap_err();
    let message = failure.error.message;
    assert!(message.contains("security.insecure"), "{message}");
}

#[tokio::test]
async fn a_cache_that_could_not_be_filled_is_filled_by_the_next_build() {
    let place = Place::new();
    busybox(&place);
    let text = |source: &str| {
        let mount = format!("--mount=type=cache,target=/c,from=made,source={source}");
        format!(
            "FROM busybox:1 AS made\nRUN mkdir /m && echo filled > /m/x\nFROM busybox:1\nRUN {mount} cat /c/x\n"
        )
    };
    let error = place.error(&text("/none")).await;
    assert!(error.contains("none"), "{error}");
    place.write("Dockerfile", &text("/m"));
    let (_, said) = place.build(alone()).await.unwrap();
    assert!(said.contains("filled\n"), "{said}");
}
