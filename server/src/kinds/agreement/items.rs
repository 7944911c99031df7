//! What is to be put in order: for the agreement itself, and for each of its parties with no more of the others than
//! changes anything for it.
//!
//! The acts of two hundred parties would have more orders than can be counted. All that they change for another party is
//! when the first consent had effect and when the agreement entered into force, which are earliest days of many.

use partnership_registry::v1::{AgreementEndType, AgreementEventType as Type};

use super::days::{Days, Derived};
use super::record::{Fact, Item, NO_EVENT, Record, What, Whose, is_consent, is_superseded, late, own_end, row};

/// So many provisional applications and ends of them are looked at for each party, and no more.
const FEW: usize = 8;

/// The items of an agreement and of its parties.
#[derive(Debug)]
pub(super) struct Items {
    /// What the agreement's own state follows from and matters to parties, too, each with the place of the fact.
    common: Vec<(Item, Option<usize>)>,
    /// What matters to the agreement's own state alone.
    formation: Vec<Item>,
    /// Entries into force of single parties that count for the agreement.
    entries: Earliest,
    /// Consents of contracting parties, if a general entry into force asks for them.
    consents: Earliest,
    /// What matters to each party alone.
    own: Vec<Vec<Item>>,
    /// Consents of all contracting parties, of each of which they are its own.
    own_of_all: Vec<Item>,
    /// Whether a provisional application by others matters to a party: a date on which the term ends ends it, too, and
    /// what ends those of several cannot come before all of them.
    provisional: bool,
    /// Nothing that matters to all parties names one of them.
    unnamed: bool,
}

/// Many things of which the first matters.
#[derive(Debug, Default)]
struct Earliest {
    /// By the first day that each may be, with the place of the fact.
    by_first: Vec<(i32, usize)>,
    /// By the last day that each may be.
    by_last: Vec<(i32, usize)>,
}

impl Earliest {
    fn add(&mut self, place: usize, days: Days) {
        self.by_first.push((days.first, place));
        self.by_last.push((days.last, place));
    }

    fn sort(&mut self) {
        self.by_first.sort_unstable();
        self.by_last.sort_unstable();
    }

    /// The days on which the first of those may be that `counts` lets count, and the place of one that may be it.
    fn among(&self, counts: impl Fn(usize) -> bool) -> Option<(Days, usize)> {
        let (first, place) = self.by_first.iter().find(|(_, place)| counts(*place)).copied()?;
        let (last, _) = self.by_last.iter().find(|(_, place)| counts(*place))?;
        Some((Days { first, last: *last }, place))
    }
}

impl Items {
    pub(super) fn of(record: &Record<'_>) -> Items {
        let mut items = Items {
            common: Vec::new(),
            formation: Vec::new(),
            entries: Earliest::default(),
            consents: Earliest::default(),
            own: vec![Vec::new(); record.contracting.len()],
            own_of_all: Vec::new(),
            provisional: record.term.expiry.is_some() || ends_those_of_several(record),
            unnamed: true,
        };
        let mut first_of = [Earliest::default(), Earliest::default(), Earliest::default()];
        for (place, fact) in record.facts.iter().enumerate() {
            items.add(record, place, fact, &mut first_of);
        }
        items.entries.sort();
        items.consents.sort();
        let kinds =
            [(What::Negotiation, row::NEGOTIATION), (What::Adoption, row::ADOPTION), (What::Signature, row::SIGNATURE)];
        for (mut first, (what, row)) in first_of.into_iter().zip(kinds) {
            first.sort();
            items.formation.extend(first.among(|_| true).map(|(days, place)| one_of(record, place, days, what, row)));
        }
        items.add_term_dates(record);
        let fact = |place: &Option<usize>| place.and_then(|place| record.facts.get(place));
        let is_named = |place: &Option<usize>| fact(place).is_some_and(|fact| fact.whose != Whose::All);
        items.unnamed = !items.common.iter().any(|(_, place)| is_named(place));
        items.common.extend(record.asserted().map(|item| (item, None)));
        items
    }

    /// What the agreement's own state follows from.
    pub(super) fn of_agreement(&self, record: &Record<'_>) -> Vec<Item> {
        let mut all: Vec<Item> = self.common.iter().map(|(item, _)| *item).collect();
        all.extend_from_slice(&self.formation);
        let entry = self.entries.among(|_| true);
        all.extend(entry.map(|(days, place)| one_of(record, place, days, What::Entry, row::ENTRY)));
        all
    }

