//! The largest agreements that a document has room for, each made to be as dear as it can be. A read works out how an
//! agreement stands, so none of them may keep others waiting.

use std::time::{Duration, Instant};

use partnership_registry::v1::{Agreement, Resource};
use prost::Message as _;

use super::super::{DATED, check, find};
use super::said::{agreement, date, day, event};
use crate::findings::{FINDINGS_MAX, Findings};
use crate::kinds::timeline::Asked;
use crate::violations::Violations;

/// The most bytes of a document, and the most parties and events of an agreement.
const BYTES_MAX: usize = 1 << 20;
const PARTIES_MAX: usize = 500;
const EVENTS_MAX: usize = 5_000;

/// What one question about one agreement may take, without optimisation and while others use the machine: several times
/// what it does take, and far less than what goes with the square of what is recorded.
const TIME_MAX: Duration = Duration::from_secs(30);
/// The most bytes that are answered of one.
const ANSWER_BYTES_MAX: usize = 2 * BYTES_MAX;
/// The most steps that are kept of one for questions about days.
const STEPS_MAX: usize = 500_000;

/// The id of a party: two characters, so that a name of it takes four bytes.
fn party(number: usize) -> String {
    let letter = |number: usize| char::from_digit(u32::try_from(number % 36).unwrap(), 36).unwrap();
    let first = char::from(b'a' + u8::try_from(number % PARTIES_MAX / 36).unwrap());
    [first, letter(number % PARTIES_MAX)].iter().collect()
}

/// So many parties, from one on.
fn parties(from: usize, count: usize) -> String {
    (from..from + count).map(party).collect::<Vec<_>>().join(",")
}

/// A day, each later than the one before.
fn on(number: usize) -> String {
    format!("{}-{:02}-{:02}", 1900 + number / 336, number / 28 % 12 + 1, number % 28 + 1)
}

/// As many parties and events as there is room for, behind what is given.
fn largest(given: &[&str], line: impl Fn(usize) -> String) -> Agreement {
    let all = format!("parties {}", (0..PARTIES_MAX).map(party).collect::<Vec<_>>().join(" "));
    let mut agreement = agreement(&[&[all.as_str()], given].concat());
    let mut bytes = agreement.encoded_len();
    for number in 0.. {
        let mut next = event(&line(number), agreement.events.len() + 1);
        next.record_date = Some(date("2000-01-01"));
        bytes += next.encoded_len() + 4;
        if bytes > BYTES_MAX || agreement.events.len() == EVENTS_MAX {
            break;
        }
        agreement.events.push(next);
    }
    agreement
}

