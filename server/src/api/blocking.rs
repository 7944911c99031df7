//! Reads that may take long or wait for the disk, on the threads that are there for it: a few at once, the others in turn.
//!
//! None outlives its use: it is cancelled when the future that waits for it is dropped, as it is when its caller goes away
//! or runs out of time.

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::room::Room;
use super::status::internal;
use crate::registry::Error;

/// How many are done at once: enough to keep a disk busy, and few enough that what they hold while they read, a document
/// each and what else is found with it, is little.
pub(crate) const READS_MAX: usize = 16;

/// The places of those. They are of the process, as the threads are.
static READS: Semaphore = Semaphore::const_new(READS_MAX);

/// Does what may take long, when it is its turn: first among the reads of its connection, then among all. `read` is handed
/// the token by which it hears that nobody waits for it any more.
///
/// Waiting for the turns, and having them, are a task of their own: whoever waits for the read may not be polled for as
/// long as its caller is slow, and a turn that it was given in the meantime would be kept from all others.
pub(crate) async fn blocking<T: Send + 'static>(
    room: &Room,
    read: impl FnOnce(&CancellationToken) -> Result<T, Error> + Send + 'static,
) -> Result<T, Status> {
    let cancelled = CancellationToken::new();
    let _waiting = cancelled.clone().drop_guard();
    let room = room.clone();
    let done = tokio::spawn(async move {
        let turns = async { (room.turn_to_read().await, READS.acquire().await) };
        let _turns = cancelled.run_until_cancelled(turns).await?;
        let read = tokio::task::spawn_blocking(move || read(&cancelled));
        read.await.ok()
    });
    let done = done.await.ok().flatten();
    Ok(done.ok_or_else(|| internal("the read failed; the operator's log says why"))??)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt as _;
    use tokio::runtime::Handle;
    use tokio::sync::oneshot;

    use super::*;
    use crate::budget::Budget;

    #[tokio::test]
    async fn a_read_hears_that_nobody_waits_for_it_any_more() {
        let ((begun, begins), (heard, hears)) = (oneshot::channel(), oneshot::channel());
        let room = Room::new(Budget::new(0, 0).account());
        let caller = tokio::spawn(async move {
            blocking(&room, move |cancelled| {
                let _ = begun.send(());
                Handle::current().block_on(cancelled.cancelled());
                let _ = heard.send(());
                Ok(())
            })
            .await
        });
        begins.await.unwrap();
        caller.abort();
        tokio::time::timeout(Duration::from_secs(30), hears).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_read_that_nobody_polls_keeps_no_turn() {
        // Each is polled once, as an answer is that nobody takes, and never again.
        let room = Room::new(Budget::new(0, 0).account());
        let mut unpolled: Vec<_> = (0..READS_MAX * 2).map(|_| Box::pin(blocking(&room, |_| Ok(())))).collect();
        for read in &mut unpolled {
            assert!(read.now_or_never().is_none());
        }
        let polled = tokio::time::timeout(Duration::from_secs(30), blocking(&room, |_| Ok(()))).await;
        polled.unwrap().unwrap();
    }
}
