//! Many clients at once: what they were answered is written down, and held afterwards against the history. Each commit
//! must be what the model makes of its request at that revision, and each other answer what the model says at some
//! revision of the time in which it was given.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use partnership_registry::v1::{self, ChangeAction, Commit, Resource};
use rand::RngExt as _;
use tonic::Code;

use super::api::{Api, Listing};
use super::plain::{Content, Mistake, Model, Planned, Version, Write, resource, timeless};
use super::{Author, Done, send};
use crate::crash::events::without_computed;
use crate::crash::load::uuid;
use crate::crash::oracle::bare;

/// Something that a client did, and what it was answered.
#[derive(Debug)]
enum Deed {
    Wrote(Write, Result<Done, Code>),
    Got { name: String, read_revision: u64, found: Result<Box<Resource>, Code> },
    Listed { listing: Listing, resources: Vec<Resource>, revision: u64, total_size: i32 },
}

/// A deed and its time, in revisions.
#[derive(Debug)]
pub(super) struct Record {
    deed: Deed,
    /// A revision that somebody had been told of before.
    after: u64,
    /// The last revision that could have been there.
    until: u64,
}

/// What clients tell each other.
#[derive(Clone, Default)]
pub(super) struct Square {
    acknowledged: Arc<AtomicU64>,
    /// What is there, as far as somebody has been told: so that requests make sense.
    gossip: Arc<Mutex<Model>>,
}

impl Square {
    fn tell(&self, resource: &Resource) {
        let revision = bare(resource.clone()).1.revision;
        self.acknowledged.fetch_max(revision, Ordering::SeqCst);
        let mut gossip = self.gossip.lock().unwrap();
        let newer = gossip
            .versions
            .get(resource.name())
            .and_then(|known| known.last())
            .is_none_or(|last| last.revision < revision);
        if newer && revision > 0 {
            let version = Version { revision, action: ChangeAction::Unchanged, resource: resource.clone() };
            gossip.add(resource.name(), version);
            // For a stale etag now and then, the last few are enough.
            let versions = gossip.versions.entry(resource.name().to_owned()).or_default();
            versions.drain(..versions.len().saturating_sub(3));
        }
    }
}

/// A client does so many things, and tells what it was answered.
pub(super) async fn client(api: Api, seed: u64, operations: u64, square: Square) -> Vec<Record> {
    let mut author = Author::new(seed);
    let mut records = Vec::new();
    for _ in 0..operations {
        let known = square.gossip.lock().unwrap().clone();
        let after = square.acknowledged.load(Ordering::SeqCst);
        let deed = match author.dice.random_range(0..10) {
            0..6 => {
                let write = Write { request_id: uuid(&mut author.dice), ..author.write(&known) };
                let answer = send(&api, &write, false).await;
                Deed::Wrote(write, answer.map_err(|status| status.code()))
            }
            6..9 => {
                let name = author.name();
                let read_revision = if author.chance(0.5) { 0 } else { author.dice.random_range(0..after + 3) };
                let found = api.get(&name, read_revision, "").await.map(Box::new).map_err(|status| status.code());
                Deed::Got { name, read_revision, found }
            }
            _ => {
                let listing = author.listing(after);
                let page = api.list(listing.clone()).await.unwrap();
                Deed::Listed {
                    listing,
                    resources: page.resources,
                    revision: page.revision,
                    total_size: page.total_size,
                }
            }
        };
        match &deed {
            Deed::Wrote(_, Ok(Done::One(resource))) => square.tell(resource),
            Deed::Wrote(_, Ok(Done::Commit(response))) => {
                square.acknowledged.fetch_max(response.revision, Ordering::SeqCst);
            }
            Deed::Got { found: Ok(resource), .. } => square.tell(resource),
            Deed::Listed { revision, .. } => {
                square.acknowledged.fetch_max(*revision, Ordering::SeqCst);
            }
            Deed::Wrote(_, Err(_)) | Deed::Got { .. } => {}
        }
        records.push(Record { deed, after, until: u64::MAX });
    }
    // What a client did before it made a revision was answered before that revision was there.
    let mut until = u64::MAX;
    for record in records.iter_mut().rev() {
        record.until = until;
        match &record.deed {
            Deed::Wrote(_, Ok(Done::Commit(response))) if response.commit_time.is_some() => {
                until = response.revision - 1
            }
            Deed::Wrote(_, Ok(Done::One(resource))) => {
                let revision = bare((**resource).clone()).1.revision;
                // One that changed nothing may be of long ago.
                if revision > record.after {
                    until = until.min(revision - 1);
                }
            }
            _ => {}
        }
    }
    records
}

macro_rules! ensure {
    ($holds:expr, $($told:tt)*) => {
        if !$holds {
            return Err(format!($($told)*));
        }
    };
}

