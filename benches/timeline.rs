//! How long it takes to work out how an agreement stands: on each day (its timeline), and on one day with all of its parties
//! (its status). Beside it stands what decoding the same agreement takes, since a read does that in any case.

use std::hint::black_box;
use std::time::{Duration, Instant};

use partnership_registry::v1::{
    Agreement, AgreementEvent, AgreementEventType as Type, AgreementParty, AgreementPeriod, AgreementRenewal,
    AgreementScope, AgreementTerm, PartialDate, Resource,
};
use partnership_registry_server::kinds::timeline::{Asked, Dated};
use partnership_registry_server::kinds::{self, KindRules};
use partnership_registry_server::time::Day;
use prost::Message as _;

use crate::Plan;
use crate::aims::Aims;
use crate::load::percentile;
use crate::report::{Figures, number, table};

/// The day that is asked about: 1 January 1980.
const ASKED: Day = Day(3_652);

/// What is measured, and what it is to take at most, in microseconds.
struct Case {
    told: &'static str,
    agreement: Agreement,
    aim: f64,
}

pub(crate) fn run(plan: &Plan, aims: &mut Aims) {
    let dated = rules().dated.unwrap();
    let mut rows = Vec::new();
    for Case { told, agreement, aim } in cases() {
        let bytes = agreement.encode_to_vec();
        let resource = Resource::from(agreement.clone());
        let [mut decoded, mut timeline, mut status] = [const { Times::new() }; 3];
        for _ in 0..plan.rounds {
            decoded.take(plan.turn / 3, || Agreement::decode(black_box(&bytes[..])));
            timeline.take(plan.turn / 3, || (dated.timeline)(black_box(&resource)));
            status.take(plan.turn / 3, || status_of(&dated, black_box(&resource)));
        }
        for (what, times) in [("timeline", &timeline), ("status", &status)] {
            rows.push(vec![
                format!("{told}, {what}"),
                number(agreement.events.len() as f64, 0),
                number(bytes.len() as f64, 0),
                times.p50.show(1),
                times.p99.show(1),
                times.p50.over(&decoded.p50).show(2),
            ]);
            aims.at_most(&format!("{told}, {what}: p50, µs"), aim, Some(&times.p50));
        }
    }
    let head = ["", "events", "bytes", "p50 µs", "p99 µs", "times as long as decoding (p50)"];
    table("How an agreement stands, worked out by one thread", &head, &rows);
}

fn rules() -> KindRules {
    *kinds::ALL.iter().find(|rules| rules.singular == "agreement").unwrap()
}

fn status_of(dated: &Dated, resource: &Resource) -> Vec<u8> {
    (dated.computed)(resource, Asked { settled: ASKED, valid: ASKED, parties: true })
}

struct Times {
    p50: Figures,
    p99: Figures,
}

impl Times {
    const fn new() -> Times {
        Times { p50: Figures(Vec::new()), p99: Figures(Vec::new()) }
    }

    /// Does it again and again for a time, and notes how long it took.
    fn take<T>(&mut self, time: Duration, ask: impl Fn() -> T) {
        let began = Instant::now();
        let mut times = Vec::new();
        while began.elapsed() < time || times.is_empty() {
            let asked = Instant::now();
            black_box(ask());
            times.push(asked.elapsed().as_secs_f64() * 1e6);
        }
        // The first ones find nothing in the caches.
        times.drain(..times.len() / 10);
        times.sort_by(f64::total_cmp);
        self.p50.push(percentile(&times, 0.50));
        self.p99.push(percentile(&times, 0.99));
    }
}

fn cases() -> [Case; 7] {
    [
        Case { told: "a treaty of two", agreement: bilateral(), aim: 5.0 },
        Case { told: "200 parties", agreement: multilateral(|date| date), aim: 200.0 },
        Case { told: "200 parties, a tenth of the dates uncertain", agreement: multilateral(tenth), aim: 20_000.0 },
        Case { told: "500 parties, 8 uncertain events each", agreement: uncertain(None), aim: 50_000.0 },
        Case {
            told: "the same, each with a notice",
            agreement: uncertain(Some(AgreementPeriod { months: 6, ..AgreementPeriod::default() })),
            aim: 50_000.0,
        },
        Case { told: "terms of a day, and a notice that nobody knows", agreement: short_terms(), aim: 50_000.0 },
        Case { told: "500 parties, 4,500 renewals and notices", agreement: renewed(), aim: 50_000.0 },
    ]
}

/// An event as it is stored.
fn event(r#type: Type, parties: &[usize], date: PartialDate) -> AgreementEvent {
    AgreementEvent {
        r#type: r#type.into(),
        party_ids: parties.iter().map(|number| party_id(*number)).collect(),
        act_date: Some(date),
        record_time: Some(prost_types::Timestamp { seconds: 1_790_000_000, nanos: 123_456_789 }),
        record_date: Some(PartialDate::day(2026, 9, 21)),
        ..AgreementEvent::default()
    }
}

fn agreement(parties: usize, events: Vec<AgreementEvent>) -> Agreement {
    let party = |number: usize| AgreementParty {
        party_id: party_id(number),
        country: format!("countries/{}", party_id(number)),
        ..AgreementParty::default()
    };
    let mut agreement = Agreement {
        name: "agreements/measured".into(),
        display_name: "An agreement on cooperation in science and technology".into(),
        parties: (0..parties).map(party).collect(),
        events,
        ..Agreement::default()
    };
    for (number, event) in (1..).zip(&mut agreement.events) {
        event.event_id = format!("e{number}");
    }
    agreement
}

