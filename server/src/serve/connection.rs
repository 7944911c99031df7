//! One connection: HTTP/2 over a socket, with limits on what it may cost and how long it may keep us waiting. Nothing of
//! it outlives it: it ends the tasks of its calls.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::rt::Executor;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::metered::{Metered, Routes};
use super::places::Place;
use super::seldom::Seldom;
use super::traffic::Cause;
use super::turns::Gathered;
use super::wire::Wire;
use crate::budget::{Account, Budget};
use crate::{config, faults};

/// How often a connection is looked at when the server stops.
const CHECK_EVERY_AT_THE_END: Duration = Duration::from_millis(25);

/// All connections. Cheap to clone.
#[derive(Clone)]
pub(super) struct Connections {
    routes: Routes,
    budget: Budget,
    streams_max: u32,
    /// Becomes `true` when the server drains.
    draining: watch::Receiver<bool>,
    /// Ends all of them, whatever they do.
    cut: CancellationToken,
    tasks: TaskTracker,
    /// What the log has told of those that were closed from this side, by cause.
    closings: Arc<[Seldom; Cause::COUNT]>,
}

impl Connections {
    pub(super) fn new(routes: Routes, budget: Budget, streams_max: u32, draining: watch::Receiver<bool>) -> Self {
        let (cut, tasks, closings) = Default::default();
        Self { routes, budget, streams_max, draining, cut, tasks, closings }
    }

    /// Serves on a socket until it ends.
    pub(super) fn begin(&self, socket: TcpStream, peer: SocketAddr, place: Place) {
        let all = self.clone();
        let account = self.budget.account();
        let calls = account.clone();
        self.tasks.spawn(async move {
            // A single call is answered at once.
            let serving = pin!(all.serve(socket, account));
            if let Some(cause) = Gathered::new(serving, || calls.calls() > 1).await {
                all.tell(cause, peer);
            }
            drop(place);
        });
    }

    /// Waits until all have ended, and no longer than this; then ends those that are left. To be called when the server
    /// drains.
    pub(super) async fn end(&self, grace: Duration) {
        self.tasks.close();
        if faults::planted("drain-without-deadline").is_some() {
            return self.tasks.wait().await;
        }
        if tokio::time::timeout(grace, self.tasks.wait()).await.is_err() {
            tracing::warn!(connections = self.tasks.len(), "some connections did not end in time and are cut");
            self.cut.cancel();
            // They end as soon as they are polled, if there is a thread that is not stuck.
            let _ = tokio::time::timeout(config::LAST_WORD_MAX, self.tasks.wait()).await;
        }
    }

    /// Serves on a socket until it ends. Answers the cause if it was closed from this side.
    async fn serve(&self, socket: TcpStream, account: Account) -> Option<Cause> {
        let wire = Wire::new(socket);
        let traffic = wire.traffic();
        let calls = CancellationToken::new();
        let _end_of_calls = calls.clone().drop_guard();
        let closer = CancellationToken::new();
        let service = Metered::new(self.routes.clone(), account.clone(), closer.clone());
        let mut connection = pin!(self.http2(calls).serve_connection(TokioIo::new(wire), service));
        let mut draining = self.draining.clone();
        let mut quiet = None;
        let mut check = every(config::CONNECTION_CHECK_EVERY);
        loop {
            tokio::select! {
                biased;
                _ = connection.as_mut() => return traffic.lock().verdict(Instant::now(), Duration::MAX),
                () = self.cut.cancelled() => return None,
                () = closer.cancelled() => return Some(Cause::SlowRequest),
                _ = draining.wait_for(|draining| *draining), if quiet.is_none() => {
                    connection.as_mut().graceful_shutdown();
                    quiet = Some(Quiet::begin());
                    check = every(CHECK_EVERY_AT_THE_END);
                }
                _ = check.tick() => {
                    let (mut traffic, taking_max) = (traffic.lock(), self.budget.taking_max());
                    let cause = traffic.verdict(Instant::now(), taking_max);
                    if cause.is_some() {
                        return cause;
                    }
                    let owed_for = account.owed_for();
                    if owed_for.is_some_and(|owed_for| owed_for >= taking_max) {
                        return Some(Cause::NotTaking);
                    }
                    if let Some(quiet) = &mut quiet
                        && quiet.for_long(account.calls() > 0 || owed_for.is_some(), traffic.bytes_sent())
                    {
                        return None;
                    }
                }
            }
        }
    }

    fn http2(&self, calls: CancellationToken) -> http2::Builder<Calls> {
        let mut http2 = http2::Builder::new(Calls(calls));
        http2
            .timer(TokioTimer::new())
            // gRPC has no use for it, and beyond the year 9999 the library fails in writing it.
            .auto_date_header(false)
            .max_concurrent_streams(self.streams_max)
            .max_local_error_reset_streams(config::LOCAL_ERROR_RESETS_MAX)
            .keep_alive_interval(config::KEEPALIVE_EVERY)
            .keep_alive_timeout(config::KEEPALIVE_TIMEOUT)
            .initial_stream_window_size(config::STREAM_WINDOW_BYTES)
            .initial_connection_window_size(config::CONNECTION_WINDOW_BYTES)
            .max_send_buf_size(config::SEND_BUFFER_BYTES)
            .max_header_list_size(config::HEADERS_BYTES_MAX);
        http2
    }

    fn tell(&self, cause: Cause, peer: SocketAddr) {
        let due = self.closings.get(cause as usize).and_then(|line| line.due(Instant::now()));
        match due {
            Some(left_out) => tracing::info!(%peer, cause = cause.text(), left_out, "a connection was closed"),
            None => tracing::debug!(%peer, cause = cause.text(), "a connection was closed"),
        }
    }
}

/// The first tick is a period away.
fn every(period: Duration) -> tokio::time::Interval {
    let mut interval = tokio::time::interval_at(tokio::time::Instant::now() + period, period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// Since when nothing has happened on a connection that is to end.
struct Quiet {
    since: Instant,
    bytes_sent: u64,
}

impl Quiet {
    fn begin() -> Self {
        Self { since: Instant::now(), bytes_sent: 0 }
    }

    /// Whether nothing has happened for so long that nothing will.
    fn for_long(&mut self, busy: bool, bytes_sent: u64) -> bool {
        if busy || bytes_sent != self.bytes_sent {
            *self = Self { since: Instant::now(), bytes_sent };
        }
        self.since.elapsed() >= config::LAST_WORD_MAX && faults::planted("drain-waits-for-the-silent").is_none()
    }
}

/// Runs the calls of one connection, each in a task of its own, which ends with the connection at the latest.
#[derive(Clone)]
struct Calls(CancellationToken);

impl<F> Executor<F> for Calls
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, call: F) {
        let connection_ended = self.0.clone();
        tokio::spawn(async move {
            connection_ended.run_until_cancelled(call).await;
        });
    }
}
