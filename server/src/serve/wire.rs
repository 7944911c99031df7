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

/// What is written is held back up to so many bytes: the head of a frame, which the library writes by itself, has 9.
const HELD_BYTES_MAX: usize = 64;

/// A socket, and what is known of its traffic. One task alone uses both, so the lock is never waited for.
pub(super) struct Wire<S> {
    socket: S,
    /// Written, and not sent yet: the head of a frame, which goes with what follows it or with the next flush.
    held: Vec<u8>,
    traffic: Arc<Mutex<Traffic>>,
}

impl<S> Wire<S> {
    /// A connection that has just been accepted.
    pub(super) fn new(socket: S) -> Self {
        Self {
            socket,
            held: Vec::with_capacity(HELD_BYTES_MAX),
            traffic: Arc::new(Mutex::new(Traffic::begin(Instant::now()))),
        }
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

impl<S: AsyncWrite + Unpin> Wire<S> {
    /// Sends what is held back, and then these bytes, in one go. Answers how many of them have gone.
    fn send(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            let both = [IoSlice::new(&self.held), IoSlice::new(bytes)];
            let written = Pin::new(&mut self.socket).poll_write_vectored(context, &both);
            let mut traffic = self.traffic.lock();
            if written.is_pending() {
                traffic.block();
            }
            let count = ready!(written)?;
            if count == 0 && !(self.held.is_empty() && bytes.is_empty()) {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            let (of_held, of_bytes) = (count.min(self.held.len()), count.saturating_sub(self.held.len()));
            traffic.send(self.held.get(..of_held).unwrap_or_default());
            traffic.send(bytes.get(..of_bytes).unwrap_or_default());
            drop(traffic);
            self.held.drain(..of_held);
            if self.held.is_empty() && (of_bytes > 0 || bytes.is_empty()) {
                return Poll::Ready(Ok(of_bytes));
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.held.len() + bytes.len() <= HELD_BYTES_MAX {
            self.held.extend_from_slice(bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        self.send(context, bytes)
    }

    /// With `true`, the HTTP/2 library would send each answer of more than 256 bytes by itself, so as not to copy it. A
    /// system call costs more than to copy a small answer: with `false`, it gathers those of less than a kilobyte.
    fn is_write_vectored(&self) -> bool {
        false
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.send(context, &[]))?;
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.send(context, &[]))?;
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use std::future::poll_fn;

    use tokio::io::AsyncWriteExt as _;

    use super::*;

    /// A socket that takes so many bytes at a time, and says how many times it was asked.
    struct Narrow {
        width: usize,
        sent: Vec<u8>,
        asked: usize,
    }

    impl AsyncWrite for Narrow {
        fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            self.poll_write_vectored(context, &[IoSlice::new(bytes)])
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            slices: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.iter()).take(self.width).copied().collect();
            self.asked += 1;
            self.sent.extend(&bytes);
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn wire(width: usize) -> Wire<Narrow> {
        Wire::new(Narrow { width, sent: Vec::new(), asked: 0 })
    }

    #[tokio::test]
    async fn what_is_written_is_sent_in_its_order_however_little_the_socket_takes() {
        let pieces = [vec![1; 9], vec![2; 300], vec![3; 60], vec![4; 9], vec![5; 17], vec![6; 9]];
        let expected = pieces.concat();
        for width in [1, 7, 64, 300, 4_096] {
            let mut wire = wire(width);
            for piece in &pieces {
                wire.write_all(piece).await.unwrap();
            }
            wire.flush().await.unwrap();
            assert_eq!(wire.socket.sent, expected, "{width} at a time");
            assert_eq!(wire.traffic.lock().bytes_sent(), expected.len() as u64);
        }
    }

    #[tokio::test]
    async fn the_head_of_a_frame_goes_with_what_follows_it_or_with_the_flush() {
        let mut wire = wire(4_096);
        wire.write_all(&[1; 9]).await.unwrap();
        assert_eq!(wire.socket.asked, 0);
        wire.write_all(&[2; 2_000]).await.unwrap();
        assert_eq!((wire.socket.asked, wire.socket.sent.len()), (1, 2_009));
        wire.write_all(&[3; 17]).await.unwrap();
        poll_fn(|context| Pin::new(&mut wire).poll_flush(context)).await.unwrap();
        assert_eq!((wire.socket.asked, wire.socket.sent.len()), (2, 2_026));
    }

    #[tokio::test]
    async fn a_socket_that_takes_nothing_is_an_error() {
        let error = wire(0).write_all(&[1; 100]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WriteZero);
    }
}
