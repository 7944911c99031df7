//! PostgreSQL, where Debian's package is installed: durable as it is by default, with the memory that is usually given
//! to it, and an own connection with prepared statements for each request in flight.
//!
//! A project is a row with its document, and a row of a log in the same transaction, each statement one round trip. Where
//! it could be done in several ways, the lighter one is taken:
//! - It has the orders that our index holds: by name, display name, time of creation and revision. We hold no index of
//!   labels. It is spared the index of who refers to a resource, the check that these exist, and request ids.
//! - The document is written once: the log would take it over when the row changes, as the row holds it until then.
//! - Revisions come of a sequence, which does not make one transaction wait for another, and has gaps after errors.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use partnership_registry::v1::Project;
use prost::Message as _;
use tempfile::TempDir;
use tokio_postgres::{Client, Config, NoTls, Statement};

use crate::load::{self, Turn, Work};
use crate::process::{self, Process};
use crate::sample;

/// The user that the database runs as when this is root, which it refuses to run as.
const SYSTEM_USER: &str = "postgres";
const USER: &str = "bench";

const TABLES: &str = "
    CREATE SEQUENCE revisions;
    CREATE TABLE resources (
        name text PRIMARY KEY, uid uuid NOT NULL, revision bigint NOT NULL, create_time timestamptz NOT NULL,
        update_time timestamptz NOT NULL, deleted boolean NOT NULL, display_name text NOT NULL, labels jsonb NOT NULL,
        document bytea NOT NULL);
    CREATE INDEX ON resources (display_name, name);
    CREATE INDEX ON resources (create_time, name);
    CREATE INDEX ON resources (revision, name);
    CREATE TABLE log (
        revision bigint, name text, action text NOT NULL, commit_time timestamptz NOT NULL, document bytea,
        PRIMARY KEY (revision, name));";

const CREATE: &str = "
    WITH row AS (
        INSERT INTO resources
        VALUES ($1, gen_random_uuid(), nextval('revisions'), now(), now(), false, $2, $3::text::jsonb, $4)
        RETURNING revision, name, create_time)
    INSERT INTO log SELECT revision, name, 'create', create_time FROM row RETURNING revision, commit_time";

/// All rows of one revision.
const COMMIT: &str = "
    WITH revision AS MATERIALIZED (SELECT nextval('revisions') AS revision), row AS (
        INSERT INTO resources
        SELECT name, gen_random_uuid(), revision, now(), now(), false, display_name, labels::jsonb, document
        FROM revision, unnest($1::text[], $2::text[], $3::text[], $4::bytea[])
            AS new (name, display_name, labels, document)
        RETURNING revision, name, create_time)
    INSERT INTO log SELECT revision, name, 'create', create_time FROM row RETURNING revision, name";

const GET: &str = "SELECT document FROM resources WHERE name = $1";

/// An installed PostgreSQL, and an empty database to begin each time with.
pub(crate) struct Installed {
    programs: PathBuf,
    empty: TempDir,
}

/// Where PostgreSQL is, and which; otherwise why it is not measured.
pub(crate) fn find() -> Result<(Installed, String), String> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|version| Some((version.file_name().to_str()?.parse::<u32>().ok()?, version.path().join("bin"))))
        .filter(|(_, programs)| programs.join("initdb").is_file())
        .max();
    let (_, programs) = newest.ok_or("not installed (Debian: postgresql)")?;
    let empty = process::directory();
    give(empty.path())?;
    let data = empty.path().join("data");
    let mut initdb = Command::new("setpriv");
    if let Some(user) = user() {
        initdb.args(["--reuid", user, "--regid", user, "--clear-groups"]);
    }
    initdb.arg("--").arg(programs.join("initdb")).arg("--pgdata").arg(data).current_dir("/");
    initdb.args(["--auth", "trust", "--username", USER, "--encoding", "UTF8", "--locale", "C.UTF-8"]);
    let made = initdb.stdin(Stdio::null()).output().map_err(|error| format!("setpriv: {error}"))?;
    if made.status.success() {
        let version = process::version(&programs.join("postgres"));
        return Ok((Installed { programs, empty }, version));
    }
    Err(format!("it makes no database in {}: {}", empty.path().display(), String::from_utf8_lossy(&made.stderr).trim()))
}

/// The user that it must run as, if it may not run as this one.
fn user() -> Option<&'static str> {
    let root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    root.then_some(SYSTEM_USER)
}

/// Gives a directory to the user that it runs as.
fn give(dir: &Path) -> Result<(), String> {
    let Some(user) = user() else { return Ok(()) };
    let given = Command::new("chown").arg(user).arg(dir).status().map_err(|error| format!("chown: {error}"))?;
    given.success().then_some(()).ok_or_else(|| format!("there is no user {user}"))
}

