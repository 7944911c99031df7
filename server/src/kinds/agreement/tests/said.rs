//! Agreements for tests, written in short, and how they stand, read in short.

use partnership_registry::v1::{
    Agreement, AgreementAssertedStatus, AgreementEvent, AgreementEventType, AgreementParty, AgreementPartyRole,
    AgreementPeriod, AgreementRenewal, AgreementState, AgreementStatus, AgreementTerm, AgreementTerminationGround,
    PartialDate, Truth,
};
use prost::Message as _;

use crate::kinds::timeline::Asked;
use crate::time::Day;
use crate::values::partial_date::day_numbers;

/// A date such as `1990`, `1990-05`, `1990-05-01`, `1990~` or `unknown`.
pub(crate) fn date(text: &str) -> PartialDate {
    if text == "unknown" {
        return PartialDate { unknown: true, ..PartialDate::default() };
    }
    let mut parts = text.trim_end_matches('~').split('-').map(|part| part.parse().unwrap());
    PartialDate {
        year: parts.next().unwrap(),
        month: parts.next().unwrap_or(0),
        day: parts.next().unwrap_or(0),
        approximate: text.ends_with('~'),
        ..PartialDate::default()
    }
}

pub(crate) fn day(text: &str) -> Day {
    Day(day_numbers(&date(text)).unwrap().0)
}

/// A period such as `5y`, `6m` or `30d`.
fn period(text: &str) -> Option<AgreementPeriod> {
    let (count, unit) = text.split_at(text.len() - 1);
    let count = count.parse().unwrap();
    let none = AgreementPeriod::default();
    Some(match unit {
        "y" => AgreementPeriod { years: count, ..none },
        "m" => AgreementPeriod { months: count, ..none },
        _ => AgreementPeriod { days: count, ..none },
    })
}

