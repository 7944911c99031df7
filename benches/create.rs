//! Durable Create, beside the echo and a bare journal.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use partnership_registry::v1::project_service_client::ProjectServiceClient;
use tonic::transport::Channel;

use crate::process::{self, Process};
use crate::raw_journal::{self, Journal};
use crate::report::{Figures, number, table};
use crate::{Plan, load, sample};

const IN_FLIGHT: [usize; 4] = [1, 8, 64, 256];

#[derive(Default)]
struct Measured {
    rate: Figures,
    p50: Figures,
    p99: Figures,
    cpu: Figures,
    journal: Journal,
}

pub(crate) async fn run(plan: &Plan) {
    let mut rows = Vec::new();
    let mut bytes = 0;
    for in_flight in plan.in_flight(&IN_FLIGHT) {
        // As it is with the client crate, which sends a request id with every write.
        for with_request_id in [false, true] {
            if with_request_id && in_flight != 64 {
                continue;
            }
            bytes = level(plan, in_flight, with_request_id, &mut rows).await;
        }
    }
    table(
        &format!("Create, durable, a project answered in {bytes} bytes; aim: 0.5 of the echo with 64 in flight"),
        &[
            "in flight",
            "calls/s",
            "of the echo",
            "echo, calls/s",
            "of bare fdatasync",
            "bare, commits/s",
            "commits/fdatasync",
            "p50 µs",
            "p99 µs",
            "CPU µs/call",
            "echo's",
        ],
        &rows,
    );
}

async fn level(plan: &Plan, in_flight: usize, with_request_id: bool, rows: &mut Vec<Vec<String>>) -> usize {
    let raw_dir = process::directory();
    let echo = Process::echo();
    let to_echo = load::connect(&echo.address).await;
    let mut servers = Vec::new();
    let mut bytes = 0;
    for (name, binary) in &plan.servers {
        let data = process::directory();
        let server = Process::server(binary, data.path());
        let channels = load::connect(&server.address).await;
        sample::create_countries(&channels[0]).await;
        bytes = sample::assert_same_size(&channels[0], &to_echo[0]).await;
        // A first look at what a commit takes in the journal, for the bare one; also the warm-up.
        one_turn(plan, in_flight, with_request_id, &channels).await;
        servers.push((name, data, server, channels, Measured::default()));
    }
    let (mut echo_rate, mut echo_cpu, mut raw) = (Figures::default(), Figures::default(), Figures::default());
    for _ in 0..plan.rounds {
        let before = echo.cpu_seconds();
        let turn = one_turn(plan, in_flight, with_request_id, &to_echo).await;
        echo_cpu.push((echo.cpu_seconds() - before) * 1e6 / turn.calls as f64);
        echo_rate.push(turn.rate);
        let mut commit_bytes = 0;
        for (_, data, server, channels, measured) in &mut servers {
            let journal = Journal::read(data.path());
            let before = server.cpu_seconds();
            let turn = one_turn(plan, in_flight, with_request_id, channels).await;
            measured.cpu.push((server.cpu_seconds() - before) * 1e6 / turn.calls as f64);
            measured.rate.push(turn.rate);
            measured.p50.push(turn.p50);
            measured.p99.push(turn.p99);
            let made = Journal::read(data.path()).since(journal);
            commit_bytes = made.commit_bytes();
            measured.journal.commits += made.commits;
            measured.journal.groups += made.groups;
            measured.journal.bytes += made.bytes;
        }
        let (dir, turn) = (raw_dir.path().to_owned(), plan.turn / 2);
        raw.push(
            tokio::task::spawn_blocking(move || raw_journal::append(&dir, in_flight, commit_bytes, turn))
                .await
                .unwrap(),
        );
    }
    for (name, _, _, _, measured) in &servers {
        let mut label = in_flight.to_string();
        if with_request_id {
            label.push_str(", request ids");
        }
        if servers.len() > 1 {
            label.push_str(&format!(", {name}"));
        }
        rows.push(vec![
            label,
            measured.rate.show(0),
            measured.rate.over(&echo_rate).show(2),
            number(echo_rate.median(), 0),
            measured.rate.over(&raw).show(2),
            number(raw.median(), 0),
            number(measured.journal.group_size(), 1),
            number(measured.p50.median(), 0),
            number(measured.p99.median(), 0),
            number(measured.cpu.median(), 1),
            number(echo_cpu.median(), 1),
        ]);
    }
    bytes
}

async fn one_turn(plan: &Plan, in_flight: usize, with_request_id: bool, channels: &[Channel]) -> load::Turn {
    let clients: Arc<Vec<_>> = Arc::new(channels.iter().cloned().map(ProjectServiceClient::new).collect());
    let next = Arc::new(AtomicU64::new(0));
    let turn = load::run(in_flight, plan.turn, move |caller, _| {
        let mut client = clients[caller % clients.len()].clone();
        let request = sample::create(next.fetch_add(1, Ordering::Relaxed), with_request_id);
        async move {
            client.create_project(request).await.unwrap();
        }
    })
    .await;
    process::settle().await;
    turn
}