    /// Whether nothing that is recorded is a party's own, so that it stands as all such parties do.
    pub(super) fn is_like_others(&self, party: u16) -> bool {
        self.unnamed && self.own.get(usize::from(party)).is_none_or(Vec::is_empty)
    }

    /// What a party's standing follows from. `into` is made empty first.
    pub(super) fn of_party(&self, record: &Record<'_>, party: u16, into: &mut Vec<Item>) {
        let contracting = record.is_contracting(party);
        into.clear();
        for (item, place) in &self.common {
            let fact = place.and_then(|place| record.facts.get(place));
            let provisional = matches!(item.what, What::Provisional | What::ProvisionalEnd);
            let own =
                fact.is_some_and(|fact| if provisional { fact.is_of(party, contracting) } else { fact.names(party) });
            if own || !provisional || self.provisional {
                into.push(Item { own, ..*item });
            }
        }
        let fact = |place: usize| record.facts.get(place);
        let entry = self.entries.among(|place| fact(place).is_some_and(|fact| !fact.names(party)));
        into.extend(entry.map(|(days, place)| one_of(record, place, days, What::Entry, row::ENTRY)));
        let of_others = |place| fact(place).is_some_and(|fact| !fact.is_of(party, contracting));
        let consent = self.consents.among(of_others);
        into.extend(consent.map(|(days, place)| Item {
            event: NO_EVENT,
            ..one_of(record, place, days, What::OtherConsent, row::CONSENT)
        }));
        into.extend(self.own.get(usize::from(party)).into_iter().flatten());
        if contracting {
            into.extend_from_slice(&self.own_of_all);
        }
    }