/// An event such as `WITHDRAWAL kr,ir act=1990 effect=1991-01 of=jp end=2000 revokes=e1 ground=LATER_AGREEMENT`.
pub(crate) fn event(text: &str, id: usize) -> AgreementEvent {
    let mut words = text.split_whitespace();
    let name = format!("AGREEMENT_EVENT_TYPE_{}", words.next().unwrap());
    let r#type = AgreementEventType::from_str_name(&name).unwrap_or_else(|| panic!("{name}"));
    let mut event = AgreementEvent { r#type: r#type.into(), event_id: format!("e{id}"), ..AgreementEvent::default() };
    for word in words {
        match word.split_once('=') {
            None if word == "voided" => event.voided = Some(partnership_registry::v1::AgreementEventVoiding::default()),
            None if word.starts_with(|first: char| first.is_ascii_digit()) || word == "unknown" => {
                event.act_date = Some(date(word));
            }
            None => event.party_ids = word.split(',').map(str::to_owned).collect(),
            Some(("act", value)) => event.act_date = Some(date(value)),
            Some(("effect", value)) => event.effect_date = Some(date(value)),
            Some(("recorded", value)) => event.record_date = Some(date(value)),
            Some(("end", value)) => event.term_end_date = Some(date(value)),
            Some(("of", value)) => event.succeeded_party_id = value.to_owned(),
            Some(("revokes", value)) => event.revoked_event_id = value.to_owned(),
            Some(("ground", value)) => {
                let name = format!("AGREEMENT_TERMINATION_GROUND_{value}");
                event.ground = AgreementTerminationGround::from_str_name(&name).unwrap().into();
            }
            Some((other, _)) => panic!("{other}"),
        }
    }
    event
}

/// An agreement of a line for each thing it says: `parties kr ir un:WITNESS`, `term length=5y renewal=AUTOMATIC`,
/// `scope BILATERAL`, `asserted IN_FORCE 1990`, `incomplete`, and else an event.
pub(crate) fn agreement(lines: &[&str]) -> Agreement {
    let mut agreement = Agreement::default();
    for line in lines {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        match first {
            "parties" => agreement.parties = rest.split_whitespace().map(party).collect(),
            "term" => agreement.term = Some(term(rest)),
            "scope" => {
                let name = format!("AGREEMENT_SCOPE_{rest}");
                agreement.scope = partnership_registry::v1::AgreementScope::from_str_name(&name).unwrap().into();
            }
            "asserted" => {
                let (state, since) = rest.split_once(' ').unwrap_or((rest, ""));
                agreement.asserted_status = Some(AgreementAssertedStatus {
                    state: AgreementState::from_str_name(&format!("AGREEMENT_STATE_{state}")).unwrap().into(),
                    since: (!since.is_empty()).then(|| date(since)),
                    source: String::new(),
                });
            }
            "updated" => {
                let seconds = i64::from(day(rest).0) * 86_400 + 43_200;
                agreement.update_time = Some(prost_types::Timestamp { seconds, nanos: 0 });
            }
            "incomplete" => agreement.events_incomplete = true,
            _ => agreement.events.push(event(line, agreement.events.len() + 1)),
        }
    }
    agreement
}

fn party(text: &str) -> AgreementParty {
    let (id, role) = text.split_once(':').unwrap_or((text, "UNSPECIFIED"));
    AgreementParty {
        party_id: id.to_owned(),
        country: format!("countries/{id}"),
        role: AgreementPartyRole::from_str_name(&format!("AGREEMENT_PARTY_ROLE_{role}")).unwrap().into(),
        ..AgreementParty::default()
    }
}

fn term(text: &str) -> AgreementTerm {
    let mut term = AgreementTerm::default();
    for word in text.split_whitespace() {
        let (what, value) = word.split_once('=').unwrap();
        match what {
            "length" => term.length = period(value),
            "expiry" => term.expiry_date = Some(date(value)),
            "renewal" => {
                term.renewal = AgreementRenewal::from_str_name(&format!("AGREEMENT_RENEWAL_{value}")).unwrap().into();
            }
            "renewed" => term.renewal_length = period(value),
            "max" => term.renewals_max = value.parse().unwrap(),
            "notice" => term.renewal_notice = period(value),
            "denunciation" => term.denunciation_notice = period(value),
            other => panic!("{other}"),
        }
    }
    term
}

/// The status on a day, of the agreement and its parties.
pub(crate) fn status(agreement: &Agreement, on: &str) -> AgreementStatus {
    let asked = Asked { settled: day(on), valid: day(on), parties: true };
    let encoded = (super::super::DATED.computed)(&agreement.clone().into(), asked);
    Agreement::decode(&encoded[..]).unwrap().status.unwrap()
}

/// The possible states on a day, such as `SIGNED|IN_FORCE`.
pub(crate) fn states(agreement: &Agreement, on: &str) -> String {
    let names = status(agreement, on).possible_states().map(|state| state.as_str_name().to_owned()).collect::<Vec<_>>();
    names.iter().map(|name| name.trim_start_matches("AGREEMENT_STATE_")).collect::<Vec<_>>().join("|")
}

fn short(truth: Truth) -> &'static str {
    match truth {
        Truth::True => "+",
        Truth::False => "-",
        Truth::Unknown => "?",
        Truth::Unspecified => "!",
    }
}

/// How a party stands on a day: `signed consented bound in_force provisional ended`, each `+`, `-` or `?`, and how it
/// ended.
pub(crate) fn standing(agreement: &Agreement, party: &str, on: &str) -> String {
    let status = status(agreement, on);
    let party = status.parties.iter().find(|one| one.party_id == party).unwrap();
    let truths = [
        party.signed(),
        party.consented(),
        party.bound(),
        party.in_force(),
        party.provisionally_applied(),
        party.ended(),
    ];
    let end = party.end_type().as_str_name().trim_start_matches("AGREEMENT_END_TYPE_").to_owned();
    let end = if end == "UNSPECIFIED" { String::new() } else { format!(" {end}") };
    format!("{}{end}", truths.map(short).concat())
}

/// The ids of what decides where it stands on a day, or their types if they are no events.
pub(crate) fn bases(agreement: &Agreement, on: &str) -> Vec<String> {
    let status = status(agreement, on);
    let name = |basis: &partnership_registry::v1::AgreementStatusBasis| {
        if basis.event_id.is_empty() {
            basis.r#type().as_str_name().trim_start_matches("AGREEMENT_STATUS_BASIS_TYPE_").to_owned()
        } else {
            basis.event_id.clone()
        }
    };
    status.bases.iter().map(name).collect()
}
