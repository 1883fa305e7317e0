//! Builds at the same time that need the same step.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::*;

/// A command that leaves a line where all builds see it.
const COUNTED: &str = "RUN --mount=type=cache,target=/cache echo x >>/cache/count; busybox sleep 1";

/// How often the counted command has begun.
fn count(place: &Place) -> usize {
    let caches = fs::read_dir(place.engine.layout.build_caches());
    let caches = caches.into_iter().flatten().flatten();
    let counts = caches.map(|cache| fs::read_to_string(cache.path().join("count")));
    counts.flatten().map(|text| text.lines().count()).sum()
}

async fn counted(place: &Place, wanted: usize) {
    for _ in 0..200 {
        if count(place) == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the command has begun {} times, not {wanted}", count(place));
}

fn canceled_by(token: &CancellationToken) -> Build {
    Build {
        canceled: token.clone(),
        ..alone()
    }
}

#[tokio::test]
async fn a_step_is_done_by_one_of_them() {
    let place = Place::new();
    busybox(&place);
    place.write("Dockerfile", &format!("FROM busybox:1\n{COUNTED}\n"));
    let (one, other) = tokio::join!(place.build(alone()), place.build(alone()));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(count(&place), 1);
    let known = |said: &str| said.matches("Using cache").count();
    assert_eq!(known(&one.1) + known(&other.1), 1);
    // Without the cache: what is done just now counts, what was done before does not.
    let anew = || Build {
        no_cache: true,
        ..alone()
    };
    let (one, other) = tokio::join!(place.build(anew()), place.build(anew()));
    one.unwrap();
    other.unwrap();
    assert_eq!(count(&place), 2);
}

#[tokio::test]
async fn two_stages_of_one_build_share_a_step() {
    let place = Place::new();
    busybox(&place);
    place.write(
        "Dockerfile",
        &format!(
            "FROM busybox:1 AS one\n{COUNTED}\nRUN echo 1 >/one\nFROM busybox:1 AS two\n{COUNTED}\nRUN echo 2 >/two\n\
             FROM scratch\nCOPY --from=one /one /\nCOPY --from=two /two /\n"
        ),
    );
    place.build(alone()).await.unwrap();
    assert_eq!(count(&place), 1);
}

#[tokio::test]
async fn each_tells_its_failure() {
    let place = Place::new();
    busybox(&place);
    place.write(
        "Dockerfile",
        &format!("FROM busybox:1\n{COUNTED}; exit 7\n"),
    );
    let (one, other) = tokio::join!(place.build(alone()), place.build(alone()));
    assert_eq!(one.unwrap_err().code, Some(7));
    assert_eq!(other.unwrap_err().code, Some(7));
    assert!(place.engine.containers.all().is_empty());
}

#[tokio::test]
async fn a_build_that_is_given_up_leaves_its_step_to_another() {
    let place = Place::new();
    busybox(&place);
    place.write("Dockerfile", &format!("FROM busybox:1\n{COUNTED}\n"));
    let token = CancellationToken::new();
    let later = async {
        counted(&place, 1).await;
        place.build(alone()).await
    };
    let cancel = async {
        counted(&place, 1).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        token.cancel();
    };
    let (one, other, ()) = tokio::join!(place.build(canceled_by(&token)), later, cancel);
    assert_eq!(one.unwrap_err().error.message, "the build was canceled");
    other.unwrap();
    assert_eq!(count(&place), 2);
}

#[tokio::test]
async fn one_that_waits_can_be_given_up_alone() {
    let place = Place::new();
    busybox(&place);
    place.write("Dockerfile", &format!("FROM busybox:1\n{COUNTED}\n"));
    let token = CancellationToken::new();
    let waiting = async {
        counted(&place, 1).await;
        place.build(canceled_by(&token)).await
    };
    let cancel = async {
        counted(&place, 1).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        token.cancel();
    };
    let (one, other, ()) = tokio::join!(place.build(alone()), waiting, cancel);
    one.unwrap();
    assert_eq!(other.unwrap_err().error.message, "the build was canceled");
    assert_eq!(count(&place), 1);
}
