//! The model: what a registry is, as plainly as it can be said. All versions of all resources in a map, and the rules of
//! the contract over the versions that there were at a revision. It shares no code with the server.

use std::collections::{BTreeMap, HashSet};

use partnership_registry::v1::{
    self, AgreementEvent, AgreementEventVoiding, ChangeAction, Resource, mutation, precondition, resource,
};
use prost_types::FieldMask;
use tonic::Code;

use super::api::Listing;
use crate::crash::oracle::bare;

/// One change that is asked for.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Create(Resource),
    Update { resource: Resource, etag: String, mask: Vec<String>, allow_missing: bool },
    Delete { name: String, etag: String, allow_missing: bool },
    Undelete { name: String, etag: String },
    Rollback { name: String, revision: u64, etag: String },
    Record { name: String, etag: String, events: Vec<AgreementEvent>, voided: Vec<String> },
    Void { name: String, etag: String, event_id: String },
}

/// Why the clients of this test void events.
pub(crate) const REASON: &str = "it was another one";

/// What must be true of a resource.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub(crate) name: String,
    pub(crate) condition: precondition::Condition,
}

/// A request that writes.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) ops: Vec<Op>,
    pub(crate) conditions: Vec<Condition>,
    /// By the method of the kind, and not as a commit.
    pub(crate) single: bool,
    pub(crate) request_id: String,
}

/// What one change must come to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Planned {
    pub(crate) name: String,
    /// `Unchanged`: nothing has to change.
    pub(crate) action: ChangeAction,
    /// The content afterwards, without what the server writes. `None`: there is none.
    pub(crate) content: Option<Resource>,
}

/// A version of a resource.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) revision: u64,
    pub(crate) action: ChangeAction,
    pub(crate) resource: Resource,
}

/// A rule that is told wrongly, to see that the test notices.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mistake {
    StaleEtagsAreGood,
    DeletedIdsAreFree,
    ReferencesAreNotChecked,
    MasksAreIgnored,
    DeletedAreListed,
    ReadsAreOneRevisionLate,
    CirclesAreGood,
    RollbacksChangeNothing,
    RollbacksTakeEvents,
    VoidedEventsAreGone,
}

/// A registry.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) versions: BTreeMap<String, Vec<Version>>,
    pub(crate) head: u64,
    pub(crate) mistake: Option<Mistake>,
}

/// The registry as it was at a revision.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    model: &'a Model,
    at: u64,
}

impl Model {
    pub(crate) fn at(&self, at: u64) -> View<'_> {
        View { model: self, at }
    }

    pub(crate) fn now(&self) -> View<'_> {
        self.at(self.head)
    }

    fn has(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    /// Takes in what a write made, with what the server wrote into it.
    pub(crate) fn add(&mut self, name: &str, version: Version) {
        self.head = self.head.max(version.revision);
        self.versions.entry(name.to_owned()).or_default().push(version);
    }
}

fn deleted(resource: &Resource) -> bool {
    bare(resource.clone()).1.delete_time.is_some()
}

pub(crate) fn etag(resource: &Resource) -> String {
    bare(resource.clone()).1.etag
}

