use std::collections::HashMap;
use std::fs;

use bollard_stubs::models::ImageConfig;

use super::*;
use crate::Layout;
use crate::engine::Engine;
use crate::image::Reference;

#[test]
fn lines_are_joined_and_comments_left_out() {
    let text = "# escape=\\\nFROM scratch AS a\n# note\nENV a=b \\\n  # inner\n\n  c=d\ncopy --from=a --chown=1:2 x y\n";
    let instructions = parse(text).unwrap();
    let texts: Vec<String> = instructions.iter().map(Instruction::text).collect();
    assert_eq!(texts[0], "FROM scratch AS a");
    assert_eq!(
        instructions[1].rest.split_whitespace().collect::<Vec<_>>(),
        ["a=b", "c=d"]
    );
    assert_eq!(texts[2], "COPY --from=a --chown=1:2 x y");
    assert_eq!(instructions[2].line, 8);
    let error = parse("FROM scratch\nFOO bar").unwrap_err();
    assert_eq!(
        error.message,
        "dockerfile parse error on line 2: unknown instruction: FOO"
    );
    assert_eq!(parse("RUN <<EOF\nls\nEOF").unwrap_err().status, 501);
}

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

#[test]
fn variables_are_replaced() {
    let known = HashMap::from([("a", "1"), ("empty", "")]);
    let lookup = |name: &str| known.get(name).map(|value| (*value).to_owned());
    let cases = [
        ("$a-${a}", "1-1"),
        ("'$a'", "$a"),
        ("\"$a b\"", "1 b"),
        ("\\$a", "$a"),
        ("${empty:-x}", "x"),
        ("${a:+yes}", "yes"),
        ("${none:+yes}", ""),
        ("${none:-${a}}", "1"),
    ];
    for (text, expected) in cases {
        assert_eq!(expand::word(text, &lookup).unwrap(), expected, "{text}");
    }
    assert!(expand::word("${a", &lookup).is_err());
    assert!(expand::word("'a", &lookup).is_err());
}

#[tokio::test]
async fn an_image_is_built_of_stages() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: needs root");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(Layout::new(
        folder.path().join("root"),
        folder.path().join("run"),
    ))
    .unwrap();
    let context = folder.path().join("context");
    fs::create_dir_all(context.join("dir/sub")).unwrap();
    fs::write(context.join("dir/sub/one.txt"), "1").unwrap();
    fs::write(context.join("two.txt"), "2").unwrap();
    std::os::unix::fs::symlink("/etc/hostname", context.join("evil")).unwrap();
    let dockerfile = "ARG BASE=scratch\nFROM $BASE AS first\nARG name=x\nCOPY dir /data/\nCOPY *.txt /$name/\n\
        FROM scratch\nWORKDIR /work\nCOPY --from=first --chown=3:4 /data/sub .\nENV A=b\nENTRYPOINT [\"/x\"]\n";
    fs::write(context.join("Dockerfile"), dockerfile).unwrap();
    let tag = Reference::parse("built:1").unwrap();
    let request = Build {
        context: context.clone(),
        tags: vec![tag],
        ..Build::default()
    };
    let said = std::sync::Mutex::new(String::new());
    let say = |text: &str| said.lock().unwrap().push_str(text);
    let id = match build(&engine, &request, &say).await {
        Ok(id) => id,
        Err(error) if error.message.contains("mount") => {
            println!("skipped: no overlay here: {error}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let said = said.into_inner().unwrap();
    assert!(said.contains("Step 5/10 : COPY *.txt /$name/"), "{said}");
    assert!(said.ends_with("Successfully tagged built:1\n"), "{said}");
    let image = engine.images.resolve("built:1").unwrap();
    assert_eq!(image.id, id);
    engine.images.prepare("c", &image).await.unwrap();
    let rootfs = engine.images.mount("c").await.unwrap();
    assert_eq!(fs::read(rootfs.join("work/one.txt")).unwrap(), b"1");
    let metadata = fs::metadata(rootfs.join("work/one.txt")).unwrap();
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&metadata), 3);
    assert!(!rootfs.join("data").exists());
    engine.images.discard("c").await.unwrap();

    fs::write(context.join("Dockerfile"), "FROM scratch\nCOPY evil /x\n").unwrap();
    let error = build(&engine, &request, &|_| ()).await.unwrap_err();
    assert!(error.message.contains("dockerfile line 2: COPY"), "{error}");
    assert!(engine.images.snapshots_are_gone());
}
