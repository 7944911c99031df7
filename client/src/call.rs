//! One call: its metadata, its deadline, its retries, and the id by which the server knows a repeated write.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::connection::{CallSettings, Connection};
use crate::error::{Code, Error};

/// A new id for a write.
pub(crate) fn new_request_id() -> String {
    Uuid::new_v4().to_string()
}

impl Connection {
    /// Makes a unary call. `send` is called for each attempt, with the same message.
    pub(crate) async fn unary<M, A, F, S>(&self, message: M, send: S) -> Result<A, Error>
    where
        M: Clone,
        F: Future<Output = Result<Response<A>, Status>>,
        S: Fn(Request<M>) -> F,
    {
        self.attempt(|remaining| {
            let mut request = self.request(message.clone());
            request.set_timeout(remaining);
            send(request)
        })
        .await
    }

    /// Starts a server-streaming call. The timeout covers only the start, so it is not sent to the server.
    pub(crate) async fn streaming<M, A, F, S>(&self, message: M, send: S) -> Result<A, Error>
    where
        M: Clone,
        F: Future<Output = Result<Response<A>, Status>>,
        S: Fn(Request<M>) -> F,
    {
        self.attempt(|_| send(self.request(message.clone()))).await
    }

    fn request<M>(&self, message: M) -> Request<M> {
        let mut request = Request::new(message);
        *request.metadata_mut() = self.settings().caller.metadata();
        request
    }

    async fn attempt<A, F>(&self, begin: impl Fn(Duration) -> F) -> Result<A, Error>
    where
        F: Future<Output = Result<Response<A>, Status>>,
    {
        let CallSettings { address, timeout, retry, .. } = self.settings();
        let deadline = Instant::now() + *timeout;
        let (mut attempts, mut uncertain) = (0, false);
        loop {
            attempts += 1;
            let remaining = deadline.saturating_duration_since(Instant::now());
            let error = match timeout_at(deadline, begin(remaining)).await {
                Ok(Ok(response)) => return Ok(response.into_inner()),
                Ok(Err(status)) => Error::from(status).at(address).or_uncertain(uncertain),
                Err(_) => return Err(Error::deadline(*timeout).at(address)),
            };
            // The transport enforces the deadline too, and reports it as a cancellation.
            if error.code() == Code::Cancelled && Instant::now() >= deadline {
                return Err(Error::deadline(*timeout).at(address).caused_by(error));
            }
            uncertain = error.is_uncertain();
            match retry.wait(attempts, &error).map(|wait| Instant::now() + wait) {
                Some(again) if again < deadline => sleep_until(again).await,
                Some(_) | None => return Err(error),
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tonic::transport::Endpoint;

    use super::*;
    use crate::caller::Caller;
    use crate::retry::RetryPolicy;

    fn connection(timeout: Duration) -> Connection {
        let channel = Endpoint::from_static("http://127.0.0.1:1").connect_lazy();
        let (address, caller, retry) = ("".into(), Caller::default(), RetryPolicy::default());
        Connection::new(channel, CallSettings { address, caller, timeout, retry })
    }

    async fn call(connection: &Connection, fails: u32, status: fn() -> Status) -> (Result<u32, Error>, u32) {
        let attempts = AtomicU32::new(0);
        let response = connection
            .unary((), |_| async {
                let attempt = attempts.fetch_add(1, Ordering::Relaxed) + 1;
                if attempt <= fails { Err(status()) } else { Ok(Response::new(attempt)) }
            })
            .await;
        (response, attempts.into_inner())
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_is_retried_until_the_server_is_available() {
        let (response, attempts) = call(&connection(Duration::from_secs(30)), 3, || Status::unavailable("")).await;
        assert_eq!((response.unwrap(), attempts), (4, 4));
    }

    #[tokio::test(start_paused = true)]
    async fn a_conflict_is_not_retried() {
        let (response, attempts) = call(&connection(Duration::from_secs(30)), 3, || Status::aborted("")).await;
        assert_eq!((response.unwrap_err().code(), attempts), (Code::Aborted, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn no_attempt_starts_after_the_deadline() {
        let started = Instant::now();
        let (response, attempts) = call(&connection(Duration::from_millis(120)), 99, || Status::unavailable("")).await;
        assert!(response.unwrap_err().is_unavailable());
        assert!(attempts <= 3 && started.elapsed() <= Duration::from_millis(120));
    }

    #[tokio::test(start_paused = true)]
    async fn a_response_that_does_not_come_is_a_missed_deadline() {
        let error = connection(Duration::from_secs(1))
            .unary((), |_| std::future::pending::<Result<Response<()>, Status>>())
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::DeadlineExceeded);
    }
}
