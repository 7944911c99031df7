//! `RegistryService`: what goes across kinds. Watching has a file of its own.

use partnership_registry::Kind as _;
use partnership_registry::v1::{
    self, Commit, CommitRequest, CommitResponse, ExportRequest, ExportResponse, GetRevisionRequest, ListCommitsRequest,
    ListCommitsResponse, ListRevisionsRequest, ListRevisionsResponse, MutationResult, Resource, ResourceRevision,
    WatchRequest, mutation, precondition, registry_service_server::RegistryService, resource,
};
use prost::Message as _;
use prost_types::FieldMask;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::Api;
use super::caller::Caller;
use super::standard::{decode, point};
use super::watch::WatchStream;
use crate::registry::{
    Condition, Error, KindId, Mutation, Operation, Place, Precondition, Registry, Version, WriteRequest, WrittenOne,
    request_hash,
};
use crate::store::{Action, Record};
use crate::violations::Violations;

/// An export sends resources in messages of about this many bytes.
const EXPORT_MESSAGE_BYTES: usize = 256 << 10;
/// How many messages of an export wait for a slow caller.
const EXPORT_QUEUE_MAX: usize = 4;

#[tonic::async_trait]
impl RegistryService for Api {
    async fn commit(&self, request: Request<CommitRequest>) -> Result<Response<CommitResponse>, Status> {
        let caller = Caller::of(request.metadata())?;
        let mut request = request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        // Not a part of the hash: a dry run is answered as the real call would be.
        let validate_only = std::mem::take(&mut request.validate_only);
        let request_hash =
            if request_id.is_empty() { [0; 16] } else { request_hash("Commit", &request.encode_to_vec()) };
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
                Some(condition) => preconditions.push(Precondition {
                    name: precondition.name,
                    condition: match condition {
                        precondition::Condition::Etag(etag) => Condition::Etag(etag),
                        precondition::Condition::Exists(exists) => Condition::Exists(exists),
                        precondition::Condition::UnchangedSince(revision) => Condition::UnchangedSince(revision),
                    },
                }),
                None => violations.add(format!("preconditions[{index}]"), "needs a condition"),
            }
        }
        if !violations.is_empty() {
            return Err(Error::Invalid(violations).into());
        }
        let reason = if request.reason.is_empty() { caller.reason } else { request.reason };
        let written = self
            .registry
            .write(WriteRequest {
                mutations,
                preconditions,
                actor: caller.actor,
                reason,
                request_id,
                request_hash,
                validate_only,
            })
            .await?;
        Ok(Response::new(CommitResponse {
            revision: written.revision,
            commit_time: written.time.map(Into::into),
            results: written.results.into_iter().map(mutation_result).collect(),
        }))
    }

    type WatchStream = WatchStream;

    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<WatchStream>, Status> {
        self.watch_from(request.into_inner())
    }

    async fn list_revisions(
        &self,
        request: Request<ListRevisionsRequest>,
    ) -> Result<Response<ListRevisionsResponse>, Status> {
        let request = request.into_inner();
        let read = move |registry: &Registry| registry.revisions(&request.name, request.page_size, &request.page_token);
        let page = self.blocking(read).await?;
        Ok(Response::new(ListRevisionsResponse {
            revisions: page.versions.into_iter().map(revision).collect::<Result<_, _>>()?,
            next_page_token: page.next_page_token,
        }))
    }

    async fn get_revision(&self, request: Request<GetRevisionRequest>) -> Result<Response<ResourceRevision>, Status> {
        Ok(Response::new(revision(self.registry.revision(&request.into_inner().name)?)?))
    }

    async fn list_commits(
        &self,
        request: Request<ListCommitsRequest>,
    ) -> Result<Response<ListCommitsResponse>, Status> {
        let request = request.into_inner();
        let read = move |registry: &Registry| {
            registry.commits(request.after_revision, request.page_size, &request.page_token, &request.order_by)
        };
        let page = self.blocking(read).await?;
        Ok(Response::new(ListCommitsResponse {
            commits: page.records.into_iter().map(commit).collect::<Result<_, _>>()?,
            next_page_token: page.next_page_token,
            revision: page.revision,
        }))
    }

    type ExportStream = ReceiverStream<Result<ExportResponse, Status>>;

    async fn export(&self, request: Request<ExportRequest>) -> Result<Response<Self::ExportStream>, Status> {
        let request = request.into_inner();
        let selection = self.registry.select(&request.collections, &request.filter)?;
        let at = self.registry.resolve(point(request.read_revision, request.read_time)?)?;
        let (sender, receiver) = mpsc::channel(EXPORT_QUEUE_MAX);
        let registry = self.registry.clone();
        let draining = self.draining.clone();
        // The walk blocks: on the disk, and on a caller that is slow.
        tokio::task::spawn_blocking(move || {
            let mut message = ExportResponse { revision: at, resources: Vec::new() };
            let _ = sender.blocking_send(Ok(message.clone()));
            let mut bytes = 0;
            let mut broken = None;
            let walked = registry.walk(&selection, at, request.show_deleted, &mut |envelope| {
                if *draining.borrow() {
                    broken = Some(Error::Draining.into());
                    return false;
                }
                bytes += envelope.len();
                match decode(envelope) {
                    Ok(resource) => message.resources.push(resource),
                    Err(status) => broken = Some(status),
                }
                if bytes >= EXPORT_MESSAGE_BYTES {
                    bytes = 0;
                    let resources = std::mem::take(&mut message.resources);
                    return sender.blocking_send(Ok(ExportResponse { revision: at, resources })).is_ok();
                }
                broken.is_none()
            });
            let last = match (walked, broken) {
                (Err(error), _) => Err(error.into()),
                (Ok(()), Some(status)) => Err(status),
                (Ok(()), None) if message.resources.is_empty() => return,
                (Ok(()), None) => Ok(message),
            };
            let _ = sender.blocking_send(last);
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

impl Api {
    /// The mutation of a request; or where it is wrong, and how.
    fn mutation(&self, index: usize, mutation: v1::Mutation) -> Result<Mutation, (&'static str, String)> {
        let required = |field| (field, "is required".to_owned());
        let (verb, singular, operation) = match mutation.operation.ok_or_else(|| required(""))? {
            mutation::Operation::Create(create) => {
                let (tag, name, resource) =
                    open_resource(create.resource).ok_or_else(|| required(".create.resource"))?;
                let (kind, singular) = self.kind_of(tag)?;
                let id = match name.rsplit_once('/') {
                    None => name,
                    Some((collection, id)) if collection == self.registry.collection(kind) => id.to_owned(),
                    // Not of this collection: as an id it is refused with the rule for ids.
                    Some(_) => name,
                };
                ("create", singular, Operation::Create { kind, id, resource })
            }
            mutation::Operation::Update(update) => {
                let (tag, _, resource) = open_resource(update.resource).ok_or_else(|| required(".update.resource"))?;
                let (kind, singular) = self.kind_of(tag)?;
                let mask = update.update_mask.unwrap_or_default().paths;
                ("update", singular, Operation::Update { kind, resource, mask, allow_missing: update.allow_missing })
            }
            mutation::Operation::Delete(delete) => {
                let v1::DeleteMutation { name, etag, allow_missing } = delete;
                ("delete", "", Operation::Delete { kind: None, name, etag, allow_missing })
            }
            mutation::Operation::Undelete(v1::UndeleteMutation { name, etag }) => {
                ("undelete", "", Operation::Undelete { kind: None, name, etag })
            }
        };
        Ok(Mutation { place: Place { index: Some(index), verb, singular }, operation })
    }

    fn kind_of(&self, tag: u32) -> Result<(KindId, &'static str), (&'static str, String)> {
        let kind = self
            .registry
            .kind_by_tag(tag)
            .ok_or_else(|| ("", "is of a kind that this server does not keep".to_owned()))?;
        Ok((kind, singular(tag)))
    }
}

macro_rules! envelopes {
    ($({ $Kind:ident $singular:ident $plural:ident $collection:literal $tag:literal })*) => {
        /// The kind's field, the name and the bytes of the resource in an envelope.
        fn open_resource(resource: Option<Resource>) -> Option<(u32, String, Vec<u8>)> {
            match resource?.kind? {
                $(resource::Kind::$Kind(kind) => Some(($tag, kind.name().to_owned(), kind.encode_to_vec())),)*
            }
        }

        /// The name of the kind's field in the envelope.
        fn singular(tag: u32) -> &'static str {
            match tag {
                $($tag => stringify!($singular),)*
                _ => "",
            }
        }
    };
}

partnership_registry::for_each_kind!(envelopes);

fn mutation_result(one: WrittenOne) -> MutationResult {
    MutationResult {
        etag: one.etag().to_owned(),
        revision: one.revision(),
        name: one.name.to_string(),
        action: one.action.map_or(0, Action::number),
    }
}

/// A resource of stored bytes; `None` for none.
pub(crate) fn envelope(bytes: bytes::Bytes) -> Result<Option<Resource>, Status> {
    if bytes.is_empty() { Ok(None) } else { decode(bytes).map(Some) }
}

fn revision(version: Version) -> Result<ResourceRevision, Status> {
    Ok(ResourceRevision {
        name: format!("{}/revisions/{}", version.name, version.record.revision),
        revision: version.record.revision,
        commit_time: Some(version.record.commit_time.into()),
        actor: version.record.actor,
        reason: version.record.reason,
        action: version.action.number(),
        changed_fields: Some(FieldMask { paths: version.changed }),
        before: envelope(version.before)?,
        after: envelope(version.after)?,
    })
}

/// A commit as the journal holds it.
pub(crate) fn commit(record: Record) -> Result<Commit, Status> {
    let mut changes = Vec::with_capacity(record.changes.len());
    for change in record.changes {
        changes.push(v1::Change {
            action: change.action.number(),
            name: change.name.to_string(),
            previous_revision: change.previous_revision,
            before: None,
            after: envelope(change.document)?,
        });
    }
    Ok(Commit {
        revision: record.revision,
        commit_time: Some(record.commit_time.into()),
        actor: record.actor,
        reason: record.reason,
        request_id: record.request.map(|mark| uuid::Uuid::from_bytes(mark.id).to_string()).unwrap_or_default(),
        request_hash: record.request.map(|mark| mark.hash.to_vec()).unwrap_or_default(),
        parent_hash: record.parent_hash.to_vec(),
        hash: record.hash.to_vec(),
        changes,
    })
}
