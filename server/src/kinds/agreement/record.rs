//! What an agreement says that its timeline rests on, taken apart: each event with the days on which it may have effect,
//! sorted into what the agreement's own standing follows from and what one party's follows from.
//!
//! Nothing is decided here but on which days things may happen. Voided events are left out.

use hashbrown::{HashMap, HashSet};
use partnership_registry::v1::{
    Agreement, AgreementEndType, AgreementEvent, AgreementEventType as Type, AgreementPartyRole, AgreementRenewal,
    AgreementScope, AgreementState, AgreementTerm, AgreementTerminationGround,
};
use smallvec::SmallVec;

use super::days::{Days, Derived, Length, NEVER};
use crate::faults;
use crate::time::Time;

/// Stands for what is no event: see [`Item::event`].
pub(super) const NO_EVENT: u32 = u32::MAX;

/// The rows of the table of events, in which those of one day are taken. What begins comes before what ends.
pub(super) mod row {
    pub(crate) const DEADLINE: u8 = 0;
    pub(crate) const NEGOTIATION: u8 = 1;
    pub(crate) const ADOPTION: u8 = 2;
    pub(crate) const SIGNATURE: u8 = 3;
    pub(crate) const CONSENT: u8 = 4;
    pub(crate) const PROVISIONAL: u8 = 5;
    pub(crate) const PROVISIONAL_END: u8 = 6;
    pub(crate) const ENTRY: u8 = 7;
    pub(crate) const OWN_ENTRY: u8 = 8;
    pub(crate) const SUSPENSION: u8 = 9;
    pub(crate) const RESUMPTION: u8 = 10;
    pub(crate) const NON_RENEWAL: u8 = 11;
    pub(crate) const RENEWAL: u8 = 12;
    pub(crate) const TERM_END: u8 = 13;
    pub(crate) const DENUNCIATION: u8 = 14;
    pub(crate) const EXPULSION: u8 = 15;
    pub(crate) const REVOCATION: u8 = 16;
    pub(crate) const TERMINATION: u8 = 17;
    pub(crate) const ABANDONMENT: u8 = 18;
    pub(crate) const ASSERTED: u8 = 20;
}

/// Something that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Negotiation,
    Adoption,
    Signature,
    Provisional,
    ProvisionalEnd,
    /// It enters into force, as one that the agreement's own state follows from.
    Entry,
    Suspension,
    Resumption,
    /// The notice that a term is the last.
    NonRenewal,
    /// The day after the last day of a term that a date names.
    TermDate,
    /// The first day on which a notice is too late for such a term.
    DeadlineDate,
    /// Whether a date names the end of the new term.
    Renewal {
        dated: bool,
    },
    /// It ends for all.
    End {
        superseded: bool,
    },
    Abandonment,
    /// The event that is taken back.
    Revocation(u32),
    Asserted(AgreementState),
    /// The first day on which a notice is too late, of a term that is counted.
    Deadline,
    /// A term is over, and another follows.
    TermOver,
    /// The last term is over.
    Expiry,
    /// The party consents; whether it takes the place of another.
    Consent {
        succession: bool,
    },
    /// Another contracting party than this one consents.
    OtherConsent,
    /// It enters into force for the party; whether the agreement's own state follows from that.
    OwnEntry {
        counts: bool,
    },
    OwnEnd(AgreementEndType),
    OwnSuspension,
    OwnResumption,
}

/// Something that happens, and when it may.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub(super) what: What,
    /// Its row in the table of events.
    pub(super) row: u8,
    /// The event, by its place in the list; [`NO_EVENT`] if it is none.
    pub(super) event: u32,
    /// The days that the date may be from which its own follows.
    pub(super) days: Days,
    /// How its own day follows.
    pub(super) derived: Derived,
    /// It is an act of the party that is looked at.
    pub(super) own: bool,
}

impl Item {
    /// The days on which it may have effect.
    pub(super) fn effect(&self) -> Days {
        Days { first: self.derived.of(self.days.first), last: self.derived.of(self.days.last) }
    }
}

/// Whose act an event is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Whose {
    /// That of all.
    All,
    /// That of some, by their places in the list of parties, in order.
    Some(SmallVec<[u16; 4]>),
}

impl Whose {
    pub(super) fn names(&self, party: u16) -> bool {
        matches!(self, Whose::Some(parties) if parties.binary_search(&party).is_ok())
    }
}

