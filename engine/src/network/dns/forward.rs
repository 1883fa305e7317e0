//! Asking other name servers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

/// How long one name server is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// How a question came, and how it is passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    Udp,
    Tcp,
}

/// The host's name servers, as its file says now.
pub(super) async fn host_servers() -> Vec<SocketAddr> {
    let text = tokio::fs::read_to_string("/etc/resolv.conf").await;
    parse(&text.unwrap_or_default())
}

fn parse(text: &str) -> Vec<SocketAddr> {
    let values = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some("nameserver")).then(|| words.next())?
    });
    values.filter_map(server).collect()
}

/// A name server as it is written in a `resolv.conf`.
pub(super) fn server(text: &str) -> Option<SocketAddr> {
    // A zone (`fe80::1%eth0`) would need the link's index; such servers are left out.
    let address: IpAddr = text.parse().ok()?;
    Some(SocketAddr::new(address, 53))
}

/// Asks one name server after the other; gives the first answer, `None` when nobody answers.
pub(super) async fn ask(
    servers: &[SocketAddr],
    question: &[u8],
    over: Transport,
) -> Option<Vec<u8>> {
    for server in servers {
        let asked = async {
            match over {
                Transport::Udp => ask_udp(*server, question).await,
                Transport::Tcp => ask_tcp(*server, question).await,
            }
        };
        match timeout(PATIENCE, asked).await {
            Ok(Ok(answer)) => return Some(answer),
            Ok(Err(error)) => tracing::debug!("name server {server}: {error}"),
            Err(_) => tracing::debug!("name server {server} does not answer"),
        }
    }
    None
}

async fn ask_udp(server: SocketAddr, question: &[u8]) -> std::io::Result<Vec<u8>> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(server).await?;
    socket.send(question).await?;
    let mut answer = vec![0; 4096];
    loop {
        let length = socket.recv(&mut answer).await?;
        // Somebody else's datagram with our port has another id.
        if length >= 12 && answer.get(..2) == question.get(..2) {
            answer.truncate(length);
            return Ok(answer);
        }
    }
}

async fn ask_tcp(server: SocketAddr, question: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(question.len()).map_err(std::io::Error::other)?;
    stream
        .write_all(&[&length.to_be_bytes(), question].concat())
        .await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; length.into()];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_file_is_read() {
        let text =
            "# comment\nsearch a.example\nnameserver 10.0.0.1\nnameserver\t::1 \nnameserver x\n";
        let servers = parse(text);
        let expected: Vec<SocketAddr> =
            vec!["10.0.0.1:53".parse().unwrap(), "[::1]:53".parse().unwrap()];
        assert_eq!(servers, expected);
    }

    #[tokio::test]
    async fn the_next_server_is_asked_when_one_refuses() {
        let there = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = there.local_addr().unwrap();
        let gone = UdpSocket::bind("127.0.0.1:0")
            .await
            .unwrap()
            .local_addr()
            .unwrap();
        tokio::spawn(async move {
            let mut buffer = [0; 64];
            let (length, from) = there.recv_from(&mut buffer).await.unwrap();
            there.send_to(&[0; 20], from).await.unwrap();
            there.send_to(&buffer[..length], from).await.unwrap();
        });
        let question = [7; 16];
        let answer = ask(&[gone, address], &question, Transport::Udp).await;
        assert_eq!(answer.as_deref(), Some(&question[..]));
    }
}
