//! The oracle: what must be true of a registry after a crash, told from what clients asked for and were answered.
//!
//! It shares no code with the server, only the contract. It knows every request that was ever sent, and reads the whole
//! history: each commit must be the whole of one request, each acknowledged request must be there as it was
//! acknowledged, and what is stored must be what the history adds up to.

use std::collections::{BTreeMap, HashMap, HashSet};

use partnership_registry::v1::{self, Change, ChangeAction, Commit, Resource, mutation, resource};
use tonic::Code;

use super::events::{Events, recorded, without_computed};

/// What a client asked for.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    Create(v1::CreateCountryRequest),
    Update(v1::UpdateCountryRequest),
    Delete(v1::DeleteCountryRequest),
    Undelete(v1::UndeleteCountryRequest),
    Rollback(v1::RollbackCountryRequest),
    Record(v1::RecordAgreementEventsRequest),
    Void(v1::VoidAgreementEventRequest),
    Commit(v1::CommitRequest),
}

/// What it was answered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    Country(Box<v1::Country>),
    Agreement(Box<v1::Agreement>),
    Commit(v1::CommitResponse),
    Refused(Code),
}

/// A request, and what is known of what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) request: Request,
    /// The answer, and the position (of whatever the test counts) at which it was there. `None`: the server was gone
    /// before it answered.
    pub(crate) answer: Option<(Answer, u64)>,
}

/// Everything that clients know.
#[derive(Clone, Debug, Default)]
pub(crate) struct Witness {
    /// By request id.
    pub(crate) asked: BTreeMap<String, Asked>,
    /// Revisions that readers have seen, each with the position at which.
    pub(crate) seen: Vec<(u64, u64)>,
    /// Who writes beside them: commits without a request id that create one country whose id begins so are of no
    /// request.
    pub(crate) neighbour: Option<&'static str>,
}

/// What a registry holds, as its own methods tell it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Observed {
    /// All commits, oldest first.
    pub(crate) commits: Vec<Commit>,
    /// All resources at the head, deleted ones too.
    pub(crate) resources: Vec<Resource>,
}

/// All versions of all resources: what the commits add up to.
pub(crate) type Versions = BTreeMap<String, Vec<(u64, Resource)>>;

/// What has been checked so far, and must be continued by what is checked next.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// The last revision.
    pub(crate) head: u64,
    parent_hash: Vec<u8>,
    last_time: (i64, i32),
    /// The requests that are done.
    pub(crate) ids: HashSet<String>,
    pub(crate) versions: Versions,
}

/// What one change of a request must do.
struct Wanted {
    action: ChangeAction,
    name: String,
    /// What a creation or an update sends.
    sent: Option<Resource>,
    /// The revision to which it is rolled back.
    rolled_to: u64,
    /// What is recorded and voided.
    events: Events,
}

