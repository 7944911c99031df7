//! What many watchers cost those who write: Create with 100 of them, each of which is to hear of one in a hundred.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use partnership_registry::v1::project_service_client::ProjectServiceClient;
use partnership_registry::v1::{WatchRequest, watch_request};
use prost::bytes::Buf as _;
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic_prost::{ProstCodec, ProstEncoder};

use crate::aims::Aims;
use crate::process::{self, Process};
use crate::registry::Registry;
use crate::report::{Figures, number, table};
use crate::{Plan, load, sample};

const WATCHERS: u64 = 100;
const IN_FLIGHT: [usize; 1] = [64];
const LABEL: &str = "share";

#[derive(Default)]
struct Measured {
    rate: Figures,
    p50: Figures,
    p99: Figures,
    cpu: Figures,
    own_cpu: Figures,
}

pub(crate) async fn run(plan: &Plan, aims: &mut Aims) {
    let (_, binary) = &plan.field.servers[0];
    for in_flight in plan.in_flight(&IN_FLIGHT, &IN_FLIGHT) {
        let heard = Arc::new(AtomicU64::new(0));
        // What the watchers are to hear of: what the second server took.
        let mut written = 0;
        let mut servers = Vec::new();
        for watched in [false, true] {
            let dir = process::directory();
            let server = Process::server(binary, dir.path()).with(dir);
            let registry = Registry::connect(&server.address).await;
            sample::create_countries(&registry.channels[0]).await;
            if watched {
                // The writers have connections of their own.
                let channels = load::connect(&server.address).await;
                for share in 0..WATCHERS {
                    watch(channels[share as usize % channels.len()].clone(), share, heard.clone()).await;
                }
            }
            written = one_turn(plan, in_flight, &server, &registry).await.calls;
            servers.push((server, registry, Measured::default()));
        }
        for _ in 0..plan.rounds {
            for (at, (server, registry, measured)) in servers.iter_mut().enumerate() {
                let before = (server.cpu_seconds(), process::own_cpu_seconds());
                let turn = one_turn(plan, in_flight, server, registry).await;
                let after = (server.cpu_seconds(), process::own_cpu_seconds());
                measured.cpu.push((after.0 - before.0) * 1e6 / turn.calls as f64);
                measured.own_cpu.push((after.1 - before.1) * 1e6 / turn.calls as f64);
                measured.rate.push(turn.rate);
                measured.p50.push(turn.p50);
                measured.p99.push(turn.p99);
                written += if at == 1 { turn.calls } else { 0 };
            }
        }
        let until = Instant::now() + Duration::from_secs(10);
        while heard.load(Ordering::Relaxed) < written {
            assert!(Instant::now() < until, "the watchers were not told of all");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let [(_, _, without), (_, _, with)] = &servers[..] else { return };
        let row = |name: &str, measured: &Measured| {
            vec![
                name.to_owned(),
                measured.rate.show(0),
                measured.rate.over(&without.rate).show(2),
                measured.p50.show(0),
                number(measured.p99.median(), 0),
                number(measured.cpu.median(), 1),
                number(measured.own_cpu.median(), 1),
            ]
        };
        table(
            &format!("Create, durable, {in_flight} in flight, with watchers that each select one in {WATCHERS}"),
            &["", "calls/s", "of that without", "p50 µs", "p99 µs", "its CPU µs/call", "the client's"],
            &[row("without watchers", without), row(&format!("{WATCHERS} watchers"), with)],
        );
        let ratio = with.rate.over(&without.rate);
        aims.at_least("Create, 64 in flight, with 100 watchers, of that without", 0.8, Some(&ratio));
    }
}

async fn one_turn(plan: &Plan, in_flight: usize, server: &Process, registry: &Registry) -> load::Turn {
    let clients: Arc<Vec<_>> = Arc::new(registry.channels.iter().cloned().map(ProjectServiceClient::new).collect());
    let next = Arc::new(AtomicU64::new(0));
    let turn = load::run(in_flight, plan.turn, move |caller, _| {
        let mut client = clients[caller % clients.len()].clone();
        let number = next.fetch_add(1, Ordering::Relaxed);
        let mut request = sample::create(number, false);
        if let Some(project) = &mut request.project {
            project.labels.insert(LABEL.to_owned(), (number % WATCHERS).to_string());
        }
        async move {
            client.create_project(request).await.unwrap();
        }
    })
    .await;
    process::settle(server).await;
    turn
}

/// Opens a stream and counts the messages on it, without a look into them: the watchers share the cores of the server.
async fn watch(channel: Channel, share: u64, heard: Arc<AtomicU64>) {
    let request = WatchRequest {
        start: Some(watch_request::Start::Now(true)),
        collections: vec!["projects".to_owned()],
        filter: format!("labels.{LABEL} = \"{share}\""),
    };
    let mut grpc = tonic::client::Grpc::new(channel);
    grpc.ready().await.unwrap();
    let method = PathAndQuery::from_static("/partnership.registry.v1.RegistryService/Watch");
    let mut stream = grpc.server_streaming(tonic::Request::new(request), method, Drain).await.unwrap().into_inner();
    tokio::spawn(async move {
        while let Ok(Some(())) = stream.message().await {
            heard.fetch_add(1, Ordering::Relaxed);
        }
    });
}

/// Takes messages as they are, and drops them.
#[derive(Clone, Copy)]
struct Drain;

impl Codec for Drain {
    type Encode = WatchRequest;
    type Decode = ();
    type Encoder = ProstEncoder<WatchRequest>;
    type Decoder = Drain;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<WatchRequest, ()>::default().encoder()
    }

    fn decoder(&mut self) -> Drain {
        Drain
    }
}

impl Decoder for Drain {
    type Item = ();
    type Error = Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
        message.advance(message.remaining());
        Ok(Some(()))
    }
}
