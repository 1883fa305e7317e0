//! Carries TCP connections to a container.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::copy_bidirectional_with_sizes;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// How much is carried at once, in bytes.
const BUFFER: usize = 64 * 1024;

/// Accepts and carries until it is dropped; connections end with it.
pub(super) async fn serve(listener: TcpListener, target: SocketAddr) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => { connections.spawn(carry(client, target)); }
                Err(error) => {
                    // Out of descriptors, say: not to be asked again at once.
                    tracing::debug!("accept for {target}: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn carry(mut client: TcpStream, target: SocketAddr) {
    let mut server = match TcpStream::connect(target).await {
        Ok(server) => server,
        // The client learns it by the end of its connection.
        Err(error) => return tracing::debug!("connect to {target}: {error}"),
    };
    let _ = client.set_nodelay(true);
    let _ = server.set_nodelay(true);
    // One side went away: that is how connections end.
    let _ = copy_bidirectional_with_sizes(&mut client, &mut server, BUFFER, BUFFER).await;
}