/// Asks all that is asked of an agreement that is written and read, and holds each answer to its time and size.
fn assert_cheap(what: &str, agreement: &Agreement) {
    let mut violations = Violations::new();
    let mut wrong = Vec::new();
    let mut within = |name: &str, ask: &mut dyn FnMut() -> (usize, usize)| {
        let begun = Instant::now();
        let (size, most) = ask();
        let took = begun.elapsed();
        println!("{what}: {name} took {} µs and has {size}", took.as_micros());
        if took > TIME_MAX || size > most {
            wrong.push(format!("{what}: {name} took {took:?} and has {size}, of at most {most}"));
        }
    };
    within("checking it", &mut || {
        check(agreement, &mut violations);
        (violations.iter().count(), 0)
    });
    let resource: Resource = agreement.clone().into();
    within("its timeline", &mut || {
        let timeline = (DATED.timeline)(&resource);
        (timeline.states.len() + timeline.parties.iter().map(|(_, steps)| steps.len()).sum::<usize>(), STEPS_MAX)
    });
    let asked = Asked { settled: day("1999-01-01"), valid: day("1903-01-01"), parties: true };
    within("its status", &mut || ((DATED.computed)(&resource, asked).len(), ANSWER_BYTES_MAX));
    within("what is strange about it", &mut || {
        let mut findings = Findings::new();
        find(agreement, &mut findings);
        (findings.iter().count(), FINDINGS_MAX)
    });
    within("its dated events", &mut || ((DATED.events)(&resource).len(), 2 * EVENTS_MAX));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A line that has the one beginning and the other by turns.
fn by_turns(number: usize, one: &str, other: &str) -> String {
    if number.is_multiple_of(2) { one.to_owned() } else { other.to_owned() }
}

/// Each party has an act of its own, so that none stands as the others do; then come the others.
fn ratified(number: usize, other: impl Fn(usize) -> String) -> String {
    if number < PARTIES_MAX { format!("RATIFICATION {} 1899-01-01", party(number)) } else { other(number) }
}

const CERTAIN: &[&str] = &["scope MULTILATERAL", "ENTRY_INTO_FORCE 1900-01-01"];
/// One date that is not certain, which is enough for orders to be looked for.
const UNCERTAIN: &[&str] = &["scope MULTILATERAL", "ENTRY_INTO_FORCE 1900"];

fn unknown(_: usize) -> String {
    "unknown".to_owned()
}

/// What they are, what is given, and the date of each event by its number.
type Dates = (&'static str, &'static [&'static str], fn(usize) -> String);

/// Dates that all are certain, of which one is not, and of which none is known.
const DATES: [Dates; 3] = [("certain", CERTAIN, on), ("one uncertain", UNCERTAIN, on), ("unknown", UNCERTAIN, unknown)];

#[test]
fn provisional_applications_and_their_ends() {
    for (dates, _, on) in DATES {
        let provisional = largest(&["scope MULTILATERAL", "term expiry=1999-01-01"], |number| {
            let what = by_turns(number, "PROVISIONAL_APPLICATION", "PROVISIONAL_APPLICATION_END");
            format!("{what} {} {}", parties(number / 2 * 50, 50), on(number))
        });
        assert_cheap(&format!("provisional applications, {dates}"), &provisional);
    }
}

#[test]
fn parties_that_come_and_go() {
    for (dates, given, on) in DATES {
        let both = largest(given, |number| {
            format!("{} {} {}", by_turns(number, "ACCESSION", "WITHDRAWAL"), parties(number / 2 * 100, 100), on(number))
        });
        assert_cheap(&format!("accessions and withdrawals, {dates}"), &both);
        let all = largest(given, |number| format!("RATIFICATION {}", on(number)));
        assert_cheap(&format!("ratifications by all, {dates}"), &all);
    }
}

#[test]
fn entries_and_ends_again_and_again() {
    for (dates, given, on) in DATES {
        let both = largest(given, |number| {
            ratified(number, |number| {
                format!("{} {}", by_turns(number, "ENTRY_INTO_FORCE", "TERMINATION ground=CONSENT"), on(number))
            })
        });
        assert_cheap(&format!("entries and ends, {dates}"), &both);
    }
}

#[test]
fn terms_that_are_renewed_or_not() {
    let term = "term length=5y renewal=AUTOMATIC renewed=1m notice=5d";
    for (dates, given, day) in DATES {
        let given = [given, &[term]].concat();
        let renewals = largest(&given, |number| {
            ratified(number, |number| {
                let renewal = format!("RENEWAL {} end={}", day(number), on(number + 30));
                by_turns(number, &format!("NON_RENEWAL {}", day(number)), &renewal)
            })
        });
        assert_cheap(&format!("renewals, {dates}"), &renewals);
    }
    let last = largest(&[CERTAIN, &[term]].concat(), |number| match number {
        4_998 => format!("NON_RENEWAL {}", on(number)),
        _ => format!("{} {}", by_turns(number, "SUSPENSION", "RESUMPTION"), on(number)),
    });
    assert_cheap("one notice behind all", &last);
    let agreement = agreement(&[
        "parties kr ir",
        "term length=1d renewal=AUTOMATIC renewed=1d",
        "ENTRY_INTO_FORCE 1900",
        "NON_RENEWAL unknown",
    ]);
    assert_cheap("terms of a day", &agreement);
}

#[test]
fn what_is_taken_back() {
    for (dates, given, on) in DATES {
        for (what, scope) in [("NON_RENEWAL", "scope MULTILATERAL"), ("DENUNCIATION", "scope BILATERAL")] {
            let term = "term length=5y renewal=AUTOMATIC renewed=1m notice=5d";
            let revoked = largest(&[given, &[scope, term]].concat(), |number| {
                ratified(number, |number| {
                    let party = if what == "NON_RENEWAL" { String::new() } else { party(number) };
                    // One event is given, and ids are counted from 1.
                    let revocation = format!("REVOCATION {} revokes=e{}", on(number), number + 1);
                    by_turns(number, &format!("{what} {party} {}", on(number)), &revocation)
                })
            });
            assert_cheap(&format!("revocations of {what}, {dates}"), &revoked);
        }
    }
}

#[test]
fn successions_in_chains() {
    // The sides are counted where the scope is not said.
    let many = largest(&CERTAIN[1..], |number| match number {
        0..499 => format!("SUCCESSION {} {} of={}", party(number + 1), on(number), party(number)),
        _ => format!("SUCCESSION {} {} of={}", parties(number % 300 + 100, 100), on(number), party(0)),
    });
    assert_cheap("successions of one that was succeeded often", &many);
}

#[test]
fn parties_that_are_one_country() {
    let mut one = largest(CERTAIN, |number| {
        format!("{} {} {}", by_turns(number, "ACCESSION", "WITHDRAWAL"), party(number / 2), on(number))
    });
    for party in &mut one.parties {
        party.country = "countries/one".to_owned();
    }
    assert_cheap("parties that are one country", &one);
}
