//! A client that writes: creations, updates, deletions, undeletions, rollbacks, events and commits of many sizes, to
//! resources of its own, and now and then a request once more.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use partnership_registry::v1::{self, Country, mutation, resource};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::board::Board;
use crate::crash::events::Recorder;
use crate::crash::load::{Stubs, mask, uuid};
use crate::crash::oracle::{Answer, Request, Versions, bare};

/// The resources of a client, small ones and large ones.
const SMALL: usize = 150;
const LARGE: usize = 12;
/// The least a document has, with all that is in it: what the smallest description adds up to.
const SMALL_DESCRIPTION: usize = 250;
/// An annotation has at most 4,096 characters, of which each may have four bytes; 63 of them and the rest are a little
/// less than the 1 MiB that a resource may have.
const ANNOTATION_BYTES: usize = 4 * 4_096;
const ANNOTATIONS_MAX: usize = 63;
/// The versions of a resource to which it is rolled back: the oracle keeps more.
const VERSIONS_MAX: usize = 3;

/// What a client knows of a resource.
#[derive(Default)]
struct Known {
    deleted: bool,
    etag: String,
    /// The last versions, as far as the client was told their content; `None` if it is not so.
    versions: VecDeque<(u64, Option<Country>)>,
}

/// A client that writes.
pub(crate) struct Writer {
    slot: usize,
    stubs: Stubs,
    board: Arc<Board>,
    dice: StdRng,
    pace: Duration,
    own: BTreeMap<String, Known>,
    /// Events of agreements of its own.
    events: Recorder,
    made: u64,
}

impl Writer {
    /// A client that knows what there is. It waits up to twice `pace` after each request.
    pub(crate) fn new(
        slot: usize,
        stubs: Stubs,
        board: Arc<Board>,
        seed: u64,
        pace: Duration,
        there: &Versions,
    ) -> Self {
        let events = Recorder::new(&format!("w{slot}-{seed}"));
        let dice = StdRng::seed_from_u64(seed);
        let mut writer = Self { slot, stubs, board, dice, pace, own: BTreeMap::new(), events, made: 0 };
        let prefix = format!("countries/w{slot}-");
        for (name, versions) in there.range(prefix.clone()..).take_while(|(name, _)| name.starts_with(&prefix)) {
            for (_, version) in versions {
                let Some(resource::Kind::Country(country)) = &version.kind else { panic!("{name} is no country") };
                writer.own.entry(name.clone()).or_default().note(country.clone());
            }
        }
        writer
    }

    /// Writes until the server is gone.
    pub(crate) async fn run(mut self) {
        loop {
            let earlier = if self.dice.random_bool(0.05) { self.board.earlier(&mut self.dice) } else { None };
            let goes_on = match earlier {
                Some((request, answer)) => self.repeat(&request, &answer).await,
                None => {
                    let request = self.next();
                    self.board.ask(&request);
                    self.ask(&request).await
                }
            };
            if !goes_on {
                return;
            }
            tokio::time::sleep(self.dice.random_range(Duration::ZERO..=self.pace * 2)).await;
        }
    }

    /// A request that was done is answered as it was then.
    async fn repeat(&mut self, request: &Request, answer: &Answer) -> bool {
        match self.stubs.try_send(request).await {
            Ok(again) => {
                assert_eq!(again, *answer, "request {}, sent again", request.id());
                self.board.repeats.fetch_add(1, Ordering::SeqCst);
                true
            }
            Err(status) => self.board.goes_on_after("a repeated request", &status),
        }
    }

