//! The standard methods, once for all kinds (AIP-131 to 135, 164, 231).

use std::future::Future;

use partnership_registry::v1::Reconciliation;
use partnership_registry::{BatchGet, Create, Delete, Get, Kind, List, Of, Rollback, Undelete, Update};
use tonic::Status;

use super::answer::{Encoded, EncodedUniform, ListedDocuments, ReadDocuments};
use super::blocking::blocking;
use super::call::{Api, Handle};
use super::caller::Caller;
use super::convert::{point, query_plan};
use super::room::PAGE_ROOM_BYTES;
use super::status::internal;
use crate::registry::{ANSWER_BYTES_MAX, KindId, ListRequest, Mutation, Operation, Place, WriteRequest};

impl<K: Kind> Handle<Of<K, Get>> for Api {
    type Answer = Encoded<K>;

    fn room(&self, Of { request, .. }: &Of<K, Get>) -> usize {
        self.registry.document_bytes(&request.name)
    }

    async fn handle(&self, _: &Caller, Of { request, .. }: Of<K, Get>) -> Result<Encoded<K>, Status> {
        let point = point(request.read_revision, request.read_time)?;
        let mask = request.read_mask.unwrap_or_default().paths;
        let kind = self.kind::<K>()?;
        let document = self
            .registry
            .get(kind, &request.name, point, request.valid_date.as_ref(), &request.if_none_match, &mask)
            .await?;
        Ok(Encoded::new(document))
    }
}

impl<K: Kind> Handle<Of<K, List>> for Api {
    type Answer = EncodedUniform;

    fn room(&self, _: &Of<K, List>) -> usize {
        PAGE_ROOM_BYTES
    }

    async fn handle(&self, caller: &Caller, Of { request, .. }: Of<K, List>) -> Result<EncodedUniform, Status> {
        let request = ListRequest {
            kind: self.kind::<K>()?,
            page_size: request.page_size,
            page_token: request.page_token,
            filter: request.filter,
            order_by: request.order_by,
            show_deleted: request.show_deleted,
            point: point(request.read_revision, request.read_time)?,
            valid_date: request.valid_date,
            read_mask: request.read_mask.unwrap_or_default().paths,
            explain: request.explain,
        };
        let at = self.registry.indexed_at(request.point).await?;
        let (registry, room) = (self.registry.clone(), caller.room.clone());
        let list = move |cancelled: &_| registry.list(&request, at, &mut room.growing(), cancelled);
        let page = blocking(&caller.room, list).await?;
        Ok(EncodedUniform::new(&ListedDocuments {
            resources: page.documents,
            next_page_token: page.next_page_token,
            revision: page.revision,
            total_size: i32::try_from(page.total).unwrap_or(i32::MAX),
            plan: page.plan.map(query_plan),
        }))
    }
}

impl<K: Kind> Handle<Of<K, BatchGet>> for Api {
    type Answer = EncodedUniform;

    fn room(&self, Of { request, .. }: &Of<K, BatchGet>) -> usize {
        let bytes = request.names.iter().map(|name| self.registry.document_bytes(name)).sum::<usize>();
        bytes.min(ANSWER_BYTES_MAX)
    }

    async fn handle(&self, _: &Caller, Of { request, .. }: Of<K, BatchGet>) -> Result<EncodedUniform, Status> {
        let point = point(request.read_revision, request.read_time)?;
        let mask = request.read_mask.unwrap_or_default().paths;
        let valid_date = request.valid_date.as_ref();
        let read = self.registry.batch_get(self.kind::<K>()?, &request.names, point, valid_date, &mask);
        let (resources, revision) = read.await?;
        Ok(EncodedUniform::new(&ReadDocuments { resources, revision }))
    }
}

impl<K: Kind> Handle<Of<K, Create<K>>> for Api {
    type Answer = Encoded<K>;

    fn handle(
        &self,
        caller: &Caller,
        Of { request, .. }: Of<K, Create<K>>,
    ) -> impl Future<Output = Result<Encoded<K>, Status>> + Send {
        let validate_only = request.validate_only;
        // Encoded before the future begins, which then keeps no room for the resource as it came.
        let creation = self.kind::<K>().map(|kind| creation(kind, request));
        async move { self.write_one(caller, "create", creation?, validate_only).await }
    }
}

impl<K: Kind> Handle<Of<K, Update<K>>> for Api {
    type Answer = Encoded<K>;

    fn handle(
        &self,
        caller: &Caller,
        Of { request, .. }: Of<K, Update<K>>,
    ) -> impl Future<Output = Result<Encoded<K>, Status>> + Send {
        let validate_only = request.validate_only;
        // Encoded before the future begins, which then keeps no room for the resource as it came.
        let change = self.kind::<K>().map(|kind| change(kind, request));
        async move { self.write_one(caller, "update", change?, validate_only).await }
    }
}

impl<K: Kind> Handle<Of<K, Delete>> for Api {
    type Answer = Encoded<K>;

    async fn handle(&self, caller: &Caller, Of { request, .. }: Of<K, Delete>) -> Result<Encoded<K>, Status> {
        let Delete { name, etag, allow_missing, request_id: _, validate_only } = request;
        let operation = Operation::Delete { kind: Some(self.kind::<K>()?), name, etag, allow_missing };
        self.write_one(caller, "delete", operation, validate_only).await
    }
}

impl<K: Kind> Handle<Of<K, Rollback>> for Api {
    type Answer = Encoded<K>;

    async fn handle(&self, caller: &Caller, Of { request, .. }: Of<K, Rollback>) -> Result<Encoded<K>, Status> {
        let Rollback { name, etag, request_id: _, validate_only } = request;
        let operation = Operation::Rollback { kind: Some(self.kind::<K>()?), name, etag };
        self.write_one(caller, "rollback", operation, validate_only).await
    }
}

impl<K: Kind> Handle<Of<K, Undelete>> for Api {
    type Answer = Encoded<K>;

    async fn handle(&self, caller: &Caller, Of { request, .. }: Of<K, Undelete>) -> Result<Encoded<K>, Status> {
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
    let (allow_missing, reconciliation) = (request.allow_missing, Reconciliation::Unspecified);
    Operation::Update { kind, resource, mask, allow_missing, reconciliation }
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
    ) -> Result<Encoded<K>, Status> {
        self.write_one_because(caller, verb, operation, validate_only, String::new()).await
    }

    /// Makes one change for a reason that its request gives; empty: that of the call.
    pub(crate) async fn write_one_because<K: Kind>(
        &self,
        caller: &Caller,
        verb: &'static str,
        operation: Operation,
        validate_only: bool,
        reason: String,
    ) -> Result<Encoded<K>, Status> {
        let singular = if operation.holds_resource() { K::SINGULAR } else { "" };
        let place = Place { index: None, verb, singular };
        let mut request =
            WriteRequest { mutations: vec![Mutation { place, operation }], validate_only, ..caller.write_request() };
        if !reason.is_empty() {
            request.reason = reason;
        }
        let written = self.registry.write(request).await?;
        let one = written.results.into_iter().next().ok_or_else(|| internal("a write without a result"))?;
        if one.document.is_empty() {
            // There is none, and this was no mistake: its name is all that can be told of it.
            let mut nothing = K::default();
            nothing.set_name(one.name.to_string());
            return Ok(Encoded::new(nothing.encode_to_vec().into()));
        }
        Ok(Encoded::new(self.registry.answered(&one, written.settled_day)))
    }
}
