//! What every test of the suite begins with: a server to talk to, the kinds, and the standard methods of any of them.
//!
//! The server is one of its own, or the one whose address stands in `PARTNERSHIP_TEST_SERVER`. Nothing is assumed of what
//! else that holds: ids are unique to the run, and listings are narrowed to a label of their own.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};

use prost_reflect::{DynamicMessage, MapKey, MethodDescriptor, Value};
use tonic::Status;
use tonic::metadata::{MetadataMap, MetadataValue};

use super::kind::{Kind, kinds};
use super::sample::{Fill, Sampler};
use crate::harness::dynamic::{Caller, get, message, messages, number, set, string, strings, text};
use crate::harness::{Server, connect};

/// The environment variable with the address of a server to test, such as `http://127.0.0.1:50051`.
const REMOTE: &str = "PARTNERSHIP_TEST_SERVER";

/// A server, and what is needed to hold it to the contract.
pub(crate) struct Suite {
    pub(crate) kinds: Vec<Kind>,
    pub(crate) caller: Caller,
    pub(crate) sampler: Sampler,
    /// `None`: the server is another process.
    pub(crate) server: Option<Server>,
    made: AtomicU32,
}

/// A page of a listing.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) resources: Vec<DynamicMessage>,
    pub(crate) next: String,
    pub(crate) revision: u64,
    pub(crate) total: i32,
}

