//! etcd, where Debian's package is installed: one member, durable as it is by default.
//!
//! The same client speaks to it as to the registry: the same connections, and stubs like those that tonic generates. A
//! project is a key with the document that the server would keep as its value; the caller makes and encodes it, and
//! decodes what it reads, as the registry's caller does. etcd checks and indexes nothing but the key.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use partnership_registry::v1::Project;
use prost::Message;
use tonic::Status;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic_prost::ProstCodec;

use crate::load::{self, Turn, Work};
use crate::process::{self, Process};
use crate::sample;

/// Where etcd is, and which; otherwise why it is not measured.
pub(crate) fn find() -> Result<(PathBuf, String), String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let binary = std::env::split_paths(&path).map(|dir| dir.join("etcd")).find(|binary| binary.is_file());
    let binary = binary.ok_or("not installed (Debian: etcd-server)")?;
    let version = process::version(&binary);
    Ok((binary, version))
}

/// Starts it on free ports, with room for what is measured.
pub(crate) async fn start(binary: &std::path::Path) -> Process {
    let dir = process::directory();
    let [port, peer_port] = process::free_ports();
    let address = format!("127.0.0.1:{port}");
    let (clients, peers) = (format!("http://{address}"), format!("http://127.0.0.1:{peer_port}"));
    let cluster = format!("default={peers}");
    let command = [
        binary.to_str().unwrap(),
        "--data-dir",
        dir.path().to_str().unwrap(),
        "--listen-client-urls",
        &clients,
        "--advertise-client-urls",
        &clients,
        "--listen-peer-urls",
        &peers,
        "--initial-advertise-peer-urls",
        &peers,
        "--initial-cluster",
        &cluster,
        // Of 128 by default: a commit has more.
        "--max-txn-ops",
        "1000",
        "--quota-backend-bytes",
        "8589934592",
        "--log-level",
        "error",
    ];
    let mut process = Process::other(&command, None, "TERM", address.clone());
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        assert!(process.runs() && Instant::now() < until, "etcd does not start");
        tokio::time::sleep(Duration::from_millis(50)).await;
        let Ok(channel) = Channel::from_shared(clients.clone()).unwrap().connect().await else { continue };
        if unary::<_, RangeResponse>(channel, RANGE, RangeRequest::of("none", false)).await.is_ok() {
            return process.with(dir);
        }
    }
}

/// Connections, and what there is to be read.
#[derive(Clone)]
pub(crate) struct Etcd {
    channels: Vec<Channel>,
    names: Arc<Vec<String>>,
    /// Whether a Get may be answered from what the member knows, without asking whether it still leads: it may be old.
    serializable: bool,
}

impl Etcd {
    pub(crate) async fn connect(address: &str) -> Etcd {
        Etcd { channels: load::connect(address).await, names: Arc::default(), serializable: false }
    }

    /// The same, asked for what may be old.
    pub(crate) fn serializable(&self) -> Etcd {
        Etcd { serializable: true, ..self.clone() }
    }

    pub(crate) async fn turn(&self, work: Work, in_flight: usize, time: Duration) -> Turn {
        let (channels, names, serializable) = (self.channels.clone(), self.names.clone(), self.serializable);
        let channel = move |caller: usize| channels[caller % channels.len()].clone();
        match work {
            Work::Create { .. } => {
                let next = Arc::new(AtomicU64::new(0));
                load::run(in_flight, time, move |caller, _| {
                    let channel = channel(caller);
                    let project = sample::stamped_project(next.fetch_add(1, Ordering::Relaxed));
                    let request = PutRequest { key: sample::name().into(), value: project.encode_to_vec() };
                    async move {
                        unary::<_, PutResponse>(channel, PUT, request).await.unwrap();
                    }
                })
                .await
            }
            Work::Get => {
                load::run(in_flight, time, move |caller, call| {
                    let channel = channel(caller);
                    let request = RangeRequest::of(load::pick(&names, caller, call), serializable);
                    async move {
                        let found: RangeResponse = unary(channel, RANGE, request).await.unwrap();
                        Project::decode(&*found.kvs[0].value).unwrap();
                    }
                })
                .await
            }
            Work::Commit => {
                let projects = sample::stamped_batch(0, load::BATCH);
                load::run(in_flight, time, move |caller, _| {
                    let channel = channel(caller);
                    let (request, _) = puts(&projects);
                    async move {
                        let done: TxnResponse = unary(channel, TXN, request).await.unwrap();
                        assert!(done.succeeded);
                    }
                })
                .await
            }
        }
    }