/// Starts it on a free port, for so many connections.
pub(crate) async fn start(installed: &Installed, connections: usize) -> Process {
    let dir = process::directory();
    give(dir.path()).unwrap();
    let data = dir.path().join("data");
    let copied = Command::new("cp").arg("-a").arg(installed.empty.path().join("data")).arg(&data).status();
    assert!(copied.unwrap().success());
    let [port] = process::free_ports().map(|port: u16| port.to_string());
    let program = installed.programs.join("postgres");
    let connections = format!("max_connections={}", connections + 10);
    let command = [
        program.to_str().unwrap(),
        "-D",
        data.to_str().unwrap(),
        "-p",
        &port,
        "-c",
        "listen_addresses=127.0.0.1",
        "-c",
        "unix_socket_directories=",
        "-c",
        &connections,
        // Of 128 MB by default, and of 1 GB until the log forces a checkpoint, which might fall into a turn.
        "-c",
        "shared_buffers=1GB",
        "-c",
        "max_wal_size=8GB",
        "-c",
        "fsync=on",
        "-c",
        "synchronous_commit=on",
    ];
    let mut process = Process::other(&command, user(), "QUIT", format!("127.0.0.1:{port}"));
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        assert!(process.runs() && Instant::now() < until, "PostgreSQL does not start");
        tokio::time::sleep(Duration::from_millis(50)).await;
        if let Ok(client) = connect(&process.address).await {
            client.batch_execute(TABLES).await.unwrap();
            return process.with(dir);
        }
    }
}

pub(crate) async fn connect(address: &str) -> Result<Client, tokio_postgres::Error> {
    let (host, port) = address.split_once(':').unwrap();
    let mut config = Config::new();
    config.host(host).port(port.parse().unwrap()).user(USER).dbname("postgres");
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// A connection, and what was prepared on it.
struct Seat {
    client: Client,
    create: Statement,
    get: Statement,
    commit: Statement,
}

/// Connections, and what there is to be read.
#[derive(Clone)]
pub(crate) struct Postgres {
    seats: Arc<Vec<Arc<Seat>>>,
    names: Arc<Vec<String>>,
}

impl Postgres {
    pub(crate) async fn connect(address: &str, connections: usize) -> Postgres {
        let mut seats = Vec::new();
        for _ in 0..connections {
            let client = connect(address).await.unwrap();
            let [create, get, commit] = [client.prepare(CREATE), client.prepare(GET), client.prepare(COMMIT)];
            let (create, get, commit) = (create.await.unwrap(), get.await.unwrap(), commit.await.unwrap());
            seats.push(Arc::new(Seat { client, create, get, commit }));
        }
        Postgres { seats: Arc::new(seats), names: Arc::default() }
    }

    pub(crate) async fn turn(&self, work: Work, in_flight: usize, time: Duration) -> Turn {
        assert!(in_flight <= self.seats.len());
        let (seats, names) = (self.seats.clone(), self.names.clone());
        match work {
            Work::Create { .. } => {
                let next = Arc::new(AtomicU64::new(0));
                load::run(in_flight, time, move |caller, _| {
                    let seat = seats[caller].clone();
                    let row = Row::new(&sample::stamped_project(next.fetch_add(1, Ordering::Relaxed)));
                    async move {
                        let Row { name, display_name, labels, document } = &row;
                        let columns: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
                            [name, display_name, labels, document];
                        seat.client.query_one(&seat.create, &columns).await.unwrap();
                    }
                })
                .await
            }
            Work::Get => {
                load::run(in_flight, time, move |caller, call| {
                    let seat = seats[caller].clone();
                    let name = load::pick(&names, caller, call).clone();
                    async move {
                        let row = seat.client.query_one(&seat.get, &[&name]).await.unwrap();
                        Project::decode(row.get::<_, &[u8]>(0)).unwrap();
                    }
                })
                .await
            }
            Work::Commit => {
                let projects = Arc::new(sample::stamped_batch(0, load::BATCH));
                load::run(in_flight, time, move |caller, _| {
                    let (seat, projects) = (seats[caller].clone(), projects.clone());
                    async move {
                        insert(&seat, &projects).await;
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
            let projects = sample::stamped_batch(first as u64, load::BATCH.min(count - first));
            all.extend(insert(&self.seats[0], &projects).await);
        }
        self.names = Arc::new(all);
        // As it would have done by itself a while later.
        self.seats[0].client.batch_execute("VACUUM ANALYZE resources").await.unwrap();
    }
}

/// Inserts these in one transaction, and answers their names.
async fn insert(seat: &Seat, projects: &[Project]) -> Vec<String> {
    let mut columns = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for Row { name, display_name, labels, document } in projects.iter().map(Row::new) {
        columns.0.push(name);
        columns.1.push(display_name);
        columns.2.push(labels);
        columns.3.push(document);
    }
    let (names, display_names, labels, documents) = columns;
    let inserted = seat.client.query(&seat.commit, &[&names, &display_names, &labels, &documents]).await.unwrap();
    assert_eq!(inserted.len(), projects.len());
    names
}

/// What the caller gives of a row: the rest is the database's, as it is the server's.
struct Row {
    name: String,
    display_name: String,
    labels: String,
    document: Vec<u8>,
}

impl Row {
    fn new(project: &Project) -> Row {
        let labels: Vec<_> = project.labels.iter().map(|(key, value)| format!("{key:?}:{value:?}")).collect();
        Row {
            name: sample::name(),
            display_name: project.display_name.clone(),
            labels: format!("{{{}}}", labels.join(",")),
            document: project.encode_to_vec(),
        }
    }
}
