//! The harness: the real server in this process, on a free port, with a real store in a directory of its own; and what
//! tests read of its refusals.
//!
//! Nothing here knows a kind. `dynamic` calls any method from its descriptor, `process` starts the binary.

#![allow(clippy::wildcard_enum_match_arm, reason = "what a test did not expect fails it")]

pub(crate) mod dynamic;
pub(crate) mod process;
pub(crate) mod pty;
pub(crate) mod steady;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Parser as _;
use partnership_registry::v1::registry_service_client::RegistryServiceClient;
use partnership_registry::v1::{Change, Commit, Resource};
use partnership_registry_server::config::Config;
use partnership_registry_server::registry::Registry;
use partnership_registry_server::store::Record;
use partnership_registry_server::time::{Clock, SystemClock, Time};
use partnership_registry_server::{kinds, serve};
use prost::Message as _;
use prost_types::Timestamp;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::{ErrorDetail, StatusExt as _};

/// How long anything may take before a test gives up on it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// How a server is started.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) config: Config,
}

impl Default for Settings {
    fn default() -> Self {
        // A small cache, small segments and an impatient drain: there are many servers at once, and none has much to keep.
        let mut flags = vec!["partnership-server", "--listen", "127.0.0.1:0"];
        flags.extend(["--segment-mib", "1", "--cache-mib", "16", "--drain-grace", "2"]);
        Self { clock: Arc::new(SystemClock), config: Config::parse_from(flags) }
    }
}

/// A server in this process. Dropped, it stops, and its directory is removed.
pub(crate) struct Server {
    settings: Settings,
    running: Option<Running>,
    dir: Arc<TempDir>,
}

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), serve::ServeError>>,
}

impl Server {
    /// Starts a server on an empty directory.
    pub(crate) async fn start() -> Self {
        Self::start_with(Settings::default()).await
    }

    /// Starts a server that is told the time by `clock`.
    pub(crate) async fn start_at(clock: Arc<dyn Clock>) -> Self {
        Self::start_with(Settings { clock, ..Settings::default() }).await
    }

    /// Starts a server on an empty directory.
    pub(crate) async fn start_with(settings: Settings) -> Self {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        let mut server = Self { settings, running: None, dir };
        server.begin().await;
        server
    }

    async fn begin(&mut self) {
        let (config, clock) = (self.settings.config.clone(), self.settings.clock.clone());
        let dir = self.dir.path().to_owned();
        let options = config.registry();
        let opened =
            tokio::task::spawn_blocking(move || Registry::open(&dir, &options, kinds::ALL, clock)).await.unwrap();
        let registry = opened.unwrap();
        let listener = TcpListener::bind(config.serving.listen.resolve().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(async move {
            let shutdown = async {
                let _ = stopped.await;
            };
            let served = serve::serve(listener, registry.clone(), &config, shutdown).await;
            tokio::task::spawn_blocking(move || registry.close()).await.unwrap();
            served
        });
        self.running = Some(Running { address, stop, served });
    }

    /// Tells the server to stop. Answers what is to be awaited until it has.
    pub(crate) fn drain(&mut self) -> impl Future<Output = ()> + use<> {
        let running = self.running.take().unwrap();
        let _ = running.stop.send(());
        async move { within(running.served).await.unwrap().unwrap() }
    }

    /// Stops the server, and waits until it has.
    pub(crate) async fn stop(&mut self) {
        self.drain().await;
    }

    /// Stops the server, and starts one on the same directory. It has another address.
    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        self.restart_stopped().await;
    }

    /// Starts a server on the same directory as the one that was stopped.
    pub(crate) async fn restart_stopped(&mut self) {
        assert!(self.running.is_none(), "stop it first");
        self.begin().await;
    }

    /// `http://127.0.0.1:{port}`.
    pub(crate) fn address(&self) -> String {
        format!("http://{}", self.running.as_ref().unwrap().address)
    }

    /// A new connection, as any client would make it.
    pub(crate) async fn channel(&self) -> Channel {
        connect(&self.address()).await
    }

    /// The stub of what goes across kinds, on a new connection.
    pub(crate) async fn registry(&self) -> RegistryServiceClient<Channel> {
        RegistryServiceClient::new(self.channel().await)
    }

    /// Where it keeps its data.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }
}

/// Connects to a server that is there.
pub(crate) async fn connect(address: &str) -> Channel {
    within(Endpoint::from_shared(address.to_owned()).unwrap().connect()).await.unwrap()
}

/// What `future` answers; it must not take longer than anybody's patience.
pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(output) => output,
        Err(_) => panic!("nothing came of it within {PATIENCE:?}"),
    }
}

