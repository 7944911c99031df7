//! From the acknowledgement of a Create to the watchers, beside a round trip to the echo.

use std::time::{Duration, Instant};

use partnership_registry::v1::project_service_client::ProjectServiceClient;
use partnership_registry::v1::registry_service_client::RegistryServiceClient;
use partnership_registry::v1::{WatchRequest, watch_request, watch_response};
use tokio::sync::mpsc;
use tonic::transport::Channel;

use crate::process::{self, Process};
use crate::report::{Figures, number, table};
use crate::{Plan, load, sample};

const WATCHERS: [usize; 2] = [1, 100];

pub(crate) async fn run(plan: &Plan) {
    let (_, binary) = &plan.field.servers[0];
    let echo = Process::echo();
    let to_echo = load::connect(&echo.address).await;
    let mut rows = Vec::new();
    for watchers in WATCHERS {
        let data = process::directory();
        let server = Process::server(binary, data.path());
        let channels = load::connect(&server.address).await;
        sample::create_countries(&channels[0]).await;
        let (delivered, mut deliveries) = mpsc::unbounded_channel();
        for watcher in 0..watchers {
            // The writer has a connection of its own.
            watch(channels[1 + watcher % (channels.len() - 1)].clone(), delivered.clone()).await;
        }
        let mut writer = ProjectServiceClient::new(channels[0].clone());
        let mut of_echo = ProjectServiceClient::new(to_echo[0].clone());
        let (mut p50, mut p99, mut last, mut round_trip) =
            (Figures::default(), Figures::default(), Figures::default(), Figures::default());
        for _ in 0..plan.rounds {
            let (mut times, mut last_times, mut trips) = (Vec::new(), Vec::new(), Vec::new());
            let end = Instant::now() + plan.turn;
            while Instant::now() < end {
                let sent = Instant::now();
                of_echo.create_project(sample::create(1, false)).await.unwrap();
                trips.push(sent.elapsed().as_secs_f64() * 1e6);

                let revision = writer.create_project(sample::create(1, false)).await.unwrap().into_inner().revision;
                let acknowledged = Instant::now();
                let mut latest = f64::NEG_INFINITY;
                for _ in 0..watchers {
                    let told = tokio::time::timeout(Duration::from_secs(10), deliveries.recv()).await;
                    let (told, at): (u64, Instant) = told.expect("a watcher was not told").unwrap();
                    assert_eq!(told, revision);
                    // A watcher may well hear of it before the writer does.
                    let time = at.saturating_duration_since(acknowledged).as_secs_f64()
                        - acknowledged.saturating_duration_since(at).as_secs_f64();
                    times.push(time * 1e6);
                    latest = latest.max(time * 1e6);
                }
                last_times.push(latest);
            }
            for sorted in [&mut times, &mut last_times, &mut trips] {
                sorted.sort_by(f64::total_cmp);
            }
            p50.push(load::percentile(&times, 0.50));
            p99.push(load::percentile(&times, 0.99));
            last.push(load::percentile(&last_times, 0.50));
            round_trip.push(load::percentile(&trips, 0.50));
        }
        rows.push(vec![
            watchers.to_string(),
            p50.show(0),
            p99.show(0),
            last.show(0),
            number(round_trip.median(), 0),
            p50.over(&round_trip).show(2),
            p99.over(&round_trip).show(2),
        ]);
    }
    table(
        "Watch: from the acknowledgement of a Create to its delivery, in µs; below zero: delivered before it was acknowledged",
        &[
            "watchers",
            "p50",
            "p99",
            "the last one, p50",
            "echo's round trip",
            "p50 in round trips",
            "p99 in round trips",
        ],
        &rows,
    );
}

/// Opens a stream and tells of every commit on it.
async fn watch(channel: Channel, delivered: mpsc::UnboundedSender<(u64, Instant)>) {
    let request = WatchRequest { start: Some(watch_request::Start::Now(true)), ..WatchRequest::default() };
    let mut stream = RegistryServiceClient::new(channel).watch(request).await.unwrap().into_inner();
    tokio::spawn(async move {
        while let Ok(Some(message)) = stream.message().await {
            if let Some(watch_response::Event::Commit(commit)) = message.event {
                let told = (commit.commit.unwrap().revision, Instant::now());
                if delivered.send(told).is_err() {
                    return;
                }
            }
        }
    });
}
