//! `ADD` of what is elsewhere.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::Duration;

use super::*;

/// Serves some files on a port of this machine until the test ends.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut request = [0; 4096];
            let count = connection.read(&mut request).unwrap();
            let request = String::from_utf8_lossy(&request[..count]).into_owned();
            let path = request.split(' ').nth(1).unwrap_or_default();
            let answer = match path {
                "/dir/file.txt?a=b" => {
                    "200 OK\r\nLast-Modified: Wed, 21 Oct 2015 07:28:00 GMT\r\nContent-Length: 5\r\n\r\nhello"
                }
                "/moved" => "302 Found\r\nLocation: /dir/file.txt?a=b\r\nContent-Length: 0\r\n\r\n",
                "/loop" => "302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n",
                _ => "404 Not Found\r\nContent-Length: 0\r\n\r\n",
            };
            let answer =
                format!("HTTP/1.1 {answer}").replacen("\r\n", "\r\nConnection: close\r\n", 1);
            let _ = connection.write_all(answer.as_bytes());
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn files_of_addresses_have_the_servers_name_and_time() {
    let place = Place::new();
    let server = serve();
    let digest = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let dockerfile = format!(
        "FROM scratch\nADD {server}/dir/file.txt?a=b /to/\nADD --checksum={digest} --chmod=644 --chown=3 {server}/moved /named\n"
    );
    place.write("Dockerfile", &dockerfile);
    let (id, _) = place.build(Build::default()).await.unwrap();
    let images = &place.engine.images;
    let image = images.resolve(&id).unwrap();
    images.prepare("c", &image).unwrap();
    let rootfs = images.mount("c").await.unwrap();
    let file = fs::metadata(rootfs.join("to/file.txt")).unwrap();
    assert_eq!((file.mode() & 0o7777, file.mtime()), (0o600, 1_445_412_480));
    let named = fs::metadata(rootfs.join("named")).unwrap();
    assert_eq!(
        (named.mode() & 0o7777, named.uid(), named.len()),
        (0o644, 3, 5)
    );
    images.discard("c").await.unwrap();
    let (same, said) = place.build(Build::default()).await.unwrap();
    assert_eq!((same, said.matches("Using cache").count()), (id, 2));
    for (source, message) in [
        ("--checksum=sha256:00 X/moved", "invalid checksum"),
        (
            "--checksum=sha256:0000000000000000000000000000000000000000000000000000000000000000 X/moved",
            "the digest is sha256:2cf24dba",
        ),
        ("X/none", "the server answers with status 404"),
        ("X/loop", "too many redirections"),
    ] {
        let source = source.replace('X', &server);
        let error = place
            .error(&format!("FROM scratch\nADD {source} /x\n"))
            .await;
        assert!(error.contains("line 2: ADD: "), "{error}");
        assert!(error.contains(message), "{error}");
    }
}

/// Makes a repository and serves it; its address, and what ends the server.
fn repository(folder: &Path) -> (String, std::process::Child) {
    let top = folder.join("served/repository");
    fs::create_dir_all(top.join("sub")).unwrap();
    fs::write(top.join("sub/file"), "1").unwrap();
    fs::write(top.join("top"), "2").unwrap();
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=T", "-c", "user.email=t@example.org"];
        let mut command = Command::new("git");
        command.args(identity).args(arguments).current_dir(&top);
        assert!(command.status().unwrap().success(), "git {arguments:?}");
    };
    git(&["init", "--quiet", "-b", "main", "."]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "-m", "one"]);
    git(&["tag", "v1"]);
    fs::write(top.join("top"), "3").unwrap();
    git(&["commit", "--quiet", "-a", "-m", "two"]);
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let daemon = Command::new("git")
        .args([
            "daemon",
            "--export-all",
            "--reuseaddr",
            "--listen=127.0.0.1",
        ])
        .arg(format!("--port={port}"))
        .arg(format!("--base-path={}", folder.join("served").display()))
        .process_group(0)
        .spawn()
        .unwrap();
    for _ in 0..100 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    (format!("git://127.0.0.1:{port}/repository"), daemon)
}

#[tokio::test]
async fn repositories_are_checked_out() {
    let place = Place::new();
    let (address, mut daemon) = repository(place.folder.path());
    let dockerfile = format!(
        "FROM scratch\nADD {address} /main/\nADD {address}#v1:sub /sub/\nADD --keep-git-dir=true {address}#v1 /kept/\n"
    );
    place.write("Dockerfile", &dockerfile);
    let built = place.build(Build::default()).await;
    let missing = place
        .error(&format!("FROM scratch\nADD {address}#none /x/\n"))
        .await;
    let folder = place
        .error(&format!("FROM scratch\nADD {address}#v1:none /x/\n"))
        .await;
    // What listens is a process of its own in the group.
    let group = nix::unistd::Pid::from_raw(i32::try_from(daemon.id()).unwrap());
    nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL).unwrap();
    daemon.wait().unwrap();
    let (id, _) = built.unwrap();
    let images = &place.engine.images;
    let image = images.resolve(&id).unwrap();
    images.prepare("c", &image).unwrap();
    let rootfs = images.mount("c").await.unwrap();
    assert_eq!(fs::read(rootfs.join("main/top")).unwrap(), b"3");
    assert!(!rootfs.join("main/.git").exists());
    assert_eq!(fs::read(rootfs.join("sub/file")).unwrap(), b"1");
    assert_eq!(fs::read(rootfs.join("kept/top")).unwrap(), b"2");
    assert!(rootfs.join("kept/.git").is_dir());
    images.discard("c").await.unwrap();
    assert!(
        missing.contains("line 2: ADD: cannot fetch git://"),
        "{missing}"
    );
    assert!(folder.contains("the folder \"none\""), "{folder}");
}
