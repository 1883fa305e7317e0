//! Clients that are attached before the container is started.

use std::os::unix::net::UnixListener;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::connection::{Connection, Incoming, Role};
use super::process::FIRST;
use super::protocol::{Reply, Request};

/// How long each of them is waited for, in milliseconds.
const PATIENCE: u16 = 5000;

/// Waits for as many clients as are told. One that does not come in time, or asks for something
/// else, is done without.
pub(super) fn clients(listener: &UnixListener, count: usize) -> Vec<Connection> {
    let mut clients = Vec::new();
    for _ in 0..count {
        clients.extend(client(listener));
    }
    clients
}

fn client(listener: &UnixListener) -> Option<Connection> {
    readable(listener)?;
    let (socket, _) = listener.accept().ok()?;
    let mut connection = Connection::new(socket).ok()?;
    loop {
        readable(&connection.socket)?;
        match connection.receive() {
            Incoming::Nothing => {}
            Incoming::Request(Ok(Request::Attach(wants))) => {
                connection.role = Role::Attached(FIRST);
                connection.wants = wants;
                connection.line(&Reply::Done { pid: None });
                return Some(connection);
            }
            Incoming::Request(_) | Incoming::Input(_) | Incoming::End => return None,
        }
    }
}

/// Waits until there is something to read.
fn readable(descriptor: &impl std::os::fd::AsFd) -> Option<()> {
    let mut descriptors = [PollFd::new(descriptor.as_fd(), PollFlags::POLLIN)];
    let ready = poll(&mut descriptors, PollTimeout::from(PATIENCE)).ok()?;
    (ready > 0).then_some(())
}