    /// Asks until a limit does not refuse it.
    async fn ask(&mut self, request: &Request) -> bool {
        loop {
            match self.stubs.try_send(request).await {
                Ok(answer) => {
                    self.board.learn(request, &answer, &mut self.dice);
                    self.learn(&answer);
                    self.events.learn(request, &answer);
                    return true;
                }
                Err(status) if !self.board.goes_on_after("a write", &status) => return false,
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    fn learn(&mut self, answer: &Answer) {
        match answer {
            Answer::Country(country) => {
                self.own.entry(country.name.clone()).or_default().note((**country).clone());
            }
            Answer::Commit(response) => {
                for result in response.results.iter().filter(|one| one.name.starts_with("countries/")) {
                    let known = self.own.entry(result.name.clone()).or_default();
                    known.deleted = result.action() == v1::ChangeAction::Delete;
                    known.etag.clone_from(&result.etag);
                    known.push(result.revision, None);
                }
            }
            Answer::Agreement(_) => {}
            Answer::Refused(code) => panic!("nobody else writes to what is refused with {code:?}"),
        }
    }

    fn next(&mut self) -> Request {
        let request_id = uuid(&mut self.dice);
        let dice = self.dice.random_range(0..1_000);
        if dice < 5 {
            return self.commit(request_id, 3, true);
        }
        if dice < 80 {
            let count = self.dice.random_range(2..20);
            return self.commit(request_id, count, false);
        }
        if dice < 160 {
            return self.events.next(request_id, &mut self.dice);
        }
        let large = dice < 180;
        let id = self.id(large);
        let name = format!("countries/{id}");
        match self.own.get(&name) {
            None => {
                let country = Some(self.country(String::new(), large));
                Request::Create(v1::CreateCountryRequest { country_id: id, country, request_id, validate_only: false })
            }
            Some(known) if known.deleted => {
                Request::Undelete(v1::UndeleteCountryRequest { name, request_id, ..Default::default() })
            }
            Some(known) => match self.dice.random_range(0..10) {
                0 => {
                    let etag = known.etag.clone();
                    Request::Delete(v1::DeleteCountryRequest { name, etag, request_id, ..Default::default() })
                }
                1 | 2 if known.other_version().is_some() => {
                    let name = format!("{name}/revisions/{}", known.other_version().unwrap());
                    Request::Rollback(v1::RollbackCountryRequest { name, request_id, ..Default::default() })
                }
                _ => {
                    let etag = if self.dice.random_bool(0.5) { known.etag.clone() } else { String::new() };
                    let country = Some(Country { etag, ..self.country(name, large) });
                    let update_mask = Some(mask());
                    Request::Update(v1::UpdateCountryRequest { country, update_mask, request_id, ..Default::default() })
                }
            },
        }
    }

    /// A commit of so many changes, each of another resource.
    fn commit(&mut self, request_id: String, count: usize, large: bool) -> Request {
        let mut mutations = BTreeMap::new();
        while mutations.len() < count {
            let name = format!("countries/{}", self.id(large));
            let resource = Some(self.country(name.clone(), large).into());
            let operation = match self.own.get(&name) {
                None => mutation::Operation::Create(v1::CreateMutation { resource }),
                Some(known) if known.deleted => {
                    mutation::Operation::Undelete(v1::UndeleteMutation { name: name.clone(), etag: String::new() })
                }
                Some(_) if self.dice.random_bool(0.1) => {
                    mutation::Operation::Delete(v1::DeleteMutation { name: name.clone(), ..Default::default() })
                }
                Some(_) => {
                    let update_mask = Some(mask());
                    mutation::Operation::Update(v1::UpdateMutation {
                        resource,
                        update_mask,
                        allow_missing: false,
                        ..v1::UpdateMutation::default()
                    })
                }
            };
            mutations.insert(name, v1::Mutation { operation: Some(operation) });
        }
        let (mutations, reason) = (mutations.into_values().collect(), format!("the work of {}", self.slot));
        Request::Commit(v1::CommitRequest { mutations, reason, request_id, ..Default::default() })
    }

    fn id(&mut self, large: bool) -> String {
        if large {
            format!("w{}-l{}", self.slot, self.dice.random_range(0..LARGE))
        } else {
            format!("w{}-s{}", self.slot, self.dice.random_range(0..SMALL))
        }
    }

    /// A country, of a content that no other request has.
    fn country(&mut self, name: String, large: bool) -> Country {
        self.made += 1;
        let length = SMALL_DESCRIPTION + if self.dice.random_bool(0.8) { 0 } else { self.dice.random_range(0..8_000) };
        let description = (0..length).map(|_| char::from(self.dice.random_range(b'a'..=b'z'))).collect();
        let annotations = if large { self.dice.random_range(4..=ANNOTATIONS_MAX) } else { 0 };
        let letter = char::from_u32(self.dice.random_range(0x1_0000..0x1_1000)).unwrap_or('\u{1_0000}');
        let text = String::from(letter).repeat(ANNOTATION_BYTES / letter.len_utf8());
        Country {
            name,
            display_name: format!("number {} of {}, {}", self.made, self.slot, self.dice.random::<u64>()),
            description,
            annotations: (0..annotations).map(|key| (format!("key-{key}"), text.clone())).collect(),
            ..Default::default()
        }
    }
}

impl Known {
    fn note(&mut self, country: Country) {
        self.deleted = country.delete_time.is_some();
        self.etag.clone_from(&country.etag);
        let revision = country.revision;
        self.push(revision, Some(country).filter(|country| country.delete_time.is_none()));
    }

    fn push(&mut self, revision: u64, country: Option<Country>) {
        self.versions.push_back((revision, country));
        if self.versions.len() > VERSIONS_MAX {
            self.versions.pop_front();
        }
    }

    /// The revision of a version of another content than the newest.
    fn other_version(&self) -> Option<u64> {
        let content = |country: &Country| bare(country.clone().into()).0;
        let newest = content(self.versions.back()?.1.as_ref()?);
        let other = |country: &Country| content(country) != newest;
        self.versions.iter().find(|(_, country)| country.as_ref().is_some_and(other)).map(|(revision, _)| *revision)
    }
}
