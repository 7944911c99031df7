//! What a request says of fields that it cannot change: those that only the server writes, and after the creation those
//! that are set with it.
//!
//! A value that is the stored one is no matter, so that a resource can be read, changed and sent back. One that differs is
//! refused where the mask names its field, and otherwise ignored and told: nothing that was asked for is ignored in
//! silence.

use std::collections::HashMap;

use partnership_registry::v1::{Finding, FindingCode};

use super::mask::{Mask, Part};
use super::wire::{self, WireField};
use crate::registry::schema::{Field, KindId, Label, Schemas, Shape, Value};
use crate::violations::Violations;

/// What a request says of fields that it cannot change, and that differs from what is stored.
#[derive(Debug, Default)]
pub(crate) struct Unchangeable {
    /// What its mask names.
    pub(crate) refused: Violations,
    /// What it only carries.
    pub(crate) ignored: Vec<Finding>,
}

impl Unchangeable {
    /// Compares what was `sent` for a resource with what is `stored`; `None`: the request creates it. `mask` is what the
    /// request names, if it names anything: what it leaves out is not asked for.
    pub(crate) fn of(schemas: &Schemas, kind: KindId, mask: Option<&Mask>, sent: &[u8], stored: Option<&[u8]>) -> Self {
        let mut compare = Compare { schemas, creates: stored.is_none(), found: Self::default() };
        compare.message(schemas.shape_of(kind), mask, sent, stored.unwrap_or_default(), "");
        compare.found
    }
}

struct Compare<'a> {
    schemas: &'a Schemas,
    creates: bool,
    found: Unchangeable,
}

impl Compare<'_> {
    /// Compares all that a mask means of a message; `None`: all of it, and by no name.
    fn message(&mut self, shape: &Shape, mask: Option<&Mask>, sent: &[u8], stored: &[u8], prefix: &str) {
        for field in &shape.fields {
            let part = match mask.map(|mask| mask.part(field.number)) {
                // A creation takes the whole, whatever its mask names.
                Some(None) if !self.creates => continue,
                Some(part) => part,
                None => None,
            };
            let unchangeable = field.output_only || (field.set_at_creation && !self.creates);
            match (part, &field.value) {
                (Some(part), _) if unchangeable => {
                    let path = format!("{prefix}{}", field.name);
                    self.named(field, part, sent, stored, &path, &rule(shape, field, &path));
                }
                (None, _) if unchangeable => self.carried(field, sent, stored, prefix),
                (_, Value::Message(id)) if self.schemas.shape(*id).strips => {
                    let inner = self.schemas.shape(*id);
                    let mask = match part {
                        Some(Part::Message(mask)) => Some(mask),
                        Some(Part::All | Part::Entries(_)) | None => None,
                    };
                    let mut stored = values(field, stored);
                    for (index, sent) in values(field, sent).enumerate() {
                        let stored = stored.next().map_or(&[][..], |item| item.value);
                        let prefix = match field.label {
                            Label::Single => format!("{prefix}{}.", field.name),
                            Label::List { .. } | Label::Map { .. } => format!("{prefix}{}[{index}].", field.name),
                        };
                        self.message(inner, mask, sent.value, stored, &prefix);
                    }
                }
                _ => {}
            }
        }
    }

    /// A field, or a part of it, that the mask names.
    fn named(&mut self, field: &Field, part: &Part, sent: &[u8], stored: &[u8], path: &str, rule: &str) {
        if let (Part::Message(mask), Some(id)) = (part, field.single_message()) {
            let inner = |message| wire::field(message, field.number).map_or(&[][..], |field| field.value);
            for below in &self.schemas.shape(id).fields {
                if let Some(part) = mask.part(below.number) {
                    let path = format!("{path}.{}", below.name);
                    self.named(below, part, inner(sent), inner(stored), &path, rule);
                }
            }
            return;
        }
        let selected = |message| {
            let mut out = Vec::new();
            values(field, message).for_each(|wire| part.select(self.schemas, field, &wire, &mut out));
            out
        };
        if selected(sent) != selected(stored) && !(*part == Part::All && self.is_stored(field, sent, stored)) {
            self.found.refused.add(path, rule);
        }
    }

    /// Whether what was sent for a field is what is stored, but for what the server filled in.
    fn is_stored(&self, field: &Field, sent: &[u8], stored: &[u8]) -> bool {
        let filled: Vec<u32> = match &field.value {
            Value::Message(id) => {
                let fields = self.schemas.shape(*id).fields.iter();
                fields.filter(|field| field.filled_in).map(|field| field.number).collect()
            }
            Value::Text { .. } | Value::Reference(_) | Value::Number { .. } | Value::Bool | Value::Enum { .. } => {
                Vec::new()
            }
        };
        let (mut sent, mut stored) = (values(field, sent), values(field, stored));
        loop {
            match (sent.next(), stored.next()) {
                (None, None) => return true,
                (Some(sent), Some(stored)) if sent.whole == stored.whole => {}
                (Some(sent), Some(stored)) if is_but_for(&filled, sent.value, stored.value) => {}
                (Some(_) | None, Some(_) | None) => return false,
            }
        }
    }

    /// A field that the request carries and does not name.
    fn carried(&mut self, field: &Field, sent: &[u8], stored: &[u8], prefix: &str) {
        if values(field, sent).next().is_none() || self.is_stored(field, sent, stored) {
            return;
        }
        let text = match (&field.value, self.creates) {
            (Value::Enum { values: names }, _) if field.set_at_creation => {
                let said = |message| values(field, message).last().map(|wire| short_name(names, wire.enum_number()));
                let stored = said(stored).unwrap_or_else(|| "not given".to_owned());
                let sent = said(sent).unwrap_or_default();
                format!("is {stored} and stays; {sent} was ignored: it can be given only at creation")
            }
            (_, true) => "is output only; the value that was sent was ignored".to_owned(),
            (_, false) if field.set_at_creation => {
                let moved_by = if field.moved_by.is_empty() { String::new() } else { moved_by(field) };
                format!(
                    "can be given only at creation; the value that was sent was ignored, and the one stored was kept{moved_by}"
                )
            }
            (_, false) => "is output only; the value that was sent was ignored, and the one stored was kept".to_owned(),
        };
        self.found.ignored.push(Finding {
            code: FindingCode::OutputOnlyIgnored.into(),
            field: format!("{prefix}{}", field.name),
            text,
        });
    }
}