impl Request {
    /// The id by which it is known again.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Create(request) => &request.request_id,
            Self::Update(request) => &request.request_id,
            Self::Delete(request) => &request.request_id,
            Self::Undelete(request) => &request.request_id,
            Self::Rollback(request) => &request.request_id,
            Self::Record(request) => &request.request_id,
            Self::Void(request) => &request.request_id,
            Self::Commit(request) => &request.request_id,
        }
    }

    fn wanted(&self) -> Vec<Wanted> {
        let wanted = |action, name: &str, sent| {
            let (name, events) = (name.to_owned(), Events::default());
            Wanted { action, name, sent, rolled_to: 0, events }
        };
        let one = |action, name: &str, sent| vec![wanted(action, name, sent)];
        let of_events = |action, name: &str, recorded: &[v1::AgreementEvent], voided: &[String], reason: &str| {
            let events = Events { recorded: recorded.to_vec(), voided: voided.to_vec(), reason: reason.to_owned() };
            Wanted { events, ..wanted(action, name, None) }
        };
        match self {
            Self::Create(request) => {
                let mut country = request.country.clone().unwrap();
                country.name = format!("countries/{}", request.country_id);
                one(ChangeAction::Create, &country.name.clone(), Some(country.into()))
            }
            Self::Update(request) => {
                let country = request.country.clone().unwrap();
                one(ChangeAction::Update, &country.name.clone(), Some(country.into()))
            }
            Self::Delete(request) => one(ChangeAction::Delete, &request.name, None),
            Self::Undelete(request) => one(ChangeAction::Undelete, &request.name, None),
            Self::Rollback(request) => {
                let (name, revision) = request.name.split_once("/revisions/").unwrap();
                let name = name.to_owned();
                vec![Wanted { rolled_to: revision.parse().unwrap(), ..wanted(ChangeAction::Rollback, &name, None) }]
            }
            Self::Record(v1::RecordAgreementEventsRequest { name, events, voided_event_ids, reason, .. }) => {
                vec![of_events(ChangeAction::RecordEvents, name, events, voided_event_ids, reason)]
            }
            Self::Void(v1::VoidAgreementEventRequest { name, event_id, reason, .. }) => {
                vec![of_events(ChangeAction::VoidEvent, name, &[], std::slice::from_ref(event_id), reason)]
            }
            Self::Commit(request) => {
                let wanted = |mutation: &v1::Mutation| match mutation.operation.as_ref().unwrap() {
                    mutation::Operation::Create(create) => {
                        let sent = create.resource.clone().unwrap();
                        wanted(ChangeAction::Create, sent.clone().name(), Some(sent))
                    }
                    mutation::Operation::Update(update) => {
                        let sent = update.resource.clone().unwrap();
                        wanted(ChangeAction::Update, sent.clone().name(), Some(sent))
                    }
                    mutation::Operation::Delete(delete) => wanted(ChangeAction::Delete, &delete.name, None),
                    mutation::Operation::Undelete(undelete) => wanted(ChangeAction::Undelete, &undelete.name, None),
                    mutation::Operation::RecordEvents(record) => of_events(
                        ChangeAction::RecordEvents,
                        &record.name,
                        &record.events,
                        &record.voided_event_ids,
                        &request.reason,
                    ),
                    mutation::Operation::VoidEvent(void) => of_events(
                        ChangeAction::VoidEvent,
                        &void.name,
                        &[],
                        std::slice::from_ref(&void.event_id),
                        &void.reason,
                    ),
                    mutation::Operation::Rollback(_) => panic!("the load does no such thing"),
                };
                request.mutations.iter().map(wanted).collect()
            }
        }
    }
}

macro_rules! stamps {
    ($({ $Kind:ident $singular:ident $plural:ident $collection:literal $tag:literal })*) => {
        /// What the server writes into a resource.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub(crate) struct Stamps {
            pub(crate) uid: String,
            pub(crate) etag: String,
            pub(crate) revision: u64,
            pub(crate) create_time: Option<prost_types::Timestamp>,
            pub(crate) update_time: Option<prost_types::Timestamp>,
            pub(crate) delete_time: Option<prost_types::Timestamp>,
            pub(crate) creator: String,
            pub(crate) updater: String,
        }

        /// A resource without what the server writes, and that.
        pub(crate) fn bare(mut resource: Resource) -> (Resource, Stamps) {
            let stamps = match resource.kind.as_mut() {
                $(Some(resource::Kind::$Kind(kind)) => Stamps {
                    uid: std::mem::take(&mut kind.uid),
                    etag: std::mem::take(&mut kind.etag),
                    revision: std::mem::take(&mut kind.revision),
                    create_time: kind.create_time.take(),
                    update_time: kind.update_time.take(),
                    delete_time: kind.delete_time.take(),
                    creator: std::mem::take(&mut kind.creator),
                    updater: std::mem::take(&mut kind.updater),
                },)*
                None => Stamps::default(),
            };
            (resource, stamps)
        }
    };
}

partnership_registry::for_each_kind!(stamps);

/// The fields that the clients' updates mean: they send this mask.
pub(crate) const UPDATED: [&str; 3] = ["display_name", "description", "annotations"];

/// What an update must make of what was there.
fn updated(mut before: Resource, sent: &Resource) -> Resource {
    if let (Some(resource::Kind::Country(country)), Some(resource::Kind::Country(sent))) =
        (&mut before.kind, &sent.kind)
    {
        country.display_name.clone_from(&sent.display_name);
        country.description.clone_from(&sent.description);
        country.annotations.clone_from(&sent.annotations);
    }
    before
}

macro_rules! ensure {
    ($holds:expr, $($told:tt)*) => {
        if !$holds {
            return Err(format!($($told)*));
        }
    };
}

impl Witness {
    /// Holds what a registry tells against all that clients knew at position `at`; what they learned later may be there
    /// or not. The error says what is wrong.
    pub(crate) fn check(&self, observed: &Observed, at: u64) -> Result<Versions, String> {
        let mut checked = Checked::default();
        self.check_history(&mut checked, &observed.commits)?;
        self.check_acknowledged(checked.head, &observed.commits, at)?;
        check_state(&checked.versions, &observed.resources)?;
        Ok(checked.versions)
    }

