//! Checking a body by every rule of its kind, and finding what it refers to.
//!
//! Every broken rule is noted, each with the path of its field, and in the same walk what is strange and accepted. Whether
//! what is referred to exists is asked elsewhere.

use partnership_registry::v1::{FindingCode, Format, PartialDate, Resource};
use prost_types::Timestamp;

use super::DOCUMENT_BYTES_MAX;
use super::clean;
use super::name::{Name, short};
use super::path::Path;
use super::wire::{self, WireField};
use crate::findings::Findings;
use crate::registry::schema::{
    ENTRY_KEY, ENTRY_VALUE, Field, KindId, Label, NumberType, Reference, Schemas, Shape, ShapeId, SharedValue, Value,
};
use crate::values::partial_date::Strange;
use crate::values::{Broken, format, money, partial_date, period, timestamp};
use crate::violations::Violations;

/// A reference from one resource to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Referral {
    /// The path of the field that refers.
    pub(crate) field: String,
    /// What it refers to.
    pub(crate) target: Name,
}

/// What came of a check.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// What the body refers to.
    pub(crate) referrals: Vec<Referral>,
    /// What is strange about it.
    pub(crate) findings: Findings,
    /// Whether it has to be cleaned before it can be stored: never of what [`check`] answers.
    unclean: bool,
}

/// Checks a resource that has its name by every rule: the only way into the registry. `body` is its body, which may be
/// cleaned here. Says what it refers to, and what is strange about it; what was found when an earlier document was cleaned
/// is for the caller to carry over.
pub(crate) fn check(
    schemas: &Schemas,
    kind: KindId,
    resource: &Resource,
    body: &mut Vec<u8>,
    violations: &mut Violations,
) -> Checked {
    let mut found = Violations::new();
    let checked = check_annotations(schemas, kind, body, &mut found);
    if checked.unclean {
        return check_cleaned(schemas, kind, resource.name(), body, violations);
    }
    violations.add_all("", found);
    check_kind(schemas, kind, resource, body, checked, violations)
}

/// Cleans a body, and checks it once more.
fn check_cleaned(
    schemas: &Schemas,
    kind: KindId,
    name: &str,
    body: &mut Vec<u8>,
    violations: &mut Violations,
) -> Checked {
    let rules = &schemas.kind(kind).rules;
    let mut findings = Findings::new();
    let mut resource = match (rules.decode)(&clean::clean(schemas, kind, body, &mut findings)) {
        Ok(resource) => resource,
        Err(error) => {
            violations.add("", format!("must be a message: {error}"));
            return Checked::default();
        }
    };
    *body = (rules.encode)(&resource);
    resource.set_name(name.to_owned());
    let mut checked = check_annotations(schemas, kind, body, violations);
    checked.findings.add_all(findings);
    check_kind(schemas, kind, &resource, body, checked, violations)
}

/// Checks by the rules of the kind, which are asked of no resource that is too large.
fn check_kind(
    schemas: &Schemas,
    kind: KindId,
    resource: &Resource,
    body: &[u8],
    mut checked: Checked,
    violations: &mut Violations,
) -> Checked {
    if body.len() <= DOCUMENT_BYTES_MAX {
        let rules = &schemas.kind(kind).rules;
        (rules.check)(resource, violations);
        (rules.find)(resource, &mut checked.findings);
    }
    checked
}

/// Checks a body by the annotations of its kind. Of one that is too large, nothing else is said.
fn check_annotations(schemas: &Schemas, kind: KindId, body: &[u8], violations: &mut Violations) -> Checked {
    let mut checked = Checked::default();
    if body.len() > DOCUMENT_BYTES_MAX {
        violations.add("", format!("must have at most {DOCUMENT_BYTES_MAX} bytes, and has {}", body.len()));
        return checked;
    }
    Check { schemas, violations, checked: &mut checked }.message(schemas.kind(kind).shape, body, &Path::Root);
    checked
}

/// What a body that has been checked refers to.
pub(crate) fn referrals(schemas: &Schemas, kind: KindId, body: &[u8]) -> Vec<Referral> {
    check_annotations(schemas, kind, body, &mut Violations::new()).referrals
}

struct Check<'a> {
    schemas: &'a Schemas,
    violations: &'a mut Violations,
    checked: &'a mut Checked,
}