/// Whether a message is another one, or would be if it had of these fields what the other has of them.
fn is_but_for(filled: &[u32], sent: &[u8], stored: &[u8]) -> bool {
    let left_out: Vec<u32> = filled.iter().copied().filter(|number| wire::field(sent, *number).is_none()).collect();
    let rest = wire::fields(stored).filter(|wire| !left_out.contains(&wire.number));
    wire::fields(sent).map(|wire| wire.whole).eq(rest.map(|wire| wire.whole))
}

/// What changes a field that is set at creation, as the end of a sentence.
fn moved_by(field: &Field) -> String {
    match field.moved_by.as_slice() {
        [] => "; no method moves it yet".to_owned(),
        [one] => format!("; {one} changes it"),
        [first @ .., last] => format!("; {} and {last} change it", first.join(", ")),
    }
}

/// Why a mask may not name a field with another value than the stored one, and what changes it, if anything does.
fn rule(shape: &Shape, field: &Field, path: &str) -> String {
    if field.set_at_creation {
        return format!("can be given only at creation, and is not the one stored{}", moved_by(field));
    }
    let rule = "is output only, and is not the one stored";
    match path {
        "delete_time" => format!("{rule}; Delete{0} and Undelete{0} change it", shape.short_name()),
        _ => rule.to_owned(),
    }
}

/// The value of an enum without the name of that in front, such as `IN_FORCE`.
fn short_name(names: &HashMap<i32, String>, number: i32) -> String {
    let Some(name) = names.get(&number) else { return number.to_string() };
    let prefix = names.get(&0).and_then(|zero| zero.strip_suffix("UNSPECIFIED")).unwrap_or_default();
    name.strip_prefix(prefix).unwrap_or(name).to_owned()
}

