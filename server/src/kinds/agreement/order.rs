//! What cannot end before it began: worlds in which something does are left out, unless none would remain.
//!
//! Nothing is both an end and a beginning here. So there is such a world if all is in order when every end is as late and
//! every beginning as early as it may be.

use std::iter::once;

use partnership_registry::v1::AgreementEventType as Type;
use smallvec::{SmallVec, smallvec};

use super::days::{Days, after, before};
use super::record::{Fact, Record, Whose, is_consent, own_end};

/// An end, and what may have begun it: at least one of them is not after it.
struct Rule {
    /// The place of the fact. `None`: the first term of the agreement.
    end: Option<usize>,
    begins: SmallVec<[Group; 2]>,
    /// It is the end of a contracting party, which may have been bound by the entry into force alone.
    of_contracting: bool,
}

/// What is wrong with an end in all worlds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NeverBegun {
    /// All that it could end begins later.
    Later,
    /// Nothing is recorded that it could end.
    Nowhere,
}

/// Leaves out what is out of order, if anything is uncertain and if a world remains: what can be said of a single date is
/// taken from its days. The rest is seen to where orders are explored.
pub(super) fn put_in_order(record: &mut Record<'_>) {
    if record.certain {
        return;
    }
    let begins = Begins::of(record);
    let mut rules = rules(record);
    rules.retain(|rule| begins.first(&rule.begins).is_some());
    let may_be = |rule: &Rule| begins.first(&rule.begins) <= Some(end_of(record, rule).last);
    if !rules.iter().all(may_be) {
        return;
    }
    record.in_order = true;
    for rule in &rules {
        let end = end_of(record, rule);
        let first = begins.first(&rule.begins).map_or(end.first, |first| first.max(end.first));
        match rule.end {
            Some(end) => {
                if let Some(fact) = record.facts.get_mut(end) {
                    fact.days.first = fact.derived.first(fact.days, first);
                }
            }
            None => {
                if let Some(expiry) = &mut record.term.expiry {
                    expiry.first = expiry.first.max(before(first));
                }
            }
        }
        if let Some(begin) = begins.only(&rule.begins, end.last)
            && let Some(fact) = record.facts.get_mut(begin)
        {
            fact.days.last = fact.derived.last(fact.days, end.last);
        }
    }
}

/// What ends, by its place, and has begun in no world, by what is recorded. `None`: the first term of the agreement.
pub(super) fn never_begun(record: &Record<'_>) -> Vec<(Option<usize>, NeverBegun)> {
    let begins = Begins::of(record);
    let mut rules = rules(record);
    let supposes = |fact: &Fact<'_>| {
        fact.whose == Whose::All && matches!(fact.r#type, Type::Suspension | Type::Renewal | Type::NonRenewal)
    };
    let supposing = record.facts.iter().enumerate().filter(|(_, fact)| supposes(fact));
    rules.extend(supposing.map(|(place, _)| Rule {
        end: Some(place),
        begins: smallvec![Group::Entries],
        of_contracting: false,
    }));
    let mut found: Vec<(Option<usize>, NeverBegun)> = Vec::new();
    for rule in &rules {
        let own = begins.first(&rule.begins);
        let first = own.or_else(|| begins.first(&[Group::Entries]).filter(|_| rule.of_contracting));
        let wrong = match first {
            Some(first) if first > end_of(record, rule).last => NeverBegun::Later,
            None if rule.end.is_some() => NeverBegun::Nowhere,
            _ => continue,
        };
        if found.last().is_none_or(|(last, _)| *last != rule.end) {
            found.push((rule.end, wrong));
        }
    }
    found
}

fn end_of(record: &Record<'_>, rule: &Rule) -> Days {
    match (rule.end, record.term.expiry) {
        (Some(end), _) => record.facts.get(end).map_or(Days::ANY, Fact::effect),
        (None, Some(expiry)) => Days { first: after(expiry.first), last: after(expiry.last) },
        (None, None) => Days::ANY,
    }
}

fn rules(record: &Record<'_>) -> Vec<Rule> {
    let mut rules = Vec::new();
    let rule = |end, begins| Rule { end, begins, of_contracting: false };
    if record.term.expiry.is_some() {
        rules.push(rule(None, smallvec![Group::Entries]));
    }
    for (place, end) in record.facts.iter().enumerate().filter(|(_, fact)| !fact.revoked) {
        if record.is_end(end) {
            rules.push(rule(Some(place), smallvec![Group::Entries]));
        }
        let named: &[u16] = if let Whose::Some(parties) = &end.whose { parties } else { &[] };
        if own_end(end.r#type).is_some() {
            rules.extend(named.iter().map(|&party| {
                let of_contracting = record.is_contracting(party);
                let of_all = of_contracting.then_some(Group::ConsentsOfAll);
                let begins = once(Group::Own(party)).chain(of_all).collect();
                Rule { end: Some(place), begins, of_contracting }
            }));
        }
        if end.r#type == Type::Resumption {
            if end.whose == Whose::All {
                rules.push(rule(Some(place), smallvec![Group::SuspensionsOfAll]));
            }
            rules.extend(named.iter().map(|&party| rule(Some(place), smallvec![Group::Suspensions(party)])));
        }
        if end.r#type == Type::ProvisionalApplicationEnd {
            let own = named.iter().map(|&party| Group::Provisional(party));
            let others = if end.whose == Whose::All { Group::AnyProvisional } else { Group::ProvisionalOfAll };
            rules.push(rule(Some(place), once(others).chain(own).collect()));
        }
    }
    rules
}

