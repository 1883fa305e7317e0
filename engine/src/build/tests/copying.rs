//! `COPY` and `ADD`.

use std::os::unix::fs::symlink;

use super::*;

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
    symlink("/etc/hostname", place.folder.path().join("context/evil")).unwrap();
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

/// The paths below a folder that are no folders, in order.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut left = vec![folder.to_owned()];
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else {
                let path = path.strip_prefix(folder).unwrap();
                found.push(path.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

async fn made(place: &Place, dockerfile: &str) -> Vec<String> {
    place.write("Dockerfile", dockerfile);
    let (id, _) = place.build(Build::default()).await.unwrap();
    let images = &place.engine.images;
    let image = images.resolve(&id).unwrap();
    images.prepare("c", &image).unwrap();
    let rootfs = images.mount("c").await.unwrap();
    let files = files(&rootfs);
    images.discard("c").await.unwrap();
    files
}

#[tokio::test]
async fn parents_are_kept_from_the_pivot_on() {
    let place = Place::new();
    for name in ["a/b/c/one", "a/b/two", "a/x/c/three", "four"] {
        place.write(name, name);
    }
    let files = made(
        &place,
        "FROM scratch\nCOPY --parents a/b/c/one four /1/\nCOPY --parents ./a/./b/two /2/\n\
         COPY --parents a/*/c /3/\nCOPY --parents --exclude=**/one a/b /4/\n",
    )
    .await;
    assert_eq!(
        files,
        [
            "1/a/b/c/one",
            "1/four",
            "2/b/two",
            "3/a/b/c/one",
            "3/a/x/c/three",
            "4/a/b/two"
        ]
    );
}

#[tokio::test]
async fn what_is_excluded_is_left_out() {
    let place = Place::new();
    for name in ["d/a.txt", "d/b.md", "d/s/c.txt", "d/s/keep.txt", "e.txt"] {
        place.write(name, name);
    }
    let files = made(
        &place,
        "FROM scratch\nCOPY --exclude=*.txt --exclude=s d /1/\nCOPY --exclude=**/*.txt --exclude=!s/keep.txt d /2/\n\
         COPY --exclude=*.txt *.txt d /3/\n",
    )
    .await;
    assert_eq!(
        files,
        [
            "1/b.md",
            "2/b.md",
            "2/s/keep.txt",
            "3/b.md",
            "3/s/c.txt",
            "3/s/keep.txt"
        ]
    );
}

#[tokio::test]
async fn links_of_the_image_lead_nowhere_else() {
    let place = Place::new();
    busybox(&place);
    place.write("file", "new");
    let outside = place.folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    place.write(
        "Dockerfile",
        &format!(
            "FROM busybox:1\nRUN busybox ln -s {0} /out && busybox ln -s ../../../../../../../..{0} /up\n\
             COPY file /out/\nCOPY file /up/\n",
            outside.display()
        ),
    );
    place.build(alone()).await.unwrap();
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
}
