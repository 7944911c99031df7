//! The load: clients that write as fast as they are answered until the server is gone, and tell the witness all they
//! know. And how a whole registry is read through its methods.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use partnership_registry::v1::agreement_service_client::AgreementServiceClient;
use partnership_registry::v1::country_service_client::CountryServiceClient;
use partnership_registry::v1::registry_service_client::RegistryServiceClient;
use partnership_registry::v1::{self, Resource, mutation, resource};
use prost_types::FieldMask;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::sync::watch;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::events::Recorder;
use super::oracle::{Answer, Asked, Observed, Request, UPDATED, Witness, bare};
use crate::harness::process::DEADLINE;

/// An answer can be larger than the 4 MiB that clients take by default: a page ends behind 2 MiB, not before.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// All clients write to these too.
const SHARED: [&str; 3] = ["countries/shared-a", "countries/shared-b", "countries/shared-c"];

/// What clients and the test share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) witness: Arc<Mutex<Witness>>,
    /// How many answers there were.
    pub(crate) answers: watch::Sender<u64>,
    /// Where the test is, by its own count.
    pub(crate) position: Arc<dyn Fn() -> u64 + Send + Sync>,
}

impl Shared {
    pub(crate) fn new(position: impl Fn() -> u64 + Send + Sync + 'static) -> Shared {
        Shared { witness: Arc::default(), answers: watch::Sender::new(0), position: Arc::new(position) }
    }

    /// Returns when there were so many answers more; or after some time, if there was any.
    pub(crate) async fn answered(&self, count: u64, patience: Duration) {
        let mut answers = self.answers.subscribe();
        let before = *answers.borrow();
        let enough = answers.wait_for(|answers| *answers >= before + count);
        if tokio::time::timeout(patience, enough).await.is_err() {
            let any = tokio::time::timeout(DEADLINE, answers.wait_for(|answers| *answers > before)).await;
            any.expect("the server answers nothing any more").unwrap();
        }
    }
}

/// The stubs of one connection.
#[derive(Clone)]
pub(crate) struct Stubs {
    pub(crate) countries: CountryServiceClient<Channel>,
    pub(crate) agreements: AgreementServiceClient<Channel>,
    pub(crate) registry: RegistryServiceClient<Channel>,
}

impl Stubs {
    pub(crate) fn new(channel: &Channel) -> Stubs {
        Stubs {
            countries: CountryServiceClient::new(channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX),
            agreements: AgreementServiceClient::new(channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX),
            registry: RegistryServiceClient::new(channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX),
        }
    }

    /// Sends a request. `None`: the server was gone before it answered. Panics on a refusal that has no reason to be.
    pub(crate) async fn send(&mut self, request: &Request) -> Option<Answer> {
        match self.try_send(request).await {
            Ok(answer) => Some(answer),
            // What the server itself says carries details; what the transport says does not.
            Err(status) if status.details().is_empty() => None,
            Err(status) => panic!("{request:?}: {status}"),
        }
    }

    /// As `send`, for a server that may refuse for reasons of its own.
    pub(crate) async fn try_send(&mut self, request: &Request) -> Result<Answer, Status> {
        let country = |answer: Result<tonic::Response<v1::Country>, Status>| {
            answer.map(|country| Answer::Country(Box::new(country.into_inner())))
        };
        let agreement = |answer: Result<tonic::Response<v1::Agreement>, Status>| {
            answer.map(|agreement| Answer::Agreement(Box::new(agreement.into_inner())))
        };
        let answer = match request.clone() {
            Request::Create(request) => country(self.countries.create_country(request).await),
            Request::Update(request) => country(self.countries.update_country(request).await),
            Request::Delete(request) => country(self.countries.delete_country(request).await),
            Request::Undelete(request) => country(self.countries.undelete_country(request).await),
            Request::Rollback(request) => country(self.countries.rollback_country(request).await),
            Request::Record(request) => agreement(self.agreements.record_agreement_events(request).await),
            Request::Void(request) => agreement(self.agreements.void_agreement_event(request).await),
            Request::Commit(request) => {
                self.registry.commit(request).await.map(|response| Answer::Commit(response.into_inner()))
            }
        };
        answer.or_else(|status| match status.code() {
            code @ (Code::Aborted | Code::FailedPrecondition | Code::NotFound | Code::AlreadyExists)
                if !status.details().is_empty() =>
            {
                Ok(Answer::Refused(code))
            }
            _ => Err(status),
        })
    }