impl Check<'_> {
    fn add(&mut self, path: &Path<'_>, rule: impl Into<String>) {
        self.violations.add(path.to_string(), rule);
    }

    fn message(&mut self, id: ShapeId, message: &[u8], path: &Path<'_>) {
        let schemas = self.schemas;
        let shape = schemas.shape(id);
        let mut counts = vec![0_usize; shape.fields.len()];
        for wire in wire::fields(message) {
            let Ok(position) = shape.fields.binary_search_by_key(&wire.number, |field| field.number) else { continue };
            let Some(field) = shape.fields.get(position) else { continue };
            let Some(count) = counts.get_mut(position) else { continue };
            let index = *count;
            *count += 1;
            match field.label {
                Label::Single => self.value(field, &wire, &Path::Field(path, &field.name)),
                Label::List { items_max } if index < items_max => {
                    self.value(field, &wire, &Path::Item(path, &field.name, index));
                }
                Label::Map { items_max, key_format } if index < items_max => {
                    self.entry(field, key_format, wire.value, path);
                }
                Label::List { .. } | Label::Map { .. } => {}
            }
        }
        self.counts(shape, &counts, path);
        let broken = match shape.shared {
            Some(SharedValue::PartialDate) => self.date(message, path),
            Some(SharedValue::Timestamp) => self.time(message, path),
            Some(SharedValue::DateInterval) => decoded(message).and_then(|interval| period::check(&interval)),
            Some(SharedValue::Money) => decoded(message).and_then(|amount| money::check(&amount)),
            None => None,
        };
        match broken {
            Some(Broken { field: "", rule }) => self.add(path, rule),
            Some(Broken { field, rule }) => self.add(&Path::Field(path, field), rule),
            None => {}
        }
    }

    fn date(&mut self, message: &[u8], path: &Path<'_>) -> Option<Broken> {
        let date: PartialDate = decoded(message)?;
        let broken = partial_date::check(&date);
        if broken.is_some() {
            return broken;
        }
        let findings = &mut self.checked.findings;
        match partial_date::strange(&date)? {
            Strange::Impossible => self.checked.unclean = true,
            Strange::ImpossibleText => findings.add(
                FindingCode::DateImpossible,
                path,
                format_args!("{:?} is on no calendar; it is kept as the original text", date.original_text),
            ),
            Strange::Unlikely => findings.add(
                FindingCode::DateUnlikely,
                path,
                format_args!(
                    "{} is before the year 1000 or after 2200; it is kept as it came",
                    partial_date::written(&date)
                ),
            ),
        }
        None
    }

    fn time(&mut self, message: &[u8], path: &Path<'_>) -> Option<Broken> {
        let time: Timestamp = decoded(message)?;
        let broken = timestamp::check(&time);
        if broken.is_none() && timestamp::is_unlikely(&time) {
            self.checked.findings.add(
                FindingCode::DateUnlikely,
                path,
                format_args!("{time} is before the year 1000 or after 2200; it is kept as it came"),
            );
        }
        broken
    }

    fn counts(&mut self, shape: &Shape, counts: &[usize], path: &Path<'_>) {
        for (field, count) in shape.fields.iter().zip(counts.iter().copied()) {
            let path = Path::Field(path, &field.name);
            match field.label {
                Label::List { items_max } | Label::Map { items_max, .. } if count > items_max => {
                    self.add(&path, format!("must have at most {items_max} items, and has {count}"));
                }
                Label::Single | Label::List { .. } | Label::Map { .. } => {}
            }
            if field.required && count == 0 {
                self.add(&path, "is required");
            }
        }
    }

    fn entry(&mut self, field: &Field, key_format: Format, entry: &[u8], path: &Path<'_>) {
        let key = wire::field(entry, ENTRY_KEY).map_or("", |key| key.text());
        let path = Path::Entry(path, &field.name, key);
        if key.is_empty() {
            self.add(&path, "must have a key");
        } else if let Some(rule) = format::check(key_format, key) {
            self.add(&path, format!("has a key that {rule}"));
        }
        if let Some(value) = wire::field(entry, ENTRY_VALUE) {
            self.value(field, &value, &path);
        }
    }

    fn value(&mut self, field: &Field, wire: &WireField<'_>, path: &Path<'_>) {
        match &field.value {
            Value::Text { format, length_max } => self.text(*format, *length_max, wire.text(), path),
            Value::Reference(reference) => self.reference(reference, field.label, wire.text(), path),
            Value::Enum { values } => {
                // Open enums let any number through; a number that means nothing is a mistake of the caller.
                let number = wire.enum_number();
                if !values.contains_key(&number) {
                    self.add(path, format!("must be one of the values of its type, and {number} is not"));
                }
            }
            Value::Number { number, min, max } => self.number(*number, *min, *max, wire, path),
            Value::Message(id) => self.message(*id, wire.value, path),
            Value::Bool => {}
        }
    }

    fn text(&mut self, format: Format, length_max: usize, text: &str, path: &Path<'_>) {
        // No text has more characters than bytes, and most are short.
        if text.len() > length_max {
            let length = text.chars().count();
            if length > length_max {
                self.add(path, format!("must have at most {length_max} characters, and has {length}"));
            }
        }
        let Some(rule) = format::check(format, text) else { return };
        if format::without_controls(format, text).is_some() {
            self.checked.unclean = true;
        } else if format == Format::Uri {
            self.checked.findings.add(
                FindingCode::LinkNotUri,
                path,
                format_args!("{:?} is no absolute URI (RFC 3986, RFC 3987); it is kept as text", short(text)),
            );
        } else {
            self.add(path, rule);
        }
    }

    fn reference(&mut self, reference: &Reference, label: Label, text: &str, path: &Path<'_>) {
        if text.is_empty() {
            // A single one that is empty refers to nothing; an item of a list has to refer to something.
            if label != Label::Single {
                self.add(path, "must not be empty");
            }
            return;
        }
        let name = match reference {
            Reference::Any => Name::parse(self.schemas, text),
            Reference::Kind(kind) => Name::parse_as(self.schemas, *kind, text),
            Reference::OneOf(kinds) => Name::parse_one_of(self.schemas, kinds, text),
        };
        match name {
            Ok(target) => self.checked.referrals.push(Referral { field: path.to_string(), target }),
            Err(rule) => self.add(path, rule),
        }
    }

    fn number(
        &mut self,
        number: NumberType,
        min: Option<f64>,
        max: Option<f64>,
        wire: &WireField<'_>,
        path: &Path<'_>,
    ) {
        let value = wire.number(number);
        if !value.is_finite() {
            self.add(path, "must be a finite number");
        } else if min.is_some_and(|min| value < min) || max.is_some_and(|max| value > max) {
            let bound = |bound: Option<f64>, word: &str| bound.map(|bound| format!("{word} {bound}"));
            let bounds: Vec<_> = [bound(min, "at least"), bound(max, "at most")].into_iter().flatten().collect();
            self.add(path, format!("must be {}", bounds.join(" and ")));
        }
    }
}

/// A value shared by several kinds. The transport has decoded it before.
fn decoded<M: prost::Message + Default>(message: &[u8]) -> Option<M> {
    M::decode(message).ok()
}

#[cfg(test)]
mod tests;
