//! Networks in the kernel. Each test runs this program again inside namespaces of its own, so
//! that the host's links, firewall and mounts are never touched; without root they are skipped.

use std::collections::{HashMap, HashSet};
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use bollard_stubs::models::{EndpointSettings, PortBinding, PortMap};
use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use indexmap::IndexMap;
use serde_json::{Value, json};

use super::*;
use crate::events::Events;
use crate::{Layout, Result};

const INSIDE: &str = "RCOMPOSE_TEST_INSIDE_NAMESPACE";

/// Whether the calling test is inside namespaces of its own; otherwise it is run there, and has
/// to pass there.
fn is_inside(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: needs root");
        return false;
    }
    let program = std::env::current_exe().unwrap();
    let status = Command::new("unshare")
        .args(["--net", "--mount", "--propagation", "private", "--"])
        .arg(program)
        .args([
            "--exact",
            &format!("network::tests::{test}"),
            "--nocapture",
            "--test-threads=1",
        ])
        .env(INSIDE, "1")
        .status()
        .unwrap();
    assert!(status.success(), "inside its namespaces: {status}");
    false
}

/// A host of one test: its own namespace, a folder, the networks.
struct Host {
    folder: tempfile::TempDir,
    networks: Networks,
}

impl Host {
    async fn new() -> Self {
        link::Links::open().unwrap().up("lo").await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let networks = open(&folder);
        networks.adopt(&HashSet::new()).await.unwrap();
        Self { folder, networks }
    }

    async fn network(&self, request: Value) -> Result<Network> {
        let network = read_request(serde_json::from_value(request).unwrap())?;
        self.networks.create(network).await
    }

    fn namespace(&self, name: &str) -> PathBuf {
        self.folder.path().join(name).join("netns")
    }

    async fn start(&self, name: &str, networks: &[&str], ports: &PortMap) -> Result<Attached> {
        let settings = |network: &&str| {
            let is_builtin = ["bridge", "host", "none"].contains(network);
            let aliases = (!is_builtin).then(|| vec![format!("{name}-alias")]);
            (
                (*network).to_owned(),
                EndpointSettings {
                    aliases,
                    ..EndpointSettings::default()
                },
            )
        };
        let endpoints: IndexMap<_, _> = networks.iter().map(settings).collect();
        create_namespace(&self.namespace(name))?;
        let guest = Guest {
            id: name,
            name,
            hostname: name,
            endpoints: &endpoints,
            ports,
            dns: &[],
            extra_hosts: &["outside:host-gateway".to_owned()],
        };
        let mut attached = self.networks.setup(&guest, &self.namespace(name)).await?;
        if let Some(names) = attached.names.take() {
            names.await.unwrap()?;
        }
        Ok(attached)
    }

    async fn stop(&self, name: &str) {
        self.networks.teardown(name).await.unwrap();
        self.networks.teardown(name).await.unwrap();
        remove_namespace(&self.namespace(name)).unwrap();
    }

    /// Runs something that waits, inside a container's namespace.
    async fn inside<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        namespace::inside(&self.namespace(name), || Ok(work()))
            .await
            .unwrap()
    }

    /// What a container's name server says: the code and the addresses.
    async fn ask(&self, name: &str, question: &str) -> (ResponseCode, Vec<String>) {
        let question = question.to_owned();
        self.inside(name, move || ask(&question)).await
    }

    async fn links(&self) -> Vec<String> {
        self.networks.links().await.unwrap().names().await.unwrap()
    }

    /// Nothing is left of what was made; the kernel may take a moment for the last of it.
    async fn nothing_is_left(&self) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        let is_clean =
            async || self.links().await == ["lo"] && !firewall_text().contains("RCOMPOSE");
        while !is_clean().await {
            let now = tokio::time::Instant::now();
            assert!(
                now < deadline,
                "{:?} {}",
                self.links().await,
                firewall_text()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Serves one connection with a container's name.
    async fn listen(&self, name: &'static str, port: u16) {
        let listener = self
            .inside(name, move || {
                TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).unwrap()
            })
            .await;
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                stream.unwrap().write_all(name.as_bytes()).unwrap();
            }
        });
    }

    async fn reaches(&self, name: &str, target: SocketAddr) -> Option<String> {
        self.inside(name, move || hear(target)).await
    }

    /// What nobody answers is dropped without a word: waited for, but not for long.
    async fn does_not_reach(&self, name: &str, target: SocketAddr) -> bool {
        let patience = Duration::from_millis(700);
        let heard = self.inside(name, move || hear_within(patience, target));
        heard.await.is_none()
    }
}