    /// Reads everything there is.
    pub(crate) async fn observe(&mut self) -> Observed {
        let mut commits = Vec::new();
        let mut request = v1::ListCommitsRequest { page_size: 1000, ..Default::default() };
        loop {
            let page = self.registry.list_commits(request.clone()).await.unwrap().into_inner();
            commits.extend(page.commits);
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        let mut resources = Vec::new();
        let everything = v1::ExportRequest { show_deleted: true, ..Default::default() };
        let mut export = self.registry.export(everything).await.unwrap().into_inner();
        while let Some(message) = export.message().await.unwrap() {
            assert_eq!(message.revision, commits.len() as u64);
            resources.extend(message.resources);
        }
        Observed { commits, resources }
    }

    /// All countries, in pages.
    pub(crate) async fn list_countries(&mut self, page_size: i32) -> Vec<Resource> {
        let mut listed = Vec::new();
        let mut request = v1::ListCountriesRequest { page_size, show_deleted: true, ..Default::default() };
        loop {
            let page = self.countries.list_countries(request.clone()).await.unwrap().into_inner();
            listed.extend(page.countries.into_iter().map(Resource::from));
            if page.next_page_token.is_empty() {
                return listed;
            }
            request.page_token = page.next_page_token;
        }
    }
}

/// A client that writes.
pub(crate) struct Client {
    id: String,
    stubs: Stubs,
    shared: Shared,
    dice: StdRng,
    /// Its own countries: whether each is deleted, and its etag.
    own: BTreeMap<String, (bool, String)>,
    /// Events of agreements of its own, and of those that all record.
    events: [Recorder; 2],
    made: u64,
}

impl Client {
    /// A client that knows what there is. `id` is never used for another one of the same store.
    pub(crate) fn new(id: String, channel: &Channel, shared: &Shared, seed: u64, there: &[Resource]) -> Client {
        let mut own = BTreeMap::new();
        for resource in there {
            if matches!(resource.kind, Some(resource::Kind::Country(_))) && !SHARED.contains(&resource.name()) {
                let name = resource.name().to_owned();
                // Clients of one slot follow each other, and none of another slot touches what is theirs.
                if slot(&name) == slot(&format!("countries/{id}-")) {
                    let (_, stamps) = bare(resource.clone());
                    own.insert(name, (stamps.delete_time.is_some(), stamps.etag));
                }
            }
        }
        Client {
            events: [Recorder::new(&id), Recorder::new("shared")],
            id,
            stubs: Stubs::new(channel),
            shared: shared.clone(),
            dice: StdRng::seed_from_u64(seed),
            own,
            made: 0,
        }
    }

    /// Writes until the server is gone.
    pub(crate) async fn run(mut self) {
        loop {
            let request = self.next();
            if self.ask(request).await.is_none() {
                return;
            }
        }
    }

    async fn ask(&mut self, request: Request) -> Option<Answer> {
        let id = request.id().to_owned();
        let asked = Asked { request: request.clone(), answer: None };
        self.shared.witness.lock().unwrap().asked.insert(id.clone(), asked);
        let answer = self.stubs.send(&request).await?;
        let position = (self.shared.position)();
        self.shared.witness.lock().unwrap().asked.get_mut(&id).unwrap().answer = Some((answer.clone(), position));
        self.shared.answers.send_modify(|answers| *answers += 1);
        self.learn(&answer);
        self.events.iter_mut().for_each(|recorder| recorder.learn(&request, &answer));
        Some(answer)
    }

    fn learn(&mut self, answer: &Answer) {
        match answer {
            Answer::Country(country) if !SHARED.contains(&country.name.as_str()) => {
                self.own.insert(country.name.clone(), (country.delete_time.is_some(), country.etag.clone()));
            }
            Answer::Commit(response) => {
                for result in &response.results {
                    if result.name.starts_with("countries/") && !SHARED.contains(&result.name.as_str()) {
                        let deleted = result.action() == v1::ChangeAction::Delete;
                        self.own.insert(result.name.clone(), (deleted, result.etag.clone()));
                    }
                }
            }
            Answer::Country(_) | Answer::Agreement(_) | Answer::Refused(_) => {}
        }
    }

    fn next(&mut self) -> Request {
        let request_id = uuid(&mut self.dice);
        match self.dice.random_range(0..100) {
            0..40 => self.create(request_id),
            40..58 => match self.pick(false) {
                Some(name) => self.update(request_id, name),
                None => self.create(request_id),
            },
            58..64 => match self.pick(false) {
                Some(name) => {
                    let etag = self.own[&name].1.clone();
                    Request::Delete(v1::DeleteCountryRequest { name, etag, request_id, ..Default::default() })
                }
                None => self.create(request_id),
            },
            64..70 => match self.pick(true) {
                Some(name) => Request::Undelete(v1::UndeleteCountryRequest { name, request_id, ..Default::default() }),
                None => self.create(request_id),
            },
            70..76 => self.shared_write(request_id),
            76..84 => {
                let recorder = self.dice.random_range(0..self.events.len());
                self.events[recorder].next(request_id, &mut self.dice)
            }
            84..98 => {
                let count = self.dice.random_range(1..5);
                self.commit(request_id, count, 300)
            }
            _ => {
                let count = self.dice.random_range(20..100);
                self.commit(request_id, count, 4_000)
            }
        }
    }

    fn pick(&mut self, deleted: bool) -> Option<String> {
        let fit: Vec<_> = self.own.iter().filter(|(_, (is, _))| *is == deleted).map(|(name, _)| name).collect();
        if fit.is_empty() { None } else { Some(fit[self.dice.random_range(0..fit.len())].clone()) }
    }

