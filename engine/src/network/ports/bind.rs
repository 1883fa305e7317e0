//! Sockets of published ports.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};

use nix::errno::Errno;
use socket2::{Domain, Socket, Type};

use super::{Protocol, Publication, Wanted};
use crate::{Error, Result};

/// How often a free port is looked for that is free for every address.
const ATTEMPTS: usize = 32;

/// A published port with its socket.
#[derive(Debug)]
pub(crate) enum Bound {
    Tcp(Publication, TcpListener),
    Udp(Publication, UdpSocket),
}

impl Bound {
    /// What it is.
    pub(crate) fn publication(&self) -> Publication {
        match self {
            Self::Tcp(publication, _) | Self::Udp(publication, _) => *publication,
        }
    }

    fn open(publication: Publication) -> io::Result<Self> {
        let (address, protocol) = (publication.host, publication.protocol);
        let descriptor = open(address, protocol)?;
        Ok(match protocol {
            Protocol::Tcp => {
                let listener = TcpListener::from(descriptor);
                let host = listener.local_addr()?;
                Self::Tcp(
                    Publication {
                        host,
                        ..publication
                    },
                    listener,
                )
            }
            Protocol::Udp => {
                let socket = UdpSocket::from(descriptor);
                let host = socket.local_addr()?;
                Self::Udp(
                    Publication {
                        host,
                        ..publication
                    },
                    socket,
                )
            }
        })
    }
}

/// A bound, for TCP listening, non-blocking socket; an IPv6 one is for IPv6 alone.
fn open(address: SocketAddr, protocol: Protocol) -> io::Result<Socket> {
    let kind = match protocol {
        Protocol::Tcp => Type::STREAM,
        Protocol::Udp => Type::DGRAM,
    };
    let socket = Socket::new(Domain::for_address(address), kind, None)?;
    socket.set_nonblocking(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    if protocol == Protocol::Tcp {
        // Connections of a former container that are not quite over are no hindrance.
        socket.set_reuse_address(true)?;
    }
    socket.bind(&address.into())?;
    if protocol == Protocol::Tcp {
        socket.listen(1024)?;
    }
    Ok(socket)
}

/// Binds every port that is wanted, or none.
///
/// # Errors
/// 500 when an address or a port is not to be had.
pub(crate) fn bind_all(wanted: &[Wanted]) -> Result<Vec<Bound>> {
    let bound: Result<Vec<Vec<Bound>>> = wanted.iter().map(bind_one).collect();
    Ok(bound?.into_iter().flatten().collect())
}

/// Binds a port that was published before, after a restart of the daemon.
///
/// # Errors
/// 500 when something else has it by now.
pub(crate) fn bind_again(publication: Publication) -> Result<Bound> {
    Bound::open(publication).map_err(|error| failure(publication.host, &error))
}

fn bind_one(wanted: &Wanted) -> Result<Vec<Bound>> {
    let addresses: Vec<IpAddr> = match wanted.address {
        Some(address) => vec![address],
        None => vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()],
    };
    let (first, last) = wanted.range;
    let mut failed = None;
    let candidates: Vec<u16> = if first == 0 {
        vec![0; ATTEMPTS]
    } else {
        (first..=last).collect()
    };
    for candidate in candidates {
        match bind_together(wanted, &addresses, candidate) {
            Ok(bound) => return Ok(bound),
            Err((_, error)) if !is_taken(&error) => {
                let address = addresses
                    .first()
                    .copied()
                    .unwrap_or(Ipv4Addr::UNSPECIFIED.into());
                return Err(failure(SocketAddr::new(address, candidate), &error));
            }
            Err((address, error)) => failed = Some(failure(address, &error)),
        }
    }
    Err(failed.unwrap_or_else(|| Error::internal("no port was asked for")))
}

/// Binds the same port on every address; those of a family that this host does not have are
/// left out, as long as one remains.
fn bind_together(
    wanted: &Wanted,
    addresses: &[IpAddr],
    port: u16,
) -> Result<Vec<Bound>, (SocketAddr, io::Error)> {
    let mut bound: Vec<Bound> = Vec::new();
    for address in addresses {
        // The first socket says which port is meant where any will do.
        let port = bound
            .first()
            .map_or(port, |first| first.publication().host.port());
        let host = SocketAddr::new(*address, port);
        let publication = Publication {
            port: wanted.port,
            protocol: wanted.protocol,
            host,
        };
        match Bound::open(publication) {
            Ok(one) => bound.push(one),
            Err(error) if !bound.is_empty() && !is_taken(&error) => {}
            Err(error) => return Err((host, error)),
        }
    }
    Ok(bound)
}

fn is_taken(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::EADDRINUSE as i32)
}

/// Docker's words.
fn failure(address: SocketAddr, error: &io::Error) -> Error {
    if is_taken(error) {
        return Error::internal(format!(
            "Bind for {address} failed: port is already allocated"
        ));
    }
    Error::internal(format!("Bind for {address} failed: {error}"))
}