fn open(folder: &tempfile::TempDir) -> Networks {
    let layout = Layout::new(folder.path().join("root"), folder.path().join("run"));
    Networks::open(&layout, Arc::<Events>::default()).unwrap()
}

fn hear(target: SocketAddr) -> Option<String> {
    hear_within(Duration::from_secs(10), target)
}

fn hear_within(patience: Duration, target: SocketAddr) -> Option<String> {
    let mut stream = TcpStream::connect_timeout(&target, patience).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    Some(text)
}

fn ask(question: &str) -> (ResponseCode, Vec<String>) {
    let mut message = Message::query();
    message.add_query(Query::query(
        Name::from_ascii(question).unwrap(),
        RecordType::A,
    ));
    let bytes = message.to_vec().unwrap();
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    socket.send_to(&bytes, (dns::ADDRESS, 53)).unwrap();
    let mut buffer = [0; 1024];
    let length = socket.recv(&mut buffer).unwrap();
    let answer = Message::from_vec(&buffer[..length]).unwrap();
    let mut stream = TcpStream::connect((dns::ADDRESS, 53)).unwrap();
    stream
        .write_all(&[&(bytes.len() as u16).to_be_bytes(), bytes.as_slice()].concat())
        .unwrap();
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut again = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut again).unwrap();
    let again = Message::from_vec(&again).unwrap();
    let addresses = |message: &Message| -> Vec<String> {
        let mut texts: Vec<_> = message
            .answers
            .iter()
            .filter_map(|record| record.data.ip_addr())
            .map(|ip| ip.to_string())
            .collect();
        texts.sort();
        texts
    };
    assert_eq!(
        addresses(&answer),
        addresses(&again),
        "over UDP and over TCP"
    );
    (answer.metadata.response_code, addresses(&answer))
}

fn address(attached: &Attached, network: &str) -> IpAddr {
    attached.endpoints[network]
        .ip_address
        .as_ref()
        .unwrap()
        .parse()
        .unwrap()
}

fn publish(port: &str, host: &str, host_port: &str) -> PortMap {
    let binding = PortBinding {
        host_ip: Some(host.to_owned()),
        host_port: Some(host_port.to_owned()),
    };
    HashMap::from([(port.to_owned(), Some(vec![binding]))])
}

fn run<F: Future>(test: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(test)
}

fn firewall_text() -> String {
    let output = Command::new("iptables-save").output();
    output
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default()
}

#[test]
fn containers_of_a_network_reach_each_other_by_name() {
    if !is_inside("containers_of_a_network_reach_each_other_by_name") {
        return;
    }
    run(async {
        let host = Host::new().await;
        host.network(
            json!({ "Name": "back", "IPAM": { "Config": [{ "Subnet": "10.9.0.0/24" }] } }),
        )
        .await
        .unwrap();
        host.network(json!({ "Name": "other" })).await.unwrap();
        let none = PortMap::new();
        let before = std::time::Instant::now();
        let web = host.start("web", &["back"], &none).await.unwrap();
        println!("one container: {:?}", before.elapsed());
        host.start("db", &["back"], &none).await.unwrap();
        let alone = host.start("alone", &["other"], &none).await.unwrap();
        assert_eq!(address(&web, "back").to_string(), "10.9.0.2");
        assert_eq!(
            web.endpoints["back"].mac_address.as_deref(),
            Some("02:42:0a:09:00:02")
        );
        assert_eq!(
            web.hosts[1],
            ("10.9.0.1".parse().unwrap(), "outside".to_owned())
        );
        host.listen("db", 5432).await;
        host.listen("alone", 80).await;
        for name in ["db.", "db-alias.", "db.back."] {
            assert_eq!(
                host.ask("web", name).await,
                (ResponseCode::NoError, vec!["10.9.0.3".to_owned()])
            );
        }
        assert_eq!(
            host.reaches("web", "10.9.0.3:5432".parse().unwrap())
                .await
                .as_deref(),
            Some("db")
        );
        let other = SocketAddr::new(address(&alone, "other"), 80);
        assert!(host.does_not_reach("web", other).await, "another network");
        assert_eq!(hear(other).as_deref(), Some("alone"), "the host");
        // Connected while it runs, and disconnected.
        host.networks
            .join("web", "other", &EndpointSettings::default())
            .await
            .unwrap();
        assert_eq!(host.reaches("web", other).await.as_deref(), Some("alone"));
        assert_eq!(host.ask("web", "alone.").await.1, [other.ip().to_string()]);
        let again = host
            .networks
            .join("web", "other", &EndpointSettings::default())
            .await;
        assert_eq!(again.unwrap_err().status, 403);
        host.networks.leave("web", "other").await.unwrap();
        assert!(host.does_not_reach("web", other).await);
        assert_eq!(host.networks.remove("back").await.unwrap_err().status, 403);
        for name in ["web", "db", "alone"] {
            host.stop(name).await;
        }
        host.networks.remove("back").await.unwrap();
        host.networks.remove("other").await.unwrap();
        host.nothing_is_left().await;
        let rules = firewall_text();
        assert!(!rules.contains("RCOMPOSE"), "{rules}");
    });
}