    /// Each commit is the whole of one request, and follows from the commits before it: those that were checked before.
    pub(crate) fn check_history(&self, checked: &mut Checked, commits: &[Commit]) -> Result<(), String> {
        if checked.head == 0 {
            checked.parent_hash = vec![0; 32];
        }
        let Checked { head, parent_hash, last_time, ids, versions } = checked;
        for (commit, expected) in commits.iter().zip(*head + 1..) {
            let revision = commit.revision;
            ensure!(revision == expected, "revision {expected} should be there, and {revision} is");
            ensure!(commit.parent_hash == *parent_hash, "revision {revision} does not continue the one before it");
            ensure!(commit.hash.len() == 32, "revision {revision} has no hash");
            parent_hash.clone_from(&commit.hash);
            let time = commit.commit_time.as_ref().map_or((0, 0), |time| (time.seconds, time.nanos));
            ensure!(time > *last_time, "revision {revision} is not later than the one before it");
            *last_time = time;
            *head = revision;
            let id = &commit.request_id;
            let wanted = if let Some(wanted) = self.neighbour.and_then(|whose| neighbours(commit, whose)) {
                vec![wanted]
            } else {
                let asked =
                    self.asked.get(id).ok_or_else(|| format!("revision {revision} is of {id}, which nobody sent"))?;
                ensure!(ids.insert(id.clone()), "request {id} was done twice, again in revision {revision}");
                asked.request.wanted()
            };
            let found: Vec<_> = commit.changes.iter().map(|change| (change.action(), change.name.as_str())).collect();
            let whole: Vec<_> = wanted.iter().map(|wanted| (wanted.action, wanted.name.as_str())).collect();
            ensure!(found == whole, "revision {revision} is {found:?}, and request {id} asked for {whole:?}");
            for (change, wanted) in commit.changes.iter().zip(&wanted) {
                let after = check_change(commit, change, wanted, versions.get(&change.name))?;
                versions.entry(change.name.clone()).or_default().push((revision, after));
            }
        }
        Ok(())
    }

    /// Nothing that was acknowledged is lost: it is in `commits`, as it was acknowledged.
    pub(crate) fn check_acknowledged(&self, head: u64, commits: &[Commit], at: u64) -> Result<(), String> {
        let by_id: HashMap<_, _> = commits.iter().map(|commit| (commit.request_id.as_str(), commit)).collect();
        for (id, asked) in &self.asked {
            let Some((answer, position)) = &asked.answer else { continue };
            match (by_id.get(id.as_str()), answer) {
                (Some(commit), Answer::Refused(code)) => {
                    return Err(format!(
                        "request {id} was refused with {code:?}, and is in revision {}",
                        commit.revision
                    ));
                }
                (None, Answer::Refused(_)) => {}
                (None, answer) => {
                    ensure!(*position > at, "request {id} was acknowledged and is lost: {answer:?}");
                }
                (Some(commit), Answer::Country(country)) => {
                    let after = commit.changes.first().and_then(|change| change.after.as_ref());
                    let acknowledged = Resource { kind: Some(resource::Kind::Country(country.as_ref().clone())) };
                    ensure!(
                        after == Some(&acknowledged),
                        "request {id} was acknowledged as {country:?}, and is {after:?}"
                    );
                }
                (Some(commit), Answer::Agreement(agreement)) => {
                    let after = commit.changes.first().and_then(|change| change.after.as_ref());
                    let acknowledged = Resource::from((**agreement).clone());
                    ensure!(
                        after == Some(&acknowledged),
                        "request {id} was acknowledged as {agreement:?}, and is {after:?}"
                    );
                }
                (Some(commit), Answer::Commit(response)) => {
                    let (revision, time) = (commit.revision, &commit.commit_time);
                    ensure!(
                        response.revision == revision && response.commit_time == *time,
                        "request {id} was acknowledged as revision {}, and is {revision}",
                        response.revision
                    );
                    let result = |change: &Change| v1::MutationResult {
                        name: change.name.clone(),
                        action: change.action,
                        etag: bare(change.after.clone().unwrap()).1.etag,
                        revision,
                        findings: Vec::new(),
                    };
                    let results: Vec<_> = commit.changes.iter().map(result).collect();
                    ensure!(
                        response.results == results,
                        "request {id} was acknowledged as {:?}, and is {results:?}",
                        response.results
                    );
                }
            }
        }
        for (revision, position) in &self.seen {
            ensure!(*revision <= head || *position > at, "revision {revision} was seen, and the head is {head}");
        }
        Ok(())
    }
}

