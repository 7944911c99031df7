//! The events of agreements: calls that record and void them. Nothing else changes an event.
//!
//! Each call has a request id from the beginning, so that one that is retried records once.

use std::future::{Future, IntoFuture};
use std::pin::Pin;

use partnership_registry::v1::{Agreement, AgreementEvent, RecordAgreementEventsRequest, VoidAgreementEventRequest};

use crate::call::new_request_id;
use crate::connection::{ANSWER_BYTES_MAX, Connection};
use crate::error::Error;
use crate::resources::{Resources, full_name};

impl Resources<Agreement> {
    /// Records what happened to an agreement, in the order of the events: set options on the returned call, then await it.
    /// Many may record at once; none of their events is lost, and none needs an etag.
    ///
    /// ```no_run
    /// # use partnership_registry_client::{Error, Registry, v1::{AgreementEvent, AgreementEventType, PartialDate}};
    /// # async fn example(registry: Registry) -> Result<(), Error> {
    /// let ratification = AgreementEvent {
    ///     r#type: AgreementEventType::Ratification.into(),
    ///     party_ids: vec!["kr".into()],
    ///     act_date: Some(PartialDate::month(2020, 5)),
    ///     ..AgreementEvent::default()
    /// };
    /// let agreement = registry.agreements().record("y", [ratification]).reason("note 12 of the ministry").await?;
    /// println!("{} is recorded", agreement.events.last().map_or("nothing", |event| &event.event_id));
    /// # Ok(())
    /// # }
    /// ```
    pub fn record(&self, name: &str, events: impl IntoIterator<Item = AgreementEvent>) -> RecordCall {
        let request = RecordAgreementEventsRequest {
            name: full_name::<Agreement>(name),
            events: events.into_iter().collect(),
            request_id: new_request_id(),
            ..RecordAgreementEventsRequest::default()
        };
        RecordCall { connection: self.connection().clone(), request }
    }

    /// Voids an event that was recorded by mistake. It stays visible, and does not count any more. Say why on the returned
    /// call, then await it.
    ///
    /// ```no_run
    /// # use partnership_registry_client::{Error, Registry};
    /// # async fn example(registry: Registry) -> Result<(), Error> {
    /// let agreement = registry.agreements().void("y", "e3").reason("it was another agreement").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn void(&self, name: &str, event_id: impl Into<String>) -> VoidCall {
        let request = VoidAgreementEventRequest {
            name: full_name::<Agreement>(name),
            event_id: event_id.into(),
            request_id: new_request_id(),
            ..VoidAgreementEventRequest::default()
        };
        VoidCall { connection: self.connection().clone(), request }
    }
}

macro_rules! event_call {
    ($(#[$doc:meta])* $Call:ident, $Request:ty { $($own:item)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        #[must_use = "nothing is sent before it is awaited"]
        pub struct $Call {
            connection: Connection,
            request: $Request,
        }

        impl $Call {
            $($own)*

            /// Only if this is the current etag.
            pub fn etag(mut self, etag: impl Into<String>) -> Self {
                self.request.etag = etag.into();
                self
            }

            /// A UUID chosen by the caller, instead of the one that was generated.
            pub fn request_id(mut self, id: impl Into<String>) -> Self {
                self.request.request_id = id.into();
                self
            }

            /// Checks everything and writes nothing: it fails exactly when the real call would.
            pub fn validate_only(mut self, validate_only: bool) -> Self {
                self.request.validate_only = validate_only;
                self
            }
        }

        impl IntoFuture for $Call {
            type Output = Result<Agreement, Error>;
            type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

            fn into_future(self) -> Self::IntoFuture {
                Box::pin(async move {
                    let Self { connection, request } = self;
                    let send = |request| partnership_registry::call(connection.channel(), request, ANSWER_BYTES_MAX);
                    connection.unary(request, send).await
                })
            }
        }
    };
}

event_call! {
    /// A call that records events. Await it for the agreement as it is then.
    ///
    /// # Errors
    /// When it is awaited. `INVALID_ARGUMENT`: an event lacks what its type needs, or names what is not there. `NOT_FOUND`:
    /// there is no such agreement. `FAILED_PRECONDITION`: it is deleted, or an event to void is voided already.
    RecordCall, RecordAgreementEventsRequest {
        /// In place of these events, by their ids: they are voided in the same step, which needs a reason.
        pub fn instead_of<I: Into<String>>(mut self, event_ids: impl IntoIterator<Item = I>) -> Self {
            self.request.voided_event_ids = event_ids.into_iter().map(Into::into).collect();
            self
        }

        /// The reason: stored with the commit. By default it is that of the [`Registry`](crate::Registry).
        pub fn reason(mut self, reason: impl Into<String>) -> Self {
            self.request.reason = reason.into();
            self
        }
    }
}

event_call! {
    /// A call that voids an event. Await it for the agreement as it is then.
    ///
    /// # Errors
    /// When it is awaited. `INVALID_ARGUMENT`: there is no reason, or no such event. `NOT_FOUND`: there is no such agreement.
    /// `FAILED_PRECONDITION`: it is deleted, the event is voided already, or a revocation names it.
    VoidCall, VoidAgreementEventRequest {
        /// Why: stored with the event and with the commit. It is needed.
        pub fn reason(mut self, reason: impl Into<String>) -> Self {
            self.request.reason = reason.into();
            self
        }
    }
}