#[test]
fn ports_are_published_and_given_back() {
    if !is_inside("ports_are_published_and_given_back") {
        return;
    }
    run(async {
        let host = Host::new().await;
        let ports = publish("80/tcp", "", "8080");
        let web = host.start("web", &["bridge"], &ports).await.unwrap();
        host.listen("web", 80).await;
        assert_eq!(
            web.ports["80/tcp"].as_ref().unwrap()[0]
                .host_port
                .as_deref(),
            Some("8080")
        );
        let listening: SocketAddr = "127.0.0.1:8080".parse().unwrap();
        let heard = tokio::task::spawn_blocking(move || hear(listening))
            .await
            .unwrap();
        assert_eq!(heard.as_deref(), Some("web"));
        let error = host.start("second", &["bridge"], &ports).await.unwrap_err();
        assert!(
            error
                .message
                .contains("Bind for 0.0.0.0:8080 failed: port is already allocated"),
            "{error}"
        );
        remove_namespace(&host.namespace("second")).unwrap();
        // Forwarded outward, where nobody answers or nobody knows it.
        assert_ne!(host.ask("web", "second.").await.0, ResponseCode::NoError);
        host.stop("web").await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        let again = host.start("web", &["bridge"], &ports).await.unwrap();
        assert_eq!(address(&again, "bridge"), address(&web, "bridge"));
        host.stop("web").await;
        // The default bridge goes some time after its last container, not after another.
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert!(host.links().await.len() > 1);
        host.nothing_is_left().await;
        assert!(!firewall_text().contains("RCOMPOSE"));
    });
}

#[test]
fn another_daemon_takes_over() {
    if !is_inside("another_daemon_takes_over") {
        return;
    }
    run(async {
        let mut host = Host::new().await;
        host.network(json!({ "Name": "back", "Internal": true }))
            .await
            .unwrap();
        host.network(json!({ "Name": "front" })).await.unwrap();
        let ports = publish("80/tcp", "127.0.0.1", "8081");
        host.start("web", &["back", "front"], &ports).await.unwrap();
        host.start("gone", &["back"], &PortMap::new())
            .await
            .unwrap();
        host.listen("web", 80).await;
        host.networks = open(&host.folder);
        // What the former one had ends with it.
        tokio::time::sleep(Duration::from_millis(50)).await;
        host.networks
            .adopt(&HashSet::from(["web".to_owned()]))
            .await
            .unwrap();
        assert_eq!(host.ask("web", "web-alias.").await.0, ResponseCode::NoError);
        assert_ne!(host.ask("web", "gone.").await.0, ResponseCode::NoError);
        let listening: SocketAddr = "127.0.0.1:8081".parse().unwrap();
        let heard = tokio::task::spawn_blocking(move || hear(listening))
            .await
            .unwrap();
        assert_eq!(heard.as_deref(), Some("web"));
        host.stop("web").await;
        remove_namespace(&host.namespace("gone")).unwrap();
        for network in ["back", "front"] {
            host.networks.remove(network).await.unwrap();
        }
        host.nothing_is_left().await;
    });
}

