//! What cannot end before it began: worlds in which something does are left out, unless none would remain.
//!
//! Nothing is both an end and a beginning here. So there is such a world if all is in order when every end is as late and
//! every beginning as early as it may be.

use partnership_registry::v1::AgreementEventType as Type;

use super::days::{Days, after, before};
use super::record::{Fact, Record, Whose, is_consent, own_end};

/// An end, and what may have begun it: at least one of them is not after it.
struct Rule {
    /// The place of the fact. `None`: the first term of the agreement.
    end: Option<usize>,
    begins: Vec<usize>,
}

/// Leaves out what is out of order, if anything is uncertain and if a world remains: what can be said of a single date is
/// taken from its days. The rest is seen to where orders are explored.
pub(super) fn put_in_order(record: &mut Record<'_>) {
    if record.certain {
        return;
    }
    let rules = rules(record);
    let may_be = |rule: &Rule| {
        let end = end_of(record, rule).last;
        rule.begins.iter().any(|begin| effect(record, *begin).first <= end)
    };
    if !rules.iter().all(may_be) {
        return;
    }
    record.in_order = true;
    for rule in &rules {
        let end = end_of(record, rule);
        let first = rule.begins.iter().map(|begin| effect(record, *begin).first).min();
        let first = first.map_or(end.first, |first| first.max(end.first));
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
        let mut may_begin = rule.begins.iter().filter(|begin| effect(record, **begin).first <= end.last);
        if let (Some(&begin), None) = (may_begin.next(), may_begin.next())
            && let Some(fact) = record.facts.get_mut(begin)
        {
            fact.days.last = fact.derived.last(fact.days, end.last);
        }
    }
}

/// Whether what ends is what began: that of all, or that of the same party.
pub(super) fn is_of_same(end: &Fact<'_>, begin: &Fact<'_>) -> bool {
    match (&end.whose, &begin.whose) {
        (Whose::All, _) | (_, Whose::All) => true,
        (Whose::Some(end), Whose::Some(begin)) => end.iter().any(|party| begin.contains(party)),
    }
}

fn effect(record: &Record<'_>, place: usize) -> Days {
    record.facts.get(place).map_or(Days::ANY, Fact::effect)
}

fn end_of(record: &Record<'_>, rule: &Rule) -> Days {
    match (rule.end, record.term.expiry) {
        (Some(end), _) => effect(record, end),
        (None, Some(expiry)) => Days { first: after(expiry.first), last: after(expiry.last) },
        (None, None) => Days::ANY,
    }
}

fn rules(record: &Record<'_>) -> Vec<Rule> {
    let places = |is: &dyn Fn(&Fact<'_>) -> bool| -> Vec<usize> {
        record.facts.iter().enumerate().filter(|(_, fact)| is(fact)).map(|(place, _)| place).collect()
    };
    let entries = places(&|fact| record.is_counting_entry(fact));
    let mut rules = Vec::new();
    if record.term.expiry.is_some() {
        rules.push(Rule { end: None, begins: entries.clone() });
    }
    for (place, end) in record.facts.iter().enumerate().filter(|(_, fact)| !fact.revoked) {
        let mut add = |begins: Vec<usize>| rules.push(Rule { end: Some(place), begins });
        if record.is_end(end) {
            add(entries.clone());
        }
        if own_end(end.r#type).is_some()
            && let Whose::Some(parties) = &end.whose
        {
            for &party in parties {
                let contracting = record.is_contracting(party);
                add(places(&|fact| {
                    (fact.r#type == Type::EntryIntoForce && fact.names(party))
                        || (is_consent(fact.r#type) && fact.is_of(party, contracting))
                }));
            }
        }
        if end.r#type == Type::Resumption {
            match &end.whose {
                Whose::All => add(places(&|fact| fact.r#type == Type::Suspension && fact.whose == Whose::All)),
                Whose::Some(parties) => {
                    for &party in parties {
                        add(places(&|fact| fact.r#type == Type::Suspension && fact.names(party)));
                    }
                }
            }
        }
        if end.r#type == Type::ProvisionalApplicationEnd {
            add(places(&|fact| fact.r#type == Type::ProvisionalApplication && is_of_same(end, fact)));
        }
    }
    rules.retain(|rule| !rule.begins.is_empty());
    rules
}
