//! Whom a treaty record names: states in capitals, and what the treaty extends to in small letters.
//!
//! The record does not say what each of them did, and when. All states that it names are its parties from its entry into
//! force, as far as the registry can tell.

use std::collections::HashSet;

use partnership_registry_client::v1::{AgreementParty, AgreementPartyRole};

use crate::names::CountryNames;
use crate::report::Warning;
use crate::text::slug;

/// The most characters of a party's id that come from its name: what tells equal ones apart has room behind.
const ID_LENGTH_MAX: usize = 58;

/// Reads `TURKEY ; SIAM ; Hong Kong`.
pub(super) fn read(list: &str, names: &CountryNames, warnings: &mut Vec<Warning>) -> Vec<AgreementParty> {
    let mut ids = HashSet::new();
    let listed = list.split(';').map(str::trim).filter(|name| !name.is_empty());
    listed
        .map(|name| {
            let is_state = !name.chars().any(char::is_lowercase);
            let mut party = AgreementParty::default();
            if !is_state {
                party.set_role(AgreementPartyRole::Other);
                party.note = format!("a territory that the agreement extends to; in the source: {name}");
            }
            match names.find(name) {
                Some(country) => party.country = country.to_owned(),
                None => {
                    warnings.push(Warning { what: "a party stays unresolved", about: name.to_owned() });
                    party.unresolved_name = name.to_owned();
                }
            }
            party.party_id = unique(&id(&party), &mut ids);
            party
        })
        .collect()
}

/// `kr` of a country, and `soviet-union` of a name.
fn id(party: &AgreementParty) -> String {
    let mut id = party.country.strip_prefix("countries/").map_or_else(|| slug(&party.unresolved_name), str::to_owned);
    id.truncate(ID_LENGTH_MAX);
    id.trim_end_matches('-').to_owned()
}

/// An id that no party before has: a second `tr` is `tr-2`.
fn unique(id: &str, ids: &mut HashSet<String>) -> String {
    let mut unique = id.to_owned();
    let mut number = 1;
    while !ids.insert(unique.clone()) {
        number += 1;
        unique = format!("{id}-{number}");
    }
    unique
}
