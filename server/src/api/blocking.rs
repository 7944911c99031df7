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

/// Does what may take long, when it is its turn: first among the reads of its connection, then among all. `read` is handed the token by which it hears that nobody waits for it any more.
pub(crate) async fn blocking<T: Send + 'static>(
    room: &Room,
    read: impl FnOnce(&CancellationToken) -> Result<T, Error> + Send + 'static,
) -> Result<T, Status> {
    let _turn_of_one = room.turn_to_read().await;
    let _turn = READS.acquire().await;
    let cancelled = CancellationToken::new();
    let _waiting = cancelled.clone().drop_guard();
    let done = tokio::task::spawn_blocking(move || read(&cancelled)).await;
    Ok(done.map_err(|_| internal("the read failed; the operator's log says why"))??)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use std::time::Duration;

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
}
