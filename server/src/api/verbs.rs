//! The methods that only one kind has: each asks the rules of its kind, and is one write.

use std::future::Future;

use partnership_registry::v1::{Agreement, AgreementEvent, RecordAgreementEventsRequest, VoidAgreementEventRequest};
use tonic::Status;

use super::answer::Encoded;
use super::call::{Api, Handle};
use super::caller::Caller;
use crate::kinds::verb::Verb;
use crate::registry::{Action, KindId, Operation};

impl Handle<RecordAgreementEventsRequest> for Api {
    type Answer = Encoded<Agreement>;

    fn handle(
        &self,
        caller: &Caller,
        request: RecordAgreementEventsRequest,
    ) -> impl Future<Output = Result<Encoded<Agreement>, Status>> + Send {
        let RecordAgreementEventsRequest { name, events, voided_event_ids, reason, etag, request_id: _, validate_only } =
            request;
        let operation = self.kind::<Agreement>().map(|kind| recording(kind, name, etag, events, voided_event_ids));
        async move { self.write_one_because(caller, "record_events", operation?, validate_only, reason).await }
    }
}

impl Handle<VoidAgreementEventRequest> for Api {
    type Answer = Encoded<Agreement>;

    async fn handle(&self, caller: &Caller, request: VoidAgreementEventRequest) -> Result<Encoded<Agreement>, Status> {
        let VoidAgreementEventRequest { name, event_id, reason, etag, request_id: _, validate_only } = request;
        let operation = voiding(self.kind::<Agreement>()?, name, etag, event_id, String::new());
        self.write_one_because(caller, "void_event", operation, validate_only, reason).await
    }
}

/// To record events.
pub(super) fn recording(
    kind: KindId,
    name: String,
    etag: String,
    events: Vec<AgreementEvent>,
    voided_event_ids: Vec<String>,
) -> Operation {
    let verb = Verb::RecordEvents { events, voided_event_ids };
    Operation::Verb { kind, name, etag, verb, action: Action::RecordEvents }
}

/// To void an event. Without a reason of its own it is for that of the commit.
pub(super) fn voiding(kind: KindId, name: String, etag: String, event_id: String, reason: String) -> Operation {
    Operation::Verb { kind, name, etag, verb: Verb::VoidEvent { event_id, reason }, action: Action::VoidEvent }
}