    fn add(&mut self, record: &Record<'_>, place: usize, fact: &Fact<'_>, first_of: &mut [Earliest; 3]) {
        let item =
            |what, row| Item { what, row, event: fact.index, days: fact.days, derived: fact.derived, own: false };
        let common = |what, row| (item(what, row), Some(place));
        let [negotiation, adoption, signature] = first_of;
        if is_consent(fact.r#type) {
            self.add_consent(record, place, fact);
        }
        match fact.r#type {
            Type::Negotiation => negotiation.add(place, fact.effect()),
            Type::Adoption => adoption.add(place, fact.effect()),
            Type::Signature | Type::DefinitiveSignature => signature.add(place, fact.effect()),
            Type::ProvisionalApplication => self.common.push(common(What::Provisional, row::PROVISIONAL)),
            Type::ProvisionalApplicationEnd => self.common.push(common(What::ProvisionalEnd, row::PROVISIONAL_END)),
            Type::EntryIntoForce => match &fact.whose {
                Whose::All => self.common.push(common(What::Entry, row::ENTRY)),
                Whose::Some(_) => {
                    let counts = !record.general_entry;
                    if counts {
                        self.entries.add(place, fact.effect());
                    }
                    self.add_own(fact, item(What::OwnEntry { counts }, row::OWN_ENTRY));
                }
            },
            Type::Suspension => match &fact.whose {
                Whose::All => self.common.push(common(What::Suspension, row::SUSPENSION)),
                Whose::Some(_) => self.add_own(fact, item(What::OwnSuspension, row::SUSPENSION)),
            },
            Type::Resumption => match &fact.whose {
                Whose::All => self.common.push(common(What::Resumption, row::RESUMPTION)),
                Whose::Some(_) => self.add_own(fact, item(What::OwnResumption, row::RESUMPTION)),
            },
            Type::NonRenewal => self.common.push(common(What::NonRenewal, row::NON_RENEWAL)),
            Type::Renewal => {
                let dated = fact.event.term_end_date.is_some();
                self.common.push(common(What::Renewal { dated }, row::RENEWAL));
            }
            Type::Denunciation | Type::Withdrawal | Type::Expulsion | Type::Termination => {
                let row = if fact.r#type == Type::Termination {
                    row::TERMINATION
                } else if fact.r#type == Type::Expulsion {
                    row::EXPULSION
                } else {
                    row::DENUNCIATION
                };
                if record.is_end(fact) {
                    self.common.push(common(What::End { superseded: is_superseded(fact.event) }, row));
                } else if let Some(end) = own_end(fact.r#type) {
                    self.add_own(fact, item(What::OwnEnd(end), row));
                }
            }
            Type::Revocation => self.add_revocation(record, place, fact),
            Type::Abandonment => self.common.push(common(What::Abandonment, row::ABANDONMENT)),
            Type::Unspecified
            | Type::Ratification
            | Type::Acceptance
            | Type::Approval
            | Type::Accession
            | Type::Succession
            | Type::Deposit
            | Type::FormalConfirmation
            | Type::Reservation
            | Type::Declaration
            | Type::Objection
            | Type::Amendment
            | Type::Correction
            | Type::Registration
            | Type::WithdrawalOfReservation
            | Type::TerritorialApplication
            | Type::Notification => {}
        }
    }

    fn add_own(&mut self, fact: &Fact<'_>, item: Item) {
        let Whose::Some(parties) = &fact.whose else { return };
        for &party in parties {
            if let Some(own) = self.own.get_mut(usize::from(party)) {
                own.push(Item { own: true, ..item });
            }
        }
    }

    fn add_consent(&mut self, record: &Record<'_>, place: usize, fact: &Fact<'_>) {
        let row = if fact.r#type == Type::DefinitiveSignature { row::SIGNATURE } else { row::CONSENT };
        let succession = fact.r#type == Type::Succession;
        let what = What::Consent { succession };
        let item = Item { what, row, event: fact.index, days: fact.days, derived: fact.derived, own: true };
        let of_contracting;
        match &fact.whose {
            Whose::All => {
                of_contracting = true;
                self.own_of_all.push(item);
            }
            Whose::Some(parties) => {
                of_contracting = parties.iter().any(|party| record.is_contracting(*party));
                self.add_own(fact, item);
            }
        }
        let succeeded = fact.succeeded.filter(|_| succession);
        if let Some(own) = succeeded.and_then(|party| self.own.get_mut(usize::from(party))) {
            own.push(Item { what: What::OwnEnd(AgreementEndType::Succession), ..item });
        }
        if of_contracting && !record.bilateral {
            self.consents.add(place, fact.effect());
        }
    }

    fn add_revocation(&mut self, record: &Record<'_>, place: usize, fact: &Fact<'_>) {
        let Some(named) = fact.revokes.and_then(|event| record.fact(event)) else { return };
        let what = What::Revocation(named.index);
        let days = fact.days;
        let item = Item { what, row: row::REVOCATION, event: fact.index, days, derived: fact.derived, own: false };
        if named.r#type == Type::NonRenewal || record.is_end(named) {
            self.common.push((item, Some(place)));
        } else {
            self.add_own(named, item);
        }
    }

    /// The days after the last days of terms, and before each the first on which a notice would be too late.
    fn add_term_dates(&mut self, record: &Record<'_>) {
        let notices = record.term.heeds_notices() && record.facts.iter().any(|fact| fact.r#type == Type::NonRenewal);
        let renewals = record.facts.iter().enumerate().filter(|(_, fact)| fact.r#type == Type::Renewal);
        let ends = renewals.filter_map(|(place, fact)| {
            let end = fact.event.term_end_date.as_ref()?;
            Some((fact.index, Some(place), Days::of(Some(end))))
        });
        let expiry = record.term.expiry.map(|days| (NO_EVENT, None, days));
        for (event, place, days) in ends.chain(expiry) {
            let derived = late(Derived { plus: 1, ..Derived::SAME });
            let end = Item { what: What::TermDate, row: row::TERM_END, event, days, derived, own: false };
            self.common.push((end, place));
            if notices {
                let derived = Derived { notice: Some(record.term.notice.unwrap_or_default()), ..derived };
                self.common.push((Item { what: What::DeadlineDate, row: row::DEADLINE, derived, ..end }, place));
            }
        }
    }
}

/// Whether one event ends the provisional application of several parties, and these are few enough to be looked at for
/// each of them.
fn ends_those_of_several(record: &Record<'_>) -> bool {
    let of = |r#type| record.facts.iter().filter(move |fact| fact.r#type == r#type);
    let mut ends = of(Type::ProvisionalApplicationEnd);
    let of_several = |fact: &Fact<'_>| !matches!(&fact.whose, Whose::Some(parties) if parties.len() == 1);
    record.in_order
        && ends.any(of_several)
        && of(Type::ProvisionalApplication).count() + of(Type::ProvisionalApplicationEnd).count() <= FEW
}

/// The first of several facts as an item.
fn one_of(record: &Record<'_>, place: usize, days: Days, what: What, row: u8) -> Item {
    let event = record.facts.get(place).map_or(NO_EVENT, |fact| fact.index);
    Item { what, row, event, days, derived: Derived::SAME, own: false }
}
