//! [`CommitBuilder`]: changes to resources of any kinds in one revision, all or none.

use std::future::{Future, IntoFuture};
use std::pin::Pin;

use partnership_registry::v1::{
    AgreementEvent, CommitRequest, CommitResponse, CreateMutation, DeleteMutation, Mutation, Precondition,
    RecordEventsMutation, Resource, RollbackMutation, UndeleteMutation, UpdateMutation, VoidEventMutation,
    mutation::Operation, precondition::Condition,
};

use crate::call::new_request_id;
use crate::connection::Connection;
use crate::error::Error;
use crate::point::{Mask, revision_name};

/// A commit that is being built: nothing is sent before it is awaited.
///
/// ```no_run
/// # use partnership_registry_client::{Error, Mask, Registry, v1::{Country, Organization}};
/// # async fn example(registry: Registry) -> Result<(), Error> {
/// let korea = Country { name: "countries/kr".into(), display_name: "Republic of Korea".into(), ..Country::default() };
/// let embassy = Organization {
///     name: "organizations/embassy-tehran".into(),
///     display_name: "Embassy in Tehran".into(),
///     country: "countries/kr".into(),
///     ..Organization::default()
/// };
/// let done = registry
///     .commit()
///     .create(korea)
///     .create(embassy)
///     .require_exists("countries/ir", true)
///     .reason("the partnership begins")
///     .await?;
/// println!("revision {}", done.revision);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When it is awaited. The error reports every mutation that was refused; see
/// [`Error::refused_mutations`](crate::Error::refused_mutations).
#[derive(Debug, Clone)]
#[must_use = "nothing is sent before it is awaited"]
pub struct CommitBuilder {
    connection: Connection,
    request: CommitRequest,
}

impl CommitBuilder {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection, request: CommitRequest { request_id: new_request_id(), ..CommitRequest::default() } }
    }

    /// Creates a resource under its `name`; if that is empty, the server generates one.
    pub fn create(self, resource: impl Into<Resource>) -> Self {
        self.operation(Operation::Create(CreateMutation { resource: Some(resource.into()) }))
    }

    /// Changes the fields of a resource that the mask names.
    pub fn update(self, resource: impl Into<Resource>, mask: impl Into<Mask>) -> Self {
        self.change(resource.into(), mask.into(), false)
    }

    /// Creates a resource, or replaces all its fields. Nothing happens if it is already equal.
    pub fn put(self, resource: impl Into<Resource>) -> Self {
        self.change(resource.into(), Mask::all(), true)
    }

    /// Marks a resource as deleted.
    pub fn delete(self, name: impl Into<String>) -> Self {
        self.operation(Operation::Delete(DeleteMutation { name: name.into(), ..DeleteMutation::default() }))
    }

    /// Brings a deleted resource back.
    pub fn undelete(self, name: impl Into<String>) -> Self {
        self.operation(Operation::Undelete(UndeleteMutation { name: name.into(), ..UndeleteMutation::default() }))
    }

    /// Makes a resource what it was in an earlier revision, in which it changed.
    pub fn rollback(self, name: &str, revision: u64) -> Self {
        let name = revision_name(name, revision);
        self.operation(Operation::Rollback(RollbackMutation { name, ..RollbackMutation::default() }))
    }

    /// Records events of an agreement, in place of those of `voided_event_ids`, which need the reason of the commit.
    pub fn record_events<I: Into<String>>(
        self,
        name: impl Into<String>,
        events: impl IntoIterator<Item = AgreementEvent>,
        voided_event_ids: impl IntoIterator<Item = I>,
    ) -> Self {
        self.operation(Operation::RecordEvents(RecordEventsMutation {
            name: name.into(),
            events: events.into_iter().collect(),
            voided_event_ids: voided_event_ids.into_iter().map(Into::into).collect(),
            ..RecordEventsMutation::default()
        }))
    }

    /// Voids an event of an agreement, for the reason of the commit.
    pub fn void_event(self, name: impl Into<String>, event_id: impl Into<String>) -> Self {
        let (name, event_id) = (name.into(), event_id.into());
        self.operation(Operation::VoidEvent(VoidEventMutation { name, event_id, ..VoidEventMutation::default() }))
    }

    /// Adds any change.
    pub fn mutation(mut self, mutation: Mutation) -> Self {
        self.request.mutations.push(mutation);
        self
    }

    /// Only if a resource has this etag.
    pub fn require_etag(self, name: impl Into<String>, etag: impl Into<String>) -> Self {
        self.condition(name.into(), Condition::Etag(etag.into()))
    }

    /// Only if a resource is live (`true`), or only if it is not (`false`).
    pub fn require_exists(self, name: impl Into<String>, exists: bool) -> Self {
        self.condition(name.into(), Condition::Exists(exists))
    }

    /// Only if a resource has not changed after a revision.
    pub fn require_unchanged_since(self, name: impl Into<String>, revision: u64) -> Self {
        self.condition(name.into(), Condition::UnchangedSince(revision))
    }

    /// The reason: stored with the commit. By default it is that of the [`Registry`](crate::Registry).
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.request.reason = reason.into();
        self
    }

    /// A UUID chosen by the caller, instead of the one that was generated.
    pub fn request_id(mut self, id: impl Into<String>) -> Self {
        self.request.request_id = id.into();
        self
    }

    /// Checks everything and writes nothing: it fails exactly when the real commit would.
    pub fn validate_only(mut self, validate_only: bool) -> Self {
        self.request.validate_only = validate_only;
        self
    }

    /// The request so far.
    #[must_use]
    pub fn request(&self) -> &CommitRequest {
        &self.request
    }

    fn change(self, resource: Resource, mask: Mask, allow_missing: bool) -> Self {
        let resource = Some(resource);
        self.operation(Operation::Update(UpdateMutation {
            resource,
            update_mask: mask.into(),
            allow_missing,
            ..UpdateMutation::default()
        }))
    }

    fn operation(self, operation: Operation) -> Self {
        self.mutation(Mutation { operation: Some(operation) })
    }

    fn condition(mut self, name: String, condition: Condition) -> Self {
        self.request.preconditions.push(Precondition { name, condition: Some(condition) });
        self
    }
}

impl IntoFuture for CommitBuilder {
    type Output = Result<CommitResponse, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let send = |request| {
                let mut service = self.connection.registry_service();
                async move { service.commit(request).await }
            };
            self.connection.unary(self.request, send).await
        })
    }
}
