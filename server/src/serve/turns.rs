//! [`Gathered`]: a connection that takes its turn behind what else is ready.
//!
//! Each call that is answered wakes its connection, and the scheduler runs what was woken last first: the connection would
//! send each answer by itself, with a system call for it, while the next ones are made. So it goes to the end of the queue
//! once, and then sends all that was answered meanwhile in one go.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future that, as long as `is_busy`, is polled once for all that woke it while others had their turns.
pub(super) struct Gathered<F, B> {
    future: F,
    is_busy: B,
    /// Whether it stands in the queue.
    queued: bool,
}

impl<F, B> Gathered<F, B> {
    pub(super) fn new(future: F, is_busy: B) -> Self {
        Self { future, is_busy, queued: false }
    }
}

impl<F: Future + Unpin, B: Fn() -> bool + Unpin> Future for Gathered<F, B> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.queued = !self.queued && (self.is_busy)();
        if self.queued {
            // A task that wakes itself goes behind all that is ready. The queue is one from which other workers take, too: a
            // worker that never comes back from what it does holds up no connection.
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Pin::new(&mut self.future).poll(context)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use std::future::poll_fn;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::task::AtomicWaker;

    use super::*;

    /// A connection that ends once all its calls are answered, and counts its turns.
    async fn turns_for(calls: usize, is_busy: bool) -> usize {
        let (turns, left) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(calls)));
        let task = Arc::new(AtomicWaker::new());
        let connection = {
            let (turns, left, task) = (turns.clone(), left.clone(), task.clone());
            poll_fn(move |context| {
                task.register(context.waker());
                turns.fetch_add(1, Ordering::SeqCst);
                if left.load(Ordering::SeqCst) == 0 { Poll::Ready(()) } else { Poll::Pending }
            })
        };
        let connection = tokio::spawn(Gathered::new(connection, move || is_busy));
        // Its first turn, for which it waits too if it is busy.
        while turns.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        for _ in 0..calls {
            let (left, task) = (left.clone(), task.clone());
            tokio::spawn(async move {
                left.fetch_sub(1, Ordering::SeqCst);
                task.wake();
            });
        }
        connection.await.unwrap();
        turns.load(Ordering::SeqCst)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn a_connection_has_one_turn_for_all_that_was_answered_meanwhile() {
        let gathered = tokio::spawn(turns_for(20, true)).await.unwrap();
        assert!(gathered <= 4, "{gathered} turns for 20 answers");
        let by_itself = tokio::spawn(turns_for(20, false)).await.unwrap();
        assert!(by_itself > gathered, "{by_itself} turns without waiting");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_connection_has_its_turn_whatever_happens() {
        for is_busy in [false, true] {
            for calls in [1, 2, 50] {
                assert!(turns_for(calls, is_busy).await >= 1);
            }
        }
    }
}
