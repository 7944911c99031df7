//! The client crate against the real server, over a connection that can be cut: it pages, resumes and retries by itself.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use partnership_registry_client::v1::{Country, FocusArea, Organization};
use partnership_registry_client::{Code, Kind as _, ListOptions, Registry, RetryPolicy, WatchEvent};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::harness::process::{DEADLINE, Process};

/// A line between client and server. It stays at one address while servers come and go.
struct Line {
    address: SocketAddr,
    server: watch::Sender<SocketAddr>,
    /// Each change cuts all connections.
    cut: watch::Sender<u64>,
    /// While set, nothing that the server sends gets through.
    mute: Arc<AtomicBool>,
}

impl Line {
    async fn to(server: SocketAddr) -> Line {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (server, servers) = watch::channel(server);
        let (cut, cuts) = watch::channel(0);
        let mute = Arc::new(AtomicBool::new(false));
        let muted = mute.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, mut cuts, muted) = (*servers.borrow(), cuts.clone(), muted.clone());
                cuts.mark_unchanged();
                tokio::spawn(async move {
                    tokio::select! {
                        () = carry(client, server, &muted) => {}
                        _ = cuts.changed() => {}
                    }
                });
            }
        });
        Line { address, server, cut, mute }
    }

    fn cut(&self) {
        self.cut.send_modify(|cuts| *cuts += 1);
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn carry(client: TcpStream, server: SocketAddr, muted: &AtomicBool) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let there = tokio::io::copy(&mut from_client, &mut to_server);
    let back = async {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
            if !muted.load(Ordering::Relaxed) && to_client.write_all(&buffer[..read]).await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        _ = there => {}
        () = back => {}
    }
}

fn start() -> (Process, TempDir) {
    let data = TempDir::new().unwrap();
    (Process::start(data.path()), data)
}

async fn connect(process: &Process) -> Registry {
    Registry::builder(format!("http://{}", process.address)).actor("tests").connect().await.unwrap()
}

fn area(id: &str, display_name: &str) -> FocusArea {
    FocusArea { name: format!("focusAreas/{id}"), display_name: display_name.into(), ..FocusArea::default() }
}

#[tokio::test]
async fn a_listing_pages_by_itself() {
    let (process, _data) = start();
    let registry = connect(&process).await;
    let mut commit = registry.commit().reason("many");
    for number in 0..123 {
        commit = commit.create(area(&format!("a{number:03}"), &format!("Area {}", 300 - number)));
    }
    commit.await.unwrap();
    let options = ListOptions::new().page_size(7).order_by("display_name");
    let listed = registry.focus_areas().list(options).collect().await.unwrap();
    let names: Vec<_> = listed.iter().map(|area| area.name.clone()).collect();
    let expected: Vec<_> = (0..123).rev().map(|number| format!("focusAreas/a{number:03}")).collect();
    assert_eq!(names, expected);
}

#[tokio::test]
async fn every_kind_has_a_handle_that_reaches_its_service() {
    let (process, _data) = start();
    let registry = connect(&process).await;
    macro_rules! handles {
        ($({ $Kind:ident $singular:ident $plural:ident $collection:literal $tag:literal })*) => {
            $({
                let resource = partnership_registry::v1::$Kind { display_name: "One".into(), ..Default::default() };
                // A kind may require more than a name to go by; then the refusal names the kind's own field.
                match registry.$plural().create(resource).id("one").await {
                    Ok(made) => {
                        assert_eq!(made.name(), concat!($collection, "/one"));
                        assert_eq!(registry.$plural().get("one").await.unwrap(), made);
                        assert_eq!(registry.$plural().get_if_changed("one", made.etag()).await.unwrap(), None);
                        assert_eq!(registry.$plural().list(ListOptions::new()).collect().await.unwrap(), [made]);
                    }
                    Err(error) => {
                        let fields: Vec<_> = error.field_violations().iter().map(|one| &one.field).collect();
                        assert!(fields.iter().all(|field| field.starts_with(stringify!($singular))), "{error:?}");
                        assert!(!fields.is_empty(), "{error:?}");
                    }
                }
            })*
        };
    }
    partnership_registry::for_each_kind!(handles);
}