/// What may have begun the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    /// The entries into force that the agreement's own state follows from.
    Entries,
    ConsentsOfAll,
    /// The consents of a party that name it, and its own entries into force.
    Own(u16),
    SuspensionsOfAll,
    Suspensions(u16),
    AnyProvisional,
    ProvisionalOfAll,
    Provisional(u16),
}

/// The first day on which each beginning may have effect, with the place of the fact, in order.
type Firsts = Vec<(i32, usize)>;

/// All that may have begun what ends. Each fact stands in it once for each party that it names, so that it is not larger
/// than what is recorded.
#[derive(Debug, Default)]
struct Begins {
    entries: Firsts,
    consents_of_all: Firsts,
    suspensions_of_all: Firsts,
    any_provisional: Firsts,
    provisional_of_all: Firsts,
    of_party: Vec<BeginsOfParty>,
}

#[derive(Debug, Default, Clone)]
struct BeginsOfParty {
    own: Firsts,
    suspensions: Firsts,
    provisional: Firsts,
}

impl Begins {
    fn of(record: &Record<'_>) -> Begins {
        let mut begins =
            Begins { of_party: vec![BeginsOfParty::default(); record.contracting.len()], ..Begins::default() };
        let mut order: Vec<usize> = (0..record.facts.len()).collect();
        order.sort_by_key(|place| record.facts.get(*place).map(|fact| fact.effect().first));
        for place in order {
            let Some(fact) = record.facts.get(place) else { continue };
            let begin = (fact.effect().first, place);
            if record.is_counting_entry(fact) {
                begins.entries.push(begin);
            }
            if fact.r#type == Type::ProvisionalApplication {
                begins.any_provisional.push(begin);
            }
            match &fact.whose {
                Whose::All if is_consent(fact.r#type) => begins.consents_of_all.push(begin),
                Whose::All if fact.r#type == Type::Suspension => begins.suspensions_of_all.push(begin),
                Whose::All if fact.r#type == Type::ProvisionalApplication => begins.provisional_of_all.push(begin),
                Whose::All => {}
                Whose::Some(parties) => parties.iter().for_each(|party| begins.add_of_party(*party, fact, begin)),
            }
        }
        begins
    }

    fn add_of_party(&mut self, party: u16, fact: &Fact<'_>, begin: (i32, usize)) {
        let Some(of_party) = self.of_party.get_mut(usize::from(party)) else { return };
        if is_consent(fact.r#type) || fact.r#type == Type::EntryIntoForce {
            of_party.own.push(begin);
        } else if fact.r#type == Type::Suspension {
            of_party.suspensions.push(begin);
        } else if fact.r#type == Type::ProvisionalApplication {
            of_party.provisional.push(begin);
        }
    }

    fn group(&self, group: Group) -> &[(i32, usize)] {
        let of_party = |party: u16, of: fn(&BeginsOfParty) -> &Firsts| {
            self.of_party.get(usize::from(party)).map_or(&[][..], |begins| of(begins))
        };
        match group {
            Group::Entries => &self.entries,
            Group::ConsentsOfAll => &self.consents_of_all,
            Group::Own(party) => of_party(party, |begins| &begins.own),
            Group::SuspensionsOfAll => &self.suspensions_of_all,
            Group::Suspensions(party) => of_party(party, |begins| &begins.suspensions),
            Group::AnyProvisional => &self.any_provisional,
            Group::ProvisionalOfAll => &self.provisional_of_all,
            Group::Provisional(party) => of_party(party, |begins| &begins.provisional),
        }
    }

    /// The first day on which one of them may have effect. `None`: there is none.
    fn first(&self, groups: &[Group]) -> Option<i32> {
        groups.iter().filter_map(|group| self.group(*group).first()).map(|(first, _)| *first).min()
    }

    /// The only one of them that may have effect by a day, if there is only one.
    fn only(&self, groups: &[Group], last: i32) -> Option<usize> {
        let mut only = None;
        for group in groups {
            for (_, place) in self.group(*group).iter().take_while(|(first, _)| *first <= last).take(2) {
                match only {
                    Some(other) if other != *place => return None,
                    _ => only = Some(*place),
                }
            }
        }
        only
    }
}
