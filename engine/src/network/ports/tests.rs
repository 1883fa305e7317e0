use std::net::{Ipv4Addr, TcpListener as StdListener};
use std::time::Duration;

use bollard_stubs::models::{PortBinding, PortMap};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use super::*;

fn map(entries: &[(&str, &str, &str)]) -> PortMap {
    let mut ports = PortMap::new();
    for (key, address, port) in entries {
        let binding = PortBinding {
            host_ip: Some((*address).to_owned()),
            host_port: Some((*port).to_owned()),
        };
        ports
            .entry((*key).to_owned())
            .or_default()
            .get_or_insert_default()
            .push(binding);
    }
    ports
}

fn bind(entries: &[(&str, &str, &str)]) -> Result<Vec<Bound>> {
    bind_all(&parse(&map(entries))?)
}

#[test]
fn what_is_no_port_is_refused() {
    let status =
        |key, address, port| parse(&map(&[(key, address, port)])).map_err(|error| error.status);
    assert!(status("80/tcp", "", "8000-8010").is_ok());
    assert!(status("80", "[::1]", "").is_ok());
    assert_eq!(status("80/sctp", "", ""), Err(501));
    assert_eq!(status("0/tcp", "", ""), Err(400));
    assert_eq!(status("x/tcp", "", ""), Err(400));
    assert_eq!(status("80/tcp", "localhost", ""), Err(400));
    assert_eq!(status("80/tcp", "", "70000"), Err(400));
    assert_eq!(status("80/tcp", "", "9-8"), Err(400));
}

#[test]
fn a_port_in_use_is_told_as_docker_does() {
    let taken = StdListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let error = bind(&[("80/tcp", "127.0.0.1", &port)]).unwrap_err();
    let expected = format!("Bind for 127.0.0.1:{port} failed: port is already allocated");
    assert_eq!((error.status, error.message), (500, expected));
    let error = bind(&[("80/tcp", "", &port)]).unwrap_err();
    assert_eq!(
        error.message,
        format!("Bind for 0.0.0.0:{port} failed: port is already allocated")
    );
}

#[test]
fn the_next_port_of_a_range_is_taken() {
    let taken = StdListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let range = format!("{port}-{}", port.saturating_add(20));
    let bound = bind(&[("80/tcp", "127.0.0.1", &range)]).unwrap();
    assert!(bound[0].publication().host.port() > port);
}

#[test]
fn any_free_port_is_the_same_on_every_address() {
    let bound = bind(&[("80/tcp", "", ""), ("80/udp", "127.0.0.1", "0")]).unwrap();
    let publications: Vec<_> = bound.iter().map(Bound::publication).collect();
    let shown = shown(
        &map(&[("80/tcp", "", ""), ("80/udp", "", "")]),
        &publications,
    );
    let tcp = shown["80/tcp"].clone().unwrap();
    assert_eq!(tcp[0].host_ip.as_deref(), Some("0.0.0.0"));
    assert!(
        tcp.iter()
            .all(|binding| binding.host_port == tcp[0].host_port)
    );
    assert_eq!(shown["80/udp"].as_ref().map(Vec::len), Some(1));
}

#[test]
fn exposed_ports_are_shown_without_bindings() {
    let asked = PortMap::from([("80/tcp".to_owned(), None)]);
    assert_eq!(shown(&asked, &[]), asked);
}

#[tokio::test]
async fn connections_are_carried() {
    let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let inside = server.local_addr().unwrap().port().to_string();
    tokio::spawn(async move {
        let (mut stream, _) = server.accept().await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        stream
            .write_all(text.to_uppercase().as_bytes())
            .await
            .unwrap();
    });
    let bound = bind(&[(&format!("{inside}/tcp"), "127.0.0.1", "")]).unwrap();
    let host = bound[0].publication().host;
    let _proxies = serve(bound, Ipv4Addr::LOCALHOST.into()).unwrap();
    let mut client = TcpStream::connect(host).await.unwrap();
    client.write_all(b"abc").await.unwrap();
    client.shutdown().await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "ABC");
}

#[tokio::test]
async fn datagrams_find_their_way_back() {
    let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let inside = server.local_addr().unwrap().port().to_string();
    tokio::spawn(async move {
        let mut buffer = [0; 16];
        loop {
            let (length, from) = server.recv_from(&mut buffer).await.unwrap();
            server.send_to(&buffer[..length], from).await.unwrap();
        }
    });
    let bound = bind(&[(&format!("{inside}/udp"), "127.0.0.1", "")]).unwrap();
    let host = bound[0].publication().host;
    let _proxies = serve(bound, Ipv4Addr::LOCALHOST.into()).unwrap();
    for text in [b"one", b"two"] {
        let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        client.send_to(text, host).await.unwrap();
        let mut buffer = [0; 16];
        let received = tokio::time::timeout(Duration::from_secs(5), client.recv_from(&mut buffer));
        assert_eq!(received.await.unwrap().unwrap(), (3, host));
        assert_eq!(&buffer[..3], text);
    }
}
