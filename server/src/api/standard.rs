//! The standard methods, once for all kinds (AIP-131 to 135, 164, 231).

use partnership_registry::{
    BatchGet, BatchRead, Create, Delete, Get, Kind, List, Listed, Of, Rollback, Undelete, Update,
};
use tonic::Status;

use super::blocking::blocking;
use super::call::{Api, Handle};
use super::caller::Caller;
use super::convert::{decode, point};
use super::room::PAGE_ROOM_BYTES;
use super::status::internal;
use crate::registry::{ANSWER_BYTES_MAX, KindId, ListRequest, Mutation, Operation, Place, WriteRequest};

impl<K: Kind> Handle<Of<K, Get>> for Api {
    type Answer = K;

    fn room(&self, Of { request, .. }: &Of<K, Get>) -> usize {
        self.registry.document_bytes(&request.name)
    }

    async fn handle(&self, _: &Caller, Of { request, .. }: Of<K, Get>) -> Result<K, Status> {
        let point = point(request.read_revision, request.read_time)?;
        let mask = request.read_mask.unwrap_or_default().paths;
        decode(self.registry.get(self.kind::<K>()?, &request.name, point, &request.if_none_match, &mask).await?)
    }
}

impl<K: Kind> Handle<Of<K, List>> for Api {
    type Answer = Listed<K>;

    fn room(&self, _: &Of<K, List>) -> usize {
        PAGE_ROOM_BYTES
    }

    async fn handle(&self, caller: &Caller, Of { request, .. }: Of<K, List>) -> Result<Listed<K>, Status> {
        let request = ListRequest {
            kind: self.kind::<K>()?,
            page_size: request.page_size,
            page_token: request.page_token,
            filter: request.filter,
            order_by: request.order_by,
            show_deleted: request.show_deleted,
            point: point(request.read_revision, request.read_time)?,
            read_mask: request.read_mask.unwrap_or_default().paths,
        };
        let (registry, room) = (self.registry.clone(), caller.room.clone());
        let page =
            blocking(&caller.room, move |cancelled| registry.list(&request, &mut room.growing(), cancelled)).await?;
        Ok(Listed {
            resources: page.documents.into_iter().map(decode).collect::<Result<_, _>>()?,
            next_page_token: page.next_page_token,
            revision: page.revision,
            total_size: i32::try_from(page.total).unwrap_or(i32::MAX),
        })
    }
}

impl<K: Kind> Handle<Of<K, BatchGet>> for Api {
    type Answer = BatchRead<K>;

    fn room(&self, Of { request, .. }: &Of<K, BatchGet>) -> usize {
        let bytes = request.names.iter().map(|name| self.registry.document_bytes(name)).sum::<usize>();
        bytes.min(ANSWER_BYTES_MAX)
    }

    async fn handle(&self, _: &Caller, Of { request, .. }: Of<K, BatchGet>) -> Result<BatchRead<K>, Status> {
        let point = point(request.read_revision, request.read_time)?;
        let mask = request.read_mask.unwrap_or_default().paths;
        let (documents, revision) = self.registry.batch_get(self.kind::<K>()?, &request.names, point, &mask).await?;
        Ok(BatchRead { resources: documents.into_iter().map(decode).collect::<Result<_, _>>()?, revision })
    }
}

impl<K: Kind> Handle<Of<K, Create<K>>> for Api {
    type Answer = K;

    async fn handle(&self, caller: &Caller, Of { request, .. }: Of<K, Create<K>>) -> Result<K, Status> {
        let validate_only = request.validate_only;
        self.write_one(caller, "create", creation(self.kind::<K>()?, request), validate_only).await
    }
}

impl<K: Kind> Handle<Of<K, Update<K>>> for Api {
    type Answer = K;

    async fn handle(&self, caller: &Caller, Of { request, .. }: Of<K, Update<K>>) -> Result<K, Status> {
        let validate_only = request.validate_only;
        self.write_one(caller, "update", change(self.kind::<K>()?, request), validate_only).await
    }
}

impl<K: Kind> Handle<Of<K, Delete>> for Api {
    type Answer = K;

    async fn handle(&self, caller: &Caller, Of { request, .. }: Of<K, Delete>) -> Result<K, Status> {
        let Delete { name, etag, allow_missing, request_id: _, validate_only } = request;
        let operation = Operation::Delete { kind: Some(self.kind::<K>()?), name, etag, allow_missing };
        self.write_one(caller, "delete", operation, validate_only).await
    }
}

impl<K: Kind> Handle<Of<K, Rollback>> for Api {
    type Answer = K;

    async fn handle(&self, caller: &Caller, Of { request, .. }: Of<K, Rollback>) -> Result<K, Status> {
        let Rollback { name, etag, request_id: _, validate_only } = request;
        let operation = Operation::Rollback { kind: Some(self.kind::<K>()?), name, etag };
        self.write_one(caller, "rollback", operation, validate_only).await
    }
}

impl<K: Kind> Handle<Of<K, Undelete>> for Api {
    type Answer = K;

    async fn handle(&self, caller: &Caller, Of { request, .. }: Of<K, Undelete>) -> Result<K, Status> {
        let Undelete { name, etag, request_id: _, validate_only } = request;
        let operation = Operation::Undelete { kind: Some(self.kind::<K>()?), name, etag };
        self.write_one(caller, "undelete", operation, validate_only).await
    }
}

// The door lets in no creation or change without a resource.

fn creation<K: Kind>(kind: KindId, request: Create<K>) -> Operation {
    Operation::Create { kind, id: request.id, resource: request.resource.unwrap_or_default().into() }
}

fn change<K: Kind>(kind: KindId, request: Update<K>) -> Operation {
    let resource = request.resource.unwrap_or_default().into();
    let mask = request.update_mask.unwrap_or_default().paths;
    Operation::Update { kind, resource, mask, allow_missing: request.allow_missing }
}

impl Api {
    /// What the registry calls a kind.
    pub(crate) fn kind<K: Kind>(&self) -> Result<KindId, Status> {
        self.registry.kind_by_tag(K::TAG).ok_or_else(|| Status::unimplemented("this server does not keep this kind"))
    }

    /// Makes one change, and answers the resource as it is then.
    pub(crate) async fn write_one<K: Kind>(
        &self,
        caller: &Caller,
        verb: &'static str,
        operation: Operation,
        validate_only: bool,
    ) -> Result<K, Status> {
        let singular = if operation.holds_resource() { K::SINGULAR } else { "" };
        let place = Place { index: None, verb, singular };
        let written = self
            .registry
            .write(WriteRequest {
                mutations: vec![Mutation { place, operation }],
                validate_only,
                ..caller.write_request()
            })
            .await?;
        let one = written.results.into_iter().next().ok_or_else(|| internal("a write without a result"))?;
        let mut resource: K = decode(one.document)?;
        if resource.name().is_empty() {
            resource.set_name(one.name.to_string());
        }
        Ok(resource)
    }
}
