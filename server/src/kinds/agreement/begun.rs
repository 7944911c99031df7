//! What has begun in one order of steps so far: nothing ends before it began.
//!
//! It is counted as steps are taken and taken back, so that nobody has to look for it.

use std::collections::HashSet;

use partnership_registry::v1::AgreementEventType as Type;

use super::record::{Item, Record, What, Whose, row};

/// Of things that begin the same: how many are recorded, and how many have happened.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    all: usize,
    happened: usize,
}

/// What is recorded to begin, and what of it has begun.
#[derive(Debug, Default)]
pub(super) struct Begun {
    entries: Count,
    own: Count,
    suspensions: Count,
    own_suspensions: Count,
    provisional: Count,
    provisional_of_all: Count,
    /// Of those that apply provisionally by themselves, by party.
    provisional_of: Vec<Count>,
    /// Provisional application that is not among the items, since it is an act of others: of all, and by party.
    elsewhere_of_all: bool,
    elsewhere_of: Vec<bool>,
}

impl Begun {
    /// Nothing of what is recorded.
    pub(super) fn of(record: &Record<'_>, items: &[Item]) -> Begun {
        let mut begun = Begun::default();
        if items.iter().any(|item| item.what == What::Provisional) {
            begun.provisional_of = vec![Count::default(); record.contracting.len()];
        }
        for item in items {
            begun.each(record, item, |count| count.all += 1);
        }
        if items.iter().any(|item| item.what == What::ProvisionalEnd) {
            begun.find_elsewhere(record, items);
        }
        begun
    }

    fn find_elsewhere(&mut self, record: &Record<'_>, items: &[Item]) {
        let here: HashSet<u32> =
            items.iter().filter(|item| item.what == What::Provisional).map(|item| item.event).collect();
        let begins = record.facts.iter().filter(|fact| fact.r#type == Type::ProvisionalApplication);
        self.elsewhere_of = vec![false; record.contracting.len()];
        for fact in begins.filter(|fact| !here.contains(&fact.index)) {
            match &fact.whose {
                Whose::All => self.elsewhere_of_all = true,
                Whose::Some(parties) => {
                    for party in parties {
                        self.elsewhere_of.get_mut(usize::from(*party)).into_iter().for_each(|is| *is = true);
                    }
                }
            }
        }
    }

    /// Whether something that is an act of others may have begun what an event ends.
    fn is_begun_elsewhere(&self, whose: Option<&Whose>) -> bool {
        let of = |party: &u16| self.elsewhere_of.get(usize::from(*party)) == Some(&true);
        match whose {
            Some(Whose::Some(parties)) => self.elsewhere_of_all || parties.iter().any(of),
            Some(Whose::All) => self.elsewhere_of_all || self.elsewhere_of.contains(&true),
            None => false,
        }
    }

    /// An item happens.
    pub(super) fn take(&mut self, record: &Record<'_>, item: &Item) {
        self.each(record, item, |count| count.happened += 1);
    }

    /// It does not after all.
    pub(super) fn take_back(&mut self, record: &Record<'_>, item: &Item) {
        self.each(record, item, |count| count.happened -= 1);
    }

    fn each(&mut self, record: &Record<'_>, item: &Item, change: impl Fn(&mut Count)) {
        match item.what {
            What::Entry => change(&mut self.entries),
            What::OwnEntry { counts } => {
                if counts {
                    change(&mut self.entries);
                }
                change(&mut self.own);
            }
            What::Consent { .. } => change(&mut self.own),
            What::Suspension => change(&mut self.suspensions),
            What::OwnSuspension => change(&mut self.own_suspensions),
            What::Provisional => {
                change(&mut self.provisional);
                match record.fact(item.event).map(|fact| &fact.whose) {
                    Some(Whose::Some(parties)) => {
                        for party in parties {
                            self.provisional_of.get_mut(usize::from(*party)).into_iter().for_each(&change);
                        }
                    }
                    Some(Whose::All) | None => change(&mut self.provisional_of_all),
                }
            }
            What::Negotiation
            | What::Adoption
            | What::Signature
            | What::ProvisionalEnd
            | What::Resumption
            | What::NonRenewal
            | What::TermDate
            | What::DeadlineDate
            | What::Renewal { .. }
            | What::End { .. }
            | What::Abandonment
            | What::Revocation(_)
            | What::Asserted(_)
            | What::Deadline
            | What::TermOver
            | What::Expiry
            | What::OtherConsent
            | What::OwnEnd(_)
            | What::OwnResumption => {}
        }
    }

    /// Whether something of what is recorded to have begun has begun, before it ends by an item.
    pub(super) fn has_begun(&self, record: &Record<'_>, item: &Item) -> bool {
        let fact = record.fact(item.event);
        if fact.is_some_and(|fact| fact.revoked) {
            return true;
        }
        let began = |count: Count| count.happened > 0 || count.all == 0;
        match item.what {
            What::End { .. } => began(self.entries) && (!item.own || began(self.own)),
            What::TermDate => fact.is_some() || began(self.entries),
            What::Resumption => began(self.suspensions),
            What::OwnResumption => began(self.own_suspensions),
            What::OwnEnd(_) => item.row == row::CONSENT || began(self.own),
            What::ProvisionalEnd if self.is_begun_elsewhere(fact.map(|fact| &fact.whose)) => true,
            What::ProvisionalEnd => match fact.map(|fact| &fact.whose) {
                Some(Whose::Some(parties)) => {
                    let own = parties.iter().filter_map(|party| self.provisional_of.get(usize::from(*party)));
                    began(own.fold(self.provisional_of_all, |sum, own| Count {
                        all: sum.all + own.all,
                        happened: sum.happened + own.happened,
                    }))
                }
                Some(Whose::All) | None => began(self.provisional),
            },
            What::Negotiation
            | What::Adoption
            | What::Signature
            | What::Provisional
            | What::Entry
            | What::Suspension
            | What::NonRenewal
            | What::DeadlineDate
            | What::Renewal { .. }
            | What::Abandonment
            | What::Revocation(_)
            | What::Asserted(_)
            | What::Deadline
            | What::TermOver
            | What::Expiry
            | What::Consent { .. }
            | What::OtherConsent
            | What::OwnEntry { .. }
            | What::OwnSuspension => true,
        }
    }
}