impl<'a> View<'a> {
    pub(crate) fn version(self, name: &str) -> Option<&'a Version> {
        self.model.versions.get(name)?.iter().rfind(|version| version.revision <= self.at)
    }

    pub(crate) fn get(self, name: &str) -> Option<&'a Resource> {
        let at = if self.model.has(Mistake::ReadsAreOneRevisionLate) { self.at.saturating_sub(1) } else { self.at };
        Some(&self.model.at(at).version(name)?.resource)
    }

    fn live(self, name: &str) -> bool {
        self.version(name).is_some_and(|version| !deleted(&version.resource))
    }

    /// What a listing has, in its order.
    pub(crate) fn list(self, listing: &Listing) -> Vec<&'a Resource> {
        let of_kind = |name: &str| name.split('/').next() == Some(listing.collection);
        let names = self.model.versions.keys().filter(|name| of_kind(name));
        let shown = |resource: &&Resource| {
            let hidden = deleted(resource) && !listing.show_deleted && !self.model.has(Mistake::DeletedAreListed);
            !hidden && selects(&listing.filter, resource)
        };
        let mut found: Vec<_> = names.filter_map(|name| Some(&self.version(name)?.resource)).filter(shown).collect();
        let (order, descending) = match listing.order_by.split_once(' ') {
            Some((order, _)) => (order, true),
            None => (listing.order_by.as_str(), false),
        };
        found.sort_by_key(|resource| {
            let stamps = bare((*resource).clone()).1;
            let time = |time: Option<prost_types::Timestamp>| time.map(|time| (time.seconds, time.nanos));
            let (text, time) = match order {
                "display_name" => (content(resource).display_name, None),
                "create_time" => (String::new(), time(stamps.create_time)),
                "update_time" => (String::new(), time(stamps.update_time)),
                _ => (String::new(), None),
            };
            (text, time, resource.name().to_owned())
        });
        if descending {
            found.reverse();
        }
        found
    }

    /// What a request must come to: all of it, or a refusal.
    pub(crate) fn decide(self, write: &Write) -> Result<Vec<Planned>, Code> {
        let mut names = HashSet::new();
        for op in &write.ops {
            let checked = match op {
                Op::Create(resource) => Some(resource),
                Op::Update { resource, mask, .. } if *mask == ["*"] => Some(resource),
                _ => None,
            };
            if !names.insert(op.name()) || checked.is_some_and(|resource| !valid(resource)) {
                return Err(Code::InvalidArgument);
            }
        }
        let no_etag = |one: &Condition| matches!(&one.condition, precondition::Condition::Etag(tag) if tag.is_empty());
        if write.conditions.iter().any(no_etag) {
            return Err(Code::InvalidArgument);
        }
        for Condition { name, condition } in &write.conditions {
            let version = self.version(name);
            let holds = match condition {
                precondition::Condition::Etag(wanted) => {
                    version.is_some_and(|version| etag(&version.resource) == *wanted)
                }
                precondition::Condition::Exists(wanted) => self.live(name) == *wanted,
                precondition::Condition::UnchangedSince(since) => {
                    version.is_none_or(|version| version.revision <= *since)
                }
            };
            if !holds {
                return Err(Code::Aborted);
            }
        }
        let plans: Vec<_> = write.ops.iter().map(|op| self.plan(op)).collect();
        let after: BTreeMap<&str, &Planned> = plans
            .iter()
            .filter_map(|plan| plan.as_ref().ok())
            .filter(|plan| plan.action != ChangeAction::Unchanged)
            .map(|plan| (plan.name.as_str(), plan))
            .collect();
        let mut planned = Vec::new();
        for plan in &plans {
            let plan = plan.clone()?;
            if plan.action != ChangeAction::Unchanged && !self.model.has(Mistake::ReferencesAreNotChecked) {
                self.check_references(&plan, &after)?;
            }
            if plan.action != ChangeAction::Unchanged && !self.model.has(Mistake::CirclesAreGood) {
                self.check_circles(&plan, &after)?;
            }
            planned.push(plan);
        }
        Ok(planned)
    }

    fn plan(self, op: &Op) -> Result<Planned, Code> {
        let name = op.name().to_owned();
        let version = self.version(&name).filter(|version| {
            let free = self.model.has(Mistake::DeletedIdsAreFree) && matches!(op, Op::Create(_));
            !(free && deleted(&version.resource))
        });
        let there = version.map(|version| (timeless(bare(version.resource.clone()).0), deleted(&version.resource)));
        let current = |wanted: &str| match version {
            Some(version) if wanted.is_empty() || etag(&version.resource) == wanted => Ok(()),
            _ if self.model.has(Mistake::StaleEtagsAreGood) => Ok(()),
            _ => Err(Code::Aborted),
        };
        let plan = |action, content: Resource| Ok(Planned { name: name.clone(), action, content: Some(content) });
        match (op, there) {
            (Op::Create(_), Some(_)) => Err(Code::AlreadyExists),
            (Op::Create(resource), None) => plan(ChangeAction::Create, numbered(resource.clone())),
            (Op::Update { resource, allow_missing: true, .. }, None) => match valid(resource) {
                true => plan(ChangeAction::Create, numbered(bare(resource.clone()).0)),
                false => Err(Code::InvalidArgument),
            },
            (Op::Update { .. }, None) => Err(Code::NotFound),
            (Op::Update { .. }, Some((_, true))) => Err(Code::FailedPrecondition),
            (Op::Update { resource, etag, mask, .. }, Some((before, false))) => {
                current(etag)?;
                let mask = if self.model.has(Mistake::MasksAreIgnored) { &["*".to_owned()][..] } else { mask };
                let merged = merged(&before, resource, mask);
                if merged == before {
                    plan(ChangeAction::Unchanged, before)
                } else if valid(&merged) {
                    plan(ChangeAction::Update, merged)
                } else {
                    Err(Code::InvalidArgument)
                }
            }
            (Op::Delete { allow_missing: true, .. }, None) => {
                Ok(Planned { name, action: ChangeAction::Unchanged, content: None })
            }
            (
                Op::Delete { .. } | Op::Undelete { .. } | Op::Rollback { .. } | Op::Record { .. } | Op::Void { .. },
                None,
            ) => Err(Code::NotFound),
            (Op::Record { .. } | Op::Void { .. }, Some((_, true))) => Err(Code::FailedPrecondition),
            (Op::Record { etag, events, voided, .. }, Some((before, false))) => {
                current(etag)?;
                let mut after = self.voided(content(&before), voided)?;
                after.events.extend(events.iter().cloned());
                plan(ChangeAction::RecordEvents, numbered(resource(&name, after)))
            }
            (Op::Void { etag, event_id, .. }, Some((before, false))) => {
                current(etag)?;
                let after = self.voided(content(&before), std::slice::from_ref(event_id))?;
                plan(ChangeAction::VoidEvent, resource(&name, after))
            }
            (Op::Delete { allow_missing: true, .. }, Some((before, true))) => plan(ChangeAction::Unchanged, before),
            (Op::Delete { .. }, Some((_, true))) => Err(Code::NotFound),
            (Op::Undelete { .. }, Some((_, false))) => Err(Code::AlreadyExists),
            (Op::Delete { etag, .. }, Some((before, false))) => {
                current(etag)?;
                plan(ChangeAction::Delete, before)
            }
            (Op::Undelete { etag, .. }, Some((before, true))) => {
                current(etag)?;
                plan(ChangeAction::Undelete, before)
            }
            (Op::Rollback { revision, etag, .. }, Some((before, dead))) => {
                let versions = self.model.versions[&name].iter().filter(|version| version.revision <= self.at);
                let then = versions.into_iter().find(|version| version.revision == *revision).ok_or(Code::NotFound)?;
                if deleted(&then.resource) {
                    return Err(Code::FailedPrecondition);
                }
                current(etag)?;
                let restored = if self.model.has(Mistake::RollbacksChangeNothing) { &before } else { &then.resource };
                let Content { state, events, .. } = content(&before);
                let taken = self.model.has(Mistake::RollbacksTakeEvents);
                let events = if taken { content(restored).events } else { events };
                let restored = Content { state, events, ..content(restored) };
                let restored = resource(&name, restored);
                let action = if restored == before && !dead { ChangeAction::Unchanged } else { ChangeAction::Rollback };
                plan(action, restored)
            }
        }
    }

    /// With these events voided: all of them, or none.
    fn voided(self, mut content: Content, event_ids: &[String]) -> Result<Content, Code> {
        let known = |event_id: &String| content.events.iter().any(|event| event.event_id == *event_id);
        if !event_ids.iter().all(known) {
            return Err(Code::InvalidArgument);
        }
        for event_id in event_ids {
            let event = content.events.iter_mut().find(|event| event.event_id == *event_id).unwrap();
            let voiding = AgreementEventVoiding { reason: REASON.into(), actor: "anonymous".into(), void_time: None };
            if event.voided.replace(voiding).is_some() {
                return Err(Code::FailedPrecondition);
            }
        }
        if self.model.has(Mistake::VoidedEventsAreGone) {
            content.events.retain(|event| event.voided.is_none());
        }
        Ok(content)
    }

    /// No parent that is new leads in a circle, after the whole request. The few names make no chain that is too long.
    fn check_circles(self, plan: &Planned, after: &BTreeMap<&str, &Planned>) -> Result<(), Code> {
        let parent = |resource: &Resource| match resource.kind {
            Some(resource::Kind::FocusArea(_) | resource::Kind::Agreement(_)) => content(resource).one,
            _ => String::new(),
        };
        let before =
            |name: &str| if self.live(name) { parent(&self.version(name).unwrap().resource) } else { String::new() };
        let parent_after = |name: &str| match after.get(name) {
            Some(plan) if plan.action == ChangeAction::Delete => String::new(),
            Some(plan) => plan.content.as_ref().map(parent).unwrap_or_default(),
            None => before(name),
        };
        let mut next = parent_after(&plan.name);
        if next == before(&plan.name) {
            return Ok(());
        }
        let mut seen = vec![plan.name.clone()];
        while !next.is_empty() {
            if seen.contains(&next) {
                return Err(Code::FailedPrecondition);
            }
            seen.push(next.clone());
            next = parent_after(&next);
        }
        Ok(())
    }

    /// What is live refers to what is live, after the whole request.
    fn check_references(self, plan: &Planned, after: &BTreeMap<&str, &Planned>) -> Result<(), Code> {
        let live_after = |name: &str| match after.get(name) {
            Some(plan) => plan.action != ChangeAction::Delete,
            None => self.live(name),
        };
        let refers = |content: &Resource| content_references(content);
        let good = if plan.action == ChangeAction::Delete {
            // Those that the request changes too answer for themselves.
            let others =
                self.model.versions.keys().filter(|name| !after.contains_key(name.as_str()) && self.live(name));
            !others.into_iter().any(|name| refers(&self.version(name).unwrap().resource).contains(&plan.name))
        } else {
            refers(plan.content.as_ref().unwrap()).iter().all(|name| live_after(name))
        };
        if good { Ok(()) } else { Err(Code::FailedPrecondition) }
    }
}