    /// A country, of a content that no other request has.
    fn country(&mut self, name: String, length: usize) -> v1::Country {
        self.made += 1;
        let filler: String = (0..length).map(|_| char::from(self.dice.random_range(b'a'..=b'z'))).collect();
        v1::Country {
            name,
            display_name: format!("number {} of {}", self.made, self.id),
            description: filler,
            labels: [("client".to_owned(), self.id.clone())].into(),
            ..Default::default()
        }
    }

    fn create(&mut self, request_id: String) -> Request {
        let length = self.dice.random_range(0..800);
        let country = self.country(String::new(), length);
        let country_id = format!("{}-{}", self.id, self.made);
        Request::Create(v1::CreateCountryRequest {
            country_id,
            country: Some(country),
            request_id,
            validate_only: false,
        })
    }

    fn update(&mut self, request_id: String, name: String) -> Request {
        let length = self.dice.random_range(0..800);
        let etag = match self.own.get(&name) {
            Some((_, etag)) if self.dice.random_bool(0.5) => etag.clone(),
            _ => String::new(),
        };
        let country = v1::Country { etag, ..self.country(name, length) };
        Request::Update(v1::UpdateCountryRequest {
            country: Some(country),
            update_mask: Some(mask()),
            request_id,
            ..Default::default()
        })
    }

    /// Two clients of the same mind: one of them may be refused.
    fn shared_write(&mut self, request_id: String) -> Request {
        let name = SHARED[self.dice.random_range(0..SHARED.len())].to_owned();
        match self.dice.random_range(0..10) {
            0 => Request::Delete(v1::DeleteCountryRequest { name, request_id, ..Default::default() }),
            1 | 2 => Request::Undelete(v1::UndeleteCountryRequest { name, request_id, ..Default::default() }),
            3 => {
                let (_, country_id) = name.split_once('/').unwrap();
                let (country_id, country) = (country_id.to_owned(), self.country(String::new(), 100));
                Request::Create(v1::CreateCountryRequest {
                    country_id,
                    country: Some(country),
                    request_id,
                    validate_only: false,
                })
            }
            _ => self.update(request_id, name),
        }
    }

    /// A commit over several kinds: focus areas, organizations that work in them, and what is there already.
    fn commit(&mut self, request_id: String, count: usize, length: usize) -> Request {
        let mut mutations = Vec::new();
        let mut add = |operation| mutations.push(v1::Mutation { operation: Some(operation) });
        let creation = |resource| mutation::Operation::Create(v1::CreateMutation { resource: Some(resource) });
        for _ in 0..count {
            let country = self.country(String::new(), length);
            let area = v1::FocusArea {
                name: format!("focusAreas/{}-{}", self.id, self.made),
                display_name: country.display_name.clone(),
                description: country.description.clone(),
                ..Default::default()
            };
            let organization = v1::Organization {
                name: format!("organizations/{}-{}", self.id, self.made),
                display_name: country.display_name.clone(),
                focus_areas: vec![area.name.clone()],
                ..Default::default()
            };
            // In either order: a commit may refer to what it makes later.
            if self.dice.random() {
                add(creation(area.into()));
                add(creation(organization.into()));
            } else {
                add(creation(organization.into()));
                add(creation(area.into()));
            }
        }
        if let Some(name) = self.pick(false) {
            match self.dice.random_range(0..3) {
                0 => add(mutation::Operation::Delete(v1::DeleteMutation { name, ..Default::default() })),
                _ => {
                    let resource = Some(self.country(name, length).into());
                    let update = v1::UpdateMutation {
                        resource,
                        update_mask: Some(mask()),
                        allow_missing: false,
                        ..v1::UpdateMutation::default()
                    };
                    add(mutation::Operation::Update(update));
                }
            }
        }
        if let Some(name) = self.pick(true) {
            add(mutation::Operation::Undelete(v1::UndeleteMutation { name, etag: String::new() }));
        }
        let reason = format!("the work of {}", self.id);
        Request::Commit(v1::CommitRequest { mutations, reason, request_id, ..Default::default() })
    }
}

/// Reads whenever a client was answered, until the server is gone, and tells the witness which revisions it has seen.
pub(crate) async fn read_on(mut stubs: Stubs, shared: Shared) {
    let request = v1::ListCommitsRequest { page_size: 1, order_by: "revision desc".into(), ..Default::default() };
    let mut answers = shared.answers.subscribe();
    while let Ok(page) = stubs.registry.list_commits(request.clone()).await {
        let seen = (page.into_inner().revision, (shared.position)());
        shared.witness.lock().unwrap().seen.push(seen);
        // Or not, if there are none any more: then the next call fails.
        let _ = tokio::time::timeout(Duration::from_millis(20), answers.changed()).await;
    }
}

fn slot(name: &str) -> &str {
    name.split('-').next().unwrap()
}

pub(crate) fn mask() -> FieldMask {
    FieldMask { paths: UPDATED.map(str::to_owned).into() }
}

/// A UUID, version 4.
pub(crate) fn uuid(dice: &mut StdRng) -> String {
    let (high, low): (u64, u64) = (dice.random(), dice.random());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | (low >> 48) & 0x3fff,
        low & 0xffff_ffff_ffff
    )
}