/// All occurrences of a field.
fn values<'a>(field: &Field, message: &'a [u8]) -> impl Iterator<Item = WireField<'a>> + use<'a> {
    let number = field.number;
    wire::fields(message).filter(move |wire| wire.number == number)
}

#[cfg(test)]
mod tests {
    use partnership_registry::v1::{Country, CountryState};
    use prost::Message as _;
    use prost_types::Timestamp;

    use super::*;
    use crate::registry::resource::mask::Purpose;
    use crate::registry::schema::{contract, kind_of, small_contract};

    /// What is refused, as `field: rule`, and the fields of what is ignored.
    fn found(sent: &Country, paths: &[&str], stored: Option<&Country>) -> (Vec<String>, Vec<String>) {
        let schemas = contract();
        let kind = kind_of(&schemas, "countries");
        let paths: Vec<_> = paths.iter().map(|path| (*path).to_owned()).collect();
        let mask = Mask::parse(&schemas, kind, Purpose::Update, &paths, &mut Violations::new());
        let stored = stored.map(Country::encode_to_vec);
        let found = Unchangeable::of(&schemas, kind, mask.as_ref(), &sent.encode_to_vec(), stored.as_deref());
        let refused = found.refused.iter().map(|one| format!("{}: {}", one.field, one.description)).collect();
        assert!(found.ignored.iter().all(|one| one.code() == FindingCode::OutputOnlyIgnored && !one.text.is_empty()));
        (refused, found.ignored.into_iter().map(|one| one.field).collect())
    }

    fn stored() -> Country {
        Country {
            name: "countries/kr".into(),
            uid: "u".into(),
            display_name: "Korea".into(),
            etag: "e".into(),
            revision: 7,
            create_time: Some(Timestamp { seconds: 5, nanos: 6 }),
            creator: "jane".into(),
            state: CountryState::Active.into(),
            findings: vec![Finding { field: "a".into(), ..Finding::default() }],
            ..Country::default()
        }
    }

    #[test]
    fn what_is_sent_as_it_is_stored_is_no_matter() {
        let stored = stored();
        let all = ["uid", "revision", "create_time", "create_time.nanos", "delete_time", "findings", "state", "name"];
        for paths in [&[][..], &["*"], &all] {
            assert_eq!(found(&stored, paths, Some(&stored)), (vec![], vec![]), "{paths:?}");
        }
        let change = Country { display_name: "new".into(), etag: "other".into(), ..Country::default() };
        for paths in [&[][..], &["*"], &["display_name", "etag"]] {
            assert_eq!(found(&change, paths, Some(&stored)), (vec![], vec![]), "{paths:?}: nothing was said of them");
        }
    }

    #[test]
    fn what_a_mask_names_and_differs_is_refused_with_what_changes_it() {
        let stored = stored();
        let rule = "is output only, and is not the one stored";
        let deletion = format!("delete_time: {rule}; DeleteCountry and UndeleteCountry change it");
        let state = "state: can be given only at creation, and is not the one stored; no method moves it yet";
        type Change = fn(&mut Country);
        let table: [(&[&str], Change, Vec<String>); 9] = [
            (&["uid"], |it| it.uid = "v".into(), vec![format!("uid: {rule}")]),
            (&["uid"], |it| it.uid.clear(), vec![format!("uid: {rule}")]),
            (&["display_name"], |it| it.uid = "v".into(), vec![]),
            (&["create_time"], |it| it.create_time = None, vec![format!("create_time: {rule}")]),
            (
                &["create_time.seconds", "create_time.nanos"],
                |it| it.create_time = Some(Timestamp { seconds: 5, nanos: 9 }),
                vec![format!("create_time.nanos: {rule}")],
            ),
            (&["delete_time"], |it| it.delete_time = Some(Timestamp::default()), vec![deletion]),
            (&["findings"], |it| it.findings.clear(), vec![format!("findings: {rule}")]),
            (&["state"], |it| it.state = CountryState::Ended.into(), vec![state.into()]),
            (
                &["state", "revision", "updater"],
                |it| (it.state, it.revision) = (0, 8),
                vec![format!("revision: {rule}"), state.into()],
            ),
        ];
        for (paths, change, expected) in table {
            let mut sent = stored.clone();
            change(&mut sent);
            assert_eq!(found(&sent, paths, Some(&stored)), (expected, vec![]), "{paths:?}");
        }
    }

