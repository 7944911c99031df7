//! What many watchers cost those who write: Create with 100 of them, each of which is to hear of one in a hundred.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Buf as _;
use partnership_registry::v1::{WatchRequest, watch_request};
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic_prost::{ProstCodec, ProstEncoder};

use crate::aims::Aims;
use crate::load::Work;
use crate::{Plan, contestant, load, sample};

const IN_FLIGHT: [usize; 1] = [64];
const CREATE: Work = Work::Create { with_request_id: false };

pub(crate) async fn run(plan: &Plan, aims: &mut Aims) {
    let (_, binary) = &plan.field.servers[0];
    for in_flight in plan.in_flight(&IN_FLIGHT, &IN_FLIGHT) {
        let mut watched = contestant::server(&format!("{} watchers", sample::DISTRICTS), binary).await;
        let mut unwatched = contestant::server("no watchers", binary).await;
        let heard = Arc::new(AtomicU64::new(0));
        // The writers have connections of their own.
        let channels = load::connect(watched.address()).await;
        for district in 0..sample::DISTRICTS {
            watch(channels[district as usize % channels.len()].clone(), district, heard.clone()).await;
        }
        let mut written = watched.try_out(CREATE, in_flight, plan.turn / 2).await.calls;
        unwatched.try_out(CREATE, in_flight, plan.turn / 2).await;
        for _ in 0..plan.rounds {
            written += watched.turn(CREATE, in_flight, plan.turn).await.calls;
            unwatched.turn(CREATE, in_flight, plan.turn).await;
        }
        let until = Instant::now() + Duration::from_secs(10);
        while heard.load(Ordering::Relaxed) < written {
            assert!(Instant::now() < until, "the watchers were not told of all");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let title = format!("Create, durable, {in_flight} in flight, with watchers that each select one in a hundred");
        let rows = [watched.row(&watched.rate), unwatched.row(&watched.rate)];
        contestant::table(&title, "calls", None, &rows);
        let ratio = watched.rate.over(&unwatched.rate);
        aims.at_least("Create, 64 in flight, with 100 watchers, of that without", 0.8, Some(&ratio));
    }
}

/// Opens a stream and counts the messages on it, without a look into them: the watchers share the cores of the server.
async fn watch(channel: Channel, district: u64, heard: Arc<AtomicU64>) {
    let request = WatchRequest {
        start: Some(watch_request::Start::Now(true)),
        collections: vec!["projects".to_owned()],
        filter: format!("labels.{} = \"{district}\"", sample::DISTRICT),
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