/// An event that counts.
#[derive(Debug, Clone)]
pub(super) struct Fact<'a> {
    pub(super) index: u32,
    pub(super) event: &'a AgreementEvent,
    pub(super) r#type: Type,
    pub(super) whose: Whose,
    pub(super) succeeded: Option<u16>,
    pub(super) days: Days,
    pub(super) derived: Derived,
    /// Of a denunciation, withdrawal or non-renewal: an event takes it back, or tries to.
    pub(super) revoked: bool,
    /// Of a revocation: what it takes back, by the place in the list of events.
    pub(super) revokes: Option<u32>,
    /// Of an end of provisional application: nothing is recorded that it could have ended.
    pub(super) unbegun: bool,
}

impl Fact<'_> {
    pub(super) fn names(&self, party: u16) -> bool {
        self.whose.names(party)
    }

    /// Whether it is an act of the party: it is named, or nobody is and it is a contracting party.
    pub(super) fn is_of(&self, party: u16, contracting: bool) -> bool {
        match &self.whose {
            Whose::All => contracting,
            Whose::Some(_) => self.names(party),
        }
    }

    pub(super) fn effect(&self) -> Days {
        Days { first: self.derived.of(self.days.first), last: self.derived.of(self.days.last) }
    }
}

/// How long it lasts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Term {
    pub(super) renewal: AgreementRenewal,
    pub(super) length: Option<Length>,
    /// The days that the last day of the first term may be.
    pub(super) expiry: Option<Days>,
    /// How long each further term is, if that is known.
    pub(super) renewed: Option<Length>,
    /// The most renewals. 0: any number.
    pub(super) renewals_max: i32,
    pub(super) notice: Option<Length>,
}

impl Term {
    fn of(term: Option<&AgreementTerm>) -> Term {
        let length = term.and_then(|term| Length::of(term.length.as_ref()));
        let renewed = term.and_then(|term| Length::of(term.renewal_length.as_ref()));
        Term {
            renewal: term.map_or(AgreementRenewal::Unspecified, AgreementTerm::renewal),
            length,
            expiry: term.and_then(|term| term.expiry_date.as_ref()).map(|date| Days::of(Some(date))),
            renewed: renewed.or(length),
            renewals_max: term.map_or(0, |term| term.renewals_max),
            notice: term.and_then(|term| Length::of(term.renewal_notice.as_ref())),
        }
    }

    /// Whether a notice can change when it ends.
    pub(super) fn heeds_notices(&self) -> bool {
        matches!(self.renewal, AgreementRenewal::Automatic | AgreementRenewal::Indefinitely)
    }
}

/// What an agreement says, taken apart.
#[derive(Debug)]
pub(super) struct Record<'a> {
    pub(super) agreement: &'a Agreement,
    /// Whether each of the parties is a contracting party.
    pub(super) contracting: Vec<bool>,
    /// How many sides the contracting parties are.
    pub(super) sides: usize,
    /// It is between two sides.
    pub(super) bilateral: bool,
    pub(super) term: Term,
    pub(super) facts: Vec<Fact<'a>>,
    /// A general entry into force is recorded, so that those of single parties do not count for the agreement.
    pub(super) general_entry: bool,
    /// Worlds in which something ends before it began are left out.
    pub(super) in_order: bool,
    pub(super) certain: bool,
}

