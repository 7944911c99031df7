//! An agreement of `treaties.toml`: what happened to it, and how it stands on some days.

use std::collections::{BTreeMap, BTreeSet};

use partnership_registry::v1::*;
use serde::Deserialize;

/// A treaty as a person reads it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) id: u64,
    pub(super) title: String,
    pub(super) scope: String,
    pub(super) parties: Vec<String>,
    #[serde(default)]
    others: Vec<String>,
    #[serde(default)]
    unresolved: BTreeMap<String, String>,
    #[serde(default)]
    unresolved_others: BTreeMap<String, String>,
    pub(super) events: Vec<Event>,
    term: Option<Term>,
    #[serde(default)]
    incomplete: bool,
    why: String,
    pub(super) on: Vec<Standing>,
}

/// Something that happened.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Event {
    pub(super) r#type: String,
    pub(super) act: Option<String>,
    pub(super) effect: Option<String>,
    /// The columns of the row that have these dates.
    #[serde(default)]
    pub(super) row: String,
    #[serde(default)]
    by: Vec<String>,
    #[serde(default)]
    of: String,
    until: Option<String>,
    #[serde(default)]
    ground: String,
}

/// How long it lasts: years, and months of notice.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Term {
    length: Option<i32>,
    expiry: Option<String>,
    #[serde(default)]
    indefinite: bool,
    #[serde(default)]
    renewal: String,
    renewal_notice_months: Option<i32>,
    denunciation_notice_months: Option<i32>,
}

/// How it stands on a day.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Standing {
    pub(super) day: String,
    state: Option<String>,
    states: Option<BTreeSet<String>>,
    pub(super) in_force: String,
    #[serde(default)]
    pub(super) bound: Vec<String>,
    #[serde(default)]
    pub(super) free: Vec<String>,
    #[serde(default)]
    pub(super) open: Vec<String>,
    #[serde(default)]
    pub(super) ended: BTreeMap<String, String>,
}

impl Standing {
    /// The states that are possible; `None`: the entry does not say.
    pub(super) fn possible(&self) -> Option<BTreeSet<String>> {
        match (&self.state, &self.states) {
            (Some(state), None) => Some(BTreeSet::from([state.clone()])),
            (None, states) => states.clone(),
            (Some(_), Some(_)) => panic!("{}: one state or several", self.day),
        }
    }
}

fn date(text: &str) -> PartialDate {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn months(months: i32) -> AgreementPeriod {
    AgreementPeriod { years: months / 12, months: months % 12, ..AgreementPeriod::default() }
}

impl Entry {
    pub(super) fn name(&self) -> String {
        format!("agreements/uk-{}", self.id)
    }

    /// The ids of the countries that it names.
    pub(super) fn countries(&self) -> impl Iterator<Item = &str> {
        self.parties.iter().chain(&self.others).map(String::as_str)
    }

    fn act_of(&self, r#type: &str) -> Option<&str> {
        let event = self.events.iter().find(|event| event.r#type == r#type)?;
        event.effect.as_deref().or(event.act.as_deref())
    }

    pub(super) fn in_force_on_signature(&self) -> bool {
        self.act_of("SIGNATURE").is_some() && self.act_of("SIGNATURE") == self.act_of("ENTRY_INTO_FORCE")
    }

    pub(super) fn in_force_before_signature(&self) -> bool {
        let whole = |day: &&str| day.len() == 10;
        let (signed, in_force) = (self.act_of("SIGNATURE"), self.act_of("ENTRY_INTO_FORCE"));
        signed.filter(whole).zip(in_force.filter(whole)).is_some_and(|(signed, in_force)| in_force < signed)
    }

    /// The agreement, as it is created.
    pub(super) fn agreement(&self) -> Agreement {
        assert!(self.why.ends_with(['.', ')']), "{} has a reason", self.id);
        let party = |id: &str, role: AgreementPartyRole| AgreementParty {
            party_id: id.to_owned(),
            role: role.into(),
            ..AgreementParty::default()
        };
        let country = |id: &String, role| AgreementParty { country: format!("countries/{id}"), ..party(id, role) };
        let unresolved =
            |(id, name): (&String, &String), role| AgreementParty { unresolved_name: name.clone(), ..party(id, role) };
        let (contracting, other) = (AgreementPartyRole::ContractingParty, AgreementPartyRole::Other);
        let parties = self.parties.iter().map(|id| country(id, contracting));
        let parties = parties.chain(self.unresolved.iter().map(|one| unresolved(one, contracting)));
        let parties = parties.chain(self.others.iter().map(|id| country(id, other)));
        let parties = parties.chain(self.unresolved_others.iter().map(|one| unresolved(one, other)));
        let scope = format!("AGREEMENT_SCOPE_{}", self.scope);
        Agreement {
            name: self.name(),
            display_name: self.title.clone(),
            scope: AgreementScope::from_str_name(&scope).unwrap().into(),
            parties: parties.collect(),
            events: self.events.iter().map(Event::event).collect(),
            events_incomplete: self.incomplete,
            term: self.term.as_ref().map(Term::term),
            external_ids: vec![ExternalId {
                scheme: "uk-treaties-online".into(),
                id: self.id.to_string(),
                ..ExternalId::default()
            }],
            note: self.why.clone(),
            ..Agreement::default()
        }
    }
}

impl Event {
    fn event(&self) -> AgreementEvent {
        let r#type = format!("AGREEMENT_EVENT_TYPE_{}", self.r#type);
        let ground = match self.ground.as_str() {
            "" => AgreementTerminationGround::Unspecified,
            ground => {
                AgreementTerminationGround::from_str_name(&format!("AGREEMENT_TERMINATION_GROUND_{ground}")).unwrap()
            }
        };
        AgreementEvent {
            r#type: AgreementEventType::from_str_name(&r#type).unwrap_or_else(|| panic!("{type}")).into(),
            act_date: self.act.as_deref().map(date),
            effect_date: self.effect.as_deref().map(date),
            party_ids: self.by.clone(),
            succeeded_party_id: self.of.clone(),
            term_end_date: self.until.as_deref().map(date),
            ground: ground.into(),
            ..AgreementEvent::default()
        }
    }
}

impl Term {
    fn term(&self) -> AgreementTerm {
        let renewal = match self.renewal.as_str() {
            "" => AgreementRenewal::Unspecified,
            renewal => AgreementRenewal::from_str_name(&format!("AGREEMENT_RENEWAL_{renewal}")).unwrap(),
        };
        AgreementTerm {
            indefinite: self.indefinite,
            length: self.length.map(|years| AgreementPeriod { years, ..AgreementPeriod::default() }),
            expiry_date: self.expiry.as_deref().map(date),
            renewal: renewal.into(),
            renewal_notice: self.renewal_notice_months.map(months),
            denunciation_notice: self.denunciation_notice_months.map(months),
            ..AgreementTerm::default()
        }
    }
}
