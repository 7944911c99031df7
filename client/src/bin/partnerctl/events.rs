//! `record` and `void`: what happened to an agreement is recorded, and what was recorded by mistake is voided.

use partnership_registry_client::json::closest;
use partnership_registry_client::v1::{Agreement, AgreementEvent, AgreementParty, AgreementTerminationGround};

use crate::args::{Globals, RecordArgs, VoidArgs};
use crate::change::Change;
use crate::connect::connect;
use crate::failure::{Exit, Failure, Options};
use crate::kinds;
use crate::report::Report;

/// The fields of the request, and the options that they come from.
const OPTIONS: Options = &[
    ("events[0].party_ids[0]: ", "--party, the first: "),
    ("events[0].party_ids: ", "--party: "),
    ("events[0].act_date: must be given, or else effect_date", "--date: must be given, or else --effect"),
    ("events[0].act_date: ", "--date: "),
    ("events[0].effect_date: ", "--effect: "),
    ("events[0].ground: ", "--ground: "),
    ("events[0].note: ", "--note: "),
    ("events[0].instrument: ", "--instrument: "),
    ("events[0].agreement: ", "--agreement: "),
    ("events[0].revoked_event_id: ", "--revokes: "),
    ("events[0].succeeded_party_id: ", "--succeeds: "),
    ("events[0].term_end_date: ", "--until: "),
    ("voided_event_ids[0]: ", "--instead-of, the first: "),
    ("voided_event_ids[1]: ", "--instead-of, the second: "),
    ("events[0].", ""),
    ("event_id: ", "EVENT: "),
];

pub(crate) async fn record(globals: &Globals, args: RecordArgs) -> Result<Exit, Failure> {
    let name = agreement_name(&args.name)?;
    if !args.instead_of.is_empty() && globals.reason.as_deref().unwrap_or_default().is_empty() {
        return Err(Failure::usage("--instead-of voids events: say why with --reason, or -m"));
    }
    let registry = connect(globals)?;
    let agreements = registry.agreements();
    let (mut party_ids, mut succeeded_party_id) = (Vec::new(), String::new());
    if !args.party.is_empty() || args.succeeds.is_some() {
        let agreement = agreements.get(&name).fields(["name", "parties"]).await?;
        for word in &args.party {
            party_ids.push(party_id(&agreement, word)?);
        }
        if let Some(word) = &args.succeeds {
            succeeded_party_id = party_id(&agreement, word)?;
        }
    }
    let event = AgreementEvent {
        r#type: args.event_type.into(),
        party_ids,
        act_date: args.date,
        effect_date: args.effect,
        instrument: args.instrument.unwrap_or_default(),
        note: args.note.unwrap_or_default(),
        ground: args.ground.unwrap_or(AgreementTerminationGround::Unspecified).into(),
        agreement: args.agreement.as_deref().map(agreement_name).transpose()?.unwrap_or_default(),
        revoked_event_id: args.revokes.unwrap_or_default(),
        succeeded_party_id,
        term_end_date: args.until,
        ..AgreementEvent::default()
    };
    let mut report = Report::new(globals, args.dry_run, 1);
    let call = agreements.record(&name, [event]).instead_of(&args.instead_of).etag(kinds::etag(&args.etag));
    let recorded = call.validate_only(args.dry_run).await.map_err(|error| refused(error, &name, args.dry_run))?;
    let event_id = recorded.events.last().map(|event| event.event_id.clone()).unwrap_or_default();
    let instead =
        if args.instead_of.is_empty() { String::new() } else { format!(", voided {}", args.instead_of.join(", ")) };
    report.done(recorded.into(), &format!("recorded {event_id}{instead}"))?;
    report.finish()
}

pub(crate) async fn void(globals: &Globals, args: VoidArgs) -> Result<Exit, Failure> {
    let name = agreement_name(&args.name)?;
    let reason = globals.reason.clone().unwrap_or_default();
    if reason.is_empty() {
        return Err(Failure::usage("an event is voided for a reason: say it with --reason, or -m"));
    }
    let registry = connect(globals)?;
    let mut report = Report::new(globals, args.dry_run, 1);
    let call = registry.agreements().void(&name, &args.event_id).reason(reason).etag(kinds::etag(&args.etag));
    let voided = call.validate_only(args.dry_run).await.map_err(|error| refused(error, &name, args.dry_run))?;
    report.done(voided.into(), &format!("voided {}", args.event_id))?;
    report.finish()
}

fn refused(error: partnership_registry_client::Error, name: &str, dry_run: bool) -> Failure {
    Failure::write(error, vec![Change::only(name)], dry_run).with_options(OPTIONS)
}

