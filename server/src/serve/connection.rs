//! One connection, from its preface to its end.
//!
//! It ends when its caller ends it, when the caller does what it must not ([`Wire`], [`Account::owed_for`]), and with the
//! server: without open calls soon, with them when they end or when it is dropped. All that it holds goes with it.

use std::pin::pin;
use std::time::{Duration, Instant};

use hyper::server::conn::http2::Builder;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::metered::{Metered, Routes};
use super::wire::{Abuse, Wire};
use crate::budget::Budget;
use crate::config;

/// How often it is looked at what a caller does, and at the end how often whether it has no calls any more.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const LOOK_EVERY_AT_THE_END: Duration = Duration::from_millis(20);

/// The time in which a caller without calls can hear that the server ends; more than a round trip on any network.
const GOODBYE: Duration = Duration::from_millis(250);

/// What all connections share. Cheap to clone.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) routes: Routes,
    pub(super) budget: Budget,
    pub(super) streams_max: u32,
    /// Becomes `true` when the server drains.
    pub(super) draining: watch::Receiver<bool>,
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum End {
    /// As connections do.
    #[error("the connection ended")]
    Orderly,
    /// By a fault of the transport or of the protocol.
    #[error("the connection failed")]
    Failed(#[source] hyper::Error),
    /// The caller does what it must not.
    #[error(transparent)]
    Abuse(#[from] Abuse),
    /// The body of a request came too slowly.
    #[error("the body of a request came too slowly")]
    SlowBody,
    /// The server ends, and nothing is left to do.
    #[error("the server ends")]
    Drained,
}

/// Serves a connection to its end.
pub(super) async fn serve(stream: TcpStream, mut shared: Shared) -> End {
    let (wire, traffic) = Wire::new(stream);
    let (account, closer) = (shared.budget.account(), CancellationToken::new());
    let service = Metered::new(shared.routes.clone(), account.clone(), closer.clone());
    let mut connection = pin!(builder(shared.streams_max).serve_connection(TokioIo::new(wire), service));
    let mut look = tokio::time::interval(LOOK_EVERY);
    let mut drained_at = None;
    loop {
        tokio::select! {
            ended = &mut connection => return ended.map_or_else(End::Failed, |()| End::Orderly),
            () = closer.cancelled() => return End::SlowBody,
            _ = shared.draining.wait_for(|draining| *draining), if drained_at.is_none() => {
                connection.as_mut().graceful_shutdown();
                drained_at = Some(Instant::now());
                look = tokio::time::interval(LOOK_EVERY_AT_THE_END);
            }
            _ = look.tick() => {
                let (now, patience) = (Instant::now(), shared.budget.patience());
                if let Some(abuse) = traffic.lock().abuse(now, patience) {
                    return abuse.into();
                }
                let owed_for = account.owed_for();
                if owed_for.is_some_and(|owed_for| owed_for >= patience) {
                    return Abuse::TakesNothing.into();
                }
                let idle = account.calls() == 0 && owed_for.is_none();
                if idle && drained_at.is_some_and(|drained_at| now.duration_since(drained_at) >= GOODBYE) {
                    return End::Drained;
                }
            }
        }
    }
}

fn builder(streams_max: u32) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        // gRPC has no use for it, and beyond the year 9999 the library fails in writing it.
        .auto_date_header(false)
        .max_concurrent_streams(streams_max)
        .max_local_error_reset_streams(config::LOCAL_ERROR_RESETS_MAX)
        .keep_alive_interval(config::KEEPALIVE_EVERY)
        .keep_alive_timeout(config::KEEPALIVE_TIMEOUT)
        .initial_stream_window_size(config::STREAM_WINDOW_BYTES)
        .initial_connection_window_size(config::CONNECTION_WINDOW_BYTES)
        .max_header_list_size(config::HEADERS_BYTES_MAX)
        .max_send_buf_size(config::SEND_BUFFER_BYTES);
    builder
}
