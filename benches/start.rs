//! Starting: with the state as it was left, after a kill, and with a state that has to be rebuilt from the journal.

use std::path::Path;
use std::time::Instant;

use partnership_registry::v1::GetProjectRequest;
use partnership_registry::v1::project_service_client::ProjectServiceClient;

use crate::process::{self, Process};
use crate::report::{Figures, table};
use crate::{Plan, commit, load, sample};

const RESOURCES: usize = 100_000;

/// How the server was left.
#[derive(Clone, Copy)]
enum Left {
    Stopped,
    Killed,
    WithoutState,
}

pub(crate) async fn run(plan: &Plan) {
    let (_, binary) = &plan.servers[0];
    let resources = if plan.quick { RESOURCES / 10 } else { RESOURCES };
    let data = process::directory();
    let server = Process::server(binary, data.path());
    let channels = load::connect(&server.address).await;
    sample::create_countries(&channels[0]).await;
    let names = commit::fill(&channels, resources).await;
    let name = names.last().unwrap();
    server.stop();

    let mut figures =
        [Left::Stopped, Left::Killed, Left::WithoutState].map(|left| (left, Figures::default(), Figures::default()));
    for _ in 0..plan.rounds {
        for (left, time, memory) in &mut figures {
            if let Left::WithoutState = left {
                std::fs::remove_dir_all(data.path().join("sled")).unwrap();
            }
            let (seconds, server) = start(binary, data.path(), name).await;
            time.push(seconds);
            memory.push(server.resident_mib());
            // Leaves it as the next one wants to find it.
            match left {
                Left::Stopped => drop(server),
                Left::Killed | Left::WithoutState => server.stop(),
            }
        }
    }
    let kept = figures[0].1.clone();
    let rows: Vec<_> = figures
        .iter()
        .map(|(left, time, memory)| {
            let left = match left {
                Left::Stopped => "state as a stop left it",
                Left::Killed => "state as a kill left it",
                Left::WithoutState => "state rebuilt from the journal",
            };
            vec![left.to_owned(), time.show(2), time.over(&kept).show(1), memory.show(0)]
        })
        .collect();
    table(
        &format!(
            "Start with {} resources, until the first Get is answered",
            crate::report::number(resources as f64, 0)
        ),
        &["", "seconds", "of the first", "resident MiB"],
        &rows,
    );
}

/// Starts the server, and answers how long it took until it answered.
async fn start(binary: &Path, data: &Path, name: &str) -> (f64, Process) {
    let began = Instant::now();
    let server = Process::server(binary, data);
    let channels = load::connect(&server.address).await;
    let request = GetProjectRequest { name: name.to_owned(), ..GetProjectRequest::default() };
    ProjectServiceClient::new(channels[0].clone()).get_project(request).await.unwrap();
    (began.elapsed().as_secs_f64(), server)
}
