//! Which stages are built, and when.

use std::time::{Duration, Instant};

use super::*;

fn instructions(text: &str) -> Vec<String> {
    let build = Build::default();
    let plan = crate::build::stages::Plan::new(parse(text).unwrap(), &build, &|_| None).unwrap();
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
        crate::build::stages::Plan::new(parse(text).unwrap(), &build, &|_| None)
    };
    let two = plan("Two").unwrap();
    assert_eq!((two.stages.len(), two.stages[0].is_needed), (2, false));
    assert_eq!(plan("0").unwrap().stages.len(), 1);
    let error = plan("none").unwrap_err();
    assert_eq!(
        error.error.message,
        "target stage \"none\" could not be found"
    );
    let other = crate::build::stages::Plan::new(
        parse("FROM --platform=linux/other a").unwrap(),
        &Build::default(),
        &|_| None,
    );
    assert_eq!(other.unwrap_err().error.status, 501);
    assert_eq!(instructions("ARG A=x\nFROM ${A}y"), ["xy"]);
}

#[tokio::test]
async fn an_image_is_built_of_stages() {
    let place = Place::new();
    place.write("dir/sub/one.txt", "1");
    place.write("two.txt", "2");
    place.write(
        "Dockerfile",
        "ARG BASE=scratch\nFROM $BASE AS first\nARG name=x\nCOPY dir /data/\nCOPY *.txt /$name/\n\
         FROM scratch\nWORKDIR /tree\nCOPY --from=first --chown=3:4 --chmod=640 /data/sub .\n\
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
    assert_eq!(fs::read(rootfs.join("tree/one.txt")).unwrap(), b"1");
    let metadata = fs::metadata(rootfs.join("tree/one.txt")).unwrap();
    assert_eq!((metadata.uid(), metadata.mode() & 0o7777), (3, 0o640));
    assert!(!rootfs.join("data").exists());
    images.discard("c").await.unwrap();
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
async fn stages_that_need_no_other_are_built_at_once() {
    let place = Place::new();
    busybox(&place);
    let stage = |own: &str, other: &str| {
        format!(
            "FROM busybox:1 AS {own}\nRUN --mount=type=cache,target=/c,id=met touch /c/{own}; n=0; \
             while [ ! -e /c/{other} ]; do n=$((n+1)); [ $n -lt 300 ] || exit 1; sleep 0.1; done; echo {own} > /{own}\n"
        )
    };
    let dockerfile = format!(
        "{}{}FROM busybox:1\nCOPY --from=one /one /\nCOPY --from=two /two /\n",
        stage("one", "two"),
        stage("two", "one")
    );
    place.write("Dockerfile", &dockerfile);
    let (_, said) = place.build(alone()).await.unwrap();
    let steps: Vec<&str> = said
        .lines()
        .filter(|line| line.starts_with("Step "))
        .collect();
    let numbers: Vec<&str> = steps
        .iter()
        .filter_map(|line| line.split(' ').nth(1))
        .collect();
    // One stage after the other in what is told.
    assert_eq!(
        numbers,
        ["1/7", "2/7", "3/7", "4/7", "5/7", "6/7", "7/7"],
        "{said}"
    );
}

#[tokio::test]
async fn a_stage_that_fails_ends_the_others() {
    let place = Place::new();
    busybox(&place);
    place.write(
        "Dockerfile",
        "FROM busybox:1 AS slow\nRUN sleep 100\nFROM busybox:1 AS broken\nRUN sleep 0.3; exit 9\n\
         FROM busybox:1\nCOPY --from=slow /x /\nCOPY --from=broken /x /\n",
    );
    let start = Instant::now();
    let failure = place.build(alone()).await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(50));
    assert_eq!(failure.code, Some(9));
    assert_eq!(failure.lines.map(|lines| lines.first), Some(4));
    assert!(place.engine.containers.all().is_empty());
    assert!(place.engine.images.snapshots_are_gone());
}

#[tokio::test]
async fn a_build_that_nobody_wants_ends() {
    let place = Place::new();
    busybox(&place);
    place.write("Dockerfile", "FROM busybox:1\nRUN sleep 100\n");
    let request = alone();
    let canceled = request.canceled.clone();
    let cancel = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        canceled.cancel();
    };
    let start = Instant::now();
    let (built, ()) = tokio::join!(place.build(request), cancel);
    assert_eq!(built.unwrap_err().error.message, "the build was canceled");
    assert!(start.elapsed() < Duration::from_secs(50));
    assert!(place.engine.containers.all().is_empty());
}