impl<'a> Record<'a> {
    pub(super) fn of(agreement: &'a Agreement) -> Record<'a> {
        let contracting: Vec<bool> = agreement
            .parties
            .iter()
            .map(|party| matches!(party.role(), AgreementPartyRole::Unspecified | AgreementPartyRole::ContractingParty))
            .collect();
        let mut ids = HashMap::with_capacity(agreement.parties.len());
        for (place, party) in (0_u16..).zip(&agreement.parties) {
            if !party.party_id.is_empty() {
                ids.entry(party.party_id.as_str()).or_insert(place);
            }
        }
        let term = Term::of(agreement.term.as_ref());
        let notice = agreement.term.as_ref().and_then(|term| Length::of(term.denunciation_notice.as_ref()));
        let counted = (0_u32..).zip(&agreement.events).filter(|(_, event)| event.voided.is_none());
        let mut facts: Vec<Fact<'a>> = counted.map(|(index, event)| fact(index, event, &ids, notice)).collect();
        link_revocations(&mut facts);
        find_unbegun(&mut facts, contracting.len());
        let sides = sides(agreement, &contracting, &facts);
        let bilateral = match agreement.scope() {
            AgreementScope::Bilateral => true,
            AgreementScope::Unspecified => sides <= 2,
            AgreementScope::Plurilateral
            | AgreementScope::Multilateral
            | AgreementScope::Trilateral
            | AgreementScope::Regional
            | AgreementScope::SubState => false,
        };
        let general_entry = facts.iter().any(|fact| fact.r#type == Type::EntryIntoForce && fact.whose == Whose::All);
        let certain = facts.iter().all(|fact| fact.days.is_certain())
            && facts.iter().all(|fact| fact.event.term_end_date.is_none())
            && term.expiry.is_none_or(Days::is_certain)
            && agreement.asserted_status.is_none();
        Record { agreement, contracting, sides, bilateral, term, facts, general_entry, in_order: false, certain }
    }

    pub(super) fn is_contracting(&self, party: u16) -> bool {
        self.contracting.get(usize::from(party)).copied().unwrap_or(false)
    }

    /// The event at a place in the list, if it counts.
    pub(super) fn fact(&self, event: u32) -> Option<&Fact<'a>> {
        let found = self.facts.binary_search_by_key(&event, |fact| fact.index).ok()?;
        self.facts.get(found)
    }

    /// Whether it is an entry into force that the agreement's own state follows from.
    pub(super) fn is_counting_entry(&self, fact: &Fact<'_>) -> bool {
        fact.r#type == Type::EntryIntoForce && (fact.whose == Whose::All || !self.general_entry)
    }

    /// Whether it ends the agreement.
    pub(super) fn is_end(&self, fact: &Fact<'_>) -> bool {
        let leaves = matches!(fact.r#type, Type::Denunciation | Type::Withdrawal);
        fact.r#type == Type::Termination || (leaves && self.bilateral && self.is_of_contracting(fact))
    }

    fn is_of_contracting(&self, fact: &Fact<'_>) -> bool {
        match &fact.whose {
            Whose::All => true,
            Whose::Some(parties) => parties.iter().any(|&party| self.is_contracting(party)),
        }
    }

    /// The status that a source asserts: the state, and the days on which it may have begun.
    pub(super) fn asserted(&self) -> Option<Item> {
        let asserted = self.agreement.asserted_status.as_ref()?;
        let since = asserted.since.as_ref().map(|since| Days::of(Some(since))).filter(|days| *days != Days::ANY);
        let days = since.unwrap_or_else(|| {
            let updated = self.agreement.update_time.map(|time| Time::from(time).day().0);
            Days { last: updated.unwrap_or(NEVER), ..Days::ANY }
        });
        let what = What::Asserted(asserted.state());
        Some(Item { what, row: row::ASSERTED, event: NO_EVENT, days, derived: Derived::SAME, own: false })
    }
}

/// An event with the days on which it may have effect. What it revokes is looked up later.
fn fact<'a>(index: u32, event: &'a AgreementEvent, ids: &HashMap<&str, u16>, notice: Option<Length>) -> Fact<'a> {
    let place = |id: &String| ids.get(id.as_str()).copied();
    let r#type = event.r#type();
    let whose = if event.party_ids.is_empty() {
        Whose::All
    } else {
        let mut parties: SmallVec<[u16; 4]> = event.party_ids.iter().filter_map(place).collect();
        parties.sort_unstable();
        Whose::Some(parties)
    };
    let leaves = matches!(r#type, Type::Denunciation | Type::Withdrawal);
    let (days, derived) = match (&event.effect_date, &event.act_date) {
        // Of a non-renewal the act is what has to come in time.
        (_, Some(_)) if r#type == Type::NonRenewal => (act_days(event), Derived::SAME),
        (Some(effect), None) => (Days::of(Some(effect)), Derived::SAME),
        (Some(effect), Some(_)) if faults::planted("effect-is-the-act").is_none() => {
            (Days::of(Some(effect)), Derived::SAME)
        }
        (Some(_), Some(_)) => (act_days(event), Derived::SAME),
        (None, _) => match notice.filter(|_| leaves) {
            Some(notice) => (act_days(event), Derived { length: notice, ..Derived::SAME }),
            None => (act_days(event), Derived::SAME),
        },
    };
    let derived = if r#type == Type::Termination || own_end(r#type).is_some() { late(derived) } else { derived };
    Fact {
        index,
        event,
        r#type,
        whose,
        succeeded: place(&event.succeeded_party_id),
        days,
        derived,
        revoked: false,
        revokes: None,
        unbegun: false,
    }
}

/// The same day; a day later, if that fault is planted.
pub(super) fn late(end: Derived) -> Derived {
    if faults::planted("timeline-ends-a-day-late").is_some() { Derived { plus: end.plus + 1, ..end } } else { end }
}

/// The days on which an act may have been done: one that nobody knows was done when it was recorded, or before.
fn act_days(event: &AgreementEvent) -> Days {
    match Days::of(event.act_date.as_ref()) {
        Days::ANY => Days { last: Days::of(event.record_date.as_ref()).last, ..Days::ANY },
        known => known,
    }
}

/// Finds the ends of provisional application for which no beginning is recorded.
fn find_unbegun(facts: &mut [Fact<'_>], parties: usize) {
    let (mut any, mut of_all, mut of) = (false, false, vec![false; parties]);
    for begin in facts.iter().filter(|fact| fact.r#type == Type::ProvisionalApplication) {
        any = true;
        match &begin.whose {
            Whose::All => of_all = true,
            Whose::Some(parties) => {
                for party in parties {
                    of.get_mut(usize::from(*party)).into_iter().for_each(|of| *of = true);
                }
            }
        }
    }
    for end in facts.iter_mut().filter(|fact| fact.r#type == Type::ProvisionalApplicationEnd) {
        end.unbegun = match &end.whose {
            Whose::All => !any,
            Whose::Some(parties) => !of_all && !parties.iter().any(|party| of.get(usize::from(*party)) == Some(&true)),
        };
    }
}

fn link_revocations(facts: &mut [Fact<'_>]) {
    if facts.iter().all(|fact| fact.r#type != Type::Revocation) {
        return;
    }
    let revocable = |fact: &Fact<'_>| matches!(fact.r#type, Type::Denunciation | Type::Withdrawal | Type::NonRenewal);
    let mut ids = HashMap::new();
    for fact in facts.iter().filter(|fact| revocable(fact) && !fact.event.event_id.is_empty()) {
        ids.entry(fact.event.event_id.as_str()).or_insert(fact.index);
    }
    let mut revoked = HashSet::new();
    for fact in facts.iter_mut().filter(|fact| fact.r#type == Type::Revocation) {
        fact.revokes = ids.get(fact.event.revoked_event_id.as_str()).copied();
        revoked.extend(fact.revokes);
    }
    for fact in facts {
        fact.revoked = revoked.contains(&fact.index);
    }
}

/// How many sides the contracting parties are: one that succeeds another is on its side, and so is one that is listed
/// twice.
fn sides(agreement: &Agreement, contracting: &[bool], facts: &[Fact<'_>]) -> usize {
    if contracting.len() <= 2 {
        return contracting.iter().filter(|contracting| **contracting).count();
    }
    // Each party points to another of its side, and the last of them to itself.
    let mut side: Vec<u16> = (0_u16..).take(contracting.len()).collect();
    let mut listed: HashMap<(&str, &str), u16> = HashMap::with_capacity(contracting.len());
    for (place, party) in (0_u16..).zip(&agreement.parties) {
        let who = (party.country.as_str(), party.organization.as_str());
        if who != ("", "") {
            let first = *listed.entry(who).or_insert(place);
            join(&mut side, first, place);
        }
    }
    for fact in facts {
        if let (Type::Succession, Some(succeeded), Whose::Some(successors)) = (fact.r#type, fact.succeeded, &fact.whose)
        {
            for &successor in successors {
                join(&mut side, succeeded, successor);
            }
        }
    }
    let each = (0_u16..).zip(contracting).filter(|(_, contracting)| **contracting);
    let mut ends: Vec<u16> = each.map(|(place, _)| end_of(&mut side, place)).collect();
    ends.sort_unstable();
    ends.dedup();
    ends.len()
}

/// The last of a side. Those on the way point further from now on, so that no way stays long.
fn end_of(side: &mut [u16], mut of: u16) -> u16 {
    let points = |side: &[u16], of: u16| side.get(usize::from(of)).copied().unwrap_or(of);
    while points(side, of) != of {
        let further = points(side, points(side, of));
        if let Some(next) = side.get_mut(usize::from(of)) {
            *next = further;
        }
        of = further;
    }
    of
}

fn join(side: &mut [u16], one: u16, other: u16) {
    let (one, other) = (end_of(side, one), end_of(side, other));
    if let Some(points) = side.get_mut(usize::from(other)) {
        *points = one;
    }
}

/// How a party's participation ends by such an event.
pub(super) fn own_end(r#type: Type) -> Option<AgreementEndType> {
    if matches!(r#type, Type::Denunciation | Type::Withdrawal) {
        return Some(AgreementEndType::Withdrawal);
    }
    (r#type == Type::Expulsion).then_some(AgreementEndType::Expulsion)
}

/// Whether a party consents by such an event. By a definitive signature it does, too.
pub(super) fn is_consent(r#type: Type) -> bool {
    matches!(
        r#type,
        Type::Ratification
            | Type::Acceptance
            | Type::Approval
            | Type::Accession
            | Type::Succession
            | Type::FormalConfirmation
            | Type::Deposit
            | Type::DefinitiveSignature
    )
}

/// Whether the ground of an end is that a later agreement took its place.
pub(super) fn is_superseded(event: &AgreementEvent) -> bool {
    event.ground() == AgreementTerminationGround::LaterAgreement
}
