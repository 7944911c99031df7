//! `status`: where an agreement and its parties stand on a day, in words, and what decides it.

use partnership_registry_client::json;
use partnership_registry_client::v1::{
    Agreement, AgreementEvent, AgreementParty, AgreementPartyStatus, AgreementState, AgreementStatus,
    AgreementStatusBasis, AgreementStatusBasisType as BasisType, PartialDate, Truth,
};

use crate::args::{Globals, StatusArgs};
use crate::connect::connect;
use crate::failure::{Exit, Failure};
use crate::kinds;
use crate::output::{self, Format};
use crate::table::{Column, Cut};

const MESSAGE: &str = "partnership.registry.v1.AgreementStatus";

pub(crate) async fn status(globals: &Globals, args: StatusArgs) -> Result<Exit, Failure> {
    let names = kinds::names(&args.name)?;
    let [name] = names.as_slice() else { return Err(Failure::usage("status takes one agreement")) };
    if kinds::collection_of(name) != "agreements" {
        return Err(Failure::usage(format!("status takes an agreement, and {name} is none")));
    }
    let read = connect(globals)?.agreements().get(name).at(args.at.unwrap_or_default()).on(args.on);
    let agreement = read.fields(["name", "display_name", "parties", "events", "status"]).await?;
    let status = agreement.status.clone().unwrap_or_default();
    match globals.output {
        Format::Table | Format::Wide => print(&agreement, &status, globals.output == Format::Table)?,
        Format::Json | Format::Yaml | Format::Ndjson | Format::Csv | Format::Name => {
            output::print_value(globals.output, &json::message_to_value(MESSAGE, &status)?)?;
        }
    }
    Ok(Exit::Success)
}

fn print(agreement: &Agreement, status: &AgreementStatus, fit: bool) -> Result<(), Failure> {
    let mut text = format!("{}, {}\n{}\n", agreement.name, agreement.display_name, stands(status));
    for basis in &status.bases {
        text.push_str(&format!("  {}\n", told(basis, &agreement.events)));
    }
    output::write(&text)?;
    if status.parties.is_empty() {
        return Ok(());
    }
    output::write("\n")?;
    let columns =
        vec![Column::kept("PARTY", Cut::Text), Column::kept("STANDS", Cut::Text), Column::new("DECIDED BY", Cut::List)];
    let parties = agreement.parties.iter().zip(&status.parties);
    let rows: Vec<_> = parties
        .map(|(party, stands)| {
            let bases: Vec<_> = stands.bases.iter().map(|basis| told(basis, &agreement.events)).collect();
            vec![called(party).to_owned(), party_stands(stands), bases.join("; ")]
        })
        .collect();
    output::print_table(columns, &rows, fit)
}

/// `On 1990-01-01 it is in force, since 1985-03-01.`
fn stands(status: &AgreementStatus) -> String {
    let day = status.valid_date.as_ref().map(ToString::to_string).unwrap_or_default();
    let since = status.since.as_ref().map(|since| format!(", since {since}")).unwrap_or_default();
    let possible: Vec<_> = status.possible_states().map(state).collect();
    match possible.as_slice() {
        [one] => format!("On {day} it is {one}{since}."),
        several => {
            let in_force = match status.in_force() {
                Truth::False => "it is not in force",
                Truth::True => "it is in force",
                Truth::Unknown | Truth::Unspecified => "whether it is in force is not known",
            };
            format!("On {day} it is {}; {in_force}.", either(several))
        }
    }
}

/// `a draft, signed or in force`.
fn either(words: &[&str]) -> String {
    match words {
        [others @ .., last] if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        words => words.concat(),
    }
}

fn state(state: AgreementState) -> &'static str {
    match state {
        AgreementState::Unspecified => "in a state that this version does not know",
        AgreementState::Draft => "a draft",
        AgreementState::Negotiating => "being negotiated",
        AgreementState::Adopted => "adopted",
        AgreementState::Signed => "signed",
        AgreementState::ProvisionallyApplied => "provisionally applied",
        AgreementState::InForce => "in force",
        AgreementState::Suspended => "suspended",
        AgreementState::Expired => "expired",
        AgreementState::Terminated => "terminated",
        AgreementState::Superseded => "superseded",
        AgreementState::Abandoned => "abandoned",
    }
}

