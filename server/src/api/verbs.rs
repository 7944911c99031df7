//! The methods that only one kind has: each asks the rules of its kind, and is one write.

use partnership_registry::v1::{Agreement, RecordAgreementEventsRequest, VoidAgreementEventRequest};
use tonic::Status;

use super::answer::Encoded;
use super::call::{Api, Handle};
use super::caller::Caller;

impl Handle<RecordAgreementEventsRequest> for Api {
    type Answer = Encoded<Agreement>;

    async fn handle(&self, _: &Caller, _: RecordAgreementEventsRequest) -> Result<Encoded<Agreement>, Status> {
        Err(Status::unimplemented("not there yet"))
    }
}

impl Handle<VoidAgreementEventRequest> for Api {
    type Answer = Encoded<Agreement>;

    async fn handle(&self, _: &Caller, _: VoidAgreementEventRequest) -> Result<Encoded<Agreement>, Status> {
        Err(Status::unimplemented("not there yet"))
    }
}
