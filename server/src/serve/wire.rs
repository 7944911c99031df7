//! The bytes of one connection on their way: a socket whose traffic is followed. What is decided about it stands in
//! `traffic`; what floods is refused here, with the read that showed it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::traffic::Traffic;

/// A socket, and what is known of its traffic. One task alone uses both, so the lock is never waited for.
pub(super) struct Wire<S> {
    socket: S,
    traffic: Arc<Mutex<Traffic>>,
}

impl<S> Wire<S> {
    /// A connection that has just been accepted.
    pub(super) fn new(socket: S) -> Self {
        Self { socket, traffic: Arc::new(Mutex::new(Traffic::begin(Instant::now()))) }
    }

    pub(super) fn traffic(&self) -> Arc<Mutex<Traffic>> {
        self.traffic.clone()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.socket).poll_read(context, buf);
        let mut traffic = self.traffic.lock();
        match read {
            Poll::Pending => traffic.starve(),
            Poll::Ready(Err(_)) => {}
            Poll::Ready(Ok(())) => {
                if !traffic.receive(buf.filled().get(before..).unwrap_or_default()) {
                    return Poll::Ready(Err(io::ErrorKind::QuotaExceeded.into()));
                }
            }
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.as_mut().poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(context, slices);
        let mut traffic = self.traffic.lock();
        if written.is_pending() {
            traffic.block();
        }
        let count = ready!(written)?;
        let mut left = count;
        for slice in slices {
            let (gone, _) = slice.split_at(left.min(slice.len()));
            traffic.send(gone);
            left -= gone.len();
        }
        Poll::Ready(Ok(count))
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
