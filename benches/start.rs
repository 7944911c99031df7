//! Starting: with and without a checkpoint, after a kill, and with a state that has to be rebuilt from the journal; beside
//! one reading of the journal's bytes.

use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, Instant};

use partnership_registry::v1::project_service_client::ProjectServiceClient;
use partnership_registry::v1::{GetProjectRequest, ListProjectsRequest};

use crate::process::{self, Process};
use crate::registry::Registry;
use crate::report::{Figures, number, table};
use crate::{Plan, load, sample};

/// How the server was left.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Left {
    Stopped,
    Killed,
    WithoutState,
    WithoutCheckpoint,
}

/// What was measured of the starts of one kind.
struct Starts {
    left: Left,
    get: Figures,
    create: Figures,
    list: Figures,
    resident: Figures,
    peak: Figures,
}

pub(crate) async fn run(plan: &Plan) {
    let (_, binary) = &plan.field.servers[0];
    let data = process::directory();
    let server = Process::server(binary, data.path());
    let registry = Registry::connect(&server.address).await;
    sample::create_countries(&registry.channels[0]).await;
    let names = registry.fill(plan.resources).await;
    for round in 1..=plan.changes {
        registry.change(&names, round).await;
    }
    let name = names.last().unwrap();
    // Nothing is due any more then.
    tokio::time::sleep(Duration::from_secs(if plan.quick { 2 } else { 30 })).await;
    server.stop();

    let figures = Figures::default;
    let mut starts = [Left::Stopped, Left::Killed, Left::WithoutState, Left::WithoutCheckpoint].map(|left| Starts {
        left,
        get: figures(),
        create: figures(),
        list: figures(),
        resident: figures(),
        peak: figures(),
    });
    let mut reading = Figures::default();
    for _ in 0..plan.rounds {
        reading.push(read_once(&data.path().join("journal")));
        for Starts { left, get, create, list, resident, peak } in &mut starts {
            match left {
                Left::Stopped | Left::Killed => {}
                Left::WithoutState => std::fs::remove_dir_all(data.path().join("sled")).unwrap(),
                Left::WithoutCheckpoint => {
                    let _ = std::fs::remove_file(data.path().join("checkpoint"));
                }
            }
            let began = Instant::now();
            let server = Process::server(binary, data.path());
            let channels = load::connect(&server.address).await;
            let mut client = ProjectServiceClient::new(channels[0].clone());
            let request = GetProjectRequest { name: name.to_owned(), ..GetProjectRequest::default() };
            client.get_project(request).await.unwrap();
            get.push(began.elapsed().as_secs_f64());
            client.create_project(sample::create(1, false)).await.unwrap();
            create.push(began.elapsed().as_secs_f64());
            let order_by = "display_name".to_owned();
            let request = ListProjectsRequest { order_by, page_size: 100, ..ListProjectsRequest::default() };
            client.list_projects(request).await.unwrap();
            list.push(began.elapsed().as_secs_f64());
            // Until the state is whole again and a checkpoint saved, if one was taken away.
            let settled = match left {
                Left::Stopped | Left::Killed => 1,
                Left::WithoutState | Left::WithoutCheckpoint => 2 + plan.resources as u64 / 20_000,
            };
            tokio::time::sleep(Duration::from_secs(settled)).await;
            resident.push(server.resident_mib());
            peak.push(server.peak_mib());
            // Leaves it as the next one wants to find it.
            match left {
                Left::Stopped => drop(server),
                Left::Killed | Left::WithoutState | Left::WithoutCheckpoint => server.stop(),
            }
        }
    }
    let rows: Vec<_> = starts
        .iter()
        .map(|Starts { left, get, create, list, resident, peak }| {
            let left = match left {
                Left::Stopped => "as a stop left it",
                Left::Killed => "as a kill left it",
                Left::WithoutState => "state rebuilt from the journal",
                Left::WithoutCheckpoint => "without a checkpoint",
            };
            let seconds = [get, create, list].map(|figures| figures.show(2));
            let [get_shown, create_shown, list_shown] = seconds;
            let ratio = get.over(&reading).show(2);
            vec![left.to_owned(), get_shown, create_shown, list_shown, ratio, resident.show(0), peak.show(0)]
        })
        .collect();
    table(
        &format!(
            "Start with {} resources, each changed {} times; the journal is read once in {} s",
            number(plan.resources as f64, 0),
            plan.changes,
            reading.show(2)
        ),
        &["", "until a Get, s", "a write, s", "a List, s", "Get, of the reading", "resident MiB", "peak MiB"],
        &rows,
    );
}

/// How long it takes to read all files of a directory, in seconds.
fn read_once(dir: &Path) -> f64 {
    let began = Instant::now();
    let mut buffer = vec![0; 1 << 20];
    for entry in std::fs::read_dir(dir).unwrap() {
        let mut file = std::fs::File::open(entry.unwrap().path()).unwrap();
        while file.read(&mut buffer).unwrap() > 0 {}
    }
    began.elapsed().as_secs_f64()
}
