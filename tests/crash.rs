//! Crashes: the real binary is killed while clients write, again and again, and an oracle says whether the registry kept
//! its word: no acknowledged write lost, no half commit, no revision taken back, nothing changed, and it always opens.

#![allow(clippy::wildcard_enum_match_arm, reason = "a test stops at whatever it did not expect")]

pub(crate) mod events;
pub(crate) mod load;
pub(crate) mod oracle;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use partnership_registry::v1;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tempfile::TempDir;

use crate::damage::{journal_files, journal_frames};
use crate::harness::process::{DEADLINE, Process, Starting, is_from_checkpoint, with_checkpoints};
use load::{Client, Shared, Stubs, read_on};
use oracle::{Answer, Observed, Versions};

/// How often a store is crashed before the next one is begun: all of it is read again after every crash.
const CYCLES_PER_STORE: u64 = 10;
const CLIENTS: u64 = 4;

/// The seed of a test: from the variable, or new. Printed, so that a failure can be repeated.
pub(crate) fn seed() -> u64 {
    let seed = setting("PARTNERSHIP_TEST_SEED").unwrap_or_else(|| rand::rng().random());
    println!("PARTNERSHIP_TEST_SEED={seed}");
    seed
}

/// A number from a variable.
pub(crate) fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is no number: {value}")))
}

/// One store that is crashed, and what is known of it.
struct Store {
    data: TempDir,
    shared: Shared,
    dice: StdRng,
    /// What was there after the last start.
    before: Observed,
    clients: u64,
    /// Whether its server saves checkpoints.
    checkpoints: bool,
    /// How many starts were from one.
    from_checkpoints: u64,
}

impl Store {
    fn new(seed: u64) -> Store {
        Store {
            checkpoints: false,
            from_checkpoints: 0,
            data: TempDir::new().unwrap(),
            shared: Shared::new(|| 0),
            dice: StdRng::seed_from_u64(seed),
            before: Observed { commits: Vec::new(), resources: Vec::new() },
            clients: 0,
        }
    }

    /// Starts the server, holds what it tells against what is known, lets clients write, and kills it when so many were
    /// answered; on a machine that is busy otherwise, after some time.
    async fn crash_after(&mut self, answers: u64, patience: Duration) {
        // Also a server that has just begun to open may be killed.
        if self.dice.random_bool(0.3) {
            let starting = Starting::spawn(self.data.path(), |command| self.adapt(command));
            // Not a wait for anything: the moment of the crash.
            tokio::time::sleep(Duration::from_micros(self.dice.random_range(0..60_000))).await;
            starting.kill();
        }
        let server = Process::start_with(self.data.path(), |command| self.adapt(command));
        self.from_checkpoints += u64::from(is_from_checkpoint(&server.log()));
        let channel = server.channel().await;
        let mut stubs = Stubs::new(&channel);
        self.check(&mut stubs).await;
        self.replay(&mut stubs).await;

        let mut running = Vec::new();
        for slot in 0..CLIENTS {
            self.clients += 1;
            let id = format!("c{slot}-{}", self.clients);
            let client = Client::new(id, &channel, &self.shared, self.dice.random(), &self.before.resources);
            running.push(tokio::spawn(client.run()));
        }
        running.push(tokio::spawn(read_on(stubs, self.shared.clone())));
        self.shared.answered(answers, patience).await;
        server.kill();
        for client in running {
            client.await.unwrap();
        }
    }

    fn adapt(&self, command: &mut Command) {
        if self.checkpoints {
            with_checkpoints(command);
        }
    }

    /// Everything that is known still holds.
    async fn check(&mut self, stubs: &mut Stubs) {
        let observed = stubs.observe().await;
        let known = &self.before.commits;
        assert!(observed.commits.len() >= known.len(), "the revision went back to {}", observed.commits.len());
        assert!(observed.commits[..known.len()] == known[..], "a commit of the past has changed");
        let checked = self.shared.witness.lock().unwrap().check(&observed, u64::MAX);
        let versions = checked.unwrap_or_else(|wrong| panic!("{wrong}"));
        let page_size = self.dice.random_range(1..400);
        let mut listed = stubs.list_countries(page_size.max(20)).await;
        listed.extend(observed.resources.iter().filter(|resource| resource.collection() != Some("countries")).cloned());
        assert!(listed == observed.resources, "the pages of a listing are not what is there");
        self.check_history(stubs, &versions).await;
        self.before = observed;
    }

