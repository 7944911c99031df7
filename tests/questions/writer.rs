//! Who writes while questions are asked: random commits, of which the server's answers are remembered.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use partnership_registry::v1::registry_service_client::RegistryServiceClient;
use partnership_registry::v1::{
    ChangeAction, CommitRequest, CreateMutation, DeleteMutation, Mutation, RecordEventsMutation, UndeleteMutation,
    UpdateMutation, mutation, resource,
};
use prost_reflect::Value;
use prost_types::FieldMask;
use rand::RngExt as _;
use rand::rngs::StdRng;
use tonic::transport::Channel;

use super::memory::{Memory, collection};
use super::resources::{COLLECTIONS, Maker, others};
use super::row::{Row, revision};
use super::shape::Shape;
use crate::harness::dynamic::{Caller, message, messages, strings};

/// The kinds whose resources come and go.
const MOVING: [&str; 3] = ["agreements", "projects", "meetings"];

pub(crate) struct Writer {
    pub(crate) dice: StdRng,
    pub(crate) channel: Channel,
    pub(crate) shapes: Arc<Vec<Shape>>,
    pub(crate) memory: Arc<RwLock<Memory>>,
    pub(crate) created: u64,
    /// How many commits were made, and how many were refused.
    pub(crate) made: u64,
    pub(crate) refused: u64,
}

impl Writer {
    /// Creates what the others refer to, one after the other, and then so many of each of the kinds that come and go.
    pub(crate) async fn fill(&mut self, count: usize) {
        for name in others() {
            let mutation = self.create(&name);
            self.commit(vec![mutation]).await;
        }
        while MOVING.iter().any(|collection| self.memory.read().unwrap().names(collection, false).len() < count) {
            let mutations = (0..10)
                .map(|_| {
                    let name = self.new_name();
                    self.create(&name)
                })
                .collect();
            self.commit(mutations).await;
            for _ in 0..3 {
                self.write().await;
            }
        }
    }

    /// Makes one random commit.
    pub(crate) async fn write(&mut self) {
        let count = if self.dice.random_bool(0.5) { 1 } else { self.dice.random_range(2..8) };
        let mut names = Vec::new();
        let mut mutations = Vec::new();
        for _ in 0..count {
            let (name, mutation) = self.mutation();
            if !names.contains(&name) {
                names.push(name);
                mutations.push(mutation);
            }
        }
        self.commit(mutations).await;
    }

    fn new_name(&mut self) -> String {
        self.created += 1;
        format!("{}/r{}", MOVING[self.dice.random_range(0..MOVING.len())], self.created)
    }

    fn create(&mut self, name: &str) -> Mutation {
        let resource = Some(self.maker().resource(name));
        Mutation { operation: Some(mutation::Operation::Create(CreateMutation { resource })) }
    }

    fn maker(&mut self) -> Maker<'_> {
        let memory = self.memory.read().unwrap();
        let live = COLLECTIONS.map(|collection| (collection, memory.names(collection, false)));
        Maker { dice: &mut self.dice, live: BTreeMap::from(live) }
    }

    fn mutation(&mut self) -> (String, Mutation) {
        let choice = self.dice.random_range(0..10);
        // What the others refer to changes too, and with it the trees.
        let collection = match self.dice.random_range(0..12) {
            0 => "focusAreas",
            1 => "organizations",
            _ => MOVING[self.dice.random_range(0..MOVING.len())],
        };
        let names = self.memory.read().unwrap().names(collection, choice == 9);
        let Some(name) = (!names.is_empty()).then(|| names[self.dice.random_range(0..names.len())].clone()) else {
            let name = self.new_name();
            return (name.clone(), self.create(&name));
        };
        let operation = match choice {
            0 | 1 => {
                let name = self.new_name();
                return (name.clone(), self.create(&name));
            }
            2..4 if collection == "agreements" => {
                let Some(resource::Kind::Agreement(more)) = self.maker().resource(&name).kind else { panic!("{name}") };
                let events: Vec<_> = more.events.into_iter().take(2).collect();
                if events.is_empty() {
                    return self.mutation();
                }
                mutation::Operation::RecordEvents(RecordEventsMutation {
                    name: name.clone(),
                    events,
                    ..RecordEventsMutation::default()
                })
            }
            2..7 => mutation::Operation::Update(UpdateMutation {
                resource: Some(self.maker().resource(&name)),
                update_mask: Some(FieldMask { paths: vec!["*".into()] }),
                ..UpdateMutation::default()
            }),
            7 | 8 if MOVING.contains(&collection) => {
                mutation::Operation::Delete(DeleteMutation { name: name.clone(), ..DeleteMutation::default() })
            }
            9 => mutation::Operation::Undelete(UndeleteMutation { name: name.clone(), ..UndeleteMutation::default() }),
            _ => mutation::Operation::Update(UpdateMutation {
                resource: Some(self.maker().resource(&name)),
                update_mask: Some(FieldMask { paths: vec!["labels".into(), "display_name".into()] }),
                ..UpdateMutation::default()
            }),
        };
        (name, Mutation { operation: Some(operation) })
    }

    /// Makes a commit, unless it is refused, and remembers what came of it.
    async fn commit(&mut self, mutations: Vec<Mutation>) {
        let mut client = RegistryServiceClient::new(self.channel.clone());
        let request = CommitRequest { mutations, ..CommitRequest::default() };
        let answered = match client.commit(request).await {
            Ok(answered) => answered.into_inner(),
            // A live resource refers to what was to be deleted, or a parent would be below itself.
            Err(status) if status.code() == tonic::Code::FailedPrecondition => {
                self.refused += 1;
                return;
            }
            Err(status) => panic!("{status:?}"),
        };
        self.made += 1;
        let caller = Caller::new(self.channel.clone());
        let mut rows = Vec::new();
        for shape in self.shapes.iter() {
            let changed = answered.results.iter().filter(|result| result.action() != ChangeAction::Unchanged);
            let of_kind = changed.filter(|result| collection(&result.name) == shape.kind.collection);
            let names: Vec<_> = of_kind.map(|result| result.name.clone()).collect();
            if names.is_empty() {
                continue;
            }
            let fields = [("names", strings(names)), ("read_revision", Value::U64(answered.revision))];
            let read =
                caller.call(&shape.kind.batch_get, message(&shape.kind.batch_get.input(), fields)).await.unwrap();
            for resource in messages(&read, &shape.kind.plural) {
                assert_eq!(revision(&resource), answered.revision);
                rows.push(Row::new(shape, resource));
            }
        }
        let mut memory = self.memory.write().unwrap();
        if let Some(made) = answered.commit_time {
            memory.settle(answered.revision, made.seconds.div_euclid(86_400));
        }
        rows.into_iter().for_each(|row| memory.add(answered.revision, row));
        memory.head = answered.revision;
    }
}
