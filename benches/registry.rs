//! The client of the registry, and of the echo, which speaks the same contract.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use partnership_registry::v1::project_service_client::ProjectServiceClient;
use partnership_registry::v1::registry_service_client::RegistryServiceClient;
use partnership_registry::v1::{
    CommitRequest, CreateMutation, GetProjectRequest, Mutation, Project, Resource, UpdateMutation, mutation, resource,
};
use tonic::transport::Channel;

use crate::load::{self, Turn, Work};
use crate::sample;

/// Connections, and what there is to be read.
#[derive(Clone)]
pub(crate) struct Registry {
    pub(crate) channels: Vec<Channel>,
    pub(crate) names: Arc<Vec<String>>,
}

impl Registry {
    pub(crate) async fn connect(address: &str) -> Registry {
        Registry { channels: load::connect(address).await, names: Arc::default() }
    }

    pub(crate) async fn turn(&self, work: Work, in_flight: usize, time: Duration) -> Turn {
        match work {
            Work::Create { with_request_id } => self.create(with_request_id, in_flight, time).await,
            Work::Get => self.get(in_flight, time).await,
            Work::Commit => self.commit(in_flight, time).await,
        }
    }

    async fn create(&self, with_request_id: bool, in_flight: usize, time: Duration) -> Turn {
        let clients: Arc<Vec<_>> = Arc::new(self.channels.iter().cloned().map(ProjectServiceClient::new).collect());
        let next = Arc::new(AtomicU64::new(0));
        load::run(in_flight, time, move |caller, _| {
            let mut client = clients[caller % clients.len()].clone();
            let request = sample::create(next.fetch_add(1, Ordering::Relaxed), with_request_id);
            async move {
                client.create_project(request).await.unwrap();
            }
        })
        .await
    }

    async fn get(&self, in_flight: usize, time: Duration) -> Turn {
        let clients: Arc<Vec<_>> = Arc::new(self.channels.iter().cloned().map(ProjectServiceClient::new).collect());
        let names = self.names.clone();
        load::run(in_flight, time, move |caller, call| {
            let mut client = clients[caller % clients.len()].clone();
            let name = load::pick(&names, caller, call).clone();
            async move {
                client.get_project(GetProjectRequest { name, ..GetProjectRequest::default() }).await.unwrap();
            }
        })
        .await
    }

    async fn commit(&self, in_flight: usize, time: Duration) -> Turn {
        let clients: Arc<Vec<_>> = Arc::new(self.channels.iter().cloned().map(RegistryServiceClient::new).collect());
        // The batches are made before: making them is not what is measured.
        let request = Arc::new(batch(0, load::BATCH));
        load::run(in_flight, time, move |caller, _| {
            let mut client = clients[caller % clients.len()].clone();
            let request = CommitRequest::clone(&request);
            async move {
                client.commit(request).await.unwrap();
            }
        })
        .await
    }

    /// Creates so many projects, and answers their names.
    pub(crate) async fn fill(&self, count: usize) -> Vec<String> {
        let mut filling = tokio::task::JoinSet::new();
        let mut names = Vec::new();
        for first in (0..count).step_by(load::BATCH) {
            let channel = self.channels[first / load::BATCH % self.channels.len()].clone();
            let mut client = RegistryServiceClient::new(channel);
            filling.spawn(async move {
                client.commit(batch(first as u64, load::BATCH.min(count - first))).await.unwrap().into_inner()
            });
            if filling.len() >= self.channels.len() {
                names.extend(filling.join_next().await.unwrap().unwrap().results.into_iter().map(|result| result.name));
            }
        }
        while let Some(filled) = filling.join_next().await {
            names.extend(filled.unwrap().results.into_iter().map(|result| result.name));
        }
        names
    }

    /// Changes each of these, in commits.
    pub(crate) async fn change(&self, names: &[String], round: usize) {
        let mut changing = tokio::task::JoinSet::new();
        for (number, names) in names.chunks(load::BATCH).enumerate() {
            let update = |(at, name): (usize, &String)| {
                let project = sample::project((number * load::BATCH + at + round) as u64);
                let resource =
                    Resource { kind: Some(resource::Kind::Project(Project { name: name.clone(), ..project })) };
                let operation = mutation::Operation::Update(UpdateMutation {
                    resource: Some(resource),
                    ..UpdateMutation::default()
                });
                Mutation { operation: Some(operation) }
            };
            let mutations = names.iter().enumerate().map(update).collect();
            let mut client = RegistryServiceClient::new(self.channels[number % self.channels.len()].clone());
            let request = CommitRequest { mutations, ..CommitRequest::default() };
            changing.spawn(async move { client.commit(request).await.map(drop).unwrap() });
            if changing.len() >= self.channels.len() {
                changing.join_next().await.unwrap().unwrap();
            }
        }
        while let Some(changed) = changing.join_next().await {
            changed.unwrap();
        }
    }
}

fn batch(first: u64, count: usize) -> CommitRequest {
    let create = |number| {
        let resource = Resource { kind: Some(resource::Kind::Project(sample::project(number))) };
        Mutation { operation: Some(mutation::Operation::Create(CreateMutation { resource: Some(resource) })) }
    };
    CommitRequest { mutations: (first..first + count as u64).map(create).collect(), ..CommitRequest::default() }
}
