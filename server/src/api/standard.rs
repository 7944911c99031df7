//! The standard methods, once for all kinds (AIP-131 to 135, 164, 231). The macro below only unwraps requests.

use partnership_registry::{Kind, v1};
use prost::Message;
use prost_types::Timestamp;
use tonic::server::NamedService;
use tonic::service::RoutesBuilder;
use tonic::{Request, Response, Status};

use super::Api;
use super::caller::Caller;
use crate::config::MESSAGE_BYTES_MAX;
use crate::registry::{
    Error, KindId, ListRequest, Mutation, Operation, Page, Place, Point, Registry, WriteRequest, request_hash,
};

/// What the writing methods have in common.
struct Write {
    caller: Caller,
    verb: &'static str,
    request_id: String,
    request_hash: [u8; 16],
    validate_only: bool,
}

/// As of when a request wants to read.
pub(crate) fn point(revision: u64, time: Option<Timestamp>) -> Result<Point, Error> {
    match (revision, time) {
        (0, None) => Ok(Point::Head),
        (revision, None) => Ok(Point::Revision(revision)),
        (0, Some(time)) => Ok(Point::Time(time.into())),
        (_, Some(_)) => Err(Error::invalid("read_time", "is not given together with read_revision")),
    }
}

/// A message of the registry's own bytes.
pub(crate) fn decode<M: Message + Default>(bytes: impl bytes::Buf) -> Result<M, Status> {
    M::decode(bytes).map_err(|error| {
        tracing::error!(%error, "a stored resource cannot be decoded");
        Status::from(Error::Damaged { revision: 0 })
    })
}

/// The resource of a request that must have one.
fn required<K>(resource: Option<K>, field: &str) -> Result<K, Error> {
    resource.ok_or_else(|| Error::invalid(field, "is required"))
}

impl Api {
    /// Does what may read much, or from the disk, where it holds no other request up.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Registry) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Status> {
        let registry = self.registry.clone();
        let done = tokio::task::spawn_blocking(move || read(&registry)).await;
        Ok(done.map_err(|_| Status::internal("the read failed; the operator's log says why"))??)
    }

    fn kind<K: Kind>(&self) -> Result<KindId, Status> {
        self.registry.kind_by_tag(K::TAG).ok_or_else(|| Status::unimplemented("this server does not keep this kind"))
    }

    async fn get_one<K: Kind>(&self, name: &str, point: Point, if_none_match: &str) -> Result<Response<K>, Status> {
        let document = self.registry.get(self.kind::<K>()?, name, point, if_none_match).await?;
        Ok(Response::new(decode(document)?))
    }

    async fn list_page<K: Kind>(&self, request: ListRequest) -> Result<(Vec<K>, Page), Status> {
        let mut page = self.blocking(move |registry| registry.list(&request)).await?;
        let resources = std::mem::take(&mut page.documents).into_iter().map(decode).collect::<Result<_, _>>()?;
        Ok((resources, page))
    }

    async fn batch_get_all<K: Kind>(&self, names: &[String], point: Point) -> Result<(Vec<K>, u64), Status> {
        let (documents, revision) = self.registry.batch_get(self.kind::<K>()?, names, point).await?;
        Ok((documents.into_iter().map(decode).collect::<Result<_, _>>()?, revision))
    }

    async fn write_one<K: Kind>(&self, write: Write, operation: Operation) -> Result<Response<K>, Status> {
        let place = Place { index: None, verb: write.verb, singular: K::SINGULAR };
        let written = self
            .registry
            .write(WriteRequest {
                mutations: vec![Mutation { place, operation }],
                preconditions: Vec::new(),
                actor: write.caller.actor,
                reason: write.caller.reason,
                request_id: write.request_id,
                request_hash: write.request_hash,
                validate_only: write.validate_only,
            })
            .await?;
        let one = written.results.into_iter().next().ok_or_else(|| Status::internal("a write without a result"))?;
        let mut resource: K = decode(one.document)?;
        if resource.name().is_empty() {
            resource.set_name(one.name.to_string());
        }
        Ok(Response::new(resource))
    }
}

/// Takes a request apart: who asks, the request, and its hash without the request id.
macro_rules! open {
    ($request:expr, $verb:literal, $Request:ident) => {{
        let caller = Caller::of($request.metadata())?;
        let mut request = $request.into_inner();
        let request_id = std::mem::take(&mut request.request_id);
        // Not a part of the hash: a dry run is answered as the real call would be.
        let validate_only = std::mem::take(&mut request.validate_only);
        let request_hash =
            if request_id.is_empty() { [0; 16] } else { request_hash(stringify!($Request), &request.encode_to_vec()) };
        (Write { caller, verb: $verb, request_id, request_hash, validate_only }, request)
    }};
}

