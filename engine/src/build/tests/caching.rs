//! Steps that are not done again, and images that come out the same.

use super::*;

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
async fn equal_inputs_make_equal_images() {
    let place = Place::new();
    let other = Place::new();
    for place in [&place, &other] {
        place.write("dir/file", "1");
        place.write(
            "Dockerfile",
            "FROM scratch\nARG SOURCE_DATE_EPOCH\nWORKDIR /w\nCOPY dir .\nCOPY <<EOF /x/\nhi\nEOF\nENV A=1\n",
        );
    }
    let request = || Build {
        args: [(
            "SOURCE_DATE_EPOCH".to_owned(),
            Some("1600000000".to_owned()),
        )]
        .into(),
        no_cache: true,
        ..Build::default()
    };
    let (one, _) = place.build(request()).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    other.write("dir/file", "1");
    assert_eq!(other.build(request()).await.unwrap().0, one);
    let image = place.engine.images.resolve(&one).unwrap();
    assert_eq!(
        image.document.created.as_deref(),
        Some("2020-09-13T12:26:40Z")
    );
    let wrong = Build {
        args: [("SOURCE_DATE_EPOCH".to_owned(), Some("soon".to_owned()))].into(),
        ..Build::default()
    };
    let error = place.build(wrong).await.unwrap_err().error.message;
    assert!(
        error.contains("invalid SOURCE_DATE_EPOCH \"soon\""),
        "{error}"
    );
}

#[tokio::test]
async fn only_what_a_step_depends_on_counts() {
    let place = Place::new();
    busybox(&place);
    place.write("file", "1");
    let dockerfile = |label: &str, last: &str| {
        format!(
            "FROM busybox:1 AS made\nCOPY file /\nLABEL a={label}\nRUN echo $HTTP_PROXY > /made\n\
             FROM busybox:1\nCOPY --from=made /file /\n{last}\n"
        )
    };
    let with_proxy = |proxy: &str| Build {
        args: [("HTTP_PROXY".to_owned(), Some(proxy.to_owned()))].into(),
        ..alone()
    };
    place.write("Dockerfile", &dockerfile("1", "CMD a"));
    place.build(with_proxy("one:1")).await.unwrap();
    // Neither labels nor proxies nor what comes after.
    place.write("Dockerfile", &dockerfile("2", "CMD b"));
    let (_, said) = place.build(with_proxy("two:1")).await.unwrap();
    assert_eq!(said.matches("Using cache").count(), 3, "{said}");
    let image = place.engine.images.resolve("built:1").unwrap();
    let text = String::from_utf8(image.document.to_bytes().unwrap()).unwrap();
    assert!(!text.contains("two:1"), "{text}");
}