/// A name such as `agreements/y`; a word without a kind is the id of an agreement.
fn agreement_name(word: &str) -> Result<String, Failure> {
    if !word.contains('/') {
        return Ok(format!("agreements/{word}"));
    }
    let name = kinds::full_name(word)?;
    match kinds::collection_of(&name) {
        "agreements" => Ok(name),
        other => Err(Failure::usage(format!("events are recorded of agreements, and {name} is one of {other}"))),
    }
}

/// The id of the party that a word means: that id, or the name or the id of the country or the organization.
fn party_id(agreement: &Agreement, word: &str) -> Result<String, Failure> {
    let is_named = |name: &str| !name.is_empty() && (name == word || name.rsplit('/').next() == Some(word));
    let is = |party: &&AgreementParty| {
        is_named(&party.country)
            || is_named(&party.organization)
            || (!word.is_empty() && party.unresolved_name.eq_ignore_ascii_case(word))
    };
    let by_id = agreement.parties.iter().find(|party| !word.is_empty() && party.party_id == word);
    let mut found = by_id.into_iter().chain(agreement.parties.iter().filter(is).filter(|_| by_id.is_none()));
    match (found.next(), found.next()) {
        (Some(party), None) if party.party_id.is_empty() => Err(Failure::usage(format!(
            "--party {word}: it is a party of {} without a party_id, by which events would name it",
            agreement.name
        ))),
        (Some(party), None) => Ok(party.party_id.clone()),
        (Some(one), Some(other)) => Err(Failure::usage(format!(
            "--party {word}: it is more than one party of {}; name one of them by its party_id: {} or {}",
            agreement.name,
            called(one),
            called(other)
        ))),
        (None, _) => {
            let names = agreement.parties.iter().flat_map(|party| {
                let id = |name: &'_ str| name.rsplit('/').next().unwrap_or_default().to_owned();
                [party.party_id.clone(), id(&party.country), id(&party.organization), party.unresolved_name.clone()]
            });
            let names: Vec<_> = names.filter(|name| !name.is_empty()).collect();
            let known = agreement.parties.iter().map(called).collect::<Vec<_>>().join(", ");
            let what = match (closest(word, names.iter().map(String::as_str)), known.as_str()) {
                (Some(meant), _) => format!("did you mean {meant}?"),
                (None, "") => "it has none yet".to_owned(),
                (None, known) => format!("its parties are {known}"),
            };
            Err(Failure::usage(format!("--party {word}: {} has no such party; {what}", agreement.name)))
        }
    }
}

/// What a party is called in an error.
fn called(party: &AgreementParty) -> String {
    let who = [&party.country, &party.organization, &party.unresolved_name].into_iter().find(|name| !name.is_empty());
    let who = who.map_or("", String::as_str);
    if party.party_id.is_empty() { who.to_owned() } else { format!("{} ({who})", party.party_id) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    fn party(id: &str, country: &str, unresolved: &str) -> AgreementParty {
        AgreementParty {
            party_id: id.into(),
            country: country.into(),
            unresolved_name: unresolved.into(),
            ..AgreementParty::default()
        }
    }

    #[test]
    fn a_party_is_meant_by_its_id_or_by_who_it_is() {
        let agreement = Agreement {
            name: "agreements/y".into(),
            parties: vec![
                party("rok", "countries/kr", ""),
                party("ir", "countries/ir", ""),
                party("", "countries/de", ""),
                party("hanse", "", "Hanseatic League"),
                party("kr", "countries/xx", ""),
            ],
            ..Agreement::default()
        };
        for (word, expected) in [
            ("rok", "rok"),
            ("ir", "ir"),
            ("countries/kr", "rok"),
            ("hanseatic league", "hanse"),
            // An id of a party goes before that of a country.
            ("kr", "kr"),
            ("xx", "kr"),
        ] {
            assert_eq!(party_id(&agreement, word).unwrap(), expected, "{word}");
        }
        let told = |word: &str| party_id(&agreement, word).unwrap_err().to_string();
        assert!(told("de").contains("without a party_id"), "{}", told("de"));
        assert!(told("hansa").contains("did you mean hanse?"), "{}", told("hansa"));
        assert!(
            told("zz").contains("its parties are rok (countries/kr), ir (countries/ir), countries/de, hanse"),
            "{}",
            told("zz")
        );
        assert!(told("").contains("no such party"));
        let twice =
            Agreement { parties: vec![party("a", "countries/kr", ""), party("b", "countries/kr", "")], ..agreement };
        assert!(party_id(&twice, "kr").unwrap_err().to_string().contains("a (countries/kr) or b (countries/kr)"));
    }
}