#[tokio::test]
async fn an_error_carries_what_the_server_sent() {
    let (process, _data) = start();
    let registry = connect(&process).await;
    let refused =
        registry.countries().create(Country { region_code: "korea".into(), ..Country::default() }).await.unwrap_err();
    assert_eq!((refused.code(), refused.reason()), (Code::InvalidArgument, Some("INVALID_FIELDS")));
    let fields: Vec<_> = refused.field_violations().iter().map(|one| one.field.as_str()).collect();
    assert!(fields.contains(&"country.display_name") && fields.contains(&"country.region_code"), "{fields:?}");

    let missing = registry.countries().get("xx").await.unwrap_err();
    assert!(missing.is_not_found());
    assert_eq!(missing.resource().unwrap().name, "countries/xx");

    let korea = Country { display_name: "Korea".into(), ..Country::default() };
    let korea = registry.countries().create(korea).id("kr").await.unwrap();
    let embassy =
        Organization { display_name: "Embassy".into(), country: korea.name.clone(), ..Organization::default() };
    let embassy = registry.organizations().create(embassy).await.unwrap();
    let referred = registry.countries().delete("kr").await.unwrap_err();
    assert_eq!(referred.reason(), Some("STILL_REFERENCED"));
    assert_eq!(referred.precondition_violations()[0].subject, embassy.name);

    registry.countries().update(Country { capital: "Seoul".into(), ..korea.clone() }, ["capital"]).await.unwrap();
    let stale =
        registry.countries().update(Country { capital: "Busan".into(), ..korea }, ["capital"]).await.unwrap_err();
    assert!(stale.is_conflict(), "{stale:?}");
}

#[tokio::test]
async fn a_watch_resumes_by_itself_and_delivers_each_commit_once() {
    let data = TempDir::new().unwrap();
    let mut process = Process::start(data.path());
    let line = Line::to(process.address).await;
    let watcher = Registry::builder(line.url()).connect().await.unwrap();
    let mut watch = watcher.watch().after(0).resume_for(DEADLINE).await.unwrap();
    let mut seen = Vec::new();
    let mut written = 0;
    for round in 0..4 {
        let writer = connect(&process).await;
        for number in 0..5 {
            writer.focus_areas().create(area("", &format!("{round} {number}"))).await.unwrap();
            written += 1;
        }
        match round {
            0 => line.cut(),
            1 => {
                process.kill();
                process = Process::start(data.path());
                line.server.send_replace(process.address);
            }
            2 => {
                process.stop();
                process = Process::start(data.path());
                line.server.send_replace(process.address);
            }
            _ => {}
        }
        while seen.len() < written {
            match tokio::time::timeout(DEADLINE, watch.next()).await.expect("it resumes").unwrap().unwrap() {
                WatchEvent::Commit { commit, .. } => seen.push(commit.revision),
                WatchEvent::Heartbeat { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(seen, (1..=written as u64).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_write_whose_response_is_lost_is_retried_and_takes_effect_once() {
    let (process, _data) = start();
    let line = Line::to(process.address).await;
    let direct = connect(&process).await;
    let registry = Registry::builder(line.url()).timeout(DEADLINE).connect().await.unwrap();
    for round in 0..5 {
        line.mute.store(true, Ordering::Relaxed);
        let writing = {
            let registry = registry.clone();
            tokio::spawn(
                async move { registry.focus_areas().create(area("", "Once")).id(format!("once-{round}")).await },
            )
        };
        // The write is done, and the client does not know it: only now the line is cut.
        let name = format!("once-{round}");
        tokio::time::timeout(DEADLINE, async { while direct.focus_areas().get(&name).await.is_err() {} })
            .await
            .unwrap();
        let done = direct.focus_areas().get(&name).await.unwrap();
        line.mute.store(false, Ordering::Relaxed);
        line.cut();
        let answered = tokio::time::timeout(DEADLINE, writing).await.unwrap().unwrap().unwrap();
        assert_eq!(answered, done, "the first response");
    }
    assert_eq!(direct.focus_areas().list(ListOptions::new()).collect().await.unwrap().len(), 5);
    assert_eq!(direct.countries().list(ListOptions::new()).collect().await.unwrap(), []);
}

#[tokio::test]
async fn without_a_retry_the_lost_response_is_an_error() {
    // The same line and the same loss: what the test above shows is due to the retry.
    let (process, _data) = start();
    let line = Line::to(process.address).await;
    let direct = connect(&process).await;
    let registry = Registry::builder(line.url()).retry(RetryPolicy::never()).connect().await.unwrap();
    line.mute.store(true, Ordering::Relaxed);
    let writing = tokio::spawn(async move { registry.focus_areas().create(area("", "Once")).id("once").await });
    tokio::time::timeout(DEADLINE, async { while direct.focus_areas().get("once").await.is_err() {} }).await.unwrap();
    line.cut();
    assert!(writing.await.unwrap().unwrap_err().is_unavailable());
}

#[tokio::test]
async fn a_call_ends_at_its_deadline() {
    let (process, _data) = start();
    let line = Line::to(process.address).await;
    let registry = Registry::builder(line.url()).timeout(Duration::from_millis(300)).connect().await.unwrap();
    line.mute.store(true, Ordering::Relaxed);
    let late = tokio::time::timeout(DEADLINE, registry.countries().get("kr")).await.expect("it ends by itself");
    assert_eq!(late.unwrap_err().code(), Code::DeadlineExceeded);
}
