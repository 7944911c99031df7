//! [`Gathered`]: a connection that takes its turn when the worker has nothing else to do.
//!
//! Each call that is answered wakes its connection, and the scheduler runs what was woken last first: the connection would
//! send each answer by itself, with a system call for it, while the next ones are made. So it waits until the worker has
//! run what else is ready, which is within 61 tasks, and then sends all of it in one go.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::task::AtomicWaker;

/// A future that, as long as `is_busy`, is polled once for all that woke it until the worker had nothing else to do.
pub(super) struct Gathered<F, B> {
    future: F,
    is_busy: B,
    turn: Arc<Turn>,
    /// Wakes for the turn.
    waker: Waker,
    waiting: bool,
}

/// The next turn.
#[derive(Default)]
struct Turn {
    has_come: AtomicBool,
    task: AtomicWaker,
}

impl Wake for Turn {
    fn wake(self: Arc<Self>) {
        self.has_come.store(true, Ordering::Release);
        self.task.wake();
    }
}

impl<F, B> Gathered<F, B> {
    pub(super) fn new(future: F, is_busy: B) -> Self {
        let turn = Arc::<Turn>::default();
        Self { future, is_busy, waker: Waker::from(turn.clone()), turn, waiting: false }
    }
}

impl<F: Future + Unpin, B: Fn() -> bool + Unpin> Future for Gathered<F, B> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        if self.waiting {
            if !self.turn.has_come.swap(false, Ordering::AcqRel) {
                return Poll::Pending;
            }
        } else if (self.is_busy)() {
            self.waiting = true;
            self.turn.task.register(context.waker());
            // It wakes when the worker has run what is ready, and has asked the system what else is.
            let _ = pin!(tokio::task::yield_now()).poll(&mut Context::from_waker(&self.waker));
            return Poll::Pending;
        }
        self.waiting = false;
        Pin::new(&mut self.future).poll(context)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use std::future::poll_fn;
    use std::sync::atomic::AtomicUsize;

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
