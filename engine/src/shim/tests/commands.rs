//! Commands: further ones in a container, and those that cannot be executed.

use super::*;

const EXEC: &str = "OCI runtime exec failed: exec failed: unable to start container process:";

#[tokio::test]
async fn other_processes_join_it() {
    let Some(mut container) = new(&["sleep", "60"]) else {
        return;
    };
    container.start().await.unwrap();
    let files = container.run_files();
    let mut session = container
        .exec(&["sh", "-c", "cat; echo err >&2; id -u; exit 5"], |_| {})
        .await
        .unwrap();
    session.input.write_all(b"in\n").await.unwrap();
    session.input.shutdown().await.unwrap();
    let (out, err, code) = rest(&mut session).await;
    assert_eq!(
        (out.as_str(), err.as_str(), code),
        ("in\n0\n", "err\n", Some(5))
    );
    let mut session = container
        .exec(&["sh", "-c", "stty size"], |exec| {
            exec.tty = true;
            exec.size = Some((77, 33));
        })
        .await
        .unwrap();
    assert!(rest(&mut session).await.0.contains("33 77"));
    let failed = container.exec(&["no-such"], |exec| exec.tty = true).await;
    assert!(failed.is_err());
    assert_eq!(container.run_files(), files);
    container.signal(nix::libc::SIGKILL).await;
    container.ended().await;
}

#[tokio::test]
async fn commands_that_cannot_be_executed() {
    let said = |error: Error| (error.status, error.message);
    let Some(mut container) = new(&["no-such"]) else {
        return;
    };
    let (status, message) = said(container.start().await.unwrap_err());
    assert_eq!(status, 400);
    assert!(
        message.ends_with("exec: \"no-such\": executable file not found in $PATH"),
        "{message}"
    );
    container.nothing_is_left();
    let Some(mut container) = new(&["/etc/plain"]) else {
        return;
    };
    let (status, message) = said(container.start().await.unwrap_err());
    assert_eq!(status, 400);
    assert!(
        message.ends_with("exec: \"/etc/plain\": permission denied"),
        "{message}"
    );
    let Some(mut container) = new(&["sleep", "60"]) else {
        return;
    };
    container.start().await.unwrap();
    let (status, message) = said(container.exec(&["no-such"], |_| {}).await.unwrap_err());
    assert_eq!(status, 400);
    assert_eq!(
        message,
        format!("{EXEC} exec: \"no-such\": executable file not found in $PATH")
    );
    let (_, message) = said(container.exec(&["/nowhere/x"], |_| {}).await.unwrap_err());
    assert_eq!(
        message,
        format!("{EXEC} exec: \"/nowhere/x\": stat /nowhere/x: no such file or directory")
    );
    container.signal(nix::libc::SIGKILL).await;
    container.ended().await;
}