impl Op {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Create(resource) | Self::Update { resource, .. } => resource.name(),
            Self::Delete { name, .. }
            | Self::Undelete { name, .. }
            | Self::Rollback { name, .. }
            | Self::Record { name, .. }
            | Self::Void { name, .. } => name,
        }
    }

    pub(crate) fn mutation(&self) -> v1::Mutation {
        let operation = match self.clone() {
            Self::Create(resource) => mutation::Operation::Create(v1::CreateMutation { resource: Some(resource) }),
            Self::Update { resource, etag, mask, allow_missing } => mutation::Operation::Update(v1::UpdateMutation {
                resource: Some(with_etag(resource, etag)),
                update_mask: Some(FieldMask { paths: mask }),
                allow_missing,
                ..v1::UpdateMutation::default()
            }),
            Self::Delete { name, etag, allow_missing } => {
                mutation::Operation::Delete(v1::DeleteMutation { name, etag, allow_missing })
            }
            Self::Undelete { name, etag } => mutation::Operation::Undelete(v1::UndeleteMutation { name, etag }),
            Self::Rollback { name, revision, etag } => mutation::Operation::Rollback(v1::RollbackMutation {
                name: format!("{name}/revisions/{revision}"),
                etag,
            }),
            Self::Record { name, etag, events, voided } => {
                let record = v1::RecordEventsMutation { name, etag, events, voided_event_ids: voided };
                mutation::Operation::RecordEvents(record)
            }
            Self::Void { name, etag, event_id } => {
                let reason = REASON.to_owned();
                mutation::Operation::VoidEvent(v1::VoidEventMutation { name, etag, event_id, reason })
            }
        };
        v1::Mutation { operation: Some(operation) }
    }
}