#[test]
fn the_host_and_no_network_at_all() {
    if !is_inside("the_host_and_no_network_at_all") {
        return;
    }
    run(async {
        let host = Host::new().await;
        let ports = publish("80/tcp", "", "8080");
        let shared = host.start("shared", &["host"], &ports).await.unwrap();
        assert!(shared.ports.is_empty() && shared.nameserver.is_none());
        let none = host.start("none", &["none"], &ports).await.unwrap();
        assert_eq!(none.endpoints["none"].ip_address.as_deref(), Some(""));
        let links = namespace::inside(&host.namespace("none"), link::Links::open)
            .await
            .unwrap();
        assert_eq!(links.names().await.unwrap(), ["lo"]);
        let error = host
            .networks
            .join("shared", "bridge", &EndpointSettings::default())
            .await;
        assert_eq!(error.unwrap_err().status, 400);
        let both = host.start("both", &["host", "bridge"], &ports).await;
        assert_eq!(both.unwrap_err().status, 400);
        for name in ["shared", "none", "both"] {
            host.stop(name).await;
        }
        host.nothing_is_left().await;
    });
}

/// The host has a link to a namespace that stands for the rest of the world.
#[test]
fn the_world_outside_is_reached_and_reaches_published_ports_alone() {
    if !is_inside("the_world_outside_is_reached_and_reaches_published_ports_alone") {
        return;
    }
    run(async {
        let host = Host::new().await;
        let world = host.namespace("world");
        create_namespace(&world).unwrap();
        let own = host.networks.links().await.unwrap();
        let index = own.bridge("world0", None, None).await.unwrap();
        own.address(index, "203.0.113.1".parse().unwrap(), 24)
            .await
            .unwrap();
        let file = std::fs::File::open(&world).unwrap();
        let pair = link::Pair {
            host: "world1",
            guest: "eth0",
            bridge: index,
            namespace: std::os::fd::AsFd::as_fd(&file),
            hardware: [2, 0, 0, 0, 0, 9],
            mtu: None,
        };
        own.pair(&pair).await.unwrap();
        let inner = namespace::inside(&world, link::Links::open).await.unwrap();
        let eth0 = inner.up("eth0").await.unwrap();
        inner
            .address(eth0, "203.0.113.9".parse().unwrap(), 24)
            .await
            .unwrap();
        // As on a host whose firewall drops what Docker did not allow.
        let drop = Command::new("iptables")
            .args(["-P", "FORWARD", "DROP"])
            .status();
        let has_firewall = drop.is_ok_and(|status| status.success());
        assert!(has_firewall, "iptables is needed");

        host.network(json!({ "Name": "front" })).await.unwrap();
        host.network(json!({ "Name": "inside", "Internal": true }))
            .await
            .unwrap();
        let web = host
            .start("web", &["front"], &publish("80/tcp", "", "8080"))
            .await
            .unwrap();
        host.start("closed", &["inside"], &PortMap::new())
            .await
            .unwrap();
        host.listen("web", 80).await;
        host.listen("world", 7).await;
        host.networks.apply_firewall().await.unwrap();
        let outside: SocketAddr = "203.0.113.9:7".parse().unwrap();
        assert_eq!(
            host.reaches("web", outside).await.as_deref(),
            Some("world"),
            "masqueraded"
        );
        assert!(host.does_not_reach("closed", outside).await, "internal");
        let published = "203.0.113.1:8080".parse().unwrap();
        assert_eq!(
            host.reaches("world", published).await.as_deref(),
            Some("web")
        );
        inner
            .default_route("203.0.113.1".parse().unwrap())
            .await
            .unwrap();
        let direct = SocketAddr::new(address(&web, "front"), 80);
        assert_eq!(
            host.reaches("world", direct).await.as_deref(),
            Some("web"),
            "published"
        );
        host.listen("web", 81).await;
        let unpublished = SocketAddr::new(direct.ip(), 81);
        assert!(
            host.does_not_reach("world", unpublished).await,
            "not published"
        );
        for name in ["web", "closed"] {
            host.stop(name).await;
        }
        for network in ["front", "inside"] {
            host.networks.remove(network).await.unwrap();
        }
        remove_namespace(&world).unwrap();
        assert!(!firewall_text().contains("RCOMPOSE"));
    });
}

#[test]
fn lists_are_given_to_several_at_a_time() {
    if !is_inside("lists_are_given_to_several_at_a_time") {
        return;
    }
    run(async {
        let host = Host::new().await;
        let links = host.networks.links().await.unwrap();
        let lists = std::iter::repeat_with(|| links.taken()).take(20);
        for taken in futures::future::join_all(lists).await {
            taken.unwrap();
        }
    });
}
