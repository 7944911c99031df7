//! The end of streams: a server that drains does not wait for them.

use std::future::Future;

use tokio::sync::watch;
use tonic::Status;

use crate::registry::Error;

/// What `work` gives; or UNAVAILABLE as soon as the server drains.
pub(crate) async fn unless_drained<T>(
    draining: &mut watch::Receiver<bool>,
    work: impl Future<Output = Result<T, Status>>,
) -> Result<T, Status> {
    tokio::select! {
        _ = draining.wait_for(|draining| *draining) => Err(Error::Draining.into()),
        done = work => done,
    }
}
