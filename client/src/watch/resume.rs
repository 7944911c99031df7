//! [`Resuming`]: reads a watch, and resumes it after a lost connection.

use std::time::Duration;

use partnership_registry::v1::{WatchRequest, WatchResponse, watch_request::Start};
use tokio::time::{Instant, sleep};
use tonic::Streaming;

use super::event::WatchEvent;
use super::place::Place;
use crate::connection::Connection;
use crate::error::{Code, Error};
use crate::retry;

/// What a watch selects.
#[derive(Debug, Clone, Default)]
pub(super) struct Selection {
    pub(super) collections: Vec<String>,
    pub(super) filter: String,
}

/// A watch that is resumed when its connection is lost.
pub(super) struct Resuming {
    connection: Connection,
    selection: Selection,
    place: Place,
    resume_for: Option<Duration>,
    responses: Option<Streaming<WatchResponse>>,
    /// How many times in a row the connection was lost, or the watch could not be resumed.
    failures: u32,
    lost_since: Option<Instant>,
    /// What to wait for before the next attempt.
    pause: Option<Duration>,
    /// That it was lost was told, and not yet that it is back.
    told: bool,
}

impl Resuming {
    pub(super) fn new(
        connection: Connection,
        selection: Selection,
        place: Place,
        resume_for: Option<Duration>,
    ) -> Self {
        Self {
            connection,
            selection,
            place,
            resume_for,
            responses: None,
            failures: 0,
            lost_since: None,
            pause: None,
            told: false,
        }
    }

    /// The next event, and what reads the one after it.
    pub(super) async fn step(mut self) -> Result<Option<(WatchEvent, Self)>, Error> {
        loop {
            if let Some(pause) = self.pause.take() {
                sleep(pause).await;
            }
            let Some(responses) = &mut self.responses else {
                match self.open().await {
                    Err(error) => self.lost(error)?,
                    Ok(()) if self.told => {
                        self.told = false;
                        return Ok(Some((WatchEvent::Resumed, self)));
                    }
                    Ok(()) => {}
                }
                continue;
            };
            if let Place::InitialState { started: true } = self.place
                && self.lost_since.is_some()
            {
                self.place = Place::InitialState { started: false };
                return Ok(Some((WatchEvent::Restarted, self)));
            }
            let failed = match responses.message().await {
                Ok(Some(response)) => {
                    (self.failures, self.lost_since) = (0, None);
                    if let Some(event) = self.place.receive(response) {
                        return Ok(Some((event, self)));
                    }
                    continue;
                }
                Ok(None) => Error::local(Code::Unavailable, "the server ended the watch"),
                Err(status) => status.into(),
            };
            let failed = failed.at(&self.connection.settings().address);
            let reason = failed.message().to_owned();
            self.lost(failed)?;
            if !self.told {
                self.told = true;
                return Ok(Some((WatchEvent::Lost { reason }, self)));
            }
        }
    }

    /// Asks for the events from here on.
    pub(super) async fn open(&mut self) -> Result<(), Error> {
        let request = WatchRequest {
            start: Some(match self.place {
                Place::InitialState { .. } => Start::InitialState(true),
                Place::After(revision) => Start::AfterRevision(revision),
            }),
            collections: self.selection.collections.clone(),
            filter: self.selection.filter.clone(),
        };
        let send = |request| {
            let mut service = self.connection.registry_service();
            async move { service.watch(request).await }
        };
        self.responses = Some(self.connection.streaming(request, send).await?);
        Ok(())
    }

    /// Has the watch wait before it is resumed, or gives up with the error.
    fn lost(&mut self, error: Error) -> Result<(), Error> {
        self.responses = None;
        self.failures = self.failures.saturating_add(1);
        let since = *self.lost_since.get_or_insert_with(Instant::now);
        let in_time = self.resume_for.is_none_or(|limit| since.elapsed() < limit);
        // A busy server may miss the deadline for the start; a read can be retried.
        let temporary = retry::is_safe(&error) || (error.code() == Code::DeadlineExceeded && !error.is_from_server());
        if !(temporary && in_time) {
            return Err(error);
        }
        self.pause = Some(self.connection.settings().retry.pause(self.failures, &error));
        Ok(())
    }
}