/// The events of a resource that is made so, by the numbers that they get. The model knows no time.
fn numbered(mut resource: Resource) -> Resource {
    if let Some(resource::Kind::Agreement(agreement)) = &mut resource.kind {
        for (event, number) in agreement.events.iter_mut().zip(1..) {
            if event.event_id.is_empty() {
                event.event_id = format!("e{number}");
            }
        }
    }
    timeless(resource)
}

/// A resource without the times at which its events were recorded and voided.
pub(crate) fn timeless(mut resource: Resource) -> Resource {
    if let Some(resource::Kind::Agreement(agreement)) = &mut resource.kind {
        for event in &mut agreement.events {
            (event.record_time, event.record_date) = (None, None);
            if let Some(voided) = &mut event.voided {
                voided.void_time = None;
            }
        }
    }
    resource
}

/// What the four kinds of this test have that can be asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Content {
    pub(crate) display_name: String,
    pub(crate) description: String,
    pub(crate) labels: BTreeMap<String, String>,
    /// `sovereign`, `parent` or `country`; the `parent` of agreements too.
    pub(crate) one: String,
    /// `focus_areas`, where the kind has them.
    pub(crate) many: Vec<String>,
    /// Given at creation, and never changed by an update; countries only.
    pub(crate) state: i32,
    /// Given at creation, and then recorded and voided; agreements only. Without the times.
    pub(crate) events: Vec<AgreementEvent>,
}

/// The fields of a kind that stand for `one` and `many`.
pub(crate) fn reference_fields(collection: &str) -> (&'static str, Option<&'static str>) {
    match collection {
        "countries" => ("sovereign", Some("focus_areas")),
        "focusAreas" => ("parent", None),
        "agreements" => ("parent", Some("focus_areas")),
        _ => ("country", Some("focus_areas")),
    }
}

