//! Carries UDP datagrams to a container and its answers back.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::task::{Id, JoinSet};
use tokio::time::timeout;

/// How long a client's socket is kept after the last answer.
const IDLE: Duration = Duration::from_secs(90);
/// How many clients are served at once.
const CLIENTS: usize = 4096;
/// The longest datagram.
const DATAGRAM: usize = 65_536;

/// Carries until it is dropped.
pub(super) async fn serve(socket: UdpSocket, target: SocketAddr) {
    let socket = Arc::new(socket);
    let mut clients = Clients::default();
    let mut buffer = vec![0; DATAGRAM];
    loop {
        tokio::select! {
            received = socket.recv_from(&mut buffer) => {
                let Ok((length, from)) = received else { continue };
                let Some(datagram) = buffer.get(..length) else { continue };
                if let Some(server) = clients.server(&socket, from, target).await {
                    // Nobody listens in the container yet, say: datagrams may be lost.
                    let _ = server.send(datagram).await;
                }
            }
            Some(ended) = clients.tasks.join_next_with_id() => {
                clients.forget(ended.map_or_else(|error| error.id(), |(id, ())| id));
            }
        }
    }
}

/// A socket toward the container for each client.
#[derive(Default)]
struct Clients {
    servers: HashMap<SocketAddr, Arc<UdpSocket>>,
    addresses: HashMap<Id, SocketAddr>,
    tasks: JoinSet<()>,
}

impl Clients {
    async fn server(
        &mut self,
        socket: &Arc<UdpSocket>,
        client: SocketAddr,
        target: SocketAddr,
    ) -> Option<Arc<UdpSocket>> {
        if let Some(server) = self.servers.get(&client) {
            return Some(server.clone());
        }
        if self.servers.len() >= CLIENTS {
            return None;
        }
        let server = Arc::new(connect(target).await.ok()?);
        let task = answers(socket.clone(), server.clone(), client);
        let id = self.tasks.spawn(task).id();
        self.addresses.insert(id, client);
        self.servers.insert(client, server.clone());
        Some(server)
    }

    fn forget(&mut self, id: Id) {
        if let Some(client) = self.addresses.remove(&id) {
            self.servers.remove(&client);
        }
    }
}

async fn connect(target: SocketAddr) -> std::io::Result<UdpSocket> {
    let any: IpAddr = match target {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(target).await?;
    Ok(socket)
}

/// Carries a container's answers to one client until there are none for a while.
async fn answers(socket: Arc<UdpSocket>, server: Arc<UdpSocket>, client: SocketAddr) {
    let mut buffer = vec![0; DATAGRAM];
    // An error says that nobody listens yet; that may change.
    while let Ok(received) = timeout(IDLE, server.recv(&mut buffer)).await {
        if let Some(datagram) = received.ok().and_then(|length| buffer.get(..length)) {
            let _ = socket.send_to(datagram, client).await;
        }
    }
}