macro_rules! services {
    ($({
        $Kind:ident $singular:ident $id:ident $plural:ident
        service $Service:ident $service_server:ident $Server:ident
        client $service_client:ident $Client:ident
        get $get:ident $GetRequest:ident
        list $list:ident $ListRequest:ident $ListResponse:ident
        create $create:ident $CreateRequest:ident
        update $update:ident $UpdateRequest:ident
        delete $delete:ident $DeleteRequest:ident
        undelete $undelete:ident $UndeleteRequest:ident
        batch_get $batch_get:ident $BatchGetRequest:ident $BatchGetResponse:ident
    })*) => {
        $(
            #[tonic::async_trait]
            impl v1::$service_server::$Service for Api {
                async fn $get(&self, request: Request<v1::$GetRequest>) -> Result<Response<v1::$Kind>, Status> {
                    let request = request.into_inner();
                    self.get_one(&request.name, point(request.read_revision, request.read_time)?, &request.if_none_match).await
                }

                async fn $list(&self, request: Request<v1::$ListRequest>) -> Result<Response<v1::$ListResponse>, Status> {
                    let request = request.into_inner();
                    let ($plural, page) = self.list_page(ListRequest {
                        kind: self.kind::<v1::$Kind>()?,
                        page_size: request.page_size,
                        page_token: request.page_token,
                        filter: request.filter,
                        order_by: request.order_by,
                        show_deleted: request.show_deleted,
                        point: point(request.read_revision, request.read_time)?,
                    }).await?;
                    Ok(Response::new(v1::$ListResponse {
                        $plural,
                        next_page_token: page.next_page_token,
                        revision: page.revision,
                        total_size: i32::try_from(page.total).unwrap_or(i32::MAX),
                    }))
                }

                async fn $create(&self, request: Request<v1::$CreateRequest>) -> Result<Response<v1::$Kind>, Status> {
                    let (write, request) = open!(request, "create", $CreateRequest);
                    let resource = required(request.$singular, stringify!($singular))?.encode_to_vec();
                    let kind = self.kind::<v1::$Kind>()?;
                    self.write_one(write, Operation::Create { kind, id: request.$id, resource }).await
                }

                async fn $update(&self, request: Request<v1::$UpdateRequest>) -> Result<Response<v1::$Kind>, Status> {
                    let (write, request) = open!(request, "update", $UpdateRequest);
                    let resource = required(request.$singular, stringify!($singular))?.encode_to_vec();
                    let kind = self.kind::<v1::$Kind>()?;
                    let mask = request.update_mask.unwrap_or_default().paths;
                    let allow_missing = request.allow_missing;
                    self.write_one(write, Operation::Update { kind, resource, mask, allow_missing }).await
                }

                async fn $delete(&self, request: Request<v1::$DeleteRequest>) -> Result<Response<v1::$Kind>, Status> {
                    let (write, request) = open!(request, "delete", $DeleteRequest);
                    let v1::$DeleteRequest { name, etag, allow_missing, .. } = request;
                    let kind = Some(self.kind::<v1::$Kind>()?);
                    self.write_one(write, Operation::Delete { kind, name, etag, allow_missing }).await
                }

                async fn $undelete(&self, request: Request<v1::$UndeleteRequest>) -> Result<Response<v1::$Kind>, Status> {
                    let (write, request) = open!(request, "undelete", $UndeleteRequest);
                    let v1::$UndeleteRequest { name, etag, .. } = request;
                    let kind = Some(self.kind::<v1::$Kind>()?);
                    self.write_one(write, Operation::Undelete { kind, name, etag }).await
                }

                async fn $batch_get(&self, request: Request<v1::$BatchGetRequest>) -> Result<Response<v1::$BatchGetResponse>, Status> {
                    let request = request.into_inner();
                    let point = point(request.read_revision, request.read_time)?;
                    let ($plural, revision) = self.batch_get_all(&request.names, point).await?;
                    Ok(Response::new(v1::$BatchGetResponse { $plural, revision }))
                }
            }
        )*

        /// Adds the services of all kinds, and answers their names.
        pub(crate) fn add_kind_services(routes: &mut RoutesBuilder, api: &Api) -> Vec<&'static str> {
            vec![$({
                let service = v1::$service_server::$Server::new(api.clone());
                routes.add_service(service.max_decoding_message_size(MESSAGE_BYTES_MAX));
                <v1::$service_server::$Server<Api> as NamedService>::NAME
            }),*]
        }
    };
}

partnership_registry::for_each_service!(services);
