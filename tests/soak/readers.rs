//! Clients that read: resources as they were, lists in pages, exports, and a watch that is taken up again and again and
//! must miss nothing.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use partnership_registry::v1::{self, watch_request, watch_response};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tonic::Status;

use super::board::Board;
use super::checker::digest;
use crate::crash::load::Stubs;
use crate::crash::oracle::Answer;

/// A client that reads, in all ways but by watching.
pub(crate) struct Reader {
    pub(crate) stubs: Stubs,
    pub(crate) board: Arc<Board>,
    pub(crate) dice: StdRng,
}

impl Reader {
    /// Reads until the server is gone.
    pub(crate) async fn run(mut self) {
        loop {
            let done = match self.dice.random_range(0..100) {
                0..95 => self.get().await,
                95..98 => self.list().await,
                _ => self.export().await,
            };
            match done {
                Ok(()) => {}
                Err(status) if !self.board.goes_on_after("a read", &status) => return,
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
            tokio::time::sleep(Duration::from_millis(self.dice.random_range(0..40))).await;
        }
    }

    /// A resource at the revision at which a write was answered is what was answered.
    async fn get(&mut self) -> Result<(), Status> {
        let Some((_, Answer::Country(country))) = self.board.earlier(&mut self.dice) else { return Ok(()) };
        let (name, read_revision) = (country.name.clone(), country.revision);
        let request = v1::GetCountryRequest { name, read_revision, ..Default::default() };
        let found = self.stubs.countries.get_country(request).await?.into_inner();
        assert_eq!(found, *country, "as of {read_revision}");
        self.read();
        Ok(())
    }

    /// The pages of a list hold each name once and in order, whatever is written meanwhile.
    async fn list(&mut self) -> Result<(), Status> {
        let page_size = self.dice.random_range(50..1_000);
        let mut request = v1::ListCountriesRequest { page_size, show_deleted: true, ..Default::default() };
        let mut last = String::new();
        loop {
            let page = self.stubs.countries.list_countries(request.clone()).await?.into_inner();
            for country in page.countries {
                assert!(country.name > last, "{} is listed after {last}", country.name);
                last = country.name;
            }
            self.read();
            if page.next_page_token.is_empty() {
                return Ok(());
            }
            request.page_token = page.next_page_token;
        }
    }

    /// An export is of one revision, and holds each name once.
    async fn export(&mut self) -> Result<(), Status> {
        let request = v1::ExportRequest { show_deleted: true, ..Default::default() };
        let mut export = self.stubs.registry.export(request).await?.into_inner();
        let (mut names, mut revision) = (std::collections::HashSet::new(), None);
        while let Some(message) = export.message().await? {
            assert_eq!(message.revision, *revision.get_or_insert(message.revision), "an export is of one revision");
            for resource in message.resources {
                assert!(names.insert(resource.name().to_owned()), "{} is exported twice", resource.name());
            }
            self.read();
        }
        if let Some(revision) = revision {
            let position = self.board.checks.load(Ordering::SeqCst);
            self.board.witness.lock().unwrap().seen.push((revision, position));
        }
        Ok(())
    }

    fn read(&self) {
        self.board.reads.fetch_add(1, Ordering::SeqCst);
    }
}

/// A watcher, and what it was told so far.
#[derive(Default)]
pub(crate) struct Watcher {
    /// Of each commit, by revision.
    pub(crate) digests: Vec<u64>,
    /// How often it was taken up again.
    pub(crate) resumed: u64,
}

impl Watcher {
    /// Watches on from where it was, until the server is gone or it has heard of `until`.
    pub(crate) async fn run(mut self, mut stubs: Stubs, board: Arc<Board>, seed: u64, until: u64) -> Self {
        let mut dice = StdRng::seed_from_u64(seed);
        while (self.digests.len() as u64) < until {
            // Given up and taken up again, as clients do whose network is bad.
            let give_up = Instant::now() + Duration::from_millis(dice.random_range(200..4_000));
            match self.watch(&mut stubs, give_up, until).await {
                Ok(()) => {}
                Err(status) if !board.goes_on_after("a watch", &status) => break,
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
            self.resumed += 1;
        }
        self
    }

    async fn watch(&mut self, stubs: &mut Stubs, give_up: Instant, until: u64) -> Result<(), Status> {
        let start = watch_request::Start::AfterRevision(self.digests.len() as u64);
        let request = v1::WatchRequest { start: Some(start), ..Default::default() };
        let mut stream = stubs.registry.watch(request).await?.into_inner();
        while (self.digests.len() as u64) < until {
            let left = give_up.saturating_duration_since(Instant::now());
            let Ok(event) = tokio::time::timeout(left, stream.message()).await else { return Ok(()) };
            let told = event?.ok_or_else(|| Status::unavailable("a watch has ended"))?;
            match told.event.unwrap() {
                watch_response::Event::Commit(commit) => {
                    let commit = commit.commit.unwrap();
                    assert_eq!(commit.revision, self.digests.len() as u64 + 1, "a watch misses nothing");
                    self.digests.push(digest(&commit));
                }
                watch_response::Event::Heartbeat(_) => {}
                other => panic!("not asked for: {other:?}"),
            }
        }
        Ok(())
    }
}