/// Explains everything that clients were answered by the history, or says what cannot be explained.
pub(super) fn explain(records: &[Record], commits: &[Commit], mistake: Option<Mistake>) -> Result<(), String> {
    let mut model = Model { mistake, ..Model::default() };
    let mut writes = BTreeMap::new();
    for record in records {
        if let Deed::Wrote(write, answer) = &record.deed {
            writes.insert(write.request_id.as_str(), (write, answer));
        }
    }
    let mut made = HashSet::new();
    for (commit, revision) in commits.iter().zip(1..) {
        ensure!(commit.revision == revision, "revision {revision} is not there");
        let id = commit.request_id.as_str();
        let (write, answer) = writes.get(id).ok_or_else(|| format!("nobody asked for revision {revision}"))?;
        ensure!(made.insert(id), "revision {revision} does again what was done: {write:?}");
        let planned = model
            .now()
            .decide(write)
            .map_err(|code| format!("revision {revision} should be refused with {code:?}: {write:?}"))?;
        let planned: Vec<_> = planned.into_iter().filter(|plan| plan.action != ChangeAction::Unchanged).collect();
        add(&mut model, commit, &planned).map_err(|wrong| format!("revision {revision}, {write:?}: {wrong}"))?;
        let answered = match answer {
            Err(code) => return Err(format!("revision {revision} was refused with {code:?}: {write:?}")),
            Ok(Done::One(resource)) => {
                commit.changes[0].after.clone().map(without_computed).as_ref() == Some(&**resource)
            }
            Ok(Done::Commit(response)) => {
                response.revision == revision
                    && response.commit_time == commit.commit_time
                    && response.results.len() == write.ops.len()
            }
        };
        ensure!(answered, "revision {revision} is {commit:?}, and was answered as {answer:?}");
    }
    for record in records {
        let head = model.head;
        ensure!(record.after <= head, "revision {} was acknowledged, and the head is {head}", record.after);
        let mut time = record.after..=record.until.min(head);
        let explained = match &record.deed {
            Deed::Wrote(write, _) if made.contains(write.request_id.as_str()) => true,
            Deed::Wrote(write, Err(code)) => time.any(|at| model.at(at).decide(write).err() == Some(*code)),
            Deed::Wrote(write, Ok(done)) => time.any(|at| changes_nothing(&model, at, write, done)),
            Deed::Got { name, read_revision: 0, found } => time.any(|at| same(found, model.at(at).get(name))),
            // A revision that did not exist yet.
            Deed::Got { read_revision, found: Err(Code::OutOfRange), .. } => *read_revision > record.after,
            Deed::Got { name, read_revision, found } => {
                *read_revision <= *time.end() && same(found, model.at(*read_revision).get(name))
            }
            Deed::Listed { listing, resources, revision, total_size } => {
                let asked = listing.read_revision == 0 && time.contains(revision) || listing.read_revision == *revision;
                let expected = model.at(*revision).list(listing);
                let page = expected.iter().take(usize::try_from(listing.page_size).unwrap());
                asked && resources.iter().eq(page.copied()) && *total_size as usize == expected.len()
            }
        };
        ensure!(explained, "nothing explains {record:?}");
    }
    Ok(())
}

/// Whether a read found what there was.
fn same(found: &Result<Box<Resource>, Code>, there: Option<&Resource>) -> bool {
    found.as_deref() == there.ok_or(&Code::NotFound)
}

/// Takes a commit in, if it is what was planned.
fn add(model: &mut Model, commit: &Commit, planned: &[Planned]) -> Result<(), String> {
    ensure!(commit.changes.len() == planned.len(), "has {} changes, and not {}", commit.changes.len(), planned.len());
    for (change, plan) in commit.changes.iter().zip(planned) {
        let after = without_computed(change.after.clone().unwrap_or_default());
        let (content, stamps) = bare(after.clone());
        let same = (change.name.as_str(), change.action()) == (plan.name.as_str(), plan.action)
            && Some(timeless(content)) == plan.content.clone().map(timeless);
        ensure!(same, "has {change:?}, and should have {plan:?}");
        ensure!(
            stamps.revision == commit.revision && stamps.update_time == commit.commit_time,
            "has another stamp: {stamps:?}"
        );
        let before =
            model.versions.get(&plan.name).and_then(|versions| versions.last()).map_or(0, |version| version.revision);
        ensure!(change.previous_revision == before, "follows {}, and not {before}", change.previous_revision);
        model.add(&plan.name, Version { revision: commit.revision, action: plan.action, resource: after });
    }
    Ok(())
}

/// Whether a write had nothing to change at a revision, and was answered so.
fn changes_nothing(model: &Model, at: u64, write: &Write, done: &Done) -> bool {
    let Ok(planned) = model.at(at).decide(write) else { return false };
    if planned.iter().any(|plan| plan.action != ChangeAction::Unchanged) {
        return false;
    }
    match done {
        Done::One(answer) => {
            let name = write.ops[0].name();
            match model.at(at).version(name) {
                Some(version) => version.resource == **answer,
                None => resource(name, Content::default()) == **answer,
            }
        }
        Done::Commit(response) => response.commit_time.is_none() && response.revision == at,
    }
}

/// All commits.
pub(super) async fn history(api: &Api) -> Vec<Commit> {
    let mut commits = Vec::new();
    let mut request = v1::ListCommitsRequest { page_size: 1000, ..Default::default() };
    loop {
        let page = api.registry().list_commits(request.clone()).await.unwrap().into_inner();
        commits.extend(page.commits);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return commits;
        }
    }
}
