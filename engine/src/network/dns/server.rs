//! The sockets of one container's name server.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::{Message, ResponseCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::answer::{Answer, answer, refusal};
use super::forward::{self, Transport};
use super::redirect::redirect;
use crate::network::Shared;
use crate::{Error, Result};

/// How many questions of one container may wait for other name servers.
const WAITING: usize = 128;
/// How many bytes an answer in a datagram has when the question says nothing of it.
const DATAGRAM: u16 = 512;
/// How long a connection may be silent.
const IDLE: Duration = Duration::from_secs(10);

/// Sockets of a name server, made inside the container's namespace.
#[derive(Debug)]
pub(crate) struct Sockets {
    udp: std::net::UdpSocket,
    tcp: std::net::TcpListener,
    /// What led port 53 here; none where they have that port themselves.
    rules: Option<OwnedFd>,
}

impl Sockets {
    /// Binds both sockets in the namespace of the calling thread, and leads there what is sent to
    /// port 53; where the kernel cannot do so, they have that port themselves.
    ///
    /// # Errors
    /// 500 when the address is not there or is in use.
    pub(crate) fn bind() -> Result<Self> {
        match Self::redirected() {
            Ok(sockets) => Ok(sockets),
            Err(error) => {
                tracing::debug!("the name server has port 53 itself: {error}");
                Self::at(53)
            }
        }
    }

    fn redirected() -> Result<Self> {
        let mut sockets = Self::at(0)?;
        let address = sockets.udp.local_addr().map_err(Error::internal)?;
        let rules = redirect(super::OWN, address.port()).map_err(Error::internal)?;
        sockets.rules = Some(rules);
        Ok(sockets)
    }

    /// Both sockets on one port; 0 for any.
    fn at(port: u16) -> Result<Self> {
        let address = SocketAddr::new(super::ADDRESS, port);
        let failed = |error| Error::internal(format!("bind the name server to {address}: {error}"));
        let udp = std::net::UdpSocket::bind(address).map_err(failed)?;
        // No program has taken a port yet, so that it is free for both.
        let address = udp.local_addr().map_err(failed)?;
        let tcp = std::net::TcpListener::bind(address).map_err(failed)?;
        udp.set_nonblocking(true).map_err(failed)?;
        tcp.set_nonblocking(true).map_err(failed)?;
        Ok(Self {
            udp,
            tcp,
            rules: None,
        })
    }
}

/// Serves until it is dropped.
///
/// # Errors
/// 500 when the sockets cannot be watched.
pub(crate) async fn serve(state: Shared, container: String, sockets: Sockets) -> Result<()> {
    let _rules = sockets.rules;
    let udp = Arc::new(UdpSocket::from_std(sockets.udp).map_err(Error::internal)?);
    let tcp = TcpListener::from_std(sockets.tcp).map_err(Error::internal)?;
    let server = Arc::new(Server {
        state,
        container,
        waiting: Semaphore::new(WAITING),
    });
    let mut tasks = JoinSet::new();
    let mut buffer = vec![0; 4096];
    loop {
        tokio::select! {
            received = udp.recv_from(&mut buffer) => {
                let Ok((length, from)) = received else { continue };
                let Some(question) = buffer.get(..length) else { continue };
                let (server, udp, question) = (server.clone(), udp.clone(), question.to_vec());
                tasks.spawn(async move { server.datagram(&udp, from, &question).await });
            }
            accepted = tcp.accept() => match accepted {
                Ok((stream, _)) => {
                    let server = server.clone();
                    tasks.spawn(async move { server.connection(stream).await });
                }
                // Out of descriptors, say: not to be asked again at once.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            },
            // Only to forget those that are done.
            Some(_) = tasks.join_next() => {}
        }
    }
}

struct Server {
    state: Shared,
    container: String,
    waiting: Semaphore,
}

impl Server {
    async fn datagram(&self, socket: &UdpSocket, from: SocketAddr, question: &[u8]) {
        if let Some(answer) = self.reply(question, Transport::Udp).await {
            // Whoever asked may be gone.
            let _ = socket.send_to(&answer, from).await;
        }
    }

    async fn connection(&self, mut stream: TcpStream) {
        while let Ok(Ok(length)) = timeout(IDLE, stream.read_u16()).await {
            let mut question = vec![0; length.into()];
            let Ok(Ok(_)) = timeout(IDLE, stream.read_exact(&mut question)).await else {
                return;
            };
            let Some(answer) = self.reply(&question, Transport::Tcp).await else {
                return;
            };
            let Ok(length) = u16::try_from(answer.len()) else {
                return;
            };
            let message = [&length.to_be_bytes(), answer.as_slice()].concat();
            if stream.write_all(&message).await.is_err() {
                return;
            }
        }
    }

    /// The answer to a question; none to what is no question.
    async fn reply(&self, question: &[u8], over: Transport) -> Option<Vec<u8>> {
        let request = Message::from_vec(question).ok()?;
        let upstreams = self.state.lock().upstreams(&self.container);
        let servers = match upstreams {
            None => Vec::new(),
            Some(given) if given.is_empty() => forward::host_servers().await,
            Some(given) => given
                .iter()
                .filter_map(|server| forward::server(server))
                .collect(),
        };
        let answered = answer(
            &self.state.lock(),
            &self.container,
            &request,
            !servers.is_empty(),
        );
        let message = match answered {
            Answer::Here(message) => message,
            Answer::Elsewhere => {
                let _permit = self.waiting.acquire().await.ok()?;
                if let Some(answer) = forward::ask(&servers, question, over).await {
                    return Some(answer);
                }
                refusal(&request, ResponseCode::ServFail)
            }
        };
        let bytes = message.to_vec().ok()?;
        let room = request
            .edns
            .as_ref()
            .map_or(DATAGRAM, |edns| edns.max_payload());
        if over == Transport::Udp && bytes.len() > room.max(DATAGRAM).into() {
            return message.truncate().to_vec().ok();
        }
        Some(bytes)
    }
}