/// How a party stands: what is so, what may be, and if nothing is, that.
fn party_stands(status: &AgreementPartyStatus) -> String {
    let facts = [
        (status.signed(), "signed"),
        (status.consented(), "consented"),
        (status.provisionally_applied(), "applies it provisionally"),
        (status.in_force(), "in force for it"),
        (status.ended(), "ended"),
    ];
    let words: Vec<_> = facts
        .iter()
        .filter_map(|(truth, word)| match truth {
            Truth::True => Some((*word).to_owned()),
            Truth::Unknown => Some(format!("perhaps {word}")),
            Truth::False | Truth::Unspecified => None,
        })
        .collect();
    let suspended = status.bound() == Truth::True && status.in_force() == Truth::False;
    let mut words = if words.is_empty() { vec!["not a party".to_owned()] } else { words };
    if suspended {
        words.push("bound, and suspended".to_owned());
    }
    words.join(", ")
}

/// What a party is called: the country or the organization that it is, or its text.
fn called(party: &AgreementParty) -> &str {
    let names = [party.country.as_str(), &party.organization, &party.unresolved_name];
    names.into_iter().find(|name| !name.is_empty()).unwrap_or_default()
}

/// `e2 ENTRY_INTO_FORCE, with effect on 1985-03-01`.
fn told(basis: &AgreementStatusBasis, events: &[AgreementEvent]) -> String {
    let what = match basis.r#type() {
        BasisType::Event => {
            let event = events.iter().find(|event| event.event_id == basis.event_id);
            let name = event.map_or("", |event| event.r#type().as_str_name());
            format!("{} {}", basis.event_id, name.strip_prefix("AGREEMENT_EVENT_TYPE_").unwrap_or(name))
        }
        BasisType::Term => "the end of its term".to_owned(),
        BasisType::AssertedStatus => "what a source says of its state".to_owned(),
        BasisType::UnrecordedEvent => "an event that is not recorded, and may have happened".to_owned(),
        BasisType::Unspecified => "something that this version does not know".to_owned(),
    };
    match days(basis.earliest_date.as_ref(), basis.latest_date.as_ref()) {
        Some(days) => format!("{what}, with effect {days}"),
        None if basis.r#type() == BasisType::Event => format!("{what}, with effect nobody knows when"),
        None => what,
    }
}

fn days(earliest: Option<&PartialDate>, latest: Option<&PartialDate>) -> Option<String> {
    match (earliest, latest) {
        (Some(earliest), Some(latest)) if earliest == latest => Some(format!("on {earliest}")),
        (Some(earliest), Some(latest)) => Some(format!("from {earliest} to {latest}")),
        (Some(earliest), None) => Some(format!("on {earliest} or later")),
        (None, Some(latest)) => Some(format!("on {latest} or earlier")),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_it_stands_is_told_in_words() {
        let status = |states: &[AgreementState], in_force: Truth| AgreementStatus {
            possible_states: states.iter().map(|state| (*state).into()).collect(),
            in_force: in_force.into(),
            valid_date: Some(PartialDate::day(1990, 1, 1)),
            ..AgreementStatus::default()
        };
        let since = Some(PartialDate::month(1985, 3));
        let in_force = AgreementStatus { since, ..status(&[AgreementState::InForce], Truth::True) };
        assert_eq!(stands(&in_force), "On 1990-01-01 it is in force, since 1985-03.");
        let open = [AgreementState::Draft, AgreementState::Signed, AgreementState::InForce];
        assert_eq!(
            stands(&status(&open, Truth::Unknown)),
            "On 1990-01-01 it is a draft, signed or in force; whether it is in force is not known."
        );
    }

    #[test]
    fn a_party_is_told_by_what_is_so_and_what_may_be() {
        let mut status = AgreementPartyStatus::default();
        assert_eq!(party_stands(&status), "not a party");
        status.set_signed(Truth::True);
        status.set_in_force(Truth::Unknown);
        assert_eq!(party_stands(&status), "signed, perhaps in force for it");
        status.set_bound(Truth::True);
        status.set_in_force(Truth::False);
        assert_eq!(party_stands(&status), "signed, bound, and suspended");
    }
}