    /// Creates so many projects, which are then there to be read.
    pub(crate) async fn fill(&mut self, count: usize) {
        let mut all = Vec::new();
        for first in (0..count).step_by(load::BATCH) {
            let (request, names) = puts(&sample::stamped_batch(first as u64, load::BATCH.min(count - first)));
            unary::<_, TxnResponse>(self.channels[0].clone(), TXN, request).await.unwrap();
            all.extend(names);
        }
        self.names = Arc::new(all);
    }
}

/// A transaction that puts these under new names, and the names.
fn puts(projects: &[Project]) -> (TxnRequest, Vec<String>) {
    let names: Vec<_> = projects.iter().map(|_| sample::name()).collect();
    let put = |(name, project): (&String, &Project)| {
        let request = PutRequest { key: name.clone().into(), value: project.encode_to_vec() };
        RequestOp { request_put: Some(request) }
    };
    (TxnRequest { success: names.iter().zip(projects).map(put).collect() }, names)
}

const PUT: &str = "/etcdserverpb.KV/Put";
const RANGE: &str = "/etcdserverpb.KV/Range";
const TXN: &str = "/etcdserverpb.KV/Txn";

async fn unary<Q, A>(channel: Channel, method: &'static str, request: Q) -> Result<A, Status>
where
    Q: Message + 'static,
    A: Message + Default + 'static,
{
    let mut grpc = tonic::client::Grpc::new(channel);
    grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let (request, method) = (tonic::Request::new(request), PathAndQuery::from_static(method));
    Ok(grpc.unary(request, method, ProstCodec::<Q, A>::default()).await?.into_inner())
}

/// Of etcd's messages what is needed here, by the numbers of etcd's API v3.
#[derive(Clone, PartialEq, Message)]
struct Header {
    #[prost(uint64, tag = "1")]
    cluster_id: u64,
    #[prost(uint64, tag = "2")]
    member_id: u64,
    #[prost(int64, tag = "3")]
    revision: i64,
    #[prost(uint64, tag = "4")]
    raft_term: u64,
}

#[derive(Clone, PartialEq, Message)]
struct PutRequest {
    #[prost(bytes = "vec", tag = "1")]
    key: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct PutResponse {
    #[prost(message, optional, tag = "1")]
    header: Option<Header>,
}

#[derive(Clone, PartialEq, Message)]
struct RangeRequest {
    #[prost(bytes = "vec", tag = "1")]
    key: Vec<u8>,
    #[prost(bool, tag = "7")]
    serializable: bool,
}

impl RangeRequest {
    fn of(key: &str, serializable: bool) -> RangeRequest {
        RangeRequest { key: key.into(), serializable }
    }
}

#[derive(Clone, PartialEq, Message)]
struct KeyValue {
    #[prost(bytes = "vec", tag = "1")]
    key: Vec<u8>,
    #[prost(int64, tag = "2")]
    create_revision: i64,
    #[prost(int64, tag = "3")]
    mod_revision: i64,
    #[prost(int64, tag = "4")]
    version: i64,
    #[prost(bytes = "vec", tag = "5")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct RangeResponse {
    #[prost(message, optional, tag = "1")]
    header: Option<Header>,
    #[prost(message, repeated, tag = "2")]
    kvs: Vec<KeyValue>,
    #[prost(int64, tag = "4")]
    count: i64,
}

/// One of several operations; this one alone is used.
#[derive(Clone, PartialEq, Message)]
struct RequestOp {
    #[prost(message, optional, tag = "2")]
    request_put: Option<PutRequest>,
}

#[derive(Clone, PartialEq, Message)]
struct ResponseOp {
    #[prost(message, optional, tag = "2")]
    response_put: Option<PutResponse>,
}

/// Without a condition it succeeds.
#[derive(Clone, PartialEq, Message)]
struct TxnRequest {
    #[prost(message, repeated, tag = "2")]
    success: Vec<RequestOp>,
}

#[derive(Clone, PartialEq, Message)]
struct TxnResponse {
    #[prost(message, optional, tag = "1")]
    header: Option<Header>,
    #[prost(bool, tag = "2")]
    succeeded: bool,
    #[prost(message, repeated, tag = "3")]
    responses: Vec<ResponseOp>,
}
