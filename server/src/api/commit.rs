//! `Commit`: many changes of any kinds at once.

use std::time::Duration;

use partnership_registry::Kind;
use partnership_registry::v1::{
    self, Agreement, CommitRequest, CommitResponse, CreateMutation, DeleteMutation, Reconciliation,
    RecordEventsMutation, Resource, RollbackMutation, UndeleteMutation, UpdateMutation, VoidEventMutation, mutation,
    precondition,
};
use tokio::sync::watch;
use tonic::Status;

use super::call::{Api, Handle};
use super::caller::Caller;
use super::convert::mutation_result;
use super::verbs;
use crate::registry::{Condition, Error, KindId, Mutation, Operation, Place, Precondition, Registry, WriteRequest};
use crate::violations::Violations;

impl Handle<CommitRequest> for Api {
    type Answer = CommitResponse;

    async fn handle(&self, caller: &Caller, request: CommitRequest) -> Result<CommitResponse, Status> {
        let mut violations = Violations::new();
        let mut mutations = Vec::with_capacity(request.mutations.len());
        for (index, mutation) in request.mutations.into_iter().enumerate() {
            match self.mutation(index, mutation) {
                Ok(mutation) => mutations.push(mutation),
                Err((field, rule)) => violations.add(format!("mutations[{index}]{field}"), rule),
            }
        }
        let mut preconditions = Vec::with_capacity(request.preconditions.len());
        for (index, precondition) in request.preconditions.into_iter().enumerate() {
            match precondition.condition {
                Some(condition) => {
                    preconditions.push(Precondition { name: precondition.name, condition: self::condition(condition) });
                }
                None => violations.add(format!("preconditions[{index}]"), "needs a condition"),
            }
        }
        if !violations.is_empty() {
            return Err(Error::Invalid(violations).into());
        }
        let mut write =
            WriteRequest { mutations, preconditions, validate_only: request.validate_only, ..caller.write_request() };
        if !request.reason.is_empty() {
            write.reason = request.reason;
        }
        let written = self.registry.write(write).await?;
        Ok(CommitResponse {
            revision: written.revision,
            commit_time: written.time.map(Into::into),
            results: written.results.into_iter().map(mutation_result).collect(),
        })
    }
}

/// Commits what the registry itself wants to, as `system/{name}`.
pub(crate) async fn commit_as_system(
    registry: &Registry,
    name: &str,
    request: CommitRequest,
) -> Result<CommitResponse, Status> {
    let (_, draining) = watch::channel(false);
    let api = Api { registry: registry.clone(), draining, heartbeat_every: Duration::MAX };
    api.handle(&Caller::system(name), request).await
}

fn condition(condition: precondition::Condition) -> Condition {
    match condition {
        precondition::Condition::Etag(etag) => Condition::Etag(etag),
        precondition::Condition::Exists(exists) => Condition::Exists(exists),
        precondition::Condition::UnchangedSince(revision) => Condition::UnchangedSince(revision),
    }
}

/// Where a mutation is wrong, and how.
type Wrong = (&'static str, String);

impl Api {
    fn mutation(&self, index: usize, mutation: v1::Mutation) -> Result<Mutation, Wrong> {
        let operation = mutation.operation.ok_or_else(|| ("", "is required".to_owned()))?;
        let (verb, singular, operation) = match operation {
            mutation::Operation::Create(create) => {
                let (singular, operation) = self.creation(create)?;
                ("create", singular, operation)
            }
            mutation::Operation::Update(update) => {
                let (singular, operation) = self.change(update)?;
                ("update", singular, operation)
            }
            mutation::Operation::Delete(DeleteMutation { name, etag, allow_missing }) => {
                ("delete", "", Operation::Delete { kind: None, name, etag, allow_missing })
            }
            mutation::Operation::Undelete(UndeleteMutation { name, etag }) => {
                ("undelete", "", Operation::Undelete { kind: None, name, etag })
            }
            mutation::Operation::Rollback(RollbackMutation { name, etag }) => {
                ("rollback", "", Operation::Rollback { kind: None, name, etag })
            }
            mutation::Operation::RecordEvents(RecordEventsMutation { name, events, voided_event_ids, etag }) => {
                let kind = self.kind_of::<Agreement>()?;
                ("record_events", "", verbs::recording(kind, name, etag, events, voided_event_ids))
            }
            mutation::Operation::VoidEvent(VoidEventMutation { name, event_id, reason, etag }) => {
                let kind = self.kind_of::<Agreement>()?;
                ("void_event", "", verbs::voiding(kind, name, etag, event_id, reason))
            }
        };
        Ok(Mutation { place: Place { index: Some(index), verb, singular }, operation })
    }

    fn creation(&self, create: CreateMutation) -> Result<(&'static str, Operation), Wrong> {
        let (kind, singular, resource) = self.resource(create.resource, ".create.resource")?;
        let name = resource.name();
        let id = match name.rsplit_once('/') {
            Some((collection, id)) if collection == self.registry.collection(kind) => id.to_owned(),
            // Not of this collection: as an id it is refused with the rule for ids.
            Some(_) | None => name.to_owned(),
        };
        Ok((singular, Operation::Create { kind, id, resource }))
    }

    fn change(&self, update: UpdateMutation) -> Result<(&'static str, Operation), Wrong> {
        let (kind, singular, resource) = self.resource(update.resource, ".update.resource")?;
        let (mask, allow_missing) = (update.update_mask.unwrap_or_default().paths, update.allow_missing);
        let reconciliation = Reconciliation::try_from(update.reconciliation).map_err(|_| {
            let rule = format!("must be a value of Reconciliation, and {} is none", update.reconciliation);
            (".update.reconciliation", rule)
        })?;
        Ok((singular, Operation::Update { kind, resource, mask, allow_missing, reconciliation }))
    }

    fn kind_of<K: Kind>(&self) -> Result<KindId, Wrong> {
        self.registry.kind_by_tag(K::TAG).ok_or_else(|| ("", "is of a kind that this server does not keep".to_owned()))
    }

    /// The resource of a mutation that must have one, with its kind and the field that the kind has in the envelope.
    fn resource(
        &self,
        resource: Option<Resource>,
        field: &'static str,
    ) -> Result<(KindId, &'static str, Resource), Wrong> {
        let resource = resource.filter(|resource| resource.kind.is_some());
        let resource = resource.ok_or_else(|| (field, "is required".to_owned()))?;
        let kind = resource.tag().and_then(|tag| self.registry.kind_by_tag(tag));
        let kind = kind.ok_or_else(|| (field, "is of a kind that this server does not keep".to_owned()))?;
        Ok((kind, resource.singular().unwrap_or_default(), resource))
    }
}
