//! [`Existing`]: what an import does about what exists, and the field mask that says so.

use partnership_registry::v1::{Mutation, Reconciliation, Resource, UpdateMutation, mutation::Operation};
use prost::Message as _;
use prost_reflect::{DynamicMessage, MapKey, Value};

use crate::error::Error;
use crate::json::contract::{RESOURCE, descriptor, internal, is_output_only, is_set_at_creation};
use crate::point::Mask;

/// What an import does about a resource that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Existing {
    /// It becomes what the row says: fields that the row does not have are cleared.
    #[default]
    Replace,
    /// Fields that the row does not have stay, and so do entries of maps, such as labels. A list that the row has replaces
    /// the whole list, and so does any other field.
    Merge,
    /// It stays as it is.
    Keep,
}

impl Existing {
    /// What a row means.
    pub(super) fn meant(self, resource: &Resource, void_gone: bool) -> Result<Meant, Error> {
        let events = if void_gone { Reconciliation::Replace } else { Reconciliation::Record };
        match self {
            Self::Replace => Ok(Meant { mask: Mask::all(), leaves_out: false, events }),
            Self::Merge => merged(resource, events),
            // It has this name: nothing changes. What does not exist is created as a whole, whatever the mask.
            Self::Keep => {
                Ok(Meant { mask: Mask::from(["name"]), leaves_out: false, events: Reconciliation::Unspecified })
            }
        }
    }
}

/// What a row means of a resource that exists.
#[derive(Debug, Clone)]
pub(super) struct Meant {
    mask: Mask,
    /// The mask does not name all that the row has: not what cannot be changed, which would be refused.
    leaves_out: bool,
    /// What becomes of events that differ.
    events: Reconciliation,
}

impl Meant {
    /// All that a row has.
    fn all_set(events: Reconciliation) -> Self {
        Self { mask: Mask::set_fields(), leaves_out: false, events }
    }

    /// The same of all that the row has.
    pub(super) fn whole(&self) -> Self {
        Self::all_set(self.events)
    }

    pub(super) fn leaves_out(&self) -> bool {
        self.leaves_out
    }

    pub(super) fn mutation(&self, resource: Resource) -> Mutation {
        let update_mask = self.mask.clone().into();
        let update = UpdateMutation {
            resource: Some(resource),
            update_mask,
            allow_missing: true,
            reconciliation: self.events.into(),
        };
        Mutation { operation: Some(Operation::Update(update)) }
    }

    /// The bytes of the mask, at most.
    pub(super) fn size(&self) -> usize {
        self.mask.paths().iter().map(|path| path.len() + 4).sum()
    }
}

/// Means the fields that a resource has, and of maps their entries.
fn merged(resource: &Resource, events: Reconciliation) -> Result<Meant, Error> {
    let envelope =
        DynamicMessage::decode(descriptor(RESOURCE)?, resource.encode_to_vec().as_slice()).map_err(internal)?;
    let Some((_, Value::Message(kind))) = envelope.fields().next() else { return Ok(Meant::all_set(events)) };
    if !kind.fields().any(|(field, _)| field.is_map()) {
        // Without a map, this is what no mask means.
        return Ok(Meant::all_set(events));
    }
    let (mut paths, mut leaves_out) = (Vec::new(), false);
    for (field, value) in kind.fields().filter(|(field, _)| field.name() != "name") {
        // Events differ, and are recorded and voided by that.
        let is_events = is_set_at_creation(&field) && field.is_list();
        if is_output_only(&field) || (is_set_at_creation(&field) && !is_events) {
            leaves_out = true;
        } else if let Value::Map(entries) = value {
            let mut keys: Vec<_> = entries.keys().filter_map(MapKey::as_str).map(quoted).collect();
            keys.sort_unstable();
            paths.extend(keys.into_iter().map(|key| format!("{}.{key}", field.name())));
        } else {
            paths.push(field.name().to_owned());
        }
    }
    Ok(Meant { mask: paths.into(), leaves_out, events })
}

/// A key of a map as it stands in a path (AIP-161).
fn quoted(key: &str) -> String {
    let plain = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if plain { key.to_owned() } else { format!("`{}`", key.replace('`', "``")) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use partnership_registry::v1::{Agreement, AgreementEvent, Country, CountryState};

    use super::*;

    #[test]
    fn a_merge_names_entries_of_maps_and_nothing_that_cannot_be_changed() {
        let labels = [("programme", "a"), ("unit/region", "b"), ("a`b", "c")];
        let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let with_map = Country {
            name: "countries/kr".into(),
            capital: "Seoul".into(),
            labels,
            state: CountryState::Active.into(),
            ..Country::default()
        };
        let meant = Existing::Merge.meant(&with_map.clone().into(), false).unwrap();
        let mut paths = meant.mask.paths().to_vec();
        paths.sort_unstable();
        assert_eq!(paths, ["capital", "labels.`a``b`", "labels.`unit/region`", "labels.programme"]);
        assert!(meant.leaves_out, "the state is told by other means");
        let without = Country { labels: Default::default(), ..with_map };
        let meant = Existing::Merge.meant(&without.into(), false).unwrap();
        assert_eq!((meant.mask, meant.leaves_out), (Mask::set_fields(), false));
    }

    #[test]
    fn events_are_meant_whatever_is_merged() {
        let agreement = Agreement {
            labels: [("programme".to_owned(), "a".to_owned())].into(),
            events: vec![AgreementEvent::default()],
            ..Agreement::default()
        };
        let meant = Existing::Merge.meant(&agreement.into(), true).unwrap();
        let mut paths = meant.mask.paths().to_vec();
        paths.sort_unstable();
        assert_eq!((paths, meant.leaves_out), (vec!["events".to_owned(), "labels.programme".to_owned()], false));
        assert_eq!((meant.events, meant.whole().events), (Reconciliation::Replace, Reconciliation::Replace));
        let kept = Existing::Keep.meant(&Agreement::default().into(), true).unwrap();
        assert_eq!(kept.events, Reconciliation::Unspecified);
    }
}