    /// The history of some resources, and some of their versions, are those of the commits.
    async fn check_history(&mut self, stubs: &mut Stubs, versions: &Versions) {
        let countries: Vec<_> = versions.iter().filter(|(name, _)| name.starts_with("countries/")).collect();
        let commits = self.before.commits.len() as u64;
        for _ in 0..countries.len().min(10) {
            let (name, versions) = countries[self.dice.random_range(0..countries.len())];
            let request = v1::ListRevisionsRequest { parent: name.clone(), page_size: 1000, ..Default::default() };
            let listed = stubs.registry.list_revisions(request).await.unwrap().into_inner().revisions;
            let listed: Vec<_> = listed.into_iter().rev().map(|one| (one.revision, one.snapshot.unwrap())).collect();
            assert!(listed == *versions, "the history of {name} is {listed:?}, and should be {versions:?}");
            let read_revision = self.dice.random_range(1..=commits.max(1));
            let request = v1::GetCountryRequest { name: name.clone(), read_revision, ..Default::default() };
            let found = stubs.countries.get_country(request).await.map(|country| country.into_inner().into());
            let should = versions.iter().rfind(|(revision, _)| *revision <= read_revision).map(|(_, version)| version);
            assert_eq!(found.as_ref().ok(), should, "{name} at revision {read_revision}");
        }
    }

    /// Requests that are sent again are answered as before, or for the first time.
    async fn replay(&mut self, stubs: &mut Stubs) {
        let head = self.before.commits.len() as u64;
        let asked = self.shared.witness.lock().unwrap().asked.clone();
        let done: std::collections::HashMap<_, _> =
            self.before.commits.iter().map(|commit| (commit.request_id.as_str(), commit.revision)).collect();
        let mut unanswered = Vec::new();
        for (id, asked) in &asked {
            match &asked.answer {
                None => unanswered.push(id),
                Some((Answer::Refused(_), _)) => {}
                Some((answer, _)) => {
                    if self.dice.random_range(0..asked_share(done.len())) == 0 {
                        let again = stubs.send(&asked.request).await.unwrap();
                        assert_eq!(again, *answer, "request {id}, sent again");
                    }
                }
            }
        }
        for id in unanswered {
            let answer = stubs.send(&asked[id].request).await.unwrap();
            let revision = match &answer {
                Answer::Country(country) => country.revision,
                Answer::Agreement(agreement) => agreement.revision,
                Answer::Commit(response) => response.revision,
                Answer::Refused(code) => {
                    assert!(
                        !done.contains_key(id.as_str()),
                        "request {id} was done, and is refused with {code:?} when sent again"
                    );
                    0
                }
            };
            match done.get(id.as_str()) {
                Some(then) => assert_eq!(revision, *then, "request {id}, sent again"),
                None => assert!(
                    revision == 0 || revision > head,
                    "request {id} was not done, and is said to be in {revision}"
                ),
            }
            self.shared.witness.lock().unwrap().asked.get_mut(id).unwrap().answer = Some((answer, 0));
        }
        self.before = stubs.observe().await;
        let checked = self.shared.witness.lock().unwrap().check(&self.before, u64::MAX);
        checked.unwrap_or_else(|wrong| panic!("after requests were sent again: {wrong}"));
    }
}

