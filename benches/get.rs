//! Get, beside the echo.

use std::sync::Arc;

use partnership_registry::v1::GetProjectRequest;
use partnership_registry::v1::project_service_client::ProjectServiceClient;
use tonic::transport::Channel;

use crate::process::{self, Process};
use crate::report::{Figures, table};
use crate::{Plan, commit, echo, load, sample};

const IN_FLIGHT: [usize; 1] = [64];
/// How many projects there are to be read.
const PROJECTS: usize = 10_000;

/// A contestant and its figures.
struct Contestant {
    name: String,
    process: usize,
    channels: Vec<Channel>,
    names: Arc<Vec<String>>,
    rate: Figures,
    p50: Figures,
    p99: Figures,
    cpu: Figures,
}

pub(crate) async fn run(plan: &Plan) {
    let mut processes = vec![Process::echo()];
    let channels = load::connect(&processes[0].address).await;
    let contestant = |name: &str, process, channels, names| Contestant {
        name: name.to_owned(),
        process,
        channels,
        names: Arc::new(names),
        rate: Figures::default(),
        p50: Figures::default(),
        p99: Figures::default(),
        cpu: Figures::default(),
    };
    let mut data = Vec::new();
    let mut servers = Vec::new();
    let mut bytes = 0;
    for (name, binary) in &plan.servers {
        let dir = process::directory();
        let server = Process::server(binary, dir.path());
        let to_server = load::connect(&server.address).await;
        sample::create_countries(&to_server[0]).await;
        let names = commit::fill(&to_server, if plan.quick { PROJECTS / 5 } else { PROJECTS }).await;
        bytes = sample::assert_same_size(&to_server[0], &channels[0]).await;
        servers.push(contestant(name, processes.len(), to_server, names));
        processes.push(server);
        data.push(dir);
    }
    for in_flight in plan.in_flight(&IN_FLIGHT) {
        let mut contestants = vec![
            contestant("echo of the same message", 0, channels.clone(), vec!["projects/same".to_owned()]),
            contestant("echo of one text of that size", 0, channels.clone(), vec![echo::ONE_TEXT.to_owned()]),
        ];
        for server in &servers {
            contestants.push(contestant(
                &format!("{}, Get", server.name),
                server.process,
                server.channels.clone(),
                server.names.to_vec(),
            ));
        }
        for _ in 0..plan.rounds {
            for contestant in &mut contestants {
                let process = &processes[contestant.process];
                let before = process.cpu_seconds();
                let clients: Arc<Vec<_>> =
                    Arc::new(contestant.channels.iter().cloned().map(ProjectServiceClient::new).collect());
                let names = contestant.names.clone();
                let turn = load::run(in_flight, plan.turn, move |caller, call| {
                    let mut client = clients[caller % clients.len()].clone();
                    let name =
                        names[(call as usize).wrapping_mul(7_919).wrapping_add(caller * 104_729) % names.len()].clone();
                    async move {
                        client.get_project(GetProjectRequest { name, ..GetProjectRequest::default() }).await.unwrap();
                    }
                })
                .await;
                process::settle().await;
                contestant.rate.push(turn.rate);
                contestant.p50.push(turn.p50);
                contestant.p99.push(turn.p99);
                contestant.cpu.push((process.cpu_seconds() - before) * 1e6 / turn.calls as f64);
            }
        }
        let (echo, one_text) = (contestants[0].rate.clone(), contestants[1].rate.clone());
        let rows: Vec<_> = contestants
            .iter()
            .map(|contestant| {
                vec![
                    contestant.name.clone(),
                    contestant.rate.show(0),
                    contestant.rate.over(&echo).show(2),
                    contestant.rate.over(&one_text).show(2),
                    crate::report::number(contestant.p50.median(), 0),
                    crate::report::number(contestant.p99.median(), 0),
                    crate::report::number(contestant.cpu.median(), 1),
                ]
            })
            .collect();
        table(
            &format!("Get, {in_flight} in flight, a project of {bytes} bytes; aim: 0.9 of the echo"),
            &["", "calls/s", "of the echo", "of the text", "p50 µs", "p99 µs", "its CPU µs/call"],
            &rows,
        );
    }
    drop(servers);
    drop(data);
}
