//! Whether anybody has to do with the daemon: when nobody has for long enough, it leaves.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
use tokio::time::Instant;

/// Counts the open connections.
#[derive(Debug, Clone)]
pub(super) struct Activity(Arc<Mutex<Count>>);

#[derive(Debug)]
struct Count {
    open: usize,
    /// When the last connection ended, or was begun.
    last: Instant,
}

/// A connection that counts until it is dropped, hijacked or not.
#[derive(Debug)]
pub(super) struct Counted {
    stream: UnixStream,
    activity: Activity,
}

impl Activity {
    /// None so far.
    pub(super) fn new() -> Self {
        let last = Instant::now();
        Self(Arc::new(Mutex::new(Count { open: 0, last })))
    }

    /// Counts a connection.
    pub(super) fn count(&self, stream: UnixStream) -> Counted {
        self.lock().open += 1;
        let activity = self.clone();
        Counted { stream, activity }
    }

    /// Waits until there has been no connection for `period`, and `is_busy` is false.
    pub(super) async fn idle_for(&self, period: Duration, is_busy: impl Fn() -> bool) {
        loop {
            let last = {
                let mut count = self.lock();
                if count.open > 0 || is_busy() {
                    count.last = Instant::now();
                }
                count.last
            };
            if last.elapsed() >= period {
                return;
            }
            tokio::time::sleep_until(last + period).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Count> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut count = self.activity.lock();
        count.open -= 1;
        count.last = Instant::now();
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn open_connections_and_work_keep_it() {
        let activity = Activity::new();
        let period = Duration::from_millis(20);
        let idle = |is_busy: bool| {
            let activity = activity.clone();
            async move {
                let waiting = activity.idle_for(period, || is_busy);
                tokio::time::timeout(period * 5, waiting).await.is_ok()
            }
        };
        assert!(!idle(true).await);
        let (stream, _other) = UnixStream::pair().unwrap();
        let counted = activity.count(stream);
        assert!(!idle(false).await);
        drop(counted);
        assert!(idle(false).await);
    }
}