fn party_id(number: usize) -> String {
    format!("p{number:03}")
}

/// One that both have ratified, that was renewed by itself, amended and denounced.
fn bilateral() -> Agreement {
    let five_years = Some(AgreementPeriod { years: 5, ..AgreementPeriod::default() });
    let denunciation = AgreementEvent {
        effect_date: Some(PartialDate::day(1994, 1, 15)),
        ..event(Type::Denunciation, &[1], PartialDate::day(1993, 7, 14))
    };
    let events = vec![
        event(Type::Signature, &[0, 1], PartialDate::day(1970, 3, 2)),
        event(Type::Ratification, &[0], PartialDate::day(1970, 11, 20)),
        event(Type::Ratification, &[1], PartialDate::day(1971, 1, 8)),
        event(Type::EntryIntoForce, &[], PartialDate::day(1971, 2, 7)),
        event(Type::Amendment, &[], PartialDate::day(1979, 5, 30)),
        denunciation,
    ];
    let term = AgreementTerm {
        length: five_years,
        renewal: AgreementRenewal::Automatic.into(),
        renewal_length: five_years,
        renewal_notice: Some(AgreementPeriod { months: 6, ..AgreementPeriod::default() }),
        ..AgreementTerm::default()
    };
    Agreement { term: Some(term), ..agreement(2, events) }
}

/// One of two hundred parties and five hundred events, whose dates are changed by their numbers.
fn multilateral(change: impl Fn(PartialDate) -> PartialDate) -> Agreement {
    let day = |year: usize, number: usize| {
        let (month, day) = (number / 28 % 12 + 1, number % 28 + 1);
        change(PartialDate::day((year + number / 10) as i32, month as i32, day as i32))
    };
    let mut events = vec![event(Type::EntryIntoForce, &[], PartialDate::day(1965, 6, 1))];
    let mut add = |r#type, parties: std::ops::Range<usize>, year| {
        events.extend(parties.map(|number| event(r#type, &[number], day(year, number))));
    };
    add(Type::Signature, 0..150, 1945);
    add(Type::Ratification, 0..150, 1955);
    add(Type::Accession, 150..190, 1966);
    add(Type::Withdrawal, 20..100, 1975);
    add(Type::Accession, 20..89, 1985);
    events.extend((190..200).map(|number| AgreementEvent {
        succeeded_party_id: party_id(number - 90),
        ..event(Type::Succession, &[number], day(1972, number))
    }));
    Agreement { scope: AgreementScope::Multilateral.into(), ..agreement(200, events) }
}

/// The year of a tenth of the dates, and the others as they are.
fn tenth(date: PartialDate) -> PartialDate {
    if date.day % 10 == 3 { PartialDate::year(date.year) } else { date }
}

/// One whose parties come and go on days that nobody knows, each of which may be before or after all others.
fn uncertain(notice: Option<AgreementPeriod>) -> Agreement {
    let about = |number: usize| PartialDate { approximate: true, ..PartialDate::year(1970 + (number % 3) as i32) };
    let of_party = |party: usize| {
        (0..8).map(move |number| {
            event(if number % 2 == 0 { Type::Accession } else { Type::Withdrawal }, &[party], about(number))
        })
    };
    let mut events = vec![event(Type::EntryIntoForce, &[], PartialDate::day(1960, 6, 1))];
    events.extend((0..500).flat_map(of_party));
    let term = AgreementTerm { denunciation_notice: notice, ..AgreementTerm::default() };
    Agreement { scope: AgreementScope::Multilateral.into(), term: Some(term), ..agreement(500, events) }
}

/// One whose terms are counted one by one, since a notice may have been given in any of them.
fn short_terms() -> Agreement {
    let day = Some(AgreementPeriod { days: 1, ..AgreementPeriod::default() });
    let term = AgreementTerm {
        length: day,
        renewal: AgreementRenewal::Automatic.into(),
        renewal_length: day,
        ..AgreementTerm::default()
    };
    let events = vec![
        event(Type::EntryIntoForce, &[], PartialDate::year(1970)),
        event(Type::NonRenewal, &[], PartialDate { unknown: true, ..PartialDate::default() }),
    ];
    Agreement { term: Some(term), ..agreement(2, events) }
}

/// As many parties and events as an agreement may have, all on days that are certain: each party has an act of its own, and
/// goes through all that happens to the term.
fn renewed() -> Agreement {
    let day = |number: usize| {
        PartialDate::day((1961 + number / 336) as i32, (number / 28 % 12 + 1) as i32, (number % 28 + 1) as i32)
    };
    let mut events: Vec<_> =
        (0..500).map(|party| event(Type::Ratification, &[party], PartialDate::day(1960, 1, 1))).collect();
    events.push(event(Type::EntryIntoForce, &[], PartialDate::day(1960, 6, 1)));
    events.extend((0..4_499).map(|number| match number % 2 {
        0 => event(Type::NonRenewal, &[], day(number)),
        _ => AgreementEvent { term_end_date: Some(day(number + 30)), ..event(Type::Renewal, &[], day(number)) },
    }));
    let term = AgreementTerm {
        length: Some(AgreementPeriod { years: 5, ..AgreementPeriod::default() }),
        renewal: AgreementRenewal::Automatic.into(),
        renewal_length: Some(AgreementPeriod { months: 1, ..AgreementPeriod::default() }),
        renewal_notice: Some(AgreementPeriod { days: 5, ..AgreementPeriod::default() }),
        ..AgreementTerm::default()
    };
    Agreement { scope: AgreementScope::Multilateral.into(), term: Some(term), ..agreement(500, events) }
}