/// A change does what was wanted, to the version before it. Answers the version after it.
fn check_change(
    commit: &Commit,
    change: &Change,
    wanted: &Wanted,
    versions: Option<&Vec<(u64, Resource)>>,
) -> Result<Resource, String> {
    let told = format!("revision {}, {}", commit.revision, change.name);
    let after = change.after.clone().ok_or_else(|| format!("{told}: there is nothing after the change"))?;
    let (now, stamps) = bare(after.clone());
    let before = versions.and_then(|versions| versions.last());
    ensure!(
        change.previous_revision == before.map_or(0, |(revision, _)| *revision),
        "{told}: the revision before is not {}",
        change.previous_revision
    );
    ensure!(stamps.revision == commit.revision, "{told}: says that it is of revision {}", stamps.revision);
    ensure!(stamps.update_time == commit.commit_time, "{told}: changed at another time");
    ensure!(stamps.updater == commit.actor, "{told}: changed by somebody else");
    ensure!(!stamps.etag.is_empty() && !stamps.uid.is_empty(), "{told}: has no etag or uid");
    let deleted = wanted.action == ChangeAction::Delete;
    ensure!(stamps.delete_time == deleted.then_some(commit.commit_time).flatten(), "{told}: is it deleted or not?");
    let should = match (before, wanted.action) {
        (None, ChangeAction::Create) => {
            ensure!(
                stamps.create_time == commit.commit_time && stamps.creator == commit.actor,
                "{told}: created otherwise"
            );
            wanted.sent.clone().unwrap()
        }
        (Some((_, before)), action) => {
            let (before, was) = bare(before.clone());
            ensure!(
                action == ChangeAction::Rollback || (action == ChangeAction::Undelete) == was.delete_time.is_some(),
                "{told}: {action:?} cannot be done to it"
            );
            ensure!(
                (&was.uid, &was.create_time, &was.creator) == (&stamps.uid, &stamps.create_time, &stamps.creator),
                "{told}: has another origin"
            );
            ensure!(was.etag != stamps.etag, "{told}: has the etag of the version before");
            match action {
                ChangeAction::Update => updated(before, wanted.sent.as_ref().unwrap()),
                ChangeAction::Delete | ChangeAction::Undelete => before,
                ChangeAction::Rollback => {
                    let then = versions.and_then(|all| all.iter().find(|(revision, _)| *revision == wanted.rolled_to));
                    let (_, then) = then.ok_or_else(|| format!("{told}: rolled back to what it never was"))?;
                    bare(then.clone()).0
                }
                ChangeAction::RecordEvents | ChangeAction::VoidEvent => recorded(before, &wanted.events, commit)?,
                ChangeAction::Create | ChangeAction::Unspecified | ChangeAction::Unchanged => {
                    return Err(format!("{told}: existed already"));
                }
            }
        }
        (None, action) => return Err(format!("{told}: {action:?} of what did not exist")),
    };
    let (should, _) = bare(should);
    let (now, should) = (without_computed(now), without_computed(should));
    ensure!(now == should, "{told}: is {now:?}, and should be {should:?}");
    Ok(after)
}

/// What a commit of the neighbour must do: it makes one country of theirs, of whatever content.
fn neighbours(commit: &Commit, whose: &str) -> Option<Wanted> {
    let [change] = commit.changes.as_slice() else { return None };
    let theirs = commit.request_id.is_empty() && change.name.strip_prefix("countries/")?.starts_with(whose);
    let sent = bare(change.after.clone()?).0;
    theirs.then(|| Wanted {
        action: ChangeAction::Create,
        name: change.name.clone(),
        sent: Some(sent),
        rolled_to: 0,
        events: Events::default(),
    })
}

/// The state is what the history adds up to.
pub(crate) fn check_state(versions: &Versions, resources: &[Resource]) -> Result<(), String> {
    let stored: BTreeMap<_, _> = resources.iter().map(|resource| (resource.name(), resource)).collect();
    ensure!(stored.len() == resources.len(), "a resource is listed twice");
    for (name, versions) in versions {
        let (revision, last) = versions.last().unwrap();
        // What is computed is in no export.
        let last = &without_computed(last.clone());
        let stored = stored.get(name.as_str()).map(|stored| without_computed((*stored).clone()));
        ensure!(
            stored.as_ref() == Some(last),
            "{name} should be as of revision {revision}: {last:?}, and is {stored:?}"
        );
    }
    ensure!(stored.len() == versions.len(), "there are {} resources, and should be {}", stored.len(), versions.len());
    Ok(())
}