    #[test]
    fn what_no_mask_names_and_differs_is_ignored_and_told() {
        let stored = stored();
        let sent = Country {
            uid: "v".into(),
            revision: 7,
            delete_time: Some(Timestamp::default()),
            findings: vec![Finding::default()],
            state: CountryState::Ended.into(),
            ..Country::default()
        };
        let all = ["uid", "delete_time", "findings", "state"].map(str::to_owned).to_vec();
        for paths in [&[][..], &["*"]] {
            assert_eq!(found(&sent, paths, Some(&stored)), (vec![], all.clone()), "{paths:?}");
        }
        let text = |stored: &Country| {
            let sent = Country { state: CountryState::Ended.into(), ..Country::default() };
            let (schemas, sent, stored) = (contract(), sent.encode_to_vec(), stored.encode_to_vec());
            let kind = kind_of(&schemas, "countries");
            Unchangeable::of(&schemas, kind, None, &sent, Some(&stored)).ignored.remove(0).text
        };
        assert_eq!(text(&stored), "is ACTIVE and stays; ENDED was ignored: it can be given only at creation");
        let without = Country { state: 0, ..stored.clone() };
        assert_eq!(text(&without), "is not given and stays; ENDED was ignored: it can be given only at creation");
        let created = ["uid", "revision", "delete_time", "findings"].map(str::to_owned).to_vec();
        assert_eq!(found(&sent, &[], None), (vec![], created), "a state may be given at creation");
        let (refused, ignored) = found(&sent, &["uid", "state", "creator"], None);
        assert_eq!(refused.len(), 1, "what is named is refused at creation too: {refused:?}");
        assert_eq!(ignored, ["revision", "delete_time", "findings"], "and the rest told: a creation takes the whole");
    }

    /// No kind has a field of the server's below a field of the caller's yet.
    #[test]
    fn fields_of_the_server_are_found_below_lists_and_messages() {
        let schemas = small_contract(
            "repeated Part parts = 5 [(google.api.field_behavior) = OPTIONAL];
             Part part = 6 [(google.api.field_behavior) = OPTIONAL];",
            "message Part {
               string hash = 1 [(google.api.field_behavior) = OUTPUT_ONLY];
               string title = 2 [(google.api.field_behavior) = OPTIONAL];
             }",
        );
        let kind = kind_of(&schemas, "things");
        let thing = |hashes: [&str; 3]| {
            let mut thing = Vec::new();
            for (number, hash) in [5, 5, 6].into_iter().zip(hashes) {
                let mut part = Vec::new();
                wire::put_bytes(&mut part, 1, hash.as_bytes());
                wire::put_bytes(&mut part, 2, b"title");
                wire::put_bytes(&mut thing, number, &part);
            }
            thing
        };
        let (sent, stored) = (thing(["a", "c", "d"]), thing(["a", "b", "e"]));
        let table: [(&[&str], &[&str], &[&str]); 5] = [
            (&[], &[], &["parts[1].hash", "part.hash"]),
            (&["parts"], &[], &["parts[1].hash"]),
            (&["part"], &[], &["part.hash"]),
            (&["part.title"], &[], &[]),
            (&["part.hash"], &["part.hash"], &[]),
        ];
        for (paths, refused, ignored) in table {
            let named: Vec<_> = paths.iter().map(|path| (*path).to_owned()).collect();
            let mask = Mask::parse(&schemas, kind, Purpose::Update, &named, &mut Violations::new());
            let found = Unchangeable::of(&schemas, kind, mask.as_ref(), &sent, Some(&stored));
            assert!(found.refused.iter().map(|one| one.field.as_str()).eq(refused.iter().copied()), "{paths:?}");
            assert!(found.ignored.iter().map(|one| one.field.as_str()).eq(ignored.iter().copied()), "{paths:?}");
        }
    }
}