/// The arguments of a listing, as fields of its request.
pub(crate) type Arguments<'a> = &'a [(&'static str, Value)];

impl Suite {
    /// A suite with a server, on which each kind has a few resources to refer to.
    pub(crate) async fn start() -> Self {
        let (server, channel) = match std::env::var(REMOTE) {
            Ok(address) => (None, connect(&address).await),
            Err(_) => {
                let server = Server::start().await;
                let channel = server.channel().await;
                (Some(server), channel)
            }
        };
        let run = format!("t{:08x}", rand::random::<u32>());
        let sampler = Sampler { pool: HashMap::new(), run };
        let mut suite = Self { kinds: kinds(), caller: Caller::new(channel), sampler, server, made: AtomicU32::new(0) };
        suite.fill_pool().await;
        suite
    }

    async fn fill_pool(&mut self) {
        for kind in self.kinds.clone() {
            let mut names = Vec::new();
            for n in 0..3 {
                let made = self.create_least(&kind, n).await;
                names.push(text(&made, "name"));
            }
            self.sampler.pool.insert(kind.resource_type.clone(), names);
        }
    }

    /// Stops the server and starts it again, if it is one of its own; answers whether it is.
    pub(crate) async fn restart(&mut self) -> bool {
        let Some(server) = &mut self.server else { return false };
        server.restart().await;
        self.caller = Caller::new(server.channel().await);
        true
    }

    /// An id that nothing had before.
    pub(crate) fn id(&self) -> String {
        format!("{}-{}", self.sampler.run, self.made.fetch_add(1, Ordering::Relaxed))
    }

    /// Another kind than this one.
    pub(crate) fn other(&self, kind: &Kind) -> &Kind {
        self.kinds.iter().find(|other| other.collection != kind.collection).unwrap()
    }

    /// The kind of a resource type.
    pub(crate) fn kind(&self, resource_type: &str) -> &Kind {
        self.kinds.iter().find(|kind| kind.resource_type == resource_type).unwrap()
    }

    /// Calls a method with fields of its request.
    pub(crate) async fn call<'a>(
        &self,
        method: &MethodDescriptor,
        fields: impl IntoIterator<Item = (&'a str, Value)>,
    ) -> Result<DynamicMessage, Status> {
        self.caller.call(method, message(&method.input(), fields)).await
    }

    /// Calls a method as somebody, for a reason.
    pub(crate) async fn call_as<'a>(
        &self,
        method: &MethodDescriptor,
        fields: impl IntoIterator<Item = (&'a str, Value)>,
        actor: &str,
        reason: &str,
    ) -> Result<DynamicMessage, Status> {
        let mut metadata = MetadataMap::new();
        metadata.insert_bin("partnership-actor-bin", MetadataValue::from_bytes(actor.as_bytes()));
        metadata.insert_bin("partnership-reason-bin", MetadataValue::from_bytes(reason.as_bytes()));
        self.caller.call_with(method, message(&method.input(), fields), metadata).await
    }

    /// Creates a resource with an id.
    pub(crate) async fn create(
        &self,
        kind: &Kind,
        id: &str,
        resource: DynamicMessage,
    ) -> Result<DynamicMessage, Status> {
        self.call(&kind.create, [(id_field(kind).as_str(), string(id)), (&kind.singular, Value::Message(resource))])
            .await
    }

    /// Creates the least resource of a kind.
    pub(crate) async fn create_least(&self, kind: &Kind, seed: usize) -> DynamicMessage {
        self.create(kind, &self.id(), self.sampler.resource(kind, Fill::Least, seed)).await.unwrap()
    }

    /// Creates a resource with every field set.
    pub(crate) async fn create_all(&self, kind: &Kind, seed: usize) -> DynamicMessage {
        let made = self.create(kind, &self.id(), self.sampler.resource(kind, Fill::All, seed)).await;
        made.unwrap_or_else(|status| panic!("a full {} is refused: {}", kind.name(), status.message()))
    }

    /// Checks a creation, and creates nothing.
    pub(crate) async fn try_create(&self, kind: &Kind, resource: DynamicMessage) -> Result<DynamicMessage, Status> {
        self.call(
            &kind.create,
            [
                (id_field(kind).as_str(), string(self.id())),
                (&kind.singular, Value::Message(resource)),
                ("validate_only", Value::Bool(true)),
            ],
        )
        .await
    }

    /// Reads a resource at the head.
    pub(crate) async fn get(&self, kind: &Kind, name: &str) -> Result<DynamicMessage, Status> {
        self.call(&kind.get, [("name", string(name))]).await
    }

    /// Reads a resource as of a revision.
    pub(crate) async fn get_at(&self, kind: &Kind, name: &str, revision: u64) -> Result<DynamicMessage, Status> {
        self.call(&kind.get, [("name", string(name)), ("read_revision", Value::U64(revision))]).await
    }

    /// Changes what the paths name; no paths: no mask.
    pub(crate) async fn update(
        &self,
        kind: &Kind,
        resource: DynamicMessage,
        paths: &[&str],
    ) -> Result<DynamicMessage, Status> {
        let mut fields = vec![(kind.singular.as_str(), Value::Message(resource))];
        if !paths.is_empty() {
            fields.push(("update_mask", mask(kind, paths)));
        }
        self.call(&kind.update, fields).await
    }

    /// Renames a resource, by which it gets a new revision.
    pub(crate) async fn rename(&self, kind: &Kind, name: &str, display_name: &str) -> DynamicMessage {
        let change = message(&kind.message, [("name", string(name)), ("display_name", string(display_name))]);
        self.update(kind, change, &["display_name"]).await.unwrap()
    }

    /// Deletes a resource.
    pub(crate) async fn delete(&self, kind: &Kind, name: &str) -> Result<DynamicMessage, Status> {
        self.call(&kind.delete, [("name", string(name))]).await
    }

    /// Brings a resource back.
    pub(crate) async fn undelete(&self, kind: &Kind, name: &str) -> Result<DynamicMessage, Status> {
        self.call(&kind.undelete, [("name", string(name))]).await
    }

    /// Makes a resource what it was.
    pub(crate) async fn rollback(&self, kind: &Kind, name: &str, revision: u64) -> Result<DynamicMessage, Status> {
        self.call(&kind.rollback, [("name", string(format!("{name}/revisions/{revision}")))]).await
    }

    /// One page of a listing.
    pub(crate) async fn page(
        &self,
        kind: &Kind,
        arguments: Arguments<'_>,
        size: i32,
        token: &str,
    ) -> Result<Page, Status> {
        let mut fields: Vec<(&str, Value)> = arguments.to_vec();
        fields.push(("page_size", Value::I32(size)));
        fields.push(("page_token", string(token)));
        let answer = self.call(&kind.list, fields).await?;
        Ok(Page {
            resources: messages(&answer, &kind.plural),
            next: text(&answer, "next_page_token"),
            revision: number(&answer, "revision"),
            total: get(&answer, "total_size").as_i32().unwrap(),
        })
    }

    /// All of a listing, in pages of a size, each of which must be full but the last, and of one snapshot.
    pub(crate) async fn list(&self, kind: &Kind, arguments: Arguments<'_>, size: i32) -> Vec<DynamicMessage> {
        let (mut all, mut token, mut first) = (Vec::new(), String::new(), None);
        loop {
            let page = self.page(kind, arguments, size, &token).await.unwrap();
            let (revision, total) = *first.get_or_insert((page.revision, page.total));
            assert_eq!((page.revision, page.total), (revision, total), "the pages of a listing tell of one snapshot");
            assert!(page.resources.len() <= size as usize);
            if !page.next.is_empty() {
                assert_eq!(page.resources.len(), size as usize, "only the last page is short");
            }
            all.extend(page.resources);
            assert!(all.len() <= total as usize, "a listing of {total} goes on: {:?}", names(&all));
            token = page.next;
            if token.is_empty() {
                assert_eq!(all.len(), total as usize, "the total is that of the whole listing");
                return all;
            }
        }
    }

    /// Reads many.
    pub(crate) async fn batch_get(&self, kind: &Kind, names: &[String]) -> Result<Vec<DynamicMessage>, Status> {
        let answer = self.call(&kind.batch_get, [("names", strings(names.iter().cloned()))]).await?;
        Ok(messages(&answer, &kind.plural))
    }

    /// A method of the service that goes across kinds.
    pub(crate) fn across(&self, name: &str) -> MethodDescriptor {
        let service =
            partnership_registry::descriptors().get_service_by_name("partnership.registry.v1.RegistryService");
        service.unwrap().methods().find(|method| method.name() == name).unwrap()
    }

    /// The last revision.
    pub(crate) async fn head(&self) -> u64 {
        let fields = [("order_by", string("revision desc")), ("page_size", Value::I32(1))];
        number(&self.call(&self.across("ListCommits"), fields).await.unwrap(), "revision")
    }

    /// The history of a resource, newest first.
    pub(crate) async fn revisions(&self, name: &str) -> Vec<DynamicMessage> {
        let fields = [("parent", string(name)), ("page_size", Value::I32(1_000))];
        messages(&self.call(&self.across("ListRevisions"), fields).await.unwrap(), "revisions")
    }
}

/// The field of a creation with the id.
pub(crate) fn id_field(kind: &Kind) -> String {
    format!("{}_id", kind.singular)
}

/// A mask of paths.
pub(crate) fn mask(kind: &Kind, paths: &[&str]) -> Value {
    let field = kind.update.input().get_field_by_name("update_mask").unwrap();
    let mask = message(field.kind().as_message().unwrap(), [("paths", strings(paths.iter().copied()))]);
    Value::Message(mask)
}

/// A resource as it was sent: without its name, its etag and what the server wrote.
pub(crate) fn body(kind: &Kind, resource: &DynamicMessage) -> DynamicMessage {
    let mut body = resource.clone();
    for field in kind.output_only() {
        body.clear_field(&field);
    }
    body.clear_field_by_name("name");
    body.clear_field_by_name("etag");
    body
}

/// The same resource with a label.
pub(crate) fn labelled(mut resource: DynamicMessage, key: &str, value: &str) -> DynamicMessage {
    let labels = resource.get_field_by_name_mut("labels").unwrap().as_map_mut().unwrap();
    labels.insert(MapKey::String(key.into()), string(value));
    resource
}

/// The names of resources.
pub(crate) fn names(resources: &[DynamicMessage]) -> Vec<String> {
    resources.iter().map(|resource| text(resource, "name")).collect()
}

/// The seconds and nanoseconds in a field with a time; `None` if it is not set.
pub(crate) fn time(resource: &DynamicMessage, field: &str) -> Option<(i64, i32)> {
    if !resource.has_field_by_name(field) {
        return None;
    }
    let time = get(resource, field);
    let time = time.as_message().unwrap();
    Some((get(time, "seconds").as_i64().unwrap(), get(time, "nanos").as_i32().unwrap()))
}

/// The same resource with its name set, as an update sends it.
pub(crate) fn named(mut resource: DynamicMessage, name: &str) -> DynamicMessage {
    set(&mut resource, "name", string(name));
    resource
}

impl Suite {
    /// Commits mutations, given as the operation and the fields of its message.
    pub(crate) async fn commit(&self, mutations: Vec<Value>) -> Result<DynamicMessage, Status> {
        self.call(&self.across("Commit"), [("mutations", Value::List(mutations))]).await
    }

    /// A mutation of a commit, such as `create`, with the fields of it.
    pub(crate) fn mutation<'a>(&self, operation: &str, fields: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
        let input = self.across("Commit").input();
        let mutations = input.get_field_by_name("mutations").unwrap().kind();
        let mutation = mutations.as_message().unwrap();
        let chosen = mutation.get_field_by_name(operation).unwrap().kind();
        let chosen = message(chosen.as_message().unwrap(), fields);
        Value::Message(message(mutation, [(operation, Value::Message(chosen))]))
    }

    /// A mutation that creates a resource of this name.
    pub(crate) fn creation(&self, kind: &Kind, name: &str, resource: DynamicMessage) -> Value {
        self.mutation("create", [("resource", envelope(kind, named(resource, name)))])
    }
}

/// A resource in the envelope of all kinds.
pub(crate) fn envelope(kind: &Kind, resource: DynamicMessage) -> Value {
    let envelope = partnership_registry::descriptors().get_message_by_name("partnership.registry.v1.Resource").unwrap();
    Value::Message(message(&envelope, [(kind.singular.as_str(), Value::Message(resource))]))
}

/// The resource in an envelope.
pub(crate) fn opened(kind: &Kind, envelope: &Value) -> DynamicMessage {
    get(envelope.as_message().unwrap(), &kind.singular).as_message().unwrap().clone()
}
