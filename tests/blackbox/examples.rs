//! The example projects: up, probed from outside, logs followed, down, nothing left.

use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::sys::signal::Signal;

use crate::support::eventually;
use crate::support::fixture::fixture;
use crate::support::http::{get, request};
use crate::support::project::{Project, free_port};

/// The board has fixed subnets: hold this while it is up.
pub(crate) fn one_board_at_a_time() -> MutexGuard<'static, ()> {
    static BOARD: Mutex<()> = Mutex::new(());
    BOARD.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn quickstart() {
    let mut project = fixture("quickstart");
    let port = free_port();
    project.set("PORT", &port.to_string());
    project.rcompose(&["up", "--detach"]).success();

    let page = eventually(60, "the page is served", || get(port, "/"));
    assert_eq!(
        page.body,
        "Notes\n- started in order\n- without a registry\n"
    );
    request("POST", port, "/", "text/plain", "from outside").expect("a note is taken");
    let page = get(port, "/").expect("the page is served");
    assert!(page.body.ends_with("- from outside\n"), "{page:?}");

    let logs = project.start(&["logs", "--follow"]);
    logs.wait_for_stdout("kept: from outside");
    logs.wait_for_stdout("clock-2");
    get(port, "/healthz").expect("a page is served");
    logs.wait_for_stdout("GET /healthz 200");
    logs.signal(Signal::SIGINT);
    logs.finish();

    project.down();
}

#[test]
fn flask_postgres() {
    let mut project = fixture("flask-postgres");
    let port = free_port();
    project.set("API_PORT", &port.to_string());
    project.rcompose(&["up", "--detach", "--wait"]).success();

    let shelf = get(port, "/")
        .expect("--wait waited until the service is healthy")
        .json();
    assert_eq!(shelf["books"], 1);
    let added = request(
        "POST",
        port,
        "/books",
        "application/json",
        r#"{"title":"Middlemarch","author":"George Eliot"}"#,
    )
    .expect("the service answers");
    assert_eq!(added.status, 201, "{added:?}");

    let logs = project.rcompose(&["logs", "migrations"]).success();
    assert!(logs.stdout.contains("002_read.sql: applied"), "{logs:?}");

    // What is in the database outlives its containers.
    project.rcompose(&["down"]).success();
    assert_eq!(project.left(), [format!("volume {}_data", project.name)]);
    project.rcompose(&["up", "--detach", "--wait"]).success();
    let books = get(port, "/books").expect("the service answers").json();
    assert_eq!(books[1]["title"], "Middlemarch");
    let logs = project.rcompose(&["logs", "migrations"]).success();
    assert!(
        logs.stdout.contains("002_read.sql: already applied"),
        "{logs:?}"
    );

    project
        .rcompose(&["down", "--volumes", "--rmi", "local"])
        .success();
    project.assert_nothing_left();
    let images = project
        .engine()
        .docker(&["images", "--quiet", &format!("{}-*", project.name)]);
    assert_eq!(images, "", "images left");
}

#[test]
fn reddit() {
    let _one_at_a_time = one_board_at_a_time();
    let (project, ui, prometheus) = board();
    project.rcompose(&["up", "--detach", "--build"]).success();

    // The override file is in force: two workers beside the one that watches them, code from the folder.
    let ui_container = project.engine().inspect(&project.container("ui", 1));
    assert!(
        ui_container["Args"]
            .to_string()
            .contains("\"--workers\",\"2\""),
        "{ui_container}"
    );
    let healthy = || get(ui, "/healthcheck").filter(|answer| answer.json()["status"] == 1);
    eventually(30, "the board is healthy", healthy);
    post_and_comment(ui);

    eventually(30, "the comment service is healthy", || {
        metric(prometheus, "comment_health", 1.0)
    });
    for service in ["ui:9292", "post:5000", "comment:9292"] {
        let probe = format!("probe_success{{instance=\"http://{service}/healthcheck\"}}");
        eventually(30, &probe, || metric(prometheus, &probe, 1.0));
    }
    eventually(30, "node-exporter is scraped", || {
        metric(prometheus, "up{job=\"node\"}", 1.0)
    });

    project.rcompose(&["stop", "post_db"]).success();
    eventually(30, "the comment service is ill", || {
        metric(prometheus, "comment_health", 0.0)
    });
    project.rcompose(&["start", "post_db"]).success();
    eventually(30, "the comment service recovers", || {
        metric(prometheus, "comment_health", 1.0)
    });
    let page = get(ui, "/").expect("the board answers");
    assert!(
        page.body.contains("A link"),
        "the posts are still there: {page:?}"
    );

    project.down();
}

#[test]
fn reddit_in_its_second_environment() {
    let _one_at_a_time = one_board_at_a_time();
    let (mut project, _, _) = board();
    let port = free_port();
    project.set("STAGE_UI_PORT", &port.to_string());
    project.set(
        "COMPOSE_FILE",
        "docker-compose.yml:docker-compose.stage.yml",
    );
    project.rcompose(&["up", "--detach", "--build"]).success();
    let page = eventually(30, "the board is served", || {
        get(port, "/").filter(|page| page.status == 200)
    });
    assert!(page.body.contains("<h1>Board stage</h1>"), "{page:?}");
    let ui = project.engine().inspect(&project.container("ui", 1));
    assert_eq!(ui["HostConfig"]["RestartPolicy"]["Name"], "unless-stopped");
    assert!(!ui["Args"].to_string().contains("--workers"), "{ui}");
    let ports = project.rcompose(&["port", "prometheus", "9090"]);
    assert_eq!(ports.code, 1, "its ports were reset: {ports:?}");
    project.down();
}

/// The board, and the ports of its page and of Prometheus.
fn board() -> (Project, u16, u16) {
    let mut project = fixture("reddit");
    let (ui, prometheus) = (free_port(), free_port());
    project.set("UI_PORT", &ui.to_string());
    project.set("PROMETHEUS_PORT", &prometheus.to_string());
    (project, ui, prometheus)
}

fn post_and_comment(ui: u16) {
    const FORM: &str = "application/x-www-form-urlencoded";
    let posted = request(
        "POST",
        ui,
        "/new",
        FORM,
        "title=A+link&link=http%3A%2F%2Fexample.org%2F",
    );
    let posted = posted.expect("the board takes posts");
    assert!(posted.head.contains("Location: /post/1"), "{posted:?}");
    request(
        "POST",
        ui,
        "/post/1/comment",
        FORM,
        "name=Ada&body=Good+one",
    )
    .expect("and comments");
    let page = get(ui, "/post/1").expect("the board answers");
    assert!(page.body.contains("<b>Ada</b>: Good one"), "{page:?}");
    let list = get(ui, "/").expect("the board answers");
    assert!(list.body.contains("A link"), "{list:?}");
}

/// Something when Prometheus has the sample `query` with this value.
fn metric(prometheus: u16, query: &str, value: f64) -> Option<()> {
    let mut path = "/api/v1/query?query=".to_owned();
    for byte in query.bytes() {
        let _ = write!(path, "%{byte:02x}");
    }
    let answer = get(prometheus, &path)?.json();
    let sample = answer["data"]["result"][0]["value"][1].as_str()?;
    (sample.parse() == Ok(value)).then_some(())
}