/// Asks again and again until `ready` answers something, and no longer than anybody's patience.
pub(crate) async fn until<T>(what: &str, mut ready: impl AsyncFnMut() -> Option<T>) -> T {
    let began = tokio::time::Instant::now();
    loop {
        if let Some(answer) = ready().await {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "waited {PATIENCE:?} for {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Waits until the server says that sled goes with the journal: reads are answered from sled then, and not from the
/// journal.
pub(crate) async fn until_sled_serves(channel: &Channel) {
    let mut health = HealthClient::new(channel.clone());
    let request = HealthCheckRequest { service: serve::HEALTH_OF_STATE.into() };
    until("sled to serve", async || {
        let status = within(health.check(request.clone())).await.unwrap().into_inner().status();
        (status == ServingStatus::Serving).then_some(())
    })
    .await;
}

/// A clock that shows what it was set to. What it is set forward by has passed; set back, it has jumped.
pub(crate) struct TestClock(Mutex<(Time, Duration)>);

impl TestClock {
    /// A clock that shows `seconds` since 1970.
    pub(crate) fn at(seconds: i64) -> Arc<Self> {
        Arc::new(Self(Mutex::new((Timestamp { seconds, nanos: 0 }.into(), Duration::ZERO))))
    }

    /// Sets it; backwards too.
    pub(crate) fn set(&self, seconds: i64) {
        let (shown, passed) = &mut *self.0.lock().unwrap();
        let time: Time = Timestamp { seconds, nanos: 0 }.into();
        *passed += Duration::from_secs(u64::try_from(time.seconds_after(*shown)).unwrap_or(0));
        *shown = time;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Time {
        self.0.lock().unwrap().0
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().unwrap().1
    }
}

/// What a program can read of a refusal.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    /// The reason of its ErrorInfo.
    pub(crate) reason: String,
    pub(crate) metadata: std::collections::HashMap<String, String>,
    /// The violations of its BadRequest: field and description.
    pub(crate) fields: Vec<(String, String)>,
    /// The violations of its PreconditionFailure: type, subject and description.
    pub(crate) preconditions: Vec<(String, String, String)>,
    /// The name in its ResourceInfo.
    pub(crate) resource: Option<String>,
    /// The type in its ResourceInfo.
    pub(crate) resource_type: Option<String>,
    /// Whether it says when to try again.
    pub(crate) retry: bool,
    pub(crate) message: String,
}

impl Refusal {
    /// Whether a violation of a field or a precondition is about `path`.
    pub(crate) fn names(&self, path: &str) -> bool {
        self.fields.iter().any(|(field, _)| field == path)
            || self.preconditions.iter().any(|(_, subject, _)| subject == path)
    }
}

/// Reads a refusal, and holds what is true of every one: one ErrorInfo, of this domain, with a reason in capitals, and a
/// message for people.
#[track_caller]
pub(crate) fn refusal(status: &Status) -> Refusal {
    let details = status.check_error_details_vec().unwrap_or_else(|error| panic!("{status:?}: {error}"));
    let mut told = Refusal {
        code: status.code(),
        reason: String::new(),
        metadata: Default::default(),
        fields: Vec::new(),
        preconditions: Vec::new(),
        resource: None,
        resource_type: None,
        retry: false,
        message: status.message().to_owned(),
    };
    let mut infos = 0;
    for detail in details {
        match detail {
            ErrorDetail::ErrorInfo(info) => {
                infos += 1;
                assert_eq!(info.domain, "partnership.registry", "{status:?}");
                assert!(!info.reason.is_empty() && info.reason.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'_')));
                (told.reason, told.metadata) = (info.reason, info.metadata);
            }
            ErrorDetail::BadRequest(bad) => {
                for one in &bad.field_violations {
                    let phrase = !one.description.starts_with(|first: char| first.is_uppercase());
                    let phrase = phrase && !one.description.is_empty() && !one.description.ends_with('.');
                    assert!(phrase, "what follows the name of the field: {one:?}");
                }
                told.fields.extend(bad.field_violations.into_iter().map(|one| (one.field, one.description)));
            }
            ErrorDetail::PreconditionFailure(failure) => {
                let violations = failure.violations.into_iter();
                told.preconditions.extend(violations.map(|one| (one.r#type, one.subject, one.description)));
            }
            ErrorDetail::ResourceInfo(info) => {
                (told.resource, told.resource_type) = (Some(info.resource_name), Some(info.resource_type));
            }
            ErrorDetail::RetryInfo(_) => told.retry = true,
            other => panic!("{status:?} has details that the contract does not name: {other:?}"),
        }
    }
    assert_eq!(infos, 1, "every refusal has one ErrorInfo: {:?} {}", status.code(), status.message());
    assert!(!told.message.is_empty(), "every refusal has a message");
    told
}

/// The refusal in an answer that must be one.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, Status>) -> Refusal {
    match answer {
        Ok(answer) => panic!("accepted: {answer:?}"),
        Err(status) => refusal(&status),
    }
}

/// A commit of the store as the contract tells it.
pub(crate) fn commit_of(record: &Record) -> Commit {
    Commit {
        revision: record.revision,
        commit_time: Some(record.commit_time.into()),
        actor: record.actor.clone(),
        reason: record.reason.clone(),
        request_id: record.request.map(|request| uuid::Uuid::from_bytes(request.id).to_string()).unwrap_or_default(),
        request_hash: record.request.map(|request| request.hash.to_vec()).unwrap_or_default(),
        parent_hash: record.parent_hash.to_vec(),
        hash: record.hash.to_vec(),
        changes: record
            .changes
            .iter()
            .map(|change| Change {
                action: change.action.number(),
                name: change.name.to_string(),
                previous_revision: change.previous_revision,
                before: None,
                after: Some(Resource::decode(change.document.clone()).unwrap()),
            })
            .collect(),
    }
}