pub(crate) fn content(resource: &Resource) -> Content {
    match resource.kind.clone().unwrap() {
        resource::Kind::Country(kind) => Content {
            display_name: kind.display_name,
            description: kind.description,
            labels: kind.labels,
            one: kind.sovereign,
            many: kind.focus_areas,
            state: kind.state,
            ..Content::default()
        },
        resource::Kind::FocusArea(kind) => Content {
            display_name: kind.display_name,
            description: kind.description,
            labels: kind.labels,
            one: kind.parent,
            ..Content::default()
        },
        resource::Kind::Organization(kind) => Content {
            display_name: kind.display_name,
            description: kind.description,
            labels: kind.labels,
            one: kind.country,
            many: kind.focus_areas,
            ..Content::default()
        },
        resource::Kind::Agreement(_) => {
            let Some(resource::Kind::Agreement(kind)) = timeless(resource.clone()).kind else { panic!("it is one") };
            Content {
                display_name: kind.display_name,
                description: kind.summary,
                labels: kind.labels,
                one: kind.parent,
                many: kind.focus_areas,
                events: kind.events,
                ..Content::default()
            }
        }
        other => panic!("{other:?} is not of this test"),
    }
}

pub(crate) fn resource(name: &str, content: Content) -> Resource {
    let Content { display_name, description, labels, one, many, state, events } = content;
    let name = name.to_owned();
    match name.split('/').next().unwrap() {
        "countries" => v1::Country {
            name,
            display_name,
            description,
            labels,
            sovereign: one,
            focus_areas: many,
            state,
            ..Default::default()
        }
        .into(),
        "focusAreas" => {
            v1::FocusArea { name, display_name, description, labels, parent: one, ..Default::default() }.into()
        }
        "organizations" => v1::Organization {
            name,
            display_name,
            description,
            labels,
            country: one,
            focus_areas: many,
            ..Default::default()
        }
        .into(),
        "agreements" => v1::Agreement {
            name,
            display_name,
            summary: description,
            labels,
            parent: one,
            focus_areas: many,
            events,
            ..Default::default()
        }
        .into(),
        other => panic!("{other} is not of this test"),
    }
}

/// What a kind calls its description.
pub(crate) fn description_field(collection: &str) -> &'static str {
    if collection == "agreements" { "summary" } else { "description" }
}

fn content_references(resource: &Resource) -> Vec<String> {
    let Content { one, mut many, .. } = content(resource);
    if !one.is_empty() {
        many.push(one);
    }
    many
}

pub(crate) fn with_etag(mut resource: Resource, etag: String) -> Resource {
    match resource.kind.as_mut().unwrap() {
        resource::Kind::Country(kind) => kind.etag = etag,
        resource::Kind::FocusArea(kind) => kind.etag = etag,
        resource::Kind::Organization(kind) => kind.etag = etag,
        resource::Kind::Agreement(kind) => kind.etag = etag,
        other => panic!("{other:?} is not of this test"),
    }
    resource
}

fn valid(resource: &Resource) -> bool {
    let content = content(resource);
    let country = matches!(resource.kind, Some(resource::Kind::Country(_)));
    !content.display_name.is_empty() && (!country || content.one != resource.name())
}

fn merged(before: &Resource, sent: &Resource, mask: &[String]) -> Resource {
    let (one, many) = reference_fields(before.name().split('/').next().unwrap());
    let (old, new) = (content(before), content(sent));
    let means = |field: &str, set: bool| match mask {
        [] => set,
        [all] if all == "*" => true,
        fields => fields.iter().any(|one| one == field),
    };
    let mut merged = old;
    if means("display_name", !new.display_name.is_empty()) {
        merged.display_name = new.display_name;
    }
    if means(description_field(before.name().split('/').next().unwrap()), !new.description.is_empty()) {
        merged.description = new.description;
    }
    if means("labels", !new.labels.is_empty()) {
        merged.labels = new.labels;
    }
    if means(one, !new.one.is_empty()) {
        merged.one = new.one;
    }
    if many.is_some_and(|many| means(many, !new.many.is_empty())) {
        merged.many = new.many;
    }
    resource(before.name(), merged)
}

/// The filters that this test uses: `labels.team = "x"`, `labels.team != "x"`, `labels:team`.
fn selects(filter: &str, resource: &Resource) -> bool {
    let labels = content(resource).labels;
    let team = labels.get("team").map(String::as_str);
    let quoted = |text: &str| text.trim_matches(['"', ' ']).to_owned();
    if filter.is_empty() {
        true
    } else if let Some((_, value)) = filter.split_once("!=") {
        // What is absent is not compared.
        team.is_some_and(|team| team != quoted(value))
    } else if let Some((_, value)) = filter.split_once('=') {
        team == Some(quoted(value).as_str())
    } else {
        team.is_some()
    }
}
