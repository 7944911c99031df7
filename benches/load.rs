//! The client, the same for all contestants: so many requests in flight over a few connections, each followed by the next
//! as soon as it is answered.

use std::future::Future;
use std::time::{Duration, Instant};

use tonic::transport::{Channel, Endpoint};

/// How many connections the client has.
pub(crate) const CONNECTIONS: usize = 4;

/// How many resources a commit creates.
pub(crate) const BATCH: usize = 500;

/// What is asked of a contestant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Creating one resource, durably; with a request id if the contestant knows those.
    Create { with_request_id: bool },
    /// Reading one resource.
    Get,
    /// Creating [`BATCH`] resources at once, durably.
    Commit,
}

/// The part of a turn that is not counted: the first requests of a turn meet cold caches.
const WARM_UP: f64 = 0.15;

/// The connections to one contestant.
pub(crate) async fn connect(address: &str) -> Vec<Channel> {
    let mut channels = Vec::new();
    for _ in 0..CONNECTIONS {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap().tcp_nodelay(true);
        channels.push(endpoint.connect().await.unwrap());
    }
    channels
}

/// What came of a turn.
pub(crate) struct Turn {
    /// Calls answered in a second.
    pub(crate) rate: f64,
    /// The time of one call, in microseconds: of half of them at most so much, of 99 in 100 at most so much.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// All calls, those of the warm-up too.
    pub(crate) calls: u64,
}

/// Keeps `in_flight` calls in flight for `time`. `call` is given the caller's number and the number of its call.
pub(crate) async fn run<F, Fut>(in_flight: usize, time: Duration, call: F) -> Turn
where
    F: Fn(usize, u64) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = ()> + Send,
{
    let began = Instant::now();
    let (counted_from, end) = (began + time.mul_f64(WARM_UP), began + time);
    let callers: Vec<_> = (0..in_flight)
        .map(|caller| {
            let call = call.clone();
            tokio::spawn(async move {
                let (mut calls, mut times) = (0, Vec::new());
                loop {
                    let sent = Instant::now();
                    if sent >= end {
                        return (calls, times);
                    }
                    call(caller, calls).await;
                    let answered = Instant::now();
                    calls += 1;
                    if answered >= counted_from && answered < end {
                        times.push((answered - sent).as_secs_f64() * 1e6);
                    }
                }
            })
        })
        .collect();
    let (mut calls, mut times) = (0, Vec::new());
    for caller in callers {
        let (more_calls, more) = caller.await.unwrap();
        calls += more_calls;
        times.extend(more);
    }
    times.sort_by(f64::total_cmp);
    let counted = end - counted_from;
    Turn {
        rate: times.len() as f64 / counted.as_secs_f64(),
        p50: percentile(&times, 0.50),
        p99: percentile(&times, 0.99),
        calls,
    }
}

/// The name that a caller reads in this call: all over the place.
pub(crate) fn pick(names: &[String], caller: usize, call: u64) -> &String {
    &names[(call as usize).wrapping_mul(7_919).wrapping_add(caller * 104_729) % names.len()]
}

/// The value that this share of the sorted values does not exceed.
pub(crate) fn percentile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * share).round() as usize).copied().unwrap_or(f64::NAN)
}
