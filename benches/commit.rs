//! Commits of 500 resources, beside the echo.

use std::sync::Arc;

use partnership_registry::v1::registry_service_client::RegistryServiceClient;
use partnership_registry::v1::{
    CommitRequest, CreateMutation, Mutation, Project, Resource, UpdateMutation, mutation, resource,
};
use tonic::transport::Channel;

use crate::process::{self, Process};
use crate::report::{Figures, number, table};
use crate::{Plan, load, sample};

const IN_FLIGHT: [usize; 3] = [1, 2, 4];
const BATCH: usize = 500;

fn batch(first: u64, count: usize) -> CommitRequest {
    let create = |number| {
        let resource = Resource { kind: Some(resource::Kind::Project(sample::project(number))) };
        Mutation { operation: Some(mutation::Operation::Create(CreateMutation { resource: Some(resource) })) }
    };
    CommitRequest { mutations: (first..first + count as u64).map(create).collect(), ..CommitRequest::default() }
}

/// Creates so many projects, and answers their names.
pub(crate) async fn fill(channels: &[Channel], count: usize) -> Vec<String> {
    let mut filling = tokio::task::JoinSet::new();
    let mut names = Vec::new();
    for first in (0..count).step_by(BATCH) {
        let mut client = RegistryServiceClient::new(channels[first / BATCH % channels.len()].clone());
        filling.spawn(async move {
            client.commit(batch(first as u64, BATCH.min(count - first))).await.unwrap().into_inner()
        });
        if filling.len() >= channels.len() {
            names.extend(filling.join_next().await.unwrap().unwrap().results.into_iter().map(|result| result.name));
        }
    }
    while let Some(filled) = filling.join_next().await {
        names.extend(filled.unwrap().results.into_iter().map(|result| result.name));
    }
    names
}

/// Changes each of these, in commits.
pub(crate) async fn change(channels: &[Channel], names: &[String], round: usize) {
    let mut changing = tokio::task::JoinSet::new();
    for (number, names) in names.chunks(BATCH).enumerate() {
        let update = |(at, name): (usize, &String)| {
            let project = sample::project((number * BATCH + at + round) as u64);
            let resource = Resource { kind: Some(resource::Kind::Project(Project { name: name.clone(), ..project })) };
            let operation =
                mutation::Operation::Update(UpdateMutation { resource: Some(resource), ..UpdateMutation::default() });
            Mutation { operation: Some(operation) }
        };
        let mutations = names.iter().enumerate().map(update).collect();
        let mut client = RegistryServiceClient::new(channels[number % channels.len()].clone());
        let request = CommitRequest { mutations, ..CommitRequest::default() };
        changing.spawn(async move { client.commit(request).await.map(drop).unwrap() });
        if changing.len() >= channels.len() {
            changing.join_next().await.unwrap().unwrap();
        }
    }
    while let Some(changed) = changing.join_next().await {
        changed.unwrap();
    }
}

pub(crate) async fn run(plan: &Plan) {
    let mut rows = Vec::new();
    for in_flight in plan.in_flight(&IN_FLIGHT) {
        let echo = Process::echo();
        let to_echo = load::connect(&echo.address).await;
        let mut servers = Vec::new();
        for (name, binary) in &plan.servers {
            let data = process::directory();
            let server = Process::server(binary, data.path());
            let channels = load::connect(&server.address).await;
            sample::create_countries(&channels[0]).await;
            one_turn(plan, in_flight, &channels).await;
            servers.push((name, data, server, channels, Figures::default(), Figures::default(), Figures::default()));
        }
        let mut echo_rate = Figures::default();
        for _ in 0..plan.rounds {
            echo_rate.push(one_turn(plan, in_flight, &to_echo).await.rate * BATCH as f64);
            for (_, _, server, channels, rate, p50, cpu) in &mut servers {
                let before = server.cpu_seconds();
                let turn = one_turn(plan, in_flight, channels).await;
                rate.push(turn.rate * BATCH as f64);
                p50.push(turn.p50 / 1e3);
                cpu.push((server.cpu_seconds() - before) * 1e6 / (turn.calls * BATCH as u64) as f64);
            }
        }
        for (name, _, _, _, rate, p50, cpu) in &servers {
            let name = if servers.len() > 1 { format!(", {name}") } else { String::new() };
            rows.push(vec![
                format!("{in_flight}{name}"),
                rate.show(0),
                rate.over(&echo_rate).show(2),
                number(echo_rate.median(), 0),
                number(p50.median(), 1),
                number(cpu.median(), 1),
            ]);
        }
    }
    table(
        &format!("Commit, durable, {BATCH} new projects each; aim: 40,000 resources/s"),
        &["in flight", "resources/s", "of the echo", "echo, resources/s", "p50 ms", "CPU µs/resource"],
        &rows,
    );
}

async fn one_turn(plan: &Plan, in_flight: usize, channels: &[Channel]) -> load::Turn {
    let clients: Arc<Vec<_>> = Arc::new(channels.iter().cloned().map(RegistryServiceClient::new).collect());
    // The batches are made before: making them is not what is measured.
    let request = Arc::new(batch(0, BATCH));
    let turn = load::run(in_flight, plan.turn, move |caller, _| {
        let mut client = clients[caller % clients.len()].clone();
        let request = CommitRequest::clone(&request);
        async move {
            client.commit(request).await.unwrap();
        }
    })
    .await;
    process::settle().await;
    turn
}