/// One of how many requests is sent again, so that some 40 are.
fn asked_share(requests: usize) -> usize {
    (requests / 40).max(1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_while_it_writes_loses_nothing_it_acknowledged() {
    let seed = seed();
    let cycles = setting("PARTNERSHIP_TEST_CRASH_CYCLES").unwrap_or(30);
    let (mut commits, mut asked, mut unanswered, mut from_checkpoints) = (0, 0, 0, 0);
    let mut store = Store::new(seed);
    for cycle in 0..cycles {
        if cycle % CYCLES_PER_STORE == 0 {
            // Of three stores, the second has none.
            let checkpoints = cycle / CYCLES_PER_STORE % 3 != 1;
            store = Store { checkpoints, ..Store::new(seed.wrapping_add(cycle)) };
        }
        let answers = store.dice.random_range(1..250);
        store.crash_after(answers, Duration::from_millis(500)).await;
        let witness = store.shared.witness.lock().unwrap();
        unanswered += witness.asked.values().filter(|asked| asked.answer.is_none()).count();
        if (cycle + 1) % CYCLES_PER_STORE == 0 || cycle + 1 == cycles {
            asked += witness.asked.len();
            commits += store.before.commits.len();
            from_checkpoints += store.from_checkpoints;
        }
    }
    // The last crash is looked at too.
    let server = Process::start(store.data.path());
    store.check(&mut Stubs::new(&server.channel().await)).await;
    println!(
        "{cycles} crashes: {asked} requests, {commits} commits and more, {unanswered} requests in flight; \
         {from_checkpoints} starts were from a checkpoint"
    );
    assert!(from_checkpoints > 0, "no start was from a checkpoint");
    assert!(asked > cycles as usize, "there was next to no load");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_oracle_notices_when_acknowledged_commits_are_cut_off_the_journal() {
    let mut store = Store::new(seed());
    store.crash_after(100, DEADLINE).await;
    store.crash_after(100, DEADLINE).await;
    // The last commits that were acknowledged, and with them whatever came after.
    let acknowledged = {
        let witness = store.shared.witness.lock().unwrap();
        let revision = |answer: &Answer| match answer {
            Answer::Country(country) => country.revision,
            Answer::Agreement(agreement) => agreement.revision,
            Answer::Commit(response) => response.revision,
            Answer::Refused(_) => 0,
        };
        witness.asked.values().filter_map(|asked| Some(revision(&asked.answer.as_ref()?.0))).max().unwrap()
    };
    cut_from(store.data.path(), acknowledged);
    // What else knows of them.
    std::fs::remove_dir_all(store.data.path().join("sled")).unwrap();
    std::fs::remove_file(store.data.path().join("HEAD")).unwrap();

    let server = Process::start(store.data.path());
    let observed = Stubs::new(&server.channel().await).observe().await;
    assert_eq!(observed.commits.len() as u64, acknowledged - 1);
    let noticed = store.shared.witness.lock().unwrap().check(&observed, u64::MAX).unwrap_err();
    assert!(noticed.contains("is lost") || noticed.contains("was seen"), "{noticed}");
}

/// Takes a revision and all after it off the journal, so that it looks as if they had never been there.
fn cut_from(data: &Path, revision: u64) {
    for file in journal_files(data).iter().rev() {
        let frames = journal_frames(file);
        match frames.iter().find(|frame| frame.revision == revision) {
            Some(frame) => {
                let mut bytes = std::fs::read(file).unwrap();
                bytes[usize::try_from(frame.offset).unwrap()..].fill(0);
                std::fs::write(file, bytes).unwrap();
                return;
            }
            None => std::fs::remove_file(file).unwrap(),
        }
    }
    panic!("the journal has no revision {revision}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_oracle_notices_whatever_is_lost_halved_doubled_or_changed() {
    let mut store = Store::new(seed());
    store.crash_after(200, DEADLINE).await;
    let server = Process::start(store.data.path());
    let good = Stubs::new(&server.channel().await).observe().await;
    let witness = store.shared.witness.lock().unwrap().clone();
    witness.check(&good, u64::MAX).unwrap();

    let large = good.commits.iter().position(|commit| commit.changes.len() > 1).expect("one commit has many changes");
    type Harm<'a> = (&'a str, &'a dyn Fn(&mut Observed));
    let deeds: [Harm<'_>; 9] = [
        ("a commit in the middle lost", &|observed| drop(observed.commits.remove(large))),
        ("half a commit", &|observed| drop(observed.commits[large].changes.pop())),
        ("a commit done twice", &|observed| {
            let mut again = observed.commits[large].clone();
            again.revision = observed.commits.len() as u64 + 1;
            observed.commits.push(again);
        }),
        ("a commit that nobody asked for", &|observed| observed.commits[large].request_id = "another".into()),
        ("a commit of another past", &|observed| observed.commits[large].parent_hash[0] ^= 1),
        ("a commit before its time", &|observed| observed.commits[large].commit_time = Some(Default::default())),
        ("another content", &|observed| {
            let after = observed.commits[large].changes[0].after.as_mut().unwrap();
            match after.kind.as_mut().unwrap() {
                v1::resource::Kind::FocusArea(area) => area.description.push('x'),
                v1::resource::Kind::Organization(organization) => organization.description.push('x'),
                other => panic!("{other:?}"),
            }
        }),
        ("a resource lost", &|observed| drop(observed.resources.pop())),
        ("a resource out of date", &|observed| {
            let last = observed.resources.last_mut().unwrap();
            *last = oracle::bare(last.clone()).0;
        }),
    ];
    for (what, harm) in deeds {
        let mut harmed = good.clone();
        harm(&mut harmed);
        assert!(witness.check(&harmed, u64::MAX).is_err(), "{what} was not noticed");
    }
}
